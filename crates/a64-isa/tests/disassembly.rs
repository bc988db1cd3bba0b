//! Texts as LLVM prints them: each row's samples against the recorded goldens.
//!
//! After a change of a table run `cargo run -p a64-isa --example bless -- TABLE` (with
//! LLVM installed), which lists every difference and records LLVM's texts anew.

use a64_isa::{ROWS, disassemble};
use std::collections::BTreeMap;

mod golden;

use golden::{CLASSES, SAMPLES, class_text, sample_at};

#[test]
fn texts_are_those_of_llvm() {
    let mut files: BTreeMap<&str, String> = BTreeMap::new();
    let mut wrong = Vec::new();
    for row in ROWS {
        let table = golden::stem(row);
        let recorded = files
            .entry(table)
            .or_insert_with(|| std::fs::read_to_string(golden::path(table)).unwrap_or_default());
        let texts: Vec<String> = (0..SAMPLES)
            .map(|n| sample_at(row, n))
            .map(|(word, pc)| disassemble(word, pc))
            .collect();
        let ours = golden::section(row, &texts);
        if !recorded.contains(&ours) {
            wrong.push(format!("{}:{} {}", row.file, row.line, row.name));
        }
    }
    assert!(
        wrong.is_empty(),
        "differ from what is recorded (see the head of this file): {wrong:#?}"
    );
}

#[test]
fn every_word_of_the_classes_is_as_llvm_has_it() {
    let recorded = std::fs::read_to_string(golden::path("classes")).unwrap_or_default();
    let mut wrong = Vec::new();
    for class in CLASSES {
        let texts: Vec<String> = class.words().into_iter().map(class_text).collect();
        if !recorded.contains(&golden::class_line(class, &texts)) {
            wrong.push(class.name);
        }
    }
    assert!(
        wrong.is_empty(),
        "differ from what is recorded (see the head of this file): {wrong:?}"
    );
}
