//! Runs AArch64 Linux programs: from a file and its arguments to a guest process (docs/library.md).
//!
//! Place in the path: above `linux-user`, below the command. A [`Program`] is what execve(2) is given, a [`Config`]
//! how it is to be run. Of the two comes a [`Machine`], a guest within this process whose end is an [`Outcome`], or an
//! [`Execution`], which takes over the process.
//!
//! Invariants: nothing here touches the process's allocator, its standard streams or its environment, and nothing
//! is printed: what goes wrong is an [`Error`].

#![deny(unsafe_code)]

mod config;
mod error;
mod execution;
mod function;
mod guest_memory;
mod harness;
pub mod host;
mod load;
mod machine;
mod program;
mod seeds;
mod symbols;

pub use config::Config;
pub use elf_loader::LoadError;
pub use error::{Error, errno};
pub use execution::Execution;
pub use function::{Function, Signature, Value};
pub use guest::{CpuState, GuestAddr, MemFault};
pub use harness::{Buffer, Random, SeenEdges};
pub use linux_user::kernel::tenant::{Death, Outcome};
pub use machine::{Machine, Snapshot};
pub use program::Program;
