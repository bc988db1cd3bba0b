//! Linking, invalidation, flushes and forks, with blocks small enough to know all of them.
//!
//! # Safety
//! The guest's code is a vector of this process that nobody frees while an engine may read it.

use crate::blocks::BlockKey;
use crate::cache::CodeCache;
use crate::translate::Limits;
use crate::{AddressSpace, Cpu, Engine, HostSignal, Statistics, Target, Translator, on_host_signal};
use guest::{Exit, GuestAddr};
use host_memory::lock;
use jit_x64::build::FpMode;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicUsize, Ordering};
use std::sync::{Arc, Barrier, Once, OnceLock, Weak};

const PAGE_WORDS: usize = 1024;
/// Room for the stubs and some hundred blocks.
const SMALL: usize = 64 << 10;

/// add x0, x0, #n
const fn add(n: u32) -> u32 {
    0x9100_0000 | n << 10
}
/// add x1, x1, #1
const COUNT: u32 = 0x9100_0421;
const SVC: u32 = 0xd400_0001;
const RET: u32 = 0xd65f_03c0;
/// b or bl by that many words.
const fn branch(words: isize) -> u32 {
    0x1400_0000 | words as u32 & 0x03ff_ffff
}
const fn call(words: isize) -> u32 {
    branch(words) | 0x8000_0000
}
/// mov x30, x2; mov x2, x30
const RESTORE_LINK: u32 = 0xaa02_03fe;
const SAVE_LINK: u32 = 0xaa1e_03e2;

/// The guest's memory: pages of words, at their own addresses.
#[repr(align(4096))]
struct Page([AtomicU32; PAGE_WORDS]);

#[derive(Clone, Copy)]
struct Memory(&'static [Page]);

impl Memory {
    /// Pages that live as long as the process.
    fn new(pages: usize) -> Memory {
        let page = || Page([const { AtomicU32::new(0) }; PAGE_WORDS]);
        Memory(Vec::leak((0..pages).map(|_| page()).collect()))
    }

    fn word(self, n: usize) -> &'static AtomicU32 {
        &self.0[n / PAGE_WORDS].0[n % PAGE_WORDS]
    }

    fn address(self, n: usize) -> GuestAddr {
        GuestAddr(self.word(n).as_ptr() as u64)
    }

    fn write(self, from: usize, words: &[u32]) {
        for (n, word) in (from..).zip(words) {
            self.word(n).store(*word, Ordering::SeqCst);
        }
    }

    /// Writes and tells the engine.
    fn change(self, engine: &Engine, from: usize, words: &[u32]) {
        self.write(from, words);
        engine.invalidate(self.address(from)..self.address(from).offset(4 * words.len() as i64));
    }
}

/// All may be executed, and somebody is told when a page is entered while it is read.
struct Space(Box<dyn Fn() + Send + Sync>);

impl AddressSpace for Space {
    fn is_executable(&self, _: GuestAddr) -> bool {
        (self.0)();
        true
    }
}

extern "C" fn on_signal(signal: i32, info: *mut libc::siginfo_t, context: *mut libc::c_void) {
    // SAFETY: the kernel's own arguments.
    if unsafe { on_host_signal(signal, info, context) } == HostSignal::NotOurs {
        // The fault comes again, and ends the test.
        // SAFETY: signal is async-signal-safe.
        unsafe { libc::signal(signal, libc::SIG_DFL) };
    }
}

fn install_handler() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        // SAFETY: a zeroed sigaction is one without flags and mask.
        let mut action: libc::sigaction = unsafe { std::mem::zeroed() };
        action.sa_sigaction = on_signal as *const () as usize;
        action.sa_flags = libc::SA_SIGINFO | libc::SA_ONSTACK | libc::SA_NODEFER;
        // SAFETY: the action is whole, and its handler takes what SA_SIGINFO gives.
        let result = unsafe { libc::sigaction(libc::SIGSEGV, &action, std::ptr::null_mut()) };
        assert_eq!(result, 0);
    });
}

