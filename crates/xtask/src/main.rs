//! The project's chores, one command each: `cargo xtask COMMAND`.
//!
//! Nothing here is part of the emulator. Of the workspace it uses program-tests, which knows the root file systems' places, and
//! from outside only nix and the little that comes with these, so that a first `cargo xtask` on a fresh machine compiles in
//! seconds.
#![forbid(unsafe_code)]

mod apt;
mod bench;
mod demo;
mod dist;
mod fuzz;
mod generated;
mod report;
mod rootfs;
mod sequences;
mod setup;
mod shell;
mod shipped;
mod suite;
mod tidy;

use std::process::ExitCode;

const USAGE: &str = "\
usage: cargo xtask COMMAND

  setup            install the distribution packages that the commands below need
  rootfs           build the arm64 and amd64 root file systems under rootfs/
  demo             setup, build, rootfs, then run a few arm64 programs and print what they say
  vectors          record the instruction vectors of tests/insn from qemu-aarch64-static
  docs             write docs/generated/ anew
  bless            write the goldens of code anew; review the difference
  tidy             rules of style that rustfmt and clippy do not check [--verbose]
  test             all checks and tests, with all set-up [--long | --only STEP]
  bench            whole programs under raemu-aarch64, qemu-aarch64-static and natively, as one table
                   [--group NAME,...] [--only NAME] [--runs N] [--markdown]
                   [--against FILE | --fp-checks]: another build, or checks instead of traps, and this one
  dist             packages in target/dist/: tarball, .deb, OCI image
                   [--out DIR] [--programs DIR] [--verify | --check | --install]
  fuzz             the targets of fuzz/, or the named ones [TARGET...] [--seconds N] [--seed N]
  sequences        random sequences under interpreter, JIT and the newest qemu-user of Debian
                   [--count N] [--first SEED] [--jobs N]
";

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let command = arguments.next();
    let rest: Vec<String> = arguments.collect();
    let result = match command.as_deref() {
        Some("setup") => setup::run(),
        Some("rootfs") => rootfs::run(),
        Some("demo") => demo::run(),
        Some("test") => suite::run(&rest),
        Some("dist") => dist::run(&rest),
        Some("bench") => bench::run(&rest),
        // The recorder needs the instruction tables, which xtask does not depend on.
        Some("vectors") => shell::run(shell::command(
            "cargo",
            ["run", "--quiet", "--package", "insn-tests", "--", "record"],
        )),
        Some("fuzz") => fuzz::run(&rest),
        Some("sequences") => sequences::run(&rest).map(|_| ()),
        Some("tidy") => tidy::run(&rest),
        Some("docs") => generated::docs(),
        Some("bless") => generated::goldens(),
        Some("help" | "--help" | "-h") => {
            print!("{USAGE}");
            Ok(())
        }
        Some(other) => Err(format!("unknown command '{other}' {rest:?}\n\n{USAGE}")),
        None => Err(USAGE.to_string()),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("xtask: {message}");
            ExitCode::FAILURE
        }
    }
}
