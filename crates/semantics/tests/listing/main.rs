//! What operations each instruction is made of, as goldens to review, and the rules
//! of `Ops` checked for every row.
//!
//! `RAEMU_BLESS=1` before the test command writes the goldens of `tests/ops/` anew.

mod player;

use a64_isa::{ROWS, RowInfo, disassemble, sample};
use player::Listing;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::PathBuf;
use test_support::Goldens;

/// Encodings of each row written to the goldens.
const WRITTEN: u64 = 2;
/// Encodings of each row checked against the rules.
const CHECKED: u64 = 300;

/// Address of the instructions, away from zero so that backward branches show.
const PC: u64 = 0x40_0000;

fn play(row: &RowInfo, word: u32) -> Listing {
    let mut listing = Listing::new(PC);
    semantics::translate(word, &mut listing).unwrap_or_else(|_| panic!("{} {word:08x}: undefined", row.name));
    listing
}

fn golden(table: &str) -> PathBuf {
    [
        env!("CARGO_MANIFEST_DIR"),
        "tests",
        "ops",
        &format!("{table}.txt"),
    ]
    .iter()
    .collect()
}

#[test]
fn operations_are_those_recorded() {
    let mut texts: BTreeMap<&str, String> = BTreeMap::new();
    for row in ROWS {
        let text = texts.entry(row.file.trim_end_matches(".isa")).or_default();
        for random in 0..WRITTEN {
            let word = sample(row, random);
            let _ = writeln!(text, "{} {word:08x} {}", row.name, disassemble(word, PC));
            for line in play(row, word).lines {
                let _ = writeln!(text, "    {line}");
            }
        }
    }
    let mut goldens = Goldens::new("cargo test -p semantics --test listing");
    for (table, text) in texts {
        goldens.check(&golden(table), text);
    }
    goldens.assert();
}

#[test]
fn rows_keep_to_the_rules_of_ops() {
    let mut broken = Vec::new();
    for row in ROWS {
        for random in 0..CHECKED {
            let word = sample(row, random);
            let found = play(row, word).broken;
            if !found.is_empty() {
                broken.push(format!(
                    "{} {word:08x} {}: {found:?}",
                    row.name,
                    disassemble(word, PC)
                ));
                break;
            }
        }
    }
    assert!(broken.is_empty(), "{broken:#?}");
}
