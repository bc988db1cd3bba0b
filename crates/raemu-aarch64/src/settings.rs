//! [`Settings`]: what options and environment say, and [`Invocation`]: who started the
//! emulator, which decides if there are options at all.

use crate::flags::{self, FLAGS};
use crate::host;
use elf_loader::{Format, Head};
use guest::CpuModel;
use guest::cpu_model::MAX;
use linux_abi::Errno;
use linux_user::CrashLine;

/// Why there is no program to run.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Outcome {
    /// Text for standard output.
    Print { text: Vec<u8>, status: i32 },
    /// A complaint with qemu's fixed prefix, status 1.
    Qemu(String),
    /// A complaint without a prefix, status 1.
    Plain(String),
    /// A complaint behind the program's name.
    Fail { text: String, status: i32 },
}

impl Outcome {
    pub fn fail(text: impl Into<String>) -> Outcome {
        Outcome::Fail {
            text: text.into(),
            status: 1,
        }
    }

    /// The usage text, for an argument that makes no sense (status 1).
    pub fn usage() -> Outcome {
        Outcome::Print {
            text: crate::help::usage(),
            status: 1,
        }
    }
}

/// How the emulator was started.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Invocation {
    /// By the kernel, for a binfmt_misc entry.
    pub by_kernel: bool,
    /// Option words; empty for a start by the kernel.
    pub options: Vec<Vec<u8>>,
    /// The program's own argv[0], where the kernel kept it.
    pub kept_argv0: Option<Vec<u8>>,
    /// Program and arguments, for a start by the kernel.
    pub program: Vec<Vec<u8>>,
}

impl Invocation {
    pub fn find(args: &[Vec<u8>]) -> Invocation {
        let wrapper = args.first().is_some_and(|name| name.ends_with(b"-binfmt-P"));
        let preserved = host::auxv_flags() & host::AT_FLAGS_PRESERVE_ARGV0 != 0;
        let keeps_argv0 = wrapper || preserved;
        let by_kernel = keeps_argv0 || host::exec_fd().is_some();
        Invocation::classify(args, keeps_argv0, by_kernel, || started_for_guest(args))
    }

    /// `probably` tells of a start without any of the kernel's marks.
    fn classify(
        args: &[Vec<u8>],
        keeps_argv0: bool,
        by_kernel: bool,
        probably: impl FnOnce() -> bool,
    ) -> Invocation {
        let rest = args.get(1..).unwrap_or(&[]);
        if keeps_argv0 && rest.len() >= 2 {
            let mut program = rest.to_vec();
            let argv0 = program.remove(1);
            return Invocation {
                by_kernel: true,
                options: Vec::new(),
                kept_argv0: Some(argv0),
                program,
            };
        }
        if by_kernel && !rest.is_empty() {
            return Invocation {
                by_kernel: true,
                options: Vec::new(),
                kept_argv0: None,
                program: rest.to_vec(),
            };
        }
        Invocation {
            by_kernel: probably(),
            options: rest.to_vec(),
            kept_argv0: None,
            program: Vec::new(),
        }
    }
}

/// Whether the file given to execve was not the emulator: then the kernel chose the
/// emulator for it, by an entry without the P and O flags.
fn started_for_guest(args: &[Vec<u8>]) -> bool {
    let name = host::exec_name();
    let Some(first) = args.get(1).filter(|first| first.first() != Some(&b'-')) else {
        return false;
    };
    // What cannot be read is no program.
    let Ok(format) = head(&name).and_then(|head| head.format()) else {
        return false;
    };
    is_for_guest(&format, &name, first)
}

/// Whether a file named `name`, of this format, is what the kernel starts the emulator for with `first` as its
/// argument: the program itself, or a script whose interpreter is the program.
fn is_for_guest(format: &Format, name: &[u8], first: &[u8]) -> bool {
    match format {
        Format::Guest => true,
        Format::Script(script) => first != name && script.interpreter == first,
        Format::Other => false,
    }
}

/// The first bytes of a file.
fn head(path: &[u8]) -> Result<Head, Errno> {
    use std::os::unix::ffi::OsStrExt;
    let file =
        std::fs::File::open(std::ffi::OsStr::from_bytes(path)).map_err(|error| raemu::errno(&error))?;
    Head::read(&file)
}

/// A change of the guest's environment, in the order given.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum EnvChange {
    /// `name=value`.
    Set(Vec<u8>),
    Unset(Vec<u8>),
}

