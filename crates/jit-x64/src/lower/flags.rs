//! NZCV: kept in EFLAGS from its setter to its readers, saved only when something
//! between them needs EFLAGS, or when the block is left with the flags still wanted.

use super::Lower;
use crate::asm::Cc;
use crate::asm::int::Alu;
use crate::asm::mem::{MOVZX_16, Mem, STORE_16};
use crate::asm::{Asm, Fixup, Gpr};
use crate::host_state::{HostFlags, NUM_SPILL_SLOTS};
use crate::ir::{Nzcv, Op, Ref};
use crate::target::slot_spill;
use crate::{const_offset, host_offset};
use semantics::ops::{Cond, FlagOp, FpSize, Width};

/// Where NZCV is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum FlagState {
    /// In the CPU state.
    Slot,
    /// In EFLAGS after a subtraction: CF is the inverse of C.
    Sub,
    /// In EFLAGS after an addition or logical operation: CF is C.
    Add,
    /// In EFLAGS after UCOMIS of the operands of FCMP.
    Fp,
    /// In EFLAGS after UCOMIS of the operands in reverse.
    FpSwapped,
}

/// How to test a condition in EFLAGS.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum CondTest {
    One(Cc),
    /// Equal and ordered.
    FpEq,
    /// Not equal, or unordered.
    FpNe,
}

/// Where NZCV is while not in EFLAGS.
pub(super) const FLAGS: i32 = host_offset!(flags);
/// The last spill slot is not allocated: it holds RAX while the flags are moved.
pub const RAX_SLOT: i32 = slot_spill(NUM_SPILL_SLOTS as u8 - 1);

/// Whether one jcc tests `cond` after UCOMIS in this order.
const fn fp_test(cond: Cond, swapped: bool) -> Option<CondTest> {
    Some(match (cond, swapped) {
        (Cond::Eq, _) => CondTest::FpEq,
        (Cond::Ne, _) => CondTest::FpNe,
        (Cond::Vs, _) => CondTest::One(Cc::P),
        (Cond::Vc, _) => CondTest::One(Cc::Np),
        (Cond::Ge, false) => CondTest::One(Cc::Ae),
        (Cond::Lt, false) => CondTest::One(Cc::B),
        (Cond::Gt, false) => CondTest::One(Cc::A),
        (Cond::Le, false) => CondTest::One(Cc::Be),
        (Cond::Hs, true) => CondTest::One(Cc::Be),
        (Cond::Lo, true) | (Cond::Mi, true) => CondTest::One(Cc::A),
        (Cond::Pl, true) => CondTest::One(Cc::Be),
        (Cond::Hi, true) => CondTest::One(Cc::B),
        (Cond::Ls, true) => CondTest::One(Cc::Ae),
        _ => return None,
    })
}

/// The x86 condition after an integer operation; HS, LO, HI and LS need the `Sub` polarity.
const fn int_cc(cond: Cond) -> Cc {
    match cond {
        Cond::Eq => Cc::E,
        Cond::Ne => Cc::Ne,
        Cond::Hs => Cc::Ae,
        Cond::Lo => Cc::B,
        Cond::Mi => Cc::S,
        Cond::Pl => Cc::Ns,
        Cond::Vs => Cc::O,
        Cond::Vc => Cc::No,
        Cond::Hi => Cc::A,
        Cond::Ls => Cc::Be,
        Cond::Ge => Cc::Ge,
        Cond::Lt => Cc::L,
        Cond::Gt => Cc::G,
        Cond::Le | Cond::Al | Cond::Nv => Cc::Le,
    }
}

/// Stores NZCV from EFLAGS to the CPU state; clobbers RAX and, for `Add`, CF.
pub fn emit_save(asm: &mut Asm, state: FlagState) {
    match state {
        FlagState::Slot => return,
        FlagState::Sub => {}
        FlagState::Add => asm.cmc(),
        FlagState::Fp | FlagState::FpSwapped => {
            let table = if state == FlagState::Fp {
                const_offset!(fp_flags)
            } else {
                const_offset!(fp_flags_swapped)
            };
            asm.lahf();
            // movzx eax, ah
            asm.bytes(&[0x0f, 0xb6, 0xc4]);
            // The reserved bit 1 always reads as one and bit 7 (SF) as zero after UCOMIS.
            let entry = Mem {
                base: Gpr::R15,
                index: Some((Gpr::RAX, 1)),
                disp: table - guest::STATE_BIAS,
            };
            asm.op_mem(MOVZX_16, Gpr::RAX, entry);
            asm.op_mem(STORE_16, Gpr::RAX, Mem::state(FLAGS));
            return;
        }
    }
    asm.lahf();
    asm.setcc(Cc::O, Gpr::RAX);
    asm.op_mem(STORE_16, Gpr::RAX, Mem::state(FLAGS));
}

