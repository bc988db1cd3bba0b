//! The JIT on a host without any optional instruction gives what the interpreter gives: the
//! rows that have a host instruction of an extension, what vectors borrow registers for, and
//! sequences, in which fewer vectors have a host register.

use engine::Mode;
use insn_tests::arena::Arena;
use insn_tests::comparison;
use insn_tests::fused;
use insn_tests::local::EngineRunner;
use insn_tests::sequence;
use jit_x64::target::HostFeatures;

#[test]
fn baseline_agrees_with_interpreter() {
    assert!(
        HostFeatures::assume(HostFeatures::BASELINE),
        "nothing was translated before"
    );
    comparison::rows(Mode::Jit, 200, |row| {
        row.file.starts_with("crypto") || row.file == "asimd_ext.isa" || row.name == "crc32c"
    });
    fused::compare();
    let (differing, report) =
        sequence::compare(&mut Arena::lock(), &mut EngineRunner::new(Mode::Jit), 0..2000);
    assert!(differing == 0, "{differing} sequences differ\n{report}");
}
