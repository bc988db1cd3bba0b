//! Supervised calls (SECCOMP_RET_USER_NOTIF): listener, waiting and the supervisor's death are the host's kernel's.
//!
//! A filter with a listener has the host install one as well, whose listener the guest gets. It asks about one call
//! alone, getpgrp(2): arm64 has none, the emulator makes none, and it takes no arguments. A call of the guest's that is to be
//! supervised is a getpgrp with the guest's arguments, made from one of a page of stubs: the instruction pointer
//! tells which call it is. The supervisor's ioctls have number, architecture and program counter put right.
//!
//! A supervisor that lets a call continue would have getpgrp made, whose result could be any. So its emulator answers
//! with [`CONTINUE`] instead, and the other one makes the call then.

use super::filter::AUDIT_ARCH_AARCH64;
use crate::host;
use crate::kernel::task::Task;
use crate::syscall::arg::guard::passed;
use crate::syscall::arg::{Regs, read, write};
use guest::GuestAddr;
use linux_abi::nr::x86_64 as nr;
use linux_abi::{Errno, SysResult};
use std::sync::atomic::{AtomicU64, Ordering};

/// What a supervisor's emulator answers for "continue".
const CONTINUE: u64 = 0x7261_656d_7563_6f6e;

/// The requests of a listener (linux/seccomp.h).
pub const SECCOMP_IOCTL_NOTIF_RECV: u64 = 0xc050_2100;
pub const SECCOMP_IOCTL_NOTIF_SEND: u64 = 0xc018_2101;

const SECCOMP_USER_NOTIF_FLAG_CONTINUE: u32 = 1;
const AUDIT_ARCH_X86_64: u32 = 0xc000_003e;

/// sizeof(struct seccomp_notif), sizeof(struct seccomp_notif_resp).
pub(super) const NOTIFICATION_SIZE: u16 = 80;
pub(super) const RESPONSE_SIZE: u16 = 24;

/// Offsets in struct seccomp_notif.
const PID: i64 = 8;
const NR: i64 = 16;
const ARCH: i64 = 20;
const INSTRUCTION_POINTER: i64 = 24;
/// Offsets in struct seccomp_notif_resp.
const FLAGS: i64 = 20;

/// Where the guest's program counter stands while its call is supervised, by the number of its thread.
static COUNTERS: [AtomicU64; 64] = [const { AtomicU64::new(0) }; 64];

/// Has a supervisor decide on a call; `None` if it is to be made.
pub(super) fn ask(task: &mut Task, number: u64, regs: &Regs) -> Option<SysResult> {
    let pc = task.cpu.state().pc;
    COUNTERS[task.tid as usize % COUNTERS.len()].store(pc, Ordering::SeqCst);
    let args = std::array::from_fn(|at| regs[at]);
    let result = host::supervised(task.signals.pending(), nr::getpgrp, number as u32, args);
    (result != Ok(CONTINUE)).then_some(result)
}

/// The supervisor's ioctl(2) with these requests.
///
/// # Errors
/// The kernel's.
pub fn ioctl(task: &mut Task, fd: i32, request: u64, arg: u64) -> SysResult {
    match request {
        SECCOMP_IOCTL_NOTIF_RECV => receive(task, fd, arg),
        _ => send(task, fd, arg),
    }
}

fn receive(task: &mut Task, fd: i32, arg: u64) -> SysResult {
    let args = [
        fd as u64,
        SECCOMP_IOCTL_NOTIF_RECV,
        passed(arg, u64::from(NOTIFICATION_SIZE)),
        0,
        0,
        0,
    ];
    // SAFETY: the kernel reads and writes a structure at an address that is not the emulator's.
    let result = unsafe { task.interruptible(nr::ioctl, args) }?;
    let at = GuestAddr(arg);
    let of_guest = read::<u32>(at.offset(ARCH))? == AUDIT_ARCH_X86_64
        && u64::from(read::<u32>(at.offset(NR))?) == nr::getpgrp;
    if of_guest {
        let stub = read::<u64>(at.offset(INSTRUCTION_POINTER))?;
        let pid = read::<i32>(at.offset(PID))?;
        write(at.offset(NR), &host::supervised_number(stub))?;
        write(at.offset(ARCH), &AUDIT_ARCH_AARCH64)?;
        write(at.offset(INSTRUCTION_POINTER), &counter_of(pid, stub))?;
    }
    Ok(result)
}

/// The guest's program counter in another process, whose emulator is this one elsewhere in memory; 0 if it may not be
/// looked at.
fn counter_of(tid: i32, stub: u64) -> u64 {
    let counter = &COUNTERS[tid as usize % COUNTERS.len()];
    let there = (counter.as_ptr() as u64).wrapping_add(host::supervised_offset(stub));
    let mut value = 0_u64;
    let size = size_of::<u64>() as u64;
    let (local, remote) = ([(&raw mut value) as u64, size], [there, size]);
    let args = [tid as u64, local.as_ptr() as u64, 1, remote.as_ptr() as u64, 1, 0];
    // SAFETY: the kernel writes eight bytes to `value`.
    let _ = unsafe { host::raw(nr::process_vm_readv, args) };
    value
}

fn send(task: &mut Task, fd: i32, arg: u64) -> SysResult {
    let at = GuestAddr(arg);
    let flags = read::<u32>(at.offset(FLAGS));
    let mut response = [0_u64; 3];
    let pointer = match flags {
        Ok(SECCOMP_USER_NOTIF_FLAG_CONTINUE) => {
            let (value, error) = (read::<u64>(at.offset(8))?, read::<u32>(at.offset(16))?);
            if value != 0 || error != 0 {
                return Err(Errno::EINVAL);
            }
            response[0] = read::<u64>(at)?;
            response[1] = CONTINUE;
            (&raw mut response) as u64
        }
        // What cannot be read is left to the kernel to refuse.
        Ok(_) | Err(_) => passed(arg, u64::from(RESPONSE_SIZE)),
    };
    // SAFETY: the kernel reads and writes a structure that is ours, or not the emulator's.
    unsafe { task.interruptible(nr::ioctl, [fd as u64, SECCOMP_IOCTL_NOTIF_SEND, pointer, 0, 0, 0]) }
}
