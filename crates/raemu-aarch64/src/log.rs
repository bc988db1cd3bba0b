//! Where log lines go: standard error, or the -D file. Either way a high close-on-exec
//! descriptor, so that the guest can do with its own descriptor 2 what it likes.

use crate::host;
use crate::settings::{Outcome, Settings};
use linux_user::own_fds;
use std::ffi::OsStr;
use std::fs::OpenOptions;
use std::os::fd::AsRawFd;
use std::os::unix::ffi::OsStrExt;
use std::sync::atomic::{AtomicI32, Ordering};

/// The log's descriptor, for the engine's plain function.
static LOG: AtomicI32 = AtomicI32::new(-1);

/// Appends `text` to the log.
pub fn write(text: &str) {
    host::write_all(LOG.load(Ordering::Relaxed), text.as_bytes());
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

/// Opens the log of these settings, for [`write`] and for others by its descriptor.
///
/// # Errors
/// A file name that makes no sense, or a file that cannot be opened.
pub fn open(settings: &Settings) -> Result<i32, Outcome> {
    let fd = descriptor(settings)?;
    LOG.store(fd, Ordering::Relaxed);
    Ok(fd)
}

fn descriptor(settings: &Settings) -> Result<i32, Outcome> {
    let Some(name) = &settings.log_file else {
        // Standard error may be closed; then lines go nowhere.
        return Ok(own_fds::adopt(2).unwrap_or(-1));
    };
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
    if !settings.log_append {
        // Fails for a pipe or a terminal, which hold nothing to be cleared.
        let _ = file.set_len(0);
    }
    own_fds::adopt(file.as_raw_fd())
        .map_err(|errno| Outcome::fail(format!("Error opening logfile {shown}: {}", errno.text())))
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
