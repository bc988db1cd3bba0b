//! From the command line to the guest's exit status.

use crate::guest_memory::GuestMemory;
use crate::options::{self, CommandLine};
use crate::{handlers, message};
use elf_loader::{LoadError, Loaded, Program};
use engine::Engine;
use linux_abi::Errno;
use linux_user::mm::{Mm, own};
use linux_user::strace::Trace;
use linux_user::{Image, Options, Process, Start, own_fds};
use std::ffi::OsStr;
use std::fs::File;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// Exit statuses of qemu's.
const EXIT_USAGE: i32 = 1;
const EXIT_LOAD: i32 = 255;

/// Runs the command; gives its exit status.
pub fn run(args: Vec<Vec<u8>>, env: Vec<Vec<u8>>) -> i32 {
    let line = match options::parse(args.get(1..).unwrap_or(&[])) {
        Ok(line) => line,
        Err(text) => {
            message::err(&text);
            return EXIT_USAGE;
        }
    };
    own::register_present();
    handlers::install();
    let name = base_name(args.first().map_or(b"raemu-aarch64", |name| name));
    match run_program(&line, &env) {
        Ok(status) => status,
        Err(LoadError::File(error)) => {
            let path = String::from_utf8_lossy(&line.program[0]);
            message::out(&format!("Error while loading {path}: {}", error.text()));
            EXIT_USAGE
        }
        Err(error @ LoadError::InterpreterMissing { .. }) => {
            message::err(&format!("{name}: {error}"));
            EXIT_LOAD
        }
        Err(error) => {
            let path = String::from_utf8_lossy(&line.program[0]);
            message::err(&format!("{name}: {path}: {error}"));
            EXIT_LOAD
        }
    }
}

fn base_name(path: &[u8]) -> String {
    let name = path.rsplit(|&byte| byte == b'/').next().unwrap_or(path);
    String::from_utf8_lossy(name).into_owned()
}

fn run_program(line: &CommandLine, env: &[Vec<u8>]) -> Result<i32, LoadError> {
    let path = &line.program[0];
    let file = open(path).map_err(LoadError::File)?;
    let mm = Mm::new();
    let engine = Engine::new(Box::new(mm.clone()), line.mode);
    let program = Program {
        file: &file,
        argv: &line.program,
        envp: env,
        file_name: path,
        open: &|path| open_prefixed(&line.sysroot, path),
        stack_size: 8 << 20,
        random: random(),
        address_seed: u64::from_le_bytes(random()),
        ids: [0; 4],
        secure: false,
    };
    let memory = GuestMemory {
        mm: &mm,
        engine: &engine,
    };
    let loaded = elf_loader::load(&memory, &program)?;
    mm.set_brk(loaded.brk);
    let start = Start {
        pc: loaded.entry,
        sp: loaded.sp,
    };
    let image = image(line, loaded);
    drop(file);
    let options = Options {
        sysroot: (!line.sysroot.is_empty()).then(|| line.sysroot.clone()),
        trace: line.strace.then(trace),
        ..Options::default()
    };
    let process = Process::new(mm, engine, options, image);
    linux_user::run(process, start).map_err(|_| LoadError::File(Errno::ENOMEM))
}

/// -strace goes to a copy of standard error that the guest cannot close.
fn trace() -> Trace {
    Trace {
        fd: own_fds::adopt(2).unwrap_or(2),
    }
}

fn image(line: &CommandLine, loaded: Loaded) -> Image {
    let exe = std::fs::canonicalize(OsStr::from_bytes(&line.program[0]));
    let exe = exe.map_or_else(
        |_| line.program[0].clone(),
        |path| path.as_os_str().as_bytes().to_vec(),
    );
    let cmdline = line.program.iter().flat_map(|arg| arg.iter().copied().chain([0]));
    Image {
        exe,
        cmdline: cmdline.collect(),
        auxv: loaded.auxv,
        sigreturn: loaded.sigreturn,
    }
}

fn open(path: &[u8]) -> Result<File, Errno> {
    File::open(Path::new(OsStr::from_bytes(path)))
        .map_err(|error| Errno(error.raw_os_error().unwrap_or(Errno::EIO.0)))
}

/// The -L rule: the prefix with an absolute path behind it if that exists, else the path.
fn open_prefixed(sysroot: &[u8], path: &[u8]) -> Result<File, Errno> {
    if !sysroot.is_empty() && path.starts_with(b"/") {
        match open(&[sysroot, path].concat()) {
            Err(Errno::ENOENT) => {}
            found => return found,
        }
    }
    open(path)
}

fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    // SAFETY: the buffer is ours. Without entropy the bytes stay zero, which is as good as
    // an old kernel's.
    unsafe { libc::getrandom(bytes.as_mut_ptr().cast(), N, 0) };
    bytes
}
