//! FRECPE and FRSQRTE of singles: the architecture's estimates, from tables.
//!
//! Operands that are not normal numbers, that are negative (FRSQRTE) or whose estimate is
//! denormal go to the interpreter; for the others nothing is raised.

use super::Lower;
use crate::asm::int::Alu;
use crate::asm::mem::{Mem, VMOVUPS_LOAD};
use crate::asm::sse::*;
use crate::asm::{Cc, Gpr, Xmm};
use crate::const_offset;
use semantics::ops::{Fp1, Shape, Span, Width};

/// ModRM.reg of the shifts by an immediate.
const RIGHT: u8 = 2;
const LEFT: u8 = 6;

impl Lower<'_> {
    pub(super) fn estimate(&mut self, op: Fp1, s: Shape, ra: Xmm) {
        let root = op == Fp1::Rsqrte;
        self.clobber_flags();
        // The exponent less one, with the sign above it where that matters.
        let (exp, t, bits) = (self.vtemp(), self.vtemp(), self.temp());
        if root {
            self.asm.vshift(VPSHIFT_D, RIGHT, exp, ra, 23);
        } else {
            self.asm.vshift(VPSHIFT_D, LEFT, exp, ra, 1);
            self.asm.vshift(VPSHIFT_D, RIGHT, exp, exp, 24);
        }
        self.asm.v3_state(VPADDD, exp, exp, const_offset!(ones));
        let largest = if root {
            const_offset!(largest_rsqrte)
        } else {
            const_offset!(largest_recpe)
        };
        self.asm.v3_state(VPMINUD, t, exp, largest);
        self.asm.v3(VPCMPEQD, t, t, exp);
        self.asm.vmovmsk(false, bits, t);
        self.asm.alu_imm(Alu::Xor, Width::W, bits, 15);
        let lanes = match s.span {
            Span::Scalar => 1,
            Span::Half => 3,
            Span::Full => 15,
        };
        self.asm.alu_imm(Alu::And, Width::W, bits, lanes);
        self.guard(Cc::Ne);
        // The table's index: the fraction's upper eight bits and, for roots, the one above.
        let cut = if root { 8 } else { 9 };
        let d = self.vtemp();
        self.asm.vshift(VPSHIFT_D, LEFT, t, ra, cut);
        self.asm.vshift(VPSHIFT_D, RIGHT, t, t, cut + 15);
        let table = if root {
            const_offset!(rsqrte)
        } else {
            const_offset!(recpe)
        };
        let mask = self.vtemp();
        self.asm.vones(mask);
        let entry = Mem {
            base: Gpr::R15,
            index: Some((Gpr(t.0), 2)),
            disp: table - guest::STATE_BIAS,
        };
        self.asm.vex_mem(VPGATHERDD, d, Some(mask), entry);
        // Where the exponent is, the other way round.
        let exponent = if root {
            const_offset!(rsqrte_exponent)
        } else {
            const_offset!(recpe_exponent)
        };
        self.asm.vex_mem(VMOVUPS_LOAD, t, None, Mem::state(exponent));
        self.asm.v3(VPSUBD, t, t, exp);
        if root {
            self.asm.vshift(VPSHIFT_D, RIGHT, t, t, 1);
        } else {
            self.asm.v3_state(VANDPS, exp, ra, const_offset!(sign_s));
            self.asm.v3(VPOR, d, d, exp);
        }
        self.asm.vshift(VPSHIFT_D, LEFT, t, t, 23);
        self.asm.v3(VPOR, d, d, t);
        self.cut(s, d);
        self.v.locked &= !(1 << exp.0 | 1 << mask.0);
        self.vbind(d);
    }
}
