//! Files of /proc that tell of the guest where the host's would tell of the emulator: those of this process, and those
//! of other guests.
//!
//! What a file is, the kernel says, however it is reached: a path whose last component is one of our names ([`name`])
//! is opened without being followed (O_PATH), and if that is in a proc file system, the kernel's name for it says of which
//! process it is what. All other paths cost nothing but a look at that component. Not seen is a symbolic link of
//! another name than the file it leads to. A row of the table of system calls says by `Path` and `PathAt`
//! (`syscall::arg`) that a call follows a path, and then it leads to the guest's program as well.
//!
//! What the guest gets is a memory file with the contents of that moment ([`shown`]), which looks like the kernel's. What
//! needs nothing of the host (the program's link, map, arguments, auxiliary vector, the CPU) is there even without a
//! mounted /proc.

mod code;
mod cpuinfo;
mod fdinfo;
pub(crate) mod host_file;
mod identification;
mod name;
pub mod record;
pub mod shown;
pub(crate) mod status;
pub mod unnamed;

use crate::host;
use crate::kernel::process::{ExeFile, Image};
use crate::mm::{Vma, maps};
use crate::task::Task;
use guest::GuestAddr;
use guest_memory::access;
use linux_abi::layout::{HostStat, OpenHow, Statfs};
use linux_abi::nr::x86_64 as nr;
use linux_abi::{Errno, OpenFlags, SysResult, flags};
pub use name::File;
use name::Place;
use record::Record;
use status::Facts;
use std::borrow::Cow;
use std::ffi::CStr;
use std::ops::Range;
use std::sync::Arc;
use unnamed::Unnamed;

/// statfs's f_type of a proc file system.
const PROC_SUPER_MAGIC: i64 = 0x9fa0;

/// A path as a call has it.
pub struct At<'a> {
    pub dirfd: u64,
    /// The path for the kernel.
    pub path: u64,
    /// RESOLVE_* of openat2(2).
    pub resolve: u64,
    /// The path's bytes.
    pub text: &'a dyn Fn() -> Option<Vec<u8>>,
}

impl At<'_> {
    /// Opens it with the host's own flags.
    fn open(&self, open: u64) -> SysResult {
        if self.resolve == 0 {
            // SAFETY: the path is only read.
            return unsafe { host::raw(nr::openat, [self.dirfd, self.path, open, 0, 0, 0]) };
        }
        let how = OpenHow {
            flags: open,
            mode: 0,
            resolve: self.resolve,
        };
        let size = size_of::<OpenHow>() as u64;
        let args = [self.dirfd, self.path, (&raw const how) as u64, size, 0, 0];
        // SAFETY: the path and `how` are only read.
        unsafe { host::raw(nr::openat2, args) }
    }
}

/// Of whom a file tells.
#[derive(Debug)]
enum Whose {
    /// This process, or the whole system.
    Own,
    Guest(Box<Record>),
    /// A process that is no guest, or does not show it to this one.
    Unknown,
}

/// A file of a proc file system.
struct Node {
    place: Place,
    /// The kernel's name for it.
    path: Vec<u8>,
    whose: Whose,
    /// It is known by the path as written: there is no proc file system to ask.
    written: bool,
}

impl Node {
    /// What a path leads to, whose last component names a `file`; `None` if it is the host's matter.
    fn find(task: &Task, at: &At<'_>, file: File) -> Option<Node> {
        const NO_FOLLOW: OpenFlags = OpenFlags::O_PATH
            .union(OpenFlags::O_CLOEXEC)
            .union(OpenFlags::O_NOFOLLOW);
        let found = match at.open(NO_FOLLOW.to_host()) {
            Ok(fd) => {
                let name = name_in_proc(fd as i32);
                let _ = host::close(fd as i32);
                name?
            }
            Err(_) => return Node::written(task, at, file),
        };
        let mut place = Place::find(&found);
        let mut path = found;
        // A link to what a descriptor is open for.
        if place
            .as_ref()
            .is_some_and(|place| path[place.directory..].starts_with(b"/fd/"))
        {
            let fd = at
                .open(OpenFlags::O_PATH.union(OpenFlags::O_CLOEXEC).to_host())
                .ok()? as i32;
            let target = name_in_proc(fd);
            let _ = host::close(fd);
            path = target?;
            place = Place::find(&path);
        }
        let place = place?;
        let whose = whose(task, &place, &path);
        Some(Node {
            place,
            path,
            whose,
            written: false,
        })
    }

