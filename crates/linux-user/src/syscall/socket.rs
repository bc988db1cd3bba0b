//! Sockets: all layouts are alike; only messages need a look at where the kernel writes.

use super::arg::guard::HostArgs;
use super::arg::{Fd, MsgFlags, Reads, Writes, guarded_message, message_changes, read, write_bytes};
use crate::task::Task;
use guest::GuestAddr;
use linux_abi::SysResult;
use linux_abi::layout::Msghdr;
use linux_abi::nr::x86_64 as nr;
use zerocopy::IntoBytes;

/// sendmsg(2).
pub fn sendmsg(task: &mut Task, fd: Fd, msg: Reads<56>, msg_flags: MsgFlags) -> SysResult {
    with_message(task, nr::sendmsg, fd, msg.0, msg_flags)
}

/// recvmsg(2).
pub fn recvmsg(task: &mut Task, fd: Fd, msg: Writes<56>, msg_flags: MsgFlags) -> SysResult {
    with_message(task, nr::recvmsg, fd, msg.0, msg_flags)
}

/// Makes the call with the guest's own header, or with a copy if a buffer in it is partly
/// the emulator's.
fn with_message(task: &mut Task, number: u64, fd: Fd, addr: GuestAddr, msg_flags: MsgFlags) -> SysResult {
    let [fd, msg_flags] = [fd.0 as i64 as u64, msg_flags.bits()];
    let own = Reads::<56>(addr).passed();
    // What cannot be read is left to the kernel to refuse.
    let header = match read::<Msghdr>(addr) {
        Ok(header) if message_changes(&header) => header,
        Ok(_) | Err(_) => {
            // SAFETY: neither the header nor what it names is the emulator's.
            return unsafe { task.interruptible(number, [fd, own, msg_flags, 0, 0, 0]) };
        }
    };
    let mut kept = HostArgs::default();
    let mut copy = guarded_message(header, &mut kept);
    // SAFETY: the header is ours to write; its addresses are guarded, `kept` holds the vector.
    let result = unsafe { task.interruptible(number, [fd, (&raw mut copy) as u64, msg_flags, 0, 0, 0]) }?;
    if number == nr::recvmsg {
        // ____sys_recvmsg writes these back, and nothing else.
        const NAMELEN: i64 = 8;
        const CONTROLLEN: i64 = 40;
        write_bytes(addr.offset(NAMELEN), copy.msg_namelen.as_bytes())?;
        write_bytes(addr.offset(CONTROLLEN), copy.msg_controllen.as_bytes())?;
        write_bytes(addr.offset(CONTROLLEN + 8), copy.msg_flags.as_bytes())?;
    }
    Ok(result)
}
