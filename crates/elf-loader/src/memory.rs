//! [`Memory`]: what the loader needs of the guest's memory map.

use guest::GuestAddr;
use linux_abi::{Errno, SysResult};
use std::ops::Range;

/// Where a mapping goes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Place {
    /// Where the host likes.
    Anywhere,
    /// There, if nothing is there yet.
    Free(GuestAddr),
    /// There, over what the loader mapped before.
    Replace(GuestAddr),
}

/// A private mapping to make.
#[derive(Clone, Copy, Debug)]
pub struct Request {
    pub place: Place,
    pub len: u64,
    /// PROT_* bits.
    pub prot: u64,
    /// Descriptor and offset; zeroed memory without.
    pub file: Option<(i32, u64)>,
}

/// What an area is, for /proc/self/maps.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Area {
    Stack,
    Vdso,
}

/// The guest's memory map.
pub trait Memory {
    /// Makes a private mapping; gives its address.
    ///
    /// # Errors
    /// The host kernel's.
    fn map(&self, request: Request) -> SysResult;

    /// Undoes mappings of the loader's.
    ///
    /// # Errors
    /// The host kernel's.
    fn unmap(&self, range: Range<GuestAddr>) -> SysResult;

    /// Changes protections.
    ///
    /// # Errors
    /// The host kernel's.
    fn protect(&self, range: Range<GuestAddr>, prot: u64) -> SysResult;

    /// Maps a stack that grows down with its use, `len` bytes (whole pages) at first; `None` where there is no place for
    /// one. It has its name.
    fn map_stack(&self, len: u64, prot: u64) -> Option<Range<GuestAddr>>;

    /// Names an area.
    fn label(&self, range: Range<GuestAddr>, area: Area);
}

/// Writes guest memory that was just mapped.
pub(crate) fn write(addr: GuestAddr, bytes: &[u8]) -> Result<(), Errno> {
    guest_memory::access::write(addr, bytes).map_err(|_| Errno::EFAULT)
}
