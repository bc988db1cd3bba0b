//! Where things are: the workspace, the emulator under test, the root file systems.

use std::path::{Path, PathBuf};

/// The workspace's root directory.
pub fn workspace() -> PathBuf {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR"));
    manifest
        .ancestors()
        .nth(2)
        .expect("tests/programs lies two levels below the root")
        .to_path_buf()
}

/// The emulator: `RAEMU_UNDER_TEST`, or the newest build in the target directory.
pub fn emulator() -> Result<PathBuf, String> {
    if let Some(path) = std::env::var_os("RAEMU_UNDER_TEST") {
        let path = PathBuf::from(path);
        return if path.is_file() {
            Ok(path)
        } else {
            Err(format!("{} is not a file", path.display()))
        };
    }
    let target =
        std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| workspace().join("target"), PathBuf::from);
    let builds = ["release", "fast", "debug"].map(|profile| {
        target
            .join("x86_64-unknown-linux-gnu")
            .join(profile)
            .join("raemu-aarch64")
    });
    let built = |path: &PathBuf| path.metadata().and_then(|m| m.modified()).ok();
    builds
        .into_iter()
        .filter(|path| path.is_file())
        .max_by_key(built)
        .ok_or_else(|| "no raemu-aarch64 is built: run cargo build --release -p raemu-aarch64".to_string())
}

/// The variable that chooses the emulator's engine (`jit` or `interp`), if the run has it set.
pub fn engine() -> Option<(&'static str, String)> {
    const VARIABLE: &str = "RAEMU_ENGINE";
    std::env::var(VARIABLE).ok().map(|engine| (VARIABLE, engine))
}

/// True when the emulator under test needs binfmt_misc for the children of its guests.
pub fn needs_binfmt(emulator: &Path) -> bool {
    emulator
        .file_name()
        .is_some_and(|name| name.to_string_lossy().starts_with("qemu-"))
}

/// The directory of root file systems: `RAEMU_ROOTFS`, or `rootfs/` of the workspace.
pub fn rootfs_base() -> PathBuf {
    std::env::var_os("RAEMU_ROOTFS").map_or_else(|| workspace().join("rootfs"), PathBuf::from)
}

/// The arm64 and the amd64 root file system that `cargo xtask rootfs` made.
pub fn roots() -> Result<[PathBuf; 2], String> {
    let base = rootfs_base();
    let missing = || {
        format!(
            "no root file system in {}: run cargo xtask rootfs",
            base.display()
        )
    };
    let release = std::fs::read_to_string("/etc/os-release").map_err(|e| format!("/etc/os-release: {e}"))?;
    let codename = release
        .lines()
        .find_map(|line| line.strip_prefix("VERSION_CODENAME="))
        .ok_or_else(missing)?;
    let roots = ["arm64", "amd64"].map(|arch| base.join(format!("{codename}-{arch}")));
    if roots.iter().all(|root| root.join(".raemu-rootfs").is_file()) {
        Ok(roots)
    } else {
        Err(missing())
    }
}
