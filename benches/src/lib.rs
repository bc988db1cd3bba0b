//! What the benchmarks of `benches/parts` share: guest code to work on.

#![forbid(unsafe_code)]

use goblin::elf::Elf;
use guest::GuestAddr;
use std::path::Path;

/// Where Debian's cross libc (package libc6-arm64-cross) has real arm64 code.
const LIBC: &str = "/usr/aarch64-linux-gnu/lib/libc.so.6";

/// Words behind the code, so that the last block ends within it.
const PADDING: usize = 128;
const RET: u32 = 0xd65f_03c0;

/// AArch64 code in this process's memory, which is as good as guest memory.
pub struct GuestCode {
    /// Where it comes from, for the report.
    pub source: &'static str,
    pub words: Vec<u32>,
    /// Where functions begin, as indices of `words`, ascending.
    pub functions: Vec<usize>,
}

impl GuestCode {
    /// The cross libc's code, or sampled instructions where it is not installed.
    #[must_use]
    pub fn load() -> GuestCode {
        let bytes = std::fs::read(Path::new(LIBC)).unwrap_or_default();
        let mut code = from_elf(&bytes).unwrap_or_else(sampled);
        code.words.extend([RET; PADDING]);
        code
    }

    /// Code given by words; one function.
    #[must_use]
    pub fn from_words(words: &[u32]) -> GuestCode {
        let mut words = words.to_vec();
        words.extend([RET; PADDING]);
        GuestCode {
            source: "given",
            words,
            functions: vec![0],
        }
    }

    /// Number of instructions, padding aside.
    #[must_use]
    pub fn len(&self) -> usize {
        self.words.len() - PADDING
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Guest address of a word.
    #[must_use]
    pub fn address(&self, index: usize) -> GuestAddr {
        GuestAddr(self.words.as_ptr() as u64 + 4 * index as u64)
    }

    /// First word and end of each of the first `count` functions.
    pub fn function_ranges(&self, count: usize) -> impl Iterator<Item = (usize, usize)> {
        let ends = self.functions.iter().skip(1).copied().chain([self.len()]);
        self.functions.iter().copied().zip(ends).take(count)
    }
}

/// `.text` and the functions the dynamic symbols name.
fn from_elf(bytes: &[u8]) -> Option<GuestCode> {
    let elf = Elf::parse(bytes).ok()?;
    let text = elf
        .section_headers
        .iter()
        .find(|section| elf.shdr_strtab.get_at(section.sh_name) == Some(".text"))?;
    let words: Vec<u32> = bytes
        .get(text.file_range()?)?
        .chunks_exact(4)
        .map(|word| u32::from_le_bytes([word[0], word[1], word[2], word[3]]))
        .collect();
    let mut functions: Vec<usize> = elf
        .dynsyms
        .iter()
        .filter(|symbol| symbol.is_function())
        .filter_map(|symbol| symbol.st_value.checked_sub(text.sh_addr))
        .map(|offset| offset as usize / 4)
        .filter(|&index| index < words.len())
        .collect();
    functions.sort_unstable();
    functions.dedup();
    (!functions.is_empty()).then_some(GuestCode {
        source: LIBC,
        words,
        functions,
    })
}

/// Ten instructions of each row, mixed by a fixed generator.
fn sampled() -> GuestCode {
    let mut random = 1u64;
    let mut next = || {
        random = random
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        random ^ random >> 29
    };
    let count = 10 * a64_isa::ROWS.len();
    let words = (0..count)
        .map(|_| {
            let row = &a64_isa::ROWS[next() as usize % a64_isa::ROWS.len()];
            a64_isa::sample(row, next())
        })
        .collect();
    GuestCode {
        source: "sampled rows",
        words,
        functions: (0..count).step_by(32).collect(),
    }
}

/// All memory may be executed.
pub struct Everywhere;

impl engine::AddressSpace for Everywhere {
    fn is_executable(&self, _addr: GuestAddr) -> bool {
        true
    }
}
