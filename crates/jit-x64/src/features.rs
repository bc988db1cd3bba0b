//! What the host CPU offers beyond the baseline (x86-64-v3).

use std::sync::OnceLock;

/// Optional instruction sets the lowering uses where present.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct HostFeatures {
    pub aes: bool,
    pub pclmul: bool,
    pub sha: bool,
    /// Rotations of vectors (AVX-512 F and VL).
    pub avx512: bool,
}

static FEATURES: OnceLock<HostFeatures> = OnceLock::new();

impl HostFeatures {
    /// The baseline alone.
    pub const BASELINE: HostFeatures = HostFeatures {
        aes: false,
        pclmul: false,
        sha: false,
        avx512: false,
    };

    /// The baseline with the cryptographic instructions, which most of its CPUs have: what
    /// documents and recorded host code are made for, wherever that is done.
    pub const REFERENCE: HostFeatures = HostFeatures {
        aes: true,
        pclmul: true,
        sha: true,
        avx512: false,
    };

    /// The features of this machine's CPU, unless others are assumed.
    #[must_use]
    pub fn get() -> HostFeatures {
        *FEATURES.get_or_init(|| HostFeatures {
            aes: is_x86_feature_detected!("aes"),
            pclmul: is_x86_feature_detected!("pclmulqdq"),
            sha: is_x86_feature_detected!("sha"),
            avx512: is_x86_feature_detected!("avx512f") && is_x86_feature_detected!("avx512vl"),
        })
    }

    /// Assumes these features from now on in this process, for tests; false if others are in
    /// use already.
    pub fn assume(features: HostFeatures) -> bool {
        *FEATURES.get_or_init(|| features) == features
    }
}
