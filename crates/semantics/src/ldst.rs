//! Loads and stores of one register (Arm ARM C4.1.97): `ldst.isa`.
//!
//! With writeback to the register that is loaded or stored (CONSTRAINED UNPREDICTABLE),
//! a store stores the old value and after a load the written-back address stays, as
//! QEMU and common cores do.

use crate::Ops;
use crate::ops::{LoadExt, MemSize, Width};
use crate::translate::Translate;
use a64_isa::imm::{sext, word_offset};
use a64_isa::ldst::*;
use a64_isa::text::v_size;

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

impl Mode {
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
struct Index {
    rm: u8,
    option: u8,
    scaled: bool,
}

fn imm9(imm9: u16) -> i64 {
    sext(u64::from(imm9), 9)
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

    fn load_reg(&mut self, size: MemSize, ext: LoadExt, mode: Mode, rn: u8, rt: u8) {
        let base = self.0.x_or_sp(rn);
        let value = self.0.load(size, ext, base, mode.offset());
        self.0.set_x(rt, value);
        self.write_back(mode, rn, base);
    }

    fn store_reg(&mut self, size: MemSize, mode: Mode, rn: u8, rt: u8) {
        let base = self.0.x_or_sp(rn);
        let value = self.0.x(rt);
        self.0.store(size, base, mode.offset(), value);
        self.write_back(mode, rn, base);
    }

    fn load_vec(&mut self, size: MemSize, mode: Mode, rn: u8, rt: u8) {
        let base = self.0.x_or_sp(rn);
        let value = self.0.load_v(size, base, mode.offset());
        self.0.set_v(rt, value);
        self.write_back(mode, rn, base);
    }

    fn store_vec(&mut self, size: MemSize, mode: Mode, rn: u8, rt: u8) {
        let base = self.0.x_or_sp(rn);
        let value = self.0.v(rt);
        self.0.store_v(size, base, mode.offset(), value);
        self.write_back(mode, rn, base);
    }

    /// Base plus extended and scaled index.
    fn indexed(&mut self, rn: u8, index: Index, size: MemSize) -> O::Value {
        let base = self.0.x_or_sp(rn);
        let amount = if index.scaled { size as u8 } else { 0 };
        let offset = self.extended_reg(Width::X, index.rm, index.option, amount);
        self.0.add(Width::X, base, offset)
    }

    fn load_indexed(&mut self, size: MemSize, ext: LoadExt, index: Index, rn: u8, rt: u8) {
        let address = self.indexed(rn, index, size);
        let value = self.0.load(size, ext, address, 0);
        self.0.set_x(rt, value);
    }

    fn literal(&mut self, imm19: u32) -> O::Value {
        let address = self.0.pc().wrapping_add_signed(word_offset(imm19, 19));
        self.0.imm(address)
    }
}

impl<O: Ops> a64_isa::Ldst for Translate<'_, O> {
    fn ldr_lit(&mut self, i: LdrLit) {
        let address = self.literal(i.imm19);
        let size = if i.sf { MemSize::X } else { MemSize::W };
        let value = self.0.load(size, LoadExt::Zero, address, 0);
        self.0.set_x(i.rt, value);
    }

    fn ldrsw_lit(&mut self, i: LdrswLit) {
        let address = self.literal(i.imm19);
        let value = self.0.load(MemSize::W, LoadExt::SignX, address, 0);
        self.0.set_x(i.rt, value);
    }

    fn prfm_lit(&mut self, _: PrfmLit) {}

    fn ldr_lit_v(&mut self, i: LdrLitV) {
        let address = self.literal(i.imm19);
        let value = self.0.load_v(MemSize::from_log2(i.opc + 2), address, 0);
        self.0.set_v(i.rt, value);
    }

    fn str_uimm(&mut self, i: StrUimm) {
        let mode = Mode::Offset(i64::from(i.imm12) << i.size);
        self.store_reg(MemSize::from_log2(i.size), mode, i.rn, i.rt);
    }

    fn ldr_uimm(&mut self, i: LdrUimm) {
        let mode = Mode::Offset(i64::from(i.imm12) << i.size);
        self.load_reg(MemSize::from_log2(i.size), LoadExt::Zero, mode, i.rn, i.rt);
    }

