//! The emulator's locks: in one order, all held over fork, and none lost with a child that shares memory.
//!
//! - **Order.** Each lock has a [`Level`]; a thread takes them in rising order, which debug builds check. The list of
//!   levels is the lock order.
//! - **fork.** [`all`] takes every lock there is, so that the child's copy of memory finds what they guard whole. It needs no
//!   list of them: a lock is known from its first use on.
//! - **Children that share memory** (vfork, CLONE_VM) can be killed at any instruction, also while they hold a lock. A
//!   lock's word names its owner, so the parent, once the kernel has let go of the child's memory, finds what the
//!   child held ([`Child::bury`]). What a lock guards ([`Guarded`]) is either copied, changed, and put in place by one
//!   store, if the owner is such a child; or it is given up and made anew.
//!
//! Nothing here allocates while a lock is held, but for that copy, which lies in the child's own heap; and nothing
//! takes part in the C library's locks: the heap is built on it.
//!
//! # Safety
//! A [`Word`] is never freed. The value of a [`Lock`] is reached only by the owner of its word.

use crate::heap;
use std::cell::Cell;
use std::ops::{Deref, DerefMut};
use std::ptr;
use std::sync::atomic::{AtomicBool, AtomicPtr, AtomicU32, Ordering};

/// What is locked, in the order in which locks are taken.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
#[repr(u8)]
pub enum Level {
    /// Host threads being started and joined; the C library's own locks are only taken under it.
    Threads,
    /// The guest's memory map.
    Map,
    /// Signal dispositions.
    Actions,
    /// Translated blocks.
    Engine,
    /// The CPUs of an engine.
    Cpus,
    /// CPUs that wait to be used again.
    Pool,
    /// What the guest may execute.
    Executable,
    /// Filters of system calls.
    Filters,
    /// The guest's tasks.
    Tasks,
    /// The heap.
    Heap,
    /// The area that everything is mapped in.
    Area,
}

const LEVELS: [Level; 11] = [
    Level::Threads,
    Level::Map,
    Level::Actions,
    Level::Engine,
    Level::Cpus,
    Level::Pool,
    Level::Executable,
    Level::Filters,
    Level::Tasks,
    Level::Heap,
    Level::Area,
];

/// In a word: somebody may sleep until it is free.
const WAITED_FOR: u32 = 1 << 31;
/// In a party: it shares the memory of another process, and may be killed alone.
const MORTAL: u32 = 1 << 30;

/// Tries before a waiter sleeps: what locks are held for is short.
const SPINS: u32 = 100;

static NEXT_PARTY: AtomicU32 = AtomicU32::new(1);
static WORDS: AtomicPtr<Word> = AtomicPtr::new(ptr::null_mut());
/// Waiters that sleep, or did when they were killed.
static SLEEPERS: AtomicU32 = AtomicU32::new(0);

thread_local! {
    /// Who the thread is to the locks; a child that shares memory uses its parent's thread-local storage. 0: not known yet.
    static PARTY: Cell<u32> = const { Cell::new(0) };
    /// The child is about to execute another program or to end.
    static LEAVING: Cell<bool> = const { Cell::new(false) };
    /// Levels held, in debug builds.
    static HELD: Cell<u32> = const { Cell::new(0) };
}

fn new_party() -> u32 {
    // Wraps after a thousand million threads and children; what they held is long free then.
    let number = NEXT_PARTY.fetch_add(1, Ordering::Relaxed) & (MORTAL - 1);
    number.max(1)
}

fn party() -> u32 {
    let party = PARTY.get();
    if party != 0 {
        return party;
    }
    PARTY.set(new_party());
    PARTY.get()
}

/// Whether the caller is a process that shares another's memory.
#[must_use]
#[inline]
pub fn is_mortal() -> bool {
    PARTY.get() & MORTAL != 0
}

/// A lock's state, apart from what it guards.
pub struct Word {
    /// Its owner, 0 while it is free.
    state: AtomicU32,
    level: Level,
    /// The owner died; what is guarded has not been looked at since.
    orphaned: AtomicBool,
    listed: AtomicBool,
    /// Belongs to a [`Lock`].
    in_use: AtomicBool,
    next: AtomicPtr<Word>,
}

