//! shmat and shmdt: System V segments in the guest's map.

use super::map::{claim_holes, release};
use super::{Backing, Mm, Vma, page_range};
use crate::host;
use engine::Engine;
use guest::{GuestAddr, PAGE_SIZE};
use linux_abi::layout::ShmidDs;
use linux_abi::nr::x86_64 as nr;
use linux_abi::{Errno, SysResult, flags};

/// arm64's SHMLBA is the page size, as x86-64's is.
const SHMLBA: u64 = PAGE_SIZE;

fn segment_size(id: u64) -> Result<u64, Errno> {
    let mut status = ShmidDs::ZERO;
    // SAFETY: the kernel writes a struct shmid64_ds, which the argument points to.
    unsafe {
        host::raw(
            nr::shmctl,
            [id, flags::SHM_IPC_STAT, (&raw mut status) as u64, 0, 0, 0],
        )
    }?;
    Ok(status.shm_segsz)
}

impl Mm {
    /// shmat(2).
    ///
    /// # Errors
    /// The kernel's; EINVAL for an address that is not free, ENOMEM for one of the emulator's.
    pub fn shmat(&self, engine: &Engine, id: u64, addr: GuestAddr, shm_flags: u64) -> SysResult {
        let size = segment_size(id)?;
        let mut start = addr.0;
        if shm_flags & flags::SHM_RND != 0 {
            start &= !(SHMLBA - 1);
        }
        if !start.is_multiple_of(SHMLBA) || (start == 0 && shm_flags & flags::SHM_REMAP != 0) {
            return Err(Errno::EINVAL);
        }
        let mut state = self.lock();
        let exec = if shm_flags & flags::SHM_EXEC == 0 {
            0
        } else {
            flags::PROT_EXEC
        };
        let write = if shm_flags & flags::SHM_RDONLY == 0 {
            flags::PROT_WRITE
        } else {
            0
        };
        let prot = flags::PROT_READ | write | exec;
        state.deny_exec_gain.check(prot, prot)?;
        let mut holes = Vec::new();
        if start == 0 {
            start = state.place(GuestAddr(size).page_up().0, SHMLBA)?.unwrap_or(0);
        } else {
            let remaps = shm_flags & flags::SHM_REMAP != 0;
            if start.checked_add(size).is_none() && !remaps {
                return Err(Errno::EINVAL);
            }
            let range = page_range(start, size, Errno::ENOMEM)?;
            if range.end > state.end() {
                return Err(Errno::ENOMEM);
            }
            if remaps {
                holes = claim_holes(&mut state, &range)?;
            }
        }
        // The host mapping never needs to be executable.
        let host_flags = shm_flags & !(flags::SHM_EXEC | flags::SHM_RND);
        let at =
            // SAFETY: the range is the guest's own or was reserved for it; without one the kernel chooses.
            unsafe { host::raw(nr::shmat, [id, start, host_flags, 0, 0, 0]) }.inspect_err(|_| release(&holes))?;
        let vma = Vma {
            start: at,
            end: GuestAddr(at + size).page_up().0,
            prot,
            shared: true,
            grows_down: false,
            offset: 0,
            backing: Backing::SharedSegment(id as u32),
        };
        self.replace(&mut state, engine, vma);
        state.attached.insert(at, vma.end - vma.start);
        Ok(at)
    }

    /// shmdt(2).
    ///
    /// # Errors
    /// EINVAL when nothing is attached there.
    pub fn shmdt(&self, engine: &Engine, addr: GuestAddr) -> SysResult {
        let mut state = self.lock();
        let len = *state.attached.get(&addr.0).ok_or(Errno::EINVAL)?;
        // SAFETY: the segment is one that the guest attached.
        unsafe { host::raw(nr::shmdt, [addr.0, 0, 0, 0, 0, 0]) }?;
        state.attached.remove(&addr.0);
        let segments: Vec<Vma> = state.table.pieces(&(addr.0..addr.0 + len));
        for piece in segments
            .iter()
            .filter(|vma| matches!(vma.backing, Backing::SharedSegment(_)))
        {
            self.forget(&mut state, engine, &piece.range());
        }
        Ok(0)
    }
}
