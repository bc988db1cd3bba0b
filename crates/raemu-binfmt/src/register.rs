//! `register`: writes an entry, and what makes it outlive the next boot.
//!
//! An entry of another emulator is touched by `reset` alone. An entry of ours is put back if its successor is refused.

use crate::emulator::{self, Kind};
use crate::entry::{Entry, Registration};
use crate::facts;
use crate::fs::Root;
use crate::persist;
use std::io;
use std::path::Path;

/// What to do.
#[derive(Clone, Debug)]
pub struct Request {
    pub registration: Registration,
    /// Remove every entry that matches arm64 programs first.
    pub reset: bool,
    pub persistent: bool,
}

/// What was done, and what is worth a warning.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    pub done: Vec<String>,
    pub warnings: Vec<String>,
}

pub fn register(root: &Root, request: &Request) -> Result<Report, String> {
    let registration = &request.registration;
    let line = registration.line()?;
    let mut report = Report::default();
    check_interpreter(root, registration, &mut report)?;
    if request.persistent {
        persist::check(root, &registration.name)?;
    }
    mount(root, &mut report)?;
    if request.reset {
        reset(root, &mut report)?;
    }
    let replaced = remove_own(root, registration)?;
    if let Err(error) = root.write_binfmt("register", &line) {
        if let Some(old) = replaced {
            // What is not possible now was possible before; the first error is the one to tell.
            let _ = put_back(root, &old);
        }
        return Err(refusal(root, registration, &error));
    }
    let verb = if replaced.is_some() {
        "replaced"
    } else {
        "registered"
    };
    report.done.push(format!(
        "{verb} {}: interpreter {}, flags {}",
        registration.name,
        registration.interpreter.display(),
        registration.flags
    ));
    warn_of_p(root, registration, &mut report);
    warn_of_others(root, registration, &mut report)?;
    if request.persistent {
        persist::write(root, registration, &mut report).map_err(|why| {
            format!(
                "registered {}, but not for the next boot: {why}",
                registration.name
            )
        })?;
    }
    Ok(report)
}

/// Mounts binfmt_misc where needed, and says so.
pub fn mount(root: &Root, report: &mut Report) -> Result<(), String> {
    if root.mount()? {
        let point = root.mount_point().display();
        report.done.push(format!("mounted binfmt_misc at {point}"));
        report
            .warnings
            .push("since Linux 6.7, the last unmount of binfmt_misc erases its entries".to_owned());
    }
    Ok(())
}

fn check_interpreter(root: &Root, registration: &Registration, report: &mut Report) -> Result<(), String> {
    let path = registration.interpreter.display();
    match emulator::inspect(root, &registration.interpreter) {
        Kind::Missing if registration.flags.fix_binary => Err(format!("{path}: no such file")),
        Kind::Missing => {
            let text =
                format!("{path} does not exist here: only chroots that have it can run arm64 programs");
            report.warnings.push(text);
            Ok(())
        }
        Kind::NotExecutable => Err(format!("{path}: not an executable file")),
        Kind::NotElf => {
            report.warnings.push(format!("{path} is no x86-64 ELF file"));
            Ok(())
        }
        Kind::Dynamic(loader) => {
            report.warnings.push(format!(
                "{path} is dynamic (it needs {loader}): it fails in chroots without its libraries"
            ));
            Ok(())
        }
        Kind::Static => Ok(()),
    }
}

/// Removes every entry that takes arm64 programs.
pub fn reset(root: &Root, report: &mut Report) -> Result<(), String> {
    for entry in entries(root)?.iter().filter(|entry| entry.takes_arm64()) {
        remove(root, &entry.name)?;
        report.done.push(format!(
            "removed {}: interpreter {}",
            entry.name,
            entry.interpreter.display()
        ));
    }
    Ok(())
}

/// The entry of this name, if there is one; an error if it is another emulator's.
pub fn check_owner(root: &Root, name: &str, interpreter: &Path) -> Result<Option<Entry>, String> {
    // Without a mount there are none.
    let entries = root.entries().unwrap_or_default();
    let Some(old) = entries.into_iter().find(|entry| entry.name == name) else {
        return Ok(None);
    };
    // What is in chroots only cannot be looked at; the same path is the same emulator.
    let same = old.interpreter == interpreter && emulator::inspect(root, &old.interpreter) == Kind::Missing;
    if old.takes_arm64() && (same || emulator::owns(root, &old)) {
        return Ok(Some(old));
    }
    Err(format!(
        "entry {name} belongs to another emulator ({}): take another --name, or --reset to remove it",
        old.interpreter.display()
    ))
}

/// Removes an entry of the same name if it is ours; gives it back.
fn remove_own(root: &Root, registration: &Registration) -> Result<Option<Entry>, String> {
    let old = check_owner(root, &registration.name, &registration.interpreter)?;
    if let Some(old) = &old {
        remove(root, &old.name)?;
    }
    Ok(old)
}

fn put_back(root: &Root, old: &Entry) -> Result<(), String> {
    let registration = Registration {
        name: old.name.clone(),
        interpreter: old.interpreter.clone(),
        flags: old.flags,
    };
    root.write_binfmt("register", &registration.line()?)
        .map_err(|error| error.to_string())
}

/// Removes one entry, whoever it belongs to.
pub fn remove(root: &Root, name: &str) -> Result<(), String> {
    root.write_binfmt(name, "-1")
        .map_err(|error| format!("cannot remove entry {name}: {}", reason(&error)))
}

/// All entries.
pub fn entries(root: &Root) -> Result<Vec<Entry>, String> {
    let point = root.mount_point().display();
    root.entries()
        .map_err(|error| format!("{point}: {}", reason(&error)))
}

