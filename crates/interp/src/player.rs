//! [`Player`]: `Ops` carried out on a [`CpuState`].

use crate::{bulk, memory, sysreg};
use guest::cpu_model::{Feature, FeatureSet};
use guest::{Access, CpuState, Exit, FaultKind, GuestAddr, MemFault};
use guest_memory::access;
use semantics::Ops;
use semantics::ops::{
    Barrier, BulkOp, BulkRegs, BulkStage, Cond, Crc, Exception, FlagOp, Fp1, Fp2, Fp3, FpSize, FpToInt,
    Indirect, Int1, Int2, IntToFp, Lane, LoadExt, MemSize, Order, PacKey, Qarma, Rmw, Shape, Span, SysReg,
    Test, Vec1, Vec2, Vec3, VecShift, Width,
};

/// The carry in NZCV.
const NZCV_C: u32 = 1 << 29;

/// Executes one instruction.
pub struct Player<'a> {
    pub(crate) state: &'a mut CpuState,
    /// Where to go on: the next instruction unless a branch says otherwise.
    next: u64,
    /// The exit the instruction causes. Once set, operations have no effect.
    exit: Option<Exit>,
}

impl<'a> Player<'a> {
    pub fn new(state: &'a mut CpuState) -> Self {
        let next = state.pc.wrapping_add(4);
        Player {
            state,
            next,
            exit: None,
        }
    }

    /// Ends the instruction: moves pc where [`Exit`] says it is.
    pub fn finish(self) -> Result<(), Exit> {
        match self.exit {
            None => {
                self.state.pc = self.next;
                Ok(())
            }
            Some(exit @ (Exit::Svc(_) | Exit::InvalidateCode(_))) => {
                self.state.pc = self.next;
                Err(exit)
            }
            Some(
                exit @ (Exit::Breakpoint(_)
                | Exit::Undefined
                | Exit::AuthenticationFailed
                | Exit::Fault(_)
                | Exit::Poll),
            ) => Err(exit),
        }
    }

    /// Carries out a memory access, unless an earlier one of this instruction faulted.
    /// A faulting access notes the exit and gives zero.
    fn memory<T: Default>(&mut self, run: impl FnOnce(&mut CpuState) -> Result<T, MemFault>) -> T {
        if self.exit.is_some() {
            return T::default();
        }
        run(self.state).unwrap_or_else(|fault| {
            self.exit = Some(Exit::Fault(fault));
            T::default()
        })
    }

    /// As [`Player::memory`], for accesses that are atomic or ordered. Without FEAT_LSE2 all of them must be aligned
    /// to their size (Arm ARM B2.8.2); with it, `memory` checks what remains.
    fn ordered<T: Default>(
        &mut self,
        access: Access,
        bytes: usize,
        addr: u64,
        run: impl FnOnce(&mut CpuState, GuestAddr) -> Result<T, MemFault>,
    ) -> T {
        self.memory(|state| {
            if !state.model.features.contains(Feature::Lse2) && !addr.is_multiple_of(bytes as u64) {
                return Err(MemFault {
                    addr: access::untag(GuestAddr(addr)),
                    access,
                    kind: FaultKind::Alignment,
                });
            }
            run(state, GuestAddr(addr))
        })
    }

    fn go_to(&mut self, target: u64) {
        // Top-byte-ignore holds for branch targets too (Arm ARM, AArch64.BranchAddr).
        self.next = access::untag(GuestAddr(target)).0;
    }

    fn holds(&self, cond: Cond) -> bool {
        cond.holds(self.state.nzcv())
    }

    fn set_nzcv(&mut self, nzcv: u32) {
        if self.exit.is_none() {
            self.state.set_nzcv(nzcv);
        }
    }
}

