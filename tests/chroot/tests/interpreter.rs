//! The emulator as the kernel's interpreter of arm64 programs: layouts of argv, names, descriptors, privileges.
//! The list is `cases.txt`; what privileged programs make of a hostile environment is in `hostile` below.
#![forbid(unsafe_code)]

use std::path::Path;
use std::process::{Command, ExitCode};
use std::time::Duration;

use chroot_tests::cases::{self, Case};
use chroot_tests::{Stop, namespace, registry, workplace};
use program_tests::paths;
use program_tests::process::{self, End, Outcome};
use program_tests::runner::{self, Options, Verdict};

const LIMIT: Duration = Duration::from_secs(60);
/// How a case becomes an ordinary user.
const AS_USER: &str = "setpriv --reuid 1000 --regid 1000 --clear-groups";

fn main() -> ExitCode {
    let mut options = Options::from_arguments();
    if options.list {
        println!("interpreter: test");
        return ExitCode::SUCCESS;
    }
    if !namespace::is_inside() {
        let result = namespace::check().and_then(|()| Ok(namespace::restart()?));
        return result.unwrap_or_else(|stop| stop.report("interpreter"));
    }
    // There is one registration.
    options.threads = 1;
    match prepare() {
        Ok(tests) => runner::run(&options, &tests, Test::name, Test::check),
        Err(message) => Stop::Fail(message).report("interpreter"),
    }
}

enum Test {
    Case(Case),
    /// A variable that a caller of a set-user-ID program sets.
    Hostile(Vec<(String, String)>),
    /// The same variables do something where no privilege is gained.
    Control(Vec<(String, String)>),
}

fn prepare() -> Result<Vec<Test>, String> {
    let emulator = paths::emulator()?;
    println!("emulator: {}", emulator.display());
    namespace::mount_own()?;
    workplace::lay_out(&emulator)?;
    let cases = cases::parse(include_str!("../cases.txt")).map_err(|e| format!("cases.txt: {e}"))?;
    let mut tests: Vec<Test> = cases.into_iter().map(Test::Case).collect();
    let variables = hostile::variables()?;
    for variable in &variables {
        tests.push(Test::Hostile(vec![variable.clone()]));
    }
    let logs: Vec<_> = variables
        .iter()
        .filter(|(name, _)| hostile::logs(name))
        .cloned()
        .collect();
    tests.push(Test::Hostile(logs.clone()));
    tests.push(Test::Hostile(variables));
    tests.push(Test::Control(logs));
    Ok(tests)
}

impl Test {
    fn name(&self) -> &str {
        match self {
            Test::Case(case) => &case.title,
            Test::Hostile(variables) => match variables.as_slice() {
                [(name, _)] => name,
                _ => "several hostile variables",
            },
            Test::Control(_) => "log variables without privileges",
        }
    }

    fn check(&self) -> Verdict {
        match self {
            Test::Case(case) => check(case),
            Test::Hostile(variables) => hostile::is_ignored(variables),
            Test::Control(variables) => hostile::has_effect(variables),
        }
    }
}

/// Runs a line of bash in the workplace, with nothing in its environment but what is given.
fn shell(command: &str, variables: &[(String, String)]) -> Result<Outcome, String> {
    let text = command
        .replace("AS_USER", AS_USER)
        .replace("START", env!("CARGO_BIN_EXE_start"));
    let mut command = Command::new("bash");
    command
        .args(["--noprofile", "--norc", "-c", &text])
        .current_dir(workplace::WORK)
        .env_clear()
        .envs(variables.iter().map(|(name, value)| (name, value)))
        .envs(paths::engine())
        .env(
            "PATH",
            format!("{}:/usr/sbin:/usr/bin:/sbin:/bin", workplace::WORK),
        )
        .env("LC_ALL", "C");
    process::run(command, LIMIT)
}

fn check(case: &Case) -> Verdict {
    registry::register(Path::new(&case.interpreter), &case.flags).map_err(|e| format!("    {e}\n"))?;
    let outcome = shell(&case.command, &[])?;
    let mut wrong = String::new();
    for (what, expected, actual) in [
        ("stdout", &case.stdout, cases::lines(&outcome.stdout)),
        ("stderr", &case.stderr, cases::lines(&outcome.stderr)),
    ] {
        if !cases::matches(expected, &actual) {
            wrong.push_str(&format!(
                "    {what}\n      expected {expected:?}\n      actual   {actual:?}\n"
            ));
        }
    }
    if outcome.end != End::Status(case.status) {
        wrong.push_str(&format!(
            "    ended with {:?}, expected {}\n",
            outcome.end, case.status
        ));
    }
    if wrong.is_empty() {
        Ok(String::new())
    } else {
        Err(wrong)
    }
}

/// Set-user-ID programs and the environment of whoever calls them.
mod hostile {
    use super::{Command, Outcome, Path, Verdict, registry, shell, workplace};
    use std::fs;

    const LOGS: &str = "/mnt/logs";
    /// What the program tells of itself: all that a variable could change.
    const SHOW: &str = "argv,euid,secure,uname,comm,exe,execfn,fd,cmdline";

