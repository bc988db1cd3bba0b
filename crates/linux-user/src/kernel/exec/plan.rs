//! [`plan`]: looks at the file that an execve names, and at the interpreters that it names, before anything starts.
//!
//! What the bytes say is `elf_loader`'s matter; here is what the file system says, and what a chain of scripts makes
//! of the arguments (fs/exec.c, fs/binfmt_script.c).

use super::descriptor::Descriptor;
use crate::host::{self, Fcntl};
use crate::kernel::task::Task;
use elf_loader::{Format, Head, Headers, LoadError, ReadAt};
use linux_abi::nr::x86_64 as nr;
use linux_abi::{Errno, OpenFlags, SysResult, flags};
use std::ffi::CString;

/// The kernel's limit of interpreters that are scripts themselves.
const MAX_SCRIPTS: usize = 5;
/// Of fcntl(2).
const FD_CLOEXEC: u64 = 1;

/// What an execve names.
pub struct Target {
    pub dirfd: i32,
    /// The path with its NUL.
    pub path: Vec<u8>,
    /// AT_EMPTY_PATH and AT_SYMLINK_NOFOLLOW.
    pub flags: u64,
}

impl Target {
    /// Whether it is named by a descriptor, or a path relative to one.
    fn is_through_descriptor(&self) -> bool {
        self.dirfd != flags::AT_FDCWD && !self.path.starts_with(b"/")
    }

    /// Whether it cannot be named once it is executed, for its descriptor will be closed (BINPRM_FLAGS_PATH_INACCESSIBLE).
    pub fn is_closed_on_exec(&self) -> bool {
        let fd_flags = || host::fcntl(self.dirfd, host::Fcntl::GetFdFlags);
        self.is_through_descriptor() && fd_flags().is_ok_and(|fd_flags| fd_flags & FD_CLOEXEC != 0)
    }
}

/// How to run it.
pub enum Plan {
    /// The kernel can, or knows best why not.
    Kernel,
    /// It is an ELF file of another machine, perhaps the host's: the kernel's matter, too.
    OtherMachine,
    Emulator(Emulated),
}

impl Plan {
    /// The same by the path alone: the descriptor belongs to another table.
    pub fn without_descriptor(self) -> Plan {
        match self {
            whole @ (Plan::Kernel | Plan::OtherMachine) => whole,
            Plan::Emulator(emulated) => Plan::Emulator(Emulated { fd: None, ..emulated }),
        }
    }
}

/// An arm64 program, reached through any number of scripts.
pub struct Emulated {
    /// The program to open, as a path from the current directory or through the descriptor.
    pub path: Vec<u8>,
    /// The program, if it was named by execveat's descriptor or a path relative to it.
    pub fd: Option<Descriptor>,
    /// What a `#!` line puts in front of the arguments; empty for a program itself.
    pub script_args: Vec<Vec<u8>>,
    /// The last part of the path that was executed: the thread's name.
    pub comm: Vec<u8>,
}

/// Looks at the file, and at the interpreters it names.
pub fn plan(task: &Task, target: &Target) -> Result<Plan, Errno> {
    let mut script_args: Vec<Vec<u8>> = Vec::new();
    let mut path = target.path.clone();
    path.pop();
    let through_fd = target.is_through_descriptor();
    let comm = comm_of(&path);
    let mut file = File::open(target.dirfd, &target.path, target.flags)?;
    for _ in 0..=MAX_SCRIPTS {
        let head = Head::read(&file)?;
        let line = match head.format()? {
            Format::Script(line) => line,
            Format::Other if head.is_elf() => return Ok(Plan::OtherMachine),
            Format::Other => return Ok(Plan::Kernel),
            Format::Guest => {
                check_interpreter(task, &file)?;
                let by_descriptor = through_fd && script_args.is_empty();
                return Ok(Plan::Emulator(Emulated {
                    path: if by_descriptor {
                        fd_path(target, &path)
                    } else {
                        path
                    },
                    fd: if by_descriptor { Some(file.0) } else { None },
                    script_args,
                    comm,
                }));
            }
        };
        let script = if script_args.is_empty() && through_fd {
            // Its interpreter would have to open it.
            if target.is_closed_on_exec() {
                return Err(Errno::ENOENT);
            }
            fd_path(target, &path)
        } else {
            path
        };
        // The kernel puts each level in front and drops the script's own argv[0].
        let mut front = vec![line.interpreter.clone()];
        front.extend(line.argument);
        front.push(script);
        if !script_args.is_empty() {
            script_args.remove(0);
        }
        front.append(&mut script_args);
        script_args = front;
        path = line.interpreter;
        let mut with_nul = path.clone();
        with_nul.push(0);
        file = File::open(flags::AT_FDCWD, &with_nul, 0)?;
    }
    Err(Errno::ELOOP)
}

fn comm_of(path: &[u8]) -> Vec<u8> {
    let name = path.rsplit(|&byte| byte == b'/').next().unwrap_or_default();
    name[..name.len().min(15)].to_vec()
}

