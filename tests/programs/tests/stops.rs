//! The boundaries at which tasks can be stopped: what an observer sees of a program with a signal, a breakpoint, a
//! thread, forks, an execve, vforks and deaths, in the kernel's order (crates/linux-user/src/kernel/stop.rs).
//!
//! The observer is `-d stops`, and for the same program built for the host `tracer.c`, which shows what ptrace(2) does.
//! `tests/guest/tables/stops.txt` holds what each task of `stops.c` passes, in its own order; a task is numbered when
//! its maker tells of it. The order between tasks is checked here. `RAEMU_BLESS=1` records what the kernel shows.
#![forbid(unsafe_code)]

use std::path::Path;
use std::process::{Command, ExitCode};
use std::time::Duration;

use program_tests::paths;
use program_tests::process::{self, End};
use program_tests::runner::{self, Options, Verdict};

const LIMIT: Duration = Duration::from_secs(60);
const CASES: [&str; 3] = ["native", "jit", "interp"];
const NATIVE: &str = CASES[0];
/// What the program ends with.
const STATUS: i32 = 4;

fn main() -> ExitCode {
    let options = Options::from_arguments();
    if options.list {
        println!("stops: test");
        return ExitCode::SUCCESS;
    }
    runner::run(&options, &CASES, |case| case, |case| check(case))
}

fn build(compiler: &str, flags: &[&str], source: &Path, program: &Path) -> Result<(), String> {
    let mut command = Command::new(compiler);
    command
        .args(["-O2", "-w", "-o"])
        .arg(program)
        .args(flags)
        .arg(source);
    let built = process::run(command, LIMIT)?;
    if matches!(built.end, End::Status(0)) {
        Ok(())
    } else {
        Err(String::from_utf8_lossy(&built.stderr).into_owned())
    }
}

fn check(case: &str) -> Verdict {
    const BARE: [&str; 5] = [
        "-static",
        "-nostdlib",
        "-ffreestanding",
        "-fno-stack-protector",
        "-no-pie",
    ];
    let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join("stops").join(case);
    std::fs::create_dir_all(&dir).map_err(|e| format!("{}: {e}", dir.display()))?;
    let tables = paths::workspace().join("tests/guest/tables");
    let program = dir.join("stops");
    let command = if case == NATIVE {
        let tracer = dir.join("tracer");
        build("cc", &BARE, &tables.join("stops.c"), &program)?;
        build("cc", &[], &tables.join("tracer.c"), &tracer)?;
        let mut command = Command::new(tracer);
        command.arg(&program);
        command
    } else {
        build("aarch64-linux-gnu-gcc", &BARE, &tables.join("stops.c"), &program)?;
        let mut command = Command::new(paths::emulator()?);
        command.args(["-engine", case, "-d", "stops"]).arg(&program);
        command
    };
    let outcome = process::run(command, LIMIT)?;
    let log = String::from_utf8_lossy(&outcome.stderr);
    if !matches!(outcome.end, End::Status(STATUS)) {
        return Err(format!("    ended with {:?}\n{log}", outcome.end));
    }
    let tasks = Tasks::of(&log)?;
    tasks.check_order()?;
    let text = tasks.text();
    let expected = tables.join("stops.txt");
    if case == NATIVE && std::env::var_os("RAEMU_BLESS").is_some() {
        std::fs::write(&expected, &text).map_err(|e| format!("{}: {e}", expected.display()))?;
        return Ok("(recorded)".to_string());
    }
    let known = std::fs::read_to_string(&expected).map_err(|e| format!("{}: {e}", expected.display()))?;
    if known == text {
        Ok(String::new())
    } else {
        Err(format!("    expected:\n{known}    found:\n{text}"))
    }
}

/// A line of the log.
struct Stop {
    tid: String,
    what: String,
}

struct Tasks {
    stops: Vec<Stop>,
    /// In the order in which their makers told of them; the first has no maker.
    tids: Vec<String>,
}

/// The child that a maker tells of.
fn child(what: &str) -> Option<&str> {
    ["forked ", "vforked ", "cloned "]
        .iter()
        .find_map(|verb| what.strip_prefix(verb))
}

impl Tasks {
    fn of(log: &str) -> Result<Tasks, String> {
        let stops: Vec<Stop> = log
            .lines()
            .filter_map(|line| line.split_once(" stop: "))
            .map(|(tid, what)| Stop {
                tid: tid.to_string(),
                what: what.to_string(),
            })
            .collect();
        let first = stops
            .first()
            .ok_or_else(|| format!("    no line of a stop in\n{log}"))?;
        let mut tids = vec![first.tid.clone()];
        tids.extend(
            stops
                .iter()
                .filter_map(|stop| child(&stop.what))
                .map(str::to_string),
        );
        match stops.iter().find(|stop| !tids.contains(&stop.tid)) {
            Some(stop) => Err(format!("    nobody made task {}: {}\n{log}", stop.tid, stop.what)),
            None => Ok(Tasks { stops, tids }),
        }
    }

    fn position(&self, tid: &str, what: impl Fn(&str) -> bool) -> Option<usize> {
        self.stops
            .iter()
            .position(|stop| stop.tid == tid && what(&stop.what))
    }

    /// Between tasks: a vfork is told of before its child starts, and done after the child has executed or ended;
    /// the wait for a child ends after the child.
    fn check_order(&self) -> Result<(), String> {
        for (at, stop) in self.stops.iter().enumerate() {
            let Some(tid) = child(&stop.what) else {
                continue;
            };
            let starts = self.position(tid, |what| what == "starts");
            let last = self.stops.iter().rposition(|other| other.tid == tid);
            let (Some(starts), Some(last)) = (starts, last) else {
                return Err(format!("    task {tid} never starts\n"));
            };
            if stop.what.starts_with("vforked ") {
                let done = self.position(&stop.tid, |what| what == format!("vfork done {tid}"));
                let told_first = at < starts;
                let done_last = done.is_some_and(|done| last < done);
                if !told_first || !done_last {
                    return Err(format!(
                        "    vfork of {tid}: told at {at}, starts at {starts}, ends at {last}, done at {done:?}\n"
                    ));
                }
            } else if !stop.what.starts_with("cloned ") {
                let waited = self.stops[at..]
                    .iter()
                    .position(|other| other.tid == stop.tid && other.what == "leaves wait4");
                if waited.is_none_or(|waited| last >= at + waited) {
                    return Err(format!("    the wait for {tid} ends before it\n"));
                }
            }
        }
        Ok(())
    }

    /// Each task's own stops, with ordinals for numbers.
    fn text(&self) -> String {
        let mut text = String::new();
        for (ordinal, tid) in self.tids.iter().enumerate() {
            text += &format!("task {ordinal}\n");
            for stop in self.stops.iter().filter(|stop| stop.tid == *tid) {
                // The host's breakpoint has no number.
                if stop.what.starts_with("breakpoint") {
                    text += "    breakpoint\n";
                    continue;
                }
                let words: Vec<String> = stop.what.split(' ').map(|word| self.renamed(word)).collect();
                text += &format!("    {}\n", words.join(" "));
            }
        }
        text
    }

    fn renamed(&self, word: &str) -> String {
        self.tids
            .iter()
            .position(|tid| tid == word)
            .map_or_else(|| word.to_string(), |ordinal| format!("task {ordinal}"))
    }
}
