//! What the emulator asks of its own process: arguments, auxiliary vector, CPU, output.
//!
//! # Safety
//! All unsafe code of the command line is here: C strings from the kernel, and libc calls
//! with integers or pointers to locals.

use linux_abi::Errno;
use std::ffi::CStr;
use std::fs::File;
use std::os::fd::FromRawFd;

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
    // Descriptor 0 cannot be told from a missing entry, as for qemu.
    i32::try_from(auxv(AT_EXECFD)).ok().filter(|&fd| fd > 0)
}

/// Takes over [`exec_fd`]: closed before guest code runs.
pub fn exec_file() -> Option<File> {
    // SAFETY: the kernel opened it for this process, and nothing else here owns it; called once.
    exec_fd().map(|fd| unsafe { File::from_raw_fd(fd) })
}

/// The program's file, opened by the emulator that executed this one (execveat).
pub fn inherited_file(fd: i32) -> Option<File> {
    // SAFETY: asks for the descriptor's flags; any number is fine.
    let open = unsafe { libc::fcntl(fd, libc::F_GETFD) } >= 0;
    // SAFETY: it is open, handed over to this process alone, and taken once.
    open.then(|| unsafe { File::from_raw_fd(fd) })
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

/// Real and effective user, real and effective group.
pub fn ids() -> [u64; 4] {
    // SAFETY: these calls only return numbers.
    unsafe {
        [
            u64::from(libc::getuid()),
            u64::from(libc::geteuid()),
            u64::from(libc::getgid()),
            u64::from(libc::getegid()),
        ]
    }
}

/// The soft RLIMIT_STACK, if there is one.
pub fn stack_limit() -> Option<u64> {
    let mut limit = libc::rlimit {
        rlim_cur: libc::RLIM_INFINITY,
        rlim_max: libc::RLIM_INFINITY,
    };
    // SAFETY: `limit` is a valid place to write to.
    let done = unsafe { libc::getrlimit(libc::RLIMIT_STACK, &raw mut limit) };
    (done == 0 && limit.rlim_cur != libc::RLIM_INFINITY).then_some(limit.rlim_cur)
}

/// Whether the process asked for a layout that does not vary (setarch -R).
pub fn layout_is_fixed() -> bool {
    // SAFETY: an integer; this value only asks.
    let persona = unsafe { libc::personality(0xffff_ffff) };
    persona & libc::ADDR_NO_RANDOMIZE != 0
}

/// Fills `buf` with the kernel's random bytes.
pub fn random(buf: &mut [u8]) {
    // SAFETY: `buf` is valid for its length. With GRND_NONBLOCK and a small buffer it is
    // all or nothing; nothing (early boot) leaves zeros, which only makes a layout known.
    let _ = unsafe { libc::getrandom(buf.as_mut_ptr().cast(), buf.len(), libc::GRND_NONBLOCK) };
}

pub fn pid() -> u32 {
    std::process::id()
}

/// Writes everything, or what can be written: there is nobody to tell of a failure.
pub fn write_all(fd: i32, mut bytes: &[u8]) {
    while !bytes.is_empty() {
        // SAFETY: `bytes` is valid for its length.
        let n = unsafe { libc::write(fd, bytes.as_ptr().cast(), bytes.len()) };
        match usize::try_from(n) {
            Ok(0) => return,
            Ok(n) => bytes = &bytes[n..],
            Err(_) if std::io::Error::last_os_error().raw_os_error() == Some(libc::EINTR) => {}
            Err(_) => return,
        }
    }
}

/// The error number of a failed host operation.
pub fn errno(error: &std::io::Error) -> Errno {
    Errno(error.raw_os_error().unwrap_or(libc::EIO))
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
