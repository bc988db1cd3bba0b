//! Rules for Rust sources that no lint of rustc or clippy has, checked line by line. Lengths are hints: a long match over
//! an enum reads better whole than in pieces.

use super::Findings;

const FILE_AIM: usize = 500;

/// Crates that state at their root that they hold no unsafe code.
const SAFE_CRATES: &[&str] = &[
    "a64-isa",
    "a64-isa-gen",
    "semantics",
    "soft",
    "interp",
    "guest",
    "linux-abi",
    "elf-loader",
];

/// Tables may be as long as what they list.
fn is_table(path: &str) -> bool {
    path.contains("/src/nr/") || path.ends_with("/table.rs") || path.ends_with("/table_data.rs")
}

pub fn check(path: &str, content: &str, findings: &mut Findings) {
    let lines: Vec<&str> = content.lines().collect();
    if !lines.first().is_some_and(|line| line.starts_with("//!")) {
        findings.error(path, 1, "the file does not open with '//!'");
    }
    for name in SAFE_CRATES {
        if path == format!("crates/{name}/src/lib.rs") && !content.contains("#![forbid(unsafe_code)]") {
            findings.error(path, 1, "the crate does not forbid unsafe code");
        }
    }
    if lines.len() > FILE_AIM && !is_table(path) {
        let count = lines.len();
        findings.remark(path, count, format!("{count} lines: aim at {FILE_AIM}"));
    }
    let ignored = concat!("#[ign", "ore");
    for (index, _) in lines
        .iter()
        .enumerate()
        .filter(|(_, line)| line.contains(ignored))
    {
        findings.error(path, index + 1, "a test that does not run");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn errors(path: &str, content: &str) -> Vec<String> {
        let mut findings = Findings::default();
        check(path, content, &mut findings);
        findings.errors
    }

    #[test]
    fn each_rule_finds_its_breach() {
        for (path, content, error) in [
            ("a.rs", "fn f() {}\n", "a.rs:1: the file does not open with '//!'"),
            (
                "a.rs",
                concat!("//! x\n#[ign", "ore]\n"),
                "a.rs:2: a test that does not run",
            ),
            (
                "crates/guest/src/lib.rs",
                "//! x\n",
                "crates/guest/src/lib.rs:1: the crate does not forbid unsafe code",
            ),
        ] {
            assert_eq!(errors(path, content), [error]);
        }
    }

    #[test]
    fn length_is_a_remark() {
        let mut findings = Findings::default();
        check(
            "a.rs",
            &format!("//! x\n{}", "\n".repeat(FILE_AIM)),
            &mut findings,
        );
        assert!(findings.errors.is_empty());
        assert_eq!(findings.remarks, ["a.rs:501: 501 lines: aim at 500"]);
    }
}
