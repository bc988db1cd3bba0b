//! Code for a host holds no instruction that the host lacks, whichever features it has.

mod host_code;

use a64_isa::random::STEP;
use a64_isa::{ROWS, sample};
use host_code::translate_for;
use iced_x86::{CpuidFeature, Decoder, DecoderOptions};
use jit_x64::target::{HostFeatures, Target};

/// Samples of each row for each host.
const SAMPLES: u64 = 4;

/// Hosts with each combination of the optional features.
fn hosts() -> impl Iterator<Item = HostFeatures> {
    (0..32).map(|bits| HostFeatures {
        aes: bits & 1 != 0,
        pclmul: bits & 2 != 0,
        sha: bits & 4 != 0,
        avx512: bits & 8 != 0,
        vaes: bits & 16 != 0,
    })
}

/// Whether a host executes instructions of this extension. (Those of x86-64-v3, by the psABI's list.)
fn has(host: HostFeatures, feature: CpuidFeature) -> bool {
    use CpuidFeature as F;
    match feature {
        F::AES => host.aes,
        F::PCLMULQDQ => host.pclmul,
        F::SHA => host.sha,
        F::AVX512F | F::AVX512VL | F::AVX512BW | F::AVX512DQ => host.avx512,
        F::VAES | F::VPCLMULQDQ => host.vaes,
        F::INTEL8086 | F::INTEL186 | F::INTEL386 | F::INTEL486 | F::X64 | F::CMOV | F::CMPXCHG16B => true,
        F::SSE | F::SSE2 | F::SSE3 | F::SSSE3 | F::SSE4_1 | F::SSE4_2 | F::POPCNT => true,
        F::AVX | F::AVX2 | F::BMI1 | F::BMI2 | F::FMA | F::F16C | F::LZCNT | F::MOVBE => true,
        _ => false,
    }
}

#[test]
fn code_uses_what_its_host_has() {
    // How many instructions each feature allowed.
    let mut optional = [0; 5];
    for host in hosts() {
        let target = Target::new(host);
        for row in ROWS {
            for random in 0..SAMPLES {
                let word = sample(row, random.wrapping_mul(STEP));
                let block = translate_for(&target, &[word], false, false);
                for instruction in Decoder::new(64, &block.code, DecoderOptions::NONE) {
                    let needed = instruction.cpuid_features();
                    let lacking = needed.iter().find(|&&feature| !has(host, feature));
                    assert!(
                        lacking.is_none(),
                        "{}: {word:08x} becomes {instruction:?}, which {host:?} lacks",
                        row.name
                    );
                    for (count, feature) in optional.iter_mut().zip([
                        CpuidFeature::AES,
                        CpuidFeature::PCLMULQDQ,
                        CpuidFeature::SHA,
                        CpuidFeature::AVX512VL,
                        CpuidFeature::VAES,
                    ]) {
                        *count += usize::from(needed.contains(&feature));
                    }
                }
            }
        }
    }
    assert!(
        optional.iter().all(|&count| count > 0),
        "each is used: {optional:?}"
    );
}
