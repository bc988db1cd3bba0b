//! Code has no place until it is installed: the same at any address but for its relocations.

mod host_code;

use a64_isa::random::STEP;
use a64_isa::{ROWS, sample};
use host_code::{Block, stubs, translate_at};
use iced_x86::{Code, Decoder, DecoderOptions, FlowControl, OpKind, Register};
use jit_x64::code::{PHASES, RelocKind};
use jit_x64::target::{HostFeatures, Target};

/// Samples of each row, for each host and phase.
const SAMPLES: u64 = 4;

/// The code at two places, with its sites numbered differently.
const PLACES: [(u64, u32); 2] = [(0x20_0000, 0), (0x4321_0000, 0x89ab_cdef)];

/// The four bytes at an offset.
fn field(code: &[u8], at: u32) -> u32 {
    let at = at as usize;
    u32::from_le_bytes(code[at..at + 4].try_into().expect("four bytes"))
}

/// Looks at one block; says how many relocations it has.
fn look_at(name: &str, block: &Block, phase: u32) -> usize {
    let code = &block.movable;
    let stubs = stubs();
    let mut unrelocated = Vec::new();
    for (base, first_site) in PLACES {
        let base = base + u64::from(phase);
        let mut placed = vec![0; code.bytes.len()];
        code.write_to(&mut placed, base, &stubs, first_site);
        branches_are_known(name, block, &placed, base);
        for reloc in &code.relocs {
            let value = field(&placed, reloc.at);
            match reloc.kind {
                RelocKind::Stub(stub) => {
                    let behind = base + u64::from(reloc.at) + 4;
                    let goes_to = behind.wrapping_add_signed(i64::from(value as i32));
                    assert_eq!(goes_to, stubs.address(stub), "{name}: {reloc:?}");
                }
                RelocKind::Site(n) => assert_eq!(value, first_site + n, "{name}: {reloc:?}"),
            }
            placed[reloc.at as usize..][..4].fill(0);
        }
        unrelocated.push(placed);
    }
    assert!(unrelocated[0] == unrelocated[1], "{name}: {code:?}");
    for (n, site) in code.sites.iter().enumerate() {
        assert!(
            (phase + site.field) % PHASES <= PHASES - 4,
            "{name}: {site:?} is in two cache lines"
        );
        // mov edx, number
        let loads_number = Decoder::new(64, &code.bytes[site.stub as usize..], DecoderOptions::NONE).decode();
        assert_eq!(
            (loads_number.code(), loads_number.op0_register()),
            (Code::Mov_r32_imm32, Register::EDX)
        );
        let at = site.stub + loads_number.len() as u32 - 4;
        let reloc = code.relocs.iter().find(|reloc| reloc.at == at);
        assert_eq!(
            reloc.map(|reloc| reloc.kind),
            Some(RelocKind::Site(n as u32)),
            "{name}"
        );
    }
    code.relocs.len()
}

/// No branch leaves the block but by a relocation, and nothing else is relative to its place.
fn branches_are_known(name: &str, block: &Block, placed: &[u8], base: u64) {
    let inside = base..base + placed.len() as u64;
    for instruction in Decoder::with_ip(64, placed, base, DecoderOptions::NONE) {
        assert!(!instruction.is_ip_rel_memory_operand(), "{name}: {instruction:?}");
        let is_near = instruction.op_kinds().any(|kind| kind == OpKind::NearBranch64);
        if !is_near || inside.contains(&instruction.near_branch64()) {
            continue;
        }
        assert_ne!(
            instruction.flow_control(),
            FlowControl::ConditionalBranch,
            "{name}"
        );
        let at = (instruction.next_ip() - 4 - base) as u32;
        let reloc = block.movable.relocs.iter().find(|reloc| reloc.at == at);
        assert!(
            matches!(reloc.map(|reloc| reloc.kind), Some(RelocKind::Stub(_))),
            "{name}: {instruction:?} leaves the block"
        );
    }
}

#[test]
fn code_is_the_same_at_any_place() {
    let mut relocs = 0;
    for features in [HostFeatures::BASELINE, HostFeatures::ALL] {
        let target = Target::new(features);
        for row in ROWS {
            for random in 0..SAMPLES {
                let word = sample(row, random.wrapping_mul(STEP));
                for phase in (0..PHASES).step_by(16) {
                    let block = translate_at(&target, &[word], true, false, phase);
                    relocs += look_at(row.name, &block, phase);
                }
            }
        }
    }
    assert!(relocs > 0);
}

#[test]
fn blocks_of_several_instructions_are_the_same_at_any_place() {
    // cmp x0, x1; b.ne; add; cbz x2; bl, where flags are wanted.
    let words = [0xeb01_001f, 0x5400_0201, 0x8b02_0020, 0xb400_0182, 0x9400_0100];
    let target = Target::new(HostFeatures::REFERENCE);
    for phase in (0..PHASES).step_by(16) {
        let block = translate_at(&target, &words, true, false, phase);
        look_at("several", &block, phase);
        assert_eq!(
            block.movable.sites.len(),
            4,
            "two side exits, the call, and where it returns to"
        );
    }
}

#[test]
#[should_panic(expected = "a place of the code's phase")]
fn code_goes_to_no_other_phase() {
    let block = translate_at(
        &Target::new(HostFeatures::BASELINE),
        &[0xd503_201f],
        false,
        false,
        16,
    );
    let mut place = vec![0; block.movable.bytes.len()];
    block.movable.write_to(&mut place, 0x1000, &stubs(), 0);
}
