//! How features show: AT_HWCAP bits, names in /proc/cpuinfo, fields of ID registers.
//!
//! One table for all of them. Bits and names are those of Linux
//! (arch/arm64/include/uapi/asm/hwcap.h, arch/arm64/kernel/cpuinfo.c), fields those that
//! cpu-feature-registers.rst makes visible.

use a64_isa::{Feature, FeatureSet};
use linux_abi::{Hwcap, Hwcap2, Hwcaps};

/// Identification registers with visible fields.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum IdReg {
    Aa64Pfr0,
    Aa64Pfr1,
    Aa64Dfr0,
    Aa64Isar0,
    Aa64Isar1,
    Aa64Isar2,
    Aa64Mmfr0,
    Aa64Mmfr2,
}

impl IdReg {
    pub const COUNT: usize = IdReg::Aa64Mmfr2 as usize + 1;
}

/// A bit of one of the words.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Capability {
    pub bit: Hwcaps,
    /// In /proc/cpuinfo.
    pub name: &'static str,
}

/// A field of four bits that is at least `value`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Field {
    pub reg: IdReg,
    pub shift: u8,
    pub value: u64,
}

/// What shows if the CPU has all of `needs`.
#[derive(Clone, Copy, Debug)]
pub struct Shown {
    pub needs: &'static [Feature],
    pub hwcap: Option<Capability>,
    pub field: Option<Field>,
}

const fn cap(hwcap: Hwcap, name: &'static str) -> Option<Capability> {
    let bit = Hwcaps {
        hwcap,
        ..Hwcaps::NONE
    };
    Some(Capability { bit, name })
}

const fn cap2(hwcap2: Hwcap2, name: &'static str) -> Option<Capability> {
    let bit = Hwcaps {
        hwcap2,
        ..Hwcaps::NONE
    };
    Some(Capability { bit, name })
}

const fn field(reg: IdReg, shift: u8, value: u64) -> Option<Field> {
    Some(Field { reg, shift, value })
}

const fn show(needs: &'static [Feature], hwcap: Option<Capability>, field: Option<Field>) -> Shown {
    Shown { needs, hwcap, field }
}

use Feature as F;
use IdReg::*;

