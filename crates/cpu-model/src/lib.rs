//! The CPU the guest sees: its features and what identifies it.
//!
//! Place in the path: above the instruction tables, whose [`Feature`]s it is made of, and `linux-abi`; below
//! all that runs guest code. A [`CpuModel`] is a name, MIDR and a set of features. What MRS
//! reads, what AT_HWCAP says and what /proc/cpuinfo prints are derived from the set by one
//! table ([`shown::SHOWN`]), so they cannot disagree; the decoder refuses what is not in it.
//!
//! The registers have the values that Linux's emulation shows to EL0
//! (Documentation/arch/arm64/cpu-feature-registers.rst): hidden fields read as their safe
//! value.

pub mod choice;
mod host;
pub mod models;
pub mod shown;

pub use a64_isa::random::{mixed, splitmix64};
pub use a64_isa::{Feature, FeatureSet};
pub use host::{random, virtual_counter};
use linux_abi::Hwcaps;
pub use models::{EVERYTHING, MAX};
use shown::IdReg;
use std::fmt;

/// A CPU.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct CpuModel {
    pub name: &'static str,
    pub midr: u64,
    pub features: FeatureSet,
    /// AT_HWCAP, AT_HWCAP2, AT_HWCAP3.
    pub hwcap: Hwcaps,
    id: [u64; IdReg::COUNT],
}

impl CpuModel {
    #[must_use]
    pub const fn new(name: &'static str, midr: u64, features: FeatureSet) -> CpuModel {
        CpuModel {
            name,
            midr,
            features,
            hwcap: shown::hwcap(features),
            id: shown::id_registers(features),
        }
    }

    /// What MRS reads at EL0.
    #[must_use]
    pub const fn id(&self, reg: IdReg) -> u64 {
        self.id[reg as usize]
    }

    /// The names of the features in /proc/cpuinfo, in its order.
    #[must_use]
    pub fn feature_names(&self) -> Vec<&'static str> {
        shown::names(self.features)
    }
}

impl fmt::Debug for CpuModel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

/// MPIDR_EL1: bit 31 is RES1; Linux hides the rest.
pub const MPIDR_EL1: u64 = 1 << 31;
pub const REVIDR_EL1: u64 = 0;

/// Data cache line, and the block DC ZVA clears, in bytes.
pub const DCACHE_LINE: u64 = 64;
/// Instruction cache line in bytes: a page, so that loops of IC IVAU are short.
pub const ICACHE_LINE: u64 = 4096;

/// CTR_EL0: IDC = 1 (no DC CVAU needed), DIC = 0 (IC IVAU needed), PIPT.
pub const CTR_EL0: u64 = {
    let dminline = (DCACHE_LINE / 4).trailing_zeros() as u64;
    let iminline = (ICACHE_LINE / 4).trailing_zeros() as u64;
    (1 << 31) | (1 << 28) | (dminline << 24) | (dminline << 20) | (dminline << 16) | (3 << 14) | iminline
};

/// DCZID_EL0: log2 of the block in words; DC ZVA permitted.
pub const DCZID_EL0: u64 = (DCACHE_LINE / 4).trailing_zeros() as u64;

/// CNTFRQ_EL0 in Hz: a tick is 16 ns.
pub const CNTFRQ_EL0: u64 = 62_500_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn registers_have_the_documented_fields() {
        assert_eq!(CTR_EL0, 0x9444_c00a);
        assert_eq!(DCZID_EL0, 4);
    }
}
