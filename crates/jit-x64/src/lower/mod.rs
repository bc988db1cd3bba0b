//! Lowers block IR to x86-64 in one forward pass.
//!
//! A value lives in a temporary, in the home of a guest register (its host register
//! or its slot in the CPU state), in a spill slot, or is a constant. Guest register
//! writes are done in order, so that at every operation that may leave the block all
//! guest registers are in their homes; only NZCV may wait in EFLAGS, which the
//! [`MapEntry`] of the place tells.

mod bulk;
mod crypto;
mod estimate;
mod flags;
mod flow;
mod fp;
mod fpconv;
mod half;
mod int;
mod mem;
mod mem128;
mod nzcv;
mod sha;
mod sha512;
pub mod support;
mod vec;
mod vecmove;

use crate::area::MAX_BORROWED;
use crate::asm::mem::{Mem, VMOVUPS_LOAD, VMOVUPS_STORE, Vex};
use crate::asm::{Asm, Fixup, Gpr, Xmm};
use crate::ir::{Ir, NONE, Op, Ref};
use crate::passes::{Analysis, NO_HINT};
use crate::regs::{TEMPS_V, TEMPS_X, pinned_v, pinned_x, slot_spill, slot_v, slot_x};
use crate::runtime_offset;
use crate::stubs::Stubs;
pub use flags::FlagState;
use guest::NUM_SPILL_SLOTS;
use semantics::ops::Width;

/// A direct branch that can be linked to the block at `target`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Site {
    /// Offset of the rel32 field.
    pub field: u32,
    /// Guest address it goes to.
    pub target: u64,
    /// Offset of the code that leaves for the engine while the site is not linked.
    pub stub: u32,
}

/// From `host_offset` on, the code belongs to the guest instruction at `pc_delta`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct MapEntry {
    pub host_offset: u32,
    pub pc_delta: u32,
    pub flags: FlagState,
}

/// What lowering a block gives besides its bytes. Reused from block to block.
#[derive(Default)]
pub struct Code {
    pub len: u32,
    pub sites: Vec<Site>,
    pub map: Vec<MapEntry>,
}

const NOWHERE: u8 = 255;

/// Where a value is; any number of places at once.
#[derive(Clone, Copy)]
struct Loc {
    reg: u8,
    home: u8,
    spill: u8,
}

const UNPLACED: Loc = Loc {
    reg: NOWHERE,
    home: NOWHERE,
    spill: NOWHERE,
};

/// Code off the main path, emitted behind the block.
enum Cold {
    /// Leaves for `target`, saving the flags if they wait in EFLAGS.
    Exit {
        from: Fixup,
        target: u64,
        save: Option<FlagState>,
    },
    /// Lets the interpreter execute the instruction at `pc`.
    Guard { from: Fixup, pc: u64 },
    /// A return or indirect branch whose target (in `target`) was not predicted.
    Miss { from: Fixup, target: Gpr, kind: Miss },
}

enum Miss {
    Return,
    Jump {
        btype: u8,
    },
    /// An indirect call; the offset is where it returns to.
    Call {
        back: u32,
    },
}

/// Where the area keeps what the `n`-th borrowed register held.
const fn borrowed_place(n: usize) -> Mem {
    Mem::state(runtime_offset!(borrowed) + 16 * n as i32)
}

/// Buffers reused between blocks.
#[derive(Default)]
pub struct Scratch {
    locs: Vec<Loc>,
    cold: Vec<Cold>,
}

/// The lowering of one block.
struct Lower<'a> {
    asm: Asm,
    ir: &'a Ir,
    analysis: &'a Analysis,
    stubs: &'a Stubs,
    out: &'a mut Code,
    locs: &'a mut Vec<Loc>,
    cold: &'a mut Vec<Cold>,
    /// The value each guest register's home holds.
    home_x: [Ref; 32],
    home_v: [Ref; 32],
    /// The value each host register holds, for temporaries.
    temp_x: [Ref; 16],
    temp_v: [Ref; 16],
    /// Host registers in use by the current operation.
    locked_x: u32,
    locked_v: u32,
    /// Homes the current operation has borrowed, in the order of their places in the area,
    /// and those of them that it does not use any more.
    borrowed: [u8; MAX_BORROWED],
    borrowed_count: usize,
    spare_v: u32,
    /// Spill slots in use, and the value each was last given to.
    spills: u64,
    spilled: [Ref; NUM_SPILL_SLOTS],
    flags: FlagState,
    /// Index of the current operation.
    at: usize,
    /// Offset of the current guest instruction.
    pc_delta: u32,
    /// Number of the block's first site.
    first_site: u32,
}

