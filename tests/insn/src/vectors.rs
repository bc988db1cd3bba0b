//! Vectors: outcomes recorded from another emulator, replayed under the interpreter.
//!
//! One file for each instruction table (`vectors/<table>.txt`). A line that begins
//! with a row's name in brackets starts that row; each line after it is a case:
//! word, seed, then what changed (see [`crate::outcome`]). Inputs are not stored: they
//! follow from word and seed.

use crate::arena::Arena;
use crate::case::Case;
use crate::outcome::{self, Delta, Outcome};
use crate::remote::Remote;
use crate::{local, rows};
use a64_isa::RowInfo;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{Error, Result};
use std::path::{Path, PathBuf};

/// Cases recorded for each row.
pub const CASES_PER_ROW: u64 = 32;

/// Where the recorded files are.
#[must_use]
pub fn directory() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("vectors")
}

/// A case with two outcomes.
#[derive(Debug)]
pub struct Compared {
    pub case: Case,
    pub ours: Delta,
    pub theirs: Delta,
}

impl Compared {
    fn new(case: Case, mut ours: Delta, theirs: Delta) -> Compared {
        for name in ["fault", "detail"] {
            if !theirs.contains_key(name) {
                ours.remove(name);
            }
        }
        Compared { case, ours, theirs }
    }

    #[must_use]
    pub fn agrees(&self) -> bool {
        self.ours == self.theirs
    }

    #[must_use]
    pub fn explain(&self, theirs: &str) -> String {
        outcome::explain(&self.case, ("ours", &self.ours), (theirs, &self.theirs))
    }
}

/// Runs cases `range` of a row under the interpreter and under `remote`.
///
/// # Errors
/// If the remote fails.
pub fn compare_live(
    remote: &Remote,
    arena: &mut Arena,
    row: &RowInfo,
    range: std::ops::Range<u64>,
) -> Result<Vec<Compared>> {
    compare_cases(remote, range.filter_map(|index| rows::case(arena, row, index)))
}

/// As [`compare_live`], for every immediate of a row.
///
/// # Errors
/// If the remote fails.
pub fn compare_immediates(
    remote: &Remote,
    arena: &mut Arena,
    row: &'static RowInfo,
) -> Result<Vec<Compared>> {
    let cases = rows::every_immediate(row).zip(0..).filter_map(|(word, seed)| {
        let case = Case::new(word, seed);
        let outcome = rows::interpret(arena, &case)?;
        rows::excluded(&case, &outcome)
            .is_none()
            .then_some((case, outcome))
    });
    compare_cases(remote, cases)
}

fn compare_cases(remote: &Remote, cases: impl Iterator<Item = (Case, Outcome)>) -> Result<Vec<Compared>> {
    let (cases, ours): (Vec<Case>, Vec<Outcome>) = cases.unzip();
    let theirs = remote.run(&cases)?;
    let outcomes = ours.iter().zip(&theirs);
    Ok(cases
        .into_iter()
        .zip(outcomes)
        .map(|(case, (ours, theirs))| {
            let (ours, theirs) = (ours.delta(&case), theirs.delta(&case));
            Compared::new(case, ours, theirs)
        })
        .collect())
}

/// Records the vectors of all rows (or of the rows of `tables`) into `dir`, and returns the cases that disagree.
///
/// # Errors
/// If the remote fails or a file cannot be written.
pub fn record(remote: &Remote, dir: &Path, tables: &[&str]) -> Result<Vec<Compared>> {
    let version = remote.version()?;
    let arena = &mut *Arena::lock();
    let mut files: BTreeMap<&str, String> = BTreeMap::new();
    let mut disagreements = Vec::new();
    let wanted = |row: &&RowInfo| tables.is_empty() || tables.contains(&row.file.trim_end_matches(".isa"));
    for row in rows::recorded().filter(wanted) {
        let text = files
            .entry(row.file)
            .or_insert_with(|| format!("# Recorded from {version} by cargo xtask vectors.\n"));
        let _ = writeln!(text, "[{}]", row.name);
        for compared in compare_live(remote, arena, row, 0..CASES_PER_ROW)? {
            let case = &compared.case;
            let fields = outcome::format(&compared.theirs);
            let _ = writeln!(text, "{:08x} {:016x} {fields}", case.word, case.seed);
            if !compared.agrees() {
                disagreements.push(compared);
            }
        }
    }
    for (file, text) in files {
        let stem = Path::new(file).file_stem().unwrap_or_default();
        std::fs::write(dir.join(stem).with_extension("txt"), text)?;
    }
    Ok(disagreements)
}

/// Replays one recorded file under the interpreter.
///
/// # Errors
/// The line that cannot be read.
pub fn replay(arena: &mut Arena, text: &str) -> Result<Vec<Compared>> {
    let lines = text.lines().filter(|line| !line.starts_with(['#', '[']));
    lines
        .map(|line| {
            let (word, seed, theirs) =
                parse_line(line).ok_or_else(|| Error::other(format!("bad vector: {line}")))?;
            let case = Case::new(word, seed);
            let ours = local::interpret(arena, &case).delta(&case);
            Ok(Compared::new(case, ours, theirs))
        })
        .collect()
}

fn parse_line(line: &str) -> Option<(u32, u64, Delta)> {
    let (word, rest) = line.split_once(' ')?;
    let (seed, fields) = rest.split_once(' ')?;
    Some((
        u32::from_str_radix(word, 16).ok()?,
        u64::from_str_radix(seed, 16).ok()?,
        outcome::parse(fields)?,
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_parse() {
        let (word, seed, delta) = parse_line("8b010000 00000000000000ff end=ok x0=1f").unwrap();
        assert_eq!((word, seed), (0x8b01_0000, 0xff));
        assert_eq!(outcome::format(&delta), "end=ok x0=1f");
        assert!(parse_line("8b010000").is_none());
        assert!(parse_line("8b010000 0 end").is_none());
    }
}
