//! [`Mapping`]: memory of the emulator's, a part of the area.

use crate::area;
use nix::sys::mman::{MapFlags, ProtFlags, mmap, mprotect};
use std::fs::File;
use std::io;
use std::num::NonZeroUsize;
use std::ops::Range;
use std::ptr::NonNull;

/// What the host's processor may do with memory.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Access {
    None,
    Read,
    ReadWrite,
    /// Generated code, which is patched while it runs.
    ReadWriteExecute,
}

impl Access {
    fn flags(self) -> ProtFlags {
        match self {
            Access::None => ProtFlags::PROT_NONE,
            Access::Read => ProtFlags::PROT_READ,
            Access::ReadWrite => ProtFlags::PROT_READ | ProtFlags::PROT_WRITE,
            Access::ReadWriteExecute => ProtFlags::PROT_READ | ProtFlags::PROT_WRITE | ProtFlags::PROT_EXEC,
        }
    }
}

/// Private memory that is zero at first and takes pages only as it is touched. It goes back to the area when it is
/// dropped.
#[derive(Debug)]
pub struct Mapping {
    start: NonNull<u8>,
    len: usize,
}

// SAFETY: a `Mapping` is only an address range; its users synchronise their accesses.
unsafe impl Send for Mapping {}
// SAFETY: as above.
unsafe impl Sync for Mapping {}

impl Mapping {
    /// # Errors
    /// The host's, when it has no memory or does not allow the access.
    pub fn new(len: usize, access: Access) -> io::Result<Mapping> {
        let mapping = Mapping {
            start: area::take(len, area::MAPPED)?,
            len,
        };
        // As the area is.
        if access != Access::ReadWrite {
            mapping.protect(0, len, access)?;
        }
        Ok(mapping)
    }

    /// The contents of a file, to be read. Whoever shortens the file takes them away.
    ///
    /// # Errors
    /// The host's; an empty file has none.
    pub fn of_file(file: &File, len: usize) -> io::Result<Mapping> {
        let mapping = Mapping::new(len, Access::ReadWrite)?;
        let size = NonZeroUsize::new(len).ok_or(io::ErrorKind::InvalidInput)?;
        let how = MapFlags::MAP_PRIVATE | MapFlags::MAP_FIXED;
        // SAFETY: replaces memory that is this mapping's own and that nobody has seen yet.
        unsafe {
            mmap(
                Some(mapping.start.addr()),
                size,
                ProtFlags::PROT_READ,
                how,
                file,
                0,
            )?
        };
        Ok(mapping)
    }

    #[must_use]
    pub fn start(&self) -> *mut u8 {
        self.start.as_ptr()
    }

    #[must_use]
    pub fn address(&self) -> u64 {
        self.start.as_ptr() as u64
    }

    #[must_use]
    pub fn len(&self) -> usize {
        self.len
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    #[must_use]
    pub fn range(&self) -> Range<u64> {
        self.address()..self.address() + self.len as u64
    }

    /// Changes what may be done with a part: whole pages. Async-signal-safe.
    ///
    /// # Errors
    /// The host's.
    ///
    /// # Panics
    /// When the part does not lie in the mapping.
    pub fn protect(&self, offset: usize, len: usize, access: Access) -> io::Result<()> {
        assert!(offset <= self.len && len <= self.len - offset);
        // SAFETY: the part lies in this mapping, as was just checked.
        let start = unsafe { self.start.add(offset) };
        // SAFETY: the part is this type's own; who reads or writes it meanwhile is its users' matter.
        unsafe { mprotect(start.cast(), len, access.flags()) }.map_err(io::Error::from)
    }
}

impl Drop for Mapping {
    fn drop(&mut self) {
        // SAFETY: it was taken with this length and, being dropped, is no longer used.
        unsafe { area::give_back(self.start, self.len) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn access_is_as_asked() {
        let mapping = Mapping::new(0x3000, Access::ReadWrite).expect("memory");
        // SAFETY: the first byte of memory that may be written.
        unsafe { mapping.start().write(7) };
        mapping.protect(0x1000, 0x1000, Access::None).expect("protect");
        // SAFETY: the first byte, as before.
        assert_eq!(unsafe { mapping.start().read() }, 7);
        assert_eq!(mapping.range(), mapping.address()..mapping.address() + 0x3000);
    }

    #[test]
    fn a_file_is_mapped_whole() {
        let path = std::env::current_exe().expect("this program's own path");
        let bytes = std::fs::read(&path).expect("readable");
        let file = File::open(&path).expect("readable");
        let mapping = Mapping::of_file(&file, bytes.len()).expect("memory");
        // SAFETY: the file is as long, and nobody changes a program that runs.
        let mapped = unsafe { std::slice::from_raw_parts(mapping.start(), mapping.len()) };
        assert!(mapped == bytes);
        assert!(Mapping::of_file(&file, 0).is_err());
    }

    #[test]
    #[should_panic(expected = "offset")]
    fn no_part_lies_outside() {
        let mapping = Mapping::new(0x1000, Access::ReadWrite).expect("memory");
        let _ = mapping.protect(0x1000, 0x1000, Access::None);
    }

    #[test]
    fn memory_is_zero_each_time() {
        for _ in 0..3 {
            let mapping = Mapping::new(0x1000, Access::ReadWrite).expect("memory");
            // SAFETY: a byte of memory that may be read and written.
            let before = unsafe { mapping.start().add(0xfff).replace(1) };
            assert_eq!(before, 0);
        }
    }
}
