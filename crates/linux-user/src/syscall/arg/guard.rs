//! What keeps the host's kernel off the emulator's memory when it serves a guest: each
//! address is looked at before it is passed on, with as many bytes as the kernel may touch.
//!
//! An address of the emulator's is not refused here. It is replaced by one where there is
//! nothing, so that the kernel itself says what it says of unmapped memory, at the moment
//! and with the side effects it has there: EBADF comes before EFAULT, a read at the end of
//! a file gives 0, and half a buffer is filled. Where a call may stop early (`read`), its
//! length ends before our memory.
//!
//! Invariant: nothing here writes to guest memory.

use crate::mm::own;
use guest::{GuestAddr, PAGE_SIZE};
use guest_memory::access;
use host_memory::{Access, Mapping};
use linux_abi::Errno;
use linux_abi::layout::Iovec;
use std::cell::Cell;
use std::sync::atomic::{AtomicU64, Ordering};

use super::{IOV_MAX, Regs, read};

/// No call transfers more at once (MAX_RW_COUNT, include/linux/fs.h, and INT_MAX elsewhere).
const MAX_TRANSFER: u64 = 1 << 31;

/// Right below 2^47: the kernel maps nothing there (TASK_SIZE_MAX), in no process.
const UNMAPPABLE: u64 = (1 << 47) - PAGE_SIZE;

/// The registers of a host call, and the copies that they point to where what the guest
/// passed had to be changed.
#[derive(Default)]
pub struct HostArgs {
    pub regs: Regs,
    kept: Vec<Vec<u64>>,
}

impl HostArgs {
    /// Keeps words until the call has been made; gives their address.
    pub fn keep(&mut self, words: Vec<u64>) -> u64 {
        let addr = words.as_ptr() as u64;
        self.kept.push(words);
        addr
    }

    /// The element count in register `at`, which the kernel may take as signed.
    #[must_use]
    pub fn count(&self, at: usize) -> u64 {
        self.regs.get(at).copied().unwrap_or(0)
    }
}

thread_local! {
    /// Whether the guest's thread has PR_TAGGED_ADDR_ENABLE.
    static TAKES_TAGS: Cell<bool> = const { Cell::new(false) };
}

/// Whether the calls of the calling host thread's guest accept tagged addresses from now on.
pub fn take_tags(enabled: bool) {
    TAKES_TAGS.set(enabled);
}

/// Whether the calls of the calling host thread's guest accept tagged addresses.
#[must_use]
pub fn takes_tags() -> bool {
    TAKES_TAGS.get()
}

/// An address of the guest's as its kernel sees it: without its tag, once the thread has asked for that
/// (Documentation/arch/arm64/tagged-address-abi.rst). Other tagged addresses lead nowhere, here as there.
#[must_use]
#[inline]
pub fn strip(addr: u64) -> u64 {
    if addr >> 56 != 0 && TAKES_TAGS.get() {
        access::untag(GuestAddr(addr)).0
    } else {
        addr
    }
}

/// Whether the kernel would touch the emulator's memory in these bytes.
#[must_use]
pub fn touches_own(addr: u64, len: u64) -> bool {
    len != 0 && own::overlaps(strip(addr), len.min(MAX_TRANSFER))
}

/// The address to pass for `len` bytes at `addr`.
#[must_use]
pub fn passed(addr: u64, len: u64) -> u64 {
    let addr = strip(addr);
    if touches_own(addr, len) {
        nowhere(addr)
    } else {
        addr
    }
}

/// The address to pass for the pages that the `len` bytes at `addr` touch, to a call that
/// acts on mappings and not on what they hold.
#[must_use]
pub fn passed_pages(addr: u64, len: u64) -> u64 {
    // The kernel takes tags off such addresses for every thread.
    let addr = access::untag(GuestAddr(addr)).0;
    let start = addr & !(PAGE_SIZE - 1);
    if len != 0 && own::overlaps(start, len.saturating_add(addr - start)) {
        UNMAPPABLE | addr & (PAGE_SIZE - 1)
    } else {
        addr
    }
}

/// How many of the `len` bytes at `addr` come before the emulator's memory.
#[must_use]
pub fn clear_len(addr: u64, len: u64) -> u64 {
    let (mut clear, mut touching) = (0, len);
    if !touches_own(addr, len) {
        return len;
    }
    // Monotone in the length: `clear` bytes do not touch, `touching` do.
    while touching - clear > 1 {
        let middle = clear + (touching - clear) / 2;
        if touches_own(addr, middle) {
            touching = middle;
        } else {
            clear = middle;
        }
    }
    clear
}

