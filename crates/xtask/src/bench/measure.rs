//! Runs one workload on one side and measures it.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::{TimeVal, TimeValLike};
use program_tests::sandbox::{self, Sandbox};

use super::workloads::{How, Workload};

/// Who runs a workload.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Side {
    Native,
    Raemu,
    Qemu,
    /// raemu-aarch64 with checks of floating-point results instead of traps.
    Checked,
    /// Another build of raemu-aarch64.
    Other,
}

/// Where everything is that a run needs.
pub struct Bench {
    pub sandbox: Sandbox,
    /// The compiled programs: `ARCH/NAME`.
    pub programs: PathBuf,
    pub raemu: Emulator,
    pub other: Option<Emulator>,
    pub qemu: Option<Emulator>,
}

/// An emulator by its path outside and inside the arm64 root.
pub struct Emulator {
    pub outside: PathBuf,
    pub inside: String,
}

/// One measurement: milliseconds or KiB, and what the program printed.
pub struct Sample {
    pub value: f64,
    /// User and system time of the program and its children, in milliseconds.
    pub processor: f64,
    pub output: Vec<u8>,
}

impl Bench {
    pub fn sides(&self) -> Vec<Side> {
        let mut sides = vec![Side::Native, Side::Raemu];
        sides.extend(self.qemu.is_some().then_some(Side::Qemu));
        sides
    }

    pub fn sample(&self, workload: &Workload, side: Side) -> Result<Sample, String> {
        let used = processor_time()?;
        let (value, output) = self.execute(workload, side)?;
        let processor = (processor_time()? - used) / f64::from(workload.repeat);
        Ok(Sample {
            value,
            processor,
            output,
        })
    }

    fn execute(&self, workload: &Workload, side: Side) -> Result<(f64, Vec<u8>), String> {
        if let How::Resident(_) = workload.how {
            return Ok((peak_resident(self.command(workload, side)?)?, Vec::new()));
        }
        let mut output = Vec::new();
        let start = Instant::now();
        for _ in 0..workload.repeat {
            output = run(self.command(workload, side)?)?;
        }
        let value = start.elapsed().as_secs_f64() * 1000.0 / f64::from(workload.repeat);
        Ok((value, output))
    }

    /// How many floating-point operations of one run trapped; `None` if the emulator does not say.
    pub fn fp_traps(&self, workload: &Workload) -> Option<u64> {
        let mut command = self.command(workload, Side::Raemu).ok()?;
        let output = command
            .env("RAEMU_LOG", "stats")
            .stdin(Stdio::null())
            .output()
            .ok()?;
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        let counts = text.lines().filter_map(|line| {
            let (before, _) = line.split_once(" floating-point traps")?;
            before.rsplit(' ').next()?.parse::<u64>().ok()
        });
        counts.reduce(|sum, count| sum + count)
    }

    fn emulator(&self, side: Side) -> Result<Option<&Emulator>, String> {
        match side {
            Side::Native => Ok(None),
            Side::Raemu | Side::Checked => Ok(Some(&self.raemu)),
            Side::Other => self
                .other
                .as_ref()
                .map(Some)
                .ok_or_else(|| "no other build is named".to_string()),
            Side::Qemu => self
                .qemu
                .as_ref()
                .map(Some)
                .ok_or_else(|| "qemu is not installed".to_string()),
        }
    }

    fn command(&self, workload: &Workload, side: Side) -> Result<Command, String> {
        let mut command = self.plain_command(workload, side)?;
        if side == Side::Checked {
            command.env("RAEMU_FP_CHECKS", "1");
        }
        Ok(command)
    }

    fn plain_command(&self, workload: &Workload, side: Side) -> Result<Command, String> {
        match workload.how {
            How::Compiled => self.compiled(workload.name, side),
            How::ForkExec => {
                let mut command = self.compiled("start_forkexec", side)?;
                // Where the emulator does not run foreign children, it is named, as binfmt_misc would do.
                if side == Side::Qemu
                    && let Some(emulator) = self.emulator(side)?
                {
                    command.arg(&emulator.outside);
                }
                command.arg(self.program("start_true", side));
                Ok(command)
            }
            How::Installed(argv) | How::Resident(argv) => self.installed(argv, side),
        }
    }

    fn program(&self, name: &str, side: Side) -> PathBuf {
        self.programs
            .join(if side == Side::Native { "amd64" } else { "arm64" })
            .join(name)
    }

    fn compiled(&self, name: &str, side: Side) -> Result<Command, String> {
        let program = self.program(name, side);
        Ok(match self.emulator(side)? {
            None => Command::new(program),
            Some(emulator) => {
                let mut command = Command::new(&emulator.outside);
                command.arg(program);
                command
            }
        })
    }

    fn installed(&self, argv: &[&str], side: Side) -> Result<Command, String> {
        let (root, argv): (&Path, Vec<&str>) = match self.emulator(side)? {
            None => (&self.sandbox.amd64, argv.to_vec()),
            Some(emulator) => (&self.sandbox.arm64, [&[emulator.inside.as_str()], argv].concat()),
        };
        let mut command = sandbox::chroot(root, "/t", &argv);
        command
            .env_clear()
            .env("PATH", "/usr/bin:/bin")
            .env("LC_ALL", "C.UTF-8")
            .env("HOME", "/t");
        command
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .env("PYTHONHASHSEED", "0");
        Ok(command)
    }
}

/// What the children that have ended took of the processors, in milliseconds.
fn processor_time() -> Result<f64, String> {
    let usage = getrusage(UsageWho::RUSAGE_CHILDREN).map_err(|e| format!("getrusage: {e}"))?;
    let milliseconds = |time: TimeVal| time.num_microseconds() as f64 / 1000.0;
    Ok(milliseconds(usage.user_time()) + milliseconds(usage.system_time()))
}

fn run(mut command: Command) -> Result<Vec<u8>, String> {
    let output = command
        .stdin(Stdio::null())
        .output()
        .map_err(|e| format!("cannot start: {e}"))?;
    if output.status.success() {
        return Ok(output.stdout);
    }
    let stderr = String::from_utf8_lossy(&output.stderr);
    let line = stderr.lines().last().unwrap_or_default();
    Err(format!("{} {line}", output.status))
}

/// The kernel's own high-water mark, read until the program has gone.
fn peak_resident(mut command: Command) -> Result<f64, String> {
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .map_err(|e| format!("cannot start: {e}"))?;
    let status_file = format!("/proc/{}/status", child.id());
    let mut value = 0.0;
    loop {
        if let Some(status) = child.try_wait().map_err(|e| format!("wait: {e}"))? {
            return if status.success() {
                Ok(value)
            } else {
                Err(status.to_string())
            };
        }
        // The mark starts anew at each exec, so the last reading is the program's.
        let text = std::fs::read_to_string(&status_file).unwrap_or_default();
        if let Some(kib) = text.lines().find_map(|line| line.strip_prefix("VmHWM:")) {
            value = kib.trim().trim_end_matches(" kB").parse().unwrap_or(value);
        }
        std::thread::sleep(Duration::from_millis(10));
    }
}
