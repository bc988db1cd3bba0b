//! Implements [`Ops`] by recording block IR, folding constants on the way.
//!
//! What the lowering has no sequence for is not recorded at all: the whole guest
//! instruction becomes one [`Op::Interpret`], a call of the interpreter.

mod expand;
mod fp_mode;
mod fuse;
mod parts;

pub use fp_mode::FpMode;
use fp_mode::{is_comparison, is_comparison_with_zero, is_guarded, makes_no_nan, passes_denormals};
pub(crate) use parts::low_mask;

use crate::ir::{Ir, NONE, Op, Ref, SP, TableElse, TableMore};
use crate::lower::support;
use crate::target::HostFeatures;
use guest::cpu_model::FeatureSet;
use guest::{CpuState, PacState};
use semantics::ops::{
    Barrier, BulkOp, BulkRegs, BulkStage, Cond, Crc, Exception, FlagOp, Fp1, Fp2, Fp3, FpSize, FpToInt,
    Indirect, Int1, Int2, IntToFp, Lane, LoadExt, MemSize, Ops, Order, PacKey, Qarma, Rmw, Shape, Span,
    SysReg, Test, Vec1, Vec2, Vec3, VecShift, Width,
};
use std::mem::offset_of;

/// How the instruction just recorded ends.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Flow {
    /// On to the next instruction.
    Next,
    /// A conditional branch was recorded as a side exit; the next instruction follows.
    Conditional,
    /// The block ends here.
    End,
}

/// Records one block.
pub struct Builder<'a> {
    pub ir: &'a mut Ir,
    /// Values the guest registers hold at this point, [`NONE`] where not known.
    x: [Ref; 32],
    v: [Ref; 32],
    pc: u64,
    flow: Flow,
    /// The current instruction needs the interpreter.
    fallback: bool,
    /// The rounds of SHA-256 recorded last: the other half of their result is often next.
    sha256: Option<fuse::Sha256>,
    fp_mode: FpMode,
    /// What the CPU has.
    features: FeatureSet,
    /// The next instruction is in a page with FEAT_BTI's guard.
    pub guarded: bool,
    /// No other CPU can see an access in two pieces. Loads of pairs are faster so: the second
    /// value does not wait for a vector register, and both forward from separate stores.
    pub alone: bool,
}

impl<'a> Builder<'a> {
    /// Starts a block at `pc`.
    pub fn new(ir: &'a mut Ir, pc: u64, fp_mode: FpMode, features: FeatureSet) -> Self {
        ir.ops.clear();
        ir.pc = pc;
        ir.guest_len = 0;
        ir.insns = 0;
        ir.checked = false;
        Builder {
            ir,
            x: [NONE; 32],
            v: [NONE; 32],
            pc,
            flow: Flow::Next,
            fallback: false,
            sha256: None,
            fp_mode,
            features,
            guarded: false,
            alone: false,
        }
    }

    /// Records the instruction `word` at the current address through `translate`, which
    /// plays its semantics and returns false if it is unallocated. Unless `inline`, the
    /// interpreter is to execute it.
    pub fn instruction(
        &mut self,
        word: u32,
        inline: bool,
        translate: impl FnOnce(u32, &mut Self) -> bool,
    ) -> Flow {
        self.flow = Flow::Next;
        self.fallback = !inline;
        self.push(Op::Insn {
            pc_delta: self.ir.guest_len,
        });
        let start = self.ir.ops.len();
        let allocated = translate(word, self);
        if !allocated || self.fallback {
            self.ir.ops.truncate(start);
            self.push(Op::Interpret { word });
            self.x = [NONE; 32];
            self.v = [NONE; 32];
            self.sha256 = None;
            if !allocated || self.flow != Flow::Next {
                self.push(Op::JumpPc);
                self.flow = Flow::End;
            }
        }
        self.pc = self.pc.wrapping_add(4);
        self.ir.guest_len += 4;
        self.ir.insns += 1;
        self.flow
    }

