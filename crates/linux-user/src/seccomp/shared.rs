//! [`Shared`]: what the threads of a process must know of each other's filters, for SECCOMP_FILTER_FLAG_TSYNC.
//!
//! A thread's filters stand in its own state. Those that have some are listed here as well. A synchronisation gives all
//! threads the same filters: it leaves them here and counts up; a thread that has not followed the last one does so
//! before it is asked about its next call ([`super::check`]), also if it was only being made meanwhile.
//!
//! The lock is held while a filter is installed, so that two threads come one after the other.

use super::filter::{Filter, is_among};
use super::install::{has_no_new_privs, set_no_new_privs};
use crate::kernel::task::Task;
use host_memory::lock::{Guard, Guarded, Level, Lock};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Under the lock.
#[derive(Clone, Default)]
pub struct List {
    /// The threads that have filters of their own, and which.
    threads: Vec<(i32, Arc<Filter>)>,
    /// What the last synchronisation gave to all.
    last: Option<Synchronised>,
}

#[derive(Clone)]
struct Synchronised {
    filters: Arc<Filter>,
    /// no_new_privs came with it.
    no_new_privs: bool,
    /// How many filters of ours the host's kernel has given to all with it.
    marks: u64,
}

impl Guarded for List {
    fn copied(&self) -> Option<List> {
        Some(self.clone())
    }

    /// The process's own is not changed by a child.
    fn owner_died(&mut self) {}
}

/// The filters of one process's threads.
pub struct Shared {
    list: Lock<List>,
    /// How many synchronisations there were.
    generation: AtomicU64,
}

impl Default for Shared {
    fn default() -> Shared {
        Shared {
            list: Lock::new(Level::Filters, List::default()),
            generation: AtomicU64::new(0),
        }
    }
}

impl Shared {
    /// Of a child that shares memory, which has one thread. That one has followed what its maker has.
    #[must_use]
    pub fn for_child(&self) -> Shared {
        Shared {
            generation: AtomicU64::new(self.generation()),
            ..Shared::default()
        }
    }

    #[inline]
    pub(super) fn generation(&self) -> u64 {
        self.generation.load(Ordering::Acquire)
    }

    pub(super) fn lock(&self) -> Guard<'_, List> {
        self.list.lock()
    }

    /// A thread begins, with what its maker had.
    pub fn begin(&self, tid: i32, filters: Option<&Arc<Filter>>) {
        if let Some(filters) = filters {
            self.lock().note(tid, filters);
        }
    }

    /// A thread ends.
    pub fn end(&self, tid: i32, filters: Option<&Arc<Filter>>) {
        if filters.is_some() {
            self.lock().threads.retain(|(other, _)| *other != tid);
        }
    }

    /// In the child of a fork: it has one thread.
    pub fn only(&self, tid: i32, filters: Option<&Arc<Filter>>) {
        if filters.is_some() {
            let mut list = self.lock();
            list.threads.clear();
            list.threads
                .extend(filters.map(|filters| (tid, Arc::clone(filters))));
        }
    }

    /// All threads have these now.
    pub(super) fn give_to_all(&self, list: &mut List, filters: &Arc<Filter>, marks: u64) {
        list.last = Some(Synchronised {
            filters: Arc::clone(filters),
            no_new_privs: has_no_new_privs(),
            marks,
        });
        for (_, others) in &mut list.threads {
            *others = Arc::clone(filters);
        }
        self.generation.fetch_add(1, Ordering::Release);
    }
}

impl List {
    pub(super) fn note(&mut self, tid: i32, filters: &Arc<Filter>) {
        self.threads.retain(|(other, _)| *other != tid);
        self.threads.push((tid, Arc::clone(filters)));
    }

    /// A thread that the caller `tid` cannot be synchronised with: it has filters that the caller has not.
    pub(super) fn apart_from(&self, tid: i32, filters: Option<&Arc<Filter>>) -> Option<i32> {
        let apart = |(other, theirs): &&(i32, Arc<Filter>)| *other != tid && !is_among(Some(theirs), filters);
        self.threads.iter().find(apart).map(|(other, _)| *other)
    }
}

/// Takes what the last synchronisation left.
#[cold]
pub(super) fn follow(task: &mut Task) {
    let process = Arc::clone(&task.process);
    let mut list = process.filters.lock();
    let seccomp = &mut task.state.seccomp;
    if let Some(Synchronised {
        filters,
        no_new_privs,
        marks,
    }) = list.last.clone()
    {
        // Not if it has more already: it installed them on top.
        if !is_among(Some(&filters), seccomp.filters.as_ref()) {
            list.note(task.tid, &filters);
            seccomp.filters = Some(filters);
            // Where the host was not asked, this is less than what a thread may have by itself.
            seccomp.marks = seccomp.marks.max(marks);
        }
        if no_new_privs {
            set_no_new_privs();
        }
    }
    seccomp.synced = process.filters.generation();
}
