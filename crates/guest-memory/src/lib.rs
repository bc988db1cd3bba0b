//! Access to guest memory.
//!
//! Place in the path: below everything that runs guest code or works for it.
//!
//! Invariants:
//! - Guest addresses are host addresses (guest_base = 0) but are never used as
//!   pointers outside this crate and the generated code.
//! - Every access made on the guest's behalf goes through [`access`] and turns
//!   a host fault into a [`guest::MemFault`] value.
//! - Generated code calls its routines by the signatures in [`routines`] alone.

pub mod access;
pub mod routines;
