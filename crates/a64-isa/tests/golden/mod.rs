//! The goldens: which samples they cover and how they are written.
//!
//! For each row a few texts in full, and a checksum over the texts of all samples.

use a64_isa::{RowInfo, sample};
use std::fmt::Write as _;
use std::path::PathBuf;

/// Samples compared for each row.
pub const SAMPLES: usize = 300;
/// Samples whose text is recorded in full.
pub const FULL_SAMPLES: usize = 6;

/// The `n`th sampled encoding of a row, and the address it stands at.
pub fn sample_at(row: &RowInfo, n: usize) -> (u32, u64) {
    (sample(row, n as u64), 4 * n as u64)
}

/// The table a row is in.
pub fn stem(row: &RowInfo) -> &'static str {
    row.file.trim_end_matches(".isa")
}

pub fn path(table: &str) -> PathBuf {
    [
        env!("CARGO_MANIFEST_DIR"),
        "tests",
        "disassembly",
        &format!("{table}.txt"),
    ]
    .iter()
    .collect()
}

/// A checksum (FNV-1a) of the texts.
pub fn summary(texts: &[String]) -> u64 {
    let bytes = texts.iter().flat_map(|text| text.bytes().chain([b'\n']));
    bytes.fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

/// The lines recorded for a row.
pub fn section(row: &RowInfo, texts: &[String]) -> String {
    let mut out = format!("{} {:016x}\n", row.name, summary(texts));
    for (n, text) in texts.iter().take(FULL_SAMPLES).enumerate() {
        let (word, _) = sample_at(row, n);
        let _ = writeln!(out, "  {word:08x} {text}");
    }
    out
}
