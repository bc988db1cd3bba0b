//! The host's fault handlers until the guest runs: translated code and checked guest
//! accesses rely on them, loading a program too.
//!
//! # Safety
//! The handler calls only what is async-signal-safe.

use engine::HostSignal;

/// Installs them; linux-user may replace them later.
pub fn install() {
    for signal in [libc::SIGSEGV, libc::SIGBUS, libc::SIGFPE] {
        // SAFETY: all zeroes is a valid sigaction.
        let mut action: libc::sigaction = unsafe { std::mem::zeroed() };
        action.sa_sigaction = handle as *const () as usize;
        action.sa_flags = libc::SA_SIGINFO | libc::SA_ONSTACK | libc::SA_NODEFER;
        // SAFETY: the handler has the signature SA_SIGINFO asks for.
        unsafe { libc::sigaction(signal, &raw const action, std::ptr::null_mut()) };
    }
}

extern "C" fn handle(signal: i32, info: *mut libc::siginfo_t, context: *mut libc::c_void) {
    // SAFETY: these are the kernel's arguments.
    match unsafe { engine::on_host_signal(signal, info, context) } {
        HostSignal::Handled => {}
        // Not the guest's doing: die of it, by the default action at the same instruction.
        HostSignal::NotOurs => {
            // SAFETY: resets the disposition only.
            unsafe { libc::signal(signal, libc::SIG_DFL) };
        }
    }
}
