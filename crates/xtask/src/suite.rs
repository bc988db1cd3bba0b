//! `cargo xtask test`: everything CI checks, with all set-up, ending in one count.
//!
//! The cheap checks come first. A failed step does not stop the others, so that one run shows all there is to mend.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::time::Instant;

use crate::shell::command;
use crate::{dist, fuzz, rootfs, sequences, setup, shipped, tidy};

/// What the steps have counted so far.
#[derive(Default)]
struct Count {
    passed: u64,
    failed: u64,
    failures: Vec<String>,
    /// What could not be tried here, as the tests name it, with the reason.
    skipped: Vec<String>,
    /// Runs only the step whose name contains this.
    only: Option<String>,
}

/// Runs all steps. `--long` gives the randomised tests more time; `--only TEXT` picks steps by name.
pub fn run(arguments: &[String]) -> Result<(), String> {
    let (long, only) = match arguments {
        [] => (false, None),
        [flag] if flag == "--long" => (true, None),
        [flag, text] if flag == "--only" => (false, Some(text.clone())),
        _ => return Err("usage: cargo xtask test [--long | --only STEP]".to_string()),
    };
    let start = Instant::now();
    let mut count = Count {
        only,
        ..Count::default()
    };
    steps(&mut count, long);
    println!(
        "\nin {:.0} s; failed: {:?}",
        start.elapsed().as_secs_f64(),
        count.failures
    );
    for skipped in &count.skipped {
        println!("{SKIPPED}{skipped}");
    }
    println!(
        "{} passed, {} failed, {} skipped",
        count.passed,
        count.failed,
        count.skipped.len()
    );
    if count.failed == 0 && count.passed > 0 {
        Ok(())
    } else {
        Err("there were failures, or no step ran".to_string())
    }
}

fn steps(count: &mut Count, long: bool) {
    count.step("format", || shell(cargo(&["fmt", "--all", "--", "--check"])));
    count.step("tidy", || tidy::run(&[]));
    count.step("setup", setup::run);
    count.step("clippy", || {
        shell(cargo(&[
            "clippy",
            "--quiet",
            "--workspace",
            "--all-targets",
            "--",
            "-D",
            "warnings",
        ]))
    });
    // Root file systems and the release build do not depend on the tests: fail early if they cannot be made.
    count.step("rootfs", rootfs::run);
    count.step("release build", || {
        shell(cargo(&[
            "build",
            "--release",
            "-p",
            "raemu-aarch64",
            "-p",
            "raemu-binfmt",
        ]))
    });
    count.step("shipped file", shipped::check);
    count.step("packages", dist::verify);
    if long {
        count.step("reproducible packages", dist::check);
        count.step("installing the packages", dist::install);
    }
    let mut tests = cargo(&[
        "test",
        "--workspace",
        "--exclude",
        "program-tests",
        "--exclude",
        "chroot-tests",
        "--no-fail-fast",
    ]);
    if long {
        tests.env("RAEMU_TEST_LONG", "1");
    }
    count.tests("unit and instruction tests", tests);
    // A sixth of the sequences end in a fault and are compared between our own players only.
    let sequences = if long { "2400000" } else { "20000" };
    let mut unavailable = None;
    count.step("sequences against the newest qemu", || {
        unavailable = sequences::run(&["--count", sequences, "--jobs", "2"].map(str::to_string))?;
        Ok(())
    });
    count.skip("sequences against the newest qemu", unavailable);
    // Two targets run at once: two minutes, or ten.
    let seconds = if long { "300" } else { "60" };
    count.step("fuzz", || {
        fuzz::run(&["--seconds".to_string(), seconds.to_string()])
    });
    count.tests(
        "harness of the program tests",
        cargo(&["test", "-p", "program-tests", "--lib"]),
    );
    let mut guests = with_release(cargo(&[
        "test",
        "-p",
        "program-tests",
        "--test",
        "guest",
        "--test",
        "inheritance",
        "--test",
        "stops",
        "--no-fail-fast",
    ]));
    if long {
        guests.env("RAEMU_TEST_LONG", "1");
    }
    count.tests("guest programs", guests);
    count.tests(
        "no call touches the emulator's memory",
        with_release(cargo(&["test", "-p", "program-tests", "--test", "own_memory"])),
    );
    count.tests(
        "bad pointers in every call",
        with_release(cargo(&["test", "-p", "program-tests", "--test", "pointers"])),
    );
    count.tests(
        "the distribution's programs",
        with_release(cargo(&["test", "-p", "program-tests", "--test", "programs"])),
    );
    let mut chroots = with_release(cargo(&["test", "-p", "chroot-tests", "--no-fail-fast"]));
    if long {
        chroots.env("RAEMU_TEST_LONG", "1");
    }
    count.tests("interpreter and chroots", chroots);
}

fn cargo(arguments: &[&str]) -> Command {
    let program = std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_string());
    let mut command = command(&program, arguments);
    // What `cargo run` set for xtask itself is not meant for the builds below.
    command
        .env_remove("CARGO_MANIFEST_DIR")
        .env_remove("CARGO_PKG_NAME");
    command
}

/// The program tests take the newest build; CI means the release.
fn with_release(mut command: Command) -> Command {
    command.env("RAEMU_UNDER_TEST", crate::shell::emulator());
    command
}

fn shell(command: Command) -> Result<(), String> {
    crate::shell::run(command)
}

