//! The routines for generated code keep to their signatures: each is called with a pattern in every register, and
//! what it may not change is there afterwards.
//!
//! # Safety
//! The routines are given memory of the test's own.

use guest_memory::routines::{
    Answer, Cas16, CopyEither, CopyForward, Entry, Fill, HostRegister, Routine, Routines,
};
use std::arch::global_asm;

/// What registers hold before a call and after it.
#[derive(Clone, Debug, PartialEq)]
#[repr(C, align(32))]
struct Registers {
    v: [[u64; 4]; 16],
    /// By hardware number; RSP's is not loaded.
    x: [u64; 16],
    flags: u64,
}

const CF: u64 = 1;
const ZF: u64 = 1 << 6;
/// Status flags: a routine may leave any.
const STATUS: u64 = 0x8d5;

// rdi = routine, rsi = `Registers`.
global_asm!(
    ".globl raemu_test_call",
    "raemu_test_call:",
    "    push rbx",
    "    push rbp",
    "    push r12",
    "    push r13",
    "    push r14",
    "    push r15",
    "    push rdi",
    "    push rsi",
    ".irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15",
    "    vmovdqa ymm\\n, [rsi + 32 * \\n]",
    ".endr",
    "    mov rax, [rsi + 512]",
    "    mov rcx, [rsi + 520]",
    "    mov rdx, [rsi + 528]",
    "    mov rbx, [rsi + 536]",
    "    mov rbp, [rsi + 552]",
    "    mov rdi, [rsi + 568]",
    ".irp n, 8, 9, 10, 11, 12, 13, 14, 15",
    "    mov r\\n, [rsi + 512 + 8 * \\n]",
    ".endr",
    "    mov rsi, [rsi + 560]",
    "    call [rsp + 8]",
    // mov and push leave the flags alone.
    "    push rax",
    "    mov rax, [rsp + 8]",
    "    mov [rax + 520], rcx",
    "    mov [rax + 528], rdx",
    "    mov [rax + 536], rbx",
    "    mov [rax + 552], rbp",
    "    mov [rax + 560], rsi",
    "    mov [rax + 568], rdi",
    ".irp n, 8, 9, 10, 11, 12, 13, 14, 15",
    "    mov [rax + 512 + 8 * \\n], r\\n",
    ".endr",
    "    pop [rax + 512]",
    "    pushfq",
    "    pop [rax + 640]",
    ".irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15",
    "    vmovdqa [rax + 32 * \\n], ymm\\n",
    ".endr",
    "    vzeroupper",
    "    add rsp, 16",
    "    pop r15",
    "    pop r14",
    "    pop r13",
    "    pop r12",
    "    pop rbp",
    "    pop rbx",
    "    ret",
);

unsafe extern "C" {
    fn raemu_test_call(routine: u64, registers: *mut Registers);
}

/// Calls a routine; gives its results and the flags.
fn call<R: Routine<u64>>(entry: u64, arguments: R) -> (Vec<u64>, u64) {
    let pattern = |n: u64| n.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let mut before = Registers {
        v: std::array::from_fn(|n| std::array::from_fn(|i| pattern(100 + 4 * n as u64 + i as u64))),
        x: std::array::from_fn(|n| pattern(1 + n as u64)),
        flags: 0,
    };
    for (register, value) in arguments.arguments() {
        before.x[register as usize] = value;
    }
    let mut after = before.clone();
    // SAFETY: the arguments name memory of the caller's, and the assembly saves what its convention keeps.
    unsafe { raemu_test_call(entry, &raw mut after) };
    let is_given = |n: usize| R::GIVES.iter().any(|&register| register as usize == n);
    for n in (0..16).filter(|&n| R::CHANGES_X & 1 << n == 0 && !is_given(n)) {
        assert_eq!(after.x[n], before.x[n], "{} changes register {n}", R::NAME);
    }
    for n in (0..16).filter(|&n| R::CHANGES_V & 1 << n == 0) {
        assert_eq!(
            after.v[n][..2],
            before.v[n][..2],
            "{} changes vector register {n}",
            R::NAME
        );
    }
    assert_eq!(
        after.flags & 1 << 10,
        0,
        "{} leaves the direction flag set",
        R::NAME
    );
    let given = R::GIVES.iter().map(|&register| after.x[register as usize]);
    (given.collect(), after.flags & STATUS)
}

