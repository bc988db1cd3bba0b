//! Finds, loads and starts the program.

use crate::guest_memory::GuestMemory;
use crate::settings::{DEFAULT_SYSROOT, Invocation, Outcome, Settings};
use crate::{host, log};
use elf_loader::{LoadError, Loaded};
use engine::{Engine, Mode};
use linux_abi::Errno;
use linux_user::inherit::{self, Inherited};
use linux_user::mm::Mm;
use linux_user::signal::Actions;
use linux_user::strace::Trace;
use linux_user::{Image, Options, Process, Start};
use std::ffi::{CString, OsStr};
use std::fs::File;
use std::os::fd::AsRawFd;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// qemu's exit statuses: execve would refuse the program; the program is not fit.
const EXIT_REFUSED: i32 = 1;
const EXIT_UNFIT: i32 = 255;

/// Executions of a block by the interpreter before it is translated.
const PATIENCE: u8 = 2;

/// A program that may be executed, with its arguments.
struct Program {
    path: Vec<u8>,
    file: File,
    args: Vec<Vec<u8>>,
    env: Vec<Vec<u8>>,
    /// AT_EXECFN.
    exec_name: Vec<u8>,
    by_kernel: bool,
    /// What the emulator that executed this one says of it.
    inherited: Option<Inherited>,
}

impl Program {
    /// # Errors
    /// When execve(2) would refuse the file.
    fn find(invocation: &Invocation, settings: &Settings, env: &[Vec<u8>]) -> Result<Program, Outcome> {
        let inherited = env
            .iter()
            .find_map(|entry| Inherited::from_variable(entry))
            .filter(|told| comes_from_emulator(told, invocation));
        let env: Vec<Vec<u8>> = env
            .iter()
            .filter(|entry| Inherited::from_variable(entry).is_none())
            .cloned()
            .collect();
        let path = settings.program[0].clone();
        let refused = |errno: Errno| load_failed(&path, &LoadError::File(errno));
        let executed = inherited.as_ref().and_then(|told| told.program);
        let file = match host::exec_file().or_else(|| executed.and_then(host::inherited_file)) {
            Some(file) => file,
            None => File::open(OsStr::from_bytes(&path)).map_err(|error| refused(host::errno(&error)))?,
        };
        check_executable(&file).map_err(refused)?;
        let mut args = settings.program.clone();
        if let Some(argv0) = &settings.argv0 {
            args[0].clone_from(argv0);
        }
        Ok(Program {
            exec_name: if invocation.by_kernel {
                host::exec_name()
            } else {
                path.clone()
            },
            file,
            args,
            env: settings.guest_env(&env),
            by_kernel: invocation.by_kernel,
            inherited,
            path,
        })
    }
}

impl Program {
    /// The comm the kernel gave this process: right already after a start by the kernel.
    fn comm(&self) -> Vec<u8> {
        match &self.inherited {
            Some(told) if !told.comm.is_empty() => told.comm.clone(),
            Some(_) | None if self.by_kernel => Vec::new(),
            Some(_) | None => self
                .path
                .rsplit(|&byte| byte == b'/')
                .next()
                .unwrap_or_default()
                .to_vec(),
        }
    }

    /// Nothing of the emulator's stays open where the guest expects its own descriptors.
    fn close(self) {
        drop(self.file);
    }

    /// For /proc/self/exe: absolute and without symbolic links, as the kernel names the open file; also for a
    /// program in a directory that its user may not search.
    fn exe(&self) -> Vec<u8> {
        match std::fs::read_link(format!("/proc/self/fd/{}", self.file.as_raw_fd())) {
            Ok(path) => path.into_os_string().into_vec(),
            Err(_) => absolute(&self.path),
        }
    }
}

/// Whether an emulator executed this one, so that what it says is true. The kernel starts no emulator with the
/// variable, but a caller may have set it. A privileged program takes nobody's word but the kernel's, which names
/// the descriptor that was executed: it is the emulator's own file.
fn comes_from_emulator(told: &Inherited, invocation: &Invocation) -> bool {
    let executed = |fd: i32| host::exec_name() == format!("/dev/fd/{fd}").into_bytes();
    !invocation.by_kernel && (!host::is_secure() || told.emulator.is_some_and(executed))
}

