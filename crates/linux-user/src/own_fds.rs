//! Descriptors that the emulator has open while the guest runs: the log's, and so none without a log. They are
//! high and closed on exec. A call that is given one answers EBADF, close_range leaves them out, and a listing of
//! /proc/PID/fd does not show them.

use crate::host;
use linux_abi::nr::x86_64 as nr;
use linux_abi::{Errno, SysResult, flags};
use std::sync::atomic::{AtomicI32, AtomicUsize, Ordering};

const CAPACITY: usize = 8;
/// Above what programs use, below the customary limit of 1024.
const HIGH: u64 = 1000;

static FDS: [AtomicI32; CAPACITY] = [const { AtomicI32::new(-1) }; CAPACITY];
static COUNT: AtomicUsize = AtomicUsize::new(0);

/// Duplicates `fd` to a high close-on-exec descriptor that the guest cannot close.
///
/// # Errors
/// The host's; EMFILE beyond the capacity.
pub fn adopt(fd: i32) -> Result<i32, Errno> {
    let at = |lowest: u64| -> SysResult {
        // SAFETY: the argument of this command is a number.
        unsafe { host::raw(nr::fcntl, [fd as u64, flags::F_DUPFD_CLOEXEC, lowest, 0, 0, 0]) }
    };
    // A limit below that: as high as it gets.
    let high = at(HIGH).or_else(|_| at(100)).or_else(|_| at(3))? as i32;
    let slot = COUNT.fetch_add(1, Ordering::AcqRel);
    match FDS.get(slot) {
        Some(entry) => {
            entry.store(high, Ordering::Release);
            crate::syscall::watch_calls();
            Ok(high)
        }
        None => {
            COUNT.store(CAPACITY, Ordering::Release);
            // SAFETY: the call takes no address.
            unsafe { host::raw(nr::close, [high as u64, 0, 0, 0, 0, 0]) }?;
            Err(Errno::EMFILE)
        }
    }
}

/// Whether there are any.
#[must_use]
pub fn any() -> bool {
    COUNT.load(Ordering::Acquire) > 0
}

/// Whether `fd` is the emulator's.
#[must_use]
pub fn contains(fd: i32) -> bool {
    let count = COUNT.load(Ordering::Acquire).min(CAPACITY);
    fd >= 0
        && FDS[..count]
            .iter()
            .any(|entry| entry.load(Ordering::Acquire) == fd)
}

/// All of them, ascending.
#[must_use]
pub fn sorted() -> Vec<i32> {
    let count = COUNT.load(Ordering::Acquire).min(CAPACITY);
    let mut fds: Vec<i32> = FDS[..count]
        .iter()
        .map(|entry| entry.load(Ordering::Acquire))
        .filter(|&fd| fd >= 0)
        .collect();
    fds.sort_unstable();
    fds
}
