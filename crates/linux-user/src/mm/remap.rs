//! mremap and remap_file_pages.

use super::map::{claim_holes, release};
use super::{Backing, Mm, State, Vma, page_range};
use crate::host;
use engine::Engine;
use guest::{GUEST_ADDRESS_LIMIT, GuestAddr, PAGE_SIZE};
use linux_abi::nr::x86_64 as nr;
use linux_abi::{Errno, SysResult, flags};
use std::ops::Range;
use std::sync::atomic::Ordering;

/// The arguments of mremap(2).
#[derive(Clone, Copy, Debug)]
pub struct RemapRequest {
    pub old: GuestAddr,
    pub old_len: u64,
    pub new_len: u64,
    pub flags: u64,
    pub new: GuestAddr,
}

/// What the arguments of a call that may be carried out mean; lengths in bytes, whole pages.
struct Remap {
    /// What must be mapped.
    source: Range<u64>,
    old_len: u64,
    new_len: u64,
}

impl RemapRequest {
    fn has(&self, flag: u64) -> bool {
        self.flags & flag != 0
    }

    /// The kernel's checks of the arguments alone, in its order (mm/mremap.c, check_mremap_params).
    fn checked(&self) -> Result<Remap, Errno> {
        let known = flags::MREMAP_MAYMOVE | flags::MREMAP_FIXED | flags::MREMAP_DONTUNMAP;
        // As PAGE_ALIGN does, beyond the last page comes 0.
        let aligned = |len: u64| len.wrapping_add(PAGE_SIZE - 1) & !(PAGE_SIZE - 1);
        let (old_len, new_len) = (aligned(self.old_len), aligned(self.new_len));
        let silly = new_len == 0 || new_len > GUEST_ADDRESS_LIMIT;
        if self.flags & !known != 0 || !self.old.is_page_aligned() || silly {
            return Err(Errno::EINVAL);
        }
        // Length 0 duplicates a shared mapping; its first page must be there all the same.
        let source = self.old.0..self.old.0.saturating_add(old_len.max(PAGE_SIZE));
        if self.has(flags::MREMAP_FIXED | flags::MREMAP_DONTUNMAP) {
            let resizes = self.has(flags::MREMAP_DONTUNMAP) && old_len != new_len;
            let target = page_range(self.new.0, new_len, Errno::EINVAL)?;
            let overlaps = self.old.0.saturating_add(old_len) > target.start && target.end > self.old.0;
            if !self.has(flags::MREMAP_MAYMOVE) || resizes || overlaps {
                return Err(Errno::EINVAL);
            }
        }
        Ok(Remap {
            source,
            old_len,
            new_len,
        })
    }

    fn to_host(self) -> SysResult {
        let args = [self.old.0, self.old_len, self.new_len, self.flags, self.new.0, 0];
        // SAFETY: the source is the guest's own areas; the target, where it is fixed, too or was reserved.
        unsafe { host::raw(nr::mremap, args) }
    }
}

/// Makes the call, after the checks.
fn carry_out(state: &mut State, request: RemapRequest, old_len: u64, new_len: u64) -> SysResult {
    if request.has(flags::MREMAP_FIXED) {
        let holes = claim_holes(state, &(request.new.0..request.new.0 + new_len))?;
        return request.to_host().inspect_err(|_| release(&holes));
    }
    if state.limit.is_some() && request.has(flags::MREMAP_MAYMOVE) {
        return move_below_limit(state, request, old_len, new_len);
    }
    // As for mmap: no hint that would leave the guest's part of the address space.
    let beyond = request.new.0.saturating_add(new_len) > GUEST_ADDRESS_LIMIT;
    let new = if beyond { GuestAddr::NULL } else { request.new };
    RemapRequest { new, ..request }.to_host()
}

/// Stays in its place if it can; else one is found, which the host's kernel would take too high.
fn move_below_limit(state: &mut State, request: RemapRequest, old_len: u64, new_len: u64) -> SysResult {
    if old_len != 0 && !request.has(flags::MREMAP_DONTUNMAP) {
        match (RemapRequest { flags: 0, ..request }).to_host() {
            Err(Errno::ENOMEM) => {}
            result => return result,
        }
    }
    let Some(place) = state.claim_place(new_len)? else {
        return Err(Errno::ENOMEM);
    };
    let moved = RemapRequest {
        flags: request.flags | flags::MREMAP_FIXED,
        new: GuestAddr(place.start),
        ..request
    };
    moved.to_host().inspect_err(|_| release(&[place]))
}

