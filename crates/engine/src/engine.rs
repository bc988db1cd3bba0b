//! [`Engine`]: what all guest threads of the process share. Its tables of blocks are [`Shared`].

use crate::blocks::{Shared, Statistics};
use crate::cache::CodeCache;
use crate::cpu::CpuHandle;
use crate::engines;
use crate::trace::Trace;
use guest::{CpuModel, GuestAddr};
use host_memory::lock::{self, All, Guard, Guarded, Level, Lock};
use jit_x64::asm::Asm;
use jit_x64::stubs::Stubs;
use jit_x64::target::{HostFeatures, Target};
use std::ops::Range;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

/// What the engine must know of the guest's memory map.
pub trait AddressSpace: Send + Sync {
    /// Whether the guest may execute the bytes at `addr` (its page has PROT_EXEC).
    fn is_executable(&self, addr: GuestAddr) -> bool;

    /// Whether indirect branches to `addr` must find a landing pad (its page has PROT_BTI).
    fn is_guarded(&self, addr: GuestAddr) -> bool {
        let _ = addr;
        false
    }

    /// Where else the memory of the page at `line` is mapped executable. Instruction caches
    /// are physically tagged: a program that writes through one mapping and executes another
    /// may execute IC IVAU on either address.
    fn aliases(&self, line: GuestAddr) -> Vec<GuestAddr> {
        let _ = line;
        Vec::new()
    }

    /// The guest has executed IC IVAU on the page at `line`, and this engine has dropped what it made from it: other
    /// processes that share its memory are to do so too.
    fn announce_change(&self, line: GuestAddr) {
        let _ = line;
    }

    /// The guest has executed ISB: what other processes have announced is to be dropped from `engine`.
    fn synchronise(&self, engine: &Engine) {
        let _ = engine;
    }
}

/// Which player executes guest code.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Mode {
    Jit,
    /// The interpreter only: slow, the reference.
    Interpreter,
}

/// State shared by all guest threads of the process.
pub struct Engine {
    pub(crate) space: Box<dyn AddressSpace>,
    /// What CPUs of this process are.
    pub(crate) model: &'static CpuModel,
    pub(crate) mode: Mode,
    /// The host that code is made for.
    pub(crate) target: Target,
    pub(crate) cache: Option<CodeCache>,
    pub(crate) stubs: Stubs,
    /// Bytes of the cache taken by the stubs.
    stub_bytes: usize,
    shared: Lock<Shared>,
    cpus: Lock<Cpus>,
    /// Somebody waits for all CPUs to leave generated code.
    pub(crate) stopping: AtomicBool,
    /// More than one CPU has existed.
    pub(crate) several_cpus: AtomicBool,
    /// Counts invalidations: a CPU whose lookup table is older must clear it.
    pub(crate) generation: AtomicU64,
    /// Counts flushes: a CPU whose return stack is older must clear it.
    pub(crate) flushes: AtomicU64,
    pub(crate) fp_traps: AtomicU64,
    /// Invalid is masked, and generated code looks at its results: see [`Engine::check_fp_results`].
    pub(crate) fp_checks: AtomicBool,
    trace: OnceLock<Trace>,
    /// Somebody wants to know of each block entered.
    pub(crate) watched: AtomicBool,
}

impl Engine {
    /// Makes an engine for this machine. Without memory for a code cache it interprets.
    #[must_use]
    pub fn new(space: Box<dyn AddressSpace>, mode: Mode, model: &'static CpuModel) -> Arc<Engine> {
        Engine::for_target(space, mode, model, Target::host())
    }

    /// Makes an engine whose code is for `target`.
    ///
    /// # Panics
    /// If the target has a feature that this machine lacks.
    #[must_use]
    pub fn for_target(
        space: Box<dyn AddressSpace>,
        mode: Mode,
        model: &'static CpuModel,
        target: Target,
    ) -> Arc<Engine> {
        assert!(
            HostFeatures::detect().contains(target.features),
            "code for {:?} does not run here",
            target.features
        );
        let cache = match mode {
            Mode::Jit => CodeCache::new().ok(),
            Mode::Interpreter => None,
        };
        Engine::with_cache(space, model, target, cache)
    }

