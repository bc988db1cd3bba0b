//! The A64 instruction set as tables: decoder, disassembler, sampler.
//!
//! Place in the path: step 1, bytes to instruction. The tables are `isa/*.isa`
//! (format: docs/isa-format.md); the build script generates from them the decoder,
//! [`disassemble`], [`ROWS`], and for the rows with a function of their own one argument struct
//! each and one trait a file. `semantics` generates from the same tables what each row does.
//!
//! Invariants: any 32-bit word either belongs to exactly one row or is
//! unallocated; nothing here knows what an instruction does. Decoder and disassembler
//! know all rows; only [`find_on`] asks which features the CPU has.
#![forbid(unsafe_code)]

// The generator writes all rows alike, also where a shorter form would do.
mod features;
#[allow(
    clippy::identity_op,
    clippy::needless_return,
    clippy::nonminimal_bool,
    clippy::single_char_add_str,
    clippy::unnecessary_cast
)]
mod generated;
pub mod imm;
pub mod random;
mod sample;
pub mod simd;
pub mod sysreg;
pub mod text;

pub use features::FeatureSet;
pub use generated::*;
pub use sample::sample;

/// The word is not an allocated encoding (of an implemented feature).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Undefined;

/// A field of a row.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct FieldInfo {
    pub name: &'static str,
    pub lsb: u32,
    pub width: u32,
}

/// One row of the tables.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct RowInfo {
    pub name: &'static str,
    /// As in the table.
    pub pattern: &'static str,
    /// The bits that decode the row, and their values.
    pub mask: u32,
    pub value: u32,
    /// Bits that should have a value but are not decoded.
    pub should_mask: u32,
    pub should_value: u32,
    pub feature: Feature,
    /// File name and line of the row.
    pub file: &'static str,
    pub line: u32,
    pub fields: &'static [FieldInfo],
}

/// The number of the row a word belongs to, on a CPU with these features: its place in [`ROWS`].
///
/// # Errors
/// [`Undefined`] if the encoding is unallocated there.
#[inline]
pub fn find_on(features: FeatureSet, word: u32) -> Result<u16, Undefined> {
    let row = generated::find(word);
    let feature = generated::ROW_FEATURES.get(usize::from(row));
    if feature.is_some_and(|feature| features.contains(*feature)) {
        Ok(row)
    } else {
        Err(Undefined)
    }
}

/// The number of the row a word belongs to, whatever the CPU's features; that of none is no place in [`ROWS`].
#[inline]
#[must_use]
pub fn number_of(word: u32) -> u16 {
    generated::find(word)
}

/// The row a word belongs to.
#[must_use]
pub fn row_of(word: u32) -> Option<&'static RowInfo> {
    ROWS.get(usize::from(number_of(word)))
}

/// The instruction at address `pc` as LLVM prints it, with one space after the
/// mnemonic and branch targets as absolute addresses; `.inst` if unallocated.
#[must_use]
pub fn disassemble(word: u32, pc: u64) -> String {
    generated::text_of(word, pc).unwrap_or_else(|| format!(".inst {word:#010x}"))
}
