//! Running other programs: every child process of xtask starts here.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The workspace's root directory.
pub fn workspace() -> PathBuf {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR"));
    manifest
        .ancestors()
        .nth(2)
        .expect("crates/xtask lies two levels below the root")
        .to_path_buf()
}

/// Where cargo puts what it builds.
pub fn target_dir() -> PathBuf {
    match std::env::var_os("CARGO_TARGET_DIR") {
        Some(dir) => PathBuf::from(dir),
        None => workspace().join("target"),
    }
}

/// The emulator that the tests and benchmarks run: `RAEMU_UNDER_TEST`, or the release build.
pub fn emulator() -> PathBuf {
    match std::env::var_os("RAEMU_UNDER_TEST") {
        Some(path) => PathBuf::from(path),
        None => target_dir().join("x86_64-unknown-linux-gnu/release/raemu-aarch64"),
    }
}

pub fn command<S: AsRef<OsStr>>(program: &str, arguments: impl IntoIterator<Item = S>) -> Command {
    let mut command = Command::new(program);
    command
        .args(arguments)
        .current_dir(workspace())
        .stdin(Stdio::null());
    command
}

/// Runs a command with its output on ours; a non-zero status is an error that shows the command.
pub fn run(mut command: Command) -> Result<(), String> {
    let status = command
        .status()
        .map_err(|e| format!("cannot run {}: {e}", show(&command)))?;
    if status.success() {
        Ok(())
    } else {
        Err(format!("{} failed: {status}", show(&command)))
    }
}

/// Runs a command and returns its standard output.
pub fn capture(mut command: Command) -> Result<String, String> {
    let output = command
        .stderr(Stdio::piped())
        .output()
        .map_err(|e| format!("cannot run {}: {e}", show(&command)))?;
    if !output.status.success() {
        let stderr = String::from_utf8_lossy(&output.stderr);
        return Err(format!("{} failed: {}\n{stderr}", show(&command), output.status));
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// True when a program of this name is on PATH (or in a system directory that plain users do not search).
pub fn have(program: &str) -> bool {
    let path = std::env::var("PATH").unwrap_or_default();
    path.split(':')
        .chain(["/usr/sbin", "/sbin"])
        .any(|dir| Path::new(dir).join(program).is_file())
}

fn show(command: &Command) -> String {
    let mut text = command.get_program().to_string_lossy().into_owned();
    for argument in command.get_args() {
        text.push(' ');
        text.push_str(&argument.to_string_lossy());
    }
    const LONGEST: usize = 300;
    if text.len() > LONGEST {
        let cut = (0..=LONGEST)
            .rev()
            .find(|&i| text.is_char_boundary(i))
            .unwrap_or(0);
        text.truncate(cut);
        text.push_str(" ...");
    }
    text
}
