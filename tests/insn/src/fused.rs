//! Sequences of which the JIT makes other operations than those of their instructions, and
//! those that keep vectors in memory.

use crate::arena::Arena;
use crate::case::Case;
use crate::comparison::Comparison;
use crate::local::EngineRunner;

/// A name, and the words.
#[rustfmt::skip]
const SEQUENCES: &[(&str, &[u32])] = &[
    ("divisors of which the low word is zero or -1", &[
        0xd2c4_4206, // mov x6, #0x221000000000
        0x1ac6_0847, // udiv w7, w2, w6
        0x1ac6_0c48, // sdiv w8, w2, w6
        0x9ac6_0849, // udiv x9, x2, x6
        0x9ac6_0c4a, // sdiv x10, x2, x6
        0xb240_7fe6, // mov x6, #0xffffffff
        0x1ac6_0c4b, // sdiv w11, w2, w6
        0x9ac6_0c4c, // sdiv x12, x2, x6
        0x9280_0006, // mov x6, #0xffffffffffffffff
        0x1ac6_0c6d, // sdiv w13, w3, w6
        0x9ac6_0c6e, // sdiv x14, x3, x6
        0x9ac6_086f, // udiv x15, x3, x6
        0x1adf_0860, // udiv w0, w3, wzr
        0x9adf_0c61, // sdiv x1, x3, xzr
    ]),
    ("many values used for the last time from memory", &[0xd500_403f; 60]), // xaflag
    ("rounds of AES, keys before and behind", &[
        0x4e28_4820, // aese v0.16b, v1.16b
        0x4e28_6800, // aesmc v0.16b, v0.16b
        0x4e28_4a80, // aese v0.16b, v20.16b
        0x4e28_6800, // aesmc v0.16b, v0.16b
        0x4e28_4aa0, // aese v0.16b, v21.16b
        0x6e36_1c00, // eor v0.16b, v0.16b, v22.16b
    ]),
    ("rounds of AES backwards", &[
        0x4e28_5b25, // aesd v5.16b, v25.16b
        0x4e28_78a5, // aesimc v5.16b, v5.16b
        0x4e28_5b45, // aesd v5.16b, v26.16b
        0x4e28_78a6, // aesimc v6.16b, v5.16b
        0x6e26_1f47, // eor v7.16b, v26.16b, v6.16b
    ]),
    ("rounds used twice", &[
        0x4e28_4929, // aese v9.16b, v9.16b
        0x4e28_692a, // aesmc v10.16b, v9.16b
        0x6e2a_1d29, // eor v9.16b, v9.16b, v10.16b
        0x4e28_494b, // aese v11.16b, v10.16b
    ]),
    ("rotations by inserting", &[
        0x6f2c_0520, // ushr v0.4s, v9.4s, #20
        0x6f2c_5520, // sli v0.4s, v9.4s, #12
        0x6f7f_07c1, // ushr v1.2d, v30.2d, #1
        0x6f7f_57c1, // sli v1.2d, v30.2d, #63
    ]),
    ("rotations by the sum of shifts", &[
        0x4f27_5462, // shl v2.4s, v3.4s, #7
        0x6f27_0464, // ushr v4.4s, v3.4s, #25
        0x4ea4_1c42, // orr v2.16b, v2.16b, v4.16b
    ]),
    ("rotation by inserting to the right", &[
        0x4f28_55ac, // shl v12.4s, v13.4s, #8
        0x6f28_45ac, // sri v12.4s, v13.4s, #24
    ]),
    ("what is no rotation", &[
        0x6f2c_0525, // ushr v5.4s, v9.4s, #20
        0x6f2b_5525, // sli v5.4s, v9.4s, #11
        0x0f27_5466, // shl v6.2s, v3.2s, #7
        0x2f27_0467, // ushr v7.2s, v3.2s, #25
        0x4ea7_1cc6, // orr v6.16b, v6.16b, v7.16b
    ]),
    ("rotations of doublewords and by bytes", &[
        0x4f48_55ee, // shl v14.2d, v15.2d, #8
        0x6f48_05f0, // ushr v16.2d, v15.2d, #56
        0x6e30_1dce, // eor v14.16b, v14.16b, v16.16b
        0x4ef0_85cf, // add v15.2d, v14.2d, v16.2d
        0x4f30_5651, // shl v17.4s, v18.4s, #16
        0x6f30_0653, // ushr v19.4s, v18.4s, #16
        0x4eb1_8671, // add v17.4s, v19.4s, v17.4s
        0x4f18_5652, // shl v18.8h, v18.8h, #8
        0x6f18_0653, // ushr v19.8h, v18.8h, #8
        0x4eb3_1e52, // orr v18.16b, v18.16b, v19.16b
    ]),
    ("carry-less products of halves", &[
        0x4ee2_e020, // pmull2 v0.1q, v1.2d, v2.2d
        0x0ee2_e003, // pmull v3.1q, v0.1d, v2.1d
        0x6e14_4284, // ext v4.16b, v20.16b, v20.16b, #8
        0x4ee4_e285, // pmull2 v5.1q, v20.2d, v4.2d
        0x0ee5_e0a6, // pmull v6.1q, v5.1d, v5.1d
    ]),
    ("operands in memory", &[
        0x4ea9_8508, // add v8.4s, v8.4s, v9.4s
        0x6eac_856a, // sub v10.4s, v11.4s, v12.4s
        0x4e6d_1d8b, // bic v11.16b, v12.16b, v13.16b
        0x4e6e_1c0d, // bic v13.16b, v0.16b, v14.16b
        0x4eb3_35ee, // cmgt v14.4s, v15.4s, v19.4s
        0x4eb4_3413, // cmgt v19.4s, v0.4s, v20.4s
        0x0eb6_8415, // add v21.2s, v0.2s, v22.2s
        0x2e21_1ef6, // eor v22.8b, v23.8b, v1.8b
        0x4ef9_1f17, // orn v23.16b, v24.16b, v25.16b
        0x4e7a_6738, // smax v24.8h, v25.8h, v26.8h
        0x4e5b_3b59, // zip1 v25.8h, v26.8h, v27.8h
        0x4e5b_381a, // zip1 v26.8h, v0.8h, v27.8h
        0x4e5d_5b9b, // uzp2 v27.8h, v28.8h, v29.8h
    ]),
    ("rounds of SHA-1", &[
        0x4ea0_1c09, // mov v9.16b, v0.16b
        0x5e28_0814, // sha1h s20, s0
        0x5e15_0020, // sha1c q0, s1, v21.4s
        0x5e28_0813, // sha1h s19, s0
        0x5e16_0280, // sha1c q0, s20, v22.4s
        0x5e28_0814, // sha1h s20, s0
        0x5e17_1260, // sha1p q0, s19, v23.4s
        0x5e28_0813, // sha1h s19, s0
        0x5e18_2280, // sha1m q0, s20, v24.4s
        0x4eb3_8421, // add v1.4s, v1.4s, v19.4s
        0x4ea9_8400, // add v0.4s, v0.4s, v9.4s
    ]),
    ("rounds of SHA-256", &[
        0x4ea0_1c02, // mov v2.16b, v0.16b
        0x5e10_4020, // sha256h q0, q1, v16.4s
        0x5e10_5041, // sha256h2 q1, q2, v16.4s
        0x4ea0_1c02, // mov v2.16b, v0.16b
        0x5e11_4020, // sha256h q0, q1, v17.4s
        0x5e11_5041, // sha256h2 q1, q2, v17.4s
        0x5e28_28a4, // sha256su0 v4.4s, v5.4s
        0x4ea0_1c02, // mov v2.16b, v0.16b
        0x5e04_4020, // sha256h q0, q1, v4.4s
        0x5e04_5041, // sha256h2 q1, q2, v4.4s
        0x5e07_60c4, // sha256su1 v4.4s, v6.4s, v7.4s
        0x5e00_4359, // sha256h q25, q26, v0.4s
        0x5e00_539b, // sha256h2 q27, q28, v0.4s
        0x5e00_533a, // sha256h2 q26, q25, v0.4s
    ]),
];

/// States for each sequence.
const STATES: u64 = 500;

/// Runs all of them from random states on the engine.
///
/// # Panics
/// If one differs.
pub fn compare(arena: &mut Arena, engine: &mut EngineRunner) {
    for (name, words) in SEQUENCES {
        println!("{name}");
        let mut comparison = Comparison::default();
        for seed in 0..STATES {
            let mut case = Case::new(words[0], seed);
            case.words = words.to_vec();
            comparison.run(arena, engine, &case);
        }
        comparison.finish();
    }
}
