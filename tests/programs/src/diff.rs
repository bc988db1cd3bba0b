//! Says where two outcomes differ, briefly enough to read in a log.

use crate::process::Outcome;

/// The differences as text, or nothing. `left` is called "expected".
pub fn explain(expected: &Outcome, actual: &Outcome) -> Option<String> {
    let mut text = String::new();
    if expected.end != actual.end {
        text.push_str(&format!(
            "    ended with {:?}, expected {:?}\n",
            actual.end, expected.end
        ));
    }
    for (name, left, right) in [
        ("stdout", &expected.stdout, &actual.stdout),
        ("stderr", &expected.stderr, &actual.stderr),
    ] {
        if left != right {
            text.push_str(&stream(name, left, right));
        }
    }
    (!text.is_empty()).then_some(text)
}

/// The first lines that differ, with their number.
fn stream(name: &str, expected: &[u8], actual: &[u8]) -> String {
    const SHOWN: usize = 6;
    let lines = |bytes: &[u8]| -> Vec<String> {
        bytes
            .split_inclusive(|&b| b == b'\n')
            .map(|line| line.escape_ascii().to_string())
            .collect()
    };
    let (left, right) = (lines(expected), lines(actual));
    let first = left.iter().zip(&right).take_while(|(a, b)| a == b).count();
    let mut text = format!(
        "    {name} differs from line {} on ({} bytes, expected {})\n",
        first + 1,
        actual.len(),
        expected.len()
    );
    for (mark, lines) in [("expected", &left), ("actual  ", &right)] {
        for line in lines.iter().skip(first).take(SHOWN) {
            let shown: String = line.chars().take(200).collect();
            text.push_str(&format!("      {mark} {shown}\n"));
        }
        if lines.len() > first + SHOWN {
            text.push_str(&format!(
                "      {mark} ... {} more lines\n",
                lines.len() - first - SHOWN
            ));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::process::End;
    use std::time::Duration;

    fn outcome(stdout: &str, code: i32) -> Outcome {
        Outcome {
            stdout: stdout.into(),
            stderr: Vec::new(),
            end: End::Status(code),
            elapsed: Duration::ZERO,
        }
    }

    #[test]
    fn equal_outcomes_have_no_difference() {
        assert_eq!(explain(&outcome("a\n", 0), &outcome("a\n", 0)), None);
    }

    #[test]
    fn differences_name_stream_line_and_status() {
        let text = explain(&outcome("a\nb\n", 0), &outcome("a\nc\n", 1)).expect("they differ");
        assert!(text.contains("ended with Status(1), expected Status(0)"));
        assert!(text.contains("stdout differs from line 2"));
        assert!(text.contains("expected b\\n") && text.contains("actual   c\\n"));
    }
}
