//! Delivery at guest boundaries: handlers get their frames, the rest its default action.

use super::action::{
    SA_EXPOSE_TAGBITS, SA_NODEFER, SA_ONSTACK, SA_RESETHAND, SA_RESTORER, SA_SIGINFO, SIG_DFL, SIG_IGN,
    SigAction,
};
use super::frame::{self, Context};
use super::info::{self, SigInfo};
use super::set::{self, DefaultAction, SIGSEGV, bit, default_action};
use super::{altstack, core_file, fatal};
use crate::host;
use crate::kernel::ptrace;
use crate::kernel::state::Fault;
use crate::kernel::stop::{self, Boundary, End};
use crate::kernel::tenant::{self, Death, Outcome};
use crate::task::Task;
use guest::cpu_model::Feature;
use guest::{Access, FaultKind, MemFault};
use guest_memory::access;
use linux_abi::{Errno, SysResult};

/// Delivers what the host handlers recorded, until nothing is left.
pub fn deliver_pending(task: &mut Task) {
    if task.signals.is_ending() {
        task.ended = Some(0);
        return;
    }
    while task.ended.is_none() {
        if task.signals.take_attention() {
            ptrace::attend(task);
            continue;
        }
        let Some(info) = task.signals.take() else {
            return;
        };
        deliver(task, &info);
        if task.ended.is_none() {
            task.signals.open();
        }
    }
}

/// Delivers one signal the kernel chose, whatever the mask says: it was not blocked when
/// the kernel chose it.
pub fn deliver(task: &mut Task, info: &SigInfo) {
    let Some(info) = &ptrace::decide(task, info) else {
        return;
    };
    let signal = info.signal();
    let action = task.process.signals.get(signal);
    match action.handler {
        SIG_IGN => {}
        SIG_DFL => do_default(task, info),
        _ => {
            stop::raise(task, &Boundary::Signal(info));
            ptrace::interrupt_call(task, action.flags);
            if enter_handler(task, info, action).is_err() {
                force(
                    task,
                    &SigInfo::fault(SIGSEGV, info::SI_KERNEL, 0),
                    signal == SIGSEGV,
                );
            } else {
                ptrace::handler_entered(task);
            }
        }
    }
}

fn do_default(task: &mut Task, info: &SigInfo) {
    let signal = info.signal();
    match default_action(signal) {
        DefaultAction::Terminate | DefaultAction::Core => {
            stop::raise(task, &Boundary::Signal(info));
            die(task, info);
        }
        DefaultAction::Ignore | DefaultAction::Continue => {}
        // Recorded for a handler that is gone meanwhile; the host's default is in place.
        DefaultAction::Stop => {
            let pid = task.process.pid() as u64;
            task.trace.group_stopping();
            let _ = host::tgkill(pid, task.tid as u64, signal as u64);
        }
    }
}

/// PSTATE.BTYPE behind BLR.
const BTYPE_CALL: u64 = 0b10;

/// A fault of the guest's own. Blocked or ignored, it kills (the kernel's force_sig).
pub fn force(task: &mut Task, info: &SigInfo, fatal: bool) {
    let Some(info) = &ptrace::decide(task, info) else {
        return;
    };
    let signal = info.signal();
    let action = task.process.signals.get(signal);
    stop::raise(task, &Boundary::Signal(info));
    let blocked = task.signals.mask() & bit(signal) != 0;
    if fatal || blocked || matches!(action.handler, SIG_DFL | SIG_IGN) {
        die(task, info);
        return;
    }
    if enter_handler(task, info, action).is_err() {
        die(task, &SigInfo::fault(SIGSEGV, info::SI_KERNEL, 0));
        return;
    }
    ptrace::handler_entered(task);
    task.signals.open();
}

/// SIGSYS of a seccomp filter (force_sig_seccomp).
pub fn seccomp_trap(task: &mut Task, info: &SigInfo) {
    force(task, info, false);
}

/// The guest dies of a signal: as a tenant it has ended then, otherwise the host process dies with it.
pub fn die(task: &mut Task, info: &SigInfo) {
    let signal = info.signal();
    stop::raise(task, &Boundary::Exit(End::Signal(signal)));
    if task.process.tenancy().is_none() {
        let dumped = default_action(signal) == DefaultAction::Core && core_file::dump(task, info);
        // Between changes of anything, though not by its own will.
        host_memory::lock::leaving(true);
        fatal::die(signal, task.process.options.crash_line, dumped);
    }
    let is_fault = info.code() > 0 && set::SYNC_SET & bit(signal) != 0;
    let death = Death {
        signal,
        code: info.code(),
        addr: if is_fault { info.addr() } else { 0 },
        pc: task.cpu.state().pc,
    };
    tenant::end(task, Outcome::Killed(death));
}

