//! [`Case`]: instructions, and the state they start from.

use crate::arena::{self, CODE_BASE, CODE_ENTRY, CODE_SIZE, DATA_BASE, DATA_SIZE};
use crate::rng::Rng;
use crate::rows;
use a64_isa::Feature;
use guest::{CpuState, FpEnv};

/// NOP.
pub const NOP: u32 = 0xd503_201f;

/// What a random state must provide so that the instruction does something.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// Registers only.
    Plain,
    /// A load or store: Rn is an address.
    Memory,
    /// A store-exclusive: worth preceding with its load-exclusive.
    StoreExclusive,
    /// Compare-and-swap of one register, or of a pair.
    CompareSwap,
    CompareSwapPair,
    /// A cache instruction or DC ZVA: Rt is an address.
    CacheLine,
    /// A branch to Rn.
    BranchRegister,
    /// A stage of a memory copy or set: all three are run.
    Bulk,
}

impl Kind {
    /// From the encoding groups of Arm ARM C4.1.
    #[must_use]
    pub fn of(word: u32) -> Kind {
        let bit = |n: u32| word >> n & 1 != 0;
        if word & 0xfff8_0000 == 0xd508_0000 {
            Kind::CacheLine
        } else if word & 0xfe00_0000 == 0xd600_0000 {
            Kind::BranchRegister
        } else if word & 0x3b20_0c00 == 0x1900_0400 {
            Kind::Bulk
        } else if word & 0x3fa0_7c00 == 0x08a0_7c00 {
            Kind::CompareSwap
        } else if word & 0xbfa0_7c00 == 0x0820_7c00 {
            Kind::CompareSwapPair
        } else if word & 0x3fc0_0000 == 0x0800_0000 && (!bit(21) || bit(31)) {
            Kind::StoreExclusive
        } else if word & 0x0a00_0000 == 0x0800_0000 {
            Kind::Memory
        } else {
            Kind::Plain
        }
    }

    /// Whether memory may change.
    #[must_use]
    pub const fn writes_memory(self) -> bool {
        !matches!(self, Kind::Plain | Kind::BranchRegister)
    }
}

/// One test: reproducible from `word` and `seed`.
#[derive(Clone, Debug)]
pub struct Case {
    /// The instruction under test.
    pub word: u32,
    pub seed: u64,
    /// What runs: `word`, sometimes after a preparing instruction.
    pub words: Vec<u32>,
    pub state: CpuState,
    /// Whether memory is compared.
    pub checks_memory: bool,
}

/// Register number in the five bits from `lsb`.
const fn field(word: u32, lsb: u32) -> usize {
    (word >> lsb & 31) as usize
}

impl Case {
    #[must_use]
    pub fn new(word: u32, seed: u64) -> Case {
        let rng = &mut Rng::new(seed);
        let mut state = random_state(rng);
        suit_halves(&mut state, rng, word);
        let mut words = vec![word];
        let (rt, rn, rm) = (field(word, 0), field(word, 5), field(word, 16));
        match Kind::of(word) {
            Kind::Plain => {}
            Kind::Memory => point_to_data(&mut state, rng, rn, rm),
            Kind::StoreExclusive => {
                point_to_data(&mut state, rng, rn, rn);
                if !rng.one_in(4) {
                    words.insert(0, matching_load_exclusive(word));
                }
            }
            Kind::CompareSwap => {
                point_to_data(&mut state, rng, rn, rn);
                if rm != rn && rng.one_in(2) {
                    let bytes: [u8; 8] = arena::content_bytes(state.x[rn]);
                    state.set_reg(rm, u64::from_le_bytes(bytes));
                }
            }
            Kind::CompareSwapPair => {
                point_to_data(&mut state, rng, rn, rn);
                if rm != rn && rm + 1 != rn && rng.one_in(2) {
                    let half = if word >> 30 & 1 == 0 { 4 } else { 8 };
                    let bytes: [u8; 16] = arena::content_bytes(state.x[rn]);
                    let second: [u8; 8] = std::array::from_fn(|i| bytes[(half + i) & 15]);
                    state.set_reg(rm, u64::from_le_bytes(std::array::from_fn(|i| bytes[i])));
                    state.set_reg(rm + 1, u64::from_le_bytes(second));
                }
            }
            Kind::CacheLine => state.set_reg(rt, data_address(rng)),
            Kind::BranchRegister => state.set_reg(rn, branch_target(rng)),
            Kind::Bulk => {
                words = bulk_stages(word).to_vec();
                set_bulk_state(&mut state, rng, word);
            }
        }
        if rows::uses_keys(word) {
            // A source of its own: recorded cases of other rows keep their states.
            let rng = &mut Rng::new(!seed);
            random_keys(&mut state, rng);
            if let Some(signing) = matching_signature(word).filter(|_| !rng.one_in(4)) {
                words.insert(0, signing);
            }
        }
        Case {
            word,
            seed,
            words,
            state,
            checks_memory: Kind::of(word).writes_memory(),
        }
    }