    /// Without a cache it interprets.
    pub(crate) fn with_cache(
        space: Box<dyn AddressSpace>,
        model: &'static CpuModel,
        target: Target,
        cache: Option<CodeCache>,
    ) -> Arc<Engine> {
        let mode = if cache.is_some() {
            Mode::Jit
        } else {
            Mode::Interpreter
        };
        let (stubs, stub_bytes) = cache
            .as_ref()
            .map(|cache| emit_stubs(cache, &target))
            .unwrap_or_default();
        let engine = Arc::new(Engine {
            space,
            model,
            mode,
            target,
            cache,
            stubs,
            stub_bytes,
            shared: Lock::new(Level::Engine, Shared::new()),
            cpus: Lock::new(Level::Cpus, Cpus::default()),
            stopping: AtomicBool::new(false),
            several_cpus: AtomicBool::new(false),
            generation: AtomicU64::new(0),
            flushes: AtomicU64::new(0),
            fp_traps: AtomicU64::new(0),
            fp_checks: AtomicBool::new(false),
            trace: OnceLock::new(),
            watched: AtomicBool::new(false),
        });
        if let Some(cache) = &engine.cache {
            engines::add(Arc::as_ptr(&engine), &cache.code());
        }
        engine
    }

    /// Shows translation at work; to be called once, before guest code runs.
    pub fn set_trace(&self, trace: Trace) {
        if trace.exec {
            self.lock().unlinked = true;
            self.watched.store(true, Ordering::Relaxed);
        }
        // A second call has no effect.
        let _ = self.trace.set(trace);
    }

    /// Has each block end at its first branch and be entered through the engine, for the [`EdgeMap`]s of CPUs
    /// ([`Cpu::set_edges`]); to be called once, before guest code runs. Guest code is slower by far.
    ///
    /// [`EdgeMap`]: crate::EdgeMap
    /// [`Cpu::set_edges`]: crate::Cpu::set_edges
    pub fn watch_blocks(&self) {
        let mut shared = self.lock();
        (shared.unlinked, shared.single_exit, shared.patience) = (true, true, 0);
        self.watched.store(true, Ordering::Relaxed);
    }

    pub(crate) fn trace(&self) -> Option<&Trace> {
        self.trace.get()
    }

