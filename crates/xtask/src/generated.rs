//! `cargo xtask docs` and `cargo xtask bless`: write anew what is made from the tables and kept in git.
//!
//! Each generated file has a test that fails when it is stale; with `RAEMU_BLESS=1` the same test writes it.

use crate::report::{note, step};
use crate::shell::{capture, command, run as run_command};

/// Tests that own a page of docs/generated/.
const PAGES: &[&[&str]] = &[
    &["-p", "jit-x64", "--test", "coverage"],
    &["-p", "linux-user", "--lib", "the_support_page_is_fresh"],
];

/// Tests that own goldens of code.
const GOLDENS: &[&[&str]] = &[
    &["-p", "semantics", "--test", "listing"],
    &["-p", "jit-x64", "--test", "goldens"],
];

/// Writes the pages.
pub fn docs() -> Result<(), String> {
    bless(PAGES)?;
    changes("docs/generated")
}

/// Writes the goldens; the difference is to be reviewed before it is committed.
pub fn goldens() -> Result<(), String> {
    bless(GOLDENS)?;
    changes(".")
}

fn bless(tests: &[&[&str]]) -> Result<(), String> {
    for arguments in tests {
        step(
            &format!("RAEMU_BLESS=1 cargo test {}", arguments.join(" ")),
            || {
                let mut command = command("cargo", ["test", "--quiet"]);
                command.args(*arguments).env("RAEMU_BLESS", "1");
                run_command(command)
            },
        )?;
    }
    Ok(())
}

fn changes(below: &str) -> Result<(), String> {
    let changed = capture(command("git", ["status", "--short", "--", below]))?;
    note(if changed.is_empty() {
        "nothing has changed"
    } else {
        "changed since the last commit:"
    });
    print!("{changed}");
    Ok(())
}
