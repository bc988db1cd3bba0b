//! Atomics and ordering between two guest CPUs, under both players.
//!
//! x0 is the shared address, x3 counts rounds down.

#![allow(clippy::unwrap_used, reason = "a test that panics has failed")]

use engine::{Cpu, Mode};
use guest::{Exit, GuestAddr};
use guest_memory::access;
use insn_tests::arena::{Arena, CODE_ENTRY, DATA_BASE};
use insn_tests::local;
use std::sync::atomic::{AtomicU64, Ordering};

const SHARED: u64 = DATA_BASE + 0x1000;
const ROUNDS: u64 = 20_000;
const THREADS: u64 = 2;
const MEETINGS: u64 = 5_000;

fn store(addr: u64, value: u64) {
    access::store(GuestAddr(addr), 8, value).expect("the arena is mapped");
}

fn load(addr: u64) -> u64 {
    access::load(GuestAddr(addr), 8).expect("the arena is mapped")
}

/// Code in which each round adds one to the first `counters` shared words, modulo `modulus`.
struct Counting {
    name: &'static str,
    words: &'static [u32],
    /// Offsets of the counters from the shared address.
    counters: &'static [u64],
    modulus: u64,
}

const COUNTING: [Counting; 7] = [
    Counting {
        name: "ldaxr, stlxr",
        words: &[
            0xc85f_fc01,
            0x9100_0421,
            0xc802_fc01,
            0x35ff_ffa2,
            0xf100_0463,
            0x54ff_ff61,
        ],
        counters: &[0],
        modulus: 1 << 63,
    },
    Counting {
        name: "ldxrb, stxrb",
        words: &[
            0x085f_7c01,
            0x1100_0421,
            0x0802_7c01,
            0x35ff_ffa2,
            0xf100_0463,
            0x54ff_ff61,
        ],
        counters: &[0],
        modulus: 256,
    },
    Counting {
        name: "ldaxp, stlxp",
        words: &[
            0xc87f_9001,
            0x9100_0421,
            0x9100_0484,
            0xc822_9001,
            0x35ff_ff82,
            0xf100_0463,
            0x54ff_ff41,
        ],
        counters: &[0, 8],
        modulus: 1 << 63,
    },
    Counting {
        name: "ldaddal",
        words: &[0xd280_0021, 0xf8e1_0002, 0xf100_0463, 0x54ff_ffc1],
        counters: &[0],
        modulus: 1 << 63,
    },
    Counting {
        name: "casal",
        // ldr x1; mov x4, x1; add x2, x1, #1; casal x1, x2; cmp x1, x4; b.ne; subs; b.ne
        words: &[
            0xf940_0001,
            0xaa01_03e4,
            0x9100_0422,
            0xc8e1_fc02,
            0xeb04_003f,
            0x54ff_ff81,
            0xf100_0463,
            0x54ff_ff21,
        ],
        counters: &[0],
        modulus: 1 << 63,
    },
    Counting {
        name: "caspal",
        // ldp x4, x5; mov x6, x4; mov x7, x5; add x8, x4, #1; add x9, x5, #1;
        // caspal x4, x5, x8, x9; cmp x4, x6; ccmp x5, x7, #0, eq; b.ne; subs; b.ne
        words: &[
            0xa940_1404,
            0xaa04_03e6,
            0xaa05_03e7,
            0x9100_0488,
            0x9100_04a9,
            0x4864_fc08,
            0xeb06_009f,
            0xfa47_00a0,
            0x54ff_ff21,
            0xf100_0463,
            0x54ff_fec1,
        ],
        counters: &[0, 8],
        modulus: 1 << 63,
    },
    Counting {
        name: "a spin lock of swpa and stlr around a plain increment",
        // mov w1, #1; swpa w1, w2; cbnz w2; ldr x4, [x0, #8]; add; str; stlr wzr; subs; b.ne
        words: &[
            0x5280_0021,
            0xb8a1_8002,
            0x35ff_ffe2,
            0xf940_0404,
            0x9100_0484,
            0xf900_0404,
            0x889f_fc1f,
            0xf100_0463,
            0x54ff_ff01,
        ],
        counters: &[8],
        modulus: 1 << 63,
    },
];

