//! The emulator's file: where it is, whether it is ours, and whether the kernel can use it as an interpreter.

use crate::contents;
use crate::entry::Entry;
use crate::fs::Root;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

/// The name of the emulator and of the default entry.
pub const NAME: &str = "raemu-aarch64";

/// The link by which an old kernel's P flag is told (AT_FLAGS tells it since 5.12).
const WRAPPER: &str = "libexec/raemu-binfmt/aarch64-binfmt-P";

/// What each build of the emulator has among its texts, in two parts: this command must not have it.
const MARK: [&[u8]; 2] = [b"raemu-aarch64 ", b"version "];

/// A file as an interpreter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    Missing,
    NotExecutable,
    /// No x86-64 ELF file.
    NotElf,
    /// It needs this program interpreter.
    Dynamic(String),
    Static,
}

/// Looks for the emulator: beside `command` (the running one), then where packages install, then in PATH.
pub fn find(root: &Root, command: Option<&Path>, preserve_argv0: bool) -> Result<PathBuf, String> {
    let dir = command.and_then(Path::parent);
    let mut places = Vec::new();
    if preserve_argv0 {
        places.extend(dir.and_then(Path::parent).map(|prefix| prefix.join(WRAPPER)));
        places.push(Path::new("/usr").join(WRAPPER));
    }
    places.extend(dir.map(|dir| dir.join(NAME)));
    places.push(Path::new("/usr/bin").join(NAME));
    let path = std::env::var_os("PATH").unwrap_or_default();
    places.extend(
        std::env::split_paths(&path)
            .filter(|dir| dir.is_absolute())
            .map(|dir| dir.join(NAME)),
    );
    places
        .into_iter()
        .find(|place| root.path(place).is_file())
        .ok_or_else(|| {
            format!(
                "{NAME} is neither beside this command nor in /usr/bin or PATH: name it with --interpreter"
            )
        })
}

/// Whether `path` is an emulator of ours: by its name, by what it links to, or (a copy under another emulator's
/// name) by its content.
pub fn is_ours(root: &Root, path: &Path) -> bool {
    if path.ends_with("raemu-binfmt/aarch64-binfmt-P") || named_ours(path) {
        return true;
    }
    let file = root.path(path);
    fs::canonicalize(&file).is_ok_and(|target| named_ours(&target)) || contains_mark(&file)
}

/// Whether an entry is ours. Where its interpreter cannot be looked at, the entry's own name tells.
pub fn owns(root: &Root, entry: &Entry) -> bool {
    let untold = || entry.name == NAME && inspect(root, &entry.interpreter) == Kind::Missing;
    is_ours(root, &entry.interpreter) || untold()
}

fn named_ours(path: &Path) -> bool {
    path.file_name()
        .is_some_and(|name| name.to_string_lossy().starts_with(NAME))
}

fn contains_mark(file: &Path) -> bool {
    const LARGEST: u64 = 256 << 20;
    let small = fs::metadata(file).is_ok_and(|data| data.is_file() && data.len() <= LARGEST);
    small
        && contents::of(file).is_ok_and(|bytes| {
            let [name, version] = MARK;
            let mut places = places_of(&bytes, name);
            places.any(|at| bytes[at + name.len()..].starts_with(version))
        })
}

/// Where `needle` begins in `bytes`.
fn places_of<'a>(bytes: &'a [u8], needle: &'a [u8]) -> impl Iterator<Item = usize> + 'a {
    let windows = bytes.windows(needle.len()).enumerate();
    windows
        .filter(move |(_, window)| window[0] == needle[0] && *window == needle)
        .map(|(at, _)| at)
}

/// What the kernel will find at `path`.
pub fn inspect(root: &Root, path: &Path) -> Kind {
    let file = root.path(path);
    let Ok(data) = fs::metadata(&file) else {
        return Kind::Missing;
    };
    if !data.is_file() || data.permissions().mode() & 0o111 == 0 {
        return Kind::NotExecutable;
    }
    // An executable that cannot be read is still one; nothing more can be said.
    match contents::of(&file) {
        Ok(bytes) => inspect_elf(&bytes),
        Err(_) => Kind::Static,
    }
}

/// Reads the program headers of an ELF file for its PT_INTERP.
fn inspect_elf(bytes: &[u8]) -> Kind {
    const X86_64: u16 = 62;
    const PT_INTERP: u32 = 3;
    let half = |at: usize| Some(u16::from_le_bytes(bytes.get(at..at + 2)?.try_into().ok()?));
    let word = |at: usize| Some(u32::from_le_bytes(bytes.get(at..at + 4)?.try_into().ok()?));
    let long = |at: usize| {
        let value = u64::from_le_bytes(bytes.get(at..at.checked_add(8)?)?.try_into().ok()?);
        usize::try_from(value).ok().filter(|&value| value <= bytes.len())
    };
    if !bytes.starts_with(b"\x7fELF\x02\x01") || half(18) != Some(X86_64) {
        return Kind::NotElf;
    }
    let (Some(table), Some(size), Some(count)) = (long(32), half(54), half(56)) else {
        return Kind::NotElf;
    };
    for index in 0..usize::from(count) {
        let header = table + index * usize::from(size);
        if word(header) != Some(PT_INTERP) {
            continue;
        }
        let (Some(offset), Some(length)) = (long(header + 8), long(header + 32)) else {
            return Kind::NotElf;
        };
        let name = bytes.get(offset..offset + length).unwrap_or_default();
        let name = String::from_utf8_lossy(name);
        return Kind::Dynamic(name.trim_end_matches('\0').to_owned());
    }
    Kind::Static
}

