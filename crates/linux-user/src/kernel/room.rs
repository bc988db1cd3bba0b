//! Opening files where the descriptor table is full, or RLIMIT_NOFILE leaves no number: execve(2) needs none for the
//! program that it starts, but the emulator has to read it.
//!
//! [`with_room`] has the work done by a process of a moment that shares memory, with a descriptor table and limits of its
//! own; the caller's stay as they are. The calling thread sleeps meanwhile, as the parent of a vfork child does. What
//! the work maps stays; what it opens is gone with it.

use super::clone::{CLONE_FS, CLONE_SIGHAND, CLONE_VFORK, CLONE_VM, CloneArgs, Request};
use super::vfork::ChildStack;
use crate::host;
use crate::signal::set::SYNC_SET;
use linux_abi::layout::Rlimit;
use linux_abi::{Errno, OpenFlags, flags};
use std::ffi::c_void;

/// Numbers that loading a program takes at most: its file, its interpreter's, and what is looked up besides.
const NEEDED: u64 = 4;

/// Whether no descriptor can be opened.
#[must_use]
pub fn is_full() -> bool {
    let open = OpenFlags::O_PATH.union(OpenFlags::O_CLOEXEC).to_host();
    match host::openat(flags::AT_FDCWD, c"/", open, 0) {
        Ok(fd) => {
            // Just opened.
            let _ = host::close(fd as i32);
            false
        }
        Err(error) => error == Errno::EMFILE,
    }
}

struct Start<'a> {
    work: &'a mut dyn FnMut(),
    keep: &'a [i32],
}

/// Does `work` where descriptors can be opened; all of the caller's are there, but perhaps some that are not in
/// `keep`. To be called where [`is_full`], by a thread whose thread-local storage nobody else uses meanwhile.
///
/// # Errors
/// The kernel's for a new process.
pub fn with_room<R>(keep: &[i32], work: impl FnOnce() -> R) -> Result<R, Errno> {
    let stack = ChildStack::new()?;
    let mut work = Some(work);
    let mut result = None;
    let mut once = || result = work.take().map(|work| work());
    let mut start = Start {
        work: &mut once,
        keep,
    };
    let request = Request {
        args: CloneArgs {
            flags: CLONE_VM | CLONE_FS | CLONE_SIGHAND | CLONE_VFORK,
            ..CloneArgs::default()
        },
        sp: 0,
        extended: false,
        sleeps: true,
        guest_parent_tid: None,
    };
    // A signal to the process group would be handled twice, the second time in the caller's name.
    let mask = host::rt_sigprocmask(Some(!SYNC_SET))?;
    // SAFETY: CLONE_VFORK keeps this thread, and so `start`, as they are.
    let child = unsafe { stack.start(&request, run, (&raw mut start).cast()) };
    if let Ok(pid) = child {
        host::wait_for_clone(pid as i32);
    }
    host::rt_sigprocmask(Some(mask))?;
    child?;
    // It has been killed.
    result.ok_or(Errno::EMFILE)
}

extern "C" fn run(start: *mut c_void) -> ! {
    // SAFETY: `with_room` passes its own, which stays as long as this process shares memory.
    let start = unsafe { &mut *start.cast::<Start<'_>>() };
    make_room(start.keep);
    (start.work)();
    loop {
        let _ = host::exit_group(0);
    }
}

/// By a higher limit where that may be; else a few descriptors have to go.
fn make_room(keep: &[i32]) {
    if let Ok(limit) = host::prlimit(flags::RLIMIT_NOFILE, None) {
        let higher = limit.rlim_max.max(limit.rlim_cur.saturating_add(NEEDED));
        let raise = |hard| {
            host::prlimit(
                flags::RLIMIT_NOFILE,
                Some(&Rlimit {
                    rlim_cur: hard,
                    rlim_max: hard,
                }),
            )
        };
        // The first needs privileges, where it asks for more than the hard limit.
        let _ = raise(higher).or_else(|_| raise(limit.rlim_max));
    }
    let mut next = (0..).filter(|fd| !keep.contains(fd));
    for _ in 0..NEEDED {
        if !is_full() {
            return;
        }
        if let Some(fd) = next.next() {
            // If it was not open, the limit is below it and the next is no better.
            let _ = host::close(fd);
        }
    }
}
