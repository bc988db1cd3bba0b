//! User, mount and process namespaces in which the test is root with all user numbers of the host.
//!
//! binfmt_misc entries belong to a user namespace (since Linux 6.7), so a test that registers needs one. dpkg, sudo
//! and set-user-ID programs need more numbers than one, so the map is written from outside, by real root: the same
//! numbers inside as outside. What a user namespace cannot do is make device files; whoever needs them makes them
//! before.

use std::io::Write;
use std::path::Path;
use std::process::{Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

use crate::{Stop, prepare};

/// Says to the second start that the namespaces exist.
const MARK: &str = "RAEMU_TEST_CHROOT";

/// User and group numbers that exist inside: as many as Debian uses.
const NUMBERS: u32 = 65536;

/// True in the second start.
pub fn is_inside() -> bool {
    std::env::var_os(MARK).is_some()
}

/// Whether there is any use in [`restart`].
///
/// # Errors
/// What is missing.
pub fn check() -> Result<(), Stop> {
    if !nix::unistd::geteuid().is_root() {
        return Err(Stop::Skip("only root can map all user numbers".to_string()));
    }
    let probe = "mount --make-rprivate / && mount -t proc proc /proc \
        && mount -t binfmt_misc none /proc/sys/fs/binfmt_misc && test -w /proc/sys/fs/binfmt_misc/register";
    let output = Command::new("unshare")
        .args([
            "--user",
            "--map-root-user",
            "--mount",
            "--pid",
            "--fork",
            "sh",
            "-c",
            probe,
        ])
        .stdin(Stdio::null())
        .output()
        .map_err(|e| format!("cannot run unshare: {e}"))?;
    if output.status.success() {
        return Ok(());
    }
    Err(Stop::Skip(format!(
        "no user namespace with a binfmt_misc of its own here (Linux 6.7 has them): {}",
        String::from_utf8_lossy(&output.stderr).trim()
    )))
}

/// Runs this program again in new namespaces; gives its exit status.
///
/// # Errors
/// When they cannot be made.
pub fn restart() -> Result<ExitCode, String> {
    let this = std::env::current_exe().map_err(|e| format!("this program's own path: {e}"))?;
    // The shell waits until its user numbers exist; executing something as root then gives it all rights inside.
    let mut child = Command::new("unshare")
        .args(["--user", "--mount", "--pid", "--fork", "--kill-child"])
        .args(["sh", "-c", "read -r go && exec \"$0\" \"$@\" </dev/null"])
        .arg(this)
        .args(std::env::args_os().skip(1))
        .env(MARK, "1")
        .stdin(Stdio::piped())
        .spawn()
        .map_err(|e| format!("cannot run unshare: {e}"))?;
    let mapped = map_numbers(child.id());
    let mut stdin = child.stdin.take().expect("it was asked for");
    if mapped.is_ok() {
        // If the shell is gone, its exit status says so.
        let _ = stdin.write_all(b"go\n");
    }
    drop(stdin);
    let status = child.wait().map_err(|e| format!("wait: {e}"))?;
    mapped?;
    Ok(match status.code() {
        Some(0) => ExitCode::SUCCESS,
        Some(_) | None => ExitCode::FAILURE,
    })
}

/// Gives the user namespace of `process` the host's numbers, once it has one.
fn map_numbers(process: u32) -> Result<(), String> {
    let namespace = |who: &str| std::fs::read_link(format!("/proc/{who}/ns/user"));
    let ours = namespace("self").map_err(|e| format!("/proc/self/ns/user: {e}"))?;
    let process = process.to_string();
    let deadline = Instant::now() + Duration::from_secs(10);
    while namespace(&process).is_ok_and(|theirs| theirs == ours) {
        if Instant::now() > deadline {
            return Err("unshare makes no user namespace".to_string());
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    for map in ["uid_map", "gid_map"] {
        let path = format!("/proc/{process}/{map}");
        std::fs::write(&path, format!("0 0 {NUMBERS}\n")).map_err(|e| format!("{path}: {e}"))?;
    }
    Ok(())
}

/// Mounts of our own: /proc of the new process namespace, and an empty binfmt_misc.
///
/// # Errors
/// What mount says.
pub fn mount_own() -> Result<(), String> {
    prepare(&["mount", "--make-rprivate", "/"])?;
    prepare(&["mount", "-t", "proc", "proc", "/proc"])?;
    prepare(&["mount", "-t", "binfmt_misc", "none", "/proc/sys/fs/binfmt_misc"])
}

/// An empty file system in memory, open to all users.
///
/// # Errors
/// What mount says.
pub fn mount_memory(on: &Path) -> Result<(), String> {
    let on = on.to_string_lossy();
    prepare(&["mount", "-t", "tmpfs", "-o", "mode=755", "tmpfs", &on])
}
