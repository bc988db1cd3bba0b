//! The texts of the guest's /proc/PID/maps, smaps, smaps_rollup and numa_maps: the guest's areas and protections, with
//! what the host's own files have for the same addresses (names, devices, inodes; counts of pages).

use super::vma::Backing;
use super::vma::Vma;
use linux_abi::flags;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::ops::Range;

/// Where the name begins: 25 + 6 * sizeof(long), as fs/proc/task_mmu.c pads it.
const NAME_COLUMN: usize = 73;

/// What one line of the host's file says.
pub struct HostLine<'a> {
    pub start: u64,
    pub end: u64,
    pub permissions: &'a str,
    pub offset: u64,
    pub device: &'a str,
    pub inode: &'a str,
    pub name: &'a str,
}

/// A line of maps, or the head of an area's lines in smaps.
#[must_use]
pub fn parse(line: &str) -> Option<HostLine<'_>> {
    let (range, rest) = line.split_once(' ')?;
    let (start, end) = range.split_once('-')?;
    let mut fields = rest.splitn(5, ' ');
    let permissions = fields.next()?;
    let offset = u64::from_str_radix(fields.next()?, 16).ok()?;
    Some(HostLine {
        start: u64::from_str_radix(start, 16).ok()?,
        end: u64::from_str_radix(end, 16).ok()?,
        permissions,
        offset,
        device: fields.next()?,
        inode: fields.next()?,
        name: fields.next().unwrap_or("").trim_start(),
    })
}

/// The lines of maps for these areas, in ascending order. `host` is the host's file; where it cannot be had (no
/// /proc), the areas go without file names.
#[must_use]
pub fn maps(vmas: &[Vma], host: &[u8]) -> String {
    render(vmas, &String::from_utf8_lossy(host))
}

/// The areas that the range of a host's one touches.
fn touched(vmas: &[Vma], range: Range<u64>) -> &[Vma] {
    let first = vmas.partition_point(|vma| vma.end <= range.start);
    let count = vmas[first..].partition_point(|vma| vma.start < range.end);
    &vmas[first..first + count]
}

/// The host's blocks of smaps that are these areas'. What the host has as one, because to it guest code is data, stays
/// one, with all their protections.
fn blocks<'a>(vmas: &'a [Vma], host: &'a str) -> impl Iterator<Item = (HostLine<'a>, Vma, Vec<&'a str>)> {
    let mut lines = host.lines().peekable();
    std::iter::from_fn(move || {
        loop {
            let head = parse(lines.next()?);
            let mut details = Vec::new();
            while let Some(line) = lines.next_if(|line| parse(line).is_none()) {
                details.push(line);
            }
            let Some(head) = head else { continue };
            let areas = touched(vmas, head.start..head.end);
            if let Some(&first) = areas.first() {
                let prot = areas.iter().fold(0, |prot, vma| prot | vma.prot);
                return Some((head, Vma { prot, ..first }, details));
            }
        }
    })
}

/// The text of smaps.
#[must_use]
pub fn smaps(vmas: &[Vma], host: &[u8]) -> String {
    let host = String::from_utf8_lossy(host);
    let mut text = String::new();
    for (head, vma, details) in blocks(vmas, &host) {
        let offset = if head.inode == "0" { 0 } else { head.offset };
        let name = vma.backing.label().unwrap_or(head.name);
        push_line(
            &mut text,
            &vma,
            head.start..head.end,
            offset,
            [head.device, head.inode, name],
        );
        for line in details {
            match line.strip_prefix("VmFlags: rd ") {
                Some(rest) if vma.prot & flags::PROT_EXEC != 0 => {
                    let (writable, rest) = rest.strip_prefix("wr ").map_or(("", rest), |rest| ("wr ", rest));
                    // Writing to a String cannot fail.
                    let _ = writeln!(text, "VmFlags: rd {writable}ex {rest}");
                }
                _ => {
                    text.push_str(line);
                    text.push('\n');
                }
            }
        }
    }
    text
}

