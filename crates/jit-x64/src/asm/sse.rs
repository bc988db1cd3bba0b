//! Vector instructions in their VEX forms: a table of opcodes and one encoder a form.

use super::evex::Evex;
use super::mem::Vex;
use super::{Asm, Gpr, Xmm};
use semantics::ops::Width;

macro_rules! opcodes {
    ($($name:ident = $pp:literal $map:literal $op:literal $($rest:ident)* $($scale:literal)?;)*) => {
        $(pub const $name: Vex = Vex {
            pp: $pp,
            map: $map,
            op: $op,
            w: opcodes!(@w $($rest)*),
            evex: opcodes!(@evex $($rest)* $($scale)?),
        };)*
    };
    (@w W $($rest:ident)*) => { true };
    (@w $($rest:ident)*) => { false };
    (@evex W $($rest:tt)*) => { opcodes!(@evex $($rest)*) };
    (@evex) => { Evex::None };
    (@evex e0) => { Evex::Form { w: false, disp_scale: 4 } };
    (@evex e1) => { Evex::Form { w: true, disp_scale: 4 } };
    (@evex e0 $scale:literal) => { Evex::Form { w: false, disp_scale: $scale } };
    (@evex e1 $scale:literal) => { Evex::Form { w: true, disp_scale: $scale } };
}

