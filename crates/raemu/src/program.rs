//! [`Program`]: what execve(2) is given.

use crate::error::errno;
use elf_loader::LoadError;
use linux_abi::Errno;
use std::ffi::OsStr;
use std::fs::File;
use std::os::fd::AsRawFd;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// A program that may be executed, with its arguments and environment.
#[derive(Debug)]
pub struct Program {
    /// The path as its user gives it.
    pub path: Vec<u8>,
    /// The open file, which is closed once it is loaded.
    pub file: File,
    /// The arguments, the program's name among them, without NUL.
    pub args: Vec<Vec<u8>>,
    /// The environment, as `NAME=value`.
    pub env: Vec<Vec<u8>>,
    /// AT_EXECFN.
    pub exec_name: Vec<u8>,
    /// A name for the main thread, of which the kernel keeps 15 bytes; empty leaves the host's.
    pub comm: Vec<u8>,
}

impl Program {
    /// The program at `path`, with its name as the only argument and an empty environment.
    ///
    /// # Errors
    /// [`LoadError::File`] where execve(2) would refuse the file.
    pub fn open(path: impl AsRef<Path>) -> Result<Program, LoadError> {
        let path = path.as_ref();
        let file = File::open(path).map_err(|error| LoadError::File(errno(&error)))?;
        Program::from_file(path.as_os_str().as_bytes(), file)
    }

    /// The program in `file`, which was opened as `path`.
    ///
    /// # Errors
    /// [`LoadError::File`] where execve(2) would refuse the file.
    pub fn from_file(path: &[u8], file: File) -> Result<Program, LoadError> {
        check_executable(&file).map_err(LoadError::File)?;
        Ok(Program {
            path: path.to_vec(),
            file,
            args: vec![path.to_vec()],
            env: Vec::new(),
            exec_name: path.to_vec(),
            comm: Vec::new(),
        })
    }

    /// Adds an argument.
    #[must_use]
    pub fn arg(mut self, arg: impl AsRef<OsStr>) -> Program {
        self.args.push(arg.as_ref().as_bytes().to_vec());
        self
    }

    /// Adds `entry`, which is `NAME=value`, to the environment.
    #[must_use]
    pub fn env(mut self, entry: impl AsRef<OsStr>) -> Program {
        self.env.push(entry.as_ref().as_bytes().to_vec());
        self
    }

    /// For /proc/self/exe: absolute and without symbolic links, as the kernel names the open file; also for a
    /// program in a directory that its user may not search.
    pub(crate) fn exe(&self) -> Vec<u8> {
        match std::fs::read_link(format!("/proc/self/fd/{}", self.file.as_raw_fd())) {
            Ok(path) => path.into_os_string().into_vec(),
            Err(_) => absolute(&self.path),
        }
    }

    /// The arguments as /proc/self/cmdline shows them.
    pub(crate) fn cmdline(&self) -> Vec<u8> {
        let args = self.args.iter();
        args.flat_map(|arg| arg.iter().copied().chain([0])).collect()
    }
}

fn check_executable(file: &File) -> Result<(), Errno> {
    let metadata = file.metadata().map_err(|error| errno(&error))?;
    if metadata.is_file() && metadata.mode() & 0o111 != 0 {
        Ok(())
    } else {
        Err(Errno::EACCES)
    }
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
