//! Plain Rust bodies of the operations. The interpreter calls them, and generated code calls
//! the interpreter where it has no inline sequence.
//!
//! Everything here computes on integers, so it neither depends on nor disturbs the
//! host's floating-point environment.
#![forbid(unsafe_code)]

mod fp;
mod int;
mod qarma;
mod vec;

pub use fp::{fp_compare, fp_to_int, fp_to_js_int, fp1, fp2, fp3, int_to_fp, vec_fp_to_int, vec_int_to_fp};
pub use int::{crc32, cut, extend, extract, extract_pair, flag_op, insert, int1, int2, rmw};
pub use qarma::qarma;
pub use vec::{dup_lane, lane, set_lane, signed_lane, vec_ext, vec_shift, vec_table, vec1, vec2, vec3};
