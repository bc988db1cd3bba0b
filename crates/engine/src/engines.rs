//! The engines of this process, as signal handlers know them: by the addresses of their code.
//!
//! The command has one; the library has one for each machine. What a handler finds at a host address in
//! generated code is the engine whose CPU was running there, so it is alive; no other is looked into.
//!
//! # Safety
//! The list only grows, and its nodes are never freed: a handler may walk it at any time.

use crate::engine::Engine;
use std::ops::Range;
use std::ptr;
use std::sync::atomic::{AtomicPtr, AtomicU64, Ordering};

struct Node {
    engine: *const Engine,
    /// Of its code.
    start: u64,
    /// 0 once the engine has gone.
    end: AtomicU64,
    next: *const Node,
}

static FIRST: AtomicPtr<Node> = AtomicPtr::new(ptr::null_mut());

fn nodes() -> impl Iterator<Item = &'static Node> {
    // SAFETY: null, or a node that is never freed.
    let first = unsafe { FIRST.load(Ordering::Acquire).as_ref() };
    // SAFETY: as above; `next` was written before the node was published.
    std::iter::successors(first, |node| unsafe { node.next.as_ref() })
}

/// From now on handlers find `engine` at these addresses.
pub fn add(engine: *const Engine, code: &Range<u64>) {
    let node = Box::leak(Box::new(Node {
        engine,
        start: code.start,
        end: AtomicU64::new(code.end),
        next: FIRST.load(Ordering::Acquire),
    }));
    while let Err(now) =
        FIRST.compare_exchange_weak(node.next.cast_mut(), node, Ordering::AcqRel, Ordering::Acquire)
    {
        node.next = now;
    }
}

/// No CPU of `engine` will run any more.
pub fn remove(engine: *const Engine) {
    // An address is used again: the others of it have gone before.
    for node in nodes().filter(|node| ptr::eq(node.engine, engine)) {
        node.end.store(0, Ordering::Release);
    }
}

/// The engine whose code is at `host_pc`, where the calling thread was stopped. Async-signal-safe.
pub fn running(host_pc: u64) -> Option<&'static Engine> {
    let node = nodes().find(|node| (node.start..node.end.load(Ordering::Acquire)).contains(&host_pc))?;
    // SAFETY: a thread runs code at this address, so its engine has a CPU, which keeps it alive.
    unsafe { node.engine.as_ref() }
}