    /// The task's own program, if no path leads the guest there.
    fn unreachable(&self, task: &Task) -> Option<Arc<Unnamed>> {
        let unnamed = task.process.image.unnamed.as_ref()?;
        let own = matches!(self.whose, Whose::Own);
        (own && unnamed.link().is_none()).then(|| Arc::clone(unnamed))
    }

    fn written(task: &Task, at: &At<'_>, file: File) -> Option<Node> {
        let (place, path) = Place::written(&(at.text)()?, task.process.pid())?;
        (place.file == file).then_some(Node {
            place,
            path,
            whose: Whose::Own,
            written: true,
        })
    }

    /// The process's directory.
    fn directory(&self) -> &[u8] {
        &self.path[..self.place.directory]
    }

    fn beside(&self, name: &str) -> Vec<u8> {
        [self.directory(), b"/", name.as_bytes()].concat()
    }

    /// The program that an exe link leads to, as the link shows it.
    fn exe(&self, task: &Task) -> Option<record::Program> {
        if self.place.file != File::Exe {
            return None;
        }
        match &self.whose {
            Whose::Own => Some(own_program(&task.process.image)),
            Whose::Guest(record) => self.settled(record, |record| record.exe().ok()),
            Whose::Unknown => None,
        }
    }

    /// Its contents, given the host's; `None` leaves those.
    fn contents(&self, task: &Task, host: &[u8]) -> Option<Vec<u8>> {
        match (&self.whose, self.place.file) {
            (_, File::Exe | File::Midr | File::Revidr) => None,
            (_, File::Cpuinfo) => Some(cpuinfo::text(task.process.engine.model(), host).into_bytes()),
            (_, File::Descriptor) => Some(fdinfo::text(host)),
            (Whose::Own, file) => self.own(task, file, host),
            (Whose::Guest(record), file) => self.settled(record, |record| self.others(record, file, host)),
            (Whose::Unknown, File::Cmdline) => {
                let own = host_file::read(b"/proc/self/cmdline").ok()?;
                record::arguments_by_form(host, &own, &task.process.image.cmdline)
            }
            (Whose::Unknown, _) => None,
        }
    }

    /// What a look at another guest finds that executes nothing meanwhile: else it would be of neither program.
    fn settled<T>(&self, first: &Record, look: impl Fn(&Record) -> Option<T>) -> Option<T> {
        const TRIES: u32 = 8;
        let mut record = Cow::Borrowed(first);
        for _ in 1..TRIES {
            let found = look(&record);
            match Record::read_begun(self.place.pid, self.directory()) {
                Some(now) if now != *record => record = Cow::Owned(now),
                Some(_) | None => return found,
            }
        }
        look(&record)
    }

    fn own(&self, task: &Task, file: File, host: &[u8]) -> Option<Vec<u8>> {
        let image = &task.process.image;
        match file {
            File::Cmdline => Some(
                arguments(&image.arguments(), &image.environment()).unwrap_or_else(|| image.cmdline.clone()),
            ),
            File::Environ => read_guest(&image.environment()),
            File::Auxv => Some(image.auxv()),
            File::Maps => Some(maps::maps(&task.process.mm.vmas(), host).into_bytes()),
            // Without the host's there is nothing to say.
            _ if self.written => None,
            File::Smaps | File::SmapsRollup | File::NumaMaps => {
                self.pages(&task.process.mm.vmas(), file, host)
            }
            File::Stat | File::Status | File::Statm => Facts::of(task).text(file, host),
            File::Exe | File::Descriptor | File::Cpuinfo | File::Midr | File::Revidr => None,
        }
    }

    fn others(&self, record: &Record, file: File, host: &[u8]) -> Option<Vec<u8>> {
        let of_maps = |maps: &[u8]| {
            let maps = String::from_utf8_lossy(maps);
            let areas = record.areas(&maps);
            match file {
                File::Maps | File::Smaps => code::mark(areas, &maps),
                _ => areas,
            }
        };
        let areas = || {
            host_file::read(&self.beside("maps"))
                .ok()
                .map(|maps| of_maps(&maps))
        };
        match file {
            File::Cmdline => record
                .strings()
                .ok()
                .map(|(arguments, environment)| title(arguments, &environment)),
            File::Environ => record.strings().ok().map(|(_, environment)| environment),
            File::Auxv => Some(record.auxv()),
            File::Maps => Some(maps::maps(&of_maps(host), host).into_bytes()),
            File::Smaps | File::SmapsRollup | File::NumaMaps => self.pages(&areas()?, file, host),
            File::Stat | File::Status | File::Statm => {
                let stat = host_file::read(&self.beside("stat")).ok()?;
                Facts::of_other(record, &areas()?, &stat).text(file, host)
            }
            File::Exe | File::Descriptor | File::Cpuinfo | File::Midr | File::Revidr => None,
        }
    }