fn check_executable(file: &File) -> Result<(), Errno> {
    let metadata = file.metadata().map_err(|error| host::errno(&error))?;
    if metadata.is_file() && metadata.mode() & 0o111 != 0 {
        Ok(())
    } else {
        Err(Errno::EACCES)
    }
}

fn load_failed(path: &[u8], error: &LoadError) -> Outcome {
    let path = String::from_utf8_lossy(path);
    match error {
        // qemu prints this one to standard output.
        LoadError::File(_) | LoadError::TooBig => Outcome::Print {
            text: format!("Error while loading {path}: {error}\n").into_bytes(),
            status: EXIT_REFUSED,
        },
        LoadError::InterpreterMissing { .. } | LoadError::Interpreter { .. } => Outcome::Fail {
            text: error.to_string(),
            status: EXIT_UNFIT,
        },
        LoadError::WrongArchitecture
        | LoadError::ReadHeader(_)
        | LoadError::Map(_)
        | LoadError::InterpreterName => Outcome::Fail {
            text: format!("{path}: {error}"),
            status: EXIT_UNFIT,
        },
    }
}

/// Runs the program to its end; gives its exit status.
///
/// # Errors
/// When it cannot be loaded.
pub fn run(invocation: &Invocation, settings: &Settings, env: &[Vec<u8>]) -> Result<i32, Outcome> {
    let program = Program::find(invocation, settings, env)?;
    let options = options(settings, &program)?;
    // From here on faults of checked accesses to guest memory are caught, loading included.
    let signals = Actions::inherit();
    hold_emulator(&program);
    let mm = Mm::new();
    let mode = if settings.interpreter {
        Mode::Interpreter
    } else {
        Mode::Jit
    };
    let engine = Engine::new(Box::new(mm.clone()), mode, settings.model);
    if settings.fp_checks {
        engine.check_fp_results();
    }
    if settings.log.in_translation() {
        engine.set_trace(engine::Trace {
            in_asm: settings.log.in_asm,
            op: settings.log.op,
            out_asm: settings.log.out_asm,
            exec: settings.log.exec,
            write: log::write,
        });
    } else {
        // What is to be shown is shown from its first execution on.
        engine.set_patience(PATIENCE);
    }
    let loaded = load(&mm, &engine, settings, &options, &program)?;
    mm.set_brk(loaded.brk);
    if settings.log.page {
        log::write(&pages(&mm));
    }
    let start = Start {
        pc: loaded.entry,
        sp: loaded.sp,
        // Zero means the host's numbers.
        random: settings.seed.map_or(0, |seed| Seeds(Some(!seed)).next() | 1),
    };
    let image = image(&program, loaded);
    program.close();
    let process = Process::new(mm, engine, options, image, signals);
    linux_user::run(process, start).map_err(|error| Outcome::fail(error.to_string()))
}

/// Children of the guest are run by this very file.
fn hold_emulator(program: &Program) {
    let inherited = program.inherited.as_ref().and_then(|told| told.emulator);
    // What the kernel executed: the emulator, unless it chose that for another file.
    let name = (!program.by_kernel).then(host::exec_name);
    let path = name.and_then(|name| CString::new(name).ok());
    inherit::hold_emulator(inherited, path.as_deref());
}

/// The guest's mappings for -d page, with qemu's heading.
fn pages(mm: &Mm) -> String {
    let mut text = "page layout changed following binary load\nstart            end              size             prot\n".to_owned();
    for vma in mm.vmas() {
        let bit = |flag: u64, letter: char| if vma.prot & flag != 0 { letter } else { '-' };
        let [read, write, exec] = [bit(1, 'r'), bit(2, 'w'), bit(4, 'x')];
        let size = vma.end - vma.start;
        text.push_str(&format!(
            "{:016x}-{:016x} {size:016x} {read}{write}{exec}\n",
            vma.start, vma.end
        ));
    }
    text
}