    /// Variables by their name without QEMU_ or RAEMU_, with values that change much where they count.
    const VALUES: &[(&str, &str)] = &[
        ("LOG_FILENAME", "/mnt/logs/x%d"),
        ("LOG", "strace,page,in_asm,out_asm,exec,unimp"),
        ("STRACE", "1"),
        ("UNAME", "6.6.6"),
        ("ARGV0", "evil"),
        ("SET_ENV", "SHOW=env"),
        ("UNSET_ENV", "SHOW"),
        ("VERSION", "1"),
        ("LD_PREFIX", "/mnt/logs"),
        ("GDB", "/mnt/logs/gdb"),
        ("PLUGIN", "/mnt/logs/plugin.so"),
    ];

    /// Variables that other parts than the options could read.
    const OTHERS: &[(&str, &str)] = &[
        ("_RAEMU_EXEC", "0,1,1,evil"),
        ("_RAEMU_EXEC", "-1,-1,0,evil"),
        ("LD_PRELOAD", "/mnt/logs/evil.so"),
        ("LD_LIBRARY_PATH", "/mnt/logs"),
        ("LD_AUDIT", "/mnt/logs/evil.so"),
        ("LD_DEBUG", "all"),
        ("LD_DEBUG_OUTPUT", "/mnt/logs/ld"),
        ("LD_PROFILE_OUTPUT", "/mnt/logs"),
        ("GLIBC_TUNABLES", "glibc.malloc.check=3"),
        ("MALLOC_TRACE", "/mnt/logs/malloc"),
        ("RUST_BACKTRACE", "full"),
        ("RUST_LOG", "trace"),
        ("TMPDIR", "/mnt/logs"),
        ("XDG_CACHE_HOME", "/mnt/logs"),
        ("HOME", "/mnt/logs"),
    ];

    /// Every variable that the emulator's help names, in both spellings, and those of [`OTHERS`].
    pub fn variables() -> Result<Vec<(String, String)>, String> {
        let help = Command::new(Path::new(workplace::EMULATORS).join("raemu-aarch64"))
            .arg("-h")
            .output()
            .map_err(|e| format!("the emulator's help: {e}"))?;
        let help = String::from_utf8_lossy(&help.stdout).into_owned();
        let mut names: Vec<&str> = help
            .split(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_')
            .filter_map(|word| word.strip_prefix("QEMU_"))
            .filter(|name| !name.is_empty() && *name != "NAME")
            .collect();
        names.sort_unstable();
        names.dedup();
        if names.len() < 20 || !VALUES.iter().all(|(known, _)| names.contains(known)) {
            return Err(format!("the help names only the variables {names:?}"));
        }
        let mut variables = Vec::new();
        for name in names {
            let known = VALUES.iter().find(|(known, _)| *known == name);
            let value = known.map_or("nonsense", |(_, value)| value);
            for prefix in ["QEMU_", "RAEMU_"] {
                variables.push((format!("{prefix}{name}"), value.to_string()));
            }
        }
        let owned = |(name, value): &(&str, &str)| ((*name).to_string(), (*value).to_string());
        variables.extend(OTHERS.iter().map(owned));
        Ok(variables)
    }

    /// Whether a variable makes the emulator write files.
    pub fn logs(name: &str) -> bool {
        name.contains("LOG") || name.contains("STRACE")
    }

    fn run(program: &str, variables: &[(String, String)]) -> Result<Outcome, String> {
        let interpreter = Path::new(workplace::EMULATORS).join("raemu-aarch64");
        registry::register(&interpreter, "POCF").map_err(|e| format!("    {e}\n"))?;
        // The shell is given the environment too, but neither dash nor setpriv reads it.
        let assignments: Vec<String> = variables
            .iter()
            .map(|(name, value)| format!("{name}='{value}'"))
            .collect();
        let command = format!("SHOW={SHOW} AS_USER env {} ./{program} a", assignments.join(" "));
        shell(&command, &[])
    }

    fn files() -> Result<Vec<String>, String> {
        let mut names = Vec::new();
        for dir in [LOGS, workplace::WORK] {
            for entry in fs::read_dir(dir).map_err(|e| format!("    {dir}: {e}\n"))? {
                let entry = entry.map_err(|e| format!("    {dir}: {e}\n"))?;
                names.push(entry.path().display().to_string());
            }
        }
        names.sort();
        Ok(names)
    }

    pub fn is_ignored(variables: &[(String, String)]) -> Verdict {
        let before = files()?;
        let usual = run("suid", &[])?;
        let steered = run("suid", variables)?;
        let after = files()?;
        if before != after {
            return Err(format!("    files before {before:?}\n    and after {after:?}\n"));
        }
        let essence = |outcome: &Outcome| {
            let text = |bytes| String::from_utf8_lossy(bytes).replace('\0', " ");
            (text(&outcome.stdout), text(&outcome.stderr), outcome.end)
        };
        if !usual.stdout.starts_with(b"./suid\0a\0\n0 0\n1\n") {
            return Err(format!(
                "    the program gains no privileges: {:?}\n",
                essence(&usual)
            ));
        }
        if essence(&usual) == essence(&steered) {
            return Ok(String::new());
        }
        Err(format!(
            "    without {:?}\n    with {variables:?}\n         {:?}\n",
            essence(&usual),
            essence(&steered)
        ))
    }

    pub fn has_effect(variables: &[(String, String)]) -> Verdict {
        let before = files()?;
        let outcome = run("plain", variables)?;
        let after = files()?;
        if after.len() > before.len() {
            return Ok(String::new());
        }
        Err(format!("    no log file appears: {outcome:?}\n"))
    }
}
