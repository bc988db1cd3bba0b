//! seccomp(2) and the options of prctl(2) that are the same (kernel/seccomp.c, do_seccomp).

use super::bpf::{Insn, MAX_INSNS, Program};
use super::filter::{Filter, ret};
use super::notify::{NOTIFICATION_SIZE, RESPONSE_SIZE};
use super::{marker, mode};
use crate::host;
use crate::kernel::task::Task;
use crate::syscall::arg::{read, read_bytes, write_bytes};
use crate::syscall::watch_calls;
use guest::GuestAddr;
use linux_abi::nr::x86_64 as nr;
use linux_abi::{Errno, SysResult};
use std::sync::Arc;
use zerocopy::{FromBytes, IntoBytes};

const SET_MODE_STRICT: u32 = 0;
pub(super) const SET_MODE_FILTER: u32 = 1;
const GET_ACTION_AVAIL: u32 = 2;
const GET_NOTIF_SIZES: u32 = 3;

/// SECCOMP_FILTER_FLAG_*.
pub mod flag {
    pub const TSYNC: u32 = 1;
    pub const LOG: u32 = 2;
    pub const SPEC_ALLOW: u32 = 4;
    pub const NEW_LISTENER: u32 = 8;
    pub const TSYNC_ESRCH: u32 = 16;
    pub const WAIT_KILLABLE_RECV: u32 = 32;
    pub const ALL: u32 = TSYNC | LOG | SPEC_ALLOW | NEW_LISTENER | TSYNC_ESRCH | WAIT_KILLABLE_RECV;
}

/// sizeof(struct seccomp_data).
const DATA_SIZE: u16 = 64;

/// seccomp(2).
///
/// # Errors
/// The kernel's.
pub fn operate(task: &mut Task, operation: u32, flags: u32, args: GuestAddr) -> SysResult {
    match operation {
        SET_MODE_STRICT if flags != 0 || !args.is_null() => Err(Errno::EINVAL),
        SET_MODE_STRICT => set_strict(task),
        SET_MODE_FILTER => set_filter(task, flags, args),
        GET_ACTION_AVAIL | GET_NOTIF_SIZES if flags != 0 => Err(Errno::EINVAL),
        GET_ACTION_AVAIL => match read::<u32>(args)? {
            ret::KILL_PROCESS
            | ret::KILL_THREAD
            | ret::TRAP
            | ret::ERRNO
            | ret::USER_NOTIF
            | ret::TRACE
            | ret::LOG
            | ret::ALLOW => Ok(0),
            _ => Err(Errno::EOPNOTSUPP),
        },
        GET_NOTIF_SIZES => {
            // struct seccomp_notif, seccomp_notif_resp and seccomp_data.
            write_bytes(args, [NOTIFICATION_SIZE, RESPONSE_SIZE, DATA_SIZE].as_bytes())?;
            Ok(0)
        }
        _ => Err(Errno::EINVAL),
    }
}

/// prctl(PR_SET_SECCOMP).
///
/// # Errors
/// The kernel's.
pub fn set_mode(task: &mut Task, wanted: u64, filter: GuestAddr) -> SysResult {
    match wanted {
        mode::STRICT => operate(task, SET_MODE_STRICT, 0, GuestAddr::NULL),
        mode::FILTER => operate(task, SET_MODE_FILTER, 0, filter),
        _ => Err(Errno::EINVAL),
    }
}

/// prctl(PR_GET_SECCOMP). The host's answer counts filters that the emulator itself is under.
///
/// # Errors
/// The host's.
pub fn get_mode(task: &Task) -> SysResult {
    match task.state.seccomp.mode() {
        mode::DISABLED => host_mode(),
        own => Ok(own),
    }
}

fn host_mode() -> SysResult {
    const PR_GET_SECCOMP: u64 = 21;
    // SAFETY: the option takes no address.
    unsafe { host::raw(nr::prctl, [PR_GET_SECCOMP, 0, 0, 0, 0, 0]) }
}

fn set_strict(task: &mut Task) -> SysResult {
    if get_mode(task)? == mode::FILTER {
        return Err(Errno::EINVAL);
    }
    task.state.seccomp.strict = true;
    watch_calls();
    Ok(0)
}

