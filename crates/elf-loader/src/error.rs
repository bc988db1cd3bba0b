//! [`LoadError`]: why a program was not loaded, told as qemu-aarch64 tells it.

use linux_abi::Errno;
use std::fmt;

/// Why a program was not loaded. The text names no file: the caller puts that in front.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum LoadError {
    /// The file cannot be opened or read, or is no ELF file at all.
    File(Errno),
    /// An ELF file that no AArch64 Linux would run: other machine, class or byte order.
    WrongArchitecture,
    /// The headers could not be read.
    ReadHeader(Errno),
    /// A segment could not be mapped.
    Map(Errno),
    /// PT_INTERP's string has no end, or no sensible length.
    InterpreterName,
    /// The interpreter cannot be opened.
    InterpreterMissing { path: Vec<u8>, error: Errno },
    /// The interpreter is no program for this machine.
    Interpreter { path: Vec<u8>, error: Box<LoadError> },
    /// Arguments and environment do not fit on the stack.
    TooBig,
}

impl fmt::Display for LoadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            LoadError::File(error) => f.write_str(error.text()),
            LoadError::WrongArchitecture => f.write_str("Invalid ELF image for this architecture"),
            LoadError::ReadHeader(error) => write!(f, "Error reading file header: {}", error.text()),
            LoadError::Map(error) => write!(f, "Error mapping file: {}", error.text()),
            LoadError::InterpreterName => f.write_str("Invalid PT_INTERP entry"),
            LoadError::InterpreterMissing { path, error } => {
                let path = String::from_utf8_lossy(path);
                write!(f, "Could not open '{path}': {}", error.text())
            }
            LoadError::Interpreter { path, error } => {
                write!(f, "{}: {error}", String::from_utf8_lossy(path))
            }
            LoadError::TooBig => f.write_str("Argument list too long"),
        }
    }
}

impl std::error::Error for LoadError {}
