//! Loads and stores of two registers (Arm ARM C4.1.97): `ldst_pair.isa`.
//!
//! LDP with the same register twice (CONSTRAINED UNPREDICTABLE) leaves the second value, as
//! under QEMU from 9.0 on.

use crate::Ops;
use crate::ldst::Mode;
use crate::ops::{LoadExt, MemSize};
use crate::translate::Translate;
use a64_isa::imm::sext;

/// The offset in bytes: `imm7` in units of the access size.
pub(crate) fn scaled_imm7(imm7: u8, log2_size: u8) -> i64 {
    sext(u64::from(imm7), 7) << log2_size
}

/// Whether an access through this base register may be to memory of several threads. Those
/// through SP are taken to be the thread's own: saves and restores of registers, which the
/// host does faster in two pieces.
fn is_shared(rn: u8) -> bool {
    rn != 31
}

impl<O: Ops> Translate<'_, O> {
    pub(crate) fn load_pair(&mut self, size: MemSize, ext: LoadExt, mode: Mode, rn: u8, rt: u8, rt2: u8) {
        let base = self.0.x_or_sp(rn);
        let offset = mode.offset();
        let (first, second) = if size == MemSize::X {
            self.0.load_pair(is_shared(rn), base, offset)
        } else {
            let first = self.0.load(size, ext, base, offset);
            (first, self.0.load(size, ext, base, offset + size.bytes() as i64))
        };
        self.0.set_x(rt, first);
        self.0.set_x(rt2, second);
        self.write_back(mode, rn, base);
    }

    pub(crate) fn store_pair(&mut self, size: MemSize, mode: Mode, rn: u8, rt: u8, rt2: u8) {
        let base = self.0.x_or_sp(rn);
        let (first, second) = (self.0.x(rt), self.0.x(rt2));
        let offset = mode.offset();
        if size == MemSize::X {
            self.0.store_pair(is_shared(rn), base, offset, (first, second));
        } else {
            self.0.store(size, base, offset, first);
            self.0.store(size, base, offset + size.bytes() as i64, second);
        }
        self.write_back(mode, rn, base);
    }

    pub(crate) fn load_pair_v(&mut self, size: MemSize, mode: Mode, rn: u8, rt: u8, rt2: u8) {
        let base = self.0.x_or_sp(rn);
        let first = self.0.load_v(size, base, mode.offset());
        let second = self.0.load_v(size, base, mode.offset() + size.bytes() as i64);
        self.0.set_v(rt, first);
        self.0.set_v(rt2, second);
        self.write_back(mode, rn, base);
    }

    pub(crate) fn store_pair_v(&mut self, size: MemSize, mode: Mode, rn: u8, rt: u8, rt2: u8) {
        let base = self.0.x_or_sp(rn);
        let (first, second) = (self.0.v(rt), self.0.v(rt2));
        self.0.store_v(size, base, mode.offset(), first);
        self.0
            .store_v(size, base, mode.offset() + size.bytes() as i64, second);
        self.write_back(mode, rn, base);
    }
}
