//! What the test programs of all crates share: golden files and how they are blessed
//! ([`Goldens`]), and how a test says that it was not tried ([`skipped`]).
//!
//! Place in the path: a dev-dependency of whoever tests, above no other crate.
#![forbid(unsafe_code)]

mod golden;

pub use golden::{Goldens, blessing, difference, how_to_bless};

use std::io::Write as _;

/// Says on standard output that `name` was not tried here, and why; `cargo xtask test` counts
/// such lines and names them at its end. Never in place of a test that could have run.
pub fn skipped(name: &str, reason: &str) {
    let reason = reason.trim().replace('\n', "; ");
    // Not by `println!`: libtest keeps that to itself if the test passes.
    let _ = writeln!(std::io::stdout(), "skipped: {name}: {reason}");
}

/// The counts of a test that goes through cases of its own, for `cargo xtask test` to add up; each
/// skipped one was named by [`skipped`].
pub fn counted(passed: usize, failed: usize, skipped: usize) {
    let _ = writeln!(
        std::io::stdout(),
        "{passed} passed, {failed} failed, {skipped} skipped"
    );
}

/// Passes on what a test started in a process of its own said by [`skipped`]: its output is given.
pub fn skipped_inside(output: &str) {
    for line in output.lines().filter(|line| line.starts_with("skipped: ")) {
        let _ = writeln!(std::io::stdout(), "{line}");
    }
}
