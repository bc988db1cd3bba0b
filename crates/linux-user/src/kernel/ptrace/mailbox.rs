//! [`Mailbox`]: what a task and its tracer tell each other, in the memory of the task.
//!
//! The tracer finds it through the thread-local storage of the host thread, which it sees in the registers of each
//! stop: tracer and tracee run the same executable, so the place in there is the same. It reads and writes the mailbox
//! while the thread stands still in the host's kernel. To the tracer all of it is numbers that a hostile tracee
//! chose: it copies them to its own guest, and uses the addresses in it only to read and write that tracee.
//!
//! # Safety
//! A task has its mailbox at one place for as long as it lives, which [`attach`] publishes to the tracer. The task
//! itself reaches it between its own system calls only, the tracer mostly within one. Where the kernel stops the task elsewhere, the
//! tracer only adds to what is told; the task takes that by [`Trace::take`].
#![allow(unsafe_code)]

use super::debug;
use crate::host;
use crate::signal::info::SigInfo;
use std::arch::asm;
use std::cell::{Cell, UnsafeCell};
use std::ptr;
use std::sync::atomic::{AtomicU32, Ordering};
use zerocopy::{FromBytes, FromZeros, Immutable, IntoBytes};

/// What a mailbox begins with: another layout has another number.
pub const MAGIC: u64 = 0x7261_656d_7507_0002;

/// si_code of the SIGTRAP by which a task stops for its tracer. Its own thread sends it.
pub const STOP_CODE: i32 = -0x7261;
/// si_code of the SIGTRAP by which a tracer has the task come to its next boundary.
pub const DOORBELL_CODE: i32 = -0x7262;

/// Bits of [`Told::state`].
pub mod state {
    /// The task has a tracer.
    pub const TRACED: u32 = 1;
    /// By PTRACE_SEIZE.
    pub const SEIZED: u32 = 2;
}

/// Bits of [`Told::attend`].
pub mod attend {
    /// The first of the queue is a signal to deliver.
    pub const SIGNAL: u32 = 1;
    /// The second is SIGSTOP, which no mask holds back while another signal waits.
    pub const STOP_SIGNAL: u32 = 2;
    /// PTRACE_INTERRUPT, or the end of a group stop.
    pub const INTERRUPT: u32 = 4;
    /// A group stop by [`super::Told::group`].
    pub const GROUP: u32 = 8;
    /// The host call that was interrupted gives what the kernel keeps from programs: how to take it up again.
    pub const RAW_RESULT: u32 = 16;
}

/// How a tracee goes on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u32)]
pub enum Mode {
    Continue = 0,
    Syscall = 1,
    Step = 2,
    Emulate = 3,
    EmulateStep = 4,
}

impl Mode {
    /// From a mailbox or the word of a start; what is no mode goes on.
    #[must_use]
    pub fn of(word: u32) -> Mode {
        match word {
            1 => Mode::Syscall,
            2 => Mode::Step,
            3 => Mode::Emulate,
            4 => Mode::EmulateStep,
            _ => Mode::Continue,
        }
    }

    #[must_use]
    pub fn stops_at_entry(self) -> bool {
        matches!(self, Mode::Syscall | Mode::Emulate | Mode::EmulateStep)
    }

    #[must_use]
    pub fn emulates(self) -> bool {
        matches!(self, Mode::Emulate | Mode::EmulateStep)
    }

    #[must_use]
    pub fn steps(self) -> bool {
        matches!(self, Mode::Step | Mode::EmulateStep)
    }
}

/// Bits of [`Told::changed`]: what of the registers the tracer has set.
pub mod changed {
    pub const GENERAL: u32 = 1;
    pub const FLOATING: u32 = 2;
    pub const TLS: u32 = 4;
    pub const CALL: u32 = 8;
    pub const MASK: u32 = 16;
    pub const INFO: u32 = 32;
    pub const KEYS: u32 = 64;
    pub const ENABLED_KEYS: u32 = 128;
    pub const TAGGED: u32 = 256;
    pub const DEBUG: u32 = 512;
}

/// How many pieces of changed code are named; more of them are all code.
pub const RANGES: usize = 16;

/// From the tracer.
#[derive(Clone, Copy, FromBytes, IntoBytes, Immutable)]
#[repr(C)]
pub struct Told {
    pub state: u32,
    pub options: u32,
    /// A [`Mode`].
    pub resume: u32,
    /// The signal that the resuming request gives, or 0.
    pub signal: u32,
    pub attend: u32,
    pub changed: u32,
    /// The signal of a group stop.
    pub group: u32,
    /// How many of the ranges count; more than there are: everything.
    pub code: u32,
    /// The tracer's process and user, as the signal it injects shows them.
    pub tracer: u64,
    pub queue: [[u64; 16]; 2],
    /// Start and length of what the tracer wrote.
    pub ranges: [[u64; 2]; RANGES],
}

