//! perf_event_open(2): what Linux answers on a machine without a PMU.
//!
//! Software events, tracepoints and watchpoints count the same for guest and host. The host's CPU has other events than the
//! guest's, and a sample taken in translated code has its addresses and registers: so there is no PMU, and what would
//! sample these is refused as of one without interrupts. Of the attributes the host's kernel says first what is
//! wrong.

use super::arg::{Arg, Fd, Hex, Int, Pid, SelfSized, read, read_bytes, words};
use crate::host;
use crate::syscall::arg::guard::HostArgs;
use crate::task::Task;
use guest::{GuestAddr, PAGE_SIZE};
use linux_abi::nr::x86_64 as nr;
use linux_abi::{Errno, SysResult};

const PERF_TYPE_HARDWARE: u32 = 0;
const PERF_TYPE_HW_CACHE: u32 = 3;
const PERF_TYPE_RAW: u32 = 4;
const PERF_TYPE_BREAKPOINT: u32 = 5;
/// No PMU has this one.
const TYPE_OF_NONE: u32 = u32::MAX;

const HW_BREAKPOINT_X: u32 = 4;

/// PERF_SAMPLE_IP, CALLCHAIN, BRANCH_STACK, STACK_USER, CODE_PAGE_SIZE.
const OF_CODE: u64 = 1 | 1 << 5 | 1 << 11 | 1 << 13 | 1 << 23;
/// PERF_SAMPLE_REGS_USER, REGS_INTR.
const OF_REGISTERS: u64 = 1 << 12 | 1 << 18;

/// Offsets in struct perf_event_attr.
const SIZE: i64 = 4;
const SAMPLE_PERIOD: i64 = 16;
const SAMPLE_TYPE: i64 = 24;
const BP_TYPE: i64 = 52;
/// PERF_ATTR_SIZE_VER0, which is what 0 means.
const FIRST_SIZE: u64 = 64;

/// perf_event_open(2).
pub fn perf_event_open(
    _: &mut Task,
    attr: SelfSized<4>,
    pid: Pid,
    cpu: Int,
    group: Fd,
    flags: Hex,
) -> SysResult {
    let mut host = HostArgs::default();
    host.regs = [
        attr.register(),
        pid.register(),
        cpu.register(),
        group.register(),
        flags.register(),
        0,
    ];
    attr.guard(0, &mut host);
    let word = |offset| read::<u64>(attr.0.offset(offset)).unwrap_or(0);
    let half = |offset| read::<u32>(attr.0.offset(offset)).unwrap_or(0);
    let kind = half(0);
    if matches!(kind, PERF_TYPE_HARDWARE | PERF_TYPE_HW_CACHE | PERF_TYPE_RAW)
        && let Some(copy) = of_no_pmu(attr.0, u64::from(half(SIZE)))
    {
        host.regs[0] = host.keep(copy);
    }
    // SAFETY: the attributes are guarded, or a copy.
    let fd = unsafe { host::raw(nr::perf_event_open, host.regs) }?;
    let samples = if word(SAMPLE_PERIOD) == 0 {
        0
    } else {
        word(SAMPLE_TYPE)
    };
    let refused = if word(SAMPLE_TYPE) & OF_REGISTERS != 0 {
        // perf_reg_validate without CONFIG_HAVE_PERF_REGS.
        Some(Errno::ENOSYS)
    } else if kind == PERF_TYPE_BREAKPOINT && half(BP_TYPE) == HW_BREAKPOINT_X {
        // Translated code is elsewhere: all registers for breakpoints are taken.
        Some(Errno::ENOSPC)
    } else {
        (samples & OF_CODE != 0).then_some(Errno::EOPNOTSUPP)
    };
    match refused {
        Some(errno) => host::close(fd as i32).and(Err(errno)),
        None => Ok(fd),
    }
}

/// The attributes of an event that no PMU has: the kernel checks all else, and gives ENOENT.
fn of_no_pmu(attr: GuestAddr, size: u64) -> Option<Vec<u64>> {
    let size = if size == 0 { FIRST_SIZE } else { size };
    if !(FIRST_SIZE..=PAGE_SIZE).contains(&size) {
        return None;
    }
    let mut bytes = vec![0_u8; size as usize];
    read_bytes(attr, &mut bytes).ok()?;
    bytes[..4].copy_from_slice(&TYPE_OF_NONE.to_le_bytes());
    Some(words(&bytes[..]))
}
