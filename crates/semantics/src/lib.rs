//! What each A64 instruction does, written once.
//!
//! Place in the path: step 2. A semantics function reads its operands, computes
//! and writes back through [`Ops`]; who executes the operations (the interpreter)
//! or records them (the JIT) is not known here.
//!
//! Invariants: nothing here knows of x86 or of Linux; each table row names a function, by its family or
//! itself, or has one of its own, named like it.
#![forbid(unsafe_code)]

pub mod ops;

mod asimd_copy;
mod asimd_ext;
mod asimd_fp;
mod asimd_fp16;
mod asimd_ldst;
mod asimd_misc;
mod asimd_same;
mod branch;
mod crypto_ext;
mod dp_imm;
mod dp_reg;
mod flagm;
mod fp;
mod fp_ext;
mod ldst;
mod ldst_order;
mod ldst_pair;
mod ldst_sync;
mod mops;
mod mte;
mod pauth;
mod rows;
mod simd;
mod system;
mod translate;

pub use a64_isa::Undefined;
pub use ops::Ops;
pub use translate::{Translate, translate};
