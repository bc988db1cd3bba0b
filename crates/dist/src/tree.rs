//! A tree of files in memory, from which each package is made.
//!
//! Paths are relative and sorted, owners are root, and times are one given time: nothing of the machine or of the
//! moment gets into a package.

use flate2::{Compression, GzBuilder};
use std::collections::BTreeMap;
use std::fs;
use std::io::Write as _;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::Path;
use tar::{Builder, EntryType, Header};

#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Node {
    File { bytes: Vec<u8>, mode: u32 },
    Link(String),
    Directory { mode: u32 },
}

impl Node {
    fn mode(&self) -> u32 {
        match self {
            Node::File { mode, .. } | Node::Directory { mode } => *mode,
            Node::Link(_) => 0o777,
        }
    }
}

/// Every directory is an entry of its own; a parent sorts before what it holds.
#[derive(Clone, Default, PartialEq, Eq, Debug)]
pub struct Tree {
    nodes: BTreeMap<String, Node>,
}

impl Tree {
    pub fn file(&mut self, path: &str, bytes: impl Into<Vec<u8>>) {
        let bytes = bytes.into();
        self.add(path, Node::File { bytes, mode: 0o644 });
    }

    pub fn program(&mut self, path: &str, bytes: impl Into<Vec<u8>>) {
        let bytes = bytes.into();
        self.add(path, Node::File { bytes, mode: 0o755 });
    }

    pub fn link(&mut self, path: &str, target: &str) {
        self.add(path, Node::Link(target.to_owned()));
    }

    pub fn directory(&mut self, path: &str, mode: u32) {
        self.add(path, Node::Directory { mode });
    }

    /// A page of the manual or a changelog, which Debian wants compressed.
    pub fn compressed(&mut self, path: &str, text: &str) -> Result<(), String> {
        self.file(&format!("{path}.gz"), gzip(text.as_bytes())?);
        Ok(())
    }

    fn add(&mut self, path: &str, node: Node) {
        for (slash, _) in path.match_indices('/') {
            self.nodes
                .entry(path[..slash].to_owned())
                .or_insert(Node::Directory { mode: 0o755 });
        }
        self.nodes.insert(path.to_owned(), node);
    }

    /// The same below a directory.
    pub fn below(&self, directory: &str) -> Tree {
        let mut tree = Tree::default();
        for (path, node) in &self.nodes {
            tree.add(&format!("{directory}/{path}"), node.clone());
        }
        tree
    }

    pub fn merge(&mut self, other: Tree) {
        for (path, node) in other.nodes {
            self.add(&path, node);
        }
    }

    /// The files with their bytes.
    pub fn files(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.nodes.iter().filter_map(|(path, node)| match node {
            Node::File { bytes, .. } => Some((path.as_str(), bytes.as_slice())),
            Node::Link(_) | Node::Directory { .. } => None,
        })
    }

    /// What the files take, in KiB as dpkg counts it: each file rounded up, one for anything else.
    pub fn installed_size(&self) -> u64 {
        let size = |node: &Node| match node {
            Node::File { bytes, .. } => (bytes.len() as u64).div_ceil(1024),
            Node::Link(_) | Node::Directory { .. } => 1,
        };
        self.nodes.values().map(size).sum()
    }

    pub fn write(&self, directory: &Path) -> Result<(), String> {
        for (path, node) in &self.nodes {
            let place = directory.join(path);
            let made = match node {
                Node::File { bytes, .. } => fs::write(&place, bytes),
                Node::Link(target) => symlink(target, &place),
                Node::Directory { .. } => fs::create_dir_all(&place),
            };
            let mode = match node {
                Node::Link(_) => Ok(()),
                Node::File { mode, .. } | Node::Directory { mode } => {
                    made.and_then(|()| fs::set_permissions(&place, fs::Permissions::from_mode(*mode)))
                }
            };
            mode.map_err(|e| format!("{}: {e}", place.display()))?;
        }
        Ok(())
    }

    /// A tar archive of all of it.
    pub fn tar(&self, time: u64) -> Result<Vec<u8>, String> {
        let mut archive = Builder::new(Vec::new());
        for (path, node) in &self.nodes {
            let mut header = Header::new_gnu();
            header.set_mode(node.mode());
            header.set_mtime(time);
            header.set_uid(0);
            header.set_gid(0);
            let added = match node {
                Node::File { bytes, .. } => {
                    header.set_entry_type(EntryType::Regular);
                    header.set_size(bytes.len() as u64);
                    archive.append_data(&mut header, path, bytes.as_slice())
                }
                Node::Link(target) => {
                    header.set_entry_type(EntryType::Symlink);
                    header.set_size(0);
                    archive.append_link(&mut header, path, target)
                }
                Node::Directory { .. } => {
                    header.set_entry_type(EntryType::Directory);
                    header.set_size(0);
                    archive.append_data(&mut header, format!("{path}/"), [].as_slice())
                }
            };
            added.map_err(|e| format!("{path}: {e}"))?;
        }
        archive.into_inner().map_err(|e| format!("tar: {e}"))
    }
}

/// gzip without name and time.
pub fn gzip(bytes: &[u8]) -> Result<Vec<u8>, String> {
    let mut encoder = GzBuilder::new().write(Vec::new(), Compression::best());
    encoder
        .write_all(bytes)
        .and_then(|()| encoder.finish())
        .map_err(|e| format!("gzip: {e}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parents_come_first_and_times_are_the_given_one() {
        let mut tree = Tree::default();
        tree.program("bin/b", "b");
        tree.link("bin-old", "bin");
        tree.directory("tmp", 0o1777);
        let bytes = tree.below("usr").tar(7).expect("in memory");
        let mut archive = tar::Archive::new(bytes.as_slice());
        let shown: Vec<String> = archive
            .entries()
            .expect("an archive")
            .map(|entry| {
                let entry = entry.expect("an entry");
                let header = entry.header();
                assert_eq!(header.mtime().expect("a time"), 7);
                let path = entry.path().expect("a path").display().to_string();
                format!("{path} {:o}", header.mode().expect("a mode"))
            })
            .collect();
        assert_eq!(
            shown,
            [
                "usr/ 755",
                "usr/bin/ 755",
                "usr/bin-old 777",
                "usr/bin/b 755",
                "usr/tmp/ 1777"
            ]
        );
    }

    #[test]
    fn gzip_tells_neither_time_nor_name() {
        let bytes = gzip(b"text").expect("in memory");
        assert_eq!(bytes[..8], [0x1f, 0x8b, 8, 0, 0, 0, 0, 0]);
    }

    #[test]
    fn sizes_are_rounded_up() {
        let mut tree = Tree::default();
        tree.file("a/b", vec![0; 1025]);
        assert_eq!(tree.installed_size(), 3);
    }
}