impl Lower<'_> {
    pub(super) fn set_flag_state(&mut self, state: FlagState) {
        if self.flags != state {
            self.flags = state;
            self.mark();
        }
    }

    /// Whether the flags as they are before the current operation are still needed.
    fn flags_needed(&self) -> bool {
        let op = &self.ir.ops[self.at];
        match op.nzcv() {
            Nzcv::Read | Nzcv::ReadAndSet | Nzcv::Unknown => true,
            Nzcv::Kept => self.analysis.flags_after[self.at],
            Nzcv::Set => false,
        }
    }

    /// To be called before an instruction that clobbers EFLAGS.
    pub(super) fn clobber_flags(&mut self) {
        if self.flags != FlagState::Slot {
            if self.flags_needed() {
                self.save_flags();
            }
            self.set_flag_state(FlagState::Slot);
        }
    }

    /// Whether EFLAGS must be preserved here.
    pub(super) fn flags_busy(&self) -> bool {
        self.flags != FlagState::Slot && self.flags_needed()
    }

    /// Stores the flags; they stay in EFLAGS too, as `Sub` unless floating point.
    pub(super) fn save_flags(&mut self) {
        self.with_rax(emit_save);
        if self.flags == FlagState::Add {
            // Saving turned the carry to the Sub sense.
            self.set_flag_state(FlagState::Sub);
        }
    }

    fn with_rax(&mut self, emit: impl FnOnce(&mut Asm, FlagState)) {
        let busy = self.x.is_busy(Gpr::RAX.0);
        if busy {
            self.asm.store_state(RAX_SLOT, Gpr::RAX);
        }
        emit(&mut self.asm, self.flags);
        if busy {
            self.asm.load_state(Gpr::RAX, RAX_SLOT);
        }
    }

    /// Brings the flags into EFLAGS, in an integer polarity.
    pub(super) fn load_flags(&mut self) {
        match self.flags {
            FlagState::Sub | FlagState::Add => return,
            FlagState::Slot => {}
            FlagState::Fp | FlagState::FpSwapped => self.save_flags(),
        }
        self.with_rax(|asm, _| {
            asm.op_mem(MOVZX_16, Gpr::RAX, Mem::state(FLAGS));
            // add al, 0x7f: OF becomes the saved bit 0.
            asm.bytes(&[0x04, 0x7f]);
            asm.sahf();
        });
        self.set_flag_state(FlagState::Sub);
    }

    /// Makes CF the given sense of C.
    fn polarity(&mut self, wanted: FlagState) {
        self.load_flags();
        if self.flags != wanted {
            self.asm.cmc();
            self.set_flag_state(wanted);
        }
    }

    /// Brings the flags into EFLAGS so that `cond` can be tested.
    pub(super) fn condition(&mut self, cond: Cond) -> CondTest {
        match self.flags {
            FlagState::Fp | FlagState::FpSwapped => {
                if let Some(test) = fp_test(cond, self.flags == FlagState::FpSwapped) {
                    return test;
                }
                self.load_flags();
            }
            FlagState::Slot => self.load_flags(),
            FlagState::Sub | FlagState::Add => {}
        }
        match (cond, self.flags) {
            (Cond::Hs, FlagState::Add) => return CondTest::One(Cc::B),
            (Cond::Lo, FlagState::Add) => return CondTest::One(Cc::Ae),
            (Cond::Hi | Cond::Ls, FlagState::Add) => self.polarity(FlagState::Sub),
            _ => {}
        }
        CondTest::One(int_cc(cond))
    }

    pub(super) fn flag_op(&mut self, op: FlagOp, w: Width, a: Ref, b: Ref) {
        let (alu, state) = match op {
            FlagOp::Add => (Alu::Add, FlagState::Add),
            FlagOp::Sub => (Alu::Sub, FlagState::Sub),
            FlagOp::And => (Alu::And, FlagState::Add),
            FlagOp::Adc => (Alu::Adc, FlagState::Add),
            FlagOp::Sbc => (Alu::Sbb, FlagState::Sub),
        };
        match op {
            FlagOp::Adc => self.polarity(FlagState::Add),
            FlagOp::Sbc => self.polarity(FlagState::Sub),
            FlagOp::Add | FlagOp::Sub | FlagOp::And => {}
        }
        let used = self.analysis.uses[self.at] != 0;
        match (op, used) {
            (FlagOp::Sub, false) => self.compare(Alu::Cmp, w, a, b),
            (FlagOp::And, false) => self.compare(Alu::Test, w, a, b),
            _ => {
                let d = self.two_operand(alu, w, a, b);
                self.bind(d);
            }
        }
        self.set_flag_state(state);
    }

    /// CMP or TEST. An immediate second operand of TEST equal to the first is TEST r, r.
    pub(super) fn compare(&mut self, op: Alu, w: Width, a: Ref, b: Ref) {
        if op == Alu::Test && a == b {
            let r = self.reg(a);
            return self.asm.alu(Alu::Test, w, r, r);
        }
        match self.imm32(w, b) {
            Some(0) if op == Alu::Cmp && self.in_state(a).is_none() => {
                // cmp r, 0 is as fast as test, and gives CF = 0 (C set) in the Sub sense.
                let r = self.reg(a);
                self.asm.alu_imm(Alu::Cmp, w, r, 0);
            }
            Some(imm) => match self.in_state(a) {
                Some(offset) if op == Alu::Cmp && self.dies(a) => self.asm.cmp_state_imm(w, offset, imm),
                _ => {
                    let r = self.reg(a);
                    self.asm.alu_imm(op, w, r, imm);
                }
            },
            None => {
                let ra = self.reg(a);
                match self.in_state(b) {
                    Some(offset) if self.dies(b) => self.asm.alu_state(op, w, ra, offset),
                    _ => {
                        let rb = self.reg(b);
                        self.asm.alu(op, w, ra, rb);
                    }
                }
            }
        }
    }

    pub(super) fn carry_op(&mut self, op: FlagOp, w: Width, a: Ref, b: Ref) {
        let (alu, state) = if op == FlagOp::Adc {
            (Alu::Adc, FlagState::Add)
        } else {
            (Alu::Sbb, FlagState::Sub)
        };
        if self.analysis.flags_after[self.at] {
            // The old flags are wanted later: have them in the slot.
            self.load_flags();
            self.save_flags();
        }
        self.polarity(state);
        let d = self.two_operand(alu, w, a, b);
        self.bind(d);
        self.set_flag_state(FlagState::Slot);
    }

    pub(super) fn select(&mut self, cond: Cond, a: Ref, b: Ref) {
        let test = self.condition(cond);
        if let (CondTest::One(cc), Some(one), Some(zero)) = (test, self.constant(a), self.constant(b)) {
            let cc = match (one, zero) {
                (1, 0) => Some(cc),
                (0, 1) => Some(cc.invert()),
                _ => None,
            };
            if let Some(cc) = cc {
                let d = self.def(None, &[]);
                self.asm.setcc(cc, d);
                self.asm.movzx8(d, d);
                return self.bind(d);
            }
        }
        match test {
            CondTest::One(cc) => {
                let (first, second, cc) = if self.starts_in_hint(a) {
                    (a, b, cc.invert())
                } else {
                    (b, a, cc)
                };
                let s = self.reg(second);
                let d = self.copy_for_def(first, &[s]);
                self.asm.cmov(cc, Width::X, d, s);
                self.bind(d);
            }
            CondTest::FpEq | CondTest::FpNe => {
                let (first, second) = if test == CondTest::FpEq { (a, b) } else { (b, a) };
                let s = self.reg(second);
                let d = self.copy_for_def(first, &[s]);
                self.asm.cmov(Cc::Ne, Width::X, d, s);
                self.asm.cmov(Cc::P, Width::X, d, s);
                self.bind(d);
            }
        }
    }

    /// Whether the value already is in the register its successor will be computed in.
    pub(super) fn starts_in_hint(&self, r: Ref) -> bool {
        let hint = self.analysis.hint[self.at];
        hint != crate::opt::NO_HINT && self.x.home[hint as usize] == r
    }

    /// Jumps where the condition holds; after a comparison of numbers that may take two jumps.
    fn jump_if(&mut self, test: CondTest) -> (Fixup, Option<Fixup>) {
        match test {
            CondTest::One(cc) => (self.asm.jcc(cc), None),
            CondTest::FpNe => (self.asm.jcc(Cc::Ne), Some(self.asm.jcc(Cc::P))),
            CondTest::FpEq => {
                let unordered = self.asm.jcc(Cc::P);
                let equal = self.asm.jcc(Cc::E);
                self.asm.fix_here(unordered);
                (equal, None)
            }
        }
    }

    pub(super) fn cond_compare(&mut self, op: FlagOp, w: Width, cond: Cond, a: Ref, b: Ref, nzcv: u8) {
        // Everything the two paths need is in registers before they part.
        let ra = self.reg(a);
        let imm = self.imm32(w, b);
        let rb = if imm.is_none() { Some(self.reg(b)) } else { None };
        let sum = (op == FlagOp::Add).then(|| self.temp());
        let test = self.condition(cond);
        let rax_busy = self.x.is_busy(Gpr::RAX.0);
        let (skip, other) = self.jump_if(test);
        self.constant_flags(nzcv, rax_busy);
        let done = self.asm.jmp();
        self.asm.fix_here(skip);
        if let Some(other) = other {
            self.asm.fix_here(other);
        }
        let (alu, left) = match sum {
            Some(t) => {
                self.asm.mov(Width::X, t, ra);
                (Alu::Add, t)
            }
            None => (Alu::Cmp, ra),
        };
        match (imm, rb) {
            (Some(imm), _) => self.asm.alu_imm(alu, w, left, imm),
            (None, Some(rb)) => self.asm.alu(alu, w, left, rb),
            (None, None) => {}
        }
        if sum.is_some() {
            self.asm.cmc();
        }
        self.asm.fix_here(done);
        self.set_flag_state(FlagState::Sub);
    }

    /// Sets EFLAGS (`Sub` sense) to the constant NZCV in bits 3:0.
    fn constant_flags(&mut self, nzcv: u8, rax_busy: bool) {
        let word = HostFlags::from_nzcv(u32::from(nzcv) << 28).0;
        if rax_busy {
            self.asm.store_state(RAX_SLOT, Gpr::RAX);
        }
        self.asm.mov_imm(Gpr::RAX, word);
        self.asm.bytes(&[0x04, 0x7f]);
        self.asm.sahf();
        if rax_busy {
            self.asm.load_state(Gpr::RAX, RAX_SLOT);
        }
    }

    pub(super) fn fp_compare(&mut self, size: FpSize, signaling: bool, a: Ref, b: Ref) {
        let swapped = self.compare_is_read_swapped();
        let (ra, rb) = (self.vreg(a), self.vreg(b));
        let (x, y) = if swapped { (rb, ra) } else { (ra, rb) };
        self.asm.ucomis(size == FpSize::D, signaling, x, y);
        if self.ir.checked {
            self.guard(Cc::P);
        }
        self.set_flag_state(if swapped {
            FlagState::FpSwapped
        } else {
            FlagState::Fp
        });
    }

    /// FCCMP: either compares, or sets the constant; the flags end up in the CPU state. EFLAGS
    /// hold what the condition needs until the comparison, which may trap.
    pub(super) fn fp_cond_compare(
        &mut self,
        size: FpSize,
        signaling: bool,
        cond: Cond,
        (a, b): (Ref, Ref),
        nzcv: u8,
    ) {
        let (ra, rb) = (self.vreg(a), self.vreg(b));
        let test = self.condition(cond);
        let busy = self.x.is_busy(Gpr::RAX.0);
        let (skip, other) = self.jump_if(test);
        if busy {
            self.asm.store_state(RAX_SLOT, Gpr::RAX);
        }
        let word = HostFlags::from_nzcv(u32::from(nzcv) << 28).0;
        self.asm.mov_imm(Gpr::RAX, word);
        self.asm.op_mem(STORE_16, Gpr::RAX, Mem::state(FLAGS));
        if busy {
            self.asm.load_state(Gpr::RAX, RAX_SLOT);
        }
        let done = self.asm.jmp();
        self.asm.fix_here(skip);
        if let Some(other) = other {
            self.asm.fix_here(other);
        }
        self.asm.ucomis(size == FpSize::D, signaling, ra, rb);
        self.with_rax(|asm, _| emit_save(asm, FlagState::Fp));
        self.asm.fix_here(done);
        self.set_flag_state(FlagState::Slot);
    }

    /// Whether the first reader of the flags wants the operands in reverse.
    fn compare_is_read_swapped(&self) -> bool {
        use semantics::ops::Test;
        for op in &self.ir.ops[self.at + 1..] {
            let cond = match *op {
                Op::Select { cond, .. } | Op::VecSelect { cond, .. } | Op::CondCompare { cond, .. } => cond,
                Op::FpCondCompare { cond, .. } => cond,
                Op::SideExit {
                    test: Test::Cond(cond),
                    ..
                } => cond,
                _ if op.writes_flags() => return false,
                _ => continue,
            };
            return fp_test(cond, false).is_none();
        }
        false
    }
}
