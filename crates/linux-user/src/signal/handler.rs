//! The host's signal handlers: they record a signal, arm the thread, and return.
//!
//! # Safety
//! Everything here runs in a signal handler: no allocation, no lock, and of libc only mprotect
//! ([`engine::PollHandle::request`]), a bare system call but for errno. The thread-local pointer
//! is constant-initialised, hence one %fs-relative load. It points to the state of the Task
//! that the thread runs; [`attach`] and [`detach`] keep it so.

use super::action::{
    SA_NODEFER, SA_ONSTACK, SA_RESTART, SA_RESTORER, SA_SIGINFO, SIG_DFL, SIG_IGN, SigAction, host_action,
    set_host_action,
};
use super::fatal;
use super::info::SigInfo;
use super::set::{self, DefaultAction, NSIG, SYNC_SET, UNBLOCKABLE, default_action};
use super::thread::{Recorded, ThreadSignals};
use crate::host;
use crate::kernel::ptrace::mailbox;
use engine::HostSignal;
use linux_abi::nr::x86_64 as nr;
use std::arch::global_asm;
use std::cell::Cell;
use std::ptr;
use std::sync::atomic::{AtomicU64, Ordering};

global_asm!(
    ".globl raemu_signal_return",
    "raemu_signal_return:",
    "    mov eax, 15",
    "    syscall",
);

unsafe extern "C" {
    fn raemu_signal_return();
}

thread_local! {
    static RECORDED: Cell<*const Recorded> = const { Cell::new(ptr::null()) };
}

/// From now on the calling thread's signals are recorded in `signals`, which must stay
/// where it is until [`detach`].
pub fn attach(signals: &ThreadSignals) {
    RECORDED.set(signals.recorded());
}

/// To be called with all signals blocked, before the thread's Task goes away.
pub fn detach() {
    RECORDED.set(ptr::null());
}

/// For signals that only other processes (or the guest itself) send.
pub fn async_action(flags: u64) -> SigAction {
    SigAction {
        handler: on_async as *const () as u64,
        flags: flags | SA_SIGINFO | SA_ONSTACK | SA_RESTORER,
        restorer: raemu_signal_return as *const () as u64,
        mask: !SYNC_SET,
    }
}

/// For signals that the CPU may raise; of the flags SA_RESTART counts. A fault inside the handler must reach it again.
pub fn sync_action(flags: u64) -> SigAction {
    SigAction {
        handler: on_sync as *const () as u64,
        flags: flags & SA_RESTART | SA_SIGINFO | SA_ONSTACK | SA_RESTORER | SA_NODEFER,
        restorer: raemu_signal_return as *const () as u64,
        // Nothing may be recorded under this handler, because its return opens the mask.
        mask: !SYNC_SET,
    }
}

extern "C" fn on_async(signal: i32, info: *mut libc::siginfo_t, context: *mut libc::c_void) {
    // SAFETY: the kernel's arguments are valid for the handler's duration.
    unsafe { record(signal, info, context) };
}

extern "C" fn on_sync(signal: i32, info: *mut libc::siginfo_t, context: *mut libc::c_void) {
    // SAFETY: the kernel's argument is valid for the handler's duration.
    let code = unsafe { (*info).si_code };
    if code <= 0 {
        match code {
            mailbox::STOP_CODE if signal == set::SIGTRAP => mailbox::note_untraced(),
            // SAFETY: as above.
            mailbox::DOORBELL_CODE if signal == set::SIGTRAP => unsafe { attend(context) },
            // SAFETY: as above.
            _ => unsafe { record(signal, info, context) },
        }
        return;
    }
    // SAFETY: both are the kernel's.
    match unsafe { engine::on_host_signal(signal, info, context) } {
        HostSignal::Handled => {}
        HostSignal::NotOurs => {
            // SAFETY: the kernel's arguments.
            if RECORDED.get().is_null() && unsafe { pass_to_host(signal, info, context) } {
                return;
            }
            // SAFETY: as above; a fault's siginfo holds an address.
            let addr = unsafe { (*info).si_addr() } as u64;
            // SAFETY: as above.
            let rip =
                unsafe { (*context.cast::<libc::ucontext_t>()).uc_mcontext.gregs[libc::REG_RIP as usize] };
            fatal::internal(signal, code, addr, rip as u64);
        }
    }
}

/// Gives a signal that reached a thread without a task to another: the C library unblocks
/// 32 in a thread that it starts. Nothing is sent to such a thread itself, as nobody knows it yet.
///
/// # Safety
/// The arguments must be those of a host signal handler.
unsafe fn pass_on(signal: i32, info: *mut libc::siginfo_t, context: *mut libc::c_void) {
    // SAFETY: the kernel's context.
    let context = unsafe { &mut *context.cast::<libc::ucontext_t>() };
    let set: *mut u64 = (&raw mut context.uc_sigmask).cast();
    // SAFETY: the kernel's sigset is the first word of libc's larger one.
    unsafe { *set |= !SYNC_SET };
    let pid = host::getpid() as u64;
    let args = [pid, signal as u64, info as u64, 0, 0, 0];
    // SAFETY: the kernel reads a siginfo_t, which the argument points to.
    let queued = unsafe { host::raw(nr::rt_sigqueueinfo, args) };
    if queued.is_err() {
        // What kill(2) sends may be sent again by its sender only.
        let _ = host::kill(pid, signal as u64);
    }
}

