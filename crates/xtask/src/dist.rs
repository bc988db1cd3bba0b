//! `cargo xtask dist`: the packages, made and checked by the crate `dist`, which has the dependencies that takes.

use crate::shell::{command, run as run_command, target_dir};

/// Hands the arguments on; paths among them are relative to where xtask was started.
pub fn run(arguments: &[String]) -> Result<(), String> {
    let mut cargo = command("cargo", ["run", "--quiet", "--package", "dist", "--"]);
    let here = std::env::current_dir().map_err(|e| format!("the working directory: {e}"))?;
    cargo.args(arguments).current_dir(here);
    run_command(cargo)
}

/// Packages of the release build that is there, and what must hold of them.
pub fn verify() -> Result<(), String> {
    on_release(&["--verify"])
}

/// Two builds in two folders: the same bytes. Takes two release builds' time.
pub fn check() -> Result<(), String> {
    run(&["--check".to_string()])
}

/// Installs the packages in throw-away systems. Needs the distribution's mirror.
pub fn install() -> Result<(), String> {
    on_release(&["--install"])
}

fn on_release(arguments: &[&str]) -> Result<(), String> {
    let programs = target_dir().join("x86_64-unknown-linux-gnu/release");
    let out = target_dir().join("dist-tested");
    let mut all = vec!["--programs".to_string(), programs.display().to_string()];
    all.extend(["--out".to_string(), out.display().to_string()]);
    all.extend(arguments.iter().map(ToString::to_string));
    run(&all)
}
