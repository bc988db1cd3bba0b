//! ptrace(2): from registers to a request.

use super::mailbox::{Mode, changed};
use super::{filters, kernel, regset, request, tracee, tracer};
use crate::signal::info::SigInfo;
use crate::signal::set::{SIGKILL, UNBLOCKABLE};
use crate::syscall::arg::{read, read_bytes, write, write_bytes};
use crate::syscall::signal::SIGSET_SIZE;
use crate::task::Task;
use guest::GuestAddr;
use linux_abi::{Errno, SysResult};

/// How many siginfos are copied at once.
const INFOS: usize = 32;

/// ptrace(2). `addr` and `data` are the tracee's or the caller's addresses, or numbers.
///
/// # Errors
/// The kernel's: ESRCH for what is no tracee or does not stand still, EIO for what cannot be.
pub fn ptrace(task: &mut Task, asked: u64, tid: i32, addr: u64, data: u64) -> SysResult {
    match asked {
        request::TRACEME => {
            kernel::request(request::TRACEME, 0, 0, 0)?;
            tracee::trace_me(task);
            Ok(0)
        }
        request::ATTACH => tracer::attach(task, tid),
        request::SEIZE if addr != 0 => Err(Errno::EIO),
        request::SEIZE => tracer::seize(task, tid, data),
        request::INTERRUPT => tracer::interrupt(task, tid),
        request::KILL => {
            task.tracees.find(tid).ok_or(Errno::ESRCH)?;
            kernel::tkill(tid, SIGKILL).map(|_| 0)
        }
        _ => of_stopped(task, asked, tid, addr, data),
    }
}

fn of_stopped(task: &mut Task, asked: u64, tid: i32, addr: u64, data: u64) -> SysResult {
    match asked {
        request::CONT => tracer::resume(task, tid, Mode::Continue, data),
        request::SYSCALL => tracer::resume(task, tid, Mode::Syscall, data),
        request::SINGLESTEP => tracer::resume(task, tid, Mode::Step, data),
        request::SYSEMU => tracer::resume(task, tid, Mode::Emulate, data),
        request::SYSEMU_SINGLESTEP => tracer::resume(task, tid, Mode::EmulateStep, data),
        request::DETACH => tracer::detach(task, tid, data),
        request::LISTEN => tracer::listen(task, tid),
        request::SETOPTIONS => tracer::set_options(task, tid, data),
        request::PEEKTEXT | request::PEEKDATA => {
            tracer::stopped(task, tid)?;
            write(GuestAddr(data), &kernel::peek(tid, addr)?)?;
            Ok(0)
        }
        request::POKETEXT | request::POKEDATA => {
            let tracee = tracer::stopped(task, tid)?;
            kernel::request(kernel::POKEDATA, tid, addr, data)?;
            tracee.written.push([addr, 8]);
            Ok(0)
        }
        request::GETEVENTMSG => {
            let message = tracer::stopped(task, tid)?.copy.stop.message;
            write(GuestAddr(data), &message)?;
            Ok(0)
        }
        request::GETSIGINFO => {
            let info = tracer::siginfo(tracer::stopped(task, tid)?)?;
            write(GuestAddr(data), &info)?;
            Ok(0)
        }
        request::SETSIGINFO => {
            let info = read::<[u64; 16]>(GuestAddr(data));
            let tracee = tracer::stopped(task, tid)?;
            let info = info?;
            tracer::siginfo(tracee)?;
            tracee.copy.stop.info = info;
            tracee.copy.told.changed |= changed::INFO;
            Ok(0)
        }
        request::GETREGSET | request::SETREGSET => register_set(task, asked, tid, addr, GuestAddr(data)),
        request::GETSIGMASK | request::SETSIGMASK => signal_mask(task, asked, tid, addr, GuestAddr(data)),
        request::PEEKSIGINFO => peek_siginfo(task, tid, GuestAddr(addr), GuestAddr(data)),
        request::SECCOMP_GET_FILTER => filters::get(task, tid, addr, GuestAddr(data)),
        request::SECCOMP_GET_METADATA => filters::metadata(task, tid, addr, GuestAddr(data)),
        request::GET_SYSCALL_INFO => {
            let info = tracer::syscall_info(tracer::stopped(task, tid)?);
            let count = info.len().min(addr as usize);
            write_bytes(GuestAddr(data), &info[..count])?;
            Ok(info.len() as u64)
        }
        request::SET_SYSCALL_INFO => {
            let tracee = tracer::stopped(task, tid)?;
            if addr < tracer::SYSCALL_INFO_SIZE as u64 {
                return Err(Errno::EINVAL);
            }
            let mut info = [0; tracer::SYSCALL_INFO_SIZE];
            read_bytes(GuestAddr(data), &mut info)?;
            tracer::set_syscall_info(tracee, &info)
        }
        request::SET_SYSCALL_USER_DISPATCH_CONFIG | request::GET_SYSCALL_USER_DISPATCH_CONFIG => {
            tracer::stopped(task, tid)?;
            Err(Errno::EINVAL)
        }
        _ => {
            tracer::stopped(task, tid)?;
            Err(Errno::EIO)
        }
    }
}

fn register_set(task: &mut Task, asked: u64, tid: i32, note: u64, iov: GuestAddr) -> SysResult {
    let tracee = tracer::stopped(task, tid)?;
    let [base, len] = read::<[u64; 2]>(iov)?;
    let (set, count) = regset::find(note, len)?;
    if asked == request::GETREGSET {
        let bytes = regset::get(&tracee.copy.registers, set);
        write_bytes(GuestAddr(base), &bytes[..count])?;
    } else {
        let mut bytes = vec![0; count];
        read_bytes(GuestAddr(base), &mut bytes)?;
        if matches!(set, regset::Set::Debug(_)) {
            // What stands before the first register that cannot be, is set.
            tracee.copy.told.changed |= changed::DEBUG;
        }
        tracee.copy.told.changed |= regset::set(&mut tracee.copy.registers, set, &bytes)?;
    }
    write(iov.offset(8), &(count as u64))?;
    Ok(0)
}

fn signal_mask(task: &mut Task, asked: u64, tid: i32, size: u64, mask: GuestAddr) -> SysResult {
    let tracee = tracer::stopped(task, tid)?;
    if size != SIGSET_SIZE {
        return Err(Errno::EINVAL);
    }
    if asked == request::GETSIGMASK {
        write(mask, &tracee.copy.registers.mask)?;
    } else {
        tracee.copy.registers.mask = read::<u64>(mask)? & !UNBLOCKABLE;
        tracee.copy.told.changed |= changed::MASK;
    }
    Ok(0)
}

fn peek_siginfo(task: &mut Task, tid: i32, args: GuestAddr, data: GuestAddr) -> SysResult {
    tracer::stopped(task, tid)?;
    let words = read::<[u64; 2]>(args)?;
    let args = kernel::PeekArgs {
        off: words[0],
        flags: words[1] as u32,
        nr: (words[1] >> 32) as i32,
    };
    let mut infos = [SigInfo::ZERO; INFOS];
    let count = kernel::peek_siginfo(tid, &args, &mut infos)?;
    for (n, info) in infos.iter().take(count as usize).enumerate() {
        write_bytes(data.offset(n as i64 * 128), &info.to_bytes())?;
    }
    Ok(count)
}
