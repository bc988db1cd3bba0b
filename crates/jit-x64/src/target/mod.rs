//! The host that code is made for: what its CPU offers, and which guest register lives where.

mod features;
mod homes;

pub use features::HostFeatures;
pub use homes::*;
