//! Loads and stores of one register (Arm ARM C4.1.97): `ldst.isa`.
//!
//! With writeback to the register that is loaded or stored (CONSTRAINED UNPREDICTABLE),
//! a store stores the old value and after a load the written-back address stays, as
//! QEMU and common cores do.

use crate::Ops;
use crate::dp_reg::Extended;
use crate::ops::{LoadExt, MemSize, Width};
use crate::translate::Translate;
use a64_isa::imm::{sext, word_offset};
use a64_isa::ldst::*;

/// Where an access goes, and what becomes of the base register.
#[derive(Clone, Copy)]
pub(crate) enum Mode {
    /// At base plus offset.
    Offset(i64),
    /// At the base, which is then moved on.
    Post(i64),
    /// At base plus offset, where the base is moved to.
    Pre(i64),
}

/// The signed offset of the unscaled and the indexed forms.
fn simm9(imm9: u16) -> i64 {
    sext(u64::from(imm9), 9)
}

impl Mode {
    /// An offset in units of the access size.
    pub(crate) fn scaled(imm12: u16, log2_size: u8) -> Self {
        Mode::Offset(i64::from(imm12) << log2_size)
    }

    pub(crate) fn unscaled(imm9: u16) -> Self {
        Mode::Offset(simm9(imm9))
    }

    pub(crate) fn post(imm9: u16) -> Self {
        Mode::Post(simm9(imm9))
    }

    pub(crate) fn pre(imm9: u16) -> Self {
        Mode::Pre(simm9(imm9))
    }

    /// Offset of the access from the old base.
    pub(crate) fn offset(self) -> i64 {
        match self {
            Mode::Offset(offset) | Mode::Pre(offset) => offset,
            Mode::Post(_) => 0,
        }
    }
}

/// The index of the register-offset form.
#[derive(Clone, Copy)]
pub(crate) struct Index {
    rm: u8,
    option: u8,
    scaled: bool,
}

impl Index {
    pub(crate) const fn new(rm: u8, option: u8, scaled: bool) -> Self {
        Index { rm, option, scaled }
    }
}

impl<O: Ops> Translate<'_, O> {
    /// The base register after an access at `base`.
    pub(crate) fn write_back(&mut self, mode: Mode, rn: u8, base: O::Value) {
        match mode {
            Mode::Offset(_) => {}
            Mode::Post(offset) | Mode::Pre(offset) => {
                let moved = self.0.add_imm(base, offset);
                self.0.set_x_or_sp(rn, moved);
            }
        }
    }

    pub(crate) fn load_reg(&mut self, size: MemSize, ext: LoadExt, mode: Mode, rn: u8, rt: u8) {
        let base = self.0.x_or_sp(rn);
        let value = self.0.load(size, ext, base, mode.offset());
        self.0.set_x(rt, value);
        self.write_back(mode, rn, base);
    }

    pub(crate) fn store_reg(&mut self, size: MemSize, mode: Mode, rn: u8, rt: u8) {
        let base = self.0.x_or_sp(rn);
        let value = self.0.x(rt);
        self.0.store(size, base, mode.offset(), value);
        self.write_back(mode, rn, base);
    }

    pub(crate) fn load_vec(&mut self, size: MemSize, mode: Mode, rn: u8, rt: u8) {
        let base = self.0.x_or_sp(rn);
        let value = self.0.load_v(size, base, mode.offset());
        self.0.set_v(rt, value);
        self.write_back(mode, rn, base);
    }

    pub(crate) fn store_vec(&mut self, size: MemSize, mode: Mode, rn: u8, rt: u8) {
        let base = self.0.x_or_sp(rn);
        let value = self.0.v(rt);
        self.0.store_v(size, base, mode.offset(), value);
        self.write_back(mode, rn, base);
    }

    /// Base plus extended and scaled index.
    fn indexed(&mut self, rn: u8, index: Index, size: MemSize) -> O::Value {
        let base = self.0.x_or_sp(rn);
        let amount = if index.scaled { size as u8 } else { 0 };
        let offset = self.extended_reg(Width::X, Extended::new(index.rm, index.option, amount));
        self.0.add(Width::X, base, offset)
    }

    pub(crate) fn load_indexed(&mut self, size: MemSize, ext: LoadExt, index: Index, rn: u8, rt: u8) {
        let address = self.indexed(rn, index, size);
        let value = self.0.load(size, ext, address, 0);
        self.0.set_x(rt, value);
    }

    pub(crate) fn store_indexed(&mut self, size: MemSize, index: Index, rn: u8, rt: u8) {
        let address = self.indexed(rn, index, size);
        let value = self.0.x(rt);
        self.0.store(size, address, 0, value);
    }

    pub(crate) fn load_indexed_v(&mut self, size: MemSize, index: Index, rn: u8, rt: u8) {
        let address = self.indexed(rn, index, size);
        let value = self.0.load_v(size, address, 0);
        self.0.set_v(rt, value);
    }

    pub(crate) fn store_indexed_v(&mut self, size: MemSize, index: Index, rn: u8, rt: u8) {
        let address = self.indexed(rn, index, size);
        let value = self.0.v(rt);
        self.0.store_v(size, address, 0, value);
    }

    pub(crate) fn load_literal(&mut self, size: MemSize, ext: LoadExt, imm19: u32, rt: u8) {
        let address = self.literal(imm19);
        let value = self.0.load(size, ext, address, 0);
        self.0.set_x(rt, value);
    }

    fn literal(&mut self, imm19: u32) -> O::Value {
        let address = self.0.pc().wrapping_add_signed(word_offset(imm19, 19));
        self.0.address(address)
    }
}

impl<O: Ops> a64_isa::Ldst for Translate<'_, O> {
    fn ldr_lit_v(&mut self, i: LdrLitV) {
        let address = self.literal(i.imm19);
        let value = self.0.load_v(MemSize::from_log2(i.opc + 2), address, 0);
        self.0.set_v(i.rt, value);
    }
}