/// The table.
#[rustfmt::skip]
pub const SHOWN: &[Shown] = &[
    show(&[F::Fp],       cap(Hwcap::HWCAP_FP, "fp"),                   None),
    show(&[F::Asimd],    cap(Hwcap::HWCAP_ASIMD, "asimd"),             None),
    show(&[F::Aes],      cap(Hwcap::HWCAP_AES, "aes"),                 field(Aa64Isar0,  4, 1)),
    show(&[F::Pmull],    cap(Hwcap::HWCAP_PMULL, "pmull"),             field(Aa64Isar0,  4, 2)),
    show(&[F::Sha1],     cap(Hwcap::HWCAP_SHA1, "sha1"),               field(Aa64Isar0,  8, 1)),
    show(&[F::Sha256],   cap(Hwcap::HWCAP_SHA2, "sha2"),               field(Aa64Isar0, 12, 1)),
    show(&[F::Crc32],    cap(Hwcap::HWCAP_CRC32, "crc32"),             field(Aa64Isar0, 16, 1)),
    show(&[F::Lse],      cap(Hwcap::HWCAP_ATOMICS, "atomics"),         field(Aa64Isar0, 20, 2)),
    show(&[F::Fp16],     cap(Hwcap::HWCAP_FPHP, "fphp"),               field(Aa64Pfr0,  16, 1)),
    show(&[F::Fp16],     cap(Hwcap::HWCAP_ASIMDHP, "asimdhp"),         field(Aa64Pfr0,  20, 1)),
    show(&[F::Base],     cap(Hwcap::HWCAP_CPUID, "cpuid"),             None),
    show(&[F::Rdm],      cap(Hwcap::HWCAP_ASIMDRDM, "asimdrdm"),       field(Aa64Isar0, 28, 1)),
    show(&[F::Jscvt],    cap(Hwcap::HWCAP_JSCVT, "jscvt"),             field(Aa64Isar1, 12, 1)),
    show(&[F::Fcma],     cap(Hwcap::HWCAP_FCMA, "fcma"),               field(Aa64Isar1, 16, 1)),
    show(&[F::Lrcpc],    cap(Hwcap::HWCAP_LRCPC, "lrcpc"),             field(Aa64Isar1, 20, 1)),
    show(&[F::Dpb],      cap(Hwcap::HWCAP_DCPOP, "dcpop"),             field(Aa64Isar1,  0, 1)),
    show(&[F::Sha3],     cap(Hwcap::HWCAP_SHA3, "sha3"),               field(Aa64Isar0, 32, 1)),
    show(&[F::Sm3],      cap(Hwcap::HWCAP_SM3, "sm3"),                 field(Aa64Isar0, 36, 1)),
    show(&[F::Sm4],      cap(Hwcap::HWCAP_SM4, "sm4"),                 field(Aa64Isar0, 40, 1)),
    show(&[F::Dotprod],  cap(Hwcap::HWCAP_ASIMDDP, "asimddp"),         field(Aa64Isar0, 44, 1)),
    show(&[F::Sha512],   cap(Hwcap::HWCAP_SHA512, "sha512"),           field(Aa64Isar0, 12, 2)),
    show(&[F::Fhm],      cap(Hwcap::HWCAP_ASIMDFHM, "asimdfhm"),       field(Aa64Isar0, 48, 1)),
    show(&[F::Dit],      cap(Hwcap::HWCAP_DIT, "dit"),                 field(Aa64Pfr0,  48, 1)),
    show(&[F::Lse2],     cap(Hwcap::HWCAP_USCAT, "uscat"),             field(Aa64Mmfr2, 32, 1)),
    show(&[F::Lrcpc2],   cap(Hwcap::HWCAP_ILRCPC, "ilrcpc"),           field(Aa64Isar1, 20, 2)),
    show(&[F::Flagm],    cap(Hwcap::HWCAP_FLAGM, "flagm"),             field(Aa64Isar0, 52, 1)),
    show(&[F::Ssbs],     cap(Hwcap::HWCAP_SSBS, "ssbs"),               field(Aa64Pfr1,   4, 2)),
    show(&[F::Sb],       cap(Hwcap::HWCAP_SB, "sb"),                   field(Aa64Isar1, 36, 1)),
    // Address authentication with FEAT_PAuth2 (3) and FEAT_FPACCOMBINE (5); generic (1).
    show(&[F::Pauth],                        cap(Hwcap::HWCAP_PACA, "paca"),               None),
    show(&[F::Pauth],                        cap(Hwcap::HWCAP_PACG, "pacg"),               None),
    show(&[F::Pauth, F::Pacqarma5],          None, field(Aa64Isar1,  4, 3)),
    show(&[F::Pauth, F::Pacqarma5, F::Fpac], None, field(Aa64Isar1,  4, 5)),
    show(&[F::Pauth, F::Pacqarma5],          None, field(Aa64Isar1, 24, 1)),
    show(&[F::Pauth, F::Pacqarma3],          None, field(Aa64Isar2, 12, 3)),
    show(&[F::Pauth, F::Pacqarma3, F::Fpac], None, field(Aa64Isar2, 12, 5)),
    show(&[F::Pauth, F::Pacqarma3],          None, field(Aa64Isar2,  8, 1)),
    show(&[F::Pauth, F::Pacimp],             None, field(Aa64Isar1,  8, 3)),
    show(&[F::Pauth, F::Pacimp, F::Fpac],    None, field(Aa64Isar1,  8, 5)),
    show(&[F::Pauth, F::Pacimp],             None, field(Aa64Isar1, 28, 1)),
    show(&[F::Dpb2],     cap2(Hwcap2::HWCAP2_DCPODP, "dcpodp"),         field(Aa64Isar1,  0, 2)),
    show(&[F::Flagm2],   cap2(Hwcap2::HWCAP2_FLAGM2, "flagm2"),         field(Aa64Isar0, 52, 2)),
    show(&[F::Frintts],  cap2(Hwcap2::HWCAP2_FRINT, "frint"),           field(Aa64Isar1, 32, 1)),
    show(&[F::I8mm],     cap2(Hwcap2::HWCAP2_I8MM, "i8mm"),             field(Aa64Isar1, 52, 1)),
    show(&[F::Bf16],     cap2(Hwcap2::HWCAP2_BF16, "bf16"),             field(Aa64Isar1, 44, 1)),
    show(&[F::Dgh],      cap2(Hwcap2::HWCAP2_DGH, "dgh"),               field(Aa64Isar1, 48, 1)),
    show(&[F::Rng],      cap2(Hwcap2::HWCAP2_RNG, "rng"),               field(Aa64Isar0, 60, 1)),
    show(&[F::Bti],      cap2(Hwcap2::HWCAP2_BTI, "bti"),               field(Aa64Pfr1,   0, 1)),
    // The instructions without tags in memory (FEAT_MTE), for which Linux has no HWCAP.
    show(&[F::Mte],      None,                                  field(Aa64Pfr1,   8, 1)),
    show(&[F::Ecv],      cap2(Hwcap2::HWCAP2_ECV, "ecv"),               field(Aa64Mmfr0, 60, 1)),
    show(&[F::Wfxt],     cap2(Hwcap2::HWCAP2_WFXT, "wfxt"),             field(Aa64Isar2,  0, 2)),
    show(&[F::Cssc],     cap2(Hwcap2::HWCAP2_CSSC, "cssc"),             field(Aa64Isar2, 52, 1)),
    show(&[F::Mops],     cap2(Hwcap2::HWCAP2_MOPS, "mops"),             field(Aa64Isar2, 16, 1)),
    show(&[F::Hbc],      cap2(Hwcap2::HWCAP2_HBC, "hbc"),               field(Aa64Isar2, 20, 1)),
    show(&[F::Lrcpc3],   cap2(Hwcap2::HWCAP2_LRCPC3, "lrcpc3"),         field(Aa64Isar1, 20, 3)),
    show(&[F::Lse128],   cap2(Hwcap2::HWCAP2_LSE128, "lse128"),         field(Aa64Isar0, 20, 3)),
];

