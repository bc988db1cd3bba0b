//! Which mappings of another guest are executable: the host's maps do not say, for guest code is data to the host. The
//! files mapped do, by their program headers.

use super::host_file;
use crate::host;
use crate::mm::maps::parse;
use crate::mm::{Backing, Vma};
use elf_loader::Headers;
use guest::PAGE_SIZE;
use linux_abi::{OpenFlags, flags};
use std::ops::Range;

/// The areas, which are those of the host's `maps`, cut and marked by the segments of the files that they map.
pub fn mark(areas: Vec<Vma>, maps: &str) -> Vec<Vma> {
    let mut lines = maps.lines().filter_map(parse).peekable();
    let mut last = (String::new(), Vec::new());
    let mut marked = Vec::with_capacity(areas.len());
    for vma in areas {
        let is_file = matches!(vma.backing, Backing::File { .. });
        if !is_file || vma.shared || vma.prot & flags::PROT_WRITE != 0 {
            marked.push(vma);
            continue;
        }
        while lines.next_if(|line| line.start < vma.start).is_some() {}
        let name = lines.peek().map_or("", |line| line.name);
        if last.0 != name {
            last = (name.to_owned(), segments(name.as_bytes()));
        }
        cut(vma, &last.1, &mut marked);
    }
    marked
}

/// The file offsets of an ELF file's executable segments, in whole pages; none for another file.
fn segments(path: &[u8]) -> Vec<Range<u64>> {
    const O_NONBLOCK: OpenFlags = OpenFlags::O_NONBLOCK;
    let read = || {
        let path = host_file::c_path(path).ok()?;
        // Nothing but a file must hold us up.
        let open = OpenFlags::O_CLOEXEC.union(O_NONBLOCK).to_host();
        let fd = host::openat(flags::AT_FDCWD, &path, open, 0).ok()? as i32;
        let mut start = vec![0; PAGE_SIZE as usize];
        let len = host::read(fd, &mut start);
        let _ = host::close(fd);
        start.truncate(len.ok()? as usize);
        Headers::read(&start[..]).ok()
    };
    let segments = read().map_or_else(Vec::new, |headers| headers.segments);
    let executable = segments
        .iter()
        .filter(|segment| segment.prot & flags::PROT_EXEC != 0);
    let range = |start: u64, len: u64| {
        start & !(PAGE_SIZE - 1)..start.saturating_add(len).next_multiple_of(PAGE_SIZE)
    };
    executable
        .map(|segment| range(segment.offset, segment.file_size))
        .collect()
}

/// Appends the pieces of an area, those in one of `code`'s ranges of file offsets executable.
fn cut(vma: Vma, code: &[Range<u64>], pieces: &mut Vec<Vma>) {
    let end = vma.offset + (vma.end - vma.start);
    let mut at = vma.offset;
    let mut piece = |from: u64, to: u64, prot: u64| {
        if from < to {
            let start = vma.start + (from - vma.offset);
            pieces.push(Vma {
                start,
                end: start + (to - from),
                offset: from,
                prot,
                ..vma
            });
        }
    };
    for range in code
        .iter()
        .filter(|range| range.start < end && range.end > vma.offset)
    {
        let (from, to) = (range.start.max(at), range.end.min(end));
        piece(at, from, vma.prot & !flags::PROT_EXEC);
        piece(from, to, vma.prot | flags::PROT_EXEC);
        at = to.max(at);
    }
    // A file that tells nothing.
    piece(
        at,
        end,
        if code.is_empty() {
            vma.prot
        } else {
            vma.prot & !flags::PROT_EXEC
        },
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn areas_are_cut_at_segments() {
        let area = |start, end, prot, offset| Vma {
            start,
            end,
            prot,
            shared: false,
            grows_down: false,
            offset,
            backing: Backing::File { dev: 0, ino: 1 },
        };
        let whole = area(0x10_0000, 0x10_5000, 1, 0x1000);
        let cases: &[(&[Range<u64>], &[Vma])] = &[
            (&[], &[whole]),
            (&[0..0x1000, 0x6000..0x7000], &[whole]),
            (
                &[0..0x1000, 0x1000..0x8000],
                &[area(0x10_0000, 0x10_5000, 5, 0x1000)],
            ),
            (
                &[0x2000..0x4000, 0x8000..0x9000],
                &[
                    area(0x10_0000, 0x10_1000, 1, 0x1000),
                    area(0x10_1000, 0x10_3000, 5, 0x2000),
                    area(0x10_3000, 0x10_5000, 1, 0x4000),
                ],
            ),
            (
                &[0x1000..0x2000, 0x1000..0x3000],
                &[
                    area(0x10_0000, 0x10_1000, 5, 0x1000),
                    area(0x10_1000, 0x10_2000, 5, 0x2000),
                    area(0x10_2000, 0x10_5000, 1, 0x3000),
                ],
            ),
        ];
        for (code, expected) in cases {
            let mut pieces = Vec::new();
            cut(whole, code, &mut pieces);
            assert_eq!(pieces, *expected, "{code:x?}");
        }
    }
}
