//! Files of host code: `goldens.rs` says what is in them.
#![allow(dead_code, reason = "not every test reads a case by itself")]
#![allow(clippy::unwrap_used, reason = "a test that panics has failed")]

use super::host_code::{GUEST_PC, STUBS, translate_for};
use guest::{CpuState, PacState};
use iced_x86::{
    Decoder, DecoderOptions, Formatter, Instruction, IntelFormatter, OpKind, Register, SymbolResolver,
    SymbolResult,
};
use jit_x64::area::{Consts, CpuArea, LookupTable};
use jit_x64::host_offset;
use jit_x64::host_state::NUM_SPILL_SLOTS;
use jit_x64::target::{Target, slot_spill, slot_v, slot_x};
use std::fmt::Write;
use std::mem::offset_of;
use std::path::{Path, PathBuf};
use test_support::Goldens;

/// One case as its file has it.
pub struct Case {
    pub heading: String,
    pub words: Vec<u32>,
}

impl Case {
    pub fn flags_live(&self) -> bool {
        self.heading.ends_with(", flags live")
    }

    fn checked(&self) -> bool {
        self.heading.ends_with(", checked")
    }
}

/// The comments at the top of a file, and its cases.
pub fn parse(text: &str) -> (String, Vec<Case>) {
    let (mut head, mut cases) = (String::new(), Vec::<Case>::new());
    let mut in_words = false;
    for line in text.lines() {
        if let Some(heading) = line.strip_prefix("== ") {
            in_words = true;
            cases.push(Case {
                heading: heading.to_string(),
                words: Vec::new(),
            });
        } else if line.starts_with("--") {
            in_words = false;
        } else if let (true, Some(case)) = (in_words, cases.last_mut()) {
            if let Some(word) = line.split_whitespace().next() {
                let word = u32::from_str_radix(word, 16).unwrap_or_else(|e| panic!("{line}: {e}"));
                case.words.push(word);
            }
        } else if cases.is_empty() {
            head.push_str(line);
            head.push('\n');
        }
    }
    (head, cases)
}

/// Names fields of the CPU state and the shared code.
struct Names;

impl SymbolResolver for Names {
    fn symbol(
        &mut self,
        instruction: &Instruction,
        _operand: u32,
        instruction_operand: Option<u32>,
        address: u64,
        _address_size: u32,
    ) -> Option<SymbolResult<'_>> {
        if let Some((name, _, _)) = STUBS.iter().find(|(_, _, at)| *at == address) {
            return Some(SymbolResult::with_str(address, name));
        }
        let is_memory = instruction_operand.is_some_and(|n| instruction.op_kind(n) == OpKind::Memory);
        if !is_memory || instruction.memory_base() != Register::R15 {
            return None;
        }
        let offset = (address as i32).wrapping_add(guest::STATE_BIAS);
        Some(SymbolResult::with_string(address, field(offset)?))
    }
}

/// The field of the CPU state at an offset.
fn field(offset: i32) -> Option<String> {
    let number = |first: i32, size: i32, count: i32| {
        let inside = offset - first;
        (0..size * count)
            .contains(&inside)
            .then(|| (inside / size, inside % size))
    };
    let indexed = |name: &str, (n, rest): (i32, i32)| match rest {
        0 => format!("{name}{n}"),
        _ => format!("{name}{n}.{rest}"),
    };
    if let Some(found) = number(slot_x(0), 8, 32) {
        return Some(indexed("x", found));
    }
    if let Some(found) = number(slot_v(0), 16, 32) {
        return Some(indexed("v", found));
    }
    if let Some(found) = number(slot_spill(0), 16, NUM_SPILL_SLOTS as i32) {
        return Some(indexed("spill", found));
    }
    if let Some((_, rest)) = number(offset_of!(CpuArea, consts) as i32, size_of::<Consts>() as i32, 1) {
        return Some(format!("consts.{rest}"));
    }
    let keys = (offset_of!(CpuState, pac) + offset_of!(PacState, keys)) as i32;
    if let Some(found) = number(keys, 16, 5) {
        return Some(indexed("key", found));
    }
    let masks = (offset_of!(CpuState, pac) + offset_of!(PacState, masks)) as i32;
    if let Some(found) = number(masks, 8, 5) {
        return Some(indexed("mask", found));
    }
    let named = [
        (host_offset!(saturated) as usize, "saturated"),
        (offset_of!(CpuState, pc), "pc"),
        (host_offset!(flags) as usize, "flags"),
        (offset_of!(CpuState, tpidr_el0), "tpidr_el0"),
        (offset_of!(CpuState, exclusive_addr), "exclusive_addr"),
        (offset_of!(CpuState, exclusive_value), "exclusive_value"),
        (offset_of!(CpuState, exclusive_size), "exclusive_size"),
        (offset_of!(CpuState, btype), "btype"),
        (jit_x64::area::POLL_OFFSET, "poll"),
        (LookupTable::Any.offset(), "any"),
        (LookupTable::Any.offset() + 8, "any.host"),
        (LookupTable::Call.offset(), "call"),
        (LookupTable::Call.offset() + 8, "call.host"),
        (LookupTable::Jump.offset(), "jump"),
        (LookupTable::Jump.offset() + 8, "jump.host"),
    ];
    let found = named.iter().find(|(at, _)| *at as i32 == offset);
    found.map(|(_, name)| (*name).to_string())
}

/// The host code as text, with a line that counts it.
fn disassemble(bytes: &[u8]) -> String {
    let mut formatter = IntelFormatter::with_options(Some(Box::new(Names)), None);
    let options = formatter.options_mut();
    options.set_hex_prefix("0x");
    options.set_hex_suffix("");
    options.set_space_after_operand_separator(true);
    options.set_branch_leading_zeros(false);
    options.set_show_branch_size(false);
    let (mut lines, mut count) = (String::new(), 0);
    for instruction in Decoder::with_ip(64, bytes, 0, DecoderOptions::NONE) {
        assert!(!instruction.is_invalid(), "undecodable host code {bytes:02x?}");
        count += 1;
        let _ = write!(lines, "  {:4x}  ", instruction.ip());
        formatter.format(&instruction, &mut lines);
        lines.push('\n');
    }
    format!("-- {count} instructions, {} bytes\n{lines}", bytes.len())
}

/// The file's text as it ought to be.
fn render(target: &Target, head: &str, cases: &[Case]) -> String {
    let mut text = head.to_string();
    for (n, case) in cases.iter().enumerate() {
        if n > 0 {
            text.push('\n');
        }
        let _ = writeln!(text, "== {}", case.heading);
        for (word, pc) in case.words.iter().zip((GUEST_PC..).step_by(4)) {
            let _ = writeln!(text, "  {word:08x}  {}", a64_isa::disassemble(*word, pc));
        }
        let block = translate_for(target, &case.words, case.flags_live(), case.checked());
        text += &disassemble(&block.code);
    }
    text
}

fn files(directory: &str) -> Vec<PathBuf> {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests")
        .join(directory);
    let entries = std::fs::read_dir(&dir).unwrap();
    let mut files: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

/// Compares the files of a directory with the code for a host, or blesses it.
///
/// # Panics
/// If they differ.
pub fn check(directory: &str, target: &Target) {
    let mut goldens = Goldens::new("cargo test -p jit-x64 --test goldens");
    let mut cases_seen = 0;
    for path in files(directory) {
        let (head, cases) = parse(&std::fs::read_to_string(&path).unwrap());
        cases_seen += cases.len();
        goldens.check(&path, render(target, &head, &cases));
    }
    assert!(cases_seen > 0, "there are cases");
    goldens.assert();
}
