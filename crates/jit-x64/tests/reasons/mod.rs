//! Why encodings of Arm's list have no row.

/// Undefined at EL0: the program gets SIGILL on every CPU.
const EL1: &str = "for EL1 and above: undefined at EL0";
const DEBUG: &str = "for debuggers: undefined or a halt outside of debug state";
const LATER: &str = "newer than Armv9.4, which no model of -cpu is";

/// Class, beginning of the name, reason. The first that fits holds.
#[rustfmt::skip]
const REASONS: &[(&str, &str, &str)] = &[
    ("control/branch_reg", "ERET", EL1),
    ("control/branch_reg", "DRPS", DEBUG),
    ("control/branch_reg", "TEXIT", LATER),
    ("control/compbranch", "", "FEAT_CMPBR (Armv9.6)"),
    ("control/compfault", "", LATER),
    ("control/testfault", "", LATER),
    ("control/tchange", "", LATER),
    ("control/exception", "HVC", EL1),
    ("control/exception", "SMC", EL1),
    ("control/exception", "HLT", DEBUG),
    ("control/exception", "DCPS", DEBUG),
    ("control/exception", "", LATER),
    ("control/miscbranch", "", "FEAT_PAuth_LR (Armv9.5)"),
    ("control/syspairinstrs", "", "FEAT_SYSINSTR128: operations of EL1"),
    ("control/systemmovepr", "", "FEAT_SYSREG128: registers of EL1"),
    ("control/systeminstrs", "SYSL", "no operation with a result that Linux lets programs use without FEAT_GCS"),
    ("control/systemresult", "", "FEAT_TME: withdrawn by Arm, never offered by Linux"),
    ("dpimm/dp_1src_imm", "", "FEAT_PAuth_LR (Armv9.5)"),
    ("dpreg/dp_1src", "", "FEAT_PAuth_LR (Armv9.5)"),
    ("dpreg/addsub_pt", "", "FEAT_CPA (Armv9.5)"),
    ("dpreg/dp_3src", "", "FEAT_CPA (Armv9.5)"),
    ("ldst/comswap", "", "FEAT_LSUI (Armv9.6)"),
    ("ldst/ldstexclr_unpriv", "", "FEAT_LSUI (Armv9.6)"),
    ("ldst/ldstnapair_offs", "", "FEAT_LSUI (Armv9.6)"),
    ("ldst/ldstpair", "", "FEAT_LSUI (Armv9.6)"),
    ("ldst/memop_unpriv", "", "FEAT_LSUI (Armv9.6)"),
    ("ldst/ldiappstilp", "", "FEAT_LSCP (Armv9.6)"),
    ("ldst/ldst_gcs", "", "FEAT_GCS: not offered"),
    ("ldst/ldsttags", "", EL1),
    ("ldst/memop", "RCW", "FEAT_THE: its masks are registers of EL1"),
    ("ldst/rcw", "", "FEAT_THE: its masks are registers of EL1"),
    ("ldst/memop", "LD64B", "FEAT_LS64: absent, as on CPUs without accelerators"),
    ("ldst/memop", "LDA64B", "FEAT_LS64: absent, as on CPUs without accelerators"),
    ("ldst/memop", "ST", "FEAT_LS64 or FEAT_LSFE (Armv9.6): not offered"),
    ("ldst/memop", "LD", "FEAT_LSFE (Armv9.6)"),
    ("ldst/memset_go", "", LATER),
    ("reserved/perm_undef", "", "UDF: raises SIGILL"),
    ("simd_dp/asimdelem", "", "FEAT_FP8 and what builds on it (Armv9.5)"),
    ("simd_dp/asimdmisc", "", "FEAT_FP8 (Armv9.5)"),
    ("simd_dp/asimdsame2", "", "FEAT_FP8 and what builds on it (Armv9.5)"),
    ("simd_dp/asimdsame", "FSCALE", "FEAT_FP8 (Armv9.5)"),
    ("simd_dp/asimdsame", "", "FEAT_FAMINMAX (Armv9.5)"),
    ("simd_dp/asimdtbl", "", "FEAT_LUT (Armv9.5)"),
    ("simd_dp/float2int", "", "FEAT_FPRCVT (Armv9.6)"),
    ("simd_dp/floatcmp", "", LATER),
    ("simd_dp/floatdp2", "", LATER),
];

/// Why the encoding `name` of `class` (as `ldst/memop`) has no row.
pub fn reason(class: &str, name: &str) -> Option<&'static str> {
    REASONS
        .iter()
        .find(|(of, begin, _)| class.starts_with(of) && name.starts_with(begin))
        .map(|(_, _, reason)| *reason)
}
