//! The host code of guest words, for the tests that look at it.

use a64_isa::FeatureSet;
use jit_x64::asm::Asm;
use jit_x64::build::{Builder, Flow, FpMode};
use jit_x64::ir::{Ir, Op};
use jit_x64::lower::{Code, Scratch, lower};
use jit_x64::opt::Analysis;
use jit_x64::stubs::Stubs;
use jit_x64::target::{HostFeatures, Target};

/// Where the guest's instructions stand.
pub const GUEST_PC: u64 = 0x40_0000;

/// A page for the host code: some padding depends on the address within a cache line.
#[repr(align(4096))]
pub struct Buffer([u8; 16384]);

impl Buffer {
    pub fn new() -> Box<Buffer> {
        Box::new(Buffer([0; 16384]))
    }
}

/// Distances of the shared code from the block; no block is that long.
pub const STUBS: [(&str, u64); 5] = [
    ("exit", 0x10_0000),
    ("link", 0x10_0100),
    ("lookup", 0x10_0200),
    ("return_miss", 0x10_0300),
    ("interpret", 0x10_0400),
];

pub struct Block {
    pub code: Vec<u8>,
    /// Guest instructions that the interpreter executes.
    #[allow(dead_code, reason = "not every test counts them")]
    pub interpreted: usize,
}

/// The host code of one block for a host with the reference features. `checked`: with checks of
/// floating-point results instead of traps.
#[allow(dead_code, reason = "some tests are about other features")]
pub fn translate(words: &[u32], flags_live: bool, checked: bool, buffer: &mut Buffer) -> Block {
    let target = Target::new(HostFeatures::REFERENCE);
    translate_for(&target, words, flags_live, checked, buffer)
}

/// The same for another host.
pub fn translate_for(
    target: &Target,
    words: &[u32],
    flags_live: bool,
    checked: bool,
    buffer: &mut Buffer,
) -> Block {
    let base = buffer.0.as_mut_ptr();
    let [exit, link, lookup, return_miss, interpret] = STUBS.map(|(_, offset)| base as u64 + offset);
    let stubs = Stubs {
        enter: 0,
        exit,
        link,
        lookup,
        return_miss,
        interpret,
        no_return: 0,
    };
    let mut ir = Ir::default();
    let mut builder = Builder::new(target, &mut ir, GUEST_PC, FpMode::default(), FeatureSet::ALL);
    builder.ir.checked = checked;
    let mut flow = Flow::Next;
    for &word in words {
        assert!(flow != Flow::End, "{words:08x?}: code behind the block's end");
        flow = builder.instruction(word, true, |word, ops| semantics::translate(word, ops).is_ok());
    }
    if flow != Flow::End {
        builder.finish();
    }
    let is_interpreted = |op: &&Op| matches!(op, Op::Interpret { .. });
    let interpreted = ir.ops.iter().filter(is_interpreted).count();
    let mut analysis = Analysis::default();
    analysis.run(&target.homes, &mut ir, |_| flags_live);
    let mut code = Code::default();
    // SAFETY: the buffer is borrowed mutably and outlives the assembler.
    let asm = unsafe { Asm::new(base, buffer.0.len()) };
    let asm = lower(
        asm,
        target,
        &ir,
        &analysis,
        &stubs,
        0,
        &mut code,
        &mut Scratch::default(),
    );
    assert!(!asm.overflowed(), "{words:08x?}");
    Block {
        code: buffer.0[..code.len as usize].to_vec(),
        interpreted,
    }
}
