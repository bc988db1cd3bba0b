//! `run`: a command in which arm64 programs just run, without privileges.
//!
//! A first user namespace maps the user to its root, because binfmt_misc's files belong to that root; it mounts and
//! registers. Entries hold for user namespaces below too, so a second one gives the user their own id back.

use crate::entry::Registration;
use crate::facts::version;
use crate::fs::Root;
use crate::register::reason;
use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, unshare};
use std::ffi::OsString;
use std::fs;
use std::os::unix::process::CommandExt as _;
use std::process::Command;

/// Replaces this process by the command; returns the exit status and why it could not.
pub fn run(registration: &Registration, map_root: bool, command: &[OsString]) -> (i32, String) {
    if let Err(why) = prepare(registration, map_root) {
        return (1, why);
    }
    let shell = std::env::var_os("SHELL").unwrap_or_else(|| OsString::from("/bin/sh"));
    let (program, args) = match command {
        [program, args @ ..] => (program, args),
        [] => (&shell, &[][..]),
    };
    let error = Command::new(program).args(args).exec();
    let status = if error.kind() == std::io::ErrorKind::NotFound {
        127
    } else {
        126
    };
    (
        status,
        format!("{}: {}", program.to_string_lossy(), reason(&error)),
    )
}

fn prepare(registration: &Registration, map_root: bool) -> Result<(), String> {
    let line = registration.line()?;
    let (uid, gid) = (nix::unistd::geteuid(), nix::unistd::getegid());
    unshare(CloneFlags::CLONE_NEWUSER | CloneFlags::CLONE_NEWNS).map_err(forbidden)?;
    map_ids((0, uid.as_raw()), (0, gid.as_raw()))?;
    let root = Root::default();
    let refused = |errno: nix::errno::Errno| {
        let release = root.read("/proc/sys/kernel/osrelease").unwrap_or_default();
        let why = switch().unwrap_or_else(|| errno.desc().to_owned());
        refusal(release.trim(), root.kernel_has_binfmt_misc(), &why)
    };
    // What is mounted outside later must not cover ours.
    let private = MsFlags::MS_REC | MsFlags::MS_PRIVATE;
    mount(None::<&str>, "/", None::<&str>, private, None::<&str>).map_err(refused)?;
    let kind = Some("binfmt_misc");
    mount(kind, root.mount_point(), kind, MsFlags::empty(), None::<&str>).map_err(refused)?;
    root.write_binfmt("register", &line).map_err(|error| {
        format!(
            "the kernel refused entry {} for {}: {}",
            registration.name,
            registration.interpreter.display(),
            reason(&error)
        )
    })?;
    if !map_root && (uid.as_raw(), gid.as_raw()) != (0, 0) {
        unshare(CloneFlags::CLONE_NEWUSER).map_err(forbidden)?;
        map_ids((uid.as_raw(), 0), (gid.as_raw(), 0))?;
    }
    Ok(())
}

/// Maps one user and one group: the id inside, the id outside.
fn map_ids(user: (u32, u32), group: (u32, u32)) -> Result<(), String> {
    let line = |(inside, outside)| format!("{inside} {outside} 1");
    for (file, text) in [
        ("setgroups", "deny".to_owned()),
        ("uid_map", line(user)),
        ("gid_map", line(group)),
    ] {
        fs::write(format!("/proc/self/{file}"), text)
            .map_err(|error| format!("cannot set up the user namespace: {file}: {}", reason(&error)))?;
    }
    Ok(())
}

/// Switches that forbid user namespaces, and the value that does.
const SWITCHES: [(&str, &str); 3] = [
    ("user/max_user_namespaces", "0"),
    ("kernel/unprivileged_userns_clone", "0"),
    ("kernel/apparmor_restrict_unprivileged_userns", "1"),
];

fn switch() -> Option<String> {
    SWITCHES
        .iter()
        .find(|(name, value)| {
            fs::read_to_string(format!("/proc/sys/{name}")).is_ok_and(|text| text.trim() == *value)
        })
        .map(|(name, value)| format!("{} = {value}", name.replace('/', ".")))
}

fn forbidden(errno: nix::errno::Errno) -> String {
    let why = switch().unwrap_or_else(|| errno.desc().to_owned());
    format!("user namespaces are forbidden here: {why}")
}

/// Why a user namespace cannot mount binfmt_misc.
fn refusal(release: &str, kernel_support: bool, why: &str) -> String {
    if version(release).is_some_and(|version| version < (6, 7)) {
        format!("Linux {release} is too old: user namespaces have a binfmt_misc of their own since Linux 6.7")
    } else if kernel_support {
        format!("a user namespace may not mount binfmt_misc here: {why}")
    } else {
        format!("Linux {release} has no binfmt_misc (CONFIG_BINFMT_MISC), neither built in nor as a module")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refusals() {
        for (release, support, expected) in [
            (
                "6.1.0-32-amd64",
                true,
                "Linux 6.1.0-32-amd64 is too old: user namespaces have a binfmt_misc of their own since Linux 6.7",
            ),
            (
                "6.7.1",
                true,
                "a user namespace may not mount binfmt_misc here: not allowed",
            ),
            (
                "6.18",
                false,
                "Linux 6.18 has no binfmt_misc (CONFIG_BINFMT_MISC), neither built in nor as a module",
            ),
        ] {
            assert_eq!(refusal(release, support, "not allowed"), expected);
        }
    }
}
