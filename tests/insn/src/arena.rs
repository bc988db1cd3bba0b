//! The memory instructions under test see, at the same addresses under every player.
//!
//! - a read-only stretch of 2 MiB around the code, for literals and failing branches;
//! - the code page, full of BRK;
//! - a writable stretch with nothing mapped on either side.
//!
//! # Safety
//! The addresses are fixed and belong to this module: it maps them once in the
//! process, and [`Arena::lock`] gives them to one user at a time.

use a64_isa::random::{STEP, mixed};
use engine::HostSignal;
use guest::GuestAddr;
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

pub const LITERAL_BASE: u64 = 0x10_0000_0000;
pub const LITERAL_SIZE: u64 = 0x20_0000;
pub const CODE_BASE: u64 = LITERAL_BASE + LITERAL_SIZE / 2;
pub const CODE_SIZE: u64 = 0x1000;
/// Where the instructions under test stand.
pub const CODE_ENTRY: u64 = CODE_BASE + 0x800;
pub const DATA_BASE: u64 = 0x10_1000_0000;
pub const DATA_SIZE: u64 = 0x2_0000;
/// Longest sequence under test.
pub const MAX_WORDS: usize = 64;

/// What ends a case.
pub const BRK: u32 = 0xd420_0000;

/// What memory holds at a multiple of 8, before an instruction runs.
#[must_use]
pub const fn content(addr: u64) -> u64 {
    mixed((addr >> 3).wrapping_mul(STEP).wrapping_add(STEP))
}

/// The `N` bytes at any address.
#[must_use]
pub fn content_bytes<const N: usize>(addr: u64) -> [u8; N] {
    std::array::from_fn(|i| {
        let at = addr.wrapping_add(i as u64);
        (content(at & !7) >> (8 * (at & 7))) as u8
    })
}

/// The mapped memory, held by one test at a time.
pub struct Arena {
    pristine: Vec<u8>,
}

static ARENA: OnceLock<Mutex<Arena>> = OnceLock::new();

impl Arena {
    /// Maps the memory at the first call, and hands it out.
    ///
    /// # Panics
    /// If the host refuses the mappings.
    pub fn lock() -> MutexGuard<'static, Arena> {
        ARENA
            .get_or_init(|| Mutex::new(Arena::map()))
            .lock()
            // A failed test leaves the arena as any other does: `set_code` and
            // `take_changes` bring it back.
            .unwrap_or_else(PoisonError::into_inner)
    }

    fn map() -> Arena {
        install_handlers();
        map_at(LITERAL_BASE, LITERAL_SIZE);
        map_at(DATA_BASE, DATA_SIZE);
        for addr in (LITERAL_BASE..LITERAL_BASE + LITERAL_SIZE).step_by(8) {
            write_word(addr, content(addr));
        }
        for addr in (CODE_BASE..CODE_BASE + CODE_SIZE).step_by(8) {
            write_word(addr, u64::from(BRK) << 32 | u64::from(BRK));
        }
        protect(LITERAL_BASE, LITERAL_SIZE, libc::PROT_READ);
        protect(CODE_BASE, CODE_SIZE, libc::PROT_READ | libc::PROT_WRITE);
        let pristine: Vec<u8> = (DATA_BASE..DATA_BASE + DATA_SIZE)
            .step_by(8)
            .flat_map(|addr| content(addr).to_le_bytes())
            .collect();
        guest_memory::access::write(GuestAddr(DATA_BASE), &pristine).expect("the data is mapped writable");
        Arena { pristine }
    }

    /// Puts the words at [`CODE_ENTRY`], and BRK everywhere else in the code page.
    pub fn set_code(&mut self, words: &[u32]) {
        guest_memory::access::write(GuestAddr(CODE_BASE), &code_page(words))
            .expect("the code page is mapped writable");
    }

    /// Whether the code page is as [`Arena::set_code`] left it: what code written over without
    /// IC IVAU does is not said by the architecture (Arm ARM B2.4.4).
    #[must_use]
    pub fn has_code(&self, words: &[u32]) -> bool {
        let mut now = [0; CODE_SIZE as usize];
        guest_memory::access::read(GuestAddr(CODE_BASE), &mut now).expect("the code page is mapped");
        now == code_page(words)
    }

    /// What the instructions changed, as address and new value of 8-byte words; undoes it.
    pub fn take_changes(&mut self) -> Vec<(u64, u64)> {
        let mut changes = Vec::new();
        let mut now = vec![0u8; DATA_SIZE as usize];
        guest_memory::access::read(GuestAddr(DATA_BASE), &mut now).expect("the data is mapped");
        let page = guest::PAGE_SIZE as usize;
        let pages = now.chunks_exact(page).zip(self.pristine.chunks_exact(page));
        for (start, (now, before)) in (DATA_BASE..).step_by(page).zip(pages) {
            // Few pages change.
            if now == before {
                continue;
            }
            let words = now.chunks_exact(8).zip(before.chunks_exact(8));
            for (addr, (now, before)) in (start..).step_by(8).zip(words) {
                let word = |bytes: &[u8]| u64::from_le_bytes(bytes.try_into().expect("chunks of 8"));
                if now != before {
                    write_word(addr, word(before));
                    changes.push((addr, word(now)));
                }
            }
        }
        changes
    }
}

