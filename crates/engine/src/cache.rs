//! Memory for generated code and for what the fault handler must know of it.
//!
//! # Safety
//! The code cache is one private mapping, readable, writable and executable, filled
//! from the bottom under the engine's lock ([`crate::install`]). The tables beside it only grow between
//! flushes; their lengths are published last, so that a signal handler on any thread
//! reads complete entries without a lock.

use crate::blocks::BlockKey;
use host_memory::{Access, Mapping};
use jit_x64::code::{Code, PHASES};
use jit_x64::lower::FlagState;
use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Sizes tried for the code cache, in bytes: less where the address space is limited.
const CODE_SIZES: [usize; 4] = [256 << 20, 64 << 20, 16 << 20, 4 << 20];

/// A table in its own mapping that is appended to under a lock and read without one.
struct Table<T: Copy> {
    memory: Mapping,
    len: AtomicUsize,
    marker: std::marker::PhantomData<T>,
}

impl<T: Copy> Table<T> {
    fn new(capacity: usize) -> io::Result<Self> {
        let memory = Mapping::new(capacity * size_of::<T>(), Access::ReadWrite)?;
        Ok(Table {
            memory,
            len: AtomicUsize::new(0),
            marker: std::marker::PhantomData,
        })
    }

    fn capacity(&self) -> usize {
        self.memory.len() / size_of::<T>()
    }

    fn len(&self) -> usize {
        self.len.load(Ordering::Relaxed)
    }

    /// Whether so many more fit.
    fn has_room(&self, count: usize) -> bool {
        self.capacity() - self.len() >= count
    }

    /// Appends; the caller holds the engine's lock and has checked the capacity.
    fn push(&self, value: T) {
        let at = self.len();
        assert!(at < self.capacity(), "capacity is checked before a block is made");
        // SAFETY: `at` is below the capacity, and no reader looks at entries from `len` on.
        unsafe { self.memory.start().cast::<T>().add(at).write(value) };
        self.len.store(at + 1, Ordering::Release);
    }

    fn as_slice(&self) -> &[T] {
        let len = self.len.load(Ordering::Acquire);
        // SAFETY: entries below the published length are complete and never change until a flush,
        // which happens while no CPU runs code.
        unsafe { std::slice::from_raw_parts(self.memory.start().cast::<T>(), len) }
    }

    fn clear(&self) {
        self.len.store(0, Ordering::Release);
    }
}

/// A block as the fault handler knows it.
#[derive(Clone, Copy, Debug)]
pub struct BlockRecord {
    pub host_start: u64,
    pub host_len: u32,
    /// Where its map entries begin, and how many there are: behind the last block's may be those of one that is being
    /// recorded, or was when its maker was killed.
    first_entry: u32,
    entries: u32,
    pub guest_pc: u64,
}

/// [`MapEntry`] in 8 bytes: offset, instruction number, flag state.
#[derive(Clone, Copy)]
struct PackedEntry {
    host_offset: u32,
    insn: u16,
    flags: FlagState,
}

/// A branch that can be linked; places are offsets in the cache.
#[derive(Clone, Copy, Debug)]
pub struct SiteRecord {
    /// Its rel32 field.
    pub field: u32,
    /// Where it goes while not linked.
    pub stub: u32,
    pub target: BlockKey,
}

/// Generated code and the tables about it.
pub struct CodeCache {
    code: Mapping,
    used: AtomicUsize,
    blocks: Table<BlockRecord>,
    entries: Table<PackedEntry>,
    sites: Table<SiteRecord>,
}

impl CodeCache {
    /// # Errors
    /// When the host allows no writable and executable memory, or has none.
    pub fn new() -> io::Result<CodeCache> {
        let mut made = CodeCache::with_size(CODE_SIZES[0]);
        for &size in &CODE_SIZES[1..] {
            made = made.or_else(|_| CodeCache::with_size(size));
        }
        made
    }

    /// As [`CodeCache::new`], of one size.
    pub fn with_size(size: usize) -> io::Result<CodeCache> {
        let blocks = size / 64;
        Ok(CodeCache {
            blocks: Table::new(blocks)?,
            entries: Table::new(blocks * 8)?,
            sites: Table::new(blocks)?,
            code: Mapping::new(size, Access::ReadWriteExecute)?,
            used: AtomicUsize::new(0),
        })
    }

    /// Bytes of code so far.
    #[must_use]
    pub fn used(&self) -> usize {
        self.used.load(Ordering::Relaxed)
    }

    /// What code should be lowered for, to go right behind what is there.
    #[must_use]
    pub fn next_phase(&self) -> u32 {
        self.used() as u32 % PHASES
    }

    /// Where code would go, if it and what is to be known of it fits. Called under the engine's lock.
    #[must_use]
    pub fn place(&self, code: &Code) -> Option<u64> {
        let used = self.used();
        // The mapping begins at a page.
        let at = used + (code.phase as usize).wrapping_sub(used) % PHASES as usize;
        let fits = at + code.bytes.len() <= self.code.len()
            && self.blocks.has_room(1)
            && self.entries.has_room(code.map.len())
            && self.sites.has_room(code.sites.len());
        fits.then(|| self.code.address() + at as u64)
    }