/// The text of smaps_rollup: the sums of `smaps`, for the lines that the host's `rollup` has.
#[must_use]
pub fn smaps_rollup(vmas: &[Vma], smaps: &[u8], rollup: &[u8]) -> String {
    let (smaps, rollup) = (String::from_utf8_lossy(smaps), String::from_utf8_lossy(rollup));
    let mut sums: BTreeMap<&str, u64> = BTreeMap::new();
    for (head, vma, details) in blocks(vmas, &smaps) {
        for line in details {
            let Some((key, kilobytes)) = line.split_once(':') else {
                continue;
            };
            let Some(value) = kilobytes
                .trim()
                .strip_suffix(" kB")
                .and_then(|value| value.parse::<u64>().ok())
            else {
                continue;
            };
            *sums.entry(key).or_default() += value;
            // smaps does not tell these apart by page; an area's pages are mostly of its own kind.
            let kind = match (head.inode == "0", vma.shared) {
                (true, _) => "Pss_Anon",
                (false, false) => "Pss_File",
                (false, true) => "Pss_Shmem",
            };
            if key == "Pss" {
                *sums.entry(kind).or_default() += value;
            }
        }
    }
    let range = vmas.first().map_or(0, |vma| vma.start)..vmas.last().map_or(0, |vma| vma.end);
    let mut text = String::new();
    let _ = write!(
        text,
        "{:08x}-{:08x} ---p 00000000 00:00 0 ",
        range.start, range.end
    );
    let _ = writeln!(
        text,
        "{:width$}[rollup]",
        "",
        width = NAME_COLUMN.saturating_sub(text.len())
    );
    for line in rollup.lines().skip(1) {
        match line.split_once(':') {
            // The column of fs/proc/task_mmu.c.
            Some((key, _)) => {
                let sum = sums.get(key).copied().unwrap_or(0);
                let _ = writeln!(text, "{:<16}{sum:>8} kB", format!("{key}:"));
            }
            None => text.push_str(line),
        }
    }
    text
}

/// The text of numa_maps.
#[must_use]
pub fn numa_maps(vmas: &[Vma], host: &[u8]) -> String {
    let host = String::from_utf8_lossy(host);
    let mut text = String::new();
    for line in host.lines() {
        let start = line
            .split(' ')
            .next()
            .and_then(|start| u64::from_str_radix(start, 16).ok());
        let Some(start) = start else { continue };
        let Some(vma) = touched(vmas, start..start + 1).first() else {
            continue;
        };
        let (mut name, mut line) = ("", line.replace(" stack", "").replace(" heap", ""));
        match vma.backing {
            Backing::Heap => name = " heap",
            Backing::Stack => name = " stack",
            Backing::Anonymous | Backing::File { .. } | Backing::SharedSegment(_) | Backing::Vdso => {}
        }
        // Address and policy come first.
        let at = line.match_indices(' ').nth(1).map_or(line.len(), |(at, _)| at);
        line.insert_str(at, name);
        text.push_str(&line);
        text.push('\n');
    }
    text
}

fn render(vmas: &[Vma], host: &str) -> String {
    let lines: Vec<HostLine<'_>> = host.lines().filter_map(parse).collect();
    let mut text = String::new();
    for vma in vmas {
        let first = lines.partition_point(|line| line.end <= vma.start);
        let mut any = false;
        for line in lines[first..].iter().take_while(|line| line.start < vma.end) {
            let start = vma.start.max(line.start);
            // An inode tells a file; other offsets of the host mean nothing.
            let offset = if line.inode == "0" {
                0
            } else {
                line.offset + (start - line.start)
            };
            let name = vma.backing.label().unwrap_or(line.name);
            push_line(
                &mut text,
                vma,
                start..vma.end.min(line.end),
                offset,
                [line.device, line.inode, name],
            );
            any = true;
        }
        if !any {
            let name = vma.backing.label().unwrap_or("");
            push_line(&mut text, vma, vma.range(), vma.offset, ["00:00", "0", name]);
        }
    }
    text
}

fn push_line(text: &mut String, vma: &Vma, range: std::ops::Range<u64>, offset: u64, file: [&str; 3]) {
    let begin = text.len();
    let bit = |flag: u64, letter: char| if vma.prot & flag != 0 { letter } else { '-' };
    let [device, inode, name] = file;
    // Writing to a String cannot fail.
    let _ = write!(
        text,
        "{:08x}-{:08x} {}{}{}{} {offset:08x} {device} {inode} ",
        range.start,
        range.end,
        bit(flags::PROT_READ, 'r'),
        bit(flags::PROT_WRITE, 'w'),
        bit(flags::PROT_EXEC, 'x'),
        if vma.shared { 's' } else { 'p' },
    );
    if !name.is_empty() {
        let width = (text.len() - begin).max(NAME_COLUMN);
        while text.len() - begin < width {
            text.push(' ');
        }
        text.push_str(name);
    }
    text.push('\n');
}