// pp: 0 none, 1 66, 2 F3, 3 F2. map: 1 0F, 2 0F38, 3 0F3A. W: VEX.W. e0, e1: there is an EVEX
// form with that W; the number behind is the logarithm of its memory operand's size where
// that is not 16 bytes. (Intel SDM volume 2; floating-point forms are completed by `Vex::of`.)
opcodes! {
    VPADDB = 1 1 0xfc e0; VPADDW = 1 1 0xfd e0; VPADDD = 1 1 0xfe e0; VPADDQ = 1 1 0xd4 e1;
    VPSUBB = 1 1 0xf8 e0; VPSUBW = 1 1 0xf9 e0; VPSUBD = 1 1 0xfa e0; VPSUBQ = 1 1 0xfb e1;
    VPMULLW = 1 1 0xd5 e0; VPMULLD = 1 2 0x40 e0; VPMULHW = 1 1 0xe5 e0; VPMULHUW = 1 1 0xe4 e0;
    VPMULUDQ = 1 1 0xf4 e1; VPMULDQ = 1 2 0x28 e1; VPMADDWD = 1 1 0xf5 e0; VPMADDUBSW = 1 2 0x04 e0;
    VPAND = 1 1 0xdb e0; VPANDN = 1 1 0xdf e0; VPOR = 1 1 0xeb e0; VPXOR = 1 1 0xef e0;
    VPMAXSB = 1 2 0x3c e0; VPMAXSW = 1 1 0xee e0; VPMAXSD = 1 2 0x3d e0;
    VPMAXUB = 1 1 0xde e0; VPMAXUW = 1 2 0x3e e0; VPMAXUD = 1 2 0x3f e0;
    VPMINSB = 1 2 0x38 e0; VPMINSW = 1 1 0xea e0; VPMINSD = 1 2 0x39 e0;
    VPMINUB = 1 1 0xda e0; VPMINUW = 1 2 0x3a e0; VPMINUD = 1 2 0x3b e0;
    VPCMPEQB = 1 1 0x74; VPCMPEQW = 1 1 0x75; VPCMPEQD = 1 1 0x76; VPCMPEQQ = 1 2 0x29;
    VPCMPGTB = 1 1 0x64; VPCMPGTW = 1 1 0x65; VPCMPGTD = 1 1 0x66; VPCMPGTQ = 1 2 0x37;
    VPAVGB = 1 1 0xe0 e0; VPAVGW = 1 1 0xe3 e0; VPSADBW = 1 1 0xf6 e0;
    VPADDSB = 1 1 0xec e0; VPADDSW = 1 1 0xed e0; VPADDUSB = 1 1 0xdc e0; VPADDUSW = 1 1 0xdd e0;
    VPSUBSB = 1 1 0xe8 e0; VPSUBSW = 1 1 0xe9 e0; VPSUBUSB = 1 1 0xd8 e0; VPSUBUSW = 1 1 0xd9 e0;
    VPUNPCKLBW = 1 1 0x60 e0; VPUNPCKLWD = 1 1 0x61 e0; VPUNPCKLDQ = 1 1 0x62 e0; VPUNPCKLQDQ = 1 1 0x6c e1;
    VPUNPCKHBW = 1 1 0x68 e0; VPUNPCKHWD = 1 1 0x69 e0; VPUNPCKHDQ = 1 1 0x6a e0; VPUNPCKHQDQ = 1 1 0x6d e1;
    VPSHUFB = 1 2 0x00 e0; VPALIGNR = 1 3 0x0f e0; VPSHUFD = 1 1 0x70 e0; VSHUFPS = 0 1 0xc6 e0; VSHUFPD = 1 1 0xc6 e1;
    VPBLENDW = 1 3 0x0e; VPBLENDD = 1 3 0x02; VBLENDVPS = 1 3 0x4a; VINSERTPS = 1 3 0x21 e0 2;
    VPMOVZXBW = 1 2 0x30 e0 3; VPMOVZXWD = 1 2 0x33 e0 3; VPMOVZXDQ = 1 2 0x35 e0 3;
    VPMOVSXBW = 1 2 0x20 e0 3; VPMOVSXWD = 1 2 0x23 e0 3; VPMOVSXDQ = 1 2 0x25 e0 3;
    VPABSB = 1 2 0x1c e0; VPABSW = 1 2 0x1d e0; VPABSD = 1 2 0x1e e0; VPTEST = 1 2 0x17;
    VPSLLVD = 1 2 0x47 e0; VPSLLVQ = 1 2 0x47 W e1; VPSRLVD = 1 2 0x45 e0; VPSRLVQ = 1 2 0x45 W e1; VPSRAVD = 1 2 0x46 e0;
    VPBROADCASTB_R = 1 2 0x78 e0 0; VPBROADCASTW_R = 1 2 0x79 e0 1; VPBROADCASTD_R = 1 2 0x58 e0 2; VPBROADCASTQ_R = 1 2 0x59 e1 3;
    VPSHIFT_W = 1 1 0x71 e0; VPSHIFT_D = 1 1 0x72 e0; VPSHIFT_Q = 1 1 0x73 e1;
    VMOVAPS = 0 1 0x28 e0; VMOVQ = 2 1 0x7e e1 3; VMOVMSKPS = 0 1 0x50; VMOVMSKPD = 1 1 0x50;
    VAESENC = 1 2 0xdc e0; VAESENCLAST = 1 2 0xdd e0; VAESDEC = 1 2 0xde e0; VAESDECLAST = 1 2 0xdf e0; VAESIMC = 1 2 0xdb;
    VPCLMULQDQ = 1 3 0x44 e0;
    VPACKSSWB = 1 1 0x63 e0; VPACKSSDW = 1 1 0x6b e0; VPACKUSWB = 1 1 0x67 e0; VPACKUSDW = 1 2 0x2b e0;
    VPMULHRSW = 1 2 0x0b e0; VPHADDD = 1 2 0x02; VPBLENDVB = 1 3 0x4c; VBLENDVPD = 1 3 0x4b; VPMOVSXBQ = 1 2 0x22;
    VANDPS = 0 1 0x54 e0; VORPS = 0 1 0x56 e0; VXORPS = 0 1 0x57 e0;
    VADD = 0 1 0x58 e0; VMUL = 0 1 0x59 e0; VSUB = 0 1 0x5c e0; VDIV = 0 1 0x5e e0; VMIN = 0 1 0x5d e0; VMAX = 0 1 0x5f e0;
    VSQRT = 0 1 0x51 e0; VCMP = 0 1 0xc2;
    VUCOMIS = 0 1 0x2e; VCOMIS = 0 1 0x2f;
    VCVTSS2SD = 2 1 0x5a e0 2; VCVTSD2SS = 3 1 0x5a e1 3; VCVTPS2PD = 0 1 0x5a e0 3; VCVTPD2PS = 1 1 0x5a e1;
    VCVTDQ2PS = 0 1 0x5b e0; VCVTTPS2DQ = 2 1 0x5b e0; VCVTPH2PS = 1 2 0x13 e0 3; VCVTPS2PH = 1 3 0x1d;
    VPGATHERDD = 1 2 0x90;
    VROUNDSS = 1 3 0x0a; VROUNDSD = 1 3 0x0b; VROUNDPS = 1 3 0x08; VROUNDPD = 1 3 0x09;
}

