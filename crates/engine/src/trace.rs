//! What `-d` shows of translation: guest code, block IR, host code, blocks entered.

use guest_memory::access;
use jit_x64::ir::Ir;
use std::fmt::Write;

/// Which parts are wanted, and where they go.
#[derive(Clone, Copy)]
pub struct Trace {
    /// The guest's instructions of each block translated.
    pub in_asm: bool,
    /// Its IR after the passes.
    pub op: bool,
    /// Its host code, as hexadecimal bytes.
    pub out_asm: bool,
    /// The address of each block entered; blocks are then not linked.
    pub exec: bool,
    pub write: fn(&str),
}

impl Trace {
    /// Reports a block just translated to `code`.
    pub(crate) fn block(&self, ir: &Ir, code: &[u8], host: u64) {
        let mut text = String::new();
        if self.in_asm {
            text += "----------------\nIN:\n";
            for offset in (0..ir.guest_len).step_by(4) {
                let pc = ir.pc + u64::from(offset);
                let word = access::load(guest::GuestAddr(pc), 4).unwrap_or(0) as u32;
                // Writing to a string cannot fail.
                let _ = writeln!(
                    text,
                    "{pc:#010x}:  {word:08x}  {}",
                    a64_isa::disassemble(word, pc)
                );
            }
        }
        if self.op {
            text += "OP:\n";
            for (at, op) in ir.ops.iter().enumerate() {
                if *op != jit_x64::ir::Op::Nop {
                    let _ = writeln!(text, " {at:4}  {op:?}");
                }
            }
        }
        if self.out_asm {
            let _ = writeln!(text, "OUT: [size={}]\n-- guest addr {:#018x}", code.len(), ir.pc);
            for (line, bytes) in code.chunks(16).enumerate() {
                let _ = write!(text, "{:#018x}:", host + line as u64 * 16);
                for byte in bytes {
                    let _ = write!(text, " {byte:02x}");
                }
                text.push('\n');
            }
        }
        if !text.is_empty() {
            (self.write)(&text);
        }
    }

    pub(crate) fn enter(&self, pc: u64, host: u64) {
        if self.exec {
            (self.write)(&format!("Trace 0: {host:#x} [{pc:#018x}]\n"));
        }
    }
}