fn words() -> impl Iterator<Item = &'static Word> {
    // SAFETY: null, or a word, which is never freed.
    let first = unsafe { WORDS.load(Ordering::Acquire).as_ref() };
    std::iter::successors(first, |word| {
        // SAFETY: as above.
        unsafe { word.next.load(Ordering::Acquire).as_ref() }
    })
}

impl Word {
    #[must_use]
    pub const fn new(level: Level) -> Word {
        Word {
            state: AtomicU32::new(0),
            level,
            orphaned: AtomicBool::new(false),
            listed: AtomicBool::new(false),
            in_use: AtomicBool::new(true),
            next: AtomicPtr::new(ptr::null_mut()),
        }
    }

    /// One that is no longer used, or a new one.
    fn obtain(level: Level) -> &'static Word {
        let take = |word: &&Word| {
            word.level == level
                && !word.in_use.load(Ordering::Relaxed)
                && !word.in_use.swap(true, Ordering::Acquire)
        };
        let word = words()
            .find(take)
            .unwrap_or_else(|| Box::leak(Box::new(Word::new(level))));
        word.list();
        word
    }

    fn owner(&self) -> u32 {
        self.state.load(Ordering::Relaxed) & !WAITED_FOR
    }

    #[cold]
    fn list(&'static self) {
        if self.listed.load(Ordering::Relaxed) || self.listed.swap(true, Ordering::Relaxed) {
            return;
        }
        let this = ptr::from_ref(self).cast_mut();
        let mut first = WORDS.load(Ordering::Relaxed);
        loop {
            self.next.store(first, Ordering::Relaxed);
            match WORDS.compare_exchange_weak(first, this, Ordering::Release, Ordering::Relaxed) {
                Ok(_) => return,
                Err(now) => first = now,
            }
        }
    }

    /// Takes the lock.
    #[inline]
    pub fn acquire(&'static self) {
        if !self.listed.load(Ordering::Relaxed) {
            self.list();
        }
        if cfg!(debug_assertions) {
            let level = self.level as u8;
            assert!(
                HELD.get() >> level == 0,
                "locks are taken in order: {level} under {:#b}",
                HELD.get()
            );
            HELD.set(HELD.get() | 1 << level);
        }
        let party = party();
        if self
            .state
            .compare_exchange(0, party, Ordering::Acquire, Ordering::Relaxed)
            .is_err()
        {
            self.wait(party);
        }
    }

    #[cold]
    fn wait(&self, party: u32) {
        for _ in 0..SPINS {
            std::hint::spin_loop();
            if self.state.load(Ordering::Relaxed) == 0
                && self
                    .state
                    .compare_exchange(0, party, Ordering::Acquire, Ordering::Relaxed)
                    .is_ok()
            {
                return;
            }
        }
        loop {
            let state = self.state.load(Ordering::Relaxed);
            // Others may sleep as well, so whoever has slept says that somebody does.
            let wanted = if state == 0 {
                party | WAITED_FOR
            } else {
                state | WAITED_FOR
            };
            let changed = self
                .state
                .compare_exchange(state, wanted, Ordering::Acquire, Ordering::Relaxed)
                .is_ok();
            if changed && state == 0 {
                return;
            }
            if changed {
                SLEEPERS.fetch_add(1, Ordering::SeqCst);
                futex(&self.state, libc::FUTEX_WAIT, wanted);
                SLEEPERS.fetch_sub(1, Ordering::SeqCst);
            }
        }
    }

    /// Gives the lock up, which the caller must have.
    #[inline]
    pub fn release(&self) {
        if cfg!(debug_assertions) {
            HELD.set(HELD.get() & !(1 << self.level as u8));
        }
        if self.state.swap(0, Ordering::Release) & WAITED_FOR != 0 {
            futex(&self.state, libc::FUTEX_WAKE, 1);
        }
    }
}