fn set_filter(task: &mut Task, flags: u32, fprog: GuestAddr) -> SysResult {
    let has = |wanted: u32| flags & wanted != 0;
    // Where both could answer with a number, nobody could tell a descriptor from a thread.
    let ambiguous = has(flag::TSYNC) && has(flag::NEW_LISTENER) && !has(flag::TSYNC_ESRCH);
    let unheard = has(flag::WAIT_KILLABLE_RECV) && !has(flag::NEW_LISTENER);
    if flags & !flag::ALL != 0 || ambiguous || unheard {
        return Err(Errno::EINVAL);
    }
    let program = read_program(fprog)?;
    let process = Arc::clone(&task.process);
    let mut list = process.filters.lock();
    let seccomp = &mut task.state.seccomp;
    let below = seccomp.filters.clone();
    let filter = Filter::new(program, has(flag::NEW_LISTENER), below)?;
    if has(flag::TSYNC)
        && let Some(other) = list.apart_from(task.tid, seccomp.filters.as_ref())
    {
        return if has(flag::TSYNC_ESRCH) {
            Err(Errno::ESRCH)
        } else {
            Ok(other as u64)
        };
    }
    // With no_new_privs the marker can be set at any time, so it waits for an execve. Without, the privilege to set it
    // may be gone then. The process of a tenant is somebody else's.
    let is_tenant = process.tenancy().is_some();
    let marks_before = seccomp.marks;
    let result = match (has(flag::NEW_LISTENER), is_tenant) {
        (true, true) => return Err(Errno::EINVAL),
        (false, true) => 0,
        (true, false) => {
            let kept = flag::NEW_LISTENER | flag::TSYNC | flag::WAIT_KILLABLE_RECV;
            marker::install(seccomp, flags & kept)?
        }
        (false, false) => {
            if !has_no_new_privs() && (seccomp.marks == 0 || has(flag::TSYNC)) {
                marker::install(seccomp, flags & flag::TSYNC)?;
            }
            0
        }
    };
    list.note(task.tid, &filter);
    if has(flag::TSYNC) {
        // Only what the host's kernel was asked for just now do all have.
        let marks = if seccomp.marks == marks_before {
            0
        } else {
            seccomp.marks
        };
        process.filters.give_to_all(&mut list, &filter, marks);
        seccomp.synced = process.filters.generation();
    }
    seccomp.filters = Some(filter);
    drop(list);
    watch_calls();
    Ok(result)
}

/// Reads struct sock_fprog and the program, with the kernel's errors in its order.
fn read_program(fprog: GuestAddr) -> Result<Program, Errno> {
    /// From the number of instructions to their address.
    const ADDRESS: i64 = 8;
    let mut head = [0; 16];
    read_bytes(fprog, &mut head)?;
    let len = usize::from(read::<u16>(fprog)?);
    if len == 0 || len > MAX_INSNS {
        return Err(Errno::EINVAL);
    }
    if !has_no_new_privs() && !has_sys_admin() {
        return Err(Errno::EACCES);
    }
    let address = read::<u64>(fprog.offset(ADDRESS))?;
    if address == 0 {
        return Err(Errno::EINVAL);
    }
    let mut insns = vec![Insn::default(); len];
    read_bytes(GuestAddr(address), insns.as_mut_bytes())?;
    Program::new(insns)
}

/// Whether execve gives the thread no privileges.
#[must_use]
pub fn has_no_new_privs() -> bool {
    const PR_GET_NO_NEW_PRIVS: u64 = 39;
    // SAFETY: the option takes no address.
    let value = unsafe { host::raw(nr::prctl, [PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0, 0]) };
    value == Ok(1)
}

pub(super) fn set_no_new_privs() {
    const PR_SET_NO_NEW_PRIVS: u64 = 38;
    // SAFETY: the option takes no address. It cannot fail.
    let _ = unsafe { host::raw(nr::prctl, [PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0, 0]) };
}

/// Whether the thread has CAP_SYS_ADMIN in its user namespace.
fn has_sys_admin() -> bool {
    const CAP_SYS_ADMIN: u32 = 21;

    /// struct __user_cap_header_struct and two of struct __user_cap_data_struct.
    #[derive(Clone, Copy, IntoBytes, FromBytes, zerocopy::Immutable)]
    #[repr(C)]
    struct Capabilities {
        version: u32,
        pid: i32,
        sets: [[u32; 3]; 2],
    }
    const VERSION_3: u32 = 0x2008_0522;
    let mut of_self = Capabilities {
        version: VERSION_3,
        pid: 0,
        sets: [[0; 3]; 2],
    };
    let header = (&raw mut of_self) as u64;
    let sets = (&raw mut of_self.sets) as u64;
    // SAFETY: the kernel reads the header and writes the sets, both ours.
    let result = unsafe { host::raw(nr::capget, [header, sets, 0, 0, 0, 0]) };
    // The effective set comes first.
    result.is_ok() && of_self.sets[0][0] >> CAP_SYS_ADMIN & 1 != 0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::syscall::arg::guard::{before_own, guest_copy};

    #[test]
    fn a_program_is_read_with_the_kernels_errors() {
        // The emulator's memory is as none.
        let nowhere = before_own() + guest::PAGE_SIZE;
        assert_eq!(read_program(GuestAddr(nowhere)), Err(Errno::EFAULT));
        for len in [0_u64, 4097] {
            assert_eq!(read_program(guest_copy(&[len, 8])), Err(Errno::EINVAL));
        }
        if has_no_new_privs() || has_sys_admin() {
            assert_eq!(read_program(guest_copy(&[1_u64, 0])), Err(Errno::EINVAL));
            assert_eq!(read_program(guest_copy(&[1_u64, nowhere])), Err(Errno::EFAULT));
            let allow = guest_copy(&0x7fff_0000_0000_0006_u64);
            assert!(read_program(guest_copy(&[1, allow.0])).is_ok());
        } else {
            assert_eq!(read_program(guest_copy(&[1_u64, 0])), Err(Errno::EACCES));
        }
    }
}
