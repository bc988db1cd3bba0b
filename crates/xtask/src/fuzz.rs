//! `cargo xtask fuzz [TARGET...] [--seconds N] [--seed N]`: the targets of fuzz/, built with coverage
//! instrumentation by the stable compiler.
//!
//! New inputs go to fuzz/corpus/TARGET, where only the `seed-` files are committed; what fails goes to
//! fuzz/artifacts/TARGET and is shown by the target itself. A single target shows its progress; of several, two run
//! at once, each into a file of its own, of which what matters is printed when it ends.

use crate::shell::{command, run as run_command, target_dir, workspace};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Mutex, PoisonError};
use std::thread;

const TARGETS: [&str; 4] = ["decode", "jit_vs_interp", "elf", "syscall_args"];

/// Bytes of the longest input worth trying: 16 words, 64 instructions, an ELF file's headers, and six registers with
/// some memory.
fn longest(target: &str) -> u32 {
    match target {
        "decode" => 64,
        "jit_vs_interp" => 256,
        "elf" => 1024,
        _ => 512,
    }
}

const TRIPLE: &str = "x86_64-unknown-linux-gnu";
const DEFAULT_SECONDS: u32 = 10;
/// Targets that run at once.
const JOBS: usize = 2;

/// What cargo-fuzz passes on a nightly compiler, less the address sanitizer: the guest's
/// memory is mapped at fixed addresses that it would claim.
const INSTRUMENTATION: &str = "--cfg fuzzing -Cpasses=sancov-module \
    -Cllvm-args=-sanitizer-coverage-level=4 \
    -Cllvm-args=-sanitizer-coverage-inline-8bit-counters \
    -Cllvm-args=-sanitizer-coverage-pc-table \
    -Cllvm-args=-sanitizer-coverage-trace-compares \
    -Ccodegen-units=1";

#[derive(PartialEq, Eq, Debug)]
struct Options {
    targets: Vec<&'static str>,
    /// For each target.
    seconds: u32,
    /// Of libFuzzer's random numbers; it chooses one, and prints it.
    seed: Option<u32>,
}

/// Runs the named targets, or all, each for its time.
pub fn run(arguments: &[String]) -> Result<(), String> {
    let options = Options::parse(arguments)?;
    build(&options.targets)?;
    println!(
        "\n==> fuzz {}, {} s each",
        options.targets.join(", "),
        options.seconds
    );
    if let [target] = options.targets[..] {
        return run_command(fuzzer(target, &options)?);
    }
    let waiting = Mutex::new(options.targets.iter());
    let failed = Mutex::new(Vec::new());
    let next = || {
        waiting
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .next()
            .copied()
    };
    thread::scope(|scope| {
        for _ in 0..JOBS {
            scope.spawn(|| {
                while let Some(target) = next() {
                    if let Err(message) = fuzz_into_file(target, &options) {
                        failed
                            .lock()
                            .unwrap_or_else(PoisonError::into_inner)
                            .push(message);
                    }
                }
            });
        }
    });
    let failed = failed.into_inner().unwrap_or_else(PoisonError::into_inner);
    if failed.is_empty() {
        Ok(())
    } else {
        Err(failed.join("\n"))
    }
}

impl Options {
    fn parse(arguments: &[String]) -> Result<Options, String> {
        let mut options = Options {
            targets: Vec::new(),
            seconds: DEFAULT_SECONDS,
            seed: None,
        };
        let mut arguments = arguments.iter();
        while let Some(argument) = arguments.next() {
            let mut number = || {
                let value = arguments
                    .next()
                    .ok_or_else(|| format!("{argument} needs a number"))?;
                value
                    .parse()
                    .map_err(|_| format!("{argument} needs a number, not '{value}'"))
            };
            match argument.as_str() {
                "--seconds" => options.seconds = number()?,
                "--seed" => options.seed = Some(number()?),
                name => {
                    let known = TARGETS.into_iter().find(|target| *target == name);
                    let unknown = || format!("no fuzz target '{name}'; there are {TARGETS:?}");
                    options.targets.push(known.ok_or_else(unknown)?);
                }
            }
        }
        if options.targets.is_empty() {
            options.targets = TARGETS.to_vec();
        }
        Ok(options)
    }
}

/// Where cargo puts the targets: apart from what is built without instrumentation.
fn fuzz_target_dir() -> PathBuf {
    target_dir().join("fuzz")
}

