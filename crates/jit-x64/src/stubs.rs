//! Code shared by all blocks: entering and leaving generated code.

use crate::area::{LOOKUP_MASK, LOOKUP_OFFSET, POLL_OFFSET};
use crate::asm::int::Alu;
use crate::asm::mem::{CMP_64, LEA_64, Legacy, MOV_R32, Mem, VMOVUPS_LOAD, VMOVUPS_STORE};
use crate::asm::{Asm, Cc, Gpr, Xmm};
use crate::target::{Bank, Homes, slot_v, slot_x};
use crate::{host_offset, runtime_offset};
use guest::{CpuState, STATE_BIAS};
use semantics::ops::Width;
use std::mem::offset_of;

/// Why generated code returned to its caller: low half of the result of [`Stubs::enter`].
/// The high half is the argument.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u32)]
pub enum ExitCode {
    /// A direct branch that is not linked; the argument is the number of its site.
    Link = 1,
    /// Go on at `CpuState::pc`.
    Lookup = 2,
    /// SVC; the argument is its immediate.
    Svc = 3,
    /// The interpreter is to execute the instruction at `CpuState::pc`.
    Interpret = 4,
    /// A host signal handler stopped the CPU and recorded why.
    Stopped = 5,
    /// The interpreter, called from a block, caused an exit and recorded it.
    Interpreted = 6,
}

impl ExitCode {
    /// # Panics
    /// On a number no stub returns.
    #[must_use]
    pub fn from_number(number: u32) -> Self {
        match number {
            1 => ExitCode::Link,
            2 => ExitCode::Lookup,
            3 => ExitCode::Svc,
            4 => ExitCode::Interpret,
            5 => ExitCode::Stopped,
            6 => ExitCode::Interpreted,
            other => unreachable!("exit code {other}"),
        }
    }
}

/// The guest address in entries of an empty return stack. No instruction has it.
pub const NO_PC: u64 = 1;

/// Shared code that blocks branch to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Stub {
    /// Leaves with the exit code in RAX and an argument in RDX.
    Exit,
    /// Leaves with [`ExitCode::Link`]; RDX is the site's number.
    Link,
    /// Leaves with [`ExitCode::Lookup`].
    Lookup,
    /// A return that the top of the return stack did not predict; pc is in the state.
    ReturnMiss,
    /// Calls the interpreter for the word in [`Stub::WORD`]; pc is in the state.
    Interpret,
}

impl Stub {
    /// Where [`Stub::Interpret`] takes the word: the second argument of [`crate::area::Interpret`].
    pub const WORD: Gpr = Gpr::RSI;

    pub const ALL: [Stub; 5] = [
        Stub::Exit,
        Stub::Link,
        Stub::Lookup,
        Stub::ReturnMiss,
        Stub::Interpret,
    ];
}

/// Where the shared code is: host addresses, or offsets in its own code.
#[derive(Clone, Copy, Debug, Default)]
pub struct Stubs {
    /// `extern "C" fn(state_register: u64, host_pc: u64) -> u64`
    pub enter: u64,
    /// Where a return to [`NO_PC`] goes when the return stack is empty.
    pub no_return: u64,
    /// By [`Stub`].
    pub of_blocks: [u64; Stub::ALL.len()],
}

const CALLEE_SAVED: [Gpr; 6] = [Gpr::RBX, Gpr::RBP, Gpr::R12, Gpr::R13, Gpr::R14, Gpr::R15];
const MXCSR: i32 = host_offset!(mxcsr);
const PC: i32 = offset_of!(CpuState, pc) as i32;

/// LDMXCSR and STMXCSR are 0F AE /2 and /3.
const MXCSR_FORM: Legacy = Legacy {
    prefix: 0,
    w: false,
    map: 1,
    op: 0xae,
    byte_reg: false,
};

fn load_mxcsr(asm: &mut Asm, offset: i32) {
    asm.op_mem(MXCSR_FORM, Gpr(2), Mem::state(offset));
}

fn store_mxcsr(asm: &mut Asm, offset: i32) {
    asm.op_mem(MXCSR_FORM, Gpr(3), Mem::state(offset));
}

