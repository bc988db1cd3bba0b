//! The emulator's locks: in one order, all held over fork, and none lost with a child that shares memory.
//!
//! - **Order.** Each lock has a [`Level`]; a thread takes them in rising order, which debug builds check. The list of
//!   levels is the lock order.
//! - **fork.** [`all`] takes every lock there is, so that the child's copy of memory finds what they guard whole. It needs no
//!   list of them: a lock is known from its first use on.
//! - **Children that share memory** (vfork, CLONE_VM) can be killed at any instruction, also while they hold a lock. A
//!   lock's word names its owner, so the parent, once the kernel has let go of the child's memory, finds what the
//!   child held ([`Child::bury`]). What a lock guards ([`Guarded`]) is either copied, changed, and put in place by one
//!   store, as long as there are such children; or it is given up and made anew.
//! - **Their makers** can be killed as well, and then nobody buries. So who has waited long asks whether the owner still
//!   lives ([`crate::party`]), and takes the lock from a dead one.
//!
//! Nothing here allocates while a lock is held, but for that copy, which lies in the child's own heap; and nothing
//! takes part in the C library's locks: the heap is built on it.
//!
//! # Safety
//! A [`Word`] is never freed. The value of a [`Lock`] is reached only by the owner of its word.

use crate::heap;
use crate::party::{NOBODY, Party};
use std::cell::Cell;
use std::ops::{Deref, DerefMut};
use std::ptr;
use std::sync::atomic::{AtomicBool, AtomicPtr, AtomicU32, Ordering};
use std::time::Duration;

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
/// In a word and in [`PARTY`]: the party shares the memory of another process, and may be killed alone.
const MORTAL: u32 = 1 << 30;

/// Tries before a waiter sleeps: what locks are held for is short.
const SPINS: u32 = 100;

/// How long a waiter sleeps before it asks after the owner: at first, and at most.
const PATIENCE: [Duration; 2] = [Duration::from_millis(10), Duration::from_secs(1)];

/// Children that share this memory. Those whose maker was killed count for good.
static SHARERS: AtomicU32 = AtomicU32::new(0);
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

fn me() -> u32 {
    let me = PARTY.get();
    if me != 0 {
        return me;
    }
    PARTY.set(Party::of_this_thread().0);
    PARTY.get()
}

/// The calling thread or child.
#[must_use]
pub fn party() -> Party {
    Party(me() & !MORTAL)
}

/// The calling thread ends, and takes no lock any more.
pub(crate) fn forget_thread() {
    let me = PARTY.replace(0);
    if me != 0 {
        Party(me).leave();
    }
}

