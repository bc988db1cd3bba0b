//! What `-strace` must print of some calls, written from their man pages and arm64's headers, and from the notation
//! of docs/testing.md alone: nothing here comes from linux-user.
//!
//! Notation: integers in decimal, addresses in hexadecimal or NULL, flags by name with the unknown rest in
//! hexadecimal, strings whole, buffers cut after 32 bytes, vectors after 16 elements. What the call writes is
//! printed if it succeeded. What cannot be read prints as an address.

use std::cell::Cell;

/// Guest memory, as far as it is known; nothing is mapped for a while behind it.
pub struct Memory<'a> {
    pub base: u64,
    pub bytes: &'a [u8],
    /// Set when an address elsewhere was looked at: something may be there.
    pub doubtful: Cell<bool>,
}

/// No process has anything below (vm.mmap_min_addr).
const LOWEST: u64 = 0x1_0000;
const HOLE: u64 = 0x1000;

impl Memory<'_> {
    fn read(&self, addr: u64, len: u64) -> Option<&[u8]> {
        // System calls accept tags only once they are asked to (PR_SET_TAGGED_ADDR_CTRL).
        if len != 0 && addr >> 56 != 0 {
            return None;
        }
        let addr = if addr >> 55 & 1 == 0 {
            addr & (u64::MAX >> 8)
        } else {
            addr
        };
        if len == 0 {
            return (addr <= 1 << 47).then_some(&[]);
        }
        let known = self.base..self.base + self.bytes.len() as u64 + HOLE;
        if (LOWEST..1 << 47).contains(&addr) && !known.contains(&addr) {
            self.doubtful.set(true);
        }
        let start = usize::try_from(addr.checked_sub(self.base)?).ok()?;
        self.bytes
            .get(start..start.checked_add(usize::try_from(len).ok()?)?)
    }

    fn word(&self, addr: u64) -> Option<u64> {
        Some(u64::from_le_bytes(self.read(addr, 8)?.try_into().ok()?))
    }

    /// A string ends where its NUL is; one of 4096 bytes or more is none.
    fn string(&self, addr: u64) -> Option<Vec<u8>> {
        let mut string = Vec::new();
        while string.len() <= 4096 {
            match self.read(addr.wrapping_add(string.len() as u64), 1)?[0] {
                0 => return Some(string),
                byte => string.push(byte),
            }
        }
        None
    }
}

#[derive(Clone, Copy)]
enum Kind {
    Int,
    Unsigned,
    Long,
    Octal,
    Descriptor,
    Address,
    Path,
    /// Bytes the call reads, and bytes it writes: their length is the next argument.
    Input,
    Output,
    Vector,
    VectorOutput,
    /// struct timespec, read and written; two ints, written.
    Time,
    TimeOutput,
    Ints,
    OpenFlags,
    Signal,
    /// A word whose bits have names.
    Bits(&'static [(u64, &'static str)]),
    /// A word with one name.
    Value(&'static [(u64, &'static str)]),
}
use Kind::*;

