//! execve(2) and execveat(2).
//!
//! Started by the kernel's binfmt_misc, the kernel does it all again. Started by hand, no
//! registration may exist: the file is looked at first, so that a PATH search sees the
//! kernel's errors; an arm64 program becomes an execution of the emulator itself with the
//! program as its argument, through a descriptor held since start (there may be no /proc);
//! a `#!` line is followed to its interpreter; everything else is the kernel's.

pub mod inherit;

use super::task::Task;
use crate::syscall::arg::read;
use crate::{host, own_fds};
use guest::GuestAddr;
use inherit::Inherited;
use linux_abi::nr::x86_64 as nr;
use linux_abi::{Errno, SysResult, flags};

/// PATH_MAX, with its NUL.
const PATH_MAX: usize = 4096;
/// BINPRM_BUF_SIZE: how much of a file the kernel looks at.
const HEADER: usize = 256;
/// The kernel's limit of interpreters that are scripts themselves.
const MAX_SCRIPTS: usize = 5;
const AT_EACCESS: u64 = 0x200;
const O_CLOEXEC: u64 = 0o2000000;
const F_DUPFD: u64 = 0;
const F_GETFD: u64 = 1;
const F_SETFD: u64 = 2;
const FD_CLOEXEC: u64 = 1;

const ELF_MAGIC: &[u8] = b"\x7fELF";
const EM_AARCH64: u16 = 183;
const ET_EXEC: u16 = 2;
const ET_DYN: u16 = 3;

/// The strings and the pointer arrays of an execve. They belong to the Task, because a
/// vfork child shares memory with its parent and vanishes without freeing anything.
#[derive(Default)]
pub struct Scratch {
    path: Vec<u8>,
    bytes: Vec<u8>,
    words: Vec<u64>,
}

impl Scratch {
    pub fn clear(&mut self) {
        self.path.clear();
        self.bytes.clear();
        self.words.clear();
    }
}

/// What an execve names.
struct Target {
    dirfd: i32,
    /// The path with its NUL.
    path: Vec<u8>,
    /// AT_EMPTY_PATH and AT_SYMLINK_NOFOLLOW.
    flags: u64,
}

/// How to run it.
enum Plan {
    /// The kernel can, or knows best why not.
    Kernel,
    Emulator(Emulated),
}

/// An arm64 program, reached through any number of scripts.
struct Emulated {
    /// The program to open, as a path from the current directory or through the descriptor.
    path: Vec<u8>,
    /// It is open here: execveat's descriptor, or one its path is relative to.
    fd: Option<i32>,
    /// What a `#!` line puts in front of the arguments; empty for a program itself.
    script_args: Vec<Vec<u8>>,
    /// The last part of the path that was executed: the thread's name.
    comm: Vec<u8>,
}

/// Executes the program that the guest's path names, seen from the directory `dirfd`.
///
/// # Errors
/// The kernel's.
pub fn execute(
    task: &mut Task,
    dirfd: i32,
    path: GuestAddr,
    argv: GuestAddr,
    envp: GuestAddr,
    at: u64,
) -> SysResult {
    let mut path = read_string(path, PATH_MAX)?;
    if is_own_exe(task, &path) {
        path.clone_from(&task.process.image.exe);
    }
    path.push(0);
    let mut target = Target {
        dirfd,
        path,
        flags: at,
    };
    if task.process.options.kernel_started {
        match kernel_execve(task, target, argv.0, envp.0) {
            // Without a registration here (another mount namespace, a chroot): by hand.
            (Err(Errno::ENOEXEC), back) => target = back,
            (result, _) => return result,
        }
    }
    match plan(task, &target)? {
        Plan::Kernel => kernel_execve(task, target, argv.0, envp.0).0,
        Plan::Emulator(emulated) => {
            let argv = read_pointers(argv)?;
            let envp = read_pointers(envp)?;
            let emulator = inherit::emulator_fd().ok_or(Errno::ENOEXEC)?;
            task.exec.clear();
            let args = pack(task, emulator, &emulated, &argv, &envp);
            let fd = emulated.fd;
            // In a vfork child nothing that is still held here would ever be freed.
            drop((target, emulated, argv, envp));
            run_emulator(task, emulator, fd, args)
        }
    }
}