fn load_pinned(asm: &mut Asm, homes: &Homes) {
    for &(n, host) in homes.all(Bank::X) {
        asm.load_state(Gpr(host), slot_x(n));
    }
    for &(n, host) in homes.all(Bank::V) {
        asm.vex_mem(VMOVUPS_LOAD, Xmm(host), None, Mem::state(slot_v(n)));
    }
}

fn store_pinned(asm: &mut Asm, homes: &Homes) {
    for &(n, host) in homes.all(Bank::X) {
        asm.store_state(slot_x(n), Gpr(host));
    }
    for &(n, host) in homes.all(Bank::V) {
        asm.vex_mem(VMOVUPS_STORE, Xmm(host), None, Mem::state(slot_v(n)));
    }
}

impl Stubs {
    #[must_use]
    pub const fn address(&self, stub: Stub) -> u64 {
        self.of_blocks[stub as usize]
    }

    /// Emits the shared code, for blocks with these homes at their boundaries; gives offsets.
    pub fn emit(asm: &mut Asm, homes: &Homes) -> Stubs {
        let enter = emit_enter(asm, homes);
        let exits = emit_exits(asm, homes);
        let interpret = emit_interpret(asm, homes, exits.restore);
        let return_miss = emit_return_miss(asm, exits.lookup);
        let no_return = emit_no_return(asm, exits.lookup);
        Stubs {
            enter: u64::from(enter),
            no_return: u64::from(no_return),
            of_blocks: Stub::ALL.map(|stub| {
                u64::from(match stub {
                    Stub::Exit => exits.exit,
                    Stub::Link => exits.link,
                    Stub::Lookup => exits.lookup,
                    Stub::ReturnMiss => return_miss,
                    Stub::Interpret => interpret,
                })
            }),
        }
    }

    /// The host addresses, if these are offsets of code at `base`.
    #[must_use]
    pub fn at(self, base: u64) -> Stubs {
        Stubs {
            enter: base + self.enter,
            no_return: base + self.no_return,
            of_blocks: self.of_blocks.map(|offset| base + offset),
        }
    }
}

/// Offsets of the ways out.
struct Exits {
    exit: u32,
    link: u32,
    lookup: u32,
    /// The part behind storing the registers.
    restore: u32,
}

fn emit_enter(asm: &mut Asm, homes: &Homes) -> u32 {
    let enter = asm.pos();
    for reg in CALLEE_SAVED {
        asm.push_reg(reg);
    }
    // Keeps the host stack 16-byte aligned for calls from generated code.
    asm.op_mem(LEA_64, Gpr::RSP, Mem::base(Gpr::RSP, -8));
    asm.mov(Width::X, Gpr::R15, Gpr::RDI);
    asm.mov(Width::X, Gpr::RAX, Gpr::RSI);
    asm.store_state(runtime_offset!(host_rsp), Gpr::RSP);
    asm.load_state(Gpr::RSP, runtime_offset!(return_rsp));
    load_pinned(asm, homes);
    load_mxcsr(asm, MXCSR);
    // jmp rax
    asm.bytes(&[0xff, 0xe0]);
    enter
}

fn emit_exits(asm: &mut Asm, homes: &Homes) -> Exits {
    let link = asm.pos();
    asm.mov_imm(Gpr::RAX, ExitCode::Link as u64);
    let to_exit = asm.jmp();
    let lookup = asm.pos();
    asm.mov_imm(Gpr::RAX, ExitCode::Lookup as u64);
    asm.fix_here(to_exit);
    let exit = asm.pos();
    store_pinned(asm, homes);
    store_mxcsr(asm, MXCSR);
    asm.store_state(runtime_offset!(return_rsp), Gpr::RSP);
    let restore = asm.pos();
    load_mxcsr(asm, runtime_offset!(host_mxcsr));
    asm.load_state(Gpr::RSP, runtime_offset!(host_rsp));
    asm.op_mem(LEA_64, Gpr::RSP, Mem::base(Gpr::RSP, 8));
    // rax |= rdx << 32
    asm.bytes(&[0x48, 0xc1, 0xe2, 0x20]);
    asm.alu(Alu::Or, Width::X, Gpr::RAX, Gpr::RDX);
    for reg in CALLEE_SAVED.into_iter().rev() {
        // pop
        if reg.0 >= 8 {
            asm.bytes(&[0x41]);
        }
        asm.bytes(&[0x58 | reg.0 & 7]);
    }
    asm.ret();
    Exits {
        exit,
        link,
        lookup,
        restore,
    }
}

