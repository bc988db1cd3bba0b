//! Code has no place until it is installed: the same at any address but for its relocations.

mod host_code;

use a64_isa::random::STEP;
use a64_isa::{ROWS, sample};
use host_code::{Block, GUEST_PC, stubs, translate_at};
use iced_x86::{Code, Decoder, DecoderOptions, FlowControl, OpKind, Register};
use jit_x64::code::{OutOfReach, PHASES, RelocKind};
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
                RelocKind::Guest(..) => continue,
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
                    let block = translate_at(&target, &[word], true, false, (GUEST_PC, phase));
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
        let block = translate_at(&target, &words, true, false, (GUEST_PC, phase));
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
        (GUEST_PC, 16),
    );
    let mut place = vec![0; block.movable.bytes.len()];
    block.movable.write_to(&mut place, 0x1000, &stubs(), 0);
}

/// Guest addresses at the same place in a page: a static program's, a position-independent one's.
const LOW: [u64; 2] = [GUEST_PC, 0x1234_5000 + GUEST_PC % 0x1000];
const HIGH: [u64; 2] = [0x5555_5600_0000, 0x7fff_1234_5000];

/// Moves the code of some words from one guest address to another; says how many addresses are in it.
fn move_between(name: &str, target: &Target, words: &[u32], [from, to]: [u64; 2]) -> usize {
    let at = |pc| translate_at(target, words, true, false, (pc, 16)).movable;
    let (mut moved, there) = (at(from), at(to));
    let sizes = |code: &jit_x64::code::Code| {
        let fields = code.relocs.iter().filter_map(|reloc| match reloc.kind {
            RelocKind::Guest(field, _) => Some(field),
            RelocKind::Stub(_) | RelocKind::Site(_) => None,
        });
        fields.collect::<Vec<_>>()
    };
    if sizes(&moved) != sizes(&there) {
        // Only near 2^31 and 2^32, and below zero.
        assert!(from < 1 << 32, "{name}");
        return 0;
    }
    assert_eq!(moved.move_to_guest(to), Ok(()), "{name}");
    assert_eq!(moved.bytes, there.bytes, "{name}: {words:08x?}");
    assert_eq!(moved.relocs, there.relocs, "{name}");
    assert_eq!(moved.sites, there.sites, "{name}");
    assert_eq!(moved.map, there.map, "{name}");
    assert_eq!(moved.pc, to);
    sizes(&there).len()
}

#[test]
fn code_moves_with_the_guests() {
    for features in [HostFeatures::BASELINE, HostFeatures::ALL] {
        let target = Target::new(features);
        let mut addresses = [0; 2];
        for row in ROWS {
            for random in 0..SAMPLES {
                let word = sample(row, random.wrapping_mul(STEP));
                for (count, between) in addresses.iter_mut().zip([LOW, HIGH]) {
                    *count += move_between(row.name, &target, &[word], between);
                }
            }
        }
        assert!(addresses.iter().all(|&count| count > 1000), "{addresses:?}");
    }
}

#[test]
fn addresses_that_were_folded_move_too() {
    let target = Target::new(HostFeatures::REFERENCE);
    // adrp x0; add x0, x0, #0x123; ldr x1, [x0, #8]; ldr x2, [x0, x3, lsl #3]; str x0, [sp]; adr x4, .+16;
    // sub x5, x4, x0; cmp x4, x0; str w4, [x0]; ldr x6, .+32; bl .+0x400
    let words = [
        0xb000_0020,
        0x9104_8c00,
        0xf940_0401,
        0xf863_7802,
        0xf900_03e0,
        0x1000_0084,
        0xcb00_0085,
        0xeb00_009f,
        0xb900_0004,
        0x5800_0106,
        0x9400_0100,
    ];
    for between in [LOW, HIGH] {
        assert!(move_between("folded", &target, &words, between) >= 6);
    }
}

#[test]
fn short_addresses_do_not_move_far() {
    let target = Target::new(HostFeatures::REFERENCE);
    // adr x0, .; svc #0
    let mut code = translate_at(&target, &[0x1000_0000, 0xd400_0001], true, false, (LOW[0], 0)).movable;
    let before = code.clone();
    assert_eq!(code.move_to_guest(HIGH[0]), Err(OutOfReach));
    assert_eq!((code.bytes, code.pc), (before.bytes, before.pc));
}
