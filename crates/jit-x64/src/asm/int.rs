//! General-register forms, through dynasm.
#![allow(clippy::useless_conversion)] // dynasm converts every register number

use super::{Asm, Cc, Gpr};
use dynasm::dynasm;
use dynasmrt::DynasmApi;
use semantics::ops::Width;

/// Two-operand arithmetic.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Alu {
    Add,
    Or,
    Adc,
    Sbb,
    And,
    Sub,
    Xor,
    Cmp,
    Test,
}

impl Alu {
    /// The opcode of the `reg, mem` form.
    const fn mem_opcode(self) -> u8 {
        match self {
            Alu::Add => 0x03,
            Alu::Or => 0x0b,
            Alu::Adc => 0x13,
            Alu::Sbb => 0x1b,
            Alu::And => 0x23,
            Alu::Sub => 0x2b,
            Alu::Xor => 0x33,
            Alu::Cmp => 0x3b,
            Alu::Test => 0x85,
        }
    }
}

/// Shifts by a count.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Shift {
    Shl,
    Shr,
    Sar,
    Ror,
}

macro_rules! by_width {
    ($asm:expr, $w:expr, $op:ident, $d:expr, $s:expr) => {
        match $w {
            Width::W => dynasm!($asm; .arch x64; $op Rd($d), Rd($s)),
            Width::X => dynasm!($asm; .arch x64; $op Rq($d), Rq($s)),
        }
    };
}

macro_rules! by_width_imm {
    ($asm:expr, $w:expr, $op:ident, $d:expr, $imm:expr) => {
        match ($w, i8::try_from($imm)) {
            (Width::W, Ok(small)) => dynasm!($asm; .arch x64; $op Rd($d), BYTE small as _),
            (Width::X, Ok(small)) => dynasm!($asm; .arch x64; $op Rq($d), BYTE small as _),
            (Width::W, Err(_)) => dynasm!($asm; .arch x64; $op Rd($d), DWORD $imm),
            (Width::X, Err(_)) => dynasm!($asm; .arch x64; $op Rq($d), DWORD $imm),
        }
    };
}

impl Asm {
    pub fn alu(&mut self, op: Alu, w: Width, d: Gpr, s: Gpr) {
        let (d, s) = (d.0, s.0);
        match op {
            Alu::Add => by_width!(self, w, add, d, s),
            Alu::Or => by_width!(self, w, or, d, s),
            Alu::Adc => by_width!(self, w, adc, d, s),
            Alu::Sbb => by_width!(self, w, sbb, d, s),
            Alu::And => by_width!(self, w, and, d, s),
            Alu::Sub => by_width!(self, w, sub, d, s),
            Alu::Xor => by_width!(self, w, xor, d, s),
            Alu::Cmp => by_width!(self, w, cmp, d, s),
            Alu::Test => by_width!(self, w, test, d, s),
        }
    }

    pub fn alu_imm(&mut self, op: Alu, w: Width, d: Gpr, imm: i32) {
        if let (Alu::Cmp, Ok(small)) = (op, i8::try_from(imm)) {
            return self.cmp_byte(w, d, small);
        }
        let d = d.0;
        match op {
            Alu::Add => by_width_imm!(self, w, add, d, imm),
            Alu::Or => by_width_imm!(self, w, or, d, imm),
            Alu::Adc => by_width_imm!(self, w, adc, d, imm),
            Alu::Sbb => by_width_imm!(self, w, sbb, d, imm),
            Alu::And => by_width_imm!(self, w, and, d, imm),
            Alu::Sub => by_width_imm!(self, w, sub, d, imm),
            Alu::Xor => by_width_imm!(self, w, xor, d, imm),
            Alu::Cmp => by_width_imm!(self, w, cmp, d, imm),
            Alu::Test => match w {
                Width::W => dynasm!(self; .arch x64; test Rd(d), imm),
                Width::X => dynasm!(self; .arch x64; test Rq(d), imm),
            },
        }
    }

    /// `cmp d, imm` with a one-byte immediate: dynasm always takes the four-byte form.
    fn cmp_byte(&mut self, w: Width, d: Gpr, imm: i8) {
        let rex = 0x40 | u8::from(w == Width::X) << 3 | d.0 >> 3;
        if rex != 0x40 {
            self.bytes(&[rex]);
        }
        self.bytes(&[0x83, 0xc0 | 7 << 3 | d.0 & 7, imm as u8]);
    }

