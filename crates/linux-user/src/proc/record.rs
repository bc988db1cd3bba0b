//! What a guest process shows of itself to others: they see only what their kernel would let them see of it.
//!
//! The kernel keeps, for /proc/PID, where a program's environment lies and a copy of its auxiliary vector; prctl(2)
//! PR_SET_MM_MAP sets both without privileges (with CONFIG_CHECKPOINT_RESTORE, which distributions' kernels have). A
//! guest that begins puts there its own: /proc/PID/auxv is the guest's, followed by entries of ours ([`KEYS`]), and
//! /proc/PID/environ are the guest's arguments and environment, as they are at the time of reading. So whoever may read
//! these two files knows the guest, and no other permission is needed than for the same files of any program.
//!
//! The kernel's cmdline stays that of the emulator: tools of the host are to see how the guest was started.

use super::host_file;
use crate::host;
use crate::kernel::process::Image;
use crate::kernel::ptrace;
use crate::mm::maps::{HostLine, parse};
use crate::mm::{Backing, Vma};
use elf_loader::stack::{AT_ENTRY, AT_PHDR, AT_RANDOM, AT_SYSINFO_EHDR};
use linux_abi::{Errno, flags};
use std::ops::Range;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

/// The key of the length of the arguments: what is before the environment in the kernel's environ.
const ARGUMENTS: u64 = 0x7261_656d_0001;
/// The key of the start of the guest's heap.
const HEAP: u64 = 0x7261_656d_0002;
/// The key of the emulator's area: its start, and in the low 16 bits its length in granules.
const AREA: u64 = 0x7261_656d_0003;
const GRANULE: u64 = 64 << 10;

/// Our keys, from the one that says that this is a guest.
const KEYS: [u64; 3] = [ARGUMENTS, HEAP, AREA];

/// Where the emulator's own arguments lie, on the stack that the kernel made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostArguments {
    /// The vector.
    pub vector: u64,
    /// The strings.
    pub strings: Range<u64>,
}

static HOST_ARGUMENTS: OnceLock<HostArguments> = OnceLock::new();

/// Says where the process's own arguments lie; to be called once, by a program whose process becomes a guest.
/// Without it a guest shows nothing to others.
pub fn set_host_arguments(arguments: HostArguments) {
    // A second caller would say the same.
    let _ = HOST_ARGUMENTS.set(arguments);
}

/// How long another guest is waited for that begins, in microseconds and tries: a tenth of a second, as it may have been stopped.
const BEGIN_PAUSE: u64 = 200;
const BEGIN_TRIES: u32 = 500;

/// This process shows its guest: so the kernel lets others show theirs.
static PUBLISHED: AtomicBool = AtomicBool::new(false);

/// Shows the guest that begins in this process.
pub fn publish(image: &Image, heap: u64) {
    let Some(own) = HOST_ARGUMENTS.get() else { return };
    let (arguments, mut environment) = (image.arguments(), image.environment());
    if arguments.start == environment.end {
        return;
    }
    if arguments.end > environment.start {
        // The two are shown as one, which prctl(2) may have torn apart: then without the second.
        environment = arguments.end..arguments.end;
    }
    let area = host_memory::own::area();
    let granules = ((area.end - area.start) / GRANULE).min(0xffff);
    let values = [
        environment.start.0 - arguments.start.0,
        heap,
        area.start | granules,
    ];
    let mut auxv: Vec<u64> = words(&image.auxv());
    // Before the end mark.
    let end = auxv.chunks(2).position(|entry| entry[0] == 0);
    auxv.truncate(end.unwrap_or(auxv.len() / 2) * 2);
    auxv.extend(KEYS.iter().zip(values).flat_map(|(&key, value)| [key, value]));
    auxv.extend([0, 0]);
    let host_heap = host_memory::own::heap();
    let host_image = host_memory::own::program();
    let map = host::MmMap {
        code: host_image.clone(),
        data: host_image,
        heap: host_heap,
        stack: own.vector - size_of::<u64>() as u64,
        arguments: own.strings.clone(),
        environment: arguments.start.0..environment.end.0,
    };
    // Older kernels have room for fewer entries (AT_VECTOR_SIZE): without the last two of ours then.
    let mut published = host::set_mm_map(&map, &auxv).is_ok();
    if !published {
        auxv.truncate(auxv.len() - 6);
        auxv.extend([0, 0]);
        // A kernel without it: others see the emulator.
        published = host::set_mm_map(&map, &auxv).is_ok();
    }
    PUBLISHED.store(published, Ordering::Relaxed);
}

