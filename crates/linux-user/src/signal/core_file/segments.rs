//! Which memory goes into a core file: `vma_dump_size` of Linux's fs/coredump.c, with what the host's kernel says of the
//! same mappings.

use crate::mm::{Backing, Mm};
use guest::{GuestAddr, PAGE_SIZE};
use guest_memory::access;
use linux_abi::flags;
use std::ops::Range;

/// Bits of /proc/PID/coredump_filter (core(5)).
const ANONYMOUS_PRIVATE: u64 = 1 << 0;
const ANONYMOUS_SHARED: u64 = 1 << 1;
const FILE_PRIVATE: u64 = 1 << 2;
const FILE_SHARED: u64 = 1 << 3;
const ELF_HEADERS: u64 = 1 << 4;
const HUGE_PRIVATE: u64 = 1 << 5;
const HUGE_SHARED: u64 = 1 << 6;
const DEFAULT: u64 = ANONYMOUS_PRIVATE | ANONYMOUS_SHARED | ELF_HEADERS | HUGE_PRIVATE;

/// A mapping, or the part of one, as the file has it.
pub struct Segment {
    pub range: Range<u64>,
    /// PROT_*.
    pub prot: u64,
    /// Bytes that the file holds of it, from its start.
    pub dumped: u64,
    /// What NT_FILE says of it: offset in the file, and its name.
    pub file: Option<(u64, Vec<u8>)>,
}

