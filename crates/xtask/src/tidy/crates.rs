//! The direction of dependencies: each crate may use those below it and no others (docs/architecture.md).

use std::fs;
use std::path::Path;

use super::Findings;

/// A crate and the workspace crates it may depend on.
#[rustfmt::skip]
const MAY_USE: &[(&str, &[&str])] = &[
    ("a64-isa-gen",   &[]),
    ("linux-abi",     &[]),
    ("a64-isa",       &["a64-isa-gen"]),
    ("cpu-model",     &["a64-isa", "linux-abi"]),
    ("guest",         &["cpu-model"]),
    ("guest-memory",  &["guest"]),
    ("host-memory",   &[]),
    ("semantics",     &["a64-isa-gen", "a64-isa", "guest"]),
    ("soft",          &["semantics", "guest"]),
    ("interp",        &["soft", "semantics", "a64-isa", "guest", "guest-memory"]),
    ("jit-x64",       &["soft", "semantics", "a64-isa", "guest", "guest-memory"]),
    ("engine",        &["jit-x64", "interp", "soft", "semantics", "a64-isa", "guest", "guest-memory", "host-memory"]),
    ("elf-loader",    &["linux-abi", "guest", "guest-memory"]),
    ("linux-user",    &["engine", "elf-loader", "linux-abi", "guest", "guest-memory", "host-memory", "cpu-model"]),
    ("raemu",         &["linux-user", "elf-loader", "engine", "linux-abi", "guest", "guest-memory", "cpu-model"]),
    ("raemu-aarch64", &["raemu", "linux-user", "elf-loader", "engine", "linux-abi", "guest", "host-memory", "cpu-model"]),
    ("raemu-binfmt",  &[]),
    ("dist",          &["raemu-binfmt"]),
    ("xtask",         &["program-tests"]),
];

pub fn check(root: &Path, findings: &mut Findings) -> Result<(), String> {
    let entries = fs::read_dir(root.join("crates")).map_err(|e| format!("crates: {e}"))?;
    let mut names: Vec<String> = entries
        .filter_map(|entry| Some(entry.ok()?.file_name().to_string_lossy().into_owned()))
        .collect();
    names.sort();
    for name in &names {
        let path = format!("crates/{name}/Cargo.toml");
        let Ok(manifest) = fs::read_to_string(root.join(&path)) else {
            continue;
        };
        let Some((_, allowed)) = MAY_USE.iter().find(|(known, _)| known == name) else {
            findings.error(
                &path,
                1,
                "a new crate: give it a place in xtask's tidy/crates.rs and docs/architecture.md",
            );
            continue;
        };
        for (line, dependency) in dependencies(&manifest) {
            if names.iter().any(|other| other == dependency) && !allowed.contains(&dependency) {
                findings.error(&path, line, format!("{name} must not depend on {dependency}"));
            }
        }
    }
    Ok(())
}

/// Names under `[dependencies]` and `[build-dependencies]` with their line; tests may use what they like.
fn dependencies(manifest: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut counted = false;
    manifest.lines().enumerate().filter_map(move |(index, line)| {
        if let Some(section) = line.strip_prefix('[') {
            counted = section.contains("dependencies]") && !section.starts_with("dev-");
            return None;
        }
        let name = line.split(['.', ' ', '=']).next().unwrap_or_default();
        (counted && !name.is_empty()).then_some((index + 1, name))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dependencies_are_read_without_those_of_tests() {
        let manifest = "[package]\nname = \"x\"\n\n[dependencies]\nguest.workspace = true\nlibc = \"0.2\"\n\n\
                        [dev-dependencies]\nengine.workspace = true\n";
        let found: Vec<(usize, &str)> = dependencies(manifest).collect();
        assert_eq!(found, [(5, "guest"), (6, "libc")]);
    }

    #[test]
    fn nothing_depends_upwards() {
        for (index, (name, allowed)) in MAY_USE.iter().enumerate() {
            for dependency in *allowed {
                let below = MAY_USE[..index].iter().any(|(other, _)| other == dependency);
                assert!(below || *dependency == "program-tests", "{name} -> {dependency}");
            }
        }
    }
}
