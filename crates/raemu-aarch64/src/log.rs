//! Where log lines go: standard error, or the -D file.

use crate::host;
use crate::settings::{Outcome, Settings};
use linux_user::log::Log;
use std::ffi::OsStr;
use std::fs::OpenOptions;
use std::os::fd::AsRawFd;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::sync::OnceLock;

/// The log, for the engine's plain function.
static LOG: OnceLock<Log> = OnceLock::new();

/// Appends `text` to the log.
pub fn write(text: &str) {
    if let Some(log) = LOG.get() {
        log.write(text);
    }
}

/// Replaces the one `%d` a name may have by the process number; another `%` makes no sense.
fn expand(name: &[u8], pid: u32) -> Option<Vec<u8>> {
    let Some(at) = name.iter().position(|&byte| byte == b'%') else {
        return Some(name.to_vec());
    };
    let rest = name[at..].strip_prefix(b"%d")?;
    if rest.contains(&b'%') {
        return None;
    }
    Some([&name[..at], pid.to_string().as_bytes(), rest].concat())
}

/// Prepares the log of these settings, for [`write`] and for others.
///
/// # Errors
/// A file name that makes no sense, or a file that cannot be opened.
pub fn open(settings: &Settings) -> Result<&'static Log, Outcome> {
    let log = match &settings.log_file {
        None => Log::standard_error(),
        Some(name) => named(name, settings.log_append)?,
    };
    Ok(LOG.get_or_init(|| log))
}

fn named(name: &[u8], append: bool) -> Result<Log, Outcome> {
    let shown = String::from_utf8_lossy(name);
    let path =
        expand(name, host::pid()).ok_or_else(|| Outcome::fail(format!("Bad logfile template: {shown}")))?;
    let mut options = OpenOptions::new();
    // Appending keeps lines of several processes whole.
    options.append(true).create(true);
    let failed = |error: &std::io::Error| {
        let reason = raemu::errno(error).text();
        Outcome::fail(format!("Error opening logfile {shown}: {reason}"))
    };
    let file = options
        .open(OsStr::from_bytes(&path))
        .map_err(|error| failed(&error))?;
    if !append {
        // Fails for a pipe or a terminal, which hold nothing to be cleared.
        let _ = file.set_len(0);
    }
    Ok(Log::file(file.as_raw_fd(), Path::new(OsStr::from_bytes(&path))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_hold_the_process_number_once() {
        for (name, expected) in [
            ("log", Some("log")),
            ("a%d.log", Some("a7.log")),
            ("%d", Some("7")),
            ("%x", None),
            ("a%", None),
            ("%d%d", None),
            ("%%", None),
        ] {
            let expanded = expand(name.as_bytes(), 7);
            assert_eq!(expanded.as_deref(), expected.map(str::as_bytes), "{name}");
        }
    }
}
