//! [`Player`]: `Ops` carried out on a [`CpuState`]; each family of operations has a file of its own.

use crate::{Stop, Watchpoint};
use guest::cpu_model::FeatureSet;
use guest::{CpuState, Exit, GuestAddr, MemFault};
use semantics::ops::{Cond, Machine};

/// Executes one instruction.
pub struct Player<'a> {
    pub(crate) state: &'a mut CpuState,
    /// Where to go on: the next instruction unless a branch says otherwise.
    pub(crate) next: u64,
    /// What the instruction stops for. Once set, operations have no effect.
    pub(crate) exit: Option<Stop>,
    /// What it must not access.
    pub(crate) watched: &'a [Watchpoint],
    /// It would have accessed something near to that.
    pub(crate) near: bool,
    /// The first address of that which it would have accessed.
    pub(crate) hit: Option<GuestAddr>,
}

impl<'a> Player<'a> {
    pub fn new(state: &'a mut CpuState) -> Self {
        let next = state.pc.wrapping_add(4);
        Player {
            state,
            next,
            exit: None,
            watched: &[],
            near: false,
            hit: None,
        }
    }

    /// Ends the instruction: moves pc where [`Exit`] says it is.
    pub fn finish(self) -> Result<(), Stop> {
        match self.exit {
            None => {
                self.state.pc = self.next;
                Ok(())
            }
            Some(stop @ (Stop::Exit(Exit::Svc(_)) | Stop::InvalidateCode(_) | Stop::Synchronise)) => {
                self.state.pc = self.next;
                Err(stop)
            }
            Some(
                stop @ Stop::Exit(
                    Exit::Breakpoint(_)
                    | Exit::Undefined
                    | Exit::AuthenticationFailed
                    | Exit::Fault(_)
                    | Exit::Poll,
                ),
            ) => Err(stop),
        }
    }

    /// Carries out a memory access, unless an earlier one of this instruction faulted.
    /// A faulting access notes the exit and gives zero.
    pub(crate) fn memory<T: Default>(&mut self, run: impl FnOnce(&mut CpuState) -> Result<T, MemFault>) -> T {
        if self.exit.is_some() {
            return T::default();
        }
        run(self.state).unwrap_or_else(|fault| {
            self.exit = Some(Stop::Exit(Exit::Fault(fault)));
            T::default()
        })
    }

    pub(crate) fn holds(&self, cond: Cond) -> bool {
        cond.holds(self.state.nzcv())
    }

    pub(crate) fn set_nzcv(&mut self, nzcv: u32) {
        if self.exit.is_none() {
            self.state.set_nzcv(nzcv);
        }
    }
}

/// Values are the bits themselves.
impl Machine for Player<'_> {
    type Value = u64;
    type Vector = u128;

    fn pc(&self) -> u64 {
        self.state.pc
    }
    fn features(&self) -> FeatureSet {
        self.state.model.features
    }
}
