//! What brings the entry back at the next boot: a file of systemd-binfmt, and the data base of update-binfmts.

use crate::emulator::{self, NAME};
use crate::entry::Registration;
use crate::fs::Root;
use crate::register::Report;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Where systemd-binfmt looks, the strongest first.
pub const CONF_DIRS: [&str; 4] = [
    "/etc/binfmt.d",
    "/run/binfmt.d",
    "/usr/local/lib/binfmt.d",
    "/usr/lib/binfmt.d",
];

const HEAD: &str = "# Written by raemu-binfmt register --persistent.\n";

const UPDATE_BINFMTS: &str = "/usr/sbin/update-binfmts";

/// A file that registers an entry of this name at boot.
pub fn configured(root: &Root, name: &str) -> Option<PathBuf> {
    CONF_DIRS
        .iter()
        .map(|dir| Path::new(dir).join(format!("{name}.conf")))
        .find(|path| {
            root.read(path)
                .is_ok_and(|text| text.lines().any(|line| registers(line, name)))
        })
}

fn registers(line: &str, name: &str) -> bool {
    let mut characters = line.chars();
    characters
        .next()
        .is_some_and(|separator| characters.as_str().split(separator).next() == Some(name))
}

/// The text of a file of systemd-binfmt.
pub fn conf_text(registration: &Registration) -> Result<String, String> {
    Ok(format!("{HEAD}{}\n", registration.line()?))
}

fn conf_path(name: &str) -> PathBuf {
    Path::new(CONF_DIRS[0]).join(format!("{name}.conf"))
}

/// Whether `write` may: a file of somebody else stays.
pub fn check(root: &Root, name: &str) -> Result<(), String> {
    let path = conf_path(name);
    match root.read(&path) {
        Ok(old) if !old.starts_with(HEAD) => Err(format!(
            "{} was not written by raemu-binfmt: left as it is",
            path.display()
        )),
        Ok(_) | Err(_) => Ok(()),
    }
}

/// Writes all that this machine has a use for.
pub fn write(root: &Root, registration: &Registration, report: &mut Report) -> Result<(), String> {
    let path = conf_path(&registration.name);
    replace(&root.path(&path), &conf_text(registration)?)?;
    report.done.push(format!("wrote {}", path.display()));
    if has_update_binfmts(root) {
        import(registration)?;
        report
            .done
            .push(format!("imported {} into update-binfmts", registration.name));
    }
    Ok(())
}

/// Removes what `write` wrote.
pub fn remove(root: &Root, name: &str, report: &mut Report) -> Result<(), String> {
    let path = conf_path(name);
    match root.read(&path) {
        Ok(text) if text.starts_with(HEAD) => {
            fs::remove_file(root.path(&path)).map_err(|e| format!("{}: {e}", path.display()))?;
            report.done.push(format!("removed {}", path.display()));
        }
        Ok(_) => report.warnings.push(format!(
            "{} was not written by raemu-binfmt: left as it is",
            path.display()
        )),
        Err(_) => {}
    }
    if has_update_binfmts(root)
        && let Some(interpreter) = imported(root, name)
    {
        update_binfmts(&["--package", NAME, "--remove", name, &interpreter])?;
        report.done.push(format!("removed {name} from update-binfmts"));
    }
    Ok(())
}

fn has_update_binfmts(root: &Root) -> bool {
    root.is_real() && root.path(UPDATE_BINFMTS).exists()
}

/// The interpreter of a format that our package name holds in update-binfmts' data base. Its files have the
/// package on the first line and the interpreter among the others.
fn imported(root: &Root, name: &str) -> Option<String> {
    let text = root.read(Path::new("/var/lib/binfmts").join(name)).ok()?;
    let mut lines = text.lines();
    if lines.next() != Some(NAME) {
        return None;
    }
    lines
        .find(|line| line.starts_with('/') && emulator::is_ours(root, Path::new(line)))
        .map(str::to_owned)
}

/// The file's name is the format's, so it gets a directory of its own.
fn import(registration: &Registration) -> Result<(), String> {
    let dir = crate::probe::scratch_dir()?;
    let file = dir.path().join(&registration.name);
    fs::write(&file, registration.update_binfmts_file(NAME))
        .map_err(|e| format!("{}: {e}", file.display()))?;
    let file = file.to_string_lossy();
    update_binfmts(&["--import", &file])
}

fn update_binfmts(args: &[&str]) -> Result<(), String> {
    let output = Command::new(UPDATE_BINFMTS)
        .args(args)
        .stdin(Stdio::piped())
        .output()
        .map_err(|e| format!("{UPDATE_BINFMTS}: {e}"))?;
    if output.status.success() {
        return Ok(());
    }
    let text = String::from_utf8_lossy(&output.stderr);
    Err(format!("update-binfmts {}: {}", args.join(" "), text.trim()))
}

/// Writes a file beside the old one and renames it over.
pub fn replace(path: &Path, text: &str) -> Result<(), String> {
    let fresh = path.with_extension(format!("new-{}", std::process::id()));
    let written = path
        .parent()
        .map_or(Ok(()), fs::create_dir_all)
        .and_then(|()| fs::write(&fresh, text))
        .and_then(|()| fs::rename(&fresh, path));
    written.map_err(|error| {
        // It may not have been made.
        let _ = fs::remove_file(&fresh);
        format!("cannot write {}: {error}", path.display())
    })
}