fn engine_with(cache_size: usize, on_page: impl Fn() + Send + Sync + 'static) -> Arc<Engine> {
    install_handler();
    let cache = CodeCache::with_size(cache_size).expect("memory for a code cache");
    let model = &guest::cpu_model::EVERYTHING;
    Engine::with_cache(
        Box::new(Space(Box::new(on_page))),
        model,
        Target::host(),
        Some(cache),
    )
}

fn engine(cache_size: usize) -> Arc<Engine> {
    engine_with(cache_size, || {})
}

fn cpu(engine: &Arc<Engine>) -> Cpu {
    Cpu::new(engine.clone()).expect("memory for a CPU")
}

/// Runs from `start` to the next SVC with X0 and X1 zero at first; gives what they are then.
fn run(cpu: &mut Cpu, start: GuestAddr) -> (u64, u64) {
    let state = cpu.state_mut();
    (state.pc, state.x[0], state.x[1]) = (start.0, 0, 0);
    loop {
        match cpu.run() {
            Exit::Poll => {}
            Exit::Svc(0) => return (cpu.state().x[0], cpu.state().x[1]),
            other => panic!("{other:?} at {:#x}", cpu.state().pc),
        }
    }
}

fn key(pc: GuestAddr) -> BlockKey {
    BlockKey {
        pc: pc.0,
        fp_mode: FpMode::default(),
    }
}

fn host_of(engine: &Engine, pc: GuestAddr) -> Option<u64> {
    engine.lock().host(key(pc))
}

/// Where the only site that goes to `pc` goes at present, and its way to the engine.
fn link_to(engine: &Engine, pc: GuestAddr) -> (u64, u64) {
    let cache = engine.cache.as_ref().expect("a JIT");
    let sites: Vec<_> = cache
        .sites()
        .iter()
        .filter(|site| site.target == key(pc))
        .collect();
    let [site] = sites[..] else {
        panic!("{} sites go to {pc:?}", sites.len())
    };
    (cache.goes_to(site), cache.code().start + u64::from(site.stub))
}

/// Two blocks in two pages, the first going to the second.
fn two_blocks() -> (Memory, GuestAddr, GuestAddr) {
    let memory = Memory::new(2);
    memory.write(0, &[add(1), branch(PAGE_WORDS as isize - 1)]);
    memory.write(PAGE_WORDS, &[add(10), SVC]);
    (memory, memory.address(0), memory.address(PAGE_WORDS))
}

#[test]
fn a_branch_is_linked_when_it_is_taken() {
    let (_, first, second) = two_blocks();
    let engine = engine(SMALL);
    assert_eq!(run(&mut cpu(&engine), first).0, 11);
    let (goes_to, stub) = link_to(&engine, second);
    assert_eq!(Some(goes_to), host_of(&engine, second));
    assert_ne!(goes_to, stub);
}

#[test]
fn a_branch_is_linked_when_its_target_is_made() {
    let (_, first, second) = two_blocks();
    let engine = engine(SMALL);
    let mut translator = Translator::default();
    assert_eq!(
        engine.translate_ahead(&mut translator, first),
        Some(first.offset(8))
    );
    let (goes_to, stub) = link_to(&engine, second);
    assert_eq!(goes_to, stub, "nothing is there yet");
    assert_eq!(
        engine.translate_ahead(&mut translator, second),
        Some(second.offset(8))
    );
    assert_eq!(Some(link_to(&engine, second).0), host_of(&engine, second));
}

#[test]
fn a_branch_to_a_known_block_is_linked_at_once() {
    let (_, first, second) = two_blocks();
    let engine = engine(SMALL);
    let mut translator = Translator::default();
    assert!(engine.translate_ahead(&mut translator, second).is_some());
    assert!(engine.translate_ahead(&mut translator, first).is_some());
    assert_eq!(Some(link_to(&engine, second).0), host_of(&engine, second));
}

