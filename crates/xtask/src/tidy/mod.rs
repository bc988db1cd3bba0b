//! `cargo xtask tidy`: the rules of style that neither rustfmt nor clippy checks.
//!
//! Breaches fail; what is merely long is listed with `--verbose`.

mod crates;
mod rust;
mod text;

use std::fs;
use std::path::Path;

use crate::shell::{capture, command, workspace};

/// What a check found in one file.
#[derive(Default)]
pub struct Findings {
    pub errors: Vec<String>,
    pub remarks: Vec<String>,
}

impl Findings {
    fn error(&mut self, path: &str, line: usize, what: impl AsRef<str>) {
        self.errors.push(format!("{path}:{line}: {}", what.as_ref()));
    }

    fn remark(&mut self, path: &str, line: usize, what: impl AsRef<str>) {
        self.remarks.push(format!("{path}:{line}: {}", what.as_ref()));
    }
}

/// Checks every file that git knows.
pub fn run(arguments: &[String]) -> Result<(), String> {
    let verbose = arguments.iter().any(|argument| argument == "--verbose");
    let findings = check(&workspace())?;
    if verbose {
        for remark in &findings.remarks {
            println!("remark: {remark}");
        }
    }
    for error in &findings.errors {
        println!("error: {error}");
    }
    println!(
        "tidy: {} errors, {} remarks",
        findings.errors.len(),
        findings.remarks.len()
    );
    if findings.errors.is_empty() {
        Ok(())
    } else {
        Err("the tree is not tidy".to_string())
    }
}

fn check(root: &Path) -> Result<Findings, String> {
    let mut findings = Findings::default();
    let listing = capture(command(
        "git",
        ["ls-files", "--cached", "--others", "--exclude-standard"],
    ))?;
    for path in listing.lines() {
        // A file that is staged as deleted, or a vector of raw bytes, has no text to check.
        let Ok(content) = fs::read_to_string(root.join(path)) else {
            continue;
        };
        text::check(path, &content, &mut findings);
        if path.ends_with(".rs") {
            rust::check(path, &content, &mut findings);
        }
    }
    crates::check(root, &mut findings)?;
    Ok(findings)
}
