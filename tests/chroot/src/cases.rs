//! The notation of `cases.txt`: one command of a shell, run once for each interpreter and each set of flags.
//!
//! ```text
//! # comment
//! name [FLAGS FLAGS...] {INTERPRETER...}: command
//!   > line of standard output
//!   ! line of standard error
//!   = exit status, 0 if not given
//! ```
//!
//! `-` is an empty set of flags; without braces the interpreter is `raemu-aarch64`. `INTERP` in a line of output is
//! its path. A line of output that ends in `*` is a beginning. Words that end in NUL are shown between blanks, an
//! empty one as `""`.

/// One command with one registration.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Case {
    /// Name, flags and interpreter.
    pub title: String,
    pub flags: String,
    pub interpreter: String,
    pub command: String,
    pub stdout: Vec<String>,
    pub stderr: Vec<String>,
    pub status: i32,
}

/// Reads all cases.
///
/// # Errors
/// The line that makes no sense.
pub fn parse(text: &str) -> Result<Vec<Case>, String> {
    let mut cases: Vec<Case> = Vec::new();
    // How many of the last ones came from one line.
    let mut group = 0;
    for (index, line) in text.lines().enumerate() {
        let wrong = || format!("line {}: {line:?}", index + 1);
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let Some(detail) = line.strip_prefix("  ") else {
            let heads = head(line).ok_or_else(wrong)?;
            group = heads.len();
            cases.extend(heads);
            continue;
        };
        let (kind, rest) = detail.split_at_checked(1).ok_or_else(wrong)?;
        let rest = rest.strip_prefix(' ').unwrap_or(rest);
        let from = cases.len() - group;
        for case in &mut cases[from..] {
            let rest = rest.replace("INTERP", &case.interpreter);
            match kind {
                ">" => case.stdout.push(rest),
                "!" => case.stderr.push(rest),
                "=" => case.status = rest.parse().map_err(|_| wrong())?,
                _ => return Err(wrong()),
            }
        }
    }
    Ok(cases)
}

fn head(line: &str) -> Option<Vec<Case>> {
    let (name, rest) = line.split_once(" [")?;
    let (flags, rest) = rest.split_once(']')?;
    let (names, rest) = match rest.strip_prefix(" {") {
        Some(rest) => rest.split_once('}')?,
        None => ("raemu-aarch64", rest),
    };
    let command = rest.strip_prefix(": ")?;
    let mut cases = Vec::new();
    for interpreter in names.split_whitespace() {
        for flags in flags.split_whitespace() {
            cases.push(Case {
                title: format!("{name} [{flags}] {interpreter}"),
                flags: flags.trim_matches('-').to_string(),
                interpreter: format!("{}/{interpreter}", crate::workplace::EMULATORS),
                command: command.to_string(),
                ..Case::default()
            });
        }
    }
    (!cases.is_empty()).then_some(cases)
}

/// Output as the notation has it: a line with NULs is a list of words.
#[must_use]
pub fn lines(output: &[u8]) -> Vec<String> {
    let text = String::from_utf8_lossy(output);
    text.lines().map(words).collect()
}

fn words(line: &str) -> String {
    let Some(line) = line.strip_suffix('\0') else {
        return line.to_string();
    };
    let words = line.split('\0');
    let quoted: Vec<&str> = words
        .map(|word| if word.is_empty() { "\"\"" } else { word })
        .collect();
    quoted.join(" ")
}

/// Compares by the notation's rules.
#[must_use]
pub fn matches(expected: &[String], actual: &[String]) -> bool {
    let equal = |(expected, actual): (&String, &String)| match expected.strip_suffix('*') {
        Some(start) => actual.starts_with(start),
        None => expected == actual,
    };
    expected.len() == actual.len() && expected.iter().zip(actual).all(equal)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_makes_a_case_for_each_combination() {
        let cases = parse("# x\na [- PF] {i j}: do it\n  > INTERP\n  = 3\nb [F]: c\n").expect("fine");
        let titles: Vec<&str> = cases.iter().map(|case| case.title.as_str()).collect();
        assert_eq!(
            titles,
            [
                "a [-] i",
                "a [PF] i",
                "a [-] j",
                "a [PF] j",
                "b [F] raemu-aarch64"
            ]
        );
        assert_eq!(cases[0].flags, "");
        assert_eq!((cases[3].stdout[0].as_str(), cases[3].status), ("/mnt/bin/j", 3));
        assert_eq!((cases[4].stdout.len(), cases[4].status), (0, 0));
    }

    #[test]
    fn nonsense_is_refused() {
        for text in ["a: b", "a [F] b", "a []: b", "a [F]: b\n  ? x", "a [F]: b\n  = x"] {
            assert!(parse(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn words_and_beginnings() {
        assert_eq!(lines(b"a\0\0b\0\nplain\n\0\n"), ["a \"\" b", "plain", "\"\""]);
        let list = |words: &[&str]| words.iter().map(|word| (*word).to_string()).collect::<Vec<_>>();
        assert!(matches(&list(&["a*", "b"]), &list(&["abc", "b"])));
        assert!(!matches(&list(&["a"]), &list(&["abc"])));
        assert!(!matches(&list(&[]), &list(&["abc"])));
    }
}
