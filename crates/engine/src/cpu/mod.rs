//! [`Cpu`]: one guest thread's CPU, its memory, and the loop that runs it.
//!
//! # Safety
//! A CPU's memory ([`CpuMemory`]) is made once and never freed: when its thread ends it
//! goes to a pool. So a [`PollHandle`] may be used at any time, and at worst stops a
//! CPU of a later thread once. Only the CPU's own thread touches the state in it, and
//! its signal handlers while that thread is in generated code.

mod landing;

use crate::blocks::BlockKey;
use crate::cache::CodeCache;
use crate::edges::EdgeMap;
use crate::engine::{Engine, Mode};
use crate::install::Made;
use crate::translate::{Fetch, MAX_INSNS, Translator};
use guest::{CpuState, Exit, GuestAddr};
use guest_memory::access;
use guest_memory::routines::Routines;
use host_memory::lock::{self, Guarded, Level, Lock, Word};
use host_memory::party::Party;
use host_memory::{Access, Mapping};
use interp::{Stop, Watched, Watchpoint};
use jit_x64::area::{
    AREA_SIZE, CONSTS, CpuArea, LOOKUP_ENTRIES, LookupEntry, LookupTable, MAX_BORROWED, POLL_OFFSET, Runtime,
    lookup_index,
};
use jit_x64::build::FpMode;
use jit_x64::host_state::HostState;
use jit_x64::stubs::{ExitCode, NO_PC, Stubs};
use semantics::ops::Indirect;
use std::io;
use std::ptr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

/// 16 bytes a call; only what is used takes memory. The smaller one is for a limited address space.
const RETURN_STACK_SIZES: [usize; 2] = [1 << 20, 256 << 10];
const SIGNAL_STACK_SIZE: usize = 64 << 10;
const PAGE: usize = guest::PAGE_SIZE as usize;
/// Words above the first entry of the return stack: what a return looks at when it is empty.
const RETURN_SENTINELS: usize = 32;

/// An entry that no branch finds: its address belongs to another.
const fn empty_entry(index: usize) -> LookupEntry {
    LookupEntry {
        guest_pc: if index == 0 { 4 } else { 0 },
        host_pc: 0,
    }
}

/// An entry of a table that generated code does not probe: blocks stand at multiples of 4.
const NO_ENTRY: LookupEntry = LookupEntry {
    guest_pc: 1,
    host_pc: 0,
};

/// What a CPU stops at that is debugged.
#[derive(Clone, Default, Debug)]
pub struct DebugPoints {
    /// Addresses of instructions.
    pub breakpoints: Vec<u64>,
    pub watchpoints: Vec<Watchpoint>,
}

impl DebugPoints {
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.breakpoints.is_empty() && self.watchpoints.is_empty()
    }
}

/// Why it stopped.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Debugged {
    Exit(Exit),
    /// At the instruction, which has done nothing; as for the next.
    Breakpoint,
    /// The first watched address that it would access.
    Watchpoint(GuestAddr),
}

/// Why a signal handler or the interpreter stopped generated code.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Pending {
    None,
    /// The poll page was unreadable.
    Poll,
    /// The interpreter is to execute the instruction at `pc`, which trapped.
    Interpret,
    Stop(Stop),
}

/// The mappings of one CPU.
pub(crate) struct CpuMemory {
    area: Mapping,
    return_stack: Mapping,
    signal_stack: Mapping,
    requested: AtomicBool,
    in_code: AtomicBool,
    /// Who runs it: a child that shares memory runs its maker's.
    driver: AtomicU32,
    /// Lookup tables that have entries.
    used: [AtomicBool; LookupTable::ALL.len()],
}

