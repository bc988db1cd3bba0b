//! mprotect, madvise and mseal.

use super::{Mm, host_prot, page_range};
use crate::host;
use engine::Engine;
use guest::{GUEST_ADDRESS_LIMIT, GuestAddr, PAGE_SIZE};
use linux_abi::nr::x86_64 as nr;
use linux_abi::{Errno, SysResult, flags};
use std::ops::Range;

const ACCESS: u64 = flags::PROT_READ | flags::PROT_WRITE | flags::PROT_EXEC;

impl Mm {
    /// mprotect(2).
    ///
    /// # Errors
    /// The kernel's; ENOMEM at the first hole in the guest's areas, after changing what
    /// comes before it.
    pub fn mprotect(&self, engine: &Engine, addr: GuestAddr, len: u64, prot: u64) -> SysResult {
        let grows = prot & (flags::PROT_GROWSDOWN | flags::PROT_GROWSUP);
        // arch_validate_prot: without MTE (BTI) the guest's kernel knows no PROT_MTE (PROT_BTI).
        let kept = ACCESS | super::guard_bit(engine);
        let known = kept | flags::PROT_SEM;
        if prot & !(known | grows) != 0 || grows == flags::PROT_GROWSDOWN | flags::PROT_GROWSUP {
            return Err(Errno::EINVAL);
        }
        if !addr.is_page_aligned() {
            return Err(Errno::EINVAL);
        }
        if len == 0 {
            return Ok(0);
        }
        let mut range = page_range(addr.0, len, Errno::ENOMEM)?;
        let mut state = self.lock();
        state.settle(&range);
        if grows != 0 {
            range.start = grown_start(state.table.find(addr.0), grows)?;
        }
        let end = state.table.covered_until(&range);
        for piece in state.table.pieces(&(range.start..end)) {
            state.deny_exec_gain.check(piece.prot, prot)?;
            let args = [piece.start, piece.end - piece.start, host_prot(prot), 0, 0, 0];
            // SAFETY: the range is one of the guest's own areas.
            unsafe { host::raw(nr::mprotect, args) }?;
            let changed = super::Vma {
                prot: prot & kept,
                ..piece
            };
            if changed != piece {
                self.replace(&mut state, engine, changed);
            }
        }
        if end < range.end {
            Err(Errno::ENOMEM)
        } else {
            Ok(0)
        }
    }

    /// madvise(2): advice that drops contents reaches only the guest's own areas.
    ///
    /// # Errors
    /// The kernel's.
    pub fn madvise(&self, engine: &Engine, addr: GuestAddr, len: u64, advice: u64) -> SysResult {
        let to_host = |range: &Range<u64>| {
            // SAFETY: the range is the guest's own areas, or bad or empty, and refused.
            unsafe {
                host::raw(
                    nr::madvise,
                    [range.start, range.end - range.start, advice, 0, 0, 0],
                )
            }
        };
        // Advice that there is comes first.
        let known = || {
            // SAFETY: the range is empty.
            unsafe { host::raw(nr::madvise, [0, 0, advice, 0, 0, 0]) }
        };
        let Ok(range) = page_range(addr.0, len, Errno::EINVAL) else {
            if is_beyond(addr, len) {
                return known().and(Err(Errno::ENOMEM));
            }
            // Bad or empty: nothing can happen, so the kernel may say what is wrong.
            // SAFETY: the range is the guest's own areas, or bad or empty, and refused.
            return unsafe { host::raw(nr::madvise, [addr.0 | u64::from(len != 0), len, advice, 0, 0, 0]) };
        };
        let mut state = self.lock();
        state.settle(&range);
        if state.table.covers(&range) {
            let had_code = drops_contents(advice) && state.table.any_executable(&range);
            if !drops_contents(advice) {
                // May take long (MADV_POPULATE_WRITE) and changes no bookkeeping.
                drop(state);
                return to_host(&range);
            }
            let result = to_host(&range);
            if had_code {
                engine.invalidate(GuestAddr(range.start)..GuestAddr(range.end));
            }
            return result;
        }
        known()?;
        for part in state.table.covered_parts(&range) {
            to_host(&part)?;
            if state.table.any_executable(&part) {
                engine.invalidate(GuestAddr(part.start)..GuestAddr(part.end));
            }
        }
        Err(Errno::ENOMEM)
    }

    /// mseal(2).
    ///
    /// # Errors
    /// The kernel's; ENOMEM where the guest has nothing mapped.
    pub fn mseal(&self, addr: GuestAddr, len: u64, seal_flags: u64) -> SysResult {
        if seal_flags != 0 {
            return Err(Errno::EINVAL);
        }
        if len == 0 && addr.is_page_aligned() {
            return Ok(0);
        }
        if is_beyond(addr, len) {
            return Err(Errno::ENOMEM);
        }
        let range = page_range(addr.0, len, Errno::EINVAL)?;
        let covered = {
            let mut state = self.lock();
            state.settle(&range);
            state.table.covers(&range)
        };
        if !covered {
            return Err(Errno::ENOMEM);
        }
        // SAFETY: the range is the guest's own areas.
        unsafe {
            host::raw(
                nr::mseal,
                [range.start, range.end - range.start, seal_flags, 0, 0, 0],
            )
        }
    }
}

/// Whether a range is well-formed, and only too far up for anything to be mapped in all of it.
fn is_beyond(addr: GuestAddr, len: u64) -> bool {
    let rounded = len.checked_add(PAGE_SIZE - 1).map(|len| len & !(PAGE_SIZE - 1));
    let end = rounded
        .filter(|&len| len != 0)
        .and_then(|len| addr.0.checked_add(len));
    addr.is_page_aligned() && end.is_some_and(|end| end > GUEST_ADDRESS_LIMIT)
}

/// PROT_GROWSDOWN changes from the start of the growing area on.
fn grown_start(vma: Option<&super::Vma>, grows: u64) -> Result<u64, Errno> {
    let vma = vma.ok_or(Errno::ENOMEM)?;
    if grows == flags::PROT_GROWSDOWN && vma.grows_down {
        Ok(vma.start)
    } else {
        Err(Errno::EINVAL)
    }
}

fn drops_contents(advice: u64) -> bool {
    matches!(
        advice,
        flags::MADV_DONTNEED
            | flags::MADV_FREE
            | flags::MADV_REMOVE
            | flags::MADV_DONTNEED_LOCKED
            | flags::MADV_GUARD_INSTALL
            | flags::MADV_HWPOISON
            | flags::MADV_SOFT_OFFLINE
    )
}

const _: () = assert!(PAGE_SIZE == 4096);
