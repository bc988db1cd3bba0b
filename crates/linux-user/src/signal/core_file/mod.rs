//! Core files: what a guest leaves that dies of a signal whose default is to dump core (core(5)).
//!
//! The emulator writes it, as the kernel would write the guest's own: [`threads`] gathers the registers of all threads,
//! [`notes`] lays them out, [`segments`] says which memory goes in, [`name`] where the file goes. Then the host
//! process has to end with the core flag set, by a dump of its own that nobody shall see: [`host_dump`].
//!
//! Invariants:
//! - Nothing is written unless the kernel would: RLIMIT_CORE of a page at least, and a dumpable process.
//! - The thread that dies writes; the others of its process have stopped, or are given up after [`threads::PATIENCE`].

mod host_dump;
mod name;
mod notes;
mod segments;
pub mod threads;

use super::info::SigInfo;
use crate::host;
use crate::task::Task;
use guest::PAGE_SIZE;
use linux_abi::Errno;
use linux_abi::flags::RLIMIT_CORE;
use linux_abi::nr::x86_64 as nr;
use std::fs::File;
use std::io::Write;
use std::os::unix::fs::FileExt;

const PR_GET_DUMPABLE: u64 = 3;
/// SUID_DUMP_USER: the process may be dumped by itself.
const DUMPABLE: u64 = 1;

const ELF_HEADER: u64 = 64;
const PROGRAM_HEADER: u64 = 56;
const ET_CORE: u16 = 4;
const EM_AARCH64: u16 = 183;
const PT_LOAD: u32 = 1;
const PT_NOTE: u32 = 4;
/// More program headers than e_phnum counts (PN_XNUM) are left out: a guest has some ten thousand areas at most.
const MOST_HEADERS: usize = 0xfffe;

/// Leaves a core file of the guest, if it is to leave one; the host's process can end with its core flag then. No lock is
/// held, and the task runs no more.
pub fn dump(task: &Task, info: &SigInfo) -> bool {
    let Some(limit) = allowed() else {
        return false;
    };
    let Some(others) = threads::gather(task) else {
        // Another thread of the process is dying of a signal.
        threads::stop();
    };
    let pattern = name::pattern();
    if let name::Pattern::File { .. } = pattern {
        // Where it cannot be written the kernel's could not either; there is no flag then.
        if write(task, info, &others, limit, &pattern).is_err() {
            return false;
        }
    }
    host_dump::prepare(&pattern)
}

/// The bytes that a core file may have; `None` if there is to be none.
fn allowed() -> Option<u64> {
    let limit = host::prlimit(RLIMIT_CORE, None).ok()?.rlim_cur;
    // SAFETY: the call takes no address.
    let dumpable = unsafe { host::raw(nr::prctl, [PR_GET_DUMPABLE, 0, 0, 0, 0, 0]) };
    // min_coredump is a page.
    (limit >= PAGE_SIZE && dumpable == Ok(DUMPABLE)).then_some(limit)
}

fn write(
    task: &Task,
    info: &SigInfo,
    others: &[threads::Registers],
    limit: u64,
    pattern: &name::Pattern,
) -> Result<(), Errno> {
    let memory = segments::read();
    let mut segments = segments::of(&task.process.mm, &memory);
    segments.truncate(MOST_HEADERS - 1);
    let notes = notes::all(task, info, others, &segments);
    let headers = ELF_HEADER + PROGRAM_HEADER * (segments.len() as u64 + 1);
    let data = (headers + notes.len() as u64).next_multiple_of(PAGE_SIZE);

    let mut head = elf_header(segments.len() + 1);
    program_header(&mut head, PT_NOTE, 0, [headers, 0, notes.len() as u64, 0, 4]);
    let mut offset = data;
    for segment in &segments {
        let len = segment.range.end - segment.range.start;
        let placed = [offset, segment.range.start, segment.dumped, len, PAGE_SIZE];
        program_header(&mut head, PT_LOAD, segment.prot as u32, placed);
        offset += segment.dumped;
    }
    head.extend_from_slice(&notes);

    let file = name::create(task, info.signal(), pattern)?;
    let mut core = Limited { file, room: limit };
    core.put(&head, 0)?;
    let mut offset = data;
    for segment in &segments {
        core.copy(segment, offset)?;
        offset += segment.dumped;
    }
    if core.room > 0 {
        // What is zero at the end has not been written.
        core.file.set_len(offset).map_err(failed)?;
    }
    Ok(())
}

fn failed(error: std::io::Error) -> Errno {
    Errno(error.raw_os_error().unwrap_or(libc::EIO))
}

/// A file in which as many bytes may be written as the limit says; holes are free, as the kernel has it.
struct Limited {
    file: File,
    room: u64,
}

impl Limited {
    fn put(&mut self, bytes: &[u8], offset: u64) -> Result<(), Errno> {
        let count = self.room.min(bytes.len() as u64);
        self.room -= count;
        self.file
            .write_all_at(&bytes[..count as usize], offset)
            .map_err(failed)
    }

    /// Copies what is to be seen of a segment; pages of zeros stay holes.
    fn copy(&mut self, segment: &segments::Segment, offset: u64) -> Result<(), Errno> {
        const CHUNK: u64 = 16 * PAGE_SIZE;
        let mut bytes = vec![0; CHUNK as usize];
        let mut done = 0;
        while done < segment.dumped && self.room > 0 {
            let bytes = &mut bytes[..CHUNK.min(segment.dumped - done) as usize];
            segments::contents(segment.range.start + done, bytes);
            if bytes.iter().any(|&byte| byte != 0) {
                self.put(bytes, offset + done)?;
            }
            done += bytes.len() as u64;
        }
        Ok(())
    }
}

fn elf_header(headers: usize) -> Vec<u8> {
    let mut bytes = b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0".to_vec();
    // Writing to a vector cannot fail.
    let mut put = |field: &[u8]| drop(bytes.write_all(field));
    put(&ET_CORE.to_le_bytes());
    put(&EM_AARCH64.to_le_bytes());
    put(&1_u32.to_le_bytes());
    // No entry; the program headers; no sections.
    for word in [0, ELF_HEADER, 0] {
        put(&word.to_le_bytes());
    }
    put(&0_u32.to_le_bytes());
    for half in [ELF_HEADER as u16, PROGRAM_HEADER as u16, headers as u16, 0, 0, 0] {
        put(&half.to_le_bytes());
    }
    bytes
}

/// `placed`: offset, address, bytes in the file, bytes in memory, alignment.
fn program_header(bytes: &mut Vec<u8>, kind: u32, flags: u32, placed: [u64; 5]) {
    // PF_R, PF_W and PF_X are PROT_READ, PROT_WRITE and PROT_EXEC in the reverse order.
    let flags = (flags & 1) << 2 | flags & 2 | flags >> 2 & 1;
    bytes.extend_from_slice(&kind.to_le_bytes());
    bytes.extend_from_slice(&flags.to_le_bytes());
    let [offset, address, in_file, in_memory, align] = placed;
    for word in [offset, address, 0, in_file, in_memory, align] {
        bytes.extend_from_slice(&word.to_le_bytes());
    }
}