/// FMA: the opcode of the packed 231 form; the scalar one is the next.
pub const VFMADD231: u8 = 0xb8;
pub const VFMSUB231: u8 = 0xba;
pub const VFNMADD231: u8 = 0xbc;
pub const VFNMSUB231: u8 = 0xbe;

/// Element kind of a floating-point instruction, by its `pp`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum FpKind {
    Ps = 0,
    Pd = 1,
    Ss = 2,
    Sd = 3,
}

impl FpKind {
    #[must_use]
    pub const fn is_scalar(self) -> bool {
        matches!(self, FpKind::Ss | FpKind::Sd)
    }
    #[must_use]
    pub const fn is_double(self) -> bool {
        matches!(self, FpKind::Pd | FpKind::Sd)
    }
}

/// Instructions of the SHA extension.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Sha {
    /// SHA1RNDS4 with its function number: 0 choose, 1 parity, 2 majority.
    Rounds4(u8),
    /// SHA1NEXTE: adds e, made of the state before, to the first word.
    NextE,
    /// SHA256RNDS2; the words are in XMM0.
    Rounds2,
    /// SHA256MSG1, SHA256MSG2.
    Msg1,
    Msg2,
}

/// Rotations by an immediate; there are EVEX forms only.
const VPRORD: Vex = Vex::of_w(1, 1, false, 0x72);
const VPRORQ: Vex = Vex::of_w(1, 1, true, 0x72);

impl Vex {
    /// An instruction whose EVEX form has the W of its VEX form, for use with registers only.
    #[must_use]
    pub const fn of_w(pp: u8, map: u8, w: bool, op: u8) -> Vex {
        Vex {
            pp,
            map,
            w,
            op,
            evex: Evex::Form { w, disp_scale: 4 },
        }
    }

    /// The form of an arithmetic opcode for the given elements.
    #[must_use]
    pub const fn of(self, kind: FpKind) -> Vex {
        let disp_scale = match kind {
            FpKind::Ss => 2,
            FpKind::Sd => 3,
            FpKind::Ps | FpKind::Pd => 4,
        };
        Vex {
            pp: kind as u8,
            evex: match self.evex {
                Evex::None => Evex::None,
                Evex::Form { .. } => Evex::Form {
                    w: kind.is_double(),
                    disp_scale,
                },
            },
            ..self
        }
    }
}

impl Asm {
    /// VEX (for registers from 16 on: EVEX) prefix, opcode and ModRM for `reg, vvvv, rm` with
    /// `rm` a register.
    fn vex_raw(&mut self, op: Vex, reg: u8, vvvv: u8, rm: u8) {
        if (reg | vvvv | rm) >= 16 {
            return self.evex_raw(op, reg, vvvv, rm);
        }
        let not = |bit: u8| (bit >> 3 & 1) ^ 1;
        let v = !vvvv & 15;
        if op.map == 1 && !op.w && rm < 8 {
            self.bytes(&[
                0xc5,
                not(reg) << 7 | v << 3 | op.pp,
                op.op,
                0xc0 | (reg & 7) << 3 | rm & 7,
            ]);
        } else {
            self.bytes(&[
                0xc4,
                not(reg) << 7 | 1 << 6 | not(rm) << 5 | op.map,
                u8::from(op.w) << 7 | v << 3 | op.pp,
                op.op,
                0xc0 | (reg & 7) << 3 | rm & 7,
            ]);
        }
    }

