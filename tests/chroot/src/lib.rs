//! What the tests of the emulator as binfmt_misc interpreter share.
//!
//! `tests/interpreter.rs` runs the lines of `cases.txt`: what a guest sees, and what the host sees of it, for each
//! combination of flags. `tests/debian.rs` makes Debian file systems by debootstrap and works in them by chroot.
//!
//! Invariant: registrations and mounts are made in namespaces of the test's own ([`namespace`]); nothing of the
//! machine's binfmt_misc is seen, and nothing changed.
#![forbid(unsafe_code)]

pub mod cases;
pub mod debian;
pub mod namespace;
pub mod registry;
pub mod workplace;

use std::process::ExitCode;

/// Why a test binary cannot run its cases.
#[derive(Debug)]
pub enum Stop {
    /// This machine or user has not got what it takes, which is no fault of the emulator's.
    Skip(String),
    Fail(String),
}

impl From<String> for Stop {
    fn from(message: String) -> Stop {
        Stop::Fail(message)
    }
}

impl Stop {
    /// Says so, with the closing line that a runner prints.
    pub fn report(&self, test: &str) -> ExitCode {
        match self {
            Stop::Skip(why) => {
                test_support::skipped(test, why);
                test_support::counted(0, 0, 1);
                ExitCode::SUCCESS
            }
            Stop::Fail(why) => {
                eprintln!("{test}: {why}");
                println!("0 passed, 1 failed");
                ExitCode::FAILURE
            }
        }
    }
}

/// Runs a program that prepares something; its words are shown if it fails.
///
/// # Errors
/// The command and what it printed.
pub fn prepare(words: &[&str]) -> Result<(), String> {
    let output = std::process::Command::new(words[0])
        .args(&words[1..])
        .stdin(std::process::Stdio::null())
        .output()
        .map_err(|e| format!("{}: {e}", words[0]))?;
    if output.status.success() {
        return Ok(());
    }
    let text = [output.stdout, output.stderr].concat();
    Err(format!(
        "{} ended with {}:\n{}",
        words.join(" "),
        output.status,
        String::from_utf8_lossy(&text)
    ))
}
