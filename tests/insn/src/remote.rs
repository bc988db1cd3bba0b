//! Runs cases in `guest/player.c` under another emulator (or on real hardware).
//!
//! The records are those of that file: all little-endian, fixed size.

use crate::arena::MAX_WORDS;
use crate::case::Case;
use crate::outcome::{End, Outcome};
use guest::CpuState;
use std::io::{Error, Read, Result, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

/// How to run the guest program.
#[derive(Clone, Debug)]
pub struct Remote {
    player: PathBuf,
    /// The emulator and its arguments.
    emulator: Vec<String>,
}

/// The emulator, unless the environment variable `RAEMU_QEMU` names another.
const QEMU: &str = "qemu-aarch64-static";
/// Its model, unless `RAEMU_QEMU_CPU` names another: every extension but SVE and SME, whose
/// signal frames hold the vectors elsewhere.
const QEMU_CPU: &str = "max,sve=off,sme=off";

impl Remote {
    /// Compiles the guest program into `dir`, to be run under qemu.
    ///
    /// # Errors
    /// If the cross compiler is missing or fails.
    pub fn qemu(dir: &Path) -> Result<Remote> {
        Remote::qemu_cpu(dir, &setting("RAEMU_QEMU_CPU", QEMU_CPU))
    }

    /// As [`Remote::qemu`], with another of its CPU models.
    ///
    /// # Errors
    /// If the cross compiler is missing or fails.
    pub fn qemu_cpu(dir: &Path, cpu: &str) -> Result<Remote> {
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("guest/player.c");
        let player = dir.join("player");
        let options = [
            "-static",
            "-nostdlib",
            "-ffreestanding",
            "-O2",
            "-fno-stack-protector",
            "-fno-tree-loop-distribute-patterns",
        ];
        let mut compiler = Command::new("aarch64-linux-gnu-gcc");
        let status = compiler
            .args(options)
            .arg("-o")
            .arg(&player)
            .arg(source)
            .status()?;
        if !status.success() {
            return Err(Error::other(format!("aarch64-linux-gnu-gcc: {status}")));
        }
        let emulator = vec![setting("RAEMU_QEMU", QEMU), "-cpu".into(), cpu.into()];
        Ok(Remote { player, emulator })
    }

    /// First line of the emulator's `--version`.
    ///
    /// # Errors
    /// If it cannot be run.
    pub fn version(&self) -> Result<String> {
        let output = Command::new(&self.emulator[0]).arg("--version").output()?;
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        Ok(text.lines().next().unwrap_or_default().into())
    }

    /// Runs the cases, in order.
    ///
    /// # Errors
    /// If the emulator cannot be run or stops early.
    pub fn run(&self, cases: &[Case]) -> Result<Vec<Outcome>> {
        let mut session = self.start()?;
        let outcomes = session.run(cases)?;
        session.finish()?;
        Ok(outcomes)
    }

    /// Starts the guest program, for cases that come bit by bit.
    ///
    /// # Errors
    /// If the emulator cannot be run.
    pub fn start(&self) -> Result<Session> {
        let mut child = Command::new(&self.emulator[0])
            .args(&self.emulator[1..])
            .arg(&self.player)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        Ok(Session {
            name: self.emulator[0].clone(),
            input: child.stdin.take().expect("stdin is piped"),
            output: child.stdout.take().expect("stdout is piped"),
            child,
        })
    }
}

/// The guest program, waiting for cases.
pub struct Session {
    name: String,
    child: Child,
    input: ChildStdin,
    output: ChildStdout,
}

impl Session {
    /// Runs the cases, in order.
    ///
    /// # Errors
    /// If the emulator stops early.
    pub fn run(&mut self, cases: &[Case]) -> Result<Vec<Outcome>> {
        let mut outcomes = Vec::with_capacity(cases.len());
        // Fewer at a time than fit a pipe, so that neither side blocks the other.
        for chunk in cases.chunks(32) {
            let records: Vec<u8> = chunk.iter().flat_map(encode).collect();
            self.input.write_all(&records)?;
            for case in chunk {
                let mut record = [0; OUTCOME_SIZE];
                self.output.read_exact(&mut record)?;
                outcomes.push(decode(case, &record));
            }
        }
        Ok(outcomes)
    }

    /// Ends it.
    ///
    /// # Errors
    /// If it does not end well.
    pub fn finish(mut self) -> Result<()> {
        drop(self.input);
        let status = self.child.wait()?;
        if status.success() {
            Ok(())
        } else {
            Err(Error::other(format!("{}: {status}", self.name)))
        }
    }
}

/// An environment variable, or what holds without it.
fn setting(name: &str, default: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| default.into())
}

fn encode(case: &Case) -> Vec<u8> {
    let state = &case.state;
    let mut out = Vec::with_capacity(848);
    let mut put = |value: u32| out.extend(value.to_le_bytes());
    put(case.words.len() as u32);
    put(u32::from(case.checks_memory));
    for n in 0..MAX_WORDS {
        put(case.words.get(n).copied().unwrap_or(0));
    }
    let special = [
        u64::from(state.nzcv()),
        u64::from(state.fp.fpcr),
        u64::from(state.fpsr()),
        state.tpidr_el0,
    ];
    out.extend(state.x.iter().chain(&special).flat_map(|x| x.to_le_bytes()));
    out.extend([0; 8]);
    out.extend(state.v.iter().flat_map(|v| v.to_le_bytes()));
    out
}

const OUTCOME_SIZE: usize = 8 * (3 + 32 + 5 + 2) + 16 * 16 + 16 * 32;

/// Reads the fields of a record one after another.
struct Fields<'a>(&'a [u8]);

impl Fields<'_> {
    fn next(&mut self) -> u64 {
        let (first, rest) = self.0.split_first_chunk().expect("records are of full size");
        self.0 = rest;
        u64::from_le_bytes(*first)
    }
}

fn decode(case: &Case, record: &[u8; OUTCOME_SIZE]) -> Outcome {
    let mut fields = Fields(record);
    let [signal, _code, fault_address] = [(); 3].map(|()| fields.next());
    let mut state = CpuState::new();
    for x in &mut state.x {
        *x = fields.next();
    }
    state.pc = fields.next();
    state.set_nzcv(fields.next() as u32);
    state.set_fpcr(fields.next() as u32);
    state.set_fpsr(fields.next() as u32);
    state.tpidr_el0 = fields.next();
    let count = fields.next() as usize;
    fields.next();
    let mut changes: Vec<(u64, u64)> = (0..16).map(|_| (fields.next(), fields.next())).collect();
    changes.truncate(count);
    for v in &mut state.v {
        let low = fields.next();
        *v = u128::from(fields.next()) << 64 | u128::from(low);
    }
    let end = match signal as i32 {
        libc::SIGTRAP => End::Landed,
        libc::SIGILL => End::Undefined,
        libc::SIGSEGV => End::Segv,
        libc::SIGBUS => End::Bus,
        _ => End::Other,
    };
    if matches!(end, End::Segv | End::Bus) {
        // A faulting load leaves its destinations unknown (Arm ARM D1.3.4), and qemu
        // fills those of LD1 to LD4 until the fault. Ours keeps all of them.
        state.v = case.state.v;
    }
    Outcome {
        end,
        state,
        // qemu tells no address of an access beyond the host's address space.
        fault: (matches!(end, End::Segv | End::Bus) && fault_address != 0).then_some(fault_address),
        fault_detail: None,
        changes,
    }
}
