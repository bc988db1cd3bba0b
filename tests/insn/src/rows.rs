//! Which rows of the instruction table are tested, and with which words.

use crate::arena::Arena;
use crate::case::Case;
use crate::local;
use crate::outcome::{End, Outcome};
use crate::rng::Rng;
use a64_isa::{ROWS, RowInfo};

/// Why a row has no vectors, or `None` if it has.
#[must_use]
pub fn not_observable(row: &RowInfo) -> Option<&'static str> {
    match row.name {
        "svc" => Some("it leaves the program"),
        _ => None,
    }
}

/// Whether what the word does is a property of the model or the moment, not of the
/// instruction set: reads of identification registers and counters.
#[must_use]
pub const fn is_model_specific(word: u32) -> bool {
    let is_mrs = word & 0xfff0_0000 == 0xd530_0000;
    // op0:op1:CRn:CRm:op2 of NZCV, FPCR, FPSR and TPIDR_EL0.
    is_mrs && !matches!(word >> 5 & 0x7fff, 0x5a10 | 0x5a20 | 0x5a21 | 0x5e82)
}

/// Every tested row.
pub fn tested() -> impl Iterator<Item = &'static RowInfo> {
    ROWS.iter().filter(|row| not_observable(row).is_none())
}

/// The `index`-th case of a row with its outcome under the interpreter; `None` for a
/// word that cannot be compared.
pub fn case(arena: &mut Arena, row: &RowInfo, index: u64) -> Option<(Case, Outcome)> {
    let mut rng = Rng::for_case(row.name, index);
    let word = a64_isa::sample(row, rng.next());
    let case = Case::new(word, rng.next());
    let outcome = interpret(arena, &case)?;
    Some((case, outcome))
}

/// The outcome under the interpreter; `None` if the case cannot be compared: it reads
/// what is a property of the model, or does not end.
pub fn interpret(arena: &mut Arena, case: &Case) -> Option<Outcome> {
    if is_model_specific(case.word) {
        return None;
    }
    let outcome = local::interpret(arena, case);
    (outcome.end != End::Looped).then_some(outcome)
}