    /// `op d, a, b`
    pub fn v3(&mut self, op: Vex, d: Xmm, a: Xmm, b: Xmm) {
        self.vex_raw(op, d.0, a.0, b.0);
    }

    /// `op d, a, b, imm8`
    pub fn v3i(&mut self, op: Vex, d: Xmm, a: Xmm, b: Xmm, imm: u8) {
        self.vex_raw(op, d.0, a.0, b.0);
        self.bytes(&[imm]);
    }

    /// `op d, s`
    pub fn v2(&mut self, op: Vex, d: Xmm, s: Xmm) {
        self.vex_raw(op, d.0, 0, s.0);
    }

    /// `op d, s, imm8`
    pub fn v2i(&mut self, op: Vex, d: Xmm, s: Xmm, imm: u8) {
        self.vex_raw(op, d.0, 0, s.0);
        self.bytes(&[imm]);
    }

    /// `op d, a, [state + offset]`
    pub fn v3_state(&mut self, op: Vex, d: Xmm, a: Xmm, offset: i32) {
        self.vex_mem(op, d, Some(a), super::mem::Mem::state(offset));
    }

    /// Shift by an immediate: `ext` selects the operation (ModRM.reg).
    pub fn vshift(&mut self, op: Vex, ext: u8, d: Xmm, s: Xmm, imm: u8) {
        self.vex_raw(op, ext, d.0, s.0);
        self.bytes(&[imm]);
    }

    /// `vprord/q d, s, n`: AVX-512 forms (EVEX prefix, Intel SDM volume 2, 2.7).
    pub fn rotate_right(&mut self, double: bool, d: Xmm, s: Xmm, n: u8) {
        // The rotation is chosen by ModRM.reg (0), so the destination stands in vvvv.
        self.evex_raw(if double { VPRORQ } else { VPRORD }, 0, d.0, s.0);
        self.bytes(&[n]);
    }

    /// `d = s`; nothing if they are the same.
    pub fn vmov(&mut self, d: Xmm, s: Xmm) {
        if d != s {
            // The form with the short prefix needs the high register in `reg`.
            if s.0 >= 8 && d.0 < 8 && !s.is_high() {
                self.vex_raw(Vex { op: 0x29, ..VMOVAPS }, s.0, 0, d.0);
            } else {
                self.v2(VMOVAPS, d, s);
            }
        }
    }

    /// The low 64 bits, the rest zero.
    pub fn vmovq(&mut self, d: Xmm, s: Xmm) {
        self.v2(VMOVQ, d, s);
    }

    pub fn vzero(&mut self, d: Xmm) {
        self.v3(VPXOR, d, d, d);
    }

    pub fn vones(&mut self, d: Xmm) {
        self.v3(VPCMPEQD, d, d, d);
    }

    /// `vmovd d, s` (32 bits of a general register, the rest zero).
    pub fn vmovd_from(&mut self, d: Xmm, s: Gpr) {
        self.vex_raw(Vex::of_w(1, 1, false, 0x6e), d.0, 0, s.0);
    }

    /// `vmovq d, s` (64 bits of a general register, the rest zero).
    pub fn vmovq_from(&mut self, d: Xmm, s: Gpr) {
        self.vex_raw(Vex::of_w(1, 1, true, 0x6e), d.0, 0, s.0);
    }

    pub fn vmovd_to(&mut self, d: Gpr, s: Xmm) {
        self.vex_raw(Vex::of_w(1, 1, false, 0x7e), s.0, 0, d.0);
    }