/// Why the kernel refused the line.
fn refusal(root: &Root, registration: &Registration, error: &io::Error) -> String {
    let point = root.mount_point().display();
    match error.raw_os_error() {
        Some(libc::EACCES | libc::EPERM | libc::EROFS) => format!(
            "may not write {point}/register: {}; `raemu-binfmt run` needs no privileges",
            reason(error)
        ),
        Some(libc::ENOENT) if !root.is_mounted() => format!("binfmt_misc is not mounted at {point}"),
        Some(_) | None => format!(
            "the kernel refused entry {} for {}: {}",
            registration.name,
            registration.interpreter.display(),
            reason(error)
        ),
    }
}

/// The error without its number.
pub fn reason(error: &io::Error) -> String {
    let text = error.to_string();
    match text.split_once(" (os error") {
        Some((text, _)) => text.to_owned(),
        None => text,
    }
}

/// P must be told by AT_FLAGS (Linux 5.12) or by the interpreter's name, and that name must not lie.
fn warn_of_p(root: &Root, registration: &Registration, report: &mut Report) {
    let path = registration.interpreter.display();
    let named = registration.interpreter.to_string_lossy().ends_with("-binfmt-P");
    let release = root.read("/proc/sys/kernel/osrelease").unwrap_or_default();
    let told = named || facts::version(release.trim()).is_none_or(|version| version >= (5, 12));
    if registration.flags.preserve_argv0 && !told {
        report.warnings.push(format!(
            "Linux {} does not tell the P flag: the interpreter's name must end in -binfmt-P, unlike {path}",
            release.trim()
        ));
    }
    if !registration.flags.preserve_argv0 && named {
        report.warnings.push(format!(
            "the name of {path} promises the P flag: without it, programs lose their first argument"
        ));
    }
}

fn warn_of_others(root: &Root, registration: &Registration, report: &mut Report) -> Result<(), String> {
    if root.status().is_ok_and(|text| text == "disabled") {
        let point = root.mount_point().display();
        report.warnings.push(format!(
            "binfmt_misc as a whole is disabled: echo 1 > {point}/status"
        ));
    }
    let mut newer = true;
    for entry in entries(root)? {
        if entry.name == registration.name {
            newer = false;
        } else if entry.enabled && entry.takes_arm64() {
            let other = format!("{} ({})", entry.name, entry.interpreter.display());
            report.warnings.push(if newer {
                format!("{other} is newer and shadows {}", registration.name)
            } else {
                format!(
                    "{} now shadows {other}, which holds again after unregister",
                    registration.name
                )
            });
        }
    }
    Ok(())
}

/// `unregister`: removes an entry of ours.
pub fn unregister(root: &Root, name: &str, persistent: bool) -> Result<Report, String> {
    let mut report = Report::default();
    let found = match root.entries() {
        Ok(entries) => entries.into_iter().find(|entry| entry.name == name),
        Err(_) => None,
    };
    match &found {
        Some(entry) if !emulator::owns(root, entry) => {
            return Err(format!(
                "entry {name} belongs to another emulator ({}): not removed",
                entry.interpreter.display()
            ));
        }
        Some(_) => {
            remove(root, name)?;
            report.done.push(format!("removed {name}"));
        }
        None => {}
    }
    if persistent {
        persist::remove(root, name, &mut report)?;
    }
    if report.done.is_empty() {
        let none = format!("no entry {name} is registered");
        return Err(report.warnings.pop().unwrap_or(none));
    }
    let entries = root.entries().unwrap_or_default();
    if let Some(next) = entries.iter().find(|entry| entry.enabled && entry.takes_arm64()) {
        report.done.push(format!(
            "arm64 programs now go to {} ({})",
            next.name,
            next.interpreter.display()
        ));
    }
    Ok(report)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entry::Flags;
    use crate::testing::Tree;

    /// Kernel, interpreter and flags -> the warning, or none.
    #[test]
    fn the_p_flag_and_the_interpreters_name() {
        const WRAPPER: &str = "/usr/libexec/raemu-binfmt/aarch64-binfmt-P";
        const PLAIN: &str = "/usr/bin/raemu-aarch64";
        for (release, path, flags, expected) in [
            ("6.18.1", PLAIN, "POCF", ""),
            ("6.18.1", WRAPPER, "POCF", ""),
            ("5.10.0-30-amd64", WRAPPER, "POCF", ""),
            ("5.10.0-30-amd64", PLAIN, "OCF", ""),
            (
                "5.10.0-30-amd64",
                PLAIN,
                "POCF",
                "Linux 5.10.0-30-amd64 does not tell the P flag",
            ),
            (
                "6.18.1",
                WRAPPER,
                "OCF",
                "the name of /usr/libexec/raemu-binfmt/aarch64-binfmt-P promises",
            ),
        ] {
            let tree = Tree::mounted("p-flag");
            tree.program(path, "static");
            tree.write("/proc/sys/kernel/osrelease", &format!("{release}\n"));
            let request = Request {
                registration: Registration {
                    name: "raemu-aarch64".to_owned(),
                    interpreter: path.into(),
                    flags: Flags::parse(flags),
                },
                reset: false,
                persistent: false,
            };
            let report = register(&tree.root(), &request).expect("a writable tree");
            let warnings = report.warnings.join("\n");
            assert_eq!(
                warnings.is_empty(),
                expected.is_empty(),
                "{release} {path} {flags}: {warnings}"
            );
            assert!(warnings.starts_with(expected), "{warnings}");
        }
    }
}