/// An address with the same offset in its page at which nothing can be read or written.
///
/// It lies in a mapping without access rights, because the kernel refuses what is beyond
/// the end of user space early, with another result in some calls.
#[must_use]
#[cold]
pub fn nowhere(addr: u64) -> u64 {
    static NOWHERE: AtomicU64 = AtomicU64::new(0);
    let mut page = NOWHERE.load(Ordering::Acquire);
    if page == 0 {
        let mapping = Mapping::new(PAGE_SIZE as usize, Access::None).ok();
        page = mapping.as_ref().map_or(UNMAPPABLE, Mapping::address);
        match NOWHERE.compare_exchange(0, page, Ordering::AcqRel, Ordering::Acquire) {
            // For as long as the process lives.
            Ok(_) => std::mem::forget(mapping),
            // Another thread was faster; this one's goes back.
            Err(other) => page = other,
        }
    }
    page | addr & (PAGE_SIZE - 1)
}

/// Checks what the emulator itself is about to read or write for the guest.
///
/// # Errors
/// EFAULT for its own memory, and for a tagged address that the kernel does not accept.
pub fn check(addr: GuestAddr, len: u64) -> Result<(), Errno> {
    let stripped = strip(addr.0);
    // `access` takes any tag off.
    if stripped >> 56 != 0 && len != 0 {
        return Err(Errno::EFAULT);
    }
    own::check(stripped, len)
}

/// Guards the array of iovec at `addr`, and the buffers it names: the address and the count
/// to pass. Buffers before the emulator's memory are kept, so that the kernel comes as far
/// as it would.
#[must_use]
pub fn iovecs(addr: u64, count: u64, host: &mut HostArgs) -> (u64, u64) {
    iovecs_with(addr, count, host, split)
}

/// As [`iovecs`] where the entries are ranges of pages to act on (process_madvise).
#[must_use]
pub fn iovecs_of_pages(addr: u64, count: u64, host: &mut HostArgs) -> (u64, u64) {
    iovecs_with(addr, count, host, |entry| {
        // The array is imported as one of buffers is, where tags are taken only of who asked for that.
        let base = strip(entry.iov_base);
        let page = if base >> 56 == 0 {
            passed_pages(base, entry.iov_len)
        } else {
            base
        };
        [Some([page, entry.iov_len]), None]
    })
}

/// As [`iovecs`] for ranges of another process, or with `same` of one that has the caller's memory: the kernel takes
/// tags off them for every thread.
#[must_use]
pub fn iovecs_of_process(addr: u64, count: u64, same: bool, host: &mut HostArgs) -> (u64, u64) {
    iovecs_with(addr, count, host, |entry| {
        let iov_base = access::untag(GuestAddr(entry.iov_base)).0;
        match same {
            true => split(Iovec { iov_base, ..entry }),
            false => [Some([iov_base, entry.iov_len]), None],
        }
    })
}

/// The buffer's part before the emulator's memory, and the rest where nothing is.
fn split(entry: Iovec) -> [Option<[u64; 2]>; 2] {
    let clear = clear_len(entry.iov_base, entry.iov_len);
    let base = strip(entry.iov_base);
    if clear == entry.iov_len {
        return [Some([base, clear]), None];
    }
    let rest = [nowhere(base.wrapping_add(clear)), entry.iov_len - clear];
    [(clear > 0).then_some([base, clear]), Some(rest)]
}

fn iovecs_with(
    addr: u64,
    count: u64,
    host: &mut HostArgs,
    parts: impl Fn(Iovec) -> [Option<[u64; 2]>; 2],
) -> (u64, u64) {
    let addr = strip(addr);
    if count == 0 || count > IOV_MAX {
        // The kernel takes none, or refuses them before it looks.
        return (passed(addr, count.min(1)), count);
    }
    if touches_own(addr, count * 16) {
        return (nowhere(addr), count);
    }
    // What cannot be read is the kernel's to refuse.
    let entries =
        || (0..count).map_while(|index| read::<Iovec>(GuestAddr(addr.wrapping_add(index * 16))).ok());
    let changes = |entry: Iovec| parts(entry) != [Some([entry.iov_base, entry.iov_len]), None];
    if !entries().any(changes) {
        return (addr, count);
    }
    let mut copy: Vec<u64> = entries().flat_map(parts).flatten().flatten().collect();
    copy.truncate(IOV_MAX as usize * 2);
    let count = copy.len() as u64 / 2;
    (host.keep(copy), count)
}

/// For tests: the address of a copy that is not the emulator's, as its heap and stack are.
#[cfg(test)]
pub(crate) fn guest_copy<T: zerocopy::IntoBytes + zerocopy::Immutable + ?Sized>(value: &T) -> GuestAddr {
    let bytes = value.as_bytes();
    let len = bytes.len() as u64;
    // SAFETY: a new mapping at a place of the kernel's choice.
    let at = unsafe { crate::host::raw(linux_abi::nr::x86_64::mmap, [0, len, 3, 0x22, u64::MAX, 0]) };
    let addr = GuestAddr(at.expect("memory"));
    access::write(addr, bytes).expect("just mapped");
    addr
}

