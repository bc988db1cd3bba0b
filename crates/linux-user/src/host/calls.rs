//! Safe host calls: those the emulator makes for itself. Their types say what the kernel
//! reads and writes, so that nothing is left for a caller to uphold.

use super::raw;
use host_memory::Mapping;
use linux_abi::layout::{HostStat, Rlimit, Statfs, Timespec, Utsname};
use linux_abi::nr::x86_64 as nr;
use linux_abi::{SysResult, flags};
use std::ffi::CStr;
use std::ops::Range;

/// A descriptor or other int as the kernel's register has it.
const fn int(value: i32) -> u64 {
    value as i64 as u64
}

/// Makes a call that takes numbers only, so that the kernel touches no memory for it.
macro_rules! numbers_only {
    ($($(#[$doc:meta])* $name:ident($($arg:ident),*);)*) => {$(
        $(#[$doc])*
        ///
        /// # Errors
        /// The kernel's.
        pub fn $name($($arg: u64),*) -> SysResult {
            let given: &[u64] = &[$($arg),*];
            let mut args = [0; 6];
            args[..given.len()].copy_from_slice(given);
            // SAFETY: the call takes no address.
            unsafe { raw(nr::$name, args) }
        }
    )*};
}

numbers_only! {
    /// exit(2): ends the calling host thread, where it returns at all.
    exit(status);
    /// exit_group(2): ends the host process.
    exit_group(status);
    /// kill(2).
    kill(pid, signal);
    /// tgkill(2).
    tgkill(pid, tid, signal);
    /// unshare(2).
    unshare(flags);
    /// dup(2).
    dup(fd);
    /// dup3(2).
    dup3(old, new, flags);
    /// close_range(2).
    close_range(first, last, flags);
    /// fchmod(2).
    fchmod(fd, mode);
}

/// close(2).
///
/// # Errors
/// The kernel's; the descriptor is gone all the same, but for EBADF.
pub fn close(fd: i32) -> SysResult {
    // SAFETY: the call takes no address.
    unsafe { raw(nr::close, [int(fd), 0, 0, 0, 0, 0]) }
}

/// getpid(2).
#[must_use]
pub fn getpid() -> i32 {
    // SAFETY: the call takes no address.
    let pid = unsafe { raw(nr::getpid, [0; 6]) };
    // It cannot fail.
    pid.unwrap_or(0) as i32
}

/// getuid(2).
#[must_use]
pub fn getuid() -> u32 {
    // SAFETY: the call takes no address.
    let uid = unsafe { raw(nr::getuid, [0; 6]) };
    // It cannot fail.
    uid.unwrap_or(0) as u32
}

/// gettid(2).
#[must_use]
pub fn gettid() -> i32 {
    // SAFETY: the call takes no address.
    let tid = unsafe { raw(nr::gettid, [0; 6]) };
    // It cannot fail.
    tid.unwrap_or(0) as i32
}

/// wait4(2) for a child that was made without a signal for its end, until it has ended.
pub fn wait_for_clone(pid: i32) {
    const WCLONE: u64 = 0x8000_0000;
    // SAFETY: the kernel writes nothing for this.
    while unsafe { raw(nr::wait4, [int(pid), 0, WCLONE, 0, 0, 0]) } == Err(linux_abi::Errno::EINTR) {}
}

/// fcntl(2) with a command whose argument is a number: descriptors and their flags.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fcntl {
    /// A close-on-exec duplicate, at the lowest free number from this one on.
    DupCloseOnExec(u64),
    GetFdFlags,
    SetFdFlags(u64),
    GetStatusFlags,
    SetStatusFlags(u64),
    AddSeals(u64),
    GetSeals,
}

/// fcntl(2).
///
/// # Errors
/// The kernel's.
pub fn fcntl(fd: i32, command: Fcntl) -> SysResult {
    let (command, arg) = match command {
        Fcntl::DupCloseOnExec(lowest) => (flags::F_DUPFD_CLOEXEC, lowest),
        Fcntl::GetFdFlags => (flags::F_GETFD, 0),
        Fcntl::SetFdFlags(flags) => (flags::F_SETFD, flags),
        Fcntl::GetStatusFlags => (flags::F_GETFL, 0),
        Fcntl::SetStatusFlags(flags) => (flags::F_SETFL, flags),
        Fcntl::AddSeals(seals) => (flags::F_ADD_SEALS, seals),
        Fcntl::GetSeals => (flags::F_GET_SEALS, 0),
    };
    // SAFETY: the argument of these commands is a number.
    unsafe { raw(nr::fcntl, [int(fd), command, arg, 0, 0, 0]) }
}

/// openat(2), with the host's own flags.
///
/// # Errors
/// The kernel's.
pub fn openat(dirfd: i32, path: &CStr, flags: u64, mode: u64) -> SysResult {
    // SAFETY: the path is a string, borrowed for the call and only read.
    unsafe { raw(nr::openat, [int(dirfd), path.as_ptr() as u64, flags, mode, 0, 0]) }
}

/// faccessat2(2).
///
/// # Errors
/// The kernel's.
pub fn faccessat2(dirfd: i32, path: &CStr, mode: u64, flags: u64) -> SysResult {
    // SAFETY: the path is a string, borrowed for the call and only read.
    unsafe {
        raw(
            nr::faccessat2,
            [int(dirfd), path.as_ptr() as u64, mode, flags, 0, 0],
        )
    }
}

/// faccessat(2), which has no flags.
///
/// # Errors
/// The kernel's.
pub fn faccessat(dirfd: i32, path: &CStr, mode: u64) -> SysResult {
    // SAFETY: the path is a string, borrowed for the call and only read.
    unsafe { raw(nr::faccessat, [int(dirfd), path.as_ptr() as u64, mode, 0, 0, 0]) }
}

/// readlink(2).
///
/// # Errors
/// The kernel's.
pub fn readlink(path: &CStr, target: &mut [u8]) -> SysResult {
    let args = [
        path.as_ptr() as u64,
        target.as_mut_ptr() as u64,
        target.len() as u64,
        0,
        0,
        0,
    ];
    // SAFETY: the path is a string that is only read; `target` is ours for its length.
    unsafe { raw(nr::readlink, args) }
}

/// A proc file system that is mounted nowhere, by fsopen(2) and fsmount(2): its root, closed on exec.
///
/// # Errors
/// The kernel's, EPERM without CAP_SYS_ADMIN among them.
pub fn detached_proc() -> SysResult {
    const CLOSE_ON_EXEC: u64 = 1;
    const FSCONFIG_CMD_CREATE: u64 = 6;
    // SAFETY: the name is a string that is only read.
    let context = unsafe { raw(nr::fsopen, [c"proc".as_ptr() as u64, CLOSE_ON_EXEC, 0, 0, 0, 0]) }?;
    // SAFETY: this command takes no address.
    let created = unsafe { raw(nr::fsconfig, [context, FSCONFIG_CMD_CREATE, 0, 0, 0, 0]) };
    // SAFETY: the call takes no address.
    let root = created.and_then(|_| unsafe { raw(nr::fsmount, [context, CLOSE_ON_EXEC, 0, 0, 0, 0]) });
    close(context as i32)?;
    root
}

/// memfd_create(2).
///
/// # Errors
/// The kernel's.
pub fn memfd_create(name: &CStr, flags: u64) -> SysResult {
    // SAFETY: the name is a string, borrowed for the call and only read.
    unsafe { raw(nr::memfd_create, [name.as_ptr() as u64, flags, 0, 0, 0, 0]) }
}

/// read(2).
///
/// # Errors
/// The kernel's.
pub fn read(fd: i32, buf: &mut [u8]) -> SysResult {
    // SAFETY: `buf` is ours to write for its length.
    unsafe {
        raw(
            nr::read,
            [int(fd), buf.as_mut_ptr() as u64, buf.len() as u64, 0, 0, 0],
        )
    }
}

/// write(2).
///
/// # Errors
/// The kernel's.
pub fn write(fd: i32, bytes: &[u8]) -> SysResult {
    // SAFETY: `bytes` is borrowed for the call and only read.
    unsafe {
        raw(
            nr::write,
            [int(fd), bytes.as_ptr() as u64, bytes.len() as u64, 0, 0, 0],
        )
    }
}

/// pread(2).
///
/// # Errors
/// The kernel's.
pub fn pread(fd: i32, buf: &mut [u8], offset: u64) -> SysResult {
    let args = [int(fd), buf.as_mut_ptr() as u64, buf.len() as u64, offset, 0, 0];
    // SAFETY: `buf` is ours to write for its length.
    unsafe { raw(nr::pread64, args) }
}

/// Writes to the start of a file, all of it.
///
/// # Errors
/// The kernel's.
pub fn write_whole(fd: i32, bytes: &[u8]) -> Result<(), linux_abi::Errno> {
    // SAFETY: `bytes` is borrowed for the call.
    unsafe { write_from(fd, bytes.as_ptr() as u64, bytes.len() as u64) }
}

/// The same with what is mapped.
///
/// # Errors
/// The kernel's; EFAULT where the mapped file has become shorter.
pub fn write_mapping(fd: i32, contents: &Mapping) -> Result<(), linux_abi::Errno> {
    // SAFETY: the mapping is borrowed for the call.
    unsafe { write_from(fd, contents.address(), contents.len() as u64) }
}

/// # Safety
/// The bytes must be the caller's to read; that they change meanwhile does no harm.
unsafe fn write_from(fd: i32, start: u64, len: u64) -> Result<(), linux_abi::Errno> {
    let mut done = 0;
    while done < len {
        // SAFETY: the kernel only reads, what this function's caller may.
        match unsafe { raw(nr::pwrite64, [int(fd), start + done, len - done, done, 0, 0]) } {
            Ok(count) => done += count,
            Err(linux_abi::Errno::EINTR) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// fstat(2), as the host lays it out.
///
/// # Errors
/// The kernel's.
pub fn fstat(fd: i32) -> Result<HostStat, linux_abi::Errno> {
    let mut stat = HostStat::ZERO;
    // SAFETY: the kernel writes a struct stat, which `stat` is.
    unsafe { raw(nr::fstat, [int(fd), (&raw mut stat) as u64, 0, 0, 0, 0]) }?;
    Ok(stat)
}

/// stat(2), as the host lays it out.
///
/// # Errors
/// The kernel's.
pub fn stat(path: &CStr) -> Result<HostStat, linux_abi::Errno> {
    let mut stat = HostStat::ZERO;
    let args = [path.as_ptr() as u64, (&raw mut stat) as u64, 0, 0, 0, 0];
    // SAFETY: the path is a string that is only read; the kernel writes a struct stat, which `stat` is.
    unsafe { raw(nr::stat, args) }?;
    Ok(stat)
}

/// fstatfs(2).
///
/// # Errors
/// The kernel's.
pub fn fstatfs(fd: i32) -> Result<Statfs, linux_abi::Errno> {
    let mut status = Statfs::ZERO;
    // SAFETY: the kernel writes a struct statfs, which `status` is.
    unsafe { raw(nr::fstatfs, [int(fd), (&raw mut status) as u64, 0, 0, 0, 0]) }?;
    Ok(status)
}

/// statfs(2).
///
/// # Errors
/// The kernel's.
pub fn statfs(path: &CStr) -> Result<Statfs, linux_abi::Errno> {
    let mut status = Statfs::ZERO;
    let args = [path.as_ptr() as u64, (&raw mut status) as u64, 0, 0, 0, 0];
    // SAFETY: the path is a string that is only read; the kernel writes a struct statfs, which `status` is.
    unsafe { raw(nr::statfs, args) }?;
    Ok(status)
}

/// lseek(2).
///
/// # Errors
/// The kernel's.
pub fn lseek(fd: i32, offset: i64, whence: u64) -> SysResult {
    // SAFETY: the call takes no address.
    unsafe { raw(nr::lseek, [int(fd), offset as u64, whence, 0, 0, 0]) }
}

/// utimensat(2) of an open file: sets when it was modified, and nothing else.
///
/// # Errors
/// The kernel's.
pub fn set_modification_time(fd: i32, time: Timespec) -> SysResult {
    const UTIME_OMIT: i64 = 0x3fff_fffe;
    let omit = Timespec {
        tv_sec: 0,
        tv_nsec: UTIME_OMIT,
    };
    let times = [omit, time];
    // SAFETY: the kernel reads two struct timespec.
    unsafe { raw(nr::utimensat, [int(fd), 0, times.as_ptr() as u64, 0, 0, 0]) }
}

/// What PR_SET_MM_MAP says of a process's memory: ranges, but for the start of the stack.
#[derive(Clone, Debug)]
pub struct MmMap {
    pub code: Range<u64>,
    pub data: Range<u64>,
    pub heap: Range<u64>,
    pub stack: u64,
    pub arguments: Range<u64>,
    pub environment: Range<u64>,
}

/// PR_SET_MM_MAP of prctl(2), with an auxiliary vector.
///
/// # Errors
/// The kernel's: EINVAL also where it does not know the option.
pub fn set_mm_map(map: &MmMap, auxv: &[u64]) -> SysResult {
    const PR_SET_MM: u64 = 35;
    const PR_SET_MM_MAP: u64 = 14;
    /// No other executable.
    const NO_FILE: u64 = 0xffff_ffff << 32;
    // struct prctl_mm_map of linux/prctl.h.
    let words = [
        map.code.start,
        map.code.end,
        map.data.start,
        map.data.end,
        map.heap.start,
        map.heap.end,
        map.stack,
        map.arguments.start,
        map.arguments.end,
        map.environment.start,
        map.environment.end,
        auxv.as_ptr() as u64,
        size_of_val(auxv) as u64 | NO_FILE,
    ];
    let args = [
        PR_SET_MM,
        PR_SET_MM_MAP,
        words.as_ptr() as u64,
        size_of_val(&words) as u64,
        0,
        0,
    ];
    // SAFETY: the kernel reads the structure and the vector that it points to.
    unsafe { raw(nr::prctl, args) }
}

/// uname(2).
///
/// # Errors
/// None that the kernel gives.
pub fn uname() -> Result<Utsname, linux_abi::Errno> {
    let mut names = Utsname::ZERO;
    // SAFETY: the kernel writes a struct new_utsname, which `names` is.
    unsafe { raw(nr::uname, [(&raw mut names) as u64, 0, 0, 0, 0, 0]) }?;
    Ok(names)
}

/// prlimit(2) of the calling process: sets `new`, if any; gives the limit before.
///
/// # Errors
/// The kernel's.
pub fn prlimit(resource: u64, new: Option<&Rlimit>) -> Result<Rlimit, linux_abi::Errno> {
    let mut old = Rlimit::ZERO;
    let new = new.map_or(0, |new| (&raw const *new) as u64);
    // SAFETY: the kernel reads one struct rlimit64 and writes the other, both are that.
    unsafe { raw(nr::prlimit64, [0, resource, new, (&raw mut old) as u64, 0, 0]) }?;
    Ok(old)
}

/// Whether the calling thread has the capability in effect (capabilities(7); its number).
#[must_use]
pub fn has_capability(capability: u32) -> bool {
    /// _LINUX_CAPABILITY_VERSION_3: two words each of effective, permitted, inheritable.
    const VERSION: u32 = 0x2008_0522;
    let header = [VERSION, 0];
    let mut data = [[0_u32; 3]; 2];
    // SAFETY: the kernel reads the header and writes the two structures that this version has.
    let got = unsafe {
        raw(
            nr::capget,
            [(&raw const header) as u64, (&raw mut data) as u64, 0, 0, 0, 0],
        )
    };
    got.is_ok() && data[(capability / 32) as usize % 2][0] >> (capability % 32) & 1 != 0
}

/// rt_sigprocmask(2): sets the calling thread's mask, if `new` says so; gives the one before.
///
/// # Errors
/// None that the kernel gives.
pub fn rt_sigprocmask(new: Option<u64>) -> SysResult {
    let mut old = 0_u64;
    let set = new.as_ref().map_or(0, |new| (&raw const *new) as u64);
    let args = [
        flags::SIG_SETMASK,
        set,
        (&raw mut old) as u64,
        size_of::<u64>() as u64,
        0,
        0,
    ];
    // SAFETY: the kernel reads one set and writes the other, eight bytes each.
    unsafe { raw(nr::rt_sigprocmask, args) }?;
    Ok(old)
}

/// rt_sigpending(2): the signals that wait for the calling thread.
///
/// # Errors
/// None that the kernel gives.
pub fn rt_sigpending() -> SysResult {
    let mut pending = 0_u64;
    let args = [(&raw mut pending) as u64, size_of::<u64>() as u64, 0, 0, 0, 0];
    // SAFETY: the kernel writes a set of eight bytes.
    unsafe { raw(nr::rt_sigpending, args) }?;
    Ok(pending)
}

/// PR_SET_NAME of prctl(2): the calling thread's name, with its NUL.
///
/// # Errors
/// None that the kernel gives.
pub fn set_thread_name(name: &[u8; 16]) -> SysResult {
    const PR_SET_NAME: u64 = 15;
    // SAFETY: the kernel reads at most sixteen bytes.
    unsafe { raw(nr::prctl, [PR_SET_NAME, name.as_ptr() as u64, 0, 0, 0, 0]) }
}

/// set_robust_list(2) with no list: the kernel has nothing to walk when the thread ends.
///
/// # Errors
/// None that the kernel gives.
pub fn forget_robust_list() -> SysResult {
    /// sizeof(struct robust_list_head).
    const SIZE: u64 = 24;
    // SAFETY: there is no list.
    unsafe { raw(nr::set_robust_list, [0, SIZE, 0, 0, 0, 0]) }
}

/// Sleeps for so many microseconds, or until a signal comes.
pub fn pause(microseconds: u64) {
    let time = [microseconds / 1_000_000, microseconds % 1_000_000 * 1000];
    // SAFETY: the kernel reads a struct timespec.
    let _ = unsafe { raw(nr::nanosleep, [(&raw const time) as u64, 0, 0, 0, 0, 0]) };
}

#[cfg(test)]
mod tests {
    use super::*;
    use linux_abi::Errno;

    #[test]
    fn files_are_written_and_read_back() {
        let fd = memfd_create(c"test", 0).expect("the host makes memory files") as i32;
        assert_eq!(write(fd, b"contents"), Ok(8));
        assert_eq!(write_whole(fd, b"k"), Ok(()));
        assert_eq!(fstat(fd).expect("open").st_size, 8);
        let reader = openat(
            -100,
            &std::ffi::CString::new(format!("/proc/self/fd/{fd}")).expect("no NUL"),
            0,
            0,
        )
        .expect("its own file") as i32;
        let mut buf = [0; 16];
        assert_eq!(read(reader, &mut buf), Ok(8));
        assert_eq!(&buf[..8], b"kontents");
        let high = fcntl(fd, Fcntl::DupCloseOnExec(70)).expect("a free descriptor");
        assert!(high >= 70);
        for fd in [fd, reader, high as i32] {
            assert_eq!(close(fd), Ok(0));
        }
        assert_eq!(close(fd), Err(Errno::EBADF));
    }

    #[test]
    fn identity_limits_and_masks_are_the_callers() {
        assert_eq!(getpid(), std::process::id() as i32);
        let names = uname().expect("cannot fail");
        assert_eq!(&names.sysname[..6], b"Linux\0");
        let before = prlimit(flags::RLIMIT_CORE, None).expect("cannot fail");
        assert_eq!(prlimit(flags::RLIMIT_CORE, Some(&before)), Ok(before));
        let mask = rt_sigprocmask(None).expect("cannot fail");
        assert_eq!(rt_sigprocmask(Some(mask | 1 << 9)), Ok(mask));
        assert_eq!(rt_sigprocmask(Some(mask)), Ok(mask | 1 << 9));
    }
}