/// What the host's kernel says of its mappings.
#[derive(Default)]
pub struct Memory {
    areas: Vec<Area>,
    filter: u64,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Area {
    start: u64,
    end: u64,
    offset: u64,
    is_file: bool,
    name: Vec<u8>,
    /// Some of it is the process's own copy.
    has_copies: bool,
    /// MADV_DONTDUMP.
    left_out: bool,
    is_huge: bool,
}

/// Looks at /proc/self; without it the table of the guest's mappings has to do.
pub fn read() -> Memory {
    let filter = std::fs::read_to_string("/proc/self/coredump_filter").ok();
    let filter = filter.and_then(|text| u64::from_str_radix(text.trim(), 16).ok());
    Memory {
        areas: std::fs::read("/proc/self/smaps").map_or_else(|_| Vec::new(), |text| parse(&text)),
        filter: filter.unwrap_or(DEFAULT),
    }
}

/// Parses /proc/PID/smaps (proc_pid_smaps(5)).
fn parse(smaps: &[u8]) -> Vec<Area> {
    let mut areas: Vec<Area> = Vec::new();
    for line in smaps.split(|&byte| byte == b'\n') {
        if let Some(area) = parse_heading(line) {
            areas.push(area);
            continue;
        }
        let (Some(area), Ok(line)) = (areas.last_mut(), std::str::from_utf8(line)) else {
            continue;
        };
        let mut words = line.split_ascii_whitespace();
        match words.next() {
            Some("Anonymous:") => area.has_copies = words.next() != Some("0"),
            Some("VmFlags:") => {
                area.left_out = words.clone().any(|flag| flag == "dd");
                area.is_huge = words.any(|flag| flag == "ht");
            }
            Some(_) | None => {}
        }
    }
    areas
}

fn parse_heading(line: &[u8]) -> Option<Area> {
    let mut fields = line.splitn(6, |&byte| byte == b' ');
    let mut field = || std::str::from_utf8(fields.next()?).ok();
    let (start, end) = field()?.split_once('-')?;
    let [start, end] = [start, end].map(|text| u64::from_str_radix(text, 16).ok());
    let _permissions = field()?;
    let offset = u64::from_str_radix(field()?, 16).ok()?;
    let _device = field()?;
    let inode = field()?;
    let name = fields.next().unwrap_or_default().trim_ascii_start();
    Some(Area {
        start: start?,
        end: end?,
        offset,
        is_file: inode != "0",
        name: name.to_vec(),
        ..Area::default()
    })
}

/// The guest's mappings, cut where the host's are.
pub fn of(mm: &Mm, memory: &Memory) -> Vec<Segment> {
    let mut segments = Vec::new();
    for vma in mm.vmas() {
        let from = memory.areas.partition_point(|area| area.end <= vma.start);
        let areas = memory.areas[from..]
            .iter()
            .take_while(|area| area.start < vma.end);
        let mut any = false;
        for area in areas {
            let range = vma.start.max(area.start)..vma.end.min(area.end);
            let offset = area.offset + (range.start - area.start);
            any = true;
            segments.push(Segment {
                dumped: memory.dumped(area, &vma, &range),
                prot: vma.prot,
                file: area.is_file.then(|| (offset, area.name.clone())),
                range,
            });
        }
        if !any {
            let private = !vma.shared && (vma.prot & flags::PROT_WRITE != 0 || vma.backing == Backing::Vdso);
            segments.push(Segment {
                range: vma.range(),
                prot: vma.prot,
                dumped: if private { vma.end - vma.start } else { 0 },
                file: None,
            });
        }
    }
    segments
}

impl Memory {
    fn dumped(&self, area: &Area, vma: &crate::mm::Vma, range: &Range<u64>) -> u64 {
        let whole = range.end - range.start;
        let all_if = |bit: u64| if self.filter & bit != 0 { whole } else { 0 };
        if vma.backing == Backing::Vdso {
            return whole;
        }
        if area.left_out {
            return 0;
        }
        if area.is_huge {
            return all_if(if vma.shared { HUGE_SHARED } else { HUGE_PRIVATE });
        }
        if vma.shared {
            let has_no_name = !area.is_file || area.name.ends_with(b" (deleted)");
            return all_if(if has_no_name {
                ANONYMOUS_SHARED
            } else {
                FILE_SHARED
            });
        }
        if area.has_copies && self.filter & ANONYMOUS_PRIVATE != 0 {
            return whole;
        }
        if !area.is_file {
            return 0;
        }
        if self.filter & FILE_PRIVATE != 0 {
            return whole;
        }
        // The first page of an ELF file holds its build identifier.
        let mut magic = [0; 4];
        let is_first = area.offset == 0 && range.start == area.start && vma.prot & flags::PROT_READ != 0;
        if is_first && self.filter & ELF_HEADERS != 0 {
            contents(range.start, &mut magic);
        }
        if magic == *b"\x7fELF" { PAGE_SIZE } else { 0 }
    }
}

/// Guest memory, with zeros where it cannot be read.
pub fn contents(addr: u64, bytes: &mut [u8]) {
    if access::read(GuestAddr(addr), bytes).is_ok() {
        return;
    }
    let mut at = addr;
    for page in bytes.chunks_mut(PAGE_SIZE as usize) {
        if access::read(GuestAddr(at), page).is_err() {
            page.fill(0);
        }
        at += page.len() as u64;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn smaps_are_read() {
        let text = b"00400000-00401000 r-xp 00001000 08:01 77                     /bin/a b (deleted)\n\
            Size:                  4 kB\n\
            Anonymous:             0 kB\n\
            VmFlags: rd ex mr mw me\n\
            7f0000000000-7f0000002000 rw-p 00000000 00:00 0 \n\
            Anonymous:             8 kB\n\
            VmFlags: rd wr mr mw me ac dd ht\n";
        let expected = [
            Area {
                start: 0x40_0000,
                end: 0x40_1000,
                offset: 0x1000,
                is_file: true,
                name: b"/bin/a b (deleted)".to_vec(),
                ..Area::default()
            },
            Area {
                start: 0x7f00_0000_0000,
                end: 0x7f00_0000_2000,
                has_copies: true,
                left_out: true,
                is_huge: true,
                ..Area::default()
            },
        ];
        assert_eq!(parse(text), expected);
    }
}
