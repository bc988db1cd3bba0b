//! NZCV at faults behind conditional branches: generated code, which leaves out flags that nothing reads, shows what
//! the interpreter shows.

use engine::Mode;
use insn_tests::arena::Arena;
use insn_tests::case::Case;
use insn_tests::local::EngineRunner;
use insn_tests::outcome;
use insn_tests::rng::Rng;
use insn_tests::sequence;

/// Sequences, each run from several states by the same translations, so that its branch goes both ways.
const SEQUENCES: u64 = 600;
const STATES: u64 = 8;

const NOP: u32 = 0xd503_201f;
/// The register that faulting accesses go by, and an address where nothing is.
const X20: u32 = 20;
const NOWHERE: u64 = 0x10;

fn choose(rng: &mut Rng, words: &[u32]) -> u32 {
    words[rng.below(words.len() as u64) as usize]
}

/// An instruction that sets all flags, of registers 0 to 7.
fn sets(rng: &mut Rng) -> u32 {
    let register = |rng: &mut Rng| rng.below(8) as u32;
    let (rd, rn, rm) = (register(rng), register(rng), register(rng));
    let fields = rm << 16 | rn << 5;
    match rng.below(4) {
        // adds, subs, ands, of 32 and 64 bits
        0 => {
            choose(
                rng,
                &[
                    0x2b00_0000,
                    0xab00_0000,
                    0x6b00_0000,
                    0xeb00_0000,
                    0x6a00_0000,
                    0xea00_0000,
                ],
            ) | fields
                | rd
        }
        // cmp, cmn, tst
        1 => choose(rng, &[0xeb00_001f, 0x2b00_001f, 0xea00_001f]) | fields,
        // subs and adds of an immediate
        2 => choose(rng, &[0x7100_0000, 0xb100_0000]) | rm << 10 | rn << 5 | rd,
        // fcmp of doubles and singles
        _ => choose(rng, &[0x1e60_2000, 0x1e20_2000]) | fields,
    }
}

/// A branch over one instruction, by the flags or a register.
fn branches(rng: &mut Rng) -> u32 {
    let rt = rng.below(8) as u32;
    match rng.below(3) {
        0 => 0x5400_0040 | rng.below(14) as u32,
        1 => choose(rng, &[0xb400_0040, 0x3500_0040]) | rt,
        _ => choose(rng, &[0x3600_0040, 0x3700_0040]) | (rng.below(32) as u32) << 19 | rt,
    }
}

/// What leaves the flags alone, of registers 0 to 7.
fn keeps(rng: &mut Rng) -> u32 {
    let (rd, rn, rm) = (rng.below(8) as u32, rng.below(8) as u32, rng.below(8) as u32);
    // add, mul, lsl, eor, sub
    choose(
        rng,
        &[0x8b00_0000, 0x9b00_7c00, 0x9ac0_2000, 0xca00_0000, 0x4b00_0000],
    ) | rm << 16
        | rn << 5
        | rd
}

/// An access by X20.
fn faults(rng: &mut Rng) -> u32 {
    // ldr, str, ldrb, ldp, ldr q, str d, ldxr, ldar, ldadd
    let words = [
        0xf940_0000,
        0xf900_0000,
        0x3940_0000,
        0xa940_0400,
        0x3dc0_0000,
        0xfd00_0000,
        0xc85f_7c00,
        0xc8df_fc00,
        0xf821_0000,
    ];
    choose(rng, &words) | X20 << 5
}

fn words(rng: &mut Rng) -> Vec<u32> {
    let mut words = vec![sets(rng)];
    for _ in 0..1 + rng.below(3) {
        if rng.one_in(2) {
            words.push(keeps(rng));
        }
        words.push(branches(rng));
        words.push(if rng.one_in(3) { sets(rng) } else { keeps(rng) });
    }
    words.push(keeps(rng));
    words.push(faults(rng));
    words.extend([sets(rng), NOP]);
    words
}

#[test]
fn faults_behind_branches_show_the_flags() {
    let arena = &mut *Arena::lock();
    let mut engine = EngineRunner::new(Mode::Jit);
    let mut faulted = 0;
    for seed in 0..SEQUENCES {
        let mut rng = Rng::for_case("faults behind branches", seed);
        let words = words(&mut rng);
        for _ in 0..STATES {
            let mut case = Case::new(NOP, rng.next());
            case.words.clone_from(&words);
            case.state.x[X20 as usize] = NOWHERE;
            case.state.fp = guest::FpEnv::default();
            faulted += u64::from(insn_tests::local::interpret(arena, &case).fault == Some(NOWHERE));
            let difference = sequence::differs(arena, &mut engine, &case);
            assert!(
                difference.is_none(),
                "{}",
                difference.map_or_else(String::new, |(expected, got)| {
                    outcome::explain(&case, ("interpreter", &expected), ("engine", &got))
                })
            );
        }
    }
    assert_eq!(faulted, SEQUENCES * STATES);
}
