//! The option sets of other tools: the same options, entries and texts, with our emulator.
//!
//! `raemu-binfmt` takes them where the first argument is none of its commands, or when it is started under the
//! other tool's name.

pub mod multiarch;
pub mod qemu_binfmt_conf;
pub mod tonistiigi;

use crate::contents;
use crate::emulator::{self, Kind};
use crate::fs::Root;
use crate::register::Report;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

/// One of the other tools.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tool {
    QemuBinfmtConf,
    Multiarch,
    Tonistiigi,
}

impl Tool {
    /// By the name that the command was started with.
    pub fn of_name(name: &str) -> Option<Tool> {
        match name {
            "qemu-binfmt-conf.sh" | "qemu-binfmt-conf" => Some(Tool::QemuBinfmtConf),
            "register" | "register.sh" => Some(Tool::Multiarch),
            "binfmt" => Some(Tool::Tonistiigi),
            _ => None,
        }
    }

    /// By the options, of which the first one is an option.
    pub fn of_options(args: &[OsString]) -> Option<Tool> {
        if !args.first()?.to_string_lossy().starts_with('-') {
            return None;
        }
        let names = |tool: &[&str]| {
            args.iter().any(|arg| {
                let text = arg.to_string_lossy();
                let Some(name) = text.strip_prefix('-') else {
                    return false;
                };
                let name = name.trim_start_matches('-').split('=').next();
                name.is_some_and(|name| tool.contains(&name))
            })
        };
        Some(if names(&["install", "uninstall", "mount", "version"]) {
            Tool::Tonistiigi
        } else if names(&["reset"]) {
            Tool::Multiarch
        } else {
            Tool::QemuBinfmtConf
        })
    }
}

/// The interpreter to register where another tool has its own at `path`.
///
/// Without F the path counts, since each chroot has its own file there. With F, the file counts: it becomes ours if
/// there is none yet or an older copy of ours, and another emulator's file is left alone.
pub fn interpreter_at(
    root: &Root,
    command: Option<&Path>,
    path: &Path,
    fix_binary: bool,
    report: &mut Report,
) -> Result<PathBuf, String> {
    if !fix_binary {
        return Ok(path.to_owned());
    }
    let shown = path.display();
    let missing = emulator::inspect(root, path) == Kind::Missing;
    if !missing && !emulator::is_ours(root, path) {
        let ours = emulator::find(root, command, false)?;
        report.warnings.push(format!(
            "{shown} is another emulator: registering {} instead",
            ours.display()
        ));
        return Ok(ours);
    }
    let Ok(ours) = emulator::find(root, command, false) else {
        // It is ours, and the only one; or nothing is anywhere.
        return if missing {
            Err(format!("{shown}: no such file"))
        } else {
            Ok(path.to_owned())
        };
    };
    if !missing && (is_link(&root.path(path)) || same_content(&root.path(&ours), &root.path(path))) {
        return Ok(path.to_owned());
    }
    match emulator::install(root, &ours, path) {
        Ok(()) => {
            let verb = if missing { "installed" } else { "replaced" };
            report.done.push(format!("{verb} {shown}"));
            Ok(path.to_owned())
        }
        Err(why) => {
            report
                .warnings
                .push(format!("{why}: registering {}", ours.display()));
            Ok(ours)
        }
    }
}

fn is_link(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok_and(|data| data.is_symlink())
}

fn same_content(one: &Path, other: &Path) -> bool {
    match (contents::of(one), contents::of(other)) {
        (Ok(one), Ok(other)) => one[..] == other[..],
        (_, _) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Tree;
    use std::os::unix::fs::PermissionsExt as _;

    #[test]
    fn option_sets_are_told_apart() {
        for (line, expected) in [
            ("--reset -p yes", Some(Tool::Multiarch)),
            ("-p yes --reset", Some(Tool::Multiarch)),
            ("-p yes -c yes", Some(Tool::QemuBinfmtConf)),
            ("--systemd ALL --exportdir=/x", Some(Tool::QemuBinfmtConf)),
            ("--install all", Some(Tool::Tonistiigi)),
            ("-install=arm64", Some(Tool::Tonistiigi)),
            ("--uninstall qemu-*", Some(Tool::Tonistiigi)),
            ("--version", Some(Tool::Tonistiigi)),
            ("registre", None),
            ("", None),
        ] {
            let args: Vec<OsString> = line.split_whitespace().map(OsString::from).collect();
            assert_eq!(Tool::of_options(&args), expected, "{line}");
        }
    }

    /// What lies at the path -> what is registered, done and warned of.
    #[test]
    fn the_file_at_the_other_tools_path() {
        const PATH: &str = "/usr/bin/qemu-aarch64-static";
        const OURS: &str = "/usr/bin/raemu-aarch64";
        let warning = format!("{PATH} is another emulator: registering {OURS} instead");
        for (content, fix, expected, done, warned) in [
            (None, true, PATH, "installed /usr/bin/qemu-aarch64-static", ""),
            (
                Some("raemu-aarch64 version 0"),
                true,
                PATH,
                "replaced /usr/bin/qemu-aarch64-static",
                "",
            ),
            (Some("raemu-aarch64 version 1"), true, PATH, "", ""),
            (Some("qemu"), true, OURS, "", warning.as_str()),
            (Some("qemu"), false, PATH, "", ""),
            (None, false, PATH, "", ""),
        ] {
            let tree = Tree::new("interpreter-at");
            let root = tree.root();
            tree.write(OURS, "raemu-aarch64 version 1");
            if let Some(content) = content {
                tree.write(PATH, content);
                let mode = fs::Permissions::from_mode(0o755);
                fs::set_permissions(root.path(PATH), mode).expect("own file");
            }
            let mut report = Report::default();
            let found = interpreter_at(&root, None, Path::new(PATH), fix, &mut report);
            assert_eq!(found.as_deref(), Ok(Path::new(expected)), "{content:?} {fix}");
            assert_eq!(
                (report.done.join(""), report.warnings.join("")),
                (done.to_owned(), warned.to_owned())
            );
        }
    }
}
