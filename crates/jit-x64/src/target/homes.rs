//! Which guest register lives in which host register.
//!
//! The same assignment holds at every block boundary, so blocks link without moving
//! anything. R15 points into the CPU state, RSP is the return stack, the rest of the
//! host registers are temporaries within a block.

use crate::asm::{Gpr, Xmm};
use crate::ir::SP;
use crate::target::HostFeatures;
use guest::CpuState;
use std::mem::offset_of;

/// Guest registers with a host register of their own: the argument registers compilers
/// use first, the first callee-saved ones, and SP.
pub const PINNED_X: [(u8, Gpr); 10] = [
    (0, Gpr::RBX),
    (1, Gpr::RBP),
    (2, Gpr::R12),
    (3, Gpr::R13),
    (19, Gpr::R14),
    (20, Gpr::RDI),
    (4, Gpr::R8),
    (5, Gpr::R9),
    (21, Gpr::R10),
    (SP, Gpr::R11),
];

/// Guest vector registers with a host register of their own, on any host.
pub const PINNED_V: [(u8, Xmm); 11] = [
    (0, Xmm(0)),
    (1, Xmm(1)),
    (2, Xmm(2)),
    (3, Xmm(3)),
    (4, Xmm(4)),
    (5, Xmm(5)),
    (6, Xmm(6)),
    (7, Xmm(7)),
    (16, Xmm(8)),
    (17, Xmm(9)),
    (18, Xmm(10)),
];

/// Guest vector registers that have one of the host's upper sixteen, where it has them.
pub const HIGH_V: [(u8, Xmm); 16] = [
    (8, Xmm(16)),
    (9, Xmm(17)),
    (10, Xmm(18)),
    (19, Xmm(19)),
    (20, Xmm(20)),
    (21, Xmm(21)),
    (22, Xmm(22)),
    (23, Xmm(23)),
    (24, Xmm(24)),
    (25, Xmm(25)),
    (26, Xmm(26)),
    (27, Xmm(27)),
    (28, Xmm(28)),
    (29, Xmm(29)),
    (30, Xmm(30)),
    (31, Xmm(31)),
];

/// Temporaries.
pub const TEMPS_X: [Gpr; 4] = [Gpr::RCX, Gpr::RDX, Gpr::RSI, Gpr::RAX];
pub const TEMPS_V: [Xmm; 5] = [Xmm(11), Xmm(12), Xmm(13), Xmm(14), Xmm(15)];

const fn table_x() -> [Option<Gpr>; 32] {
    let mut table = [None; 32];
    let mut i = 0;
    while i < PINNED_X.len() {
        table[PINNED_X[i].0 as usize] = Some(PINNED_X[i].1);
        i += 1;
    }
    table
}

const fn table_v(pinned: &[(u8, Xmm)], mut table: [Option<Xmm>; 32]) -> [Option<Xmm>; 32] {
    let mut i = 0;
    while i < pinned.len() {
        table[pinned[i].0 as usize] = Some(pinned[i].1);
        i += 1;
    }
    table
}

static BY_GUEST_X: [Option<Gpr>; 32] = table_x();
static BY_GUEST_V: [Option<Xmm>; 32] = table_v(&PINNED_V, [None; 32]);
static BY_GUEST_V_WITH_HIGH: [Option<Xmm>; 32] = table_v(&HIGH_V, table_v(&PINNED_V, [None; 32]));

/// The host register of guest register `n` (31: SP).
#[must_use]
pub fn pinned_x(n: u8) -> Option<Gpr> {
    BY_GUEST_X[n as usize]
}

/// The host register of guest vector register `n`.
#[must_use]
pub fn pinned_v(n: u8) -> Option<Xmm> {
    if HostFeatures::get().avx512 {
        BY_GUEST_V_WITH_HIGH[n as usize]
    } else {
        BY_GUEST_V[n as usize]
    }
}

/// All guest vector registers with a host register.
pub fn all_pinned_v() -> impl Iterator<Item = (u8, Xmm)> {
    let high: &[(u8, Xmm)] = if HostFeatures::get().avx512 { &HIGH_V } else { &[] };
    PINNED_V.iter().chain(high).copied()
}

#[must_use]
pub fn is_pinned_x(n: u8) -> bool {
    pinned_x(n).is_some()
}

#[must_use]
pub fn is_pinned_v(n: u8) -> bool {
    pinned_v(n).is_some()
}

/// Offset of X0..X30 or SP (31) in the CPU state.
#[must_use]
pub const fn slot_x(n: u8) -> i32 {
    (offset_of!(CpuState, x) + n as usize * 8) as i32
}

/// Offset of V0..V31 in the CPU state.
#[must_use]
pub const fn slot_v(n: u8) -> i32 {
    (offset_of!(CpuState, v) + n as usize * 16) as i32
}

/// Offset of a spill slot in the CPU state.
#[must_use]
pub const fn slot_spill(n: u8) -> i32 {
    (offset_of!(CpuState, spill) + n as usize * 16) as i32
}
