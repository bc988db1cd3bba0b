//! What is in a file, without reading what nobody looks at: an emulator may have many megabytes, and its headers are the
//! first few hundred bytes.

#![allow(unsafe_code)]

use memmap2::Mmap;
use std::fs::File;
use std::io;
use std::path::Path;

/// The bytes of the file at `path`; an empty file has none.
///
/// # Errors
/// The kernel's, of open(2) and mmap(2): what is no regular file cannot be mapped.
pub fn of(path: &Path) -> io::Result<Mmap> {
    let file = File::open(path)?;
    // SAFETY: only read. Packages replace a program by a new file, which leaves this one as it was, and the kernel lets
    // nobody write to one that runs. Whoever shortens another in this moment ends this command by a signal.
    unsafe { Mmap::map(&file) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Tree;

    #[test]
    fn bytes_are_those_of_the_file() {
        let exe = std::env::current_exe().expect("a file that runs");
        let bytes = std::fs::read(&exe).expect("readable");
        assert!(of(&exe).expect("mapped")[..] == bytes[..]);
    }

    #[test]
    fn empty_files_have_no_bytes_and_directories_are_refused() {
        let tree = Tree::new("contents");
        let root = tree.root();
        let empty = root.path("/empty");
        std::fs::write(&empty, b"").expect("written");
        assert!(of(&empty).expect("mapped").is_empty());
        assert!(of(&root.path("/")).is_err());
        assert!(of(&root.path("/none")).is_err());
    }
}