/// Copies `from` to `to` beside the old file and renames it over: a file that an entry's F flag keeps open cannot be
/// written to (ETXTBSY), but its name can be given away. The entry keeps the old file until it is registered again.
pub fn install(root: &Root, from: &Path, to: &Path) -> Result<(), String> {
    let target = root.path(to);
    let mut fresh = target.clone().into_os_string();
    fresh.push(format!(".new-{}", std::process::id()));
    let fresh = PathBuf::from(fresh);
    let copied = fs::copy(root.path(from), &fresh)
        .and_then(|_| fs::set_permissions(&fresh, fs::Permissions::from_mode(0o755)))
        .and_then(|()| fs::rename(&fresh, &target));
    copied.map_err(|error| {
        // It may not have been made.
        let _ = fs::remove_file(&fresh);
        format!("cannot install {}: {error}", to.display())
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Tree, elf};

    #[test]
    fn kinds() {
        let mut wild = elf(62, 3, b"");
        wild[72..80].fill(0xff);
        for (bytes, expected) in [
            (elf(62, 1, b""), Kind::Static),
            (
                elf(62, 3, b"/lib/ld.so\0"),
                Kind::Dynamic("/lib/ld.so".to_owned()),
            ),
            (elf(183, 1, b""), Kind::NotElf),
            (b"#!/bin/sh\n".to_vec(), Kind::NotElf),
            (b"\x7fELF\x02\x01".to_vec(), Kind::NotElf),
            (wild, Kind::NotElf),
        ] {
            assert_eq!(inspect_elf(&bytes), expected);
        }
    }

    #[test]
    fn files() {
        let tree = Tree::new("emulator");
        let root = tree.root();
        assert_eq!(inspect(&root, Path::new("/usr/bin/none")), Kind::Missing);
        tree.write("/usr/bin/plain", "x");
        assert_eq!(inspect(&root, Path::new("/usr/bin/plain")), Kind::NotExecutable);
        assert_eq!(inspect(&root, Path::new("/usr")), Kind::NotExecutable);
        tree.write("/usr/bin/copy", "... raemu-aarch64 version 0.1");
        tree.write("/usr/bin/raemu-aarch64", "");
        tree.link("raemu-aarch64", "/usr/bin/qemu-aarch64");
        for (path, expected) in [
            ("/usr/bin/plain", false),
            ("/usr/bin/copy", true),
            ("/usr/bin/qemu-aarch64", true),
            ("/usr/bin/qemu-aarch64-static", false),
            ("/gone/raemu-aarch64", true),
            ("/usr/libexec/raemu-binfmt/aarch64-binfmt-P", true),
            ("/usr/libexec/qemu-binfmt/aarch64-binfmt-P", false),
        ] {
            assert_eq!(is_ours(&root, Path::new(path)), expected, "{path}");
        }
    }

    #[test]
    fn the_wrapper_comes_first_under_p() {
        let tree = Tree::new("find");
        let root = tree.root();
        let command = Some(Path::new("/opt/bin/raemu-binfmt"));
        tree.write("/usr/bin/raemu-aarch64", "");
        let find = |preserve| find(&root, command, preserve).expect("found");
        assert_eq!(find(true), Path::new("/usr/bin/raemu-aarch64"));
        tree.write("/usr/libexec/raemu-binfmt/aarch64-binfmt-P", "");
        assert_eq!(
            find(true),
            Path::new("/usr/libexec/raemu-binfmt/aarch64-binfmt-P")
        );
        assert_eq!(find(false), Path::new("/usr/bin/raemu-aarch64"));
        tree.write("/opt/bin/raemu-aarch64", "");
        tree.write("/opt/libexec/raemu-binfmt/aarch64-binfmt-P", "");
        assert_eq!(
            find(true),
            Path::new("/opt/libexec/raemu-binfmt/aarch64-binfmt-P")
        );
        assert_eq!(find(false), Path::new("/opt/bin/raemu-aarch64"));
    }

    #[test]
    fn install_replaces_by_rename() {
        let tree = Tree::new("install");
        let root = tree.root();
        tree.write("/a", "new");
        tree.write("/b", "old");
        let held = fs::File::open(root.path("/b")).expect("written");
        install(&root, Path::new("/a"), Path::new("/b")).expect("installed");
        assert_eq!(root.read("/b").expect("there"), "new");
        assert_eq!(std::io::read_to_string(held).expect("open"), "old");
        let error = install(&root, Path::new("/a"), Path::new("/none/b")).expect_err("no directory");
        assert!(error.starts_with("cannot install /none/b: "), "{error}");
    }
}
