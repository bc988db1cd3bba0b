//! [`Snapshot`]: the guest's private writable memory as it was, to be put back often and cheaply.
//!
//! The contents go to a memfd, which is then mapped privately in place of what was there. So putting them back is one
//! madvise(2) an area, and costs by what was written since: the kernel drops the copies and shows the file again.

use super::vma::Vma;
use super::{Mm, host_munmap, host_prot};
use crate::host;
use engine::Engine;
use guest::GuestAddr;
use guest_memory::access;
use linux_abi::nr::x86_64 as nr;
use linux_abi::{Errno, flags};
use nix::sys::memfd::{MFdFlags, memfd_create};
use std::fs::File;
use std::os::fd::AsRawFd;
use std::os::unix::fs::FileExt;

/// Bytes copied at once.
const CHUNK: usize = 1 << 16;

/// Memory as it was. It holds what was mapped; registers are the caller's.
pub struct Snapshot {
    vmas: Vec<Vma>,
    /// What is kept, with where in the file.
    kept: Vec<(Vma, u64)>,
    file: File,
    brk: [u64; 2],
    /// The table's count of changes when it was last as in the snapshot.
    changes: u64,
}

impl Mm {
    /// Keeps the contents of all private writable areas. No other thread of the guest may run.
    ///
    /// # Errors
    /// ENOMEM, EMFILE, or EFAULT for an area whose file has become shorter.
    pub fn snapshot(&self) -> Result<Snapshot, Errno> {
        let fd = memfd_create(c"guest", MFdFlags::MFD_CLOEXEC).map_err(|error| Errno(error as i32))?;
        let file = File::from(fd);
        let mut state = self.lock();
        state.settle_all();
        let vmas: Vec<Vma> = state.table.iter().copied().collect();
        let is_kept = |vma: &&Vma| !vma.shared && vma.prot & flags::PROT_WRITE != 0;
        let mut kept = Vec::new();
        let mut offset = 0;
        for vma in vmas.iter().filter(is_kept) {
            keep(&file, vma, offset)?;
            kept.push((*vma, offset));
            offset += vma.end - vma.start;
        }
        file.set_len(offset).map_err(|_| Errno::ENOMEM)?;
        for (vma, offset) in &kept {
            show(&file, vma, *offset)?;
        }
        Ok(Snapshot {
            vmas,
            kept,
            file,
            brk: [state.brk_start, state.brk],
            changes: state.table.changes(),
        })
    }

    /// Puts memory back: what was mapped since goes, and all that was kept is as it was. No other thread of the guest
    /// may run.
    ///
    /// # Errors
    /// EINVAL if the guest has unmapped or changed what was not kept: memory that is shared or cannot be written.
    pub fn restore(&self, engine: &Engine, snapshot: &mut Snapshot) -> Result<(), Errno> {
        let mut state = self.lock();
        if state.table.changes() == snapshot.changes {
            for (vma, _) in &snapshot.kept {
                let args = [vma.start, vma.end - vma.start, flags::MADV_DONTNEED, 0, 0, 0];
                // SAFETY: the range is the guest's own areas, or bad or empty, and refused.
                unsafe { host::raw(nr::madvise, args) }?;
                if vma.is_executable() {
                    engine.invalidate(GuestAddr(vma.start)..GuestAddr(vma.end));
                }
            }
            return Ok(());
        }
        let whole = 0..guest::GUEST_ADDRESS_LIMIT;
        for vma in state.table.pieces(&whole) {
            if !snapshot.vmas.contains(&vma) || snapshot.kept.iter().any(|(kept, _)| *kept == vma) {
                host_munmap(&vma.range())?;
                self.forget(&mut state, engine, &vma.range());
            }
        }
        for (vma, offset) in &snapshot.kept {
            show(&snapshot.file, vma, *offset)?;
            self.replace(&mut state, engine, *vma);
        }
        [state.brk_start, state.brk] = snapshot.brk;
        snapshot.changes = state.table.changes();
        if state.table.iter().eq(&snapshot.vmas) {
            Ok(())
        } else {
            Err(Errno::EINVAL)
        }
    }

    /// Unmaps everything. The guest runs no more.
    pub fn clear(&self, engine: &Engine) {
        let mut state = self.lock();
        // Fails only for what is not mapped.
        let _ = self.unmap_pieces(&mut state, engine, &(0..guest::GUEST_ADDRESS_LIMIT));
    }
}

/// Writes an area's contents to the file; zeros stay holes.
fn keep(file: &File, vma: &Vma, offset: u64) -> Result<(), Errno> {
    let mut bytes = vec![0; CHUNK];
    let mut at = vma.start;
    while at < vma.end {
        let count = CHUNK.min((vma.end - at) as usize);
        access::read(GuestAddr(at), &mut bytes[..count]).map_err(|_| Errno::EFAULT)?;
        if bytes[..count].iter().any(|&byte| byte != 0) {
            file.write_all_at(&bytes[..count], offset + (at - vma.start))
                .map_err(|_| Errno::ENOMEM)?;
        }
        at += count as u64;
    }
    Ok(())
}

/// Maps the file's copy where the area is.
fn show(file: &File, vma: &Vma, offset: u64) -> Result<(), Errno> {
    let map_flags = flags::MAP_PRIVATE | flags::MAP_FIXED;
    let (len, fd) = (vma.end - vma.start, file.as_raw_fd() as u64);
    let args = [vma.start, len, host_prot(vma.prot), map_flags, fd, offset];
    // SAFETY: nothing but the guest's own areas and free space is mapped over.
    unsafe { host::raw(nr::mmap, args) }.map(drop)
}
