//! Each row's samples decode back to the row, through every entry point.

use a64_isa::{FeatureSet, ROWS, Undefined, disassemble, find_on, row_of, sample};

/// Random encodings of each row.
const SAMPLES: u64 = 500;

#[test]
fn samples_decode_back_to_their_row() {
    for row in ROWS {
        for random in 0..SAMPLES {
            let word = sample(row, random);
            assert_eq!(word & row.mask, row.value, "{} {word:#010x}", row.name);
            assert_eq!(row_of(word).map(|row| row.name), Some(row.name), "{word:#010x}");
            let number = find_on(FeatureSet::ALL, word).expect("any CPU feature is there");
            assert_eq!(ROWS[usize::from(number)].name, row.name, "{word:#010x}");
            let text = disassemble(word, 0x1000);
            assert!(
                !text.is_empty() && !text.contains('?'),
                "{} {word:#010x}: {text}",
                row.name
            );
        }
    }
}

#[test]
fn unallocated_words_do_not_decode() {
    // UDF, the SVE space, and reserved values of fields.
    for word in [
        0x0000_0000,
        0x0000_ffff,
        0x0400_0000,
        0xffff_ffff,
        0x7200_fc00 | 1 << 22,
    ] {
        assert_eq!(find_on(FeatureSet::ALL, word), Err(Undefined), "{word:#010x}");
        assert_eq!(row_of(word), None, "{word:#010x}");
        assert_eq!(disassemble(word, 0), format!(".inst {word:#010x}"));
    }
}
