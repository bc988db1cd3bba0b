//! System V semaphores: semid64_ds is the one IPC structure that differs.

use super::arg::{Hex, Int, SemCmd, read, write};
use crate::host;
use crate::mm::own;
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
        host::syscall(
            nr::semctl,
            [id.0 as i64 as u64, num.0 as i64 as u64, cmd.0, arg, 0, 0],
        )
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
        flags::SEM_IPC_INFO | flags::SEM_INFO => {
            own::check(arg.0, SEMINFO_SIZE)?;
            call(arg.0)
        }
        _ => call(arg.0),
    }
}

// msqid64_ds, shmid64_ds and ipc64_perm are the generic ones on both sides.
const _: () = assert!(size_of::<IpcPerm>() == 48);
