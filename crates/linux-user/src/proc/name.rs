//! The names of the files that differ for the guest: what a path's last component is looked up in before anything is
//! asked of the kernel.

use guest::GuestAddr;
use guest_memory::access;
use linux_abi::PATH_MAX;

/// A file of /proc, or of a CPU's directory in /sys, that tells of the program or of the CPU.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum File {
    /// The link to the program.
    Exe,
    Maps,
    Smaps,
    SmapsRollup,
    NumaMaps,
    Statm,
    Cmdline,
    Environ,
    Auxv,
    Stat,
    Status,
    /// A descriptor's file of fdinfo, or its link of fd.
    Descriptor,
    Cpuinfo,
    /// MIDR_EL1 and REVIDR_EL1 below /sys/devices/system/cpu/cpuN/regs/identification.
    Midr,
    Revidr,
}

/// The longest name, and a descriptor's number.
const LONGEST: usize = 12;

impl File {
    /// By a path's last component.
    #[must_use]
    pub fn named(name: &[u8]) -> Option<File> {
        if name.is_empty() || name.len() > LONGEST {
            return None;
        }
        if name.iter().all(u8::is_ascii_digit) {
            return Some(File::Descriptor);
        }
        Some(match name {
            b"exe" => File::Exe,
            b"maps" => File::Maps,
            b"smaps" => File::Smaps,
            b"smaps_rollup" => File::SmapsRollup,
            b"numa_maps" => File::NumaMaps,
            b"statm" => File::Statm,
            b"cmdline" => File::Cmdline,
            b"environ" => File::Environ,
            b"auxv" => File::Auxv,
            b"stat" => File::Stat,
            b"status" => File::Status,
            b"cpuinfo" => File::Cpuinfo,
            b"midr_el1" => File::Midr,
            b"revidr_el1" => File::Revidr,
            _ => return None,
        })
    }

    /// By the last component of a path in guest memory, without copying the path. Nearly every path is told apart here.
    #[must_use]
    pub fn ending(path: GuestAddr) -> Option<File> {
        let (name, len) = last_component(path)?;
        File::named(&name[..len])
    }
}

const ONES: u64 = 0x0101_0101_0101_0101;
const LOW_BITS: u64 = 0x7f7f_7f7f_7f7f_7f7f;

/// The top bit of each byte that is zero.
const fn zero_bytes(word: u64) -> u64 {
    !(((word & LOW_BITS) + LOW_BITS) | word | LOW_BITS)
}

/// What follows the last slash of a string, if that is short enough to be a name of ours.
fn last_component(path: GuestAddr) -> Option<([u8; LONGEST], usize)> {
    // Aligned words do not cross into a page that the string does not reach.
    let mut at = path.0 & !7;
    let mut start = path.0;
    // Neither a zero nor a slash: the bytes before the string.
    let before = u64::MAX.checked_shr(64 - 8 * (path.0 - at) as u32).unwrap_or(0);
    let mut word = access::load(GuestAddr(at), 8).ok()? | before;
    let end = loop {
        let end = zero_bytes(word);
        let mut slashes = zero_bytes(word ^ (ONES * b'/' as u64));
        if end != 0 {
            // Those before the end.
            slashes &= (end & end.wrapping_neg()) - 1;
        }
        if slashes != 0 {
            start = at + 8 - u64::from(slashes.leading_zeros() / 8);
        }
        if end != 0 {
            break at + u64::from(end.trailing_zeros() / 8);
        }
        at += 8;
        if at - path.0 > PATH_MAX as u64 {
            return None;
        }
        word = access::load(GuestAddr(at), 8).ok()?;
    };
    let len = end.wrapping_sub(start) as usize;
    let mut name = [0; LONGEST];
    access::read(GuestAddr(start), name.get_mut(..len)?).ok()?;
    Some((name, len))
}

/// A path's bytes in a normal form: absolute, without empty and `.` components; `None` where only a file system knows.
#[must_use]
pub fn normalise(path: &[u8]) -> Option<Vec<u8>> {
    if path.first() != Some(&b'/') {
        return None;
    }
    let mut normal = Vec::with_capacity(path.len());
    for part in path.split(|&byte| byte == b'/') {
        match part {
            b"" | b"." => {}
            b".." => return None,
            name => {
                normal.push(b'/');
                normal.extend_from_slice(name);
            }
        }
    }
    Some(normal)
}

/// A file of a process, by the path of it that the kernel gives.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Place {
    pub file: File,
    /// The process; 0 for what is no process's.
    pub pid: i32,
    /// How much of the path leads to the process's directory.
    pub directory: usize,
}

