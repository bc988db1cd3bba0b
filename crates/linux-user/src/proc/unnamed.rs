//! A program without a name: one in memory, or deleted before it was executed. /proc/self/exe leads to it all the same.
//!
//! A descriptor that leads there would be one more of the guest's, so its contents stay mapped instead. The mapping has a
//! link of the kernel's, which only the privileged may follow (CAP_CHECKPOINT_RESTORE); for others, who opens the program
//! gets a copy in memory: as runc and crun, which execute a sealed copy of themselves and look for the seals then.

use super::host_file;
use super::shown::LONGEST_NAME;
use crate::host::{self, Fcntl};
use guest::PAGE_SIZE;
use host_memory::Mapping;
use linux_abi::{Errno, OpenFlags, SysResult, flags};
use std::fs::File;
use std::os::fd::AsRawFd;

/// The file of such a program.
#[derive(Debug)]
pub struct Unnamed {
    contents: Mapping,
    seals: u64,
}

impl Unnamed {
    /// `None` if the host has no memory for it.
    #[must_use]
    pub fn of(file: &File) -> Option<Unnamed> {
        let len = usize::try_from(file.metadata().ok()?.len()).ok()?;
        Some(Unnamed {
            contents: Mapping::of_file(file, len).ok()?,
            seals: host::fcntl(file.as_raw_fd(), Fcntl::GetSeals).unwrap_or(0),
        })
    }

    /// The path that leads to the file itself, if the guest may follow it.
    #[must_use]
    pub fn link(&self) -> Option<Vec<u8>> {
        let start = self.contents.address();
        let end = (start + self.contents.len() as u64).next_multiple_of(PAGE_SIZE);
        let link = format!("/proc/self/map_files/{start:x}-{end:x}").into_bytes();
        let path = host_file::c_path(&link).ok()?;
        host::faccessat(flags::AT_FDCWD, &path, 0).is_ok().then_some(link)
    }

    /// Opens a copy; `shown` is what the link to the program shows.
    ///
    /// # Errors
    /// ETXTBSY for writing, and the kernel's for a new descriptor or memory.
    pub fn open_copy(&self, shown: &[u8], open: OpenFlags) -> SysResult {
        if open.access_mode() != 0 && !open.contains(OpenFlags::O_PATH) {
            return Err(Errno::ETXTBSY);
        }
        let name = shown.strip_suffix(b" (deleted)").unwrap_or(shown);
        let name = name.strip_prefix(b"/memfd:").unwrap_or(name);
        let name = host_file::c_path(&name[..name.len().min(LONGEST_NAME)])?;
        let fd = host::memfd_create(&name, flags::MFD_CLOEXEC | flags::MFD_ALLOW_SEALING)? as i32;
        let opened = self.fill(fd).and_then(|()| {
            let link = host_file::c_path(format!("/proc/self/fd/{fd}").as_bytes())?;
            let again = host::openat(flags::AT_FDCWD, &link, open.to_host(), 0)?;
            // Under the lowest number that is free, as the kernel's would be.
            let kept = open & OpenFlags::O_CLOEXEC;
            let moved = host::dup3(again, fd as u64, kept.to_host());
            host::close(again as i32)?;
            moved
        });
        if opened.is_err() {
            host::close(fd)?;
        }
        opened
    }

    fn fill(&self, fd: i32) -> Result<(), Errno> {
        host::write_mapping(fd, &self.contents)?;
        if self.seals != 0 {
            host::fcntl(fd, Fcntl::AddSeals(self.seals))?;
        }
        Ok(())
    }
}
