//! Signal calls. Sending is the host's; masks, dispositions and stacks are the task's.

use super::arg::{
    In, Reads, SigActIn, SigActOut, SigHow, SigSetIn, SigSetOut, Signal, Size, Writes, read, write,
    write_bytes,
};
use crate::host;
use crate::signal::action::SigAction;
use crate::signal::altstack::{self, AltStack};
use crate::signal::deliver;
use crate::signal::set::{NSIG, SigSet, UNBLOCKABLE, bit};
use crate::task::Task;
use guest::GuestAddr;
use linux_abi::layout::Timespec;
use linux_abi::nr::x86_64 as nr;
use linux_abi::{Errno, SysResult, flags};
use zerocopy::{FromBytes, Immutable, IntoBytes};

/// sizeof(sigset_t) in the kernel.
pub const SIGSET_SIZE: u64 = 8;

/// stack_t.
#[derive(Clone, Copy, FromBytes, IntoBytes, Immutable)]
#[repr(C)]
struct StackT {
    ss_sp: u64,
    ss_flags: u32,
    pad: u32,
    ss_size: u64,
}

fn check_size(size: Size) -> Result<(), Errno> {
    if size.0 == SIGSET_SIZE {
        Ok(())
    } else {
        Err(Errno::EINVAL)
    }
}

/// rt_sigaction(2).
pub fn rt_sigaction(task: &mut Task, signal: Signal, act: SigActIn, old: SigActOut, size: Size) -> SysResult {
    check_size(size)?;
    let new: Option<SigAction> = if act.0.is_null() { None } else { Some(read(act.0)?) };
    let signal = signal.0;
    if !(1..=NSIG).contains(&signal) || (new.is_some() && UNBLOCKABLE & bit(signal) != 0) {
        return Err(Errno::EINVAL);
    }
    let before = match new {
        Some(action) => {
            if action.sees_faults(signal) {
                task.process.engine.keep_flags_exact();
            }
            task.process.signals.set(signal, action)
        }
        None => task.process.signals.get(signal),
    };
    if !old.0.is_null() {
        write(old.0, &before)?;
    }
    Ok(0)
}

/// rt_sigprocmask(2).
pub fn rt_sigprocmask(task: &mut Task, how: SigHow, set: SigSetIn, old: SigSetOut, size: Size) -> SysResult {
    check_size(size)?;
    let before = task.signals.mask();
    if !set.0.is_null() {
        let set: SigSet = read(set.0)?;
        let mask = match u64::from(how.0 as u32) {
            flags::SIG_BLOCK => before | set,
            flags::SIG_UNBLOCK => before & !set,
            flags::SIG_SETMASK => set,
            _ => return Err(Errno::EINVAL),
        };
        if mask & !UNBLOCKABLE != before {
            task.signals.set_mask(mask)?;
        }
    }
    if !old.0.is_null() {
        write(old.0, &before)?;
    }
    Ok(0)
}

/// rt_sigpending(2).
pub fn rt_sigpending(task: &mut Task, set: SigSetOut, size: Size) -> SysResult {
    if size.0 > SIGSET_SIZE {
        return Err(Errno::EINVAL);
    }
    let mut pending: SigSet = host::rt_sigpending()?;
    // While a recorded signal waits, the host blocks more than the guest does.
    pending = (pending | task.signals.held()) & task.signals.mask();
    if size.0 == 0 {
        // Nothing is written, wherever that is.
        return Ok(0);
    }
    let bytes = pending.to_le_bytes();
    write_bytes(set.0, &bytes[..size.0 as usize])?;
    Ok(0)
}

/// rt_sigsuspend(2).
pub fn rt_sigsuspend(task: &mut Task, set: SigSetIn, size: Size) -> SysResult {
    check_size(size)?;
    let mask: SigSet = read(set.0)?;
    task.under_mask(mask, |task, [mask, size]| {
        // SAFETY: the kernel reads eight bytes, which the mask is.
        unsafe { task.interruptible(nr::rt_sigsuspend, [mask, size, 0, 0, 0, 0]) }
    })
}

/// rt_sigtimedwait(2).
pub fn rt_sigtimedwait(
    task: &mut Task,
    set: SigSetIn,
    info: Writes<128>,
    timeout: In<Timespec>,
    size: Size,
) -> SysResult {
    check_size(size)?;
    let wanted: SigSet = read(set.0)?;
    if let Some(held) = task.signals.take_held(wanted) {
        if !info.0.is_null() {
            write_bytes(info.0, &held.to_bytes())?;
        }
        return Ok(held.signal() as u64);
    }
    let args = [
        (&raw const wanted) as u64,
        info.passed(),
        timeout.passed(),
        SIGSET_SIZE,
        0,
        0,
    ];
    // SAFETY: the set is ours, information and timeout are guarded.
    unsafe { task.interruptible(nr::rt_sigtimedwait, args) }
}

/// sigaltstack(2).
pub fn sigaltstack(task: &mut Task, new: Reads<24>, old: Writes<24>) -> SysResult {
    let sp = task.cpu.state().sp();
    let before = task.state.altstack.seen_from(sp);
    if !new.0.is_null() {
        let new: StackT = read(new.0)?;
        let new = AltStack {
            sp: new.ss_sp,
            size: new.ss_size,
            flags: new.ss_flags,
        };
        altstack::set(&mut task.state.altstack, new, sp)?;
    }
    if !old.0.is_null() {
        let before = StackT {
            ss_sp: before.sp,
            ss_flags: before.flags,
            pad: 0,
            ss_size: before.size,
        };
        write(old.0, &before)?;
    }
    Ok(0)
}

/// rt_sigreturn(2).
pub fn rt_sigreturn(task: &mut Task) -> SysResult {
    deliver::sigreturn(task)
}

/// Reads the mask argument of ppoll(2) and its like.
///
/// # Errors
/// EINVAL for another size of set, EFAULT.
pub fn read_mask(mask: GuestAddr, size: u64) -> Result<SigSet, Errno> {
    if size != SIGSET_SIZE {
        return Err(Errno::EINVAL);
    }
    read(mask)
}
