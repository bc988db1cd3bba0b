//! Which vector register a value is in.

use super::{Lower, NOWHERE, borrowed_place};
use crate::asm::Xmm;
use crate::asm::mem::{Mem, VMOVUPS_LOAD, VMOVUPS_STORE, Vex};
use crate::ir::{NONE, Ref};
use crate::opt::NO_HINT;
use crate::target::{Bank, slot_spill, slot_v};

impl Lower<'_> {
    pub(super) fn vtemp(&mut self) -> Xmm {
        let choice = Xmm(self.pick_register(Bank::V));
        self.evict_v(choice);
        self.locked_v |= 1 << choice.0;
        choice
    }

    /// Empties a temporary, spilling its value if it is nowhere else and still needed.
    pub(super) fn evict_v(&mut self, t: Xmm) {
        let value = self.temp_v[t.0 as usize];
        if value != NONE {
            if !self.is_dead(value) && !self.is_elsewhere(value) {
                let slot = self.spill_slot(value);
                self.asm
                    .vex_mem(VMOVUPS_STORE, t, None, Mem::state(slot_spill(slot)));
                self.locs[value as usize].spill = slot;
            }
            self.locs[value as usize].reg = NOWHERE;
            self.temp_v[t.0 as usize] = NONE;
        }
    }

    /// A register that only the current operation uses. If all temporaries are in use, the
    /// home of a guest register is borrowed until the operation ends: the operation must
    /// have its operands and its result's register before.
    pub(super) fn scratch(&mut self) -> Xmm {
        let temps = self.target.homes.temps(Bank::V);
        if temps.iter().any(|t| self.locked_v & 1 << t == 0) {
            return self.vtemp();
        }
        if self.spare_v != 0 {
            let x = Xmm(self.spare_v.trailing_zeros() as u8);
            self.spare_v &= !(1 << x.0);
            return x;
        }
        let x = Xmm((!self.locked_v).trailing_zeros() as u8);
        self.asm
            .vex_mem(VMOVUPS_STORE, x, None, borrowed_place(self.borrowed_count));
        self.borrowed[self.borrowed_count] = x.0;
        self.borrowed_count += 1;
        self.locked_v |= 1 << x.0;
        x
    }

    /// The operation needs this scratch register no more.
    pub(super) fn done_with(&mut self, x: Xmm) {
        if self.borrowed[..self.borrowed_count].contains(&x.0) {
            self.spare_v |= 1 << x.0;
        } else {
            self.locked_v &= !(1 << x.0);
        }
    }

    /// Puts back what borrowed registers held.
    pub(super) fn give_back(&mut self) {
        for n in 0..self.borrowed_count {
            self.asm
                .vex_mem(VMOVUPS_LOAD, Xmm(self.borrowed[n]), None, borrowed_place(n));
        }
        self.borrowed_count = 0;
        self.spare_v = 0;
    }

    /// The vector value in a register that any instruction takes. Locked.
    pub(super) fn vreg(&mut self, r: Ref) -> Xmm {
        self.vreg_where(r, false)
    }

    /// The vector value in a register that `op` takes. Locked.
    pub(super) fn vreg_for(&mut self, op: Vex, r: Ref) -> Xmm {
        self.vreg_where(r, op.takes_high())
    }

    pub(super) fn vreg_where(&mut self, r: Ref, may_be_high: bool) -> Xmm {
        let loc = self.locs[r as usize];
        if loc.reg != NOWHERE {
            self.locked_v |= 1 << loc.reg;
            return Xmm(loc.reg);
        }
        if loc.home != NOWHERE
            && let Some(host) = self.home_reg_v(loc.home)
            && (may_be_high || !host.is_high())
        {
            self.locked_v |= 1 << host.0;
            return host;
        }
        let t = self.vtemp();
        self.vload_into(t, r);
        self.temp_v[t.0 as usize] = r;
        self.locs[r as usize].reg = t.0;
        t
    }

    /// Where the CPU state has a vector value that no register has and that is used here for
    /// the last time: to be a memory operand.
    pub(super) fn only_in_state(&self, r: Ref) -> Option<i32> {
        let loc = self.locs[r as usize];
        if loc.reg != NOWHERE || !self.dies(r) {
            None
        } else if loc.home != NOWHERE {
            self.home_reg_v(loc.home).is_none().then(|| slot_v(loc.home))
        } else {
            (loc.spill != NOWHERE).then(|| slot_spill(loc.spill))
        }
    }

    /// `op d, a, b`, with `b` read from the state if that is all there is of it.
    pub(super) fn v3_ref(&mut self, op: Vex, a: Ref, b: Ref) -> Xmm {
        match self.only_in_state(b) {
            Some(offset) if a != b => {
                let ra = self.vreg_for(op, a);
                let d = self.vdef_for(op, Some(a), &[]);
                self.asm.v3_state(op, d, ra, offset);
                self.release(b);
                d
            }
            _ => {
                let (ra, rb) = (self.vreg_for(op, a), self.vreg_for(op, b));
                let d = self.vdef_for(op, Some(a), &[]);
                self.asm.v3(op, d, ra, rb);
                d
            }
        }
    }

    pub(super) fn vload_into(&mut self, d: Xmm, r: Ref) {
        let loc = self.locs[r as usize];
        if loc.reg != NOWHERE {
            self.asm.vmov(d, Xmm(loc.reg));
        } else if loc.home != NOWHERE {
            match self.home_reg_v(loc.home) {
                Some(host) => self.asm.vmov(d, host),
                None => self
                    .asm
                    .vex_mem(VMOVUPS_LOAD, d, None, Mem::state(slot_v(loc.home))),
            }
        } else {
            assert!(loc.spill != NOWHERE, "value {r} of {:?} is nowhere", self.op(r));
            self.asm
                .vex_mem(VMOVUPS_LOAD, d, None, Mem::state(slot_spill(loc.spill)));
        }
    }

    /// A register for a vector result that any instruction takes, as [`Lower::def`].
    pub(super) fn vdef(&mut self, reuse: Option<Ref>, avoid: &[Xmm]) -> Xmm {
        self.vdef_where(false, reuse, avoid)
    }

    /// A register for the result of `op`.
    pub(super) fn vdef_for(&mut self, op: Vex, reuse: Option<Ref>, avoid: &[Xmm]) -> Xmm {
        self.vdef_where(op.takes_high(), reuse, avoid)
    }

    pub(super) fn vdef_where(&mut self, may_be_high: bool, reuse: Option<Ref>, avoid: &[Xmm]) -> Xmm {
        let hint = self.analysis.hint[self.at];
        if hint != NO_HINT
            && let Some(host) = self.target.homes.v(hint)
            && (may_be_high || !host.is_high())
        {
            if self.is_lent(Bank::V, host.0) {
                let taken = self.locked_v & 1 << host.0 != 0 || self.temp_v[host.0 as usize] != NONE;
                if !taken && !avoid.contains(&host) {
                    self.locked_v |= 1 << host.0;
                    return host;
                }
                return self.vdef_temp(reuse, avoid);
            }
            let old = self.home_v[hint as usize];
            if !avoid.contains(&host)
                && (old == NONE || self.dies(old) || self.locs[old as usize].reg != NOWHERE)
            {
                self.locked_v |= 1 << host.0;
                return host;
            }
        }
        self.vdef_temp(reuse, avoid)
    }

    /// As [`Lower::vdef`], never a home: for operations that may still leave the block
    /// after they wrote their result.
    pub(super) fn vdef_temp(&mut self, reuse: Option<Ref>, avoid: &[Xmm]) -> Xmm {
        if let Some(r) = reuse {
            let reg = self.locs[r as usize].reg;
            if reg != NOWHERE && self.dies(r) && !avoid.contains(&Xmm(reg)) {
                self.locs[r as usize].reg = NOWHERE;
                self.temp_v[reg as usize] = NONE;
                self.locked_v |= 1 << reg;
                return Xmm(reg);
            }
        }
        self.vtemp()
    }

    pub(super) fn vbind(&mut self, d: Xmm) {
        let r = self.at as Ref;
        let hint = self.analysis.hint[self.at];
        if hint != NO_HINT && self.home_reg_v(hint) == Some(d) {
            self.leave_home_v(hint);
            self.home_v[hint as usize] = r;
            self.locs[r as usize].home = hint;
        } else {
            self.temp_v[d.0 as usize] = r;
            self.locs[r as usize].reg = d.0;
        }
    }

    pub(super) fn leave_home_v(&mut self, n: u8) {
        let old = self.home_v[n as usize];
        self.home_v[n as usize] = NONE;
        if old != NONE && self.locs[old as usize].home == n {
            let other = (0..32).find(|&m| self.home_v[m as usize] == old);
            self.locs[old as usize].home = other.unwrap_or(NOWHERE);
        }
    }

    pub(super) fn get_v(&mut self, n: u8) {
        let r = self.at as Ref;
        self.home_v[n as usize] = r;
        self.locs[r as usize].home = n;
    }

    pub(super) fn set_v(&mut self, n: u8, value: Ref) {
        if self.home_v[n as usize] == value {
            return;
        }
        if let Some(host) = self.target.homes.v(n) {
            // What moves out of the way below must not go there.
            self.locked_v |= 1 << host.0;
        }
        let old = self.home_v[n as usize];
        self.leave_home_v(n);
        if old != NONE && !self.dies(old) {
            let loc = self.locs[old as usize];
            if loc.reg == NOWHERE && loc.home == NOWHERE && loc.spill == NOWHERE {
                let t = self.vtemp();
                match self.home_reg_v(n) {
                    Some(host) => self.asm.vmov(t, host),
                    None => self.asm.vex_mem(VMOVUPS_LOAD, t, None, Mem::state(slot_v(n))),
                }
                self.temp_v[t.0 as usize] = old;
                self.locs[old as usize].reg = t.0;
            }
        }
        match self.target.homes.v(n) {
            Some(host) if self.is_lent(Bank::V, host.0) => self.take_home_v(host, value),
            Some(host) => self.vload_into(host, value),
            None => {
                let s = self.vreg(value);
                self.asm.vex_mem(VMOVUPS_STORE, s, None, Mem::state(slot_v(n)));
            }
        }
        self.home_v[n as usize] = value;
        let home = self.locs[value as usize].home;
        if home == NOWHERE || self.home_reg_v(home).is_none() {
            self.locs[value as usize].home = n;
        }
    }
}
