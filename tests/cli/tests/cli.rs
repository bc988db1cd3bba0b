//! The command line of the emulator against texts and statuses recorded from qemu-aarch64
//! (7.2.22 and 10.0.13). The list is `cases.txt`; `RAEMU_UNDER_TEST=/usr/bin/qemu-aarch64-static`
//! checks the list itself against the qemu of this machine.
#![forbid(unsafe_code)]

use cli_tests::{Case, matches, parse};
use program_tests::paths;
use program_tests::process::{self, End};
use program_tests::runner::{self, Options, Verdict};
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::time::Duration;

const COMPILER: &str = "aarch64-linux-gnu-gcc";
const LIMIT: Duration = Duration::from_secs(60);

/// Variants of the static program: file name, and bytes to overwrite at an offset.
const PATCHED: &[(&str, usize, &[u8])] = &[
    ("class32", 4, &[1]),
    ("bigendian", 5, &[2]),
    ("version2", 6, &[2]),
    ("osabi", 7, &[99]),
    ("object", 16, &[1]),
    ("x86", 18, &[62]),
    ("nophdrs", 56, &[0, 0]),
    ("phentsize", 54, &[57]),
    ("phoff", 32, &[0, 0, 0, 0, 0, 0xff, 0xff, 0xff]),
    ("shoff", 40, &[0xff; 8]),
    ("huge", 64 + 40, &[0, 0, 0, 0, 0, 0, 0, 0x10]),
    ("unaligned", 64 + 8, &[1, 0]),
    ("align0", 64 + 48, &[0; 8]),
    ("align3", 64 + 48, &[3, 0, 0]),
    ("align64k", 64 + 48, &[0, 0, 1]),
    ("eversion", 20, &[9]),
    ("lessmemory", 64 + 40, &[16, 0, 0, 0]),
    ("entrynowhere", 24, &[0, 0x90, 0x78, 0x56, 0x34, 0x12]),
];

fn main() -> ExitCode {
    let options = Options::from_arguments();
    if options.list {
        println!("cli: test");
        return ExitCode::SUCCESS;
    }
    match prepare() {
        Ok((emulator, dir, cases)) => runner::run(
            &options,
            &cases,
            |case| case.name.as_str(),
            |case| check(&emulator, &dir, case),
        ),
        Err(message) => {
            eprintln!("cli: {message}");
            println!("0 passed, 1 failed");
            ExitCode::FAILURE
        }
    }
}

fn prepare() -> Result<(PathBuf, PathBuf, Vec<Case>), String> {
    let emulator = paths::emulator()?;
    println!("emulator: {}", emulator.display());
    let mut cases = parse(include_str!("../cases.txt")).map_err(|e| format!("cases.txt: {e}"))?;
    if paths::needs_binfmt(&emulator) {
        let all = cases.len();
        cases.retain(|case| !case.own);
        println!(
            "{} cases marked {{own}} are not qemu's to pass",
            all - cases.len()
        );
    }
    let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join("cli");
    let _ = fs::remove_dir_all(&dir);
    files(&dir).map_err(|e| format!("{}: {e}", dir.display()))?;
    Ok((emulator, dir, cases))
}

/// Makes the programs and what looks like programs.
fn files(dir: &Path) -> Result<(), String> {
    let text = |e: std::io::Error| e.to_string();
    fs::create_dir_all(dir.join("directory")).map_err(text)?;
    compile(dir, "show", &["-static"])?;
    compile(dir, "dynamic", &["-pie"])?;
    let write = |name: &str, bytes: &[u8], mode: u32| {
        let path = dir.join(name);
        fs::write(&path, bytes)?;
        fs::set_permissions(&path, Permissions::from_mode(mode))
    };
    let program = fs::read(dir.join("show")).map_err(text)?;
    for &(name, at, bytes) in PATCHED {
        let mut variant = program.clone();
        variant[at..at + bytes.len()].copy_from_slice(bytes);
        write(name, &variant, 0o755).map_err(text)?;
    }
    interpreters(dir)?;
    let mut missing = fs::read(dir.join("dynamic")).map_err(text)?;
    let name = b"/lib/ld-linux-aarch64.so.1";
    let at = missing.windows(name.len()).position(|window| window == name);
    let at = at.ok_or("the dynamic program names no interpreter")?;
    missing[at + 5..at + 7].copy_from_slice(b"no");
    for (name, bytes, mode) in [
        ("nointerpreter", &missing[..], 0o755),
        ("short40", &program[..40], 0o755),
        ("short100", &program[..100], 0o755),
        ("short3000", &program[..3000], 0o755),
        ("empty", b"", 0o755),
        ("text", b"hello\n", 0o755),
        ("notexecutable", &program, 0o644),
    ] {
        write(name, bytes, mode).map_err(text)?;
    }
    Ok(())
}

