//! Registration of raemu-aarch64 with the kernel's binfmt_misc.
//!
//! The library holds all of the command `raemu-binfmt`; `main.rs` only calls it. `cli` reads the command line by the
//! tables of `spec`; `register` and `run` write entries (`entry`); `facts` gathers what there is, and `doctor` and
//! `status` say it. All files are reached through `fs::Root`, so that tests can have a tree of their own.

#![deny(unsafe_code)]

pub mod cli;
pub mod compat;
mod contents;
pub mod doctor;
pub mod emulator;
pub mod entry;
pub mod facts;
pub mod fs;
mod json;
pub mod persist;
pub mod probe;
pub mod register;
pub mod run;
pub mod spec;
pub mod status;
#[cfg(test)]
mod testing;

pub use spec::{COMMANDS, COMPAT, CommandSpec, OptionSpec, SUMMARY};
