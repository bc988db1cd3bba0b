//! The guest's vDSO: an AArch64 shared object of our own making with the functions that
//! Linux's has, each one a system call.
//!
//! C libraries look their symbols up by name and version (glibc: GNU hash and version
//! `LINUX_2.6.39`; older musl: the System V hash), unwinders know
//! `__kernel_rt_sigreturn` by its instructions.

use guest::PAGE_SIZE;

const SONAME: &str = "linux-vdso.so.1";
const VERSION: &str = "LINUX_2.6.39";

/// Symbols and the system calls they make.
const FUNCTIONS: [(&str, u64); 4] = [
    ("__kernel_clock_gettime", 113),
    ("__kernel_gettimeofday", 169),
    ("__kernel_clock_getres", 114),
    ("__kernel_rt_sigreturn", 139),
];

/// `nop`: the unwinder looks at the instruction before a signal handler's return address.
const NOP: u32 = 0xd503_201f;
/// `movz x8, #imm16`
const MOVZ_X8: u32 = 0xd280_0008;
/// `svc #0`
const SVC: u32 = 0xd400_0001;
/// `ret`
const RET: u32 = 0xd65f_03c0;
/// Four instructions a function.
const FUNCTION_SIZE: u64 = 16;

const EHDR_SIZE: usize = 64;
const PHDR_SIZE: usize = 56;
const SYM_SIZE: usize = 24;
/// VER_NDX_GLOBAL + 1: the first version a file defines.
const VERSION_INDEX: u16 = 2;

/// The vDSO as it stands in memory.
pub struct Vdso {
    pub bytes: Vec<u8>,
    /// Offset of `__kernel_rt_sigreturn`.
    pub sigreturn: u64,
}

/// Little-endian bytes with alignment.
#[derive(Default)]
struct Buffer(Vec<u8>);

impl Buffer {
    fn align(&mut self, to: usize) -> u64 {
        self.0.resize(self.0.len().next_multiple_of(to), 0);
        self.0.len() as u64
    }
    fn u16(&mut self, values: &[u16]) {
        self.0.extend(values.iter().flat_map(|value| value.to_le_bytes()));
    }
    fn u32(&mut self, values: &[u32]) {
        self.0.extend(values.iter().flat_map(|value| value.to_le_bytes()));
    }
    fn u64(&mut self, values: &[u64]) {
        self.0.extend(values.iter().flat_map(|value| value.to_le_bytes()));
    }
}

/// The string table and where its strings are.
struct Strings {
    bytes: Vec<u8>,
    soname: u32,
    version: u32,
    functions: [u32; FUNCTIONS.len()],
}

fn strings() -> Strings {
    let mut bytes = vec![0];
    let mut add = |string: &str| {
        let offset = bytes.len() as u32;
        bytes.extend_from_slice(string.as_bytes());
        bytes.push(0);
        offset
    };
    let (soname, version) = (add(SONAME), add(VERSION));
    let functions = FUNCTIONS.map(|(name, _)| add(name));
    Strings {
        bytes,
        soname,
        version,
        functions,
    }
}

/// Makes the image.
#[must_use]
pub fn build() -> Vdso {
    let strings = strings();
    let mut out = Buffer(vec![0; EHDR_SIZE + 2 * PHDR_SIZE]);
    let text = out.align(16);
    let sigreturn = emit_text(&mut out, text);
    let dynamic = emit_tables(&mut out, text, &strings);
    let size = out.align(8);
    debug_assert!(size <= PAGE_SIZE);
    let mut bytes = out.0;
    let headers = headers(size, dynamic);
    bytes[..headers.len()].copy_from_slice(&headers);
    Vdso { bytes, sigreturn }
}

/// Where the code of function `index` begins.
fn function_at(text: u64, index: usize) -> u64 {
    // One slot is left before each, for the NOP.
    text + FUNCTION_SIZE + 2 * FUNCTION_SIZE * index as u64
}

