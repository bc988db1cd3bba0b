//! The notes of a core file: Linux's fs/binfmt_elf.c, and the register sets of arm64 (arch/arm64/kernel/ptrace.c).

use super::segments::Segment;
use super::threads::Registers;
use crate::host;
use crate::signal::frame;
use crate::signal::info::SigInfo;
use crate::task::Task;
use guest::cpu_model::Feature;
use guest::{GuestAddr, PAGE_SIZE};
use guest_memory::access;
use linux_abi::nr::x86_64 as nr;

const NT_PRSTATUS: u32 = 1;
const NT_PRFPREG: u32 = 2;
const NT_PRPSINFO: u32 = 3;
const NT_AUXV: u32 = 6;
const NT_SIGINFO: u32 = 0x5349_4749;
const NT_FILE: u32 = 0x4649_4c45;
const NT_ARM_TLS: u32 = 0x401;
const NT_ARM_PAC_MASK: u32 = 0x406;
const NT_ARM_TAGGED_ADDR_CTRL: u32 = 0x409;

/// sizeof(struct elf_prstatus), and where its registers are.
const PRSTATUS_SIZE: usize = 392;
const PR_REG: usize = 112;
/// sizeof(struct elf_prpsinfo).
const PRPSINFO_SIZE: usize = 136;
/// sizeof(struct user_fpsimd_state).
const FPSIMD_SIZE: usize = 528;
/// Bits 54 to 48: where a pointer's signature is.
const PAC_MASK: u64 = 0x7f << 48;

/// A structure being filled.
struct Bytes(Vec<u8>);

impl Bytes {
    fn new(size: usize) -> Bytes {
        Bytes(vec![0; size])
    }

    fn put(&mut self, at: usize, value: &[u8]) {
        self.0[at..at + value.len()].copy_from_slice(value);
    }

    fn put_ints(&mut self, at: usize, values: &[i32]) {
        for (index, value) in values.iter().enumerate() {
            self.put(at + index * 4, &value.to_le_bytes());
        }
    }

    fn put_words(&mut self, at: usize, values: &[u64]) {
        for (index, value) in values.iter().enumerate() {
            self.put(at + index * 8, &value.to_le_bytes());
        }
    }
}

/// Appends a note; names and contents are padded to four bytes.
fn note(out: &mut Vec<u8>, owner: &str, kind: u32, contents: &[u8]) {
    let name_len = owner.len() as u32 + 1;
    for word in [name_len, contents.len() as u32, kind] {
        out.extend_from_slice(&word.to_le_bytes());
    }
    out.extend_from_slice(owner.as_bytes());
    out.push(0);
    out.resize(out.len().next_multiple_of(4), 0);
    out.extend_from_slice(contents);
    out.resize(out.len().next_multiple_of(4), 0);
}

/// The notes of a process that dies of a signal: the task's own first.
pub fn all(task: &Task, info: &SigInfo, others: &[Registers], segments: &[Segment]) -> Vec<u8> {
    let ids = Ids::read();
    let mut out = Vec::new();
    let first = Registers::of(task);
    note(
        &mut out,
        "CORE",
        NT_PRSTATUS,
        &status(&first, &ids, info.signal()),
    );
    note(&mut out, "CORE", NT_PRPSINFO, &process(task, &ids));
    note(&mut out, "CORE", NT_SIGINFO, &info.to_bytes());
    note(&mut out, "CORE", NT_AUXV, &task.process.image.auxv());
    if let Some(files) = files(segments) {
        note(&mut out, "CORE", NT_FILE, &files);
    }
    registers(&mut out, &first);
    for other in others {
        note(&mut out, "CORE", NT_PRSTATUS, &status(other, &ids, info.signal()));
        registers(&mut out, other);
    }
    out
}

/// Numbers of the process: parent, group, session.
struct Ids {
    parent: i32,
    group: i32,
    session: i32,
}

impl Ids {
    fn read() -> Ids {
        let ask = |number| {
            // SAFETY: the call takes no address.
            unsafe { host::raw(number, [0; 6]) }.unwrap_or(0) as i32
        };
        Ids {
            parent: ask(nr::getppid),
            group: ask(nr::getpgid),
            session: ask(nr::getsid),
        }
    }
}

