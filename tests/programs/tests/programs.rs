//! Debian's arm64 programs under the emulator against the same versions' amd64 programs: stdout, stderr and exit
//! status are equal byte for byte. The command lines are in `cases.txt`.
#![forbid(unsafe_code)]

use std::path::Path;
use std::process::{Command, ExitCode};
use std::time::Duration;

use program_tests::case::{self, Case};
use program_tests::process::{self, End, Outcome};
use program_tests::runner::{self, Options, Verdict};
use program_tests::sandbox::{self, Sandbox};
use program_tests::{diff, fixtures, paths};

/// The native run is the measure and never slow.
const NATIVE_LIMIT: Duration = Duration::from_secs(60);

/// All a program sees: fixed dates, names and places.
#[rustfmt::skip]
const ENVIRONMENT: &[(&str, &str)] = &[
    ("PATH", "/usr/sbin:/usr/bin:/sbin:/bin"), ("LC_ALL", "C.UTF-8"), ("TZ", "UTC"), ("USER", "root"),
    ("SOURCE_DATE_EPOCH", "1704164645"), ("PYTHONHASHSEED", "0"), ("PYTHONDONTWRITEBYTECODE", "1"),
    ("GIT_AUTHOR_NAME", "A U Thor"), ("GIT_AUTHOR_EMAIL", "author@example.com"),
    ("GIT_AUTHOR_DATE", "2024-01-02T03:04:05Z"), ("GIT_COMMITTER_NAME", "C O Mitter"),
    ("GIT_COMMITTER_EMAIL", "committer@example.com"), ("GIT_COMMITTER_DATE", "2024-01-02T03:04:05Z"),
    ("GIT_CONFIG_NOSYSTEM", "1"), ("GIT_CONFIG_COUNT", "2"), ("GIT_CONFIG_KEY_0", "init.defaultBranch"),
    ("GIT_CONFIG_VALUE_0", "main"), ("GIT_CONFIG_KEY_1", "gc.auto"), ("GIT_CONFIG_VALUE_1", "0"),
];

fn main() -> ExitCode {
    let options = Options::from_arguments();
    if options.list {
        println!("programs: test");
        return ExitCode::SUCCESS;
    }
    match prepare() {
        Ok((sandbox, emulator, cases)) => runner::run(
            &options,
            &cases,
            |case| case.name.as_str(),
            |case| compare(&sandbox, &emulator, case),
        ),
        Err(message) => {
            eprintln!("programs: {message}");
            println!("0 passed, 1 failed");
            ExitCode::FAILURE
        }
    }
}

fn prepare() -> Result<(Sandbox, String, Vec<Case>), String> {
    let cases = case::parse(include_str!("../cases.txt")).map_err(|e| format!("cases.txt: {e}"))?;
    let emulator = paths::emulator()?;
    let binfmt = paths::needs_binfmt(&emulator);
    let sandbox = Sandbox::enter(paths::roots()?, binfmt)?;
    let inside = sandbox.install(&emulator, "raemu")?;
    if binfmt {
        sandbox.register("raemu")?;
    }
    println!("emulator: {}", emulator.display());
    for root in [&sandbox.arm64, &sandbox.amd64] {
        fixtures::write(&root.join(sandbox::SCRATCH)).map_err(|e| format!("fixtures: {e}"))?;
    }
    Ok((sandbox, inside, cases))
}

fn compare(sandbox: &Sandbox, emulator: &str, case: &Case) -> Verdict {
    let argv: Vec<&str> = case.argv.iter().map(String::as_str).collect();
    let mut expected = run(&sandbox.amd64, case, &argv, NATIVE_LIMIT)?;
    if matches!(expected.end, End::TimedOut | End::Status(126 | 127)) {
        return Err(format!(
            "    the native run ended with {:?}: the case is wrong\n",
            expected.end
        ));
    }
    let emulated = [&[emulator], argv.as_slice()].concat();
    let mut actual = run(&sandbox.arm64, case, &emulated, case.timeout)?;
    if case.hide_numbers {
        for stream in [
            &mut expected.stdout,
            &mut expected.stderr,
            &mut actual.stdout,
            &mut actual.stderr,
        ] {
            *stream = case::hide_numbers(stream);
        }
    }
    match diff::explain(&expected, &actual) {
        None => Ok(format!("(native {:.2} s)", expected.elapsed.as_secs_f64())),
        Some(difference) => Err(format!("    {}\n{difference}", case.argv.join(" "))),
    }
}

fn run(root: &Path, case: &Case, argv: &[&str], limit: Duration) -> Result<Outcome, String> {
    let dir = format!("/{}/{}", sandbox::SCRATCH, case.name);
    let outside = root.join(&dir[1..]);
    std::fs::create_dir_all(&outside).map_err(|e| format!("{}: {e}", outside.display()))?;
    let mut command: Command = sandbox::chroot(root, &dir, argv);
    command
        .env_clear()
        .envs(ENVIRONMENT.iter().copied())
        .env("HOME", &dir)
        .envs(paths::engine());
    let outcome = process::run(command, limit);
    // The next cases need the memory more than anybody needs the remains.
    let _ = std::fs::remove_dir_all(&outside);
    outcome
}