fn emit_text(out: &mut Buffer, text: u64) -> u64 {
    for (index, (_, number)) in FUNCTIONS.iter().enumerate() {
        out.u32(&[NOP; 4]);
        debug_assert_eq!(out.0.len() as u64, function_at(text, index));
        out.u32(&[MOVZ_X8 | (*number as u32) << 5, SVC, RET, NOP]);
    }
    function_at(text, FUNCTIONS.len() - 1)
}

/// Emits what the dynamic section speaks of, and that; gives its offset and size.
fn emit_tables(out: &mut Buffer, text: u64, strings: &Strings) -> (u64, u64) {
    let symbols = out.align(8);
    out.0.resize(out.0.len() + SYM_SIZE, 0);
    for (index, &name) in strings.functions.iter().enumerate() {
        out.u32(&[name]);
        // STB_GLOBAL, STT_FUNC; any section will do but SHN_UNDEF.
        out.0.extend_from_slice(&[0x12, 0]);
        out.u16(&[1]);
        out.u64(&[function_at(text, index), FUNCTION_SIZE]);
    }
    let strings_at = out.align(1);
    out.0.extend_from_slice(&strings.bytes);
    let hash = emit_hash(out);
    let gnu_hash = emit_gnu_hash(out);
    let versions = out.align(2);
    out.u16(&[0]);
    out.u16(&[VERSION_INDEX; FUNCTIONS.len()]);
    let definitions = emit_definitions(out, strings);
    let dynamic = out.align(8);
    let entries = [
        (14, u64::from(strings.soname)),  // DT_SONAME
        (4, hash),                        // DT_HASH
        (0x6fff_fef5, gnu_hash),          // DT_GNU_HASH
        (5, strings_at),                  // DT_STRTAB
        (6, symbols),                     // DT_SYMTAB
        (10, strings.bytes.len() as u64), // DT_STRSZ
        (11, SYM_SIZE as u64),            // DT_SYMENT
        (0x6fff_fff0, versions),          // DT_VERSYM
        (0x6fff_fffc, definitions),       // DT_VERDEF
        (0x6fff_fffd, 2),                 // DT_VERDEFNUM
        (0, 0),
    ];
    for (tag, value) in entries {
        out.u64(&[tag, value]);
    }
    (dynamic, 16 * entries.len() as u64)
}

/// DT_HASH with one bucket: a chain through all symbols.
fn emit_hash(out: &mut Buffer) -> u64 {
    let at = out.align(8);
    let count = FUNCTIONS.len() as u32;
    out.u32(&[1, count + 1, 1, 0]);
    for symbol in 1..=count {
        out.u32(&[if symbol == count { 0 } else { symbol + 1 }]);
    }
    at
}

/// DT_GNU_HASH with one bucket and one Bloom word.
fn emit_gnu_hash(out: &mut Buffer) -> u64 {
    const BLOOM_SHIFT: u32 = 6;
    let at = out.align(8);
    let hashes = FUNCTIONS.map(|(name, _)| gnu_hash(name));
    let bloom = hashes.iter().fold(0_u64, |word, &hash| {
        word | 1 << (hash % 64) | 1 << ((hash >> BLOOM_SHIFT) % 64)
    });
    out.u32(&[1, 1, 1, BLOOM_SHIFT]);
    out.u64(&[bloom]);
    out.u32(&[1]);
    for (index, hash) in hashes.iter().enumerate() {
        let last = u32::from(index + 1 == hashes.len());
        out.u32(&[hash & !1 | last]);
    }
    at
}

/// DT_VERDEF: the base definition (the file) and the one version.
fn emit_definitions(out: &mut Buffer, strings: &Strings) -> u64 {
    let at = out.align(8);
    // version 1, flags (VER_FLG_BASE), index, count; hash, auxiliary offset, next; name, next.
    let definitions = [
        (1, 1, SONAME, strings.soname, 28),
        (0, VERSION_INDEX, VERSION, strings.version, 0),
    ];
    for (flags, index, name, offset, next) in definitions {
        out.u16(&[1, flags, index, 1]);
        out.u32(&[sysv_hash(name), 20, next, offset, 0]);
    }
    at
}

