//! Lowers block IR to x86-64 in one forward pass.
//!
//! A value lives in a temporary, in the home of a guest register (its host register
//! or its slot in the CPU state), in a spill slot, or is a constant. Guest register
//! writes are done in order, so that at every operation that may leave the block all
//! guest registers are in their homes; only NZCV may wait in EFLAGS, which the
//! [`MapEntry`] of the place tells. Before the first such operation a home may be lent as one
//! more temporary (`lend`).

mod alloc;
mod bulk;
mod call;
mod crypto;
mod estimate;
mod flags;
mod flow;
mod fp;
mod fpconv;
mod half;
mod int;
mod lend;
mod mem;
mod mem128;
mod nzcv;
mod sha;
mod sha512;
pub mod support;
mod vec;
mod vecmove;

use crate::area::MAX_BORROWED;
use crate::asm::mem::Mem;
use crate::asm::{Asm, Fixup, Gpr, Xmm};
use crate::code::{AddressField, Code, MapEntry, Reloc, RelocKind};
use crate::host_state::NUM_SPILL_SLOTS;
use crate::ir::{Ir, NONE, Op, Ref};
use crate::opt::Analysis;
use crate::runtime_offset;
use crate::target::{Bank, Target};
use alloc::Registers;
pub use flags::FlagState;
use semantics::ops::Width;

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
    /// Lets the interpreter execute the instruction so far from the start of the block.
    Guard { from: Fixup, pc: i64 },
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

/// The numbers of the bits that are set.
fn bits(mut set: u32) -> impl Iterator<Item = u8> + Clone {
    std::iter::from_fn(move || {
        let n = set.trailing_zeros();
        (set != 0).then(|| {
            set &= set - 1;
            n as u8
        })
    })
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
    target: &'a Target,
    ir: &'a Ir,
    analysis: &'a Analysis,
    out: &'a mut Code,
    locs: &'a mut Vec<Loc>,
    cold: &'a mut Vec<Cold>,
    x: Registers,
    v: Registers,
    /// Homes the current operation has borrowed, in the order of their places in the area,
    /// and those of them that it does not use any more.
    borrowed: [u8; MAX_BORROWED],
    borrowed_count: usize,
    spare_v: u32,
    /// Spill slots in use, and the value each was last given to.
    spills: u128,
    spilled: [Ref; NUM_SPILL_SLOTS],
    flags: FlagState,
    /// Index of the current operation.
    at: usize,
    /// Offset of the current guest instruction.
    pc_delta: u32,
}

/// Lowers `ir` to `out`, for a host address of this phase ([`crate::code::PHASES`]).
pub fn lower(
    target: &Target,
    ir: &Ir,
    analysis: &Analysis,
    phase: u32,
    out: &mut Code,
    scratch: &mut Scratch,
) {
    out.reset(phase, ir.pc);
    scratch.locs.clear();
    scratch.locs.resize(ir.ops.len(), UNPLACED);
    scratch.cold.clear();
    let asm = Asm::new(std::mem::take(&mut out.bytes), out.phase);
    let mut lower = Lower {
        asm,
        target,
        ir,
        analysis,
        out,
        locs: &mut scratch.locs,
        cold: &mut scratch.cold,
        x: Registers::EMPTY,
        v: Registers::EMPTY,
        borrowed: [0; MAX_BORROWED],
        borrowed_count: 0,
        spare_v: 0,
        spills: 0,
        spilled: [NONE; NUM_SPILL_SLOTS],
        flags: FlagState::Slot,
        at: 0,
        pc_delta: 0,
    };
    for at in 0..ir.ops.len() {
        // These emit nothing and end no value's life.
        if matches!(ir.ops[at], Op::Nop | Op::Imm(_) | Op::Address(_)) || analysis.folded[at] {
            continue;
        }
        lower.at = at;
        lower.return_homes();
        lower.operation();
        lower.end_operation();
    }
    lower.cold_code();
    let bytes = lower.asm.finish();
    out.bytes = bytes;
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

    /// Distance of the current instruction from the start of the block.
    fn here(&self) -> i64 {
        i64::from(self.pc_delta)
    }

    /// `mov d, guest address`, so far from the start of the block.
    fn mov_address(&mut self, d: Gpr, offset: i64) {
        let value = self.ir.pc.wrapping_add_signed(offset);
        self.asm.mov_imm(d, value);
        self.guest_address(AddressField::of(value), offset);
    }

    /// The last bytes emitted are that address.
    fn guest_address(&mut self, field: AddressField, offset: i64) {
        self.out.relocs.push(Reloc {
            at: self.asm.pos() - field.size(),
            kind: RelocKind::Guest(field, offset),
        });
    }

    /// A guest address as a sign-extended immediate of 32 bits.
    fn short_address(&self, offset: i64) -> Option<i32> {
        i32::try_from(self.ir.pc.wrapping_add_signed(offset) as i64).ok()
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
        for bank in Bank::ALL {
            self.bank_mut(bank).locked = 0;
            for t in bits(self.bank(bank).held()) {
                let value = self.bank(bank).value(t);
                if self.dies(value) {
                    self.release(value);
                    self.bank_mut(bank).empty(t);
                }
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
            // At most all guest registers' and an instruction's; the last slot is `flags::RAX_SLOT`.
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

    fn get_state(&mut self, offset: u32) {
        let d = self.def(None, &[]);
        self.asm.load_state(d, offset as i32);
        self.bind(d);
    }

    fn set_state(&mut self, offset: u32, value: Ref) {
        let s = self.reg(value);
        self.asm.store_state(offset as i32, s);
    }

    fn begin_instruction(&mut self, pc_delta: u32, polls: bool) {
        self.pc_delta = pc_delta;
        self.mark();
        if polls {
            self.poll();
        }
    }

    // --- dispatch ---------------------------------------------------------

    fn operation(&mut self) {
        match self.ir.ops[self.at] {
            Op::Nop | Op::Imm(_) | Op::Address(_) => {}
            Op::Insn { pc_delta, polls } => self.begin_instruction(pc_delta, polls),
            Op::GetX(n) => self.get(Bank::X, n),
            Op::GetV(n) => self.get(Bank::V, n),
            Op::SetX(n, value) => self.set::<Gpr>(n, value),
            Op::SetV(n, value) => self.set::<Xmm>(n, value),
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
            Op::Crc32 { a } => self.crc32(a),
            Op::Crc32c { bytes, acc, data } => self.crc32c(bytes, acc, data),
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
            Op::GetNzcv => self.get_nzcv(),
            Op::SetNzcv(value) => self.set_nzcv(value),
            Op::InvertCarry => self.invert_carry(),
            Op::FpCompare {
                size,
                signaling,
                a,
                b,
            } => self.fp_compare(size, signaling, a, b),
            Op::FpCondCompare {
                size,
                signaling,
                cond,
                a,
                b,
                nzcv,
            } => self.fp_cond_compare(size, signaling, cond, (a, b), nzcv),
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
            Op::Cas16 { addr, expected, new } => self.cas16(addr, expected, new),
            Op::Rmw16 { op, addr, value } => self.rmw16(op, addr, value),
            Op::LoadExclusive16 { addr } => self.load_exclusive16(addr),
            Op::StoreExclusive16 { addr, value } => self.store_exclusive16(addr, value),
            Op::Bulk { op, to, from, size } => self.bulk(op, to, from, size),
            Op::ZeroGuard { value } => self.zero_guard(value),
            Op::CarryGuard => self.carry_guard(),
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
