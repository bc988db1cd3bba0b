//! [`Ops`]: the operations instructions are made of.
//!
//! Integer values are 64 bits wide. An operation of width [`Width::W`] reads the
//! low 32 bits of its operands and zero-extends its 32-bit result, as the
//! architecture does for W registers. Vector values are 128 bits wide; an
//! operation of a given [`Shape`] computes the lanes of that shape and zeroes the
//! rest of its result.
//!
//! Rules a semantics function keeps to, because the JIT relies on them:
//! - All loads and stores come before the register writes of the same instruction
//!   (so that a fault leaves no register changed).
//! - At most one branch or exception, as the last operation.

use a64_isa::FeatureSet;

mod enums;
mod fp;
mod int;
mod vec;

pub use enums::Enumerated;
pub use fp::{Fp1, Fp2, Fp3, FpSize, FpToInt, IntToFp, Rounding};
pub use int::{
    Barrier, BulkOp, BulkRegs, BulkStage, Cond, Crc, Exception, FlagOp, Indirect, Int1, Int2, LoadExt,
    MemSize, Order, PacKey, Qarma, Rmw, SysReg, Test, Width,
};
pub use vec::{Lane, Shape, Span, Vec1, Vec2, Vec3, VecShift};

/// Number of the general register that reads as zero and drops writes.
pub const ZR: u8 = 31;

/// The operations. `Value` is a 64-bit integer, `Vector` 128 bits.
pub trait Ops {
    type Value: Copy;
    type Vector: Copy;

    /// Address of the instruction being executed (a constant in translated code).
    fn pc(&self) -> u64;
    /// What the CPU has.
    fn features(&self) -> FeatureSet;

    // --- registers -------------------------------------------------------

    /// X0..X30, or zero for 31.
    fn x(&mut self, n: u8) -> Self::Value;
    /// Writes X0..X30; 31 is dropped. A W result must already be zero-extended.
    fn set_x(&mut self, n: u8, value: Self::Value);
    fn sp(&mut self) -> Self::Value;
    fn set_sp(&mut self, value: Self::Value);
    fn v(&mut self, n: u8) -> Self::Vector;
    fn set_v(&mut self, n: u8, value: Self::Vector);
    fn read_sys(&mut self, reg: SysReg) -> Self::Value;
    fn write_sys(&mut self, reg: SysReg, value: Self::Value);

    /// X0..X30, or SP for 31.
    fn x_or_sp(&mut self, n: u8) -> Self::Value {
        if n == 31 { self.sp() } else { self.x(n) }
    }
    /// Writes X0..X30, or SP for 31.
    fn set_x_or_sp(&mut self, n: u8, value: Self::Value) {
        if n == 31 {
            self.set_sp(value)
        } else {
            self.set_x(n, value)
        }
    }

    // --- integer ---------------------------------------------------------

    fn imm(&mut self, value: u64) -> Self::Value;
    fn int1(&mut self, op: Int1, w: Width, a: Self::Value) -> Self::Value;
    fn int2(&mut self, op: Int2, w: Width, a: Self::Value, b: Self::Value) -> Self::Value;
    /// Sign- or zero-extends the low `bits` (8, 16 or 32; 64 is the identity) of `a` to `w`.
    fn extend(&mut self, w: Width, signed: bool, bits: u8, a: Self::Value) -> Self::Value;
    /// Bits `lsb..lsb+len` of `a`, moved to bit 0 and sign- or zero-extended to `w`.
    fn extract(&mut self, w: Width, signed: bool, a: Self::Value, lsb: u8, len: u8) -> Self::Value;
    /// `dst` with its bits `lsb..lsb+len` replaced by the low `len` bits of `src`.
    fn insert(&mut self, w: Width, dst: Self::Value, src: Self::Value, lsb: u8, len: u8) -> Self::Value;
    /// The `w` bits from bit `lsb` of the concatenation `hi:lo` (EXTR).
    fn extract_pair(&mut self, w: Width, hi: Self::Value, lo: Self::Value, lsb: u8) -> Self::Value;
    /// `a` if the condition holds, else `b`.
    fn select(&mut self, cond: Cond, a: Self::Value, b: Self::Value) -> Self::Value;
    /// CRC32 of the low `bytes` (1, 2, 4, 8) of `data` into `acc`.
    fn crc32(&mut self, poly: Crc, bytes: u8, acc: Self::Value, data: Self::Value) -> Self::Value;

