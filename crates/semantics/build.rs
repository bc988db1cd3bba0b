//! Generates from the instruction tables what each row does: a call of the function that it or its
//! family names, or of its own.

use std::path::Path;

/// The tables, as `a64-isa` has them.
const TABLES: &str = "../a64-isa/isa";

fn main() {
    println!("cargo::rerun-if-changed={TABLES}");
    if let Err(message) = generate(Path::new(TABLES)) {
        println!("cargo::error={message}");
    }
}

fn generate(folder: &Path) -> Result<(), String> {
    let sources = a64_isa_gen::read_folder(folder)?;
    let code = a64_isa_gen::generate_play(&sources).map_err(|error| format!("isa/{error}"))?;
    let out = std::env::var("OUT_DIR").map_err(|error| error.to_string())?;
    std::fs::write(Path::new(&out).join("rows.rs"), code).map_err(|error| error.to_string())
}
