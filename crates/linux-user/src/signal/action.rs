//! [`Actions`]: the guest's dispositions, mirrored in the host's.
//!
//! Ignored and default dispositions are the host's own, so that stopping, continuing,
//! reaping of ignored children and inheritance over execve are the kernel's. Exceptions:
//! the SYNC signals always have the emulator's handler, and so has a signal whose default
//! is to dump core, for the message that goes with it. SA_RESTART, SA_NOCLDSTOP and
//! SA_NOCLDWAIT are mirrored: the host's kernel decides what an interrupted call does.

use super::handler;
use super::set::{DefaultAction, NSIG, SIGTRAP, SYNC, SYNC_SET, UNBLOCKABLE, bit, default_action};
use crate::host;
use host_memory::lock::{Guard, Guarded, Level, Lock};
pub use linux_abi::flags::{
    SA_NOCLDSTOP, SA_NOCLDWAIT, SA_NODEFER, SA_ONSTACK, SA_RESETHAND, SA_RESTART, SA_RESTORER, SA_SIGINFO,
};
use linux_abi::nr::x86_64 as nr;
use zerocopy::{FromBytes, Immutable, IntoBytes};

pub const SIG_DFL: u64 = 0;
pub const SIG_IGN: u64 = 1;

pub const SA_EXPOSE_TAGBITS: u64 = 0x800;
/// The bits the kernel keeps; the others read back as clear (UAPI_SA_FLAGS).
const KNOWN_FLAGS: u64 = SA_NOCLDSTOP
    | SA_NOCLDWAIT
    | SA_SIGINFO
    | SA_EXPOSE_TAGBITS
    | SA_RESTORER
    | SA_ONSTACK
    | SA_RESTART
    | SA_NODEFER
    | SA_RESETHAND;
const MIRRORED_FLAGS: u64 = SA_NOCLDSTOP | SA_NOCLDWAIT | SA_RESTART;

/// The kernel's struct sigaction, the same on both sides.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable)]
#[repr(C)]
pub struct SigAction {
    pub handler: u64,
    pub flags: u64,
    pub restorer: u64,
    pub mask: u64,
}

impl SigAction {
    /// Whether its handler is given the registers at the faults that `signal` tells of.
    pub fn sees_faults(&self, signal: i32) -> bool {
        let is_handled = !matches!(self.handler, SIG_DFL | SIG_IGN) && self.flags & SA_SIGINFO != 0;
        is_handled && matches!(signal, libc::SIGSEGV | libc::SIGBUS | libc::SIGILL)
    }
}

/// Dispositions, shared by the threads of a process (and by CLONE_SIGHAND).
/// Their lock is held over one rt_sigaction of the host.
pub struct Actions {
    table: Lock<Table>,
}

#[derive(Clone, Copy)]
struct Table {
    actions: [SigAction; NSIG as usize],
    whose: Whose,
}

/// Whose the host's dispositions are.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Whose {
    /// The guest's: they mirror its own.
    Guest,
    /// The program's that has the guest as a tenant ([`crate::kernel::tenant`]): only handlers that are needed are
    /// installed.
    Program,
}

impl Guarded for Table {
    fn copied(&self) -> Option<Table> {
        Some(*self)
    }

    /// The host's may be those of the change that was not made.
    fn owner_died(&mut self) {
        for signal in 1..=NSIG {
            mirror(self.whose, signal, &self.actions[index(signal)]);
        }
    }
}

fn index(signal: i32) -> usize {
    (signal - 1) as usize
}

impl Actions {
    /// Those inherited from whoever executed the emulator; installs the handlers.
    #[must_use]
    pub fn inherit() -> Actions {
        let mut table = [SigAction::default(); NSIG as usize];
        for signal in 1..=NSIG {
            let entry = &mut table[index(signal)];
            if host_action(signal).handler == SIG_IGN {
                entry.handler = SIG_IGN;
            }
            let core = default_action(signal) == DefaultAction::Core && entry.handler == SIG_DFL;
            if core || SYNC_SET & bit(signal) != 0 {
                mirror(Whose::Guest, signal, entry);
            }
        }
        let table = Table {
            actions: table,
            whose: Whose::Guest,
        };
        Actions {
            table: Lock::new(Level::Actions, table),
        }
    }

    /// Those of a tenant: all default, whatever the host's are.
    #[must_use]
    pub fn of_tenant() -> Actions {
        for signal in SYNC {
            handler::take_over(signal, SA_RESTART);
        }
        let table = Table {
            actions: [SigAction::default(); NSIG as usize],
            whose: Whose::Program,
        };
        Actions {
            table: Lock::new(Level::Actions, table),
        }
    }

