//! Waiting for descriptors: epoll's events are laid out anew, signal masks are the task's.

use super::arg::{Addr, EpollOp, Fd, In, InOut, Int, Long, Out, Ptr, SigSetIn, Size, read};
use crate::host;
use crate::mm::own;
use crate::task::Task;
use guest::GuestAddr;
use guest_memory::access;
use linux_abi::layout::{EpollEvent, HostEpollEvent, PollFd, Timespec};
use linux_abi::nr::x86_64 as nr;
use linux_abi::{Errno, SysResult, flags};

const GUEST_EVENT: i64 = size_of::<EpollEvent>() as i64;
const HOST_EVENT: i64 = size_of::<HostEpollEvent>() as i64;

/// epoll_ctl(2).
pub fn epoll_ctl(_: &mut Task, epfd: Fd, op: EpollOp, fd: Fd, event: In<EpollEvent>) -> SysResult {
    let mut args = [epfd.register(), op.0, fd.register(), 0, 0, 0];
    if op.0 == flags::EPOLL_CTL_DEL {
        return host::syscall(nr::epoll_ctl, args);
    }
    let host_event = HostEpollEvent::from(event.read()?);
    args[3] = (&raw const host_event) as u64;
    host::syscall(nr::epoll_ctl, args)
}

/// The kernel fills the guest's array with its smaller elements; they are spread out from
/// the last on, so that none is overwritten before it was read.
fn spread_events(events: GuestAddr, count: u64) -> Result<(), Errno> {
    let fault = |_| Errno::EFAULT;
    for index in (0..count as i64).rev() {
        let from = events.offset(index * HOST_EVENT);
        let to = events.offset(index * GUEST_EVENT);
        let mask = access::load(from, 4).map_err(fault)?;
        let data = access::load(from.offset(4), 8).map_err(fault)?;
        access::store(to, 8, mask).map_err(fault)?;
        access::store(to.offset(8), 8, data).map_err(fault)?;
    }
    Ok(())
}

fn wait(task: &mut Task, number: u64, events: Out<EpollEvent>, args: [u64; 6]) -> SysResult {
    let room = (args[2] as i32).max(0) as u64 * GUEST_EVENT as u64;
    own::check(events.0.0, room)?;
    let count = task.interruptible(number, args)?;
    spread_events(events.0, count)?;
    Ok(count)
}

/// epoll_pwait(2).
pub fn epoll_pwait(
    task: &mut Task,
    epfd: Fd,
    events: Out<EpollEvent>,
    max: Int,
    timeout: Int,
    mask: SigSetIn,
    size: Size,
) -> SysResult {
    let args = [
        epfd.register(),
        events.0.0,
        max.0 as i64 as u64,
        timeout.0 as i64 as u64,
        0,
        0,
    ];
    task.with_signal_mask(mask.0, size.0, |task| wait(task, nr::epoll_pwait, events, args))
}

/// epoll_pwait2(2).
pub fn epoll_pwait2(
    task: &mut Task,
    epfd: Fd,
    events: Out<EpollEvent>,
    max: Int,
    timeout: In<Timespec>,
    mask: SigSetIn,
    size: Size,
) -> SysResult {
    let args = [
        epfd.register(),
        events.0.0,
        max.0 as i64 as u64,
        timeout.0.0,
        0,
        0,
    ];
    task.with_signal_mask(mask.0, size.0, |task| wait(task, nr::epoll_pwait2, events, args))
}

/// ppoll(2). The kernel writes the time left into the guest's timeout itself.
pub fn ppoll(
    task: &mut Task,
    fds: InOut<PollFd>,
    nfds: Size,
    timeout: InOut<Timespec>,
    mask: SigSetIn,
    size: Size,
) -> SysResult {
    own::check(fds.0.0, nfds.0.saturating_mul(8))?;
    own::check(timeout.0.0, 16)?;
    let args = [fds.0.0, nfds.0, timeout.0.0, 0, 0, 0];
    task.with_signal_mask(mask.0, size.0, |task| task.interruptible(nr::ppoll, args))
}

/// pselect6(2); the sixth argument points to the mask and its size.
pub fn pselect6(
    task: &mut Task,
    nfds: Int,
    readfds: Ptr,
    writefds: Ptr,
    exceptfds: Ptr,
    timeout: InOut<Timespec>,
    mask: Ptr,
) -> SysResult {
    let sets = (nfds.0.max(0) as u64).div_ceil(64) * 8;
    for set in [readfds, writefds, exceptfds] {
        own::check(set.0.0, sets)?;
    }
    own::check(timeout.0.0, 16)?;
    let args = [
        nfds.0 as i64 as u64,
        readfds.0.0,
        writefds.0.0,
        exceptfds.0.0,
        timeout.0.0,
        0,
    ];
    let [mask, size] = mask_argument(mask)?;
    task.with_signal_mask(GuestAddr(mask), size, |task| {
        task.interruptible(nr::pselect6, args)
    })
}

fn mask_argument(pair: Ptr) -> Result<[u64; 2], Errno> {
    if pair.0.is_null() {
        Ok([0, 0])
    } else {
        read::<[u64; 2]>(pair.0)
    }
}

/// io_pgetevents(2).
pub fn io_pgetevents(
    task: &mut Task,
    ctx: Addr,
    min: Long,
    max: Long,
    events: Ptr,
    timeout: In<Timespec>,
    mask: Ptr,
) -> SysResult {
    own::check(events.0.0, (max.0.max(0) as u64).saturating_mul(32))?;
    let args = [ctx.0.0, min.0 as u64, max.0 as u64, events.0.0, timeout.0.0, 0];
    let [mask, size] = mask_argument(mask)?;
    task.with_signal_mask(GuestAddr(mask), size, |task| {
        task.interruptible(nr::io_pgetevents, args)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_are_spread_in_place() {
        let mut buffer = [0_u8; 5 * 16];
        for index in 0..5_u32 {
            let at = index as usize * 12;
            buffer[at..at + 4].copy_from_slice(&(index + 1).to_le_bytes());
            buffer[at + 4..at + 12]
                .copy_from_slice(&(0x1111_0000_0000_0000 + u64::from(index)).to_le_bytes());
        }
        let addr = GuestAddr((&raw mut buffer) as u64);
        spread_events(addr, 5).expect("own memory");
        for index in 0..5_u32 {
            let event: EpollEvent = read(addr.offset(i64::from(index) * 16)).expect("own memory");
            assert_eq!(
                (event.events, event.data),
                (index + 1, 0x1111_0000_0000_0000 + u64::from(index))
            );
        }
    }
}
