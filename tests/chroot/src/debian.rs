//! Debian file systems for arm64: made by debootstrap, entered by chroot.
//!
//! The first stage runs no arm64 program and needs device files, so real root runs it, once: the result is kept in
//! the directory of root file systems ([`paths::rootfs_base`]) with the package files, and works without a network
//! from then on. The second stage runs in a copy of it, inside the test's namespaces. What it makes is removed again.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use program_tests::paths;
use program_tests::process::{self, End, Outcome};

use crate::prepare;

/// Raise when the kept trees must be made anew.
const LAYOUT: u32 = 1;
/// What the cases need beside the minimum.
const INCLUDE: &str = "procps,sudo";
/// The longest a second stage takes, with other work on the machine.
const STAGE_LIMIT: Duration = Duration::from_secs(1800);

/// The directory in which copies of the kept trees are worked in; removed at the end.
pub fn work() -> PathBuf {
    kept().join("work")
}

fn kept() -> PathBuf {
    paths::rootfs_base().join("debootstrap")
}

fn first_stage_of(suite: &str) -> PathBuf {
    kept().join(suite)
}

/// Another mirror than debootstrap's own for the suite.
fn mirror() -> Option<String> {
    std::env::var("DEBOOTSTRAP_MIRROR").ok()
}

/// Runs `debootstrap --arch arm64 --foreign`, unless its result is there. To be called outside the namespaces.
///
/// # Errors
/// What debootstrap says.
pub fn first_stage(suite: &str) -> Result<(), String> {
    let tree = first_stage_of(suite);
    let stamp = tree.join(".first-stage");
    let wanted = format!("{LAYOUT} {INCLUDE} {:?}\n", mirror());
    if fs::read_to_string(&stamp).is_ok_and(|text| text == wanted) {
        return Ok(());
    }
    remove(&tree)?;
    let packages = kept().join("packages");
    fs::create_dir_all(&packages).map_err(|e| format!("{}: {e}", packages.display()))?;
    let (tree_name, packages) = (tree.to_string_lossy(), packages.to_string_lossy());
    let include = format!("--include={INCLUDE}");
    let cache = format!("--cache-dir={packages}");
    let mut words = vec![
        "debootstrap",
        "--arch=arm64",
        "--foreign",
        "--variant=minbase",
        &include,
        &cache,
    ];
    let mirror = mirror();
    words.extend([suite, &tree_name]);
    words.extend(mirror.as_deref());
    println!("debootstrap, first stage of {suite}");
    prepare(&words)?;
    fs::write(&stamp, wanted).map_err(|e| format!("{}: {e}", stamp.display()))
}

/// Copies a first stage's result to [`work`] as `name`. To be called outside the namespaces, for the device files.
///
/// # Errors
/// What cp says.
pub fn copy(suite: &str, name: &str) -> Result<(), String> {
    let root = work().join(name);
    fs::create_dir_all(work()).map_err(|e| format!("{}: {e}", work().display()))?;
    prepare(&[
        "cp",
        "-a",
        &first_stage_of(suite).to_string_lossy(),
        &root.to_string_lossy(),
    ])
}

/// Removes a tree in which nothing is mounted.
///
/// # Errors
/// What rm says.
pub fn remove(tree: &Path) -> Result<(), String> {
    prepare(&["rm", "-rf", "--one-file-system", &tree.to_string_lossy()])
}

/// A root file system of the test's own.
pub struct Tree {
    pub root: PathBuf,
}

impl Tree {
    /// One that [`copy`] made.
    #[must_use]
    pub fn at(name: &str) -> Tree {
        Tree {
            root: work().join(name),
        }
    }