    /// Where pc is when the instruction under test runs.
    #[must_use]
    pub fn pc(&self) -> u64 {
        CODE_ENTRY + 4 * (self.words.len() as u64 - 1)
    }

    /// Disassembly of what runs; NOPs are left out.
    #[must_use]
    pub fn text(&self) -> String {
        let lines = self.words.iter().zip((CODE_ENTRY..).step_by(4));
        let lines = lines.filter(|(word, _)| **word != NOP);
        let lines: Vec<String> = lines
            .map(|(word, pc)| format!("{pc:x}: {word:08x} {}", a64_isa::disassemble(*word, pc)))
            .collect();
        lines.join("\n")
    }
}

/// Numbers of 16 bits in most vector registers, and sometimes FZ16, for the instructions that
/// compute on them.
fn suit_halves(state: &mut CpuState, rng: &mut Rng, word: u32) {
    let Some(row) = a64_isa::row_of(word) else {
        return;
    };
    let brain = match row.feature {
        Feature::Fp16 | Feature::Fhm => false,
        Feature::Fcma if word >> 22 & 3 == 1 => false,
        Feature::Bf16 => true,
        _ => return,
    };
    for v in &mut state.v {
        if !rng.one_in(4) {
            *v = rng.halves(brain);
        }
    }
    if state.fp.fpcr != 0 && rng.one_in(3) {
        state.set_fpcr(state.fp.fpcr | FpEnv::FPCR_FZ16);
    }
}

/// Keys of pointer authentication, and sometimes a disabled one.
fn random_keys(state: &mut CpuState, rng: &mut Rng) {
    for key in &mut state.pac.keys {
        *key = [rng.next(), rng.next() | 1];
    }
    for mask in &mut state.pac.masks[..4] {
        if rng.one_in(8) {
            *mask = 0;
        }
    }
    state.random = rng.next() | 1;
}

/// What signs the pointer that the instruction checks.
fn matching_signature(word: u32) -> Option<u32> {
    let row = a64_isa::row_of(word)?;
    let (rn, rm) = (field(word, 5) as u32, field(word, 0) as u32);
    let key_b = word >> 10 & 1;
    let pac = |pointer: u32, modifier: u32| 0xdac1_0000 | key_b << 10 | modifier << 5 | pointer;
    let pac_zero = |pointer: u32| 0xdac1_23e0 | key_b << 10 | pointer;
    let before = match row.name {
        // AUT without the bit that makes it one.
        "aut" | "aut_zero" => word & !(1 << 12),
        "bra" | "blra" => pac(rn, rm),
        "bra_zero" | "blra_zero" => pac_zero(rn),
        // PACIASP or PACIBSP.
        "reta" => 0xd503_233f | key_b << 6,
        // PACDZA or PACDZB.
        "ldra" | "ldra_pre" => 0xdac1_2be0 | (word >> 23 & 1) << 10 | rn,
        "hint" if matches!(word >> 5 & 0x7f, 12 | 14 | 28..=31) => word & !(0x4 << 5),
        _ => return None,
    };
    Some(before)
}

