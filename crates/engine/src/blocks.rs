//! [`Shared`]: what is known of translated blocks, and of the branches that go to them.

use crate::cache::{CodeCache, SiteRecord};
use crate::install::Job;
use guest::GuestAddr;
use host_memory::lock::Guarded;
use jit_x64::build::FpMode;
use rustc_hash::{FxHashMap, FxHashSet};
use std::hash::{Hash, Hasher};
use std::ops::Range;
use std::sync::Arc;

/// A block's name: where it begins, and the floating-point mode it was made for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct BlockKey {
    pub pc: u64,
    pub fp_mode: FpMode,
}

/// One word: addresses leave the upper bits free.
impl Hash for BlockKey {
    fn hash<H: Hasher>(&self, hasher: &mut H) {
        hasher.write_u64(self.pc ^ self.fp_mode.bits() << 59);
    }
}

/// A block, or an address that branches wait for.
struct BlockEntry {
    /// 0: not translated.
    host: u64,
    guest_len: u32,
    /// The first of the sites that go here, linked or not; the others follow in `Shared::next_site`.
    first_site: u32,
    /// How often the interpreter was sent here instead, up to `Shared::patience`.
    visits: u8,
}

/// No site.
const NO_SITE: u32 = u32::MAX;

impl BlockEntry {
    const UNKNOWN: BlockEntry = BlockEntry {
        host: 0,
        guest_len: 0,
        first_site: NO_SITE,
        visits: 0,
    };
}

/// Room for the blocks of a small program: growing the table touches each of its pages again.
const INITIAL_BLOCKS: usize = 1700;

/// A trap costs microseconds, a call of the interpreter a tenth of one.
const TRAPS_TOLERATED: u32 = 32;

/// Dropped blocks, of some 200 bytes each.
const DEAD_TOLERATED: usize = 1 << 16;

/// What is known of translated blocks. Guarded by [`crate::Engine`]'s lock.
#[derive(Default)]
pub struct Shared {
    blocks: FxHashMap<BlockKey, BlockEntry>,
    /// Blocks that hold bytes of a guest page, by page number.
    by_page: FxHashMap<u64, Vec<BlockKey>>,
    /// By site of the cache: the next one with the same target.
    next_site: Vec<u32>,
    /// Blocks that are known, and those that were dropped since the last flush: these still take room.
    live: usize,
    dead: usize,
    /// How often the interpreter executes a block before it is translated.
    pub patience: u8,
    /// Translations under way.
    pub jobs: Vec<Job>,
    pub next_job: u64,
    /// Branches are not linked, so that each block entered comes through the engine.
    pub unlinked: bool,
    /// A block ends at its first conditional branch.
    pub single_exit: bool,
    /// See [`crate::Engine::keep_flags_exact`].
    pub exact_flags: bool,
    /// See [`crate::Engine::heed_synchronisation`].
    pub synchronises: bool,
    /// A child that shared memory died while it changed this: all is forgotten, and the code must follow.
    pub orphaned: bool,
    /// How often instructions trapped, by address.
    traps: FxHashMap<u64, u32>,
    /// Instructions that trap so often that the interpreter executes them at once.
    pub interpreted: Option<Arc<FxHashSet<u64>>>,
    pub statistics: Statistics,
}

/// Counts since the start of the process.
#[derive(Clone, Copy, Default, Debug)]
pub struct Statistics {
    pub blocks: u64,
    pub guest_instructions: u64,
    pub host_bytes: u64,
    pub invalidated: u64,
    pub flushes: u64,
    /// Floating-point operations that trapped and were repaired.
    pub fp_traps: u64,
    /// Translations that were not used: another CPU's came first, or the code had changed.
    pub dropped: u64,
}

impl Guarded for Shared {
    /// Far too much to copy.
    fn copied(&self) -> Option<Shared> {
        None
    }

    fn owner_died(&mut self) {
        let anew = Shared {
            patience: self.patience,
            unlinked: self.unlinked,
            single_exit: self.single_exit,
            exact_flags: self.exact_flags,
            synchronises: self.synchronises,
            statistics: self.statistics,
            // Other CPUs know theirs.
            next_job: self.next_job,
            orphaned: true,
            ..Shared::new()
        };
        // What was here may be torn, so it is not dropped: its memory is lost.
        std::mem::forget(std::mem::replace(self, anew));
    }
}

impl Shared {
    pub fn new() -> Shared {
        let mut shared = Shared::default();
        shared.blocks.reserve(INITIAL_BLOCKS);
        shared
    }

    /// All code is dropped.
    pub fn forget_blocks(&mut self) {
        (self.live, self.dead) = (0, 0);
        self.blocks.clear();
        self.by_page.clear();
        self.next_site.clear();
    }

    /// The instruction at `pc` trapped; says whether the interpreter is to execute it from now on.
    pub fn note_trap(&mut self, pc: u64) -> bool {
        let count = self.traps.entry(pc).or_default();
        *count += 1;
        *count >= TRAPS_TOLERATED && Arc::make_mut(self.interpreted.get_or_insert_default()).insert(pc)
    }

