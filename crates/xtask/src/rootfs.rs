//! `cargo xtask rootfs`: root file systems of the host's own Debian or Ubuntu release, for arm64 and for amd64.
//!
//! Packages are downloaded with a private apt, verified by it as usual, and only unpacked: no maintainer script and
//! no arm64 instruction runs, so neither an emulator nor root is needed. Both trees hold the same package versions;
//! the amd64 one says what the right output of a program is.

use std::collections::HashMap;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use crate::apt::{Apt, Distribution};
use crate::report::{note, step};
use crate::shell::{capture, command, run as run_command, workspace};

/// What the tests run. Dependencies come along by themselves.
#[rustfmt::skip]
const PACKAGES: &[&str] = &[
    "apt", "base-files", "bash", "bc", "binutils", "bzip2", "coreutils", "dash", "debianutils", "diffutils", "dpkg",
    "file", "findutils", "gawk", "gcc", "gdb", "git", "grep", "gzip", "libc-bin", "libc6-dev", "make", "openssl", "perl",
    "python3", "sed", "sqlite3", "strace", "tar", "tzdata", "util-linux", "xz-utils", "zlib1g", "zstd",
];

/// Links that update-alternatives would make in maintainer scripts.
const ALTERNATIVES: &[(&str, &str)] = &[
    ("usr/bin/awk", "gawk"),
    ("usr/bin/cc", "gcc"),
    ("usr/bin/which", "which.debianutils"),
];

/// Raise when the tree's contents change for another reason than the list of packages.
const LAYOUT: u32 = 1;

/// The directory that holds the trees: `RAEMU_ROOTFS`, or `rootfs/` of the workspace.
pub fn base() -> PathBuf {
    match std::env::var_os("RAEMU_ROOTFS") {
        Some(dir) => PathBuf::from(dir),
        None => workspace().join("rootfs"),
    }
}

/// The tree of one architecture.
pub fn tree(arch: &str) -> Result<PathBuf, String> {
    Ok(base().join(format!("{}-{arch}", Distribution::of_host()?.codename)))
}

/// Builds what is missing.
pub fn run() -> Result<(), String> {
    let distribution = Distribution::of_host()?;
    let mut lists = Vec::new();
    for arch in ["arm64", "amd64"] {
        lists.push(build(arch, &distribution)?);
    }
    for (package, versions) in differences(&lists[0], &lists[1]) {
        note(&format!(
            "warning: {package} is {versions} (arm64, amd64) on this mirror at the moment"
        ));
    }
    Ok(())
}

/// Packages that both trees have in different versions. Some exist for one architecture only, which is no matter.
fn differences<'a>(arm64: &'a str, amd64: &'a str) -> Vec<(&'a str, String)> {
    let amd64: HashMap<&str, &str> = amd64.lines().filter_map(|line| line.split_once(' ')).collect();
    let mut found = Vec::new();
    for (package, version) in arm64.lines().filter_map(|line| line.split_once(' ')) {
        match amd64.get(package) {
            Some(other) if *other != version => found.push((package, format!("{version}, {other}"))),
            Some(_) | None => {}
        }
    }
    found
}

/// Builds one tree unless its stamp is current; returns its sorted list of packages and versions.
fn build(arch: &str, distribution: &Distribution) -> Result<String, String> {
    let tree = base().join(format!("{}-{arch}", distribution.codename));
    let stamp = tree.join(".raemu-rootfs");
    let header = format!("layout {LAYOUT}: {}\n", PACKAGES.join(" "));
    if let Ok(text) = fs::read_to_string(&stamp)
        && let Some(list) = text.strip_prefix(&header)
    {
        note(&format!("{} is up to date", tree.display()));
        return Ok(list.to_string());
    }
    let work = base().join(format!("{}-{arch}.work", distribution.codename));
    let files = step(&format!("rootfs: downloading {arch} packages with apt"), || {
        Apt::new(&work, arch, distribution)?.download(PACKAGES)
    })?;
    let list = step(
        &format!(
            "rootfs: unpacking {} packages into {}",
            files.len(),
            tree.display()
        ),
        || {
            let unfinished = work.join("tree");
            remove(&unfinished)?;
            let list = unpack(&files, &unfinished, arch)?;
            write(&unfinished, ".raemu-rootfs", &format!("{header}{list}"))?;
            remove(&tree)?;
            fs::rename(&unfinished, &tree).map_err(|e| format!("{}: {e}", tree.display()))?;
            Ok(list)
        },
    )?;
    remove(&work)?;
    Ok(list)
}

fn unpack(files: &[PathBuf], root: &Path, arch: &str) -> Result<String, String> {
    create_directories(root, arch)?;
    let mut list = Vec::new();
    let mut status = String::new();
    for (index, file) in files.iter().enumerate() {
        let name = file.file_name().unwrap_or_default().to_string_lossy();
        if index % 20 == 0 {
            note(&format!("{}/{}: {name}", index + 1, files.len()));
        }
        unpack_one(file, root)?;
        let control = capture(command("dpkg-deb", ["--field".as_ref(), file.as_os_str()]))?;
        list.push(identity(&control));
        status.push_str(&installed(&control));
    }
    finish(root, &status)?;
    list.sort();
    Ok(list.concat())
}