/// Prologue, main and epilogue of the copy or set that has this stage.
pub(crate) fn bulk_stages(word: u32) -> [u32; 3] {
    let lsb = if word >> 22 & 3 == 3 { 14 } else { 22 };
    [0, 1, 2].map(|stage| word & !(3 << lsb) | stage << lsb)
}

/// Addresses and a size for a copy or set: sizes of all classes, ends that are not mapped, and
/// overlap where the instruction allows it.
fn set_bulk_state(state: &mut CpuState, rng: &mut Rng, word: u32) {
    let size = match rng.below(8) {
        0..=3 => rng.below(72),
        4 | 5 => rng.below(600),
        6 => rng.below(5000),
        _ => rng.below(20_000),
    };
    let to = data_address(rng) & !63 | rng.below(64);
    let may_overlap = word >> 26 & 1 != 0;
    let from = if may_overlap && rng.one_in(2) {
        to.wrapping_add(rng.below(400)).wrapping_sub(200)
    } else if to & 0xff_ffff < DATA_SIZE / 2 {
        to + DATA_SIZE / 2
    } else {
        to - DATA_SIZE / 2
    };
    let size = if may_overlap {
        size
    } else {
        size.min(DATA_SIZE / 2 - 1)
    };
    // SETG wants whole granules.
    let whole = may_overlap && word >> 22 & 3 == 3 && !rng.one_in(4);
    let (to, size) = if whole { (to & !15, size & !15) } else { (to, size) };
    state.set_reg(field(word, 0), to);
    if word >> 22 & 3 != 3 {
        state.set_reg(field(word, 16), from);
    }
    state.set_reg(field(word, 5), size);
}

/// The load-exclusive that marks what this store-exclusive wants.
fn matching_load_exclusive(word: u32) -> u32 {
    let used = [field(word, 0), field(word, 5), field(word, 10), field(word, 16)];
    // A pair needs two different destinations; one goes to the zero register.
    let other = (0..31)
        .find(|n| !used.contains(n))
        .expect("four of 31 are in use");
    let (rt, rt2) = if word >> 21 & 1 != 0 {
        (31, other as u32)
    } else {
        (31, 31)
    };
    let kept = word & !(31 << 16 | 31 << 10 | 31);
    kept | 1 << 22 | 31 << 16 | rt2 << 10 | rt
}

/// An address in the data: mostly aligned, sometimes not, sometimes at the edge.
pub(crate) fn data_address(rng: &mut Rng) -> u64 {
    let addr = DATA_BASE + 0x2000 + rng.below(0xc000);
    match rng.below(16) {
        0..=10 => addr & !63,
        11 | 12 => addr & !7,
        13 => addr,
        14 => (addr & !15) | rng.below(256) << 56,
        _ if rng.one_in(2) => DATA_BASE + DATA_SIZE - rng.below(40),
        _ => DATA_BASE + rng.below(40),
    }
}

/// A code address: mostly in the page of BRKs.
fn branch_target(rng: &mut Rng) -> u64 {
    match rng.below(8) {
        // Not where another player's program may be.
        0 => rng.integer() & !3 | 1 << 40,
        1 => (CODE_BASE + (rng.below(CODE_SIZE) & !3)) | rng.below(256) << 56,
        _ => CODE_BASE + (rng.below(CODE_SIZE) & !3),
    }
}

/// Makes `rn` an address and `rm` a small offset.
fn point_to_data(state: &mut CpuState, rng: &mut Rng, rn: usize, rm: usize) {
    if rm != 31 {
        let offset = rng.below(2048).wrapping_sub(512);
        // Wide offsets with rubbish above show whether W offsets are extended.
        state.x[rm] = if rng.one_in(3) {
            offset & 0xffff_ffff | rng.next() << 32
        } else {
            offset
        };
    }
    state.x[rn] = data_address(rng);
}

