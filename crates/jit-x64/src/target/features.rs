//! What the host CPU offers beyond the baseline (x86-64-v3).

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

    /// Whether all that `other` has is here too.
    #[must_use]
    pub const fn contains(self, other: HostFeatures) -> bool {
        (self.aes || !other.aes)
            && (self.pclmul || !other.pclmul)
            && (self.sha || !other.sha)
            && (self.avx512 || !other.avx512)
            && (self.vaes || !other.vaes)
    }

    /// What both have.
    #[must_use]
    pub const fn common(self, other: HostFeatures) -> HostFeatures {
        HostFeatures {
            aes: self.aes && other.aes,
            pclmul: self.pclmul && other.pclmul,
            sha: self.sha && other.sha,
            avx512: self.avx512 && other.avx512,
            vaes: self.vaes && other.vaes,
        }
    }

    /// The features of this machine's CPU.
    #[must_use]
    pub fn detect() -> HostFeatures {
        HostFeatures {
            aes: is_x86_feature_detected!("aes"),
            pclmul: is_x86_feature_detected!("pclmulqdq"),
            sha: is_x86_feature_detected!("sha"),
            avx512: is_x86_feature_detected!("avx512f")
                && is_x86_feature_detected!("avx512vl")
                && is_x86_feature_detected!("avx512bw")
                && is_x86_feature_detected!("avx512dq"),
            vaes: is_x86_feature_detected!("vaes") && is_x86_feature_detected!("vpclmulqdq"),
        }
    }
}