/// The merged-/usr layout, which packages expect to find.
fn create_directories(root: &Path, arch: &str) -> Result<(), String> {
    for dir in [
        "usr/bin",
        "usr/sbin",
        "usr/lib",
        "dev",
        "proc",
        "sys",
        "tmp",
        "root",
        "var/lib/dpkg/info",
        "etc",
    ] {
        fs::create_dir_all(root.join(dir)).map_err(|e| format!("{dir}: {e}"))?;
    }
    let mut links = vec!["bin", "sbin", "lib"];
    if arch == "amd64" {
        fs::create_dir_all(root.join("usr/lib64")).map_err(|e| format!("usr/lib64: {e}"))?;
        links.push("lib64");
    }
    for link in links {
        symlink(format!("usr/{link}"), root.join(link)).map_err(|e| format!("{link}: {e}"))?;
    }
    Ok(())
}

/// `dpkg-deb -x` would replace the links of merged /usr by directories, so tar unpacks.
fn unpack_one(file: &Path, root: &Path) -> Result<(), String> {
    const SCRIPT: &str = "set -e; dpkg-deb --fsys-tarfile \"$1\" | \
        tar -C \"$2\" -xf - --keep-directory-symlink --no-same-owner --delay-directory-restore";
    let mut command = command("sh", ["-c", SCRIPT, "sh"]);
    command.arg(file).arg(root);
    run_command(command)
}

fn field<'a>(control: &'a str, name: &str) -> &'a str {
    control
        .lines()
        .find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
        .unwrap_or_default()
}

/// `name version`, without the suffix of a rebuild, which may differ by architecture.
fn identity(control: &str) -> String {
    let version = field(control, "Version");
    let source_version = version.rsplit_once("+b").map_or(version, |(before, _)| before);
    let name = field(control, "Package");
    // Cross-architecture names: gcc's own back ends carry the triplet.
    format!(
        "{} {source_version}\n",
        name.replace("-aarch64-", "-").replace("-x86-64-", "-")
    )
}

/// The package's entry in dpkg's status file.
fn installed(control: &str) -> String {
    let mut entry = String::new();
    for line in control.lines() {
        entry.push_str(line);
        entry.push('\n');
        if line.starts_with("Package: ") {
            entry.push_str("Status: install ok installed\n");
        }
    }
    entry.push('\n');
    entry
}

/// What maintainer scripts would have left behind, as far as programs need it.
fn finish(root: &Path, status: &str) -> Result<(), String> {
    write(root, "var/lib/dpkg/status", status)?;
    write(
        root,
        "etc/passwd",
        "root:x:0:0:root:/root:/bin/bash\nnobody:x:65534:65534:nobody:/:/bin/false\n",
    )?;
    write(root, "etc/group", "root:x:0:\nnogroup:x:65534:\n")?;
    write(
        root,
        "etc/nsswitch.conf",
        "passwd: files\ngroup: files\nhosts: files\n",
    )?;
    write(root, "etc/hosts", "127.0.0.1 localhost\n::1 localhost\n")?;
    write(root, "etc/hostname", "raemu\n")?;
    for (link, to) in ALTERNATIVES {
        let path = root.join(link);
        if path.symlink_metadata().is_err() {
            symlink(to, &path).map_err(|e| format!("{link}: {e}"))?;
        }
    }
    Ok(())
}

fn write(root: &Path, name: &str, text: &str) -> Result<(), String> {
    fs::write(root.join(name), text).map_err(|e| format!("{name}: {e}"))
}

fn remove(path: &Path) -> Result<(), String> {
    match fs::remove_dir_all(path) {
        Err(e) if e.kind() != std::io::ErrorKind::NotFound => Err(format!("{}: {e}", path.display())),
        Ok(()) | Err(_) => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identity_drops_triplet_and_rebuild() {
        let control = "Package: binutils-x86-64-linux-gnu\nVersion: 2.40-2+b1\n";
        assert_eq!(identity(control), "binutils-linux-gnu 2.40-2\n");
    }

    #[test]
    fn differences_compare_common_packages() {
        let found = differences("a 1\nb 2\nonly-here 1\n", "a 1\nb 3\nonly-there 1\n");
        assert_eq!(found, [("b", "2, 3".to_string())]);
    }

    #[test]
    fn installed_adds_the_status_after_the_name() {
        let entry = installed("Package: bc\nVersion: 1\nDescription: x\n more\n");
        assert_eq!(
            entry,
            "Package: bc\nStatus: install ok installed\nVersion: 1\nDescription: x\n more\n\n"
        );
    }
}
