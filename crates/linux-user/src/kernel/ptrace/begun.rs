//! A signal that arrives while a task stands where it entered a call, stopped for its tracer.
//!
//! The kernel makes that call when the tracer lets the task go on: with the signal there already, what would sleep
//! ends at once. Here the call is not made at all ([`crate::host::interruptible`]), so it has to be told from its
//! arguments whether it would have slept, and what it would have given. Without a tracer nobody can tell such a signal from
//! one before the call.

use super::kernel::{self, P_ALL, P_PGID, P_PID};
use super::tracee::{RESTART_BLOCK, RESTART_NO_HANDLER};
use crate::host;
use crate::syscall::arg::{read, write};
use crate::syscall::row;
use crate::task::Task;
use guest::GuestAddr;
use linux_abi::flags::{MSG_DONTWAIT, POLLIN, POLLOUT, WEXITED};

const TIMER_ABSTIME: u64 = 1;
/// Of futex(2): FUTEX_WAIT, FUTEX_WAIT_BITSET, and what the operation is without FUTEX_PRIVATE_FLAG and its like.
const WAIT: u64 = 0;
const WAIT_BITSET: u64 = 9;
const OPERATION: u64 = 0x7f;

/// The kernel's private error for the call that the task was to make, `None` if it does not sleep, or nobody knows: then
/// the call is as good as not begun.
pub(super) fn interrupted(task: &Task) -> Option<i32> {
    let regs = &task.cpu.state().x[..6];
    let sleeps = match row(task.trace.call as u32 as u64)?.name {
        // They look for signals before they say that the time is over.
        "ppoll" | "pselect6" | "epoll_pwait" | "epoll_pwait2" => return Some(RESTART_NO_HANDLER),
        "nanosleep" => return slept(regs[0], regs[1]),
        "clock_nanosleep" if regs[1] & TIMER_ABSTIME != 0 => return Some(RESTART_NO_HANDLER),
        "clock_nanosleep" => return slept(regs[2], regs[3]),
        "futex" if matches!(regs[1] & OPERATION, WAIT | WAIT_BITSET) => {
            let is_so = read::<u32>(GuestAddr(regs[0])) == Ok(regs[2] as u32);
            if is_so && regs[3] != 0 {
                return Some(RESTART_BLOCK);
            }
            is_so
        }
        "read" | "readv" | "accept" | "accept4" => waits(regs[0], POLLIN, 0),
        "recvfrom" => waits(regs[0], POLLIN, regs[3]),
        "recvmsg" => waits(regs[0], POLLIN, regs[2]),
        "write" | "writev" => waits(regs[0], POLLOUT, 0),
        "sendto" => waits(regs[0], POLLOUT, regs[3]),
        "sendmsg" => waits(regs[0], POLLOUT, regs[2]),
        "wait4" => {
            let whom = match regs[0] as i32 {
                -1 => [P_ALL, 0],
                pid @ 1.. => [P_PID, pid as u64],
                group => [P_PGID, u64::from(group.unsigned_abs())],
            };
            regs[2] & kernel::WNOHANG == 0 && kernel::has_none_yet(whom, regs[2] | WEXITED)
        }
        "waitid" => regs[3] & kernel::WNOHANG == 0 && kernel::has_none_yet([regs[0], regs[1]], regs[3]),
        _ => false,
    };
    sleeps.then_some(host::ERESTART.0)
}

/// All the time is left.
fn slept(request: u64, left: u64) -> Option<i32> {
    let request = read::<[u64; 2]>(GuestAddr(request)).ok()?;
    if request[0] > i64::MAX as u64 || request[1] >= 1_000_000_000 || request == [0, 0] {
        return None;
    }
    if left != 0 {
        write(GuestAddr(left), &request).ok()?;
    }
    Some(RESTART_BLOCK)
}

fn waits(fd: u64, events: u64, flags: u64) -> bool {
    flags & MSG_DONTWAIT == 0 && kernel::would_wait(fd as i32, events)
}