fn load(
    mm: &Mm,
    engine: &Engine,
    settings: &Settings,
    options: &Options,
    program: &Program,
) -> Result<Loaded, Outcome> {
    let mut seeds = Seeds(settings.seed);
    let address_seed = if host::layout_is_fixed() { 0 } else { seeds.next() };
    let mut random = [0; 16];
    random[..8].copy_from_slice(&seeds.next().to_le_bytes());
    random[8..].copy_from_slice(&seeds.next().to_le_bytes());
    let request = elf_loader::Program {
        file: &program.file,
        argv: &program.args,
        envp: &program.env,
        file_name: &program.exec_name,
        open: &|name| open_below(options.sysroot_bytes(), name),
        stack_size: settings.stack_size.max(host::stack_limit().unwrap_or(0)),
        random,
        address_seed,
        ids: host::ids(),
        hwcap: settings.model.hwcap,
        secure: host::is_secure(),
    };
    elf_loader::load(&GuestMemory { mm, engine }, &request)
        .map_err(|error| load_failed(&program.path, &error))
}

fn image(program: &Program, loaded: Loaded) -> Image {
    let arguments = program.args.iter();
    Image {
        exe: program.exe(),
        cmdline: arguments.flat_map(|arg| arg.iter().copied().chain([0])).collect(),
        arguments: loaded.arguments,
        environment: loaded.environment,
        stack_start: loaded.sp,
        auxv: loaded.auxv,
        comm: program.comm(),
        sigreturn: loaded.sigreturn,
    }
}

fn options(settings: &Settings, program: &Program) -> Result<Options, Outcome> {
    let logs = settings.strace || settings.log != crate::flags::LogItems::default();
    let log = if logs || settings.log_file.is_some() {
        Some(log::open(settings)?)
    } else {
        None
    };
    let mut child_args = settings.inherited.clone();
    if let Some(name) = &settings.log_file {
        child_args.extend([b"-log-append".to_vec(), name.clone()]);
    }
    Ok(Options {
        sysroot: sysroot(settings),
        uname_release: settings.uname_release.clone(),
        trace: log.filter(|_| settings.strace).map(|fd| Trace { fd }),
        unimplemented: log.filter(|_| settings.log.unimp).map(|fd| Trace { fd }),
        statistics: log.filter(|_| settings.log.stats).map(|fd| Trace { fd }),
        kernel_started: program.by_kernel,
        child_args,
    })
}

/// The -L prefix. The built-in one is dropped where it is missing, as nearly everywhere:
/// each path the guest names would be looked for below it.
fn sysroot(settings: &Settings) -> Option<Vec<u8>> {
    let is_there = |path: &[u8]| std::fs::exists(OsStr::from_bytes(path)).unwrap_or(false);
    let prefix = settings.sysroot.as_ref()?;
    (prefix != DEFAULT_SYSROOT || is_there(prefix)).then(|| prefix.clone())
}

/// The rule of -L: below the prefix if the file exists there, else as named.
fn open_below(sysroot: Option<&[u8]>, name: &[u8]) -> Result<File, Errno> {
    let below = sysroot
        .filter(|_| name.first() == Some(&b'/'))
        .map(|prefix| [prefix, name].concat());
    if let Some(path) = below
        && std::fs::exists(OsStr::from_bytes(&path)).unwrap_or(false)
    {
        return File::open(OsStr::from_bytes(&path)).map_err(|error| host::errno(&error));
    }
    File::open(OsStr::from_bytes(name)).map_err(|error| host::errno(&error))
}

/// The path without symbolic links as far as it can be followed, where there is no /proc to ask.
fn absolute(path: &[u8]) -> Vec<u8> {
    if let Ok(path) = std::fs::canonicalize(OsStr::from_bytes(path)) {
        return path.into_os_string().into_vec();
    }
    let path = Path::new(OsStr::from_bytes(path));
    // Only a working directory that is gone makes this fail.
    let path = std::path::absolute(path).unwrap_or_else(|_| path.to_path_buf());
    path.into_os_string().into_vec()
}

/// Numbers for AT_RANDOM and the layout: the host's, or a sequence from -seed.
struct Seeds(Option<u64>);

impl Seeds {
    fn next(&mut self) -> u64 {
        let Some(state) = &mut self.0 else {
            let mut bytes = [0; 8];
            host::random(&mut bytes);
            return u64::from_le_bytes(bytes);
        };
        // splitmix64.
        *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (*state ^ (*state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }
}
