//! The CPU the guest sees: identification registers, cache geometry, HWCAP, the counter.
//!
//! One place for what MRS reads, what AT_HWCAP says and what /proc/cpuinfo prints,
//! so that they cannot disagree. The registers have the values that Linux's
//! emulation shows to EL0 (Documentation/arch/arm64/cpu-feature-registers.rst):
//! hidden fields read as their safe value.

/// A feature of the modelled CPU: its AT_HWCAP bit and its name in /proc/cpuinfo.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Feature {
    pub name: &'static str,
    /// Bit number in AT_HWCAP (arch/arm64/include/uapi/asm/hwcap.h).
    pub hwcap_bit: u32,
}

/// Everything implemented, in the order of the HWCAP bits.
pub const FEATURES: &[Feature] = &[
    Feature {
        name: "fp",
        hwcap_bit: 0,
    },
    Feature {
        name: "asimd",
        hwcap_bit: 1,
    },
    Feature {
        name: "aes",
        hwcap_bit: 3,
    },
    Feature {
        name: "pmull",
        hwcap_bit: 4,
    },
    Feature {
        name: "sha1",
        hwcap_bit: 5,
    },
    Feature {
        name: "sha2",
        hwcap_bit: 6,
    },
    Feature {
        name: "crc32",
        hwcap_bit: 7,
    },
    Feature {
        name: "atomics",
        hwcap_bit: 8,
    },
    Feature {
        name: "cpuid",
        hwcap_bit: 11,
    },
    Feature {
        name: "lrcpc",
        hwcap_bit: 15,
    },
    Feature {
        name: "dcpop",
        hwcap_bit: 16,
    },
];

/// AT_HWCAP.
pub const HWCAP: u64 = {
    let mut bits = 0;
    let mut n = 0;
    while n < FEATURES.len() {
        bits |= 1 << FEATURES[n].hwcap_bit;
        n += 1;
    }
    bits
};

/// AT_HWCAP2.
pub const HWCAP2: u64 = 0;

/// MIDR_EL1: implementer 0 (reserved for software), architecture by ID registers,
/// part 0x051, as qemu's `max` has it.
pub const MIDR_EL1: u64 = 0x000f_0510;
/// MPIDR_EL1: bit 31 is RES1; Linux hides the rest.
pub const MPIDR_EL1: u64 = 1 << 31;
pub const REVIDR_EL1: u64 = 0;

/// AES with PMULL (2), SHA1 (1), SHA256 (1), CRC32 (1), LSE atomics (2).
pub const ID_AA64ISAR0_EL1: u64 = (2 << 4) | (1 << 8) | (1 << 12) | (1 << 16) | (2 << 20);
/// DC CVAP (1), LDAPR (1).
pub const ID_AA64ISAR1_EL1: u64 = 1 | (1 << 20);
/// AArch64 only at EL0 and EL1; FP and AdvSIMD (0) without half precision.
pub const ID_AA64PFR0_EL1: u64 = 0x11;
/// DebugVer 6, the safe value.
pub const ID_AA64DFR0_EL1: u64 = 6;
/// TGran4 and TGran64 are hidden and read as not implemented.
pub const ID_AA64MMFR0_EL1: u64 = 0xff00_0000;

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

/// CNTVCT_EL0: the host's CLOCK_MONOTONIC in ticks of [`CNTFRQ_EL0`], so that it
/// runs alike in all processes.
#[must_use]
pub fn virtual_counter() -> u64 {
    let mut now = libc::timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    // SAFETY: `now` is a timespec of ours; CLOCK_MONOTONIC always exists.
    unsafe {
        libc::clock_gettime(libc::CLOCK_MONOTONIC, &raw mut now);
    }
    now.tv_sec as u64 * CNTFRQ_EL0 + now.tv_nsec as u64 / (1_000_000_000 / CNTFRQ_EL0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn registers_have_the_documented_fields() {
        assert_eq!(CTR_EL0, 0x9444_c00a);
        assert_eq!(DCZID_EL0, 4);
        assert_eq!(HWCAP, 0x1_89fb);
        assert_eq!(ID_AA64ISAR0_EL1, 0x21_1120);
    }

    #[test]
    fn counter_advances_at_its_frequency() {
        let before = virtual_counter();
        std::thread::sleep(std::time::Duration::from_millis(20));
        let ticks = virtual_counter() - before;
        assert!(ticks >= CNTFRQ_EL0 / 50, "{ticks}");
    }
}
