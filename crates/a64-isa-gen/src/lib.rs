//! Reads the `*.isa` encoding tables, checks them and generates Rust.
//!
//! Place in the path: run by the build scripts of `a64-isa` (decoder, disassembler, sampler)
//! and of `semantics` (what each row does). The format of the tables is described in
//! docs/isa-format.md.
//!
//! Invariants: a table that is wrong (bad bit count, unknown name, overlapping
//! rows) stops the build with file and line; what is generated depends on the
//! tables only, not on the order of directory entries.
#![forbid(unsafe_code)]

mod buckets;
mod check;
mod emit;
mod expr;
mod family;
mod parse;
mod play;

pub use parse::{Call, Field, Row, Table, Text};

use std::fmt;
use std::path::Path;

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

/// The tables of a folder as (file name, text) pairs.
///
/// # Errors
/// What could not be read.
pub fn read_folder(folder: &Path) -> Result<Vec<(String, String)>, String> {
    let fail = |path: &Path, error: std::io::Error| format!("{}: {error}", path.display());
    let mut sources = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(|error| fail(folder, error))? {
        let path = entry.map_err(|error| fail(folder, error))?.path();
        if path.extension().is_some_and(|extension| extension == "isa") {
            let text = std::fs::read_to_string(&path).map_err(|error| fail(&path, error))?;
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            sources.push((name.into_owned(), text));
        }
    }
    Ok(sources)
}

/// Generates the decoder for tables given as (file name, text) pairs.
///
/// # Errors
/// The first thing that is wrong with the tables.
pub fn generate(sources: &[(String, String)]) -> Result<String, Error> {
    Ok(emit::emit(&tables(sources)?))
}

/// Generates the function that plays the row of a number, which [`generate`]'s decoder gives.
///
/// # Errors
/// The first thing that is wrong with the tables.
pub fn generate_play(sources: &[(String, String)]) -> Result<String, Error> {
    Ok(play::play(&tables(sources)?))
}

fn tables(sources: &[(String, String)]) -> Result<Vec<Table>, Error> {
    let mut sources: Vec<_> = sources.iter().collect();
    sources.sort();
    let mut tables = Vec::new();
    for (file, text) in sources {
        tables.push(parse::parse_table(file, text)?);
    }
    check::check(&tables)?;
    Ok(tables)
}