/// Values of [`Stop::state`].
pub mod at {
    pub const RUNNING: u32 = 0;
    /// It is about to stop, or has.
    pub const STOPPING: u32 = 1;
    /// It ends, and has shown that.
    pub const ENDING: u32 = 2;
    /// It is about to stop with its process, by the host's default action.
    pub const GROUP_STOPPING: u32 = 3;
    /// It has stopped, and a wait of its tracer's has taken that.
    pub const TAKEN: u32 = 4;
}

/// What a stop is, of PTRACE_GET_SYSCALL_INFO.
pub mod place {
    pub const NONE: u32 = 0;
    pub const ENTRY: u32 = 1;
    pub const EXIT: u32 = 2;
    pub const SECCOMP: u32 = 3;
}

/// Where the task stands.
#[derive(Clone, Copy, FromBytes, IntoBytes, Immutable)]
#[repr(C)]
pub struct Stop {
    pub state: u32,
    /// The wait status without its lowest byte.
    pub code: u32,
    pub message: u64,
    pub place: u32,
    /// Whether there is a siginfo: a group stop has none.
    pub has_info: u32,
    pub info: [u64; 16],
    /// The table of its seccomp filters and how many there are ([`super::filters`]).
    pub filters: [u64; 2],
}

/// The registers, as the register sets of arm64 have them.
#[derive(Clone, Copy, FromBytes, IntoBytes, Immutable)]
#[repr(C)]
pub struct Registers {
    /// struct user_pt_regs: X0 to X30, SP, PC, PSTATE.
    pub general: [u64; 34],
    /// struct user_fpsimd_state without its end.
    pub v: [[u64; 2]; 32],
    pub fpsr: u32,
    pub fpcr: u32,
    pub tls: u64,
    /// The number of the system call, -1 for none.
    pub call: i32,
    pub enabled_keys: u32,
    pub first_argument: u64,
    pub mask: u64,
    pub keys: [[u64; 2]; 5],
    pub pac_mask: u64,
    pub tagged: u64,
    pub debug: debug::Slots,
}

/// One task's.
#[derive(Clone, Copy, FromBytes, IntoBytes, Immutable)]
#[repr(C)]
pub struct Mailbox {
    pub magic: u64,
    /// Whose it is: a new child begins with a copy of another's.
    pub tid: u64,
    /// Where the word is that calls for attention.
    pub pending: u64,
    /// The window of a host call that waits: its begin, its SYSCALL, and where it is abandoned.
    pub window: [u64; 3],
    pub told: Told,
    pub stop: Stop,
    pub registers: Registers,
}

/// How much of it a tracer writes if no register changed.
pub const HEAD: usize = std::mem::offset_of!(Mailbox, registers);

thread_local! {
    static MAILBOX: Cell<*mut Mailbox> = const { Cell::new(ptr::null_mut()) };
}

/// Where the pointer to the mailbox stands, from the host thread's FS base on; the same in every process of this
/// executable, as the linker decides it.
#[must_use]
pub fn offset() -> u64 {
    let base: u64;
    // SAFETY: the first word of a thread's control block is its own address (ELF TLS, x86-64).
    unsafe { asm!("mov {}, fs:[0]", out(reg) base, options(nostack, readonly, preserves_flags)) };
    MAILBOX.with(|cell| (&raw const *cell) as u64).wrapping_sub(base)
}

/// From now on the calling host thread is that of this task.
pub fn attach(trace: &Trace) {
    trace.with(|mailbox| mailbox.tid = host::gettid() as u64);
    MAILBOX.set(trace.mailbox.get());
}

/// The calling host thread has no task any more.
pub fn detach() {
    MAILBOX.set(ptr::null_mut());
}

/// In a handler: the signal by which the task stops for its tracer arrived, so it has none.
pub fn note_untraced() {
    let mailbox = MAILBOX.get();
    if !mailbox.is_null() {
        // SAFETY: attached, hence alive; the task waits in the call that sent the signal.
        unsafe { (*mailbox).told.state = 0 };
    }
}

