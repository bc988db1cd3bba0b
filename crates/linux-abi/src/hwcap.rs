//! [`Hwcaps`]: what AT_HWCAP, AT_HWCAP2 and AT_HWCAP3 tell a program of its CPU, as of Linux 6.18
//! (arch/arm64/include/uapi/asm/hwcap.h).
//!
//! Bits that have no name are kept: bits 62 and 63 of AT_HWCAP are the C library's.

use crate::flags::FlagSet;
use bitflags::bitflags;

bitflags! {
    /// Bits of AT_HWCAP.
    #[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
    pub struct Hwcap: u64 {
        const HWCAP_FP = 1 << 0;
        const HWCAP_ASIMD = 1 << 1;
        const HWCAP_EVTSTRM = 1 << 2;
        const HWCAP_AES = 1 << 3;
        const HWCAP_PMULL = 1 << 4;
        const HWCAP_SHA1 = 1 << 5;
        const HWCAP_SHA2 = 1 << 6;
        const HWCAP_CRC32 = 1 << 7;
        const HWCAP_ATOMICS = 1 << 8;
        const HWCAP_FPHP = 1 << 9;
        const HWCAP_ASIMDHP = 1 << 10;
        const HWCAP_CPUID = 1 << 11;
        const HWCAP_ASIMDRDM = 1 << 12;
        const HWCAP_JSCVT = 1 << 13;
        const HWCAP_FCMA = 1 << 14;
        const HWCAP_LRCPC = 1 << 15;
        const HWCAP_DCPOP = 1 << 16;
        const HWCAP_SHA3 = 1 << 17;
        const HWCAP_SM3 = 1 << 18;
        const HWCAP_SM4 = 1 << 19;
        const HWCAP_ASIMDDP = 1 << 20;
        const HWCAP_SHA512 = 1 << 21;
        const HWCAP_SVE = 1 << 22;
        const HWCAP_ASIMDFHM = 1 << 23;
        const HWCAP_DIT = 1 << 24;
        const HWCAP_USCAT = 1 << 25;
        const HWCAP_ILRCPC = 1 << 26;
        const HWCAP_FLAGM = 1 << 27;
        const HWCAP_SSBS = 1 << 28;
        const HWCAP_SB = 1 << 29;
        const HWCAP_PACA = 1 << 30;
        const HWCAP_PACG = 1 << 31;
        const HWCAP_GCS = 1 << 32;
        const HWCAP_CMPBR = 1 << 33;
        const HWCAP_FPRCVT = 1 << 34;
        const HWCAP_F8MM8 = 1 << 35;
        const HWCAP_F8MM4 = 1 << 36;
        const HWCAP_SVE_F16MM = 1 << 37;
        const HWCAP_SVE_ELTPERM = 1 << 38;
        const HWCAP_SVE_AES2 = 1 << 39;
        const HWCAP_SVE_BFSCALE = 1 << 40;
        const HWCAP_SVE2P2 = 1 << 41;
        const HWCAP_SME2P2 = 1 << 42;
        const HWCAP_SME_SBITPERM = 1 << 43;
        const HWCAP_SME_AES = 1 << 44;
        const HWCAP_SME_SFEXPA = 1 << 45;
        const HWCAP_SME_STMOP = 1 << 46;
        const HWCAP_SME_SMOP4 = 1 << 47;
    }
}

impl FlagSet for Hwcap {}