    // --- flags -----------------------------------------------------------

    /// Computes and sets NZCV. `Adc` and `Sbc` read C.
    fn flag_op(&mut self, op: FlagOp, w: Width, a: Self::Value, b: Self::Value) -> Self::Value;
    /// CFINV: C becomes its opposite.
    fn invert_carry(&mut self);
    /// `a + b + C` or `a - b - !C` without setting flags (`op` is `Adc` or `Sbc`).
    fn carry_op(&mut self, op: FlagOp, w: Width, a: Self::Value, b: Self::Value) -> Self::Value;
    /// If `cond` holds, sets NZCV from `op` (`Add` or `Sub`), else to `nzcv` (bits 3:0).
    fn cond_compare(&mut self, op: FlagOp, w: Width, cond: Cond, a: Self::Value, b: Self::Value, nzcv: u8);

    // --- memory ----------------------------------------------------------

    /// Loads from `base + offset` (wrapping). `size` is at most 8 bytes.
    fn load(&mut self, size: MemSize, ext: LoadExt, base: Self::Value, offset: i64) -> Self::Value;
    fn store(&mut self, size: MemSize, base: Self::Value, offset: i64, value: Self::Value);
    /// Loads 1 to 16 bytes, the rest of the vector zero.
    fn load_v(&mut self, size: MemSize, base: Self::Value, offset: i64) -> Self::Vector;
    /// LDP of X registers: of one piece where aligned to 16 bytes, as FEAT_LSE2 wants, if `shared`
    /// (the address is not known to be the stack's).
    fn load_pair(&mut self, shared: bool, base: Self::Value, offset: i64) -> (Self::Value, Self::Value);
    /// STP of X registers, likewise.
    fn store_pair(
        &mut self,
        shared: bool,
        base: Self::Value,
        offset: i64,
        values: (Self::Value, Self::Value),
    );
    /// Stores the low 1 to 16 bytes.
    fn store_v(&mut self, size: MemSize, base: Self::Value, offset: i64, value: Self::Vector);
    /// LDAR and LDAPR: zero-extending; faults when misaligned across 16 bytes.
    fn load_acquire(&mut self, size: MemSize, addr: Self::Value) -> Self::Value;
    /// STLR.
    fn store_release(&mut self, size: MemSize, addr: Self::Value, value: Self::Value);
    /// As [`Ops::load_acquire`], for 1 to 16 bytes of a vector, the rest zero.
    fn load_acquire_v(&mut self, size: MemSize, addr: Self::Value) -> Self::Vector;
    fn store_release_v(&mut self, size: MemSize, addr: Self::Value, value: Self::Vector);
    /// LDXR and LDAXR. Alignment fault when misaligned.
    fn load_exclusive(&mut self, size: MemSize, order: Order, addr: Self::Value) -> Self::Value;
    /// LDXP: `size` is that of one register (W: 4 bytes, X: 8).
    fn load_exclusive_pair(
        &mut self,
        size: MemSize,
        order: Order,
        addr: Self::Value,
    ) -> (Self::Value, Self::Value);
    /// STXR and STLXR; the result is the status, 0 on success.
    fn store_exclusive(
        &mut self,
        size: MemSize,
        order: Order,
        addr: Self::Value,
        value: Self::Value,
    ) -> Self::Value;
    fn store_exclusive_pair(
        &mut self,
        size: MemSize,
        order: Order,
        addr: Self::Value,
        values: (Self::Value, Self::Value),
    ) -> Self::Value;
    fn clear_exclusive(&mut self);
    /// LSE read-modify-write; returns the old value, zero-extended.
    fn atomic_rmw(
        &mut self,
        op: Rmw,
        size: MemSize,
        order: Order,
        addr: Self::Value,
        value: Self::Value,
    ) -> Self::Value;
    /// LSE128 (`Clr`, `Set` or `Swp`): low word first; returns the old words.
    fn atomic_rmw_pair(
        &mut self,
        op: Rmw,
        order: Order,
        addr: Self::Value,
        values: (Self::Value, Self::Value),
    ) -> (Self::Value, Self::Value);
    /// CAS; returns the old value, zero-extended.
    fn compare_swap(
        &mut self,
        size: MemSize,
        order: Order,
        addr: Self::Value,
        expected: Self::Value,
        new: Self::Value,
    ) -> Self::Value;
    /// CASP; `size` is that of one register.
    fn compare_swap_pair(
        &mut self,
        size: MemSize,
        order: Order,
        addr: Self::Value,
        expected: (Self::Value, Self::Value),
        new: (Self::Value, Self::Value),
    ) -> (Self::Value, Self::Value);
    /// The main or epilogue stage of a memory copy or set (FEAT_MOPS, Option A): does what is
    /// left and writes the size register. The one operation that writes a register although
    /// it may fault, with what is left then; it must be an instruction's only one.
    fn bulk(&mut self, op: BulkOp, stage: BulkStage, regs: BulkRegs);
    fn barrier(&mut self, kind: Barrier);
    /// IC IVAU: translated code of the line at `addr` is dropped; ends the block.
    fn invalidate_code(&mut self, addr: Self::Value);