    /// Other instructions may stand there now: what trapped says nothing of them.
    pub fn forget_traps(&mut self, changed: Range<u64>) {
        self.traps.retain(|pc, _| !changed.contains(pc));
        if let Some(interpreted) = &mut self.interpreted {
            Arc::make_mut(interpreted).retain(|pc| !changed.contains(pc));
        }
    }

    /// The block of that name, if it is translated.
    fn block(&self, key: BlockKey) -> Option<&BlockEntry> {
        self.blocks.get(&key).filter(|block| block.host != 0)
    }

    /// Host address of the block at `key`, if it is translated.
    pub fn host(&self, key: BlockKey) -> Option<u64> {
        self.block(key).map(|block| block.host)
    }

    /// Whether the block is to be left to the interpreter once more. Most code of a program's start runs once or twice,
    /// and translating an instruction costs as much as interpreting a dozen.
    pub fn is_cold(&mut self, key: BlockKey) -> bool {
        if self.patience == 0 {
            return false;
        }
        let block = self.blocks.entry(key).or_insert(BlockEntry::UNKNOWN);
        let cold = block.visits < self.patience;
        block.visits += u8::from(cold);
        cold
    }

    /// Whether a flush is worth what it costs, though there is room: a program that makes code again and again would fill
    /// all of it.
    pub fn is_wasteful(&self) -> bool {
        self.dead > DEAD_TOLERATED && self.dead > self.live
    }

    /// The sites that go to a block, linked or not, from the first on.
    fn sites_from<'a>(&'a self, first: u32, cache: &'a CodeCache) -> impl Iterator<Item = &'a SiteRecord> {
        let known = |site: u32| (site != NO_SITE).then_some(site);
        std::iter::successors(known(first), move |&site| known(self.next_site[site as usize]))
            .filter_map(|site| cache.site(site))
    }

    /// The guest address behind a block's last instruction.
    pub fn guest_end(&self, key: BlockKey) -> Option<GuestAddr> {
        let block = self.block(key)?;
        Some(GuestAddr(key.pc + u64::from(block.guest_len)))
    }

    pub fn blocks_in(&self, start: u64, end: u64) -> Vec<BlockKey> {
        let (first, last) = (start / guest::PAGE_SIZE, end.div_ceil(guest::PAGE_SIZE));
        let mut found: Vec<BlockKey> = if (last - first) as usize > self.by_page.len() {
            let inside = |page: &u64| (first..last).contains(page);
            self.by_page
                .iter()
                .filter(|(page, _)| inside(page))
                .flat_map(|(_, keys)| keys.iter().copied())
                .collect()
        } else {
            (first..last)
                .filter_map(|page| self.by_page.get(&page))
                .flatten()
                .copied()
                .collect()
        };
        found.retain(|key| {
            self.block(*key)
                .is_some_and(|block| key.pc < end && start < key.pc + u64::from(block.guest_len))
        });
        found.sort_unstable_by_key(|key| (key.pc, key.fp_mode));
        found.dedup();
        found
    }

    /// Records a new block; branches that wait for it are linked.
    pub fn insert(&mut self, key: BlockKey, host: u64, guest_len: u32, cache: &CodeCache) {
        let block = self.blocks.entry(key).or_insert(BlockEntry::UNKNOWN);
        (block.host, block.guest_len) = (host, guest_len);
        self.live += 1;
        let first_site = block.first_site;
        let last = key.pc + u64::from(guest_len.max(1)) - 1;
        for page in key.pc / guest::PAGE_SIZE..=last / guest::PAGE_SIZE {
            self.by_page.entry(page).or_default().push(key);
        }
        if !self.unlinked {
            for site in self.sites_from(first_site, cache) {
                cache.link(site, host);
            }
        }
    }

    /// Takes note of the cache's newest branches, linking those whose target exists.
    pub fn add_sites(&mut self, cache: &CodeCache) {
        let sites = cache.sites();
        for site in &sites[self.next_site.len()..] {
            let number = self.next_site.len() as u32;
            let block = self.blocks.entry(site.target).or_insert(BlockEntry::UNKNOWN);
            if block.host != 0 && !self.unlinked {
                cache.link(site, block.host);
            }
            self.next_site.push(block.first_site);
            block.first_site = number;
        }
    }

    /// Unlinks a block from all branches to it and forgets it. Its bytes stay, for CPUs
    /// still inside.
    pub fn remove(&mut self, key: BlockKey, cache: &CodeCache) {
        let Some(block) = self.blocks.get_mut(&key).filter(|block| block.host != 0) else {
            return;
        };
        let (first_site, guest_len) = (block.first_site, block.guest_len);
        // The sites stay: they wait for the next block here, which begins cold.
        (block.host, block.visits) = (0, 0);
        self.live -= 1;
        self.dead += 1;
        for site in self.sites_from(first_site, cache) {
            cache.unlink(site);
        }
        let last = key.pc + u64::from(guest_len.max(1)) - 1;
        for page in key.pc / guest::PAGE_SIZE..=last / guest::PAGE_SIZE {
            if let Some(keys) = self.by_page.get_mut(&page) {
                keys.retain(|other| *other != key);
                if keys.is_empty() {
                    self.by_page.remove(&page);
                }
            }
        }
    }
}