    fn ldrs_uimm(&mut self, i: LdrsUimm) {
        let mode = Mode::Offset(i64::from(i.imm12) << i.size);
        self.load_reg(MemSize::from_log2(i.size), LoadExt::SignX, mode, i.rn, i.rt);
    }

    fn ldrs_w_uimm(&mut self, i: LdrsWUimm) {
        let size = u8::from(i.size);
        let mode = Mode::Offset(i64::from(i.imm12) << size);
        self.load_reg(MemSize::from_log2(size), LoadExt::SignW, mode, i.rn, i.rt);
    }

    fn prfm_uimm(&mut self, _: PrfmUimm) {}

    fn str_uimm_v(&mut self, i: StrUimmV) {
        let size = v_size(i.opc1, i.size);
        let mode = Mode::Offset(i64::from(i.imm12) << size);
        self.store_vec(MemSize::from_log2(size), mode, i.rn, i.rt);
    }

    fn ldr_uimm_v(&mut self, i: LdrUimmV) {
        let size = v_size(i.opc1, i.size);
        let mode = Mode::Offset(i64::from(i.imm12) << size);
        self.load_vec(MemSize::from_log2(size), mode, i.rn, i.rt);
    }

    fn str_post(&mut self, i: StrPost) {
        self.store_reg(MemSize::from_log2(i.size), Mode::Post(imm9(i.imm9)), i.rn, i.rt);
    }

    fn ldr_post(&mut self, i: LdrPost) {
        self.load_reg(
            MemSize::from_log2(i.size),
            LoadExt::Zero,
            Mode::Post(imm9(i.imm9)),
            i.rn,
            i.rt,
        );
    }

    fn ldrs_post(&mut self, i: LdrsPost) {
        self.load_reg(
            MemSize::from_log2(i.size),
            LoadExt::SignX,
            Mode::Post(imm9(i.imm9)),
            i.rn,
            i.rt,
        );
    }

    fn ldrs_w_post(&mut self, i: LdrsWPost) {
        let size = MemSize::from_log2(u8::from(i.size));
        self.load_reg(size, LoadExt::SignW, Mode::Post(imm9(i.imm9)), i.rn, i.rt);
    }

    fn str_post_v(&mut self, i: StrPostV) {
        let size = MemSize::from_log2(v_size(i.opc1, i.size));
        self.store_vec(size, Mode::Post(imm9(i.imm9)), i.rn, i.rt);
    }

    fn ldr_post_v(&mut self, i: LdrPostV) {
        let size = MemSize::from_log2(v_size(i.opc1, i.size));
        self.load_vec(size, Mode::Post(imm9(i.imm9)), i.rn, i.rt);
    }

    fn str_pre(&mut self, i: StrPre) {
        self.store_reg(MemSize::from_log2(i.size), Mode::Pre(imm9(i.imm9)), i.rn, i.rt);
    }

    fn ldr_pre(&mut self, i: LdrPre) {
        self.load_reg(
            MemSize::from_log2(i.size),
            LoadExt::Zero,
            Mode::Pre(imm9(i.imm9)),
            i.rn,
            i.rt,
        );
    }

    fn ldrs_pre(&mut self, i: LdrsPre) {
        self.load_reg(
            MemSize::from_log2(i.size),
            LoadExt::SignX,
            Mode::Pre(imm9(i.imm9)),
            i.rn,
            i.rt,
        );
    }

    fn ldrs_w_pre(&mut self, i: LdrsWPre) {
        let size = MemSize::from_log2(u8::from(i.size));
        self.load_reg(size, LoadExt::SignW, Mode::Pre(imm9(i.imm9)), i.rn, i.rt);
    }

    fn str_pre_v(&mut self, i: StrPreV) {
        let size = MemSize::from_log2(v_size(i.opc1, i.size));
        self.store_vec(size, Mode::Pre(imm9(i.imm9)), i.rn, i.rt);
    }

    fn ldr_pre_v(&mut self, i: LdrPreV) {
        let size = MemSize::from_log2(v_size(i.opc1, i.size));
        self.load_vec(size, Mode::Pre(imm9(i.imm9)), i.rn, i.rt);
    }

    fn stur(&mut self, i: Stur) {
        self.store_reg(MemSize::from_log2(i.size), Mode::Offset(imm9(i.imm9)), i.rn, i.rt);
    }