/// Dynamic programs whose interpreter is not fit.
fn interpreters(dir: &Path) -> Result<(), String> {
    let program = fs::read(dir.join("dynamic")).map_err(|e| e.to_string())?;
    let name = b"/lib/ld-linux-aarch64.so.1\0";
    let at = program.windows(name.len()).position(|window| window == name);
    let at = at.ok_or("the dynamic program names no interpreter")?;
    for (file, interpreter) in [
        ("textinterpreter", &b"/etc/passwd\0"[..]),
        ("hostinterpreter", b"/bin/true\0"),
        ("dirinterpreter", b"/etc\0"),
    ] {
        let mut variant = program.clone();
        variant[at..at + interpreter.len()].copy_from_slice(interpreter);
        let path = dir.join(file);
        fs::write(&path, variant).map_err(|e| e.to_string())?;
        fs::set_permissions(&path, Permissions::from_mode(0o755)).map_err(|e| e.to_string())?;
    }
    Ok(())
}

fn compile(dir: &Path, name: &str, flags: &[&str]) -> Result<(), String> {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("guest/show.c");
    let status = Command::new(COMPILER)
        .args(["-O1", "-Wall", "-Wno-array-bounds", "-o", name])
        .args(flags)
        .arg(source)
        .current_dir(dir)
        .status()
        .map_err(|e| format!("{COMPILER}: {e}"))?;
    if status.success() {
        Ok(())
    } else {
        Err(format!("{COMPILER} failed on show.c"))
    }
}

fn check(emulator: &Path, dir: &Path, case: &Case) -> Verdict {
    let mut command = Command::new(emulator);
    command.args(&case.args).current_dir(dir);
    command
        .env_clear()
        .env("PATH", "/usr/bin:/bin")
        .env("LC_ALL", "C");
    command.envs(case.env.iter().map(|(key, value)| (key, value)));
    let outcome = process::run(command, LIMIT)?;
    let end = match outcome.end {
        End::Status(code) => code.to_string(),
        End::Signal(signal) => format!("signal {signal}"),
        End::TimedOut => return Err(format!("    still running after {} s\n", LIMIT.as_secs())),
    };
    let name = emulator
        .file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned();
    let mut wrong = String::new();
    for (what, expected, actual) in [
        ("stdout", &case.stdout, &outcome.stdout),
        ("stderr", &case.stderr, &outcome.stderr),
    ] {
        let expected: Vec<String> = expected
            .iter()
            .map(|line| line.replace("EMULATOR", &name))
            .collect();
        let actual = String::from_utf8_lossy(actual);
        // Whether a core is left depends on the limit that the test was started with; qemu always says so.
        let told = |line| str::trim_end_matches(line, " - core dumped");
        let lines: Vec<&str> = actual.lines().map(told).collect();
        if !matches(&expected, &lines) {
            wrong.push_str(&format!(
                "    {what}\n      expected {expected:?}\n      actual   {lines:?}\n"
            ));
        }
    }
    if end != case.end {
        wrong.push_str(&format!("    ended with {end}, expected {}\n", case.end));
    }
    if wrong.is_empty() {
        Ok(String::new())
    } else {
        Err(wrong)
    }
}
