//! The one binfmt_misc entry of this test's namespace.

use std::path::Path;

/// What the kernel compares to recognise an arm64 program. Written out here, so that nothing under test says what
/// the right entry is.
const MAGIC: &str = r"\x7f\x45\x4c\x46\x02\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\xb7\x00";
const MASK: &str = r"\xff\xff\xff\xff\xff\xff\xff\x00\xff\xff\xff\xff\xff\xff\xff\xff\xfe\xff\xff\xff";

const DIRECTORY: &str = "/proc/sys/fs/binfmt_misc";
const NAME: &str = "arm64-test";

/// Registers `interpreter` for arm64 programs, in place of what was registered before. `flags` may be empty.
///
/// # Errors
/// What the kernel says.
pub fn register(interpreter: &Path, flags: &str) -> Result<(), String> {
    unregister()?;
    let line = format!(":{NAME}:M::{MAGIC}:{MASK}:{}:{flags}", interpreter.display());
    std::fs::write(Path::new(DIRECTORY).join("register"), &line)
        .map_err(|e| format!("binfmt_misc: {line}: {e}"))
}

/// Removes the entry, if there is one.
///
/// # Errors
/// What the kernel says.
pub fn unregister() -> Result<(), String> {
    let entry = Path::new(DIRECTORY).join(NAME);
    if !entry.exists() {
        return Ok(());
    }
    std::fs::write(&entry, "-1").map_err(|e| format!("binfmt_misc: removing {NAME}: {e}"))
}
