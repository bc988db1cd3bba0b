//! [`Code`]: what lowering makes of a block, still without a place.
//!
//! Branches within the block are relative; what depends on where the block will be is a [`Reloc`].
//! So a block is made without any lock, and its code can be installed anywhere, more than once.
//! Guest addresses are constants in it: the code is that of one guest address.
//!
//! Invariants: the code is right at any host address that equals [`Code::phase`] modulo
//! [`PHASES`], within 2 GiB of the shared code. There each site's rel32 field lies within one
//! cache line, so that changing it is a single store for other cores.

use crate::lower::FlagState;
use crate::stubs::{Stub, Stubs};

/// A cache line, in bytes.
pub const PHASES: u32 = 64;

/// A direct branch that can be linked to the block at `target`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Site {
    /// Offset of the rel32 field.
    pub field: u32,
    /// Guest address it goes to.
    pub target: u64,
    /// Offset of the code that leaves for the engine while the site is not linked.
    pub stub: u32,
}

/// From `host_offset` on, the code belongs to the guest instruction at `pc_delta`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct MapEntry {
    pub host_offset: u32,
    pub pc_delta: u32,
    pub flags: FlagState,
}

/// Four bytes that depend on where the code is, or on what the engine calls its parts.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Reloc {
    /// Offset of the bytes.
    pub at: u32,
    pub kind: RelocKind,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum RelocKind {
    /// The rel32 field of a branch to shared code.
    Stub(Stub),
    /// The engine's number for the block's n-th site.
    Site(u32),
}

/// The code of one block and what is known of it. Reused from block to block.
#[derive(Clone, Default, Debug)]
pub struct Code {
    pub bytes: Vec<u8>,
    /// Which addresses it may go to: those that are this modulo [`PHASES`].
    pub phase: u32,
    pub relocs: Vec<Reloc>,
    pub map: Vec<MapEntry>,
    pub sites: Vec<Site>,
}

impl Code {
    /// Empties it for a block that will go to addresses of this phase.
    pub fn reset(&mut self, phase: u32) {
        self.bytes.clear();
        self.phase = phase % PHASES;
        self.relocs.clear();
        self.map.clear();
        self.sites.clear();
    }

    /// Writes the code as it is at the host address `base` to `place`: with branches to
    /// `stubs`, and its sites numbered from `first_site`.
    ///
    /// # Panics
    /// If `place` is not as long as the code, or `base` is of another phase.
    pub fn write_to(&self, place: &mut [u8], base: u64, stubs: &Stubs, first_site: u32) {
        assert_eq!(
            base % u64::from(PHASES),
            u64::from(self.phase),
            "a place of the code's phase"
        );
        place.copy_from_slice(&self.bytes);
        for reloc in &self.relocs {
            let at = reloc.at as usize;
            let value = match reloc.kind {
                RelocKind::Stub(stub) => {
                    let behind = base + u64::from(reloc.at) + 4;
                    stubs.address(stub).wrapping_sub(behind) as u32
                }
                RelocKind::Site(n) => first_site + n,
            };
            place[at..at + 4].copy_from_slice(&value.to_le_bytes());
        }
    }
}