    /// The first (0) or second (1) word of a key of pointer authentication.
    fn pac_key(&mut self, key: PacKey, word: u8) -> Self::Value;
    /// The bits the key's signatures take; none while it is disabled.
    fn pac_bits(&mut self, key: PacKey) -> Self::Value;
    /// The code a cipher gives for a pointer and a modifier.
    fn qarma(
        &mut self,
        cipher: Qarma,
        pointer: Self::Value,
        modifier: Self::Value,
        key: PacKey,
    ) -> Self::Value;
    /// FEAT_FPAC: the exception of a failed authentication, unless those bits of the pointer
    /// are copies of its bit 55. Like a load it comes before register writes.
    fn check_signature(&mut self, pointer: Self::Value, bits: Self::Value);

    // --- control flow ----------------------------------------------------

    fn branch(&mut self, target: u64);
    /// BL: as [`Ops::branch`], with the link register already set; a hint for return prediction.
    fn call(&mut self, target: u64);
    /// Goes to `target` if the test holds, else to the next instruction.
    fn branch_if(&mut self, test: Test<Self::Value>, target: u64);
    fn branch_to(&mut self, target: Self::Value, kind: Indirect);
    fn exception(&mut self, exception: Exception);

    // --- vectors ---------------------------------------------------------

    fn vec_imm(&mut self, value: u128) -> Self::Vector;
    fn vec1(&mut self, op: Vec1, s: Shape, a: Self::Vector) -> Self::Vector;
    fn vec2(&mut self, op: Vec2, s: Shape, a: Self::Vector, b: Self::Vector) -> Self::Vector;
    fn vec3(&mut self, op: Vec3, s: Shape, a: Self::Vector, b: Self::Vector, c: Self::Vector)
    -> Self::Vector;
    /// Shifts by an immediate. `acc` is the old destination (used by SLI and SRI only).
    fn vec_shift(
        &mut self,
        op: VecShift,
        s: Shape,
        acc: Self::Vector,
        a: Self::Vector,
        amount: u8,
    ) -> Self::Vector;
    /// All lanes of `s` become lane `index` of `a`.
    fn vec_dup_lane(&mut self, s: Shape, a: Self::Vector, index: u8) -> Self::Vector;
    /// All lanes of `s` become the low bits of `value`.
    fn vec_dup(&mut self, s: Shape, value: Self::Value) -> Self::Vector;
    /// `dst` with lane `index` replaced by the low bits of `value`; all 128 bits kept.
    fn vec_set_lane(&mut self, lane: Lane, dst: Self::Vector, index: u8, value: Self::Value) -> Self::Vector;
    /// `dst` with lane `to` replaced by lane `from` of `src`; all 128 bits kept.
    fn vec_copy_lane(
        &mut self,
        lane: Lane,
        dst: Self::Vector,
        to: u8,
        src: Self::Vector,
        from: u8,
    ) -> Self::Vector;
    /// Lane `index` of `a`, zero-extended, or sign-extended to `signed`.
    fn vec_get_lane(&mut self, lane: Lane, a: Self::Vector, index: u8, signed: Option<Width>) -> Self::Value;
    /// Bytes `index..` of the concatenation `hi:lo` (EXT); 8 or 16 of them.
    fn vec_ext(&mut self, s: Span, lo: Self::Vector, hi: Self::Vector, index: u8) -> Self::Vector;
    /// TBL and TBX: `fallback` is what indices out of range give (`None`: zero).
    fn vec_table(
        &mut self,
        s: Span,
        table: &[Self::Vector],
        indices: Self::Vector,
        fallback: Option<Self::Vector>,
    ) -> Self::Vector;
    fn vec_select(&mut self, cond: Cond, a: Self::Vector, b: Self::Vector) -> Self::Vector;