bitflags! {
    /// Bits of AT_HWCAP2.
    #[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
    pub struct Hwcap2: u64 {
        const HWCAP2_DCPODP = 1 << 0;
        const HWCAP2_SVE2 = 1 << 1;
        const HWCAP2_SVEAES = 1 << 2;
        const HWCAP2_SVEPMULL = 1 << 3;
        const HWCAP2_SVEBITPERM = 1 << 4;
        const HWCAP2_SVESHA3 = 1 << 5;
        const HWCAP2_SVESM4 = 1 << 6;
        const HWCAP2_FLAGM2 = 1 << 7;
        const HWCAP2_FRINT = 1 << 8;
        const HWCAP2_SVEI8MM = 1 << 9;
        const HWCAP2_SVEF32MM = 1 << 10;
        const HWCAP2_SVEF64MM = 1 << 11;
        const HWCAP2_SVEBF16 = 1 << 12;
        const HWCAP2_I8MM = 1 << 13;
        const HWCAP2_BF16 = 1 << 14;
        const HWCAP2_DGH = 1 << 15;
        const HWCAP2_RNG = 1 << 16;
        const HWCAP2_BTI = 1 << 17;
        const HWCAP2_MTE = 1 << 18;
        const HWCAP2_ECV = 1 << 19;
        const HWCAP2_AFP = 1 << 20;
        const HWCAP2_RPRES = 1 << 21;
        const HWCAP2_MTE3 = 1 << 22;
        const HWCAP2_SME = 1 << 23;
        const HWCAP2_SME_I16I64 = 1 << 24;
        const HWCAP2_SME_F64F64 = 1 << 25;
        const HWCAP2_SME_I8I32 = 1 << 26;
        const HWCAP2_SME_F16F32 = 1 << 27;
        const HWCAP2_SME_B16F32 = 1 << 28;
        const HWCAP2_SME_F32F32 = 1 << 29;
        const HWCAP2_SME_FA64 = 1 << 30;
        const HWCAP2_WFXT = 1 << 31;
        const HWCAP2_EBF16 = 1 << 32;
        const HWCAP2_SVE_EBF16 = 1 << 33;
        const HWCAP2_CSSC = 1 << 34;
        const HWCAP2_RPRFM = 1 << 35;
        const HWCAP2_SVE2P1 = 1 << 36;
        const HWCAP2_SME2 = 1 << 37;
        const HWCAP2_SME2P1 = 1 << 38;
        const HWCAP2_SME_I16I32 = 1 << 39;
        const HWCAP2_SME_BI32I32 = 1 << 40;
        const HWCAP2_SME_B16B16 = 1 << 41;
        const HWCAP2_SME_F16F16 = 1 << 42;
        const HWCAP2_MOPS = 1 << 43;
        const HWCAP2_HBC = 1 << 44;
        const HWCAP2_SVE_B16B16 = 1 << 45;
        const HWCAP2_LRCPC3 = 1 << 46;
        const HWCAP2_LSE128 = 1 << 47;
        const HWCAP2_FPMR = 1 << 48;
        const HWCAP2_LUT = 1 << 49;
        const HWCAP2_FAMINMAX = 1 << 50;
        const HWCAP2_F8CVT = 1 << 51;
        const HWCAP2_F8FMA = 1 << 52;
        const HWCAP2_F8DP4 = 1 << 53;
        const HWCAP2_F8DP2 = 1 << 54;
        const HWCAP2_F8E4M3 = 1 << 55;
        const HWCAP2_F8E5M2 = 1 << 56;
        const HWCAP2_SME_LUTV2 = 1 << 57;
        const HWCAP2_SME_F8F16 = 1 << 58;
        const HWCAP2_SME_F8F32 = 1 << 59;
        const HWCAP2_SME_SF8FMA = 1 << 60;
        const HWCAP2_SME_SF8DP4 = 1 << 61;
        const HWCAP2_SME_SF8DP2 = 1 << 62;
        const HWCAP2_POE = 1 << 63;
    }
}

impl FlagSet for Hwcap2 {}

bitflags! {
    /// Bits of AT_HWCAP3.
    #[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
    pub struct Hwcap3: u64 {
        const HWCAP3_MTE_FAR = 1 << 0;
        const HWCAP3_MTE_STORE_ONLY = 1 << 1;
        const HWCAP3_LSFE = 1 << 2;
    }
}

impl FlagSet for Hwcap3 {}

/// All three words, of which Linux gives each since 6.14, whatever it holds.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Hwcaps {
    pub hwcap: Hwcap,
    pub hwcap2: Hwcap2,
    pub hwcap3: Hwcap3,
}

impl Hwcaps {
    pub const NONE: Hwcaps = Hwcaps {
        hwcap: Hwcap::empty(),
        hwcap2: Hwcap2::empty(),
        hwcap3: Hwcap3::empty(),
    };

    #[must_use]
    pub const fn union(self, other: Hwcaps) -> Hwcaps {
        Hwcaps {
            hwcap: self.hwcap.union(other.hwcap),
            hwcap2: self.hwcap2.union(other.hwcap2),
            hwcap3: self.hwcap3.union(other.hwcap3),
        }
    }

    /// The words of the auxiliary vector.
    #[must_use]
    pub const fn words(self) -> [u64; 3] {
        [self.hwcap.bits(), self.hwcap2.bits(), self.hwcap3.bits()]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bits_without_a_name_are_kept() {
        let hwcap = Hwcap::from_bits_retain(1 << 63) | Hwcap::HWCAP_FP;
        let all = Hwcaps::NONE.union(Hwcaps {
            hwcap,
            hwcap2: Hwcap2::HWCAP2_POE,
            hwcap3: Hwcap3::HWCAP3_LSFE,
        });
        assert_eq!(all.words(), [1 << 63 | 1, 1 << 63, 4]);
        assert_eq!(
            all.hwcap.iter_names().map(|(name, _)| name).collect::<Vec<_>>(),
            ["HWCAP_FP"]
        );
    }
}
