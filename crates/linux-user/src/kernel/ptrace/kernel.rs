//! The host's ptrace(2) and its like, on a thread that the calling one traces.
//!
//! # Safety
//! These calls change other processes. Of the caller's own memory they touch what they are lent here.
#![allow(unsafe_code)]

use crate::host;
use crate::signal::info::SigInfo;
use crate::syscall::arg::Out;
use crate::task::Task;
use elf_loader::stack::{AT_ENTRY, auxv_value};
use linux_abi::layout::Rusage;
use linux_abi::nr::x86_64 as nr;
use linux_abi::{Errno, OpenFlags, SysResult, flags};
use std::ffi::CString;
use zerocopy::{FromBytes, IntoBytes};

pub use super::request::{
    ATTACH, CONT, DETACH, INTERRUPT, LISTEN, PEEKDATA, POKEDATA, SECCOMP_GET_FILTER, SEIZE, SETOPTIONS,
};
use super::request::{GETEVENTMSG, GETSIGINFO, PEEKSIGINFO, SETSIGINFO, SETSIGMASK};
/// x86-64's (asm/ptrace-abi.h).
const GETREGS: u64 = 12;
const SETREGS: u64 = 13;

pub use linux_abi::flags::{__WALL as WALL, WNOHANG, WNOWAIT, WUNTRACED as WSTOPPED};

/// Whom waitid(2) waits for.
pub const P_ALL: u64 = 0;
pub const P_PID: u64 = 1;
pub const P_PGID: u64 = 2;

/// struct user_regs_struct of x86-64.
#[derive(Clone, Copy)]
pub struct HostRegs([u64; 27]);

impl HostRegs {
    pub fn rax(&self) -> u64 {
        self.0[10]
    }
    pub fn rip(&self) -> u64 {
        self.0[16]
    }
    pub fn set_rip(&mut self, rip: u64) {
        self.0[16] = rip;
    }
    /// The kernel is not to take up the call that was interrupted.
    pub fn forget_call(&mut self) {
        self.0[15] = u64::MAX;
    }
    pub fn fs_base(&self) -> u64 {
        self.0[21]
    }
}

/// A request whose address and data the kernel takes as numbers.
pub fn request(request: u64, tid: i32, addr: u64, data: u64) -> SysResult {
    debug_assert!(!matches!(
        request,
        1..=3 | GETREGS | GETEVENTMSG | GETSIGINFO | PEEKSIGINFO
    ));
    // SAFETY: the kernel writes nothing to the caller for those requests.
    unsafe { host::raw(nr::ptrace, [request, tid as i64 as u64, addr, data, 0, 0]) }
}

/// One that reads or writes `T` at data.
fn with_data<T>(request: u64, tid: i32, addr: u64, data: *mut T) -> SysResult {
    // SAFETY: the callers below lend what the request names.
    unsafe { host::raw(nr::ptrace, [request, tid as i64 as u64, addr, data as u64, 0, 0]) }
}

pub fn registers(tid: i32) -> Result<HostRegs, Errno> {
    let mut regs = [0; 27];
    with_data(GETREGS, tid, 0, &raw mut regs)?;
    Ok(HostRegs(regs))
}

pub fn set_registers(tid: i32, regs: &HostRegs) -> SysResult {
    let mut regs = regs.0;
    with_data(SETREGS, tid, 0, &raw mut regs)
}

pub fn siginfo(tid: i32) -> Result<SigInfo, Errno> {
    let mut info = SigInfo::ZERO;
    with_data(GETSIGINFO, tid, 0, &raw mut info)?;
    Ok(info)
}

pub fn set_siginfo(tid: i32, info: &SigInfo) -> SysResult {
    let mut info = *info;
    with_data(SETSIGINFO, tid, 0, &raw mut info)
}

pub fn set_mask(tid: i32, mask: u64) -> SysResult {
    let mut mask = mask;
    with_data(SETSIGMASK, tid, 8, &raw mut mask)
}

pub fn message(tid: i32) -> SysResult {
    let mut message = 0_u64;
    with_data(GETEVENTMSG, tid, 0, &raw mut message)?;
    Ok(message)
}

/// One word of the tracee's memory.
pub fn peek(tid: i32, addr: u64) -> SysResult {
    let mut word = 0_u64;
    with_data(PEEKDATA, tid, addr, &raw mut word)?;
    Ok(word)
}

/// struct ptrace_peeksiginfo_args.
#[derive(Clone, Copy, FromBytes, IntoBytes, zerocopy::Immutable)]
#[repr(C)]
pub struct PeekArgs {
    pub off: u64,
    pub flags: u32,
    pub nr: i32,
}

/// Signals that wait for the tracee; how many there are is given.
pub fn peek_siginfo(tid: i32, args: &PeekArgs, infos: &mut [SigInfo]) -> SysResult {
    let mut args = *args;
    args.nr = args.nr.min(infos.len() as i32);
    with_data(PEEKSIGINFO, tid, (&raw mut args) as u64, infos.as_mut_ptr())
}

#[repr(C)]
struct Iovec {
    base: u64,
    len: u64,
}

/// Copies memory of the tracee's: the whole of `bytes`, or it fails.
pub fn read_memory(tid: i32, addr: u64, bytes: &mut [u8]) -> Result<(), Errno> {
    transfer(
        nr::process_vm_readv,
        tid,
        addr,
        bytes.as_mut_ptr() as u64,
        bytes.len() as u64,
    )
}

/// Copies to memory of the tracee's that it may write.
pub fn write_memory(tid: i32, addr: u64, bytes: &[u8]) -> Result<(), Errno> {
    transfer(
        nr::process_vm_writev,
        tid,
        addr,
        bytes.as_ptr() as u64,
        bytes.len() as u64,
    )
}

