//! Random valid encodings of a row.

use crate::random::splitmix64;
use crate::{RowInfo, row_of};

/// Tries before giving up; the strictest conditions in the tables hold for
/// more than one word in a hundred.
const TRIES: usize = 100_000;

/// A random encoding of `row`, the same for the same `random`.
///
/// Fields are often all zeros or all ones, and register fields often equal, since
/// that is where special cases are.
///
/// # Panics
/// If the row's conditions (or rows within it) leave no encoding: a bug in the table.
#[must_use]
pub fn sample(row: &RowInfo, random: u64) -> u32 {
    let mut state = random;
    for _ in 0..TRIES {
        let word = candidate(row, &mut state);
        if row_of(word).is_some_and(|found| found.name == row.name) {
            return word;
        }
    }
    panic!(
        "{}:{}: no encoding of `{}` is valid",
        row.file, row.line, row.name
    )
}

fn candidate(row: &RowInfo, state: &mut u64) -> u32 {
    let mut word = row.value | row.should_value;
    let common = splitmix64(state) as u32;
    for field in row.fields {
        let choice = splitmix64(state);
        let bits = match choice >> 60 {
            0 => 0,
            1 => u32::MAX,
            2 => common,
            _ => choice as u32,
        };
        word |= (bits & (((1u64 << field.width) - 1) as u32)) << field.lsb;
    }
    word
}