/// Fields no feature governs: AArch64 only at EL0 and EL1; DebugVer 6, the safe value;
/// TGran4 and TGran64 are hidden and read as not implemented.
const FIXED: [(IdReg, u64); 3] = [(Aa64Pfr0, 0x11), (Aa64Dfr0, 6), (Aa64Mmfr0, 0xff00_0000)];

impl Shown {
    const fn holds(&self, features: FeatureSet) -> bool {
        let mut n = 0;
        while n < self.needs.len() {
            if !features.contains(self.needs[n]) {
                return false;
            }
            n += 1;
        }
        true
    }
}

/// The AT_HWCAP words of a CPU with these features.
#[must_use]
pub const fn hwcap(features: FeatureSet) -> Hwcaps {
    let mut all = Hwcaps::NONE;
    let mut n = 0;
    while n < SHOWN.len() {
        if let Some(cap) = SHOWN[n].hwcap
            && SHOWN[n].holds(features)
        {
            all = all.union(cap.bit);
        }
        n += 1;
    }
    all
}

/// The ID registers of a CPU with these features.
#[must_use]
pub const fn id_registers(features: FeatureSet) -> [u64; IdReg::COUNT] {
    let mut registers = [0; IdReg::COUNT];
    let mut n = 0;
    while n < FIXED.len() {
        registers[FIXED[n].0 as usize] = FIXED[n].1;
        n += 1;
    }
    n = 0;
    while n < SHOWN.len() {
        if let Some(field) = SHOWN[n].field
            && SHOWN[n].holds(features)
        {
            let register = &mut registers[field.reg as usize];
            if (*register >> field.shift) & 15 < field.value {
                *register = *register & !(15 << field.shift) | field.value << field.shift;
            }
        }
        n += 1;
    }
    registers
}

/// Names in /proc/cpuinfo, in the order of the bits.
#[must_use]
pub fn names(features: FeatureSet) -> Vec<&'static str> {
    let shown = SHOWN.iter().filter(|shown| shown.holds(features));
    let mut caps: Vec<Capability> = shown.filter_map(|shown| shown.hwcap).collect();
    // Of the words as one number, the third highest.
    caps.sort_unstable_by_key(|cap| {
        let mut words = cap.bit.words();
        words.reverse();
        words
    });
    caps.iter().map(|cap| cap.name).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_bit_and_name_occurs_once() {
        let caps: Vec<Capability> = SHOWN.iter().filter_map(|shown| shown.hwcap).collect();
        for (n, cap) in caps.iter().enumerate() {
            for other in &caps[..n] {
                assert_ne!(cap.bit, other.bit);
                assert_ne!(cap.name, other.name);
            }
        }
    }

    #[test]
    fn fields_do_not_overlap_what_is_fixed() {
        let none = id_registers(FeatureSet::EMPTY);
        for field in SHOWN.iter().filter_map(|shown| shown.field) {
            assert_eq!(none[field.reg as usize] >> field.shift & 15, 0, "{field:?}");
        }
    }

    #[test]
    fn fields_grow_with_features() {
        let lse = FeatureSet::of(&[F::Lse]);
        let isar0 = |features| id_registers(features)[Aa64Isar0 as usize];
        assert_eq!(isar0(lse), 2 << 20);
        assert_eq!(isar0(lse.with(F::Lse128)), 3 << 20);
        assert_eq!(hwcap(lse.with(F::Lse128)).words(), [1 << 8, 1 << 47, 0]);
        assert_eq!(names(lse.with(F::Lse128)), ["atomics", "lse128"]);
    }
}