    fn ldur(&mut self, i: Ldur) {
        self.load_reg(
            MemSize::from_log2(i.size),
            LoadExt::Zero,
            Mode::Offset(imm9(i.imm9)),
            i.rn,
            i.rt,
        );
    }

    fn ldurs(&mut self, i: Ldurs) {
        self.load_reg(
            MemSize::from_log2(i.size),
            LoadExt::SignX,
            Mode::Offset(imm9(i.imm9)),
            i.rn,
            i.rt,
        );
    }

    fn ldurs_w(&mut self, i: LdursW) {
        let size = MemSize::from_log2(u8::from(i.size));
        self.load_reg(size, LoadExt::SignW, Mode::Offset(imm9(i.imm9)), i.rn, i.rt);
    }

    fn stur_v(&mut self, i: SturV) {
        let size = MemSize::from_log2(v_size(i.opc1, i.size));
        self.store_vec(size, Mode::Offset(imm9(i.imm9)), i.rn, i.rt);
    }

    fn ldur_v(&mut self, i: LdurV) {
        let size = MemSize::from_log2(v_size(i.opc1, i.size));
        self.load_vec(size, Mode::Offset(imm9(i.imm9)), i.rn, i.rt);
    }

    fn sttr(&mut self, i: Sttr) {
        self.store_reg(MemSize::from_log2(i.size), Mode::Offset(imm9(i.imm9)), i.rn, i.rt);
    }

    fn ldtr(&mut self, i: Ldtr) {
        self.load_reg(
            MemSize::from_log2(i.size),
            LoadExt::Zero,
            Mode::Offset(imm9(i.imm9)),
            i.rn,
            i.rt,
        );
    }

    fn ldtrs(&mut self, i: Ldtrs) {
        self.load_reg(
            MemSize::from_log2(i.size),
            LoadExt::SignX,
            Mode::Offset(imm9(i.imm9)),
            i.rn,
            i.rt,
        );
    }

    fn ldtrs_w(&mut self, i: LdtrsW) {
        let size = MemSize::from_log2(u8::from(i.size));
        self.load_reg(size, LoadExt::SignW, Mode::Offset(imm9(i.imm9)), i.rn, i.rt);
    }

    fn prfum(&mut self, _: Prfum) {}

    fn str_reg(&mut self, i: StrReg) {
        let size = MemSize::from_log2(i.size);
        let index = Index {
            rm: i.rm,
            option: i.option,
            scaled: i.s,
        };
        let address = self.indexed(i.rn, index, size);
        let value = self.0.x(i.rt);
        self.0.store(size, address, 0, value);
    }

    fn ldr_reg(&mut self, i: LdrReg) {
        let index = Index {
            rm: i.rm,
            option: i.option,
            scaled: i.s,
        };
        self.load_indexed(MemSize::from_log2(i.size), LoadExt::Zero, index, i.rn, i.rt);
    }

    fn ldrs_reg(&mut self, i: LdrsReg) {
        let index = Index {
            rm: i.rm,
            option: i.option,
            scaled: i.s,
        };
        self.load_indexed(MemSize::from_log2(i.size), LoadExt::SignX, index, i.rn, i.rt);
    }

    fn ldrs_w_reg(&mut self, i: LdrsWReg) {
        let index = Index {
            rm: i.rm,
            option: i.option,
            scaled: i.s,
        };
        self.load_indexed(
            MemSize::from_log2(u8::from(i.size)),
            LoadExt::SignW,
            index,
            i.rn,
            i.rt,
        );
    }

    fn prfm_reg(&mut self, _: PrfmReg) {}

    fn str_reg_v(&mut self, i: StrRegV) {
        let size = MemSize::from_log2(v_size(i.opc1, i.size));
        let index = Index {
            rm: i.rm,
            option: i.option,
            scaled: i.s,
        };
        let address = self.indexed(i.rn, index, size);
        let value = self.0.v(i.rt);
        self.0.store_v(size, address, 0, value);
    }

    fn ldr_reg_v(&mut self, i: LdrRegV) {
        let size = MemSize::from_log2(v_size(i.opc1, i.size));
        let index = Index {
            rm: i.rm,
            option: i.option,
            scaled: i.s,
        };
        let address = self.indexed(i.rn, index, size);
        let value = self.0.load_v(size, address, 0);
        self.0.set_v(i.rt, value);
    }
}
