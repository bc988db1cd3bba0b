//! The log of -strace, -d and -D.
//!
//! The emulator has no descriptor of its own open while the guest runs, and so none of it either. Lines for standard error
//! go to descriptor 2, as long as that is the file it was at the start; those for another file, and for a terminal
//! or file that the guest has taken descriptor 2 away from, open it by its name for each write. Where other
//! threads run meanwhile, a short-lived thread with a table of descriptors of its own does that (no CLONE_FILES), so that
//! none of them sees the descriptor, nor gets a number that it would not have got.
//!
//! What cannot be opened again (a file deleted, or out of reach after chroot or setuid; a pipe that the guest has closed)
//! gets no more lines. A guest never stops for its log.
//!
//! # Safety
//! One thread, which makes system calls alone, on a stack that its maker keeps until the kernel has said that it is gone.
#![allow(unsafe_code)]

use crate::host::{self, Fcntl};
use crate::kernel::vfork::raemu_clone_shared;
use linux_abi::errno::from_register;
use linux_abi::flags::AT_FDCWD;
use linux_abi::nr::x86_64 as nr;
use linux_abi::{Errno, SysResult};
use std::ffi::{CString, c_void};
use std::os::unix::ffi::OsStrExt;
use std::path::{self, Path};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

/// The process has, or had, more than one thread.
static THREADED: AtomicBool = AtomicBool::new(false);

/// To be called when a thread is started (true), and in a process that has one again.
pub fn note_threads(threaded: bool) {
    THREADED.store(threaded, Ordering::Relaxed);
}

/// What tells one open file from another.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Identity {
    device: u64,
    inode: u64,
    mode: u32,
}

impl Identity {
    fn of(fd: i32) -> Option<Identity> {
        let stat = host::fstat(fd).ok()?;
        Some(Identity {
            device: stat.st_dev,
            inode: stat.st_ino,
            mode: stat.st_mode & libc::S_IFMT,
        })
    }
}

/// Where the lines go.
#[derive(Debug)]
pub struct Log {
    /// `None`: nowhere, as standard error was closed.
    file: Option<Identity>,
    is_standard_error: bool,
    /// The name to open it by.
    path: Option<CString>,
}

impl Log {
    /// Descriptor 2, as it is now.
    #[must_use]
    pub fn standard_error() -> Log {
        Log {
            file: Identity::of(2),
            is_standard_error: true,
            path: name_of(2),
        }
    }

    /// The file that is open as `fd`, which is not used later; `path` is what the user calls it.
    #[must_use]
    pub fn file(fd: i32, path: &Path) -> Log {
        let named = || CString::new(path::absolute(path).ok()?.as_os_str().as_bytes()).ok();
        Log {
            file: Identity::of(fd),
            is_standard_error: false,
            path: name_of(fd).or_else(named),
        }
    }

    /// Writes all of `text`, or what can be written.
    pub fn write(&self, text: &str) {
        let Some(file) = self.file else {
            return;
        };
        if self.is_standard_error && Identity::of(2) == Some(file) {
            write_all(2, text.as_bytes());
        } else if let Some(path) = &self.path {
            let mut write = || write_by_name(path, file, text.as_bytes());
            if !THREADED.load(Ordering::Relaxed) || beside(&mut write).is_err() {
                write();
            }
        }
    }
}

/// The name of an open file, if it has one.
fn name_of(fd: i32) -> Option<CString> {
    let target = std::fs::read_link(format!("/proc/self/fd/{fd}")).ok()?;
    let target = CString::new(target.as_os_str().as_bytes()).ok()?;
    target.as_bytes().starts_with(b"/").then_some(target)
}

/// System calls alone: see [`beside`].
fn write_by_name(path: &CString, file: Identity, bytes: &[u8]) {
    let mut flags = libc::O_WRONLY | libc::O_APPEND | libc::O_CLOEXEC | libc::O_NOCTTY;
    let is_fifo = file.mode == libc::S_IFIFO;
    if is_fifo {
        // It need not have a reader.
        flags |= libc::O_NONBLOCK;
    }
    let Ok(fd) = host::openat(AT_FDCWD, path, flags as u64, 0) else {
        return;
    };
    let fd = fd as i32;
    if Identity::of(fd) == Some(file) {
        if is_fifo {
            let _ = host::fcntl(fd, Fcntl::SetStatusFlags(0));
        }
        write_all(fd, bytes);
    }
    let _ = host::close(fd);
}

