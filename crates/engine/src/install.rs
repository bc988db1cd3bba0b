//! From code without a place to a block in the code cache that CPUs run.
//!
//! The engine's lock is held where a translation begins and where it ends, not between. So two CPUs may translate
//! the same block: the second finds it published and drops its own. And code may change while it
//! is read: each translation under way is a [`Job`], which [`Engine::invalidate`] marks; a marked one is made again.

use crate::blocks::{BlockKey, Shared};
use crate::cache::CodeCache;
use crate::engine::Engine;
use crate::translate::{Limits, Translator};
use guest::{Exit, GuestAddr, PAGE_SIZE};
use host_memory::lock::Guard;
use jit_x64::build::FpMode;
use std::ops::Range;

/// A translation under way.
pub struct Job {
    number: u64,
    /// The guest addresses it may read.
    reads: Range<u64>,
    /// Something there has changed.
    is_stale: bool,
}

/// What became of a translation.
pub(crate) enum Made {
    /// The block is at this host address.
    At(u64),
    /// The cache is full.
    NoRoom,
    /// The guest changed the code each time while it was read.
    Unsteady,
}

/// How often code that changes meanwhile is translated.
const TRIES: usize = 4;

impl Shared {
    /// Begins a translation; gives its number.
    fn begin(&mut self, key: BlockKey) -> (u64, Limits) {
        let number = self.next_job;
        self.next_job += 1;
        // A block lies in two pages at most (`Engine::build`).
        let first = key.pc & !(PAGE_SIZE - 1);
        self.jobs.push(Job {
            number,
            reads: first..first.saturating_add(2 * PAGE_SIZE),
            is_stale: false,
        });
        let limits = Limits {
            interpreted: self.interpreted.clone(),
            single_exit: self.single_exit,
            exact_flags: self.exact_flags,
            synchronises: self.synchronises,
        };
        (number, limits)
    }

    /// Ends a translation; says whether what it read has changed.
    fn end(&mut self, number: u64) -> bool {
        let job = self.jobs.iter().position(|job| job.number == number);
        // It is forgotten with all else if a vfork child died holding the lock.
        job.is_none_or(|at| self.jobs.swap_remove(at).is_stale)
    }

    /// What these guest addresses hold, or how it is to be translated, changes.
    pub fn note_change(&mut self, range: Range<u64>) {
        for job in &mut self.jobs {
            job.is_stale |= job.reads.start < range.end && range.start < job.reads.end;
        }
    }
}

impl Engine {
    /// Whether the block has been translated.
    pub(crate) fn is_known(&self, key: BlockKey) -> bool {
        self.lock().host(key).is_some()
    }

    /// Translates the block at `key`, which is not known, and makes it known. Lets go of the lock in between.
    ///
    /// # Errors
    /// The fault of fetching its first instruction.
    pub(crate) fn make<'a>(
        &'a self,
        cache: &CodeCache,
        mut shared: Guard<'a, Shared>,
        translator: &mut Translator,
        key: BlockKey,
    ) -> Result<(Made, Guard<'a, Shared>), Exit> {
        for _ in 0..TRIES {
            let (job, limits) = shared.begin(key);
            translator.job = Some(job);
            drop(shared);
            let result = self.translate(translator, key, cache.next_phase(), &limits);
            shared = self.lock();
            translator.job = None;
            let is_stale = shared.end(job);
            result?;
            if let Some(host) = shared.host(key) {
                shared.statistics.dropped += 1;
                return Ok((Made::At(host), shared));
            }
            if !is_stale {
                let made = self.install(cache, &mut shared, translator, key);
                return Ok((made.map_or(Made::NoRoom, Made::At), shared));
            }
            shared.statistics.dropped += 1;
        }
        Ok((Made::Unsteady, shared))
    }

    /// Whoever used this translator, a child that shared memory, was killed. If it was translating, what it was writing to
    /// may be torn, and is lost: not even dropped.
    pub(crate) fn abandon(&self, translator: &mut Box<Translator>) {
        if let Some(job) = translator.job {
            std::mem::forget(std::mem::take(translator));
            self.lock().end(job);
        }
    }

    /// Copies the block just translated into the cache, links it and makes it known. `None` if there is no room.
    pub(crate) fn install(
        &self,
        cache: &CodeCache,
        shared: &mut Shared,
        translator: &Translator,
        key: BlockKey,
    ) -> Option<u64> {
        let (ir, code) = (&translator.ir, &translator.code);
        let host = cache.place(code)?;
        let first_site = cache.sites().len() as u32;
        cache.append(host, code.bytes.len(), |place| {
            code.write_to(place, host, &self.stubs, first_site);
            if let Some(trace) = self.trace() {
                trace.block(ir, place, host);
            }
        });
        cache.record(host, key, code);
        shared.statistics.blocks += 1;
        shared.statistics.guest_instructions += u64::from(ir.insns);
        shared.statistics.host_bytes += code.bytes.len() as u64;
        shared.insert(key, host, ir.guest_len, cache);
        shared.add_sites(cache);
        Some(host)
    }

    /// Translates the block at `pc` without running it, unless it is known already, and
    /// gives the address behind it: for measuring, and for warming up. `None` if nothing
    /// can be fetched there, there is no room, or this engine only interprets.
    #[must_use]
    pub fn translate_ahead(&self, translator: &mut Translator, pc: GuestAddr) -> Option<GuestAddr> {
        let cache = self.cache.as_ref()?;
        let key = BlockKey {
            pc: pc.0,
            fp_mode: FpMode::default(),
        };
        let mut shared = self.lock();
        if shared.host(key).is_none() {
            let (made, guard) = self.make(cache, shared, translator, key).ok()?;
            let Made::At(_) = made else { return None };
            shared = guard;
        }
        shared.guest_end(key)
    }
}
