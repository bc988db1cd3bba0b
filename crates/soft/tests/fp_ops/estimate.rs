//! The estimates: all entries of the tables, and exponents from denormal to overflow.
//!
//! Recorded from qemu-aarch64 7.2, which follows the tables of the Arm ARM.

use guest::FpEnv;
use semantics::ops::{Fp1, FpSize};

use crate::scalar;

/// FRECPE of 1.0 to 2.0: the upper 8 fraction bits of the result, by those of the operand.
const RECIP: [&str; 8] = [
    "fffdfbf9f7f5f3f1f0eeeceae8e6e5e3e1dfdddcdad8d7d5d3d2d0cecdcbc9c8",
    "c6c5c3c2c0bfbdbcbab9b7b6b4b3b1b0aeadacaaa9a7a6a5a3a2a19f9e9d9c9a",
    "99989695949391908f8e8d8b8a8988878684838281807f7e7c7b7a7978777675",
    "74737271706f6e6d6c6b6a696867666564636261605f5e5d5c5b5a5958585756",
    "555453525151504f4e4d4c4b4b4a4948474646454443424241403f3f3e3d3c3b",
    "3b3a39383837363535343333323130302f2e2e2d2c2c2b2a2a29282827262625",
    "24242322222120201f1e1e1d1d1c1b1b1a1a1918181717161515141413121211",
    "1110100f0f0e0d0d0c0c0b0b0a0a090908070706060505040403030202010100",
];

/// FRSQRTE of 1.0 to 2.0, by the upper 7 fraction bits.
const RSQRT_FROM_ONE: [&str; 4] = [
    "fffdfbf9f7f5f3f2f0eeeceae9e7e5e4e2e0dfdddbdad8d7d5d4d2d1cfcecccb",
    "c9c8c6c5c4c2c1c0bebdbcbab9b8b7b5b4b3b2b0afaeadacaaa9a8a7a6a5a4a3",
    "a2a09f9e9d9c9b9a999897969594939291908f8e8d8c8c8b8a89888786858483",
    "838281807f7e7e7d7c7b7a797978777676757473727271706f6f6e6d6d6c6b6a",
];

/// FRSQRTE of 0.5 to 1.0, by the upper 8 fraction bits.
const RSQRT_FROM_HALF: [&str; 8] = [
    "696968686767656564646363616160605f5f5d5d5c5c5b5b5a5a585857575656",
    "555554545252515150504f4f4e4e4d4d4c4c4b4b4a4a48484747464645454444",
    "43434242414140403f3f3e3e3d3d3c3c3c3c3b3b3a3a39393838373736363535",
    "3434333333333232313130302f2f2e2e2e2e2d2d2c2c2b2b2a2a2a2a29292828",
    "272726262626252524242323232322222121212120201f1f1e1e1e1e1d1d1c1c",
    "1c1c1b1b1a1a1a1a191918181818171716161616151514141414131313131212",
    "11111111101010100f0f0e0e0e0e0d0d0d0d0c0c0b0b0b0b0a0a0a0a09090909",
    "0808080807070606060605050505040404040303030302020202010101010000",
];

