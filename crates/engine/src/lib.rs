//! Runs guest code: finds or makes translated blocks, links them, drops them when
//! their bytes change, and turns host faults into exits.
//!
//! Place in the path: step 4. [`Engine`] is what all guest threads share: the code
//! cache and what is known of its blocks. [`Cpu`] is one guest thread's CPU.
//!
//! Invariants: knows nothing of Linux system calls; `CpuState` is precise at every
//! [`guest::Exit`]. Lock order: `Engine::shared`, then `Engine::cpus`.

mod blocks;
mod cache;
mod cpu;
mod edges;
mod engine;
mod engines;
mod fault;
mod flags;
mod install;
pub mod peek;
mod trace;
mod translate;

#[cfg(test)]
mod install_tests;
#[cfg(test)]
mod tests;

pub use blocks::Statistics;
pub use cpu::{Cpu, DebugPoints, Debugged, PollHandle};
pub use edges::EdgeMap;
pub use engine::{AddressSpace, Engine, Mode};
pub use fault::{HostSignal, on_host_signal};
pub use interp::Watchpoint;
pub use jit_x64::target::{HostFeatures, Target};
pub use trace::Trace;
pub use translate::Translator;