pub(crate) fn random_state(rng: &mut Rng) -> CpuState {
    let mut state = CpuState::new();
    state.pc = CODE_ENTRY;
    for x in &mut state.x {
        *x = rng.integer();
    }
    // Equal and nearly equal operands are rare otherwise.
    for _ in 0..4 {
        let (from, to) = (rng.below(31) as usize, rng.below(31) as usize);
        state.x[to] = state.x[from].wrapping_add(rng.below(3)).wrapping_sub(1);
    }
    state.set_sp(data_address(rng));
    for v in &mut state.v {
        *v = rng.vector();
    }
    for _ in 0..6 {
        let (from, to) = (rng.below(32) as usize, rng.below(32) as usize);
        state.v[to] = match rng.below(3) {
            0 => state.v[from],
            1 => state.v[from] ^ (1 << 63 | 1 << 127),
            _ => state.v[from] ^ u128::from(rng.below(4)),
        };
    }
    state.set_nzcv((rng.below(16) as u32) << 28);
    state.set_fpcr(random_fpcr(rng));
    let sticky = if rng.one_in(4) { rng.next() as u32 } else { 0 };
    state.set_fpsr(sticky & (FpEnv::FPSR_QC | 0x9f));
    state.tpidr_el0 = rng.next();
    state
}

pub(crate) fn random_fpcr(rng: &mut Rng) -> u32 {
    if rng.one_in(2) {
        return 0;
    }
    let mut fpcr = (rng.below(4) as u32) << FpEnv::FPCR_RMODE_SHIFT;
    for bit in [FpEnv::FPCR_FZ, FpEnv::FPCR_DN, FpEnv::FPCR_AHP] {
        if rng.one_in(3) {
            fpcr |= bit;
        }
    }
    fpcr
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds() {
        let cases = [
            (0x8b01_0000, Kind::Plain),           // add x0, x0, x1
            (0xf940_0020, Kind::Memory),          // ldr x0, [x1]
            (0x4c40_7020, Kind::Memory),          // ld1 {v0.16b}, [x1]
            (0x5800_0040, Kind::Memory),          // ldr x0, literal
            (0xc85f_7c20, Kind::Memory),          // ldxr x0, [x1]
            (0xc802_7c20, Kind::StoreExclusive),  // stxr w2, x0, [x1]
            (0xc822_0c20, Kind::StoreExclusive),  // stxp w2, x0, x3, [x1]
            (0xc89f_fc20, Kind::Memory),          // stlr x0, [x1]
            (0xc8a2_7c20, Kind::CompareSwap),     // cas x2, x0, [x1]
            (0x4822_7c20, Kind::CompareSwapPair), // casp x2, x3, x0, x1, [x1]
            (0x1901_0440, Kind::Bulk),            // cpyfp [x0]!, [x1]!, x2!
            (0xd50b_7420, Kind::CacheLine),       // dc zva, x0
            (0xd61f_0020, Kind::BranchRegister),  // br x1
        ];
        for (word, kind) in cases {
            assert_eq!(Kind::of(word), kind, "{word:#x}");
        }
    }

    #[test]
    fn cases_repeat() {
        let (a, b) = (Case::new(0xf940_0020, 7), Case::new(0xf940_0020, 7));
        assert_eq!(a.state.x, b.state.x);
        assert_eq!(a.state.v, b.state.v);
    }

    #[test]
    fn load_exclusive_of_a_store_exclusive() {
        assert_eq!(matching_load_exclusive(0xc802_7c20), 0xc85f_7c3f);
        // ldxp xzr, x4, [x1]
        assert_eq!(matching_load_exclusive(0xc822_0c20), 0xc87f_103f);
    }
}
