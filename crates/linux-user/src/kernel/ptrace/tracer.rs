//! The tracer's side of a request: on a tracee that stands at a boundary, or is brought there.

use super::mailbox::{Mode, RANGES, at, changed, place};
use super::table::{Held, Tracee, host_options, own_identity};
use super::{event, kernel, mailbox, options, tracee, wait};
use crate::host;
use crate::seccomp::filter::AUDIT_ARCH_AARCH64;
use crate::signal::set::SIGTRAP;
use crate::task::Task;
use linux_abi::{Errno, SysResult, errno};
use zerocopy::FromBytes;

/// How long PTRACE_ATTACH and PTRACE_SEIZE wait for their tracee to know of it, in microseconds and tries. Sooner or later it
/// does: but until then others may wait for it, for which the tracer waits first.
const INTRODUCTION_PAUSE: u64 = 100;
const INTRODUCTION_TRIES: u32 = 2000;

/// The tracee with this number, which must be in a stop that its tracer may see.
///
/// # Errors
/// ESRCH.
pub fn stopped(task: &mut Task, tid: i32) -> Result<&mut Tracee, Errno> {
    let held = task.tracees.find(tid).is_some_and(|tracee| tracee.held.is_some());
    if !held {
        let seen = match kernel::peek_stop(tid) {
            Some(code) => wait::look_at(task, tid, code).is_some(),
            None => adopt(task, tid),
        };
        if !seen {
            return Err(Errno::ESRCH);
        }
    }
    let tracee = task.tracees.find(tid).ok_or(Errno::ESRCH)?;
    if tracee.held.is_some() {
        Ok(tracee)
    } else {
        Err(Errno::ESRCH)
    }
}

/// Finds a stop that was reported before this tracer executed its program: its tracees are still its own.
fn adopt(task: &mut Task, tid: i32) -> bool {
    if task.tracees.find(tid).is_some() {
        return false;
    }
    let Ok(info) = kernel::siginfo(tid) else {
        return false;
    };
    let tracee = task.tracees.add(tid, false);
    tracee.introduce();
    let stands = info.code() == mailbox::STOP_CODE && tracee.mailbox != 0 && tracee.read();
    if stands {
        tracee.mode = Mode::of(tracee.copy.told.resume);
        tracee.held = Some(Held::Guest);
    }
    tracee::look(task);
    stands
}

/// Who runs another executable is no program of this kernel's.
fn may_attach(task: &Task, tid: i32) -> Result<(), Errno> {
    if task.tracees.spares(tid) {
        return Err(Errno::ESRCH);
    }
    if super::table::runs_other(tid) {
        return Err(Errno::EPERM);
    }
    Ok(())
}

/// PTRACE_ATTACH.
pub fn attach(task: &mut Task, tid: i32) -> SysResult {
    may_attach(task, tid)?;
    kernel::request(kernel::ATTACH, tid, 0, 0)?;
    task.tracees.add(tid, false).attached = true;
    tracee::look(task);
    introduce_running(task, tid, || {});
    Ok(0)
}

/// PTRACE_SEIZE.
pub fn seize(task: &mut Task, tid: i32, asked: u64) -> SysResult {
    if asked & !u64::from(options::ALL) != 0 {
        return Err(Errno::EIO);
    }
    may_attach(task, tid)?;
    kernel::request(kernel::SEIZE, tid, 0, host_options(asked as u32))?;
    let tracee = task.tracees.add(tid, true);
    tracee.options = asked as u32;
    tracee::look(task);
    // Else it would run on, and its next event has to be seen.
    let interrupt = || {
        let _ = kernel::request(kernel::INTERRUPT, tid, 0, 0);
    };
    interrupt();
    introduce_running(task, tid, interrupt);
    Ok(0)
}