    /// What its CPUs are.
    #[must_use]
    pub fn model(&self) -> &'static CpuModel {
        self.model
    }

    /// Which player runs: [`Mode::Interpreter`] also where the host refuses a code cache.
    #[must_use]
    pub fn mode(&self) -> Mode {
        self.mode
    }

    pub(crate) fn lock(&self) -> Guard<'_, Shared> {
        let mut shared = self.shared.lock();
        if shared.orphaned {
            if let Some(cache) = &self.cache {
                self.drop_all(cache, &mut shared);
            }
            shared.orphaned = false;
        }
        shared
    }

    /// After a child that shared memory has died: repairs what it may have left torn, which else the next one to need it
    /// does. The caller must not be in generated code.
    pub fn repair(&self) {
        drop(self.lock());
    }

    pub(crate) fn register(&self, cpu: CpuHandle) {
        let mut cpus = self.cpus.lock();
        let second = !cpus.0.is_empty() && !self.several_cpus.swap(true, Ordering::SeqCst);
        if second {
            // The first CPU may have entered code as if it were alone. Stopping it once makes
            // what it stored visible (the page's protection changes on its core too), and it
            // comes back knowing of company.
            for other in &cpus.0 {
                other.poll().request();
            }
        }
        cpus.0.push(cpu);
        drop(cpus);
        if second {
            // Code made for one CPU alone loads pairs in two pieces.
            self.drop_blocks(GuestAddr(0)..GuestAddr(u64::MAX));
        }
    }

    pub(crate) fn unregister(&self, cpu: &CpuHandle) {
        self.cpus.lock().0.retain(|other| !other.is(cpu));
    }

    /// Leaves each block to the interpreter that many times before it is translated; 0, the default, translates all
    /// at once.
    pub fn set_patience(&self, visits: u8) {
        self.lock().patience = visits;
    }

    /// Somebody may look at NZCV in the frame of a fault: from now on it is exact there. Until then flags that are set
    /// again before anything reads them are not computed; with them, code takes 6 % longer (integer programs, mean).
    pub fn keep_flags_exact(&self) {
        let mut shared = self.lock();
        if !std::mem::replace(&mut shared.exact_flags, true) {
            drop(shared);
            self.drop_blocks(GuestAddr(0)..GuestAddr(u64::MAX));
        }
    }

    /// Code may change in memory that other processes share: from now on ISB asks the address space about it.
    pub fn heed_synchronisation(&self) {
        let mut shared = self.lock();
        if !std::mem::replace(&mut shared.synchronises, true) {
            drop(shared);
            self.drop_blocks(GuestAddr(0)..GuestAddr(u64::MAX));
        }
    }

    /// Makes generated code check each floating-point result instead of having Invalid trap: for measuring what
    /// traps are worth, and for hosts whose traps are not to be relied on. To be called before the first CPU is made.
    pub fn check_fp_results(&self) {
        self.fp_checks.store(true, Ordering::Relaxed);
    }

    #[must_use]
    pub fn statistics(&self) -> Statistics {
        Statistics {
            fp_traps: self.fp_traps.load(Ordering::Relaxed),
            ..self.lock().statistics
        }
    }

    /// Drops all code translated from these guest addresses. Call it after munmap, mremap,
    /// mprotect, MAP_FIXED and MADV_DONTNEED. A range without translated code costs little.
    pub fn invalidate(&self, range: Range<GuestAddr>) {
        let mut shared = self.lock();
        shared.note_change(range.start.0..range.end.0);
        if shared.blocks_in(range.start.0, range.end.0).is_empty() {
            return;
        }
        shared.forget_traps(range.start.0..range.end.0);
        drop(shared);
        self.drop_blocks(range);
    }

    /// Drops the translations of these guest addresses.
    fn drop_blocks(&self, range: Range<GuestAddr>) {
        let Some(cache) = &self.cache else { return };
        let mut shared = self.lock();
        shared.note_change(range.start.0..range.end.0);
        let stale = shared.blocks_in(range.start.0, range.end.0);
        if stale.is_empty() {
            return;
        }
        shared.statistics.invalidated += stale.len() as u64;
        for key in stale {
            shared.remove(key, cache);
        }
        self.generation.fetch_add(1, Ordering::SeqCst);
        for cpu in &self.cpus.lock().0 {
            cpu.poll().request();
        }
    }

    /// The instruction at `pc` trapped: a floating-point special case, or a tagged address.
    /// One that does so often is left to the interpreter from then on.
    pub(crate) fn trapped(&self, pc: u64) {
        self.fp_traps.fetch_add(1, Ordering::Relaxed);
        if self.lock().note_trap(pc) {
            self.drop_blocks(GuestAddr(pc)..GuestAddr(pc).offset(4));
        }
    }

    /// Waits until no CPU runs generated code, then drops all of it. The caller must not be in generated code.
    pub(crate) fn flush(&self, cache: &CodeCache, mut shared: Guard<'_, Shared>) {
        self.drop_all(cache, &mut shared);
        shared.statistics.flushes += 1;
    }

    fn drop_all(&self, cache: &CodeCache, shared: &mut Shared) {
        self.stopping.store(true, Ordering::SeqCst);
        let mut rounds = 0;
        while self.request_all() {
            wait(rounds);
            rounds += 1;
            if rounds.is_multiple_of(ROUNDS_OF_TRUST) && lock::others_may_die() {
                self.cpus.lock().0.retain(|cpu| !(cpu.in_code() && cpu.is_dead()));
            }
        }
        cache.truncate(self.stub_bytes);
        shared.forget_blocks();
        self.generation.fetch_add(1, Ordering::SeqCst);
        self.flushes.fetch_add(1, Ordering::SeqCst);
        self.stopping.store(false, Ordering::SeqCst);
    }

    /// Asks the CPUs in generated code to leave it; gives whether there are any.
    fn request_all(&self) -> bool {
        let cpus = self.cpus.lock();
        let busy = cpus.0.iter().filter(|cpu| cpu.in_code());
        busy.inspect(|cpu| cpu.poll().request()).count() != 0
    }

    /// Waits while another CPU flushes.
    pub(crate) fn wait_for_flush(&self) {
        let mut rounds = 0_u32;
        while self.stopping.load(Ordering::SeqCst) {
            // Nobody is left to wake anyone if the flushing CPU's process is killed.
            wait(rounds);
            rounds += 1;
            if rounds.is_multiple_of(ROUNDS_OF_TRUST) {
                // Who has the lock flushes. From one that was killed it is taken, and this flushes in its place.
                self.repair();
            }
        }
    }

    /// In the child of a fork: only the forking thread's CPU is left.
    pub fn keep_only(&self, all: &mut All, cpu: &crate::Cpu) {
        let handle = cpu.handle();
        self.cpus.reach(all).0.retain(|other| other.is(&handle));
        self.shared.reach(all).jobs.clear();
    }
}

/// As long as that another CPU is waited for before it may be dead.
const ROUNDS_OF_TRUST: u32 = 100;

/// Lets others run.
fn wait(rounds: u32) {
    if rounds < 10 {
        std::thread::yield_now();
    } else {
        std::thread::sleep(Duration::from_micros(100));
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        engines::remove(self);
    }
}

/// The CPUs of an engine.
#[derive(Clone, Default)]
struct Cpus(Vec<CpuHandle>);

impl Guarded for Cpus {
    fn copied(&self) -> Option<Cpus> {
        Some(self.clone())
    }

    /// A child has its parent's CPU and makes none.
    fn owner_died(&mut self) {}
}

fn emit_stubs(cache: &CodeCache, target: &Target) -> (Stubs, usize) {
    let mut asm = Asm::default();
    let offsets = Stubs::emit(&mut asm, &target.homes);
    let code = asm.finish();
    let base = cache.code().start;
    cache.append(base, code.len(), |place| place.copy_from_slice(&code));
    (offsets.at(base), cache.used())
}