/// man 2 mmap, mprotect.
const PROT: &[(u64, &str)] = &[
    (0, "PROT_NONE"),
    (1, "PROT_READ"),
    (2, "PROT_WRITE"),
    (4, "PROT_EXEC"),
    (8, "PROT_SEM"),
    (0x10, "PROT_BTI"),
    (0x20, "PROT_MTE"),
    (0x100_0000, "PROT_GROWSDOWN"),
    (0x200_0000, "PROT_GROWSUP"),
];
/// man 2 fstatat, linkat, statx.
const AT: &[(u64, &str)] = &[
    (0x100, "AT_SYMLINK_NOFOLLOW"),
    (0x200, "AT_EACCESS"),
    (0x400, "AT_SYMLINK_FOLLOW"),
    (0x800, "AT_NO_AUTOMOUNT"),
    (0x1000, "AT_EMPTY_PATH"),
    (0x2000, "AT_STATX_FORCE_SYNC"),
    (0x4000, "AT_STATX_DONT_SYNC"),
    (0x8000, "AT_RECURSIVE"),
];
/// man 2 access.
const ACCESS: &[(u64, &str)] = &[(0, "F_OK"), (1, "X_OK"), (2, "W_OK"), (4, "R_OK")];
/// man 2 renameat2.
const RENAME: &[(u64, &str)] = &[
    (1, "RENAME_NOREPLACE"),
    (2, "RENAME_EXCHANGE"),
    (4, "RENAME_WHITEOUT"),
];
/// man 2 getrandom.
const RANDOM: &[(u64, &str)] = &[(1, "GRND_NONBLOCK"), (2, "GRND_RANDOM"), (4, "GRND_INSECURE")];
/// man 2 msync.
const SYNC: &[(u64, &str)] = &[(1, "MS_ASYNC"), (2, "MS_INVALIDATE"), (4, "MS_SYNC")];
/// man 2 eventfd, epoll_create1: O_CLOEXEC and O_NONBLOCK.
const FD_FLAGS: &[(u64, &str)] = &[(0o2000000, "O_CLOEXEC"), (0o4000, "O_NONBLOCK")];
/// man 2 lseek.
const WHENCE: &[(u64, &str)] = &[
    (0, "SEEK_SET"),
    (1, "SEEK_CUR"),
    (2, "SEEK_END"),
    (3, "SEEK_DATA"),
    (4, "SEEK_HOLE"),
];

/// arch/arm64/include/uapi/asm/fcntl.h and asm-generic/fcntl.h; what contains another comes first.
const OPEN: &[(u64, &str)] = &[
    (0o100, "O_CREAT"),
    (0o200, "O_EXCL"),
    (0o400, "O_NOCTTY"),
    (0o1000, "O_TRUNC"),
    (0o2000, "O_APPEND"),
    (0o4000, "O_NONBLOCK"),
    (0o4010000, "O_SYNC"),
    (0o10000, "O_DSYNC"),
    (0o20000, "FASYNC"),
    (0o20040000, "O_TMPFILE"),
    (0o40000, "O_DIRECTORY"),
    (0o100000, "O_NOFOLLOW"),
    (0o200000, "O_DIRECT"),
    (0o400000, "O_LARGEFILE"),
    (0o1000000, "O_NOATIME"),
    (0o2000000, "O_CLOEXEC"),
    (0o10000000, "O_PATH"),
];

/// man 7 signal, in the order of their numbers.
const SIGNALS: &[&str] = &[
    "HUP", "INT", "QUIT", "ILL", "TRAP", "ABRT", "BUS", "FPE", "KILL", "USR1", "SEGV", "USR2", "PIPE",
    "ALRM", "TERM", "STKFLT", "CHLD", "CONT", "STOP", "TSTP", "TTIN", "TTOU", "URG", "XCPU", "XFSZ",
    "VTALRM", "PROF", "WINCH", "IO", "PWR", "SYS",
];

