//! The directory the cases of `cases.txt` work in: guests and links to the emulator, readable by every user.

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use crate::{namespace, prepare};
use program_tests::paths;

const COMPILER: &str = "aarch64-linux-gnu-gcc";

/// A file system in memory is mounted here.
pub const ROOT: &str = "/mnt";
/// The working directory, first in PATH.
pub const WORK: &str = "/mnt/w";
/// The directory of the emulator and of the names it is known by.
pub const EMULATORS: &str = "/mnt/bin";
/// Names of the emulator in other people's scripts, all of them links.
pub const NAMES: [&str; 4] = [
    "qemu-aarch64",
    "qemu-aarch64-static",
    "qemu-arm64",
    "aarch64-binfmt-P",
];

/// Lays everything out. To be called inside the namespaces.
///
/// # Errors
/// What cannot be made.
pub fn lay_out(emulator: &Path) -> Result<(), String> {
    let workspace = paths::workspace();
    namespace::mount_memory(Path::new(ROOT))?;
    for dir in [
        WORK,
        EMULATORS,
        "/mnt/empty",
        "/mnt/copy",
        "/mnt/false",
        "/mnt/false/proc",
        "/mnt/false/proc/self",
        "/mnt/closed",
        "/mnt/closed/open",
        "/mnt/logs",
    ] {
        fs::create_dir(dir).map_err(|e| format!("{dir}: {e}"))?;
    }
    copy(emulator, &Path::new(EMULATORS).join("raemu-aarch64"), 0o755)?;
    copy(emulator, Path::new("/mnt/copy/raemu-aarch64"), 0o755)?;
    for name in NAMES {
        symlink("raemu-aarch64", Path::new(EMULATORS).join(name)).map_err(|e| format!("{name}: {e}"))?;
    }
    let guest = compile(&workspace.join("tests/chroot/guest/show.c"), "show", "-Werror")?;
    let files = compile(&workspace.join("tests/guest/c/exec_files.c"), "files", "-w")?;
    copy(&files, Path::new("/mnt/w/files"), 0o755)?;
    copy(
        &workspace.join("tests/guest/c/exec_files.out"),
        Path::new("/mnt/w/files.out"),
        0o644,
    )?;
    for (path, mode) in [
        ("/mnt/w/bb", 0o755),
        ("/mnt/w/unreadable", 0o711),
        ("/mnt/w/suid", 0o4755),
        ("/mnt/w/plain", 0o755),
        ("/mnt/closed/open/bb", 0o755),
        ("/mnt/empty/show", 0o755),
        ("/mnt/copy/show", 0o755),
        ("/mnt/false/show", 0o755),
        ("/mnt/false/proc/self/exe", 0o755),
    ] {
        copy(&guest, Path::new(path), mode)?;
    }
    script("/mnt/w/s", "#!/mnt/w/bb x\n")?;
    mode("/mnt/closed", 0o700)?;
    mode("/mnt/logs", 0o777)?;
    // Nothing but one program, and nothing can be written.
    prepare(&["mount", "--bind", "/mnt/empty", "/mnt/empty"])?;
    prepare(&["mount", "-o", "remount,bind,ro", "/mnt/empty"])
}

fn compile(source: &Path, name: &str, warnings: &str) -> Result<PathBuf, String> {
    let program = format!("{ROOT}/{name}");
    prepare(&[
        COMPILER,
        "-O1",
        "-Wall",
        warnings,
        "-static",
        "-o",
        &program,
        &source.to_string_lossy(),
    ])?;
    Ok(PathBuf::from(program))
}

fn copy(from: &Path, to: &Path, bits: u32) -> Result<(), String> {
    fs::copy(from, to).map_err(|e| format!("{}: {e}", to.display()))?;
    mode(to, bits)
}

fn mode(path: impl AsRef<Path>, bits: u32) -> Result<(), String> {
    let path = path.as_ref();
    fs::set_permissions(path, Permissions::from_mode(bits)).map_err(|e| format!("{}: {e}", path.display()))
}

fn script(path: &str, text: &str) -> Result<(), String> {
    fs::write(path, text).map_err(|e| format!("{path}: {e}"))?;
    mode(path, 0o755)
}
