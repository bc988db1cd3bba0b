//! SHA1 and SHA256, through the host's SHA extension.
//!
//! Arm keeps `a` (or `e`) in lane 0, x86 in lane 3; Arm's round words include the
//! constant K, x86's SHA1RNDS4 adds it. (Arm ARM C7.2, SHA instructions; Intel SDM volume 2.)

use super::Lower;
use super::flags::RAX_SLOT;
use crate::asm::Xmm;
use crate::asm::mem::{Mem, VMOVUPS_LOAD, VMOVUPS_STORE};
use crate::asm::sse::*;
use crate::const_offset;
use crate::ir::Ref;
use semantics::ops::{Lane, Vec3};

/// VPSHUFD control that reverses the lanes.
const REVERSE: u8 = 0x1b;
/// VPSLLD and VPSRLD by immediate: VPSHIFT_D with these opcode extensions.
const LEFT: u8 = 6;
const RIGHT: u8 = 2;

impl Lower<'_> {
    /// Emits a SHA operation with three operands; false if `op` is another.
    pub(super) fn sha3_operand(&mut self, op: Vec3, a: Ref, b: Ref, c: Ref) -> bool {
        match op {
            Vec3::Sha1Su0 => self.sha1_su0(a, b, c),
            Vec3::Sha256Su1 => self.sha256_su1(a, b, c),
            _ => return false,
        }
        true
    }

    /// Four rounds of SHA1 on the reversed `state`. Lane 0 of `e` is e, or lane 3 of it is what
    /// rotated left by 30 is e; `words` has the constant added.
    pub(super) fn sha1_rounds(&mut self, function: u8, state: Ref, (e, e_of_state): (Ref, bool), words: Ref) {
        let (rs, re, rw) = (self.vreg(state), self.vreg(e), self.vreg(words));
        let d = self.vdef(None, &[rs, re, rw]);
        let w = self.scratch();
        let k = const_offset!(sha1_k) + 16 * i32::from(function);
        self.asm.v3_state(VPSUBD, w, rw, k);
        if e_of_state {
            self.asm.v2i(VPSHUFD, d, w, REVERSE);
            self.asm.vmov(w, re);
            self.asm.sha(Sha::NextE, w, d);
        } else {
            // e goes to the first word only.
            self.asm.v3i(VINSERTPS, d, re, re, 0x0e);
            self.asm.v3(VPADDD, w, w, d);
            self.asm.v2i(VPSHUFD, w, w, REVERSE);
        }
        self.asm.vmov(d, rs);
        self.asm.sha(Sha::Rounds4(function), d, w);
        self.vbind(d);
    }

    /// SHA1H: lane 0 rotated left by 30.
    pub(super) fn sha1_h(&mut self, d: Xmm, a: Xmm) {
        let t = self.vtemp();
        self.asm.vshift(VPSHIFT_D, LEFT, t, a, 30);
        self.asm.vshift(VPSHIFT_D, RIGHT, d, a, 2);
        self.asm.v3(VPOR, d, d, t);
        self.asm.v3i(VINSERTPS, d, d, d, 0x0e);
    }

    fn sha1_su0(&mut self, a: Ref, b: Ref, c: Ref) {
        let (ra, rb, rc) = (self.vreg(a), self.vreg(b), self.vreg(c));
        let d = self.vdef_temp(None, &[]);
        self.asm.v3i(VPALIGNR, d, rb, ra, 8);
        self.asm.v3(VPXOR, d, d, ra);
        self.asm.v3(VPXOR, d, d, rc);
        self.vbind(d);
    }

    /// SHA1SU1: the words rotated by one; the last also takes the first of this group.
    pub(super) fn sha1_su1(&mut self, d: Xmm, a: Xmm, b: Xmm) {
        let (t, u) = (self.scratch(), self.scratch());
        self.asm.vshift(VPSHIFT_Q, 3, t, b, 4);
        self.asm.v3(VPXOR, t, t, a);
        self.rotate_right(Lane::S, d, t, 31);
        // Lane 0, moved to lane 3, rotated by two.
        self.asm.vshift(VPSHIFT_Q, 7, t, t, 12);
        self.rotate_right(Lane::S, u, t, 30);
        self.asm.v3(VPXOR, d, d, u);
    }

    /// Two rounds of SHA256: a, b, e and f after them.
    pub(super) fn sha256_rounds(&mut self, cdgh: Ref, abef: Ref, words: Ref, upper: bool) {
        let (r1, r2, rw) = (self.vreg(cdgh), self.vreg(abef), self.vreg(words));
        // The words are read from XMM0, which is a guest register's home.
        let xmm0 = Xmm(0);
        self.v.locked |= 1 << xmm0.0;
        let d = self.vdef_temp(None, &[]);
        self.asm.vmov(d, r1);
        let second = if r2 == xmm0 {
            let t = self.scratch();
            self.asm.vmov(t, r2);
            t
        } else {
            r2
        };
        self.asm.vex_mem(VMOVUPS_STORE, xmm0, None, Mem::state(RAX_SLOT));
        if upper {
            self.asm.v2i(VPSHUFD, xmm0, rw, 0x0e);
        } else {
            self.asm.vmov(xmm0, rw);
        }
        self.asm.sha(Sha::Rounds2, d, second);
        self.asm.vex_mem(VMOVUPS_LOAD, xmm0, None, Mem::state(RAX_SLOT));
        self.vbind(d);
    }

    fn sha256_su1(&mut self, a: Ref, b: Ref, c: Ref) {
        let (ra, rb, rc) = (self.vreg(a), self.vreg(b), self.vreg(c));
        let d = self.vdef_temp(None, &[]);
        self.asm.v3i(VPALIGNR, d, rc, rb, 4);
        self.asm.v3(VPADDD, d, d, ra);
        self.asm.sha(Sha::Msg2, d, rc);
        self.vbind(d);
    }
}