    /// A command in the tree, with the environment of a fresh login of root's.
    pub fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new("chroot");
        command.arg(&self.root).args(words);
        clean(&mut command);
        command
    }

    /// Runs it; an end other than status 0 is an error.
    ///
    /// # Errors
    /// How it ended and the end of what it printed.
    pub fn run(&self, words: &[&str], limit: Duration) -> Result<Outcome, String> {
        succeed(&words.join(" "), process::run(self.command(words), limit)?)
    }

    /// Standard output of a command that succeeds.
    ///
    /// # Errors
    /// As [`Tree::run`].
    pub fn output(&self, words: &[&str]) -> Result<String, String> {
        let outcome = self.run(words, Duration::from_secs(120))?;
        Ok(String::from_utf8_lossy(&outcome.stdout).into_owned())
    }

    /// The second stage by plain chroot; its time. /proc is mounted in the tree afterwards.
    ///
    /// # Errors
    /// When it fails, or when dpkg finds fault with the result.
    pub fn second_stage(&self) -> Result<Duration, String> {
        let mut command = self.command(&["/debootstrap/debootstrap", "--second-stage"]);
        // Says that device files cannot be made here; the first stage made them.
        command.env("container", "lxc");
        let outcome = succeed("the second stage", process::run(command, STAGE_LIMIT)?)?;
        let last = String::from_utf8_lossy(&outcome.stdout);
        if !last.ends_with("I: Base system installed successfully.\n") {
            return Err(format!(
                "    the second stage ends with: {}\n",
                tail(&outcome.stdout)
            ));
        }
        self.audit()?;
        let proc = self.root.join("proc");
        prepare(&["mount", "-t", "proc", "proc", &proc.to_string_lossy()])?;
        Ok(outcome.elapsed)
    }

    /// dpkg's opinion of what is installed.
    ///
    /// # Errors
    /// Each package that is not in order.
    pub fn audit(&self) -> Result<(), String> {
        let text = self.output(&["dpkg", "--audit"])?;
        let states = self.output(&["dpkg-query", "-W", "-f", "${Status} ${Package}\n"])?;
        let bad: Vec<&str> = states
            .lines()
            .filter(|line| !line.starts_with("install ok installed "))
            .collect();
        if text.is_empty() && bad.is_empty() && states.lines().count() > 50 {
            Ok(())
        } else {
            Err(format!("    dpkg --audit: {text}\n    states: {bad:?}\n"))
        }
    }

    /// Installs packages with the tree's own apt, from a mirror; package files are kept for the next time.
    ///
    /// # Errors
    /// What apt says.
    pub fn install(&self, suite: &str, packages: &[&str]) -> Result<Duration, String> {
        let cache = kept().join("archives").join(suite);
        fs::create_dir_all(cache.join("partial")).map_err(|e| format!("{}: {e}", cache.display()))?;
        let archives = self.root.join("var/cache/apt/archives");
        prepare(&[
            "mount",
            "--bind",
            &cache.to_string_lossy(),
            &archives.to_string_lossy(),
        ])?;
        for name in ["etc/resolv.conf", "etc/hosts"] {
            // Without one the mirror may be a proxy or a directory.
            let _ = fs::copy(Path::new("/").join(name), self.root.join(name));
        }
        self.apt(&["update"])?;
        let outcome = self.apt(&[&["install", "--no-install-recommends"], packages].concat())?;
        self.audit()?;
        Ok(outcome.elapsed)
    }

    fn apt(&self, words: &[&str]) -> Result<Outcome, String> {
        let options = ["Dpkg::Use-Pty=false", "APT::Keep-Downloaded-Packages=true"];
        let mut command = vec!["apt-get", "-q", "-y"];
        command.extend(options.iter().flat_map(|option| ["-o", option]));
        command.extend(words);
        self.run(&command, STAGE_LIMIT)
    }
}

/// The environment of a fresh login of root's, and the proxies of this one.
pub fn clean(command: &mut Command) {
    command.env_clear();
    for (name, value) in std::env::vars_os() {
        if name.to_string_lossy().to_ascii_lowercase().ends_with("_proxy") {
            command.env(name, value);
        }
    }
    command
        .env(
            "PATH",
            "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        )
        .env("HOME", "/root")
        .env("LC_ALL", "C")
        .env("DEBIAN_FRONTEND", "noninteractive")
        .envs(paths::engine())
        .current_dir("/");
}

/// Turns an end other than status 0 into an error.
///
/// # Errors
/// See above.
pub fn succeed(what: &str, outcome: Outcome) -> Result<Outcome, String> {
    if outcome.end == End::Status(0) {
        return Ok(outcome);
    }
    Err(format!(
        "    {what} ended with {:?} after {:.1} s\n    stdout: {}\n    stderr: {}\n",
        outcome.end,
        outcome.elapsed.as_secs_f64(),
        tail(&outcome.stdout),
        tail(&outcome.stderr)
    ))
}

/// The end of a stream, where the reason mostly stands.
fn tail(bytes: &[u8]) -> String {
    const SHOWN: usize = 3000;
    let start = bytes.len().saturating_sub(SHOWN);
    String::from_utf8_lossy(&bytes[start..]).into_owned()
}