#[test]
fn what_is_invalidated_is_unlinked_and_linked_anew() {
    let (memory, first, second) = two_blocks();
    let engine = engine(SMALL);
    let cpu = &mut cpu(&engine);
    assert_eq!(run(cpu, first).0, 11);
    let before = host_of(&engine, second);
    memory.change(&engine, PAGE_WORDS, &[add(20), SVC]);
    let (goes_to, stub) = link_to(&engine, second);
    assert_eq!(goes_to, stub);
    assert_eq!(host_of(&engine, second), None);
    assert!(host_of(&engine, first).is_some(), "the other page's block stays");
    assert_eq!(run(cpu, first).0, 21);
    let after = host_of(&engine, second);
    assert_ne!(before, after);
    assert_eq!(Some(link_to(&engine, second).0), after);
    assert_eq!(engine.statistics().invalidated, 1);
}

#[test]
fn a_change_elsewhere_drops_nothing() {
    let (memory, first, second) = two_blocks();
    let engine = engine(SMALL);
    assert_eq!(run(&mut cpu(&engine), first).0, 11);
    // Behind the first block, in its page.
    memory.change(&engine, 2, &[SVC; 8]);
    assert!(host_of(&engine, first).is_some() && host_of(&engine, second).is_some());
    assert_eq!(engine.statistics().invalidated, 0);
}

#[test]
fn one_block_at_two_addresses_behaves_alike() {
    let memory = Memory::new(1);
    // cmp x1, #0; b.ne .+8; add; ldr x3, [x4]; svc
    memory.write(0, &[0xf100_003f, 0x5400_0041, add(3), 0xf940_0083, SVC]);
    let engine = engine(SMALL);
    let mut translator = Translator::default();
    let cache = engine.cache.as_ref().expect("a JIT");
    let start = memory.address(0);
    let translated = engine.translate(
        &mut translator,
        key(start),
        cache.next_phase(),
        &Limits::default(),
    );
    assert!(translated.is_ok());
    let mut shared = engine.lock();
    let hosts = [0, 1].map(|_| {
        engine
            .install(cache, &mut shared, &translator, key(start))
            .unwrap()
    });
    drop(shared);
    assert_ne!(hosts[0], hosts[1]);
    let readable = 0x1234_5678_9abc_def0_u64;
    for x1 in [0, 1] {
        for x4 in [&raw const readable as u64, 8] {
            let ends = hosts.map(|host| {
                let mut cpu = cpu(&engine);
                let state = cpu.state_mut();
                (state.pc, state.x[1], state.x[4]) = (start.0, x1, x4);
                let (code, _) = cpu.enter(&engine, cache, host).expect("no flush");
                let pending = format!("{:?}", cpu.pending);
                let state = cpu.state();
                (format!("{code:?}"), pending, state.pc, state.x, state.nzcv())
            });
            assert_eq!(ends[0], ends[1]);
            // Not taken for x1 = 0: all to the load or the SVC was done.
            assert_eq!(ends[0].3[0], if x1 == 0 { 3 } else { 0 });
        }
    }
}

/// A child that shares memory drives its parent's CPU.
#[test]
fn a_translation_is_forgotten_when_its_child_was_killed() {
    let memory = Memory::new(1);
    memory.write(0, &[add(3), COUNT, SVC]);
    let is_killed = Arc::new(AtomicBool::new(true));
    let kill = Arc::clone(&is_killed);
    let engine = engine_with(SMALL, move || {
        assert!(!kill.load(Ordering::SeqCst), "killed while it translates");
    });
    let cpu = &mut cpu(&engine);
    let start = memory.address(0);
    let life = std::panic::AssertUnwindSafe(|| run(cpu, start));
    assert!(std::panic::catch_unwind(life).is_err());
    assert_eq!(engine.lock().jobs.len(), 1);
    is_killed.store(false, Ordering::SeqCst);
    cpu.left_by_child(false);
    assert!(engine.lock().jobs.is_empty());
    assert_eq!(run(cpu, start), (3, 1));
}

