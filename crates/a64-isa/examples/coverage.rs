//! Writes docs/generated/instructions.md anew.

#[path = "../tests/coverage/mod.rs"]
mod coverage;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    Ok(std::fs::write(coverage::path(), coverage::page()?)?)
}
