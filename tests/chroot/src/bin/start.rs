//! Starts a program in ways that no shell can: `start empty PROGRAM` without an argv[0],
//! `start fd PROGRAM WORD...` through file descriptor 3, which stays open, with WORDs as the whole argv, and
//! `start closed DIGITS PROGRAM WORD...` with no descriptors but 9 and those of 0, 1, 2 that DIGITS does not name, with
//! PROGRAM, looked for in PATH, as argv[0].
#![forbid(unsafe_code)]

use std::ffi::{CString, OsString};
use std::os::fd::AsRawFd;
use std::os::unix::ffi::OsStringExt;
use std::process::ExitCode;

use nix::fcntl::{FcntlArg, FdFlag, OFlag, fcntl, open};
use nix::sys::stat::Mode;
use nix::unistd::{close, execve, execvpe, fexecve};

/// Where a guest may print whose standard output is closed.
const KEPT: i32 = 9;

fn main() -> ExitCode {
    let words: Vec<CString> = std::env::args_os().skip(1).map(c_string).collect();
    let environment: Vec<CString> = std::env::vars_os()
        .map(|(name, value)| c_string([name, value].join(&OsString::from("="))))
        .collect();
    let failed = match words.as_slice() {
        [how, program] if how.as_bytes() == b"empty" => {
            execve::<&CString, _>(program, &[], &environment).map(|_| ())
        }
        [how, program, argv @ ..] if how.as_bytes() == b"fd" => by_descriptor(program, argv, &environment),
        [how, digits, argv @ ..] if how.as_bytes() == b"closed" && !argv.is_empty() => {
            close_all(digits);
            execvpe(&argv[0], argv, &environment).map(|_| ())
        }
        _ => {
            eprintln!("usage: start empty PROGRAM | fd PROGRAM WORD... | closed DIGITS PROGRAM WORD...");
            return ExitCode::from(2);
        }
    };
    eprintln!("start: {failed:?}");
    ExitCode::from(126)
}

fn close_all(digits: &CString) {
    let asked = digits.as_bytes().iter().map(|digit| i32::from(digit - b'0'));
    for fd in asked.chain((3..4096).filter(|&fd| fd != KEPT)) {
        // Most are not open.
        let _ = close(fd);
    }
}

fn c_string(text: OsString) -> CString {
    CString::new(text.into_vec()).expect("words of the kernel's hold no NUL")
}

fn by_descriptor(program: &CString, argv: &[CString], environment: &[CString]) -> nix::Result<()> {
    let file = open(program.as_c_str(), OFlag::O_RDONLY, Mode::empty())?;
    // Nothing else is open in this process, and a different number shows in the test's output.
    debug_assert_eq!(file.as_raw_fd(), 3);
    fcntl(&file, FcntlArg::F_SETFD(FdFlag::empty()))?;
    fexecve(&file, argv, environment).map(|_| ())
}
