//! Finds and starts the program.

use crate::settings::{DEFAULT_STACK, DEFAULT_SYSROOT, Invocation, Outcome, Settings};
use crate::{host, log};
use engine::Mode;
use linux_user::Options;
use linux_user::emulator;
use linux_user::inherit::Inherited;
use linux_user::kernel::room;
use linux_user::mm::Mm;
use linux_user::seccomp::handed::{self, Named};
use linux_user::strace::Trace;
use raemu::{Config, Error, Execution, LoadError, Program};
use std::ffi::{CString, OsStr};
use std::fs::File;
use std::os::unix::ffi::OsStrExt;

/// qemu's exit statuses: execve would refuse the program; the program is not fit.
const EXIT_REFUSED: i32 = 1;
const EXIT_UNFIT: i32 = 255;

/// What the emulator that executed this one says, and the environment without it.
struct Told {
    inherited: Option<Inherited>,
    /// Also of an emulator that the kernel started again.
    filters: Option<Named>,
    env: Vec<Vec<u8>>,
}

impl Told {
    fn read(invocation: &Invocation, env: &[Vec<u8>]) -> Told {
        let inherited = Inherited::find(env);
        let filters = inherited.as_ref().and_then(|told| told.filters);
        let inherited = inherited.filter(|told| comes_from_emulator(told, invocation));
        let env = env
            .iter()
            .filter(|entry| Inherited::from_variable(entry).is_none());
        Told {
            inherited,
            filters,
            env: env.cloned().collect(),
        }
    }
}

/// The program that options and kernel name.
///
/// # Errors
/// When execve(2) would refuse the file.
fn find(invocation: &Invocation, settings: &Settings, told: &Told) -> Result<Program, Outcome> {
    let path = &settings.program[0];
    let refused = |error: LoadError| load_failed(path, &error);
    let executed = told.inherited.as_ref().and_then(|told| told.program);
    let file = match host::exec_file().or_else(|| executed.and_then(host::inherited_file)) {
        Some(file) => file,
        None => File::open(OsStr::from_bytes(path))
            .map_err(|error| refused(LoadError::File(raemu::errno(&error))))?,
    };
    let mut program = Program::from_file(path, file).map_err(refused)?;
    program.args.clone_from(&settings.program);
    if let Some(argv0) = &settings.argv0 {
        program.args[0].clone_from(argv0);
    }
    program.env = settings.guest_env(&told.env);
    program.comm = comm(invocation, path, told);
    if invocation.by_kernel {
        program.exec_name = host::exec_name();
    }
    Ok(program)
}

/// The comm the kernel gave this process: right already after a start by the kernel.
fn comm(invocation: &Invocation, path: &[u8], told: &Told) -> Vec<u8> {
    match &told.inherited {
        Some(told) if !told.comm.is_empty() => told.comm.clone(),
        Some(_) | None if invocation.by_kernel => Vec::new(),
        Some(_) | None => path
            .rsplit(|&byte| byte == b'/')
            .next()
            .unwrap_or_default()
            .to_vec(),
    }
}

/// Whether an emulator executed this one, so that what it says is true. The kernel starts no emulator with the
/// variable, but a caller may have set it. A privileged program takes nobody's word but the kernel's, which names
/// what was executed: the caller's own file, so the caller was an emulator; or the descriptor that is said to be the
/// emulator's file.
fn comes_from_emulator(told: &Inherited, invocation: &Invocation) -> bool {
    let executed = || {
        let name = host::exec_name();
        let of_descriptor = |fd: i32| name == format!("/dev/fd/{fd}").into_bytes();
        name == emulator::LINK.to_bytes() || told.emulator.is_some_and(of_descriptor)
    };
    !invocation.by_kernel && (!host::is_secure() || executed())
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
    let told = Told::read(invocation, env);
    let filters = handed::take(told.filters).map_err(|lost| Outcome::fail(lost.to_string()))?;
    let prepare = || {
        let program = find(invocation, settings, &told)?;
        let mut config = config(invocation, settings, &told)?;
        config.options.filters = filters;
        hold_emulator(invocation, &told);
        Execution::prepare(program, config, host::is_secure())
            .map_err(|error| failed(&settings.program[0], &error))
    };
    let execution = if room::is_full() {
        let keep = told
            .inherited
            .iter()
            .flat_map(|told| [told.program, told.emulator]);
        let keep: Vec<i32> = keep.chain([host::exec_fd()]).flatten().collect();
        let prepared = room::with_room(&keep, prepare);
        // They were closed in another table.
        keep.into_iter().for_each(host::close);
        prepared.unwrap_or_else(|error| Err(Outcome::fail(error.to_string())))
    } else {
        prepare()
    }?;
    if settings.log.page {
        log::write(&pages(execution.mm()));
    }
    execution
        .run()
        .map_err(|error| failed(&settings.program[0], &error))
}

fn failed(path: &[u8], error: &Error) -> Outcome {
    match error {
        Error::Load(error) => load_failed(path, error),
        Error::Host(error) => Outcome::fail(error.to_string()),
    }
}

fn config(invocation: &Invocation, settings: &Settings, told: &Told) -> Result<Config, Outcome> {
    let options = options(invocation, settings, told)?;
    let mode = if settings.interpreter {
        Mode::Interpreter
    } else {
        Mode::Jit
    };
    let trace = settings.log.in_translation().then_some(engine::Trace {
        in_asm: settings.log.in_asm,
        op: settings.log.op,
        out_asm: settings.log.out_asm,
        exec: settings.log.exec,
        write: log::write,
    });
    Ok(Config {
        mode,
        model: settings.model,
        stack_size: settings.stack_size.max(raemu::host::stack_limit().unwrap_or(0)),
        growing_stack: Some(if settings.stack_size > DEFAULT_STACK {
            settings.stack_size
        } else {
            0
        }),
        address_limit: settings.address_limit,
        seed: settings.seed,
        fp_checks: settings.fp_checks,
        trace,
        options,
        ..Config::default()
    })
}

/// Children of the guest are run by this very file.
fn hold_emulator(invocation: &Invocation, told: &Told) {
    let inherited = told.inherited.as_ref().and_then(|told| told.emulator);
    let inherited = inherited.and_then(host::inherited_file);
    // What the kernel executed: the emulator, unless it chose that for another file.
    let name = (!invocation.by_kernel).then(host::exec_name);
    let path = name.and_then(|name| CString::new(name).ok());
    emulator::hold_emulator(inherited, path.as_deref());
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

fn options(invocation: &Invocation, settings: &Settings, told: &Told) -> Result<Options, Outcome> {
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
        trace: log.filter(|_| settings.strace).map(|log| Trace { log }),
        stops: log.filter(|_| settings.log.stops).map(|log| Trace { log }),
        unimplemented: log.filter(|_| settings.log.unimp).map(|log| Trace { log }),
        statistics: log.filter(|_| settings.log.stats).map(|log| Trace { log }),
        crash_line: settings.crash_line,
        kernel_started: invocation.by_kernel || told.inherited.as_ref().is_some_and(|told| told.by_kernel),
        filters: None,
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