/// Whether a path names the program that runs: the host's link leads to the emulator.
fn is_own_exe(task: &Task, path: &[u8]) -> bool {
    let Some(rest) = path
        .strip_prefix(b"/proc/")
        .and_then(|rest| rest.strip_suffix(b"/exe"))
    else {
        return false;
    };
    rest == b"self" || rest == b"thread-self" || rest == task.process.pid().to_string().as_bytes()
}

fn read_string(addr: GuestAddr, max: usize) -> Result<Vec<u8>, Errno> {
    crate::mm::own::check(addr.0, 1)?;
    match guest_memory::access::read_cstr(addr, max - 1) {
        Ok(Some(bytes)) => Ok(bytes),
        Ok(None) => Err(Errno::ENAMETOOLONG),
        Err(_) => Err(Errno::EFAULT),
    }
}

/// The pointers of argv or envp, without the terminator.
fn read_pointers(array: GuestAddr) -> Result<Vec<u64>, Errno> {
    let mut pointers = Vec::new();
    if array.is_null() {
        return Ok(pointers);
    }
    loop {
        match read::<u64>(array.offset(pointers.len() as i64 * 8))? {
            0 => return Ok(pointers),
            pointer => pointers.push(pointer),
        }
    }
}

/// Lets the host's kernel execute the target. A signal that comes before is delivered
/// first. Gives the target back if it fails.
fn kernel_execve(task: &mut Task, target: Target, argv: u64, envp: u64) -> (SysResult, Target) {
    let Target { dirfd, path, flags } = target;
    task.exec.path = path;
    let pointer = task.exec.path.as_ptr() as u64;
    let result = host_execveat(task, [dirfd as i64 as u64, pointer, argv, envp, flags, 0]);
    let path = std::mem::take(&mut task.exec.path);
    (result, Target { dirfd, path, flags })
}

/// The new program inherits the guest's signal mask and ignored signals.
fn host_execveat(task: &mut Task, args: [u64; 6]) -> SysResult {
    task.signals.expose_mask()?;
    task.process.signals.expose_ignored();
    let result = task.interruptible(nr::execveat, args);
    task.process.signals.hide_ignored();
    task.signals.open();
    result
}

fn run_emulator(task: &mut Task, emulator: i32, program: Option<i32>, [argv, envp]: [u64; 2]) -> SysResult {
    let inheritable = |fd: i32, on: bool| {
        let fd_flags = if on { 0 } else { FD_CLOEXEC };
        // The descriptor is open.
        let _ = host::syscall(nr::fcntl, [fd as u64, F_SETFD, fd_flags, 0, 0, 0]);
    };
    inheritable(emulator, true);
    let empty: &[u8] = b"\0";
    let result = host_execveat(
        task,
        [
            emulator as u64,
            empty.as_ptr() as u64,
            argv,
            envp,
            flags::AT_EMPTY_PATH,
            0,
        ],
    );
    inheritable(emulator, false);
    if let Some(fd) = program {
        let _ = host::syscall(nr::close, [fd as u64, 0, 0, 0, 0, 0]);
    }
    result
}