/// Number in asm-generic/unistd.h, name, arguments, and whether the result is an address.
const CALLS: &[(u64, &str, &[Kind], bool)] = &[
    (17, "getcwd", &[Output, Long], false),
    (19, "eventfd2", &[Unsigned, Bits(FD_FLAGS)], false),
    (20, "epoll_create1", &[Bits(FD_FLAGS)], false),
    (23, "dup", &[Descriptor], false),
    (34, "mkdirat", &[Descriptor, Path, Octal], false),
    (36, "symlinkat", &[Path, Descriptor, Path], false),
    (
        37,
        "linkat",
        &[Descriptor, Path, Descriptor, Path, Bits(AT)],
        false,
    ),
    (48, "faccessat", &[Descriptor, Path, Bits(ACCESS)], false),
    (49, "chdir", &[Path], false),
    (56, "openat", &[Descriptor, Path, OpenFlags, Octal], false),
    (57, "close", &[Descriptor], false),
    (59, "pipe2", &[Ints, OpenFlags], false),
    (62, "lseek", &[Descriptor, Long, Value(WHENCE)], false),
    (63, "read", &[Descriptor, Output, Long], false),
    (64, "write", &[Descriptor, Input, Long], false),
    (65, "readv", &[Descriptor, VectorOutput, Long], false),
    (66, "writev", &[Descriptor, Vector, Long], false),
    (67, "pread64", &[Descriptor, Output, Long, Long], false),
    (68, "pwrite64", &[Descriptor, Input, Long, Long], false),
    (78, "readlinkat", &[Descriptor, Path, Output, Long], false),
    (101, "nanosleep", &[Time, TimeOutput], false),
    (129, "kill", &[Int, Signal], false),
    (131, "tgkill", &[Int, Int, Signal], false),
    (161, "sethostname", &[Input, Long], false),
    (214, "brk", &[Address], true),
    (215, "munmap", &[Address, Long], false),
    (226, "mprotect", &[Address, Long, Bits(PROT)], false),
    (227, "msync", &[Address, Long, Bits(SYNC)], false),
    (
        276,
        "renameat2",
        &[Descriptor, Path, Descriptor, Path, Bits(RENAME)],
        false,
    ),
    (278, "getrandom", &[Output, Long, Bits(RANDOM)], false),
    (
        439,
        "faccessat2",
        &[Descriptor, Path, Bits(ACCESS), Bits(AT)],
        false,
    ),
];

/// The numbers of the calls that the model has.
#[allow(
    dead_code,
    reason = "the fuzz target takes any number; the test of the model takes these"
)]
pub fn numbers() -> Vec<u64> {
    CALLS.iter().map(|call| call.0).collect()
}

/// The text, for a call that the model has and memory that it knows.
pub fn expected(
    number: u64,
    registers: &[u64; 6],
    result: Result<u64, i32>,
    memory: &Memory<'_>,
) -> Option<String> {
    let &(_, name, kinds, in_hex) = CALLS.iter().find(|call| call.0 == number)?;
    let shown: Vec<String> = kinds
        .iter()
        .enumerate()
        .map(|(index, &kind)| argument(kind, registers, index, result, memory))
        .collect();
    let result = match result {
        Ok(value) if in_hex => format!("{value:#x}"),
        Ok(value) => format!("{}", value as i64),
        Err(errno) => format!("-1 errno={errno} ("),
    };
    (!memory.doubtful.get()).then(|| format!("{name}({}) = {result}", shown.join(", ")))
}

fn argument(
    kind: Kind,
    registers: &[u64; 6],
    index: usize,
    result: Result<u64, i32>,
    memory: &Memory<'_>,
) -> String {
    let value = registers[index];
    let length = registers.get(index + 1).copied().unwrap_or(0);
    match kind {
        Int => (value as i32).to_string(),
        Unsigned => (value as u32).to_string(),
        Long => (value as i64).to_string(),
        Octal => format!("0{:o}", value as u32),
        Descriptor if value as i32 == -100 => "AT_FDCWD".to_string(),
        Descriptor => (value as i32).to_string(),
        Address => pointer(value),
        Path if value == 0 => "NULL".to_string(),
        Path => memory
            .string(value)
            .map_or_else(|| pointer(value), |string| quoted(&string, false)),
        Input => buffer(value, length, memory),
        Output => match result {
            Ok(count) => buffer(value, count.min(length), memory),
            Err(_) => pointer(value),
        },
        Vector => vector(value, length, u64::MAX, memory),
        VectorOutput => match result {
            Ok(count) => vector(value, length, count, memory),
            Err(_) => pointer(value),
        },
        Time => time(value, memory),
        TimeOutput if result.is_err() => pointer(value),
        TimeOutput => time(value, memory),
        Ints => match (result, memory.word(value)) {
            (Ok(_), Some(word)) if value != 0 => format!("[{},{}]", word as i32, (word >> 32) as i32),
            _ => pointer(value),
        },
        OpenFlags => open_flags(value & 0xffff_ffff),
        Signal => usize::try_from(value as i32)
            .ok()
            .and_then(|number| SIGNALS.get(number.checked_sub(1)?))
            .map_or_else(|| (value as i32).to_string(), |name| format!("SIG{name}")),
        Bits(names) => bits(names, value & 0xffff_ffff),
        Value(names) => {
            let value = value & 0xffff_ffff;
            match names.iter().find(|name| name.0 == value) {
                Some(name) => name.1.to_string(),
                None if value == 0 => "0".to_string(),
                None => format!("{value:#x}"),
            }
        }
    }
}

