//! The initial stack: strings, argument and environment pointers, auxiliary vector, as
//! fs/binfmt_elf.c's `create_elf_tables` lays them out for arm64.
//!
//! From the top down: eight zero bytes, the program's file name, the environment's and
//! the arguments' strings (ascending and without gaps; programs that rewrite their title
//! count on it), the platform string, the random bytes, and the tables that SP points to.

use crate::error::LoadError;
use guest::GuestAddr;
use std::ops::Range;

pub const AT_NULL: u64 = 0;
pub const AT_PHDR: u64 = 3;
pub const AT_PHENT: u64 = 4;
pub const AT_PHNUM: u64 = 5;
pub const AT_PAGESZ: u64 = 6;
pub const AT_BASE: u64 = 7;
pub const AT_FLAGS: u64 = 8;
pub const AT_ENTRY: u64 = 9;
pub const AT_UID: u64 = 11;
pub const AT_EUID: u64 = 12;
pub const AT_GID: u64 = 13;
pub const AT_EGID: u64 = 14;
pub const AT_PLATFORM: u64 = 15;
pub const AT_HWCAP: u64 = 16;
pub const AT_CLKTCK: u64 = 17;
pub const AT_SECURE: u64 = 23;
pub const AT_RANDOM: u64 = 25;
pub const AT_HWCAP2: u64 = 26;
pub const AT_HWCAP3: u64 = 29;
pub const AT_EXECFN: u64 = 31;
pub const AT_SYSINFO_EHDR: u64 = 33;
pub const AT_MINSIGSTKSZ: u64 = 51;

/// What an auxiliary vector says of a key: pairs of words, the first with that key counts.
#[must_use]
pub fn auxv_value(auxv: &[u8], key: u64) -> Option<u64> {
    let word = |bytes: &[u8; 8]| u64::from_le_bytes(*bytes);
    let (words, _) = auxv.as_chunks();
    let (pairs, _) = words.as_chunks();
    let found = pairs.iter().find(|[known, _]| word(known) == key);
    found.map(|[_, value]| word(value))
}

/// The smallest signal stack of an arm64 CPU without SVE: struct rt_sigframe, a frame
/// record and 16 bytes of alignment (arch/arm64/kernel/signal.c, `minsigstksz_setup`).
pub const MINSIGSTKSZ: u64 = 4720;

/// USER_HZ of arm64.
pub const CLOCK_TICKS: u64 = 100;

const PLATFORM: &[u8] = b"aarch64\0";
const ALIGN: u64 = 16;

/// What goes onto the stack.
pub struct Contents<'a> {
    pub argv: &'a [Vec<u8>],
    pub envp: &'a [Vec<u8>],
    /// AT_EXECFN.
    pub file_name: &'a [u8],
    /// AT_RANDOM.
    pub random: [u8; 16],
    /// The entries of the auxiliary vector that hold no address of the stack.
    pub auxv: &'a [(u64, u64)],
}

impl Contents<'_> {
    /// A bound for the bytes of the image.
    #[must_use]
    pub fn size_at_most(&self) -> u64 {
        /// The entries that the loader adds, AT_RANDOM's bytes, AT_PLATFORM's name, and what alignment takes.
        const REST: usize = 1024;
        let strings = self.argv.iter().chain(self.envp);
        // Each with its NUL and its pointer.
        let strings: usize = strings.map(|string| string.len() + 9).sum();
        (strings + self.file_name.len() + self.auxv.len() * 16 + REST) as u64
    }
}

/// The bytes from the stack pointer to the stack's top.
#[derive(Debug)]
pub struct StackImage {
    pub sp: GuestAddr,
    pub bytes: Vec<u8>,
    /// The auxiliary vector with its end mark.
    pub auxv: Vec<u8>,
    pub arguments: Range<GuestAddr>,
    pub environment: Range<GuestAddr>,
}