fn headers(size: u64, dynamic: (u64, u64)) -> Vec<u8> {
    let mut out = Buffer(b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0".to_vec());
    // ET_DYN, EM_AARCH64.
    out.u16(&[3, 183]);
    out.u32(&[1]);
    out.u64(&[0, EHDR_SIZE as u64, 0]);
    out.u32(&[0]);
    out.u16(&[EHDR_SIZE as u16, PHDR_SIZE as u16, 2, 0, 0, 0]);
    // PT_LOAD, read and execute.
    out.u32(&[1, 5]);
    out.u64(&[0, 0, 0, size, size, PAGE_SIZE]);
    // PT_DYNAMIC, read.
    out.u32(&[2, 4]);
    let (at, len) = dynamic;
    out.u64(&[at, at, at, len, len, 8]);
    out.0
}

fn sysv_hash(name: &str) -> u32 {
    name.bytes().fold(0_u32, |hash, byte| {
        let hash = (hash << 4).wrapping_add(u32::from(byte));
        let high = hash & 0xf000_0000;
        (hash ^ high >> 24) & !high
    })
}

fn gnu_hash(name: &str) -> u32 {
    name.bytes().fold(5381_u32, |hash, byte| {
        hash.wrapping_mul(33).wrapping_add(u32::from(byte))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use goblin::elf::Elf;
    use linux_abi::nr::arm64;

    #[test]
    fn functions_make_the_calls_they_are_named_after() {
        let vdso = build();
        let elf = Elf::parse(&vdso.bytes).expect("a whole ELF file");
        assert_eq!(elf.soname, Some(SONAME));
        let symbols: Vec<_> = elf.dynsyms.iter().skip(1).collect();
        assert_eq!(symbols.len(), FUNCTIONS.len());
        for (symbol, (name, number)) in symbols.iter().zip(FUNCTIONS) {
            assert_eq!(elf.dynstrtab.get_at(symbol.st_name), Some(name));
            let call = name.trim_start_matches("__kernel_");
            assert!(arm64::all().any(|it| it == (number as u16, call)), "{name}");
            let at = symbol.st_value as usize;
            let words: Vec<u32> = vdso.bytes[at - 4..at + 12]
                .chunks(4)
                .map(|word| u32::from_le_bytes(word.try_into().expect("four bytes")))
                .collect();
            assert_eq!(words, [NOP, MOVZ_X8 | (number as u32) << 5, SVC, RET]);
        }
        assert_eq!(symbols[3].st_value, vdso.sigreturn);
    }

    /// The version's definition is found through the dynamic section, as ld.so does it.
    #[test]
    fn every_symbol_has_the_version() {
        let vdso = build();
        let elf = Elf::parse(&vdso.bytes).expect("a whole ELF file");
        let dynamic = elf.dynamic.as_ref().expect("PT_DYNAMIC");
        let value = |tag: u64| {
            let entry = dynamic.dyns.iter().find(|entry| entry.d_tag == tag);
            entry.expect("the tag").d_val as usize
        };
        let half = |at: usize| u16::from_le_bytes([vdso.bytes[at], vdso.bytes[at + 1]]);
        let word = |at: usize| u32::from(half(at)) | u32::from(half(at + 2)) << 16;
        for symbol in 1..=FUNCTIONS.len() {
            assert_eq!(half(value(0x6fff_fff0) + 2 * symbol), VERSION_INDEX);
        }
        let first = value(0x6fff_fffc);
        let second = first + word(first + 16) as usize;
        for (at, index, name) in [(first, 1, SONAME), (second, VERSION_INDEX, VERSION)] {
            assert_eq!(half(at + 4), index);
            assert_eq!(word(at + 8), sysv_hash(name));
            let name_at = at + word(at + 12) as usize;
            assert_eq!(elf.dynstrtab.get_at(word(name_at) as usize), Some(name));
        }
        assert_eq!(word(second + 16), 0);
    }

    /// The values of the gABI's and glibc's own examples.
    #[test]
    fn hashes_are_the_published_ones() {
        assert_eq!(sysv_hash("printf"), 0x077905a6);
        assert_eq!(gnu_hash("printf"), 0x156b2bb8);
    }
}
