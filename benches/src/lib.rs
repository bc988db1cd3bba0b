//! Criterion benchmarks of the emulator's parts: the guest code they run. `benches/parts.rs` measures.
//!
//! The guest code lies in ordinary memory of this process: it is only read, never executed by the host.
#![forbid(unsafe_code)]

use std::ops::Range;
use std::sync::Arc;

use engine::{AddressSpace, Cpu, Engine, Mode};
use guest::{Exit, GuestAddr};

/// Instructions as a compiler mixes them; X0 points to memory. The CBZ is not taken, the branch goes to the next one.
#[rustfmt::skip]
pub const MIX: [u32; 15] = [
    0x8b02_0023, // add   x3, x1, x2
    0xf940_0804, // ldr   x4, [x0, #16]
    0xeb04_007f, // cmp   x3, x4
    0x9a84_3065, // csel  x5, x3, x4, lo
    0xa902_1403, // stp   x3, x5, [x0, #32]
    0xd348_5c86, // ubfx  x6, x4, #8, #16
    0x3940_1407, // ldrb  w7, [x0, #5]
    0x4a06_0ce7, // eor   w7, w7, w6, lsl #3
    0xb400_00e0, // cbz   x0, . + 28
    0x9b06_1c69, // madd  x9, x3, x6, x7
    0xb900_4009, // str   w9, [x0, #64]
    0x3dc0_1400, // ldr   q0, [x0, #80]
    0x4ea1_8401, // add   v1.4s, v0.4s, v1.4s
    0x1e64_2862, // fadd  d2, d3, d4
    0x1400_0001, // b     . + 4
];

/// A loop of X1 rounds around a direct branch, an indirect branch, a call.
pub const DIRECT: [u32; 3] = [0xf100_0421, 0x54ff_ffe1, SVC];
pub const INDIRECT: [u32; 5] = [0x1000_0042, 0xd61f_0040, 0xf100_0421, 0x54ff_ffa1, SVC];
pub const CALL: [u32; 5] = [0x9400_0004, 0xf100_0421, 0x54ff_ffc1, SVC, 0xd65f_03c0];

/// Nothing but system calls.
pub const SYSTEM_CALLS: [u32; 2] = [SVC, 0x17ff_ffff];

/// svc #0
pub const SVC: u32 = 0xd400_0001;

/// What the guest may execute: the one piece of code.
struct OneRange(Range<u64>);

impl AddressSpace for OneRange {
    fn is_executable(&self, addr: GuestAddr) -> bool {
        self.0.contains(&addr.0)
    }
}

/// A guest CPU with its code and a little memory.
pub struct Guest {
    pub cpu: Cpu,
    code: Vec<u32>,
    data: Vec<u64>,
}

impl Guest {
    /// A guest that will run `code` from its start.
    ///
    /// # Panics
    /// If the host refuses the memory for a code cache.
    pub fn new(code: Vec<u32>, mode: Mode) -> Guest {
        let start = code.as_ptr() as u64;
        let end = start + 4 * code.len() as u64;
        let engine = Engine::new(Box::new(OneRange(start..end)), mode);
        let cpu = Cpu::new(Arc::clone(&engine)).expect("memory for one CPU");
        Guest {
            cpu,
            code,
            data: vec![1; 64],
        }
    }

    /// Runs from the start to the next system call, with X1 counting the rounds.
    ///
    /// # Panics
    /// If the code ends otherwise than by a system call.
    pub fn run(&mut self, rounds: u64) {
        let (start, data) = (self.code.as_ptr() as u64, self.data.as_mut_ptr() as u64);
        let state = self.cpu.state_mut();
        state.pc = start;
        state.x[0] = data;
        state.x[1] = rounds;
        self.resume();
    }

    /// Goes on to the next system call.
    ///
    /// # Panics
    /// If the code ends otherwise than by a system call.
    pub fn resume(&mut self) {
        // Dropping translations asks every CPU to look up: that is a poll, not an end.
        let exit = loop {
            match self.cpu.run() {
                Exit::Poll => {}
                exit => break exit,
            }
        };
        assert_eq!(exit, Exit::Svc(0));
    }

    /// Forgets all translations.
    pub fn forget(&self) {
        let start = GuestAddr(self.code.as_ptr() as u64);
        self.cpu
            .engine()
            .invalidate(start..start.offset(4 * self.code.len() as i64));
    }
}

/// `blocks` times [`MIX`], then a system call.
pub fn mixed_code(blocks: usize) -> Vec<u32> {
    let mut code = MIX.repeat(blocks);
    code.push(SVC);
    code
}

/// Valid encodings of all rows of the tables, `per_row` of each, from a fixed seed.
pub fn samples(per_row: u64) -> Vec<u32> {
    let mut seed = 0x9e37_79b9_7f4a_7c15u64;
    let mut next = || {
        seed ^= seed >> 12;
        seed ^= seed << 25;
        seed ^= seed >> 27;
        seed.wrapping_mul(0x2545_f491_4f6c_dd1d)
    };
    let rows = a64_isa::ROWS.iter();
    rows.flat_map(|row| {
        (0..per_row)
            .map(|_| a64_isa::sample(row, next()))
            .collect::<Vec<_>>()
    })
    .collect()
}