/// For tests: a page to use, with the emulator's memory right behind it.
#[cfg(test)]
pub(crate) fn before_own() -> u64 {
    static PAGE: std::sync::OnceLock<u64> = std::sync::OnceLock::new();
    *PAGE.get_or_init(|| {
        let mapping = Mapping::new(PAGE_SIZE as usize, Access::ReadWrite).expect("memory");
        let mut start = mapping.address();
        while own::overlaps(start - PAGE_SIZE, PAGE_SIZE) {
            start -= PAGE_SIZE;
        }
        let (prot, map_flags) = (3, 0x22 | linux_abi::flags::MAP_FIXED_NOREPLACE);
        let args = [start - PAGE_SIZE, PAGE_SIZE, prot, map_flags, u64::MAX, 0];
        // SAFETY: a new mapping that replaces nothing.
        unsafe { crate::host::raw(linux_abi::nr::x86_64::mmap, args) }.expect("nothing is there")
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host;
    use linux_abi::nr::x86_64 as nr;

    #[test]
    fn lengths_end_before_own_memory() {
        let first = before_own();
        for (offset, len, clear) in [
            (0, PAGE_SIZE, PAGE_SIZE),
            (0, PAGE_SIZE + 1, PAGE_SIZE),
            (0, 1 << 40, PAGE_SIZE),
            (PAGE_SIZE - 1, 2, 1),
            (PAGE_SIZE - 1, 1, 1),
            (PAGE_SIZE, 1, 0),
            (PAGE_SIZE, 0, 0),
            (2 * PAGE_SIZE - 1, u64::MAX, 0),
        ] {
            assert_eq!(clear_len(first + offset, len), clear, "{offset:#x} {len:#x}");
        }
    }

    #[test]
    fn own_addresses_become_inaccessible_ones() {
        let first = before_own();
        assert_eq!(passed(first, PAGE_SIZE), first);
        assert_eq!(passed(first + PAGE_SIZE, 0), first + PAGE_SIZE);
        let replaced = passed(first + PAGE_SIZE + 24, 8);
        assert_eq!(replaced % PAGE_SIZE, 24);
        // The kernel cannot write there.
        // SAFETY: the address is that of a page without access rights.
        let result = unsafe { host::raw(nr::getrandom, [replaced, 8, 0, 0, 0, 0]) };
        assert_eq!(result, Err(Errno::EFAULT));
        let pages = passed_pages(first + PAGE_SIZE, 1);
        // SAFETY: nothing is mapped there, so nothing is locked.
        let result = unsafe { host::raw(nr::mlock, [pages, PAGE_SIZE, 0, 0, 0, 0]) };
        assert_eq!(result, Err(Errno::ENOMEM));
    }

    #[test]
    fn tags_are_accepted_once_asked_for() {
        let first = before_own();
        let (tagged, tagged_own) = (first | (0x2a << 56), (first + PAGE_SIZE) | (0x2a << 56));
        let high = first | (0xff << 56) | (1 << 55);
        assert_eq!((strip(tagged), passed(tagged, 8)), (tagged, tagged));
        assert_eq!(check(GuestAddr(tagged), 8), Err(Errno::EFAULT));
        assert_eq!(passed_pages(tagged, 1), first);
        take_tags(true);
        assert_eq!(
            (strip(tagged), passed(tagged, 8), strip(high)),
            (first, first, high)
        );
        assert_eq!(check(GuestAddr(tagged), 8), Ok(()));
        assert_eq!(check(GuestAddr(tagged_own), 8), Err(Errno::EFAULT));
        assert_eq!(passed(tagged_own, 8), nowhere(first));
        let mut host = HostArgs::default();
        let given = guest_copy(&[tagged, 16]).0;
        assert_ne!(iovecs(given, 1, &mut host).0, given);
        assert_eq!(host.kept.last(), Some(&vec![first, 16]));
        take_tags(false);
    }

    #[test]
    fn vectors_are_copied_where_they_name_own_memory() {
        let first = before_own();
        let mut host = HostArgs::default();
        let fine = [first, 16_u64, first + 32, 0];
        let addr = guest_copy(&fine).0;
        assert_eq!(iovecs(addr, 2, &mut host), (addr, 2));
        let bad = [first, 16, first + PAGE_SIZE - 8, 24, first, 8];
        let given = guest_copy(&bad).0;
        let (addr, count) = iovecs(given, 3, &mut host);
        assert_ne!(addr, given);
        assert_eq!(count, 4);
        let copy = host.kept.last().expect("kept");
        assert_eq!(copy[..4], [first, 16, first + PAGE_SIZE - 8, 8]);
        assert_eq!(copy[5], 16);
        assert_eq!(copy[4], nowhere(first + PAGE_SIZE));
        assert_eq!(copy[6..], [first, 8]);
    }
}
