//! The proof: a tiny arm64 program, made here, is really executed; in an empty chroot where that is possible.
//!
//! # Safety
//! The child's set-up between fork and execve makes system calls only: no allocation, no lock.

#![allow(unsafe_code)]

use crate::entry::MAGIC;
use crate::register::reason;
use std::ffi::{CStr, CString};
use std::fs;
use std::io::{self, Read as _};
use std::os::unix::fs::{DirBuilderExt as _, PermissionsExt as _};
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// What the tiny program exits with.
const STATUS: i32 = 42;

/// A program does not need longer, under any emulator.
const LIMIT: Duration = Duration::from_secs(20);

/// Stands for "no chroot is possible here" on the way from the child; no call that it makes fails with it.
const NO_CHROOT: i32 = libc::EUSERS;

/// `exit(42)`: an ELF header, a program header, and three instructions.
pub fn tiny_program() -> Vec<u8> {
    const BASE: u64 = 0x40_0000;
    const HEADERS: u64 = 64 + 56;
    // mov x0, #42; mov x8, #93 (exit); svc #0
    const CODE: [u32; 3] = [0xd280_0540, 0xd280_0ba8, 0xd400_0001];
    let size = HEADERS + 4 * CODE.len() as u64;
    let mut file = MAGIC.to_vec();
    let word = |file: &mut Vec<u8>, value: u32| file.extend(value.to_le_bytes());
    word(&mut file, 1); // e_version
    for value in [BASE + HEADERS, 64, 0] {
        file.extend(value.to_le_bytes()); // e_entry, e_phoff, e_shoff
    }
    word(&mut file, 0); // e_flags
    for value in [64_u16, 56, 1, 0, 0, 0] {
        file.extend(value.to_le_bytes()); // e_ehsize, e_phentsize, e_phnum, e_shentsize, e_shnum, e_shstrndx
    }
    word(&mut file, 1); // PT_LOAD
    word(&mut file, 5); // PF_R | PF_X
    for value in [0, BASE, BASE, size, size, 0x1_0000] {
        file.extend(value.to_le_bytes()); // p_offset, p_vaddr, p_paddr, p_filesz, p_memsz, p_align
    }
    CODE.iter().for_each(|&instruction| word(&mut file, instruction));
    file
}

/// A directory that is removed at the end.
pub struct ScratchDir(PathBuf);

