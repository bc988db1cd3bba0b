//! Translates guest instructions to x86-64 code.
//!
//! Place in the path: step 3. [`build::Builder`] plays the semantics of one instruction
//! after another into block IR ([`ir`]); [`opt`] removes what nothing uses; [`lower`]
//! emits host code for a [`target`], as [`code`] that has no place yet.
//!
//! Invariants: knows nothing of Linux; touches no guest memory itself; the code it
//! emits can be moved: what depends on its place is a relocation.

pub mod area;
pub mod asm;
pub mod build;
pub mod code;
pub mod host_state;
pub mod ir;
pub mod lower;
pub mod opt;
pub mod stubs;
pub mod target;
