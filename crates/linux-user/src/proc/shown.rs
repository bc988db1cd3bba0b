//! The memory files that stand for files of the kernel's.
//!
//! A file in memory can be read by whoever gets its descriptor (a child, the next program, who receives it), which a
//! descriptor of the host's own file with its reads replaced could not. So that it also looks like the kernel's file, it
//! carries a mark in its time of modification, and the kernel's name in its own. Calls that show a file's nature look for
//! the mark in what they have found anyway; nothing is kept in this process but whether there ever was one.

use super::{contents_now, host_file, stat_of, statfs_of};
use crate::host;
use crate::task::Task;
use linux_abi::layout::{HostStat, Statfs, Timespec};
use linux_abi::{Errno, OpenFlags, SysResult, flags};
use std::sync::atomic::{AtomicBool, Ordering};

/// The name of a memory file begins so, and the kernel shows it so.
const NAME: &[u8] = b"raemu:";
pub const SHOWN_NAME: &[u8] = b"/memfd:raemu:";
const DELETED: &[u8] = b" (deleted)";
/// Of a memory file's name, without the NUL.
pub(super) const LONGEST_NAME: usize = 249;

/// The mark: no file of Linux's is as old.
const MARK: Timespec = Timespec {
    tv_sec: -0x7261_656d,
    tv_nsec: 161_803_398,
};

/// statfs's f_type of memory files.
const TMPFS_MAGIC: i64 = 0x0102_1994;

/// What acts when a file is opened, and has.
const ONCE: OpenFlags = OpenFlags::O_CREAT
    .union(OpenFlags::O_EXCL)
    .union(OpenFlags::O_TRUNC)
    .union(OpenFlags::O_NOFOLLOW);

/// Whether this process has opened one.
static ANY: AtomicBool = AtomicBool::new(false);

/// Whether a descriptor may be one whose contents are to be made anew when it is read from the start.
#[inline]
#[must_use]
pub fn any() -> bool {
    ANY.load(Ordering::Relaxed)
}

fn write_all(fd: i32, bytes: &[u8]) -> Result<(), Errno> {
    host::write_whole(fd, bytes)?;
    host::set_modification_time(fd, MARK)?;
    Ok(())
}

/// A memory file with these contents, for the file that the kernel calls `path`, open as `open` says where it can be.
///
/// # Errors
/// The kernel's for a new descriptor or memory.
pub fn create(contents: &[u8], path: &[u8], open: OpenFlags) -> SysResult {
    let mut name = [NAME, path].concat();
    name.truncate(LONGEST_NAME);
    let close_on_exec = u64::from(open.contains(OpenFlags::O_CLOEXEC));
    let fd = host::memfd_create(&host_file::c_path(&name)?, close_on_exec)? as i32;
    if let Err(error) = write_all(fd, contents) {
        host::close(fd)?;
        return Err(error);
    }
    ANY.store(true, Ordering::Relaxed);
    // As the guest asked for it: for reading.
    let link = host_file::c_path(format!("/proc/self/fd/{fd}").as_bytes())?;
    let again = open.difference(ONCE).to_host();
    if let Ok(reopened) = host::openat(flags::AT_FDCWD, &link, again, 0) {
        let _ = host::dup3(
            reopened,
            fd as u64,
            if close_on_exec == 0 {
                0
            } else {
                OpenFlags::O_CLOEXEC.to_host()
            },
        );
        host::close(reopened as i32)?;
    }
    Ok(fd as u64)
}

/// The same, with the number of `real`, which is closed.
///
/// # Errors
/// As for [`create`].
pub fn replace(real: i32, contents: &[u8], path: &[u8], open: OpenFlags) -> SysResult {
    let close_on_exec = if open.contains(OpenFlags::O_CLOEXEC) {
        OpenFlags::O_CLOEXEC.to_host()
    } else {
        0
    };
    match create(contents, path, open) {
        Ok(fd) => {
            let result = host::dup3(fd, real as u64, close_on_exec);
            host::close(fd as i32)?;
            result
        }
        // A full table: at the number itself.
        Err(Errno::EMFILE) => {
            host::close(real)?;
            create(contents, path, open)
        }
        Err(error) => {
            host::close(real)?;
            Err(error)
        }
    }
}

