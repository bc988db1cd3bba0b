//! System V semaphores: semid64_ds is the one IPC structure that differs.

use super::arg::guard::passed;
use super::arg::{Hex, Int, SemCmd, read, write};
use crate::host;
use crate::task::Task;
use guest::GuestAddr;
use linux_abi::layout::{HostSemidDs, IpcPerm, SemidDs};
use linux_abi::nr::x86_64 as nr;
use linux_abi::{SysResult, flags};

/// struct seminfo: ten ints.
const SEMINFO_SIZE: u64 = 40;

/// semctl(2).
pub fn semctl(_: &mut Task, id: Int, num: Int, cmd: SemCmd, arg: Hex) -> SysResult {
    let call = |arg: u64| {
        // SAFETY: what the command reads or writes at its argument is ours, or guarded.
        unsafe {
            host::raw(
                nr::semctl,
                [id.0 as i64 as u64, num.0 as i64 as u64, cmd.0, arg, 0, 0],
            )
        }
    };
    match cmd.0 {
        flags::SEM_IPC_STAT | flags::SEM_STAT | flags::SEM_STAT_ANY => {
            let mut status = HostSemidDs::from(SemidDs::ZERO);
            let result = call((&raw mut status) as u64)?;
            write(GuestAddr(arg.0), &SemidDs::from(status))?;
            Ok(result)
        }
        flags::SEM_SET => {
            let status = HostSemidDs::from(read::<SemidDs>(GuestAddr(arg.0))?);
            call((&raw const status) as u64)
        }
        flags::SEM_IPC_INFO | flags::SEM_INFO => call(passed(arg.0, SEMINFO_SIZE)),
        flags::SEM_GETALL | flags::SEM_SETALL => call(passed(arg.0, semaphores(id) * 2)),
        // Numbers, or none.
        _ => call(arg.0),
    }
}

/// How many semaphores the set has; as many as any may have where that cannot be read.
fn semaphores(id: Int) -> u64 {
    /// SEMMSL, unless the administrator raised it.
    const USUAL_MOST: u64 = 32000;
    let mut status = HostSemidDs::from(SemidDs::ZERO);
    let args = [
        id.0 as i64 as u64,
        0,
        flags::SEM_IPC_STAT,
        (&raw mut status) as u64,
        0,
        0,
    ];
    // SAFETY: the kernel writes a struct semid64_ds, which `status` is.
    match unsafe { host::raw(nr::semctl, args) } {
        Ok(_) => status.sem_nsems,
        Err(_) => USUAL_MOST,
    }
}

// msqid64_ds, shmid64_ds and ipc64_perm are the generic ones on both sides.
const _: () = assert!(size_of::<IpcPerm>() == 48);
