//! The goldens: which samples they cover and how they are written.
//!
//! For each row a few texts in full, and a checksum over the texts of all samples.

use a64_isa::{RowInfo, disassemble, sample};
use std::fmt::Write as _;
use std::path::PathBuf;

mod classes;

pub use classes::{CLASSES, Class};

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

/// What LLVM prints, and we record, for an unallocated word.
pub const UNALLOCATED: &str = "<unknown>";

/// Our text of a word of a class, which stands at address 0.
pub fn class_text(word: u32) -> String {
    let text = disassemble(word, 0);
    if text.starts_with(".inst") {
        UNALLOCATED.to_owned()
    } else {
        text
    }
}

/// The line recorded for a class.
pub fn class_line(class: &Class, texts: &[String]) -> String {
    let allocated = texts.iter().filter(|text| *text != UNALLOCATED).count();
    format!(
        "{} {} of {} words, {:016x}\n",
        class.name,
        allocated,
        texts.len(),
        summary(texts)
    )
}
