//! [`Translate`]: gives each row of the tables its meaning.

use crate::{Ops, rows};
use a64_isa::Undefined;

/// Plays instructions on an [`Ops`]. Its methods are the functions that rows name on their `=` lines
/// or through their family, and those of the traits of `a64-isa`, one for each row without such a line.
pub struct Translate<'a, O: Ops>(pub &'a mut O);

impl<O: Ops> Translate<'_, O> {
    /// Hints that have no effect here.
    pub(crate) fn nothing(&mut self) {}
}

/// Plays the instruction `word` on `ops`. The one way from encodings to operations.
///
/// # Errors
/// [`Undefined`] if `word` is not an allocated encoding, or of an extension that
/// [`Machine::features`](crate::ops::Machine::features) lacks; nothing was played then.
pub fn translate<O: Ops>(word: u32, ops: &mut O) -> Result<(), Undefined> {
    let row = a64_isa::find_on(ops.features(), word)?;
    rows::play(row, word, &mut Translate(ops));
    Ok(())
}
