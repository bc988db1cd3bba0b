//! Which rows of the instruction table are tested, and with which words.

use crate::arena::{Arena, CODE_ENTRY};
use crate::case::{Case, Kind};
use crate::local;
use crate::outcome::{End, Outcome};
use crate::rng::Rng;
use crate::sequence;
use a64_isa::{Feature, ROWS, RowInfo};

/// Why a row has no vectors, or `None` if it has.
#[must_use]
pub fn not_recorded(row: &RowInfo) -> Option<&'static str> {
    match row.name {
        "svc" => Some("it leaves the program"),
        "dc_cvap" => Some("qemu's user mode leaves it undefined, up to 7.2"),
        _ if row.feature == Feature::Lrcpc3 => Some("qemu does not have FEAT_LRCPC3, up to 11.1"),
        "dc_cvadp" => Some("qemu's user mode does not ignore the address's top byte (C5.3)"),
        _ if row.feature == Feature::Pauth => Some("the keys of the other side are not known"),
        _ => None,
    }
}

/// Whether it is a hint of pointer authentication: nothing on CPUs without it.
const fn is_signing_hint(word: u32) -> bool {
    word & 0xffff_f01f == 0xd503_201f && matches!(word >> 5 & 0x7f, 7 | 8 | 10 | 12 | 14 | 24..=31)
}

/// Whether what the word does depends on keys or the state of the generator of RNDR.
#[must_use]
pub fn uses_keys(word: u32) -> bool {
    let signs = a64_isa::row_of(word).is_some_and(|row| row.feature == Feature::Pauth);
    signs || is_signing_hint(word) || matches!(mrs_register(word), Some(0x5920 | 0x5921))
}

/// op0:op1:CRn:CRm:op2 (its bits below op0's upper one) of what an MRS reads.
const fn mrs_register(word: u32) -> Option<u32> {
    if word & 0xfff0_0000 == 0xd530_0000 {
        Some(word >> 5 & 0x7fff)
    } else {
        None
    }
}

/// Whether what the word does is a property of the CPU model, not of the instruction
/// set: reads of other registers than NZCV, FPCR, FPSR and TPIDR_EL0, the block of DC ZVA,
/// and pointer authentication in the hint space.
#[must_use]
pub const fn is_model_specific(word: u32) -> bool {
    if is_signing_hint(word) || word & 0xffff_ffe0 == 0xd50b_7420 {
        return true;
    }
    match mrs_register(word) {
        Some(register) => !matches!(register, 0x5a10 | 0x5a20 | 0x5a21 | 0x5e82),
        None => false,
    }
}

/// Whether the word reads a counter (CNTPCT_EL0, CNTVCT_EL0 or CNTVCTSS_EL0), which differs each time.
#[must_use]
pub const fn reads_counter(word: u32) -> bool {
    matches!(mrs_register(word), Some(0x5f01 | 0x5f02 | 0x5f06))
}

/// Every row with vectors.
pub fn recorded() -> impl Iterator<Item = &'static RowInfo> {
    ROWS.iter().filter(|row| not_recorded(row).is_none())
}

/// The `index`-th case of a row with its outcome under the interpreter; `None` for a
/// word that cannot be compared.
pub fn case(arena: &mut Arena, row: &RowInfo, index: u64) -> Option<(Case, Outcome)> {
    let mut rng = Rng::for_case(row.name, index);
    let word = a64_isa::sample(row, rng.next());
    let case = Case::new(word, rng.next());
    let outcome = interpret(arena, &case)?;
    excluded(&case, &outcome).is_none().then_some((case, outcome))
}

/// Why another implementation may differ here although both are right, or where qemu
/// is known to be wrong.
#[must_use]
pub fn excluded(case: &Case, ours: &Outcome) -> Option<&'static str> {
    let word = case.word;
    if is_model_specific(word) {
        return Some("the models differ");
    }
    let misaligned = ours.end == End::Bus;
    if misaligned && Kind::of(word) == Kind::StoreExclusive {
        return Some("qemu looks at the monitor first; AArch64.ExclusiveMonitorsPass at the alignment");
    }
    if misaligned && word & 0x3fff_fc00 == 0x38bf_c000 {
        return Some("qemu does not check the alignment of LDAPR (B2.8.2)");
    }
    let tagged = case.state.x[(word >> 5 & 31) as usize] >> 56 != 0;
    if misaligned && tagged {
        return Some("qemu gives the address with its tag, which Linux hides (hide_si_addr_tag_bits)");
    }
    if Kind::of(word) == Kind::Bulk && ours.end != End::Landed {
        return Some("how far each stage goes before a fault is IMPLEMENTATION DEFINED (C6.2, CPYP)");
    }
    let is_clean = matches!(
        word & 0xffff_ffe0,
        0xd50b_7a20 | 0xd50b_7b20 | 0xd50b_7d20 | 0xd50b_7e20
    );
    if ours.end == End::Segv && is_clean {
        return Some("qemu's user mode does not access memory for DC CVAC, CVAU, CVADP and CIVAC (C5.3)");
    }
    None
}

/// Why a sequence may end in another way under qemu, although neither is wrong.
#[must_use]
pub fn explained(case: &Case, ours: &Outcome, theirs: &Outcome) -> Option<&'static str> {
    let at = theirs.state.pc.wrapping_sub(CODE_ENTRY) / 4;
    let word = case.words.get(usize::try_from(at).ok()?).copied()?;
    if ours.end == End::Landed && theirs.end == End::Segv && sequence::is_store_exclusive(word) {
        return Some(
            "whether a store-exclusive that fails may fault is IMPLEMENTATION DEFINED (J1.1, AArch64.ExclusiveMonitorsPass)",
        );
    }
    None
}

/// The outcome under the interpreter; `None` if the case cannot be compared: it reads
/// a counter, writes to the code page, or does not end.
pub fn interpret(arena: &mut Arena, case: &Case) -> Option<Outcome> {
    if reads_counter(case.word) {
        return None;
    }
    let outcome = local::interpret(arena, case);
    (outcome.end != End::Looped && arena.has_code(&case.words)).then_some(outcome)
}

/// Widest combination of fields that [`every_immediate`] runs through.
const EXHAUSTIVE_BITS: u32 = 14;

/// All encodings of a row that differ in other fields than register numbers, which are
/// random; empty if there are too many.
pub fn every_immediate(row: &'static RowInfo) -> impl Iterator<Item = u32> {
    let fields = row.fields.iter().filter(|field| !field.name.starts_with('r'));
    let bits: Vec<u32> = fields
        .flat_map(|field| field.lsb..field.lsb + field.width)
        .collect();
    let registers = row.fields.iter().filter(|field| field.name.starts_with('r'));
    let free = registers.fold(0, |mask: u32, field| mask | ((1 << field.width) - 1) << field.lsb);
    let count = if bits.len() as u32 <= EXHAUSTIVE_BITS {
        1 << bits.len()
    } else {
        0
    };
    let mut rng = Rng::for_case(row.name, u64::MAX);
    let words = (0..count).map(move |value: u32| {
        let fixed = bits
            .iter()
            .enumerate()
            .fold(row.value, |word, (n, bit)| word | (value >> n & 1) << bit);
        fixed | row.should_value | rng.next() as u32 & free
    });
    words.filter(|word| a64_isa::row_of(*word).is_some_and(|found| found.name == row.name))
}
