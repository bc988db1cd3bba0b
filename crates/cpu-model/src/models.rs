//! The models of `-cpu`, one row each.
//!
//! Features are those the real CPUs show under Linux, less SVE, which is not offered.

use crate::CpuModel;
use a64_isa::{Feature, FeatureSet};

use Feature as F;

const ARMV8_0: FeatureSet = FeatureSet::of(&[
    F::Base,
    F::Fp,
    F::Asimd,
    F::Crc32,
    F::Aes,
    F::Pmull,
    F::Sha1,
    F::Sha256,
]);

const ARMV8_2: FeatureSet = ARMV8_0.union(FeatureSet::of(&[
    F::Lse,
    F::Lor,
    F::Rdm,
    F::Dpb,
    F::Fp16,
    F::Lrcpc,
    F::Dotprod,
]));

const ARMV8_4: FeatureSet = ARMV8_2.union(FeatureSet::of(&[
    F::Ssbs,
    F::Jscvt,
    F::Fcma,
    F::Fhm,
    F::Dit,
    F::Lse2,
    F::Lrcpc2,
    F::Flagm,
    F::Dpb2,
    F::Pauth,
    F::Pacimp,
]));

const A64FX: FeatureSet = ARMV8_0.union(FeatureSet::of(&[
    F::Lse,
    F::Lor,
    F::Rdm,
    F::Dpb,
    F::Fp16,
    F::Fcma,
]));

const NEOVERSE_V1: FeatureSet = ARMV8_4.union(FeatureSet::of(&[
    F::Sha3,
    F::Sha512,
    F::Sm3,
    F::Sm4,
    F::I8mm,
    F::Bf16,
    F::Dgh,
    F::Rng,
]));

const CORTEX_A710: FeatureSet = ARMV8_4.union(FeatureSet::of(&[
    F::Sha3,
    F::Sha512,
    F::Sm3,
    F::Sm4,
    F::I8mm,
    F::Bf16,
    F::Dgh,
    F::Fpac,
    F::Sb,
    F::Flagm2,
    F::Frintts,
    F::Bti,
    F::Mte,
]));

const NEOVERSE_N2: FeatureSet = CORTEX_A710.with(F::Rng);

/// What `max`, and any other model, may have: extensions all of whose instructions exist. One that is begun is left
/// out here until it is complete.
pub const OFFERED: FeatureSet = FeatureSet::ALL;

/// Of the algorithms of pointer authentication there is one: the implementation's own.
const ALL: FeatureSet = FeatureSet::ALL.without(F::Pacqarma5).without(F::Pacqarma3);

/// Every extension whose instructions exist. It names itself a Neoverse N1 r4p1: libraries warn of, or give up on, an
/// implementer that they do not know (onnxruntime, oneDNN), and that one's kernels are those for a CPU without SVE.
pub static MAX: CpuModel = model("max", 0x414f_d0c1, ALL);

/// Whatever the tables know: for tests of single instructions.
pub static EVERYTHING: CpuModel = CpuModel::new("everything", 0x000f_0510, ALL);

/// A model of `-cpu`.
pub struct Entry {
    pub model: &'static CpuModel,
    /// For `-cpu help`.
    pub note: &'static str,
}

macro_rules! models {
    ($($name:literal $midr:literal $features:expr, $note:literal;)*) => {
        &[$(Entry {
            model: {
                static MODEL: CpuModel = model($name, $midr, $features);
                &MODEL
            },
            note: $note,
        }),*]
    };
}

/// The real CPUs, in alphabetical order.
#[rustfmt::skip]
const REAL: &[Entry] = models![
    "a64fx"       0x461f_0010 A64FX, "without SVE";
    "cortex-a35"  0x411f_d040 ARMV8_0, "";
    "cortex-a53"  0x410f_d034 ARMV8_0, "";
    "cortex-a55"  0x412f_d050 ARMV8_2, "";
    "cortex-a57"  0x411f_d070 ARMV8_0, "";
    "cortex-a710" 0x412f_d471 CORTEX_A710, "without SVE";
    "cortex-a72"  0x410f_d083 ARMV8_0, "";
    "cortex-a76"  0x414f_d0b1 ARMV8_2, "";
    "neoverse-n1" 0x414f_d0c1 ARMV8_2.with(F::Ssbs), "";
    "neoverse-n2" 0x410f_d493 NEOVERSE_N2, "without SVE";
    "neoverse-v1" 0x411f_d402 NEOVERSE_V1, "without SVE";
];

const fn model(name: &'static str, midr: u64, features: FeatureSet) -> CpuModel {
    let withheld = FeatureSet::ALL.difference(OFFERED);
    CpuModel::new(name, midr, features.difference(withheld))
}

/// All models, in alphabetical order.
#[must_use]
pub fn all() -> Vec<&'static Entry> {
    static MAX_ENTRY: Entry = Entry {
        model: &MAX,
        note: "all that is offered; the default",
    };
    let at = REAL.partition_point(|entry| entry.model.name < "max");
    let mut all: Vec<&Entry> = REAL.iter().collect();
    all.insert(at, &MAX_ENTRY);
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shown::IdReg;

    #[test]
    fn names_are_sorted_and_unique() {
        let names: Vec<_> = all().iter().map(|entry| entry.model.name).collect();
        assert!(names.is_sorted_by(|a, b| a < b), "{names:?}");
    }

    /// Extensions that no instruction of the tables belongs to: they change what others do.
    const WITHOUT_ROWS: [Feature; 9] = [
        F::Lse2,
        F::Fpac,
        F::Pacimp,
        F::Pacqarma5,
        F::Pacqarma3,
        F::Bti,
        F::Rng,
        F::Ecv,
        F::Dgh,
    ];

    #[test]
    fn what_is_offered_has_instructions() {
        for feature in OFFERED.iter().filter(|feature| !WITHOUT_ROWS.contains(feature)) {
            let rows = a64_isa::ROWS.iter().filter(|row| row.feature == feature);
            assert!(rows.count() > 0, "{feature:?}");
        }
    }

    #[test]
    fn old_models_lack_newer_extensions() {
        for name in ["cortex-a53", "cortex-a57", "cortex-a72"] {
            let all = all();
            let entry = all.iter().find(|entry| entry.model.name == name).expect(name);
            assert_eq!(entry.model.hwcap.words(), [0x8fb, 0, 0]);
            assert_eq!(entry.model.id(IdReg::Aa64Isar0), 0x1_1120);
        }
    }

    #[test]
    fn real_models_agree_with_linux() {
        // Graviton3's /proc/cpuinfo less evtstrm and SVE.
        let v1 = crate::shown::names(NEOVERSE_V1).join(" ");
        assert_eq!(
            v1,
            "fp asimd aes pmull sha1 sha2 crc32 atomics fphp asimdhp cpuid asimdrdm jscvt fcma lrcpc dcpop sha3 sm3 \
             sm4 asimddp sha512 asimdfhm dit uscat ilrcpc flagm ssbs paca pacg dcpodp i8mm bf16 dgh rng"
        );
        let n1 = CpuModel::new("", 0, ARMV8_2);
        assert_eq!(n1.hwcap.words(), [0x11_9ffb, 0, 0]);
        assert_eq!(n1.id(IdReg::Aa64Isar0), 0x1000_1021_1120);
    }
}