fn words(bytes: &[u8]) -> Vec<u64> {
    let words = bytes.as_chunks().0;
    words.iter().map(|word| u64::from_le_bytes(*word)).collect()
}

/// What a guest shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// The process's directory in a proc file system.
    directory: Vec<u8>,
    auxv: Vec<(u64, u64)>,
    arguments: u64,
    heap: u64,
    area: Range<u64>,
}

impl Record {
    /// Of the process whose directory this is; `None` if it is no guest, or shows nothing to this process. To a guest, another is
    /// there from its execve(2) on: while this emulator starts there, it is waited for.
    #[must_use]
    pub fn read_begun(pid: i32, directory: &[u8]) -> Option<Record> {
        for _ in 0..BEGIN_TRIES {
            let record = Record::read(directory);
            if record.is_some() || !PUBLISHED.load(Ordering::Relaxed) || !ptrace::runs_same(pid) {
                return record;
            }
            host::pause(BEGIN_PAUSE);
        }
        None
    }

    fn read(directory: &[u8]) -> Option<Record> {
        let auxv = host_file::read(&[directory, b"/auxv"].concat()).ok()?;
        Record::parse(directory, &words(&auxv))
    }

    fn parse(directory: &[u8], auxv: &[u64]) -> Option<Record> {
        let mut own = [None; KEYS.len()];
        let mut guest = Vec::new();
        for &[key, value] in auxv.as_chunks().0 {
            match KEYS.iter().position(|&ours| ours == key) {
                Some(at) => own[at] = Some(value),
                None => guest.push((key, value)),
            }
        }
        let area = own[2].unwrap_or(0);
        let start = area & !(GRANULE - 1);
        Some(Record {
            directory: directory.to_vec(),
            auxv: guest,
            arguments: own[0]?,
            heap: own[1].unwrap_or(0),
            area: start..start + (area & (GRANULE - 1)) * GRANULE,
        })
    }

    fn value(&self, key: u64) -> Option<u64> {
        self.auxv
            .iter()
            .find(|(known, _)| *known == key)
            .map(|&(_, value)| value)
    }

    fn file(&self, name: &str) -> Result<Vec<u8>, Errno> {
        host_file::read(&[&self.directory, &b"/"[..], name.as_bytes()].concat())
    }

    /// The auxiliary vector's bytes, with its end mark.
    #[must_use]
    pub fn auxv(&self) -> Vec<u8> {
        self.auxv
            .iter()
            .flat_map(|&(key, value)| [key.to_le_bytes(), value.to_le_bytes()])
            .flatten()
            .collect()
    }

    /// The arguments' strings and the environment's, as they are now.
    ///
    /// # Errors
    /// The kernel's for the process's environ.
    pub fn strings(&self) -> Result<(Vec<u8>, Vec<u8>), Errno> {
        let mut arguments = self.file("environ")?;
        let environment = arguments.split_off(arguments.len().min(self.arguments as usize));
        Ok((arguments, environment))
    }

    /// Where arguments and environment lie, by what the kernel's own stat says of the environment.
    #[must_use]
    pub fn string_ranges(&self, environ: Range<u64>) -> [Range<u64>; 2] {
        let middle = environ.start + self.arguments;
        [environ.start..middle, middle..environ.end]
    }

    #[must_use]
    pub fn heap(&self) -> u64 {
        self.heap
    }

    /// The program: what is mapped where its headers are. With " (deleted)" where that is so.
    ///
    /// # Errors
    /// The kernel's for the process's maps; ENOENT if the program is no longer mapped.
    pub fn exe(&self) -> Result<Program, Errno> {
        let maps = self.file("maps")?;
        let text = String::from_utf8_lossy(&maps);
        let places = [AT_PHDR, AT_ENTRY].into_iter().filter_map(|key| self.value(key));
        let line_at = |at: u64| {
            text.lines()
                .filter_map(parse)
                .find(|line| (line.start..line.end).contains(&at))
        };
        let line = places
            .filter_map(line_at)
            .find(|line| line.name.starts_with('/'))
            .ok_or(Errno::ENOENT)?;
        let range = format!("/map_files/{:x}-{:x}", line.start, line.end);
        let name = line.name.replace("\\012", "\n").into_bytes();
        Ok(if name.ends_with(b" (deleted)") {
            // A link of the kernel's to it, which needs privileges to follow.
            Program::behind(name, [&self.directory, range.as_bytes()].concat())
        } else {
            Program::at(name)
        })
    }

