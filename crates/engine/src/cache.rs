//! Memory for generated code and for what the fault handler must know of it.
//!
//! # Safety
//! The code cache is one private mapping, readable, writable and executable, filled
//! from the bottom under the engine's lock. The tables beside it only grow between
//! flushes; their lengths are published last, so that a signal handler on any thread
//! reads complete entries without a lock.

use host_memory::{Access, Mapping};
use jit_x64::lower::{FlagState, MapEntry};
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

    /// Appends; the caller holds the engine's lock and has checked the capacity.
    fn push(&self, value: T) {
        let at = self.len.load(Ordering::Relaxed);
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
    /// Where its map entries begin.
    first_entry: u32,
    pub guest_pc: u64,
}

/// [`MapEntry`] in 8 bytes: offset, instruction number, flag state.
#[derive(Clone, Copy)]
struct PackedEntry {
    host_offset: u32,
    insn: u16,
    flags: FlagState,
}

/// Generated code and the tables about it.
pub struct CodeCache {
    code: Mapping,
    used: AtomicUsize,
    blocks: Table<BlockRecord>,
    entries: Table<PackedEntry>,
    /// By site: the guest address it goes to.
    targets: Table<u64>,
}

/// Room that must be left for one more block; blocks are far smaller: this is 2 KiB for each instruction of the longest.
const BLOCK_RESERVE: usize = 1 << 20;
const ENTRY_RESERVE: usize = 4096;

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

    fn with_size(size: usize) -> io::Result<CodeCache> {
        let blocks = size / 64;
        Ok(CodeCache {
            blocks: Table::new(blocks)?,
            entries: Table::new(blocks * 8)?,
            targets: Table::new(blocks * 4)?,
            code: Mapping::new(size, Access::ReadWriteExecute)?,
            used: AtomicUsize::new(0),
        })
    }

    /// Where the next block goes, and the room there.
    #[must_use]
    pub fn room(&self) -> (*mut u8, usize) {
        let used = self.used.load(Ordering::Relaxed);
        (self.code.start().wrapping_add(used), self.code.len() - used)
    }

    /// Whether another block certainly fits.
    #[must_use]
    pub fn has_room(&self) -> bool {
        self.room().1 > BLOCK_RESERVE
            && self.blocks.as_slice().len() + 1 < self.blocks.capacity()
            && self.entries.as_slice().len() + ENTRY_RESERVE < self.entries.capacity()
            && self.targets.as_slice().len() + ENTRY_RESERVE < self.targets.capacity()
    }

    /// Bytes of code so far.
    #[must_use]
    pub fn used(&self) -> usize {
        self.used.load(Ordering::Relaxed)
    }

    /// Keeps the `len` bytes just emitted at the cursor, without a block record.
    pub fn keep(&self, len: usize) {
        let used = self.used.load(Ordering::Relaxed);
        self.used
            .store((used + len).next_multiple_of(16), Ordering::Release);
    }

    /// Keeps the block just emitted at the cursor. Called under the engine's lock.
    pub fn keep_block(&self, guest_pc: u64, len: u32, map: &[MapEntry]) {
        let host_start = self.room().0 as u64;
        let first_entry = self.entries.as_slice().len() as u32;
        for entry in map {
            self.entries.push(PackedEntry {
                host_offset: entry.host_offset,
                insn: (entry.pc_delta / 4) as u16,
                flags: entry.flags,
            });
        }
        self.blocks.push(BlockRecord {
            host_start,
            host_len: len,
            first_entry,
            guest_pc,
        });
        self.keep(len as usize);
    }

    /// Notes where the next site goes. Called under the engine's lock.
    pub fn keep_target(&self, guest_pc: u64) {
        self.targets.push(guest_pc);
    }

    /// Where a site goes whose code the calling CPU has just left and not yet said so: no flush can come between.
    #[must_use]
    pub fn target(&self, site: u32) -> u64 {
        self.targets.as_slice()[site as usize]
    }

    /// Forgets all code from `keep` bytes on. No CPU may be running code.
    pub fn truncate(&self, keep: usize) {
        self.blocks.clear();
        self.entries.clear();
        self.targets.clear();
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
        let entries = self.entries.as_slice();
        let last = blocks
            .get(after)
            .map_or(entries.len(), |next| next.first_entry as usize);
        let entries = &entries[block.first_entry as usize..last];
        let after = entries.partition_point(|entry| entry.host_offset <= offset);
        let entry = entries[..after].last()?;
        Some((block.guest_pc + u64::from(entry.insn) * 4, entry.flags))
    }

    /// Points the branch with its rel32 field at `field` to `target`.
    pub fn patch(&self, field: u64, target: u64) {
        let rel = target.wrapping_sub(field + 4) as i32;
        // SAFETY: `field` is a branch displacement emitted in this cache (the engine's site table
        // says so). It lies within a cache line, so one store is seen whole by other cores; it is
        // not aligned, so the store is written out.
        unsafe {
            std::arch::asm!("mov dword ptr [{}], {:e}", in(reg) field, in(reg) rel, options(nostack, preserves_flags))
        };
    }
}
