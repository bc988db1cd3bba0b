//! What the host CPU offers beyond the baseline (x86-64-v3).

use std::sync::OnceLock;

/// Optional instruction sets the lowering uses where present.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct HostFeatures {
    pub aes: bool,
    pub pclmul: bool,
    pub sha: bool,
}

impl HostFeatures {
    /// The features of this machine's CPU.
    #[must_use]
    pub fn get() -> HostFeatures {
        static FEATURES: OnceLock<HostFeatures> = OnceLock::new();
        *FEATURES.get_or_init(|| HostFeatures {
            aes: is_x86_feature_detected!("aes"),
            pclmul: is_x86_feature_detected!("pclmulqdq"),
            sha: is_x86_feature_detected!("sha"),
        })
    }
}
