//! Bad pointers give the kernel's answers: `tests/guest/same/pointers.c` passes them in each argument of a call and in
//! each structure, and prints what the call gave. Built for the host and run by its kernel, it must print the same.
//!
//! One case is one row of the program. What native Linux cannot have (an address of the emulator's, a tag that is
//! accepted) is tried natively with what the answer must equal (`pointers.h`).
#![forbid(unsafe_code)]

use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use program_tests::paths;
use program_tests::process::{self, End};
use program_tests::runner::{self, Options, Verdict};

const COMPILER: &str = "aarch64-linux-gnu-gcc";
const HOST_COMPILER: &str = "gcc";
/// What sleeps for ever is ended by the program itself.
const LIMIT: Duration = Duration::from_secs(120);
/// Differences shown of one row.
const SHOWN: usize = 12;

struct Programs {
    emulator: PathBuf,
    guest: PathBuf,
    native: PathBuf,
    dir: PathBuf,
}

fn main() -> ExitCode {
    let options = Options::from_arguments();
    if options.list {
        println!("pointers: test");
        return ExitCode::SUCCESS;
    }
    match prepare().and_then(|programs| Ok((rows(&programs)?, programs))) {
        Ok((rows, programs)) => runner::run(&options, &rows, String::as_str, |row| same(&programs, row)),
        Err(message) => {
            eprintln!("pointers: {message}");
            println!("0 passed, 1 failed");
            ExitCode::FAILURE
        }
    }
}

fn prepare() -> Result<Programs, String> {
    let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join("pointers");
    let _ = std::fs::remove_dir_all(&dir);
    std::fs::create_dir_all(&dir).map_err(|e| format!("{}: {e}", dir.display()))?;
    let programs = Programs {
        emulator: paths::emulator()?,
        guest: dir.join("guest"),
        native: dir.join("native"),
        dir,
    };
    compile(COMPILER, &["-static"], &programs.guest)?;
    compile(HOST_COMPILER, &[], &programs.native)?;
    Ok(programs)
}

fn compile(compiler: &str, flags: &[&str], program: &Path) -> Result<(), String> {
    let source = paths::workspace().join("tests/guest/same/pointers.c");
    let mut command = Command::new(compiler);
    command
        .args(["-O1", "-std=gnu11", "-w"])
        .args(flags)
        .arg("-o")
        .arg(program)
        .arg(source);
    let outcome = process::run(command, LIMIT)?;
    match outcome.end {
        End::Status(0) => Ok(()),
        End::Status(_) | End::Signal(_) | End::TimedOut => Err(format!(
            "{compiler}: does not compile:\n{}",
            String::from_utf8_lossy(&outcome.stderr)
        )),
    }
}

fn rows(programs: &Programs) -> Result<Vec<String>, String> {
    let mut command = Command::new(&programs.native);
    command.arg("list");
    let outcome = process::run(command, LIMIT)?;
    let rows: Vec<String> = String::from_utf8_lossy(&outcome.stdout)
        .lines()
        .map(str::to_owned)
        .collect();
    if rows.is_empty() {
        Err("the program has no rows".into())
    } else {
        Ok(rows)
    }
}

fn same(programs: &Programs, row: &str) -> Verdict {
    let mut emulated = Command::new(&programs.emulator);
    emulated.arg(&programs.guest).envs(paths::engine());
    let emulated = answers(emulated, programs, row, Some(&programs.emulator))?;
    let native = answers(Command::new(&programs.native), programs, row, None)?;
    let mut differences = String::new();
    let mut count = 0;
    for index in 0..native.len().max(emulated.len()) {
        let (here, there) = (emulated.get(index), native.get(index));
        if here == there || here.zip(there).is_some_and(|(here, there)| refused(here, there)) {
            continue;
        }
        count += 1;
        if count <= SHOWN {
            let (here, there) = (
                here.map_or("nothing", String::as_str),
                there.map_or("nothing", String::as_str),
            );
            // Writing to a String cannot fail.
            let _ = writeln!(differences, "    {here}\n      natively {there}");
        }
    }
    match count {
        0 => Ok(format!("{} calls", native.len())),
        _ => Err(format!("{differences}    {count} differences\n")),
    }
}

/// Whether the call refuses an address of the emulator's: earlier than an unmapped one (the kernel would have got far
/// enough to leave something behind), but with an error that says so. As in own_memory.rs.
fn refused(here: &str, there: &str) -> bool {
    const REFUSALS: [&str; 4] = ["EFAULT", "EINVAL", "ENOMEM", "EEXIST"];
    match (here.rsplit_once(": "), there.rsplit_once(": ")) {
        (Some((what, answer)), Some((same, _))) => {
            let error = answer.split(',').next().unwrap_or_default();
            what == same && what.ends_with(" emulator's") && REFUSALS.contains(&error)
        }
        _ => false,
    }
}

/// The lines that the program prints for one row, in an empty directory.
fn answers(
    mut command: Command,
    programs: &Programs,
    row: &str,
    emulator: Option<&Path>,
) -> Result<Vec<String>, String> {
    let side = if emulator.is_some() { "emulated" } else { "native" };
    let dir = programs.dir.join("rows").join(side).join(row);
    std::fs::create_dir_all(&dir).map_err(|e| format!("{}: {e}", dir.display()))?;
    let mut child = command
        .arg(row)
        .current_dir(&dir)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .map_err(|e| format!("{side}: {e}"))?;
    let mut output = BufReader::new(child.stdout.take().ok_or("no standard output")?);
    let mut ready = String::new();
    output.read_line(&mut ready).map_err(|e| format!("{side}: {e}"))?;
    let own = emulator.map_or(Ok(0), |emulator| own_address(child.id(), emulator))?;
    let mut input = child.stdin.take().ok_or("no standard input")?;
    writeln!(input, "{own:x}").map_err(|e| format!("{side}: {e}"))?;
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || {
        let mut text = Vec::new();
        let read = output.read_to_end(&mut text);
        // Nobody listens any more once the time is over.
        let _ = sender.send(read.map(|_| text));
    });
    let received = receiver.recv_timeout(LIMIT);
    if received.is_err() {
        child.kill().map_err(|e| format!("{side}: {e}"))?;
    }
    child.wait().map_err(|e| format!("{side}: {e}"))?;
    let text = received
        .map_err(|_| format!("    {side}: not done in {LIMIT:?}\n"))?
        .map_err(|e| format!("{side}: {e}"))?;
    Ok(String::from_utf8_lossy(&text)
        .lines()
        .map(str::to_owned)
        .collect())
}

/// Where the emulator's image is writable: an address whose loss it would notice.
fn own_address(process: u32, emulator: &Path) -> Result<u64, String> {
    let maps = std::fs::read_to_string(format!("/proc/{process}/maps")).map_err(|e| format!("maps: {e}"))?;
    let emulator = emulator
        .canonicalize()
        .map_err(|e| format!("{}: {e}", emulator.display()))?;
    let line = maps
        .lines()
        .find(|line| line.contains(" rw-p ") && line.ends_with(&*emulator.to_string_lossy()))
        .ok_or("the emulator's data is not in its maps")?;
    let start = line.split('-').next().unwrap_or_default();
    u64::from_str_radix(start, 16).map_err(|e| format!("{line}: {e}"))
}
