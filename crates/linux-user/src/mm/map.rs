//! mmap, munmap and brk.

use super::{Backing, Mm, State, Vma, guard_bit, host_munmap, host_prot, page_range, reserve};
use crate::host;
use engine::Engine;
use guest::{GUEST_ADDRESS_LIMIT, GuestAddr, PAGE_SIZE};
use host_memory::own;
use linux_abi::layout::HostStat;
use linux_abi::nr::x86_64 as nr;
use linux_abi::{Errno, SysResult, flags};
use std::ops::Range;

/// The arguments of mmap(2), as the guest gives them.
#[derive(Clone, Copy, Debug)]
pub struct MapRequest {
    pub addr: GuestAddr,
    pub len: u64,
    pub prot: u64,
    pub flags: u64,
    pub fd: i32,
    pub offset: u64,
}

impl MapRequest {
    /// Private anonymous memory at a place of the kernel's choice.
    #[must_use]
    pub fn anonymous(len: u64, prot: u64) -> MapRequest {
        MapRequest {
            addr: GuestAddr::NULL,
            len,
            prot,
            flags: flags::MAP_PRIVATE | flags::MAP_ANONYMOUS,
            fd: -1,
            offset: 0,
        }
    }

    fn is_fixed(&self) -> bool {
        self.flags & (flags::MAP_FIXED | flags::MAP_FIXED_NOREPLACE) == flags::MAP_FIXED
    }

    fn is_shared(&self) -> bool {
        matches!(
            self.flags & flags::MAP_TYPE,
            flags::MAP_SHARED | flags::MAP_SHARED_VALIDATE
        )
    }

    /// What the mapping holds. Only shared file mappings need their identity: there the
    /// same code can be mapped twice.
    fn backing(&self) -> Backing {
        if self.flags & flags::MAP_ANONYMOUS != 0 {
            return Backing::Anonymous;
        }
        if !self.is_shared() {
            return Backing::File { dev: 0, ino: 0 };
        }
        let mut stat = HostStat::ZERO;
        // SAFETY: the kernel writes a struct stat, which the argument points to.
        match unsafe { host::raw(nr::fstat, [self.fd as u64, (&raw mut stat) as u64, 0, 0, 0, 0]) } {
            Ok(_) => Backing::File {
                dev: stat.st_dev,
                ino: stat.st_ino,
            },
            Err(_) => Backing::File { dev: 0, ino: 0 },
        }
    }

    /// The length the kernel maps: whole pages, huge ones for MAP_HUGETLB.
    pub(super) fn mapped_len(&self) -> u64 {
        if self.flags & flags::MAP_HUGETLB == 0 {
            return GuestAddr(self.len).page_up().0;
        }
        self.len.next_multiple_of(self.alignment())
    }

    /// What its address is a multiple of.
    pub(super) fn alignment(&self) -> u64 {
        if self.flags & flags::MAP_HUGETLB == 0 {
            return PAGE_SIZE;
        }
        // MAP_HUGE_SHIFT: the flags may name the size; 2 MiB is the usual default.
        let log = match self.flags >> 26 & 0x3f {
            0 => 21,
            log => log,
        };
        1 << log
    }

    fn vma(&self, at: u64, kept: u64) -> Vma {
        let file = self.flags & flags::MAP_ANONYMOUS == 0;
        Vma {
            start: at,
            end: at + self.mapped_len(),
            prot: self.prot & (flags::PROT_READ | flags::PROT_WRITE | flags::PROT_EXEC | kept),
            shared: self.is_shared(),
            grows_down: self.flags & flags::MAP_GROWSDOWN != 0,
            offset: if file { self.offset } else { 0 },
            backing: self.backing(),
        }
    }

    pub(super) fn to_host(self, addr: u64, map_flags: u64) -> SysResult {
        let args = [
            addr,
            self.len,
            host_prot(self.prot),
            map_flags,
            self.fd as u64,
            self.offset,
        ];
        // SAFETY: nothing but the guest's own areas and free space is mapped over.
        unsafe { host::raw(nr::mmap, args) }
    }
}

/// The largest number of an error (include/linux/err.h).
const MAX_ERRNO: u64 = 4095;

impl Mm {
    /// mmap(2).
    ///
    /// # Errors
    /// The kernel's, and ENOMEM where a fixed address would replace the emulator.
    pub fn mmap(&self, engine: &Engine, request: MapRequest) -> SysResult {
        let unknown = request.flags & flags::HOST_ONLY_MAP_BITS;
        if unknown != 0 && request.flags & flags::MAP_TYPE == flags::MAP_SHARED_VALIDATE {
            return Err(Errno::EOPNOTSUPP);
        }
        let mut state = self.lock();
        state.deny_exec_gain.check(request.prot, request.prot)?;
        let map_flags = request.flags & !unknown | state.lock_future.map_flags();
        // A hint beyond 2^47 would ask a host with 5-level tables for such an address.
        let fits = request.addr.0.saturating_add(request.len) <= state.end();
        let at = if request.is_fixed() {
            if !fits && state.limit.is_some() {
                return Err(Errno::ENOMEM);
            }
            map_fixed(&mut state, &request, map_flags)?
        } else {
            let exact = map_flags & flags::MAP_FIXED_NOREPLACE != 0;
            // The kernel takes the last addresses for errors, wherever they come from (IS_ERR_VALUE).
            let is_error = request.addr.0 > u64::MAX - MAX_ERRNO;
            if exact && !fits && !is_error {
                return Err(Errno::ENOMEM);
            }
            let hint = if fits || exact { request.addr.0 } else { 0 };
            if exact {
                request.to_host(hint, map_flags)?
            } else {
                state.map_anywhere(&request, hint, map_flags)?
            }
        };
        let vma = request.vma(at, guard_bit(engine));
        self.replace(&mut state, engine, vma);
        // What has been mapped stays so, as where the kernel locks it.
        let _ = state.lock_future.lock(&vma.range());
        Ok(at)
    }

