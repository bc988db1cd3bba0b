//! Families: what many rows have in common, said once.
//!
//! A family is a set of indented lines with `$parameters`. A row that names it behind its
//! pattern reads as if those lines stood under it, with the row's arguments for the parameters.
//! Among them is the call of the function in `semantics` that does what the family does.

use crate::parse::is_name;
use crate::{Error, Row, expr};

/// The parameter every family has: the row's name up to the first `_`.
const MNEMONIC: &str = "mnemonic";

/// A declaration: `family NAME(PARAMETERS)` and its lines.
pub struct Family {
    pub name: String,
    pub line: usize,
    /// Whether some row names it.
    pub used: bool,
    parameters: Vec<String>,
    lines: Vec<(usize, String)>,
}

/// What stands behind a row's pattern: `NAME(ARGUMENTS)`.
pub struct Use {
    pub name: String,
    arguments: Vec<String>,
}

/// Splits `name(a, b)` or `name`.
fn name_and_list(text: &str) -> Option<(&str, Vec<String>)> {
    let Some((name, rest)) = text.split_once('(') else {
        return is_name(text).then(|| (text, Vec::new()));
    };
    let inside = rest.strip_suffix(')')?;
    is_name(name).then(|| (name, split_list(inside)))
}

/// Splits at the commas that are outside of brackets.
fn split_list(text: &str) -> Vec<String> {
    let mut parts = vec![String::new()];
    let mut depth = 0;
    for c in text.chars() {
        match c {
            '(' | '[' | '{' => depth += 1,
            ')' | ']' | '}' => depth -= 1,
            _ => {}
        }
        match (c, depth, parts.last_mut()) {
            (',', 0, _) => parts.push(String::new()),
            (_, _, Some(last)) => last.push(c),
            (_, _, None) => {}
        }
    }
    parts.iter().map(|part| part.trim().to_owned()).collect()
}

impl Family {
    /// Parses what follows the word `family`.
    pub fn parse(file: &str, line: usize, text: &str) -> Result<Family, Error> {
        let fail = |message: String| Error {
            file: file.to_owned(),
            line,
            message,
        };
        let Some((name, parameters)) = name_and_list(text) else {
            return Err(fail(format!("`{text}` is not `NAME` or `NAME(PARAMETER, ..)`")));
        };
        for (n, parameter) in parameters.iter().enumerate() {
            if !is_name(parameter) || parameter == MNEMONIC || parameters[..n].contains(parameter) {
                return Err(fail(format!("family `{name}`: bad parameter `{parameter}`")));
            }
        }
        Ok(Family {
            name: name.to_owned(),
            line,
            used: false,
            parameters,
            lines: Vec::new(),
        })
    }

    /// Adds an indented line.
    pub fn push(&mut self, file: &str, line: usize, text: &str) -> Result<(), Error> {
        for parameter in parameters_in(text) {
            if parameter != MNEMONIC && !self.parameters.iter().any(|known| known == parameter) {
                return Err(Error {
                    file: file.to_owned(),
                    line,
                    message: format!("family `{}` has no parameter `${parameter}`", self.name),
                });
            }
        }
        self.lines.push((line, text.to_owned()));
        Ok(())
    }

    /// The lines as they read for a row, with their places.
    pub fn lines_for(&mut self, row: &Row, member: &Use) -> Result<Vec<(usize, String)>, Error> {
        self.used = true;
        let (wanted, given) = (self.parameters.len(), member.arguments.len());
        if wanted != given {
            let message = format!("family `{}` takes {wanted} arguments, not {given}", self.name);
            return Err(row.error(message));
        }
        let value = |name: &str| {
            let place = self.parameters.iter().position(|parameter| parameter == name);
            place.map_or_else(
                || row.name.split('_').next().unwrap_or(&row.name),
                |place| member.arguments[place].as_str(),
            )
        };
        let lines = self.lines.iter();
        Ok(lines
            .map(|(line, text)| (*line, substitute(text, value)))
            .collect())
    }
}

impl Use {
    /// Parses what stands behind the `:` of a row.
    pub fn parse(row: &Row, text: &str) -> Result<Use, Error> {
        match name_and_list(text) {
            Some((name, arguments)) => Ok(Use {
                name: name.to_owned(),
                arguments,
            }),
            None => Err(row.error(format!("`{text}` is not `FAMILY` or `FAMILY(ARGUMENT, ..)`"))),
        }
    }
}

/// The length of the name that `text` begins with.
fn name_length(text: &str) -> usize {
    let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    text.find(|c| !is_word(c)).unwrap_or(text.len())
}

fn parameters_in(text: &str) -> impl Iterator<Item = &str> {
    text.split('$').skip(1).map(|rest| &rest[..name_length(rest)])
}

/// Replaces each `$name`.
fn substitute<'v>(text: &str, value: impl Fn(&str) -> &'v str) -> String {
    let mut parts = text.split('$');
    let mut result = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (name, rest) = part.split_at(name_length(part));
        result.push_str(value(name));
        result.push_str(rest);
    }
    result
}

/// Checks `method(arguments)`; the method may have const arguments (`method::<2>(..)`).
pub fn check_call(row: &Row, line: usize, text: &str) -> Result<String, Error> {
    let text = text.trim();
    let (path, rest) = text.split_once('(').unwrap_or((text, ""));
    let name = path.split("::").next().unwrap_or(path);
    if !is_name(name) || !rest.ends_with(')') {
        return Err(row.error_at(line, format!("`= {text}` is not `= METHOD(ARGUMENTS)`")));
    }
    expr::check(row, line, text, false)?;
    Ok(text.to_owned())
}