    /// `op d, [state + offset]`.
    pub fn alu_state(&mut self, op: Alu, w: Width, d: Gpr, offset: i32) {
        let form = super::mem::Legacy {
            prefix: 0,
            w: w == Width::X,
            map: 0,
            op: op.mem_opcode(),
            byte_reg: false,
        };
        self.op_mem(form, d, super::mem::Mem::state(offset));
    }

    /// `cmp dword/qword [state + offset], imm`.
    pub fn cmp_state_imm(&mut self, w: Width, offset: i32, imm: i32) {
        let small = i8::try_from(imm);
        let form = super::mem::Legacy {
            prefix: 0,
            w: w == Width::X,
            map: 0,
            op: if small.is_ok() { 0x83 } else { 0x81 },
            byte_reg: false,
        };
        self.op_mem(form, Gpr(7), super::mem::Mem::state(offset));
        match small {
            Ok(byte) => self.bytes(&byte.to_le_bytes()),
            Err(_) => self.bytes(&imm.to_le_bytes()),
        }
    }

    /// `mov d, s` (32-bit form zero-extends); nothing for a 64-bit move to itself.
    pub fn mov(&mut self, w: Width, d: Gpr, s: Gpr) {
        match w {
            Width::W => dynasm!(self; .arch x64; mov Rd(d.0), Rd(s.0)),
            Width::X if d == s => {}
            Width::X => dynasm!(self; .arch x64; mov Rq(d.0), Rq(s.0)),
        }
    }

    /// The shortest form that leaves the flags alone.
    pub fn mov_imm(&mut self, d: Gpr, imm: u64) {
        if let Ok(low) = u32::try_from(imm) {
            dynasm!(self; .arch x64; mov Rd(d.0), DWORD low as i32);
        } else if let Ok(low) = i32::try_from(imm as i64) {
            dynasm!(self; .arch x64; mov Rq(d.0), DWORD low);
        } else {
            dynasm!(self; .arch x64; mov Rq(d.0), QWORD imm as i64);
        }
    }

    /// `xor d, d`: clobbers the flags.
    pub fn zero(&mut self, d: Gpr) {
        dynasm!(self; .arch x64; xor Rd(d.0), Rd(d.0));
    }

    pub fn cmov(&mut self, cc: Cc, w: Width, d: Gpr, s: Gpr) {
        let rex = 0x40 | u8::from(w == Width::X) << 3 | (d.0 >> 3) << 2 | s.0 >> 3;
        if rex != 0x40 {
            self.bytes(&[rex]);
        }
        self.bytes(&[0x0f, 0x40 | cc as u8, 0xc0 | (d.0 & 7) << 3 | s.0 & 7]);
    }

    /// Sets the low byte of `d` to the condition.
    pub fn setcc(&mut self, cc: Cc, d: Gpr) {
        let rex = 0x40 | d.0 >> 3;
        self.bytes(&[rex, 0x0f, 0x90 | cc as u8, 0xc0 | d.0 & 7]);
    }

    pub fn movzx8(&mut self, d: Gpr, s: Gpr) {
        dynasm!(self; .arch x64; movzx Rd(d.0), Rb(s.0));
    }
    pub fn movzx16(&mut self, d: Gpr, s: Gpr) {
        dynasm!(self; .arch x64; movzx Rd(d.0), Rw(s.0));
    }
    pub fn movsx8(&mut self, w: Width, d: Gpr, s: Gpr) {
        match w {
            Width::W => dynasm!(self; .arch x64; movsx Rd(d.0), Rb(s.0)),
            Width::X => dynasm!(self; .arch x64; movsx Rq(d.0), Rb(s.0)),
        }
    }
    pub fn movsx16(&mut self, w: Width, d: Gpr, s: Gpr) {
        match w {
            Width::W => dynasm!(self; .arch x64; movsx Rd(d.0), Rw(s.0)),
            Width::X => dynasm!(self; .arch x64; movsx Rq(d.0), Rw(s.0)),
        }
    }
    pub fn movsxd(&mut self, d: Gpr, s: Gpr) {
        dynasm!(self; .arch x64; movsxd Rq(d.0), Rd(s.0));
    }