    /// A copy, for a process that shares memory but not dispositions.
    #[must_use]
    pub fn duplicate(&self) -> Actions {
        let table = *self.lock();
        Actions {
            table: Lock::new(Level::Actions, table),
        }
    }

    fn lock(&self) -> Guard<'_, Table> {
        self.table.lock()
    }

    #[must_use]
    pub fn get(&self, signal: i32) -> SigAction {
        self.lock().actions[index(signal)]
    }

    /// Sets a disposition and returns the one before. The signal is valid and blockable.
    pub fn set(&self, signal: i32, action: SigAction) -> SigAction {
        let mut table = self.lock();
        let action = SigAction {
            flags: action.flags & KNOWN_FLAGS,
            mask: action.mask & !UNBLOCKABLE,
            ..action
        };
        let old = std::mem::replace(&mut table.actions[index(signal)], action);
        if old != action {
            mirror(table.whose, signal, &action);
        }
        old
    }

    /// What the kernel does when it delivers to a handler with SA_RESETHAND.
    pub fn reset_to_default(&self, signal: i32) {
        let mut table = self.lock();
        let entry = &mut table.actions[index(signal)];
        entry.handler = SIG_DFL;
        let action = *entry;
        mirror(table.whose, signal, &action);
    }

    /// Puts back what the C library may have changed in the host when it started its first
    /// thread ([`super::libc_threads`]).
    pub fn reclaim(&self) {
        let table = self.lock();
        for signal in super::libc_threads::SIGNALS {
            mirror(table.whose, signal, &table.actions[index(signal)]);
        }
    }

    /// CLONE_CLEAR_SIGHAND: all but the ignored signals become default.
    pub fn reset_handlers(&self) {
        let mut table = self.lock();
        for signal in 1..=NSIG {
            if !matches!(table.actions[index(signal)].handler, SIG_DFL | SIG_IGN) {
                table.actions[index(signal)] = SigAction::default();
                mirror(table.whose, signal, &SigAction::default());
            }
        }
    }

    /// Before execve: dispositions that only the guest's table has ignored become the
    /// host's, so that the new program inherits them.
    pub fn expose_ignored(&self) {
        for_ignored_sync(&self.lock().actions, |signal| {
            set_host_action(
                signal,
                SigAction {
                    handler: SIG_IGN,
                    ..SigAction::default()
                },
            );
        });
    }

    /// After a failed execve.
    pub fn hide_ignored(&self) {
        let table = self.lock();
        for_ignored_sync(&table.actions, |signal| {
            mirror(table.whose, signal, &SigAction::default())
        });
    }
}

fn for_ignored_sync(table: &[SigAction; NSIG as usize], change: impl Fn(i32)) {
    for signal in super::set::SYNC {
        if table[index(signal)].handler == SIG_IGN {
            change(signal);
        }
    }
}

/// Makes the host's disposition of a signal what the guest's asks for.
fn mirror(whose: Whose, signal: i32, guest: &SigAction) {
    if whose == Whose::Program {
        if !matches!(guest.handler, SIG_DFL | SIG_IGN) {
            handler::take_over(signal, guest.flags & MIRRORED_FLAGS);
        }
        return;
    }
    let sync = SYNC_SET & bit(signal) != 0;
    let flags = guest.flags & MIRRORED_FLAGS;
    let core = default_action(signal) == DefaultAction::Core;
    let host = match guest.handler {
        // A tracer rings by SIGTRAP, which is to interrupt nothing.
        SIG_DFL | SIG_IGN if sync => handler::sync_action(SA_RESTART),
        _ if signal == SIGTRAP => handler::sync_action(SA_RESTART),
        _ if sync => handler::sync_action(flags),
        SIG_DFL if core => handler::async_action(flags | SA_RESTART),
        SIG_DFL | SIG_IGN => SigAction {
            handler: guest.handler,
            flags,
            ..SigAction::default()
        },
        _ => handler::async_action(flags),
    };
    set_host_action(signal, host);
}

pub(super) fn host_action(signal: i32) -> SigAction {
    let mut action = SigAction::default();
    // SIGKILL and SIGSTOP can be asked for as well.
    let args = [signal as u64, 0, (&raw mut action) as u64, 8, 0, 0];
    // SAFETY: the kernel writes a struct sigaction, which `action` is.
    let _ = unsafe { host::raw(nr::rt_sigaction, args) };
    action
}

pub(super) fn set_host_action(signal: i32, action: SigAction) {
    // Fails for SIGKILL and SIGSTOP only, which callers have excluded.
    let args = [signal as u64, (&raw const action) as u64, 0, 8, 0, 0];
    // SAFETY: the kernel reads a struct sigaction, which `action` is; its handler is one of ours.
    let _ = unsafe { host::raw(nr::rt_sigaction, args) };
}