/// Lowers `ir` into `asm`'s buffer; the block's sites are numbered from `first_site`. The
/// result is useless if the assembler overflowed.
pub fn lower(
    asm: Asm,
    ir: &Ir,
    analysis: &Analysis,
    stubs: &Stubs,
    first_site: u32,
    out: &mut Code,
    scratch: &mut Scratch,
) -> Asm {
    out.sites.clear();
    out.map.clear();
    scratch.locs.clear();
    scratch.locs.resize(ir.ops.len(), UNPLACED);
    scratch.cold.clear();
    let mut lower = Lower {
        asm,
        ir,
        analysis,
        stubs,
        out,
        locs: &mut scratch.locs,
        cold: &mut scratch.cold,
        home_x: [NONE; 32],
        home_v: [NONE; 32],
        temp_x: [NONE; 16],
        temp_v: [NONE; 16],
        locked_x: 0,
        locked_v: 0,
        borrowed: [0; MAX_BORROWED],
        borrowed_count: 0,
        spare_v: 0,
        spills: 0,
        spilled: [NONE; NUM_SPILL_SLOTS],
        flags: FlagState::Slot,
        at: 0,
        pc_delta: 0,
        first_site,
    };
    for at in 0..ir.ops.len() {
        // These emit nothing and end no value's life.
        if matches!(ir.ops[at], Op::Nop | Op::Imm(_)) || analysis.folded[at] {
            continue;
        }
        lower.at = at;
        lower.operation();
        lower.end_operation();
    }
    lower.cold_code();
    lower.out.len = lower.asm.pos();
    lower.asm
}

