//! Which general register a value is in.

use super::{Lower, NOWHERE};
use crate::asm::Gpr;
use crate::ir::{NONE, Ref};
use crate::opt::NO_HINT;
use crate::target::{Bank, slot_spill, slot_x};
use semantics::ops::Width;

impl Lower<'_> {
    /// A free temporary, locked until the operation ends.
    pub(super) fn temp(&mut self) -> Gpr {
        let choice = Gpr(self.pick_register(Bank::X));
        self.evict(choice);
        self.locked_x |= 1 << choice.0;
        choice
    }

    /// Takes a certain temporary, moving what it holds out of the way.
    pub(super) fn take(&mut self, t: Gpr) -> Gpr {
        self.locked_x |= 1 << t.0;
        self.evict(t);
        t
    }

    pub(super) fn spill(&mut self, value: Ref, t: Gpr) {
        let slot = self.spill_slot(value);
        self.asm.store_state(slot_spill(slot), t);
        self.locs[value as usize].spill = slot;
    }

    /// Empties a temporary, spilling its value if it is nowhere else and still needed.
    pub(super) fn evict(&mut self, t: Gpr) {
        let value = self.temp_x[t.0 as usize];
        if value == NONE {
            return;
        }
        if !self.is_dead(value) && !self.is_elsewhere(value) {
            self.spill(value, t);
        }
        self.locs[value as usize].reg = NOWHERE;
        self.temp_x[t.0 as usize] = NONE;
    }

    /// The value in a register: where it is, or loaded into a temporary. Locked.
    pub(super) fn reg(&mut self, r: Ref) -> Gpr {
        let loc = self.locs[r as usize];
        if loc.reg != NOWHERE {
            self.locked_x |= 1 << loc.reg;
            return Gpr(loc.reg);
        }
        if loc.home != NOWHERE
            && let Some(host) = self.home_reg_x(loc.home)
        {
            self.locked_x |= 1 << host.0;
            return host;
        }
        let t = self.temp();
        self.load_into(t, r);
        self.bind_temp(r, t);
        t
    }

    /// Moves the value into the given register.
    pub(super) fn load_into(&mut self, d: Gpr, r: Ref) {
        let loc = self.locs[r as usize];
        if let Some(value) = self.constant(r) {
            self.asm.mov_imm(d, value);
        } else if loc.reg != NOWHERE {
            self.asm.mov(Width::X, d, Gpr(loc.reg));
        } else if loc.home != NOWHERE {
            match self.home_reg_x(loc.home) {
                Some(host) => self.asm.mov(Width::X, d, host),
                None => self.asm.load_state(d, slot_x(loc.home)),
            }
        } else {
            assert!(loc.spill != NOWHERE, "value {r} of {:?} is nowhere", self.op(r));
            self.asm.load_state(d, slot_spill(loc.spill));
        }
    }

    pub(super) fn bind_temp(&mut self, r: Ref, t: Gpr) {
        self.temp_x[t.0 as usize] = r;
        self.locs[r as usize].reg = t.0;
    }

    /// The state offset of a value that is only in memory.
    pub(super) fn in_state(&self, r: Ref) -> Option<i32> {
        let loc = self.locs[r as usize];
        if loc.reg != NOWHERE || self.constant(r).is_some() {
            None
        } else if loc.home != NOWHERE {
            self.home_reg_x(loc.home).is_none().then(|| slot_x(loc.home))
        } else {
            (loc.spill != NOWHERE).then(|| slot_spill(loc.spill))
        }
    }

    /// A register for the current operation's result. It may be the register of an
    /// operand that dies here (`reuse`), or the home of the guest register it is for,
    /// but never one of `avoid`.
    pub(super) fn def(&mut self, reuse: Option<Ref>, avoid: &[Gpr]) -> Gpr {
        let hint = self.analysis.hint[self.at];
        if hint != NO_HINT
            && let Some(host) = self.target.homes.x(hint)
        {
            if self.is_lent(Bank::X, host.0) {
                let taken = (self.locked_x & 1 << host.0 != 0) || self.temp_x[host.0 as usize] != NONE;
                if !taken && !avoid.contains(&host) {
                    self.locked_x |= 1 << host.0;
                    return host;
                }
                return self.def_temp(reuse, avoid);
            }
            let old = self.home_x[hint as usize];
            if !avoid.contains(&host)
                && (old == NONE || self.dies(old) || self.locs[old as usize].reg != NOWHERE)
            {
                self.locked_x |= 1 << host.0;
                return host;
            }
        }
        self.def_temp(reuse, avoid)
    }

    fn def_temp(&mut self, reuse: Option<Ref>, avoid: &[Gpr]) -> Gpr {
        if let Some(r) = reuse {
            let reg = self.locs[r as usize].reg;
            if reg != NOWHERE && self.dies(r) && !avoid.contains(&Gpr(reg)) {
                self.locs[r as usize].reg = NOWHERE;
                self.temp_x[reg as usize] = NONE;
                self.locked_x |= 1 << reg;
                return Gpr(reg);
            }
        }
        self.temp()
    }

    /// A register for the current operation's result that already holds the value of
    /// `first`, the operand a two-address instruction overwrites.
    pub(super) fn copy_for_def(&mut self, first: Ref, avoid: &[Gpr]) -> Gpr {
        let at_first = self.locs[first as usize].reg;
        let d = self.def(Some(first), avoid);
        if d.0 != at_first || self.locs[first as usize].reg != NOWHERE {
            self.load_into(d, first);
        }
        d
    }

    /// Makes `d` hold the current operation's result.
    pub(super) fn bind(&mut self, d: Gpr) {
        let r = self.at as Ref;
        let hint = self.analysis.hint[self.at];
        if hint != NO_HINT && self.home_reg_x(hint) == Some(d) {
            self.leave_home_x(hint);
            self.home_x[hint as usize] = r;
            self.locs[r as usize].home = hint;
        } else {
            self.bind_temp(r, d);
        }
    }

    /// The value in guest register `n`'s home no longer lives there.
    pub(super) fn leave_home_x(&mut self, n: u8) {
        let old = self.home_x[n as usize];
        self.home_x[n as usize] = NONE;
        if old != NONE && self.locs[old as usize].home == n {
            let other = (0..32).find(|&m| self.home_x[m as usize] == old);
            self.locs[old as usize].home = other.unwrap_or(NOWHERE);
        }
    }

    pub(super) fn get_x(&mut self, n: u8) {
        let r = self.at as Ref;
        self.home_x[n as usize] = r;
        self.locs[r as usize].home = n;
    }

    pub(super) fn set_x(&mut self, n: u8, value: Ref) {
        if self.home_x[n as usize] == value {
            return;
        }
        if let Some(host) = self.target.homes.x(n) {
            // What moves out of the way below must not go there.
            self.locked_x |= 1 << host.0;
        }
        let old = self.home_x[n as usize];
        self.leave_home_x(n);
        if old != NONE && !self.dies(old) {
            let loc = self.locs[old as usize];
            if loc.reg == NOWHERE && loc.home == NOWHERE && loc.spill == NOWHERE {
                let t = self.temp();
                match self.home_reg_x(n) {
                    Some(host) => self.asm.mov(Width::X, t, host),
                    None => self.asm.load_state(t, slot_x(n)),
                }
                self.bind_temp(old, t);
            }
        }
        match self.target.homes.x(n) {
            Some(host) if self.is_lent(Bank::X, host.0) => self.take_home_x(host, value),
            Some(host) => self.load_into(host, value),
            None => match self.imm32(Width::X, value) {
                Some(imm) => self.asm.store_state_imm(slot_x(n), imm),
                None => {
                    let s = self.reg(value);
                    self.asm.store_state(slot_x(n), s);
                }
            },
        }
        self.home_x[n as usize] = value;
        let home = self.locs[value as usize].home;
        if home == NOWHERE || self.home_reg_x(home).is_none() {
            self.locs[value as usize].home = n;
        }
    }
}
