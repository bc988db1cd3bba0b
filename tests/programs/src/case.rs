//! The list of command lines: its notation and parser.
//!
//! ```text
//! [group]
//! name: program argument 'quoted argument'       runs the program directly
//! name: $ shell line | with pipes                runs bash -c
//! name {timeout=300}: ...                        seconds under the emulator (60 if not given)
//! name {numbers}: ...                            each run of digits is compared as N
//! ```
//! A line that ends in a backslash goes on in the next one.

use std::time::Duration;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Case {
    pub name: String,
    pub argv: Vec<String>,
    pub timeout: Duration,
    /// Measured values differ from run to run: compare them as N.
    pub hide_numbers: bool,
}

/// Parses the whole list; the error names the line.
pub fn parse(text: &str) -> Result<Vec<Case>, String> {
    let mut cases: Vec<Case> = Vec::new();
    let mut group = String::new();
    let mut pending = String::new();
    for (index, line) in text.lines().enumerate() {
        if pending.is_empty() && (line.trim().is_empty() || line.starts_with('#')) {
            continue;
        }
        if let Some(part) = line.strip_suffix('\\') {
            pending.push_str(part.trim_start());
            continue;
        }
        pending.push_str(if pending.is_empty() {
            line
        } else {
            line.trim_start()
        });
        let line = std::mem::take(&mut pending);
        if let Some(name) = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            group = name.to_string();
            continue;
        }
        let case = parse_case(&line, &group).map_err(|e| format!("line {}: {e}", index + 1))?;
        if cases.iter().any(|other| other.name == case.name) {
            return Err(format!(
                "line {}: a second case is called {}",
                index + 1,
                case.name
            ));
        }
        cases.push(case);
    }
    Ok(cases)
}

fn parse_case(line: &str, group: &str) -> Result<Case, String> {
    let (head, commandline) = line.split_once(": ").ok_or("expected 'name: command'")?;
    let (name, tags) = match head.split_once(" {") {
        Some((name, tags)) => (name, tags.strip_suffix('}').ok_or("'{' without '}'")?),
        None => (head, ""),
    };
    let mut case = Case {
        name: format!("{group}-{name}"),
        argv: words(commandline.trim())?,
        timeout: Duration::from_secs(60),
        hide_numbers: false,
    };
    for tag in tags.split_whitespace() {
        match tag.split_once('=') {
            None if tag == "numbers" => case.hide_numbers = true,
            Some(("timeout", seconds)) => {
                case.timeout = Duration::from_secs(seconds.parse().map_err(|_| "timeout is no number")?);
            }
            Some(_) | None => return Err(format!("unknown tag '{tag}'")),
        }
    }
    Ok(case)
}

/// Splits a command line; `$ ` hands it to bash whole.
fn words(line: &str) -> Result<Vec<String>, String> {
    if let Some(script) = line.strip_prefix("$ ") {
        return Ok(["/usr/bin/bash", "-c", script].map(String::from).to_vec());
    }
    let mut words = Vec::new();
    let mut rest = line.trim_start();
    while !rest.is_empty() {
        let (word, after) = word(rest)?;
        words.push(word);
        rest = after.trim_start();
    }
    let program = words.first_mut().ok_or("empty command")?;
    if !program.starts_with('/') {
        program.insert_str(0, "/usr/bin/");
    }
    Ok(words)
}

/// One word with its quotes removed, and what follows. A quote may stand inside a word; there are no escapes.
fn word(text: &str) -> Result<(String, &str), String> {
    let mut word = String::new();
    let mut quote = None;
    for (index, c) in text.char_indices() {
        match (quote, c) {
            (None, '\'' | '"') => quote = Some(c),
            (Some(q), c) if q == c => quote = None,
            (None, c) if c.is_whitespace() => return Ok((word, &text[index..])),
            (None | Some(_), c) => word.push(c),
        }
    }
    if quote.is_some() {
        Err("unclosed quote".to_string())
    } else {
        Ok((word, ""))
    }
}

/// Replaces each run of digits and points by N, and each run of blanks by one: columns move with the numbers.
pub fn hide_numbers(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut last = 0;
    for &byte in text {
        let class = match byte {
            b'0'..=b'9' | b'.' => b'N',
            b' ' | b'\t' => b' ',
            other => other,
        };
        if !(class == last && (class == b'N' || class == b' ')) {
            out.push(class);
        }
        last = class;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parses_groups_tags_quotes_and_continuations() {
        let text = "# c\n[core]\nls: ls -l 'a b'\n[x]\ny {timeout=5 numbers}: $ a | \\\n    b\n";
        let cases = parse(text).expect("a valid list");
        assert_eq!(cases[0].name, "core-ls");
        assert_eq!(cases[0].argv, ["/usr/bin/ls", "-l", "a b"]);
        assert_eq!(cases[1].argv, ["/usr/bin/bash", "-c", "a | b"]);
        assert_eq!(cases[1].timeout, Duration::from_secs(5));
        assert!(cases[1].hide_numbers);
    }

    #[test]
    fn errors_name_the_line() {
        for (text, error) in [
            ("[g]\nx y\n", "line 2: expected 'name: command'"),
            ("a: ls 'b\n", "line 1: unclosed quote"),
            ("a {b}: ls\n", "line 1: unknown tag 'b'"),
            ("a: ls\na: ls\n", "line 2: a second case is called -a"),
        ] {
            assert_eq!(parse(text), Err(error.to_string()));
        }
    }

    #[test]
    fn numbers_and_columns_are_hidden() {
        assert_eq!(hide_numbers(b"took  1.25 s, 3"), b"took N s, N");
    }
}
