//! Installs the Debian packages for real: in throw-away systems of the host's release, in namespaces of their own.
//!
//! `mmdebstrap` makes one small system, with what the scenarios install in its package cache. Each scenario then unpacks
//! it into memory, in new user, mount and process namespaces with a binfmt_misc that is its own, and becomes its init:
//! the maintainer scripts see a machine, not a chroot. The scenarios are functions of `debian/try.sh`.

use crate::Made;
use crate::release::{capture, have, run};
use crate::verify;
use std::ffi::OsStr;
use std::fs;
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

const ENTER: &str = include_str!("../debian/enter.sh");
const TRY: &str = include_str!("../debian/try.sh");

/// What the scenarios install besides our packages.
const OTHERS: &str = "qemu-user-static binfmt-support systemd";

/// Runs every scenario. Where namespaces or mmdebstrap are missing, it says so and shows nothing.
pub fn check(made: &Made, sources: &Path, scratch: &Path) -> Result<(), String> {
    for program in ["mmdebstrap", "unshare"] {
        if !have(program) {
            println!("    installation: left out, {program} is not installed");
            return Ok(());
        }
    }
    let probe = ["mount", "-t", "binfmt_misc", "none", "/proc/sys/fs/binfmt_misc"];
    if let Err(why) = in_namespaces(&probe.map(OsStr::new)) {
        println!(
            "    installation: left out, no binfmt_misc in a user namespace here: {}",
            why.trim()
        );
        return Ok(());
    }
    let arm64 = arm64(sources)?;
    fs::create_dir_all(scratch).map_err(|e| format!("{}: {e}", scratch.display()))?;
    let base = base(scratch)?;
    let write = |name: &str, text: &str| {
        let path = scratch.join(name);
        fs::write(&path, text)
            .map(|()| path)
            .map_err(|e| format!("{name}: {e}"))
    };
    let (enter, script) = (write("enter.sh", ENTER)?, write("try.sh", TRY)?);
    let layer = verify::layer(&made.image)?;
    let mut failed = Vec::new();
    for scenario in scenarios() {
        let mut arguments = vec![OsStr::new("sh")];
        arguments.extend([&enter, &base, &arm64, &script].map(|path| path.as_os_str()));
        arguments.push(OsStr::new(scenario));
        arguments.extend(made.debs.iter().map(|deb| deb.as_os_str()));
        arguments.extend([made.tarball.as_os_str(), layer.as_os_str()]);
        match in_namespaces(&arguments) {
            Ok(()) => println!("    {scenario}: passed"),
            Err(why) => {
                println!("    {scenario}: FAILED\n{why}");
                failed.push(scenario);
            }
        }
    }
    match failed.is_empty() {
        true => Ok(()),
        false => Err(format!("failed: {failed:?}")),
    }
}

/// The functions of the script whose names begin with `case_`.
fn scenarios() -> Vec<&'static str> {
    TRY.lines()
        .filter_map(|line| line.strip_suffix("() {")?.strip_prefix("case_"))
        .collect()
}

/// Runs a command in new user, mount and process namespaces that have all identities of a system.
fn in_namespaces(arguments: &[&OsStr]) -> Result<(), String> {
    // The shell is started before it is anybody, without rights; what it executes then is root.
    let waiting = "echo ready && read -r go && exec \"$@\"";
    let mut unshare = Command::new("unshare");
    unshare.args(["--user", "--mount", "--pid", "--fork", "--kill-child"]);
    let root = is_root()?;
    if !root {
        unshare.args(["--map-auto", "--map-root-user"]);
    }
    unshare
        .args(["sh", "-c", waiting, "sh"])
        .args(arguments)
        .env_clear()
        .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = unshare.spawn().map_err(|e| format!("unshare: {e}"))?;
    let mut ready = [0; 6];
    let stdout = child.stdout.as_mut().expect("piped");
    let mut started = stdout.read_exact(&mut ready);
    if root {
        // newuidmap would want root to be in /etc/subuid.
        for map in ["uid_map", "gid_map"] {
            started = started.and_then(|()| fs::write(format!("/proc/{}/{map}", child.id()), "0 0 65536\n"));
        }
    }
    let stdin = child.stdin.take().expect("piped");
    // Without this line, which may find no reader, nothing is executed.
    let started = started.and_then(|()| (&stdin).write_all(b"go\n"));
    drop(stdin);
    let output = child.wait_with_output().map_err(|e| format!("unshare: {e}"))?;
    match output.status.success() && started.is_ok() {
        true => Ok(()),
        false => Err(format!(
            "{} {started:?}\n{}{}",
            output.status,
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        )),
    }
}

fn is_root() -> Result<bool, String> {
    let mut id = Command::new("id");
    id.arg("-u");
    Ok(capture(id)?.trim() == "0")
}

/// The arm64 root file system of the tests.
fn arm64(sources: &Path) -> Result<PathBuf, String> {
    let base = match std::env::var_os("RAEMU_ROOTFS") {
        Some(dir) => PathBuf::from(dir),
        None => sources.join("rootfs"),
    };
    let tree = base.join(format!("{}-arm64", suite()?));
    match tree.is_dir() {
        true => Ok(tree),
        false => Err(format!(
            "{} is missing: cargo xtask rootfs makes it",
            tree.display()
        )),
    }
}

/// The host's release.
fn suite() -> Result<String, String> {
    let text = fs::read_to_string("/etc/os-release").map_err(|e| format!("/etc/os-release: {e}"))?;
    text.lines()
        .find_map(|line| line.strip_prefix("VERSION_CODENAME="))
        .map(str::to_owned)
        .ok_or_else(|| "/etc/os-release has no VERSION_CODENAME".to_owned())
}

/// The archive of the small system, made once.
fn base(scratch: &Path) -> Result<PathBuf, String> {
    let suite = suite()?;
    let archive = scratch.join(format!("{suite}.tar"));
    if archive.is_file() {
        return Ok(archive);
    }
    let unfinished = archive.with_extension("new.tar");
    let hook = format!(
        "--customize-hook=chroot \"$1\" apt-get install --yes --download-only --no-install-recommends {OTHERS}"
    );
    let mut mmdebstrap = Command::new("mmdebstrap");
    mmdebstrap
        .args(["--quiet", "--variant=minbase", "--architectures=amd64", &hook])
        .args(["--skip=cleanup/apt", &suite])
        .arg(&unfinished)
        .args(std::env::var_os("DEBOOTSTRAP_MIRROR"));
    run(mmdebstrap)?;
    fs::rename(&unfinished, &archive).map_err(|e| format!("{}: {e}", archive.display()))?;
    Ok(archive)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_scenarios_are_found() {
        let scenarios = scenarios();
        assert!(scenarios.contains(&"plain"), "{scenarios:?}");
        assert!(scenarios.len() > 5, "{scenarios:?}");
    }
}
