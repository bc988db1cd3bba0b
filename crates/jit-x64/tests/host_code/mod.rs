//! The host code of guest words, for the tests that look at it.

use a64_isa::FeatureSet;
use jit_x64::build::{Builder, Flow, FpMode};
use jit_x64::code::Code;
use jit_x64::ir::{Ir, Op};
use jit_x64::lower::{Scratch, lower};
use jit_x64::opt::Analysis;
use jit_x64::stubs::{Stub, Stubs};
use jit_x64::target::{HostFeatures, Target};

/// Where the guest's instructions stand.
pub const GUEST_PC: u64 = 0x40_0000;

/// Where the shared code is; no block is that long.
#[allow(dead_code, reason = "some tests name it")]
pub const STUBS: [(&str, Stub, u64); 5] = [
    ("exit", Stub::Exit, 0x10_0000),
    ("link", Stub::Link, 0x10_0100),
    ("lookup", Stub::Lookup, 0x10_0200),
    ("return_miss", Stub::ReturnMiss, 0x10_0300),
    ("interpret", Stub::Interpret, 0x10_0400),
];

/// The shared code's addresses.
pub fn stubs() -> Stubs {
    let mut stubs = Stubs::default();
    for (_, stub, address) in STUBS {
        stubs.of_blocks[stub as usize] = address;
    }
    stubs
}

pub struct Block {
    /// The code as it is at the first address of its phase.
    #[allow(dead_code, reason = "some tests look at it")]
    pub code: Vec<u8>,
    /// The same without a place.
    #[allow(dead_code, reason = "some tests look at it")]
    pub movable: Code,
    /// Guest instructions that the interpreter executes.
    #[allow(dead_code, reason = "not every test counts them")]
    pub interpreted: usize,
}

/// The host code of one block for a host with the reference features. `checked`: with checks of
/// floating-point results instead of traps.
#[allow(dead_code, reason = "some tests are about other features")]
pub fn translate(words: &[u32], flags_live: bool, checked: bool) -> Block {
    let target = Target::new(HostFeatures::REFERENCE);
    translate_for(&target, words, flags_live, checked)
}

/// The same for another host.
pub fn translate_for(target: &Target, words: &[u32], flags_live: bool, checked: bool) -> Block {
    translate_at(target, words, flags_live, checked, (GUEST_PC, 0))
}

/// The same for a guest address, and host addresses of a phase.
pub fn translate_at(
    target: &Target,
    words: &[u32],
    flags_live: bool,
    checked: bool,
    (guest_pc, phase): (u64, u32),
) -> Block {
    let mut ir = Ir::default();
    let mut builder = Builder::new(target, &mut ir, guest_pc, FpMode::default(), FeatureSet::ALL);
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
    let mut movable = Code::default();
    lower(
        target,
        &ir,
        &analysis,
        phase,
        &mut movable,
        &mut Scratch::default(),
    );
    let mut code = vec![0; movable.bytes.len()];
    movable.write_to(&mut code, u64::from(phase), &stubs(), 0);
    Block {
        code,
        movable,
        interpreted,
    }
}
