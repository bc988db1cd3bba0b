//! Linux for the guest (skeleton).
pub mod host;
pub mod mm;
