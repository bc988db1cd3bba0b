//! The register sets of PTRACE_GETREGSET and PTRACE_SETREGSET, from and to a mailbox's registers
//! (arch/arm64/kernel/ptrace.c).

use super::debug::{self, Kind};
use super::mailbox::{Registers, changed};
use crate::signal::frame::PSTATE_FORBIDDEN;
use linux_abi::Errno;
use zerocopy::{FromBytes, IntoBytes};

/// The sets, by their notes in core files (uapi linux/elf.h).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Set {
    General,
    Floating,
    Tls,
    Debug(Kind),
    SystemCall,
    PacMask,
    AddressKeys,
    GenericKey,
    TaggedAddresses,
    EnabledKeys,
}

/// Note, size of one element, whole size in bytes.
const SETS: &[(u64, Set, u64, u64)] = &[
    (1, Set::General, 8, 34 * 8),
    (2, Set::Floating, 4, 528),
    (0x401, Set::Tls, 8, 16),
    (0x402, Set::Debug(Kind::Break), 4, debug::SET_SIZE),
    (0x403, Set::Debug(Kind::Watch), 4, debug::SET_SIZE),
    (0x404, Set::SystemCall, 4, 4),
    (0x406, Set::PacMask, 8, 16),
    (0x407, Set::AddressKeys, 16, 128),
    (0x408, Set::GenericKey, 16, 32),
    (0x409, Set::TaggedAddresses, 8, 8),
    (0x40a, Set::EnabledKeys, 8, 8),
];

/// A set and how many bytes of it the caller gets of the `len` it has room for.
///
/// # Errors
/// EINVAL: no such set, or no whole number of elements.
pub fn find(note: u64, len: u64) -> Result<(Set, usize), Errno> {
    let &(_, set, element, size) = SETS
        .iter()
        .find(|(number, ..)| *number == note)
        .ok_or(Errno::EINVAL)?;
    if !len.is_multiple_of(element) {
        return Err(Errno::EINVAL);
    }
    Ok((set, len.min(size) as usize))
}

/// The bytes of a whole set.
#[must_use]
pub fn get(registers: &Registers, set: Set) -> Vec<u8> {
    match set {
        Set::General => registers.general.as_bytes().to_vec(),
        Set::Floating => {
            let mut bytes = registers.v.as_bytes().to_vec();
            bytes.extend_from_slice(&registers.fpsr.to_le_bytes());
            bytes.extend_from_slice(&registers.fpcr.to_le_bytes());
            bytes.resize(528, 0);
            bytes
        }
        // TPIDR2_EL0 is zero without FEAT_SME.
        Set::Tls => [registers.tls, 0].as_bytes().to_vec(),
        Set::Debug(kind) => registers.debug.get(kind),
        Set::SystemCall => registers.call.to_le_bytes().to_vec(),
        Set::PacMask => [registers.pac_mask, registers.pac_mask].as_bytes().to_vec(),
        Set::AddressKeys => {
            let mut bytes = registers.keys[..4].as_bytes().to_vec();
            bytes.resize(128, 0);
            bytes
        }
        Set::GenericKey => {
            let mut bytes = registers.keys[4].as_bytes().to_vec();
            bytes.resize(32, 0);
            bytes
        }
        Set::TaggedAddresses => registers.tagged.to_le_bytes().to_vec(),
        Set::EnabledKeys => u64::from(registers.enabled_keys).to_le_bytes().to_vec(),
    }
}

/// Puts bytes in the place of the first of a set; gives the bit of [`changed`].
///
/// # Errors
/// EINVAL for values that the set cannot have.
pub fn set(registers: &mut Registers, set: Set, bytes: &[u8]) -> Result<u32, Errno> {
    let mut whole = get(registers, set);
    whole[..bytes.len()].copy_from_slice(bytes);
    let word = |at: usize| u64::read_from_prefix(&whole[at..]).map_or(0, |(word, _)| word);
    match set {
        Set::General => {
            if word(33 * 8) & PSTATE_FORBIDDEN != 0 {
                return Err(Errno::EINVAL);
            }
            registers.general.as_mut_bytes().copy_from_slice(&whole);
            Ok(changed::GENERAL)
        }
        Set::Floating => {
            registers.v.as_mut_bytes().copy_from_slice(&whole[..512]);
            registers.fpsr = word(512) as u32;
            registers.fpcr = (word(512) >> 32) as u32;
            Ok(changed::FLOATING)
        }
        Set::Tls => {
            registers.tls = word(0);
            Ok(changed::TLS)
        }
        Set::Debug(kind) => registers.debug.set(kind, bytes).map(|()| changed::DEBUG),
        Set::SystemCall => {
            registers.call = i32::read_from_prefix(&whole).map_or(-1, |(call, _)| call);
            Ok(changed::CALL)
        }
        Set::PacMask => Err(Errno::EINVAL),
        Set::AddressKeys => {
            registers.keys[..4].as_mut_bytes().copy_from_slice(&whole[..64]);
            Ok(changed::KEYS)
        }
        Set::GenericKey => {
            registers.keys[4].as_mut_bytes().copy_from_slice(&whole[..16]);
            Ok(changed::KEYS)
        }
        Set::TaggedAddresses => {
            if word(0) & !1 != 0 {
                return Err(Errno::EINVAL);
            }
            registers.tagged = word(0);
            Ok(changed::TAGGED)
        }
        Set::EnabledKeys => {
            if word(0) & !0xf != 0 {
                return Err(Errno::EINVAL);
            }
            registers.enabled_keys = word(0) as u32;
            Ok(changed::ENABLED_KEYS)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use zerocopy::FromZeros;

    #[test]
    fn sets_have_their_sizes_and_read_back() {
        let registers = Registers::new_zeroed();
        for &(note, kind, element, size) in SETS {
            assert_eq!(
                find(note, 4096 / element * element),
                Ok((kind, size as usize)),
                "{note:#x}"
            );
            assert_eq!(find(note, element), Ok((kind, element.min(size) as usize)));
            assert_eq!(find(note, element + 1), Err(Errno::EINVAL));
            assert_eq!(get(&registers, kind).len() as u64, size, "{note:#x}");
        }
        assert_eq!(find(0x405, 16), Err(Errno::EINVAL), "no SVE");
    }

    #[test]
    fn a_part_of_a_set_changes_that_part() {
        let mut registers = Registers::new_zeroed();
        registers.general[1] = 7;
        assert_eq!(
            set(&mut registers, Set::General, &5_u64.to_le_bytes()),
            Ok(changed::GENERAL)
        );
        assert_eq!(registers.general[..2], [5, 7]);
        let mut all = get(&registers, Set::General);
        all[33 * 8] = 5;
        assert_eq!(set(&mut registers, Set::General, &all), Err(Errno::EINVAL));
    }
}
