//! The JIT on a host without any optional instruction gives what the interpreter gives: the
//! rows that have a host instruction of an extension, and what vectors borrow registers for.

use engine::Mode;
use insn_tests::comparison;
use insn_tests::fused;
use jit_x64::features::HostFeatures;

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
}
