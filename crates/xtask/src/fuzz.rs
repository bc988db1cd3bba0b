//! `cargo xtask fuzz [TARGET] [--seconds N]`: the targets of fuzz/, built with coverage
//! instrumentation by the stable compiler.
//!
//! New inputs go to fuzz/corpus/TARGET, where only the `seed-` files are committed;
//! what fails goes to fuzz/artifacts/TARGET and is shown by the target itself.

use crate::shell::{command, run as run_command, target_dir, workspace};
use std::path::PathBuf;

const TARGETS: [&str; 4] = ["decode", "jit_vs_interp", "elf", "syscall_args"];
const TRIPLE: &str = "x86_64-unknown-linux-gnu";
const DEFAULT_SECONDS: u32 = 10;

/// What cargo-fuzz passes on a nightly compiler, less the address sanitizer: the guest's
/// memory is mapped at fixed addresses that it would claim.
const INSTRUMENTATION: &str = "--cfg fuzzing -Cpasses=sancov-module \
    -Cllvm-args=-sanitizer-coverage-level=4 \
    -Cllvm-args=-sanitizer-coverage-inline-8bit-counters \
    -Cllvm-args=-sanitizer-coverage-pc-table \
    -Cllvm-args=-sanitizer-coverage-trace-compares \
    -Ccodegen-units=1";

/// Runs the named target, or each for its share of time.
pub fn run(arguments: &[String]) -> Result<(), String> {
    let (targets, seconds) = parse(arguments)?;
    build(&targets)?;
    for target in targets {
        println!("\n==> fuzz {target}, {seconds} s");
        fuzz(target, seconds)?;
    }
    Ok(())
}

fn parse(arguments: &[String]) -> Result<(Vec<&'static str>, u32), String> {
    let (mut targets, mut seconds) = (Vec::new(), DEFAULT_SECONDS);
    let mut arguments = arguments.iter();
    while let Some(argument) = arguments.next() {
        if argument == "--seconds" {
            let value = arguments.next().ok_or("--seconds needs a number")?;
            seconds = value
                .parse()
                .map_err(|_| format!("--seconds needs a number, not '{value}'"))?;
        } else {
            let known = TARGETS.into_iter().find(|target| target == argument);
            targets.push(known.ok_or_else(|| format!("no fuzz target '{argument}'; there are {TARGETS:?}"))?);
        }
    }
    if targets.is_empty() {
        targets = TARGETS.to_vec();
    }
    Ok((targets, seconds))
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

fn fuzz(target: &str, seconds: u32) -> Result<(), String> {
    let program = fuzz_target_dir().join(TRIPLE).join("release").join(target);
    let (corpus, artifacts) = (
        workspace().join("fuzz/corpus").join(target),
        workspace().join("fuzz/artifacts").join(target),
    );
    for dir in [&corpus, &artifacts] {
        std::fs::create_dir_all(dir).map_err(|e| format!("{}: {e}", dir.display()))?;
    }
    // The guest's faults are handled by the emulator, not reported as the target's.
    let fault_flags = ["-handle_segv=0", "-handle_bus=0", "-handle_fpe=0"];
    let mut run = command(&program.to_string_lossy(), fault_flags);
    run.arg(format!("-max_total_time={seconds}"))
        .arg("-print_final_stats=1")
        .arg(format!("-artifact_prefix={}/", artifacts.display()))
        .arg(corpus);
    run_command(run)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_are_targets_and_seconds() {
        let parse = |words: &[&str]| parse(&words.iter().map(ToString::to_string).collect::<Vec<_>>());
        assert_eq!(parse(&[]), Ok((TARGETS.to_vec(), DEFAULT_SECONDS)));
        assert_eq!(parse(&["elf", "--seconds", "3"]), Ok((vec!["elf"], 3)));
        assert!(parse(&["--seconds"]).is_err());
        assert!(parse(&["--seconds", "x"]).is_err());
        assert!(parse(&["nothing"]).is_err());
    }
}
