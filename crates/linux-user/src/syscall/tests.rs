//! The table against the list of arm64's numbers, and the page made from it.

use super::*;
use std::fmt::Write as _;
use test_support::Goldens;

#[test]
fn every_number_has_its_row() {
    let rows: Vec<(u16, &str)> = ROWS.iter().map(|row| (row.number, row.name)).collect();
    assert_eq!(rows, linux_abi::nr::arm64::all().collect::<Vec<_>>());
}

#[test]
fn numbers_find_their_rows() {
    for expected in ROWS {
        let found = row(u64::from(expected.number)).expect("just listed");
        assert_eq!(found.name, expected.name);
        // The kernel looks at 32 bits only.
        assert!(row(u64::from(expected.number) | 1 << 32).is_some());
    }
    for number in [244, 259, 295, 423, NUMBERS as u64, u64::from(u32::MAX)] {
        assert!(row(number).is_none(), "{number}");
    }
}

#[test]
fn refusals_are_those_without_a_function() {
    for (row, described) in ROWS.iter().zip(DESCRIBED) {
        assert_eq!(described.done_by == "none", row.refused, "{}", row.name);
    }
}

/// The support page.
fn page() -> String {
    let count = |wanted: fn(&Support) -> bool| DESCRIBED.iter().filter(|call| wanted(&call.support)).count();
    let mut text = String::from(
        "# System calls\n\nMade from crates/linux-user/src/syscall/table.rs; `RAEMU_BLESS=1 cargo test -p linux-user` writes it anew.\n\n",
    );
    let full = count(|support| matches!(support, Support::Full));
    let partial = count(|support| matches!(support, Support::Partial(_)));
    let refused = count(|support| matches!(support, Support::Error(..)));
    // Writing to a String cannot fail.
    let _ = writeln!(
        text,
        "{} calls of arm64 Linux 6.18: {full} full, {partial} partial, {refused} refused.\n",
        ROWS.len()
    );
    text.push_str("| number | call | arguments | support | note |\n|---|---|---|---|---|\n");
    for (row, described) in ROWS.iter().zip(DESCRIBED) {
        let (support, note) = match described.support {
            Support::Full => ("full".to_owned(), ""),
            Support::Partial(why) => ("partial".to_owned(), why),
            Support::Error(errno, why) => (format!("{errno:?}"), why),
        };
        let arguments = described.signature.replace(" :", ":").replace('\n', " ");
        let _ = writeln!(
            text,
            "| {} | {} | {arguments} | {support} | {note} |",
            row.number, row.name
        );
    }
    text
}

#[test]
fn the_support_page_is_fresh() {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/generated/syscalls.md");
    let mut goldens = Goldens::new("cargo test -p linux-user");
    goldens.check(file.as_ref(), page());
    goldens.assert();
}
