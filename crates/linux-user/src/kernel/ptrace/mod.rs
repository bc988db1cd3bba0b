//! ptrace(2) of guests by guests; docs/ptrace.md says how it works as a whole.
//!
//! Place in the path: the tracer's emulator makes the same request to the host's kernel, on the same thread number, so
//! that attachment, waiting, credentials and the death of either side are the kernel's. What the tracer sees of the
//! tracee is not the kernel's stop but the guest's: raised by the tracee's own run loop, between two guest
//! instructions ([`tracee`]), described in its [`mailbox`], and found by the tracer among the host's stops ([`wait`]).
//! [`tracer`] has the requests, [`regset`] the registers as they name them, [`kernel`] the host's calls.

mod begun;
mod calls;
pub mod debug;
mod filters;
mod kernel;
pub mod mailbox;
pub mod regset;
mod request;
mod table;
mod tracee;
mod tracer;
mod wait;

pub use calls::ptrace;
pub use mailbox::Trace;
pub use table::{Tracees, runs_same};
pub use tracee::{
    Altered, attend, begin, decide, forked, handler_entered, interrupt_call, is_traced, look, note_result,
    prepare, report_step,
};
pub use wait::{wait4, waitid};

/// Options of PTRACE_SETOPTIONS (uapi linux/ptrace.h).
pub mod options {
    pub const SYSGOOD: u32 = 1;
    pub const FORK: u32 = 1 << event::FORK;
    pub const VFORK: u32 = 1 << event::VFORK;
    pub const CLONE: u32 = 1 << event::CLONE;
    pub const EXEC: u32 = 1 << event::EXEC;
    pub const VFORK_DONE: u32 = 1 << event::VFORK_DONE;
    pub const EXIT: u32 = 1 << event::EXIT;
    pub const SECCOMP: u32 = 1 << event::SECCOMP;
    pub const EXITKILL: u32 = 1 << 20;
    pub const SUSPEND_SECCOMP: u32 = 1 << 21;
    pub const ALL: u32 = 0xff | EXITKILL | SUSPEND_SECCOMP;

    use super::event;
}

/// Events: the third byte of a wait status.
pub mod event {
    pub const FORK: u32 = 1;
    pub const VFORK: u32 = 2;
    pub const CLONE: u32 = 3;
    pub const EXEC: u32 = 4;
    pub const VFORK_DONE: u32 = 5;
    pub const EXIT: u32 = 6;
    pub const SECCOMP: u32 = 7;
    pub const STOP: u32 = 128;
}

/// The exit code of an event's stop, the wait status without its lowest byte.
const fn event_code(event: u32) -> u32 {
    crate::signal::set::SIGTRAP as u32 | event << 8
}
