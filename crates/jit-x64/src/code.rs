//! [`Code`]: what lowering makes of a block, still without a place.
//!
//! Branches within the block are relative; what depends on where the block will be is a [`Reloc`].
//! So a block is made without any lock, and its code can be installed anywhere, more than once.
//! Guest addresses in it are relocations as well: the code of one guest address becomes that of the same
//! guest bytes elsewhere ([`Code::move_to_guest`]), at the same place in a page.
//!
//! Invariants: the code is right at any host address that equals [`Code::phase`] modulo
//! [`PHASES`], within 2 GiB of the shared code. There each site's rel32 field lies within one
//! cache line, so that changing it is a single store for other cores.

use crate::lower::FlagState;
use crate::stubs::{Stub, Stubs};
use guest::PAGE_SIZE;

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

/// Bytes that depend on where the code is, on what the engine calls its parts, or on where the guest's is: four,
/// or as many as an [`AddressField`] has.
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
    /// The guest address so far from the start of the block.
    Guest(AddressField, i64),
}

/// How an instruction holds an address.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum AddressField {
    /// 32 bits, zero-extended.
    Unsigned,
    /// 32 bits, sign-extended.
    Signed,
    /// 64 bits.
    Full,
}

impl AddressField {
    /// The one that `mov r, imm` has for a value.
    #[must_use]
    pub fn of(value: u64) -> AddressField {
        [AddressField::Unsigned, AddressField::Signed]
            .into_iter()
            .find(|field| field.holds(value))
            .unwrap_or(AddressField::Full)
    }

    #[must_use]
    pub fn holds(self, value: u64) -> bool {
        match self {
            AddressField::Unsigned => u32::try_from(value).is_ok(),
            AddressField::Signed => i32::try_from(value as i64).is_ok(),
            AddressField::Full => true,
        }
    }

    /// In bytes.
    #[must_use]
    pub const fn size(self) -> u32 {
        match self {
            AddressField::Unsigned | AddressField::Signed => 4,
            AddressField::Full => 8,
        }
    }
}

/// Code cannot be moved to a guest address: an instruction has no room for what follows from it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct OutOfReach;

/// The code of one block and what is known of it. Reused from block to block.
#[derive(Clone, Default, Debug)]
pub struct Code {
    pub bytes: Vec<u8>,
    /// The guest address it is for.
    pub pc: u64,
    /// Which addresses it may go to: those that are this modulo [`PHASES`].
    pub phase: u32,
    pub relocs: Vec<Reloc>,
    pub map: Vec<MapEntry>,
    pub sites: Vec<Site>,
}

impl Code {
    /// Empties it for the block at a guest address that will go to addresses of this phase.
    pub fn reset(&mut self, phase: u32, pc: u64) {
        self.bytes.clear();
        self.pc = pc;
        self.phase = phase % PHASES;
        self.relocs.clear();
        self.map.clear();
        self.sites.clear();
    }

    /// Makes it the code of the same guest bytes at another address, at the same place in its page.
    ///
    /// # Errors
    /// If an address has no room in its instruction; nothing is changed then. (Those below 2^31 have shorter
    /// instructions.)
    ///
    /// # Panics
    /// If the place in the page is another.
    pub fn move_to_guest(&mut self, pc: u64) -> Result<(), OutOfReach> {
        assert_eq!(
            pc % PAGE_SIZE,
            self.pc % PAGE_SIZE,
            "ADRP gives the same distance only at the same place in a page"
        );
        let fits = |reloc: &Reloc| match reloc.kind {
            RelocKind::Guest(field, offset) => field.holds(pc.wrapping_add_signed(offset)),
            RelocKind::Stub(_) | RelocKind::Site(_) => true,
        };
        if !self.relocs.iter().all(fits) {
            return Err(OutOfReach);
        }
        for reloc in &self.relocs {
            if let RelocKind::Guest(field, offset) = reloc.kind {
                let (at, size) = (reloc.at as usize, field.size() as usize);
                let value = pc.wrapping_add_signed(offset).to_le_bytes();
                self.bytes[at..at + size].copy_from_slice(&value[..size]);
            }
        }
        let moved = pc.wrapping_sub(self.pc);
        for site in &mut self.sites {
            site.target = site.target.wrapping_add(moved);
        }
        self.pc = pc;
        Ok(())
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
                // As they are: `move_to_guest` has changed them.
                RelocKind::Guest(..) => continue,
            };
            place[at..at + 4].copy_from_slice(&value.to_le_bytes());
        }
    }
}
