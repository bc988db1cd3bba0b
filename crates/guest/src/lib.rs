//! The guest's architectural state: addresses, one CPU's registers, exits.
//!
//! Place in the path: below everything that runs guest code. The interpreter,
//! the JIT, the engine and the Linux layer all share these types.
#![forbid(unsafe_code)]

mod addr;
mod exit;
mod state;

pub use addr::{GUEST_ADDRESS_LIMIT, GuestAddr, PAGE_SIZE};
pub use cpu_model::{self, CpuModel};
pub use exit::{Access, Exit, FaultKind, MemFault};
pub use state::{CpuState, FpEnv, PacState, STATE_BIAS};
