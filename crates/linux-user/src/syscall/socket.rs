//! Sockets: all layouts are alike; only messages need a look at where the kernel writes.

use super::arg::guard::{HostArgs, takes_tags};
use super::arg::{
    Arg, Fd, IOV_MAX, InOut, Messages, MsgFlags, Reads, Regs, UInt, Writes, guarded_message, message_changes,
    read, words, write_bytes,
};
use crate::task::Task;
use guest::GuestAddr;
use linux_abi::layout::{Msghdr, Timespec};
use linux_abi::nr::x86_64 as nr;
use linux_abi::{Errno, SysResult};
use zerocopy::{FromBytes, IntoBytes};

/// sendmsg(2).
pub fn sendmsg(task: &mut Task, fd: Fd, msg: Reads<56>, msg_flags: MsgFlags) -> SysResult {
    with_message(task, nr::sendmsg, fd, msg.0, msg_flags)
}

/// recvmsg(2).
pub fn recvmsg(task: &mut Task, fd: Fd, msg: Writes<56>, msg_flags: MsgFlags) -> SysResult {
    with_message(task, nr::recvmsg, fd, msg.0, msg_flags)
}

/// sendmmsg(2).
pub fn sendmmsg(task: &mut Task, fd: Fd, msgs: Messages, vlen: UInt, flags: MsgFlags) -> SysResult {
    let regs = [
        fd.register(),
        msgs.register(),
        vlen.register(),
        flags.bits(),
        0,
        0,
    ];
    with_messages(task, nr::sendmmsg, msgs, regs)
}

/// recvmmsg(2).
pub fn recvmmsg(
    task: &mut Task,
    fd: Fd,
    msgs: Messages,
    vlen: UInt,
    flags: MsgFlags,
    timeout: InOut<Timespec>,
) -> SysResult {
    let (msgs_at, timeout) = (msgs.register(), timeout.passed());
    let regs = [fd.register(), msgs_at, vlen.register(), flags.bits(), timeout, 0];
    with_messages(task, nr::recvmmsg, msgs, regs)
}

/// Makes the call with the guest's own headers, or with copies if an address in one of them has a tag.
fn with_messages(task: &mut Task, number: u64, msgs: Messages, regs: Regs) -> SysResult {
    const SIZE: i64 = 64;
    /// Of msg_len behind a header.
    const LEN: i64 = 56;
    let mut host = HostArgs::default();
    host.regs = regs;
    let place = |index: usize| msgs.0.offset(index as i64 * SIZE);
    let given = regs[2].min(IOV_MAX) as usize;
    let headers: Vec<Msghdr> = match takes_tags() {
        true => (0..given).map_while(|index| read(place(index)).ok()).collect(),
        false => Vec::new(),
    };
    if !headers.iter().any(message_changes) {
        msgs.guard(1, &mut host);
        // SAFETY: headers, what they name, and the timeout are guarded.
        return unsafe { task.interruptible(number, host.regs) };
    }
    let copies = headers.iter().map(|&header| guarded_message(header, &mut host));
    let copies: Vec<Msghdr> = copies.collect();
    // Each header with its length behind it.
    let mut array: Vec<u64> = copies
        .iter()
        .flat_map(|copy| words(copy).into_iter().chain([0]))
        .collect();
    host.regs[1] = array.as_mut_ptr() as u64;
    host.regs[2] = headers.len() as u64;
    // SAFETY: the array is ours to write; its addresses are guarded, `host` holds the vectors.
    let done = unsafe { task.interruptible(number, host.regs) }?;
    for (index, entry) in array.chunks(SIZE as usize / 8).enumerate().take(done as usize) {
        let entry = entry.as_bytes();
        let (header, len) = Msghdr::read_from_prefix(entry).map_err(|_| Errno::EFAULT)?;
        write_bytes(place(index).offset(LEN), &len[..4])?;
        if number == nr::recvmmsg {
            write_back(place(index), &header)?;
        }
    }
    Ok(done)
}

/// What receiving writes into a header (____sys_recvmsg), and nothing else.
fn write_back(addr: GuestAddr, header: &Msghdr) -> Result<(), Errno> {
    const NAMELEN: i64 = 8;
    const CONTROLLEN: i64 = 40;
    write_bytes(addr.offset(NAMELEN), header.msg_namelen.as_bytes())?;
    write_bytes(addr.offset(CONTROLLEN), header.msg_controllen.as_bytes())?;
    write_bytes(addr.offset(CONTROLLEN + 8), header.msg_flags.as_bytes())
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
        write_back(addr, &copy)?;
    }
    Ok(result)
}
