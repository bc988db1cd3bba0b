//! Looks at the Rust expressions in a table: which fields they use.
//!
//! The expressions are compiled as they stand; this module only finds misspelt
//! fields early, to name the table's line.

use crate::{Error, Row};

/// Words of an expression that are not fields.
const WORDS: &[&str] = &[
    "as", "else", "false", "if", "true", "u8", "u16", "u32", "u64", "i8", "i16", "i32", "i64", "usize",
];

/// The names in `text` that stand for values: not functions, methods, paths or [`WORDS`].
pub fn names(text: &str) -> Vec<&str> {
    let bytes = text.as_bytes();
    let is_word = |b: u8| b.is_ascii_alphanumeric() || b == b'_';
    let mut found = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        if !is_word(bytes[at]) {
            at += 1;
            continue;
        }
        let start = at;
        while at < bytes.len() && is_word(bytes[at]) {
            at += 1;
        }
        let word = &text[start..at];
        let before = text[..start].trim_end();
        let after = text[at..].trim_start();
        // `.` before a name makes it a method, `..` a range.
        let is_method = before.ends_with('.') && !before.ends_with("..");
        let is_value = word.starts_with(|c: char| c.is_ascii_lowercase())
            && !WORDS.contains(&word)
            && !is_method
            && !before.ends_with("::")
            && !before.ends_with('\'')
            && !in_string(&text[..start])
            && !after.starts_with('(')
            && !after.starts_with("::");
        if is_value && !found.contains(&word) {
            found.push(word);
        }
    }
    found
}

/// Whether an odd number of double quotes precedes.
fn in_string(before: &str) -> bool {
    before.matches('"').count() % 2 == 1
}

/// Checks that every name is a field of the row (or `pc`, where that is allowed).
pub fn check(row: &Row, line: usize, text: &str, allow_pc: bool) -> Result<(), Error> {
    for name in names(text) {
        let known = row.fields.iter().any(|field| field.name == name) || (allow_pc && name == "pc");
        if !known {
            return Err(row.error_at(line, format!("unknown field `{name}` in `{}`", text.trim())));
        }
    }
    Ok(())
}
