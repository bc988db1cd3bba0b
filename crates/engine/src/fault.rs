//! Host signals caused by guest code.
//!
//! # Safety
//! Everything here runs inside signal handlers: no locks, no allocation. A handler
//! that finds generated code stopped may touch that CPU's area, because the CPU's
//! thread is the one handling the signal.

use crate::cpu::Pending;
use crate::engines;
use crate::flags::host_flags_of;
use guest::{Access, Exit, FaultKind, GuestAddr, MemFault, PAGE_SIZE, STATE_BIAS};
use guest_memory::access;
use interp::Stop;
use jit_x64::area::{CpuArea, POLL_OFFSET};
use jit_x64::lower::FlagState;
use jit_x64::stubs::{ExitCode, Stub};

/// What [`on_host_signal`] made of a host signal.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum HostSignal {
    /// Repaired or turned into an exit; return from the handler.
    Handled,
    /// Not caused by guest code or a guest access: an asynchronous signal or a bug.
    NotOurs,
}

/// si_code of faults the CPU raised without an address (Linux SI_KERNEL): here a
/// non-canonical address, which a tagged pointer makes.
const SI_KERNEL: i32 = 0x80;
const SEGV_ACCERR: i32 = 2;
/// Bit 1 of the page fault error code: the access was a write.
const ERROR_WRITE: i64 = 2;

/// The machine context of the interrupted code.
struct Context<'a> {
    machine: &'a mut libc::ucontext_t,
}

impl Context<'_> {
    fn get(&self, reg: i32) -> u64 {
        self.machine.uc_mcontext.gregs[reg as usize] as u64
    }
    fn set(&mut self, reg: i32, value: u64) {
        self.machine.uc_mcontext.gregs[reg as usize] = value as i64;
    }
    fn is_write(&self) -> bool {
        self.machine.uc_mcontext.gregs[libc::REG_ERR as usize] & ERROR_WRITE != 0
    }
    /// Clears the sticky flags of exceptions that trap: the interpreter decides which of them
    /// the guest sees.
    fn clear_unmasked(&mut self) {
        let fpregs = self.machine.uc_mcontext.fpregs;
        if !fpregs.is_null() {
            // SAFETY: the kernel points it at the frame's floating-point state.
            let mxcsr = unsafe { &mut (*fpregs).mxcsr };
            let unmasked = !(*mxcsr >> 7) & 0x3f;
            *mxcsr &= !unmasked;
        }
    }
}

/// To be called first in the host's SIGSEGV, SIGBUS and SIGFPE handlers (SA_SIGINFO |
/// SA_ONSTACK | SA_NODEFER). Async-signal-safe.
///
/// # Safety
/// `info` and `context` must be those the kernel passed to the handler.
#[must_use]
pub unsafe fn on_host_signal(
    signal: i32,
    info: *mut libc::siginfo_t,
    context: *mut libc::c_void,
) -> HostSignal {
    // SAFETY: the kernel's handler arguments are valid for the handler's duration (caller's promise).
    let (code, fault_addr, machine) =
        unsafe { ((*info).si_code, (*info).si_addr() as u64, &mut *context.cast()) };
    if code <= 0 {
        return HostSignal::NotOurs;
    }
    let mut context = Context { machine };
    let kind = match (signal, code) {
        (libc::SIGBUS, _) => FaultKind::Bus,
        (_, SEGV_ACCERR) => FaultKind::Permission,
        _ => FaultKind::Unmapped,
    };
    let host_pc = context.get(libc::REG_RIP);
    if let Some(resume) = access::fixup(host_pc, kind) {
        context.set(libc::REG_RIP, resume);
        return HostSignal::Handled;
    }
    let Some(engine) = engines::running(host_pc) else {
        return HostSignal::NotOurs;
    };
    let Some(cache) = &engine.cache else {
        return HostSignal::NotOurs;
    };
    // In generated code R15 points into the CPU's area.
    let area = (context.get(libc::REG_R15) - STATE_BIAS as u64) as *mut CpuArea;
    // SAFETY: the host PC is in generated code, and that code belongs to the CPU of this thread.
    let area = unsafe { &mut *area };
    let page = |start: u64| start..start + PAGE_SIZE;
    if page(area.runtime.return_guard).contains(&fault_addr) {
        // The return stack is full: start over. Its entries were hints.
        context.set(libc::REG_RSP, area.runtime.return_base);
        return HostSignal::Handled;
    }
    let poll_page = page(&raw const *area as u64 + POLL_OFFSET as u64);
    let place = match cache.locate(host_pc) {
        Some(place) => place,
        // The shared code polls with everything in the state.
        None if poll_page.contains(&fault_addr) => (area.state.pc, FlagState::Slot),
        None => return HostSignal::NotOurs,
    };
    let (pc, flags) = place;
    let pending = if signal == libc::SIGFPE {
        context.clear_unmasked();
        Pending::Interpret
    } else if poll_page.contains(&fault_addr) {
        Pending::Poll
    } else if code == SI_KERNEL {
        Pending::Interpret
    } else {
        let access = if context.is_write() {
            Access::Write
        } else {
            Access::Read
        };
        Pending::Stop(Stop::Exit(Exit::Fault(MemFault {
            addr: GuestAddr(fault_addr),
            access,
            kind,
        })))
    };
    area.state.pc = pc;
    if let Some(flags) = host_flags_of(context.get(libc::REG_EFL), flags) {
        area.host.flags = flags;
    }
    // SAFETY: the pointer is to the CPU's `pending`; its thread is stopped here.
    unsafe { (area.runtime.pending as *mut Pending).write(pending) };
    context.set(libc::REG_RAX, ExitCode::Stopped as u64);
    context.set(libc::REG_RDX, 0);
    context.set(libc::REG_RIP, engine.stubs.address(Stub::Exit));
    HostSignal::Handled
}