impl Count {
    /// A step that counts as one test.
    fn step(&mut self, name: &str, body: impl FnOnce() -> Result<(), String>) {
        if !self.wants(name) {
            return;
        }
        println!("\n==> {name}");
        let start = Instant::now();
        let result = body();
        self.close(name, start, result.is_ok() as u64, result.is_err() as u64);
        if let Err(message) = result {
            println!("{message}");
        }
    }

    /// A step whose output says how many tests passed.
    fn tests(&mut self, name: &str, command: Command) {
        if !self.wants(name) {
            return;
        }
        println!("\n==> {name}");
        let start = Instant::now();
        match follow(command) {
            Ok((seen, good)) => {
                // A test binary that dies counts nothing: the status must show it.
                let unseen = u64::from(!good && seen.failed == 0);
                self.skipped.extend(seen.skipped);
                self.close(name, start, seen.passed, seen.failed + unseen);
            }
            Err(message) => {
                println!("{message}");
                self.close(name, start, 0, 1);
            }
        }
    }

    /// The step before counted as passed, but had a reason to try nothing.
    fn skip(&mut self, name: &str, reason: Option<String>) {
        if let Some(reason) = reason {
            self.passed -= 1;
            self.skipped.push(format!("{name}: {reason}"));
        }
    }

    fn wants(&self, name: &str) -> bool {
        self.only.as_ref().is_none_or(|only| name.contains(only.as_str()))
    }

    fn close(&mut self, name: &str, start: Instant, passed: u64, failed: u64) {
        self.passed += passed;
        self.failed += failed;
        if failed > 0 {
            self.failures.push(name.to_string());
        }
        println!(
            "    {name}: {passed} passed, {failed} failed in {:.1} s",
            start.elapsed().as_secs_f64()
        );
    }
}

/// How a test says that it was not tried: this, its name, a colon and the reason.
const SKIPPED: &str = "skipped: ";

/// What a test command's output says.
#[derive(Default, PartialEq, Eq, Debug)]
struct Seen {
    passed: u64,
    failed: u64,
    skipped: Vec<String>,
    /// Those of them that their runner did not count as passed.
    counted_skips: u64,
}

impl Seen {
    fn line(&mut self, line: &str) {
        if let Some(counts) = counts(line) {
            self.passed += counts.passed;
            self.failed += counts.failed;
            self.counted_skips += counts.skipped;
        }
        if let Some(skipped) = line.strip_prefix(SKIPPED) {
            self.skipped.push(skipped.to_string());
        }
    }

    /// Tests of libtest that skip have returned as if they had passed.
    fn without_skipped(mut self) -> Seen {
        let returned = (self.skipped.len() as u64).saturating_sub(self.counted_skips);
        self.passed = self.passed.saturating_sub(returned);
        self
    }
}

/// Runs a command, prints its lines as they come (without empty ones and quiet passes), and adds up its counts.
fn follow(mut command: Command) -> Result<(Seen, bool), String> {
    let mut child = command
        .stdout(Stdio::piped())
        .spawn()
        .map_err(|e| format!("cannot run cargo: {e}"))?;
    let mut seen = Seen::default();
    if let Some(stdout) = child.stdout.take() {
        for line in BufReader::new(stdout).split(b'\n') {
            let line = line.map_err(|e| format!("cannot read cargo's output: {e}"))?;
            let line = String::from_utf8_lossy(&line);
            seen.line(&line);
            let noise = line.is_empty() || line.ends_with("... ok") || line.starts_with("running ");
            if !noise {
                println!("{line}");
            }
        }
    }
    let status = child.wait().map_err(|e| format!("wait: {e}"))?;
    Ok((seen.without_skipped(), status.success()))
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Counts {
    passed: u64,
    failed: u64,
    skipped: u64,
}

/// `test result: ok. 6 passed; 0 failed; ...` of libtest, or `6 passed, 0 failed, 1 skipped` of our runners, the last
/// part if there is any.
fn counts(line: &str) -> Option<Counts> {
    let line = match line.strip_prefix("test result: ") {
        Some(rest) => rest.split_once(". ")?.1,
        None => line,
    };
    let separators = [';', ',', ' '];
    let (passed, rest) = line.split_once(" passed")?;
    let (failed, rest) = rest.trim_start_matches(separators).split_once(" failed")?;
    let skipped = rest.trim_start_matches(separators).strip_suffix(" skipped");
    Some(Counts {
        passed: passed.parse().ok()?,
        failed: failed.parse().ok()?,
        skipped: skipped.and_then(|number| number.parse().ok()).unwrap_or(0),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_of_both_runners() {
        let of = |passed, failed, skipped| {
            Some(Counts {
                passed,
                failed,
                skipped,
            })
        };
        for (line, expected) in [
            (
                "test result: ok. 6 passed; 1 failed; 0 ignored; 0 measured",
                of(6, 1, 0),
            ),
            ("107 passed, 22 failed", of(107, 22, 0)),
            ("107 passed, 22 failed, 3 skipped", of(107, 22, 3)),
            ("ok     passed, 3 failed tests", None),
            ("running 6 tests", None),
        ] {
            assert_eq!(counts(line), expected, "{line}");
        }
    }

    #[test]
    fn what_was_skipped_has_not_passed() {
        let mut seen = Seen::default();
        for line in [
            "skipped: layouts: no cross compiler",
            "test result: ok. 2 passed; 0 failed; 0 ignored",
            "skipped: kernel: Linux before 6.7",
            "5 passed, 0 failed, 1 skipped",
        ] {
            seen.line(line);
        }
        let seen = seen.without_skipped();
        assert_eq!((seen.passed, seen.failed, seen.skipped.len()), (6, 0, 2));
    }
}
