//! The small programs of `tests/guest/`: compiled with the cross compiler, run under the emulator, compared with the
//! output recorded beside the source.
//!
//! `c/NAME.c` is built static and dynamic (`-O2 -pthread`), `asm/NAME.S` without the C library. `NAME.out` is the
//! expected standard output, `NAME.status` (if there is one) the expected end: a number, or `signal N`. Each
//! program would give the same on a real arm64 machine. `RAEMU_BLESS=1` records instead of comparing.
//!
//! What is recorded was made by the emulator, so it is checked against a real Linux: each C program is built for the host
//! too and run natively, and must give the same. `c/not-native.txt` names those that cannot, with the reason; they count
//! as skipped, and fail once they could. Where the host's kernel is too old, a program says so and ends with status 77: that
//! counts as skipped as well.
#![forbid(unsafe_code)]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::time::Duration;

use program_tests::paths;
use program_tests::process::{self, End};
use program_tests::runner::{self, Ending, Options, Verdict};

const COMPILER: &str = "aarch64-linux-gnu-gcc";
const HOST_COMPILER: &str = "gcc";
const LIBRARIES: &str = "/usr/aarch64-linux-gnu";
const LIMIT: Duration = Duration::from_secs(60);
/// With RAEMU_TEST_LONG, which the programs see as well.
const LONG_LIMIT: Duration = Duration::from_secs(900);
const LONG: &str = "RAEMU_TEST_LONG";
/// The status of a native program that the host's kernel is too old for; it prints what that lacks.
const TOO_OLD: &str = "77";

/// One program in one way of building it.
struct Guest {
    name: String,
    source: PathBuf,
    way: Way,
}

#[derive(Clone)]
enum Way {
    /// Linked with these flags, run by the emulator.
    Emulated(&'static [&'static str]),
    /// Built for the host and run by its kernel, or the reason why that cannot give the same.
    Native { differs: Option<String> },
}

fn main() -> ExitCode {
    let options = Options::from_arguments();
    if options.list {
        println!("guest: test");
        return ExitCode::SUCCESS;
    }
    let prepared = paths::emulator().and_then(|emulator| Ok((emulator, guests()?)));
    match prepared {
        Ok((emulator, guests)) => {
            println!("emulator: {}", emulator.display());
            runner::run(
                &options,
                &guests,
                |guest| guest.name.as_str(),
                |guest| end(&emulator, guest),
            )
        }
        Err(message) => {
            eprintln!("guest: {message}");
            println!("0 passed, 1 failed");
            ExitCode::FAILURE
        }
    }
}

fn guests() -> Result<Vec<Guest>, String> {
    const STATIC: &[&str] = &["-static", "-pthread"];
    const DYNAMIC: &[&str] = &["-pthread"];
    const BARE: &[&str] = &["-static", "-nostdlib"];
    let base = paths::workspace().join("tests/guest");
    let mut not_native = not_native(&base.join("c/not-native.txt"))?;
    let mut guests = Vec::new();
    for (dir, extension, ways) in [
        ("c", "c", &[("static", STATIC), ("dynamic", DYNAMIC)][..]),
        ("asm", "S", &[("bare", BARE)][..]),
    ] {
        for source in sources(&base.join(dir), extension)? {
            let stem = source
                .file_stem()
                .unwrap_or_default()
                .to_string_lossy()
                .into_owned();
            let mut push = |name: &str, way| {
                guests.push(Guest {
                    name: format!("{dir}/{stem}-{name}"),
                    source: source.clone(),
                    way,
                });
            };
            for (name, flags) in ways {
                push(name, Way::Emulated(flags));
            }
            if dir == "c" {
                let differs = not_native.remove(&stem);
                push("native", Way::Native { differs });
            }
        }
    }
    if let Some(unknown) = not_native.keys().next() {
        return Err(format!("not-native.txt: there is no program `{unknown}`"));
    }
    if guests.is_empty() {
        Err(format!("no program below {}", base.display()))
    } else {
        Ok(guests)
    }
}

fn sources(dir: &Path, extension: &str) -> Result<Vec<PathBuf>, String> {
    let entries = std::fs::read_dir(dir).map_err(|e| format!("{}: {e}", dir.display()))?;
    let mut found: Vec<PathBuf> = entries
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.extension().is_some_and(|e| e == extension))
        .collect();
    found.sort();
    Ok(found)
}

/// The lines `NAME: REASON` of the file; `#` begins a comment.
fn not_native(file: &Path) -> Result<BTreeMap<String, String>, String> {
    let text = std::fs::read_to_string(file).map_err(|e| format!("{}: {e}", file.display()))?;
    let lines = text
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'));
    let parsed = lines.map(|line| match line.split_once(": ") {
        Some((name, reason)) => Ok((name.to_owned(), reason.to_owned())),
        None => Err(format!("{}: `{line}` is not NAME: REASON", file.display())),
    });
    parsed.collect()
}

fn end(emulator: &Path, guest: &Guest) -> Ending {
    match &guest.way {
        Way::Native { differs } => native(guest, differs.as_deref()),
        Way::Emulated(flags) => emulated(emulator, guest, flags).into(),
    }
}

