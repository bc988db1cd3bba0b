//! Loads an AArch64 ELF program as Linux's execve does: segments, the interpreter
//! (PT_INTERP), the vDSO, the initial stack and the auxiliary vector.
//!
//! Place in the path: once, before the first guest instruction. [`load`] does it all; the
//! parts are pure where they can be: [`Head`] and [`Headers`] from bytes, [`plan`](Headers::plan) from
//! headers, [`stack`] and [`vdso`] as byte images.
//!
//! Invariants: a program file never panics the loader; all arithmetic on its numbers is
//! checked. Nothing is mapped but through [`Memory`], so the guest's map stays complete.

#![forbid(unsafe_code)]

mod error;
mod header;
mod load;
mod memory;
mod plan;
mod probe;
mod property;
pub mod stack;
pub mod vdso;

pub use error::LoadError;
pub use header::{Headers, Kind, ReadAt, Segment};
pub use load::{Loaded, Program, STACK_GUARD, load};
pub use memory::{Area, Memory, Place, Request};
pub use plan::Step;
pub use probe::{Format, Head, Script};
