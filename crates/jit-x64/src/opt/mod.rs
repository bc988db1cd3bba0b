//! What is done to a block's IR between building and lowering it.

mod passes;
mod untangle;

pub use passes::*;
