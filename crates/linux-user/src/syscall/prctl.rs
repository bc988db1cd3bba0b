//! prctl(2): most options are the host's; those of the CPU are arm64's.

use super::arg::guard::{passed, passed_pages};
use super::arg::{Hex, Int, write, write_bytes};
use super::{pac, prctl_mm};
use crate::host;
use crate::seccomp::install;
use crate::task::Task;
use guest::GuestAddr;
use linux_abi::nr::x86_64 as nr;
use linux_abi::{Errno, SysResult};

const PR_GET_PDEATHSIG: i32 = 2;
const PR_SET_NAME: i32 = 15;
const PR_GET_NAME: i32 = 16;
const PR_GET_SECCOMP: i32 = 21;
const PR_SET_SECCOMP: i32 = 22;
const PR_GET_TSC: i32 = 25;
const PR_SET_TSC: i32 = 26;
const PR_SET_MM: i32 = 35;
const PR_GET_CHILD_SUBREAPER: i32 = 37;
const PR_GET_TID_ADDRESS: i32 = 40;
const PR_SVE_SET_VL: i32 = 50;
const PR_SVE_GET_VL: i32 = 51;
const PR_PAC_RESET_KEYS: i32 = 54;
const PR_SET_TAGGED_ADDR_CTRL: i32 = 55;
const PR_GET_TAGGED_ADDR_CTRL: i32 = 56;
const PR_SET_SYSCALL_USER_DISPATCH: i32 = 59;
const PR_PAC_SET_ENABLED_KEYS: i32 = 60;
const PR_PAC_GET_ENABLED_KEYS: i32 = 61;
const PR_SME_SET_VL: i32 = 63;
const PR_SME_GET_VL: i32 = 64;
const PR_SET_MDWE: i32 = 65;
const PR_GET_MDWE: i32 = 66;
const PR_GET_AUXV: i32 = 0x4155_5856;

const PR_SET_VMA: i32 = 0x5356_4d41;

/// The options that are the host's and take an address: register and size. PR_SCHED_CORE
/// writes its cookie to the last; a string counts one byte.
const POINTERS: &[(i32, usize, u64)] = &[
    (PR_GET_PDEATHSIG, 1, 4),
    (PR_SET_NAME, 1, COMM_LEN),
    (PR_GET_NAME, 1, COMM_LEN),
    (PR_GET_CHILD_SUBREAPER, 1, 4),
    (PR_SCHED_CORE, 4, 8),
    (PR_SET_VMA, 4, 1),
];
const PR_SCHED_CORE: i32 = 62;

const PR_TAGGED_ADDR_ENABLE: u64 = 1;
/// TASK_COMM_LEN.
const COMM_LEN: u64 = 16;

/// prctl(2).
pub fn prctl(task: &mut Task, option: Int, arg2: Hex, arg3: Hex, arg4: Hex, arg5: Hex) -> SysResult {
    match option.0 {
        PR_GET_TID_ADDRESS => {
            write(GuestAddr(arg2.0), &task.state.clear_child_tid.0)?;
            Ok(0)
        }
        PR_PAC_RESET_KEYS if (arg3.0 | arg4.0 | arg5.0) == 0 => pac::reset_keys(task, arg2.0),
        PR_PAC_SET_ENABLED_KEYS if (arg4.0 | arg5.0) == 0 => pac::set_enabled(task, arg2.0, arg3.0),
        PR_PAC_GET_ENABLED_KEYS if (arg2.0 | arg3.0 | arg4.0 | arg5.0) == 0 => pac::enabled(task),
        PR_PAC_RESET_KEYS | PR_PAC_SET_ENABLED_KEYS | PR_PAC_GET_ENABLED_KEYS => Err(Errno::EINVAL),
        PR_SET_MM => prctl_mm::set(task, arg2.0, arg3.0, arg4.0, arg5.0),
        PR_GET_AUXV => get_auxv(task, arg2.0, arg3.0),
        PR_SET_TAGGED_ADDR_CTRL => {
            if arg2.0 & !PR_TAGGED_ADDR_ENABLE != 0 || (arg3.0 | arg4.0 | arg5.0) != 0 {
                return Err(Errno::EINVAL);
            }
            task.accept_tags(arg2.0);
            Ok(0)
        }
        PR_GET_TAGGED_ADDR_CTRL if (arg2.0 | arg3.0 | arg4.0 | arg5.0) != 0 => Err(Errno::EINVAL),
        PR_GET_TAGGED_ADDR_CTRL => Ok(task.state.tagged_addresses),
        PR_SET_SECCOMP => install::set_mode(task, arg2.0, GuestAddr(arg3.0)),
        PR_GET_SECCOMP => install::get_mode(task),
        PR_SET_MDWE | PR_GET_MDWE if (arg3.0 | arg4.0 | arg5.0) != 0 => Err(Errno::EINVAL),
        PR_SET_MDWE => task.process.mm.deny_exec_gain(arg2.0),
        PR_GET_MDWE if arg2.0 != 0 => Err(Errno::EINVAL),
        PR_GET_MDWE => Ok(task.process.mm.denied_exec_gain()),
        // x86's own, the SVE and SME of a CPU without them, and what would act on the
        // emulator instead of the guest: as a kernel without the option.
        PR_GET_TSC
        | PR_SET_TSC
        | PR_SVE_SET_VL
        | PR_SVE_GET_VL
        | PR_SME_SET_VL
        | PR_SME_GET_VL
        | PR_SET_SYSCALL_USER_DISPATCH => Err(Errno::EINVAL),
        other if other >= 0 => {
            let mut args = [other as u64, arg2.0, arg3.0, arg4.0, arg5.0, 0];
            for (_, at, size) in POINTERS.iter().filter(|&&(option, ..)| option == other) {
                args[*at] = passed(args[*at], *size);
            }
            if other == PR_SET_VMA {
                args[3] = passed_pages(arg3.0, arg4.0);
            }
            // SAFETY: the options of the host's that take addresses are in the list.
            unsafe { host::raw(nr::prctl, args) }
        }
        _ => Err(Errno::EINVAL),
    }
}

fn get_auxv(task: &Task, addr: u64, size: u64) -> SysResult {
    let auxv = task.process.image.auxv();
    let count = (size as usize).min(auxv.len());
    write_bytes(GuestAddr(addr), &auxv[..count])?;
    Ok(auxv.len() as u64)
}