    fn pages(&self, vmas: &[Vma], file: File, host: &[u8]) -> Option<Vec<u8>> {
        let text = match file {
            File::Smaps => maps::smaps(vmas, host),
            File::SmapsRollup => {
                maps::smaps_rollup(vmas, &host_file::read(&self.beside("smaps")).ok()?, host)
            }
            File::NumaMaps => maps::numa_maps(vmas, host),
            _ => return None,
        };
        Some(text.into_bytes())
    }
}

fn own_program(image: &Image) -> record::Program {
    let is_ours = |file: &ExeFile| {
        host::fstat(file.fd).is_ok_and(|stat| (stat.st_dev, stat.st_ino) == (file.dev, file.ino))
    };
    match image.exe_file.filter(is_ours) {
        Some(ExeFile { fd, .. }) => {
            record::Program::behind(image.exe.clone(), format!("/proc/self/fd/{fd}").into_bytes())
        }
        None => match image.unnamed.as_ref().and_then(|unnamed| unnamed.link()) {
            Some(link) => record::Program::behind(image.exe.clone(), link),
            None => record::Program::at(image.exe.clone()),
        },
    }
}

/// The kernel's name of what a descriptor is open for, if that is in a proc file system.
fn name_in_proc(fd: i32) -> Option<Vec<u8>> {
    let status = host::fstatfs(fd).ok()?;
    (status.f_type == PROC_SUPER_MAGIC).then(|| host_file::name_of(fd).ok())?
}

fn whose(task: &Task, place: &Place, path: &[u8]) -> Whose {
    if place.pid == 0 || place.pid == task.process.pid() || is_own_thread(place.pid) {
        return Whose::Own;
    }
    match Record::read_begun(place.pid, &path[..place.directory]) {
        Some(record) => Whose::Guest(Box::new(record)),
        None => Whose::Unknown,
    }
}

/// Threads other than the first have a directory too, which no listing shows.
fn is_own_thread(tid: i32) -> bool {
    let path = host_file::c_path(format!("/proc/self/task/{tid}").as_bytes());
    path.is_ok_and(|path| host::faccessat(flags::AT_FDCWD, &path, 0).is_ok())
}

/// Opens what a path leads to, whose last component names a `file`, if its contents are ours to say; `None` leaves it to
/// the host.
pub fn open(task: &Task, at: &At<'_>, file: File, open: OpenFlags) -> Option<SysResult> {
    if matches!(file, File::Midr | File::Revidr) {
        return identification::open(task, at, file, open);
    }
    let node = Node::find(task, at, file)?;
    if node.place.file == File::Exe {
        if open.contains(OpenFlags::O_NOFOLLOW) {
            return None;
        }
        let exe = node.exe(task)?;
        if at.resolve != 0 {
            // Whether the link may be followed.
            match at.open(OpenFlags::O_PATH.union(OpenFlags::O_CLOEXEC).to_host()) {
                Ok(fd) => host::close(fd as i32).ok()?,
                Err(error) => return Some(Err(error)),
            };
        }
        if let Some(unnamed) = node.unreachable(task) {
            return Some(unnamed.open_copy(&exe.name, open));
        }
        let path = host_file::c_path(&exe.path()).ok()?;
        return Some(open_program(&path, open));
    }
    if open.intersects(OpenFlags::O_PATH) || open.contains(OpenFlags::O_DIRECTORY) {
        return None;
    }
    // Whether it may be opened, and with what number, is the kernel's to say.
    let real = match at.open(open.to_host()) {
        Ok(fd) => fd as i32,
        Err(_) if node.written && open.access_mode() == 0 => {
            let contents = node.contents(task, &[])?;
            return Some(shown::create(&contents, &node.path, open));
        }
        Err(error) => return Some(Err(error)),
    };
    if open.access_mode() == 1 {
        return Some(Ok(real as u64));
    }
    let contents = host_file::read_open(real)
        .ok()
        .and_then(|host| node.contents(task, &host));
    match contents {
        Some(contents) => Some(shown::replace(real, &contents, &node.path, open)),
        // It has been read, but not by the guest.
        None => Some(host::lseek(real, 0, 0).map(|_| real as u64)),
    }
}

