//! How features show: AT_HWCAP bits, names in /proc/cpuinfo, fields of ID registers.
//!
//! One table for all of them. Bits and names are those of Linux
//! (arch/arm64/include/uapi/asm/hwcap.h, arch/arm64/kernel/cpuinfo.c), fields those that
//! cpu-feature-registers.rst makes visible.

use a64_isa::{Feature, FeatureSet};

/// AT_HWCAP, AT_HWCAP2 and AT_HWCAP3.
pub const HWCAP_WORDS: usize = 3;

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

/// A bit of AT_HWCAP (word 0), AT_HWCAP2 (1) or AT_HWCAP3 (2).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Hwcap {
    pub word: u8,
    pub bit: u8,
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
    pub hwcap: Option<Hwcap>,
    pub field: Option<Field>,
}

const fn cap(word: u8, bit: u8, name: &'static str) -> Option<Hwcap> {
    Some(Hwcap { word, bit, name })
}

const fn field(reg: IdReg, shift: u8, value: u64) -> Option<Field> {
    Some(Field { reg, shift, value })
}

const fn show(needs: &'static [Feature], hwcap: Option<Hwcap>, field: Option<Field>) -> Shown {
    Shown { needs, hwcap, field }
}

use Feature as F;
use IdReg::*;

/// The table.
#[rustfmt::skip]
pub const SHOWN: &[Shown] = &[
    show(&[F::Fp],       cap(0,  0, "fp"),       None),
    show(&[F::Asimd],    cap(0,  1, "asimd"),    None),
    show(&[F::Aes],      cap(0,  3, "aes"),      field(Aa64Isar0,  4, 1)),
    show(&[F::Pmull],    cap(0,  4, "pmull"),    field(Aa64Isar0,  4, 2)),
    show(&[F::Sha1],     cap(0,  5, "sha1"),     field(Aa64Isar0,  8, 1)),
    show(&[F::Sha256],   cap(0,  6, "sha2"),     field(Aa64Isar0, 12, 1)),
    show(&[F::Crc32],    cap(0,  7, "crc32"),    field(Aa64Isar0, 16, 1)),
    show(&[F::Lse],      cap(0,  8, "atomics"),  field(Aa64Isar0, 20, 2)),
    show(&[F::Fp16],     cap(0,  9, "fphp"),     field(Aa64Pfr0,  16, 1)),
    show(&[F::Fp16],     cap(0, 10, "asimdhp"),  field(Aa64Pfr0,  20, 1)),
    show(&[F::Base],     cap(0, 11, "cpuid"),    None),
    show(&[F::Rdm],      cap(0, 12, "asimdrdm"), field(Aa64Isar0, 28, 1)),
    show(&[F::Jscvt],    cap(0, 13, "jscvt"),    field(Aa64Isar1, 12, 1)),
    show(&[F::Fcma],     cap(0, 14, "fcma"),     field(Aa64Isar1, 16, 1)),
    show(&[F::Lrcpc],    cap(0, 15, "lrcpc"),    field(Aa64Isar1, 20, 1)),
    show(&[F::Dpb],      cap(0, 16, "dcpop"),    field(Aa64Isar1,  0, 1)),
    show(&[F::Sha3],     cap(0, 17, "sha3"),     field(Aa64Isar0, 32, 1)),
    show(&[F::Sm3],      cap(0, 18, "sm3"),      field(Aa64Isar0, 36, 1)),
    show(&[F::Sm4],      cap(0, 19, "sm4"),      field(Aa64Isar0, 40, 1)),
    show(&[F::Dotprod],  cap(0, 20, "asimddp"),  field(Aa64Isar0, 44, 1)),
    show(&[F::Sha512],   cap(0, 21, "sha512"),   field(Aa64Isar0, 12, 2)),
    show(&[F::Fhm],      cap(0, 23, "asimdfhm"), field(Aa64Isar0, 48, 1)),
    show(&[F::Dit],      cap(0, 24, "dit"),      field(Aa64Pfr0,  48, 1)),
    show(&[F::Lse2],     cap(0, 25, "uscat"),    field(Aa64Mmfr2, 32, 1)),
    show(&[F::Lrcpc2],   cap(0, 26, "ilrcpc"),   field(Aa64Isar1, 20, 2)),
    show(&[F::Flagm],    cap(0, 27, "flagm"),    field(Aa64Isar0, 52, 1)),
    show(&[F::Ssbs],     cap(0, 28, "ssbs"),     field(Aa64Pfr1,   4, 2)),
    show(&[F::Sb],       cap(0, 29, "sb"),       field(Aa64Isar1, 36, 1)),
    // Address authentication with FEAT_PAuth2 (3) and FEAT_FPACCOMBINE (5); generic (1).
    show(&[F::Pauth],                        cap(0, 30, "paca"), None),
    show(&[F::Pauth],                        cap(0, 31, "pacg"), None),
    show(&[F::Pauth, F::Pacqarma5],          None, field(Aa64Isar1,  4, 3)),
    show(&[F::Pauth, F::Pacqarma5, F::Fpac], None, field(Aa64Isar1,  4, 5)),
    show(&[F::Pauth, F::Pacqarma5],          None, field(Aa64Isar1, 24, 1)),
    show(&[F::Pauth, F::Pacqarma3],          None, field(Aa64Isar2, 12, 3)),
    show(&[F::Pauth, F::Pacqarma3, F::Fpac], None, field(Aa64Isar2, 12, 5)),
    show(&[F::Pauth, F::Pacqarma3],          None, field(Aa64Isar2,  8, 1)),
    show(&[F::Pauth, F::Pacimp],             None, field(Aa64Isar1,  8, 3)),
    show(&[F::Pauth, F::Pacimp, F::Fpac],    None, field(Aa64Isar1,  8, 5)),
    show(&[F::Pauth, F::Pacimp],             None, field(Aa64Isar1, 28, 1)),
    show(&[F::Dpb2],     cap(1,  0, "dcpodp"),   field(Aa64Isar1,  0, 2)),
    show(&[F::Flagm2],   cap(1,  7, "flagm2"),   field(Aa64Isar0, 52, 2)),
    show(&[F::Frintts],  cap(1,  8, "frint"),    field(Aa64Isar1, 32, 1)),
    show(&[F::I8mm],     cap(1, 13, "i8mm"),     field(Aa64Isar1, 52, 1)),
    show(&[F::Bf16],     cap(1, 14, "bf16"),     field(Aa64Isar1, 44, 1)),
    show(&[F::Dgh],      cap(1, 15, "dgh"),      field(Aa64Isar1, 48, 1)),
    show(&[F::Rng],      cap(1, 16, "rng"),      field(Aa64Isar0, 60, 1)),
    show(&[F::Bti],      cap(1, 17, "bti"),      field(Aa64Pfr1,   0, 1)),
    // The instructions without tags in memory (FEAT_MTE), for which Linux has no HWCAP.
    show(&[F::Mte],      None,                   field(Aa64Pfr1,   8, 1)),
    show(&[F::Ecv],      cap(1, 19, "ecv"),      field(Aa64Mmfr0, 60, 1)),
    show(&[F::Wfxt],     cap(1, 31, "wfxt"),     field(Aa64Isar2,  0, 2)),
    show(&[F::Cssc],     cap(1, 34, "cssc"),     field(Aa64Isar2, 52, 1)),
    show(&[F::Mops],     cap(1, 43, "mops"),     field(Aa64Isar2, 16, 1)),
    show(&[F::Hbc],      cap(1, 44, "hbc"),      field(Aa64Isar2, 20, 1)),
    show(&[F::Lrcpc3],   cap(1, 46, "lrcpc3"),   field(Aa64Isar1, 20, 3)),
    show(&[F::Lse128],   cap(1, 47, "lse128"),   field(Aa64Isar0, 20, 3)),
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
pub const fn hwcap(features: FeatureSet) -> [u64; HWCAP_WORDS] {
    let mut words = [0; HWCAP_WORDS];
    let mut n = 0;
    while n < SHOWN.len() {
        if let Some(cap) = SHOWN[n].hwcap
            && SHOWN[n].holds(features)
        {
            words[cap.word as usize] |= 1 << cap.bit;
        }
        n += 1;
    }
    words
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
    let mut caps: Vec<Hwcap> = shown.filter_map(|shown| shown.hwcap).collect();
    caps.sort_unstable_by_key(|cap| (cap.word, cap.bit));
    caps.iter().map(|cap| cap.name).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_bit_and_name_occurs_once() {
        let caps: Vec<Hwcap> = SHOWN.iter().filter_map(|shown| shown.hwcap).collect();
        for (n, cap) in caps.iter().enumerate() {
            for other in &caps[..n] {
                assert!(
                    (cap.word, cap.bit) != (other.word, other.bit),
                    "{cap:?} {other:?}"
                );
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
        assert_eq!(hwcap(lse.with(F::Lse128)), [1 << 8, 1 << 47, 0]);
        assert_eq!(names(lse.with(F::Lse128)), ["atomics", "lse128"]);
    }
}
