//! The licences of the crates that are linked into the programs, with their texts, as those licences ask for.

use crate::release::{EMULATOR, REGISTRAR, Release, capture};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::process::Command;

const HEAD: &str = "\
# Licences of what is linked in

raemu-aarch64 and raemu-binfmt are under MIT or Apache-2.0, as you like. The executables also contain the GNU C Library,
statically linked (LGPL-2.1-or-later; its source is that of the distribution that built them), the Rust standard
library (MIT or Apache-2.0), and these crates, whose sources are at crates.io under the versions named here.
";

/// One page for all crates.
pub fn page(release: &Release) -> Result<String, String> {
    let metadata = metadata(release)?;
    let mut page = HEAD.to_owned();
    // Many crates share one text to the letter.
    let mut texts: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for name in linked(release)? {
        let package = metadata
            .get(&name)
            .ok_or_else(|| format!("cargo metadata has no {name}"))?;
        let licence = package["license"].as_str().unwrap_or("see its text");
        page.push_str(&format!("\n- {name}: {licence}"));
        let manifest = package["manifest_path"].as_str().unwrap_or_default();
        for text in texts_of(Path::new(manifest)) {
            texts.entry(text).or_default().push(name.clone());
        }
    }
    page.push('\n');
    let mut sections: Vec<(String, String)> = texts
        .into_iter()
        .map(|(text, names)| (names.join(", "), text))
        .collect();
    sections.sort();
    for (names, text) in sections {
        page.push_str(&format!("\n## {names}\n\n"));
        for line in text.lines() {
            page.push_str(format!("    {line}").trim_end());
            page.push('\n');
        }
    }
    Ok(page)
}

/// `name version` of each crate from elsewhere that the programs depend on.
fn linked(release: &Release) -> Result<BTreeSet<String>, String> {
    let mut cargo = Command::new("cargo");
    cargo
        .args(["tree", "--locked", "--edges", "normal", "--prefix", "none"])
        .args(["-p", EMULATOR, "-p", REGISTRAR, "--format", "{p}"])
        .current_dir(&release.sources);
    Ok(capture(cargo)?.lines().filter_map(foreign).collect())
}

/// `libc v0.2.1` -> `libc 0.2.1`; a crate of the workspace has its path behind.
fn foreign(line: &str) -> Option<String> {
    let mut words = line
        .split(' ')
        .filter(|word| !matches!(*word, "(*)" | "(proc-macro)"));
    let (name, version) = (words.next()?, words.next()?.strip_prefix('v')?);
    words.next().is_none().then(|| format!("{name} {version}"))
}

fn metadata(release: &Release) -> Result<BTreeMap<String, Value>, String> {
    let mut cargo = Command::new("cargo");
    cargo
        .args(["metadata", "--locked", "--format-version", "1"])
        .current_dir(&release.sources);
    let all: Value = serde_json::from_str(&capture(cargo)?).map_err(|e| format!("cargo metadata: {e}"))?;
    let packages = all["packages"]
        .as_array()
        .ok_or("cargo metadata has no packages")?;
    let key = |package: &Value| {
        Some(format!(
            "{} {}",
            package["name"].as_str()?,
            package["version"].as_str()?
        ))
    };
    Ok(packages
        .iter()
        .filter_map(|package| Some((key(package)?, package.clone())))
        .collect())
}

/// Files beside the manifest whose names say that they are licences, in the order of their names.
fn texts_of(manifest: &Path) -> Vec<String> {
    let Some(entries) = manifest.parent().and_then(|dir| fs::read_dir(dir).ok()) else {
        return Vec::new();
    };
    let mut paths: Vec<_> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    paths.sort();
    paths
        .iter()
        .filter(|path| {
            let name = path
                .file_name()
                .unwrap_or_default()
                .to_string_lossy()
                .to_uppercase();
            ["LICENSE", "LICENCE", "COPYING", "COPYRIGHT", "NOTICE"]
                .iter()
                .any(|word| name.starts_with(word))
        })
        .filter_map(|path| fs::read_to_string(path).ok())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_workspaces_own_crates_are_not_foreign() {
        assert_eq!(foreign("libc v0.2.1"), Some("libc 0.2.1".to_owned()));
        assert_eq!(
            foreign("dynasm v5.1.0 (proc-macro) (*)"),
            Some("dynasm 5.1.0".to_owned())
        );
        assert_eq!(foreign("guest v0.1.0 (/src/crates/guest)"), None);
        assert_eq!(foreign(""), None);
    }
}