    /// Shift in place by an immediate; clobbers the flags.
    pub fn shift_imm(&mut self, op: Shift, w: Width, d: Gpr, n: u8) {
        let (d, n) = (d.0, n as i8);
        match (op, w) {
            (Shift::Shl, Width::W) => dynasm!(self; .arch x64; shl Rd(d), n),
            (Shift::Shl, Width::X) => dynasm!(self; .arch x64; shl Rq(d), n),
            (Shift::Shr, Width::W) => dynasm!(self; .arch x64; shr Rd(d), n),
            (Shift::Shr, Width::X) => dynasm!(self; .arch x64; shr Rq(d), n),
            (Shift::Sar, Width::W) => dynasm!(self; .arch x64; sar Rd(d), n),
            (Shift::Sar, Width::X) => dynasm!(self; .arch x64; sar Rq(d), n),
            (Shift::Ror, Width::W) => dynasm!(self; .arch x64; ror Rd(d), n),
            (Shift::Ror, Width::X) => dynasm!(self; .arch x64; ror Rq(d), n),
        }
    }

    /// `shlx`, `shrx`, `sarx`: any registers, flags untouched. Not for `Ror`.
    pub fn shiftx(&mut self, op: Shift, w: Width, d: Gpr, s: Gpr, n: Gpr) {
        let (d, s, n) = (d.0, s.0, n.0);
        match (op, w) {
            (Shift::Shl, Width::W) => dynasm!(self; .arch x64; shlx Rd(d), Rd(s), Rd(n)),
            (Shift::Shl, Width::X) => dynasm!(self; .arch x64; shlx Rq(d), Rq(s), Rq(n)),
            (Shift::Shr, Width::W) => dynasm!(self; .arch x64; shrx Rd(d), Rd(s), Rd(n)),
            (Shift::Shr, Width::X) => dynasm!(self; .arch x64; shrx Rq(d), Rq(s), Rq(n)),
            (Shift::Sar, Width::W) => dynasm!(self; .arch x64; sarx Rd(d), Rd(s), Rd(n)),
            (Shift::Sar, Width::X) => dynasm!(self; .arch x64; sarx Rq(d), Rq(s), Rq(n)),
            (Shift::Ror, _) => unreachable!("rotates by a register use ror_cl"),
        }
    }

    /// `ror d, cl`; clobbers CF and OF.
    pub fn ror_cl(&mut self, w: Width, d: Gpr) {
        match w {
            Width::W => dynasm!(self; .arch x64; ror Rd(d.0), cl),
            Width::X => dynasm!(self; .arch x64; ror Rq(d.0), cl),
        }
    }

    /// `rorx`: flags untouched.
    pub fn rorx(&mut self, w: Width, d: Gpr, s: Gpr, n: u8) {
        match w {
            Width::W => dynasm!(self; .arch x64; rorx Rd(d.0), Rd(s.0), n as i8),
            Width::X => dynasm!(self; .arch x64; rorx Rq(d.0), Rq(s.0), n as i8),
        }
    }

    /// `shrd lo, hi, n`: `lo` becomes the bits from `n` of `hi:lo`.
    pub fn shrd(&mut self, w: Width, lo: Gpr, hi: Gpr, n: u8) {
        match w {
            Width::W => dynasm!(self; .arch x64; shrd Rd(lo.0), Rd(hi.0), n as i8),
            Width::X => dynasm!(self; .arch x64; shrd Rq(lo.0), Rq(hi.0), n as i8),
        }
    }

    /// `andn d, a, b`: `!a & b`; sets SF and ZF, clears CF and OF.
    pub fn andn(&mut self, w: Width, d: Gpr, a: Gpr, b: Gpr) {
        match w {
            Width::W => dynasm!(self; .arch x64; andn Rd(d.0), Rd(a.0), Rd(b.0)),
            Width::X => dynasm!(self; .arch x64; andn Rq(d.0), Rq(a.0), Rq(b.0)),
        }
    }

    pub fn not(&mut self, w: Width, d: Gpr) {
        match w {
            Width::W => dynasm!(self; .arch x64; not Rd(d.0)),
            Width::X => dynasm!(self; .arch x64; not Rq(d.0)),
        }
    }

    pub fn neg(&mut self, w: Width, d: Gpr) {
        match w {
            Width::W => dynasm!(self; .arch x64; neg Rd(d.0)),
            Width::X => dynasm!(self; .arch x64; neg Rq(d.0)),
        }
    }

    pub fn imul(&mut self, w: Width, d: Gpr, s: Gpr) {
        match w {
            Width::W => dynasm!(self; .arch x64; imul Rd(d.0), Rd(s.0)),
            Width::X => dynasm!(self; .arch x64; imul Rq(d.0), Rq(s.0)),
        }
    }

