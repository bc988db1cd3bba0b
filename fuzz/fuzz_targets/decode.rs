//! Any 32-bit word decodes or does not, without a panic, and says the same by each way:
//! row, row of a CPU that has everything, disassembly. A word changed only where its row has fixed
//! bits is not that row any more.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    for bytes in data.chunks_exact(4) {
        let word = u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]);
        check(word);
    }
});

fn check(word: u32) {
    let row = a64_isa::row_of(word);
    let number = a64_isa::find_on(a64_isa::FeatureSet::ALL, word).ok();
    assert_eq!(
        row.map(|row| row.name),
        number.map(|number| a64_isa::ROWS[usize::from(number)].name),
        "{word:#010x}: row and number disagree"
    );
    let text = a64_isa::disassemble(word, 0x40_0000);
    assert!(!text.is_empty(), "{word:#010x} prints nothing");
    assert_eq!(text, a64_isa::disassemble(word, 0x40_0000), "{word:#010x}");
    let Some(row) = row else { return };
    assert_eq!(word & row.mask, row.value, "{word:#010x} is not {}", row.name);
    for bit in (0..32).filter(|bit| row.mask >> bit & 1 == 1) {
        let other = a64_isa::row_of(word ^ 1 << bit);
        assert!(
            other.is_none_or(|other| other.name != row.name),
            "{word:#010x} is {} whatever bit {bit} is",
            row.name
        );
    }
}
