//! Rules for every text file: words that must not appear, blanks at the end, the length of some pages.

use super::Findings;

/// Put together from halves, so that this file passes its own check.
#[rustfmt::skip]
const FORBIDDEN: &[(&str, &str)] = &[
    (concat!("/wo", "rk/"), "a path of one machine"),
    (concat!("/home", "/"), "a path of one machine"),
    (concat!("/ro", "ot/."), "a path of one machine"),
    (concat!("deb.", "debian.org"), "a mirror's host name"),
    (concat!("archive.", "ubuntu.com"), "a mirror's host name"),
    (concat!("ports.", "ubuntu.com"), "a mirror's host name"),
    (concat!("Co-", "authored-by"), "not ours to say"),
    (concat!("<<<<", "<<< "), "a conflict"),
];

/// Recorded outputs of other programs are kept as they are.
fn is_recorded(path: &str) -> bool {
    path.ends_with(".out")
        || path.starts_with("tests/programs/fixtures/")
        || path.contains("/golden/")
        || path.contains("/vectors/")
        || path.contains("/regression/")
        || path == "Cargo.lock"
        || path.starts_with("LICENSE")
}

pub fn check(path: &str, content: &str, findings: &mut Findings) {
    for (index, line) in content.lines().enumerate() {
        for (word, why) in FORBIDDEN {
            if line.contains(word) {
                findings.error(path, index + 1, format!("'{word}': {why}"));
            }
        }
        if !is_recorded(path) && line.ends_with([' ', '\t']) {
            findings.error(path, index + 1, "blanks at the end of the line");
        }
    }
    if !is_recorded(path) && !content.is_empty() && !content.ends_with('\n') {
        findings.error(path, content.lines().count(), "no newline at the end");
    }
    const PAGE: usize = 300;
    if path == "docs/architecture.md" && content.lines().count() > PAGE {
        findings.error(path, PAGE, "the page is longer than 300 lines");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn errors(path: &str, content: &str) -> usize {
        let mut findings = Findings::default();
        check(path, content, &mut findings);
        findings.errors.len()
    }

    #[test]
    fn finds_words_blanks_and_missing_newlines() {
        assert_eq!(errors("a.md", "fine\n"), 0);
        assert_eq!(errors("a.md", concat!("see /wo", "rk/x\n")), 1);
        assert_eq!(errors("a.md", "blank \nno newline"), 2);
        assert_eq!(errors("tests/guest/c/a.out", "blank \nno newline"), 0);
        assert_eq!(errors("docs/architecture.md", &"line\n".repeat(301)), 1);
    }
}