/// CPUs whose threads have ended.
#[derive(Clone, Default)]
struct Pool(Vec<&'static CpuMemory>);

impl Guarded for Pool {
    fn copied(&self) -> Option<Pool> {
        Some(self.clone())
    }
    fn owner_died(&mut self) {}
}

static POOL_WORD: Word = Word::new(Level::Pool);
static POOL: Lock<Pool> = Lock::lazy(&POOL_WORD);

impl CpuMemory {
    fn obtain() -> io::Result<&'static CpuMemory> {
        let pooled = POOL.lock_lazy().0.pop();
        if let Some(memory) = pooled {
            return Ok(memory);
        }
        let return_stack_size = RETURN_STACK_SIZES[usize::from(host_memory::is_limited())];
        let memory = CpuMemory {
            area: Mapping::new(AREA_SIZE, Access::ReadWrite)?,
            return_stack: Mapping::new(return_stack_size, Access::ReadWrite)?,
            signal_stack: Mapping::new(SIGNAL_STACK_SIZE, Access::ReadWrite)?,
            requested: AtomicBool::new(false),
            in_code: AtomicBool::new(false),
            driver: AtomicU32::new(0),
            used: [const { AtomicBool::new(false) }; LookupTable::ALL.len()],
        };
        memory.return_stack.protect(0, PAGE, Access::None)?;
        memory.area.protect(POLL_OFFSET, PAGE, Access::Read)?;
        for table in LookupTable::ALL {
            // All others are empty as they are, of zeros.
            memory.set_lookup(table, 0, empty_entry(0));
        }
        Ok(Box::leak(Box::new(memory)))
    }

    fn area(&self) -> *mut CpuArea {
        self.area.start().cast()
    }

    fn lookup(&self, table: LookupTable, index: usize) -> *mut LookupEntry {
        let start: *mut LookupEntry = self.area.start().wrapping_add(table.offset()).cast();
        start.wrapping_add(index)
    }

    /// To be called by the CPU's own thread, with an index below [`LOOKUP_ENTRIES`].
    fn set_lookup(&self, table: LookupTable, index: usize, entry: LookupEntry) {
        // SAFETY: the table has this many entries, and only its CPU uses it.
        unsafe { self.lookup(table, index).write(entry) };
    }

    /// The return stack pointer of an empty stack.
    fn return_base(&self) -> u64 {
        self.return_stack.address() + (self.return_stack.len() - RETURN_SENTINELS * 8) as u64
    }

    fn clear_return_stack(&self, stubs: &Stubs) {
        let base = self.return_base() as *mut u64;
        for entry in 0..RETURN_SENTINELS / 2 {
            let entry = base.wrapping_add(2 * entry);
            // SAFETY: the words above the base are the top of our own mapping.
            unsafe { entry.write(stubs.no_return) };
            // SAFETY: as above.
            unsafe { entry.add(1).write(NO_PC) };
        }
        // SAFETY: the area is ours, and this CPU is not in generated code.
        unsafe { (*self.area()).runtime.return_rsp = self.return_base() };
    }

    fn clear_lookup(&self) {
        for table in LookupTable::ALL {
            if self.used[table as usize].swap(false, Ordering::Relaxed) {
                for index in 0..LOOKUP_ENTRIES {
                    self.set_lookup(table, index, empty_entry(index));
                }
            }
        }
    }

    /// Whether a poll was requested since the last time; looks before it locks the bus.
    fn take_request(&self) -> bool {
        self.requested.load(Ordering::Relaxed) && self.requested.swap(false, Ordering::SeqCst)
    }

    fn unprotect_poll_page(&self) {
        // Fails only for a mapping that is not ours.
        let _ = self.area.protect(POLL_OFFSET, PAGE, Access::Read);
    }

    /// Makes this thread's signal handlers run on the CPU's signal stack: in generated
    /// code the stack pointer is the return stack.
    /// Gives the stack the thread had before.
    fn install_signal_stack(&self) -> io::Result<libc::stack_t> {
        let stack = libc::stack_t {
            ss_sp: self.signal_stack.start().cast(),
            ss_flags: 0,
            ss_size: SIGNAL_STACK_SIZE,
        };
        change_signal_stack(Some(&stack))
    }

    /// Puts `before` back, unless another CPU of this thread has installed its own since: this one's goes to the next
    /// CPU, which may be another thread's.
    fn remove_signal_stack(&self, before: &libc::stack_t) {
        let ours = |stack: libc::stack_t| stack.ss_sp == self.signal_stack.start().cast();
        if change_signal_stack(None).is_ok_and(ours) {
            // Fails only in a handler on that stack, which none of our callers is.
            let _ = change_signal_stack(Some(before));
        }
    }
}

/// Sets the thread's alternate signal stack, if there is one to set; gives the present one.
fn change_signal_stack(new: Option<&libc::stack_t>) -> io::Result<libc::stack_t> {
    let mut before = libc::stack_t {
        ss_sp: ptr::null_mut(),
        ss_flags: libc::SS_DISABLE,
        ss_size: 0,
    };
    // SAFETY: a stack that is set is a mapping that is never freed, or was set before.
    match unsafe { libc::sigaltstack(new.map_or(ptr::null(), ptr::from_ref), &mut before) } {
        0 => Ok(before),
        _ => Err(io::Error::last_os_error()),
    }
}