    // --- floating point --------------------------------------------------
    // `s.lane` is the size of the floating-point lanes: H, S or D.

    fn fp1(&mut self, op: Fp1, s: Shape, a: Self::Vector) -> Self::Vector;
    fn fp2(&mut self, op: Fp2, s: Shape, a: Self::Vector, b: Self::Vector) -> Self::Vector;
    /// Fused: `Fp3::MulAdd` is `a + b * c` with one rounding.
    fn fp3(&mut self, op: Fp3, s: Shape, a: Self::Vector, b: Self::Vector, c: Self::Vector) -> Self::Vector;
    /// FCMP and FCMPE of lane 0; sets NZCV.
    fn fp_compare(&mut self, size: FpSize, signaling: bool, a: Self::Vector, b: Self::Vector);
    /// FCCMP: as [`Ops::fp_compare`] if `cond` holds, else NZCV becomes `nzcv`.
    fn fp_cond_compare(
        &mut self,
        size: FpSize,
        signaling: bool,
        cond: Cond,
        a: Self::Vector,
        b: Self::Vector,
        nzcv: u8,
    );
    /// Converts lane 0 to a general register.
    fn fp_to_int(&mut self, how: FpToInt, w: Width, size: FpSize, a: Self::Vector) -> Self::Value;
    /// FJCVTZS: lane 0, a double, modulo 2^32; NZCV becomes 0, Z set if nothing was lost.
    fn fp_to_js_int(&mut self, a: Self::Vector) -> Self::Value;
    /// Converts a general register to lane 0, the rest zero.
    fn int_to_fp(&mut self, how: IntToFp, w: Width, size: FpSize, value: Self::Value) -> Self::Vector;
    /// Lane-wise conversion to integers of the same size.
    fn vec_fp_to_int(&mut self, how: FpToInt, s: Shape, a: Self::Vector) -> Self::Vector;
    /// Lane-wise conversion from integers of the same size.
    fn vec_int_to_fp(&mut self, how: IntToFp, s: Shape, a: Self::Vector) -> Self::Vector;

    // --- shorthands ------------------------------------------------------

    fn add(&mut self, w: Width, a: Self::Value, b: Self::Value) -> Self::Value {
        self.int2(Int2::Add, w, a, b)
    }
    fn sub(&mut self, w: Width, a: Self::Value, b: Self::Value) -> Self::Value {
        self.int2(Int2::Sub, w, a, b)
    }
    /// `a + imm`, 64 bits: address arithmetic.
    fn add_imm(&mut self, a: Self::Value, imm: i64) -> Self::Value {
        let b = self.imm(imm as u64);
        self.int2(Int2::Add, Width::X, a, b)
    }
}
