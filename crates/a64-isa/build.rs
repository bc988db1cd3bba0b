//! Generates the decoder from `isa/*.isa`.

use std::path::Path;

fn main() {
    println!("cargo::rerun-if-changed=isa");
    if let Err(message) = generate(Path::new("isa")) {
        println!("cargo::error={message}");
    }
}

fn generate(folder: &Path) -> Result<(), String> {
    let sources = a64_isa_gen::read_folder(folder)?;
    let code = a64_isa_gen::generate(&sources).map_err(|error| format!("isa/{error}"))?;
    let out = std::env::var("OUT_DIR").map_err(|error| error.to_string())?;
    std::fs::write(Path::new(&out).join("isa.rs"), code).map_err(|error| error.to_string())
}