    /// Lets `fill` write the `len` bytes at `host`, behind all code so far, and keeps them. Called under the
    /// engine's lock.
    pub fn append(&self, host: u64, len: usize, fill: impl FnOnce(&mut [u8])) {
        let at = (host - self.code.address()) as usize;
        assert!(
            self.used() <= at && at + len <= self.code.len(),
            "only free room is written to"
        );
        // SAFETY: the bytes lie in the mapping, behind what is used, and the lock keeps other writers out.
        fill(unsafe { std::slice::from_raw_parts_mut(self.code.start().add(at), len) });
        self.used.store(
            (at + len).next_multiple_of(16).min(self.code.len()),
            Ordering::Release,
        );
    }

    /// Makes the block at `host` known to [`CodeCache::locate`], and its sites. Called under the engine's
    /// lock, with code that [`CodeCache::place`] had room for.
    pub fn record(&self, host: u64, key: BlockKey, code: &Code) {
        let first_entry = self.entries.len() as u32;
        for entry in &code.map {
            self.entries.push(PackedEntry {
                host_offset: entry.host_offset,
                insn: (entry.pc_delta / 4) as u16,
                flags: entry.flags,
            });
        }
        self.blocks.push(BlockRecord {
            host_start: host,
            host_len: code.bytes.len() as u32,
            first_entry,
            entries: code.map.len() as u32,
            guest_pc: key.pc,
        });
        let offset = (host - self.code.address()) as u32;
        for site in &code.sites {
            self.sites.push(SiteRecord {
                field: offset + site.field,
                stub: offset + site.stub,
                target: BlockKey {
                    pc: site.target,
                    ..key
                },
            });
        }
    }

    /// The branches that can be linked, by number. A number stays good until the next flush.
    #[must_use]
    pub fn sites(&self) -> &[SiteRecord] {
        self.sites.as_slice()
    }

    /// The branch with this number, if there is one.
    #[must_use]
    pub fn site(&self, number: u32) -> Option<&SiteRecord> {
        self.sites().get(number as usize)
    }

    /// Forgets all code from `keep` bytes on. No CPU may be running code.
    pub fn truncate(&self, keep: usize) {
        self.blocks.clear();
        self.entries.clear();
        self.sites.clear();
        self.used.store(keep, Ordering::Release);
    }

    /// Where generated code can be.
    #[must_use]
    pub fn code(&self) -> std::ops::Range<u64> {
        self.code.address()..self.code.address() + self.code.len() as u64
    }

    /// The guest address and flag state of the instruction that `host_pc` belongs to.
    /// Async-signal-safe.
    #[must_use]
    pub fn locate(&self, host_pc: u64) -> Option<(u64, FlagState)> {
        let blocks = self.blocks.as_slice();
        let after = blocks.partition_point(|block| block.host_start <= host_pc);
        let block = blocks[..after].last()?;
        let offset = u32::try_from(host_pc - block.host_start).ok()?;
        if offset >= block.host_len {
            return None;
        }
        let first = block.first_entry as usize;
        let entries = &self.entries.as_slice()[first..first + block.entries as usize];
        let after = entries.partition_point(|entry| entry.host_offset <= offset);
        let entry = entries[..after].last()?;
        Some((block.guest_pc + u64::from(entry.insn) * 4, entry.flags))
    }

    /// Makes a branch go to the host address `target`. Called under the engine's lock.
    pub fn link(&self, site: &SiteRecord, target: u64) {
        let field = self.code.address() + u64::from(site.field);
        let rel = target.wrapping_sub(field + 4) as i32;
        // SAFETY: `field` is a branch displacement in this cache (`record` had it from the code there). It
        // lies within a cache line, so one store is seen whole by other cores; it is not aligned, so the
        // store is written out.
        unsafe {
            std::arch::asm!("mov dword ptr [{}], {:e}", in(reg) field, in(reg) rel, options(nostack, preserves_flags))
        };
    }

    /// Makes a branch leave for the engine.
    pub fn unlink(&self, site: &SiteRecord) {
        self.link(site, self.code.address() + u64::from(site.stub));
    }

    /// Where a branch goes now: for tests.
    #[cfg(test)]
    pub fn goes_to(&self, site: &SiteRecord) -> u64 {
        let field = self.code.address() + u64::from(site.field);
        // SAFETY: four bytes of the code, as above.
        let rel = unsafe { (field as *const i32).read_unaligned() };
        (field + 4).wrapping_add_signed(i64::from(rel))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jit_x64::build::FpMode;
    use jit_x64::code::{Code, MapEntry};

    #[test]
    fn what_is_being_recorded_is_not_the_last_blocks() {
        let cache = CodeCache::with_size(1 << 20).expect("memory");
        let key = BlockKey {
            pc: 0x1000,
            fp_mode: FpMode::default(),
        };
        let mut code = Code::default();
        code.reset(0, key.pc);
        code.bytes = vec![0x90; 64];
        for (host_offset, pc_delta) in [(0, 0), (10, 4), (20, 8)] {
            code.map.push(MapEntry {
                host_offset,
                pc_delta,
                flags: FlagState::Slot,
            });
        }
        let host = cache.place(&code).expect("room");
        cache.append(host, code.bytes.len(), |place| place.copy_from_slice(&code.bytes));
        cache.record(host, key, &code);
        // Another block's entries stand there, and it does not yet.
        for _ in 0..8 {
            cache.entries.push(PackedEntry {
                host_offset: 0,
                insn: 77,
                flags: FlagState::Slot,
            });
        }
        let place = |offset: u64| cache.locate(host + offset).map(|(pc, _)| pc);
        assert_eq!(
            [place(5), place(15), place(63)],
            [Some(0x1000), Some(0x1004), Some(0x1008)]
        );
        assert_eq!(place(64), None);
    }
}
