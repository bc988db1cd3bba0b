//! Where the files are: one root directory that everything is looked up below, `/` but for the tests' fake trees.
//!
//! It finds and mounts binfmt_misc, triggers an automount, and reads the entries newest first.

use crate::entry::Entry;
use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

/// Where binfmt_misc is mounted.
pub const MOUNT_POINT: &str = "/proc/sys/fs/binfmt_misc";

/// f_type of binfmt_misc (BINFMTFS_MAGIC).
const BINFMTFS_MAGIC: i64 = 0x4249_4e4d;

/// All of the file system as this crate sees it.
#[derive(Clone, Debug)]
pub struct Root {
    dir: PathBuf,
    mount_point: PathBuf,
}

/// One line of a mountinfo file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mount {
    /// Major and minor number of the file system: the same for each mount of one instance.
    pub device: String,
    pub kind: String,
}

impl Default for Root {
    fn default() -> Root {
        Root::at("/")
    }
}

impl Root {
    pub fn at(dir: impl Into<PathBuf>) -> Root {
        Root {
            dir: dir.into(),
            mount_point: PathBuf::from(MOUNT_POINT),
        }
    }

    /// The same with binfmt_misc elsewhere.
    pub fn with_mount_point(mut self, mount_point: impl Into<PathBuf>) -> Root {
        self.mount_point = mount_point.into();
        self
    }

    /// Where an absolute path lies.
    pub fn path(&self, absolute: impl AsRef<Path>) -> PathBuf {
        let absolute = absolute.as_ref();
        self.dir.join(absolute.strip_prefix("/").unwrap_or(absolute))
    }

    /// Whether this is the machine's own root directory: nothing else can be run or mounted.
    pub fn is_real(&self) -> bool {
        self.dir == Path::new("/")
    }

    /// The absolute path of binfmt_misc.
    pub fn mount_point(&self) -> &Path {
        &self.mount_point
    }

    /// A file in binfmt_misc.
    pub fn binfmt(&self, name: &str) -> PathBuf {
        self.path(&self.mount_point).join(name)
    }

    pub fn read(&self, absolute: impl AsRef<Path>) -> io::Result<String> {
        fs::read(self.path(absolute)).map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
    }

    /// The text of `status`. To read it makes an automount point mount binfmt_misc.
    pub fn status(&self) -> io::Result<String> {
        fs::read_to_string(self.binfmt("status")).map(|text| text.trim().to_owned())
    }

    pub fn is_mounted(&self) -> bool {
        self.status().is_ok_and(|text| !text.is_empty())
    }

    /// One write(2), as the kernel wants it.
    pub fn write_binfmt(&self, name: &str, text: &str) -> io::Result<()> {
        let mut file = fs::OpenOptions::new().write(true).open(self.binfmt(name))?;
        file.write(text.as_bytes()).map(|_| ())
    }

    /// The mount that is on top at the mount point, as process `who` (`self`, `1`) sees it.
    pub fn top_mount(&self, who: &str) -> io::Result<Option<Mount>> {
        Ok(self.mounts(who)?.pop())
    }

    /// All mounts at the mount point, the last one on top.
    pub fn mounts(&self, who: &str) -> io::Result<Vec<Mount>> {
        let text = self.read(format!("/proc/{who}/mountinfo"))?;
        let point = self.mount_point.to_string_lossy();
        let parse = |line: &str| {
            let (left, right) = line.split_once(" - ")?;
            let mut fields = left.split(' ').skip(2);
            let device = fields.next()?.to_owned();
            (fields.nth(1)? == point).then_some(Mount {
                device,
                kind: right.split(' ').next()?.to_owned(),
            })
        };
        Ok(text.lines().filter_map(parse).collect())
    }

    /// True where the kernel has binfmt_misc, or a module of it that a mount would load.
    pub fn kernel_has_binfmt_misc(&self) -> bool {
        let listed = self
            .read("/proc/filesystems")
            .is_ok_and(|text| text.split_whitespace().any(|word| word == "binfmt_misc"));
        listed || self.module_exists()
    }

    fn module_exists(&self) -> bool {
        let Ok(release) = self.read("/proc/sys/kernel/osrelease") else {
            return false;
        };
        let dir = format!("/lib/modules/{}", release.trim());
        ["modules.dep", "modules.builtin"].iter().any(|list| {
            self.read(format!("{dir}/{list}"))
                .is_ok_and(|text| text.contains("/binfmt_misc.ko"))
        })
    }

    /// Mounts binfmt_misc unless something answers there; true if it had to.
    pub fn mount(&self) -> Result<bool, String> {
        if self.is_mounted() {
            return Ok(false);
        }
        let point = self.mount_point.display();
        if !self.kernel_has_binfmt_misc() && !self.path(&self.mount_point).is_dir() {
            return Err(
                "the kernel has no binfmt_misc (CONFIG_BINFMT_MISC), neither built in nor as a module"
                    .to_owned(),
            );
        }
        if !self.is_real() {
            return Err(format!("binfmt_misc is not mounted at {point}"));
        }
        nix::mount::mount(
            Some("binfmt_misc"),
            &self.mount_point,
            Some("binfmt_misc"),
            nix::mount::MsFlags::empty(),
            None::<&str>,
        )
        .map_err(|errno| format!("cannot mount binfmt_misc at {point}: {}", errno.desc()))?;
        Ok(true)
    }

    /// All entries, the newest first: the order in which the kernel tries them.
    pub fn entries(&self) -> io::Result<Vec<Entry>> {
        let mut found = Vec::new();
        for item in fs::read_dir(self.path(&self.mount_point))? {
            let item = item?;
            let name = item.file_name().to_string_lossy().into_owned();
            if name == "register" || name == "status" {
                continue;
            }
            // One that went meanwhile, or no entry at all.
            let Ok(text) = fs::read(item.path()) else { continue };
            let Some(entry) = Entry::parse(&name, &String::from_utf8_lossy(&text)) else {
                continue;
            };
            found.push((item.metadata().and_then(|data| data.modified()).ok(), entry));
        }
        if !self.lists_newest_first() {
            found.sort_by_key(|(time, _)| std::cmp::Reverse(*time));
        }
        Ok(found.into_iter().map(|(_, entry)| entry).collect())
    }

    /// The kernel adds both an entry and its directory entry at the head of a list, and lists a directory from
    /// there (measured on 6.18; times are too coarse, inode numbers come from a pool per CPU). Any other file
    /// system, as the fake trees', has but the times.
    fn lists_newest_first(&self) -> bool {
        nix::sys::statfs::statfs(&self.path(&self.mount_point))
            .is_ok_and(|info| info.filesystem_type().0 == BINFMTFS_MAGIC)
    }
}