#[cold]
fn futex(word: &AtomicU32, operation: i32, value: u32) {
    // All who use a word share its memory, whichever process they are: private futexes go by that.
    let operation = operation | libc::FUTEX_PRIVATE_FLAG;
    // SAFETY: waits at, or wakes, a word that is never freed; no timeout is passed. What it returns does not matter:
    // the caller looks again.
    unsafe { libc::syscall(libc::SYS_futex, word, operation, value, ptr::null::<u8>()) };
}

/// What a [`Lock`] guards.
pub trait Guarded: Sized {
    /// For a change by a process that may be killed in the middle of it: what it changes instead, to be put in the
    /// place at the end. None if [`Guarded::owner_died`] can do without what was there.
    fn copied(&self) -> Option<Self>;

    /// The owner of the lock died. What was changed in place may be torn: it must not be looked at, only replaced (without
    /// dropping it). What was copied is whole, but may not agree with what stands elsewhere.
    fn owner_died(&mut self);
}

/// A value that one party at a time reaches.
pub struct Lock<T: Guarded> {
    word: &'static Word,
    /// Null until a lazy one is first used.
    value: AtomicPtr<T>,
}

// SAFETY: the value is reached by one party at a time.
unsafe impl<T: Guarded + Send> Sync for Lock<T> {}
// SAFETY: as above.
unsafe impl<T: Guarded + Send> Send for Lock<T> {}

impl<T: Guarded> Lock<T> {
    #[must_use]
    pub fn new(level: Level, value: T) -> Lock<T> {
        Lock {
            word: Word::obtain(level),
            value: AtomicPtr::new(Box::into_raw(Box::new(value))),
        }
    }

    #[must_use]
    pub fn lock(&self) -> Guard<'_, T> {
        self.word.acquire();
        self.acquired()
    }

    fn acquired(&self) -> Guard<'_, T> {
        let mut guard = Guard {
            lock: self,
            copy: None,
        };
        if self.word.orphaned.load(Ordering::Relaxed) {
            guard.owner_died();
            self.word.orphaned.store(false, Ordering::Relaxed);
        }
        guard
    }

    /// The value while all locks are held.
    pub fn reach<'a>(&'a self, _: &'a mut All) -> &'a mut T {
        // SAFETY: `All` owns every word, and is borrowed as long as the value is.
        unsafe { &mut *self.value.load(Ordering::Relaxed) }
    }
}

impl<T: Guarded + Default> Lock<T> {
    /// For statics; each has a word of its own.
    #[must_use]
    pub const fn lazy(word: &'static Word) -> Lock<T> {
        Lock {
            word,
            value: AtomicPtr::new(ptr::null_mut()),
        }
    }

    /// Like [`Lock::lock`], for a lazy one.
    #[must_use]
    pub fn lock_lazy(&self) -> Guard<'_, T> {
        self.word.acquire();
        if self.value.load(Ordering::Relaxed).is_null() {
            self.value.store(Box::into_raw(Box::default()), Ordering::Relaxed);
        }
        self.acquired()
    }
}

impl<T: Guarded> Drop for Lock<T> {
    fn drop(&mut self) {
        let value = *self.value.get_mut();
        if !value.is_null() {
            // SAFETY: made by `Box::into_raw`, and nobody has the lock.
            drop(unsafe { Box::from_raw(value) });
        }
        self.word.in_use.store(false, Ordering::Release);
    }
}

/// Gives the lock up when it is dropped.
pub struct Guard<'a, T: Guarded> {
    lock: &'a Lock<T>,
    /// What a mortal owner changes.
    copy: Option<Box<T>>,
}

impl<T: Guarded> Deref for Guard<'_, T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        match &self.copy {
            Some(copy) => copy,
            // SAFETY: the caller owns the word.
            None => unsafe { &*self.lock.value.load(Ordering::Relaxed) },
        }
    }
}

