//! Sockets: all layouts are alike; only messages need a look at where the kernel writes.

use super::arg::{Arg, Fd, Iov, IovOut, MsgFlags, Ptr, read};
use crate::mm::own;
use crate::task::Task;
use guest::GuestAddr;
use linux_abi::SysResult;
use linux_abi::layout::Msghdr;
use linux_abi::nr::x86_64 as nr;

/// recvmsg(2).
pub fn recvmsg(task: &mut Task, fd: Fd, msg: Ptr, msg_flags: MsgFlags) -> SysResult {
    own::check(msg.0.0, size_of::<Msghdr>() as u64)?;
    // What cannot be read is left to the kernel to refuse.
    if let Ok(header) = read::<Msghdr>(msg.0) {
        own::check(header.msg_name, u64::from(header.msg_namelen))?;
        own::check(header.msg_control, header.msg_controllen)?;
        let iov = Iov {
            addr: GuestAddr(header.msg_iov),
            count: header.msg_iovlen,
        };
        IovOut(iov).to_host()?;
    }
    task.interruptible(nr::recvmsg, [fd.register(), msg.0.0, msg_flags.0, 0, 0, 0])
}