#[cfg(test)]
mod tests {
    use super::*;

    fn vma(start: u64, end: u64, prot: u64, backing: Backing) -> Vma {
        Vma {
            start,
            end,
            prot,
            shared: false,
            grows_down: false,
            offset: 0,
            backing,
        }
    }

    #[test]
    fn guest_protections_with_host_names() {
        let file = Backing::File { dev: 0, ino: 0 };
        let vmas = [
            vma(0x40_0000, 0x40_2000, 5, file),
            vma(0x40_2000, 0x40_3000, 3, file),
            vma(0x50_0000, 0x52_1000, 3, Backing::Heap),
            vma(0x60_0000, 0x60_1000, 3, Backing::Stack),
        ];
        let host = "00400000-00403000 r--p 00001000 08:01 42                                 /bin/a b\n\
            00500000-00521000 rw-p 00000000 00:00 0 \n\
            7f0000000000-7f0000001000 r-xp 00000000 08:01 7                          /emulator\n";
        let expected = "00400000-00402000 r-xp 00001000 08:01 42                                 /bin/a b\n\
            00402000-00403000 rw-p 00003000 08:01 42                                 /bin/a b\n\
            00500000-00521000 rw-p 00000000 00:00 0                                  [heap]\n\
            00600000-00601000 rw-p 00000000 00:00 0                                  [stack]\n";
        assert_eq!(render(&vmas, host), expected);
    }

    const SMAPS: &str = "00400000-00402000 r--p 00001000 08:01 42                                 /bin/a b\n\
        Size:                  8 kB\nRss:                   4 kB\nPss:                   2 kB\nVmFlags: rd mr mw me\n\
        00500000-00501000 rw-p 00000000 00:00 0 \n\
        Size:                  4 kB\nRss:                   4 kB\nPss:                   4 kB\nVmFlags: rd wr mr mw me\n\
        7f0000000000-7f0000001000 r-xp 00000000 08:01 7                          /emulator\n\
        Size:                  4 kB\nRss:                   4 kB\nPss:                   4 kB\nVmFlags: rd ex mr mw me\n";

    fn smaps_areas() -> [Vma; 3] {
        let file = Backing::File { dev: 0, ino: 0 };
        [
            vma(0x40_0000, 0x40_1000, 5, file),
            vma(0x40_1000, 0x40_2000, 1, file),
            vma(0x50_0000, 0x50_1000, 7, Backing::Heap),
        ]
    }

    #[test]
    fn blocks_of_the_emulators_are_left_out() {
        let expected = "00400000-00402000 r-xp 00001000 08:01 42                                 /bin/a b\n\
            Size:                  8 kB\nRss:                   4 kB\nPss:                   2 kB\nVmFlags: rd ex mr mw me\n\
            00500000-00501000 rwxp 00000000 00:00 0                                  [heap]\n\
            Size:                  4 kB\nRss:                   4 kB\nPss:                   4 kB\nVmFlags: rd wr ex mr mw me\n";
        assert_eq!(smaps(&smaps_areas(), SMAPS.as_bytes()), expected);
    }

    #[test]
    fn sums_are_of_the_guests_areas() {
        let rollup = "00400000-7f0000001000 ---p 00000000 00:00 0                          [rollup]\n\
            Rss:                  12 kB\nPss:                  10 kB\nPss_Anon:              1 kB\nPss_File:              1 kB\nLocked:                0 kB\n";
        let expected = "00400000-00501000 ---p 00000000 00:00 0                                  [rollup]\n\
            Rss:                   8 kB\nPss:                   6 kB\nPss_Anon:              4 kB\nPss_File:              2 kB\nLocked:                0 kB\n";
        assert_eq!(
            smaps_rollup(&smaps_areas(), SMAPS.as_bytes(), rollup.as_bytes()),
            expected
        );
    }

    #[test]
    fn pages_by_node_are_those_of_the_guests_areas() {
        let host = "00400000 default file=/bin/a mapped=1 N0=1 kernelpagesize_kB=4\n00500000 default anon=1 N0=1\n\
            7f0000000000 default stack anon=3 N0=3\n";
        let expected = "00400000 default file=/bin/a mapped=1 N0=1 kernelpagesize_kB=4\n00500000 default heap anon=1 N0=1\n";
        assert_eq!(numa_maps(&smaps_areas(), host.as_bytes()), expected);
    }
}
