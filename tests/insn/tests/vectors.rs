//! The interpreter gives what the recorded vectors say (see `vectors/`).

use insn_tests::arena::Arena;
use insn_tests::rows;
use insn_tests::vectors::{self, Compared};
use std::collections::BTreeSet;
use std::path::PathBuf;

fn recorded_files() -> Vec<PathBuf> {
    let entries = std::fs::read_dir(vectors::directory()).expect("tests/insn/vectors exists");
    let paths = entries.map(|entry| entry.expect("a readable directory").path());
    paths
        .filter(|path| path.extension().is_some_and(|ext| ext == "txt"))
        .collect()
}

#[test]
fn interpreter_agrees_with_recorded_vectors() {
    let arena = &mut *Arena::lock();
    let (mut total, mut bad) = (0, Vec::new());
    for path in recorded_files() {
        let text = std::fs::read_to_string(&path).expect("a readable file");
        let compared = vectors::replay(arena, &text).expect("well-formed vectors");
        total += compared.len();
        bad.extend(compared.into_iter().filter(|compared| !compared.agrees()));
    }
    let report: String = bad
        .iter()
        .take(20)
        .map(|c: &Compared| c.explain("recorded"))
        .collect();
    assert!(
        bad.is_empty(),
        "{} of {total} vectors differ\n{report}",
        bad.len()
    );
    println!("{total} vectors agree");
}

#[test]
fn every_row_has_vectors() {
    let texts = recorded_files()
        .into_iter()
        .map(|path| std::fs::read_to_string(path).expect("a readable file"));
    let mut recorded = BTreeSet::new();
    for text in texts {
        let names = text
            .lines()
            .filter_map(|line| line.strip_prefix('[')?.strip_suffix(']'));
        recorded.extend(names.map(String::from));
    }
    let missing: Vec<&str> = rows::recorded()
        .map(|row| row.name)
        .filter(|name| !recorded.contains(*name))
        .collect();
    assert!(
        missing.is_empty(),
        "run cargo xtask vectors: no vectors for {missing:?}"
    );
}