fn address<R>(entry: Entry<R>) -> u64 {
    entry.address()
}

#[test]
fn a_signature_is_consistent() {
    fn look<R: Routine<u64>>() {
        let mut seen = 0_u32;
        for &register in R::TAKES {
            assert_eq!(seen & 1 << register as u8, 0, "{}: {register:?} twice", R::NAME);
            assert_ne!(register, HostRegister::Rsp);
            seen |= 1 << register as u8;
        }
        for &register in R::GIVES {
            assert_eq!(R::CHANGES_X & 1 << register as u8, 0, "{}: {register:?}", R::NAME);
        }
    }
    look::<Cas16<u64>>();
    look::<CopyForward<u64>>();
    look::<CopyEither<u64>>();
    look::<Fill<u64>>();
}

#[test]
fn cas16_exchanges_and_says_so() {
    #[repr(align(16))]
    struct Pair([u64; 2]);
    assert_eq!(<Cas16<u64> as Routine<u64>>::ANSWER, Answer::Exchanged);
    for (expected, is_exchanged) in [([1, 2], true), ([1, 3], false), ([3, 2], false)] {
        let mut memory = Pair([1, 2]);
        let (old, flags) = call(
            address(Routines::here().cas16),
            Cas16 {
                address: &raw mut memory as u64,
                expected_low: expected[0],
                expected_high: expected[1],
                new_low: 7,
                new_high: 8,
            },
        );
        assert_eq!(old, [1, 2]);
        assert_eq!(flags & (CF | ZF), if is_exchanged { ZF } else { 0 });
        assert_eq!(memory.0, if is_exchanged { [7, 8] } else { [1, 2] });
    }
}

/// Sizes on each of the routines' ways.
const SIZES: [usize; 14] = [0, 1, 2, 5, 8, 15, 16, 33, 64, 65, 130, 777, 1024, 5000];

#[test]
fn copies_and_fills_do_all_and_leave_nothing() {
    let routines = Routines::here();
    for size in SIZES {
        let source: Vec<u8> = (0..size).map(|i| (i * 7 + 1) as u8).collect();
        let from = source.as_ptr() as u64;
        for way in 0..4 {
            let mut memory = vec![0_u8; size + 2];
            let to = memory.as_mut_ptr() as u64 + 1;
            let n = size as u64;
            // Going forward: from that far below the addresses, which stand at the ends.
            let (to_end, from_end, negative) = (to + n, from + n, n.wrapping_neg());
            let (left, _) = match way {
                0 => call(
                    address(routines.copy_forward),
                    CopyForward {
                        to: to_end,
                        from: from_end,
                        size: negative,
                    },
                ),
                1 => call(
                    address(routines.copy_either),
                    CopyEither {
                        to: to_end,
                        from: from_end,
                        size: negative,
                    },
                ),
                // Downwards: the size is positive, and the addresses are the starts.
                2 => call(address(routines.copy_either), CopyEither { to, from, size: n }),
                _ => call(
                    address(routines.fill),
                    Fill {
                        to: to_end,
                        value: 0xab,
                        size: negative,
                    },
                ),
            };
            assert_eq!(left, [0], "{size} bytes, way {way}");
            let expected = if way == 3 {
                vec![0xab; size]
            } else {
                source.clone()
            };
            assert_eq!(memory[1..=size], expected, "{size} bytes, way {way}");
            assert_eq!((memory[0], memory[size + 1]), (0, 0), "{size} bytes, way {way}");
        }
    }
}