/// The kernel's name of the file that a memory file stands for, by that one's name.
#[must_use]
pub fn original(name: &[u8]) -> Option<&[u8]> {
    name.strip_prefix(SHOWN_NAME)?.strip_suffix(DELETED)
}

fn original_of(fd: i32) -> Option<Vec<u8>> {
    original(&host_file::name_of(fd).ok()?).map(<[u8]>::to_vec)
}

/// Whether a file's status has the mark.
#[inline]
#[must_use]
pub fn is_marked(seconds: i64) -> bool {
    seconds == MARK.tv_sec
}

/// The status to show for a marked one; `name` tells the name of the memory file.
#[cold]
#[must_use]
pub fn status(stat: HostStat, name: Option<Vec<u8>>) -> HostStat {
    let Some(path) = name.as_deref().and_then(original) else {
        return stat;
    };
    // The process may have ended.
    stat_of(path).unwrap_or(HostStat {
        st_size: 0,
        st_blocks: 0,
        st_mode: 0o100_444,
        ..stat
    })
}

/// The name of what a descriptor is open for.
#[must_use]
pub fn name_of(fd: i32) -> Option<Vec<u8>> {
    host_file::name_of(fd).ok()
}

/// The file system's status to show for a descriptor whose own is `status`.
#[must_use]
pub fn file_system(fd: i32, status: Statfs) -> Statfs {
    if status.f_type != TMPFS_MAGIC || !host::fstat(fd).is_ok_and(|stat| is_marked(stat.st_mtime)) {
        return status;
    }
    original_of(fd)
        .and_then(|path| statfs_of(&path))
        .unwrap_or(status)
}

/// Makes the contents of a marked file anew: it is about to be read from its start.
#[cold]
pub fn refresh(task: &Task, fd: i32) {
    if !host::fstat(fd).is_ok_and(|stat| is_marked(stat.st_mtime)) {
        return;
    }
    let Some(contents) = original_of(fd).and_then(|path| contents_now(task, &path)) else {
        return;
    };
    let link = format!("/proc/self/fd/{fd}");
    let open = 1 | OpenFlags::O_TRUNC.union(OpenFlags::O_CLOEXEC).to_host();
    let writable =
        host_file::c_path(link.as_bytes()).and_then(|link| host::openat(flags::AT_FDCWD, &link, open, 0));
    if let Ok(writable) = writable {
        let _ = write_all(writable as i32, &contents);
        let _ = host::close(writable as i32);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_reads_from_its_start_and_has_the_mark() {
        let path = b"/proc/42/maps";
        let fd = create(b"contents", path, OpenFlags::O_CLOEXEC).expect("memory files") as i32;
        assert_eq!(host_file::read_open(fd).expect("readable"), b"contents");
        assert_eq!(original_of(fd).as_deref(), Some(&path[..]));
        let stat = host::fstat(fd).expect("open");
        assert!(is_marked(stat.st_mtime));
        assert_eq!(status(stat, name_of(fd)).st_size, 0);
        assert_eq!(host::write(fd, b"x"), Err(Errno::EBADF));
        host::close(fd).expect("open");
    }

    #[test]
    fn a_file_takes_the_place_of_the_kernels() {
        let real = host::openat(flags::AT_FDCWD, c"/proc/self/status", 0, 0).expect("procfs") as i32;
        let own = host_file::name_of(real).expect("procfs");
        let expected = host::fstat(real).expect("open");
        assert_eq!(replace(real, b"other", &own, OpenFlags::empty()), Ok(real as u64));
        assert_eq!(host_file::read_open(real).expect("readable"), b"other");
        let shown = status(host::fstat(real).expect("open"), name_of(real));
        assert_eq!(
            (shown.st_dev, shown.st_size, shown.st_mode),
            (expected.st_dev, 0, expected.st_mode)
        );
        let tmpfs = host::fstatfs(real).expect("open");
        assert_eq!(file_system(real, tmpfs).f_type, super::super::PROC_SUPER_MAGIC);
        host::close(real).expect("open");
    }
}
