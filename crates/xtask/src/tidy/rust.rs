//! Rules for Rust sources, checked line by line on what rustfmt leaves: a function ends at the brace in its own column.

use super::Findings;

const FILE_LIMIT: usize = 1000;
const FILE_AIM: usize = 500;
/// Above the aim by this much only for a match over an enum, one line a variant.
const FUNCTION_LIMIT: usize = 150;
const FUNCTION_AIM: usize = 60;

/// How far above an unsafe block its comment may begin.
const SAFETY_DISTANCE: usize = 12;

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

#[rustfmt::skip]
const FORBIDDEN: &[(&str, &str)] = &[
    (concat!("static ", "mut "), "use an atomic or a lock"),
    (concat!("todo", "!("), "unfinished"),
    (concat!("unimplemented", "!("), "unfinished"),
    (concat!("dbg", "!("), "left over from debugging"),
    (concat!("#[ign", "ore"), "a test that does not run"),
];

/// Tables may be as long as what they list.
fn is_table(path: &str) -> bool {
    path.contains("/src/nr/") || path.ends_with("/table.rs") || path.ends_with("/table_data.rs")
}

fn is_test(path: &str) -> bool {
    path.starts_with("tests/")
        || path.contains("/tests/")
        || path.ends_with("tests.rs")
        || path.contains("/benches/")
        || path.contains("/examples/")
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
    length(path, lines.len(), findings);
    functions(path, &lines, findings);
    let mut in_tests = is_test(path);
    for (index, line) in lines.iter().enumerate() {
        // Test modules come last in our files.
        in_tests |=
            line.starts_with("#[cfg(test)]") && lines.get(index + 1).is_some_and(|l| l.starts_with("mod "));
        let code = line.split("//").next().unwrap_or_default();
        for (word, why) in FORBIDDEN {
            if code.contains(word) {
                findings.error(path, index + 1, format!("'{word}': {why}"));
            }
        }
        if !in_tests && code.contains(concat!(".unw", "rap()")) {
            findings.error(path, index + 1, "unwrap outside tests: expect(\"why it holds\")");
        }
        if opens_unsafe(code) && !explained(&lines, index) {
            findings.error(path, index + 1, "unsafe without a SAFETY comment");
        }
    }
}

fn length(path: &str, lines: usize, findings: &mut Findings) {
    if lines > FILE_LIMIT && !is_table(path) {
        findings.error(path, lines, format!("{lines} lines: at most {FILE_LIMIT}"));
    } else if lines > FILE_AIM && !is_table(path) {
        findings.remark(path, lines, format!("{lines} lines: aim at {FILE_AIM}"));
    }
}

fn functions(path: &str, lines: &[&str], findings: &mut Findings) {
    for (index, line) in lines.iter().enumerate() {
        let indent = line.len() - line.trim_start().len();
        if !starts_function(line.trim_start()) || !has_body(&lines[index..]) {
            continue;
        }
        let closing = format!("{}}}", &line[..indent]);
        let Some(last) = lines[index..].iter().position(|line| line.starts_with(&closing)) else {
            continue;
        };
        let length = last + 1;
        if length > FUNCTION_LIMIT && !is_test(path) {
            findings.error(
                path,
                index + 1,
                format!("a function of {length} lines: at most {FUNCTION_LIMIT}"),
            );
        } else if length > FUNCTION_AIM {
            findings.remark(
                path,
                index + 1,
                format!("a function of {length} lines: aim at {FUNCTION_AIM}"),
            );
        }
    }
}

/// A declaration ends in a semicolon before any body opens.
fn has_body(lines: &[&str]) -> bool {
    let end = lines
        .iter()
        .find(|line| line.ends_with('{') || line.ends_with(';') || line.ends_with('}'));
    end.is_some_and(|line| line.ends_with('{'))
}

fn starts_function(line: &str) -> bool {
    let mut words = line.split(' ').filter(|word| !word.is_empty());
    loop {
        match words.next() {
            Some("fn") => return true,
            Some("const" | "async" | "unsafe" | "extern" | "\"C\"" | "\"sysv64\"") => {}
            Some(word) if word.starts_with("pub") || word == "crate)" || word == "super)" => {}
            Some(_) | None => return false,
        }
    }
}

fn opens_unsafe(code: &str) -> bool {
    code.contains(concat!("uns", "afe {")) || code.contains(concat!("uns", "afe impl "))
}

fn explained(lines: &[&str], index: usize) -> bool {
    let from = index.saturating_sub(SAFETY_DISTANCE);
    lines[from..=index]
        .iter()
        .any(|line| line.contains("SAFETY") || line.contains("# Safety"))
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
        let long = format!("//! x\nfn f() {{\n{}}}\n", "    g();\n".repeat(160));
        for (content, error) in [
            ("fn f() {}\n", "a.rs:1: the file does not open with '//!'"),
            (
                "//! x\nfn f() { g().unwrap(); }\n",
                "a.rs:2: unwrap outside tests: expect(\"why it holds\")",
            ),
            (
                "//! x\nfn f() {\n    unsafe { g() }\n}\n",
                "a.rs:3: unsafe without a SAFETY comment",
            ),
            (long.as_str(), "a.rs:2: a function of 162 lines: at most 150"),
        ] {
            assert_eq!(errors("a.rs", content), [error]);
        }
    }

    #[test]
    fn tests_may_unwrap_and_comments_explain_unsafe() {
        let content = "//! x\n// SAFETY: so.\nunsafe impl Send for X {}\n#[cfg(test)]\nmod tests {\n    fn f() { g().unwrap(); }\n}\n";
        assert!(errors("a.rs", content).is_empty());
    }

    #[test]
    fn functions_are_recognised_with_their_qualifiers() {
        assert!(starts_function("pub(crate) const unsafe extern \"C\" fn f() {"));
        assert!(!starts_function("let f = fn_pointer;"));
    }
}