/// struct elf_prstatus.
fn status(of: &Registers, ids: &Ids, signal: i32) -> Vec<u8> {
    let mut bytes = Bytes::new(PRSTATUS_SIZE);
    bytes.put_ints(0, &[signal]);
    bytes.put(12, &(signal as u16).to_le_bytes());
    bytes.put_words(24, &[of.mask]);
    bytes.put_ints(32, &[of.tid, ids.parent, ids.group, ids.session]);
    let state = &of.state;
    for n in 0..31 {
        bytes.put_words(PR_REG + n * 8, &[state.reg(n)]);
    }
    bytes.put_words(PR_REG + 31 * 8, &[state.sp(), state.pc().0, frame::pstate(state)]);
    // pr_fpvalid.
    bytes.put_ints(PR_REG + 34 * 8, &[1]);
    bytes.0
}

/// The other register sets of a thread.
fn registers(out: &mut Vec<u8>, of: &Registers) {
    let state = &of.state;
    let mut vectors = Bytes::new(FPSIMD_SIZE);
    for (n, value) in state.v.iter().enumerate() {
        vectors.put(n * 16, &value.to_le_bytes());
    }
    vectors.put(512, &state.fpsr().to_le_bytes());
    vectors.put(516, &state.fp.fpcr.to_le_bytes());
    note(out, "CORE", NT_PRFPREG, &vectors.0);
    note(out, "LINUX", NT_ARM_TLS, &state.tpidr_el0.to_le_bytes());
    if state.model.features.contains(Feature::Pauth) {
        // For data and for code.
        let mut masks = Bytes::new(16);
        masks.put_words(0, &[PAC_MASK, PAC_MASK]);
        note(out, "LINUX", NT_ARM_PAC_MASK, &masks.0);
    }
    note(
        out,
        "LINUX",
        NT_ARM_TAGGED_ADDR_CTRL,
        &of.tagged_addresses.to_le_bytes(),
    );
}

/// struct elf_prpsinfo.
fn process(task: &Task, ids: &Ids) -> Vec<u8> {
    let mut bytes = Bytes::new(PRPSINFO_SIZE);
    bytes.put(1, b"R");
    let ask = |number| {
        // SAFETY: the call takes no address.
        unsafe { host::raw(number, [0; 6]) }.unwrap_or(0) as i32
    };
    bytes.put_ints(16, &[ask(nr::getuid), ask(nr::getgid)]);
    bytes.put_ints(24, &[task.process.pid(), ids.parent, ids.group, ids.session]);
    let name = super::name::command(task);
    bytes.put(40, &name[..name.len().min(15)]);
    let arguments = task.process.image.arguments();
    let len = (arguments.end.0 - arguments.start.0).min(79) as usize;
    let mut text = vec![0; len];
    if access::read(GuestAddr(arguments.start.0), &mut text).is_ok() {
        let text: Vec<u8> = text
            .iter()
            .map(|&byte| if byte == 0 { b' ' } else { byte })
            .collect();
        bytes.put(56, &text);
    }
    bytes.0
}

/// NT_FILE: count and unit, then for each mapping of a file start, end and offset in pages, then the names.
fn files(segments: &[Segment]) -> Option<Vec<u8>> {
    let mapped: Vec<_> = segments
        .iter()
        .filter_map(|segment| {
            segment
                .file
                .as_ref()
                .map(|(offset, name)| (&segment.range, offset, name))
        })
        .collect();
    if mapped.is_empty() {
        return None;
    }
    let mut words = vec![mapped.len() as u64, PAGE_SIZE];
    for (range, offset, _) in &mapped {
        words.extend([range.start, range.end, **offset / PAGE_SIZE]);
    }
    let mut bytes: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
    for (_, _, name) in mapped {
        bytes.extend_from_slice(name);
        bytes.push(0);
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn notes_are_padded() {
        let mut out = Vec::new();
        note(&mut out, "LINUX", 7, &[1, 2, 3]);
        let expected = [
            [6, 0, 0, 0],
            [3, 0, 0, 0],
            [7, 0, 0, 0],
            *b"LINU",
            *b"X\0\0\0",
            [1, 2, 3, 0],
        ];
        assert_eq!(out, expected.concat());
    }

    #[test]
    fn file_mappings_count_in_pages() {
        let segment = |start: u64, file| Segment {
            range: start..start + 0x2000,
            prot: 1,
            dumped: 0,
            file,
        };
        assert_eq!(files(&[segment(0x1000, None)]), None);
        let found = files(&[
            segment(0x1000, None),
            segment(0x4000, Some((0x3000, b"/a".to_vec()))),
        ])
        .expect("one");
        let words: Vec<u8> = [1_u64, 0x1000, 0x4000, 0x6000, 3]
            .iter()
            .flat_map(|word| word.to_le_bytes())
            .collect();
        assert_eq!(found, [words, b"/a\0".to_vec()].concat());
    }
}
