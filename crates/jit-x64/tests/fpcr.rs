//! Which instructions stay inline under which FPCR.

use a64_isa::FeatureSet;
use guest::FpEnv;
use jit_x64::build::{Builder, FpMode};
use jit_x64::ir::{Ir, Op};
use jit_x64::target::{HostFeatures, Target};

const FADD_D: u32 = 0x1e62_2820;
const FMUL_4S: u32 = 0x6e22_dc20;
const FMADD_S: u32 = 0x1f02_0c20;
const FCMP_D: u32 = 0x1e62_2020;
const FRINTZ_D: u32 = 0x1e65_c020;
const FADD_H: u32 = 0x1ee2_2820;
const FADD_8H: u32 = 0x4e42_1420;
const FMLAL_4S: u32 = 0x4e22_ec20;
const FCVT_S_H: u32 = 0x1ee2_4020;
const FCVTZS_W_D: u32 = 0x1e78_0020;

const FZ: u32 = FpEnv::FPCR_FZ;
const FZ16: u32 = FpEnv::FPCR_FZ16;
const DN: u32 = FpEnv::FPCR_DN;
const AHP: u32 = FpEnv::FPCR_AHP;
const ROUND_DOWN: u32 = 2 << FpEnv::FPCR_RMODE_SHIFT;

#[test]
fn only_what_fpcr_changes_is_left_to_the_interpreter() {
    let cases = [
        (0, FADD_D, true),
        (ROUND_DOWN, FMUL_4S, true),
        (FZ, FADD_D, true),
        (FZ, FMUL_4S, true),
        (FZ, FMADD_S, true),
        (FZ, FCMP_D, true),
        (FZ, FRINTZ_D, true),
        (FZ, FCVTZS_W_D, true),
        (FZ | DN, FMADD_S, true),
        (DN, FADD_8H, true),
        (AHP, FADD_D, true),
        (FZ16, FMUL_4S, true),
        (FZ16, FCVT_S_H, true),
        (0, FADD_8H, true),
        (0, FMLAL_4S, true),
        (FZ16, FADD_H, false),
        (FZ16, FMLAL_4S, false),
        (AHP, FCVT_S_H, false),
    ];
    for (fpcr, word, inline) in cases {
        let mut ir = Ir::default();
        let target = Target::new(HostFeatures::REFERENCE);
        let mut builder = Builder::new(&target, &mut ir, 0x1000, FpMode::of(fpcr, false), FeatureSet::ALL);
        builder.instruction(word, true, |word, ops| semantics::translate(word, ops).is_ok());
        let interprets = ir.ops.iter().any(|op| matches!(op, Op::Interpret { .. }));
        assert_eq!(
            !interprets, inline,
            "{word:08x} with FPCR {fpcr:#x}: {:?}",
            ir.ops
        );
    }
}
