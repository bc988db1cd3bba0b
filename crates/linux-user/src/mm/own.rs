//! The emulator's own memory, so that system calls do not hand it to the kernel as the
//! guest's. A list of ranges that only grows: what stood in the address space before the
//! guest's program was mapped, and what the emulator registers later (its code cache).
//!
//! This guards against accidents. It is no security boundary: guest code runs in this
//! process and could write there with an ordinary store.

use linux_abi::Errno;
use std::ops::Range;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

const CAPACITY: usize = 64;

/// The main thread's stack grows down from what /proc/self/maps shows at start.
const STACK_RESERVE: u64 = 8 << 20;

static STARTS: [AtomicU64; CAPACITY] = [const { AtomicU64::new(0) }; CAPACITY];
static ENDS: [AtomicU64; CAPACITY] = [const { AtomicU64::new(0) }; CAPACITY];
static COUNT: AtomicUsize = AtomicUsize::new(0);

/// Adds a range of the emulator's. Beyond the capacity, ranges go unguarded.
pub fn register(range: Range<u64>) {
    let slot = COUNT.fetch_add(1, Ordering::AcqRel);
    if slot >= CAPACITY {
        COUNT.store(CAPACITY, Ordering::Release);
        return;
    }
    // A reader between these two sees an empty range.
    STARTS[slot].store(range.start, Ordering::Release);
    ENDS[slot].store(range.end, Ordering::Release);
}

/// Takes stock of the address space; to be called before anything of the guest is mapped.
pub fn register_present() {
    match std::fs::read("/proc/self/maps") {
        Ok(text) => {
            for range in merge(parse_maps(&text)) {
                register(range);
            }
        }
        // An empty chroot has no /proc: at least this program's image and stack.
        Err(_) => register_image(),
    }
}

fn register_image() {
    unsafe extern "C" {
        static __executable_start: u8;
        static _end: u8;
    }
    let image =
        (&raw const __executable_start) as u64..((&raw const _end) as u64).next_multiple_of(guest::PAGE_SIZE);
    register(image);
    let here = 0_u8;
    let top = ((&raw const here) as u64).next_multiple_of(guest::PAGE_SIZE);
    register(top.saturating_sub(STACK_RESERVE)..top + guest::PAGE_SIZE);
}

/// The ranges of /proc/PID/maps, the stack's extended downwards.
fn parse_maps(text: &[u8]) -> Vec<Range<u64>> {
    let parse = |line: &[u8]| {
        let line = std::str::from_utf8(line).ok()?;
        let (start, rest) = line.split_once('-')?;
        let (end, rest) = rest.split_once(' ')?;
        let start = u64::from_str_radix(start, 16).ok()?;
        let end = u64::from_str_radix(end, 16).ok()?;
        if rest.ends_with("[vsyscall]") {
            return None;
        }
        let reserve = if rest.ends_with("[stack]") {
            STACK_RESERVE
        } else {
            0
        };
        Some(start.saturating_sub(reserve)..end)
    };
    text.split(|&byte| byte == b'\n').filter_map(parse).collect()
}

fn merge(ranges: Vec<Range<u64>>) -> Vec<Range<u64>> {
    let mut merged: Vec<Range<u64>> = Vec::new();
    for range in ranges {
        match merged.last_mut() {
            Some(last) if last.end == range.start => last.end = range.end,
            _ => merged.push(range),
        }
    }
    merged
}

/// Whether the `len` bytes at `addr` touch the emulator's memory.
#[must_use]
pub fn overlaps(addr: u64, len: u64) -> bool {
    let end = addr.saturating_add(len);
    let count = COUNT.load(Ordering::Acquire).min(CAPACITY);
    (0..count)
        .any(|slot| addr < ENDS[slot].load(Ordering::Acquire) && end > STARTS[slot].load(Ordering::Acquire))
}

/// For pointers given to the host kernel unread.
///
/// # Errors
/// EFAULT when the bytes are the emulator's.
pub fn check(addr: u64, len: u64) -> Result<(), Errno> {
    if overlaps(addr, len) {
        Err(Errno::EFAULT)
    } else {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_maps_file() {
        let text = b"00400000-00401000 r--p 00000000 08:01 1 /x\n\
            00401000-00402000 r-xp 00001000 08:01 1 /x\n\
            7ffd00000000-7ffd00021000 rw-p 00000000 00:00 0 [stack]\n\
            ffffffffff600000-ffffffffff601000 --xp 00000000 00:00 0 [vsyscall]\n";
        let ranges = merge(parse_maps(text));
        assert_eq!(
            ranges,
            [
                0x40_0000..0x40_2000,
                0x7ffd_0000_0000 - STACK_RESERVE..0x7ffd_0002_1000
            ]
        );
    }

    #[test]
    fn registered_ranges_are_refused() {
        register(0x1000_0000..0x1000_2000);
        assert_eq!(check(0x0fff_ffff, 2), Err(Errno::EFAULT));
        assert_eq!(check(0x0fff_ffff, 1), Ok(()));
        assert_eq!(check(0x1000_1fff, u64::MAX), Err(Errno::EFAULT));
        assert_eq!(check(0x1000_2000, 1), Ok(()));
    }
}
