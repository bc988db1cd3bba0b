//! What each row of the tables does. `play` is generated from `a64-isa/isa/*.isa`.
//!
//! Names in the arguments of a row's call are looked up here: what is imported below is what
//! a row may say.

use crate::asimd_copy::Modify;
use crate::asimd_fp::{fp_scalar, fp_vector};
use crate::asimd_fp16::{SCALAR_H, halves};
use crate::asimd_ldst::{SingleLane, register_bytes};
use crate::dp_imm::shifted_imm12;
use crate::dp_reg::{Extended, Shifted};
use crate::fp::{
    Comparand, FTYPE_H, NanCompare, fp_constant, fp_shape, from_signed, from_unsigned, to_signed, to_unsigned,
};
use crate::fp_ext::{HALVES, Halves};
use crate::ldst::{Index, Mode};
use crate::ldst_order::pair_step;
use crate::ldst_pair::scaled_imm7;
use crate::mte::{GRANULE, granules, tag_mode};
use crate::ops::{
    Barrier, BulkOp, BulkStage, Cond, Crc, FlagOp, Fp1, Fp2, Fp3, Int1, Int2, Lane, LoadExt, MemSize, Order,
    Rmw, Rounding, Shape, Vec1, Vec2, Vec3, VecShift, Width,
};
use crate::pauth::{Modifier, address_key};
use crate::simd::{
    BYTES, DOUBLEWORDS, Element, Part, SCALAR_D, SCALAR_S, WORDS, bits, copy_lane, long, narrow, scalar,
    shift_scalar, shift_vector, vector, words,
};
use crate::system::barrier_kind;
use crate::{Ops, Translate};
use a64_isa::imm::{bitmask, sext, simd_imm};
use a64_isa::simd::{lane_index, left_amount, right_amount, shift_size, single_size};
use a64_isa::text::{reg_size, v_size};

include!(concat!(env!("OUT_DIR"), "/rows.rs"));
