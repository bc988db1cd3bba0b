//! Which host register a value is in, for both banks: the general registers and the vector registers.
//!
//! [`Register`] is what differs between them. The names without a bank (`temp`, `reg`, `def`) are of general registers,
//! those with a `v` of vector registers.

use super::{Lower, NOWHERE, borrowed_place};
use crate::asm::mem::{Mem, VMOVUPS_LOAD, VMOVUPS_STORE, Vex};
use crate::asm::{Asm, Gpr, Xmm};
use crate::code::AddressField;
use crate::ir::{NONE, Op, Ref};
use crate::opt::NO_HINT;
use crate::target::{Bank, slot_spill, slot_v, slot_x};
use semantics::ops::Width;

/// A host register of one bank.
pub(super) trait Register: Copy + PartialEq {
    const BANK: Bank;

    fn new(number: u8) -> Self;
    fn number(self) -> u8;

    /// Whether only some instructions take it.
    fn is_high(self) -> bool;

    /// Where the CPU state has guest register `n`.
    fn slot(n: u8) -> i32;

    fn copy(asm: &mut Asm, d: Self, s: Self);
    fn load(asm: &mut Asm, d: Self, offset: i32);
    fn store(asm: &mut Asm, offset: i32, s: Self);
}

impl Register for Gpr {
    const BANK: Bank = Bank::X;

    fn new(number: u8) -> Self {
        Gpr(number)
    }
    fn number(self) -> u8 {
        self.0
    }
    fn is_high(self) -> bool {
        false
    }
    fn slot(n: u8) -> i32 {
        slot_x(n)
    }
    fn copy(asm: &mut Asm, d: Self, s: Self) {
        asm.mov(Width::X, d, s);
    }
    fn load(asm: &mut Asm, d: Self, offset: i32) {
        asm.load_state(d, offset);
    }
    fn store(asm: &mut Asm, offset: i32, s: Self) {
        asm.store_state(offset, s);
    }
}

impl Register for Xmm {
    const BANK: Bank = Bank::V;

    fn new(number: u8) -> Self {
        Xmm(number)
    }
    fn number(self) -> u8 {
        self.0
    }
    fn is_high(self) -> bool {
        Xmm::is_high(self)
    }
    fn slot(n: u8) -> i32 {
        slot_v(n)
    }
    fn copy(asm: &mut Asm, d: Self, s: Self) {
        asm.vmov(d, s);
    }
    fn load(asm: &mut Asm, d: Self, offset: i32) {
        asm.vex_mem(VMOVUPS_LOAD, d, None, Mem::state(offset));
    }
    fn store(asm: &mut Asm, offset: i32, s: Self) {
        asm.vex_mem(VMOVUPS_STORE, s, None, Mem::state(offset));
    }
}

/// The registers of one bank at a place in the block.
pub(super) struct Registers {
    /// The value each guest register's home holds.
    pub home: [Ref; 32],
    /// The value each host register holds, for temporaries, and which of them hold one.
    temp: [Ref; 16],
    held: u32,
    /// Host registers in use by the current operation.
    pub locked: u32,
    /// Homes that are temporaries for now: a set of host registers. What the guest register holds is in its slot of
    /// the CPU state, or is written before anything can look at it.
    pub lent: u32,
}

impl Registers {
    pub const EMPTY: Registers = Registers {
        home: [NONE; 32],
        temp: [NONE; 16],
        held: 0,
        locked: 0,
        lent: 0,
    };

    /// The value a temporary holds.
    pub fn value(&self, t: u8) -> Ref {
        self.temp[t as usize]
    }

    /// The temporaries that hold a value.
    pub fn held(&self) -> u32 {
        self.held
    }

    /// Whether it holds a value or is used by the current operation.
    pub fn is_busy(&self, t: u8) -> bool {
        (self.held | self.locked) & 1 << t != 0
    }

    fn hold(&mut self, t: u8, value: Ref) {
        self.temp[t as usize] = value;
        self.held |= 1 << t;
    }

    /// The temporary holds no value any more.
    pub fn empty(&mut self, t: u8) {
        self.temp[t as usize] = NONE;
        self.held &= !(1 << t);
    }
}

// --- both banks -----------------------------------------------------------

