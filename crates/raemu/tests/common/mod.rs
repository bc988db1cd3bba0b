//! Guest programs of the tests, made by the cross compiler.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};

const COMPILER: &str = "aarch64-linux-gnu-gcc";

/// Compiles `tests/guest/NAME.c`, or tells that `test` is skipped for want of the compiler.
pub fn compile(test: &str, name: &str, flags: &[&str]) -> Option<PathBuf> {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/guest/{name}.c"));
    let program =
        Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}-{}-{number}", std::process::id()));
    let mut command = Command::new(COMPILER);
    command
        .args(["-O1", "-w", "-pthread"])
        .args(flags)
        .arg("-o")
        .arg(&program)
        .arg(&source);
    match command.output() {
        Ok(output) => {
            assert!(
                output.status.success(),
                "{}",
                String::from_utf8_lossy(&output.stderr)
            );
            Some(program)
        }
        Err(_) => {
            test_support::skipped(test, &format!("no {COMPILER} on this machine"));
            None
        }
    }
}