    pub fn vmovq_to(&mut self, d: Gpr, s: Xmm) {
        self.vex_raw(Vex::of_w(1, 1, true, 0x7e), s.0, 0, d.0);
    }

    /// `vpextrb/w/d/q d, s, index`, zero-extending; `log2` is the size.
    pub fn vextract(&mut self, log2: u8, d: Gpr, s: Xmm, index: u8) {
        let op = [0x14, 0x15, 0x16, 0x16][log2 as usize];
        self.vex_raw(Vex::of_w(1, 3, log2 == 3, op), s.0, 0, d.0);
        self.bytes(&[index]);
    }

    /// `vpinsrb/w/d/q d, a, s, index`
    pub fn vinsert(&mut self, log2: u8, d: Xmm, a: Xmm, s: Gpr, index: u8) {
        let op = match log2 {
            0 => Vex::of_w(1, 3, false, 0x20),
            1 => Vex::of_w(1, 1, false, 0xc4),
            _ => Vex::of_w(1, 3, log2 == 3, 0x22),
        };
        self.vex_raw(op, d.0, a.0, s.0);
        self.bytes(&[index]);
    }

    /// `vucomiss/sd a, b`, or the signaling `vcomis`.
    pub fn ucomis(&mut self, double: bool, signaling: bool, a: Xmm, b: Xmm) {
        let op = if signaling { VCOMIS } else { VUCOMIS };
        self.v2(
            Vex {
                pp: u8::from(double),
                ..op
            },
            a,
            b,
        );
    }

    /// `vcvttss2si/sd2si d, s`, or the rounding `vcvtss2si`.
    pub fn cvt_to_int(&mut self, double: bool, truncate: bool, w: Width, d: Gpr, s: Xmm) {
        let op = if truncate { 0x2c } else { 0x2d };
        self.vex_raw(
            Vex::of_w(if double { 3 } else { 2 }, 1, w == Width::X, op),
            d.0,
            0,
            s.0,
        );
    }

    /// `vcvtsi2ss/sd d, a, s`
    pub fn cvt_from_int(&mut self, double: bool, w: Width, d: Xmm, a: Xmm, s: Gpr) {
        let op = Vex::of_w(if double { 3 } else { 2 }, 1, w == Width::X, 0x2a);
        self.vex_raw(op, d.0, a.0, s.0);
    }

    /// A 231 fused multiply-add: `d = ±(a * b) ± d`.
    pub fn fma(&mut self, op: u8, kind: FpKind, d: Xmm, a: Xmm, b: Xmm) {
        let op = op + u8::from(kind.is_scalar());
        self.vex_raw(Vex::of_w(1, 2, kind.is_double(), op), d.0, a.0, b.0);
    }

    /// A SHA instruction `op d, s` (legacy encoding: there is no VEX form).
    pub fn sha(&mut self, op: Sha, d: Xmm, s: Xmm) {
        let rex = 0x40 | (d.0 >> 3) << 2 | s.0 >> 3;
        if rex != 0x40 {
            self.bytes(&[rex]);
        }
        let modrm = 0xc0 | (d.0 & 7) << 3 | s.0 & 7;
        match op {
            Sha::Rounds4(function) => self.bytes(&[0x0f, 0x3a, 0xcc, modrm, function]),
            Sha::NextE => self.bytes(&[0x0f, 0x38, 0xc8, modrm]),
            Sha::Rounds2 => self.bytes(&[0x0f, 0x38, 0xcb, modrm]),
            Sha::Msg1 => self.bytes(&[0x0f, 0x38, 0xcc, modrm]),
            Sha::Msg2 => self.bytes(&[0x0f, 0x38, 0xcd, modrm]),
        }
    }

    /// `vmovmskps/pd d, s`
    pub fn vmovmsk(&mut self, double: bool, d: Gpr, s: Xmm) {
        self.vex_raw(if double { VMOVMSKPD } else { VMOVMSKPS }, d.0, 0, s.0);
    }
}