/// Tells a task that it has a tracer, where the host's kernel stops it; `stop_again` has it do so once more.
fn introduce_running(task: &mut Task, tid: i32, stop_again: impl Fn()) {
    for _ in 0..INTRODUCTION_TRIES {
        let Some(code) = kernel::peek_stop(tid) else {
            host::pause(INTRODUCTION_PAUSE);
            continue;
        };
        let _ = wait::look_at(task, tid, code);
        let Some(tracee) = task.tracees.find(tid) else {
            return;
        };
        if tracee.introduced || tracee.foreign || tracee.held.is_some() {
            return;
        }
        // A child that does not know itself yet.
        host::pause(INTRODUCTION_PAUSE);
        stop_again();
    }
}

/// PTRACE_SETOPTIONS.
pub fn set_options(task: &mut Task, tid: i32, asked: u64) -> SysResult {
    let tracee = stopped(task, tid)?;
    if asked & !u64::from(options::ALL) != 0 {
        return Err(Errno::EINVAL);
    }
    kernel::request(kernel::SETOPTIONS, tid, 0, host_options(asked as u32))?;
    tracee.options = asked as u32;
    tracee.copy.told.options = asked as u32;
    if tracee.mailbox != 0 {
        tracee.tell();
    }
    Ok(0)
}

/// What a resuming request does before the host's kernel is asked: the mailbox says how to go on.
fn answer(tracee: &mut Tracee, mode: Mode, signal: i32, traced: bool) {
    let told = &mut tracee.copy.told;
    told.resume = mode as u32;
    told.signal = signal as u32;
    told.tracer = own_identity();
    if !traced {
        told.state = 0;
    }
    let count = tracee.written.len();
    told.code = count as u32;
    if count <= RANGES {
        told.ranges[..count].copy_from_slice(&tracee.written);
    }
    tracee.mode = mode;
    let at_boundary = tracee.held == Some(Held::Guest);
    if at_boundary {
        tracee.copy.stop.state = at::RUNNING;
    }
    if tracee.mailbox != 0 {
        if at_boundary {
            tracee.write();
        } else {
            tracee.tell();
        }
    }
    tracee.written.clear();
    tracee.held = None;
}

/// PTRACE_CONT and its like.
pub fn resume(task: &mut Task, tid: i32, mode: Mode, signal: u64) -> SysResult {
    let tracee = stopped(task, tid)?;
    if signal > 64 {
        return Err(Errno::EIO);
    }
    answer(tracee, mode, signal as i32, true);
    kernel::request(kernel::CONT, tid, 0, 0)
}

/// PTRACE_DETACH.
pub fn detach(task: &mut Task, tid: i32, signal: u64) -> SysResult {
    let tracee = stopped(task, tid)?;
    if signal > 64 {
        return Err(Errno::EIO);
    }
    answer(tracee, Mode::Continue, signal as i32, false);
    let result = kernel::request(kernel::DETACH, tid, 0, 0);
    task.tracees.remove(tid);
    tracee::look(task);
    result
}

/// PTRACE_INTERRUPT.
pub fn interrupt(task: &mut Task, tid: i32) -> SysResult {
    let Some(tracee) = task.tracees.find(tid) else {
        // Maybe one of before this tracer executed its program.
        kernel::request(kernel::INTERRUPT, tid, 0, 0)?;
        task.tracees.add(tid, true).interrupt = true;
        tracee::look(task);
        return Ok(0);
    };
    if !tracee.seized {
        return Err(Errno::EIO);
    }
    tracee.interrupt = true;
    kernel::request(kernel::INTERRUPT, tid, 0, 0)
}

/// PTRACE_LISTEN: stopped with its group still, and yet it may stop anew.
pub fn listen(task: &mut Task, tid: i32) -> SysResult {
    let tracee = stopped(task, tid)?;
    if !tracee.seized || tracee.copy.stop.code >> 8 != event::STOP {
        return Err(Errno::EIO);
    }
    let mode = tracee.mode;
    answer(tracee, mode, 0, true);
    tracee.interrupt = true;
    // The boundary's stop is not one that the kernel lets listen: on to one that is, without a step of the guest.
    kernel::request(kernel::INTERRUPT, tid, 0, 0)?;
    kernel::request(kernel::CONT, tid, 0, 0)?;
    let signal = kernel::wait_for(tid, 0)? >> 8 & 0xff;
    if signal == SIGTRAP {
        // The group goes on already: that is what it would have been told.
        wait::by_stop(tracee, signal);
        return Ok(0);
    }
    kernel::request(kernel::LISTEN, tid, 0, 0)
}

