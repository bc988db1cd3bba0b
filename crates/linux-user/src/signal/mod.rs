//! Signals of the guest.

use std::sync::atomic::AtomicU32;

/// Dispositions, shared by the threads of a process.
#[derive(Default)]
pub struct Actions {}

impl Actions {
    #[must_use]
    pub fn new() -> Actions {
        Actions {}
    }
}

/// A thread's signal state.
#[derive(Default)]
pub struct ThreadSignals {
    pending: Box<AtomicU32>,
}

impl ThreadSignals {
    #[must_use]
    pub fn new() -> ThreadSignals {
        ThreadSignals::default()
    }

    /// Nonzero while a signal waits to be delivered at the next guest boundary.
    #[must_use]
    pub fn pending(&self) -> &AtomicU32 {
        &self.pending
    }
}