    pub fn imul_imm(&mut self, w: Width, d: Gpr, s: Gpr, imm: i32) {
        match w {
            Width::W => dynasm!(self; .arch x64; imul Rd(d.0), Rd(s.0), DWORD imm),
            Width::X => dynasm!(self; .arch x64; imul Rq(d.0), Rq(s.0), DWORD imm),
        }
    }

    /// `mulx hi, lo, s`: rdx * s, flags untouched.
    pub fn mulx(&mut self, hi: Gpr, lo: Gpr, s: Gpr) {
        dynasm!(self; .arch x64; mulx Rq(hi.0), Rq(lo.0), Rq(s.0));
    }

    /// `imul s`: rdx:rax = rax * s, signed.
    pub fn imul_wide(&mut self, s: Gpr) {
        dynasm!(self; .arch x64; imul Rq(s.0));
    }

    pub fn div(&mut self, w: Width, s: Gpr) {
        match w {
            Width::W => dynasm!(self; .arch x64; div Rd(s.0)),
            Width::X => dynasm!(self; .arch x64; div Rq(s.0)),
        }
    }

    pub fn idiv(&mut self, w: Width, s: Gpr) {
        match w {
            Width::W => dynasm!(self; .arch x64; idiv Rd(s.0)),
            Width::X => dynasm!(self; .arch x64; idiv Rq(s.0)),
        }
    }

    /// Sign-extends rax into rdx.
    pub fn cqo(&mut self, w: Width) {
        match w {
            Width::W => dynasm!(self; .arch x64; cdq),
            Width::X => dynasm!(self; .arch x64; cqo),
        }
    }

    pub fn lzcnt(&mut self, w: Width, d: Gpr, s: Gpr) {
        match w {
            Width::W => dynasm!(self; .arch x64; lzcnt Rd(d.0), Rd(s.0)),
            Width::X => dynasm!(self; .arch x64; lzcnt Rq(d.0), Rq(s.0)),
        }
    }

    pub fn tzcnt(&mut self, w: Width, d: Gpr, s: Gpr) {
        match w {
            Width::W => dynasm!(self; .arch x64; tzcnt Rd(d.0), Rd(s.0)),
            Width::X => dynasm!(self; .arch x64; tzcnt Rq(d.0), Rq(s.0)),
        }
    }

    pub fn popcnt(&mut self, w: Width, d: Gpr, s: Gpr) {
        match w {
            Width::W => dynasm!(self; .arch x64; popcnt Rd(d.0), Rd(s.0)),
            Width::X => dynasm!(self; .arch x64; popcnt Rq(d.0), Rq(s.0)),
        }
    }

    pub fn bswap(&mut self, w: Width, d: Gpr) {
        match w {
            Width::W => dynasm!(self; .arch x64; bswap Rd(d.0)),
            Width::X => dynasm!(self; .arch x64; bswap Rq(d.0)),
        }
    }

    /// `bt s, n`: the bit goes to CF.
    pub fn bt_imm(&mut self, w: Width, s: Gpr, n: u8) {
        match w {
            Width::W => dynasm!(self; .arch x64; bt Rd(s.0), n as i8),
            Width::X => dynasm!(self; .arch x64; bt Rq(s.0), n as i8),
        }
    }

    /// SSE4.2 CRC32C of the low `bytes` of `s` into `d`.
    pub fn crc32c(&mut self, bytes: u8, d: Gpr, s: Gpr) {
        match bytes {
            1 => dynasm!(self; .arch x64; crc32 Rd(d.0), Rb(s.0)),
            2 => dynasm!(self; .arch x64; crc32 Rd(d.0), Rw(s.0)),
            4 => dynasm!(self; .arch x64; crc32 Rd(d.0), Rd(s.0)),
            _ => dynasm!(self; .arch x64; crc32 Rq(d.0), Rq(s.0)),
        }
    }

    pub fn cmc(&mut self) {
        dynasm!(self; .arch x64; cmc);
    }
    pub fn lahf(&mut self) {
        dynasm!(self; .arch x64; lahf);
    }
    pub fn sahf(&mut self) {
        dynasm!(self; .arch x64; sahf);
    }
    pub fn push_reg(&mut self, s: Gpr) {
        dynasm!(self; .arch x64; push Rq(s.0));
    }
    pub fn ret(&mut self) {
        dynasm!(self; .arch x64; ret);
    }
}
