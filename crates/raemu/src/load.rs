//! From a [`Program`] and a [`Config`] to a guest process, mapped and ready to start.

use crate::config::Config;
use crate::error::errno;
use crate::guest_memory::GuestMemory;
use crate::host;
use crate::program::Program;
use crate::seeds::Seeds;
use elf_loader::stack::{AT_ENTRY, auxv_value};
use elf_loader::{LoadError, Loaded};
use engine::Engine;
use linux_abi::Errno;
use linux_user::host::{Fcntl, fcntl};
use linux_user::mm::Mm;
use linux_user::signal::Actions;
use linux_user::{ExeFile, Image, Layout, Process, Start, Unnamed};
use std::ffi::OsStr;
use std::fs::File;
use std::os::fd::AsRawFd;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::sync::Arc;

/// Whose the host process is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Role {
    /// The guest's, who may have privileges that the caller of the program has not (AT_SECURE).
    Owner { privileged: bool },
    /// Somebody else's.
    Tenant,
}

/// A guest process that has not started.
pub struct Ready {
    pub process: Process,
    pub start: Start,
    /// Where the program's own entry point is, which may be its interpreter's to go to.
    pub entry: u64,
}

/// Loads `program`.
///
/// # Errors
/// Why it cannot be run.
pub fn load(program: Program, config: Config, role: Role) -> Result<Ready, LoadError> {
    // From here on faults of checked accesses to guest memory are caught, loading included.
    let (signals, privileged) = match role {
        Role::Owner { privileged } => (Actions::inherit(), privileged),
        Role::Tenant => (Actions::of_tenant(), false),
    };
    let mm = Mm::new();
    if let Some(end) = config.address_limit {
        mm.limit_addresses(end, config.stack_size);
    }
    let engine = engine(&mm, &config);
    let mut seeds = Seeds(config.seed);
    let loaded = map(&mm, &engine, &program, &config, &mut seeds, privileged)?;
    mm.set_brk(loaded.brk);
    let start = Start {
        pc: loaded.entry,
        sp: loaded.sp,
        // Zero means the host's numbers.
        random: config.seed.map_or(0, |seed| Seeds(Some(!seed)).next() | 1),
    };
    let image = image(&program, loaded);
    // Nothing stays open where the guest expects its own descriptors.
    drop(program.file);
    let entry = auxv_value(&image.first_auxv, AT_ENTRY).unwrap_or(0);
    let process = Process::new(mm, engine, config.options, image, signals);
    Ok(Ready {
        process: match role {
            Role::Owner { .. } => process,
            Role::Tenant => process.as_tenant(),
        },
        start,
        entry,
    })
}

fn engine(mm: &Mm, config: &Config) -> Arc<Engine> {
    let engine = Engine::new(Box::new(mm.clone()), config.mode, config.model);
    if config.fp_checks {
        engine.check_fp_results();
    }
    if let Some(trace) = config.trace {
        engine.set_trace(trace);
    } else if config.edges {
        engine.watch_blocks();
    } else {
        // What is to be shown is shown from its first execution on.
        engine.set_patience(config.patience);
    }
    engine
}

fn map(
    mm: &Mm,
    engine: &Engine,
    program: &Program,
    config: &Config,
    seeds: &mut Seeds,
    privileged: bool,
) -> Result<Loaded, LoadError> {
    let address_seed = if host::layout_is_fixed() { 0 } else { seeds.next() };
    let mut random = [0; 16];
    random[..8].copy_from_slice(&seeds.next().to_le_bytes());
    random[8..].copy_from_slice(&seeds.next().to_le_bytes());
    let request = elf_loader::Program {
        file: &program.file,
        argv: &program.args,
        envp: &program.env,
        file_name: &program.exec_name,
        open: &|name| open_below(config.options.sysroot_bytes(), name),
        stack_size: config.stack_size,
        growing_stack: config.growing_stack,
        limit: config.address_limit,
        random,
        address_seed,
        ids: host::ids(),
        hwcap: config.model.hwcap,
        secure: privileged,
    };
    elf_loader::load(&GuestMemory { mm, engine }, &request)
}

/// Whether a path is the kernel's for a file that has none.
fn is_unnamed(path: &[u8]) -> bool {
    path.ends_with(b" (deleted)")
}

/// A descriptor of the program that stays, if `path` does not lead to its file, which has a name.
fn exe_file(file: &File, path: &[u8]) -> Option<ExeFile> {
    /// Above what programs use, below the customary limit of 1024.
    const HIGH: u64 = 1000;
    if is_unnamed(path) {
        return None;
    }
    let is = file.metadata().ok()?;
    match std::fs::metadata(OsStr::from_bytes(path)) {
        Ok(found) if (found.dev(), found.ino()) == (is.dev(), is.ino()) => None,
        // Without one, links to the program lead nowhere.
        _ => Some(ExeFile {
            fd: fcntl(file.as_raw_fd(), Fcntl::DupCloseOnExec(HIGH)).ok()? as i32,
            dev: is.dev(),
            ino: is.ino(),
        }),
    }
}

fn image(program: &Program, loaded: Loaded) -> Image {
    let exe = program.exe();
    Image {
        exe_file: exe_file(&program.file, &exe),
        unnamed: is_unnamed(&exe)
            .then(|| Unnamed::of(&program.file).map(Arc::new))
            .flatten(),
        exe,
        cmdline: program.cmdline(),
        first_arguments: loaded.arguments,
        first_environment: loaded.environment,
        first_sp: loaded.sp,
        first_auxv: loaded.auxv,
        layout: Layout::default(),
        comm: program.comm.clone(),
        sigreturn: loaded.sigreturn,
    }
}

/// The rule of -L: below the prefix if the file exists there, else as named.
fn open_below(sysroot: Option<&[u8]>, name: &[u8]) -> Result<File, Errno> {
    let below = sysroot
        .filter(|_| name.first() == Some(&b'/'))
        .map(|prefix| [prefix, name].concat());
    if let Some(path) = below
        && std::fs::exists(OsStr::from_bytes(&path)).unwrap_or(false)
    {
        return File::open(OsStr::from_bytes(&path)).map_err(|error| errno(&error));
    }
    File::open(OsStr::from_bytes(name)).map_err(|error| errno(&error))
}
