//! Leaving the block: branches, guards, polls, calls of the interpreter.

use super::flags::{CondTest, FlagState, emit_save};
use super::{Cold, Lower, Miss};
use crate::area::{LOOKUP_MASK, LookupTable, POLL_OFFSET};
use crate::asm::int::Alu;
use crate::asm::mem::{CMP_64, LEA_64, Legacy, MOV_R32, Mem};
use crate::asm::{Cc, Fixup, Gpr};
use crate::code::{AddressField, Reloc, RelocKind, Site};
use crate::ir::{NONE, Ref};
use crate::stubs::{ExitCode, Stub};
use crate::target::Bank;
use guest::{CpuState, STATE_BIAS};
use semantics::ops::{Indirect, Test, Width};
use std::mem::offset_of;

const PC: i32 = offset_of!(CpuState, pc) as i32;
const BTYPE: i32 = offset_of!(CpuState, btype) as i32;

/// `jmp [m]` and `call [m]` are FF /4 and FF /2.
const INDIRECT: Legacy = Legacy {
    prefix: 0,
    w: false,
    map: 0,
    op: 0xff,
    byte_reg: false,
};

impl Lower<'_> {
    /// At the start of an instruction that may close a loop: loads from the poll page,
    /// which faults when the engine wants this CPU. It must come first, because the
    /// instruction is started again afterwards.
    pub(super) fn poll(&mut self) {
        let t = self.temp();
        self.asm.op_mem(MOV_R32, t, Mem::state(POLL_OFFSET as i32));
    }

    /// Records a direct branch and the code that leaves for the engine until it is linked.
    fn site(&mut self, field: Fixup, target: u64) {
        let number = self.out.sites.len() as u32;
        self.asm.fix_here(field);
        let stub = self.asm.pos();
        self.out.sites.push(Site {
            field: field.0,
            target,
            stub,
        });
        // The immediate is the last thing of the instruction, of the same size for any number below 2^32.
        self.asm.mov_imm(Gpr::RDX, 0);
        self.out.relocs.push(Reloc {
            at: self.asm.pos() - 4,
            kind: RelocKind::Site(number),
        });
        self.jump_to_stub(Stub::Link);
    }

    fn jump_to_stub(&mut self, stub: Stub) {
        let from = self.asm.jmp();
        self.goes_to_stub(from, stub);
    }

    fn call_stub(&mut self, stub: Stub) {
        let from = self.asm.call();
        self.goes_to_stub(from, stub);
    }

    fn goes_to_stub(&mut self, from: Fixup, stub: Stub) {
        self.out.relocs.push(Reloc {
            at: from.0,
            kind: RelocKind::Stub(stub),
        });
    }

    /// Leaves for the interpreter if `cc` holds: it executes the current instruction.
    pub(super) fn guard(&mut self, cc: Cc) {
        let from = self.asm.jcc(cc);
        self.cold.push(Cold::Guard {
            from,
            pc: self.here(),
        });
    }

    fn exit_to(&mut self, from: Fixup, target: u64, save: bool) {
        let save = (save && self.flags != FlagState::Slot).then_some(self.flags);
        self.cold.push(Cold::Exit { from, target, save });
    }

    pub(super) fn side_exit(&mut self, test: Test<Ref>, target: u64) {
        let save = self.analysis.flags_at_target[self.at];
        match test {
            Test::Cond(cond) => match self.condition(cond) {
                CondTest::One(cc) => self.exit_if(cc, target, save),
                CondTest::FpEq => {
                    let unordered = self.asm.jcc(Cc::P);
                    self.exit_if(Cc::E, target, save);
                    self.asm.fix_here(unordered);
                }
                CondTest::FpNe => {
                    self.exit_if(Cc::Ne, target, save);
                    self.exit_if(Cc::P, target, save);
                }
            },
            Test::Zero(w, value) => {
                self.test_zero(w, value);
                self.exit_if(Cc::E, target, save);
            }
            Test::NonZero(w, value) => {
                self.test_zero(w, value);
                self.exit_if(Cc::Ne, target, save);
            }
            Test::BitClear(value, bit) => {
                let cc = self.test_bit(value, bit);
                self.exit_if(cc.invert(), target, save);
            }
            Test::BitSet(value, bit) => {
                let cc = self.test_bit(value, bit);
                self.exit_if(cc, target, save);
            }
        }
    }

    fn exit_if(&mut self, cc: Cc, target: u64, save: bool) {
        let from = self.asm.jcc(cc);
        self.exit_to(from, target, save);
    }

    fn test_zero(&mut self, w: Width, value: Ref) {
        self.clobber_flags();
        match self.in_state(value) {
            Some(offset) if self.dies(value) => self.asm.cmp_state_imm(w, offset, 0),
            _ => {
                let r = self.reg(value);
                self.asm.alu(Alu::Test, w, r, r);
            }
        }
    }

    /// The condition under which the bit is set.
    fn test_bit(&mut self, value: Ref, bit: u8) -> Cc {
        self.clobber_flags();
        let r = self.reg(value);
        match bit {
            63 => {
                self.asm.alu(Alu::Test, Width::X, r, r);
                Cc::S
            }
            31 => {
                self.asm.alu(Alu::Test, Width::W, r, r);
                Cc::S
            }
            0..31 => {
                self.asm.alu_imm(Alu::Test, Width::W, r, 1 << bit);
                Cc::Ne
            }
            _ => {
                self.asm.bt_imm(Width::X, r, bit);
                Cc::B
            }
        }
    }

    /// Saves flags that the code at `target` may read, on the main path.
    fn settle_flags(&mut self) {
        if self.flags != FlagState::Slot {
            if self.analysis.flags_after[self.at] {
                self.save_flags();
            }
            self.set_flag_state(FlagState::Slot);
        }
    }

    pub(super) fn jump(&mut self, target: u64) {
        self.settle_flags();
        let from = self.asm.jmp();
        self.exit_to(from, target, false);
    }

    /// Pushes the guest return address, calls, and jumps on to the code behind the call.
    pub(super) fn call(&mut self, target: u64) {
        self.settle_flags();
        self.push_return_address();
        let from = self.asm.call();
        self.exit_to(from, target, false);
        self.after_call();
    }

    fn push_return_address(&mut self) {
        let back = self.here() + 4;
        match self.short_address(back) {
            Some(imm) => {
                self.asm.bytes(&[0x68]);
                self.asm.bytes(&imm.to_le_bytes());
                self.guest_address(AddressField::Signed, back);
            }
            None => {
                self.take(Gpr::RAX);
                self.mov_address(Gpr::RAX, back);
                self.asm.push_reg(Gpr::RAX);
            }
        }
    }

    /// Where a callee returns to: drops the pushed guest address and goes on.
    fn after_call(&mut self) {
        self.asm.op_mem(LEA_64, Gpr::RSP, Mem::base(Gpr::RSP, 8));
        let from = self.asm.jmp();
        let back = self.ir.pc.wrapping_add_signed(self.here() + 4);
        self.exit_to(from, back, false);
    }

    pub(super) fn jump_to(&mut self, target: Ref, kind: Indirect) {
        self.settle_flags();
        if kind == Indirect::Call {
            // The address is pushed through RAX, so the target must be elsewhere.
            self.take(Gpr::RAX);
        }
        let r = self.reg(target);
        match kind {
            Indirect::Return => {
                self.asm.op_mem(CMP_64, r, Mem::base(Gpr::RSP, 8));
                let from = self.asm.jcc(Cc::Ne);
                self.cold.push(Cold::Miss {
                    from,
                    target: r,
                    kind: Miss::Return,
                });
                self.asm.ret();
            }
            Indirect::Jump | Indirect::JumpStub => {
                let (entry, from) = self.probe(r, kind);
                let btype = kind.btype();
                self.cold.push(Cold::Miss {
                    from,
                    target: r,
                    kind: Miss::Jump { btype },
                });
                self.asm.op_mem(INDIRECT, Gpr(4), entry);
            }
            Indirect::Call => {
                self.push_return_address();
                let (entry, from) = self.probe(r, kind);
                self.asm.op_mem(INDIRECT, Gpr(2), entry);
                let back = self.asm.pos();
                self.cold.push(Cold::Miss {
                    from,
                    target: r,
                    kind: Miss::Call { back },
                });
                self.after_call();
            }
        }
    }

    /// Looks `target` up in this CPU's table for the kind of branch: where the host address
    /// is, and the branch taken when the entry is another's.
    fn probe(&mut self, target: Gpr, kind: Indirect) -> (Mem, Fixup) {
        let t = self.temp();
        self.asm.mov(Width::W, t, target);
        self.asm.alu_imm(Alu::And, Width::W, t, LOOKUP_MASK as i32);
        let table = LookupTable::of(kind).offset() as i32 - STATE_BIAS;
        let guest_pc = Mem {
            base: Gpr::R15,
            index: Some((t, 2)),
            disp: table,
        };
        self.asm.op_mem(CMP_64, target, guest_pc);
        let miss = self.asm.jcc(Cc::Ne);
        (
            Mem {
                disp: table + 8,
                ..guest_pc
            },
            miss,
        )
    }

    /// The interpreter executes the current instruction; all registers are in their homes.
    pub(super) fn interpret(&mut self, word: u32) {
        if self.flags != FlagState::Slot {
            self.save_flags();
            self.set_flag_state(FlagState::Slot);
        }
        for &t in self.target.homes.temps(Bank::X) {
            self.take(Gpr(t));
        }
        for &t in self.target.homes.temps(Bank::V) {
            self.v.empty(t);
        }
        self.x.home = [NONE; 32];
        self.v.home = [NONE; 32];
        self.store_pc(self.here());
        self.asm.mov_imm(Stub::WORD, u64::from(word));
        self.call_stub(Stub::Interpret);
    }

    /// `CpuState::pc` is the address so far from the start of the block, through RAX.
    fn store_pc(&mut self, offset: i64) {
        match self.short_address(offset) {
            Some(imm) => {
                self.asm.store_state_imm(PC, imm);
                self.guest_address(AddressField::Signed, offset);
            }
            None => {
                self.mov_address(Gpr::RAX, offset);
                self.asm.store_state(PC, Gpr::RAX);
            }
        }
    }

    pub(super) fn jump_pc(&mut self) {
        self.jump_to_stub(Stub::Lookup);
    }

    pub(super) fn svc(&mut self, imm: u16) {
        self.settle_flags();
        self.store_pc(self.here() + 4);
        self.asm.mov_imm(Gpr::RDX, u64::from(imm));
        self.leave(ExitCode::Svc);
    }

    fn leave(&mut self, code: ExitCode) {
        self.asm.mov_imm(Gpr::RAX, code as u64);
        self.jump_to_stub(Stub::Exit);
    }

    /// Everything that is not on the main path.
    pub(super) fn cold_code(&mut self) {
        let cold = std::mem::take(self.cold);
        for piece in &cold {
            match *piece {
                Cold::Exit {
                    from,
                    target,
                    save: None,
                } => self.site(from, target),
                Cold::Exit {
                    from,
                    target,
                    save: Some(state),
                } => {
                    self.asm.fix_here(from);
                    emit_save(&mut self.asm, state);
                    let jump = self.asm.jmp();
                    self.site(jump, target);
                }
                Cold::Guard { from, pc } => {
                    self.asm.fix_here(from);
                    self.store_pc(pc);
                    self.leave(ExitCode::Interpret);
                }
                Cold::Miss {
                    from,
                    target,
                    ref kind,
                } => {
                    self.asm.fix_here(from);
                    self.asm.store_state(PC, target);
                    self.miss(kind);
                }
            }
        }
        *self.cold = cold;
        self.cold.clear();
    }

    fn miss(&mut self, kind: &Miss) {
        match *kind {
            Miss::Return => {
                self.jump_to_stub(Stub::ReturnMiss);
            }
            Miss::Jump { btype } => {
                self.asm.store_state_imm(BTYPE, i32::from(btype));
                self.jump_to_stub(Stub::Lookup);
            }
            Miss::Call { back } => {
                let btype = Indirect::Call.btype();
                self.asm.store_state_imm(BTYPE, i32::from(btype));
                self.call_stub(Stub::Lookup);
                let go_back = self.asm.jmp();
                self.asm.fix_to(go_back, back);
            }
        }
    }
}