/// The code page with these words.
fn code_page(words: &[u32]) -> [u8; CODE_SIZE as usize] {
    let mut page = [0; CODE_SIZE as usize];
    for (addr, bytes) in (CODE_BASE..).step_by(4).zip(page.chunks_exact_mut(4)) {
        let n = addr.checked_sub(CODE_ENTRY).map(|offset| offset as usize / 4);
        let word = n.and_then(|n| words.get(n)).copied().unwrap_or(BRK);
        bytes.copy_from_slice(&word.to_le_bytes());
    }
    page
}

fn write_word(addr: u64, value: u64) {
    guest_memory::access::store(GuestAddr(addr), 8, value).expect("the arena is mapped writable");
}

fn map_at(base: u64, size: u64) {
    // SAFETY: MAP_FIXED_NOREPLACE never replaces an existing mapping.
    let got = unsafe {
        libc::mmap(
            base as *mut libc::c_void,
            size as usize,
            libc::PROT_READ | libc::PROT_WRITE,
            libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_FIXED_NOREPLACE,
            -1,
            0,
        )
    };
    assert_eq!(got as u64, base, "mmap: {}", std::io::Error::last_os_error());
}

fn protect(base: u64, size: u64, protection: i32) {
    // SAFETY: the range is this module's own mapping; nothing borrows from it.
    let status = unsafe { libc::mprotect(base as *mut libc::c_void, size as usize, protection) };
    assert_eq!(status, 0, "mprotect: {}", std::io::Error::last_os_error());
}

/// Lets guest faults reach the engine.
fn install_handlers() {
    // SAFETY: a zeroed sigaction is a valid one, and `on_signal` is async-signal-safe.
    unsafe {
        let mut action: libc::sigaction = std::mem::zeroed();
        action.sa_sigaction = on_signal as *const () as usize;
        action.sa_flags = libc::SA_SIGINFO | libc::SA_ONSTACK | libc::SA_NODEFER;
        for signal in [libc::SIGSEGV, libc::SIGBUS, libc::SIGFPE] {
            assert_eq!(
                libc::sigaction(signal, &raw const action, std::ptr::null_mut()),
                0
            );
        }
    }
}

extern "C" fn on_signal(signal: i32, info: *mut libc::siginfo_t, context: *mut libc::c_void) {
    // SAFETY: these are the kernel's arguments to this handler.
    let handled = unsafe { engine::on_host_signal(signal, info, context) };
    if handled == HostSignal::NotOurs {
        // SAFETY: signal(2) is async-signal-safe; the fault repeats and ends the process.
        unsafe {
            libc::signal(signal, libc::SIG_DFL);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stores_are_seen_and_undone() {
        let mut arena = Arena::lock();
        let addr = DATA_BASE + 0x123;
        guest_memory::access::store(GuestAddr(addr), 1, !u64::from(content_bytes::<1>(addr)[0]) & 0xff)
            .unwrap();
        let changes = arena.take_changes();
        assert_eq!(
            changes,
            [(DATA_BASE + 0x120, content(DATA_BASE + 0x120) ^ 0xff00_0000)]
        );
        assert_eq!(arena.take_changes(), []);
    }

    #[test]
    fn changed_code_is_noticed_and_undone() {
        let mut arena = Arena::lock();
        let words = [1, 2, 3];
        arena.set_code(&words);
        assert!(arena.has_code(&words));
        guest_memory::access::store(GuestAddr(CODE_BASE + 0xffc), 4, 7).unwrap();
        assert!(!arena.has_code(&words));
        arena.set_code(&words);
        assert!(arena.has_code(&words));
        arena.set_code(&[]);
    }

    #[test]
    fn surroundings_are_not_accessible() {
        let _arena = Arena::lock();
        assert!(guest_memory::access::load(GuestAddr(DATA_BASE - 8), 8).is_err());
        assert!(guest_memory::access::load(GuestAddr(DATA_BASE + DATA_SIZE - 4), 8).is_err());
        assert!(guest_memory::access::store(GuestAddr(LITERAL_BASE), 8, 0).is_err());
    }

    #[test]
    fn accesses_across_pages_fault_where_the_page_begins() {
        use guest_memory::access::{load, store};
        let _arena = Arena::lock();
        let end = DATA_BASE + DATA_SIZE;
        let addresses = [
            (end - 4, end),
            (end - 1, end),
            (DATA_BASE - 4, DATA_BASE - 4),
            (end + 1, end + 1),
        ];
        for (addr, faulting) in addresses {
            assert_eq!(load(GuestAddr(addr), 8).unwrap_err().addr, GuestAddr(faulting));
            assert_eq!(
                store(GuestAddr(addr), 8, 1).unwrap_err().addr,
                GuestAddr(faulting)
            );
        }
    }
}
