//! execve(2) and execveat(2).
//!
//! Started by the kernel's binfmt_misc, the kernel does it all again. Started by hand, no
//! registration may exist: the file is looked at first, so that a PATH search sees the
//! kernel's errors; an arm64 program becomes an execution of the emulator itself with the
//! program as its argument (emulator.rs); a `#!` line is followed to its interpreter; everything
//! else is the kernel's. By hand is also executed what the kernel has no way to hand to an interpreter: a program
//! through a descriptor that is closed on exec, or behind as many scripts as there may be; and all where there is no
//! registration (another mount namespace); where no descriptor is free, of which the kernel itself needs none; and for
//! a task with seccomp filters and no_new_privs, since this emulator hands them on. It gains no privileges then. What
//! may be executed but not read is the kernel's (but under filters): EACCES where it has no registration that opens the
//! file (O).

pub mod descriptor;
pub mod emulator;
pub mod inherit;
mod plan;

use super::room;
use super::task::Task;
use crate::host;
use crate::proc::{self, At, File};
use crate::seccomp::handed;
use crate::seccomp::install::has_no_new_privs;
use crate::syscall::arg::guard::{nowhere, passed};
use crate::syscall::arg::{read, read_cstr};
use descriptor::Descriptor;
use emulator::Source;
use guest::GuestAddr;
use inherit::Inherited;
use linux_abi::nr::x86_64 as nr;
use linux_abi::{Errno, PATH_MAX, SysResult, flags};
use plan::{Emulated, Plan, Target, plan};

/// The strings and the pointer arrays of an execve. They belong to the Task, because a
/// vfork child shares memory with its parent and vanishes without freeing anything.
#[derive(Default)]
pub struct Scratch {
    path: Vec<u8>,
    bytes: Vec<u8>,
    words: Vec<u64>,
    /// argv and envp as the kernel gets them.
    guarded: [Vec<u64>; 2],
}

impl Scratch {
    pub fn clear(&mut self) {
        self.path.clear();
        self.bytes.clear();
        self.words.clear();
    }
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
    let path = read_cstr(path, PATH_MAX - 1)?.ok_or(Errno::ENAMETOOLONG)?;
    if at & !(flags::AT_EMPTY_PATH | flags::AT_SYMLINK_NOFOLLOW) != 0 {
        return Err(Errno::EINVAL);
    }
    match guest_program(task, dirfd, path, at) {
        Program::At(mut path) => {
            path.push(0);
            let target = Target {
                dirfd,
                path,
                flags: at,
            };
            execute_target(task, target, [argv, envp])
        }
        Program::Copied(fd) => {
            let fd = fd? as i32;
            let target = Target {
                dirfd: fd,
                path: vec![0],
                flags: flags::AT_EMPTY_PATH,
            };
            let failed = execute_target(task, target, [argv, envp]);
            let _ = host::close(fd);
            failed
        }
    }
}