impl Lower<'_> {
    fn op(&self, r: Ref) -> Op {
        self.ir.ops[r as usize]
    }

    fn constant(&self, r: Ref) -> Option<u64> {
        match self.op(r) {
            Op::Imm(value) => Some(value),
            _ => None,
        }
    }

    /// A constant usable as a sign-extended 32-bit immediate of an operation of width `w`.
    fn imm32(&self, w: Width, r: Ref) -> Option<i32> {
        let value = self.constant(r)?;
        match w {
            Width::W => Some(value as u32 as i32),
            Width::X => i32::try_from(value as i64).ok(),
        }
    }

    /// Guest address of the current instruction.
    fn pc(&self) -> u64 {
        self.ir.pc.wrapping_add(u64::from(self.pc_delta))
    }

    /// Whether nothing after the current operation uses the value.
    fn dies(&self, r: Ref) -> bool {
        let last = self.analysis.last_use[r as usize];
        last == NONE || last as usize <= self.at
    }

    fn is_dead(&self, r: Ref) -> bool {
        let last = self.analysis.last_use[r as usize];
        last == NONE || (last as usize) < self.at
    }

    /// Records where host code starts to belong to another instruction or flag state.
    fn mark(&mut self) {
        let entry = MapEntry {
            host_offset: self.asm.pos(),
            pc_delta: self.pc_delta,
            flags: self.flags,
        };
        match self.out.map.last_mut() {
            Some(last) if last.host_offset == entry.host_offset => *last = entry,
            _ => self.out.map.push(entry),
        }
    }

    fn end_operation(&mut self) {
        self.give_back();
        self.locked_x = 0;
        self.locked_v = 0;
        for t in TEMPS_X {
            let value = self.temp_x[t.0 as usize];
            if value != NONE && self.dies(value) {
                self.release(value);
                self.temp_x[t.0 as usize] = NONE;
            }
        }
        for t in TEMPS_V {
            let value = self.temp_v[t.0 as usize];
            if value != NONE && self.dies(value) {
                self.release(value);
                self.temp_v[t.0 as usize] = NONE;
            }
        }
    }

    /// Forgets the temporary and spill slot of a dead value.
    fn release(&mut self, value: Ref) {
        let loc = &mut self.locs[value as usize];
        loc.reg = NOWHERE;
        if loc.spill != NOWHERE {
            self.spills &= !(1 << loc.spill);
            loc.spill = NOWHERE;
        }
    }

    /// A free spill slot for the value.
    fn spill_slot(&mut self, value: Ref) -> u8 {
        if (!self.spills).trailing_zeros() as usize >= NUM_SPILL_SLOTS - 1 {
            self.reclaim_slots();
        }
        let slot = (!self.spills).trailing_zeros() as u8;
        assert!(
            // The last slot is `flags::RAX_SLOT`.
            (slot as usize) < NUM_SPILL_SLOTS - 1,
            "a block keeps fewer values alive than there are spill slots"
        );
        self.spills |= 1 << slot;
        self.spilled[slot as usize] = value;
        slot
    }

    /// Frees the slots of values that ended their lives there, as memory operands.
    fn reclaim_slots(&mut self) {
        for slot in 0..NUM_SPILL_SLOTS as u8 {
            let value = self.spilled[slot as usize];
            if self.spills & 1 << slot != 0 && self.is_dead(value) {
                self.locs[value as usize].spill = NOWHERE;
                self.spills &= !(1 << slot);
            }
        }
    }

    // --- general registers ------------------------------------------------

    /// A free temporary, locked until the operation ends.
    fn temp(&mut self) -> Gpr {
        let free = |this: &Self, t: Gpr| this.locked_x & (1 << t.0) == 0;
        let held = |this: &Self, t: Gpr| this.temp_x[t.0 as usize];
        let choice = TEMPS_X
            .into_iter()
            .find(|&t| free(self, t) && held(self, t) == NONE)
            .or_else(|| {
                TEMPS_X
                    .into_iter()
                    .find(|&t| free(self, t) && self.is_dead(held(self, t)))
            })
            .or_else(|| {
                TEMPS_X.into_iter().find(|&t| {
                    free(self, t) && {
                        let value = held(self, t);
                        let loc = self.locs[value as usize];
                        loc.home != NOWHERE || loc.spill != NOWHERE || self.constant(value).is_some()
                    }
                })
            })
            .or_else(|| TEMPS_X.into_iter().find(|&t| free(self, t)))
            .expect("an operation locks fewer registers than there are temporaries");
        self.evict(choice);
        self.locked_x |= 1 << choice.0;
        choice
    }

    /// Takes a certain temporary, moving what it holds out of the way.
    fn take(&mut self, t: Gpr) -> Gpr {
        self.locked_x |= 1 << t.0;
        let value = self.temp_x[t.0 as usize];
        if value != NONE && !self.is_dead(value) {
            let loc = self.locs[value as usize];
            if loc.home == NOWHERE && loc.spill == NOWHERE && self.constant(value).is_none() {
                self.spill(value, t);
            }
        }
        self.evict(t);
        t
    }

    fn spill(&mut self, value: Ref, t: Gpr) {
        let slot = self.spill_slot(value);
        self.asm.store_state(slot_spill(slot), t);
        self.locs[value as usize].spill = slot;
    }

    /// Empties a temporary, spilling its value if it is nowhere else and still needed.
    fn evict(&mut self, t: Gpr) {
        let value = self.temp_x[t.0 as usize];
        if value == NONE {
            return;
        }
        let loc = self.locs[value as usize];
        if !self.is_dead(value)
            && loc.home == NOWHERE
            && loc.spill == NOWHERE
            && self.constant(value).is_none()
        {
            self.spill(value, t);
        }
        self.locs[value as usize].reg = NOWHERE;
        self.temp_x[t.0 as usize] = NONE;
    }

    /// The value in a register: where it is, or loaded into a temporary. Locked.
    fn reg(&mut self, r: Ref) -> Gpr {
        let loc = self.locs[r as usize];
        if loc.reg != NOWHERE {
            self.locked_x |= 1 << loc.reg;
            return Gpr(loc.reg);
        }
        if loc.home != NOWHERE
            && let Some(host) = pinned_x(loc.home)
        {
            return host;
        }
        let t = self.temp();
        self.load_into(t, r);
        self.bind_temp(r, t);
        t
    }

    /// Moves the value into the given register.
    fn load_into(&mut self, d: Gpr, r: Ref) {
        let loc = self.locs[r as usize];
        if let Some(value) = self.constant(r) {
            self.asm.mov_imm(d, value);
        } else if loc.reg != NOWHERE {
            self.asm.mov(Width::X, d, Gpr(loc.reg));
        } else if loc.home != NOWHERE {
            match pinned_x(loc.home) {
                Some(host) => self.asm.mov(Width::X, d, host),
                None => self.asm.load_state(d, slot_x(loc.home)),
            }
        } else {
            assert!(loc.spill != NOWHERE, "value {r} of {:?} is nowhere", self.op(r));
            self.asm.load_state(d, slot_spill(loc.spill));
        }
    }

    fn bind_temp(&mut self, r: Ref, t: Gpr) {
        self.temp_x[t.0 as usize] = r;
        self.locs[r as usize].reg = t.0;
    }

    /// The state offset of a value that is only in memory.
    fn in_state(&self, r: Ref) -> Option<i32> {
        let loc = self.locs[r as usize];
        if loc.reg != NOWHERE || self.constant(r).is_some() {
            None
        } else if loc.home != NOWHERE {
            pinned_x(loc.home).is_none().then(|| slot_x(loc.home))
        } else {
            (loc.spill != NOWHERE).then(|| slot_spill(loc.spill))
        }
    }

    /// A register for the current operation's result. It may be the register of an
    /// operand that dies here (`reuse`), or the home of the guest register it is for,
    /// but never one of `avoid`.
    fn def(&mut self, reuse: Option<Ref>, avoid: &[Gpr]) -> Gpr {
        let hint = self.analysis.hint[self.at];
        if hint != NO_HINT
            && let Some(host) = pinned_x(hint)
        {
            let old = self.home_x[hint as usize];
            if !avoid.contains(&host)
                && (old == NONE || self.dies(old) || self.locs[old as usize].reg != NOWHERE)
            {
                return host;
            }
        }
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
    fn copy_for_def(&mut self, first: Ref, avoid: &[Gpr]) -> Gpr {
        let at_first = self.locs[first as usize].reg;
        let d = self.def(Some(first), avoid);
        if d.0 != at_first || self.locs[first as usize].reg != NOWHERE {
            self.load_into(d, first);
        }
        d
    }

    /// Makes `d` hold the current operation's result.
    fn bind(&mut self, d: Gpr) {
        let r = self.at as Ref;
        let hint = self.analysis.hint[self.at];
        if hint != NO_HINT && pinned_x(hint) == Some(d) {
            self.leave_home_x(hint);
            self.home_x[hint as usize] = r;
            self.locs[r as usize].home = hint;
        } else {
            self.bind_temp(r, d);
        }
    }

    /// The value in guest register `n`'s home no longer lives there.
    fn leave_home_x(&mut self, n: u8) {
        let old = self.home_x[n as usize];
        self.home_x[n as usize] = NONE;
        if old != NONE && self.locs[old as usize].home == n {
            let other = (0..32).find(|&m| self.home_x[m as usize] == old);
            self.locs[old as usize].home = other.unwrap_or(NOWHERE);
        }
    }

    fn get_x(&mut self, n: u8) {
        let r = self.at as Ref;
        self.home_x[n as usize] = r;
        self.locs[r as usize].home = n;
    }

    fn set_x(&mut self, n: u8, value: Ref) {
        if self.home_x[n as usize] == value {
            return;
        }
        let old = self.home_x[n as usize];
        self.leave_home_x(n);
        if old != NONE && !self.dies(old) {
            let loc = self.locs[old as usize];
            if loc.reg == NOWHERE && loc.home == NOWHERE && loc.spill == NOWHERE {
                let t = self.temp();
                match pinned_x(n) {
                    Some(host) => self.asm.mov(Width::X, t, host),
                    None => self.asm.load_state(t, slot_x(n)),
                }
                self.bind_temp(old, t);
            }
        }
        match pinned_x(n) {
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
        if home == NOWHERE || pinned_x(home).is_none() {
            self.locs[value as usize].home = n;
        }
    }

    // --- vector registers -------------------------------------------------

    fn vtemp(&mut self) -> Xmm {
        let free = |this: &Self, t: Xmm| this.locked_v & (1 << t.0) == 0;
        let held = |this: &Self, t: Xmm| this.temp_v[t.0 as usize];
        let choice = TEMPS_V
            .into_iter()
            .find(|&t| free(self, t) && held(self, t) == NONE)
            .or_else(|| {
                TEMPS_V
                    .into_iter()
                    .find(|&t| free(self, t) && self.is_dead(held(self, t)))
            })
            .or_else(|| {
                TEMPS_V.into_iter().find(|&t| {
                    let value = held(self, t);
                    free(self, t) && {
                        let loc = self.locs[value as usize];
                        loc.home != NOWHERE || loc.spill != NOWHERE
                    }
                })
            })
            .or_else(|| TEMPS_V.into_iter().find(|&t| free(self, t)))
            .expect("an operation locks fewer vector registers than there are temporaries");
        let value = self.temp_v[choice.0 as usize];
        if value != NONE {
            let loc = self.locs[value as usize];
            if !self.is_dead(value) && loc.home == NOWHERE && loc.spill == NOWHERE {
                let slot = self.spill_slot(value);
                self.asm
                    .vex_mem(VMOVUPS_STORE, choice, None, Mem::state(slot_spill(slot)));
                self.locs[value as usize].spill = slot;
            }
            self.locs[value as usize].reg = NOWHERE;
            self.temp_v[choice.0 as usize] = NONE;
        }
        self.locked_v |= 1 << choice.0;
        choice
    }

    /// A register that only the current operation uses. If all temporaries are in use, the
    /// home of a guest register is borrowed until the operation ends: the operation must
    /// have its operands and its result's register before.
    fn scratch(&mut self) -> Xmm {
        if TEMPS_V.iter().any(|t| self.locked_v & 1 << t.0 == 0) {
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
    fn done_with(&mut self, x: Xmm) {
        if self.borrowed[..self.borrowed_count].contains(&x.0) {
            self.spare_v |= 1 << x.0;
        } else {
            self.locked_v &= !(1 << x.0);
        }
    }

    /// Puts back what borrowed registers held.
    fn give_back(&mut self) {
        for n in 0..self.borrowed_count {
            self.asm
                .vex_mem(VMOVUPS_LOAD, Xmm(self.borrowed[n]), None, borrowed_place(n));
        }
        self.borrowed_count = 0;
        self.spare_v = 0;
    }

    /// The vector value in a register that any instruction takes. Locked.
    fn vreg(&mut self, r: Ref) -> Xmm {
        self.vreg_where(r, false)
    }

    /// The vector value in a register that `op` takes. Locked.
    fn vreg_for(&mut self, op: Vex, r: Ref) -> Xmm {
        self.vreg_where(r, op.takes_high())
    }

    fn vreg_where(&mut self, r: Ref, may_be_high: bool) -> Xmm {
        let loc = self.locs[r as usize];
        if loc.reg != NOWHERE {
            self.locked_v |= 1 << loc.reg;
            return Xmm(loc.reg);
        }
        if loc.home != NOWHERE
            && let Some(host) = pinned_v(loc.home)
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
    fn only_in_state(&self, r: Ref) -> Option<i32> {
        let loc = self.locs[r as usize];
        if loc.reg != NOWHERE || !self.dies(r) {
            None
        } else if loc.home != NOWHERE {
            pinned_v(loc.home).is_none().then(|| slot_v(loc.home))
        } else {
            (loc.spill != NOWHERE).then(|| slot_spill(loc.spill))
        }
    }

    /// `op d, a, b`, with `b` read from the state if that is all there is of it.
    fn v3_ref(&mut self, op: Vex, a: Ref, b: Ref) -> Xmm {
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

    fn vload_into(&mut self, d: Xmm, r: Ref) {
        let loc = self.locs[r as usize];
        if loc.reg != NOWHERE {
            self.asm.vmov(d, Xmm(loc.reg));
        } else if loc.home != NOWHERE {
            match pinned_v(loc.home) {
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
    fn vdef(&mut self, reuse: Option<Ref>, avoid: &[Xmm]) -> Xmm {
        self.vdef_where(false, reuse, avoid)
    }

    /// A register for the result of `op`.
    fn vdef_for(&mut self, op: Vex, reuse: Option<Ref>, avoid: &[Xmm]) -> Xmm {
        self.vdef_where(op.takes_high(), reuse, avoid)
    }

    fn vdef_where(&mut self, may_be_high: bool, reuse: Option<Ref>, avoid: &[Xmm]) -> Xmm {
        let hint = self.analysis.hint[self.at];
        if hint != NO_HINT
            && let Some(host) = pinned_v(hint)
            && (may_be_high || !host.is_high())
        {
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
    fn vdef_temp(&mut self, reuse: Option<Ref>, avoid: &[Xmm]) -> Xmm {
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

    fn vbind(&mut self, d: Xmm) {
        let r = self.at as Ref;
        let hint = self.analysis.hint[self.at];
        if hint != NO_HINT && pinned_v(hint) == Some(d) {
            self.leave_home_v(hint);
            self.home_v[hint as usize] = r;
            self.locs[r as usize].home = hint;
        } else {
            self.temp_v[d.0 as usize] = r;
            self.locs[r as usize].reg = d.0;
        }
    }

    fn leave_home_v(&mut self, n: u8) {
        let old = self.home_v[n as usize];
        self.home_v[n as usize] = NONE;
        if old != NONE && self.locs[old as usize].home == n {
            let other = (0..32).find(|&m| self.home_v[m as usize] == old);
            self.locs[old as usize].home = other.unwrap_or(NOWHERE);
        }
    }

    fn get_v(&mut self, n: u8) {
        let r = self.at as Ref;
        self.home_v[n as usize] = r;
        self.locs[r as usize].home = n;
    }

    fn set_v(&mut self, n: u8, value: Ref) {
        if self.home_v[n as usize] == value {
            return;
        }
        let old = self.home_v[n as usize];
        self.leave_home_v(n);
        if old != NONE && !self.dies(old) {
            let loc = self.locs[old as usize];
            if loc.reg == NOWHERE && loc.home == NOWHERE && loc.spill == NOWHERE {
                let t = self.vtemp();
                match pinned_v(n) {
                    Some(host) => self.asm.vmov(t, host),
                    None => self.asm.vex_mem(VMOVUPS_LOAD, t, None, Mem::state(slot_v(n))),
                }
                self.temp_v[t.0 as usize] = old;
                self.locs[old as usize].reg = t.0;
            }
        }
        match pinned_v(n) {
            Some(host) => self.vload_into(host, value),
            None => {
                let s = self.vreg(value);
                self.asm.vex_mem(VMOVUPS_STORE, s, None, Mem::state(slot_v(n)));
            }
        }
        self.home_v[n as usize] = value;
        let home = self.locs[value as usize].home;
        if home == NOWHERE || pinned_v(home).is_none() {
            self.locs[value as usize].home = n;
        }
    }

    fn get_state(&mut self, offset: u32) {
        let d = self.def(None, &[]);
        self.asm.load_state(d, offset as i32);
        self.bind(d);
    }

    fn set_state(&mut self, offset: u32, value: Ref) {
        let s = self.reg(value);
        self.asm.store_state(offset as i32, s);
    }

    fn begin_instruction(&mut self, pc_delta: u32) {
        self.pc_delta = pc_delta;
        self.mark();
        self.poll_if_needed();
    }

    // --- dispatch ---------------------------------------------------------

    fn operation(&mut self) {
        match self.ir.ops[self.at] {
            Op::Nop | Op::Imm(_) => {}
            Op::Insn { pc_delta } => self.begin_instruction(pc_delta),
            Op::GetX(n) => self.get_x(n),
            Op::GetV(n) => self.get_v(n),
            Op::SetX(n, value) => self.set_x(n, value),
            Op::SetV(n, value) => self.set_v(n, value),
            Op::GetState(offset) => self.get_state(offset),
            Op::SetState(offset, value) => self.set_state(offset, value),
            Op::Int1 { op, w, a } => self.int1(op, w, a),
            Op::Int2 { op, w, a, b } => self.int2(op, w, a, b),
            Op::Extend { w, signed, bits, a } => self.extend(w, signed, bits, a),
            Op::Extract {
                w,
                signed,
                a,
                lsb,
                len,
            } => self.extract(w, signed, a, lsb, len),
            Op::Insert {
                w,
                dst,
                src,
                lsb,
                len,
            } => self.insert(w, dst, src, lsb, len),
            Op::ExtractPair { w, hi, lo, lsb } => self.extract_pair(w, hi, lo, lsb),
            op @ (Op::Crc32 { .. } | Op::Crc32c { .. }) => self.crc(op),
            Op::Select { cond, a, b } => self.select(cond, a, b),
            Op::VecSelect { cond, a, b } => self.vec_select(cond, a, b),
            Op::FlagOp { op, w, a, b } => self.flag_op(op, w, a, b),
            Op::CarryOp { op, w, a, b } => self.carry_op(op, w, a, b),
            Op::CondCompare {
                op,
                w,
                cond,
                a,
                b,
                nzcv,
            } => self.cond_compare(op, w, cond, a, b, nzcv),
            op @ (Op::GetNzcv | Op::SetNzcv(_) | Op::InvertCarry) => self.nzcv_operation(op),
            Op::FpCompare {
                size,
                signaling,
                a,
                b,
            } => self.fp_compare(size, signaling, a, b),
            op @ Op::FpCondCompare { .. } => self.fp_cond_compare(op),
            Op::Load {
                size,
                ext,
                base,
                offset,
            } => self.load(size, ext, base, offset),
            Op::Store {
                size,
                base,
                offset,
                value,
            } => self.store(size, base, offset, value),
            Op::LoadV { size, base, offset } => self.load_v(size, base, offset),
            Op::StoreV {
                size,
                base,
                offset,
                value,
            } => self.store_v(size, base, offset, value),
            Op::AlignGuard { addr, mask } => self.align_guard(addr, mask),
            Op::SignatureGuard { pointer, bits } => self.signature_guard(pointer, bits),
            Op::StoreRelease { size, addr, value } => self.store_release(size, addr, value),
            Op::Rmw {
                op,
                size,
                addr,
                value,
            } => self.rmw(op, size, addr, value),
            Op::Cas {
                size,
                addr,
                expected,
                new,
            } => self.cas(size, addr, expected, new),
            Op::LoadExclusive { size, addr } => self.load_exclusive(size, addr),
            Op::StoreExclusive { size, addr, value } => self.store_exclusive(size, addr, value),
            op @ (Op::Cas16 { .. }
            | Op::Rmw16 { .. }
            | Op::LoadExclusive16 { .. }
            | Op::StoreExclusive16 { .. }) => self.operation16(op),
            op @ (Op::Bulk { .. } | Op::ZeroGuard { .. } | Op::CarryGuard) => self.bulk_operation(op),
            Op::Fence => self.fence(),
            Op::VecImm { lo, hi } => self.vec_imm(lo, hi),
            Op::Vec1 { op, s, a } => self.vec1(op, s, a),
            Op::Vec2 { op, s, a, b } => self.vec2(op, s, a, b),
            Op::Vec3 { op, s, a, b, c } => self.vec3(op, s, a, b, c),
            Op::VecShift {
                op,
                s,
                acc,
                a,
                amount,
            } => self.vec_shift(op, s, acc, a, amount),
            Op::VecDupLane { s, a, index } => self.vec_dup_lane(s, a, index),
            Op::VecDup { s, value } => self.vec_dup(s, value),
            Op::VecSetLane {
                lane,
                dst,
                index,
                value,
            } => self.vec_set_lane(lane, dst, index, value),
            Op::VecCopyLane {
                lane,
                dst,
                to,
                src,
                from,
            } => self.vec_copy_lane(lane, dst, to, src, from),
            Op::VecGetLane {
                lane,
                a,
                index,
                signed,
            } => self.vec_get_lane(lane, a, index, signed),
            Op::VecExt { s, lo, hi, index } => self.vec_ext(s, lo, hi, index),
            Op::VecTable1 { s, table, indices } => self.vec_table1(s, table, indices),
            Op::Crypto(op) => self.crypto(op),
            Op::VecTableMore(more) => self.vec_table_more(more),
            Op::VecTableElse(rest) => self.vec_table_else(rest),
            Op::Fp1 { op, s, a } => self.fp1(op, s, a),
            Op::Fp2 { op, s, a, b } => self.fp2(op, s, a, b),
            Op::Fp3 { op, s, a, b, c } => self.fp3(op, s, a, b, c),
            Op::FpToJsInt { a } => self.fp_to_js_int(a),
            Op::NanGuard { s, a } => self.nan_guard(s, a),
            Op::OrderGuard { s, a, b } => self.order_guard(s, a, b),
            Op::SmallestGuard { s, a } => self.smallest_guard(s, a),
            Op::DenormalTrap { s, a } => self.denormal_trap(s, a),
            Op::FpToInt { how, w, size, a } => self.fp_to_int(how, w, size, a),
            Op::IntToFp { how, w, size, value } => self.int_to_fp(how, w, size, value),
            Op::VecFpToInt { how, s, a } => self.vec_fp_to_int(how, s, a),
            Op::VecIntToFp { how, s, a } => self.vec_int_to_fp(how, s, a),
            Op::Interpret { word } => self.interpret(word),
            Op::SideExit { test, target } => self.side_exit(test, target),
            Op::Jump { target } => self.jump(target),
            Op::Call { target } => self.call(target),
            Op::JumpTo { target, kind } => self.jump_to(target, kind),
            Op::JumpPc => self.jump_pc(),
            Op::Svc { imm } => self.svc(imm),
        }
    }
}