impl Lower<'_> {
    pub(super) fn bank(&self, bank: Bank) -> &Registers {
        match bank {
            Bank::X => &self.x,
            Bank::V => &self.v,
        }
    }

    pub(super) fn bank_mut(&mut self, bank: Bank) -> &mut Registers {
        match bank {
            Bank::X => &mut self.x,
            Bank::V => &mut self.v,
        }
    }

    /// The current operation uses the register.
    pub(super) fn lock<R: Register>(&mut self, r: R) -> R {
        self.bank_mut(R::BANK).locked |= 1 << r.number();
        r
    }

    /// The host register that is guest register `n`'s home at present.
    fn home_now<R: Register>(&self, n: u8) -> Option<R> {
        self.home_reg(R::BANK, n).map(R::new)
    }

    /// A free temporary, locked until the operation ends.
    fn free<R: Register>(&mut self) -> R {
        let choice = R::new(self.pick_register(R::BANK));
        self.evict(choice);
        self.lock(choice)
    }

    /// Takes a certain temporary, moving what it holds out of the way.
    pub(super) fn take<R: Register>(&mut self, t: R) -> R {
        self.lock(t);
        self.evict(t);
        t
    }

    pub(super) fn spill<R: Register>(&mut self, value: Ref, t: R) {
        let slot = self.spill_slot(value);
        R::store(&mut self.asm, slot_spill(slot), t);
        self.locs[value as usize].spill = slot;
    }

    /// Empties a temporary, spilling its value if it is nowhere else and still needed.
    pub(super) fn evict<R: Register>(&mut self, t: R) {
        let value = self.bank(R::BANK).value(t.number());
        if value == NONE {
            return;
        }
        if !self.is_dead(value) && !self.is_elsewhere(value) {
            self.spill(value, t);
        }
        self.locs[value as usize].reg = NOWHERE;
        self.bank_mut(R::BANK).empty(t.number());
    }

    /// The value in a register: where it is, or loaded into a temporary. Locked.
    fn place<R: Register>(&mut self, r: Ref, may_be_high: bool) -> R {
        let loc = self.locs[r as usize];
        if loc.reg != NOWHERE {
            return self.lock(R::new(loc.reg));
        }
        if loc.home != NOWHERE
            && let Some(host) = self.home_now::<R>(loc.home)
            && (may_be_high || !host.is_high())
        {
            return self.lock(host);
        }
        let t = self.free();
        self.load_into(t, r);
        self.bind_temp(r, t);
        t
    }

    /// Moves the value into the given register.
    pub(super) fn load_into<R: Register>(&mut self, d: R, r: Ref) {
        let loc = self.locs[r as usize];
        if let (Bank::X, Op::Imm(value)) = (R::BANK, self.op(r)) {
            self.asm.mov_imm(Gpr(d.number()), value);
        } else if let (Bank::X, Op::Address(offset)) = (R::BANK, self.op(r)) {
            self.mov_address(Gpr(d.number()), offset);
        } else if loc.reg != NOWHERE {
            R::copy(&mut self.asm, d, R::new(loc.reg));
        } else if loc.home != NOWHERE {
            self.load_home(d, loc.home);
        } else {
            assert!(loc.spill != NOWHERE, "value {r} of {:?} is nowhere", self.op(r));
            R::load(&mut self.asm, d, slot_spill(loc.spill));
        }
    }

    fn load_home<R: Register>(&mut self, d: R, n: u8) {
        match self.home_now(n) {
            Some(host) => R::copy(&mut self.asm, d, host),
            None => R::load(&mut self.asm, d, R::slot(n)),
        }
    }

    pub(super) fn bind_temp<R: Register>(&mut self, r: Ref, t: R) {
        self.bank_mut(R::BANK).hold(t.number(), r);
        self.locs[r as usize].reg = t.number();
    }

    /// A register for the current operation's result. It may be the register of an
    /// operand that dies here (`reuse`), or the home of the guest register it is for,
    /// but never one of `avoid`.
    fn place_for_result<R: Register>(&mut self, may_be_high: bool, reuse: Option<Ref>, avoid: &[R]) -> R {
        let hint = self.analysis.hint[self.at];
        if hint != NO_HINT
            && let Some(host) = self.target.homes.home(R::BANK, hint).map(R::new)
            && (may_be_high || !host.is_high())
        {
            let registers = self.bank(R::BANK);
            if registers.lent & 1 << host.number() != 0 {
                if !registers.is_busy(host.number()) && !avoid.contains(&host) {
                    return self.lock(host);
                }
                return self.temp_for_result(reuse, avoid);
            }
            let old = registers.home[hint as usize];
            if !avoid.contains(&host)
                && (old == NONE || self.dies(old) || self.locs[old as usize].reg != NOWHERE)
            {
                return self.lock(host);
            }
        }
        self.temp_for_result(reuse, avoid)
    }

    fn temp_for_result<R: Register>(&mut self, reuse: Option<Ref>, avoid: &[R]) -> R {
        if let Some(r) = reuse {
            let reg = self.locs[r as usize].reg;
            if reg != NOWHERE && self.dies(r) && !avoid.contains(&R::new(reg)) {
                self.locs[r as usize].reg = NOWHERE;
                self.bank_mut(R::BANK).empty(reg);
                return self.lock(R::new(reg));
            }
        }
        self.free()
    }

    /// Makes `d` hold the current operation's result.
    fn bind_result<R: Register>(&mut self, d: R) {
        let r = self.at as Ref;
        let hint = self.analysis.hint[self.at];
        if hint != NO_HINT && self.home_now(hint) == Some(d) {
            self.leave_home(R::BANK, hint);
            self.get(R::BANK, hint);
        } else {
            self.bind_temp(r, d);
        }
    }

    /// The value in guest register `n`'s home no longer lives there.
    pub(super) fn leave_home(&mut self, bank: Bank, n: u8) {
        let home = &mut self.bank_mut(bank).home;
        let old = std::mem::replace(&mut home[n as usize], NONE);
        if old != NONE && self.locs[old as usize].home == n {
            let home = &self.bank(bank).home;
            let other = (0..32).find(|&m| home[m as usize] == old);
            self.locs[old as usize].home = other.unwrap_or(NOWHERE);
        }
    }

    /// The current operation's value is what guest register `n`'s home holds.
    pub(super) fn get(&mut self, bank: Bank, n: u8) {
        let r = self.at as Ref;
        self.bank_mut(bank).home[n as usize] = r;
        self.locs[r as usize].home = n;
    }

    /// Writes guest register `n`.
    pub(super) fn set<R: Register>(&mut self, n: u8, value: Ref) {
        if self.bank(R::BANK).home[n as usize] == value {
            return;
        }
        let pinned = self.target.homes.home(R::BANK, n).map(R::new);
        if let Some(host) = pinned {
            // What moves out of the way below must not go there.
            self.lock(host);
        }
        let old = self.bank(R::BANK).home[n as usize];
        self.leave_home(R::BANK, n);
        if old != NONE && !self.dies(old) {
            let loc = self.locs[old as usize];
            if loc.reg == NOWHERE && loc.home == NOWHERE && loc.spill == NOWHERE {
                let t = self.free::<R>();
                self.load_home(t, n);
                self.bind_temp(old, t);
            }
        }
        match pinned {
            Some(host) if self.is_lent(R::BANK, host.number()) => self.take_home(host, value),
            Some(host) => self.load_into(host, value),
            None => self.set_slot::<R>(n, value),
        }
        self.bank_mut(R::BANK).home[n as usize] = value;
        let home = self.locs[value as usize].home;
        if home == NOWHERE || self.home_reg(R::BANK, home).is_none() {
            self.locs[value as usize].home = n;
        }
    }

    /// Writes the slot of guest register `n`.
    fn set_slot<R: Register>(&mut self, n: u8, value: Ref) {
        if let Op::Address(offset) = self.op(value)
            && let Some(imm) = self.short_address(offset)
        {
            self.asm.store_state_imm(R::slot(n), imm);
            return self.guest_address(AddressField::Signed, offset);
        }
        match self.imm32(Width::X, value) {
            Some(imm) => self.asm.store_state_imm(R::slot(n), imm),
            None => {
                let s = self.place::<R>(value, false);
                R::store(&mut self.asm, R::slot(n), s);
            }
        }
    }

    /// A home that was lent gets the value its guest register is set to.
    fn take_home<R: Register>(&mut self, host: R, value: Ref) {
        if self.bank(R::BANK).value(host.number()) == value {
            self.bank_mut(R::BANK).empty(host.number());
            self.locs[value as usize].reg = NOWHERE;
        } else {
            self.evict(host);
            self.load_into(host, value);
        }
        self.bank_mut(R::BANK).lent &= !(1 << host.number());
    }

    /// Where the CPU state has a value that no register has.
    fn place_in_state(&self, bank: Bank, r: Ref) -> Option<i32> {
        let loc = self.locs[r as usize];
        if loc.reg != NOWHERE {
            None
        } else if loc.home != NOWHERE {
            let slot = match bank {
                Bank::X => slot_x(loc.home),
                Bank::V => slot_v(loc.home),
            };
            self.home_reg(bank, loc.home).is_none().then_some(slot)
        } else {
            (loc.spill != NOWHERE).then(|| slot_spill(loc.spill))
        }
    }
}

