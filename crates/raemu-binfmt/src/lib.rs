//! Registration of raemu-aarch64 with the kernel's binfmt_misc.
//!
//! The library holds all of the command `raemu-binfmt`; `main.rs` only calls it.

#![deny(unsafe_code)]

pub mod spec;

pub use spec::{COMMANDS, COMPAT, CommandSpec, OptionSpec, SUMMARY};