    /// Address of the next instruction to record.
    #[must_use]
    pub fn next_pc(&self) -> u64 {
        self.pc
    }

    /// Ends the block with a jump to the next address.
    pub fn finish(&mut self) {
        self.push(Op::Jump { target: self.pc });
    }

    fn push(&mut self, op: Op) -> Ref {
        self.ir.ops.push(op);
        (self.ir.ops.len() - 1) as Ref
    }

    fn op(&self, r: Ref) -> Op {
        self.ir.ops[r as usize]
    }

    fn constant(&self, r: Ref) -> Option<u64> {
        match self.op(r) {
            Op::Imm(value) => Some(value),
            _ => None,
        }
    }

    /// Marks the instruction for the interpreter and gives a value to go on with.
    fn give_up(&mut self) -> Ref {
        self.fallback = true;
        self.push(Op::Imm(0))
    }

    /// Whether the upper 32 bits of the value are known to be zero.
    fn upper_zero(&self, r: Ref) -> bool {
        match self.op(r) {
            Op::Imm(value) => value >> 32 == 0,
            Op::Int1 { w, .. } | Op::Int2 { w, .. } | Op::FlagOp { w, .. } | Op::CarryOp { w, .. } => {
                w == Width::W
            }
            Op::Insert { w, .. } | Op::ExtractPair { w, .. } => w == Width::W,
            Op::Extend { w, signed, bits, .. } => w == Width::W || (!signed && bits <= 32),
            Op::Extract { w, signed, len, .. } => w == Width::W || (!signed && len <= 32),
            Op::Load { size, ext, .. } => match ext {
                LoadExt::Zero => size != MemSize::X,
                LoadExt::SignW => true,
                LoadExt::SignX => false,
            },
            Op::Crc32c { .. } | Op::Crc32 { .. } | Op::GetNzcv | Op::FpToJsInt { .. } => true,
            _ => false,
        }
    }

    /// Base and offset of an address, with constant additions moved into the offset. A sum
    /// that is a guest register's value stays the base: folding it would keep the register's
    /// older value alive beside it, as after `stp x29, x30, [sp, #-32]!`.
    fn address(&mut self, base: Ref, offset: i64) -> (Ref, i32) {
        let (base, offset) = match self.op(base) {
            Op::Int2 {
                op: Int2::Add,
                w: Width::X,
                a,
                b,
            } if !self.x.contains(&base) => match self.constant(b) {
                Some(c) => (a, offset.wrapping_add(c as i64)),
                None => (base, offset),
            },
            _ => (base, offset),
        };
        if let Some(c) = self.constant(base) {
            return (self.imm(c.wrapping_add(offset as u64)), 0);
        }
        match i32::try_from(offset) {
            Ok(small) => (base, small),
            Err(_) => {
                let imm = self.imm(offset as u64);
                (self.int2(Int2::Add, Width::X, base, imm), 0)
            }
        }
    }
}