/// Operand, FRECPE, FRSQRTE, FRECPX.
const SINGLES: &[(u32, u32, u32, u32)] = &[
    (0x002aaaaa, 0x7f400000, 0x5f5e0000, 0x7f000000),
    (0x00aaaaaa, 0x7e400000, 0x5ede0000, 0x7f000000),
    (0x012aaaaa, 0x7dc00000, 0x5e9d0000, 0x7e800000),
    (0x01aaaaaa, 0x7d400000, 0x5e5e0000, 0x7e000000),
    (0x022aaaaa, 0x7cc00000, 0x5e1d0000, 0x7d800000),
    (0x02aaaaaa, 0x7c400000, 0x5dde0000, 0x7d000000),
    (0x102aaaaa, 0x6ec00000, 0x571d0000, 0x6f800000),
    (0x10aaaaaa, 0x6e400000, 0x56de0000, 0x6f000000),
    (0x202aaaaa, 0x5ec00000, 0x4f1d0000, 0x5f800000),
    (0x20aaaaaa, 0x5e400000, 0x4ede0000, 0x5f000000),
    (0x302aaaaa, 0x4ec00000, 0x471d0000, 0x4f800000),
    (0x30aaaaaa, 0x4e400000, 0x46de0000, 0x4f000000),
    (0x402aaaaa, 0x3ec00000, 0x3f1d0000, 0x3f800000),
    (0x40aaaaaa, 0x3e400000, 0x3ede0000, 0x3f000000),
    (0x502aaaaa, 0x2ec00000, 0x371d0000, 0x2f800000),
    (0x50aaaaaa, 0x2e400000, 0x36de0000, 0x2f000000),
    (0x602aaaaa, 0x1ec00000, 0x2f1d0000, 0x1f800000),
    (0x60aaaaaa, 0x1e400000, 0x2ede0000, 0x1f000000),
    (0x702aaaaa, 0x0ec00000, 0x271d0000, 0x0f800000),
    (0x70aaaaaa, 0x0e400000, 0x26de0000, 0x0f000000),
    (0x7caaaaaa, 0x02400000, 0x20de0000, 0x03000000),
    (0x7d2aaaaa, 0x01c00000, 0x209d0000, 0x02800000),
    (0x7daaaaaa, 0x01400000, 0x205e0000, 0x02000000),
    (0x7e2aaaaa, 0x00c00000, 0x201d0000, 0x01800000),
    (0x7eaaaaaa, 0x00600000, 0x1fde0000, 0x01000000),
    (0x7f2aaaaa, 0x00300000, 0x1f9d0000, 0x00800000),
    (0x7faaaaaa, 0x7feaaaaa, 0x7feaaaaa, 0x7feaaaaa),
    (0x00000001, 0x7f800000, 0x64b48000, 0x7f000000),
    (0x00000002, 0x7f800000, 0x647f8000, 0x7f000000),
    (0x00000005, 0x7f800000, 0x64218000, 0x7f000000),
    (0x0000000a, 0x7f800000, 0x63e48000, 0x7f000000),
    (0x00000014, 0x7f800000, 0x63a18000, 0x7f000000),
    (0x00000028, 0x7f800000, 0x63648000, 0x7f000000),
    (0x00000050, 0x7f800000, 0x63218000, 0x7f000000),
    (0x000000a0, 0x7f800000, 0x62e48000, 0x7f000000),
    (0x00000140, 0x7f800000, 0x62a18000, 0x7f000000),
    (0x00000280, 0x7f800000, 0x62648000, 0x7f000000),
    (0x00000500, 0x7f800000, 0x62218000, 0x7f000000),
    (0x00000a00, 0x7f800000, 0x61e48000, 0x7f000000),
    (0x00001400, 0x7f800000, 0x61a18000, 0x7f000000),
    (0x00002800, 0x7f800000, 0x61648000, 0x7f000000),
    (0x00005000, 0x7f800000, 0x61218000, 0x7f000000),
    (0x0000a000, 0x7f800000, 0x60e48000, 0x7f000000),
    (0x00014000, 0x7f800000, 0x60a18000, 0x7f000000),
    (0x00028000, 0x7f800000, 0x60648000, 0x7f000000),
    (0x00050000, 0x7f800000, 0x60218000, 0x7f000000),
    (0x000a0000, 0x7f800000, 0x5fe48000, 0x7f000000),
    (0x00140000, 0x7f800000, 0x5fa18000, 0x7f000000),
    (0x00280000, 0x7f4c8000, 0x5f648000, 0x7f000000),
    (0x00500000, 0x7ecc8000, 0x5f218000, 0x7f000000),
];

fn estimate(op: Fp1, size: FpSize, a: u64) -> u64 {
    soft::fp1(op, scalar(size), a.into(), &mut FpEnv::default()) as u64
}

#[test]
fn every_entry_in_every_format() {
    // Exponents of the operand relative to 1.0, and of its estimate.
    let tables: [(Fp1, &[&str], u32, i64, i64); 3] = [
        (Fp1::Recpe, &RECIP, 8, 0, -1),
        (Fp1::Rsqrte, &RSQRT_FROM_ONE, 7, 0, -1),
        (Fp1::Rsqrte, &RSQRT_FROM_HALF, 8, -1, 0),
    ];
    for (size, frac, one) in [
        (FpSize::H, 10, 15),
        (FpSize::S, 23, 127),
        (FpSize::D, 52, 1023i64),
    ] {
        for (op, table, index_bits, from_exp, to_exp) in tables {
            let hex = table.concat();
            assert_eq!(hex.len(), 2 << index_bits);
            for index in 0..1usize << index_bits {
                let want = u64::from_str_radix(&hex[2 * index..2 * index + 2], 16).unwrap();
                let operand = ((one + from_exp) as u64) << frac | (index as u64) << (frac - index_bits);
                let want = ((one + to_exp) as u64) << frac | want << (frac - 8);
                assert_eq!(estimate(op, size, operand), want, "{op:?} {size:?} {operand:#x}");
                // What lies below the index bits does not count.
                let below = operand | ((1 << (frac - index_bits)) - 1);
                assert_eq!(estimate(op, size, below), want, "{op:?} {size:?} {below:#x}");
            }
        }
    }
}

#[test]
fn every_exponent() {
    for &(a, recpe, rsqrte, recpx) in SINGLES {
        for (op, want) in [(Fp1::Recpe, recpe), (Fp1::Rsqrte, rsqrte), (Fp1::Recpx, recpx)] {
            let got = estimate(op, FpSize::S, a.into());
            assert_eq!(got, want.into(), "{op:?} {a:#x}: got {got:#x}, want {want:#x}");
        }
    }
}
