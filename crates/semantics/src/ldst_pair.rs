//! Loads and stores of two registers (Arm ARM C4.1.97): `ldst_pair.isa`.
//!
//! LDP with the same register twice (CONSTRAINED UNPREDICTABLE) leaves the second value, as
//! under QEMU from 9.0 on.

use crate::Ops;
use crate::ldst::Mode;
use crate::ops::{LoadExt, MemSize};
use crate::translate::Translate;
use a64_isa::imm::sext;
use a64_isa::ldst_pair::*;
use a64_isa::text::reg_size;

/// The offset in bytes: `imm7` in units of the access size.
fn imm7(imm7: u8, log2_size: u8) -> i64 {
    sext(u64::from(imm7), 7) << log2_size
}

/// Whether an access through this base register may be to memory of several threads. Those
/// through SP are taken to be the thread's own: saves and restores of registers, which the
/// host does faster in two pieces.
fn is_shared(rn: u8) -> bool {
    rn != 31
}

impl<O: Ops> Translate<'_, O> {
    fn load_pair(&mut self, size: MemSize, ext: LoadExt, mode: Mode, rn: u8, rt: u8, rt2: u8) {
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

    fn store_pair(&mut self, size: MemSize, mode: Mode, rn: u8, rt: u8, rt2: u8) {
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

    fn load_pair_v(&mut self, size: MemSize, mode: Mode, rn: u8, rt: u8, rt2: u8) {
        let base = self.0.x_or_sp(rn);
        let first = self.0.load_v(size, base, mode.offset());
        let second = self.0.load_v(size, base, mode.offset() + size.bytes() as i64);
        self.0.set_v(rt, first);
        self.0.set_v(rt2, second);
        self.write_back(mode, rn, base);
    }

    fn store_pair_v(&mut self, size: MemSize, mode: Mode, rn: u8, rt: u8, rt2: u8) {
        let base = self.0.x_or_sp(rn);
        let (first, second) = (self.0.v(rt), self.0.v(rt2));
        self.0.store_v(size, base, mode.offset(), first);
        self.0
            .store_v(size, base, mode.offset() + size.bytes() as i64, second);
        self.write_back(mode, rn, base);
    }
}

impl<O: Ops> a64_isa::LdstPair for Translate<'_, O> {
    fn stnp(&mut self, i: Stnp) {
        let size = reg_size(i.sf);
        let mode = Mode::Offset(imm7(i.imm7, size));
        self.store_pair(MemSize::from_log2(size), mode, i.rn, i.rt, i.rt2);
    }

    fn ldnp(&mut self, i: Ldnp) {
        let size = reg_size(i.sf);
        let mode = Mode::Offset(imm7(i.imm7, size));
        self.load_pair(MemSize::from_log2(size), LoadExt::Zero, mode, i.rn, i.rt, i.rt2);
    }

    fn stnp_v(&mut self, i: StnpV) {
        let size = i.opc + 2;
        let mode = Mode::Offset(imm7(i.imm7, size));
        self.store_pair_v(MemSize::from_log2(size), mode, i.rn, i.rt, i.rt2);
    }

    fn ldnp_v(&mut self, i: LdnpV) {
        let size = i.opc + 2;
        let mode = Mode::Offset(imm7(i.imm7, size));
        self.load_pair_v(MemSize::from_log2(size), mode, i.rn, i.rt, i.rt2);
    }

    fn stp_post(&mut self, i: StpPost) {
        let size = reg_size(i.sf);
        let mode = Mode::Post(imm7(i.imm7, size));
        self.store_pair(MemSize::from_log2(size), mode, i.rn, i.rt, i.rt2);
    }

    fn ldp_post(&mut self, i: LdpPost) {
        let size = reg_size(i.sf);
        let mode = Mode::Post(imm7(i.imm7, size));
        self.load_pair(MemSize::from_log2(size), LoadExt::Zero, mode, i.rn, i.rt, i.rt2);
    }

    fn ldpsw_post(&mut self, i: LdpswPost) {
        let mode = Mode::Post(imm7(i.imm7, 2));
        self.load_pair(MemSize::W, LoadExt::SignX, mode, i.rn, i.rt, i.rt2);
    }

    fn stp_post_v(&mut self, i: StpPostV) {
        let size = i.opc + 2;
        let mode = Mode::Post(imm7(i.imm7, size));
        self.store_pair_v(MemSize::from_log2(size), mode, i.rn, i.rt, i.rt2);
    }

    fn ldp_post_v(&mut self, i: LdpPostV) {
        let size = i.opc + 2;
        let mode = Mode::Post(imm7(i.imm7, size));
        self.load_pair_v(MemSize::from_log2(size), mode, i.rn, i.rt, i.rt2);
    }

    fn stp_offset(&mut self, i: StpOffset) {
        let size = reg_size(i.sf);
        let mode = Mode::Offset(imm7(i.imm7, size));
        self.store_pair(MemSize::from_log2(size), mode, i.rn, i.rt, i.rt2);
    }

    fn ldp_offset(&mut self, i: LdpOffset) {
        let size = reg_size(i.sf);
        let mode = Mode::Offset(imm7(i.imm7, size));
        self.load_pair(MemSize::from_log2(size), LoadExt::Zero, mode, i.rn, i.rt, i.rt2);
    }

    fn ldpsw_offset(&mut self, i: LdpswOffset) {
        let mode = Mode::Offset(imm7(i.imm7, 2));
        self.load_pair(MemSize::W, LoadExt::SignX, mode, i.rn, i.rt, i.rt2);
    }

    fn stp_offset_v(&mut self, i: StpOffsetV) {
        let size = i.opc + 2;
        let mode = Mode::Offset(imm7(i.imm7, size));
        self.store_pair_v(MemSize::from_log2(size), mode, i.rn, i.rt, i.rt2);
    }

    fn ldp_offset_v(&mut self, i: LdpOffsetV) {
        let size = i.opc + 2;
        let mode = Mode::Offset(imm7(i.imm7, size));
        self.load_pair_v(MemSize::from_log2(size), mode, i.rn, i.rt, i.rt2);
    }

    fn stp_pre(&mut self, i: StpPre) {
        let size = reg_size(i.sf);
        let mode = Mode::Pre(imm7(i.imm7, size));
        self.store_pair(MemSize::from_log2(size), mode, i.rn, i.rt, i.rt2);
    }

    fn ldp_pre(&mut self, i: LdpPre) {
        let size = reg_size(i.sf);
        let mode = Mode::Pre(imm7(i.imm7, size));
        self.load_pair(MemSize::from_log2(size), LoadExt::Zero, mode, i.rn, i.rt, i.rt2);
    }

    fn ldpsw_pre(&mut self, i: LdpswPre) {
        let mode = Mode::Pre(imm7(i.imm7, 2));
        self.load_pair(MemSize::W, LoadExt::SignX, mode, i.rn, i.rt, i.rt2);
    }

    fn stp_pre_v(&mut self, i: StpPreV) {
        let size = i.opc + 2;
        let mode = Mode::Pre(imm7(i.imm7, size));
        self.store_pair_v(MemSize::from_log2(size), mode, i.rn, i.rt, i.rt2);
    }

    fn ldp_pre_v(&mut self, i: LdpPreV) {
        let size = i.opc + 2;
        let mode = Mode::Pre(imm7(i.imm7, size));
        self.load_pair_v(MemSize::from_log2(size), mode, i.rn, i.rt, i.rt2);
    }
}
