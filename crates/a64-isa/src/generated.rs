//! What the build script made of the tables, and the code only that uses.

#[allow(clippy::wildcard_imports)]
use crate::{FieldInfo, RowInfo, imm::*, simd::*, sysreg, text, text::*};

include!(concat!(env!("OUT_DIR"), "/isa.rs"));

/// A row that words of a bucket may belong to.
struct Candidate {
    mask: u32,
    value: u32,
    row: u16,
    /// Whether the row has conditions beyond its bits.
    conditional: bool,
}

/// The number [`find`] gives for unallocated encodings.
const NOT_FOUND: u16 = u16::MAX;

/// The number of the row a word belongs to.
#[inline(always)]
pub(crate) fn find(word: u32) -> u16 {
    let place = BUCKETS[bucket_of(word)];
    let start = (place >> 8) as usize;
    for candidate in &CANDIDATES[start..start + (place & 0xff) as usize] {
        let matches = word & candidate.mask == candidate.value;
        if matches && (!candidate.conditional || conditions_hold(candidate.row, word)) {
            return candidate.row;
        }
    }
    NOT_FOUND
}

/// The text of the instruction, if it is allocated.
pub(crate) fn text_of(word: u32, pc: u64) -> Option<String> {
    let row = find(word);
    if row == NOT_FOUND {
        return None;
    }
    let mut out = String::new();
    write_text(row, word, pc, &mut out);
    Some(out)
}
