//! The small programs of `tests/guest/`: compiled with the cross compiler, run under the emulator, compared with the
//! output recorded beside the source.
//!
//! `c/NAME.c` is built static and dynamic (`-O2 -pthread`), `asm/NAME.S` without the C library. `NAME.out` is the
//! expected standard output, `NAME.status` (if there is one) the expected end: a number, or `signal N`. Each
//! program would give the same on a real arm64 machine. `RAEMU_BLESS=1` records instead of comparing.
#![forbid(unsafe_code)]

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::time::Duration;

use program_tests::paths;
use program_tests::process::{self, End};
use program_tests::runner::{self, Options, Verdict};

const COMPILER: &str = "aarch64-linux-gnu-gcc";
const LIBRARIES: &str = "/usr/aarch64-linux-gnu";
const LIMIT: Duration = Duration::from_secs(60);

/// One program in one way of linking it.
struct Guest {
    name: String,
    source: PathBuf,
    flags: &'static [&'static str],
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
                |guest| check(&emulator, guest),
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
            for (way, flags) in ways {
                guests.push(Guest {
                    name: format!("{dir}/{stem}-{way}"),
                    source: source.clone(),
                    flags,
                });
            }
        }
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

fn check(emulator: &Path, guest: &Guest) -> Verdict {
    let dir = Path::new(env!("CARGO_TARGET_TMPDIR"))
        .join("guest")
        .join(&guest.name);
    // A fresh directory: what an earlier run left must not change this one.
    let _ = std::fs::remove_dir_all(&dir);
    std::fs::create_dir_all(&dir).map_err(|e| format!("{}: {e}", dir.display()))?;
    let program = dir.join("program");
    compile(guest, &program)?;
    let mut command = Command::new(emulator);
    command.args(["-L", LIBRARIES]).arg(&program).current_dir(&dir);
    command
        .env_clear()
        .env("PATH", "/usr/bin:/bin")
        .env("LC_ALL", "C")
        .env("TZ", "UTC")
        .envs(paths::engine());
    let outcome = process::run(command, LIMIT)?;
    let end = match outcome.end {
        End::Status(code) => code.to_string(),
        End::Signal(signal) => format!("signal {signal}"),
        End::TimedOut => return Err(format!("    still running after {} s\n", LIMIT.as_secs())),
    };
    if std::env::var_os("RAEMU_BLESS").is_some() {
        return record(guest, &outcome.stdout, &end);
    }
    let recorded = |extension: &str| std::fs::read(guest.source.with_extension(extension));
    let expected = recorded("out").map_err(|e| format!("    {}.out: {e}\n", guest.name))?;
    let expected_end = recorded("status").unwrap_or_else(|_| b"0".to_vec());
    let expected_end = String::from_utf8_lossy(&expected_end).trim().to_string();
    if end == expected_end && expected == outcome.stdout {
        return Ok(String::new());
    }
    Err(format!(
        "    ended with {end}, expected {expected_end}\n    stdout: {}\n    expected: {}\n    stderr: {}\n",
        shorten(&outcome.stdout),
        shorten(&expected),
        shorten(&outcome.stderr)
    ))
}

fn compile(guest: &Guest, program: &Path) -> Result<(), String> {
    let mut command = Command::new(COMPILER);
    // No warnings: some programs do on purpose what a compiler warns of.
    command
        .args(["-O2", "-std=gnu11", "-w", "-o"])
        .arg(program)
        .args(guest.flags);
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

fn record(guest: &Guest, stdout: &[u8], end: &str) -> Verdict {
    let write = |extension: &str, bytes: &[u8]| {
        let path = guest.source.with_extension(extension);
        std::fs::write(&path, bytes).map_err(|e| format!("    {}: {e}\n", path.display()))
    };
    write("out", stdout)?;
    if end != "0" {
        write("status", format!("{end}\n").as_bytes())?;
    }
    Ok("(recorded)".to_string())
}

/// The end of a stream, which is where a difference mostly shows.
fn shorten(bytes: &[u8]) -> String {
    const SHOWN: usize = 2000;
    let start = bytes.len().saturating_sub(SHOWN);
    String::from_utf8_lossy(&bytes[start..]).into_owned()
}