    /// munmap(2): only what the guest mapped goes.
    ///
    /// # Errors
    /// EINVAL as the kernel gives it.
    pub fn munmap(&self, engine: &Engine, addr: GuestAddr, len: u64) -> SysResult {
        let range = page_range(addr.0, len, Errno::EINVAL)?;
        let mut state = self.lock();
        self.unmap_pieces(&mut state, engine, &range)?;
        Ok(0)
    }

    pub(super) fn unmap_pieces(&self, state: &mut State, engine: &Engine, range: &Range<u64>) -> SysResult {
        state.settle(range);
        for part in state.table.covered_parts(range) {
            host_munmap(&part)?;
            self.forget(state, engine, &part);
        }
        Ok(0)
    }

    /// Where the heap begins: right behind the program's image. To be called once by the loader.
    pub fn set_brk(&self, start: GuestAddr) {
        let mut state = self.lock();
        state.brk_start = start.page_up().0;
        state.brk = state.brk_start;
    }

    /// Says where the heap is, for prctl(2): nothing is mapped or unmapped.
    pub fn move_brk(&self, start: u64, end: u64) {
        let mut state = self.lock();
        (state.brk_start, state.brk) = (start, end);
    }

    /// The heap's start and present end.
    #[must_use]
    pub fn brk_range(&self) -> Range<GuestAddr> {
        let state = self.lock();
        GuestAddr(state.brk_start)..GuestAddr(state.brk)
    }

    /// brk(2): the new end, or the old one when it cannot move.
    pub fn brk(&self, engine: &Engine, end: GuestAddr) -> u64 {
        let mut state = self.lock();
        if end.0 < state.brk_start || end.0 > GUEST_ADDRESS_LIMIT - PAGE_SIZE {
            return state.brk;
        }
        let old = GuestAddr(state.brk).page_up().0;
        let new = end.page_up().0;
        let moved = if new > old {
            self.grow_heap(&mut state, engine, old..new)
        } else if new < old {
            self.unmap_pieces(&mut state, engine, &(new..old))
        } else {
            Ok(0)
        };
        if moved.is_ok() {
            state.brk = end.0;
        }
        state.brk
    }

    /// Something else may stand in the way (the host places mappings where it likes); then
    /// the heap ends there and malloc goes on with mmap.
    fn grow_heap(&self, state: &mut State, engine: &Engine, range: Range<u64>) -> SysResult {
        let prot = flags::PROT_READ | flags::PROT_WRITE;
        let mut request = MapRequest::anonymous(range.end - range.start, prot);
        request.addr = GuestAddr(range.start);
        request.flags |= flags::MAP_FIXED_NOREPLACE | state.lock_future.map_flags();
        let at = request.to_host(range.start, request.flags)?;
        if at != range.start {
            // A kernel before 4.17 takes the address as a hint only.
            host_munmap(&(at..at + request.len))?;
            return Err(Errno::ENOMEM);
        }
        let vma = Vma {
            backing: Backing::Heap,
            ..request.vma(at, guard_bit(engine))
        };
        self.replace(state, engine, vma);
        let _ = state.lock_future.lock(&vma.range());
        Ok(at)
    }
}

/// Maps over the guest's own areas and over free space, never over anything else.
fn map_fixed(state: &mut State, request: &MapRequest, map_flags: u64) -> SysResult {
    // What the kernel refuses anyway is left to it; nothing can be replaced then.
    let Ok(range) = page_range(request.addr.0, request.len, Errno::ENOMEM) else {
        let harmless = map_flags & !flags::MAP_FIXED | flags::MAP_FIXED_NOREPLACE;
        if request.len == 0 || !request.addr.is_page_aligned() {
            return request.to_host(request.addr.0, harmless).and(Err(Errno::EINVAL));
        }
        return Err(Errno::ENOMEM);
    };
    let holes = claim_holes(state, &range)?;
    let mapped = request.to_host(request.addr.0, map_flags);
    if mapped.is_err() {
        release(&holes);
    }
    mapped
}

/// Reserves the parts of `range` the guest has nothing in.
///
/// # Errors
/// ENOMEM when something of the emulator's is there; nothing is changed then.
pub(super) fn claim_holes(state: &mut State, range: &Range<u64>) -> Result<Vec<Range<u64>>, Errno> {
    state.settle(range);
    if own::overlaps(range.start, range.end - range.start) {
        return Err(Errno::ENOMEM);
    }
    let holes = state.table.holes(range);
    for (index, hole) in holes.iter().enumerate() {
        if let Err(error) = reserve(hole) {
            release(&holes[..index]);
            // EPERM: below mmap_min_addr, which arm64 reports alike.
            return Err(if error == Errno::EEXIST {
                Errno::ENOMEM
            } else {
                error
            });
        }
    }
    Ok(holes)
}

pub(super) fn release(holes: &[Range<u64>]) {
    for hole in holes {
        // Fails only if the range is not mapped, and then there is nothing to undo.
        let _ = host_munmap(hole);
    }
}
