//! What the host CPU offers beyond the baseline (x86-64-v3).

use std::sync::OnceLock;

/// Optional instruction sets the lowering uses where present.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct HostFeatures {
    pub aes: bool,
    pub pclmul: bool,
    pub sha: bool,
    /// Sixteen more vector registers, and rotations (AVX-512 F, VL, BW and DQ).
    pub avx512: bool,
    /// AES and carry-less products on those registers too (VAES, VPCLMULQDQ).
    pub vaes: bool,
}

static FEATURES: OnceLock<HostFeatures> = OnceLock::new();

impl HostFeatures {
    /// The baseline alone.
    pub const BASELINE: HostFeatures = HostFeatures {
        aes: false,
        pclmul: false,
        sha: false,
        avx512: false,
        vaes: false,
    };

    /// The baseline with the cryptographic instructions, which most of its CPUs have: what
    /// documents and recorded host code are made for, wherever that is done.
    pub const REFERENCE: HostFeatures = HostFeatures {
        aes: true,
        pclmul: true,
        sha: true,
        avx512: false,
        vaes: false,
    };

    /// Everything that the lowering knows.
    pub const ALL: HostFeatures = HostFeatures {
        aes: true,
        pclmul: true,
        sha: true,
        avx512: true,
        vaes: true,
    };

    /// The features of this machine's CPU, unless others are assumed.
    #[must_use]
    pub fn get() -> HostFeatures {
        *FEATURES.get_or_init(|| HostFeatures {
            aes: is_x86_feature_detected!("aes"),
            pclmul: is_x86_feature_detected!("pclmulqdq"),
            sha: is_x86_feature_detected!("sha"),
            avx512: is_x86_feature_detected!("avx512f")
                && is_x86_feature_detected!("avx512vl")
                && is_x86_feature_detected!("avx512bw")
                && is_x86_feature_detected!("avx512dq"),
            vaes: is_x86_feature_detected!("vaes") && is_x86_feature_detected!("vpclmulqdq"),
        })
    }

    /// Assumes these features from now on in this process, for tests; false if others are in
    /// use already.
    pub fn assume(features: HostFeatures) -> bool {
        *FEATURES.get_or_init(|| features) == features
    }
}
