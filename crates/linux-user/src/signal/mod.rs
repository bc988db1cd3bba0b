//! Signals of the guest.
//!
//! The way of a signal: the host's kernel queues it and chooses the thread and the moment
//! ([`action`] and [`thread`] keep the host's dispositions and masks equal to the guest's);
//! a host handler records it and arms the thread ([`handler`]); at the next guest boundary
//! it is delivered: a frame for the guest's handler ([`deliver`], [`frame`]) or death
//! ([`fatal`]). Faults of guest code come from the engine's exits instead.
//!
//! Invariants:
//! - No host state outlives the host handler: guest frames live in guest memory only, so
//!   nesting, siglongjmp and stack switches are the guest's business alone.
//! - At most one signal is recorded per thread (and one per SYNC signal).

pub mod action;
pub mod altstack;
pub mod core_file;
pub mod deliver;
pub mod fatal;
pub mod frame;
pub mod handler;
pub mod info;
pub mod libc_threads;
pub mod set;
pub mod thread;

pub use action::Actions;
pub use thread::ThreadSignals;
