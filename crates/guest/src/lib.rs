//! Guest addresses, the guest CPU state, and access to guest memory.
//!
//! Place in the path: below everything that runs guest code. The interpreter,
//! the JIT, the engine and the Linux layer all share these types.
//!
//! Invariants:
//! - Guest addresses are host addresses (guest_base = 0) but are never used as
//!   pointers outside this crate and the generated code.
//! - Every access made on the guest's behalf goes through [`access`] and turns
//!   a host fault into a [`MemFault`] value.

pub mod access;
mod addr;
mod exit;
mod state;

pub use addr::{GUEST_ADDRESS_LIMIT, GuestAddr, PAGE_SIZE};
pub use cpu_model::{self, CpuModel};
pub use exit::{Access, Exit, FaultKind, MemFault};
pub use state::{CpuState, FpEnv, HostFlags, NUM_SPILL_SLOTS, PacState, STATE_BIAS};