/// Builds the frame and points the CPU at the handler.
fn enter_handler(task: &mut Task, info: &SigInfo, action: SigAction) -> SysResult {
    let signal = info.signal();
    let sp = task.cpu.state().sp();
    let alt = task.state.altstack;
    let top = if action.flags & SA_ONSTACK != 0 && alt.usable_from(sp) {
        alt.sp.wrapping_add(alt.size)
    } else {
        sp
    };
    let context = Context {
        info: *info,
        with_info: action.flags & SA_SIGINFO != 0,
        mask: task.signals.mask(),
        altstack: alt.seen_from(sp),
        fault_address: task.state.fault.address,
        fault_esr: task.state.fault.esr,
    };
    let placed = frame::write(task.cpu.state(), top, &context)?;
    task.state.altstack.disarm();
    let restorer = if action.flags & SA_RESTORER != 0 {
        action.restorer
    } else {
        task.process.mm.in_vdso(task.process.image.sigreturn).0
    };
    let state = task.cpu.state_mut();
    state.set_reg(0, signal as u64);
    if context.with_info {
        state.set_reg(1, placed.info());
        state.set_reg(2, placed.ucontext());
    }
    state.set_reg(29, placed.frame_record.0);
    state.set_reg(30, restorer);
    state.set_sp(placed.frame.0);
    state.pc = action.handler;
    // As if called: the handler must begin with a landing pad (setup_return).
    state.btype = if state.model.features.contains(Feature::Bti) {
        BTYPE_CALL
    } else {
        0
    };
    state.exclusive_addr = u64::MAX;
    if action.flags & SA_RESETHAND != 0 {
        task.process.signals.reset_to_default(signal);
    }
    let own = if action.flags & SA_NODEFER != 0 {
        0
    } else {
        bit(signal)
    };
    task.signals.note_mask(context.mask | action.mask | own);
    Ok(0)
}

/// A memory access of the guest's failed.
pub fn memory_fault(task: &mut Task, fault: MemFault) {
    let (signal, code) = match fault.kind {
        FaultKind::Unmapped => (SIGSEGV, info::SEGV_MAPERR),
        FaultKind::Permission => (SIGSEGV, info::SEGV_ACCERR),
        FaultKind::Bus => (set::SIGBUS, info::BUS_ADRERR),
        FaultKind::Alignment => (set::SIGBUS, info::BUS_ADRALN),
    };
    task.state.fault = Fault {
        address: fault.addr.0,
        esr: syndrome(fault),
    };
    let tags = task.process.signals.get(signal).flags & SA_EXPOSE_TAGBITS != 0;
    let addr = if tags {
        fault.addr
    } else {
        access::untag(fault.addr)
    };
    force(task, &SigInfo::fault(signal, code, addr.0), false);
}

/// ESR_EL1 as an abort from EL0 sets it (Arm ARM D24.2.40).
fn syndrome(fault: MemFault) -> u64 {
    const IL: u64 = 1 << 25;
    let class: u64 = match (fault.access, fault.kind) {
        (Access::Execute, FaultKind::Alignment) => return 0x22 << 26 | IL,
        (Access::Execute, _) => 0x20,
        (Access::Read | Access::Write, _) => 0x24,
    };
    let write = u64::from(fault.access == Access::Write) << 6;
    let status = match fault.kind {
        FaultKind::Unmapped => 0x07,
        FaultKind::Permission => 0x0f,
        FaultKind::Bus => 0x11,
        FaultKind::Alignment => 0x21,
    };
    class << 26 | IL | write | status
}

/// SIGILL at the current instruction.
pub fn undefined(task: &mut Task) {
    let pc = task.cpu.state().pc;
    task.state.fault = Fault::default();
    force(task, &SigInfo::fault(set::SIGILL, info::ILL_ILLOPC, pc), false);
}

/// SIGILL at an instruction that checked a signed pointer (do_el0_fpac).
pub fn authentication_failed(task: &mut Task) {
    const EC_FPAC: u64 = 0x1c << 26 | 1 << 25;
    let pc = task.cpu.state().pc;
    task.state.fault = Fault {
        address: 0,
        esr: EC_FPAC,
    };
    force(task, &SigInfo::fault(set::SIGILL, info::ILL_ILLOPN, pc), false);
}

/// BRK at the current instruction.
pub fn breakpoint(task: &mut Task, immediate: u16) {
    let pc = task.cpu.state().pc;
    task.state.fault = Fault {
        address: 0,
        esr: 0x3c << 26 | 1 << 25 | u64::from(immediate),
    };
    force(task, &SigInfo::fault(set::SIGTRAP, info::TRAP_BRKPT, pc), false);
}

/// The current instruction is at a hardware breakpoint, or would access this watched address.
pub fn debug_point(task: &mut Task, address: u64) {
    force(
        task,
        &SigInfo::fault(set::SIGTRAP, info::TRAP_HWBKPT, address),
        false,
    );
}

/// rt_sigreturn(2). Returns what X0 is to hold.
///
/// # Errors
/// The request to deliver a recorded signal first.
pub fn sigreturn(task: &mut Task) -> SysResult {
    if task.signals.is_pending() {
        return Err(host::ERESTART);
    }
    match frame::read(task.cpu.state_mut()) {
        Ok(restored) => {
            // The kernel ignores all errors of this but EFAULT.
            let sp = task.cpu.state().sp();
            let _ = altstack::set(&mut task.state.altstack, restored.altstack, sp);
            task.signals.note_mask(restored.mask);
            // A signal recorded meanwhile leaves the host's mask closed until it is delivered.
            task.signals.open();
        }
        Err(Errno(_)) => force(task, &SigInfo::fault(SIGSEGV, info::SI_KERNEL, 0), false),
    }
    Ok(task.cpu.state().reg(0))
}
