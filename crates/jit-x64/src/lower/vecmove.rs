//! Moving lanes and whole vectors about.

use super::Lower;
use super::flags::CondTest;
use crate::asm::sse::*;
use crate::asm::{Cc, Xmm};
use crate::const_offset;
use crate::ir::{Ref, TableElse, TableMore};
use semantics::ops::{Cond, Lane, Shape, Span, Width};

impl Lower<'_> {
    pub(super) fn vec_imm(&mut self, lo: u64, hi: u64) {
        let d = self.vdef(None, &[]);
        match (lo, hi) {
            (0, 0) => self.asm.vzero(d),
            (u64::MAX, u64::MAX) => self.asm.vones(d),
            _ => {
                let t = self.temp();
                self.asm.mov_imm(t, lo);
                self.asm.vmovq_from(d, t);
                if hi == lo {
                    self.asm.v3(VPUNPCKLQDQ, d, d, d);
                } else if hi != 0 {
                    self.asm.mov_imm(t, hi);
                    self.asm.vinsert(3, d, d, t, 1);
                }
            }
        }
        self.vbind(d);
    }

    pub(super) fn vec_dup_lane(&mut self, s: Shape, a: Ref, index: u8) {
        let ra = self.vreg_for(VPSHUFD, a);
        let d = self.vdef_for(VPSHUFD, Some(a), &[]);
        match (s.span, s.lane) {
            (Span::Scalar, _) | (_, Lane::B | Lane::H | Lane::Q) => {
                let bytes = index * s.lane.bytes() as u8;
                let from = if bytes == 0 {
                    ra
                } else {
                    self.asm.vshift(VPSHIFT_Q, 3, d, ra, bytes);
                    d
                };
                if s.span == Span::Scalar {
                    self.asm.vmov(d, from);
                } else {
                    self.broadcast(s.lane, d, from);
                }
            }
            (_, Lane::S) => self.asm.v2i(VPSHUFD, d, ra, index * 0x55),
            (_, Lane::D) => self.asm.v2i(VPSHUFD, d, ra, if index == 0 { 0x44 } else { 0xee }),
        }
        self.cut(s, d);
        self.vbind(d);
    }

    pub(super) fn vec_dup(&mut self, s: Shape, value: Ref) {
        let r = self.reg(value);
        let d = self.vdef_for(VPBROADCASTD_R, None, &[]);
        if s.lane == Lane::D {
            self.asm.vmovq_from(d, r);
        } else {
            self.asm.vmovd_from(d, r);
        }
        match (s.span, s.lane) {
            (Span::Scalar, Lane::S | Lane::D) => {}
            (Span::Half, Lane::D) => {}
            (Span::Scalar, _) => self.cut(s, d),
            _ => {
                self.broadcast(s.lane, d, d);
                self.cut(s, d);
            }
        }
        self.vbind(d);
    }

    pub(super) fn vec_set_lane(&mut self, lane: Lane, dst: Ref, index: u8, value: Ref) {
        let (rd, r) = (self.vreg_for(VINSERTPS, dst), self.reg(value));
        let d = self.vdef_for(VINSERTPS, Some(dst), &[]);
        self.asm.vinsert(lane as u8, d, rd, r, index);
        self.vbind(d);
    }

    pub(super) fn vec_copy_lane(&mut self, lane: Lane, dst: Ref, to: u8, src: Ref, from: u8) {
        let form = match (lane, to, from) {
            // Shorter and on more ports, but for the lower registers only.
            (Lane::D, 0, 0) | (Lane::D, 1, 1) => VPBLENDD,
            _ => VINSERTPS,
        };
        let (rd, rs) = (self.vreg_for(form, dst), self.vreg_for(form, src));
        let d = self.vdef_for(form, None, &[]);
        match lane {
            Lane::S => self.asm.v3i(VINSERTPS, d, rd, rs, from << 6 | to << 4),
            Lane::D => match (to, from) {
                (0, 0) => self.asm.v3i(VPBLENDD, d, rd, rs, 0b0011),
                (1, 0) => self.asm.v3(VPUNPCKLQDQ, d, rd, rs),
                (0, _) => self.asm.v3i(VSHUFPD, d, rs, rd, 0b11),
                _ => self.asm.v3i(VPBLENDD, d, rd, rs, 0b1100),
            },
            Lane::B | Lane::H | Lane::Q => {
                let t = self.temp();
                self.asm.vextract(lane as u8, t, rs, from);
                self.asm.vinsert(lane as u8, d, rd, t, to);
            }
        }
        self.vbind(d);
    }

    pub(super) fn vec_get_lane(&mut self, lane: Lane, a: Ref, index: u8, signed: Option<Width>) {
        let ra = self.vreg_for(VPSHUFD, a);
        let d = self.def(None, &[]);
        match (lane, index) {
            (Lane::D, 0) => self.asm.vmovq_to(d, ra),
            (Lane::S, 0) => self.asm.vmovd_to(d, ra),
            _ => self.asm.vextract(lane as u8, d, ra, index),
        }
        match (signed, lane) {
            (Some(w), Lane::B) => self.asm.movsx8(w, d, d),
            (Some(w), Lane::H) => self.asm.movsx16(w, d, d),
            (Some(Width::X), Lane::S) => self.asm.movsxd(d, d),
            _ => {}
        }
        self.bind(d);
    }

    pub(super) fn vec_ext(&mut self, s: Span, lo: Ref, hi: Ref, index: u8) {
        let (rl, rh) = (self.vreg_for(VPALIGNR, lo), self.vreg_for(VPALIGNR, hi));
        let d = self.vdef_for(VPALIGNR, None, &[]);
        if s == Span::Full {
            self.asm.v3i(VPALIGNR, d, rh, rl, index);
        } else {
            self.asm.v3(VPUNPCKLQDQ, d, rl, rh);
            self.asm.vshift(VPSHIFT_Q, 3, d, d, index);
            self.asm.vmovq(d, d);
        }
        self.vbind(d);
    }

    /// TBL with one table register: VPSHUFB looks at bit 7 only, so indices from 16 on
    /// are moved there.
    pub(super) fn vec_table1(&mut self, s: Span, table: Ref, indices: Ref) {
        let (rt, ri) = (self.vreg_for(VPSHUFB, table), self.vreg_for(VPSHUFB, indices));
        let d = self.vdef_for(VPSHUFB, None, &[rt]);
        self.asm.v3_state(VPADDUSB, d, ri, const_offset!(tbl_bias));
        self.asm.v3(VPSHUFB, d, rt, d);
        self.cut(Shape::new(Lane::B, s), d);
        self.vbind(d);
    }

    /// The `nth` of several table registers: what its indices find, beside what earlier
    /// ones have found. Indices below wrap to large ones.
    pub(super) fn vec_table_more(&mut self, more: TableMore) {
        let TableMore { s, nth, .. } = more;
        let [re, rt, ri] = [more.earlier, more.table, more.indices].map(|r| self.vreg_for(VPSHUFB, r));
        let d = self.vdef_for(VPSHUFB, None, &[re, rt, ri]);
        self.asm.v3_state(VPSUBB, d, ri, const_offset!(sixteen_b));
        for _ in 1..nth {
            self.asm.v3_state(VPSUBB, d, d, const_offset!(sixteen_b));
        }
        self.asm.v3_state(VPADDUSB, d, d, const_offset!(tbl_bias));
        self.asm.v3(VPSHUFB, d, rt, d);
        self.asm.v3(VPOR, d, d, re);
        self.cut(Shape::new(Lane::B, s), d);
        self.vbind(d);
    }

    /// TBX keeps the byte where the index is beyond the table.
    pub(super) fn vec_table_else(&mut self, rest: TableElse) {
        let TableElse { s, count, .. } = rest;
        let (rf, rb) = (self.vreg(rest.found), self.vreg(rest.fallback));
        let ri = self.vreg(rest.indices);
        let d = self.vdef(None, &[rf, rb, ri]);
        let bias = match count {
            1 => const_offset!(tbl_bias),
            2 => const_offset!(tbx_bias2),
            3 => const_offset!(tbx_bias3),
            _ => const_offset!(tbx_bias4),
        };
        self.asm.v3_state(VPADDUSB, d, ri, bias);
        // (imm8[7:4] names the mask register.)
        self.asm.v3i(VPBLENDVB, d, rf, rb, d.0 << 4);
        self.cut(Shape::new(Lane::B, s), d);
        self.vbind(d);
    }

    pub(super) fn vec_select(&mut self, cond: Cond, a: Ref, b: Ref) {
        let (ra, rb) = (self.vreg(a), self.vreg(b));
        let d = self.vdef_temp(None, &[]);
        let test = self.condition(cond);
        match test {
            CondTest::One(cc) => {
                self.asm.vmov(d, ra);
                self.unless(cc, d, rb);
            }
            CondTest::FpEq => {
                self.asm.vmov(d, ra);
                self.unless(Cc::E, d, rb);
                self.unless(Cc::Np, d, rb);
            }
            CondTest::FpNe => {
                self.asm.vmov(d, rb);
                self.unless(Cc::E, d, ra);
                self.unless(Cc::Np, d, ra);
            }
        }
        self.vbind(d);
    }

    /// `d = s` unless the condition holds.
    fn unless(&mut self, cc: Cc, d: Xmm, s: Xmm) {
        let skip = self.asm.jcc(cc);
        self.asm.vmov(d, s);
        self.asm.fix_here(skip);
    }
}
