//! Waiting for descriptors: epoll's events are laid out anew, signal masks are the task's.

use super::arg::guard::HostArgs;
use super::arg::{
    Arg, Bits, EpollOp, Fd, In, InOut, InOutArray, Int, Long, OutUpTo, Reads, SigSetIn, Size, WritesUpTo,
    read,
};
use crate::host;
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
        // SAFETY: there is no event.
        return unsafe { host::raw(nr::epoll_ctl, args) };
    }
    let host_event = HostEpollEvent::from(event.read()?);
    args[3] = (&raw const host_event) as u64;
    // SAFETY: the event is ours, and only read.
    unsafe { host::raw(nr::epoll_ctl, args) }
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

/// What is wrong with a timeout, which the kernel looks at before the signal mask.
fn check_timeout(addr: GuestAddr) -> Result<(), Errno> {
    const NANOSECONDS: i64 = 1_000_000_000;
    if addr.is_null() {
        return Ok(());
    }
    let time = read::<Timespec>(addr)?;
    if time.tv_sec < 0 || !(0..NANOSECONDS).contains(&time.tv_nsec) {
        return Err(Errno::EINVAL);
    }
    Ok(())
}

/// The events, their number in register 2.
type Events = OutUpTo<EpollEvent, 2>;

fn wait(task: &mut Task, number: u64, events: Events, args: [u64; 4], mask: [u64; 2]) -> SysResult {
    let mut host = HostArgs::default();
    let [epfd, array, max, timeout] = args;
    host.regs = [epfd, array, max, timeout, mask[0], mask[1]];
    events.guard(1, &mut host);
    // SAFETY: the events are guarded, as many as there may be of the larger, the guest's; timeout and mask are by
    // the caller.
    let count = unsafe { task.interruptible(number, host.regs) }?;
    spread_events(events.0, count)?;
    Ok(count)
}

/// epoll_pwait(2).
pub fn epoll_pwait(
    task: &mut Task,
    epfd: Fd,
    events: Events,
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
    ];
    task.with_signal_mask(mask.0, size.0, |task, mask| {
        wait(task, nr::epoll_pwait, events, args, mask)
    })
}

/// epoll_pwait2(2).
pub fn epoll_pwait2(
    task: &mut Task,
    epfd: Fd,
    events: Events,
    max: Int,
    timeout: In<Timespec>,
    mask: SigSetIn,
    size: Size,
) -> SysResult {
    check_timeout(timeout.0)?;
    let args = [epfd.register(), events.0.0, max.0 as i64 as u64, timeout.passed()];
    task.with_signal_mask(mask.0, size.0, |task, mask| {
        wait(task, nr::epoll_pwait2, events, args, mask)
    })
}

/// ppoll(2). The kernel writes the time left into the guest's timeout itself.
pub fn ppoll(
    task: &mut Task,
    fds: InOutArray<PollFd, 1>,
    nfds: Size,
    timeout: InOut<Timespec>,
    mask: SigSetIn,
    size: Size,
) -> SysResult {
    check_timeout(timeout.0)?;
    let mut host = HostArgs::default();
    host.regs = [fds.register(), nfds.register(), timeout.passed(), 0, 0, 0];
    fds.guard(0, &mut host);
    task.with_signal_mask(mask.0, size.0, |task, [mask, size]| {
        (host.regs[3], host.regs[4]) = (mask, size);
        // SAFETY: descriptors and timeout are guarded.
        unsafe { task.interruptible(nr::ppoll, host.regs) }
    })
}

/// pselect6(2); the sixth argument points to the mask and its size.
pub fn pselect6(
    task: &mut Task,
    nfds: Int,
    readfds: Bits<0>,
    writefds: Bits<0>,
    exceptfds: Bits<0>,
    timeout: InOut<Timespec>,
    mask: Reads<16>,
) -> SysResult {
    let mut host = HostArgs::default();
    host.regs = [
        nfds.register(),
        readfds.register(),
        writefds.register(),
        exceptfds.register(),
        timeout.passed(),
        0,
    ];
    for (set, at) in [(readfds, 1), (writefds, 2), (exceptfds, 3)] {
        set.guard(at, &mut host);
    }
    let [mask, size] = mask_argument(mask)?;
    check_timeout(timeout.0)?;
    task.with_signal_mask(GuestAddr(mask), size, |task, pair| {
        host.regs[5] = (&raw const pair) as u64;
        // SAFETY: sets and timeout are guarded; the pair is ours, and only read.
        unsafe { task.interruptible(nr::pselect6, host.regs) }
    })
}

fn mask_argument(pair: Reads<16>) -> Result<[u64; 2], Errno> {
    if pair.0.is_null() {
        Ok([0, 0])
    } else {
        read::<[u64; 2]>(pair.0)
    }
}

/// io_pgetevents(2).
pub fn io_pgetevents(
    task: &mut Task,
    ctx: Reads<4>,
    min: Long,
    max: Long,
    events: WritesUpTo<32, 2>,
    timeout: In<Timespec>,
    mask: Reads<16>,
) -> SysResult {
    let mut host = HostArgs::default();
    host.regs = [
        ctx.passed(),
        min.register(),
        max.register(),
        events.register(),
        timeout.passed(),
        0,
    ];
    events.guard(3, &mut host);
    if !timeout.is_null() {
        // The kernel reads it first, and looks at what it says later.
        timeout.read()?;
    }
    let [mask, size] = mask_argument(mask)?;
    task.with_signal_mask(GuestAddr(mask), size, |task, pair| {
        host.regs[5] = (&raw const pair) as u64;
        // SAFETY: context, events and timeout are guarded; the pair is ours, and only read.
        unsafe { task.interruptible(nr::io_pgetevents, host.regs) }
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
