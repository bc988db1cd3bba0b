//! Which guest register lives in which host register.
//!
//! The same assignment ([`Homes::of_blocks`]) holds at every block boundary, so blocks link without
//! moving anything. R15 points into the CPU state, RSP is the return stack, the rest of the
//! host registers are temporaries within a block.

use crate::asm::{Gpr, Xmm};
use crate::host_offset;
use crate::ir::SP;
use crate::target::HostFeatures;
use guest::CpuState;
use std::mem::offset_of;

/// Guest registers with a host register of their own: the argument registers compilers
/// use first, the first callee-saved ones, and SP.
const PINNED_X: [(u8, Gpr); 10] = [
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
const PINNED_V: [(u8, Xmm); 11] = [
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

/// Guest vector registers that have one of the host's upper sixteen, where it has them (AVX-512).
const HIGH_V: [(u8, Xmm); 16] = [
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
const TEMPS_X: [Gpr; 4] = [Gpr::RCX, Gpr::RDX, Gpr::RSI, Gpr::RAX];
const TEMPS_V: [Xmm; 5] = [Xmm(11), Xmm(12), Xmm(13), Xmm(14), Xmm(15)];

/// The general registers, or the vector registers.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Bank {
    X,
    V,
}

impl Bank {
    pub const ALL: [Bank; 2] = [Bank::X, Bank::V];
}

/// At most this many, in a list that needs no allocation.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct List<T, const N: usize> {
    items: [T; N],
    len: usize,
}

impl<T: Copy, const N: usize> List<T, N> {
    const fn new(filler: T) -> Self {
        List {
            items: [filler; N],
            len: 0,
        }
    }

    const fn push(&mut self, item: T) {
        self.items[self.len] = item;
        self.len += 1;
    }

    fn as_slice(&self) -> &[T] {
        &self.items[..self.len]
    }
}

/// No host register.
const NONE: u8 = 255;
/// The first vector register that only EVEX reaches.
const FIRST_HIGH: u8 = 16;

/// The homes of one bank, by register numbers.
#[derive(Clone, PartialEq, Eq, Debug)]
struct BankHomes {
    /// The host register of each guest register, or [`NONE`].
    by_guest: [u8; 32],
    /// Guest register and host register.
    pairs: List<(u8, u8), 32>,
    /// How many of them, the first ones, hold what any instruction takes.
    low: usize,
    temps: List<u8, 8>,
    temp_set: u32,
}

impl BankHomes {
    const EMPTY: BankHomes = BankHomes {
        by_guest: [NONE; 32],
        pairs: List::new((0, 0)),
        low: 0,
        temps: List::new(0),
        temp_set: 0,
    };

    const fn add_temp(&mut self, host: u8) {
        self.temps.push(host);
        self.temp_set |= 1 << host;
    }

    /// Those any instruction takes come first.
    const fn add(&mut self, guest: u8, host: u8) {
        self.by_guest[guest as usize] = host;
        self.pairs.push((guest, host));
        if host < FIRST_HIGH {
            self.low += 1;
        }
    }
}

/// Where guest registers live, and what is left for everything else.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Homes {
    x: BankHomes,
    v: BankHomes,
}

impl Homes {
    /// The homes at the boundaries of blocks.
    #[must_use]
    pub const fn of_blocks(features: HostFeatures) -> Homes {
        let (mut x, mut v) = (BankHomes::EMPTY, BankHomes::EMPTY);
        let mut i = 0;
        while i < PINNED_X.len() {
            x.add(PINNED_X[i].0, PINNED_X[i].1.0);
            i += 1;
        }
        i = 0;
        while i < PINNED_V.len() {
            v.add(PINNED_V[i].0, PINNED_V[i].1.0);
            i += 1;
        }
        i = 0;
        while features.avx512 && i < HIGH_V.len() {
            v.add(HIGH_V[i].0, HIGH_V[i].1.0);
            i += 1;
        }
        i = 0;
        while i < TEMPS_X.len() {
            x.add_temp(TEMPS_X[i].0);
            i += 1;
        }
        i = 0;
        while i < TEMPS_V.len() {
            v.add_temp(TEMPS_V[i].0);
            i += 1;
        }
        Homes { x, v }
    }

    const fn bank(&self, bank: Bank) -> &BankHomes {
        match bank {
            Bank::X => &self.x,
            Bank::V => &self.v,
        }
    }

    /// The host register of guest register `n` (of the general ones, 31 is SP).
    #[must_use]
    pub fn home(&self, bank: Bank, n: u8) -> Option<u8> {
        let host = self.bank(bank).by_guest[n as usize];
        (host != NONE).then_some(host)
    }

    /// The host register of X0 to X30 or SP (31).
    #[must_use]
    pub fn x(&self, n: u8) -> Option<Gpr> {
        self.home(Bank::X, n).map(Gpr)
    }

    /// The host register of V0 to V31.
    #[must_use]
    pub fn v(&self, n: u8) -> Option<Xmm> {
        self.home(Bank::V, n).map(Xmm)
    }

    /// All guest registers with a host register, and which.
    #[must_use]
    pub fn all(&self, bank: Bank) -> &[(u8, u8)] {
        self.bank(bank).pairs.as_slice()
    }

    /// Those of them that any instruction takes: they can be temporaries for a while.
    #[must_use]
    pub fn low(&self, bank: Bank) -> &[(u8, u8)] {
        &self.all(bank)[..self.bank(bank).low]
    }

    /// The host registers that are no homes, the preferred first: RAX last, since saving NZCV takes it.
    #[must_use]
    pub fn temps(&self, bank: Bank) -> &[u8] {
        self.bank(bank).temps.as_slice()
    }

    /// The same, bit by number.
    #[must_use]
    pub const fn temp_set(&self, bank: Bank) -> u32 {
        self.bank(bank).temp_set
    }
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

/// Offset of a spill slot in the CPU's area.
#[must_use]
pub const fn slot_spill(n: u8) -> i32 {
    host_offset!(spill) + n as i32 * 16
}
