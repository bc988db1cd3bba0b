//! A thread's number of the caller's choice: clone3(2) takes one (set_tid), pthread_create(3) does not.
//!
//! A thread that the C library made starts another one that goes on in its place, with its stack and its thread-local
//! storage, and ends without touching either. To the C library it is the same thread: its record has the number that the
//! kernel wrote there, and the kernel clears it when the second one ends.
//!
//! # Safety
//! Between the two nothing may look at the calling thread from outside: it is new, and has its signals blocked.

use std::arch::asm;
use std::io;
use std::ptr;

/// struct clone_args, up to what is needed here.
#[repr(C)]
struct CloneArgs {
    flags: u64,
    pidfd: u64,
    child_tid: *mut i32,
    parent_tid: u64,
    exit_signal: u64,
    stack: u64,
    stack_size: u64,
    tls: u64,
    set_tid: *const i32,
    set_tid_size: u64,
}

const FLAGS: i32 = libc::CLONE_VM
    | libc::CLONE_FS
    | libc::CLONE_FILES
    | libc::CLONE_SIGHAND
    | libc::CLONE_THREAD
    | libc::CLONE_SYSVSEM
    | libc::CLONE_CHILD_SETTID
    | libc::CLONE_CHILD_CLEARTID;

/// Gives the calling thread, which has just begun and has its signals blocked, these numbers: the first in its own
/// namespace of processes, the next in that one's parent.
///
/// # Errors
/// The kernel's, and then it keeps its number.
pub fn renumber(numbers: &[i32]) -> io::Result<()> {
    const PR_GET_TID_ADDRESS: i32 = 40;
    let mut record: *mut i32 = ptr::null_mut();
    // SAFETY: the kernel writes an address, which `record` is.
    if unsafe { libc::prctl(PR_GET_TID_ADDRESS, &raw mut record) } != 0 {
        return Err(io::Error::last_os_error());
    }
    let args = CloneArgs {
        flags: FLAGS as u64,
        pidfd: 0,
        child_tid: record,
        parent_tid: 0,
        exit_signal: 0,
        stack: 0,
        stack_size: 0,
        tls: 0,
        set_tid: numbers.as_ptr(),
        set_tid_size: numbers.len() as u64,
    };
    // The end of the calling thread is not the end of the C library's.
    set_tid_address(ptr::null_mut());
    let mut result = libc::SYS_clone3;
    // SAFETY: both threads have this stack; the calling one runs on with registers alone, to its end.
    unsafe {
        asm!(
            "syscall",
            "test rax, rax",
            "jle 2f",
            "xor edi, edi",
            "mov eax, {exit}",
            "syscall",
            "ud2",
            "2:",
            exit = const libc::SYS_exit,
            inout("rax") result,
            inout("rdi") &raw const args => _,
            in("rsi") size_of::<CloneArgs>(),
            out("rcx") _,
            out("r11") _,
        );
    }
    if result == 0 {
        return Ok(());
    }
    set_tid_address(record);
    Err(io::Error::from_raw_os_error(-result as i32))
}

fn set_tid_address(record: *mut i32) {
    // SAFETY: the kernel clears it when the thread ends: the C library's own record, or nothing.
    unsafe { libc::syscall(libc::SYS_set_tid_address, record) };
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lock::Answer;
    use crate::thread;
    use std::sync::Arc;

    fn tid() -> i32 {
        // SAFETY: it takes no address.
        unsafe { libc::syscall(libc::SYS_gettid) as i32 }
    }

    /// A number that was a thread's a moment ago.
    fn free_number() -> i32 {
        let answer = Arc::new(Answer::default());
        let given = Arc::clone(&answer);
        thread::start(256 << 10, move || given.give(tid())).expect("a thread");
        answer.wait()
    }

    #[test]
    fn a_thread_takes_another_number_and_is_joined() {
        thread_local!(static LOCAL: std::cell::Cell<u64> = const { std::cell::Cell::new(5) });
        for _ in 0..100 {
            let wanted = free_number();
            let answer = Arc::new(Answer::default());
            let given = Arc::clone(&answer);
            thread::start(256 << 10, move || {
                LOCAL.set(6);
                let before = tid();
                given.give(match renumber(&[wanted]) {
                    Ok(()) => {
                        assert_eq!(LOCAL.get(), 6);
                        tid()
                    }
                    Err(error) => {
                        assert_eq!(tid(), before);
                        -error.raw_os_error().expect("the kernel's")
                    }
                });
            })
            .expect("a thread");
            let got = answer.wait();
            // Its own end may not be over yet; and only the privileged may choose.
            assert!(
                got == wanted || got == -libc::EEXIST || got == -libc::EPERM,
                "{got}"
            );
        }
    }
}
