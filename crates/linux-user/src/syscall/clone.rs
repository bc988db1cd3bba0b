//! clone(2), clone3(2): from registers and struct clone_args to a request.

use super::arg::{Addr, CloneFlags, ReadsArray, Size, read_bytes};
use crate::kernel::clone::{
    CLONE_ARGS_SIZE, CLONE_ARGS_SIZE_VER0, CLONE_CLEAR_SIGHAND, CLONE_SIGHAND, CLONE_THREAD, CSIGNAL,
    CloneArgs, Request, start,
};
use crate::task::Task;
use linux_abi::{Errno, SysResult};
use zerocopy::FromBytes;

/// clone(2).
pub fn clone(
    task: &mut Task,
    flags: CloneFlags,
    stack: Addr,
    parent_tid: Addr,
    tls: Addr,
    child_tid: Addr,
) -> SysResult {
    // The kernel takes the flags as 32 bits here.
    let flags = flags.0 & 0xffff_ffff;
    let args = CloneArgs {
        flags: flags & !CSIGNAL,
        exit_signal: flags & CSIGNAL,
        pidfd: parent_tid.0.0,
        parent_tid: parent_tid.0.0,
        child_tid: child_tid.0.0,
        tls: tls.0.0,
        ..CloneArgs::default()
    };
    start(
        task,
        Request {
            args,
            sp: stack.0.0,
            extended: false,
            sleeps: false,
            guest_parent_tid: None,
        },
    )
}

/// clone3(2).
pub fn clone3(task: &mut Task, args: ReadsArray<1, 1>, size: Size) -> SysResult {
    if size.0 < CLONE_ARGS_SIZE_VER0 {
        return Err(Errno::EINVAL);
    }
    if size.0 > guest::PAGE_SIZE {
        return Err(Errno::E2BIG);
    }
    let mut bytes = vec![0_u8; size.0.max(CLONE_ARGS_SIZE) as usize];
    read_bytes(args.0, &mut bytes[..size.0 as usize])?;
    let (known, newer) = bytes.split_at(CLONE_ARGS_SIZE as usize);
    if newer.iter().any(|&byte| byte != 0) {
        return Err(Errno::E2BIG);
    }
    let args = CloneArgs::read_from_bytes(known).map_err(|_| Errno::EINVAL)?;
    let refused = args.flags & (CSIGNAL | 0x0040_0000) != 0
        || args.exit_signal > 64
        || (args.stack == 0) != (args.stack_size == 0)
        || (args.flags & CLONE_THREAD != 0 && args.exit_signal != 0)
        || args.flags & (CLONE_SIGHAND | CLONE_CLEAR_SIGHAND) == CLONE_SIGHAND | CLONE_CLEAR_SIGHAND;
    if refused {
        return Err(Errno::EINVAL);
    }
    start(
        task,
        Request {
            args,
            sp: args.stack.wrapping_add(args.stack_size),
            extended: true,
            sleeps: false,
            guest_parent_tid: None,
        },
    )
}
