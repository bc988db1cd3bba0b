//! Calls of routines by their signatures ([`guest_memory::routines`]).
//!
//! A call has two parts, because the operation may work on arguments in between: [`Lower::prepare`] empties
//! the registers that the routine takes and changes, [`Lower::call_routine`] loads its arguments and calls it.

use super::Lower;
use super::flags::RAX_SLOT;
use crate::asm::{Cc, Gpr, Xmm};
use crate::ir::Ref;
use crate::runtime_offset;
use crate::target::{Bank, Homes, HostFeatures};
use guest_memory::routines::{Answer, Cas16, CopyEither, CopyForward, Fill, Routine, set_of};
use semantics::ops::Lane;

/// What an argument's register is loaded with.
#[derive(Clone, Copy)]
pub(super) enum Argument {
    Value(Ref),
    /// The lower or the upper half of a vector register.
    Low(Xmm),
    High(Xmm),
    /// It is there already.
    InPlace,
}

/// All general registers that a routine uses.
const fn used<R: Routine<Argument>>() -> u32 {
    set_of(R::TAKES) | set_of(R::GIVES) | R::CHANGES_X
}

/// Host registers a routine has that are homes of guest registers between blocks: kept over the call.
const fn homes_in<R: Routine<Argument>>() -> u32 {
    let homes = Homes::of_blocks(HostFeatures::BASELINE);
    used::<R>() & !homes.temp_set(Bank::X)
}

/// Upper half of the slot that holds RAX while flags are moved.
const HOME_SLOT: i32 = RAX_SLOT + 8;

/// What lowering takes for granted of a routine.
const fn is_callable<R: Routine<Argument>>() -> bool {
    let homes = Homes::of_blocks(HostFeatures::BASELINE);
    let kept = 1 << Gpr::RSP.0 | 1 << Gpr::R15.0;
    // There is one slot to keep a home in, and results are not kept.
    homes_in::<R>().count_ones() <= 1
        && homes_in::<R>() & (set_of(R::GIVES) | kept) == 0
        && R::CHANGES_V & !homes.temp_set(Bank::V) == 0
}

const _: () = {
    assert!(is_callable::<Cas16<Argument>>());
    assert!(is_callable::<CopyForward<Argument>>());
    assert!(is_callable::<CopyEither<Argument>>());
    assert!(is_callable::<Fill<Argument>>());
};

/// The general registers of a set.
fn gprs(set: u32) -> impl Iterator<Item = Gpr> {
    super::bits(set).map(Gpr)
}

impl Lower<'_> {
    /// Empties the registers the routine takes, gives or changes; a home among them can be put back from now on.
    pub(super) fn prepare<R: Routine<Argument>>(&mut self) {
        self.clobber_flags();
        for &t in self.target.homes.temps(Bank::V) {
            if R::CHANGES_V & 1 << t != 0 {
                self.take(Xmm(t));
            }
        }
        for &t in self.target.homes.temps(Bank::X) {
            if const { used::<R>() } & 1 << t != 0 {
                self.take(Gpr(t));
            }
        }
        for home in gprs(const { homes_in::<R>() }) {
            self.asm.store_state(HOME_SLOT, home);
        }
    }

    /// Loads the arguments and calls the routine, which [`Lower::prepare`] made room for; says where the results
    /// are. After a fault the interpreter executes the instruction.
    pub(super) fn call_routine<R: Routine<Argument>>(&mut self, arguments: R) -> R::Results {
        for (register, argument) in arguments.arguments() {
            let register = Gpr::from(register);
            match argument {
                Argument::Value(value) => self.load_into(register, value),
                Argument::Low(s) => self.asm.vmovq_to(register, s),
                Argument::High(s) => self.asm.vextract(Lane::D as u8, register, s, 1),
                Argument::InPlace => {}
            }
        }
        self.asm.call_state(runtime_offset!(routines) + R::PLACE as i32);
        for home in gprs(const { homes_in::<R>() }) {
            self.asm.load_state(home, HOME_SLOT);
        }
        match R::ANSWER {
            Answer::None => {}
            Answer::Exchanged => self.guard(Cc::B),
        }
        R::RESULTS
    }
}