/// Calls of `count` functions, one after another; X0 counts them and X1 the returns.
fn calls(count: usize) -> (Memory, GuestAddr) {
    let memory = Memory::new((4 * count + 8).div_ceil(PAGE_WORDS));
    memory.write(0, &[SAVE_LINK]);
    let functions = 1 + 2 * count + 2;
    for n in 0..count {
        let (site, function) = (1 + 2 * n, functions + 2 * n);
        memory.write(site, &[call(function as isize - site as isize), COUNT]);
        memory.write(function, &[add(1), RET]);
    }
    memory.write(1 + 2 * count, &[RESTORE_LINK, SVC]);
    (memory, memory.address(0))
}

#[test]
fn a_full_cache_is_flushed() {
    const COUNT: usize = 1000;
    let (_, start) = calls(COUNT);
    let engine = engine(SMALL);
    let cpu = &mut cpu(&engine);
    for _ in 0..3 {
        assert_eq!(run(cpu, start), (COUNT as u64, COUNT as u64));
    }
    let Statistics { blocks, flushes, .. } = engine.statistics();
    assert!(flushes >= 3, "{flushes} flushes of {blocks} blocks");
    let used = engine.cache.as_ref().map_or(0, CodeCache::used);
    assert!(used <= SMALL, "{used} bytes");
}

#[test]
fn what_fits_is_not_flushed() {
    let (_, start) = calls(50);
    let engine = engine(SMALL);
    let cpu = &mut cpu(&engine);
    for _ in 0..3 {
        assert_eq!(run(cpu, start), (50, 50));
    }
    assert_eq!(engine.statistics().flushes, 0);
}

/// What a [`Space`] does when a page is entered, given the engine it is part of.
fn engine_and(hook: impl Fn(&Arc<Engine>) + Send + Sync + 'static) -> Arc<Engine> {
    let itself: Arc<OnceLock<Weak<Engine>>> = Arc::default();
    let known = itself.clone();
    let engine = engine_with(SMALL, move || {
        if let Some(engine) = known.get().and_then(Weak::upgrade) {
            hook(&engine);
        }
    });
    assert!(itself.set(Arc::downgrade(&engine)).is_ok());
    engine
}

#[test]
fn code_changed_while_it_is_translated_is_translated_again() {
    let memory = Memory::new(1);
    memory.write(0, &[add(1), SVC]);
    let changed = AtomicBool::new(false);
    let engine = engine_and(move |engine| {
        // The first word has been read.
        if !changed.swap(true, Ordering::SeqCst) {
            std::thread::scope(|scope| {
                scope.spawn(|| memory.change(engine, 0, &[add(2)]));
            });
        }
    });
    assert_eq!(run(&mut cpu(&engine), memory.address(0)).0, 2);
    let Statistics { blocks, dropped, .. } = engine.statistics();
    assert_eq!((blocks, dropped), (1, 1));
}

#[test]
fn changes_elsewhere_do_not_disturb_a_translation() {
    let memory = Memory::new(4);
    memory.write(0, &[add(1), SVC]);
    let engine = engine_and(move |engine| memory.change(engine, 2 * PAGE_WORDS, &[SVC]));
    assert_eq!(run(&mut cpu(&engine), memory.address(0)).0, 1);
    let Statistics { blocks, dropped, .. } = engine.statistics();
    assert_eq!((blocks, dropped), (1, 0));
}

#[test]
fn code_that_always_changes_is_interpreted() {
    let memory = Memory::new(1);
    memory.write(0, &[add(1), SVC]);
    let engine = engine_and(move |engine| memory.change(engine, 0, &[add(1)]));
    assert_eq!(run(&mut cpu(&engine), memory.address(0)).0, 1);
    let Statistics { blocks, dropped, .. } = engine.statistics();
    assert_eq!(blocks, 0);
    assert!(dropped > 0);
}

