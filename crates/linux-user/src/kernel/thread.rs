//! Threads: their start and end, robust lists.

use super::clone::{
    CLONE_CHILD_SETTID, CLONE_FILES, CLONE_FS, CLONE_PARENT_SETTID, CLONE_SIGHAND, CLONE_VM, Request,
};
use super::process::Process;
use super::run;
use super::stop::{self, Boundary};
use super::task::Task;
use crate::mm::own;
use crate::signal::libc_threads;
use crate::signal::set::SYNC_SET;
use crate::signal::thread::set_host_mask;
use crate::syscall::arg::guard::strip;
use crate::syscall::arg::{read, write};
use crate::{host, log};
use guest::GuestAddr;
use guest_memory::access;
use host_memory::lock::Answer;
use linux_abi::flags::{CLONE_NEWPID, CLONE_NEWUSER};
use linux_abi::nr::x86_64 as nr;
use linux_abi::{Errno, SysResult};
use std::sync::Arc;

/// Host stack of a guest thread: translation and system calls run on it, guest code does not. With its guard page it fills
/// what the area hands out.
pub const HOST_STACK_SIZE: usize = 508 << 10;

const FUTEX_WAKE: u64 = 1;
const FUTEX_WAITERS: u32 = 0x8000_0000;
const FUTEX_OWNER_DIED: u32 = 0x4000_0000;
const FUTEX_TID_MASK: u32 = 0x3fff_ffff;
const ROBUST_LIST_LIMIT: usize = 2048;
/// sizeof(struct robust_list_head).
pub const ROBUST_LIST_HEAD_SIZE: u64 = 24;

/// Starts a thread of the calling process.
///
/// # Errors
/// EINVAL for flags a thread cannot have, EAGAIN, ENOMEM.
pub fn start(task: &mut Task, request: Request) -> SysResult {
    let flags = request.flags();
    let numbers = request.numbers()?;
    if flags & (CLONE_VM | CLONE_SIGHAND) != CLONE_VM | CLONE_SIGHAND
        || flags & (CLONE_NEWUSER | CLONE_NEWPID) != 0
    {
        return Err(Errno::EINVAL);
    }
    // A child of vfork has no host process structure that libc could add a thread to.
    if task.process.shares_memory() {
        return Err(Errno::EAGAIN);
    }
    // The new thread inherits the closed mask, and opens it when it can take signals.
    task.signals.close()?;
    let result = spawn(task, request, numbers);
    task.signals.open();
    result
}

fn spawn(task: &mut Task, request: Request, numbers: Vec<i32>) -> SysResult {
    let started = Arc::new(Answer::default());
    let ready = Arc::clone(&started);
    let seed = task.seed();
    let process = Arc::clone(&task.process);
    process.tasks.starting();
    let body = move || match chosen(&numbers).and_then(|()| seed.grow()) {
        Ok(thread) => live(thread, &request, ready),
        Err(errno) => {
            process.tasks.failed();
            ready.give(-errno.0);
        }
    };
    if host_thread(&task.process, body).is_err() {
        task.process.tasks.failed();
        return Err(Errno::EAGAIN);
    }
    // The thread always answers before it ends.
    match started.wait() {
        errno @ ..=0 => Err(Errno(-errno)),
        tid => Ok(tid as u64),
    }
}

/// Takes the numbers that the guest has chosen for its thread, if it has.
fn chosen(numbers: &[i32]) -> Result<(), Errno> {
    if numbers.is_empty() {
        return Ok(());
    }
    let errno = |error: std::io::Error| Errno(error.raw_os_error().unwrap_or(Errno::EPERM.0));
    host_memory::renumber(numbers).map_err(errno)
}

/// Starts a host thread, which has all signals blocked until it opens its mask. The calling
/// thread has closed its own.
///
/// # Errors
/// EAGAIN.
pub fn host_thread(process: &Process, body: impl FnOnce() + Send + 'static) -> Result<(), Errno> {
    log::note_threads(true);
    let first = libc_threads::announce();
    let body = move || {
        // The C library unblocks signal 32 in each thread of its own.
        set_host_mask(!SYNC_SET);
        body();
    };
    let started = match process.tenancy() {
        Some(tenancy) => tenancy.start(HOST_STACK_SIZE, body),
        None => host_memory::thread::start(HOST_STACK_SIZE, body),
    };
    if first {
        process.signals.reclaim();
        set_host_mask(!SYNC_SET);
    }
    started.map_err(|_| Errno::EAGAIN)
}