/// Opens a copy of the program that an exe link leads to, if the guest cannot reach the program itself.
pub fn open_copy(task: &Task, at: &At<'_>, file: File) -> Option<SysResult> {
    if file != File::Exe {
        return None;
    }
    let node = Node::find(task, at, file)?;
    let unnamed = node.unreachable(task)?;
    Some(unnamed.open_copy(&node.exe(task)?.name, OpenFlags::O_CLOEXEC))
}

/// Opens a file that is being executed: nobody may write to it (deny_write_access).
fn open_program(path: &CStr, open: OpenFlags) -> SysResult {
    let writes = open.access_mode() != 0 && !open.contains(OpenFlags::O_PATH);
    if !writes {
        return host::openat(flags::AT_FDCWD, path, open.to_host(), 0);
    }
    // Other errors come first.
    let open = open.difference(OpenFlags::O_TRUNC);
    let fd = host::openat(flags::AT_FDCWD, path, open.to_host(), 0)?;
    host::close(fd as i32)?;
    Err(Errno::ETXTBSY)
}

/// The target of an exe link that must lead to a guest's program.
pub fn readlink(task: &Task, at: &At<'_>, file: File) -> Option<Vec<u8>> {
    if file != File::Exe {
        return None;
    }
    Node::find(task, at, file)?.exe(task).map(|program| program.name)
}

/// The path, with its NUL, of the guest's program that an exe link leads to.
pub fn program(task: &Task, at: &At<'_>, file: File) -> Option<Vec<u8>> {
    if file != File::Exe {
        return None;
    }
    let mut path = Node::find(task, at, file)?.exe(task)?.path();
    path.push(0);
    Some(path)
}

/// The path of the file to look at instead of a path whose last component names a `file`.
pub fn target(task: &Task, at: &At<'_>, file: File) -> Option<Vec<u8>> {
    match file {
        File::Exe => Node::find(task, at, file)?.exe(task).map(record::Program::path),
        File::Midr | File::Revidr => identification::look_alike(&(at.text)()?, at.dirfd),
        _ => None,
    }
}

/// The contents now of a file that was opened before; its name is the kernel's.
fn contents_now(task: &Task, path: &[u8]) -> Option<Vec<u8>> {
    let place = Place::find(path)?;
    let whose = whose(task, &place, path);
    let node = Node {
        place,
        path: path.to_vec(),
        whose,
        written: false,
    };
    let host = host_file::read(path).ok()?;
    node.contents(task, &host).or(Some(host))
}

/// How the kernel's own file looks.
fn stat_of(path: &[u8]) -> Option<HostStat> {
    let path =
        identification::look_alike(path, flags::AT_FDCWD as i64 as u64).unwrap_or_else(|| path.to_vec());
    host::stat(&host_file::c_path(&path).ok()?).ok()
}

/// How the file system of the kernel's own file looks.
fn statfs_of(path: &[u8]) -> Option<Statfs> {
    let path =
        identification::look_alike(path, flags::AT_FDCWD as i64 as u64).unwrap_or_else(|| path.to_vec());
    host::statfs(&host_file::c_path(&path).ok()?).ok()
}

fn read_guest(range: &Range<GuestAddr>) -> Option<Vec<u8>> {
    let mut bytes = vec![0; range.end.0.checked_sub(range.start.0)? as usize];
    access::read(range.start, &mut bytes).ok()?;
    Some(bytes)
}

/// The arguments as they are now.
fn arguments(arguments: &Range<GuestAddr>, environment: &Range<GuestAddr>) -> Option<Vec<u8>> {
    if arguments.start == arguments.end {
        return None;
    }
    let bytes = read_guest(arguments)?;
    if bytes.last() == Some(&0) {
        return Some(bytes);
    }
    Some(title(bytes, &read_guest(environment).unwrap_or_default()))
}

/// The arguments as get_mm_cmdline (fs/proc/base.c) shows them: a program that overwrote
/// the last terminator has written a title over them, which may reach into the environment.
fn title(mut arguments: Vec<u8>, environment: &[u8]) -> Vec<u8> {
    if arguments.last().is_some_and(|&last| last != 0) {
        arguments.extend_from_slice(environment);
        let end = arguments
            .iter()
            .position(|&byte| byte == 0)
            .unwrap_or(arguments.len());
        arguments.truncate(end + 1);
    }
    arguments
}

#[cfg(test)]
mod tests {
    use super::*;

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
            assert_eq!(title(memory[..5].to_vec(), &memory[5..]), expected);
        }
        let none = range(b"", 0, 0);
        assert_eq!(arguments(&none, &none), None);
    }
}