impl ScratchDir {
    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for ScratchDir {
    fn drop(&mut self) {
        // What stays behind is small, and /tmp is emptied some day.
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// A new directory where programs may be executed.
pub fn scratch_dir() -> Result<ScratchDir, String> {
    let bases = [
        std::env::temp_dir(),
        PathBuf::from("/tmp"),
        PathBuf::from("/var/tmp"),
        PathBuf::from("/dev/shm"),
        PathBuf::from("/run"),
        PathBuf::from("."),
    ];
    for base in bases {
        let noexec = nix::sys::statvfs::statvfs(&base)
            .is_ok_and(|info| info.flags().contains(nix::sys::statvfs::FsFlags::ST_NOEXEC));
        let Ok(base) = base.canonicalize() else { continue };
        let time = std::time::UNIX_EPOCH.elapsed().unwrap_or_default().as_nanos();
        let dir = base.join(format!("raemu-binfmt.{}.{time}", std::process::id()));
        // An existing directory, somebody else's trap, is refused.
        if !noexec && fs::DirBuilder::new().mode(0o755).create(&dir).is_ok() {
            return Ok(ScratchDir(dir));
        }
    }
    Err("no directory where a file can be written and executed (TMPDIR may name one)".to_owned())
}

/// How a run ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    Works,
    Fails(String),
    /// It could not be tried.
    Untried(String),
}

/// Runs the tiny program, in an empty chroot or as it is.
pub fn run(chroot: bool) -> Outcome {
    let made = scratch_dir().and_then(|dir| {
        let file = dir.path().join("probe");
        fs::write(&file, tiny_program())
            .and_then(|()| fs::set_permissions(&file, fs::Permissions::from_mode(0o755)))
            .map_err(|error| format!("{}: {}", file.display(), reason(&error)))?;
        Ok(dir)
    });
    match made {
        Ok(dir) => run_in(dir.path(), chroot),
        Err(why) => Outcome::Untried(why),
    }
}

fn run_in(dir: &Path, chroot: bool) -> Outcome {
    let Ok(root) = CString::new(dir.as_os_str().as_encoded_bytes()) else {
        return Outcome::Untried("a directory with a NUL".to_owned());
    };
    let mut command = Command::new("/probe");
    // Pipes, which need no /dev/null: a bare chroot has none.
    command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let child = move || {
        if chroot {
            enter(&root)?;
        } else {
            check(chdir(&root))?;
        }
        Err(execute(if chroot { c"/probe" } else { c"./probe" }))
    };
    // SAFETY: `child` makes system calls only.
    unsafe { command.pre_exec(child) };
    match command.spawn() {
        Ok(child) => wait(child),
        Err(error) if error.raw_os_error() == Some(NO_CHROOT) => {
            Outcome::Untried("neither chroot nor user namespaces are allowed here".to_owned())
        }
        Err(error) => Outcome::Fails(reason(&error)),
    }
}

fn wait(mut child: std::process::Child) -> Outcome {
    let start = Instant::now();
    let status = loop {
        match child.try_wait() {
            Ok(Some(status)) => break status,
            Ok(None) if start.elapsed() < LIMIT => std::thread::sleep(Duration::from_millis(1)),
            Ok(None) => {
                // It may end at this moment.
                let _ = child.kill();
                let _ = child.wait();
                return Outcome::Fails(format!("it did not end within {} seconds", LIMIT.as_secs()));
            }
            Err(error) => return Outcome::Fails(reason(&error)),
        }
    };
    if status.code() == Some(STATUS) {
        return Outcome::Works;
    }
    let mut said = String::new();
    if let Some(stderr) = child.stderr.take() {
        // What cannot be read is left out.
        let _ = stderr.take(300).read_to_string(&mut said);
    }
    let end = match (status.code(), status.signal()) {
        (Some(code), _) => format!("exit status {code} instead of {STATUS}"),
        (None, Some(signal)) => format!("killed by signal {signal}"),
        (None, None) => "no exit status".to_owned(),
    };
    match said.lines().next() {
        Some(line) => Outcome::Fails(format!("{end}: {line}")),
        None => Outcome::Fails(end),
    }
}

fn check(result: i32) -> io::Result<()> {
    if result == 0 {
        Ok(())
    } else {
        Err(io::Error::last_os_error())
    }
}

fn chdir(dir: &CStr) -> i32 {
    // SAFETY: a C string.
    unsafe { libc::chdir(dir.as_ptr()) }
}

fn chroot(dir: &CStr) -> i32 {
    // SAFETY: a C string.
    unsafe { libc::chroot(dir.as_ptr()) }
}

/// Makes `dir` the root directory; without privileges by a user namespace, which has the same entries.
fn enter(dir: &CStr) -> io::Result<()> {
    if chroot(dir) != 0 {
        // SAFETY: no memory is passed.
        let unshared = unsafe { libc::unshare(libc::CLONE_NEWUSER) };
        if unshared != 0 || chroot(dir) != 0 {
            return Err(io::Error::from_raw_os_error(NO_CHROOT));
        }
    }
    check(chdir(c"/"))
}

/// execve without execvp's second try by a shell; returns why it did not happen.
fn execute(path: &CStr) -> io::Error {
    let argv = [path.as_ptr(), std::ptr::null()];
    let envp = [std::ptr::null()];
    // SAFETY: C strings and arrays that end with null.
    unsafe { libc::execve(path.as_ptr(), argv.as_ptr(), envp.as_ptr()) };
    io::Error::last_os_error()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_program_is_an_arm64_one() {
        let file = tiny_program();
        assert_eq!(file.len(), 132);
        assert_eq!(file[..20], MAGIC);
        // The entry point is the first instruction's file offset above the base.
        assert_eq!(file[24..32], 0x40_0078_u64.to_le_bytes());
        assert_eq!(file[0x78..0x7c], 0xd280_0540_u32.to_le_bytes());
    }
}
