//! Whole-program tests: what they share.
//!
//! Its runners are in `tests/`, and other tests use it too. `tests/programs.rs` runs the command lines of `cases.txt`
//! in an arm64 root file system under the emulator and in the amd64 one natively, and compares every byte.
//! `tests/guest.rs` compiles the small programs of `tests/guest/` and compares them with the output recorded beside
//! them. Each other runner is about one program of `tests/guest/`.
//!
//! `docs/testing.md` says how to run them, and how to add a case.
#![forbid(unsafe_code)]

pub mod case;
pub mod diff;
pub mod fixtures;
pub mod paths;
pub mod process;
pub mod runner;
pub mod sandbox;