impl Place {
    /// From a path within a proc file system, wherever that is mounted.
    #[must_use]
    pub fn find(path: &[u8]) -> Option<Place> {
        let mut slashes: Vec<usize> = Vec::with_capacity(8);
        slashes.extend(
            path.iter()
                .enumerate()
                .filter(|(_, byte)| **byte == b'/')
                .map(|(at, _)| at),
        );
        slashes.push(path.len());
        // From the end: 0 is the last component.
        let part = |back: usize| -> Option<&[u8]> {
            let end = slashes.len().checked_sub(1 + back)?;
            let start = *slashes.get(end.checked_sub(1)?)?;
            path.get(start + 1..*slashes.get(end)?)
        };
        let file = File::named(part(0)?)?;
        let mut back = 1;
        match file {
            File::Cpuinfo => {
                return Some(Place {
                    file,
                    pid: 0,
                    directory: 0,
                });
            }
            File::Midr | File::Revidr => return None,
            File::Descriptor if matches!(part(1)?, b"fdinfo" | b"fd") => back = 2,
            File::Descriptor => return None,
            _ => {}
        }
        let number = |name: &[u8]| -> Option<i32> {
            std::str::from_utf8(name)
                .ok()?
                .parse()
                .ok()
                .filter(|&pid| pid > 0)
        };
        let mut pid = number(part(back)?)?;
        if part(back + 1) == Some(b"task") {
            pid = number(part(back + 2)?)?;
        }
        Some(Place {
            file,
            pid,
            directory: slashes[slashes.len() - 1 - back],
        })
    }

    /// From a path as it is written, for the process itself where no proc file system tells.
    #[must_use]
    pub fn written(path: &[u8], pid: i32) -> Option<(Place, Vec<u8>)> {
        let path = normalise(path)?;
        let rest = path.strip_prefix(b"/proc/")?;
        let name_at = rest.iter().position(|&byte| byte == b'/').unwrap_or(rest.len());
        let path = match &rest[..name_at] {
            b"self" | b"thread-self" => [format!("/proc/{pid}").as_bytes(), &rest[name_at..]].concat(),
            _ => path,
        };
        let place = Place::find(&path)?;
        (place.pid == 0 || place.pid == pid).then_some((place, path))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::syscall::arg::guard::guest_copy;

    #[test]
    fn last_components_are_found_at_every_alignment() {
        let cases: &[(&str, Option<File>)] = &[
            ("/proc/self/exe", Some(File::Exe)),
            ("exe", Some(File::Exe)),
            ("maps", Some(File::Maps)),
            ("./task/12/smaps_rollup", Some(File::SmapsRollup)),
            ("/proc/1/fdinfo/1023", Some(File::Descriptor)),
            ("/", None),
            ("", None),
            ("/usr/lib/libc.so.6", None),
            ("/proc/self/maps/", None),
            ("mapsmapsmapsmaps", None),
            ("/proc/cpuinfo", Some(File::Cpuinfo)),
            (
                "/sys/devices/system/cpu/cpu0/regs/identification/revidr_el1",
                Some(File::Revidr),
            ),
        ];
        for (path, expected) in cases {
            for shift in 0..16 {
                let mut bytes = vec![b'/'; shift];
                bytes.extend_from_slice(path.as_bytes());
                bytes.extend_from_slice(b"\0exe\0/maps\0");
                let at = guest_copy(&bytes[..]).offset(shift as i64);
                assert_eq!(File::ending(at), *expected, "{path} at {shift}");
            }
        }
    }

    #[test]
    fn places_are_told_by_the_kernels_own_names() {
        type Found<'a> = Option<(File, i32, &'a str)>;
        let cases: &[(&str, Found<'_>)] = &[
            ("/proc/42/exe", Some((File::Exe, 42, "/proc/42"))),
            (
                "/mnt/p/42/task/43/stat",
                Some((File::Stat, 42, "/mnt/p/42/task/43")),
            ),
            ("/42/fdinfo/7", Some((File::Descriptor, 42, "/42"))),
            (
                "/proc/42/task/43/fdinfo/7",
                Some((File::Descriptor, 42, "/proc/42/task/43")),
            ),
            ("/proc/cpuinfo", Some((File::Cpuinfo, 0, ""))),
            ("/proc/stat", None),
            ("/proc/42", None),
            ("/proc/net/stat", None),
            ("/proc/42/net/stat", None),
            ("/proc/42/task/43", None),
            ("/proc/42/map_files/7", None),
        ];
        for (path, expected) in cases {
            let found = Place::find(path.as_bytes());
            let found = found.map(|place| (place.file, place.pid, &path[..place.directory]));
            assert_eq!(found, *expected, "{path}");
        }
    }

    #[test]
    fn written_paths_are_the_own_processs() {
        let cases: &[(&str, Option<File>)] = &[
            ("/proc/self/exe", Some(File::Exe)),
            ("//proc/./thread-self//maps", Some(File::Maps)),
            ("/proc/42/cmdline", Some(File::Cmdline)),
            ("/proc/self/task/42/status", Some(File::Status)),
            ("/proc/cpuinfo", Some(File::Cpuinfo)),
            ("/proc/41/cmdline", None),
            ("/proc/../proc/self/exe", None),
            ("proc/self/exe", None),
        ];
        for (path, expected) in cases {
            let found = Place::written(path.as_bytes(), 42).map(|(place, _)| place.file);
            assert_eq!(found, *expected, "{path}");
        }
    }
}
