//! The host that code is made for: what its CPU offers, and which guest register lives where.

mod features;
mod homes;

pub use features::HostFeatures;
pub use homes::{Bank, Homes, slot_spill, slot_v, slot_x};

/// A host. All that translation knows of the machine it is for; nothing asks the machine it runs on.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Target {
    pub features: HostFeatures,
    pub homes: Homes,
}

impl Target {
    /// A host with these features, and the homes that blocks agree on there.
    #[must_use]
    pub const fn new(features: HostFeatures) -> Target {
        Target {
            features,
            homes: Homes::of_blocks(features),
        }
    }

    /// This machine.
    #[must_use]
    pub fn host() -> Target {
        Target::new(HostFeatures::detect())
    }
}