fn execute_target(task: &mut Task, mut target: Target, given: [GuestAddr; 2]) -> SysResult {
    let full = room::is_full();
    let [argv, envp] = guarded(task, given);
    let kernel_started = task.process.options.kernel_started;
    // Filters are to stay: it is looked at first what would be executed, and this very emulator executes it. Only where
    // the file may give privileges, the kernel does.
    let filtered = task.state.seccomp.filters().is_some();
    let mut by_kernel = kernel_started && filtered;
    if kernel_started && !filtered {
        if full {
            // The kernel has no number for the descriptor that it hands to the interpreter, and kills who asks.
            by_kernel = true;
        } else {
            let (result, back) = kernel_execve(task, target, argv.0, envp.0);
            let Some(others_by_kernel) = by_hand(result, &back) else {
                return result;
            };
            by_kernel = others_by_kernel;
            target = back;
        }
    }
    if !kernel_started || full || filtered {
        check(task, &target, argv, envp)?;
    }
    let plan = if full {
        room::with_room(&[target.dirfd], || {
            plan(task, &target).map(Plan::without_descriptor)
        })?
    } else {
        plan(task, &target)
    };
    match plan {
        // The host's programs know nothing of the guest's filters.
        Ok(Plan::OtherMachine) if filtered => Err(Errno::EACCES),
        Ok(Plan::Kernel) if filtered => Err(Errno::ENOEXEC),
        Err(error) if filtered => Err(error),
        // Who may execute a file need not be able to read it; the kernel can.
        Err(Errno::EACCES) => match kernel_execve(task, target, argv.0, envp.0).0 {
            Err(Errno::ENOEXEC) => Err(Errno::EACCES),
            result => result,
        },
        Err(error) => Err(error),
        Ok(Plan::Kernel | Plan::OtherMachine) => kernel_execve(task, target, argv.0, envp.0).0,
        Ok(Plan::Emulator(emulated)) => {
            if filtered && kernel_started && !full && !has_no_new_privs() {
                let (result, back) = kernel_execve_filtered(task, target, argv, given[1])?;
                if by_hand(result, &back).is_none() {
                    return result;
                }
                target = back;
            }
            let argv = read_pointers(given[0])?;
            let envp = read_pointers(given[1])?;
            let source = emulator::find()?;
            let (filters, named) = handed::write(&mut task.state.seccomp)?.unzip();
            let inherited = Inherited {
                emulator: match &source {
                    Source::Link => None,
                    Source::Open(file) => Some(file.number()),
                },
                program: emulated.fd.as_ref().map(Descriptor::number),
                by_kernel,
                filters: named,
                comm: emulated.comm.clone(),
            };
            task.exec.clear();
            let args = pack(task, &inherited, &emulated, &argv, &envp);
            let program = emulated.fd;
            // In a vfork child nothing that is still held here would ever be freed.
            drop((target, emulated.path, emulated.script_args, emulated.comm));
            drop((inherited, argv, envp));
            if let Some(filters) = &filters {
                filters.hand_over();
            }
            run_emulator(task, &source, program.as_ref(), args)
        }
    }
}

/// Whether a program that the kernel was asked to execute is to be executed by hand: it has no way to hand it to an
/// interpreter. `Some` tells whether it executes others.
fn by_hand(result: SysResult, target: &Target) -> Option<bool> {
    match result {
        // Without a registration here (another mount namespace, a chroot).
        Err(Errno::ENOEXEC) => Some(false),
        // The emulator behind as many scripts as there may be is one interpreter too many.
        Err(Errno::ELOOP) => Some(true),
        // It starts no interpreter for a file that the interpreter could not open by its name.
        Err(Errno::ENOENT) if target.is_closed_on_exec() => Some(true),
        Ok(_) | Err(_) => None,
    }
}

/// What a path names that may be an exe link: the host's link leads to the emulator.
enum Program {
    At(Vec<u8>),
    /// A copy of it, open and closed on exec, or why there is none.
    Copied(SysResult),
}

fn guest_program(task: &Task, dirfd: i32, path: Vec<u8>, at: u64) -> Program {
    let name = path.rsplit(|&byte| byte == b'/').next().and_then(File::named);
    let Some(file) = name.filter(|&file| file == File::Exe && at & flags::AT_SYMLINK_NOFOLLOW == 0) else {
        return Program::At(path);
    };
    let with_nul = [&path[..], b"\0"].concat();
    let at = At {
        dirfd: dirfd as i64 as u64,
        path: with_nul.as_ptr() as u64,
        resolve: 0,
        text: &|| Some(path.clone()),
    };
    if let Some(copy) = proc::open_copy(task, &at, file) {
        return Program::Copied(copy);
    }
    let program = proc::target(task, &at, file);
    Program::At(program.unwrap_or(path))
}

/// The pointers of argv or envp, without the terminator, as the kernel gets them.
fn read_pointers(array: GuestAddr) -> Result<Vec<u64>, Errno> {
    let mut pointers = Vec::new();
    if array.is_null() {
        return Ok(pointers);
    }
    loop {
        match read::<u64>(array.offset(pointers.len() as i64 * 8))? {
            0 => return Ok(pointers),
            pointer => pointers.push(passed(pointer, 1)),
        }
    }
}