impl<T: Guarded> DerefMut for Guard<'_, T> {
    #[inline]
    fn deref_mut(&mut self) -> &mut T {
        if is_mortal() && self.copy.is_none() {
            self.copy = self.deref().copied().map(Box::new);
        }
        match &mut self.copy {
            Some(copy) => copy,
            // SAFETY: the caller owns the word.
            None => unsafe { &mut *self.lock.value.load(Ordering::Relaxed) },
        }
    }
}

impl<T: Guarded> Drop for Guard<'_, T> {
    #[inline]
    fn drop(&mut self) {
        let replaced = self
            .copy
            .take()
            .map(|copy| self.lock.value.swap(Box::into_raw(copy), Ordering::AcqRel));
        self.lock.word.release();
        if let Some(value) = replaced {
            // SAFETY: made by `Box::into_raw`, and no longer reachable.
            drop(unsafe { Box::from_raw(value) });
        }
    }
}

/// Every lock there is. To be kept over fork in both processes; nothing may be allocated meanwhile.
pub struct All(());

/// Takes every lock; the caller has none.
#[must_use]
pub fn all() -> All {
    for level in LEVELS {
        for word in words().filter(|word| word.level == level) {
            if cfg!(debug_assertions) {
                // Several of one level: this is the only one who takes them so, always in the order of the list.
                HELD.set(HELD.get() & !(1 << level as u8));
            }
            word.acquire();
        }
    }
    All(())
}

impl Drop for All {
    fn drop(&mut self) {
        let me = party();
        for word in words().filter(|word| word.owner() == me) {
            word.release();
        }
    }
}

/// The calling process has become the only user of its memory: the child of a fork.
pub fn become_whole() {
    if is_mortal() {
        PARTY.set(new_party());
        heap::become_whole();
    }
}

/// Whether the calling child is about to leave the memory it shares, between changes of anything: what it finds as it
/// leaves can be trusted. To be taken back when it goes on.
pub fn leaving(leaving: bool) {
    if is_mortal() {
        LEAVING.set(leaving);
    }
}

/// How a child ended, as far as its parent must know.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct End {
    /// It left by itself. Else it was killed, and whatever it alone may have been changing is torn.
    pub in_order: bool,
    /// It had locks.
    pub held: bool,
}

/// A child that shares the caller's memory and thread-local storage, while the caller sleeps.
pub struct Child {
    child: u32,
    parent: u32,
    /// The heap of a parent that is such a child itself.
    parents_heap: *const (),
}

impl Child {
    /// To be called right before the child is made: from now on the thread is the child to the locks.
    #[must_use]
    pub fn expect() -> Child {
        let child = Child {
            child: new_party() | MORTAL,
            parent: party(),
            parents_heap: heap::expect_child(),
        };
        PARTY.set(child.child);
        LEAVING.set(false);
        child
    }

    /// The child is gone from this memory: the thread is itself again, and what the child held is free.
    pub fn bury(self) -> End {
        PARTY.set(self.parent);
        let in_order = LEAVING.replace(false);
        heap::child_is_gone();
        heap::return_to(self.parents_heap);
        if cfg!(debug_assertions) {
            HELD.set(0);
        }
        let mut held = false;
        for word in words() {
            if word.owner() == self.child {
                held = true;
                word.orphaned.store(true, Ordering::Relaxed);
                word.state.store(0, Ordering::Release);
            }
            // It may have died between giving a lock up and waking who waits for it.
            if SLEEPERS.load(Ordering::SeqCst) != 0 {
                futex(&word.state, libc::FUTEX_WAKE, i32::MAX as u32);
            }
        }
        End { in_order, held }
    }
}

/// A number that one party gives and another waits for, whatever becomes of the first.
#[derive(Default)]
pub struct Answer(AtomicU32);

impl Answer {
    /// Gives the number, which is not 0; a second one is ignored.
    pub fn give(&self, number: i32) {
        let _ = self
            .0
            .compare_exchange(0, number as u32, Ordering::Release, Ordering::Relaxed);
        futex(&self.0, libc::FUTEX_WAKE, i32::MAX as u32);
    }

