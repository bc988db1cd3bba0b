//! `cargo xtask sequences`: random instruction sequences under the interpreter, the JIT and the newest qemu.
//!
//! qemu is the package `qemu-user` of Debian's development suite (Ubuntu: of the host's own release), downloaded with a
//! private apt and unpacked below target/; nothing is installed.

use std::path::{Path, PathBuf};
use std::process::Child;

use crate::apt::{Apt, Distribution};
use crate::report::{note, step};
use crate::shell::{capture, command, run as run_command, target_dir};

/// Debian's suite where each version arrives first.
const NEWEST_SUITE: &str = "sid";
const PACKAGE: &str = "qemu-user";
const DEFAULT_COUNT: u64 = 20_000;

#[derive(PartialEq, Eq, Debug)]
struct Options {
    count: u64,
    first: u64,
    jobs: u64,
}

/// Runs the sequences, or gives the reason why qemu cannot be had here.
pub fn run(arguments: &[String]) -> Result<Option<String>, String> {
    let options = parse(arguments)?;
    let qemu = match newest_qemu() {
        Ok(qemu) => qemu,
        Err(reason) => {
            let reason = format!("the newest qemu-user cannot be had here: {reason}");
            note(&format!("skipped: {reason}"));
            return Ok(Some(reason));
        }
    };
    run_command(command(
        "cargo",
        ["build", "--release", "--quiet", "--package", "insn-tests"],
    ))?;
    let program = target_dir().join("x86_64-unknown-linux-gnu/release/insn-tests");
    let each = options.count.div_ceil(options.jobs);
    let mut children = Vec::new();
    for job in 0..options.jobs {
        let first = options.first + job * each;
        let count = each.min((options.first + options.count).saturating_sub(first));
        children.push(start(&program, &qemu, count, first)?);
    }
    let mut failed = 0;
    for mut child in children {
        let status = child.wait().map_err(|e| format!("insn-tests: {e}"))?;
        failed += usize::from(!status.success());
    }
    if failed > 0 {
        return Err(format!("{failed} of {} jobs found differences", options.jobs));
    }
    Ok(None)
}

fn start(program: &Path, qemu: &Path, count: u64, first: u64) -> Result<Child, String> {
    let numbers = [count.to_string(), first.to_string()];
    let mut command = command(&program.to_string_lossy(), ["sequences"]);
    command
        .args(numbers)
        .env("RAEMU_QEMU", qemu)
        .spawn()
        .map_err(|e| format!("{}: {e}", program.display()))
}

fn parse(arguments: &[String]) -> Result<Options, String> {
    let mut options = Options {
        count: DEFAULT_COUNT,
        first: 0,
        jobs: 1,
    };
    let mut arguments = arguments.iter();
    while let Some(argument) = arguments.next() {
        let number = |value: Option<&String>| {
            value
                .and_then(|value| value.parse().ok())
                .ok_or_else(|| format!("{argument} needs a number"))
        };
        match argument.as_str() {
            "--count" => options.count = number(arguments.next())?,
            "--first" => options.first = number(arguments.next())?,
            "--jobs" => options.jobs = number(arguments.next())?,
            other => return Err(format!("sequences: unknown option '{other}'")),
        }
    }
    if options.jobs == 0 {
        return Err("--jobs needs at least 1".to_string());
    }
    Ok(options)
}

/// The newest qemu-aarch64 of the distribution: downloaded if the last download is older than a day.
fn newest_qemu() -> Result<PathBuf, String> {
    let dir = target_dir().join("qemu-newest");
    let program = dir.join("root/usr/bin/qemu-aarch64");
    if !is_recent(&program) {
        step(&format!("{PACKAGE} of the development suite"), || {
            download(&dir, &program)
        })?;
    }
    let version = capture(command(&program.to_string_lossy(), ["--version"]))?;
    note(version.lines().next().unwrap_or_default());
    Ok(program)
}

fn download(dir: &Path, program: &Path) -> Result<(), String> {
    let distribution = Distribution::of_host()?;
    let apt = dir.join("apt");
    let apt = if distribution.id == "debian" {
        Apt::of_suite(&apt, "amd64", &distribution, NEWEST_SUITE)?
    } else {
        Apt::new(&apt, "amd64", &distribution)?
    };
    let file = apt.download_alone(PACKAGE)?;
    let root = dir.join("root");
    let _ = std::fs::remove_dir_all(&root);
    run_command(command(
        "dpkg-deb",
        ["-x".as_ref(), file.as_os_str(), root.as_os_str()],
    ))?;
    // As it came, its time is that of its build.
    run_command(command("touch", [program]))
}

fn is_recent(program: &Path) -> bool {
    const DAY: u64 = 24 * 60 * 60;
    let age = std::fs::metadata(program)
        .and_then(|found| found.modified())
        .map(|time| time.elapsed().unwrap_or_default());
    age.is_ok_and(|age| age.as_secs() < DAY)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_are_numbers() {
        let parse = |words: &[&str]| parse(&words.iter().map(ToString::to_string).collect::<Vec<_>>());
        let defaults = Options {
            count: DEFAULT_COUNT,
            first: 0,
            jobs: 1,
        };
        assert_eq!(parse(&[]), Ok(defaults));
        let given = Options {
            count: 5,
            first: 7,
            jobs: 2,
        };
        assert_eq!(parse(&["--jobs", "2", "--count", "5", "--first", "7"]), Ok(given));
        assert!(parse(&["--count"]).is_err());
        assert!(parse(&["--count", "x"]).is_err());
        assert!(parse(&["--jobs", "0"]).is_err());
        assert!(parse(&["nothing"]).is_err());
    }
}
