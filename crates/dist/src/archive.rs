//! The tarball: unpacked anywhere, or over /usr/local.

use crate::layout::{self, Generated};
use crate::release::Release;
use crate::tree::{Tree, gzip};
use std::fs;
use std::path::{Path, PathBuf};

/// Writes the tarball into `out`.
pub fn make(release: &Release, generated: &Generated, out: &Path) -> Result<PathBuf, String> {
    let name = format!("raemu-aarch64-{}-x86_64-linux", release.version);
    let mut tree = layout::programs(release)?;
    tree.merge(generated.completions("site-functions"));
    for page in &generated.pages {
        tree.file(&page.path, page.source.clone());
    }
    let mut documents = layout::documents(release)?;
    for file in ["README.md", "LICENSE-MIT", "LICENSE-APACHE"] {
        documents.file(file, release.text(file)?);
    }
    tree.merge(documents.below("share/doc/raemu-aarch64"));
    let mut whole = Tree::default();
    whole.merge(tree.below(&name));
    let path = out.join(format!("{name}.tar.gz"));
    fs::write(&path, gzip(&whole.tar(release.time)?)?).map_err(|e| format!("{}: {e}", path.display()))?;
    Ok(path)
}
