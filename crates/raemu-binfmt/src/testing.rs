//! A fake tree for unit tests: a directory that stands for `/`, with a binfmt_misc of plain files.

use crate::fs::{MOUNT_POINT, Root};
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

pub struct Tree(PathBuf);

impl Tree {
    pub fn new(name: &str) -> Tree {
        let dir = std::env::temp_dir().join(format!("raemu-binfmt-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&dir);
        fs::create_dir_all(&dir).expect("a writable temporary directory");
        Tree(dir)
    }

    /// The same with an enabled binfmt_misc that PID 1 sees too.
    pub fn mounted(name: &str) -> Tree {
        let tree = Tree::new(name);
        let line = format!("42 22 0:39 / {MOUNT_POINT} rw,relatime - binfmt_misc binfmt_misc rw\n");
        tree.write("/proc/self/mountinfo", &line);
        tree.write("/proc/1/mountinfo", &line);
        tree.write("/proc/self/uid_map", "0 0 4294967295\n");
        tree.write("/proc/filesystems", "nodev\tbinfmt_misc\n");
        tree.write("/proc/sys/kernel/osrelease", "6.18.1\n");
        tree.write(&format!("{MOUNT_POINT}/status"), "enabled\n");
        tree.write(&format!("{MOUNT_POINT}/register"), "");
        tree
    }

    pub fn root(&self) -> Root {
        Root::at(&self.0)
    }

    pub fn write(&self, path: &str, text: &str) {
        let file = self.root().path(path);
        fs::create_dir_all(file.parent().expect("an absolute path")).expect("writable");
        fs::write(file, text).expect("writable");
    }

    /// Removes a file or a directory.
    pub fn remove(&self, path: &str) {
        let path = self.root().path(path);
        let removed = if path.is_dir() {
            fs::remove_dir_all(path)
        } else {
            fs::remove_file(path)
        };
        removed.expect("it is there");
    }

    /// An x86-64 executable, `static` or `dynamic`.
    pub fn program(&self, path: &str, kind: &str) {
        let kind = if kind == "dynamic" { 3 } else { 1 };
        self.write(path, "");
        let file = self.root().path(path);
        fs::write(&file, elf(62, kind, b"/lib/ld.so\0")).expect("writable");
        fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).expect("own file");
    }

    pub fn link(&self, target: &str, path: &str) {
        std::os::unix::fs::symlink(target, self.root().path(Path::new(path))).expect("writable");
    }

    /// An arm64 entry of this age in seconds.
    pub fn entry(&self, name: &str, interpreter: &str, flags: &str, age: u64) {
        let path = format!("{MOUNT_POINT}/{name}");
        let text = format!(
            "enabled\ninterpreter {interpreter}\nflags: {flags}\noffset 0\n\
             magic 7f454c460201010000000000000000000200b700\nmask ffffffffffffff00fffffffffffffffffeffffff\n"
        );
        self.write(&path, &text);
        let file = fs::File::options()
            .write(true)
            .open(self.root().path(&path))
            .expect("written");
        let time = std::time::SystemTime::now() - std::time::Duration::from_secs(age);
        file.set_modified(time).expect("own file");
    }
}

/// An ELF header of 64 bytes and one program header, for `tail`.
pub fn elf(machine: u16, kind: u32, tail: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0; 120];
    bytes[..6].copy_from_slice(b"\x7fELF\x02\x01");
    bytes[18..20].copy_from_slice(&machine.to_le_bytes());
    bytes[32] = 64;
    bytes[54] = 56;
    bytes[56] = 1;
    bytes[64..68].copy_from_slice(&kind.to_le_bytes());
    bytes[72] = 120;
    bytes[96] = u8::try_from(tail.len()).expect("a short one");
    bytes.extend(tail);
    bytes
}

impl Drop for Tree {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}
