//! [`Error`]: why there is no machine.

use elf_loader::LoadError;
use linux_abi::Errno;
use std::{fmt, io};

/// Why a program cannot be run: the host's or the file's fault. What a program does once it runs is no error.
#[derive(Debug)]
pub enum Error {
    /// The program cannot be opened, is no program, or cannot be mapped.
    Load(LoadError),
    /// The host has no memory for a CPU.
    Host(io::Error),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::Load(error) => error.fmt(f),
            Error::Host(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for Error {}

impl From<LoadError> for Error {
    fn from(error: LoadError) -> Error {
        Error::Load(error)
    }
}

/// The error number of a failed host operation.
#[must_use]
pub fn errno(error: &io::Error) -> Errno {
    Errno(error.raw_os_error().unwrap_or(Errno::EIO.0))
}
