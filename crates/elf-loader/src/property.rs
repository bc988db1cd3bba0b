//! .note.gnu.property: whether the code may be mapped with PROT_BTI (Linux fs/binfmt_elf.c,
//! arch/arm64/kernel/process.c).

use crate::header::{Headers, ReadAt};
use linux_abi::flags::{PROT_BTI, PROT_EXEC};

const NT_GNU_PROPERTY_TYPE_0: u32 = 5;
const GNU_PROPERTY_AARCH64_FEATURE_1_AND: u32 = 0xc000_0000;
const FEATURE_1_BTI: u32 = 1;
/// The kernel's limit for the note.
const MAX_NOTE: u64 = 1024;

impl Headers {
    /// Marks the executable segments PROT_BTI if the file's note says that all its code has
    /// landing pads. A note that is not as it should be counts as none.
    pub fn guard_code(&mut self, file: &(impl ReadAt + ?Sized)) {
        let Some((offset, size)) = self.property.filter(|&(_, size)| size <= MAX_NOTE) else {
            return;
        };
        let mut note = vec![0; size as usize];
        let complete = file
            .read_at(offset, &mut note)
            .is_ok_and(|count| count == note.len());
        if !complete || !has_landing_pads(&note) {
            return;
        }
        for segment in &mut self.segments {
            if segment.prot & PROT_EXEC != 0 {
                segment.prot |= PROT_BTI;
            }
        }
    }
}

fn word(bytes: &[u8], at: usize) -> Option<u32> {
    let bytes = bytes.get(at..at + 4)?;
    bytes.try_into().ok().map(u32::from_le_bytes)
}

fn has_landing_pads(note: &[u8]) -> bool {
    let is_property = word(note, 0) == Some(4)
        && word(note, 8) == Some(NT_GNU_PROPERTY_TYPE_0)
        && note.get(12..16) == Some(b"GNU\0");
    let size = word(note, 4).map_or(0, |size| size as usize);
    let Some(properties) = note.get(16..).and_then(|rest| rest.get(..size)) else {
        return false;
    };
    let mut at = 0;
    while is_property && let (Some(kind), Some(len)) = (word(properties, at), word(properties, at + 4)) {
        if kind == GNU_PROPERTY_AARCH64_FEATURE_1_AND {
            return len == 4 && word(properties, at + 8).is_some_and(|bits| bits & FEATURE_1_BTI != 0);
        }
        // Properties are padded to 8 bytes.
        at += 8 + (len as usize).next_multiple_of(8);
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    fn note(properties: &[u32]) -> Vec<u8> {
        let size = properties.len() as u32 * 4;
        let head = [4, size, 5, u32::from_le_bytes(*b"GNU\0")];
        head.iter()
            .chain(properties)
            .flat_map(|word| word.to_le_bytes())
            .collect()
    }

    #[test]
    fn the_bit_is_found_among_properties() {
        let feature = GNU_PROPERTY_AARCH64_FEATURE_1_AND;
        assert!(has_landing_pads(&note(&[feature, 4, 3, 0])));
        assert!(has_landing_pads(&note(&[1, 4, 0, 0, feature, 4, 1, 0])));
        assert!(!has_landing_pads(&note(&[feature, 4, 2, 0])));
        assert!(!has_landing_pads(&note(&[feature, 8, 1, 0])));
    }

    #[test]
    fn broken_notes_count_as_none() {
        let whole = note(&[1, 4, 0, 0, GNU_PROPERTY_AARCH64_FEATURE_1_AND, 4, 1, 0]);
        for len in 0..whole.len() - 4 {
            assert!(!has_landing_pads(&whole[..len]), "{len}");
        }
        assert!(!has_landing_pads(&note(&[1, u32::MAX, 0, 0])));
    }
}