/// Looks at the file, and at the interpreters it names.
fn plan(task: &Task, target: &Target) -> Result<Plan, Errno> {
    let mut script_args: Vec<Vec<u8>> = Vec::new();
    let mut path = target.path.clone();
    path.pop();
    let through_fd = target.dirfd != flags::AT_FDCWD && !path.starts_with(b"/");
    let comm = comm_of(&path);
    let mut file = File::open(target.dirfd, &target.path, target.flags)?;
    for _ in 0..=MAX_SCRIPTS {
        let header = file.header()?;
        if header.starts_with(b"#!") {
            let line = parse_script(&header)?;
            let script = if script_args.is_empty() && through_fd {
                fd_path(target, &path)?
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
            continue;
        }
        if !is_guest_elf(&header)? {
            return Ok(Plan::Kernel);
        }
        check_interpreter(task, &file, &header)?;
        let by_descriptor = through_fd && script_args.is_empty();
        return Ok(Plan::Emulator(Emulated {
            path: if by_descriptor {
                fd_path_any(target, &path)
            } else {
                path
            },
            fd: if by_descriptor {
                Some(file.inheritable()?)
            } else {
                None
            },
            script_args,
            comm,
        }));
    }
    Err(Errno::ELOOP)
}

fn comm_of(path: &[u8]) -> Vec<u8> {
    let name = path.rsplit(|&byte| byte == b'/').next().unwrap_or_default();
    name[..name.len().min(15)].to_vec()
}

/// bprm->filename of an execveat through a descriptor.
fn fd_path_any(target: &Target, path: &[u8]) -> Vec<u8> {
    let mut name = format!("/dev/fd/{}", target.dirfd).into_bytes();
    if !path.is_empty() {
        name.push(b'/');
        name.extend_from_slice(path);
    }
    name
}

/// As [`fd_path_any`], for a script, whose interpreter has to open it.
fn fd_path(target: &Target, path: &[u8]) -> Result<Vec<u8>, Errno> {
    let fd_flags = host::syscall(nr::fcntl, [target.dirfd as u64, F_GETFD, 0, 0, 0, 0])?;
    if fd_flags & FD_CLOEXEC != 0 {
        return Err(Errno::ENOENT);
    }
    Ok(fd_path_any(target, path))
}

/// A file that may be executed, open for reading.
struct File(i32);

impl Drop for File {
    fn drop(&mut self) {
        let _ = host::syscall(nr::close, [self.0 as u64, 0, 0, 0, 0, 0]);
    }
}

impl File {
    /// # Errors
    /// Those execve has: ENOENT, ENOTDIR, ELOOP, and EACCES for what is no executable file.
    fn open(dirfd: i32, path: &[u8], at: u64) -> Result<File, Errno> {
        const X_OK: u64 = 1;
        const O_NONBLOCK: u64 = 0o4000;
        const O_NOFOLLOW: u64 = 0o400000;
        let dir = dirfd as i64 as u64;
        let pointer = path.as_ptr() as u64;
        if path == b"\0" && at & flags::AT_EMPTY_PATH != 0 {
            return File::reopen(dirfd);
        }
        host::syscall(nr::faccessat2, [dir, pointer, X_OK, AT_EACCESS | at, 0, 0])?;
        let no_follow = if at & flags::AT_SYMLINK_NOFOLLOW != 0 {
            O_NOFOLLOW
        } else {
            0
        };
        // A FIFO must not hold us up.
        let open_flags = O_CLOEXEC | O_NONBLOCK | no_follow;
        let fd = host::syscall(nr::openat, [dir, pointer, open_flags, 0, 0, 0])?;
        File(fd as i32).if_regular()
    }

    /// The file behind a descriptor, which may be open for something else (O_PATH).
    fn reopen(fd: i32) -> Result<File, Errno> {
        let link = format!("/proc/self/fd/{fd}\0");
        let args = [
            flags::AT_FDCWD as i64 as u64,
            link.as_ptr() as u64,
            O_CLOEXEC,
            0,
            0,
            0,
        ];
        let fd = match host::syscall(nr::openat, args) {
            Ok(fd) => fd,
            // No /proc: at least if it is open for reading.
            Err(_) => host::syscall(nr::fcntl, [fd as u64, 1030, 0, 0, 0, 0])?,
        };
        File(fd as i32).if_regular()
    }

    fn if_regular(self) -> Result<File, Errno> {
        const S_IFMT: u32 = 0o170000;
        const S_IFREG: u32 = 0o100000;
        let mut stat = linux_abi::layout::HostStat::ZERO;
        host::syscall(nr::fstat, [self.0 as u64, (&raw mut stat) as u64, 0, 0, 0, 0])?;
        if stat.st_mode & S_IFMT == S_IFREG {
            Ok(self)
        } else {
            Err(Errno::EACCES)
        }
    }

    fn read_at(&self, buf: &mut [u8], offset: u64) -> Result<usize, Errno> {
        let args = [
            self.0 as u64,
            buf.as_mut_ptr() as u64,
            buf.len() as u64,
            offset,
            0,
            0,
        ];
        Ok(host::syscall(nr::pread64, args)? as usize)
    }

    /// The first bytes; those behind the end are zero, as in the kernel's buffer.
    fn header(&self) -> Result<[u8; HEADER], Errno> {
        let mut header = [0; HEADER];
        self.read_at(&mut header, 0)?;
        Ok(header)
    }

    /// A descriptor of it that the next program inherits.
    fn inheritable(&self) -> Result<i32, Errno> {
        Ok(host::syscall(nr::fcntl, [self.0 as u64, F_DUPFD, 0, 0, 0, 0])? as i32)
    }
}

fn half(bytes: &[u8], at: usize) -> u16 {
    u16::from_le_bytes([bytes[at], bytes[at + 1]])
}

fn word(bytes: &[u8], at: usize) -> u64 {
    let mut word = [0; 8];
    word.copy_from_slice(&bytes[at..at + 8]);
    u64::from_le_bytes(word)
}

/// Whether the header is that of a 64-bit little-endian arm64 program.
///
/// # Errors
/// ENOEXEC for one that cannot be run.
fn is_guest_elf(header: &[u8; HEADER]) -> Result<bool, Errno> {
    const CLASS64: u8 = 2;
    const LITTLE: u8 = 1;
    let guest = header.starts_with(ELF_MAGIC)
        && (header[4], header[5]) == (CLASS64, LITTLE)
        && half(header, 18) == EM_AARCH64;
    let runnable = matches!(half(header, 16), ET_EXEC | ET_DYN) && half(header, 54) == 56;
    if guest && !runnable {
        return Err(Errno::ENOEXEC);
    }
    Ok(guest)
}

/// The kernel says ENOENT for a program whose ELF interpreter is missing.
fn check_interpreter(task: &Task, file: &File, header: &[u8; HEADER]) -> Result<(), Errno> {
    const PT_INTERP: u64 = 3;
    const PHDR: usize = 56;
    const F_OK: u64 = 0;
    let (offset, count) = (word(header, 32), usize::from(half(header, 56)));
    let mut table = vec![0; count.min(64) * PHDR];
    let read = file.read_at(&mut table, offset)?;
    let found = table[..read]
        .chunks_exact(PHDR)
        .find(|phdr| word(phdr, 0) & 0xffff_ffff == PT_INTERP);
    let Some(phdr) = found else {
        return Ok(());
    };
    let mut name = vec![0; (word(phdr, 32) as usize).min(PATH_MAX)];
    let read = file.read_at(&mut name, word(phdr, 8))?;
    if read != name.len() || name.last() != Some(&0) {
        return Err(Errno::ENOEXEC);
    }
    let exists = |path: &[u8]| {
        let args = [flags::AT_FDCWD as i64 as u64, path.as_ptr() as u64, F_OK, 0, 0, 0];
        host::syscall(nr::faccessat, args)
    };
    if let Some(sysroot) = task.process.options.sysroot_bytes() {
        let prefixed = [sysroot, &name].concat();
        if exists(&prefixed).is_ok() {
            return Ok(());
        }
    }
    exists(&name).map(|_| ())
}

/// A `#!` line.
#[derive(Debug, PartialEq, Eq)]
struct ScriptLine {
    interpreter: Vec<u8>,
    argument: Option<Vec<u8>>,
}

/// Takes a `#!` line apart as fs/binfmt_script.c does: one optional argument, which may
/// contain blanks; a line that does not end within the buffer must at least hold the whole
/// interpreter's name.
fn parse_script(header: &[u8; HEADER]) -> Result<ScriptLine, Errno> {
    let is_blank = |byte: &u8| matches!(byte, b' ' | b'\t');
    // The kernel ends its buffer with a NUL.
    let text = &header[2..HEADER - 1];
    let line = match text.iter().position(|&byte| byte == b'\n') {
        Some(end) => &text[..end],
        None => {
            let name = text
                .iter()
                .position(|byte| !is_blank(byte))
                .ok_or(Errno::ENOEXEC)?;
            let ends = text[name..].iter().any(|byte| is_blank(byte) || *byte == 0);
            if !ends {
                return Err(Errno::ENOEXEC);
            }
            text
        }
    };
    let line = &line[..line.iter().position(|&byte| byte == 0).unwrap_or(line.len())];
    let start = line
        .iter()
        .position(|byte| !is_blank(byte))
        .ok_or(Errno::ENOEXEC)?;
    let end = line
        .iter()
        .rposition(|byte| !is_blank(byte))
        .map_or(start, |last| last + 1);
    let line = &line[start..end];
    let split = line.iter().position(is_blank).unwrap_or(line.len());
    let rest = &line[split..];
    let argument = rest
        .iter()
        .position(|byte| !is_blank(byte))
        .map(|at| rest[at..].to_vec());
    Ok(ScriptLine {
        interpreter: line[..split].to_vec(),
        argument,
    })
}

/// Lays out argv and envp for the emulator in the task's scratch memory; returns where.
fn pack(task: &mut Task, emulator: i32, plan: &Emulated, argv: &[u64], envp: &[u64]) -> [u64; 2] {
    /// A string by its offset in the scratch memory, or a pointer of the guest's.
    enum Word {
        Own(usize),
        Guest(u64),
    }
    let options = std::sync::Arc::clone(&task.process.options);
    let inherited = Inherited {
        emulator: Some(emulator),
        program: plan.fd,
        comm: plan.comm.clone(),
    };
    let mut bytes = std::mem::take(&mut task.exec.bytes);
    let mut own = |text: &[u8]| {
        let at = bytes.len();
        bytes.extend_from_slice(text);
        bytes.push(0);
        Word::Own(at)
    };
    let mut words = vec![own(b"raemu-aarch64")];
    for option in &options.child_args {
        words.push(own(option));
    }
    words.push(own(b"-0"));
    let (argv0, script_args) = match plan.script_args.split_first() {
        Some((interpreter, rest)) => (own(interpreter), rest),
        None => (
            argv.first()
                .map_or_else(|| own(b""), |&pointer| Word::Guest(pointer)),
            &[][..],
        ),
    };
    words.push(argv0);
    words.push(own(b"--"));
    words.push(own(&plan.path));
    for argument in script_args {
        words.push(own(argument));
    }
    words.extend(argv.iter().skip(1).map(|&pointer| Word::Guest(pointer)));
    let env_at = words.len() + 1;
    let private = own(&inherited.to_variable());
    let base = bytes.as_ptr() as u64;
    let address = |word: &Word| match word {
        Word::Own(offset) => base + *offset as u64,
        Word::Guest(pointer) => *pointer,
    };
    let packed = &mut task.exec.words;
    packed.extend(words.iter().map(&address));
    packed.push(0);
    packed.extend_from_slice(envp);
    packed.push(address(&private));
    packed.push(0);
    let start = packed.as_ptr() as u64;
    task.exec.bytes = bytes;
    debug_assert!(own_fds::contains(emulator));
    [start, start + env_at as u64 * 8]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(text: &[u8]) -> [u8; HEADER] {
        let mut bytes = [0; HEADER];
        let count = text.len().min(HEADER);
        bytes[..count].copy_from_slice(&text[..count]);
        bytes
    }

    #[test]
    fn script_lines_are_taken_apart() {
        type Line<'a> = (&'a [u8], Option<&'a [u8]>);
        let cases: &[(&[u8], Result<Line, Errno>)] = &[
            (b"#!/bin/sh\necho", Ok((b"/bin/sh", None))),
            (b"#! \t/bin/sh \t\n", Ok((b"/bin/sh", None))),
            (
                b"#!/usr/bin/env python3\n",
                Ok((b"/usr/bin/env", Some(b"python3"))),
            ),
            (b"#!/bin/awk  -f -v  \n", Ok((b"/bin/awk", Some(b"-f -v")))),
            (b"#!/bin/sh", Ok((b"/bin/sh", None))),
            (b"#!\n", Err(Errno::ENOEXEC)),
            (b"#!   \n", Err(Errno::ENOEXEC)),
            (b"#!", Err(Errno::ENOEXEC)),
        ];
        for (text, expected) in cases {
            let found = parse_script(&header(text));
            let found = found
                .as_ref()
                .map(|line| (line.interpreter.as_slice(), line.argument.as_deref()));
            assert_eq!(found, expected.as_ref().copied());
        }
    }

    #[test]
    fn long_script_lines_are_cut_but_not_in_the_name() {
        let mut long_name = b"#!/".to_vec();
        long_name.resize(400, b'x');
        assert_eq!(parse_script(&header(&long_name)), Err(Errno::ENOEXEC));
        let mut long_argument = b"#!/bin/sh ".to_vec();
        long_argument.resize(400, b'y');
        let line = parse_script(&header(&long_argument)).expect("the name is whole");
        assert_eq!(line.argument.map(|text| text.len()), Some(HEADER - 1 - 10));
    }

    #[test]
    fn guest_programs_are_told_by_their_header() {
        let mut elf = header(b"\x7fELF\x02\x01\x01");
        elf[16] = 3;
        elf[18] = 183;
        elf[54] = 56;
        assert_eq!(is_guest_elf(&elf), Ok(true));
        elf[54] = 0;
        assert_eq!(is_guest_elf(&elf), Err(Errno::ENOEXEC));
        elf[18] = 62;
        assert_eq!(is_guest_elf(&elf), Ok(false));
        assert_eq!(is_guest_elf(&header(b"text")), Ok(false));
    }
}
