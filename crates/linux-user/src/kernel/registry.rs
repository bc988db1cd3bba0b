//! [`Tasks`]: all tasks of a process, from number to handle, and who observes them.
//!
//! A task is entered by its maker before it runs and leaves when it executes no further guest instruction; so whoever
//! is alone here is single-threaded. Its lock is held over no call that may block; the child of a vfork has a list of
//! its own.

use super::stop::{Observer, Observers};
use engine::PollHandle;
use host_memory::lock::{Guard, Guarded, Level, Lock};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// One task as others see it.
#[derive(Clone)]
enum Handle {
    /// Its host thread is being made: it has no number and no CPU yet.
    Starting,
    /// It runs, or sleeps in the host's kernel.
    Running { tid: i32, poll: PollHandle },
}

#[derive(Clone, Default)]
struct List {
    handles: Vec<Handle>,
    observers: Option<Observers>,
}

impl Guarded for List {
    fn copied(&self) -> Option<List> {
        Some(self.clone())
    }

    /// The process's own is not changed by a child.
    fn owner_died(&mut self) {}
}

/// The tasks of one process.
pub struct Tasks {
    list: Lock<List>,
    /// How many handles there are, for those who only ask whether they are alone.
    count: AtomicUsize,
    /// How many tasks have run.
    so_far: AtomicUsize,
}

impl Default for Tasks {
    fn default() -> Tasks {
        Tasks {
            list: Lock::new(Level::Tasks, List::default()),
            count: AtomicUsize::new(0),
            so_far: AtomicUsize::new(0),
        }
    }
}

impl Tasks {
    /// No task yet, for a process whose tasks are to have these observers.
    #[must_use]
    pub fn observed_by(observers: Option<Observers>) -> Tasks {
        let tasks = Tasks::default();
        tasks.change(|list| list.observers = observers);
        tasks
    }

    fn lock(&self) -> Guard<'_, List> {
        self.list.lock()
    }

    fn change(&self, change: impl FnOnce(&mut List)) {
        let mut list = self.lock();
        change(&mut list);
        self.count.store(list.handles.len(), Ordering::SeqCst);
    }

    /// A task is about to be made by the calling one.
    pub fn starting(&self) {
        self.change(|list| list.handles.push(Handle::Starting));
    }

    /// The one that was starting could not be made.
    pub fn failed(&self) {
        self.change(|list| list.remove_starting());
    }

    /// One that was starting has its number and CPU, or the process has its first.
    pub fn running(&self, tid: i32, poll: PollHandle) {
        self.so_far.fetch_add(1, Ordering::Relaxed);
        self.change(|list| {
            list.remove_starting();
            list.handles.push(Handle::Running { tid, poll });
        });
    }

    /// A task ends, while others may go on.
    pub fn ended(&self, tid: i32) {
        self.change(|list| {
            list.handles
                .retain(|handle| !matches!(handle, Handle::Running { tid: other, .. } if *other == tid));
        });
    }

    /// In the child of a fork: it has this task alone.
    pub fn only(&self, tid: i32, poll: PollHandle) {
        self.so_far.store(1, Ordering::Relaxed);
        self.change(|list| list.handles = vec![Handle::Running { tid, poll }]);
    }

    /// The numbers of those that run, in the order in which they began.
    #[must_use]
    pub fn numbers(&self) -> Vec<i32> {
        let list = self.lock();
        let number = |handle: &Handle| match handle {
            Handle::Starting => None,
            Handle::Running { tid, .. } => Some(*tid),
        };
        list.handles.iter().filter_map(number).collect()
    }

    /// Whether there is more than one.
    #[must_use]
    pub fn are_several(&self) -> bool {
        self.count.load(Ordering::SeqCst) > 1
    }

    /// How many have run since the process began.
    #[must_use]
    pub fn so_far(&self) -> usize {
        self.so_far.load(Ordering::Relaxed)
    }

    /// Those who look at the tasks.
    #[must_use]
    pub fn observers(&self) -> Option<Observers> {
        self.lock().observers.clone()
    }

    /// Adds an observer, and brings the tasks that run to where they notice it.
    pub fn observe(&self, observer: Arc<dyn Observer>) {
        self.change(|list| {
            let mut all: Vec<_> = list
                .observers
                .as_ref()
                .map_or_else(Vec::new, |known| known.to_vec());
            all.push(observer);
            list.observers = Some(Arc::new(all));
            for handle in &list.handles {
                match handle {
                    // It looks for observers when it runs.
                    Handle::Starting => {}
                    Handle::Running { poll, .. } => poll.request(),
                }
            }
        });
    }

    /// Has the calls of all tasks go where observers see them, also without an observer; to be called before the first
    /// task is made.
    pub fn watch_calls(&self) {
        self.change(|list| {
            list.observers.get_or_insert_default();
        });
    }
}

impl List {
    fn remove_starting(&mut self) {
        let starting = |handle: &Handle| matches!(handle, Handle::Starting);
        if let Some(at) = self.handles.iter().position(starting) {
            self.handles.swap_remove(at);
        }
    }
}
