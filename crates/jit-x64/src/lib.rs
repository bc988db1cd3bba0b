//! Translates guest instructions to x86-64 code.
//!
//! Place in the path: step 3. [`builder::Builder`] plays the semantics of one block
//! after another into block IR ([`ir`]); [`passes`] remove what nothing uses;
//! [`lower`] emits host code.
//!
//! Invariants: knows nothing of Linux; touches no guest memory itself; the code it
//! emits is correct at any address of the code cache.

pub mod area;
pub mod asm;
pub mod builder;
mod expand;
pub mod features;
pub mod ir;
pub mod lower;
pub mod passes;
pub mod regs;
pub mod stubs;
mod untangle;
