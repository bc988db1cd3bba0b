//! Temporaries under pressure: which value goes to memory, and which homes are lent.
//!
//! Before the first instruction of a block that may leave it or fault ([`Quiet`]), nothing
//! looks at the guest registers, so their host registers may hold other values: at no
//! cost where the guest register is written before then and its old value is not needed, else
//! for a store to its slot of the CPU state and a load where they return.
//!
//! [`Quiet`]: crate::opt::Quiet

use super::alloc::Register;
use super::{Lower, NOWHERE, bits};
use crate::asm::{Gpr, Xmm};
use crate::ir::{NONE, Op, Ref};
use crate::opt::Touched;
use crate::target::Bank;

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
        self.bank(bank).lent & 1 << host != 0
    }

    /// The host register that is guest register `n`'s home at present.
    pub(super) fn home_reg(&self, bank: Bank, n: u8) -> Option<u8> {
        let home = self.target.homes.home(bank, n);
        home.filter(|&host| !self.is_lent(bank, host))
    }

    /// A register for one more value: one whose value, if any, is not needed any more, or the
    /// one that does least harm.
    pub(super) fn pick_register(&mut self, bank: Bank) -> u8 {
        self.idle(bank)
            .or_else(|| self.lend_vacant(bank))
            .unwrap_or_else(|| self.least_wanted(bank))
    }

    fn idle(&self, bank: Bank) -> Option<u8> {
        let registers = self.bank(bank);
        let temps = self.target.homes.temps(bank);
        let mut free = temps
            .iter()
            .copied()
            .chain(bits(registers.lent))
            .filter(|&t| registers.locked & 1 << t == 0);
        free.clone()
            .find(|&t| !registers.is_busy(t))
            .or_else(|| free.find(|&t| self.is_dead(registers.value(t))))
    }

    /// Lends a home that is written later and whose value now is not needed.
    fn lend_vacant(&mut self, bank: Bank) -> Option<u8> {
        if !self.may_lend() {
            return None;
        }
        let registers = self.bank(bank);
        let (unusable, values) = (registers.lent | registers.locked, &registers.home);
        let quiet = &self.analysis.quiet;
        let touched = match bank {
            Bank::X => &quiet.x,
            Bank::V => &quiet.v,
        };
        let mut homes = self.target.homes.low(bank).iter().copied();
        let (n, host) = homes.find(|&(n, host)| {
            let value = values[n as usize];
            unusable & 1 << host == 0
                && touched.is_overwritten(n, self.at, quiet.end)
                && (value == NONE || self.is_dead(value))
        })?;
        self.leave_home(bank, n);
        self.bank_mut(bank).lent |= 1 << host;
        Some(host)
    }

    /// The temporary or home whose value is needed last; a home is lent, and its value saved.
    fn least_wanted(&mut self, bank: Bank) -> u8 {
        let all_temps = self.target.homes.temp_set(bank);
        let (lent, locked) = (self.bank(bank).lent, self.bank(bank).locked);
        let temps = (all_temps | lent) & !locked;
        let mut candidates = temps;
        if self.may_lend() {
            for (_, host) in self.target.homes.low(bank) {
                candidates |= 1 << host & !locked;
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
        let clean = |&t: &u8| self.is_elsewhere(self.bank(bank).value(t));
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
        match bank {
            Bank::X => self.lend(Gpr(choice)),
            Bank::V => self.lend(Xmm(choice)),
        }
        choice
    }

    /// Makes a home a temporary; what it holds goes to the CPU state.
    fn lend<R: Register>(&mut self, host: R) {
        let homes = self.target.homes.low(R::BANK).iter();
        for &(n, _) in homes.filter(|home| home.1 == host.number()) {
            R::store(&mut self.asm, R::slot(n), host);
        }
        self.bank_mut(R::BANK).lent |= 1 << host.number();
    }

    /// Whether a value in a temporary needs no saving: it also is in a home or a spill slot, or is a constant.
    pub(super) fn is_elsewhere(&self, value: Ref) -> bool {
        if value == NONE {
            return true;
        }
        let loc = self.locs[value as usize];
        loc.home != NOWHERE || loc.spill != NOWHERE || self.op(value).is_constant()
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
            let is_here = |host: u8| self.bank(bank).value(host) == r;
            if loc.reg != NOWHERE {
                read |= bit(Some(loc.reg).filter(|&host| is_here(host)));
            } else if loc.home != NOWHERE && self.bank(bank).home[loc.home as usize] == r {
                read |= bit(self.home_reg(bank, loc.home));
            }
        });
        read
    }

    /// Puts all guest registers back to their homes where something may look at them.
    pub(super) fn return_homes(&mut self) {
        if (self.x.lent | self.v.lent) == 0 || self.may_lend() {
            return;
        }
        self.return_homes_of::<Gpr>();
        self.return_homes_of::<Xmm>();
    }

    fn return_homes_of<R: Register>(&mut self) {
        for &(n, host) in self.target.homes.low(R::BANK) {
            if self.is_lent(R::BANK, host) {
                self.evict(R::new(host));
                R::load(&mut self.asm, R::new(host), R::slot(n));
            }
        }
        self.bank_mut(R::BANK).lent = 0;
    }
}
