//! Clocks. The frequent ones are read through the host's vDSO, an order of magnitude
//! cheaper than a system call.

use super::arg::{ClockId, In, Out};
use crate::host;
use crate::task::Task;
use linux_abi::layout::{Sigevent, Timespec, Timeval, Timezone};
use linux_abi::nr::arm64::number;
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

/// Whether the guest's C library asked its vDSO, which on hardware makes no call for these clocks.
pub fn is_made_without_a_call(task: &Task, call: u64, clock: u64) -> bool {
    const CLOCK_GETTIME: u64 = number("clock_gettime") as u64;
    const CLOCK_GETRES: u64 = number("clock_getres") as u64;
    const GETTIMEOFDAY: u64 = number("gettimeofday") as u64;
    const PAGE: u64 = !(guest::PAGE_SIZE - 1);
    // REALTIME, MONOTONIC, MONOTONIC_RAW, the coarse ones, BOOTTIME, TAI.
    let has_clock = matches!(clock, 0 | 1 | 4..=7 | 11);
    let served = match call & 0xffff_ffff {
        CLOCK_GETTIME | CLOCK_GETRES => has_clock,
        GETTIMEOFDAY => true,
        _ => false,
    };
    let sigreturn = task.process.image.sigreturn;
    served && sigreturn.0 != 0 && task.cpu.state().pc & PAGE == task.process.mm.in_vdso(sigreturn).0 & PAGE
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