fn transfer(number: u64, tid: i32, addr: u64, own: u64, len: u64) -> Result<(), Errno> {
    let local = Iovec { base: own, len };
    let remote = Iovec { base: addr, len };
    let args = [
        tid as u64,
        (&raw const local) as u64,
        1,
        (&raw const remote) as u64,
        1,
        0,
    ];
    // SAFETY: the callers lend the bytes for their length; to itself no process does this.
    match unsafe { host::raw(number, args) } {
        Ok(count) if count == len => Ok(()),
        Ok(_) => Err(Errno::EFAULT),
        Err(error) => Err(error),
    }
}

/// tkill(2).
pub fn tkill(tid: i32, signal: i32) -> SysResult {
    // SAFETY: the call takes no address.
    unsafe { host::raw(nr::tkill, [tid as u64, signal as u64, 0, 0, 0, 0]) }
}

/// Sends a signal to the calling thread, with any siginfo.
pub fn signal_self(info: &SigInfo) -> SysResult {
    let args = [
        host::getpid() as u64,
        host::gettid() as u64,
        info.signal() as u64,
        (&raw const *info) as u64,
        0,
        0,
    ];
    // SAFETY: the kernel reads a siginfo_t, which the argument points to.
    unsafe { host::raw(nr::rt_tgsigqueueinfo, args) }
}

/// Waits for a stop of this thread; the wait status, or 0 if there is none.
pub fn wait_for(tid: i32, options: u64) -> Result<i32, Errno> {
    let mut status = 0_i32;
    let args = [tid as u64, (&raw mut status) as u64, options | WALL, 0, 0, 0];
    // SAFETY: the kernel writes an int.
    unsafe { host::raw(nr::wait4, args) }?;
    Ok(status)
}

/// wait4(2) of the guest's, interruptibly: who it is and the wait status.
pub fn wait4(task: &mut Task, pid: i32, options: u64, rusage: Out<Rusage>) -> Result<(i32, i32), Errno> {
    let mut status = 0_i32;
    let args = [
        pid as i64 as u64,
        (&raw mut status) as u64,
        options,
        rusage.passed(),
        0,
        0,
    ];
    // SAFETY: the kernel writes an int of ours, and to what is guarded.
    let tid = unsafe { task.interruptible(nr::wait4, args) }?;
    Ok((tid as i32, status))
}

/// waitid(2) of the guest's, interruptibly: the siginfo in words.
pub fn waitid(
    task: &mut Task,
    [kind, id]: [u64; 2],
    options: u64,
    rusage: Out<Rusage>,
) -> Result<[u32; 32], Errno> {
    let mut info = [0_u32; 32];
    let args = [kind, id, (&raw mut info) as u64, options, rusage.passed(), 0];
    // SAFETY: the kernel writes a siginfo_t of ours, and to what is guarded.
    unsafe { task.interruptible(nr::waitid, args) }?;
    Ok(info)
}

/// Whether a waitid(2) of the calling task's would wait.
pub fn has_none_yet([kind, id]: [u64; 2], options: u64) -> bool {
    let mut info = [0_u32; 32];
    let options = options | WNOHANG | WNOWAIT;
    let args = [kind, id, (&raw mut info) as u64, options, 0, 0];
    // SAFETY: the kernel writes a siginfo_t of ours.
    unsafe { host::raw(nr::waitid, args) }.is_ok() && info[0] == 0
}

/// Whether a call for these events of a descriptor would wait.
pub fn would_wait(fd: i32, events: u64) -> bool {
    let status = host::fcntl(fd, host::Fcntl::GetStatusFlags);
    if status.is_ok_and(|bits| OpenFlags::from_host(bits).contains(OpenFlags::O_NONBLOCK)) {
        return false;
    }
    // struct pollfd.
    let mut asked = fd as u32 as u64 | events << 32;
    // SAFETY: the kernel reads and writes one pollfd of ours.
    let ready = unsafe { host::raw(nr::poll, [(&raw mut asked) as u64, 1, 0, 0, 0, 0]) };
    ready == Ok(0)
}

/// The stop that this thread is in, as its exit code, without taking it.
pub fn peek_stop(tid: i32) -> Option<u32> {
    let mut info = [0_u32; 32];
    let options = WNOHANG | WSTOPPED | WNOWAIT | WALL;
    let args = [P_PID, tid as u64, (&raw mut info) as u64, options, 0, 0];
    // SAFETY: the kernel writes a siginfo_t.
    unsafe { host::raw(nr::waitid, args) }.ok()?;
    // si_signo, and si_status behind si_pid and si_uid.
    (info[0] != 0).then_some(info[6])
}

/// Device and inode of the file that a process runs.
pub fn executable(tid: &str) -> Option<(u64, u64)> {
    let path = CString::new(format!("/proc/{tid}/exe")).ok()?;
    let stat = host::stat(&path).ok()?;
    Some((stat.st_dev, stat.st_ino))
}

/// Where this emulator's own program begins. (/proc/self/auxv is the guest's by now.)
pub fn own_entry() -> u64 {
    // SAFETY: getauxval takes any key.
    unsafe { libc::getauxval(libc::AT_ENTRY) }
}

/// AT_ENTRY of a process that has not begun its program.
pub fn entry_of(tid: i32) -> Option<u64> {
    let path = CString::new(format!("/proc/{tid}/auxv")).ok()?;
    let fd = host::openat(flags::AT_FDCWD, &path, OpenFlags::O_CLOEXEC.to_host(), 0).ok()? as i32;
    let mut bytes = [0_u8; 1024];
    let count = host::read(fd, &mut bytes);
    let _ = host::close(fd);
    auxv_value(&bytes[..count.ok()? as usize], AT_ENTRY)
}
