//! [`Process`]: what the threads of one guest process share.

use super::layout::Layout;
use super::registry::Tasks;
use super::stop_log::StopLog;
use super::task::host_tid;
use super::tenant::Tenancy;
use crate::host;
use crate::mm::Mm;
use crate::options::Options;
use crate::proc::unnamed::Unnamed;
use crate::seccomp::shared::Shared;
use crate::signal::Actions;
use engine::{Engine, PollHandle};
use guest::GuestAddr;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI32, Ordering};

/// A program that only a descriptor leads to: high, closed on exec, and the guest's to close.
#[derive(Clone, Copy, Debug)]
pub struct ExeFile {
    pub fd: i32,
    /// What it is open for while it is ours.
    pub dev: u64,
    pub ino: u64,
}

/// The program a process runs, as execve left it.
#[derive(Clone, Debug, Default)]
pub struct Image {
    /// Absolute path of the guest's executable: what /proc/self/exe shows.
    pub exe: Vec<u8>,
    /// Where that path does not lead there: it is of a mount that is gone.
    pub exe_file: Option<ExeFile>,
    /// Where no path leads there: it is in memory, or deleted.
    pub unnamed: Option<Arc<Unnamed>>,
    /// The guest's arguments, each with its NUL: what /proc/self/cmdline shows.
    pub cmdline: Vec<u8>,
    /// Where the arguments' and the environment's strings lie: a program may rewrite them,
    /// and then /proc/self/cmdline shows that. Empty if unknown.
    pub first_arguments: Range<GuestAddr>,
    pub first_environment: Range<GuestAddr>,
    /// The first stack pointer.
    pub first_sp: GuestAddr,
    /// The guest's auxiliary vector, as bytes.
    pub first_auxv: Vec<u8>,
    /// What prctl(2) has said of these since.
    pub layout: Layout,
    /// The main thread's name, if the kernel does not set it: the file name executed.
    pub comm: Vec<u8>,
    /// The vDSO's `__kernel_rt_sigreturn`: where handlers without SA_RESTORER return to.
    pub sigreturn: GuestAddr,
}

/// One guest process.
pub struct Process {
    pub mm: Mm,
    pub engine: Arc<Engine>,
    pub options: Arc<Options>,
    pub image: Arc<Image>,
    /// Signal dispositions.
    pub signals: Arc<Actions>,
    pid: AtomicI32,
    pub tasks: Tasks,
    /// What its threads know of each other's seccomp filters.
    pub filters: Shared,
    shares_memory: AtomicBool,
    /// What a tenant's threads share; see [`super::tenant`].
    pub(super) tenancy: Option<Arc<Tenancy>>,
    /// This is the child of a fork: a host process of its own.
    is_child: AtomicBool,
}

impl Process {
    /// Writes what -d stats asks for: one line with the engine's counts.
    pub fn report_statistics(&self) {
        let Some(log) = self.options.statistics else {
            return;
        };
        let counts = self.engine.statistics();
        log.write(&format!(
            "{} stats: {} tasks, {} blocks, {} guest instructions, {} bytes of host code, {} floating-point traps\n",
            self.pid(),
            self.tasks.so_far(),
            counts.blocks,
            counts.guest_instructions,
            counts.host_bytes,
            counts.fp_traps
        ));
    }

    #[must_use]
    pub fn new(mm: Mm, engine: Arc<Engine>, options: Options, image: Image, signals: Actions) -> Process {
        let tasks = Tasks::default();
        if let Some(trace) = options.trace {
            tasks.observe(Arc::new(trace));
        }
        if let Some(log) = options.stops {
            tasks.observe(Arc::new(StopLog(log)));
        }
        Process {
            mm,
            engine,
            options: Arc::new(options),
            image: Arc::new(image),
            signals: Arc::new(signals),
            pid: AtomicI32::new(host_pid()),
            tasks,
            filters: Shared::default(),
            shares_memory: AtomicBool::new(false),
            tenancy: None,
            is_child: AtomicBool::new(false),
        }
    }

    #[must_use]
    pub fn pid(&self) -> i32 {
        self.pid.load(Ordering::Relaxed)
    }

    /// Whether other guest threads may run now.
    #[must_use]
    pub fn is_threaded(&self) -> bool {
        self.tasks.are_several()
    }

    /// Whether this is a child that still shares its parent's memory (vfork).
    #[must_use]
    pub fn shares_memory(&self) -> bool {
        self.shares_memory.load(Ordering::Relaxed)
    }

    /// The child of a fork has memory of its own, also where the process that forked had not.
    pub fn has_own_memory(&self) {
        self.shares_memory.store(false, Ordering::Relaxed);
    }

    /// This copy of the process is the child of a fork, with one task.
    pub fn became_child(&self, poll: PollHandle) {
        self.pid.store(host_pid(), Ordering::Relaxed);
        self.tasks.only(host_tid(), poll);
        self.is_child.store(true, Ordering::Relaxed);
        crate::log::note_threads(false);
    }

    /// What there is of a tenant; nothing for a process that is a host process.
    #[must_use]
    pub fn tenancy(&self) -> Option<&Arc<Tenancy>> {
        let tenancy = self.tenancy.as_ref()?;
        (!self.is_child.load(Ordering::Relaxed)).then_some(tenancy)
    }

    /// The calling host process is the one whose child was made to be this one.
    pub fn note_pid(&self) {
        self.pid.store(host_pid(), Ordering::Relaxed);
    }

    /// The calling host process, or a child of it, as a guest process that shares this one's memory.
    #[must_use]
    pub fn sharing_memory(&self, shares_actions: bool) -> Process {
        Process {
            mm: self.mm.clone(),
            engine: Arc::clone(&self.engine),
            options: Arc::clone(&self.options),
            image: Arc::clone(&self.image),
            signals: if shares_actions {
                Arc::clone(&self.signals)
            } else {
                Arc::new(self.signals.duplicate())
            },
            pid: AtomicI32::new(host_pid()),
            tasks: Tasks::observed_by(self.tasks.observers()),
            filters: self.filters.for_child(),
            shares_memory: AtomicBool::new(true),
            tenancy: None,
            is_child: AtomicBool::new(true),
        }
    }
}

fn host_pid() -> i32 {
    // getpid cannot fail.
    host::getpid()
}
