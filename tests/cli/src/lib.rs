//! The notation of `cases.txt`.
//!
//! ```text
//! name: VARIABLE=value ... word 'quoted word' ...      the emulator's environment and arguments
//!   > a line of standard output
//!   ! a line of standard error
//!   = 1                                                exit status, or `signal 11`; 0 if not given
//! name {own}: ...                                      qemu answers otherwise, or not at all
//! ```
//! In expected lines `EMULATOR` stands for the emulator's file name, and a line `...` for any
//! lines. Files named are in the working directory: `show` and the variants of it.
#![forbid(unsafe_code)]

#[derive(Debug, Default, PartialEq, Eq)]
pub struct Case {
    pub name: String,
    /// Left out when qemu itself is under test.
    pub own: bool,
    pub env: Vec<(String, String)>,
    pub args: Vec<String>,
    pub stdout: Vec<String>,
    pub stderr: Vec<String>,
    pub end: String,
}

/// Parses the whole list; the error names the line.
pub fn parse(text: &str) -> Result<Vec<Case>, String> {
    let mut cases: Vec<Case> = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let wrong = |what: &str| format!("line {}: {what}", index + 1);
        if line.trim().is_empty() || line.starts_with('#') {
            continue;
        }
        let Some(expected) = line.strip_prefix("  ") else {
            let case = parse_head(line).map_err(|what| wrong(&what))?;
            if cases.iter().any(|other| other.name == case.name) {
                return Err(wrong("a second case of this name"));
            }
            cases.push(case);
            continue;
        };
        let case = cases.last_mut().ok_or_else(|| wrong("no case yet"))?;
        let (mark, rest) = expected.split_at(1);
        let rest = rest.strip_prefix(' ').unwrap_or(rest).to_owned();
        match mark {
            ">" => case.stdout.push(rest),
            "!" => case.stderr.push(rest),
            "=" => case.end = rest,
            _ => return Err(wrong("expected '>', '!' or '='")),
        }
    }
    Ok(cases)
}

fn parse_head(line: &str) -> Result<Case, String> {
    let (name, words) = line.split_once(':').ok_or("expected 'name: words'")?;
    let own = name.strip_suffix(" {own}");
    let mut case = Case {
        name: own.unwrap_or(name).to_owned(),
        own: own.is_some(),
        end: "0".to_owned(),
        ..Case::default()
    };
    for word in split(words)? {
        match word.split_once('=') {
            Some((key, value)) if case.args.is_empty() && is_variable(key) => {
                case.env.push((key.to_owned(), value.to_owned()));
            }
            _ => case.args.push(word),
        }
    }
    Ok(case)
}

fn is_variable(key: &str) -> bool {
    !key.is_empty()
        && key
            .chars()
            .all(|c| c.is_ascii_uppercase() || c == '_' || c.is_ascii_digit())
}

/// Splits at spaces outside of single quotes.
fn split(text: &str) -> Result<Vec<String>, String> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut quoted = false;
    for c in text.chars() {
        match c {
            '\'' => {
                quoted = !quoted;
                word.get_or_insert_default();
            }
            ' ' if !quoted => words.extend(word.take()),
            _ => word.get_or_insert_default().push(c),
        }
    }
    if quoted {
        return Err("a quote is not closed".to_owned());
    }
    words.extend(word);
    Ok(words)
}

/// Whether the lines are the expected ones; `...` stands for any number of lines.
pub fn matches(expected: &[String], actual: &[&str]) -> bool {
    match expected.split_first() {
        None => actual.is_empty(),
        Some((first, rest)) if first == "..." => {
            (0..=actual.len()).any(|skipped| matches(rest, &actual[skipped..]))
        }
        Some((first, rest)) => {
            actual.first().is_some_and(|line| line == first) && matches(rest, &actual[1..])
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_case_reads_as_written() {
        let cases =
            parse("# c\na {own}: X=1 -E 'b c' Y=2 ''\n  > out\n  ! err\n  = 4\n\nb: x\n").expect("valid");
        let words = |list: &[&str]| list.iter().map(|&word| word.to_owned()).collect::<Vec<_>>();
        assert_eq!(cases.len(), 2);
        let case = &cases[0];
        assert!(case.own && case.name == "a" && case.end == "4");
        assert_eq!(case.env, [("X".to_owned(), "1".to_owned())]);
        assert_eq!(case.args, words(&["-E", "b c", "Y=2", ""]));
        assert_eq!((&case.stdout, &case.stderr), (&words(&["out"]), &words(&["err"])));
        assert_eq!(cases[1].end, "0");
    }

    #[test]
    fn mistakes_name_their_line() {
        for (text, line) in [
            ("x\n", 1),
            ("a: b\na: c\n", 2),
            ("  > x\n", 1),
            ("a: 'b\n", 1),
            ("a: b\n  ? c\n", 2),
        ] {
            let error = parse(text).expect_err(text);
            assert!(error.starts_with(&format!("line {line}:")), "{error}");
        }
    }

    #[test]
    fn three_dots_stand_for_any_lines() {
        let expected = ["a".to_owned(), "...".to_owned(), "z".to_owned()];
        assert!(matches(&expected, &["a", "z"]) && matches(&expected, &["a", "b", "c", "z"]));
        assert!(!matches(&expected, &["a", "b"]) && !matches(&expected, &["b", "z"]));
    }
}
