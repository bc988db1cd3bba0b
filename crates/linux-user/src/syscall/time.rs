//! Clocks. The frequent ones are read through the host's vDSO, an order of magnitude
//! cheaper than a system call.

use super::arg::{ClockId, In, Out};
use crate::host;
use crate::task::Task;
use linux_abi::layout::{Sigevent, Timespec, Timeval, Timezone};
use linux_abi::nr::x86_64 as nr;
use linux_abi::{SysResult, flags};

/// clock_gettime(2).
pub fn clock_gettime(_: &mut Task, clock: ClockId, tp: Out<Timespec>) -> SysResult {
    if let Some(now) = vdso_time(clock.0) {
        tp.write(&now)?;
        return Ok(0);
    }
    // SAFETY: the struct timespec is guarded.
    unsafe { host::raw(nr::clock_gettime, [clock.0, tp.passed(), 0, 0, 0, 0]) }
}

/// The clocks that the vDSO reads without the kernel and without failing.
fn vdso_time(clock: u64) -> Option<Timespec> {
    match clock {
        flags::CLOCK_REALTIME
        | flags::CLOCK_MONOTONIC
        | flags::CLOCK_MONOTONIC_RAW
        | flags::CLOCK_REALTIME_COARSE
        | flags::CLOCK_MONOTONIC_COARSE
        | flags::CLOCK_BOOTTIME => host::vdso_clock(clock),
        _ => None,
    }
}

/// gettimeofday(2).
pub fn gettimeofday(_: &mut Task, tv: Out<Timeval>, tz: Out<Timezone>) -> SysResult {
    if tz.is_null()
        && !tv.is_null()
        && let Some(now) = vdso_time(flags::CLOCK_REALTIME)
    {
        tv.write(&Timeval {
            tv_sec: now.tv_sec,
            tv_usec: now.tv_nsec / 1000,
        })?;
        return Ok(0);
    }
    // SAFETY: both structures are guarded.
    unsafe { host::raw(nr::gettimeofday, [tv.passed(), tz.passed(), 0, 0, 0, 0]) }
}

/// timer_create(2).
pub fn timer_create(_: &mut Task, clock: ClockId, event: In<Sigevent>, timerid: Out<i32>) -> SysResult {
    let args = [clock.0, event.passed(), timerid.passed(), 0, 0, 0];
    // SAFETY: event and identifier are guarded.
    unsafe { host::raw(nr::timer_create, args) }
}
