//! What is to be known before anything can be said: gathered once, then judged by `doctor` and printed by `status`.

use crate::emulator::{self, Kind};
use crate::entry::Entry;
use crate::fs::{Mount, Root};
use crate::persist;
use crate::probe::{self, Outcome};
use std::path::PathBuf;

/// Who sees the mount of binfmt_misc.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// The first process does, and with it the machine or container.
    Shared,
    /// This mount namespace alone.
    MountNamespace,
    /// A user namespace that has entries of its own.
    UserNamespace,
    /// Nothing is mounted, or /proc does not tell.
    Unknown,
}

/// The runs of the tiny program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proof {
    pub direct: Outcome,
    pub chroot: Outcome,
}

/// All that was found.
#[derive(Clone, Debug)]
pub struct Facts {
    pub name: String,
    pub release: String,
    pub kernel_support: bool,
    pub mount_point: PathBuf,
    pub mount: Option<Mount>,
    pub mounted: bool,
    /// `status`: all entries are disabled at once otherwise.
    pub enabled: bool,
    pub scope: Scope,
    /// Entries that take arm64 programs, the newest first, and whether their interpreter is ours.
    pub entries: Vec<(Entry, bool)>,
    /// The entry to be judged, as an index: the one of our name, another of ours, or the one that the kernel takes.
    pub subject: Option<usize>,
    /// What the subject's interpreter is.
    pub interpreter: Option<Kind>,
    /// A file that registers the entry at boot.
    pub configured: Option<PathBuf>,
    pub proof: Option<Proof>,
}

impl Facts {
    /// Looks at everything; `prove` runs the tiny program too.
    pub fn gather(root: &Root, name: &str, prove: bool) -> Facts {
        // First of all, because it triggers an automount.
        let status = root.status();
        let mounted = root.is_mounted();
        let mount = root.top_mount("self").ok().flatten();
        let entries: Vec<(Entry, bool)> = root
            .entries()
            .unwrap_or_default()
            .into_iter()
            .filter(Entry::takes_arm64)
            .map(|entry| {
                let ours = emulator::owns(root, &entry);
                (entry, ours)
            })
            .collect();
        let subject = subject(&entries, name);
        let interpreter = subject.map(|index| emulator::inspect(root, &entries[index].0.interpreter));
        let proof = (prove && root.is_real()).then(|| Proof {
            direct: probe::run(false),
            chroot: probe::run(true),
        });
        Facts {
            name: name.to_owned(),
            release: root
                .read("/proc/sys/kernel/osrelease")
                .map_or_else(|_| "of unknown version".to_owned(), |text| text.trim().to_owned()),
            kernel_support: mounted || root.kernel_has_binfmt_misc(),
            mount_point: root.mount_point().to_owned(),
            scope: scope(root, mounted, mount.as_ref()),
            mount,
            mounted,
            enabled: status.is_ok_and(|text| text == "enabled"),
            entries,
            subject,
            interpreter,
            configured: persist::configured(root, name),
            proof,
        }
    }

    /// The entry that the kernel gives arm64 programs to.
    pub fn winner(&self) -> Option<usize> {
        let first = self.entries.iter().position(|(entry, _)| entry.enabled);
        first.filter(|_| self.enabled)
    }

    /// The entry to be judged, and whether it is ours.
    pub fn subject(&self) -> Option<&(Entry, bool)> {
        self.subject.map(|index| &self.entries[index])
    }

    /// An enabled entry that comes before the subject.
    pub fn shadow(&self) -> Option<&Entry> {
        let before = &self.entries[..self.subject?];
        before.iter().map(|(entry, _)| entry).find(|entry| entry.enabled)
    }

    /// Major and minor version.
    pub fn kernel(&self) -> Option<(u32, u32)> {
        version(&self.release)
    }
}

/// Major and minor version of a release such as `6.1.0-32-amd64`.
pub fn version(release: &str) -> Option<(u32, u32)> {
    let mut numbers = release.split(|c: char| !c.is_ascii_digit());
    Some((numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?))
}

fn subject(entries: &[(Entry, bool)], name: &str) -> Option<usize> {
    let position = |wanted: &dyn Fn(&(Entry, bool)) -> bool| entries.iter().position(wanted);
    position(&|(entry, ours)| *ours && entry.name == name)
        .or_else(|| position(&|(entry, ours)| *ours && entry.enabled))
        .or_else(|| position(&|(_, ours)| *ours))
        .or_else(|| position(&|(entry, _)| entry.enabled))
        .or_else(|| position(&|_| true))
}

fn scope(root: &Root, mounted: bool, mount: Option<&Mount>) -> Scope {
    let Some(mount) = mount.filter(|mount| mounted && mount.kind == "binfmt_misc") else {
        return Scope::Unknown;
    };
    let Ok(others) = root.mounts("1") else {
        return Scope::Unknown;
    };
    if others.iter().any(|other| other.device == mount.device) {
        return Scope::Shared;
    }
    let map = root.read("/proc/self/uid_map").unwrap_or_default();
    let whole = map.split_whitespace().eq(["0", "0", "4294967295"]);
    if whole {
        Scope::MountNamespace
    } else {
        Scope::UserNamespace
    }
}