fn write_all(fd: i32, mut bytes: &[u8]) {
    while !bytes.is_empty() {
        match host::write(fd, bytes) {
            Ok(count) if count > 0 => bytes = &bytes[(count as usize).min(bytes.len())..],
            Err(Errno::EINTR) => {}
            // A log nobody reads must not stop the guest.
            Ok(_) | Err(_) => return,
        }
    }
}

/// Calls `act` on a thread with its own table of descriptors, and waits for it. `act` makes system calls and nothing
/// else: the thread uses the caller's thread-local storage.
///
/// # Errors
/// When the kernel makes no thread.
fn beside(act: &mut dyn FnMut()) -> SysResult {
    const FLAGS: i32 = libc::CLONE_VM
        | libc::CLONE_FS
        | libc::CLONE_SIGHAND
        | libc::CLONE_THREAD
        | libc::CLONE_SYSVSEM
        | libc::CLONE_PARENT_SETTID
        | libc::CLONE_CHILD_CLEARTID;
    const STACK_WORDS: usize = 2048;
    let mut stack = [0_u128; STACK_WORDS / 2];
    let mut act = act;
    let words: *mut u64 = stack.as_mut_ptr().cast();
    // What it finds: the function, its argument. The return address slot keeps the stack aligned at the call.
    let top = words.wrapping_add(STACK_WORDS - 4);
    // SAFETY: within the array.
    unsafe { top.write(act_and_exit as *const () as u64) };
    // SAFETY: as above.
    unsafe { top.add(1).write((&raw mut act) as u64) };
    let tid = AtomicU32::new(0);
    let tid_address = tid.as_ptr() as u64;
    let args = [FLAGS as u64, top as u64, tid_address, tid_address, 0, 0];
    // No handler must run on that stack.
    let mask = host::rt_sigprocmask(Some(u64::MAX))?;
    // SAFETY: stack, `act` and `tid` stay until the thread is gone, which is waited for.
    let made = from_register(unsafe { raemu_clone_shared(nr::clone, &raw const args) });
    if made.is_ok() {
        loop {
            let now = tid.load(Ordering::Acquire);
            if now == 0 {
                break;
            }
            let wait = [tid_address, libc::FUTEX_WAIT as u64, u64::from(now), 0, 0, 0];
            // SAFETY: the kernel reads the word, and waits while it is as it was.
            let _ = unsafe { host::raw(nr::futex, wait) };
        }
    }
    let _ = host::rt_sigprocmask(Some(mask));
    made
}

extern "C" fn act_and_exit(act: *mut c_void) -> ! {
    // SAFETY: `beside` passes its own, and waits.
    let act = unsafe { &mut *act.cast::<&mut dyn FnMut()>() };
    act();
    loop {
        // SAFETY: ends this thread, which owns nothing.
        let _ = unsafe { host::raw(nr::exit, [0; 6]) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::{self, File, OpenOptions};
    use std::os::fd::{AsRawFd, OwnedFd};

    fn scratch(name: &str) -> std::path::PathBuf {
        std::env::temp_dir().join(format!("raemu-log-{}-{name}", std::process::id()))
    }

    #[test]
    fn a_thread_beside_has_descriptors_of_its_own() {
        let mut opened = -1;
        let mut act = || {
            opened = host::openat(AT_FDCWD, c"/dev/null", 0, 0).map_or(-1, |fd| fd as i32);
            // Not closed: it goes with the table.
            let moved = host::dup3(opened as u64, 700, 0);
            assert_eq!(moved, Ok(700));
        };
        beside(&mut act).expect("a thread");
        assert!(opened >= 0);
        assert_eq!(host::fstat(700).err(), Some(Errno::EBADF));
    }

    #[test]
    fn lines_go_to_the_file_that_was_opened_and_no_other() {
        let path = scratch("file");
        let file = OpenOptions::new()
            .append(true)
            .create(true)
            .open(&path)
            .expect("writable");
        let log = Log::file(file.as_raw_fd(), &path);
        drop(OwnedFd::from(file));
        log.write("one\n");
        note_threads(true);
        log.write("two\n");
        note_threads(false);
        assert_eq!(fs::read_to_string(&path).expect("readable"), "one\ntwo\n");
        // Another file of that name is not the log.
        let kept = File::open(&path).expect("readable");
        fs::remove_file(&path).expect("its own");
        fs::write(&path, "other\n").expect("writable");
        log.write("three\n");
        assert_eq!(fs::read_to_string(&path).expect("readable"), "other\n");
        drop(kept);
        fs::remove_file(&path).expect("its own");
    }
}
