//! Generates the decoder from `isa/*.isa`.

use std::path::Path;

fn main() {
    println!("cargo::rerun-if-changed=isa");
    if let Err(message) = generate(Path::new("isa")) {
        println!("cargo::error={message}");
    }
}

fn generate(folder: &Path) -> Result<(), String> {
    let mut sources = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(|error| format!("{}: {error}", folder.display()))? {
        let path = entry.map_err(|error| error.to_string())?.path();
        if path.extension().is_some_and(|extension| extension == "isa") {
            let text =
                std::fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
            let name = path
                .file_name()
                .unwrap_or_default()
                .to_string_lossy()
                .into_owned();
            sources.push((name, text));
        }
    }
    let code = a64_isa_gen::generate(&sources).map_err(|error| format!("isa/{error}"))?;
    let out = std::env::var("OUT_DIR").map_err(|error| error.to_string())?;
    std::fs::write(Path::new(&out).join("isa.rs"), code).map_err(|error| error.to_string())
}