/// A CPU as the engine's other threads know it.
#[derive(Clone)]
pub(crate) struct CpuHandle(&'static CpuMemory);

impl CpuHandle {
    pub fn is(&self, other: &CpuHandle) -> bool {
        ptr::eq(self.0, other.0)
    }
    pub fn poll(&self) -> PollHandle {
        PollHandle(self.0)
    }
    pub fn in_code(&self) -> bool {
        self.0.in_code.load(Ordering::SeqCst)
    }

    /// Whether it will never leave the code that it is in.
    pub fn is_dead(&self) -> bool {
        Party::from_number(self.0.driver.load(Ordering::Relaxed)).is_dead()
    }
}

/// Makes a [`Cpu::run`] return [`Exit::Poll`] soon, from any thread or a signal handler.
#[derive(Clone, Copy)]
pub struct PollHandle(&'static CpuMemory);

impl PollHandle {
    /// Async-signal-safe.
    pub fn request(self) {
        self.0.requested.store(true, Ordering::SeqCst);
        let _ = self.0.area.protect(POLL_OFFSET, PAGE, Access::None);
    }
}

/// One guest CPU. Create it on the thread that runs it: it sets up that thread's
/// alternate signal stack.
pub struct Cpu {
    engine: Arc<Engine>,
    memory: &'static CpuMemory,
    /// Written by handlers of this thread; generated code knows its address.
    pub(crate) pending: Box<Pending>,
    generation: u64,
    flushes: u64,
    fp_mode: FpMode,
    /// The state is as generated code has it: see [`jit_x64::host_state`].
    in_host: bool,
    /// For the blocks this CPU comes to first.
    translator: Box<Translator>,
    /// The thread's alternate signal stack before this CPU's.
    stack_before: libc::stack_t,
    edges: Option<EdgeMap>,
    /// Where blocks are, if each entered is to be seen: the lookup tables are probed by generated code.
    watched_blocks: Vec<LookupEntry>,
}

impl Engine {
    /// IC IVAU on `addr`. CTR_EL0 shows lines of a page, so a flush loop comes here once a page.
    fn invalidate_line(&self, addr: GuestAddr) {
        let line = addr.page();
        self.invalidate(line..line.offset(PAGE as i64));
        for alias in self.space.aliases(line) {
            self.invalidate(alias..alias.offset(PAGE as i64));
        }
        self.space.announce_change(line);
    }
}

impl Cpu {
    /// # Errors
    /// When the host has no memory for the CPU's state or stacks.
    pub fn new(engine: Arc<Engine>) -> io::Result<Cpu> {
        let memory = CpuMemory::obtain()?;
        let stack_before = memory.install_signal_stack()?;
        let mut pending = Box::new(Pending::None);
        let mut state = CpuState::new();
        state.model = engine.model;
        let area = CpuArea {
            state,
            host: HostState::new(engine.fp_checks.load(Ordering::Relaxed)),
            runtime: Runtime {
                host_rsp: 0,
                return_rsp: memory.return_base(),
                return_base: memory.return_base(),
                return_guard: memory.return_stack.address(),
                interpret,
                routines: Routines::here(),
                pending: &raw mut *pending as u64,
                host_mxcsr: HOST_MXCSR,
                reserved: 0,
                borrowed: [[0; 2]; MAX_BORROWED],
            },
            consts: CONSTS.clone(),
        };
        // SAFETY: the mapping is writable, large enough and page-aligned; nobody else uses it.
        unsafe { memory.area().write(area) };
        memory.clear_return_stack(&engine.stubs);
        memory.clear_lookup();
        memory.requested.store(false, Ordering::SeqCst);
        memory.unprotect_poll_page();
        memory.driver.store(lock::party().number(), Ordering::Relaxed);
        engine.register(CpuHandle(memory));
        Ok(Cpu {
            engine,
            memory,
            pending,
            generation: 0,
            flushes: 0,
            fp_mode: FpMode::default(),
            in_host: false,
            translator: Box::default(),
            stack_before,
            edges: None,
            watched_blocks: Vec::new(),
        })
    }

    pub(crate) fn handle(&self) -> CpuHandle {
        CpuHandle(self.memory)
    }

    #[cfg(test)]
    pub(crate) fn set_in_code(&self, in_code: bool) {
        self.memory.in_code.store(in_code, Ordering::SeqCst);
    }

    /// The calling thread or child runs this CPU from now on, which was another's.
    pub fn take_over(&mut self) {
        self.memory
            .driver
            .store(lock::party().number(), Ordering::Relaxed);
    }

    /// A child that shared memory ran on this CPU and is gone. Unless it left in order it may have been in generated
    /// code, or between the two halves of an entry of a table, or translating.
    pub fn left_by_child(&mut self, in_order: bool) {
        self.memory.in_code.store(false, Ordering::Release);
        self.take_over();
        *self.pending = Pending::None;
        self.in_host = false;
        if !in_order {
            for used in &self.memory.used {
                used.store(true, Ordering::Relaxed);
            }
            self.memory.clear_return_stack(&self.engine.stubs);
            self.memory.clear_lookup();
            std::mem::forget(std::mem::take(&mut self.watched_blocks));
            self.engine.abandon(&mut self.translator);
        }
    }

    #[must_use]
    pub fn state(&self) -> &CpuState {
        // SAFETY: the area was initialised in `new` and belongs to this CPU.
        unsafe { &(*self.memory.area()).state }
    }

    pub fn state_mut(&mut self) -> &mut CpuState {
        &mut self.area_mut().state
    }

    fn area_mut(&mut self) -> &mut CpuArea {
        // SAFETY: as above, and `&mut self` makes the access exclusive.
        unsafe { &mut *self.memory.area() }
    }

    /// Brings the state back from where generated code has it, if it is there.
    fn leave_host(&mut self) {
        if self.in_host {
            self.area_mut().leave_host();
            self.in_host = false;
        }
    }

    #[must_use]
    pub fn engine(&self) -> &Arc<Engine> {
        &self.engine
    }

    #[must_use]
    pub fn poll_handle(&self) -> PollHandle {
        PollHandle(self.memory)
    }

    /// Runs guest code from `state().pc` until something needs the caller.
    pub fn run(&mut self) -> Exit {
        // SAFETY: `self.engine` keeps the engine alive and is never replaced. (A clone of the `Arc`
        // would cost two locked instructions at each system call.)
        let engine = unsafe { &*Arc::as_ptr(&self.engine) };
        match &engine.cache {
            Some(cache) if engine.mode == Mode::Jit => {
                let exit = self.run_translated(engine, cache);
                self.leave_host();
                exit
            }
            _ => self.run_interpreted(),
        }
    }

    fn run_interpreted(&mut self) -> Exit {
        let watched = self.engine.watched.load(Ordering::Relaxed);
        let mut last = None;
        loop {
            if self.memory.take_request() {
                self.memory.unprotect_poll_page();
                return Exit::Poll;
            }
            if watched {
                self.watch_step(&mut last);
            }
            if let Err(exit) = self.land().and_then(|_| self.step()) {
                return exit;
            }
        }
    }

    /// The interpreter is about to execute an instruction, after the one at `last`.
    #[cold]
    fn watch_step(&mut self, last: &mut Option<u64>) {
        let pc = self.state().pc;
        let before = last.replace(pc);
        let Some(edges) = &mut self.edges else {
            return;
        };
        if before.is_none_or(|before| before.wrapping_add(4) != pc) {
            before.into_iter().for_each(|branch| edges.enter(branch));
            edges.enter(pc);
        }
    }

    /// Records the edges taken from now on; gives what was recorded into before. It takes
    /// [`Engine::watch_blocks`] to see them.
    pub fn set_edges(&mut self, edges: Option<EdgeMap>) -> Option<EdgeMap> {
        std::mem::replace(&mut self.edges, edges)
    }

    /// What is recorded into.
    pub fn edges_mut(&mut self) -> Option<&mut EdgeMap> {
        self.edges.as_mut()
    }

    /// The block at `pc` is about to be entered.
    #[cold]
    fn watch(&mut self, pc: u64, host: u64) {
        if let Some(trace) = self.engine.trace() {
            trace.enter(pc, host);
        }
        if let Some(edges) = &mut self.edges {
            edges.enter(pc);
        }
    }

    /// Lets PSTATE.BTYPE take effect: an indirect branch into a guarded page must go to a
    /// landing pad. Gives the lookup table the block may stand in, if in any.
    ///
    /// # Errors
    /// The Branch Target exception, with BTYPE as it was.
    fn land(&mut self) -> Result<Option<LookupTable>, Exit> {
        let btype = self.state().btype as u8;
        if btype == 0 {
            return Ok(Some(LookupTable::Any));
        }
        let accepted = self.engine.accepted_btypes(self.state().pc());
        if !accepted.contains(btype) {
            return Err(Exit::Undefined);
        }
        self.state_mut().btype = 0;
        Ok(accepted.table(btype))
    }

    /// Executes exactly one instruction with the interpreter.
    ///
    /// # Errors
    /// The exit it causes.
    pub fn step(&mut self) -> Result<(), Exit> {
        let pc = self.state().pc();
        let word = self.engine.fetch(pc)?;
        self.step_word(pc, word)
    }

    /// Executes `word`, which stands at `pc`.
    fn step_word(&mut self, pc: GuestAddr, word: u32) -> Result<(), Exit> {
        self.leave_host();
        let stepped = interp::step(self.state_mut(), word);
        self.stepped(pc, stepped)
    }

    /// What the interpreter leaves to the engine after the instruction that stood at `pc`.
    fn stepped<T: Default>(&mut self, pc: GuestAddr, stepped: Result<T, Stop>) -> Result<T, Exit> {
        if self.state().btype == u64::from(Indirect::Jump.btype()) && !self.engine.is_guarded(pc) {
            self.state_mut().btype = u64::from(Indirect::JumpStub.btype());
        }
        match stepped {
            Ok(result) => Ok(result),
            Err(Stop::Exit(exit)) => Err(exit),
            Err(Stop::InvalidateCode(addr)) => {
                self.engine.invalidate_line(addr);
                Ok(T::default())
            }
            Err(Stop::Synchronise) => {
                self.engine.space.synchronise(&self.engine);
                Ok(T::default())
            }
        }
    }

    /// As [`Cpu::step`], but stops before an instruction that is at a breakpoint or would access what is watched.
    ///
    /// # Errors
    /// The exit, or what was met.
    pub fn step_debugged(&mut self, points: &DebugPoints) -> Result<(), Debugged> {
        let engine = Arc::clone(&self.engine);
        self.step_fetched(&mut Fetch::new(&engine), points)
    }

    fn step_fetched(&mut self, fetch: &mut Fetch<'_>, points: &DebugPoints) -> Result<(), Debugged> {
        let pc = self.state().pc();
        if points.breakpoints.contains(&pc.0) {
            return Err(Debugged::Breakpoint);
        }
        let word = fetch
            .word(pc.0)
            .map_err(|fault| Debugged::Exit(Exit::Fault(fault)))?;
        self.leave_host();
        let stepped = interp::step_watched(self.state_mut(), word, &points.watchpoints);
        match self.stepped(pc, stepped) {
            Ok(Watched::Stepped) => Ok(()),
            Ok(Watched::Hit(addr)) => Err(Debugged::Watchpoint(addr)),
            Err(exit) => Err(Debugged::Exit(exit)),
        }
    }

    /// As [`Cpu::run`], instruction by instruction, up to the first that is at a breakpoint or would access what is watched.
    pub fn run_debugged(&mut self, points: &DebugPoints) -> Debugged {
        let engine = Arc::clone(&self.engine);
        loop {
            if self.memory.take_request() {
                self.memory.unprotect_poll_page();
                return Debugged::Exit(Exit::Poll);
            }
            // What a page may be used for is asked anew as often as for a block.
            let mut fetch = Fetch::new(&engine);
            for _ in 0..MAX_INSNS {
                if let Err(exit) = self.land() {
                    return Debugged::Exit(exit);
                }
                if let Err(met) = self.step_fetched(&mut fetch, points) {
                    return met;
                }
            }
        }
    }

    /// Executes code that has hardly run yet with the interpreter: up to where it branches, or for about as long as
    /// a block would be.
    fn run_cold(&mut self, engine: &Engine) -> Result<(), Exit> {
        let mut fetch = Fetch::new(engine);
        for _ in 0..MAX_INSNS {
            let pc = self.state().pc();
            let word = fetch.word(pc.0).map_err(Exit::Fault)?;
            self.step_word(pc, word)?;
            let state = self.state();
            if state.pc != pc.0.wrapping_add(4) || state.btype != 0 {
                break;
            }
        }
        Ok(())
    }

    fn run_translated(&mut self, engine: &Engine, cache: &CodeCache) -> Exit {
        // The site to link once its target is known.
        let mut link: Option<(u32, u64)> = None;
        loop {
            if self.memory.take_request() {
                self.memory.unprotect_poll_page();
                return Exit::Poll;
            }
            self.catch_up(engine);
            let found = self
                .land()
                .and_then(|table| self.find(engine, cache, link.take(), table));
            let host = match found {
                Ok(Some(host)) => host,
                Ok(None) => match self.run_cold(engine) {
                    Ok(()) => continue,
                    Err(exit) => return exit,
                },
                Err(exit) => return exit,
            };
            let Some((code, argument)) = self.enter(engine, cache, host) else {
                continue;
            };
            match code {
                ExitCode::Link => link = Some((argument, self.flushes)),
                ExitCode::Lookup => {
                    // A branch drops the target's tag (Arm ARM, AArch64.BranchAddr).
                    let target = access::untag(self.state().pc());
                    self.state_mut().pc = target.0;
                }
                ExitCode::Svc => return Exit::Svc(argument as u16),
                ExitCode::Interpret => {
                    if let Err(exit) = self.step() {
                        return exit;
                    }
                }
                ExitCode::Stopped | ExitCode::Interpreted => {
                    if let Some(exit) = self.take_pending(engine) {
                        return exit;
                    }
                }
            }
        }
    }

    /// What a handler or the interpreter left; `None` to go on.
    fn take_pending(&mut self, engine: &Engine) -> Option<Exit> {
        match std::mem::replace(&mut *self.pending, Pending::None) {
            Pending::None => None,
            Pending::Poll => {
                self.memory.requested.store(false, Ordering::SeqCst);
                self.memory.unprotect_poll_page();
                Some(Exit::Poll)
            }
            Pending::Interpret => {
                let pc = self.state().pc;
                engine.trapped(pc);
                self.step().err()
            }
            Pending::Stop(Stop::Exit(exit)) => Some(exit),
            Pending::Stop(Stop::InvalidateCode(addr)) => {
                engine.invalidate_line(addr);
                None
            }
            Pending::Stop(Stop::Synchronise) => {
                engine.space.synchronise(engine);
                None
            }
        }
    }

    /// Drops what invalidations, flushes and a new floating-point mode made stale.
    fn catch_up(&mut self, engine: &Engine) {
        let generation = engine.generation.load(Ordering::SeqCst);
        let flushes = engine.flushes.load(Ordering::SeqCst);
        let fp_mode = FpMode::of(self.state().fp.fpcr, self.state().uses_fpsr != 0);
        if flushes != self.flushes || fp_mode != self.fp_mode {
            self.memory.clear_return_stack(&engine.stubs);
        }
        if generation != self.generation || fp_mode != self.fp_mode {
            self.memory.clear_lookup();
            self.watched_blocks.fill(NO_ENTRY);
        }
        (self.generation, self.flushes, self.fp_mode) = (generation, flushes, fp_mode);
    }

    /// Host address of the block at `pc`, translated now if need be; a branch that came
    /// here is linked to it. `None` as long as the block is not worth being translated.
    fn find(
        &mut self,
        engine: &Engine,
        cache: &CodeCache,
        link: Option<(u32, u64)>,
        table: Option<LookupTable>,
    ) -> Result<Option<u64>, Exit> {
        let key = BlockKey {
            pc: self.state().pc,
            fp_mode: self.fp_mode,
        };
        let watched = engine.watched.load(Ordering::Relaxed);
        if watched {
            if let Some(host) = self.find_watched(key.pc) {
                return Ok(Some(host));
            }
        } else if let Some(table) = table.filter(|_| link.is_none()) {
            // SAFETY: the index is within the table, which only this CPU uses.
            let cached = unsafe { self.memory.lookup(table, lookup_index(key.pc)).read() };
            if cached.guest_pc == key.pc {
                return Ok(Some(cached.host_pc));
            }
        }
        let mut shared = engine.lock();
        let mut flushed = false;
        // The lock is kept to the end: until then nothing drops the block.
        let (host, _shared) = loop {
            if let Some(host) = shared.host(key) {
                break (host, shared);
            }
            if !flushed && shared.is_cold(key) {
                return Ok(None);
            }
            if !flushed && shared.is_wasteful() {
                engine.flush(cache, shared);
                flushed = true;
                self.catch_up(engine);
                shared = engine.lock();
                continue;
            }
            let (made, guard) = engine.make(cache, shared, &mut self.translator, key)?;
            match made {
                Made::At(host) => break (host, guard),
                Made::NoRoom if !flushed => {
                    engine.flush(cache, guard);
                    flushed = true;
                    self.catch_up(engine);
                    shared = engine.lock();
                }
                // The others fill the cache, or change this code, as fast as it is translated.
                Made::NoRoom | Made::Unsteady => return Ok(None),
            }
        };
        if watched {
            self.set_watched(key.pc, host);
            return Ok(Some(host));
        }
        if let Some((number, flushes)) = link
            && flushes == engine.flushes.load(Ordering::SeqCst)
            && let Some(site) = cache.site(number).filter(|site| site.target == key)
        {
            cache.link(site, host);
        }
        if let Some(table) = table {
            let entry = LookupEntry {
                guest_pc: key.pc,
                host_pc: host,
            };
            self.memory.set_lookup(table, lookup_index(key.pc), entry);
            self.memory.used[table as usize].store(true, Ordering::Relaxed);
        }
        Ok(Some(host))
    }

    /// Where the block at `pc` is, if it was found before: what the lookup tables are where they must stay empty,
    /// because generated code probes them.
    #[cold]
    fn find_watched(&self, pc: u64) -> Option<u64> {
        let known = self.watched_blocks.get(lookup_index(pc))?;
        (known.guest_pc == pc).then_some(known.host_pc)
    }

    /// For [`Cpu::find_watched`].
    #[cold]
    fn set_watched(&mut self, pc: u64, host: u64) {
        self.watched_blocks.resize(LOOKUP_ENTRIES, NO_ENTRY);
        self.watched_blocks[lookup_index(pc)] = LookupEntry {
            guest_pc: pc,
            host_pc: host,
        };
    }

    /// Runs generated code at `host` until it returns; `None` if a flush came between.
    pub(crate) fn enter(&mut self, engine: &Engine, cache: &CodeCache, host: u64) -> Option<(ExitCode, u32)> {
        // Another CPU's flush must see this before we look whether it is stopping us. Alone, no
        // CPU can: see `Engine::register`.
        let order = if engine.several_cpus.load(Ordering::Relaxed) {
            Ordering::SeqCst
        } else {
            Ordering::Relaxed
        };
        self.memory.in_code.store(true, order);
        let stale =
            engine.stopping.load(Ordering::SeqCst) || engine.flushes.load(Ordering::SeqCst) != self.flushes;
        if stale {
            self.memory.in_code.store(false, Ordering::Release);
            engine.wait_for_flush();
            return None;
        }
        if engine.watched.load(Ordering::Relaxed) {
            self.watch(self.state().pc, host);
        }
        if !self.in_host {
            self.area_mut().enter_host();
            self.in_host = true;
        }
        let state = self.memory.area.address() + guest::STATE_BIAS as u64;
        // SAFETY: `enter` was emitted by `Stubs::emit` with this signature.
        let enter: extern "C" fn(u64, u64) -> u64 = unsafe { std::mem::transmute(engine.stubs.enter) };
        let result = enter(state, host);
        let (code, argument) = (ExitCode::from_number(result as u32), (result >> 32) as u32);
        if code == ExitCode::Link {
            // As long as this CPU counts as in code, no flush gives the number to another site.
            let site = cache.site(argument);
            self.state_mut().pc = site
                .expect("`record` keeps what code was relocated for")
                .target
                .pc;
        }
        self.memory.in_code.store(false, Ordering::Release);
        Some((code, argument))
    }
}

impl Drop for Cpu {
    fn drop(&mut self) {
        self.engine.unregister(&self.handle());
        self.memory.remove_signal_stack(&self.stack_before);
        POOL.lock_lazy().0.push(self.memory);
    }
}

/// MXCSR as the host's own code expects it.
const HOST_MXCSR: u32 = 0x1f80;

/// Called by generated code for an instruction it leaves to the interpreter: 0 to go on.
/// The area is that of the code's own CPU, and its registers are stored there.
extern "C" fn interpret(area: &mut CpuArea, word: u32) -> u32 {
    area.leave_host();
    let stepped = interp::step(&mut area.state, word);
    area.enter_host();
    match stepped {
        Ok(()) => 0,
        Err(stop) => {
            // SAFETY: the pointer is to the CPU's `pending`, which lives as long as the CPU.
            unsafe { (area.runtime.pending as *mut Pending).write(Pending::Stop(stop)) };
            1
        }
    }
}