/// Signals whose handlers belonged to the host's program before a tenant needed them.
static TAKEN: AtomicU64 = AtomicU64::new(0);
/// Its dispositions: handler and flags.
static BEFORE: [[AtomicU64; 2]; NSIG as usize] = [const { [const { AtomicU64::new(0) }; 2] }; NSIG as usize];

/// From now on the signal is recorded for the tenant whose thread it reaches, with these of SA_RESTART and the like.
/// Other threads go on to see what the host's program had in place. This is for the rest of the host process's life:
/// other tenants may need it.
pub fn take_over(signal: i32, flags: u64) {
    if !(1..=NSIG).contains(&signal) || UNBLOCKABLE & set::bit(signal) != 0 {
        return;
    }
    let action = if SYNC_SET & set::bit(signal) != 0 {
        sync_action(flags)
    } else {
        async_action(flags)
    };
    let before = host_action(signal);
    if before.handler != action.handler {
        let [handler, flags] = &BEFORE[(signal - 1) as usize];
        handler.store(before.handler, Ordering::Relaxed);
        flags.store(before.flags, Ordering::Relaxed);
        TAKEN.fetch_or(set::bit(signal), Ordering::Release);
    }
    if before.handler != action.handler || before.flags != action.flags {
        set_host_action(signal, action);
    }
}

/// Does with a signal of a thread without a task what the host's program would have had. False if the signal was never
/// taken from it.
///
/// # Safety
/// The arguments must be those of a host signal handler.
unsafe fn pass_to_host(signal: i32, info: *mut libc::siginfo_t, context: *mut libc::c_void) -> bool {
    if TAKEN.load(Ordering::Acquire) & set::bit(signal) == 0 {
        return false;
    }
    let [handler, flags] = &BEFORE[(signal - 1) as usize];
    match handler.load(Ordering::Relaxed) {
        SIG_IGN => {}
        SIG_DFL => {
            if default_action(signal) != DefaultAction::Ignore {
                // Blocked until the handler returns; a fault comes again by itself.
                set_host_action(signal, SigAction::default());
                let pid = host::getpid() as u64;
                // SAFETY: the call takes no address.
                let tid = unsafe { host::raw(nr::gettid, [0; 6]) }.unwrap_or(0);
                // SAFETY: the call takes no address.
                let _ = unsafe { host::raw(nr::tgkill, [pid, tid, signal as u64, 0, 0, 0]) };
            }
        }
        handler if flags.load(Ordering::Relaxed) & SA_SIGINFO != 0 => {
            // SAFETY: the program installed it as such a handler.
            let handler: Handler = unsafe { std::mem::transmute(handler) };
            handler(signal, info, context);
        }
        handler => {
            // SAFETY: the program installed it as a handler of one argument.
            let handler: extern "C" fn(i32) = unsafe { std::mem::transmute(handler) };
            handler(signal);
        }
    }
    true
}

type Handler = extern "C" fn(i32, *mut libc::siginfo_t, *mut libc::c_void);

/// Records a signal for the guest; returns to a state in which none other is taken.
///
/// # Safety
/// The arguments must be those of a host signal handler.
unsafe fn record(signal: i32, info: *mut libc::siginfo_t, context: *mut libc::c_void) {
    let recorded = RECORDED.get();
    if recorded.is_null() {
        // SAFETY: the caller's promise.
        if unsafe { pass_to_host(signal, info, context) } {
            return;
        }
        // SAFETY: the caller's promise.
        unsafe { pass_on(signal, info, context) };
        return;
    }
    // SAFETY: siginfo_t has 128 bytes in words.
    let info = unsafe { &*info.cast::<SigInfo>() };
    // SAFETY: attached, hence alive.
    let interrupts = unsafe { &*recorded }.record(signal, info);
    if !interrupts {
        // SAFETY: the kernel's context.
        let registers = unsafe { &mut (*context.cast::<libc::ucontext_t>()).uc_mcontext.gregs };
        let [rip, rax] = [libc::REG_RIP, libc::REG_RAX].map(|register| registers[register as usize] as u64);
        if let Some(result) = host::unnoticed(rip, rax) {
            registers[libc::REG_RAX as usize] = result as i64;
        }
        return;
    }
    // SAFETY: the caller's promise.
    unsafe { interrupt(context, SYNC_SET & set::bit(signal) == 0) };
}

/// A tracer wants the thread at its next boundary, maybe to deliver a signal there.
///
/// # Safety
/// The argument must be that of a host signal handler.
unsafe fn attend(context: *mut libc::c_void) {
    let recorded = RECORDED.get();
    if recorded.is_null() {
        return;
    }
    // SAFETY: attached, hence alive.
    unsafe { &*recorded }.attend();
    // SAFETY: the caller's promise.
    unsafe { interrupt(context, true) };
}

/// The return from the handler abandons a call that has had no effect yet, and may leave all signals blocked.
///
/// # Safety
/// The argument must be that of a host signal handler.
unsafe fn interrupt(context: *mut libc::c_void, blocks: bool) {
    // SAFETY: the kernel's context.
    let context = unsafe { &mut *context.cast::<libc::ucontext_t>() };
    let rip = &mut context.uc_mcontext.gregs[libc::REG_RIP as usize];
    if let Some(resume) = host::rewind(*rip as u64) {
        *rip = resume as i64;
    }
    if blocks {
        // The mask that the return from this handler sets: all blocked.
        let set: *mut u64 = (&raw mut context.uc_sigmask).cast();
        // SAFETY: the kernel's sigset is the first word of libc's larger one.
        unsafe { *set |= !SYNC_SET };
    }
}