/// Runs the code at the entry to its BRK.
fn run(cpu: &mut Cpu) {
    cpu.state_mut().pc = CODE_ENTRY;
    loop {
        match cpu.run() {
            Exit::Breakpoint(_) => return,
            Exit::Poll => {}
            exit => panic!("unexpected {exit:?} at {:#x}", cpu.state().pc),
        }
    }
}

fn count(mode: Mode) {
    let mut arena = Arena::lock();
    for counting in COUNTING {
        arena.set_code(counting.words);
        store(SHARED, 0);
        store(SHARED + 8, 0);
        let engine = local::engine(mode);
        std::thread::scope(|scope| {
            for _ in 0..THREADS {
                scope.spawn(|| {
                    let mut cpu = Cpu::new(engine.clone()).expect("memory for a CPU");
                    cpu.state_mut().x[0] = SHARED;
                    cpu.state_mut().x[3] = ROUNDS;
                    run(&mut cpu);
                });
            }
        });
        for offset in counting.counters {
            let expected = THREADS * ROUNDS % counting.modulus;
            assert_eq!(
                load(SHARED + offset),
                expected,
                "{} under {mode:?}",
                counting.name
            );
        }
    }
    arena.take_changes();
}

#[test]
fn interpreter_loses_no_increment() {
    count(Mode::Interpreter);
}

#[test]
fn jit_loses_no_increment() {
    count(Mode::Jit);
}

/// Store buffering: each CPU writes its own word and reads the other's. With the
/// ordering the code asks for, at least one must see the other's write.
fn store_buffering(mode: Mode) {
    const STLR_LDAR: &[u32] = &[0xc89f_fc02, 0xc8df_fc23];
    const STR_DMB_LDR: &[u32] = &[0xf900_0002, 0xd503_3bbf, 0xf940_0023];
    let mut arena = Arena::lock();
    for words in [STLR_LDAR, STR_DMB_LDR] {
        arena.set_code(words);
        let engine = local::engine(mode);
        // Spinning, so that both leave it at the same moment.
        let arrivals = AtomicU64::new(0);
        let meet = |count: u64| {
            arrivals.fetch_add(1, Ordering::SeqCst);
            let mut spins = 0;
            while arrivals.load(Ordering::SeqCst) < 2 * count {
                spins += 1;
                if spins % 1000 == 0 {
                    std::thread::yield_now();
                }
            }
        };
        let turn = |mine: u64, other: u64| {
            let mut cpu = Cpu::new(engine.clone()).expect("memory for a CPU");
            let mut seen = Vec::new();
            for round in 1..=MEETINGS {
                cpu.state_mut().x[0] = mine;
                cpu.state_mut().x[1] = other;
                cpu.state_mut().x[2] = round;
                meet(2 * round - 1);
                run(&mut cpu);
                seen.push(cpu.state().x[3]);
                meet(2 * round);
            }
            seen
        };
        store(SHARED, 0);
        store(SHARED + 0x100, 0);
        let (first, second) = std::thread::scope(|scope| {
            let first = scope.spawn(|| turn(SHARED, SHARED + 0x100));
            let second = scope.spawn(|| turn(SHARED + 0x100, SHARED));
            (first.join().unwrap(), second.join().unwrap())
        });
        for (round, (a, b)) in (1..).zip(first.into_iter().zip(second)) {
            assert!(
                a == round || b == round,
                "round {round}: both missed the other's write under {mode:?}"
            );
        }
    }
    arena.take_changes();
}

#[test]
fn interpreter_orders_stores_before_loads() {
    store_buffering(Mode::Interpreter);
}

#[test]
fn jit_orders_stores_before_loads() {
    store_buffering(Mode::Jit);
}
