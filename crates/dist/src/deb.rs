//! The Debian packages: raemu-aarch64, and raemu-qemu-compat with the names that qemu's package has.
//!
//! raemu-aarch64 shares no file with qemu-user-static and installs beside it. raemu-qemu-compat takes its place: it
//! conflicts with it, and holds links and an entry under its names. dpkg-deb writes the files; times are clamped to
//! SOURCE_DATE_EPOCH and owners are root.

use crate::layout::{self, Generated};
use crate::release::{Release, capture};
use crate::tree::{Tree, gzip};
use raemu_binfmt::entry::{Flags, Registration};
use raemu_binfmt::persist::conf_text;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

const COMMON: &str = include_str!("../debian/common.sh");
const SCRIPTS: [(&str, &str); 3] = [
    ("postinst", include_str!("../debian/postinst.sh")),
    ("prerm", include_str!("../debian/prerm.sh")),
    ("postrm", include_str!("../debian/postrm.sh")),
];
const COPYRIGHT: &str = include_str!("../debian/copyright");
const OVERRIDES: &str = include_str!("../debian/overrides");
const DOCUMENTS: &str = "usr/share/doc/raemu-aarch64";

/// Who answers for the packages; DEBFULLNAME and DEBEMAIL, as Debian's tools read them, replace it.
const MAINTAINER: (&str, &str) = ("raemu-aarch64 authors", "authors@raemu-aarch64.invalid");

/// What the two packages differ in.
pub struct Package {
    pub name: &'static str,
    /// Name of the binfmt_misc entry.
    entry: &'static str,
    interpreter: &'static str,
    relations: &'static str,
    description: &'static str,
}

pub const MAIN: Package = Package {
    name: "raemu-aarch64",
    entry: "raemu-aarch64",
    interpreter: "/usr/libexec/raemu-binfmt/aarch64-binfmt-P",
    relations: "Recommends: systemd | binfmt-support\nSuggests: debootstrap\n",
    description: "\
run arm64 programs on amd64
 raemu-aarch64 runs programs for Linux on AArch64 (arm64) on amd64 machines: one
 static executable, with a just-in-time compiler for this pair of
 architectures. Its options and variables are those of qemu-aarch64.
 .
 The package registers it with the kernel (binfmt_misc), so that arm64 programs
 just run, in chroots and containers too. It can be installed beside
 qemu-user-static and then runs arm64 programs in its place; the package
 raemu-qemu-compat provides its names.
",
};

pub const COMPAT: Package = Package {
    name: "raemu-qemu-compat",
    entry: "qemu-aarch64",
    interpreter: "/usr/libexec/qemu-binfmt/aarch64-binfmt-P",
    relations: "\
Provides: qemu-user, qemu-user-binfmt, qemu-user-static
Conflicts: qemu-user, qemu-user-binfmt, qemu-user-static
Replaces: qemu-user, qemu-user-binfmt, qemu-user-static
",
    description: "\
qemu's names for raemu-aarch64
 For scripts that name qemu's files: links qemu-aarch64, qemu-aarch64-static and
 qemu-arm64 to raemu-aarch64, and the binfmt_misc entry qemu-aarch64.
 .
 It takes the place of qemu-user-static, for arm64 alone: other architectures
 that qemu-user-static runs do not run any more.
",
};

impl Package {
    fn registration(&self) -> Registration {
        Registration {
            name: self.entry.to_owned(),
            interpreter: PathBuf::from(self.interpreter),
            flags: Flags::parse("POCF"),
        }
    }

    /// What registers at boot, by systemd-binfmt and by update-binfmts.
    fn add_registration(&self, tree: &mut Tree) -> Result<(), String> {
        let registration = self.registration();
        let conf = conf_text(&registration)?;
        // Without the heading, which says that a command wrote it.
        let line = conf.lines().last().unwrap_or_default();
        tree.file(
            &format!("usr/lib/binfmt.d/{}.conf", self.entry),
            format!("# arm64 programs, by {}.\n{line}\n", self.name),
        );
        tree.file(
            &format!("usr/share/binfmts/{}", self.entry),
            registration.update_binfmts_file(self.name),
        );
        Ok(())
    }

