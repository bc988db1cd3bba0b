//! The registers of a process's other threads, when one of them dies.
//!
//! The dying thread names itself in [`DYING`] and sends each other a SIGTRAP. Its handler sees that, and has the thread
//! leave its run loop at the next boundary, as the threads of a tenant do ([`Recorded`](super::super::thread)); there it
//! leaves its registers ([`contribute`]) and stops for good. The end of the process takes it away.

use crate::host;
use crate::task::Task;
use guest::CpuState;
use linux_abi::nr::x86_64 as nr;
use std::ptr;
use std::sync::atomic::{AtomicI32, AtomicPtr, Ordering};
use std::time::{Duration, Instant};

/// How long the others have to come to a boundary.
pub const PATIENCE: Duration = Duration::from_secs(2);

/// The process that is dying: its number, so that a parent that shares memory is not meant. 0 for none.
static DYING: AtomicI32 = AtomicI32::new(0);

/// What the others left; a list that only grows.
static LEFT: AtomicPtr<Registers> = AtomicPtr::new(ptr::null_mut());

/// A thread as it was stopped.
pub struct Registers {
    pub tid: i32,
    pub state: CpuState,
    /// The guest's mask.
    pub mask: u64,
    pub tagged_addresses: u64,
    next: AtomicPtr<Registers>,
    process: i32,
}

impl Registers {
    #[must_use]
    pub fn of(task: &Task) -> Registers {
        Registers {
            tid: task.tid,
            state: task.cpu.state().clone(),
            mask: task.signals.mask(),
            tagged_addresses: task.state.tagged_addresses,
            next: AtomicPtr::new(ptr::null_mut()),
            process: host::getpid(),
        }
    }
}

/// Whether the calling thread's process is dying. For handlers: one load, nearly always.
#[inline]
pub fn are_wanted() -> bool {
    let dying = DYING.load(Ordering::Relaxed);
    dying != 0 && dying == host::getpid()
}

/// Leaves the registers of a thread that has left its run loop for this reason; it never returns then.
pub fn contribute(task: &Task) {
    if !are_wanted() {
        return;
    }
    let left = Box::into_raw(Box::new(Registers::of(task)));
    let mut first = LEFT.load(Ordering::Acquire);
    loop {
        // SAFETY: just made, and not published yet.
        unsafe { (*left).next.store(first, Ordering::Relaxed) };
        match LEFT.compare_exchange_weak(first, left, Ordering::AcqRel, Ordering::Acquire) {
            Ok(_) => break,
            Err(now) => first = now,
        }
    }
    stop();
}

/// Waits for the end of the process.
pub fn stop() -> ! {
    loop {
        std::thread::sleep(Duration::from_secs(1));
    }
}

/// Stops the other threads of the dying task's process; `None` if another does so already.
pub fn gather(task: &Task) -> Option<Vec<Registers>> {
    let pid = host::getpid();
    let before = DYING.swap(pid, Ordering::SeqCst);
    if before == pid {
        return None;
    }
    let others: Vec<i32> = task
        .process
        .tasks
        .numbers()
        .into_iter()
        .filter(|&tid| tid != task.tid)
        .collect();
    let began = Instant::now();
    // Again and again: one may have come to block just when it was told.
    while !others.is_empty() && left_by(pid).count() < others.len() && began.elapsed() < PATIENCE {
        for &tid in &others {
            if !left_by(pid).any(|left| left.tid == tid) {
                ask(pid, tid);
            }
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    let copies = left_by(pid).map(|left| Registers {
        tid: left.tid,
        state: left.state.clone(),
        mask: left.mask,
        tagged_addresses: left.tagged_addresses,
        next: AtomicPtr::new(ptr::null_mut()),
        process: pid,
    });
    let mut copies: Vec<Registers> = copies.collect();
    // In the order in which they began, as the kernel has them.
    copies.sort_by_key(|left| others.iter().position(|&tid| tid == left.tid));
    Some(copies)
}

fn left_by(process: i32) -> impl Iterator<Item = &'static Registers> {
    // SAFETY: null, or an entry, which is never freed.
    let first = unsafe { LEFT.load(Ordering::Acquire).as_ref() };
    std::iter::successors(first, |left| {
        // SAFETY: as above; `next` was written before the entry was published.
        unsafe { left.next.load(Ordering::Relaxed).as_ref() }
    })
    .filter(move |left| left.process == process)
}

fn ask(pid: i32, tid: i32) {
    // SAFETY: the call takes no address.
    let _ = unsafe {
        host::raw(
            nr::tgkill,
            [pid as u64, tid as u64, super::super::set::SIGTRAP as u64, 0, 0, 0],
        )
    };
}
