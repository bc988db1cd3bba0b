//! Reads the `*.isa` encoding tables, checks them and generates Rust.
//!
//! Place in the path: run by the build script of `a64-isa`. The format of the
//! tables is described in docs/isa-format.md.
//!
//! Invariants: a table that is wrong (bad bit count, unknown name, overlapping
//! rows) stops the build with file and line; what is generated depends on the
//! tables only, not on the order of directory entries.
#![forbid(unsafe_code)]

mod buckets;
mod check;
mod emit;
mod expr;
mod parse;

pub use parse::{Field, Row, Table, Text};

use std::fmt;

/// What is wrong with a table, and where.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Error {
    /// File name, as `dp_imm.isa`.
    pub file: String,
    /// Counted from 1.
    pub line: usize,
    pub message: String,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.file, self.line, self.message)
    }
}

impl std::error::Error for Error {}

/// Generates the decoder for tables given as (file name, text) pairs.
///
/// # Errors
/// The first thing that is wrong with the tables.
pub fn generate(sources: &[(String, String)]) -> Result<String, Error> {
    let mut sources: Vec<_> = sources.iter().collect();
    sources.sort();
    let mut tables = Vec::new();
    for (file, text) in sources {
        tables.push(parse::parse_table(file, text)?);
    }
    check::check(&tables)?;
    Ok(emit::emit(&tables))
}