    fn script(&self, body: &str) -> String {
        let text = format!("#!/bin/sh\nset -e\n\n{COMMON}\n{body}");
        text.replace("@PACKAGE@", self.name)
            .replace("@ENTRY@", self.entry)
            .replace("@INTERPRETER@", self.interpreter)
    }
}

/// Writes both packages into `out`.
pub fn make(release: &Release, generated: &Generated, out: &Path) -> Result<[PathBuf; 2], String> {
    Ok([
        write(release, &MAIN, main_tree(release, generated)?, out)?,
        write(release, &COMPAT, compat_tree(release)?, out)?,
    ])
}

fn main_tree(release: &Release, generated: &Generated) -> Result<Tree, String> {
    let mut tree = layout::programs(release)?.below("usr");
    tree.merge(generated.completions("vendor-completions").below("usr"));
    for page in &generated.pages {
        tree.compressed(&format!("usr/{}", page.path), &page.source)?;
    }
    for (name, bytes) in layout::documents(release)?.files() {
        // Policy 12.3: long documents are compressed.
        let path = format!("{DOCUMENTS}/{name}");
        match bytes.len() > 4096 {
            true => tree.file(&format!("{path}.gz"), gzip(bytes)?),
            false => tree.file(&path, bytes),
        }
    }
    tree.file(&format!("{DOCUMENTS}/copyright"), copyright(release)?);
    tree.compressed(&format!("{DOCUMENTS}/changelog"), &changelog(release, &MAIN)?)?;
    tree.file(
        "usr/share/lintian/overrides/raemu-aarch64",
        OVERRIDES.replace("@PACKAGE@", MAIN.name),
    );
    MAIN.add_registration(&mut tree)?;
    Ok(tree)
}

fn compat_tree(release: &Release) -> Result<Tree, String> {
    let mut tree = Tree::default();
    for name in ["qemu-aarch64", "qemu-aarch64-static", "qemu-arm64"] {
        tree.link(&format!("usr/bin/{name}"), "raemu-aarch64");
        tree.link(&format!("usr/share/man/man1/{name}.1.gz"), "raemu-aarch64.1.gz");
    }
    tree.link(
        COMPAT.interpreter.trim_start_matches('/'),
        "../../bin/raemu-aarch64",
    );
    let documents = format!("usr/share/doc/{}", COMPAT.name);
    tree.file(&format!("{documents}/copyright"), copyright(release)?);
    tree.compressed(&format!("{documents}/changelog"), &changelog(release, &COMPAT)?)?;
    COMPAT.add_registration(&mut tree)?;
    Ok(tree)
}

/// Control files, then dpkg-deb.
fn write(release: &Release, package: &Package, tree: Tree, out: &Path) -> Result<PathBuf, String> {
    let mut whole = tree.clone();
    whole.file("DEBIAN/control", control(release, package, &tree));
    for (name, body) in SCRIPTS {
        whole.program(&format!("DEBIAN/{name}"), package.script(body));
    }
    let name = format!("{}_{}_amd64", package.name, release.version);
    let staging = out.join(format!(".{name}"));
    let deb = out.join(format!("{name}.deb"));
    remove(&staging)?;
    fs::create_dir_all(&staging).map_err(|e| format!("{}: {e}", staging.display()))?;
    whole.write(&staging)?;
    mode(&staging, 0o755)?;
    let mut md5sum = Command::new("md5sum");
    md5sum
        .args(tree.files().map(|(path, _)| path))
        .current_dir(&staging);
    let sums = staging.join("DEBIAN/md5sums");
    fs::write(&sums, capture(md5sum)?).map_err(|e| format!("{}: {e}", sums.display()))?;
    mode(&sums, 0o644)?;
    let mut dpkg_deb = Command::new("dpkg-deb");
    dpkg_deb
        .args(["--root-owner-group", "-Zxz", "--build"])
        .arg(&staging)
        .arg(&deb)
        .env("SOURCE_DATE_EPOCH", release.time.to_string());
    capture(dpkg_deb)?;
    remove(&staging)?;
    Ok(deb)
}

