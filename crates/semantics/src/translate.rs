//! [`Translate`]: gives each table's trait its meaning.

use crate::Ops;
use a64_isa::Undefined;

/// Plays instructions on an [`Ops`]; the traits of `a64-isa` are implemented for it,
/// each in the file named like its table.
pub struct Translate<'a, O: Ops>(pub &'a mut O);

/// Plays the instruction `word` on `ops`. The one way from encodings to operations.
///
/// # Errors
/// [`Undefined`] if `word` is not an allocated encoding, or of an extension that
/// [`Machine::features`](crate::ops::Machine::features) lacks; nothing was played then.
pub fn translate<O: Ops>(word: u32, ops: &mut O) -> Result<(), Undefined> {
    a64_isa::execute(word, ops.features(), &mut Translate(ops))
}