impl Mm {
    /// mremap(2).
    ///
    /// # Errors
    /// The kernel's; EFAULT for a source and ENOMEM for a fixed target that is not the guest's.
    pub fn mremap(&self, engine: &Engine, request: RemapRequest) -> SysResult {
        let Remap {
            source,
            old_len,
            new_len,
        } = request.checked()?;
        let mut state = self.lock();
        state.settle(&source);
        if !state.table.covers(&source) {
            // What does not grow must be mapped at its first page only; whatever is behind its new end goes.
            let first = source.start..source.start + PAGE_SIZE;
            let in_place = new_len <= old_len && !request.has(flags::MREMAP_FIXED | flags::MREMAP_DONTUNMAP);
            if !in_place || !state.table.covers(&first) {
                return Err(Errno::EFAULT);
            }
            drop(state);
            if new_len < old_len {
                let tail = request.old.offset(new_len as i64);
                self.munmap(engine, tail, old_len - new_len)?;
            }
            return Ok(request.old.0);
        }
        let at = carry_out(&mut state, request, old_len, new_len)?;
        let kept = old_len == 0 || request.has(flags::MREMAP_DONTUNMAP);
        let moved = Moved {
            source: source.start..source.start + old_len,
            target: at..at + new_len,
            kept,
        };
        self.record_move(&mut state, engine, &source, moved);
        Ok(at)
    }

    fn record_move(&self, state: &mut State, engine: &Engine, first: &Range<u64>, moved: Moved) {
        let Moved { source, target, kept } = moved;
        let pieces = state
            .table
            .pieces(if source.is_empty() { first } else { &source });
        if !kept {
            self.forget(state, engine, &source);
        } else if state.table.any_executable(&source) {
            // The contents went away, the area stays.
            engine.invalidate(GuestAddr(source.start)..GuestAddr(source.end));
        }
        self.forget(state, engine, &target);
        if !kept && pieces.iter().any(|vma| vma.backing == Backing::Vdso) {
            let shift = target.start.wrapping_sub(source.start);
            self.shared.vdso_shift.fetch_add(shift, Ordering::Relaxed);
        }
        for vma in relocate(&pieces, first.start, &target) {
            self.replace(state, engine, vma);
        }
    }

    /// remap_file_pages(2): the host does it; only translations are let go of.
    ///
    /// # Errors
    /// The kernel's; EINVAL where the guest has nothing mapped.
    pub fn remap_file_pages(&self, engine: &Engine, args: [u64; 6]) -> SysResult {
        let range = page_range(args[0] & !0xfff, args[1], Errno::EINVAL)?;
        let mut state = self.lock();
        state.settle(&range);
        if !state.table.covers(&range) {
            return Err(Errno::EINVAL);
        }
        // SAFETY: the range is the guest's own areas.
        let result = unsafe { host::raw(nr::remap_file_pages, args) }?;
        if state.table.any_executable(&range) {
            engine.invalidate(GuestAddr(range.start)..GuestAddr(range.end));
        }
        Ok(result)
    }
}

/// What a successful mremap did.
struct Moved {
    source: Range<u64>,
    target: Range<u64>,
    /// The source stays mapped (MREMAP_DONTUNMAP, or a duplicate).
    kept: bool,
}

/// The areas of `pieces` as they stand at `target`: cut off when it is shorter, the last
/// one longer when it is longer.
fn relocate(pieces: &[Vma], source_start: u64, target: &Range<u64>) -> Vec<Vma> {
    let mut moved: Vec<Vma> = pieces
        .iter()
        .map(|vma| vma.moved_to(target.start + (vma.start - source_start)))
        .filter(|vma| vma.start < target.end)
        .collect();
    if let Some(last) = moved.last_mut() {
        last.end = target.end;
    }
    moved
}
