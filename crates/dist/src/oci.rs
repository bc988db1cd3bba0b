//! The OCI image: a layout directory and a tar of it, with the static programs and nothing else.
//!
//! Image spec 1.0: `oci-layout`, `index.json`, and blobs by digest: manifest, config, one layer. `manifest.json` beside
//! them is what `docker load` reads in versions that do not know the layout.

use crate::layout::{self, P_LINK};
use crate::release::{REGISTRAR, Release};
use crate::tree::{Tree, gzip};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use std::fs;
use std::path::{Path, PathBuf};

/// The image's name within the layout.
pub const TAG: &str = "latest";

/// What a container without arguments does.
pub const DEFAULT_ARGUMENTS: [&str; 2] = ["--install", "arm64"];

pub const ENTRY_POINT: &str = "/usr/bin/raemu-binfmt";

pub struct Image {
    pub directory: PathBuf,
    pub archive: PathBuf,
}

/// Writes both into `out`.
pub fn make(release: &Release, out: &Path) -> Result<Image, String> {
    let name = format!("raemu-aarch64-{}-oci", release.version);
    let layout = layout(release)?;
    let image = Image {
        directory: out.join(&name),
        archive: out.join(format!("{name}.tar")),
    };
    if image.directory.exists() {
        fs::remove_dir_all(&image.directory).map_err(|e| format!("{}: {e}", image.directory.display()))?;
    }
    fs::create_dir_all(&image.directory).map_err(|e| format!("{}: {e}", image.directory.display()))?;
    layout.write(&image.directory)?;
    fs::write(&image.archive, layout.tar(release.time)?)
        .map_err(|e| format!("{}: {e}", image.archive.display()))?;
    Ok(image)
}

/// The files of the container.
fn root(release: &Release) -> Result<Tree, String> {
    let mut tree = layout::programs(release)?.below("usr");
    // The name under which scripts for tonistiigi/binfmt expect the interpreter.
    tree.link("usr/bin/qemu-aarch64", "raemu-aarch64");
    // The entry point tries a program in a scratch directory.
    tree.directory("tmp", 0o1777);
    let licences = "usr/share/doc/raemu-aarch64";
    for file in ["LICENSE-MIT", "LICENSE-APACHE"] {
        tree.file(&format!("{licences}/{file}"), release.text(file)?);
    }
    tree.file(
        &format!("{licences}/third-party.md"),
        crate::licences::page(release)?,
    );
    Ok(tree)
}

fn layout(release: &Release) -> Result<Tree, String> {
    let layer = root(release)?.tar(release.time)?;
    let diff_id = digest(&layer);
    let layer = gzip(&layer)?;
    let created = release.date("+%Y-%m-%dT%H:%M:%SZ")?;
    let config = text(&json!({
        "architecture": "amd64",
        "os": "linux",
        "created": created,
        "config": {
            "Entrypoint": [ENTRY_POINT],
            "Cmd": DEFAULT_ARGUMENTS,
            // As tonistiigi/binfmt sets them: PATH, and flag P.
            "Env": ["PATH=/usr/bin", "QEMU_PRESERVE_ARGV0=1"],
            "WorkingDir": "/",
            "Labels": labels(release),
        },
        "rootfs": { "type": "layers", "diff_ids": [diff_id] },
        "history": [{ "created": created, "created_by": format!("cargo xtask dist: {REGISTRAR}, {P_LINK}") }],
    }));
    let manifest = text(&json!({
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "config": descriptor("application/vnd.oci.image.config.v1+json", &config),
        "layers": [descriptor("application/vnd.oci.image.layer.v1.tar+gzip", &layer)],
        "annotations": labels(release),
    }));
    let mut entry = descriptor("application/vnd.oci.image.manifest.v1+json", &manifest);
    let name = format!("raemu-aarch64:{TAG}");
    entry["platform"] = json!({ "architecture": "amd64", "os": "linux" });
    entry["annotations"] = json!({
        "org.opencontainers.image.ref.name": TAG,
        "io.containerd.image.name": format!("docker.io/library/{name}"),
    });
    let mut tree = Tree::default();
    tree.file("oci-layout", text(&json!({ "imageLayoutVersion": "1.0.0" })));
    tree.file(
        "index.json",
        text(&json!({ "schemaVersion": 2, "manifests": [entry] })),
    );
    tree.file(
        "manifest.json",
        text(&json!([{
            "Config": place(&config),
            "RepoTags": [name],
            "Layers": [place(&layer)],
        }])),
    );
    for blob in [layer, config, manifest] {
        let place = place(&blob);
        tree.file(&place, blob);
    }
    Ok(tree)
}

fn labels(release: &Release) -> Value {
    json!({
        "org.opencontainers.image.title": "raemu-aarch64",
        "org.opencontainers.image.description": "Registers raemu-aarch64, which runs arm64 programs on amd64",
        "org.opencontainers.image.version": release.version,
        "org.opencontainers.image.licenses": "MIT OR Apache-2.0",
    })
}

fn descriptor(media_type: &str, blob: &[u8]) -> Value {
    json!({ "mediaType": media_type, "digest": digest(blob), "size": blob.len() })
}

fn text(value: &Value) -> Vec<u8> {
    // serde_json sorts the keys of its maps.
    value.to_string().into_bytes()
}

fn hash(bytes: &[u8]) -> String {
    Sha256::digest(bytes)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

fn digest(blob: &[u8]) -> String {
    format!("sha256:{}", hash(blob))
}

fn place(blob: &[u8]) -> String {
    format!("blobs/sha256/{}", hash(blob))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digests_are_those_of_sha256sum() {
        let empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        assert_eq!(digest(b""), format!("sha256:{empty}"));
        let blob = descriptor("t", b"");
        assert_eq!(blob["size"], 0);
    }
}