/// Values are the bits themselves.
impl Ops for Player<'_> {
    type Value = u64;
    type Vector = u128;

    fn pc(&self) -> u64 {
        self.state.pc
    }
    fn features(&self) -> FeatureSet {
        self.state.model.features
    }

    // --- registers -------------------------------------------------------

    fn x(&mut self, n: u8) -> u64 {
        self.state.reg(usize::from(n))
    }
    fn set_x(&mut self, n: u8, value: u64) {
        if self.exit.is_none() {
            self.state.set_reg(usize::from(n), value);
        }
    }
    fn sp(&mut self) -> u64 {
        self.state.sp()
    }
    fn set_sp(&mut self, value: u64) {
        if self.exit.is_none() {
            self.state.set_sp(value);
        }
    }
    fn v(&mut self, n: u8) -> u128 {
        self.state.v[usize::from(n)]
    }
    fn set_v(&mut self, n: u8, value: u128) {
        if self.exit.is_none() {
            self.state.v[usize::from(n)] = value;
        }
    }
    fn read_sys(&mut self, reg: SysReg) -> u64 {
        sysreg::read(self.state, reg)
    }
    fn write_sys(&mut self, reg: SysReg, value: u64) {
        if self.exit.is_none() {
            sysreg::write(self.state, reg, value);
        }
    }

    // --- integer ---------------------------------------------------------

    fn imm(&mut self, value: u64) -> u64 {
        value
    }
    fn int1(&mut self, op: Int1, w: Width, a: u64) -> u64 {
        soft::int1(op, w, a)
    }
    fn int2(&mut self, op: Int2, w: Width, a: u64, b: u64) -> u64 {
        soft::int2(op, w, a, b)
    }
    fn extend(&mut self, w: Width, signed: bool, bits: u8, a: u64) -> u64 {
        soft::extend(w, signed, bits, a)
    }
    fn extract(&mut self, w: Width, signed: bool, a: u64, lsb: u8, len: u8) -> u64 {
        soft::extract(w, signed, a, lsb, len)
    }
    fn insert(&mut self, w: Width, dst: u64, src: u64, lsb: u8, len: u8) -> u64 {
        soft::insert(w, dst, src, lsb, len)
    }
    fn extract_pair(&mut self, w: Width, hi: u64, lo: u64, lsb: u8) -> u64 {
        soft::extract_pair(w, hi, lo, lsb)
    }
    fn select(&mut self, cond: Cond, a: u64, b: u64) -> u64 {
        if self.holds(cond) { a } else { b }
    }
    fn crc32(&mut self, poly: Crc, bytes: u8, acc: u64, data: u64) -> u64 {
        u64::from(soft::crc32(poly, bytes, acc as u32, data))
    }

    // --- flags -----------------------------------------------------------

    fn flag_op(&mut self, op: FlagOp, w: Width, a: u64, b: u64) -> u64 {
        let (result, nzcv) = soft::flag_op(op, w, a, b, self.state.nzcv());
        self.set_nzcv(nzcv);
        result
    }
    fn invert_carry(&mut self) {
        self.set_nzcv(self.state.nzcv() ^ NZCV_C);
    }
    fn carry_op(&mut self, op: FlagOp, w: Width, a: u64, b: u64) -> u64 {
        soft::flag_op(op, w, a, b, self.state.nzcv()).0
    }
    fn cond_compare(&mut self, op: FlagOp, w: Width, cond: Cond, a: u64, b: u64, nzcv: u8) {
        let before = self.state.nzcv();
        let after = if cond.holds(before) {
            soft::flag_op(op, w, a, b, before).1
        } else {
            u32::from(nzcv) << 28
        };
        self.set_nzcv(after);
    }

    // --- memory ----------------------------------------------------------

    fn load(&mut self, size: MemSize, ext: LoadExt, base: u64, offset: i64) -> u64 {
        let addr = GuestAddr(base).offset(offset);
        self.memory(|_| memory::load(size, ext, addr))
    }
    fn store(&mut self, size: MemSize, base: u64, offset: i64, value: u64) {
        let addr = GuestAddr(base).offset(offset);
        self.memory(|_| access::store(addr, size.bytes(), value));
    }
    fn load_v(&mut self, size: MemSize, base: u64, offset: i64) -> u128 {
        let addr = GuestAddr(base).offset(offset);
        self.memory(|_| memory::load_v(size, addr))
    }
    fn store_v(&mut self, size: MemSize, base: u64, offset: i64, value: u128) {
        let addr = GuestAddr(base).offset(offset);
        self.memory(|_| memory::store_v(size, addr, value));
    }
    fn load_pair(&mut self, _shared: bool, base: u64, offset: i64) -> (u64, u64) {
        let addr = GuestAddr(base).offset(offset);
        self.memory(|_| access::load16(addr).map(|[first, second]| (first, second)))
    }
    fn store_pair(&mut self, shared: bool, base: u64, offset: i64, (first, second): (u64, u64)) {
        if !shared {
            self.store(MemSize::X, base, offset, first);
            return self.store(MemSize::X, base, offset + 8, second);
        }
        let addr = GuestAddr(base).offset(offset);
        self.memory(|_| access::store16(addr, [first, second]));
    }
    fn load_acquire_v(&mut self, size: MemSize, addr: u64) -> u128 {
        self.ordered(Access::Read, size.bytes(), addr, |_, addr| {
            memory::load_acquire_v(size, addr)
        })
    }
    fn store_release_v(&mut self, size: MemSize, addr: u64, value: u128) {
        self.ordered(Access::Write, size.bytes(), addr, |_, addr| {
            memory::store_release_v(size, addr, value)
        });
    }
    fn load_acquire(&mut self, size: MemSize, addr: u64) -> u64 {
        self.ordered(Access::Read, size.bytes(), addr, |_, addr| {
            memory::load_acquire(size, addr)
        })
    }
    fn store_release(&mut self, size: MemSize, addr: u64, value: u64) {
        self.ordered(Access::Write, size.bytes(), addr, |_, addr| {
            memory::store_release(size, addr, value)
        });
    }
    fn load_exclusive(&mut self, size: MemSize, _order: Order, addr: u64) -> u64 {
        let bytes = size.bytes();
        self.ordered(Access::Read, bytes, addr, |state, addr| {
            memory::load_exclusive(state, bytes, addr)
        })[0]
    }
    fn load_exclusive_pair(&mut self, size: MemSize, _order: Order, addr: u64) -> (u64, u64) {
        let bytes = 2 * size.bytes();
        let load = |state: &mut CpuState, addr| memory::load_exclusive(state, bytes, addr);
        let marked = self.ordered(Access::Read, bytes, addr, load);
        memory::split_pair(size, marked)
    }
    fn store_exclusive(&mut self, size: MemSize, _order: Order, addr: u64, value: u64) -> u64 {
        let bytes = size.bytes();
        let store = |state: &mut CpuState, addr| memory::store_exclusive(state, bytes, addr, [value, 0]);
        self.ordered(Access::Write, bytes, addr, store)
    }
    fn store_exclusive_pair(&mut self, size: MemSize, _order: Order, addr: u64, values: (u64, u64)) -> u64 {
        let new = memory::join_pair(size, values);
        let bytes = 2 * size.bytes();
        let store = |state: &mut CpuState, addr| memory::store_exclusive(state, bytes, addr, new);
        self.ordered(Access::Write, bytes, addr, store)
    }
    fn clear_exclusive(&mut self) {
        memory::clear_exclusive(self.state);
    }
    fn atomic_rmw(&mut self, op: Rmw, size: MemSize, _order: Order, addr: u64, value: u64) -> u64 {
        let bytes = size.bytes();
        self.ordered(Access::Write, bytes, addr, |_, addr| {
            memory::atomic_rmw(op, bytes, addr, value)
        })
    }
    fn atomic_rmw_pair(
        &mut self,
        op: Rmw,
        _order: Order,
        addr: u64,
        (first, second): (u64, u64),
    ) -> (u64, u64) {
        self.ordered(Access::Write, 16, addr, |_, addr| {
            memory::atomic_rmw_pair(op, addr, [first, second])
        })
    }
    fn compare_swap(&mut self, size: MemSize, _order: Order, addr: u64, expected: u64, new: u64) -> u64 {
        let (expected, new) = ([expected, 0], [new, 0]);
        let bytes = size.bytes();
        self.ordered(Access::Write, bytes, addr, |_, addr| {
            memory::compare_swap(bytes, addr, expected, new)
        })[0]
    }
    fn compare_swap_pair(
        &mut self,
        size: MemSize,
        _order: Order,
        addr: u64,
        expected: (u64, u64),
        new: (u64, u64),
    ) -> (u64, u64) {
        let (expected, new) = (memory::join_pair(size, expected), memory::join_pair(size, new));
        let bytes = 2 * size.bytes();
        let swap = |_: &mut CpuState, addr| memory::compare_swap(bytes, addr, expected, new);
        let old = self.ordered(Access::Write, bytes, addr, swap);
        memory::split_pair(size, old)
    }
    fn bulk(&mut self, op: BulkOp, stage: BulkStage, regs: BulkRegs) {
        if let Some(target) = self.memory(|state| bulk::run(state, op, stage, regs)) {
            self.next = target;
        }
    }
    fn barrier(&mut self, kind: Barrier) {
        memory::barrier(kind);
    }
    fn invalidate_code(&mut self, addr: u64) {
        self.exit = Some(Exit::InvalidateCode(access::untag(GuestAddr(addr))));
    }

    fn pac_key(&mut self, key: PacKey, word: u8) -> u64 {
        self.state.pac.keys[key as usize][usize::from(word)]
    }
    fn pac_bits(&mut self, key: PacKey) -> u64 {
        self.state.pac.masks[key as usize]
    }
    fn qarma(&mut self, cipher: Qarma, pointer: u64, modifier: u64, key: PacKey) -> u64 {
        soft::qarma(cipher, pointer, modifier, self.state.pac.keys[key as usize])
    }
    fn check_signature(&mut self, pointer: u64, bits: u64) {
        let extension = (pointer << 8).cast_signed() >> 63;
        if (pointer ^ extension.cast_unsigned()) & bits != 0 && self.exit.is_none() {
            self.exit = Some(Exit::AuthenticationFailed);
        }
    }

    // --- control flow ----------------------------------------------------

    fn branch(&mut self, target: u64) {
        self.go_to(target);
    }
    fn call(&mut self, target: u64) {
        self.go_to(target);
    }
    fn branch_if(&mut self, test: Test<u64>, target: u64) {
        let taken = match test {
            Test::Cond(cond) => self.holds(cond),
            Test::Zero(w, value) => soft::cut(w, value) == 0,
            Test::NonZero(w, value) => soft::cut(w, value) != 0,
            Test::BitClear(value, bit) => value >> bit & 1 == 0,
            Test::BitSet(value, bit) => value >> bit & 1 != 0,
        };
        if taken {
            self.go_to(target);
        }
    }
    fn branch_to(&mut self, target: u64, kind: Indirect) {
        if self.exit.is_none() {
            self.state.btype = u64::from(kind.btype());
        }
        self.go_to(target);
    }
    fn exception(&mut self, exception: Exception) {
        if self.exit.is_none() {
            self.exit = Some(match exception {
                Exception::Svc(imm) => Exit::Svc(imm),
                Exception::Brk(imm) => Exit::Breakpoint(imm),
                Exception::Undefined => Exit::Undefined,
            });
        }
    }

    // --- vectors ---------------------------------------------------------

    fn vec_imm(&mut self, value: u128) -> u128 {
        value
    }
    fn vec1(&mut self, op: Vec1, s: Shape, a: u128) -> u128 {
        soft::vec1(op, s, a, &mut self.state.fp)
    }
    fn vec2(&mut self, op: Vec2, s: Shape, a: u128, b: u128) -> u128 {
        soft::vec2(op, s, a, b, &mut self.state.fp)
    }
    fn vec3(&mut self, op: Vec3, s: Shape, a: u128, b: u128, c: u128) -> u128 {
        soft::vec3(op, s, a, b, c, &mut self.state.fp)
    }
    fn vec_shift(&mut self, op: VecShift, s: Shape, acc: u128, a: u128, amount: u8) -> u128 {
        soft::vec_shift(op, s, acc, a, amount, &mut self.state.fp)
    }
    fn vec_dup_lane(&mut self, s: Shape, a: u128, index: u8) -> u128 {
        soft::dup_lane(s, soft::lane(a, s.lane, usize::from(index)))
    }
    fn vec_dup(&mut self, s: Shape, value: u64) -> u128 {
        soft::dup_lane(s, value)
    }
    fn vec_set_lane(&mut self, lane: Lane, dst: u128, index: u8, value: u64) -> u128 {
        soft::set_lane(dst, lane, usize::from(index), value)
    }
    fn vec_copy_lane(&mut self, lane: Lane, dst: u128, to: u8, src: u128, from: u8) -> u128 {
        soft::set_lane(
            dst,
            lane,
            usize::from(to),
            soft::lane(src, lane, usize::from(from)),
        )
    }
    fn vec_get_lane(&mut self, lane: Lane, a: u128, index: u8, signed: Option<Width>) -> u64 {
        match signed {
            None => soft::lane(a, lane, usize::from(index)),
            Some(w) => soft::cut(w, soft::signed_lane(a, lane, usize::from(index)) as u64),
        }
    }
    fn vec_ext(&mut self, s: Span, lo: u128, hi: u128, index: u8) -> u128 {
        soft::vec_ext(s, lo, hi, index)
    }
    fn vec_table(&mut self, s: Span, table: &[u128], indices: u128, fallback: Option<u128>) -> u128 {
        soft::vec_table(s, table, indices, fallback)
    }
    fn vec_select(&mut self, cond: Cond, a: u128, b: u128) -> u128 {
        if self.holds(cond) { a } else { b }
    }

    // --- floating point --------------------------------------------------

    fn fp1(&mut self, op: Fp1, s: Shape, a: u128) -> u128 {
        soft::fp1(op, s, a, &mut self.state.fp)
    }
    fn fp2(&mut self, op: Fp2, s: Shape, a: u128, b: u128) -> u128 {
        soft::fp2(op, s, a, b, &mut self.state.fp)
    }
    fn fp3(&mut self, op: Fp3, s: Shape, a: u128, b: u128, c: u128) -> u128 {
        soft::fp3(op, s, a, b, c, &mut self.state.fp)
    }
    fn fp_compare(&mut self, size: FpSize, signaling: bool, a: u128, b: u128) {
        let nzcv = soft::fp_compare(size, signaling, a, b, &mut self.state.fp);
        self.set_nzcv(nzcv);
    }
    fn fp_cond_compare(&mut self, size: FpSize, signaling: bool, cond: Cond, a: u128, b: u128, nzcv: u8) {
        if self.holds(cond) {
            self.fp_compare(size, signaling, a, b);
        } else {
            self.set_nzcv(u32::from(nzcv) << 28);
        }
    }
    fn fp_to_int(&mut self, how: FpToInt, w: Width, size: FpSize, a: u128) -> u64 {
        soft::fp_to_int(how, w, size, a, &mut self.state.fp)
    }
    fn fp_to_js_int(&mut self, a: u128) -> u64 {
        let (value, nzcv) = soft::fp_to_js_int(a, &mut self.state.fp);
        self.set_nzcv(nzcv);
        value
    }
    fn int_to_fp(&mut self, how: IntToFp, w: Width, size: FpSize, value: u64) -> u128 {
        soft::int_to_fp(how, w, size, value, &mut self.state.fp)
    }
    fn vec_fp_to_int(&mut self, how: FpToInt, s: Shape, a: u128) -> u128 {
        soft::vec_fp_to_int(how, s, a, &mut self.state.fp)
    }
    fn vec_int_to_fp(&mut self, how: IntToFp, s: Shape, a: u128) -> u128 {
        soft::vec_int_to_fp(how, s, a, &mut self.state.fp)
    }
}
