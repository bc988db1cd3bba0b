//! `cargo xtask demo`: from a fresh machine to arm64 programs that run.

use std::path::Path;

use crate::report::step;
use crate::shell::{capture, command, emulator, run as run_command};
use crate::{rootfs, setup};

/// What the demonstration runs inside the root file system, each a shell line for the guest's own bash.
const LINES: &[&str] = &[
    "uname -m; ls -l /usr/bin/gcc /usr/bin/python3 /etc/hostname",
    "ls /usr/bin | grep -c . ; find /usr/lib -name '*.so*' | sed 's/.*\\.so/so/' | sort | uniq -c | sort -rn | head -n 5",
    "python3 -c 'import platform, sys; print(platform.machine(), sys.version.split()[0])'",
];

/// Sets up, builds, and shows a few programs at work.
pub fn run() -> Result<(), String> {
    setup::run()?;
    step("building raemu-aarch64 (release)", || {
        run_command(command("cargo", ["build", "--release", "-p", "raemu-aarch64"]))
    })?;
    rootfs::run()?;
    let root = rootfs::tree("arm64")?;
    for line in LINES {
        step(
            &format!("raemu-aarch64 -L {} bash -c \"{line}\"", root.display()),
            || show(&root, line),
        )?;
    }
    Ok(())
}

fn show(root: &Path, line: &str) -> Result<(), String> {
    let emulator = emulator();
    let bash = root.join("usr/bin/bash");
    let mut command = command(&emulator.to_string_lossy(), ["-L"]);
    command
        .arg(root)
        .arg(bash)
        .arg("-c")
        .arg(line)
        .env("PATH", path_in(root))
        .env("LC_ALL", "C");
    print!("{}", capture(command)?);
    Ok(())
}

/// PATH with the tree's programs first, so that the guest's shell finds arm64 ones.
fn path_in(root: &Path) -> String {
    format!("{0}/usr/bin:{0}/bin:/usr/bin:/bin", root.display())
}