/// The arrays, or copies without tags and addresses of the emulator's, which stay as long as the task's scratch memory.
/// What cannot be read, the kernel refuses when it gets there: it would read what is the emulator's.
fn guarded(task: &mut Task, arrays: [GuestAddr; 2]) -> [GuestAddr; 2] {
    let kept = &mut task.exec.guarded;
    let changes = |array: GuestAddr, pointers: &[u64]| {
        (0_i64..)
            .zip(pointers)
            .any(|(index, &pointer)| read::<u64>(array.offset(index * 8)) != Ok(pointer))
    };
    std::array::from_fn(|at| match read_pointers(arrays[at]) {
        Ok(mut pointers) if changes(arrays[at], &pointers) => {
            pointers.push(0);
            kept[at] = pointers;
            GuestAddr(kept[at].as_ptr() as u64)
        }
        Ok(_) => arrays[at],
        Err(_) => GuestAddr(nowhere(arrays[at].0)),
    })
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

/// The same, and the emulator that it starts finds the task's filters.
///
/// # Errors
/// For an environment that cannot be read, and filters that cannot be handed over.
fn kernel_execve_filtered(
    task: &mut Task,
    target: Target,
    argv: GuestAddr,
    envp: GuestAddr,
) -> Result<(SysResult, Target), Errno> {
    let envp = read_pointers(envp)?;
    let (filters, named) = handed::write(&mut task.state.seccomp)?.unzip();
    let inherited = Inherited {
        filters: named,
        ..Inherited::default()
    };
    task.exec.clear();
    let mut variable = inherited.to_variable();
    variable.push(0);
    task.exec.bytes = variable;
    let words = &mut task.exec.words;
    words.extend_from_slice(&envp);
    words.extend([task.exec.bytes.as_ptr() as u64, 0]);
    let environment = words.as_ptr() as u64;
    // In a vfork child nothing that is still held here would ever be freed.
    drop((envp, inherited));
    if let Some(filters) = &filters {
        filters.hand_over();
    }
    Ok(kernel_execve(task, target, argv.0, environment))
}

/// Lets the host's kernel look at the file and the arguments, without executing anything: whether the file may be
/// executed, is open for writing, or stands on a noexec mount, and whether the arguments fit. Before Linux 6.14, which
/// has AT_EXECVE_CHECK, there is only what [`plan`] finds.
fn check(task: &mut Task, target: &Target, argv: GuestAddr, envp: GuestAddr) -> Result<(), Errno> {
    const AT_EXECVE_CHECK: u64 = 0x10000;
    let (dir, path) = (target.dirfd as i64 as u64, target.path.as_ptr() as u64);
    let args = [dir, path, argv.0, envp.0, target.flags | AT_EXECVE_CHECK, 0];
    // SAFETY: the kernel writes nothing for this.
    match unsafe { task.interruptible(nr::execveat, args) } {
        Ok(_) | Err(Errno::EINVAL) => Ok(()),
        Err(error) => Err(error),
    }
}

/// The new program inherits the guest's signal mask and ignored signals.
fn host_execveat(task: &mut Task, args: [u64; 6]) -> SysResult {
    task.signals.expose_mask()?;
    task.signals.expose_held(task.tid);
    task.process.signals.expose_ignored();
    host_memory::lock::leaving(true);
    // SAFETY: path, arguments and environment are the emulator's own copies, and only read.
    let result = unsafe { task.interruptible(nr::execveat, args) };
    host_memory::lock::leaving(false);
    task.process.signals.hide_ignored();
    task.signals.open();
    result
}

fn run_emulator(
    task: &mut Task,
    source: &Source,
    program: Option<&Descriptor>,
    [argv, envp]: [u64; 2],
) -> SysResult {
    let (dir, path, at) = match source {
        Source::Link => (flags::AT_FDCWD, emulator::LINK, 0),
        Source::Open(file) => {
            file.hand_over();
            (file.number(), c"", flags::AT_EMPTY_PATH)
        }
    };
    if let Some(program) = program {
        program.hand_over();
    }
    host_execveat(task, [dir as i64 as u64, path.as_ptr() as u64, argv, envp, at, 0])
}

/// Lays out argv and envp for the emulator in the task's scratch memory; returns where.
fn pack(task: &mut Task, inherited: &Inherited, plan: &Emulated, argv: &[u64], envp: &[u64]) -> [u64; 2] {
    /// A string by its offset in the scratch memory, or a pointer of the guest's.
    enum Word {
        Own(usize),
        Guest(u64),
    }
    let options = std::sync::Arc::clone(&task.process.options);
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
    [start, start + env_at as u64 * 8]
}