/// What the umask would decide.
fn mode(path: &Path, mode: u32) -> Result<(), String> {
    fs::set_permissions(path, fs::Permissions::from_mode(mode))
        .map_err(|e| format!("{}: {e}", path.display()))
}

fn remove(directory: &Path) -> Result<(), String> {
    match directory.exists() {
        true => fs::remove_dir_all(directory).map_err(|e| format!("{}: {e}", directory.display())),
        false => Ok(()),
    }
}

fn maintainer() -> String {
    let variable = |name, default: &str| std::env::var(name).unwrap_or_else(|_| default.to_owned());
    let name = variable("DEBFULLNAME", MAINTAINER.0);
    let address = variable("DEBEMAIL", MAINTAINER.1);
    format!("{name} <{address}>")
}

fn control(release: &Release, package: &Package, tree: &Tree) -> String {
    let depends = match package.name == MAIN.name {
        true => String::new(),
        false => format!("Depends: {} (= {})\n", MAIN.name, release.version),
    };
    format!(
        "Package: {}\nVersion: {}\nArchitecture: amd64\nMaintainer: {}\nInstalled-Size: {}\n{depends}{}\
         Section: otherosfs\nPriority: optional\nMulti-Arch: foreign\nDescription: {}",
        package.name,
        release.version,
        maintainer(),
        tree.installed_size(),
        package.relations,
        package.description,
    )
}

fn changelog(release: &Release, package: &Package) -> Result<String, String> {
    Ok(format!(
        "{} ({}) unstable; urgency=medium\n\n  * Packages made by cargo xtask dist.\n\n -- {}  {}\n",
        package.name,
        release.version,
        maintainer(),
        release.date("+%a, %d %b %Y %H:%M:%S +0000")?
    ))
}

fn copyright(release: &Release) -> Result<String, String> {
    let mit = release.text("LICENSE-MIT")?;
    let lines = mit.trim().lines().map(|line| match line.trim() {
        "" => " .".to_owned(),
        line => format!(" {line}"),
    });
    Ok(COPYRIGHT
        .replace("@MIT@", &lines.collect::<Vec<_>>().join("\n"))
        .replace("@YEAR@", &release.date("+%Y")?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scripts_have_no_placeholder_left() {
        for package in [&MAIN, &COMPAT] {
            for (name, body) in SCRIPTS {
                let script = package.script(body);
                assert!(!script.contains('@'), "{name}: {script}");
            }
        }
    }

    #[test]
    fn both_files_for_boot_name_the_link() {
        let mut tree = Tree::default();
        COMPAT.add_registration(&mut tree).expect("a valid entry");
        let files: Vec<(&str, String)> = tree
            .files()
            .map(|(path, bytes)| (path, String::from_utf8_lossy(bytes).into_owned()))
            .collect();
        assert_eq!(files[0].0, "usr/lib/binfmt.d/qemu-aarch64.conf");
        let line = files[0].1.lines().last().unwrap_or_default();
        assert!(line.starts_with(":qemu-aarch64:M::\\x7f\\x45"), "{line}");
        assert!(
            line.ends_with(":/usr/libexec/qemu-binfmt/aarch64-binfmt-P:POCF"),
            "{line}"
        );
        assert_eq!(files[1].0, "usr/share/binfmts/qemu-aarch64");
        assert!(
            files[1]
                .1
                .starts_with("package raemu-qemu-compat\ninterpreter /usr/libexec/qemu-binfmt/")
        );
    }
}