fn emit_interpret(asm: &mut Asm, homes: &Homes, restore: u32) -> u32 {
    let interpret = asm.pos();
    store_pinned(asm, homes);
    store_mxcsr(asm, MXCSR);
    asm.store_state(runtime_offset!(return_rsp), Gpr::RSP);
    asm.load_state(Gpr::RSP, runtime_offset!(host_rsp));
    asm.op_mem(LEA_64, Gpr::RDI, Mem::base(Gpr::R15, -STATE_BIAS));
    // call [state + interpret]
    let call = Legacy {
        prefix: 0,
        w: false,
        map: 0,
        op: 0xff,
        byte_reg: false,
    };
    asm.op_mem(call, Gpr(2), Mem::state(runtime_offset!(interpret)));
    asm.load_state(Gpr::RSP, runtime_offset!(return_rsp));
    asm.alu(Alu::Test, Width::W, Gpr::RAX, Gpr::RAX);
    let stop = asm.jcc(Cc::Ne);
    load_pinned(asm, homes);
    load_mxcsr(asm, MXCSR);
    asm.ret();
    asm.fix_here(stop);
    // The block is not returned to: drop its address from the return stack.
    asm.op_mem(LEA_64, Gpr::RSP, Mem::base(Gpr::RSP, 8));
    asm.store_state(runtime_offset!(return_rsp), Gpr::RSP);
    asm.mov_imm(Gpr::RAX, ExitCode::Interpreted as u64);
    asm.zero(Gpr::RDX);
    let leave = asm.jmp();
    asm.fix_to(leave, restore);
    interpret
}

/// A guest may return to the address that stands for none: it faults as anywhere else.
fn emit_no_return(asm: &mut Asm, lookup: u32) -> u32 {
    let no_return = asm.pos();
    asm.store_state_imm(PC, NO_PC as i32);
    asm.load_state(Gpr::RSP, runtime_offset!(return_base));
    let leave = asm.jmp();
    asm.fix_to(leave, lookup);
    no_return
}

/// Frames skipped by a return (longjmp, exceptions): looks a few entries further down.
fn emit_return_miss(asm: &mut Asm, lookup: u32) -> u32 {
    const DEPTH: i32 = 4;
    let miss = asm.pos();
    asm.load_state(Gpr::RAX, PC);
    for entry in 1..=DEPTH {
        asm.op_mem(CMP_64, Gpr::RAX, Mem::base(Gpr::RSP, 8 + 16 * entry));
        let next = asm.jcc(Cc::Ne);
        asm.op_mem(LEA_64, Gpr::RSP, Mem::base(Gpr::RSP, 16 * entry));
        asm.ret();
        asm.fix_here(next);
    }
    // Not there: what an indirect branch does.
    asm.mov(Width::W, Gpr::RCX, Gpr::RAX);
    asm.alu_imm(Alu::And, Width::W, Gpr::RCX, LOOKUP_MASK as i32);
    let entry = Mem {
        base: Gpr::R15,
        index: Some((Gpr::RCX, 2)),
        disp: LOOKUP_OFFSET as i32 - STATE_BIAS,
    };
    asm.op_mem(CMP_64, Gpr::RAX, entry);
    let unknown = asm.jcc(Cc::Ne);
    // A loop may close here: the poll. The state is complete, and pc is in it.
    asm.op_mem(MOV_R32, Gpr::RDX, Mem::state(POLL_OFFSET as i32));
    let jump = Legacy {
        prefix: 0,
        w: false,
        map: 0,
        op: 0xff,
        byte_reg: false,
    };
    asm.op_mem(
        jump,
        Gpr(4),
        Mem {
            disp: entry.disp + 8,
            ..entry
        },
    );
    asm.fix_here(unknown);
    let leave = asm.jmp();
    asm.fix_to(leave, lookup);
    miss
}