/// Lays the stack out below `top`, in at most `room` bytes.
///
/// # Errors
/// [`LoadError::TooBig`].
pub fn build(top: GuestAddr, room: u64, contents: &Contents<'_>) -> Result<StackImage, LoadError> {
    let mut strings = Vec::new();
    let (argv, arguments_len) = append_all(&mut strings, contents.argv);
    let (envp, environment_end) = append_all(&mut strings, contents.envp);
    let file_name = append(&mut strings, contents.file_name);
    strings.extend_from_slice(&[0; 8]);
    // The tables are at most as many words as there are strings, and a fixed number more.
    let words = argv.len() + envp.len() + 2 * contents.auxv.len() + 16;
    let size = strings.len() as u64 + 8 * words as u64 + 64;
    if size > room {
        return Err(LoadError::TooBig);
    }
    let strings_at = top.0 - strings.len() as u64;
    let platform_at = (strings_at - PLATFORM.len() as u64) & !(ALIGN - 1);
    let random_at = platform_at - 16;

    let mut auxv = contents.auxv.to_vec();
    auxv.extend_from_slice(&[
        (AT_RANDOM, random_at),
        (AT_EXECFN, strings_at + file_name as u64),
        (AT_PLATFORM, platform_at),
        (AT_NULL, 0),
    ]);
    let auxv: Vec<u8> = auxv
        .iter()
        .flat_map(|&(key, value)| [key.to_le_bytes(), value.to_le_bytes()])
        .flatten()
        .collect();

    let mut tables = vec![argv.len() as u64];
    for list in [&argv, &envp] {
        tables.extend(list.iter().map(|&offset| strings_at + offset as u64));
        tables.push(0);
    }
    let tables_len = (tables.len() * 8 + auxv.len()) as u64;
    let sp = (random_at - tables_len) & !(ALIGN - 1);

    let mut bytes: Vec<u8> = tables.iter().flat_map(|word| word.to_le_bytes()).collect();
    bytes.extend_from_slice(&auxv);
    bytes.resize((random_at - sp) as usize, 0);
    bytes.extend_from_slice(&contents.random);
    bytes.extend_from_slice(PLATFORM);
    bytes.resize((strings_at - sp) as usize, 0);
    bytes.extend_from_slice(&strings);
    let at = |offset: usize| GuestAddr(strings_at + offset as u64);
    Ok(StackImage {
        sp: GuestAddr(sp),
        bytes,
        auxv,
        arguments: at(0)..at(arguments_len),
        environment: at(arguments_len)..at(environment_end),
    })
}

/// Appends each string with its NUL; their offsets, and the end.
fn append_all(strings: &mut Vec<u8>, list: &[Vec<u8>]) -> (Vec<usize>, usize) {
    let offsets = list.iter().map(|string| append(strings, string)).collect();
    (offsets, strings.len())
}

fn append(strings: &mut Vec<u8>, string: &[u8]) -> usize {
    let offset = strings.len();
    strings.extend_from_slice(string);
    strings.push(0);
    offset
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOP: u64 = 0x7000_0000_0000;

    fn word(image: &StackImage, index: usize) -> u64 {
        let bytes = image.bytes[index * 8..][..8].try_into();
        u64::from_le_bytes(bytes.expect("eight bytes"))
    }

    fn string(image: &StackImage, addr: u64) -> &[u8] {
        let rest = &image.bytes[(addr - image.sp.0) as usize..];
        rest.split(|&byte| byte == 0).next().unwrap_or(&[])
    }

    fn lists(count: usize) -> (Vec<Vec<u8>>, Vec<Vec<u8>>) {
        let list = |what: &str| (0..count).map(|i| format!("{what}{i}").into_bytes()).collect();
        (list("argument"), list("variable"))
    }

    #[test]
    fn tables_point_at_the_strings() {
        for count in 0..9 {
            let (argv, envp) = lists(count);
            let contents = Contents {
                argv: &argv,
                envp: &envp,
                file_name: b"/bin/true",
                random: *b"0123456789abcdef",
                auxv: &[(AT_PAGESZ, 4096)],
            };
            let image = build(GuestAddr(TOP), 1 << 20, &contents).expect("fits");
            assert!(image.bytes.len() as u64 <= contents.size_at_most());
            assert_eq!(image.sp.0 % 16, 0);
            assert_eq!(image.sp.0 + image.bytes.len() as u64, TOP);
            assert_eq!(word(&image, 0), count as u64);
            for i in 0..count {
                assert_eq!(string(&image, word(&image, 1 + i)), argv[i]);
                assert_eq!(string(&image, word(&image, 2 + count + i)), envp[i]);
            }
            assert_eq!(word(&image, 1 + count), 0);
            assert_eq!(word(&image, 2 + 2 * count), 0);
            let auxv = 3 + 2 * count;
            assert_eq!(&image.bytes[auxv * 8..][..image.auxv.len()], image.auxv);
            let keys = [AT_PAGESZ, AT_RANDOM, AT_EXECFN, AT_PLATFORM, AT_NULL];
            for (i, key) in keys.into_iter().enumerate() {
                assert_eq!(word(&image, auxv + 2 * i), key);
            }
            assert_eq!(string(&image, word(&image, auxv + 5)), b"/bin/true");
            assert_eq!(string(&image, word(&image, auxv + 7)), b"aarch64");
            let random = (word(&image, auxv + 3) - image.sp.0) as usize;
            assert_eq!(&image.bytes[random..][..16], b"0123456789abcdef");
            assert!(image.bytes.ends_with(b"/bin/true\0\0\0\0\0\0\0\0\0"));
        }
    }

    #[test]
    fn too_many_strings_are_refused() {
        let (argv, envp) = lists(100);
        let contents = Contents {
            argv: &argv,
            envp: &envp,
            file_name: b"",
            random: [0; 16],
            auxv: &[],
        };
        let error = build(GuestAddr(TOP), 2000, &contents).expect_err("does not fit");
        assert_eq!(error, LoadError::TooBig);
    }
}