/// bprm->filename of an execveat through a descriptor.
fn fd_path(target: &Target, path: &[u8]) -> Vec<u8> {
    let mut name = format!("/dev/fd/{}", target.dirfd).into_bytes();
    if !path.is_empty() {
        name.push(b'/');
        name.extend_from_slice(path);
    }
    name
}

/// A file that may be executed, open for reading.
struct File(Descriptor);

impl File {
    /// # Errors
    /// Those execve has: ENOENT, ENOTDIR, ELOOP, and EACCES for what is no executable file.
    fn open(dirfd: i32, path: &[u8], at: u64) -> Result<File, Errno> {
        let dir = dirfd as i64 as u64;
        let pointer = path.as_ptr() as u64;
        // SAFETY: the path is a string of ours, and only read.
        unsafe {
            host::raw(
                nr::faccessat2,
                [dir, pointer, flags::X_OK, flags::AT_EACCESS | at, 0, 0],
            )
        }?;
        if path == b"\0" && at & flags::AT_EMPTY_PATH != 0 {
            return File::reopen(dirfd);
        }
        // A FIFO must not hold us up.
        let mut open = OpenFlags::O_CLOEXEC | OpenFlags::O_NONBLOCK;
        open.set(OpenFlags::O_NOFOLLOW, at & flags::AT_SYMLINK_NOFOLLOW != 0);
        // SAFETY: the path is a string of ours, and only read.
        let fd = unsafe { host::raw(nr::openat, [dir, pointer, open.to_host(), 0, 0, 0]) }?;
        File(Descriptor::own(fd)).if_regular()
    }

    /// The file behind a descriptor, which may be open for something else (O_PATH).
    fn reopen(fd: i32) -> Result<File, Errno> {
        let link = CString::new(format!("/proc/self/fd/{fd}")).map_err(|_| Errno::EINVAL)?;
        let file = match Descriptor::open(&link) {
            Err(Errno::EMFILE) => return Err(Errno::EMFILE),
            // No /proc.
            Err(_) => Descriptor::own(File::without_proc(fd)?),
            Ok(file) => file,
        };
        File(file).if_regular()
    }

    /// The same by a proc file system of our own, which takes privileges, or the descriptor itself if it is open for
    /// reading.
    fn without_proc(fd: i32) -> SysResult {
        if let Ok(proc) = host::detached_proc() {
            let link = CString::new(format!("self/fd/{fd}")).map_err(|_| Errno::EINVAL)?;
            let opened = host::openat(proc as i32, &link, OpenFlags::O_CLOEXEC.to_host(), 0);
            host::close(proc as i32)?;
            return opened;
        }
        let open = OpenFlags::from_host(host::fcntl(fd, Fcntl::GetStatusFlags)?);
        if open.contains(OpenFlags::O_PATH) || open.access_mode() == 1 {
            return Err(Errno::EACCES);
        }
        host::fcntl(fd, Fcntl::DupCloseOnExec(0))
    }

    fn if_regular(self) -> Result<File, Errno> {
        const S_IFMT: u32 = 0o170000;
        const S_IFREG: u32 = 0o100000;
        let mut stat = linux_abi::layout::HostStat::ZERO;
        // SAFETY: the kernel writes a struct stat, which the argument points to.
        unsafe {
            host::raw(
                nr::fstat,
                [self.0.number() as u64, (&raw mut stat) as u64, 0, 0, 0, 0],
            )
        }?;
        if stat.st_mode & S_IFMT == S_IFREG {
            Ok(self)
        } else {
            Err(Errno::EACCES)
        }
    }
}

impl ReadAt for File {
    fn read_at(&self, offset: u64, buf: &mut [u8]) -> Result<usize, Errno> {
        Ok(host::pread(self.0.number(), buf, offset)? as usize)
    }
}

/// The kernel says ENOENT for a program whose ELF interpreter is missing.
fn check_interpreter(task: &Task, file: &File) -> Result<(), Errno> {
    let headers = Headers::read(file).map_err(refusal)?;
    let Some(mut name) = headers.interpreter_name(file).map_err(refusal)? else {
        return Ok(());
    };
    name.push(0);
    let exists = |path: &[u8]| {
        let args = [
            flags::AT_FDCWD as i64 as u64,
            path.as_ptr() as u64,
            flags::F_OK,
            0,
            0,
            0,
        ];
        // SAFETY: the path is a string of ours, and only read.
        unsafe { host::raw(nr::faccessat, args) }
    };
    if let Some(sysroot) = task.process.options.sysroot_bytes() {
        let prefixed = [sysroot, &name].concat();
        if exists(&prefixed).is_ok() {
            return Ok(());
        }
    }
    exists(&name).map(|_| ())
}

/// What execve answers for a program that cannot be loaded.
fn refusal(error: LoadError) -> Errno {
    match error {
        LoadError::File(errno) | LoadError::ReadHeader(errno) => errno,
        LoadError::WrongArchitecture
        | LoadError::Map(_)
        | LoadError::InterpreterName
        | LoadError::InterpreterMissing { .. }
        | LoadError::Interpreter { .. }
        | LoadError::TooBig => Errno::ENOEXEC,
    }
}
