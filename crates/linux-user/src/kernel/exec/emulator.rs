//! The emulator's own file: to execute an arm64 program by hand is to execute this one.
//!
//! No descriptor of it is open while the guest runs: the guest would see it. Where there is a /proc, its link leads
//! to the file, whatever the root directory is. Else the path may that the emulator was started by. Where neither
//! does (a chroot without either), a memory file is made of the contents, which have been mapped since start; the
//! program that is executed inherits that file, maps it in turn, and closes it.
//!
//! What /proc and the path lead to is believed if it is the same file: anybody may have put something else there.

use super::descriptor::Descriptor;
use crate::host;
use host_memory::Mapping;
use linux_abi::layout::HostStat;
use linux_abi::nr::x86_64 as nr;
use linux_abi::{Errno, flags};
use std::ffi::{CStr, CString, OsStr};
use std::fs::{self, File};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::sync::OnceLock;

/// The link of /proc that leads to the file.
pub const LINK: &CStr = c"/proc/self/exe";

/// What is known of the file that this process runs. One for the process, however many engines it has.
static HELD: OnceLock<Held> = OnceLock::new();

struct Held {
    identity: Identity,
    /// Absolute.
    path: Option<CString>,
    contents: Option<Mapping>,
}

/// Device and inode.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Identity(u64, u64);

/// Where to execute the file from.
pub enum Source {
    /// [`LINK`].
    Link,
    /// Closed on exec until [`Descriptor::hand_over`].
    Open(Descriptor),
}

/// Remembers the emulator's own file: the inherited one, that behind [`LINK`], or, where there is no /proc, the
/// file at `path` if the caller knows one. To be called once at start, before the guest can change root.
pub fn hold_emulator(inherited: Option<File>, path: Option<&CStr>) {
    let path = path.map(|path| Path::new(OsStr::from_bytes(path.to_bytes())));
    let link = Path::new(OsStr::from_bytes(LINK.to_bytes()));
    let file = inherited
        .or_else(|| File::open(link).ok())
        .or_else(|| File::open(path?).ok());
    // Not everybody who may execute a file may read it.
    let metadata = match &file {
        Some(file) => file.metadata(),
        None => fs::metadata(link),
    };
    // Without it the guest cannot execute arm64 programs but by the kernel.
    let Ok(metadata) = metadata else { return };
    let absolute = path.and_then(|path| std::path::absolute(path).ok());
    let held = Held {
        identity: Identity(metadata.dev(), metadata.ino()),
        path: absolute.and_then(|path| CString::new(path.into_os_string().into_vec()).ok()),
        contents: file.and_then(|file| Mapping::of_file(&file, metadata.len() as usize).ok()),
    };
    // A second caller tells of the same file.
    let _ = HELD.set(held);
}

/// Finds a way to the file.
///
/// # Errors
/// ENOEXEC if there is none: to the guest the kernel has no way to execute arm64 programs then.
pub fn find() -> Result<Source, Errno> {
    let held = HELD.get().ok_or(Errno::ENOEXEC)?;
    if identity_of(flags::AT_FDCWD, LINK, 0) == Ok(held.identity) {
        return Ok(Source::Link);
    }
    if let Some(path) = &held.path
        && let Ok(file) = Descriptor::open(path)
        && identity_of(file.number(), c"", flags::AT_EMPTY_PATH) == Ok(held.identity)
    {
        return Ok(Source::Open(file));
    }
    let contents = held.contents.as_ref().ok_or(Errno::ENOEXEC)?;
    copy(contents).map(Source::Open)
}

fn identity_of(dir: i32, path: &CStr, at: u64) -> Result<Identity, Errno> {
    let mut stat = HostStat::ZERO;
    let args = [
        dir as i64 as u64,
        path.as_ptr() as u64,
        (&raw mut stat) as u64,
        at,
        0,
        0,
    ];
    // SAFETY: the path is a string of ours that is only read; the kernel writes a struct stat, which the argument points to.
    unsafe { host::raw(nr::newfstatat, args) }?;
    Ok(Identity(stat.st_dev, stat.st_ino))
}

/// A memory file with these contents.
fn copy(contents: &Mapping) -> Result<Descriptor, Errno> {
    // MFD_EXEC, of Linux 6.3, is asked for where files in memory cannot be executed otherwise.
    let create = |how: u64| host::memfd_create(c"raemu-aarch64", how);
    let fd = create(flags::MFD_CLOEXEC | flags::MFD_EXEC).or_else(|_| create(flags::MFD_CLOEXEC))?;
    let file = Descriptor::own(fd);
    host::write_mapping(file.number(), contents)?;
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copy_is_the_file() {
        let bytes = fs::read("/proc/self/exe").expect("a file that runs");
        let file = File::open("/proc/self/exe").expect("as before");
        let mapping = Mapping::of_file(&file, bytes.len()).expect("memory");
        let copy = copy(&mapping).expect("a memory file");
        let link = format!("/proc/self/fd/{}", copy.number());
        assert!(fs::read(&link).expect("readable") == bytes);
    }

    #[test]
    fn the_link_leads_to_the_file_that_runs() {
        hold_emulator(None, None);
        assert!(matches!(find(), Ok(Source::Link)));
        assert_ne!(
            identity_of(flags::AT_FDCWD, c"/", 0),
            identity_of(flags::AT_FDCWD, LINK, 0)
        );
    }
}