/// Everything options can say.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Settings {
    pub sysroot: Option<Vec<u8>>,
    pub env_changes: Vec<EnvChange>,
    pub argv0: Option<Vec<u8>>,
    pub stack_size: u64,
    /// -R: where the guest's addresses end.
    pub address_limit: Option<u64>,
    pub uname_release: Option<String>,
    pub strace: bool,
    pub log: flags::LogItems,
    pub log_file: Option<Vec<u8>>,
    pub log_append: bool,
    pub seed: Option<u64>,
    /// The CPU the guest sees.
    pub model: &'static CpuModel,
    pub interpreter: bool,
    /// -crash: the line about a fatal signal.
    pub crash_line: CrashLine,
    /// Generated code checks floating-point results instead of having Invalid trap.
    pub fp_checks: bool,
    /// Options that hold for programs the guest executes.
    pub inherited: Vec<Vec<u8>>,
    /// Program and arguments as the command line gives them.
    pub program: Vec<Vec<u8>>,
}

/// qemu's default for -s.
pub const DEFAULT_STACK: u64 = 8 << 20;
/// Debian's qemu has this prefix built in.
pub const DEFAULT_SYSROOT: &[u8] = b"/usr/gnemul/qemu-aarch64";

impl Default for Settings {
    fn default() -> Settings {
        Settings {
            sysroot: Some(DEFAULT_SYSROOT.to_vec()),
            env_changes: Vec::new(),
            argv0: None,
            stack_size: DEFAULT_STACK,
            address_limit: None,
            uname_release: None,
            strace: false,
            log: flags::LogItems::default(),
            log_file: None,
            log_append: false,
            seed: None,
            model: &MAX,
            interpreter: false,
            crash_line: CrashLine::default(),
            fp_checks: false,
            inherited: Vec::new(),
            program: Vec::new(),
        }
    }
}

impl Settings {
    /// Environment first (QEMU_, then RAEMU_, which wins), then the options.
    ///
    /// # Errors
    /// Why there is nothing to run.
    pub fn read(invocation: &Invocation, env: &[Vec<u8>], secure: bool) -> Result<Settings, Outcome> {
        let mut settings = Settings::default();
        // A privileged program must not be steered by its caller's environment.
        if !secure {
            settings.read_environment(env)?;
        }
        settings.inherited.clear();
        if invocation.by_kernel && !invocation.program.is_empty() {
            settings.program.clone_from(&invocation.program);
            if invocation.kept_argv0.is_some() {
                settings.argv0.clone_from(&invocation.kept_argv0);
            }
        } else {
            settings.read_options(&invocation.options)?;
        }
        if settings.program.is_empty() {
            return Err(Outcome::Qemu("no user program specified".to_owned()));
        }
        Ok(settings)
    }

    fn read_environment(&mut self, env: &[Vec<u8>]) -> Result<(), Outcome> {
        for prefix in ["QEMU_", "RAEMU_"] {
            for flag in FLAGS {
                let Some(suffix) = flag.env else {
                    continue;
                };
                let start = format!("{prefix}{suffix}=").into_bytes();
                if let Some(value) = env.iter().find_map(|entry| entry.strip_prefix(&start[..])) {
                    (flag.apply)(self, value)?;
                }
            }
        }
        Ok(())
    }

    fn read_options(&mut self, words: &[Vec<u8>]) -> Result<(), Outcome> {
        let mut rest = words.iter();
        while let Some(word) = rest.clone().next() {
            let Some(name) = word.strip_prefix(b"-") else {
                break;
            };
            rest.next();
            if name == b"-" {
                break;
            }
            let name = name.strip_prefix(b"-").unwrap_or(name);
            let shown = String::from_utf8_lossy(name).into_owned();
            let Some(flag) = FLAGS.iter().find(|flag| flag.name.as_bytes() == name) else {
                return Err(Outcome::Qemu(format!("unknown option '{shown}'")));
            };
            let value = match flag.value {
                None => &[][..],
                Some(_) => rest
                    .next()
                    .ok_or_else(|| Outcome::Qemu(format!("missing argument for option '{shown}'")))?,
            };
            (flag.apply)(self, value)?;
            if flag.inherited {
                self.inherited.push(word.clone());
                self.inherited.extend(flag.value.map(|_| value.to_vec()));
            }
        }
        self.program = rest.cloned().collect();
        Ok(())
    }

    /// The guest's environment: the emulator's own, changed by -E and -U.
    pub fn guest_env(&self, env: &[Vec<u8>]) -> Vec<Vec<u8>> {
        let mut result = env.to_vec();
        for change in &self.env_changes {
            let name = match change {
                EnvChange::Set(entry) => entry.split(|&byte| byte == b'=').next().unwrap_or(entry),
                EnvChange::Unset(name) => name,
            };
            let is_name = |entry: &[u8]| entry.split(|&byte| byte == b'=').next() == Some(name);
            result.retain(|entry| !is_name(entry));
            if let EnvChange::Set(entry) = change {
                result.push(entry.clone());
            }
        }
        result
    }
}

#[cfg(test)]
mod tests;