/// A task's own share in being traced.
pub struct Trace {
    mailbox: Box<UnsafeCell<Mailbox>>,
    /// It has the observer that stops it.
    pub(super) observed: bool,
    /// It is a new task whose tracer has not seen it yet.
    pub(super) starts: bool,
    pub(super) altered: Option<super::Altered>,
    /// A system call was interrupted: the kernel's private error, and where the task makes it again.
    pub(super) interrupted: Option<(i32, u64)>,
    /// The tracer was shown that a call is entered, and it is not left yet.
    pub(super) entered: bool,
    /// The kernel's private error of a call that was interrupted before it could sleep.
    pub(super) begun: Option<i32>,
    pub(super) result: Option<u64>,
    pub(super) call: i32,
    pub(super) first_argument: u64,
    /// The tracer gets the child that is being made, and an event of it.
    pub(super) follow: bool,
    pub(super) event: bool,
    /// A step was asked for, and a system call was made.
    pub(super) step_owed: bool,
    /// The table of its filters at the last stop.
    pub(super) filters: Vec<[u64; 2]>,
    /// restart_syscall(2) is to go on with a call.
    pub(super) resumes: bool,
    pub(super) debug: debug::Debug,
}

// SAFETY: whoever has the task has the mailbox; the tracer's writes come by way of the kernel, while it stands still.
unsafe impl Send for Trace {}

impl Trace {
    /// Its task was killed, within anything: the rest may be torn.
    pub fn abandon(self) {
        let Trace {
            mailbox,
            filters,
            altered,
            debug,
            ..
        } = self;
        drop(mailbox);
        std::mem::forget((filters, altered, debug));
    }

    #[must_use]
    pub fn new(pending: u64) -> Trace {
        let mut mailbox = Mailbox::new_zeroed();
        mailbox.magic = MAGIC;
        mailbox.pending = pending;
        mailbox.window = host::window();
        mailbox.registers.call = -1;
        Trace {
            mailbox: Box::new(UnsafeCell::new(mailbox)),
            observed: false,
            starts: false,
            altered: None,
            interrupted: None,
            entered: false,
            begun: None,
            result: None,
            call: -1,
            first_argument: 0,
            follow: false,
            event: false,
            step_owed: false,
            filters: Vec::new(),
            resumes: false,
            debug: debug::Debug::default(),
        }
    }

    /// Reaches the mailbox; not over a system call.
    pub(super) fn with<R>(&self, reach: impl FnOnce(&mut Mailbox) -> R) -> R {
        // SAFETY: see above: nobody else reaches it before the next system call.
        reach(unsafe { &mut *self.mailbox.get() })
    }

    /// Takes these bits of [`Told::attend`] away; gives what was told when they were there. The kernel may stop the thread
    /// between any two instructions, and the tracer then tells it more: nothing of that is lost.
    pub(super) fn take(&self, bits: u32) -> Told {
        // SAFETY: the mailbox lives as long as `self`, and only this thread and its tracer, while it is stopped, write to it.
        let told = unsafe { &raw mut (*self.mailbox.get()).told };
        // SAFETY: as above; all accesses that meet the tracer's are atomic or volatile.
        let attend = unsafe { AtomicU32::from_ptr(&raw mut (*told).attend) };
        loop {
            let before = attend.load(Ordering::Acquire);
            // SAFETY: as above.
            let copy = unsafe { told.read_volatile() };
            if attend
                .compare_exchange(before, before & !bits, Ordering::AcqRel, Ordering::Relaxed)
                .is_ok()
            {
                return Told {
                    attend: before,
                    ..copy
                };
            }
        }
    }

    pub(super) fn told(&self) -> Told {
        self.with(|mailbox| mailbox.told)
    }

    #[must_use]
    pub fn is_traced(&self) -> bool {
        self.observed
    }

    /// Whether the task has hardware breakpoints or watchpoints.
    #[must_use]
    pub fn is_debugged(&self) -> bool {
        self.debug.is_armed()
    }

    /// What a child or thread begins with whose tracer is this one's.
    pub fn inherit(&mut self, from: &Told) {
        self.with(|mailbox| {
            mailbox.told = Told::new_zeroed();
            mailbox.told.state = from.state;
            mailbox.told.options = from.options;
            mailbox.told.tracer = from.tracer;
            mailbox.stop.state = at::RUNNING;
        });
        self.starts = from.state & state::TRACED != 0;
        self.altered = None;
        self.interrupted = None;
        self.entered = false;
        self.begun = None;
        self.result = None;
        self.debug = debug::Debug::default();
    }
}

pub(super) fn words(info: &SigInfo) -> [u64; 16] {
    info.0
}