fn build(targets: &[&str]) -> Result<(), String> {
    let manifest = workspace().join("fuzz/Cargo.toml");
    let mut cargo = command("cargo", ["build", "--release", "--target", TRIPLE]);
    cargo
        .arg("--manifest-path")
        .arg(manifest)
        .arg("--target-dir")
        .arg(fuzz_target_dir());
    for target in targets {
        cargo.args(["--bin", target]);
    }
    cargo
        .env("RUSTFLAGS", INSTRUMENTATION)
        .env_remove("CARGO_ENCODED_RUSTFLAGS");
    run_command(cargo)
}

fn fuzzer(target: &str, options: &Options) -> Result<Command, String> {
    let program = fuzz_target_dir().join(TRIPLE).join("release").join(target);
    let (corpus, artifacts) = (
        workspace().join("fuzz/corpus").join(target),
        workspace().join("fuzz/artifacts").join(target),
    );
    for dir in [&corpus, &artifacts] {
        fs::create_dir_all(dir).map_err(|e| format!("{}: {e}", dir.display()))?;
    }
    // The guest's faults are handled by the emulator, not reported as the target's.
    let fault_flags = ["-handle_segv=0", "-handle_bus=0", "-handle_fpe=0"];
    let mut run = command(&program.to_string_lossy(), fault_flags);
    run.arg(format!("-max_total_time={}", options.seconds))
        .arg("-print_final_stats=1")
        .arg(format!("-max_len={}", longest(target)))
        // Long inputs from the start, not when short ones find nothing new.
        .arg("-len_control=0")
        // Weighing inputs takes five times as long as running them.
        .arg("-entropic=0")
        .arg(format!("-artifact_prefix={}/", artifacts.display()));
    if let Some(seed) = options.seed {
        run.arg(format!("-seed={seed}"));
    }
    run.arg(corpus);
    Ok(run)
}

/// Runs a target with its output in a file, and prints what of it matters.
fn fuzz_into_file(target: &str, options: &Options) -> Result<(), String> {
    let path = fuzz_target_dir().join(format!("{target}.log"));
    let failed = |e: std::io::Error| format!("{target}: {e}");
    let log = fs::File::create(&path).map_err(failed)?;
    let status = fuzzer(target, options)?
        .stdin(Stdio::null())
        .stdout(log.try_clone().map_err(failed)?)
        .stderr(log)
        .status()
        .map_err(failed)?;
    let text = fs::read(&path).map_err(failed)?;
    let shown = essence(&String::from_utf8_lossy(&text), status.success());
    // One call: the other target's lines do not come in between.
    println!("\n{target} (all of it in {}):\n{shown}", display(&path));
    if status.success() {
        Ok(())
    } else {
        Err(format!(
            "{target}: {status}; its input is in fuzz/artifacts/{target}"
        ))
    }
}

fn display(path: &Path) -> String {
    path.strip_prefix(workspace())
        .unwrap_or(path)
        .display()
        .to_string()
}

/// libFuzzer's output less its progress; of a run without a failure only the seed and the statistics.
fn essence(text: &str, passed: bool) -> String {
    let wanted = |line: &&str| {
        let matters = ["INFO: Seed", "Done ", "stat::"];
        let is_progress = line.starts_with(['#', '"']);
        !is_progress && (!passed || matters.iter().any(|start| line.starts_with(start)))
    };
    text.lines()
        .filter(wanted)
        .fold(String::new(), |shown, line| shown + "    " + line + "\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_are_targets_and_numbers() {
        let parse =
            |words: &[&str]| Options::parse(&words.iter().map(ToString::to_string).collect::<Vec<_>>());
        let options = |targets: &[&'static str], seconds, seed| Options {
            targets: targets.to_vec(),
            seconds,
            seed,
        };
        assert_eq!(parse(&[]), Ok(options(&TARGETS, DEFAULT_SECONDS, None)));
        assert_eq!(
            parse(&["elf", "--seconds", "3", "decode"]),
            Ok(options(&["elf", "decode"], 3, None))
        );
        assert_eq!(
            parse(&["elf", "--seed", "7"]),
            Ok(options(&["elf"], DEFAULT_SECONDS, Some(7)))
        );
        assert!(parse(&["--seconds"]).is_err());
        assert!(parse(&["--seconds", "x"]).is_err());
        assert!(parse(&["nothing"]).is_err());
    }

    #[test]
    fn a_failure_is_shown_whole_but_for_progress() {
        let text = "INFO: Seed: 5\nINFO: Loaded 1 modules\n#2\tINITED cov: 3\nboom\nstat::number_of_executed_units: 9\n";
        assert_eq!(
            essence(text, true),
            "    INFO: Seed: 5\n    stat::number_of_executed_units: 9\n"
        );
        assert!(essence(text, false).contains("    boom\n"));
        assert!(!essence(text, false).contains("INITED"));
    }
}
