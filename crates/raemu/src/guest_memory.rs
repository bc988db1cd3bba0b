//! The loader's view of linux-user's memory map.

use elf_loader::{Area, Memory, Place, Request};
use engine::Engine;
use guest::GuestAddr;
use linux_abi::{Errno, SysResult, flags};
use linux_user::mm::{Backing, MapRequest, Mm};
use std::ops::Range;

/// The map with the engine that must hear of its changes.
pub struct GuestMemory<'a> {
    pub mm: &'a Mm,
    pub engine: &'a Engine,
}

impl Memory for GuestMemory<'_> {
    fn map(&self, request: Request) -> SysResult {
        let mut map = MapRequest::anonymous(request.len, request.prot);
        match request.place {
            Place::Anywhere => {}
            Place::Free(addr) => {
                map.addr = addr;
                map.flags |= flags::MAP_FIXED_NOREPLACE;
            }
            Place::Replace(addr) => {
                map.addr = addr;
                map.flags |= flags::MAP_FIXED;
            }
        }
        if let Some((fd, offset)) = request.file {
            map.flags &= !flags::MAP_ANONYMOUS;
            map.fd = fd;
            map.offset = offset;
        }
        let at = self.mm.mmap(self.engine, map)?;
        match request.place {
            // A kernel before 4.17 takes the address as a hint only.
            Place::Free(addr) if at != addr.0 => {
                self.unmap(GuestAddr(at)..GuestAddr(at).offset(request.len as i64))?;
                Err(Errno::EEXIST)
            }
            Place::Anywhere | Place::Free(_) | Place::Replace(_) => Ok(at),
        }
    }

    fn unmap(&self, range: Range<GuestAddr>) -> SysResult {
        self.mm
            .munmap(self.engine, range.start, range.end.0 - range.start.0)
    }

    fn protect(&self, range: Range<GuestAddr>, prot: u64) -> SysResult {
        self.mm
            .mprotect(self.engine, range.start, range.end.0 - range.start.0, prot)
    }

    fn map_stack(&self, len: u64, prot: u64) -> Option<Range<GuestAddr>> {
        self.mm.map_stack(self.engine, len, prot)
    }

    fn label(&self, range: Range<GuestAddr>, area: Area) {
        let backing = match area {
            Area::Stack => Backing::Stack,
            Area::Vdso => Backing::Vdso,
        };
        self.mm.label(range, backing);
    }
}
