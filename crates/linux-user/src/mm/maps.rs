//! The text of the guest's /proc/PID/maps: the guest's areas and protections, with the
//! file names, devices and inodes that the host's own file has for the same addresses.

use super::Mm;
use super::vma::Vma;
use linux_abi::flags;
use std::fmt::Write as _;

/// Where the name begins: 25 + 6 * sizeof(long), as fs/proc/task_mmu.c pads it.
const NAME_COLUMN: usize = 73;

/// What one line of the host's file says beyond the range.
struct HostLine<'a> {
    start: u64,
    end: u64,
    offset: u64,
    device: &'a str,
    inode: &'a str,
    name: &'a str,
}

fn parse(line: &str) -> Option<HostLine<'_>> {
    let (range, rest) = line.split_once(' ')?;
    let (start, end) = range.split_once('-')?;
    let mut fields = rest.splitn(5, ' ');
    let _permissions = fields.next()?;
    let offset = u64::from_str_radix(fields.next()?, 16).ok()?;
    Some(HostLine {
        start: u64::from_str_radix(start, 16).ok()?,
        end: u64::from_str_radix(end, 16).ok()?,
        offset,
        device: fields.next()?,
        inode: fields.next()?,
        name: fields.next().unwrap_or("").trim_start(),
    })
}

impl Mm {
    /// The lines of /proc/self/maps for the guest. `host` is the host's file; where it cannot
    /// be had (no /proc), the areas go without file names.
    #[must_use]
    pub fn maps_text(&self, host: &[u8]) -> String {
        render(&self.vmas(), &String::from_utf8_lossy(host))
    }
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
    use super::super::Backing;
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
}
