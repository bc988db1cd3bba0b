//! Where a core file goes: the name that core_pattern gives if it names a file (core(5)), else, also for the kernel's own
//! default `core`, qemu's name in the working directory.

use crate::host;
use crate::task::Task;
use linux_abi::Errno;
use linux_abi::nr::x86_64 as nr;
use std::ffi::OsStr;
use std::fs::{File, OpenOptions};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::OpenOptionsExt;
use std::time::{SystemTime, UNIX_EPOCH};

/// /proc/sys/kernel/core_pattern.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Pattern {
    /// The kernel's dump goes to a program.
    Pipe,
    /// A file: the pattern for the guest's own name, or none for qemu's.
    File { kernel: Vec<u8>, own: Option<Vec<u8>> },
}

/// What the kernel of the host would do.
pub fn pattern() -> Pattern {
    let text = std::fs::read("/proc/sys/kernel/core_pattern").unwrap_or_else(|_| b"core".to_vec());
    parse(text.trim_ascii_end())
}

fn parse(text: &[u8]) -> Pattern {
    match text {
        [b'|', ..] => Pattern::Pipe,
        b"core" | b"" => Pattern::File {
            kernel: text.to_vec(),
            own: None,
        },
        _ => Pattern::File {
            kernel: text.to_vec(),
            own: Some(text.to_vec()),
        },
    }
}

/// What the placeholders of a pattern stand for.
struct Facts {
    pid: i32,
    tid: i32,
    uid: u64,
    gid: u64,
    signal: i32,
    seconds: u64,
    limit: u64,
    host: Vec<u8>,
    comm: Vec<u8>,
    exe: Vec<u8>,
}

/// The name by a pattern.
fn expand(pattern: &[u8], facts: &Facts) -> Vec<u8> {
    // Slashes would lead elsewhere.
    let harmless = |name: &[u8]| {
        name.iter()
            .map(|&byte| if byte == b'/' { b'!' } else { byte })
            .collect::<Vec<u8>>()
    };
    let mut out = Vec::new();
    let mut bytes = pattern.iter();
    while let Some(&byte) = bytes.next() {
        if byte != b'%' {
            out.push(byte);
            continue;
        }
        match bytes.next() {
            Some(b'%') => out.push(b'%'),
            Some(b'p' | b'P') => out.extend(facts.pid.to_string().bytes()),
            Some(b'i' | b'I') => out.extend(facts.tid.to_string().bytes()),
            Some(b'u') => out.extend(facts.uid.to_string().bytes()),
            Some(b'g') => out.extend(facts.gid.to_string().bytes()),
            Some(b'd') => out.push(b'1'),
            Some(b's') => out.extend(facts.signal.to_string().bytes()),
            Some(b't') => out.extend(facts.seconds.to_string().bytes()),
            Some(b'c') => out.extend(facts.limit.to_string().bytes()),
            Some(b'h') => out.extend(&facts.host),
            Some(b'e') => out.extend(harmless(&facts.comm)),
            Some(b'f') => out.extend(harmless(base(&facts.exe))),
            Some(b'E') => out.extend(harmless(&facts.exe)),
            // Unknown ones, and one at the end, are dropped.
            Some(_) | None => {}
        }
    }
    out
}

fn base(path: &[u8]) -> &[u8] {
    path.rsplit(|&byte| byte == b'/').next().unwrap_or(path)
}

/// qemu's name: `qemu_PROGRAM_YYYYMMDD-HHMMSS_PID.core`.
fn qemus(facts: &Facts) -> Vec<u8> {
    let mut name = b"qemu_".to_vec();
    name.extend_from_slice(base(&facts.exe));
    name.extend(format!("_{}_{}.core", date(facts.seconds), facts.pid).bytes());
    name
}