/// The whole life of a guest thread, on its host thread.
fn live(mut task: Task, request: &Request, ready: Arc<Answer>) {
    let flags = request.flags();
    let unshared = (CLONE_FS | CLONE_FILES) & !flags;
    if unshared != 0 {
        // Fails only for want of memory.
        let _ = host::unshare(unshared);
    }
    request.prepare(task.cpu.state_mut());
    task.state = request.inherited(&task.state);
    task.process.tasks.running(task.tid, task.cpu.poll_handle());
    task.process.filters.begin(task.tid, task.state.seccomp.filters());
    let args = request.args();
    // The kernel ignores bad pointers in these places, too.
    if flags & CLONE_PARENT_SETTID != 0 {
        let _ = write(GuestAddr(args.parent_tid), &task.tid);
    }
    if flags & CLONE_CHILD_SETTID != 0 {
        let _ = write(GuestAddr(args.child_tid), &task.tid);
    }
    ready.give(task.tid);
    drop(ready);
    task.attach();
    stop::raise(&mut task, &Boundary::Started(None));
    let _ = run::run_task(&mut task);
    end(task);
}

/// Ends a thread while others of its process go on. Last of all the joiner is woken: it
/// may free the thread's memory, or expect that the thread is gone.
pub fn end(mut task: Task) {
    task.detach();
    let clear_child_tid = leave(&mut task);
    drop(task);
    wake_joiner(clear_child_tid);
}

/// As [`end`], of a thread whose task is still needed.
pub(super) fn retire(task: &mut Task) {
    let clear_child_tid = leave(task);
    wake_joiner(clear_child_tid);
}

/// Gives up what the thread holds; gives what its joiner waits for.
fn leave(task: &mut Task) -> GuestAddr {
    walk_robust_list(task);
    // The kernel's own walk would come after the joiner was woken.
    let _ = host::forget_robust_list();
    task.process.tasks.ended(task.tid);
    task.process.filters.end(task.tid, task.state.seccomp.filters());
    std::mem::replace(&mut task.state.clear_child_tid, GuestAddr::NULL)
}

fn wake_joiner(clear_child_tid: GuestAddr) {
    if !clear_child_tid.is_null() && write(clear_child_tid, &0_i32).is_ok() {
        futex_wake(clear_child_tid);
    }
}

fn futex_wake(addr: GuestAddr) {
    // SAFETY: the kernel only looks for waiters at the address.
    let _ = unsafe { host::raw(nr::futex, [strip(addr.0), FUTEX_WAKE, 1, 0, 0, 0]) };
}

/// Marks the robust futexes of an ending thread (Linux kernel/futex/core.c, exit_robust_list).
fn walk_robust_list(task: &Task) {
    let head = task.state.robust_list;
    if head.is_null() {
        return;
    }
    let word = |addr: GuestAddr| read::<u64>(addr);
    let (Ok(first), Ok(offset), Ok(pending)) = (word(head), word(head.offset(8)), word(head.offset(16)))
    else {
        return;
    };
    let mut entry = first;
    for _ in 0..ROBUST_LIST_LIMIT {
        let address = entry & !1;
        if address == head.0 {
            break;
        }
        // Read on before the futex is given up: its owner may free it then.
        let next = word(GuestAddr(address));
        if address != pending & !1
            && !futex_death(
                task,
                GuestAddr(address.wrapping_add(offset)),
                entry & 1 != 0,
                false,
            )
        {
            return;
        }
        let Ok(next) = next else {
            return;
        };
        entry = next;
    }
    if pending & !1 != 0 {
        let address = GuestAddr((pending & !1).wrapping_add(offset));
        futex_death(task, address, pending & 1 != 0, true);
    }
}

/// handle_futex_death: false stops the walk.
fn futex_death(task: &Task, addr: GuestAddr, priority_inheriting: bool, pending: bool) -> bool {
    if !addr.0.is_multiple_of(4) || own::check(addr.0, 4).is_err() {
        return false;
    }
    loop {
        let Ok(value) = read::<u32>(addr) else {
            return false;
        };
        if pending && !priority_inheriting && value == 0 {
            futex_wake(addr);
            return true;
        }
        if value & FUTEX_TID_MASK != task.tid as u32 {
            return true;
        }
        let dead = (value & FUTEX_WAITERS) | FUTEX_OWNER_DIED;
        match access::compare_exchange(addr, 4, u64::from(value), u64::from(dead)) {
            Ok(found) if found == u64::from(value) => {
                if !priority_inheriting && value & FUTEX_WAITERS != 0 {
                    futex_wake(addr);
                }
                return true;
            }
            Ok(_) => {}
            Err(_) => return false,
        }
    }
}
