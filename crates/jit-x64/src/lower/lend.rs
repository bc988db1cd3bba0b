//! Temporaries under pressure: which value goes to memory, and which homes are lent.
//!
//! Before the first instruction of a block that may leave it or fault ([`Quiet`]), nothing
//! looks at the guest registers, so their host registers may hold other values: at no
//! cost where the guest register is written before then and its old value is not needed, else
//! for a store to its slot of the CPU state and a load where they return.
//!
//! [`Quiet`]: crate::opt::Quiet

use super::{Lower, NOWHERE, bits};
use crate::asm::mem::{Mem, VMOVUPS_LOAD, VMOVUPS_STORE};
use crate::asm::{Gpr, Xmm};
use crate::ir::{NONE, Op, Ref};
use crate::opt::Touched;
use crate::target::{Bank, slot_v, slot_x};

/// Operations looked at to find which value is needed last: a few dozen instructions.
const HORIZON: usize = 256;
/// Operations within which a value is needed soon: loading it again is then no better than
/// lending a home.
const SOON: usize = 24;

impl Touched {
    /// Whether register `n` is written before `end`, and its value as the block found it is not
    /// read from `at` on.
    fn is_overwritten(&self, n: u8, at: usize, end: usize) -> bool {
        let is_written_later = self.write(n).is_some_and(|write| at < write && write < end);
        is_written_later && self.last_read(n).is_none_or(|read| read < at)
    }
}