/// `YYYYMMDD-HHMMSS` in UTC: the guest's time zone is its C library's matter. From days to a date as in
/// "chrono-Compatible Low-Level Date Algorithms" (Hinnant): years begin in March.
fn date(seconds: u64) -> String {
    let (days, rest) = (seconds / 86400 + 719_468, seconds % 86400);
    let (era, day_of_era) = (days / 146_097, days % 146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    let year = year_of_era + era * 400 + u64::from(month <= 2);
    let (hour, minute, second) = (rest / 3600, rest / 60 % 60, rest % 60);
    format!("{year:04}{month:02}{day:02}-{hour:02}{minute:02}{second:02}")
}

/// The name of the calling thread, as the guest set it.
pub fn command(task: &Task) -> Vec<u8> {
    const PR_GET_NAME: u64 = 16;
    let mut name = [0_u8; 16];
    // SAFETY: the kernel writes 16 bytes, which the array has.
    let got = unsafe { host::raw(nr::prctl, [PR_GET_NAME, (&raw mut name) as u64, 0, 0, 0, 0]) };
    match got {
        Ok(_) => name.split(|&byte| byte == 0).next().unwrap_or_default().to_vec(),
        Err(_) => task.process.image.comm.clone(),
    }
}

fn facts(task: &Task, signal: i32) -> Facts {
    let ask = |number| {
        // SAFETY: the call takes no address.
        unsafe { host::raw(number, [0; 6]) }.unwrap_or(0)
    };
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    let names = host::uname().ok();
    let node = names.map_or_else(Vec::new, |names| {
        names
            .nodename
            .iter()
            .copied()
            .take_while(|&byte| byte != 0)
            .collect()
    });
    Facts {
        pid: task.process.pid(),
        tid: task.tid,
        uid: ask(nr::getuid),
        gid: ask(nr::getgid),
        signal,
        seconds: since.map_or(0, |since| since.as_secs()),
        limit: host::prlimit(super::RLIMIT_CORE, None).map_or(0, |limit| limit.rlim_cur),
        host: node,
        comm: command(task),
        exe: task.process.image.exe.clone(),
    }
}

/// Makes the file, in place of one of the same name, for its owner alone.
///
/// # Errors
/// The kernel's.
pub fn create(task: &Task, signal: i32, pattern: &Pattern) -> Result<File, Errno> {
    let facts = facts(task, signal);
    let name = match pattern {
        Pattern::File { own: Some(own), .. } => {
            let mut name = expand(own, &facts);
            let adds_pid =
                std::fs::read("/proc/sys/kernel/core_uses_pid").is_ok_and(|text| text.starts_with(b"1"));
            let has_pid = own.windows(2).any(|two| two == b"%p");
            if adds_pid && !has_pid {
                name.extend(format!(".{}", facts.pid).bytes());
            }
            name
        }
        Pattern::File { own: None, .. } | Pattern::Pipe => qemus(&facts),
    };
    let path = OsStr::from_bytes(&name);
    // As the kernel does (fs/coredump.c); that there is none is no error.
    let _ = std::fs::remove_file(path);
    OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .custom_flags(libc::O_NOFOLLOW)
        .open(path)
        .map_err(super::failed)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts() -> Facts {
        Facts {
            pid: 12,
            tid: 13,
            uid: 1000,
            gid: 100,
            signal: 11,
            seconds: 951_827_696,
            limit: u64::MAX,
            host: b"lab".to_vec(),
            comm: b"a/b".to_vec(),
            exe: b"/usr/bin/program".to_vec(),
        }
    }

    #[test]
    fn patterns_are_expanded() {
        for (pattern, expected) in [
            ("/var/crash/%e.%p", "/var/crash/a!b.12"),
            ("core.%i-%u-%g-%s-%t", "core.13-1000-100-11-951827696"),
            ("%E%%%h%d", "!usr!bin!program%lab1"),
            ("%f.%c", "program.18446744073709551615"),
            ("x%", "x"),
            ("x%zy", "xy"),
        ] {
            let found = expand(pattern.as_bytes(), &facts());
            assert_eq!(String::from_utf8_lossy(&found), expected, "{pattern}");
        }
    }

    #[test]
    fn the_default_is_qemus() {
        assert_eq!(qemus(&facts()), b"qemu_program_20000229-123456_12.core");
        assert_eq!(parse(b"|/usr/lib/systemd/systemd-coredump %P"), Pattern::Pipe);
        for (text, own) in [("core", None), ("core.%p", Some("core.%p"))] {
            let Pattern::File { kernel, own: found } = parse(text.as_bytes()) else {
                panic!("{text}");
            };
            assert_eq!(
                (kernel.as_slice(), found.as_deref()),
                (text.as_bytes(), own.map(str::as_bytes))
            );
        }
    }

    #[test]
    fn dates_are_those_of_the_calendar() {
        for (seconds, expected) in [
            (0, "19700101-000000"),
            (951_782_400, "20000229-000000"),
            (1_709_251_199, "20240229-235959"),
            (4_102_444_800, "21000101-000000"),
        ] {
            assert_eq!(date(seconds), expected);
        }
    }
}