fn pointer(value: u64) -> String {
    if value == 0 {
        "NULL".to_string()
    } else {
        format!("{value:#x}")
    }
}

fn quoted(bytes: &[u8], cut: bool) -> String {
    let escaped: String = bytes
        .iter()
        .map(|&byte| match byte {
            b'\n' => "\\n".to_string(),
            b'\t' => "\\t".to_string(),
            b'\r' => "\\r".to_string(),
            b'"' => "\\\"".to_string(),
            b'\\' => "\\\\".to_string(),
            b' '..=b'~' => char::from(byte).to_string(),
            _ => format!("\\x{byte:02x}"),
        })
        .collect();
    format!("\"{escaped}\"{}", if cut { "..." } else { "" })
}

fn buffer(addr: u64, length: u64, memory: &Memory<'_>) -> String {
    const SHOWN: u64 = 32;
    if addr == 0 {
        return "NULL".to_string();
    }
    let shown = length.min(SHOWN);
    memory
        .read(addr, shown)
        .map_or_else(|| pointer(addr), |bytes| quoted(bytes, shown != length))
}

fn vector(addr: u64, count: u64, mut filled: u64, memory: &Memory<'_>) -> String {
    const LONGEST: u64 = 1024;
    const SHOWN: u64 = 16;
    let count = if count > LONGEST { 0 } else { count.min(SHOWN) };
    let mut elements = Vec::new();
    for index in 0..count {
        let at = addr.wrapping_add(16 * index);
        if memory.read(at, 16).is_none() {
            break;
        }
        let (Some(base), Some(length)) = (memory.word(at), memory.word(at.wrapping_add(8))) else {
            break;
        };
        let shown = buffer(base, length.min(filled), memory);
        elements.push(format!("{{iov_base={shown},iov_len={}}}", length as i64));
        filled = filled.saturating_sub(length);
    }
    format!("[{}]", elements.join(","))
}

fn time(addr: u64, memory: &Memory<'_>) -> String {
    let both = memory.read(addr, 16).is_some();
    match (memory.word(addr), memory.word(addr.wrapping_add(8))) {
        (Some(seconds), Some(nanoseconds)) if both && addr != 0 => {
            format!("{{tv_sec={},tv_nsec={}}}", seconds as i64, nanoseconds as i64)
        }
        _ => pointer(addr),
    }
}

fn bits(names: &[(u64, &str)], value: u64) -> String {
    let mut parts: Vec<String> = names
        .iter()
        .filter(|&&(bit, _)| if bit == 0 { value == 0 } else { value & bit != 0 })
        .map(|&(_, name)| name.to_string())
        .collect();
    let known = names.iter().fold(0, |known, name| known | name.0);
    if value & !known != 0 {
        parts.push(format!("{:#x}", value & !known));
    }
    if parts.is_empty() {
        "0".to_string()
    } else {
        parts.join("|")
    }
}

fn open_flags(value: u64) -> String {
    let mut parts = vec![["O_RDONLY", "O_WRONLY", "O_RDWR", "O_ACCMODE"][(value & 3) as usize].to_string()];
    let mut rest = value & !3;
    for &(flag, name) in OPEN {
        if rest & flag == flag {
            parts.push(name.to_string());
            rest &= !flag;
        }
    }
    if rest != 0 {
        parts.push(format!("{rest:#x}"));
    }
    parts.join("|")
}