    /// The guest's areas, from the lines of the host's maps.
    #[must_use]
    pub fn areas(&self, maps: &str) -> Vec<Vma> {
        let emulator = host_file::link(&[&self.directory, &b"/exe"[..]].concat());
        let emulator = String::from_utf8_lossy(&emulator.unwrap_or_default()).into_owned();
        let mut areas = Vec::new();
        // The end of the emulator's image so far: its bss has no name.
        let mut image_end = 0;
        for line in maps.lines().filter_map(parse) {
            let of_image = if line.name.is_empty() {
                line.start == image_end
            } else {
                line.name == emulator
            };
            if of_image {
                image_end = line.end;
            }
            let own = of_image
                || line.start < self.area.end && line.end > self.area.start
                || line.name.starts_with('[') && !line.name.starts_with("[anon");
            if !own {
                areas.push(self.area(&line));
            }
        }
        areas
    }

    fn area(&self, line: &HostLine<'_>) -> Vma {
        let holds = |at: Option<u64>| at.is_some_and(|at| (line.start..line.end).contains(&at));
        let bit = |at: usize, letter: u8, flag: u64| {
            if line.permissions.as_bytes().get(at) == Some(&letter) {
                flag
            } else {
                0
            }
        };
        let mut prot =
            bit(0, b'r', flags::PROT_READ) | bit(1, b'w', flags::PROT_WRITE) | bit(2, b'x', flags::PROT_EXEC);
        let backing = if holds(self.value(AT_RANDOM)) {
            Backing::Stack
        } else if holds(self.value(AT_SYSINFO_EHDR)) {
            Backing::Vdso
        } else if holds(Some(self.heap)) && line.inode == "0" {
            Backing::Heap
        } else if line.inode == "0" {
            Backing::Anonymous
        } else {
            Backing::File {
                dev: 0,
                ino: line.inode.parse().unwrap_or(0),
            }
        };
        // Guest code is data to the host. The program's is known.
        if holds(self.value(AT_ENTRY)) || backing == Backing::Vdso {
            prot |= flags::PROT_EXEC;
        }
        Vma {
            start: line.start,
            end: line.end,
            prot,
            shared: bit(3, b's', 1) != 0,
            grows_down: backing == Backing::Stack,
            offset: line.offset,
            backing,
        }
    }
}

/// The program of another guest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Program {
    /// As the kernel names the mapped file.
    pub name: Vec<u8>,
    /// The path that leads to the file itself.
    path: Vec<u8>,
}

impl Program {
    /// One whose path is known.
    #[must_use]
    pub fn at(name: Vec<u8>) -> Program {
        Program {
            path: name.clone(),
            name,
        }
    }

    /// One whose name does not lead to it, as `path` does.
    #[must_use]
    pub fn behind(name: Vec<u8>, path: Vec<u8>) -> Program {
        Program { name, path }
    }

    /// The path that leads to the file itself.
    #[must_use]
    pub fn path(self) -> Vec<u8> {
        self.path
    }
}

