//! Arguments of system calls decode and print whatever the registers and the memory they
//! point to hold. No call is made: the guest could ask for anything.
//!
//! Input: number (2 bytes), result (8), six registers (8 each; an odd one becomes an
//! address within the rest of the input), then memory.
#![no_main]

use insn_tests::arena::Arena;
use libfuzzer_sys::fuzz_target;
use linux_user::syscall;

const HEAD: usize = 2 + 8 + 6 * 8;
/// Negative results down to here are errors (include/linux/err.h).
const MAX_ERRNO: u64 = 4095;

fuzz_target!(|data: &[u8]| {
    // Its handlers turn faults of guest accesses into EFAULT.
    let _arena = Arena::lock();
    let Some((head, memory)) = data.split_at_checked(HEAD) else {
        return;
    };
    let number = u64::from(u16::from_le_bytes([head[0], head[1]]));
    let word = |n: usize| {
        let bytes = &head[2 + 8 * n..10 + 8 * n];
        bytes
            .iter()
            .rev()
            .fold(0, |value, byte| value << 8 | u64::from(*byte))
    };
    let registers = std::array::from_fn(|n| match word(n + 1) {
        value if value & 1 == 1 && !memory.is_empty() => {
            memory.as_ptr() as u64 + (value >> 1) % memory.len() as u64
        }
        value => value,
    });
    let result = match word(0) {
        value if value > u64::MAX - MAX_ERRNO => Err(linux_abi::Errno(value.wrapping_neg() as i32)),
        value => Ok(value),
    };
    if let Some(text) = syscall::text_of(number, &registers, result) {
        assert!(text.contains('('), "{text}");
    }
});