/// A fresh directory: what an earlier run left must not change this one.
fn fresh_directory(guest: &Guest) -> Result<PathBuf, String> {
    let dir = Path::new(env!("CARGO_TARGET_TMPDIR"))
        .join("guest")
        .join(&guest.name);
    let _ = std::fs::remove_dir_all(&dir);
    std::fs::create_dir_all(&dir).map_err(|e| format!("{}: {e}", dir.display()))?;
    Ok(dir)
}

/// Runs the program for the host, and compares.
fn native(guest: &Guest, differs: Option<&str>) -> Ending {
    let found = Command::new(HOST_COMPILER)
        .arg("--version")
        .stdout(Stdio::null())
        .status();
    if found.is_err() {
        return Ending::Skipped(format!("no {HOST_COMPILER} on this machine"));
    }
    let ran = || -> Result<Ran, String> {
        let dir = fresh_directory(guest)?;
        let program = dir.join("program");
        compile(HOST_COMPILER, &["-pthread"], guest, &program)?;
        run(Command::new(&program), &dir)
    };
    let ran = ran();
    if let Ok(Ran { end, stdout, .. }) = &ran
        && end == TOO_OLD
    {
        return Ending::Skipped(String::from_utf8_lossy(stdout).trim().to_owned());
    }
    match (ran.and_then(|ran| compare(guest, ran)), differs) {
        (Err(_), Some(reason)) => Ending::Skipped(reason.to_owned()),
        (Ok(_), Some(reason)) => {
            Ending::Failed(format!("    gives the same, but not-native.txt says: {reason}\n"))
        }
        (verdict, None) => verdict.into(),
    }
}

fn emulated(emulator: &Path, guest: &Guest, flags: &[&str]) -> Verdict {
    let dir = fresh_directory(guest)?;
    let program = dir.join("program");
    compile(COMPILER, flags, guest, &program)?;
    let mut command = Command::new(emulator);
    command.args(["-L", LIBRARIES]).arg(&program);
    let ran = run(command, &dir)?;
    if test_support::blessing() {
        return record(guest, &ran);
    }
    compare(guest, ran)
        .map_err(|why| why + &test_support::how_to_bless("cargo test -p program-tests --test guest"))
}

/// What a program did.
struct Ran {
    /// As in a `.status` file.
    end: String,
    stdout: Vec<u8>,
    stderr: Vec<u8>,
}

fn run(mut command: Command, dir: &Path) -> Result<Ran, String> {
    command
        .current_dir(dir)
        .env_clear()
        .env("PATH", "/usr/bin:/bin")
        .env("LC_ALL", "C")
        .env("TZ", "UTC")
        .envs(paths::engine());
    let long = std::env::var_os(LONG);
    let limit = if long.is_some() { LONG_LIMIT } else { LIMIT };
    command.envs(long.map(|value| (LONG, value)));
    let outcome = process::run(command, limit)?;
    let end = match outcome.end {
        End::Status(code) => code.to_string(),
        End::Signal(signal) => format!("signal {signal}"),
        End::TimedOut => return Err(format!("    still running after {} s\n", limit.as_secs())),
    };
    Ok(Ran {
        end,
        stdout: outcome.stdout,
        stderr: outcome.stderr,
    })
}

fn compare(guest: &Guest, ran: Ran) -> Verdict {
    let recorded = |extension: &str| std::fs::read(guest.source.with_extension(extension));
    let expected_end = recorded("status").unwrap_or_else(|_| b"0".to_vec());
    let expected_end = String::from_utf8_lossy(&expected_end).trim().to_string();
    let difference = test_support::difference(&guest.source.with_extension("out"), &ran.stdout);
    if ran.end == expected_end && difference.is_none() {
        return Ok(String::new());
    }
    Err(format!(
        "    ended with {}, expected {expected_end}\n    {}\n    stdout: {}\n    stderr: {}\n",
        ran.end,
        difference.unwrap_or_default(),
        shorten(&ran.stdout),
        shorten(&ran.stderr)
    ))
}

fn compile(compiler: &str, flags: &[&str], guest: &Guest, program: &Path) -> Result<(), String> {
    let mut command = Command::new(compiler);
    // No warnings: some programs do on purpose what a compiler warns of.
    command
        .args(["-O2", "-std=gnu11", "-w", "-o"])
        .arg(program)
        .args(flags);
    command.arg(&guest.source).arg("-lm");
    let outcome = process::run(command, LIMIT)?;
    match outcome.end {
        End::Status(0) => Ok(()),
        End::Status(_) | End::Signal(_) | End::TimedOut => Err(format!(
            "    does not compile:\n{}\n",
            String::from_utf8_lossy(&outcome.stderr)
        )),
    }
}

fn record(guest: &Guest, ran: &Ran) -> Verdict {
    let write = |extension: &str, bytes: &[u8]| {
        let path = guest.source.with_extension(extension);
        std::fs::write(&path, bytes).map_err(|e| format!("    {}: {e}\n", path.display()))
    };
    write("out", &ran.stdout)?;
    if ran.end != "0" {
        write("status", format!("{}\n", ran.end).as_bytes())?;
    }
    Ok("(recorded)".to_string())
}

/// The end of a stream, which is where a difference mostly shows.
fn shorten(bytes: &[u8]) -> String {
    const SHOWN: usize = 2000;
    let start = bytes.len().saturating_sub(SHOWN);
    String::from_utf8_lossy(&bytes[start..]).into_owned()
}
