//! An automount point where binfmt_misc is to be, as systemd sets it up: the command's first look mounts it.
//!
//! autofs can be mounted by the machine's root only, here in a mount namespace of its own. This process plays the
//! daemon, and mounts a tmpfs with a file `status` in place of the machine's binfmt_misc.
//!
//! # Safety
//! One ioctl that takes a number.

use nix::mount::{MsFlags, mount};
use program_tests::process::{self, End};
use std::fs::{self, File};
use std::io::Read as _;
use std::os::fd::{AsRawFd as _, OwnedFd};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

const POINT: &str = "/proc/sys/fs/binfmt_misc";

/// Says to the second start that the mount namespace exists.
const MARK: &str = "RAEMU_TEST_AUTOMOUNT";

const LIMIT: Duration = Duration::from_secs(30);

/// sizeof(struct autofs_v5_packet), and where its token is.
const PACKET: usize = 304;
const TOKEN: std::ops::Range<usize> = 8..12;

const AUTOFS_IOC_READY: libc::c_ulong = 0x9360;
const AUTOFS_IOC_FAIL: libc::c_ulong = 0x9361;

fn reply(point: &File, request: libc::c_ulong, token: u32) {
    // SAFETY: both requests take a number and no memory.
    let result = unsafe { libc::ioctl(point.as_raw_fd(), request, token) };
    assert_eq!(result, 0, "{}", std::io::Error::last_os_error());
}

/// Mounts the automount point; the counter counts the requests. `None` where that is not allowed.
fn automount(works: bool) -> Option<Arc<AtomicUsize>> {
    let (reader, writer): (OwnedFd, OwnedFd) = nix::unistd::pipe().expect("a pipe");
    let options = format!(
        "fd={},pgrp={},minproto=5,maxproto=5,direct",
        writer.as_raw_fd(),
        nix::unistd::getpgrp()
    );
    mount(
        Some("systemd-1"),
        POINT,
        Some("autofs"),
        MsFlags::empty(),
        Some(options.as_str()),
    )
    .ok()?;
    // This process group sees the point itself.
    let point = File::open(POINT).expect("just mounted");
    let requests = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&requests);
    std::thread::spawn(move || {
        let _kept_open = writer;
        let (mut reader, mut packet) = (File::from(reader), [0; PACKET]);
        while reader.read_exact(&mut packet).is_ok() {
            counter.fetch_add(1, Ordering::SeqCst);
            let token = u32::from_ne_bytes(packet[TOKEN].try_into().expect("four bytes"));
            if works {
                mount(Some("none"), POINT, Some("tmpfs"), MsFlags::empty(), None::<&str>).expect("mounted");
                fs::write(format!("{POINT}/status"), "enabled\n").expect("written");
                reply(&point, AUTOFS_IOC_READY, token);
            } else {
                reply(&point, AUTOFS_IOC_FAIL, token);
            }
        }
    });
    Some(requests)
}

fn status() -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_raemu-binfmt"));
    command.arg("status");
    let outcome = process::run(command, LIMIT).expect("it starts");
    assert_eq!((outcome.end, outcome.stderr), (End::Status(0), Vec::new()));
    String::from_utf8_lossy(&outcome.stdout).into_owned()
}

/// Starts this test again in a mount namespace; true inside it.
fn inside(test: &str) -> bool {
    if std::env::var_os(MARK).is_some() {
        return true;
    }
    let this = std::env::current_exe().expect("/proc is mounted");
    let mut command = Command::new("unshare");
    command
        .args(["--mount", "--propagation", "private", "--"])
        .arg(this)
        .args(["--exact", test, "--nocapture"])
        .env(MARK, "1");
    let outcome = process::run(command, LIMIT).expect("unshare starts");
    let stdout = String::from_utf8_lossy(&outcome.stdout);
    let stderr = String::from_utf8_lossy(&outcome.stderr);
    if stderr.starts_with("unshare:") {
        test_support::skipped(test, &stderr);
    } else {
        test_support::skipped_inside(&stdout);
        assert_eq!(outcome.end, End::Status(0), "{stdout}{stderr}");
    }
    false
}

#[test]
fn the_first_look_mounts() {
    if !inside("the_first_look_mounts") {
        return;
    }
    let Some(requests) = automount(true) else {
        test_support::skipped("the_first_look_mounts", "autofs cannot be mounted here");
        return;
    };
    for _ in 0..2 {
        assert_eq!(
            status(),
            "binfmt_misc: /proc/sys/fs/binfmt_misc, enabled\n\
             no-entry: no entry in /proc/sys/fs/binfmt_misc takes arm64 programs\n"
        );
        assert_eq!(requests.load(Ordering::SeqCst), 1);
    }
}

#[test]
fn an_automount_that_fails_is_told() {
    if !inside("an_automount_that_fails_is_told") {
        return;
    }
    let Some(requests) = automount(false) else {
        test_support::skipped("an_automount_that_fails_is_told", "autofs cannot be mounted here");
        return;
    };
    assert_eq!(
        status(),
        "binfmt_misc: not mounted\n\
         autofs: /proc/sys/fs/binfmt_misc is an automount point, and nothing was mounted when it was asked for\n"
    );
    assert_ne!(requests.load(Ordering::SeqCst), 0);
}