    /// Waits for the number.
    #[must_use]
    pub fn wait(&self) -> i32 {
        loop {
            match self.0.load(Ordering::Acquire) {
                0 => futex(&self.0, libc::FUTEX_WAIT, 0),
                number => return number as i32,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;
    use std::time::{Duration, Instant};

    /// A counter that is copied, or one that is made anew.
    struct Counter {
        copies: bool,
        value: u64,
        deaths: u32,
    }

    impl Guarded for Counter {
        fn copied(&self) -> Option<Counter> {
            self.copies.then_some(Counter { ..*self })
        }
        fn owner_died(&mut self) {
            self.deaths += 1;
        }
    }

    fn counter(copies: bool) -> Counter {
        Counter {
            copies,
            value: 0,
            deaths: 0,
        }
    }

    #[test]
    fn one_at_a_time() {
        let lock = Arc::new(Lock::new(Level::Map, counter(false)));
        let threads: Vec<_> = (0..4)
            .map(|_| {
                let lock = Arc::clone(&lock);
                std::thread::spawn(move || (0..100_000).for_each(|_| lock.lock().value += 1))
            })
            .collect();
        for thread in threads {
            thread.join().expect("counts");
        }
        assert_eq!(lock.lock().value, 400_000);
    }

    #[test]
    fn what_a_dead_child_held_is_free_and_whole() {
        for (copies, expected) in [(true, 1), (false, 3)] {
            let lock = Lock::new(Level::Map, counter(copies));
            lock.lock().value = 1;
            let child = Child::expect();
            let mut guard = lock.lock();
            guard.value = 3;
            // The child dies here.
            std::mem::forget(guard);
            assert_eq!(
                child.bury(),
                End {
                    in_order: false,
                    held: true
                }
            );
            let guard = lock.lock();
            assert_eq!((guard.value, guard.deaths), (expected, 1), "copies: {copies}");
            drop(guard);
            assert_eq!(lock.lock().deaths, 1);
        }
    }

    #[test]
    fn a_child_that_ends_in_order_leaves_its_changes() {
        let lock = Lock::new(Level::Map, counter(true));
        let child = Child::expect();
        lock.lock().value = 3;
        leaving(true);
        assert_eq!(
            child.bury(),
            End {
                in_order: true,
                held: false
            }
        );
        let guard = lock.lock();
        assert_eq!((guard.value, guard.deaths), (3, 0));
    }

    #[test]
    fn who_waits_for_a_dead_child_goes_on() {
        let lock = Arc::new(Lock::new(Level::Map, counter(true)));
        let child = Child::expect();
        std::mem::forget(lock.lock());
        let waiter = std::thread::spawn({
            let lock = Arc::clone(&lock);
            move || lock.lock().deaths
        });
        let start = Instant::now();
        while SLEEPERS.load(Ordering::SeqCst) == 0 && start.elapsed() < Duration::from_secs(10) {
            std::thread::yield_now();
        }
        assert!(child.bury().held);
        assert_eq!(waiter.join().expect("ends"), 1);
    }

    /// In a process of its own: the tests beside this one have locks as well.
    #[test]
    fn all_are_held_over_fork() {
        let lock = Arc::new(Lock::new(Level::Engine, counter(false)));
        let other = Lock::new(Level::Engine, counter(false));
        drop(lock.lock());
        drop(other.lock());
        let mut all = all();
        lock.reach(&mut all).value = 7;
        assert!(lock.word.owner() == other.word.owner() && lock.word.owner() == party());
        let waiter = std::thread::spawn({
            let lock = Arc::clone(&lock);
            move || lock.lock().value
        });
        std::thread::sleep(Duration::from_millis(20));
        assert!(!waiter.is_finished());
        drop(all);
        assert_eq!(waiter.join().expect("ends"), 7);
    }

    #[test]
    #[should_panic(expected = "in order")]
    #[cfg(debug_assertions)]
    fn the_order_is_checked() {
        let (low, high) = (
            Lock::new(Level::Map, counter(false)),
            Lock::new(Level::Engine, counter(false)),
        );
        let _high = high.lock();
        let _low = low.lock();
    }
}
