//! Flush, fork's lock, and what a killed child leaves: the engine without a program.

use crate::blocks::BlockKey;
use crate::cpu::Cpu;
use crate::engine::{AddressSpace, Engine, Mode};
use crate::translate::Translator;
use guest::GuestAddr;
use guest::cpu_model::models;
use host_memory::lock::{self, Child};
use jit_x64::build::FpMode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// All may be executed.
struct Anywhere;

impl AddressSpace for Anywhere {
    fn is_executable(&self, _: GuestAddr) -> bool {
        true
    }
}

fn engine() -> Arc<Engine> {
    let engine = Engine::new(Box::new(Anywhere), Mode::Jit, &models::MAX);
    assert_eq!(engine.mode(), Mode::Jit);
    engine
}

const FUNCTIONS: usize = 100;

/// ADD X0, X0, #1; RET
fn functions() -> Vec<u32> {
    [0x9100_0400, 0xd65f_03c0].repeat(FUNCTIONS)
}

fn addr(code: &[u32], function: usize) -> GuestAddr {
    GuestAddr(&raw const code[function * 2] as u64)
}

fn translate(engine: &Engine, code: &[u32]) {
    let mut translator = Translator::default();
    for function in 0..FUNCTIONS {
        let end = addr(code, function).offset(8);
        let behind = engine.translate_ahead(&mut translator, addr(code, function));
        assert_eq!(behind, Some(end));
    }
}

fn is_known(engine: &Engine, pc: GuestAddr) -> bool {
    let key = BlockKey {
        pc: pc.0,
        fp_mode: FpMode::default(),
    };
    engine.lock().host(key).is_some()
}

fn used(engine: &Engine) -> usize {
    engine.cache.as_ref().map_or(0, crate::cache::CodeCache::used)
}

#[test]
fn a_flush_waits_for_cpus_in_code_and_drops_all() {
    let (engine, code) = (engine(), functions());
    let empty = used(&engine);
    translate(&engine, &code);
    assert!(used(&engine) > empty && is_known(&engine, addr(&code, 7)));
    let cpu = Cpu::new(Arc::clone(&engine)).expect("memory");
    cpu.set_in_code(true);
    let done = Arc::new(AtomicBool::new(false));
    let flusher = std::thread::spawn({
        let (engine, done) = (Arc::clone(&engine), Arc::clone(&done));
        move || {
            let cache = engine.cache.as_ref().expect("a JIT");
            engine.flush(cache, engine.lock());
            done.store(true, Ordering::SeqCst);
        }
    });
    std::thread::sleep(Duration::from_millis(20));
    assert!(!done.load(Ordering::SeqCst));
    cpu.set_in_code(false);
    flusher.join().expect("ends");
    assert!(!is_known(&engine, addr(&code, 7)));
    assert_eq!((used(&engine), engine.statistics().flushes), (empty, 1));
    translate(&engine, &code);
}

#[test]
fn what_a_killed_child_held_is_made_anew() {
    let (engine, code) = (engine(), functions());
    engine.set_patience(3);
    let empty = used(&engine);
    translate(&engine, &code);
    let before = engine.statistics();
    let child = Child::expect();
    // It is killed within a change.
    std::mem::forget(engine.lock());
    assert!(child.bury().held);
    engine.repair();
    assert_eq!(used(&engine), empty);
    assert!(!is_known(&engine, addr(&code, 7)));
    assert_eq!(engine.statistics().blocks, before.blocks);
    translate(&engine, &code);
    assert!(is_known(&engine, addr(&code, 7)));
}

#[test]
fn a_forked_child_keeps_its_own_cpu_alone() {
    let engine = engine();
    let cpus: Vec<Cpu> = (0..3)
        .map(|_| Cpu::new(Arc::clone(&engine)).expect("memory"))
        .collect();
    // Those that are not kept would hold up a flush for ever.
    for cpu in &cpus[1..] {
        cpu.set_in_code(true);
    }
    let mut all = lock::all();
    engine.keep_only(&mut all, &cpus[0]);
    drop(all);
    let cache = engine.cache.as_ref().expect("a JIT");
    engine.flush(cache, engine.lock());
    for cpu in &cpus {
        cpu.set_in_code(false);
    }
}

#[test]
fn code_that_changes_is_dropped() {
    let (engine, code) = (engine(), functions());
    translate(&engine, &code);
    engine.invalidate(addr(&code, 10)..addr(&code, 20));
    for function in 0..FUNCTIONS {
        let dropped = (10..20).contains(&function);
        assert_eq!(is_known(&engine, addr(&code, function)), !dropped, "{function}");
    }
    assert_eq!(engine.statistics().invalidated, 10);
}