/// Whether a part of those who use this memory can be killed: there are children that share it, or the caller is one.
#[must_use]
#[inline]
pub fn others_may_die() -> bool {
    SHARERS.load(Ordering::SeqCst) != 0
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
        word.orphaned.store(false, Ordering::Relaxed);
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

    /// To be called by the owner: whether the one before died, and what is guarded has not been looked at since.
    #[inline]
    pub fn is_orphaned(&self) -> bool {
        self.orphaned.load(Ordering::Relaxed)
    }

    /// To be called by the owner, who has looked.
    pub fn adopt(&self) {
        self.orphaned.store(false, Ordering::Relaxed);
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
        let me = me();
        if self
            .state
            .compare_exchange(0, me, Ordering::Acquire, Ordering::Relaxed)
            .is_err()
        {
            self.wait(me);
        }
    }

    #[cold]
    fn wait(&self, me: u32) {
        for _ in 0..SPINS {
            std::hint::spin_loop();
            if self.state.load(Ordering::Relaxed) == 0
                && self
                    .state
                    .compare_exchange(0, me, Ordering::Acquire, Ordering::Relaxed)
                    .is_ok()
            {
                return;
            }
        }
        let [mut patience, longest] = PATIENCE;
        loop {
            let state = self.state.load(Ordering::Relaxed);
            // Others may sleep as well, so whoever has slept says that somebody does.
            let wanted = if state == 0 {
                me | WAITED_FOR
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
            if changed && self.sleep(wanted, others_may_die().then_some(patience)) {
                if self.take_from_dead(me, wanted) {
                    return;
                }
                patience = longest.min(patience * 2);
            }
        }
    }

    /// Until the state is another; says whether that took too long.
    fn sleep(&self, state: u32, patience: Option<Duration>) -> bool {
        SLEEPERS.fetch_add(1, Ordering::SeqCst);
        let timed_out = futex(&self.state, libc::FUTEX_WAIT, state, patience) == Err(libc::ETIMEDOUT);
        SLEEPERS.fetch_sub(1, Ordering::SeqCst);
        timed_out
    }

    /// Takes the lock, which is in this state, if its owner is dead.
    fn take_from_dead(&self, me: u32, state: u32) -> bool {
        let owner = Party(state & !(WAITED_FOR | MORTAL));
        let taken = owner.is_dead()
            && self
                .state
                .compare_exchange(state, me | WAITED_FOR, Ordering::Acquire, Ordering::Relaxed)
                .is_ok();
        if taken {
            // Who dies right here leaves a dead owner behind as well.
            self.orphaned.store(true, Ordering::Relaxed);
        }
        taken
    }

    /// Frees the lock if it is this dead party's; says whether it was.
    fn take_back_from(&self, dead: Party) -> bool {
        loop {
            let state = self.state.load(Ordering::Relaxed);
            if state & !(WAITED_FOR | MORTAL) != dead.0 {
                return false;
            }
            self.orphaned.store(true, Ordering::Relaxed);
            // A waiter may have asked after it, and be faster.
            let freed = self
                .state
                .compare_exchange(state, 0, Ordering::Release, Ordering::Relaxed);
            if freed.is_ok() {
                return true;
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
            wake(&self.state, 1);
        }
    }
}

#[cold]
fn futex(word: &AtomicU32, operation: i32, value: u32, patience: Option<Duration>) -> Result<(), i32> {
    // All who use a word share its memory, whichever process they are: private futexes go by that.
    let operation = operation | libc::FUTEX_PRIVATE_FLAG;
    let timeout = patience.map(|time| libc::timespec {
        tv_sec: time.as_secs() as i64,
        tv_nsec: i64::from(time.subsec_nanos()),
    });
    let timeout = timeout.as_ref().map_or(ptr::null(), ptr::from_ref);
    // SAFETY: waits at, or wakes, a word that is never freed; a timeout is read only.
    match unsafe { libc::syscall(libc::SYS_futex, word, operation, value, timeout) } {
        // SAFETY: the calling thread's own.
        -1 => Err(unsafe { *libc::__errno_location() }),
        _ => Ok(()),
    }
}

fn wake(word: &AtomicU32, count: i32) {
    // There may be nobody.
    let _ = futex(word, libc::FUTEX_WAKE, count as u32, None);
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
        if self.word.is_orphaned() {
            guard.owner_died();
            self.word.adopt();
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
    /// What an owner changes that may be killed alone.
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
        if others_may_die() && self.copy.is_none() {
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
        let me = me();
        for word in words().filter(|word| word.owner() == me) {
            word.release();
        }
    }
}

/// The calling process has become the only user of its memory: the child of a fork.
pub fn become_whole() {
    let was_mortal = is_mortal();
    SHARERS.store(0, Ordering::SeqCst);
    PARTY.set(Party::alone().0);
    if was_mortal {
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
    child: Party,
    parent: u32,
    /// The heap of a parent that is such a child itself.
    parents_heap: *const (),
}

impl Child {
    /// To be called right before the child is made: from now on the thread is the child to the locks.
    #[must_use]
    pub fn expect() -> Child {
        let parent = me();
        let child = Child {
            child: Party::of_child(Party(parent & !MORTAL)),
            parent,
            parents_heap: heap::expect_child(),
        };
        if SHARERS.fetch_add(1, Ordering::SeqCst) == 0 {
            // Who has a lock may be changing what it guards in place: that must be over.
            drop(all());
        }
        PARTY.set(child.child.0 | MORTAL);
        LEAVING.set(false);
        child
    }

    /// Where the kernel is to write the child's number as the caller sees it (CLONE_PARENT_SETTID), so that it is known
    /// even if both are killed before the child runs. None if there are too many parties.
    #[must_use]
    pub fn number_at(&self) -> Option<*mut i32> {
        self.child.number_at()
    }

    /// The child is gone from this memory: the thread is itself again, and what the child held is free. A child of the
    /// child's may still use the thread's storage: then this waits until it is gone, too.
    pub fn bury(self) -> End {
        self.child.outlive_descendants(party);
        let mut dead = party();
        let alone = dead == self.child;
        let mut held = false;
        loop {
            for word in words() {
                held |= word.take_back_from(dead);
            }
            let maker = dead.maker();
            dead.leave();
            if dead == self.child {
                break;
            }
            SHARERS.fetch_sub(1, Ordering::SeqCst);
            dead = if maker == NOBODY { self.child } else { maker };
        }
        let in_order = LEAVING.replace(false) && alone;
        PARTY.set(self.parent);
        SHARERS.fetch_sub(1, Ordering::SeqCst);
        heap::child_is_gone();
        heap::return_to(self.parents_heap);
        if cfg!(debug_assertions) {
            HELD.set(0);
        }
        // One may have died between giving a lock up and waking who waits for it.
        if SLEEPERS.load(Ordering::SeqCst) != 0 {
            for word in words() {
                wake(&word.state, i32::MAX);
            }
        }
        End { in_order, held }
    }
}

/// The calling child exists: it finds out whether others see its number as it does.
pub fn introduce() {
    party().introduce();
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
        wake(&self.0, i32::MAX);
    }

    /// Waits for the number.
    #[must_use]
    pub fn wait(&self) -> i32 {
        loop {
            match self.0.load(Ordering::Acquire) {
                0 => drop(futex(&self.0, libc::FUTEX_WAIT, 0, None)),
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

    /// As if its process had been killed, with nobody to bury it.
    #[test]
    fn a_lock_is_taken_from_a_dead_owner() {
        let lock = Arc::new(Lock::new(Level::Map, counter(true)));
        let child = Child::expect();
        let owner = Arc::clone(&lock);
        std::thread::spawn(move || std::mem::forget(owner.lock()))
            .join()
            .expect("ends");
        assert_eq!(lock.lock().deaths, 1);
        assert!(!child.bury().held);
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
        assert!(lock.word.owner() == other.word.owner() && lock.word.owner() == me());
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
