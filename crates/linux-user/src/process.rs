//! [`Process`]: what the threads of one guest process share.

use crate::host;
use crate::mm::Mm;
use crate::options::Options;
use crate::signal::Actions;
use engine::Engine;
use guest::GuestAddr;
use linux_abi::nr::x86_64 as nr;
use std::sync::Arc;
use std::sync::atomic::{AtomicI32, AtomicUsize, Ordering};

/// The program a process runs, as execve left it.
#[derive(Clone, Debug, Default)]
pub struct Image {
    /// Absolute path of the guest's executable: what /proc/self/exe shows.
    pub exe: Vec<u8>,
    /// The guest's arguments, each with its NUL: what /proc/self/cmdline shows.
    pub cmdline: Vec<u8>,
    /// The guest's auxiliary vector, as bytes.
    pub auxv: Vec<u8>,
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
    pub signals: Actions,
    pid: AtomicI32,
    /// Guest threads of this process that run or are being made.
    pub threads: AtomicUsize,
}

impl Process {
    #[must_use]
    pub fn new(mm: Mm, engine: Arc<Engine>, options: Options, image: Image) -> Process {
        Process {
            mm,
            engine,
            options: Arc::new(options),
            image: Arc::new(image),
            signals: Actions::inherit(),
            pid: AtomicI32::new(host_pid()),
            threads: AtomicUsize::new(1),
        }
    }

    #[must_use]
    pub fn pid(&self) -> i32 {
        self.pid.load(Ordering::Relaxed)
    }
}

fn host_pid() -> i32 {
    // getpid cannot fail.
    host::syscall(nr::getpid, [0; 6]).unwrap_or(0) as i32
}
