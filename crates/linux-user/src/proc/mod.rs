//! Files of /proc that tell of the guest where the host's would tell of the emulator.
//!
//! Opening one gives a memory file with the contents of that moment, as a read from the
//! start of the kernel's file would. What needs nothing of the host (the program's link,
//! map, arguments, auxiliary vector, the CPU) is there even without a mounted /proc.

mod cpuinfo;
mod status;

use crate::host;
use crate::task::Task;
use guest::GuestAddr;
use guest_memory::access;
use linux_abi::nr::x86_64 as nr;
use linux_abi::{Errno, OpenFlags, SysResult, flags};
use std::ops::Range;

/// A file of the guest's.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Special {
    /// The link to the program.
    Exe,
    Maps,
    Cmdline,
    Environ,
    Auxv,
    Stat,
    Status,
    Cpuinfo,
}

const PROCESS_FILES: [(&[u8], Special); 7] = [
    (b"exe", Special::Exe),
    (b"maps", Special::Maps),
    (b"cmdline", Special::Cmdline),
    (b"environ", Special::Environ),
    (b"auxv", Special::Auxv),
    (b"stat", Special::Stat),
    (b"status", Special::Status),
];

impl Special {
    /// The file a normalised path names, if it is one of `pid`'s.
    fn find(path: &[u8], pid: i32) -> Option<Special> {
        let path = path.strip_prefix(b"/proc/")?;
        if path == b"cpuinfo" {
            return Some(Special::Cpuinfo);
        }
        let mut parts = path.split(|&byte| byte == b'/');
        let process = parts.next()?;
        if process != b"self" && process != b"thread-self" && process != pid.to_string().as_bytes() {
            return None;
        }
        let mut name = parts.next()?;
        if name == b"task" {
            // The thread's number is the host's; a wrong one is caught where its file is read.
            let thread = parts.next()?;
            if thread.is_empty() || !thread.iter().all(u8::is_ascii_digit) {
                return None;
            }
            name = parts.next()?;
        }
        if parts.next().is_some() {
            return None;
        }
        PROCESS_FILES
            .iter()
            .find(|(file, _)| *file == name)
            .map(|&(_, special)| special)
    }

    /// Its contents; `None` where only the host could tell and does not.
    fn contents(self, task: &Task, path: &[u8]) -> Option<Vec<u8>> {
        let process = &task.process;
        let image = &process.image;
        match self {
            Special::Exe => None,
            Special::Maps => {
                let host = read_host(path).unwrap_or_default();
                Some(process.mm.maps_text(&host).into_bytes())
            }
            Special::Cmdline => {
                Some(arguments(&image.arguments, &image.environment).unwrap_or_else(|| image.cmdline.clone()))
            }
            Special::Environ => read_guest(&image.environment),
            Special::Auxv => Some(image.auxv.clone()),
            Special::Stat => Some(status::stat(task, &read_host(path)?)),
            Special::Status => Some(status::status(task, &read_host(path)?)),
            Special::Cpuinfo => Some(
                cpuinfo::text(task.process.engine.model(), &read_host(path).unwrap_or_default()).into_bytes(),
            ),
        }
    }
}

/// Opens a file of /proc whose contents are the guest's; `None` leaves it to the host.
pub fn open_special(task: &Task, path: &[u8], open: OpenFlags) -> Option<SysResult> {
    let special = Special::find(path, task.process.pid())?;
    if open.contains(OpenFlags::O_PATH) && special != Special::Exe || open.contains(OpenFlags::O_DIRECTORY) {
        return None;
    }
    if special == Special::Exe {
        if open.contains(OpenFlags::O_NOFOLLOW) {
            return None;
        }
        let mut exe = task.process.image.exe.clone();
        exe.push(0);
        let at = flags::AT_FDCWD as i64 as u64;
        // SAFETY: the path is a string of ours, and only read.
        return Some(unsafe { host::raw(nr::openat, [at, exe.as_ptr() as u64, open.to_host(), 0, 0, 0]) });
    }
    if open.access_mode() != 0 {
        return Some(Err(Errno::EACCES));
    }
    let contents = special.contents(task, path)?;
    Some(memory_file(&contents, open.contains(OpenFlags::O_CLOEXEC)))
}

/// The target of a link of /proc that must lead to the guest's file.
pub fn readlink_special(task: &Task, path: &[u8]) -> Option<Vec<u8>> {
    let special = Special::find(path, task.process.pid())?;
    (special == Special::Exe).then(|| task.process.image.exe.clone())
}

