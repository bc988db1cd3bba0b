//! A private mount namespace in which both root file systems have /dev, /proc and an empty /t.
//!
//! The test binary starts itself again inside it, so that single cases need one chroot each and nothing stays behind
//! on disk. Root needs a mount namespace only; everybody else gets a user namespace too. An emulator that cannot
//! run its guests' children by itself is registered with the binfmt_misc of that user namespace, which nobody else
//! sees.

use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Says to the second start that the namespaces exist.
const MARK: &str = "RAEMU_TEST_SANDBOX";

/// The directory, inside each root, that belongs to the run: a tmpfs.
pub const SCRATCH: &str = "t";

/// The two trees, mounted and ready.
pub struct Sandbox {
    pub arm64: PathBuf,
    pub amd64: PathBuf,
}

impl Sandbox {
    /// Enters the namespaces (by starting this program again) and mounts what the guests need.
    ///
    /// `binfmt` asks for a user namespace in any case, because binfmt_misc entries belong to one.
    pub fn enter(roots: [PathBuf; 2], binfmt: bool) -> Result<Sandbox, String> {
        if std::env::var_os(MARK).is_none() {
            return Err(restart(binfmt));
        }
        let [arm64, amd64] = roots;
        for root in [&arm64, &amd64] {
            mount_into(root)?;
        }
        Ok(Sandbox { arm64, amd64 })
    }

    /// Copies an emulator into the arm64 root; returns its path as seen inside.
    pub fn install(&self, emulator: &Path, name: &str) -> Result<String, String> {
        let outside = self.arm64.join(SCRATCH).join(name);
        std::fs::copy(emulator, &outside).map_err(|e| format!("{}: {e}", outside.display()))?;
        Ok(format!("/{SCRATCH}/{name}"))
    }

    /// Registers an installed emulator with this user namespace's binfmt_misc.
    pub fn register(&self, name: &str) -> Result<(), String> {
        register(&self.arm64.join(SCRATCH).join(name))
    }
}

/// A command that runs `program` with `root` as its root directory and `dir` as its working directory.
pub fn chroot(root: &Path, dir: &str, program: &[&str]) -> Command {
    let mut command = Command::new("unshare");
    command
        .arg(format!("--root={}", root.display()))
        .arg(format!("--wd={dir}"))
        .arg("--")
        .args(program);
    command
}

/// Replaces this process by itself inside new namespaces; returns only when that is impossible.
fn restart(binfmt: bool) -> String {
    let with_user = ["--user", "--map-root-user", "--mount"];
    let without_user = ["--mount"];
    let choices: &[&[&str]] = if binfmt {
        &[&with_user]
    } else {
        &[&without_user, &with_user]
    };
    for flags in choices {
        let probe = Command::new("unshare")
            .args(*flags)
            .args(["--", "true"])
            .stdin(Stdio::null())
            .stderr(Stdio::null())
            .status();
        if !probe.is_ok_and(|status| status.success()) {
            continue;
        }
        let Ok(this) = std::env::current_exe() else {
            continue;
        };
        let error = Command::new("unshare")
            .args(*flags)
            .arg("--")
            .arg(this)
            .args(std::env::args_os().skip(1))
            .env(MARK, "1")
            .exec();
        return format!("cannot start again under unshare: {error}");
    }
    "no namespaces here: run as root, or allow unprivileged user namespaces".to_string()
}

fn mount_into(root: &Path) -> Result<(), String> {
    let scratch = root.join(SCRATCH);
    std::fs::create_dir_all(&scratch).map_err(|e| format!("{}: {e}", scratch.display()))?;
    mount(&["--rbind", "/dev"], &root.join("dev"))?;
    mount(&["--rbind", "/proc"], &root.join("proc"))?;
    mount(&["-t", "tmpfs", "-o", "mode=755", "tmpfs"], &scratch)?;
    mount(&["-t", "tmpfs", "-o", "mode=1777", "tmpfs"], &root.join("tmp"))
}

fn mount(arguments: &[&str], on: &Path) -> Result<(), String> {
    let status = Command::new("mount")
        .args(arguments)
        .arg(on)
        .stdin(Stdio::null())
        .status()
        .map_err(|e| format!("cannot run mount: {e}"))?;
    if status.success() {
        Ok(())
    } else {
        Err(format!("mount {arguments:?} {}: {status}", on.display()))
    }
}

/// F: the kernel opens the interpreter now, so that it works behind any chroot. P: it hands over argv[0].
fn register(emulator: &Path) -> Result<(), String> {
    let fs = Path::new("/proc/sys/fs/binfmt_misc");
    mount(&["-t", "binfmt_misc", "binfmt_misc"], fs)?;
    let line = raemu_binfmt::entry::register_line("raemu-test", emulator, "PF")?;
    std::fs::write(fs.join("register"), line).map_err(|e| format!("binfmt_misc: {e}"))
}