impl Ops for Builder<'_> {
    type Value = Ref;
    type Vector = Ref;

    fn pc(&self) -> u64 {
        self.pc
    }

    fn features(&self) -> FeatureSet {
        self.features
    }

    fn x(&mut self, n: u8) -> Ref {
        if n == 31 {
            return self.imm(0);
        }
        if self.x[n as usize] == NONE {
            self.x[n as usize] = self.push(Op::GetX(n));
        }
        self.x[n as usize]
    }

    fn set_x(&mut self, n: u8, value: Ref) {
        if n != 31 {
            self.push(Op::SetX(n, value));
            self.x[n as usize] = value;
        }
    }

    fn sp(&mut self) -> Ref {
        if self.x[31] == NONE {
            self.x[31] = self.push(Op::GetX(SP));
        }
        self.x[31]
    }

    fn set_sp(&mut self, value: Ref) {
        self.push(Op::SetX(SP, value));
        self.x[31] = value;
    }

    fn v(&mut self, n: u8) -> Ref {
        if self.v[n as usize] == NONE {
            self.v[n as usize] = self.push(Op::GetV(n));
        }
        self.v[n as usize]
    }

    fn set_v(&mut self, n: u8, value: Ref) {
        self.push(Op::SetV(n, value));
        self.v[n as usize] = value;
    }

    fn read_sys(&mut self, reg: SysReg) -> Ref {
        if reg == SysReg::Fpsr {
            self.use_fpsr();
        }
        match reg {
            SysReg::TpidrEl0 => self.push(Op::GetState(offset_of!(CpuState, tpidr_el0) as u32)),
            SysReg::Nzcv => self.push(Op::GetNzcv),
            _ => self.give_up(),
        }
    }

    fn write_sys(&mut self, reg: SysReg, value: Ref) {
        match reg {
            SysReg::TpidrEl0 => {
                self.push(Op::SetState(offset_of!(CpuState, tpidr_el0) as u32, value));
            }
            SysReg::Nzcv => {
                self.push(Op::SetNzcv(value));
            }
            // A new floating-point mode needs blocks of its own.
            SysReg::Fpcr => {
                self.give_up();
                self.flow = Flow::End;
            }
            SysReg::Fpsr => {
                self.give_up();
                self.use_fpsr();
            }
            _ => {
                self.give_up();
            }
        }
    }

    fn imm(&mut self, value: u64) -> Ref {
        self.push(Op::Imm(value))
    }

    fn int1(&mut self, op: Int1, w: Width, a: Ref) -> Ref {
        if let (Some(c), Int1::Not) = (self.constant(a), op) {
            let value = if w == Width::W { u64::from(!c as u32) } else { !c };
            return self.imm(value);
        }
        if !support::int1(op) {
            return self.give_up();
        }
        self.push(Op::Int1 { op, w, a })
    }

    fn int2(&mut self, op: Int2, w: Width, a: Ref, b: Ref) -> Ref {
        self.folded2(op, w, a, b)
    }

    fn extend(&mut self, w: Width, signed: bool, bits: u8, a: Ref) -> Ref {
        if bits >= 64 || (!signed && bits == 32 && self.upper_zero(a)) {
            return a;
        }
        if let (Some(c), false) = (self.constant(a), signed) {
            return self.imm(c & low_mask(bits));
        }
        if w == Width::W && bits == 32 {
            return self.extend(Width::X, false, 32, a);
        }
        self.push(Op::Extend { w, signed, bits, a })
    }

    fn extract(&mut self, w: Width, signed: bool, a: Ref, lsb: u8, len: u8) -> Ref {
        if let (Some(c), false) = (self.constant(a), signed) {
            return self.imm((c >> lsb) & low_mask(len));
        }
        if lsb == 0 && matches!(len, 8 | 16 | 32) {
            return self.extend(w, signed, len, a);
        }
        self.push(Op::Extract {
            w,
            signed,
            a,
            lsb,
            len,
        })
    }

    fn insert(&mut self, w: Width, dst: Ref, src: Ref, lsb: u8, len: u8) -> Ref {
        if let (Some(d), Some(s)) = (self.constant(dst), self.constant(src)) {
            let mask = low_mask(len) << lsb;
            let value = (d & !mask) | ((s << lsb) & mask);
            return self.imm(if w == Width::W {
                u64::from(value as u32)
            } else {
                value
            });
        }
        self.push(Op::Insert {
            w,
            dst,
            src,
            lsb,
            len,
        })
    }

    fn extract_pair(&mut self, w: Width, hi: Ref, lo: Ref, lsb: u8) -> Ref {
        self.push(Op::ExtractPair { w, hi, lo, lsb })
    }

    fn select(&mut self, cond: Cond, a: Ref, b: Ref) -> Ref {
        if matches!(cond, Cond::Al | Cond::Nv) {
            return a;
        }
        self.push(Op::Select { cond, a, b })
    }

    fn crc32(&mut self, poly: Crc, bytes: u8, acc: Ref, data: Ref) -> Ref {
        match poly {
            Crc::Castagnoli => self.push(Op::Crc32c { bytes, acc, data }),
            Crc::Ieee if HostFeatures::get().pclmul => self.crc32_ieee(bytes, acc, data),
            Crc::Ieee => self.give_up(),
        }
    }

    fn flag_op(&mut self, op: FlagOp, w: Width, a: Ref, b: Ref) -> Ref {
        self.push(Op::FlagOp { op, w, a, b })
    }

    fn invert_carry(&mut self) {
        self.push(Op::InvertCarry);
    }

    fn carry_op(&mut self, op: FlagOp, w: Width, a: Ref, b: Ref) -> Ref {
        self.push(Op::CarryOp { op, w, a, b })
    }

    fn cond_compare(&mut self, op: FlagOp, w: Width, cond: Cond, a: Ref, b: Ref, nzcv: u8) {
        if matches!(cond, Cond::Al | Cond::Nv) {
            self.push(Op::FlagOp { op, w, a, b });
        } else {
            self.push(Op::CondCompare {
                op,
                w,
                cond,
                a,
                b,
                nzcv,
            });
        }
    }

    fn load(&mut self, size: MemSize, ext: LoadExt, base: Ref, offset: i64) -> Ref {
        let (base, offset) = self.address(base, offset);
        self.push(Op::Load {
            size,
            ext,
            base,
            offset,
        })
    }

    fn store(&mut self, size: MemSize, base: Ref, offset: i64, value: Ref) {
        let (base, offset) = self.address(base, offset);
        self.push(Op::Store {
            size,
            base,
            offset,
            value,
        });
    }

    fn load_v(&mut self, size: MemSize, base: Ref, offset: i64) -> Ref {
        let (base, offset) = self.address(base, offset);
        self.push(Op::LoadV { size, base, offset })
    }

    fn store_v(&mut self, size: MemSize, base: Ref, offset: i64, value: Ref) {
        let (base, offset) = self.address(base, offset);
        self.push(Op::StoreV {
            size,
            base,
            offset,
            value,
        });
    }

    fn load_pair(&mut self, shared: bool, base: Ref, offset: i64) -> (Ref, Ref) {
        if shared && !self.alone {
            let both = self.load_v(MemSize::Q, base, offset);
            return self.split_pair(both);
        }
        let first = self.load(MemSize::X, LoadExt::Zero, base, offset);
        (first, self.load(MemSize::X, LoadExt::Zero, base, offset + 8))
    }

    fn store_pair(&mut self, shared: bool, base: Ref, offset: i64, values: (Ref, Ref)) {
        if shared {
            let both = self.join_pair(values);
            return self.store_v(MemSize::Q, base, offset, both);
        }
        self.store(MemSize::X, base, offset, values.0);
        self.store(MemSize::X, base, offset + 8, values.1);
    }

    fn load_acquire_v(&mut self, size: MemSize, addr: Ref) -> Ref {
        self.guard_alignment(addr, size);
        self.push(Op::LoadV {
            size,
            base: addr,
            offset: 0,
        })
    }

    fn store_release_v(&mut self, size: MemSize, addr: Ref, value: Ref) {
        self.guard_alignment(addr, size);
        self.push(Op::StoreV {
            size,
            base: addr,
            offset: 0,
            value,
        });
        self.push(Op::Fence);
    }

    fn load_acquire(&mut self, size: MemSize, addr: Ref) -> Ref {
        // Every x86 load is an acquire.
        self.guard_alignment(addr, size);
        self.push(Op::Load {
            size,
            ext: LoadExt::Zero,
            base: addr,
            offset: 0,
        })
    }

    fn store_release(&mut self, size: MemSize, addr: Ref, value: Ref) {
        self.guard_alignment(addr, size);
        self.push(Op::StoreRelease { size, addr, value });
    }

    fn load_exclusive(&mut self, size: MemSize, _order: Order, addr: Ref) -> Ref {
        self.guard_alignment(addr, size);
        self.push(Op::LoadExclusive { size, addr })
    }

    fn load_exclusive_pair(&mut self, size: MemSize, order: Order, addr: Ref) -> (Ref, Ref) {
        if size != MemSize::X {
            let both = self.load_exclusive(MemSize::X, order, addr);
            return self.split_words(both);
        }
        self.guard_alignment(addr, MemSize::Q);
        let both = self.push(Op::LoadExclusive16 { addr });
        self.split_pair(both)
    }

    fn store_exclusive(&mut self, size: MemSize, _order: Order, addr: Ref, value: Ref) -> Ref {
        self.guard_alignment(addr, size);
        self.push(Op::StoreExclusive { size, addr, value })
    }

    fn store_exclusive_pair(&mut self, size: MemSize, order: Order, addr: Ref, values: (Ref, Ref)) -> Ref {
        if size != MemSize::X {
            let both = self.join_words(values);
            return self.store_exclusive(MemSize::X, order, addr, both);
        }
        self.guard_alignment(addr, MemSize::Q);
        let value = self.join_pair(values);
        self.push(Op::StoreExclusive16 { addr, value })
    }

    fn clear_exclusive(&mut self) {
        let open = self.imm(u64::MAX);
        self.push(Op::SetState(offset_of!(CpuState, exclusive_addr) as u32, open));
    }

    fn atomic_rmw(&mut self, op: Rmw, size: MemSize, _order: Order, addr: Ref, value: Ref) -> Ref {
        self.guard_alignment(addr, size);
        self.push(Op::Rmw {
            op,
            size,
            addr,
            value,
        })
    }

    fn compare_swap(&mut self, size: MemSize, _order: Order, addr: Ref, expected: Ref, new: Ref) -> Ref {
        self.guard_alignment(addr, size);
        self.push(Op::Cas {
            size,
            addr,
            expected,
            new,
        })
    }

    fn compare_swap_pair(
        &mut self,
        size: MemSize,
        order: Order,
        addr: Ref,
        expected: (Ref, Ref),
        new: (Ref, Ref),
    ) -> (Ref, Ref) {
        if size != MemSize::X {
            let (expected, new) = (self.join_words(expected), self.join_words(new));
            let old = self.compare_swap(MemSize::X, order, addr, expected, new);
            return self.split_words(old);
        }
        self.guard_alignment(addr, MemSize::Q);
        let (expected, new) = (self.join_pair(expected), self.join_pair(new));
        let old = self.push(Op::Cas16 { addr, expected, new });
        self.split_pair(old)
    }

    fn atomic_rmw_pair(&mut self, op: Rmw, _order: Order, addr: Ref, values: (Ref, Ref)) -> (Ref, Ref) {
        self.guard_alignment(addr, MemSize::Q);
        let value = self.join_pair(values);
        let old = self.push(Op::Rmw16 { op, addr, value });
        self.split_pair(old)
    }

    fn bulk(&mut self, op: BulkOp, stage: BulkStage, regs: BulkRegs) {
        if op == BulkOp::SetGranules {
            self.give_up();
            if stage != BulkStage::Prologue {
                // It may go back to the prologue.
                self.flow = Flow::End;
            }
            return;
        }
        let size = self.x(regs.rn);
        if !self.carry_is_clear() {
            self.push(Op::CarryGuard);
        } else if self.constant(size) == Some(0) {
            return;
        }
        let (to, from) = (self.x(regs.rd), self.x(regs.rs));
        let left = self.push(Op::Bulk { op, to, from, size });
        self.set_x(regs.rn, left);
        self.push(Op::ZeroGuard { value: left });
        // Behind the guard it is known; the epilogue has nothing to do.
        self.x[regs.rn as usize] = self.imm(0);
    }

    fn barrier(&mut self, kind: Barrier) {
        match kind {
            Barrier::Full => {
                self.push(Op::Fence);
            }
            // x86 keeps loads in order and stores in order by itself.
            Barrier::Load | Barrier::Store | Barrier::Instruction => {}
        }
    }

    fn invalidate_code(&mut self, _addr: Ref) {
        self.give_up();
        self.flow = Flow::End;
    }

    fn branch(&mut self, target: u64) {
        self.push(Op::Jump { target });
        self.flow = Flow::End;
    }

    fn call(&mut self, target: u64) {
        self.push(Op::Call { target });
        self.flow = Flow::End;
    }

    fn branch_if(&mut self, test: Test<Ref>, target: u64) {
        if matches!(test, Test::Cond(Cond::Al | Cond::Nv)) {
            return self.branch(target);
        }
        self.push(Op::SideExit { test, target });
        self.flow = Flow::Conditional;
    }

    fn pac_key(&mut self, key: PacKey, word: u8) -> Ref {
        let keys = offset_of!(CpuState, pac) + offset_of!(PacState, keys);
        let at = keys + 16 * key as usize + 8 * usize::from(word);
        self.push(Op::GetState(at as u32))
    }

    fn pac_bits(&mut self, key: PacKey) -> Ref {
        let masks = offset_of!(CpuState, pac) + offset_of!(PacState, masks);
        self.push(Op::GetState((masks + 8 * key as usize) as u32))
    }

    fn qarma(&mut self, _cipher: Qarma, _pointer: Ref, _modifier: Ref, _key: PacKey) -> Ref {
        self.give_up()
    }

    fn check_signature(&mut self, pointer: Ref, bits: Ref) {
        self.push(Op::SignatureGuard { pointer, bits });
    }

    fn branch_to(&mut self, target: Ref, kind: Indirect) {
        let kind = match kind {
            Indirect::Jump if !self.guarded => Indirect::JumpStub,
            Indirect::Jump | Indirect::JumpStub | Indirect::Call | Indirect::Return => kind,
        };
        self.push(Op::JumpTo { target, kind });
        self.flow = Flow::End;
    }

    fn exception(&mut self, exception: Exception) {
        match exception {
            Exception::Svc(imm) => {
                self.push(Op::Svc { imm });
            }
            Exception::Brk(_) | Exception::Undefined => {
                self.give_up();
            }
        }
        self.flow = Flow::End;
    }

    fn vec_imm(&mut self, value: u128) -> Ref {
        self.push(Op::VecImm {
            lo: value as u64,
            hi: (value >> 64) as u64,
        })
    }

    fn vec1(&mut self, op: Vec1, s: Shape, a: Ref) -> Ref {
        if op == Vec1::Mov && s.span == Span::Full {
            return a;
        }
        if !support::vec1(op, s) {
            return self.give_up();
        }
        if let Some(found) = self.fused1(op, a) {
            return found;
        }
        self.push(Op::Vec1 { op, s, a })
    }

    fn vec2(&mut self, op: Vec2, s: Shape, a: Ref, b: Ref) -> Ref {
        if !support::vec2(op, s) {
            return self.give_up();
        }
        if let Some(found) = self.fused2(op, s, a, b) {
            return found;
        }
        self.push(Op::Vec2 { op, s, a, b })
    }

    fn vec3(&mut self, op: Vec3, s: Shape, a: Ref, b: Ref, c: Ref) -> Ref {
        if !support::vec3(op, s) {
            return self.give_up();
        }
        if let Some(found) = self.fused3(op, a, b, c) {
            return found;
        }
        self.push(Op::Vec3 { op, s, a, b, c })
    }

    fn vec_shift(&mut self, op: VecShift, s: Shape, acc: Ref, a: Ref, amount: u8) -> Ref {
        if !support::vec_shift(op, s, amount) {
            return self.give_up();
        }
        if let Some(found) = self.fused_shift(op, s, acc, a, amount) {
            return found;
        }
        self.push(Op::VecShift {
            op,
            s,
            acc,
            a,
            amount,
        })
    }

    fn vec_dup_lane(&mut self, s: Shape, a: Ref, index: u8) -> Ref {
        self.push(Op::VecDupLane { s, a, index })
    }

    fn vec_dup(&mut self, s: Shape, value: Ref) -> Ref {
        self.push(Op::VecDup { s, value })
    }

    fn vec_set_lane(&mut self, lane: Lane, dst: Ref, index: u8, value: Ref) -> Ref {
        self.push(Op::VecSetLane {
            lane,
            dst,
            index,
            value,
        })
    }

    fn vec_copy_lane(&mut self, lane: Lane, dst: Ref, to: u8, src: Ref, from: u8) -> Ref {
        self.push(Op::VecCopyLane {
            lane,
            dst,
            to,
            src,
            from,
        })
    }

    fn vec_get_lane(&mut self, lane: Lane, a: Ref, index: u8, signed: Option<Width>) -> Ref {
        self.push(Op::VecGetLane {
            lane,
            a,
            index,
            signed,
        })
    }

    fn vec_ext(&mut self, s: Span, lo: Ref, hi: Ref, index: u8) -> Ref {
        self.push(Op::VecExt { s, lo, hi, index })
    }

    fn vec_table(&mut self, s: Span, table: &[Ref], indices: Ref, fallback: Option<Ref>) -> Ref {
        let Some((&first, rest)) = table.split_first() else {
            return self.give_up();
        };
        let mut found = self.push(Op::VecTable1 {
            s,
            table: first,
            indices,
        });
        for (&table, nth) in rest.iter().zip(1..) {
            found = self.push(Op::VecTableMore(TableMore {
                s,
                earlier: found,
                table,
                indices,
                nth,
            }));
        }
        match fallback {
            None => found,
            Some(fallback) => self.push(Op::VecTableElse(TableElse {
                s,
                found,
                fallback,
                indices,
                count: table.len() as u8,
            })),
        }
    }

    fn vec_select(&mut self, cond: Cond, a: Ref, b: Ref) -> Ref {
        if matches!(cond, Cond::Al | Cond::Nv) {
            return a;
        }
        self.push(Op::VecSelect { cond, a, b })
    }

    fn fp1(&mut self, op: Fp1, s: Shape, a: Ref) -> Ref {
        let strict = match op {
            Fp1::Abs | Fp1::Neg => false,
            // Halves are not flushed here, but their singles and doubles are.
            Fp1::CvtHS | Fp1::CvtHD => self.fp_mode.alternative_half,
            Fp1::CvtSH | Fp1::CvtDH => self.fp_mode.alternative_half || self.fp_mode.flush,
            _ => self.is_strict(s.lane),
        };
        if strict {
            return self.give_up();
        }
        if let Some(result) = self.expand_fp1(op, s, a) {
            return result;
        }
        if !support::fp1(op, s) {
            return self.give_up();
        }
        if matches!(op, Fp1::CvtSH | Fp1::CvtDH) {
            let lane = if op == Fp1::CvtSH { Lane::S } else { Lane::D };
            let span = if s.span == Span::Half { Span::Full } else { s.span };
            self.guard_nan(Shape::new(lane, span), a);
            return self.push(Op::Fp1 { op, s, a });
        }
        if passes_denormals(op) {
            self.trap_denormals(s, a);
        }
        if is_comparison_with_zero(op) {
            self.check_operands(s, a, a);
        }
        let result = self.push(Op::Fp1 { op, s, a });
        if !makes_no_nan(op) {
            self.guard_nan(s, result);
        }
        if op == Fp1::CvtDS {
            self.guard_smallest(s, result);
        }
        result
    }

    fn fp2(&mut self, op: Fp2, s: Shape, a: Ref, b: Ref) -> Ref {
        if self.is_strict(s.lane) {
            return self.give_up();
        }
        if let Some(result) = self.expand_fp2(op, s, a, b) {
            return result;
        }
        if !support::fp2(op, s) {
            return self.give_up();
        }
        if is_comparison(op) {
            self.guard_operands(s, [a, b]);
            self.check_operands(s, a, b);
        }
        let result = self.push(Op::Fp2 { op, s, a, b });
        if !is_comparison(op) && !is_guarded(op) {
            self.guard_nan(s, result);
        }
        if matches!(op, Fp2::Mul | Fp2::Div | Fp2::Nmul) {
            self.guard_smallest(s, result);
        }
        result
    }

    fn fp3(&mut self, op: Fp3, s: Shape, a: Ref, b: Ref, c: Ref) -> Ref {
        let widens = matches!(op, Fp3::MulAddLong | Fp3::MulSubLong);
        if self.is_strict(if widens { Lane::H } else { s.lane }) {
            return self.give_up();
        }
        if let Some(result) = self.expand_fp3(op, s, a, b, c) {
            return result;
        }
        if !support::fp3(op) {
            return self.give_up();
        }
        let result = self.push(Op::Fp3 { op, s, a, b, c });
        self.guard_smallest(s, result);
        result
    }

    fn fp_compare(&mut self, size: FpSize, signaling: bool, a: Ref, b: Ref) {
        if self.is_strict(size.lane()) {
            self.give_up();
            return;
        }
        let (_, a) = self.as_single(size, a);
        let (size, b) = self.as_single(size, b);
        self.guard_operands(Shape::scalar(size.lane()), [a, b]);
        self.push(Op::FpCompare {
            size,
            signaling,
            a,
            b,
        });
    }

    fn fp_cond_compare(&mut self, size: FpSize, signaling: bool, cond: Cond, a: Ref, b: Ref, nzcv: u8) {
        if self.is_strict(size.lane()) || self.fp_mode.flush {
            self.give_up();
            return;
        }
        if matches!(cond, Cond::Al | Cond::Nv) {
            self.fp_compare(size, signaling, a, b);
        } else {
            // A half's signaling NaN traps even where the condition does not hold: the
            // interpreter then finds nothing to raise.
            let (_, a) = self.as_single(size, a);
            let (size, b) = self.as_single(size, b);
            self.check_operands(Shape::scalar(size.lane()), a, b);
            self.push(Op::FpCondCompare {
                size,
                signaling,
                cond,
                a,
                b,
                nzcv,
            });
        }
    }

    fn fp_to_int(&mut self, how: FpToInt, w: Width, size: FpSize, a: Ref) -> Ref {
        if self.is_strict(size.lane()) || !support::fp_to_int(how) {
            return self.give_up();
        }
        self.trap_denormals(Shape::scalar(size.lane()), a);
        let (size, a) = self.scaled_operand(how, size, a);
        self.push(Op::FpToInt { how, w, size, a })
    }

    fn fp_to_js_int(&mut self, a: Ref) -> Ref {
        if self.fp_mode.flush {
            return self.give_up();
        }
        self.push(Op::FpToJsInt { a })
    }

    fn int_to_fp(&mut self, how: IntToFp, w: Width, size: FpSize, value: Ref) -> Ref {
        if self.is_strict(size.lane()) {
            return self.give_up();
        }
        if size == FpSize::H {
            return match self.int_to_half(how, w, value) {
                Some(result) => result,
                None => self.give_up(),
            };
        }
        self.push(Op::IntToFp { how, w, size, value })
    }

    fn vec_fp_to_int(&mut self, how: FpToInt, s: Shape, a: Ref) -> Ref {
        if self.is_strict(s.lane) || !support::fp_to_int(how) {
            return self.give_up();
        }
        if s.lane == Lane::H
            && let Some(result) = self.halves_to_ints(how, s, a)
        {
            return result;
        }
        self.trap_denormals(s, a);
        self.push(Op::VecFpToInt { how, s, a })
    }

    fn vec_int_to_fp(&mut self, how: IntToFp, s: Shape, a: Ref) -> Ref {
        if self.is_strict(s.lane) {
            return self.give_up();
        }
        if s.lane == Lane::H {
            return match self.ints_to_halves(how, s, a) {
                Some(result) => result,
                None => self.give_up(),
            };
        }
        self.push(Op::VecIntToFp { how, s, a })
    }
}
