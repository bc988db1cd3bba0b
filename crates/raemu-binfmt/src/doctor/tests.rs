//! The rows on fake trees.

use super::*;
use crate::fs::MOUNT_POINT;
use crate::testing::Tree;

/// A tree in which all is well.
fn sound(name: &str) -> Tree {
    let tree = Tree::mounted(name);
    tree.program("/usr/bin/raemu-aarch64", "static");
    tree.entry("raemu-aarch64", "/usr/bin/raemu-aarch64", "POCF", 10);
    tree
}

/// What is done to a sound tree.
type Change = fn(&Tree);

/// The change -> the findings. The kernel's own states are in tests/states.txt.
const CASES: &[(Change, &[&str])] = &[
    (|_| {}, &[]),
    (
        |tree| {
            tree.remove(MOUNT_POINT);
            tree.write("/proc/self/mountinfo", "");
            tree.write("/proc/filesystems", "nodev\tproc\n");
        },
        &["no-kernel-support"],
    ),
    (
        |tree| {
            tree.remove(MOUNT_POINT);
            tree.write("/proc/self/mountinfo", "");
        },
        &["not-mounted"],
    ),
    (
        // A module counts as support.
        |tree| {
            tree.remove(MOUNT_POINT);
            tree.write("/proc/self/mountinfo", "");
            tree.write("/proc/filesystems", "");
            tree.write(
                "/lib/modules/6.18.1/modules.dep",
                "kernel/fs/binfmt_misc.ko.xz:\n",
            );
        },
        &["not-mounted"],
    ),
    (
        |tree| {
            tree.remove(MOUNT_POINT);
            let line = format!("30 22 0:31 / {MOUNT_POINT} rw,relatime - autofs systemd-1 rw,direct\n");
            tree.write("/proc/self/mountinfo", &line);
        },
        &["autofs"],
    ),
    (
        // An automount that was triggered has two mounts, the upper one counts.
        |tree| {
            let lines = format!(
                "30 22 0:31 / {MOUNT_POINT} rw - autofs systemd-1 rw,direct\n\
                     42 30 0:39 / {MOUNT_POINT} rw - binfmt_misc binfmt_misc rw\n"
            );
            tree.write("/proc/self/mountinfo", &lines);
            tree.write("/proc/1/mountinfo", &lines);
        },
        &[],
    ),
    (|tree| tree.write("/proc/1/mountinfo", ""), &["private-mount"]),
    (
        |tree| {
            tree.write("/proc/1/mountinfo", "");
            tree.write("/proc/self/uid_map", "0 1000 1\n");
        },
        &["own-entries"],
    ),
    (
        |tree| tree.write(&format!("{MOUNT_POINT}/status"), "disabled\n"),
        &["all-disabled"],
    ),
    (
        |tree| {
            tree.remove(&format!("{MOUNT_POINT}/raemu-aarch64"));
            tree.write(
                "/usr/lib/binfmt.d/raemu-aarch64.conf",
                ":raemu-aarch64:M::x::/a:\n",
            );
        },
        &["erased", "no-entry"],
    ),
    (
        |tree| tree.remove(&format!("{MOUNT_POINT}/raemu-aarch64")),
        &["no-entry"],
    ),
    (
        |tree| {
            tree.remove(&format!("{MOUNT_POINT}/raemu-aarch64"));
            tree.entry("qemu-aarch64", "/usr/bin/qemu", "POCF", 1);
            tree.program("/usr/bin/qemu", "static");
        },
        &["another-emulator"],
    ),
    (
        |tree| tree.entry("qemu-aarch64", "/usr/bin/qemu", "F", 1),
        &["shadowed"],
    ),
    (|tree| tree.entry("qemu-aarch64", "/usr/bin/qemu", "F", 20), &[]),
    (
        |tree| tree.entry("raemu-aarch64", "/usr/bin/raemu-aarch64", "", 1),
        &["no-F", "no-C", "no-P"],
    ),
    (
        |tree| tree.write("/proc/sys/kernel/osrelease", "5.10.0-30-amd64\n"),
        &["P-untold"],
    ),
    (
        |tree| {
            let path = "/usr/libexec/raemu-binfmt/aarch64-binfmt-P";
            tree.write("/proc/sys/kernel/osrelease", "5.10.0-30-amd64\n");
            tree.program(path, "static");
            tree.entry("raemu-aarch64", path, "POCF", 1);
        },
        &[],
    ),
    (
        |tree| {
            let path = "/usr/libexec/raemu-binfmt/aarch64-binfmt-P";
            tree.program(path, "static");
            tree.entry("raemu-aarch64", path, "OCF", 1);
        },
        &["no-P", "P-mistaken"],
    ),
    (
        |tree| tree.remove("/usr/bin/raemu-aarch64"),
        &["interpreter-gone"],
    ),
    (
        |tree| tree.entry("raemu-aarch64", "/none", "POC", 1),
        &["no-F", "interpreter-missing"],
    ),
    (
        |tree| tree.write("/usr/bin/raemu-aarch64", "no program"),
        // The mode bits of an existing file stay.
        &["interpreter-no-elf"],
    ),
    (
        |tree| {
            tree.remove("/usr/bin/raemu-aarch64");
            tree.write("/usr/bin/raemu-aarch64", "");
        },
        &["interpreter-not-executable"],
    ),
    (
        |tree| tree.program("/usr/bin/raemu-aarch64", "dynamic"),
        &["interpreter-dynamic"],
    ),
];

#[test]
fn states_of_a_tree() {
    for (index, (change, expected)) in CASES.iter().enumerate() {
        let tree = sound(&format!("doctor-{index}"));
        change(&tree);
        let facts = Facts::gather(&tree.root(), "raemu-aarch64", true);
        let found: Vec<&str> = findings(&facts).iter().map(|finding| finding.id).collect();
        assert_eq!(found, *expected, "case {index}");
        let (text, works) = report(&facts);
        let only_notes = findings(&facts)
            .iter()
            .all(|finding| finding.level == Level::Note);
        assert_eq!(works, only_notes, "case {index}");
        assert_eq!(text.contains("all works"), works, "case {index}: {text}");
    }
}

/// How the runs of the tiny program ended -> the finding.
#[test]
fn proofs() {
    let fails = || Outcome::Fails("why".to_owned());
    let untried = || Outcome::Untried("why".to_owned());
    for (direct, chroot, expected) in [
        (Outcome::Works, Outcome::Works, None),
        (
            fails(),
            fails(),
            Some("does-not-run: a tiny arm64 program does not run: why\n"),
        ),
        (
            Outcome::Works,
            fails(),
            Some("does-not-run-in-chroot: a tiny arm64 program runs here, but not in an empty chroot: why\n"),
        ),
        (
            Outcome::Works,
            untried(),
            Some("not-tried: note: a tiny arm64 program was not tried in an empty chroot: why\n"),
        ),
    ] {
        let tree = sound("proofs");
        let mut facts = Facts::gather(&tree.root(), "raemu-aarch64", false);
        facts.proof = Some(Proof { direct, chroot });
        let lines: Vec<String> = findings(&facts).iter().map(line).collect();
        assert_eq!(lines, Vec::from_iter(expected));
    }
}

#[test]
fn each_text_takes_its_subject_once() {
    for row in ROWS {
        assert_eq!(row.text.matches("{}").count(), 1, "{}", row.id);
        assert_eq!(
            ROWS.iter().filter(|other| other.id == row.id).count(),
            1,
            "{}",
            row.id
        );
    }
}
