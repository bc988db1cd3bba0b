//! Runs single instructions from random states and compares what they did.
//!
//! - the JIT against the interpreter, in this process ([`local`]);
//! - the interpreter against another emulator ([`remote`]), live or through
//!   recorded vectors ([`vectors`]).
//!
//! A [`case::Case`] is reproducible from an instruction word and a seed. Both are
//! printed with every difference, together with the disassembly and the operands.

pub mod arena;
pub mod case;
pub mod comparison;
pub mod fused;
pub mod local;
pub mod outcome;
pub mod quiet;
pub mod remote;
pub mod rng;
pub mod rows;
pub mod sequence;
pub mod trial;
pub mod vectors;
