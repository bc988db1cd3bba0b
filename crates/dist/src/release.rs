//! The release build: the same bytes from any folder, at any time.
//!
//! Paths of the folder, the target folder and cargo's home are replaced in what the compiler writes, and times come from the last
//! commit (SOURCE_DATE_EPOCH, where set). The linker and the static C library are the machine's.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

pub const EMULATOR: &str = "raemu-aarch64";
pub const REGISTRAR: &str = "raemu-binfmt";
const TRIPLE: &str = "x86_64-unknown-linux-gnu";

/// What .cargo/config.toml has, which the variable replaces.
const CONFIGURED: [&str; 3] = [
    "-Ctarget-feature=+crt-static",
    "-Clink-arg=-Wl,-z,pack-relative-relocs",
    "-Clink-arg=-Wl,--compress-debug-sections=zlib",
];

/// What goes into the packages from outside of this crate.
pub struct Release {
    pub version: &'static str,
    /// Seconds since 1970.
    pub time: u64,
    /// The folder of the sources.
    pub sources: PathBuf,
    pub emulator: PathBuf,
    pub registrar: PathBuf,
}

impl Release {
    /// Builds both programs from `sources`, in `target`.
    pub fn build(sources: &Path, target: &Path, time: u64) -> Result<Release, String> {
        println!("    cargo build --release --locked in {}", sources.display());
        let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        cargo
            .args(["build", "--quiet", "--release", "--locked", "--target", TRIPLE])
            .args(["-p", EMULATOR, "-p", REGISTRAR, "--target-dir"])
            .arg(target)
            .current_dir(sources)
            .env("CARGO_ENCODED_RUSTFLAGS", flags(sources, target)?)
            .env("SOURCE_DATE_EPOCH", time.to_string())
            .env("CARGO_INCREMENTAL", "0")
            .env_remove("RUSTFLAGS");
        run(cargo)?;
        Release::of(sources, &target.join(TRIPLE).join("release"), time)
    }

    /// Takes both programs from a folder.
    pub fn of(sources: &Path, programs: &Path, time: u64) -> Result<Release, String> {
        let program = |name: &str| {
            let path = programs.join(name);
            match path.is_file() {
                true => Ok(path),
                false => Err(format!("{} has not been built", path.display())),
            }
        };
        Ok(Release {
            version: env!("CARGO_PKG_VERSION"),
            time,
            sources: sources.to_owned(),
            emulator: program(EMULATOR)?,
            registrar: program(REGISTRAR)?,
        })
    }

    /// The time as `date` formats it, in UTC.
    pub fn date(&self, format: &str) -> Result<String, String> {
        let mut date = Command::new("date");
        date.args(["-u", "-d", &format!("@{}", self.time), format])
            .env("LC_ALL", "C");
        Ok(capture(date)?.trim().to_owned())
    }

    /// A text file of the sources.
    pub fn text(&self, path: &str) -> Result<String, String> {
        fs::read_to_string(self.sources.join(path)).map_err(|e| format!("{path}: {e}"))
    }
}

/// Flags of the compiler, with the separator that cargo wants.
fn flags(sources: &Path, target: &Path) -> Result<String, String> {
    let config = fs::read_to_string(sources.join(".cargo/config.toml"))
        .map_err(|e| format!(".cargo/config.toml: {e}"))?;
    let line = config
        .lines()
        .find_map(|line| line.strip_prefix("rustflags = "))
        .unwrap_or_default();
    if line != format!("{CONFIGURED:?}") {
        return Err(format!(
            "the flags of .cargo/config.toml have changed: {line}; repeat them here"
        ));
    }
    let mut flags: Vec<String> = CONFIGURED.map(str::to_owned).to_vec();
    let cargo_home = match std::env::var_os("CARGO_HOME") {
        Some(home) => PathBuf::from(home),
        None => PathBuf::from(std::env::var_os("HOME").ok_or("HOME is not set")?).join(".cargo"),
    };
    // Of several that fit, the last one counts. Generated sources lie in the target folder.
    for (from, to) in [
        (sources, "/raemu"),
        (target, "/raemu/target"),
        (cargo_home.as_path(), "/cargo"),
    ] {
        flags.push(format!("--remap-path-prefix={}={to}", from.display()));
    }
    Ok(flags.join("\x1f"))
}

/// When the sources were committed, or SOURCE_DATE_EPOCH.
pub fn time_of(sources: &Path) -> Result<u64, String> {
    if let Ok(time) = std::env::var("SOURCE_DATE_EPOCH") {
        return time
            .parse()
            .map_err(|_| format!("SOURCE_DATE_EPOCH is no number: '{time}'"));
    }
    let mut git = Command::new("git");
    git.args(["log", "-1", "--format=%ct"]).current_dir(sources);
    let time = capture(git).map_err(|why| format!("{why}; SOURCE_DATE_EPOCH can be set instead"))?;
    time.trim()
        .parse()
        .map_err(|_| format!("git told no time: '{time}'"))
}

/// Runs a command with its output on ours.
pub fn run(mut command: Command) -> Result<(), String> {
    let status = command.status().map_err(|e| format!("{command:?}: {e}"))?;
    match status.success() {
        true => Ok(()),
        false => Err(format!("{command:?}: {status}")),
    }
}

/// Runs a command and returns its standard output; it fails with its standard error.
pub fn capture(mut command: Command) -> Result<String, String> {
    let output = command.output().map_err(|e| format!("{command:?}: {e}"))?;
    if !output.status.success() {
        let stderr = String::from_utf8_lossy(&output.stderr);
        let stdout = String::from_utf8_lossy(&output.stdout);
        return Err(format!("{command:?}: {}\n{stdout}{stderr}", output.status));
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// True when a program of this name is on PATH.
pub fn have(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|dir| dir.join(program).is_file())
}
