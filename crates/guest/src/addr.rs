//! [`GuestAddr`]: a guest virtual address, distinct from host pointers and plain integers.

use std::fmt;

/// Guest page size in bytes: the arm64 4 KiB granule.
pub const PAGE_SIZE: u64 = 4096;

/// First address beyond guest user space on this host (x86-64 user space ends at 2^47).
pub const GUEST_ADDRESS_LIMIT: u64 = 1 << 47;

/// A guest virtual address. Arithmetic wraps, as on the CPU.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
#[repr(transparent)]
pub struct GuestAddr(pub u64);

impl GuestAddr {
    pub const NULL: GuestAddr = GuestAddr(0);

    /// The address `offset` bytes further on (wrapping).
    #[must_use]
    pub const fn offset(self, offset: i64) -> Self {
        GuestAddr(self.0.wrapping_add_signed(offset))
    }

    /// The address rounded down to its page.
    #[must_use]
    pub const fn page(self) -> Self {
        GuestAddr(self.0 & !(PAGE_SIZE - 1))
    }

    /// The address rounded up to a page boundary (wrapping to 0 at the top).
    #[must_use]
    pub const fn page_up(self) -> Self {
        GuestAddr(self.0.wrapping_add(PAGE_SIZE - 1) & !(PAGE_SIZE - 1))
    }

    #[must_use]
    pub const fn is_page_aligned(self) -> bool {
        self.0 & (PAGE_SIZE - 1) == 0
    }

    #[must_use]
    pub const fn is_null(self) -> bool {
        self.0 == 0
    }
}

impl fmt::Debug for GuestAddr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:#x}", self.0)
    }
}

impl fmt::Display for GuestAddr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:#x}", self.0)
    }
}

impl fmt::LowerHex for GuestAddr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::LowerHex::fmt(&self.0, f)
    }
}