/// A file of these bytes, in memory, at its start.
fn memory_file(bytes: &[u8], close_on_exec: bool) -> SysResult {
    const NAME: &[u8] = b"proc\0";
    // SAFETY: the name is a string of ours, and only read.
    let fd = unsafe {
        host::raw(
            nr::memfd_create,
            [NAME.as_ptr() as u64, u64::from(close_on_exec), 0, 0, 0, 0],
        )
    }?;
    let mut done = 0;
    while done < bytes.len() {
        let rest = &bytes[done..];
        let args = [fd, rest.as_ptr() as u64, rest.len() as u64, done as u64, 0, 0];
        // SAFETY: the bytes are ours, and only read.
        match unsafe { host::raw(nr::pwrite64, args) } {
            Ok(count) => done += count as usize,
            Err(error) => {
                // SAFETY: the call takes no address.
                unsafe { host::raw(nr::close, [fd, 0, 0, 0, 0, 0]) }?;
                return Err(error);
            }
        }
    }
    // For show only: no file of the kernel's here can be written.
    // SAFETY: the call takes no address.
    let _ = unsafe { host::raw(nr::fchmod, [fd, 0o444, 0, 0, 0, 0]) };
    Ok(fd)
}

/// The host's file of the same name, read whole.
fn read_host(path: &[u8]) -> Option<Vec<u8>> {
    let path = [path, b"\0"].concat();
    let at = flags::AT_FDCWD as i64 as u64;
    let open = OpenFlags::O_CLOEXEC.to_host();
    // SAFETY: the path is a string of ours, and only read.
    let fd = unsafe { host::raw(nr::openat, [at, path.as_ptr() as u64, open, 0, 0, 0]) }.ok()?;
    let mut bytes = Vec::new();
    let mut buf = [0_u8; 4096];
    let whole = loop {
        // SAFETY: the buffer is ours to write for its length.
        match unsafe { host::raw(nr::read, [fd, buf.as_mut_ptr() as u64, buf.len() as u64, 0, 0, 0]) } {
            Ok(0) => break true,
            Ok(count) => bytes.extend_from_slice(&buf[..count as usize]),
            Err(Errno::EINTR) => {}
            Err(_) => break false,
        }
    };
    // SAFETY: the call takes no address.
    unsafe { host::raw(nr::close, [fd, 0, 0, 0, 0, 0]) }.ok()?;
    whole.then_some(bytes)
}

fn read_guest(range: &Range<GuestAddr>) -> Option<Vec<u8>> {
    let mut bytes = vec![0; range.end.0.checked_sub(range.start.0)? as usize];
    access::read(range.start, &mut bytes).ok()?;
    Some(bytes)
}

/// The arguments as get_mm_cmdline (fs/proc/base.c) shows them: a program that overwrote
/// the last terminator has written a title over them, which may reach into the environment.
fn arguments(arguments: &Range<GuestAddr>, environment: &Range<GuestAddr>) -> Option<Vec<u8>> {
    if arguments.start == arguments.end {
        return None;
    }
    let mut bytes = read_guest(arguments)?;
    if bytes.last() != Some(&0) {
        bytes.extend(read_guest(environment).unwrap_or_default());
        let end = bytes.iter().position(|&byte| byte == 0).unwrap_or(bytes.len());
        bytes.truncate(end + 1);
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_the_own_process_are_special() {
        let cases: [(&str, Option<Special>); 13] = [
            ("/proc/self/exe", Some(Special::Exe)),
            ("/proc/thread-self/maps", Some(Special::Maps)),
            ("/proc/42/cmdline", Some(Special::Cmdline)),
            ("/proc/self/task/43/stat", Some(Special::Stat)),
            ("/proc/42/task/42/status", Some(Special::Status)),
            ("/proc/cpuinfo", Some(Special::Cpuinfo)),
            ("/proc/41/cmdline", None),
            ("/proc/self", None),
            ("/proc/self/task", None),
            ("/proc/self/task/x/stat", None),
            ("/proc/self/fd/maps", None),
            ("/proc/self/maps/x", None),
            ("/proc/meminfo", None),
        ];
        for (path, expected) in cases {
            assert_eq!(Special::find(path.as_bytes(), 42), expected, "{path}");
        }
    }

    #[test]
    fn a_title_reaches_to_its_own_end() {
        let range = |bytes: &[u8], from: usize, to: usize| {
            let at = bytes.as_ptr() as u64;
            GuestAddr(at + from as u64)..GuestAddr(at + to as u64)
        };
        for (memory, expected) in [
            (&b"ab\0c\0X=1\0"[..], &b"ab\0c\0"[..]),
            (b"title\0=1\0", b"title\0"),
            (b"title over", b"title over"),
        ] {
            let shown = arguments(&range(memory, 0, 5), &range(memory, 5, memory.len()));
            assert_eq!(shown.as_deref(), Some(expected));
        }
        let none = range(b"", 0, 0);
        assert_eq!(arguments(&none, &none), None);
    }

    #[test]
    fn memory_files_read_from_their_start() {
        let fd = memory_file(b"contents", true).expect("the host makes memory files");
        let mut buf = [0_u8; 16];
        // SAFETY: the buffer is ours to write for its length.
        let count =
            unsafe { host::raw(nr::read, [fd, buf.as_mut_ptr() as u64, 16, 0, 0, 0]) }.expect("readable");
        assert_eq!(&buf[..count as usize], b"contents");
        // SAFETY: the call takes no address.
        unsafe { host::raw(nr::close, [fd, 0, 0, 0, 0, 0]) }.expect("open");
    }
}
