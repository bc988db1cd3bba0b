//! Watchpoints: addresses whose accesses stop the instruction before it makes them (Arm ARM D2.10).
//!
//! Each operation that reaches memory asks first. What is not an access for a watchpoint (instruction fetches, prefetches,
//! cache maintenance but DC ZVA) is none of those operations.

use crate::{Player, Stop};
use guest::{Access, Exit, GuestAddr};
use guest_memory::access;

/// Bytes that are watched.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Watchpoint {
    /// Without a tag.
    pub start: u64,
    /// Behind the last; more than `start`.
    pub end: u64,
    pub loads: bool,
    pub stores: bool,
}

/// What an operation does to memory. One that does both matches a watchpoint for either.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Touch {
    Load,
    Store,
    Both,
}

impl Touch {
    /// What a fault says of it.
    pub(crate) const fn access(self) -> Access {
        match self {
            Touch::Load => Access::Read,
            Touch::Store | Touch::Both => Access::Write,
        }
    }
}

impl Watchpoint {
    /// The first watched byte of an access.
    fn met(&self, touch: Touch, start: u64, end: u64) -> Option<u64> {
        let kind = match touch {
            Touch::Load => self.loads,
            Touch::Store => self.stores,
            Touch::Both => self.loads || self.stores,
        };
        (kind && start < end && start < self.end && self.start < end).then(|| start.max(self.start))
    }
}

/// How far from a watchpoint an access begins or ends whose instruction may have another that meets it: ST4 and DC ZVA write
/// 64 bytes piece by piece.
const NEAR: u64 = 64;

impl Player<'_> {
    /// The instruction is about to access so many bytes here. Near a watched one it only goes on to look at its other
    /// accesses: none of them is made, and no register changes.
    pub(crate) fn watch(&mut self, touch: Touch, addr: u64, bytes: u64) {
        if !self.watched.is_empty() {
            self.look(touch, addr, bytes);
        }
    }

    #[cold]
    fn look(&mut self, touch: Touch, addr: u64, bytes: u64) {
        if self.exit.is_some() && !self.near {
            return;
        }
        let start = access::untag(GuestAddr(addr)).0;
        let end = start.saturating_add(bytes);
        for point in self.watched {
            self.near |= start < point.end.saturating_add(NEAR) && point.start < end.saturating_add(NEAR);
            let met = point.met(touch, start, end).map(GuestAddr);
            self.hit = self.hit.into_iter().chain(met).min();
        }
        if self.near {
            // As if it had been stopped before it began.
            self.exit = Some(Stop::Exit(Exit::Poll));
        }
    }
}

/// Whether an instruction is cache maintenance, which no watchpoint sees: a SYS of CRn 7 that is not DC ZVA or its like
/// (CRm 4). To the players it loads.
pub(crate) const fn is_maintenance(word: u32) -> bool {
    word & 0xfff8_f000 == 0xd508_7000 && word >> 8 & 0xf != 4
}
