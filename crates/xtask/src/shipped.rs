//! What must hold of the file we ship: it runs in an empty chroot and starts its guest as the kernel would.

use std::fs;
use std::path::Path;

use crate::report::note;
use crate::shell::{capture, command, emulator};

/// Line tables for backtraces included. Room to grow, and a stop for accidents such as a second copy of a table.
const SIZE_LIMIT: u64 = 16 << 20;

/// Functions of the C library that load shared objects at run time, and so fail in a static file.
const NEEDS_LOADER: &[&str] = &[
    "getaddrinfo",
    "gethostbyname",
    "getpwnam",
    "getpwuid",
    "getgrnam",
    "getgrgid",
];

/// Checks the release build; all breaches are named at once.
pub fn check() -> Result<(), String> {
    let file = emulator();
    let mut breaches = Vec::new();
    breaches.extend(size(&file)?);
    breaches.extend(headers(&read(
        "readelf",
        &["--file-header", "--program-headers", "--wide"],
        &file,
    )?));
    breaches.extend(dynamic(&read("readelf", &["--dynamic", "--wide"], &file)?));
    breaches.extend(symbols(&read("nm", &[], &file)?));
    breaches.extend(signals(&file)?);
    if breaches.is_empty() {
        note("static-PIE, no interpreter, no NSS, signals untouched");
        return Ok(());
    }
    Err(format!("{}: {}", file.display(), breaches.join("; ")))
}

fn read(tool: &str, arguments: &[&str], file: &Path) -> Result<String, String> {
    let mut command = command(tool, arguments);
    command.arg(file);
    capture(command)
}

fn size(file: &Path) -> Result<Option<String>, String> {
    let bytes = fs::metadata(file)
        .map_err(|e| format!("{}: {e}", file.display()))?
        .len();
    note(&format!("{:.1} MiB", bytes as f64 / f64::from(1 << 20)));
    Ok((bytes > SIZE_LIMIT).then(|| format!("{bytes} bytes, more than {SIZE_LIMIT}")))
}

fn headers(text: &str) -> Vec<String> {
    let mut breaches = Vec::new();
    if !text
        .lines()
        .any(|line| line.trim_start().starts_with("Type:") && line.contains("DYN"))
    {
        breaches.push("not position-independent".to_string());
    }
    if text.contains("INTERP") {
        breaches.push("asks for an interpreter".to_string());
    }
    let executable_stack = text
        .lines()
        .any(|line| line.trim_start().starts_with("GNU_STACK") && line.contains("RWE"));
    if executable_stack {
        breaches.push("wants an executable stack".to_string());
    }
    breaches
}

fn dynamic(text: &str) -> Vec<String> {
    let needed = text.lines().filter(|line| line.contains("(NEEDED)"));
    needed
        .map(|line| format!("needs a shared object: {}", line.trim()))
        .collect()
}

fn symbols(text: &str) -> Vec<String> {
    let names = text.lines().filter_map(|line| line.split_whitespace().last());
    names
        .filter(|name| NEEDS_LOADER.contains(name))
        .map(|name| format!("contains {name}"))
        .collect()
}

/// A guest sees the signal dispositions that its parent left, as a native program does: Rust's runtime, for one, would
/// have ignored SIGPIPE. (The C library's posix_spawn leaves its two own signals ignored.)
fn signals(file: &Path) -> Result<Vec<String>, String> {
    const QUESTION: [&str; 2] = ["^SigIgn:", "/proc/self/status"];
    let root = crate::rootfs::tree("arm64")?;
    // Both start the same way, because the ways differ in what they leave ignored.
    let mut guest = command(&file.to_string_lossy(), ["-L"]);
    guest.arg(&root).arg(root.join("usr/bin/grep")).args(QUESTION);
    let (guest, native) = (capture(guest)?, capture(command("grep", QUESTION))?);
    let same = guest == native;
    let breach = || {
        format!(
            "the guest starts with {}, a native program with {}",
            guest.trim(),
            native.trim()
        )
    };
    Ok(if same { Vec::new() } else { vec![breach()] })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn breaches_are_found_in_the_tools_output() {
        let good = "  Type:   DYN (Position-Independent Executable file)\n  GNU_STACK 0x0 0x0 0x0 RW 0x10\n";
        assert!(headers(good).is_empty());
        let bad = "  Type:   EXEC\n  INTERP 0x318\n  GNU_STACK 0x0 0x0 RWE 0x10\n";
        assert_eq!(headers(bad).len(), 3);
        assert_eq!(
            dynamic(" 0x1 (NEEDED) Shared library: [libc.so.6]\n 0x2 (FLAGS)\n").len(),
            1
        );
        assert_eq!(
            symbols("0001 T getaddrinfo\n0002 t main\n"),
            ["contains getaddrinfo"]
        );
    }
}
