//! The emulator's own memory.
//!
//! Guest addresses are host addresses, so emulator and guest live in one address space. All
//! that the emulator maps after its start lies in one area ([`area`]), reserved before the guest has
//! anything, far from where the kernel puts the guest's mappings. So nothing of the emulator's ever
//! stands in a hole of the guest's, and a few compares tell whose an address is ([`own`]).
//!
//! Place in the path: below the engine and the system calls; it knows neither.
//!
//! Invariants:
//! - What is handed out ([`Mapping`]) lies in an extent of the area, and all of an extent is the emulator's for as
//!   long as the process lives: nothing goes unguarded, however much is mapped.
//! - Neither the area nor its bookkeeping allocates from a heap: the heap may be built on it.

mod area;
mod heap;
pub mod lock;
mod mapping;
pub mod own;
pub mod party;
mod renumber;
mod shared_word;
pub mod thread;

pub use area::{is_limited, prepare};
pub use heap::Heap;
pub use mapping::{Access, Mapping};
pub use renumber::renumber;
pub use shared_word::SharedWord;
