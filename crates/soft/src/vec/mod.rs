//! Bodies of the vector integer operations of [`semantics::Ops`].
//!
//! A vector is a `u128` with lane 0 in its low bits. Every body computes the lanes
//! of its shape and leaves the rest of the result zero.

mod aes;
mod dot;
mod estimate;
mod lanes;
mod one;
mod permute;
mod sha;
mod sha512;
mod shift;
mod sm;
mod three;
mod two;

pub use lanes::{dup_lane, lane, set_lane, signed_lane};
pub use one::vec1;
pub use permute::{vec_ext, vec_table};
pub use shift::vec_shift;
pub use three::vec3;
pub use two::vec2;