/// The arguments of a guest that shows nothing else, from what the kernel shows to everybody: how its emulator was
/// started. `own` is what the kernel shows of this process, whose arguments are known to begin with `first`.
#[must_use]
pub fn arguments_by_form(host: &[u8], own: &[u8], own_arguments: &[u8]) -> Option<Vec<u8>> {
    let mut words = host.split_inclusive(|&byte| byte == 0);
    let name = words.next()?;
    if name == b"raemu-aarch64\0" {
        // Executed by another guest: options, -0, the first argument, --, the path, the rest.
        let words: Vec<&[u8]> = words.collect();
        let at = words
            .windows(3)
            .position(|words| words[0] == b"-0\0" && words[2] == b"--\0")?;
        return Some([words[at + 1], &words.get(at + 4..)?.concat()].concat());
    }
    // By the kernel: by the same entry of binfmt_misc as this process, so with as many words in front.
    let front = own
        .len()
        .checked_sub(own_arguments.len())
        .filter(|&front| own[front..] == *own_arguments)?;
    let count = own[..front].iter().filter(|&&byte| byte == 0).count();
    if name != own.split_inclusive(|&byte| byte == 0).next()? || count == 0 {
        return None;
    }
    let words: Vec<&[u8]> = host.split_inclusive(|&byte| byte == 0).collect();
    (words.len() > count).then(|| words[count..].concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    const AUXV: [u64; 14] = [
        AT_PHDR,
        0x40_0040,
        AT_ENTRY,
        0x40_1000,
        AT_RANDOM,
        0x70_0ff0,
        ARGUMENTS,
        5,
        HEAP,
        0x50_0000,
        AREA,
        0x4000_0000_0002,
        0,
        0,
    ];

    #[test]
    fn a_vector_without_our_keys_is_no_guests() {
        assert_eq!(Record::parse(b"/proc/1", &AUXV[..6]), None);
        let record = Record::parse(b"/proc/1", &AUXV).expect("a guest");
        assert_eq!(record.arguments, 5);
        assert_eq!(record.heap, 0x50_0000);
        assert_eq!(record.area, 0x4000_0000_0000..0x4000_0002_0000);
        assert_eq!(words(&record.auxv()), [&AUXV[..6], &[0, 0]].concat());
        assert_eq!(record.string_ranges(100..120), [100..105, 105..120]);
    }

    #[test]
    fn the_emulators_areas_are_left_out() {
        let record = Record::parse(b"/none", &AUXV).expect("a guest");
        let maps = "00400000-00402000 r--p 00000000 08:01 42  /bin/a\n\
            00402000-00403000 rw-p 00002000 08:01 42  /bin/a\n\
            00500000-00521000 rw-p 00000000 00:00 0 \n\
            00700000-00701000 rw-p 00000000 00:00 0 \n\
            400000000000-400000010000 rw-p 00000000 00:00 0 \n\
            400000010000-400000020000 ---p 00000000 00:00 0 \n\
            400000020000-400000030000 rw-s 00000000 00:01 7 /dev/zero (deleted)\n\
            7ffc00000000-7ffc00021000 rw-p 00000000 00:00 0  [stack]\n\
            7ffc00030000-7ffc00031000 r-xp 00000000 00:00 0  [vdso]\n";
        let found: Vec<_> = record
            .areas(maps)
            .iter()
            .map(|vma| (vma.start, vma.prot, vma.shared, vma.backing))
            .collect();
        let file = |ino| Backing::File { dev: 0, ino };
        let expected = [
            (0x40_0000, 5, false, file(42)),
            (0x40_2000, 3, false, file(42)),
            (0x50_0000, 3, false, Backing::Heap),
            (0x70_0000, 3, false, Backing::Stack),
            (0x4000_0002_0000, 3, true, file(7)),
        ];
        assert_eq!(found, expected);
    }

    #[test]
    fn arguments_are_told_by_the_form_of_the_start() {
        let cases: &[(&str, &str, &str, Option<&str>)] = &[
            ("/i /bin/a a b ", "/i /bin/c c ", "c ", Some("a b ")),
            ("/i /bin/a b ", "/i /bin/c ", "/bin/c ", Some("/bin/a b ")),
            ("/j /bin/a b ", "/i /bin/c ", "/bin/c ", None),
            ("/i ", "/i /bin/c c ", "c ", None),
            ("/i /bin/a a ", "/i /bin/c c ", "title ", None),
            ("raemu-aarch64 -cpu max -0 a -- /bin/a b ", "", "", Some("a b ")),
            ("raemu-aarch64 /bin/a b ", "", "", None),
            ("", "", "", None),
        ];
        let zero = |text: &str| text.replace(' ', "\0").into_bytes();
        for (host, own, arguments, expected) in cases {
            let found = arguments_by_form(&zero(host), &zero(own), &zero(arguments));
            assert_eq!(found, expected.map(zero), "{host}");
        }
    }
}
