//! The EVEX encoding of 128-bit instructions: what reaches the vector registers 16 to 31.
//!
//! The encoders of [`super::sse`] and [`super::mem`] come here by themselves for such a
//! register. Needs AVX-512 F, VL, BW and DQ (`HostFeatures::avx512`).

use super::mem::{Mem, Vex};
use super::{Asm, Xmm};

/// Whether an instruction has an EVEX form (that writes a vector register), and what of it
/// differs from the VEX form.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Evex {
    None,
    Form {
        w: bool,
        /// A displacement of one byte counts units of `1 << disp_scale` bytes (Intel SDM
        /// volume 2, 2.7.5).
        disp_scale: u8,
    },
}

impl Xmm {
    /// Whether only EVEX reaches it.
    #[must_use]
    pub const fn is_high(self) -> bool {
        self.0 >= 16
    }
}

impl Vex {
    /// Whether the instruction takes the registers 16 to 31.
    #[must_use]
    pub const fn takes_high(self) -> bool {
        matches!(self.evex, Evex::Form { .. })
    }

    /// The instruction without its EVEX form.
    #[must_use]
    pub const fn low_only(self) -> Vex {
        Vex {
            evex: Evex::None,
            ..self
        }
    }
}

const fn not(register: u8, bit: u8) -> u8 {
    (register >> bit & 1) ^ 1
}

impl Asm {
    /// The prefix; `x` and `b` are its inverted bits of those names.
    fn evex_prefix(&mut self, op: Vex, w: bool, reg: u8, vvvv: u8, x: u8, b: u8) {
        self.bytes(&[
            0x62,
            not(reg, 3) << 7 | x << 6 | b << 5 | not(reg, 4) << 4 | op.map,
            u8::from(w) << 7 | (!vvvv & 15) << 3 | 1 << 2 | op.pp,
            not(vvvv, 4) << 3,
            op.op,
        ]);
    }

    /// Prefix, opcode and ModRM for `reg, vvvv, rm` with `rm` a register.
    ///
    /// # Panics
    /// If the instruction has no such form.
    pub(super) fn evex_raw(&mut self, op: Vex, reg: u8, vvvv: u8, rm: u8) {
        let Evex::Form { w, .. } = op.evex else {
            panic!("{op:x?} does not take registers from 16 on");
        };
        self.evex_prefix(op, w, reg, vvvv, not(rm, 4), not(rm, 3));
        self.bytes(&[0xc0 | (reg & 7) << 3 | rm & 7]);
    }

    /// As [`Asm::vex_mem`].
    ///
    /// # Panics
    /// If the instruction has no such form.
    pub(super) fn evex_mem(&mut self, op: Vex, reg: Xmm, src: Option<Xmm>, m: Mem) {
        let Evex::Form { w, disp_scale } = op.evex else {
            panic!("{op:x?} does not take registers from 16 on");
        };
        let index = m.index.map_or(0, |(index, _)| index.0);
        let vvvv = src.map_or(0, |x| x.0);
        self.evex_prefix(op, w, reg.0, vvvv, not(index, 3), not(m.base.0, 3));
        self.modrm_scaled(reg.0, m, disp_scale);
    }
}
