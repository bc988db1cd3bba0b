//! What the emulator asks of its own process: arguments, auxiliary vector, CPU, output.
//!
//! # Safety
//! All unsafe code of the command line but `main` itself is here: C strings and descriptors from the kernel, and getauxval.

#[cfg(not(test))]
use linux_user::proc::record::HostArguments;
use nix::errno::Errno;
use nix::fcntl::{FcntlArg, fcntl};
use nix::unistd::write;
use std::ffi::CStr;
use std::fs::File;
use std::os::fd::{BorrowedFd, FromRawFd};

const AT_EXECFD: u64 = 2;
const AT_FLAGS: u64 = 8;
const AT_SECURE: u64 = 23;
const AT_EXECFN: u64 = 31;

/// The kernel kept argv[0] when it started the emulator for a binfmt_misc entry with the P flag.
pub const AT_FLAGS_PRESERVE_ARGV0: u64 = 1;

/// The strings of a vector as main gets it.
///
/// # Safety
/// `vector` must point to C strings, ended by a null pointer, that are never freed.
#[cfg(not(test))]
pub unsafe fn c_strings(vector: *const *const libc::c_char) -> Vec<Vec<u8>> {
    let mut strings = Vec::new();
    let mut at = vector;
    loop {
        // SAFETY: not past the null pointer, by the loop's condition.
        let string = unsafe { *at };
        if string.is_null() {
            return strings;
        }
        // SAFETY: the caller's promise.
        strings.push(unsafe { CStr::from_ptr(string) }.to_bytes().to_vec());
        // SAFETY: the null pointer was not reached, so there is another element.
        at = unsafe { at.add(1) };
    }
}

/// Where the arguments lie.
///
/// # Safety
/// As for [`c_strings`].
#[cfg(not(test))]
pub unsafe fn arguments(vector: *const *const libc::c_char) -> HostArguments {
    // SAFETY: the caller's promise.
    let lengths = unsafe { c_strings(vector) };
    // The kernel lays the strings out one behind the other.
    let len: usize = lengths.iter().map(|string| string.len() + 1).sum();
    // SAFETY: a vector has at least its null pointer.
    let start = unsafe { *vector }.addr() as u64;
    HostArguments {
        vector: vector.addr() as u64,
        strings: start..start + len as u64,
    }
}

fn auxv(key: u64) -> u64 {
    // SAFETY: getauxval takes any key.
    unsafe { libc::getauxval(key) }
}

/// AT_SECURE: a privileged start, whose environment must not be trusted.
pub fn is_secure() -> bool {
    auxv(AT_SECURE) != 0
}

pub fn auxv_flags() -> u64 {
    auxv(AT_FLAGS)
}

/// The program's file, opened by the kernel for a binfmt_misc entry with the O flag.
pub fn exec_fd() -> Option<i32> {
    // It is 0 where that was free. A missing entry reads as 0 too, and says so in errno (man 3 getauxval).
    nix::errno::Errno::clear();
    let fd = i32::try_from(auxv(AT_EXECFD)).ok()?;
    (nix::errno::Errno::last() != nix::errno::Errno::ENOENT).then_some(fd)
}

/// Takes over [`exec_fd`]: closed before guest code runs.
pub fn exec_file() -> Option<File> {
    // SAFETY: the kernel opened it for this process, and nothing else here owns it; called once.
    exec_fd().map(|fd| unsafe { File::from_raw_fd(fd) })
}

/// The program's file, opened by the emulator that executed this one (execveat).
pub fn inherited_file(fd: i32) -> Option<File> {
    fcntl(borrowed(fd)?, FcntlArg::F_GETFD).ok()?;
    // SAFETY: it is open, handed over to this process alone, and taken once.
    Some(unsafe { File::from_raw_fd(fd) })
}

/// Closes what was handed over to this process alone.
pub fn close(fd: i32) {
    drop(inherited_file(fd));
}

/// A descriptor by its number, open or not: for one call that answers EBADF where it is not.
fn borrowed(fd: i32) -> Option<BorrowedFd<'static>> {
    // SAFETY: only -1 is no descriptor's number; nobody keeps this one longer than one system call.
    (fd >= 0).then(|| unsafe { BorrowedFd::borrow_raw(fd) })
}

/// AT_EXECFN: the path given to execve.
pub fn exec_name() -> Vec<u8> {
    let at = auxv(AT_EXECFN) as *const libc::c_char;
    if at.is_null() {
        return Vec::new();
    }
    // SAFETY: the kernel put a C string on the first stack.
    unsafe { CStr::from_ptr(at) }.to_bytes().to_vec()
}

pub fn pid() -> u32 {
    std::process::id()
}

/// Writes everything, or what can be written: there is nobody to tell of a failure.
pub fn write_all(fd: i32, mut bytes: &[u8]) {
    let Some(fd) = borrowed(fd) else {
        return;
    };
    while !bytes.is_empty() {
        match write(fd, bytes) {
            Ok(0) => return,
            Ok(count) => bytes = &bytes[count..],
            Err(Errno::EINTR) => {}
            Err(_) => return,
        }
    }
}

/// What x86-64-v3 asks of the CPU.
///
/// # Errors
/// The first feature that is missing.
pub fn check_cpu() -> Result<(), &'static str> {
    macro_rules! need {
        ($($feature:tt)*) => {
            $(if !std::arch::is_x86_feature_detected!($feature) {
                return Err($feature);
            })*
        };
    }
    need!("sse3" "ssse3" "sse4.1" "sse4.2" "popcnt" "cmpxchg16b" "avx" "avx2" "bmi1" "bmi2" "f16c" "fma"
        "lzcnt" "movbe" "xsave");
    Ok(())
}
