//! System call numbers of both sides.

pub mod arm64;
pub mod x86_64;