/// Which of [`place`] a stop is to PTRACE_GET_SYSCALL_INFO.
fn place_of(tracee: &Tracee) -> u32 {
    let stop = &tracee.copy.stop;
    // The kernel goes by what the stop says of itself.
    let code = (stop.info[1] as u32) & 0xffff;
    match stop.place {
        at_call @ (place::ENTRY | place::EXIT) if code == 0x85 => at_call,
        place::SECCOMP if code >> 8 == event::SECCOMP => place::SECCOMP,
        _ => place::NONE,
    }
}

/// Bytes of a whole struct ptrace_syscall_info.
pub const SYSCALL_INFO_SIZE: usize = 88;

/// PTRACE_SET_SYSCALL_INFO: number and arguments of a call that is entered, or the result of one that is left.
pub fn set_syscall_info(tracee: &mut Tracee, info: &[u8; SYSCALL_INFO_SIZE]) -> SysResult {
    let word = |at: usize| u64::read_from_prefix(&info[at..]).map_or(0, |(word, _)| word);
    let place = place_of(tracee);
    // Beside the place, bits for later use.
    if word(0) as u32 != place {
        return Err(Errno::EINVAL);
    }
    let registers = &mut tracee.copy.registers;
    match place {
        place::ENTRY | place::SECCOMP => {
            let number = word(24) as i32;
            if i64::from(number) as u64 != word(24) {
                return Err(Errno::ERANGE);
            }
            registers.call = number;
            if number == -1 {
                registers.general[0] = errno::to_register(Err(Errno::ENOSYS));
            } else {
                for (n, register) in registers.general[..6].iter_mut().enumerate() {
                    *register = word(32 + 8 * n);
                }
                registers.first_argument = word(32);
            }
            tracee.copy.told.changed |= changed::CALL;
        }
        // A failure is a negative number as well.
        place::EXIT => registers.general[0] = word(24),
        _ => return Err(Errno::EINVAL),
    }
    tracee.copy.told.changed |= changed::GENERAL;
    Ok(0)
}

/// struct ptrace_syscall_info.
pub fn syscall_info(tracee: &Tracee) -> Vec<u8> {
    let copy = &tracee.copy;
    let registers = &copy.registers;
    let place = place_of(tracee);
    let mut bytes = vec![place as u8, 0, 0, 0];
    bytes.extend_from_slice(&AUDIT_ARCH_AARCH64.to_le_bytes());
    let mut word = |value: u64| bytes.extend_from_slice(&value.to_le_bytes());
    word(registers.general[32]);
    word(registers.general[31]);
    match place {
        place::ENTRY | place::SECCOMP => {
            word(registers.call as i64 as u64);
            word(registers.first_argument);
            for argument in &registers.general[1..6] {
                word(*argument);
            }
            if place == place::SECCOMP {
                bytes.extend_from_slice(&(copy.stop.message as u32).to_le_bytes());
            }
        }
        place::EXIT => {
            word(registers.general[0]);
            let failed = errno::from_register(registers.general[0]).is_err();
            bytes.push(u8::from(failed));
        }
        _ => {}
    }
    bytes
}

/// What PTRACE_GETSIGINFO shows.
///
/// # Errors
/// EINVAL in a group stop.
pub fn siginfo(tracee: &Tracee) -> Result<[u64; 16], Errno> {
    match tracee.held {
        Some(Held::Host(_)) => kernel::siginfo(tracee.tid).map(|info| mailbox::words(&info)),
        _ if tracee.copy.stop.has_info == 0 => Err(Errno::EINVAL),
        _ => Ok(tracee.copy.stop.info),
    }
}