impl Lower<'_> {
    fn may_lend(&self) -> bool {
        self.at < self.analysis.quiet.end
    }

    pub(super) fn is_lent(&self, bank: Bank, host: u8) -> bool {
        self.lent[bank as usize] & 1 << host != 0
    }

    /// The host register that is guest register `n`'s home at present.
    pub(super) fn home_reg_x(&self, n: u8) -> Option<Gpr> {
        self.target
            .homes
            .x(n)
            .filter(|host| !self.is_lent(Bank::X, host.0))
    }

    pub(super) fn home_reg_v(&self, n: u8) -> Option<Xmm> {
        self.target
            .homes
            .v(n)
            .filter(|host| !self.is_lent(Bank::V, host.0))
    }

    fn home_reg(&self, bank: Bank, n: u8) -> Option<u8> {
        match bank {
            Bank::X => self.home_reg_x(n).map(|host| host.0),
            Bank::V => self.home_reg_v(n).map(|host| host.0),
        }
    }

    fn locked(&self, bank: Bank) -> u32 {
        match bank {
            Bank::X => self.locked_x,
            Bank::V => self.locked_v,
        }
    }

    /// The value a temporary holds, or a home that is lent.
    fn held(&self, bank: Bank, host: u8) -> Ref {
        match bank {
            Bank::X => self.temp_x[host as usize],
            Bank::V => self.temp_v[host as usize],
        }
    }

    /// A register for one more value: one whose value, if any, is not needed any more, or the
    /// one that does least harm.
    pub(super) fn pick_register(&mut self, bank: Bank) -> u8 {
        self.idle(bank)
            .or_else(|| self.lend_vacant(bank))
            .unwrap_or_else(|| self.least_wanted(bank))
    }

    fn idle(&self, bank: Bank) -> Option<u8> {
        let locked = self.locked(bank);
        let temps = self.target.homes.temps(bank);
        let mut free = temps
            .iter()
            .copied()
            .chain(bits(self.lent[bank as usize]))
            .filter(|&t| locked & 1 << t == 0);
        free.clone()
            .find(|&t| self.held(bank, t) == NONE)
            .or_else(|| free.find(|&t| self.is_dead(self.held(bank, t))))
    }

    /// Lends a home that is written later and whose value now is not needed.
    fn lend_vacant(&mut self, bank: Bank) -> Option<u8> {
        if !self.may_lend() {
            return None;
        }
        let unusable = self.lent[bank as usize] | self.locked(bank);
        let quiet = &self.analysis.quiet;
        let (touched, values) = match bank {
            Bank::X => (&quiet.x, &self.home_x),
            Bank::V => (&quiet.v, &self.home_v),
        };
        let mut homes = self.target.homes.low(bank).iter().copied();
        let (n, host) = homes.find(|&(n, host)| {
            let value = values[n as usize];
            unusable & 1 << host == 0
                && touched.is_overwritten(n, self.at, quiet.end)
                && (value == NONE || self.is_dead(value))
        })?;
        match bank {
            Bank::X => self.leave_home_x(n),
            Bank::V => self.leave_home_v(n),
        }
        self.lent[bank as usize] |= 1 << host;
        Some(host)
    }

    /// The temporary or home whose value is needed last; a home is lent, and its value saved.
    fn least_wanted(&mut self, bank: Bank) -> u8 {
        let all_temps = self.target.homes.temp_set(bank);
        let temps = (all_temps | self.lent[bank as usize]) & !self.locked(bank);
        let mut candidates = temps;
        if self.may_lend() {
            for (_, host) in self.target.homes.low(bank) {
                candidates |= 1 << host & !self.locked(bank);
            }
        }
        assert!(
            candidates != 0,
            "an operation locks fewer registers than there are temporaries"
        );
        let unneeded = self.needed_last(bank, candidates, HORIZON);
        let preferred = self.target.homes.temps(bank);
        let in_order = |set: u32| {
            let temps = preferred.iter().copied().filter(move |&t| set & 1 << t != 0);
            temps.chain(bits(set & !all_temps))
        };
        let clean = |&t: &u8| self.is_elsewhere(self.held(bank, t));
        let choice = in_order(unneeded & temps)
            .find(clean)
            .or_else(|| in_order(unneeded).next())
            .unwrap_or(all_temps.trailing_zeros() as u8);
        if temps & 1 << choice != 0 {
            return choice;
        }
        // A home: unless a value that is in memory anyway is not needed soon.
        if let Some(t) = in_order(self.needed_last(bank, temps, SOON)).find(clean) {
            return t;
        }
        self.lend(bank, choice);
        choice
    }

    /// Makes a home a temporary; what it holds goes to the CPU state.
    fn lend(&mut self, bank: Bank, host: u8) {
        let homes = self.target.homes.low(bank).iter();
        for &(n, _) in homes.filter(|home| home.1 == host) {
            match bank {
                Bank::X => self.asm.store_state(slot_x(n), Gpr(host)),
                Bank::V => self
                    .asm
                    .vex_mem(VMOVUPS_STORE, Xmm(host), None, Mem::state(slot_v(n))),
            }
        }
        self.lent[bank as usize] |= 1 << host;
    }

    /// Whether a value in a temporary needs no saving: it also is in a home or a spill slot, or is a constant.
    pub(super) fn is_elsewhere(&self, value: Ref) -> bool {
        if value == NONE {
            return true;
        }
        let loc = self.locs[value as usize];
        loc.home != NOWHERE || loc.spill != NOWHERE || self.constant(value).is_some()
    }

    /// Those of the host registers `candidates` that are needed last: one, or all that are not
    /// within the next `horizon` operations.
    fn needed_last(&self, bank: Bank, candidates: u32, horizon: usize) -> u32 {
        let mut left = candidates;
        for op in self.ir.ops[self.at..].iter().take(horizon) {
            if left & left.wrapping_sub(1) == 0 {
                break;
            }
            let needed = self.registers_read(bank, op);
            if left & !needed == 0 {
                break;
            }
            left &= !needed;
        }
        left
    }

    /// The host registers of `bank` that `op` would read if nothing moved until then.
    fn registers_read(&self, bank: Bank, op: &Op) -> u32 {
        let bit = |host: Option<u8>| host.map_or(0, |host| 1 << host);
        match *op {
            Op::GetX(n) if bank == Bank::X => return bit(self.home_reg(bank, n)),
            Op::GetV(n) if bank == Bank::V => return bit(self.home_reg(bank, n)),
            _ => {}
        }
        let mut read = 0u32;
        op.for_each_operand(|r| {
            let loc = self.locs[r as usize];
            let is_here = |host: u8| self.held(bank, host) == r;
            if loc.reg != NOWHERE {
                read |= bit(Some(loc.reg).filter(|&host| is_here(host)));
            } else if loc.home != NOWHERE && self.is_of(bank, r, loc.home) {
                read |= bit(self.home_reg(bank, loc.home));
            }
        });
        read
    }

    /// Whether guest register `n` of this bank holds the value.
    fn is_of(&self, bank: Bank, value: Ref, n: u8) -> bool {
        match bank {
            Bank::X => self.home_x[n as usize] == value,
            Bank::V => self.home_v[n as usize] == value,
        }
    }

    /// A home that was lent gets the value its guest register is set to.
    pub(super) fn take_home_x(&mut self, host: Gpr, value: Ref) {
        if self.temp_x[host.0 as usize] == value {
            self.temp_x[host.0 as usize] = NONE;
            self.locs[value as usize].reg = NOWHERE;
        } else {
            self.evict(host);
            self.load_into(host, value);
        }
        self.lent[Bank::X as usize] &= !(1 << host.0);
    }

    pub(super) fn take_home_v(&mut self, host: Xmm, value: Ref) {
        if self.temp_v[host.0 as usize] == value {
            self.temp_v[host.0 as usize] = NONE;
            self.locs[value as usize].reg = NOWHERE;
        } else {
            self.evict_v(host);
            self.vload_into(host, value);
        }
        self.lent[Bank::V as usize] &= !(1 << host.0);
    }

    /// Puts all guest registers back to their homes where something may look at them.
    pub(super) fn return_homes(&mut self) {
        if self.lent == [0, 0] || self.may_lend() {
            return;
        }
        for (n, host) in self
            .target
            .homes
            .low(Bank::X)
            .iter()
            .map(|&(n, host)| (n, Gpr(host)))
        {
            if self.is_lent(Bank::X, host.0) {
                self.evict(host);
                self.asm.load_state(host, slot_x(n));
            }
        }
        for (n, host) in self
            .target
            .homes
            .low(Bank::V)
            .iter()
            .map(|&(n, host)| (n, Xmm(host)))
        {
            if self.is_lent(Bank::V, host.0) {
                self.evict_v(host);
                self.asm.vex_mem(VMOVUPS_LOAD, host, None, Mem::state(slot_v(n)));
            }
        }
        self.lent = [0, 0];
    }
}
