//! Landing pads of indirect branches (FEAT_BTI; Arm ARM D8.4.5).

use crate::engine::Engine;
use a64_isa::{row, system::Hint};
use guest::GuestAddr;
use guest_memory::access;
use jit_x64::area::LookupTable;

/// The values of PSTATE.BTYPE with which an instruction may be entered, one bit each.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Accepted(u8);

impl Accepted {
    const ALL: Accepted = Accepted(0b1111);
    /// Only by other ways than indirect branches.
    const NONE: Accepted = Accepted(0b0001);
    /// Calls (10) and jumps of linkage stubs (01).
    const CALLS: Accepted = Accepted(0b0111);
    /// Jumps (11) and those of linkage stubs.
    const JUMPS: Accepted = Accepted(0b1011);

    pub fn contains(self, btype: u8) -> bool {
        self.0 >> btype & 1 != 0
    }

    /// The lookup table for a branch with this `btype`, if all that probe it are accepted.
    pub fn table(self, btype: u8) -> Option<LookupTable> {
        let (table, all) = match btype {
            0b00 => (LookupTable::Any, Accepted::NONE),
            0b11 => (LookupTable::Jump, Accepted(0b1001)),
            _ => (LookupTable::Call, Accepted::CALLS),
        };
        (self.0 & all.0 == all.0).then_some(table)
    }

    /// What may go to this instruction in a guarded page. (HLT, which the tables do not have, is
    /// undefined at EL0 whether entered or not.)
    fn of(word: u32) -> Accepted {
        match a64_isa::number_of(word) {
            row::HINT => Accepted::of_hint(Hint::from_word(word)),
            row::BRK => Accepted::ALL,
            _ => Accepted::NONE,
        }
    }

    /// By the number of the hint (Arm ARM C6.2.129).
    const fn of_hint(hint: Hint) -> Accepted {
        match hint.crm << 3 | hint.op2 {
            // BTI c, BTI j, BTI jc; without a letter no indirect branch is accepted.
            34 => Accepted::CALLS,
            36 => Accepted::JUMPS,
            38 => Accepted::ALL,
            // PACIASP and PACIBSP; Linux sets SCTLR_EL1.BT0.
            25 | 27 => Accepted::CALLS,
            _ => Accepted::NONE,
        }
    }
}

impl Engine {
    /// Which indirect branches may go to `pc`.
    pub(crate) fn accepted_btypes(&self, pc: GuestAddr) -> Accepted {
        if !self.is_guarded(pc) || pc.0 & 3 != 0 {
            return Accepted::ALL;
        }
        // What cannot be read faults when it is fetched.
        access::load(pc, 4).map_or(Accepted::ALL, |word| Accepted::of(word as u32))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn landing_pads_accept_what_the_manual_says() {
        // BTypeCompatible_BTI and BTypeCompatible_PACIXSP: for BTYPE 01, 10, 11.
        for (word, expected) in [
            (0xd503_241f, [false, false, false]),
            (0xd503_245f, [true, true, false]),
            (0xd503_249f, [true, false, true]),
            (0xd503_24df, [true, true, true]),
            (0xd503_233f, [true, true, false]),
            (0xd503_237f, [true, true, false]),
            (0xd503_201f, [false, false, false]),
            (0xd420_0000, [true, true, true]),
        ] {
            let accepted = Accepted::of(word);
            assert_eq!(
                [1, 2, 3].map(|btype| accepted.contains(btype)),
                expected,
                "{word:#x}"
            );
            assert!(accepted.contains(0));
        }
    }

    #[test]
    fn tables_hold_what_every_branch_that_probes_them_may_enter() {
        let of = |word| [1, 2, 3].map(|btype| Accepted::of(word).table(btype));
        assert_eq!(
            of(0xd503_245f),
            [Some(LookupTable::Call), Some(LookupTable::Call), None]
        );
        assert_eq!(of(0xd503_249f), [None, None, Some(LookupTable::Jump)]);
    }
}