#[test]
fn of_two_translations_of_a_block_one_is_used() {
    let memory = Memory::new(1);
    memory.write(0, &[add(1), SVC]);
    let entered = AtomicUsize::new(0);
    let both = Barrier::new(2);
    let engine = engine_with(SMALL, move || {
        if entered.fetch_add(1, Ordering::SeqCst) < 2 {
            both.wait();
        }
    });
    let made = Barrier::new(2);
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                let mut cpu = cpu(&engine);
                // The second CPU's coming drops what the first has made alone.
                made.wait();
                assert_eq!(run(&mut cpu, memory.address(0)).0, 1);
                // The other may still need this one's.
                made.wait();
            });
        }
    });
    let Statistics { blocks, dropped, .. } = engine.statistics();
    assert_eq!((blocks, dropped), (1, 1));
}

#[test]
fn cpus_run_while_others_flush_and_invalidate() {
    const COUNT: usize = 300;
    const CPUS: usize = 4;
    const CHANGES: usize = 3000;
    let programs: [_; CPUS] = std::array::from_fn(|_| calls(COUNT));
    let engine = engine(SMALL);
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        for (_, start) in programs {
            let (engine, done) = (&engine, &done);
            scope.spawn(move || {
                let mut cpu = cpu(engine);
                while !done.load(Ordering::SeqCst) {
                    assert_eq!(run(&mut cpu, start), (COUNT as u64, COUNT as u64));
                }
            });
        }
        // Blocks that are being made, run and linked.
        for n in 0..CHANGES {
            let (memory, _) = programs[n % CPUS];
            let word = n * 37 % (4 * COUNT);
            let same = memory.word(word).load(Ordering::SeqCst);
            memory.change(&engine, word, &[same]);
            std::thread::yield_now();
        }
        done.store(true, Ordering::SeqCst);
    });
    let Statistics {
        flushes, invalidated, ..
    } = engine.statistics();
    assert!(
        flushes > 0 && invalidated > 0,
        "{flushes} flushes, {invalidated} blocks dropped"
    );
}

#[test]
fn a_forked_child_goes_on_while_others_translate() {
    const COUNT: usize = 300;
    const FORKS: usize = 100;
    let programs: [_; 3] = std::array::from_fn(|_| calls(COUNT));
    let engine = engine(SMALL);
    let done = AtomicBool::new(false);
    let expected = (COUNT as u64, COUNT as u64);
    std::thread::scope(|scope| {
        for (_, start) in &programs[1..] {
            scope.spawn(|| {
                let mut cpu = cpu(&engine);
                while !done.load(Ordering::SeqCst) {
                    assert_eq!(run(&mut cpu, *start), expected);
                }
            });
        }
        let mut cpu = cpu(&engine);
        for n in 0..FORKS {
            let mut all = lock::all();
            // SAFETY: the child runs guest code and ends; the engine's locks are held.
            let child = unsafe { libc::fork() };
            if child == 0 {
                engine.keep_only(&mut all, &cpu);
                drop(all);
                lock::become_whole();
                // SAFETY: no pointers; a child that hangs ends by SIGALRM.
                unsafe { libc::alarm(20) };
                let right = run(&mut cpu, programs[0].1) == expected;
                // SAFETY: ends the child at once.
                unsafe { libc::_exit(if right { 0 } else { 1 }) };
            }
            drop(all);
            assert!(child > 0);
            let mut status = 0;
            // SAFETY: the status is ours.
            assert_eq!(unsafe { libc::waitpid(child, &mut status, 0) }, child);
            assert_eq!(status, 0, "child {n}");
            if n % 10 == 0 {
                assert_eq!(run(&mut cpu, programs[0].1), expected);
            }
        }
        done.store(true, Ordering::SeqCst);
    });
}