// --- general registers ------------------------------------------------------

impl Lower<'_> {
    /// A free temporary, locked until the operation ends.
    pub(super) fn temp(&mut self) -> Gpr {
        self.free()
    }

    /// The value in a register: where it is, or loaded into a temporary. Locked.
    pub(super) fn reg(&mut self, r: Ref) -> Gpr {
        self.place(r, false)
    }

    /// The state offset of a value that is only in memory.
    pub(super) fn in_state(&self, r: Ref) -> Option<i32> {
        match self.op(r).is_constant() {
            true => None,
            false => self.place_in_state(Bank::X, r),
        }
    }

    /// A register for the current operation's result: see [`Lower::place_for_result`].
    pub(super) fn def(&mut self, reuse: Option<Ref>, avoid: &[Gpr]) -> Gpr {
        self.place_for_result(false, reuse, avoid)
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
        self.bind_result(d);
    }
}

// --- vector registers --------------------------------------------------------

impl Lower<'_> {
    pub(super) fn vtemp(&mut self) -> Xmm {
        self.free()
    }

    /// A register that only the current operation uses. If all temporaries are in use, the
    /// home of a guest register is borrowed until the operation ends: the operation must
    /// have its operands and its result's register before.
    pub(super) fn scratch(&mut self) -> Xmm {
        if self.target.homes.temp_set(Bank::V) & !self.v.locked != 0 {
            return self.vtemp();
        }
        if self.spare_v != 0 {
            let x = Xmm(self.spare_v.trailing_zeros() as u8);
            self.spare_v &= !(1 << x.0);
            return x;
        }
        let x = Xmm((!self.v.locked).trailing_zeros() as u8);
        self.asm
            .vex_mem(VMOVUPS_STORE, x, None, borrowed_place(self.borrowed_count));
        self.borrowed[self.borrowed_count] = x.0;
        self.borrowed_count += 1;
        self.lock(x)
    }

    /// The operation needs this scratch register no more.
    pub(super) fn done_with(&mut self, x: Xmm) {
        if self.borrowed[..self.borrowed_count].contains(&x.0) {
            self.spare_v |= 1 << x.0;
        } else {
            self.v.locked &= !(1 << x.0);
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
        self.place(r, false)
    }

    /// The vector value in a register that `op` takes. Locked.
    pub(super) fn vreg_for(&mut self, op: Vex, r: Ref) -> Xmm {
        self.place(r, op.takes_high())
    }

    pub(super) fn vreg_where(&mut self, r: Ref, may_be_high: bool) -> Xmm {
        self.place(r, may_be_high)
    }

    /// Where the CPU state has a vector value that no register has and that is used here for
    /// the last time: to be a memory operand.
    pub(super) fn only_in_state(&self, r: Ref) -> Option<i32> {
        self.place_in_state(Bank::V, r).filter(|_| self.dies(r))
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

    /// A register for a vector result that any instruction takes, as [`Lower::def`].
    pub(super) fn vdef(&mut self, reuse: Option<Ref>, avoid: &[Xmm]) -> Xmm {
        self.place_for_result(false, reuse, avoid)
    }

    /// A register for the result of `op`.
    pub(super) fn vdef_for(&mut self, op: Vex, reuse: Option<Ref>, avoid: &[Xmm]) -> Xmm {
        self.place_for_result(op.takes_high(), reuse, avoid)
    }

    pub(super) fn vdef_where(&mut self, may_be_high: bool, reuse: Option<Ref>, avoid: &[Xmm]) -> Xmm {
        self.place_for_result(may_be_high, reuse, avoid)
    }

    /// As [`Lower::vdef`], never a home: for operations that may still leave the block
    /// after they wrote their result.
    pub(super) fn vdef_temp(&mut self, reuse: Option<Ref>, avoid: &[Xmm]) -> Xmm {
        self.temp_for_result(reuse, avoid)
    }

    pub(super) fn vbind(&mut self, d: Xmm) {
        self.bind_result(d);
    }
}
