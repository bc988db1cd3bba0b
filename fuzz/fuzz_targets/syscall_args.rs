//! Arguments of system calls decode and print whatever the registers and the memory they point to hold. No call is
//! made: the guest could ask for anything. Of the calls that model.rs has, the text is compared with the model's;
//! of all others it must have the form `name(...) = result`.
//!
//! Input: number (2 bytes), result (8), six registers (8 each; an odd one becomes an address within the memory),
//! then the memory, which lies at the end of what is mapped.
#![no_main]

#[path = "../model.rs"]
mod model;

use guest::GuestAddr;
use insn_tests::arena::{Arena, DATA_BASE, DATA_SIZE};
use libfuzzer_sys::fuzz_target;
use linux_user::syscall;
use model::Memory;

const HEAD: usize = 2 + 8 + 6 * 8;
/// Negative results down to here are errors (include/linux/err.h).
const MAX_ERRNO: u64 = 4095;

fuzz_target!(|data: &[u8]| {
    // Its handlers turn faults of guest accesses into EFAULT.
    let _arena = Arena::lock();
    let Some((head, bytes)) = data.split_at_checked(HEAD) else {
        return;
    };
    let bytes = &bytes[..bytes.len().min(DATA_SIZE as usize)];
    let memory = Memory {
        base: DATA_BASE + DATA_SIZE - bytes.len() as u64,
        bytes,
        doubtful: false.into(),
    };
    guest_memory::access::write(GuestAddr(memory.base), bytes).expect("the arena can be written");
    let number = u64::from(u16::from_le_bytes([head[0], head[1]]));
    let word = |n: usize| {
        let bytes = &head[2 + 8 * n..10 + 8 * n];
        bytes.iter().rev().fold(0, |value, byte| value << 8 | u64::from(*byte))
    };
    let registers = std::array::from_fn(|n| match word(n + 1) {
        value if value & 1 == 1 && !bytes.is_empty() => memory.base + (value >> 1) % bytes.len() as u64,
        value => elsewhere(value),
    });
    let result = match word(0) {
        value if value > u64::MAX - MAX_ERRNO => Err(value.wrapping_neg() as i32),
        value => Ok(value),
    };
    let Some(text) = syscall::text_of(number, &registers, result.map_err(linux_abi::Errno)) else {
        return;
    };
    if let Some(expected) = model::expected(number, &registers, result, &memory) {
        let found = text.trim_end();
        let same = if result.is_err() { found.starts_with(&expected) } else { found == expected };
        assert!(same, "printed:  {found}\nexpected: {expected}");
    }
    let form = text.split_once('(').filter(|(name, _)| !name.is_empty());
    assert!(form.is_some_and(|(_, rest)| rest.contains(") = ")), "{text}");
});

/// A number that is no address of this process's, whose memory the model does not know.
fn elsewhere(value: u64) -> u64 {
    const USER: std::ops::Range<u64> = 0x1_0000..1 << 47;
    if USER.contains(&(value << 8 >> 8)) { value & 0xffff } else { value }
}
