//! System call numbers of both sides.

pub mod arm64;
mod both;
pub mod x86_64;
