//! docs/generated/instructions.md is what the tables make of it.

mod coverage;

#[test]
fn page_is_fresh() {
    let expected = coverage::page().expect("Arm's list is a dev-dependency");
    let found = std::fs::read_to_string(coverage::path()).unwrap_or_default();
    assert!(
        found == expected,
        "docs/generated/instructions.md is stale: run `cargo run -p a64-isa --example coverage`"
    );
}
