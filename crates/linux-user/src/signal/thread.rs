//! [`ThreadSignals`]: a thread's mask, and what its host handlers recorded.
//!
//! The host's signal mask of a guest thread is the guest's own mask (without the SYNC
//! signals), so the host's kernel queues, chooses among threads, and answers sigpending,
//! signalfd and sigtimedwait. When a host handler records a signal it leaves with all
//! signals blocked: at most one is ever recorded, and it is the one the kernel chose. The
//! mask is opened again when that signal is delivered.

use super::info::SigInfo;
use super::set::{SIGTRAP, SYNC, SYNC_SET, SigSet, UNBLOCKABLE};
use crate::host;
use engine::PollHandle;
use linux_abi::nr::x86_64 as nr;
use linux_abi::{Errno, SysResult, flags};
use std::cell::UnsafeCell;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

/// One slot for the signal the kernel chose, and one for each SYNC signal sent by a process.
const SLOTS: usize = 1 + SYNC.len();
const GENERAL: u32 = 1;
/// The thread is to leave its run loop: no signal, and nothing is delivered any more.
const END: u32 = 1 << 31;

/// The tracer wants the thread at a boundary ([`crate::kernel::ptrace::attend`]).
pub const ATTEND: u32 = 1 << 30;

/// What the host handlers of a thread see and change.
pub(super) struct Recorded {
    /// Bit n: slot n holds a signal to deliver at the next guest boundary.
    pending: AtomicU32,
    /// SYNC signals that were sent while the guest blocks them.
    held: AtomicU32,
    /// The guest's mask.
    mask: AtomicU64,
    slots: [UnsafeCell<SigInfo>; SLOTS],
    poll: PollHandle,
}

// SAFETY: the slots are touched by the thread alone that the state belongs to; others have an `Alarm`, which reaches the
// atomics and the poll handle only.
unsafe impl Send for Recorded {}
// SAFETY: as above.
unsafe impl Sync for Recorded {}

/// Has a thread leave its run loop, from any other.
pub struct Alarm(Arc<Recorded>);

impl Alarm {
    /// From now on the thread stops at its next boundary. What it waits for in the kernel, a signal has to end.
    pub fn end(&self) {
        self.0.pending.fetch_or(END, Ordering::SeqCst);
        self.0.poll.request();
    }
}

/// The slot of a signal.
fn slot_of(signal: i32) -> usize {
    SYNC.iter()
        .position(|&sync| sync == signal)
        .map_or(0, |index| index + 1)
}

impl Recorded {
    /// Called by the handler of a tracer's doorbell, as [`Recorded::record`].
    pub(super) fn attend(&self) {
        self.pending.fetch_or(ATTEND, Ordering::SeqCst);
        self.poll.request();
    }

    /// Called by host handlers, on the thread itself. Returns whether the guest has to be
    /// interrupted for it.
    pub(super) fn record(&self, signal: i32, info: &SigInfo) -> bool {
        if self.pending.load(Ordering::Relaxed) & END != 0 {
            return true;
        }
        if signal == SIGTRAP && super::core_file::threads::are_wanted() {
            // The thread is to leave its run loop, for its registers.
            self.pending.fetch_or(END, Ordering::SeqCst);
            self.poll.request();
            return true;
        }
        let slot = slot_of(signal);
        // SAFETY: only this thread touches its slots; outside of handlers it does so only
        // after taking the slot's bit, while this handler cannot run for the slot (the
        // general slot: all signals blocked) or while a lost duplicate does no harm (SYNC).
        unsafe { *self.slots[slot].get() = *info };
        if slot != 0 && self.mask.load(Ordering::Relaxed) & super::set::bit(signal) != 0 {
            self.held.fetch_or(1 << slot, Ordering::Relaxed);
            return false;
        }
        self.pending.fetch_or(1 << slot, Ordering::SeqCst);
        self.poll.request();
        true
    }
}

/// A thread's signal state.
pub struct ThreadSignals {
    recorded: Arc<Recorded>,
}

/// What of a thread's signal state a vfork child starts with and must not change.
#[derive(Clone, Copy)]
pub struct Saved {
    mask: SigSet,
    held: u32,
}

/// What [`ThreadSignals::admit`] changed.
#[must_use]
pub struct Admission {
    before: SigSet,
    exposed: bool,
}

impl ThreadSignals {
    /// For the thread that calls it; `mask` is the guest's.
    #[must_use]
    pub fn new(poll: PollHandle, mask: SigSet) -> ThreadSignals {
        ThreadSignals {
            recorded: Arc::new(Recorded {
                pending: AtomicU32::new(0),
                held: AtomicU32::new(0),
                mask: AtomicU64::new(mask & !UNBLOCKABLE),
                slots: [const { UnsafeCell::new(SigInfo::ZERO) }; SLOTS],
                poll,
            }),
        }
    }

    pub(super) fn recorded(&self) -> &Recorded {
        &self.recorded
    }

    /// Whether a tracer called for attention; it has it then.
    #[must_use]
    pub fn take_attention(&self) -> bool {
        let pending = &self.recorded.pending;
        pending.load(Ordering::SeqCst) & ATTEND != 0
            && pending.fetch_and(!ATTEND, Ordering::SeqCst) & ATTEND != 0
    }

    /// Nonzero while a signal waits to be delivered at the next guest boundary.
    #[must_use]
    pub fn pending(&self) -> &AtomicU32 {
        &self.recorded.pending
    }

    /// For other threads to end this one's by.
    #[must_use]
    pub fn alarm(&self) -> Alarm {
        Alarm(Arc::clone(&self.recorded))
    }

    /// Whether an [`Alarm`] has been raised.
    #[must_use]
    pub fn is_ending(&self) -> bool {
        self.recorded.pending.load(Ordering::SeqCst) & END != 0
    }

    /// Takes an [`Alarm`] back, once all that may raise it are gone, and what was to be delivered before.
    pub fn forget_end(&self) {
        self.recorded.pending.store(0, Ordering::SeqCst);
    }

    #[must_use]
    pub fn is_pending(&self) -> bool {
        self.recorded.pending.load(Ordering::SeqCst) != 0
    }

    /// The guest's mask.
    #[must_use]
    pub fn mask(&self) -> SigSet {
        self.recorded.mask.load(Ordering::Relaxed)
    }

    /// SYNC signals that wait until the guest unblocks them.
    #[must_use]
    pub fn held(&self) -> SigSet {
        let held = self.recorded.held.load(Ordering::Relaxed);
        SYNC.iter()
            .enumerate()
            .filter(|(index, _)| held & (2 << index) != 0)
            .fold(0, |set, (_, &signal)| set | super::set::bit(signal))
    }

    /// Takes a held signal of `set`, for sigtimedwait.
    pub fn take_held(&self, set: SigSet) -> Option<SigInfo> {
        let signal = *SYNC
            .iter()
            .find(|&&signal| self.held() & set & super::set::bit(signal) != 0)?;
        let slot = slot_of(signal);
        // SAFETY: see `Recorded::record`.
        let info = unsafe { *self.recorded.slots[slot].get() };
        self.recorded.held.fetch_and(!(1 << slot), Ordering::Relaxed);
        Some(info)
    }

    /// Takes the next signal to deliver. After the general slot was taken all signals stay
    /// blocked until [`ThreadSignals::open`].
    pub fn take(&self) -> Option<SigInfo> {
        let pending = self.recorded.pending.load(Ordering::SeqCst) & !ATTEND;
        if pending == 0 {
            return None;
        }
        let slot = pending.trailing_zeros();
        // SAFETY: see `Recorded::record`.
        let info = unsafe { *self.recorded.slots[slot as usize].get() };
        self.recorded.pending.fetch_and(!(1 << slot), Ordering::SeqCst);
        Some(info)
    }

    /// The SYNC signals that wait to be delivered, if nothing else does.
    #[must_use]
    pub fn only_sync(&self) -> SigSet {
        let pending = self.recorded.pending.load(Ordering::SeqCst);
        let sync = SYNC
            .iter()
            .map(|&signal| (1 << slot_of(signal), super::set::bit(signal)));
        let (slots, set) = sync
            .filter(|(slot, _)| pending & slot != 0)
            .fold((0, 0), |(slots, set), (slot, bit)| (slots | slot, set | bit));
        if slots == pending { set } else { 0 }
    }

    /// Takes SYNC signals of the set from those that wait to be delivered.
    pub fn forget(&self, set: SigSet) {
        let unwanted = SYNC.iter().filter(|&&signal| set & super::set::bit(signal) != 0);
        let slots = unwanted.fold(0, |slots, &signal| slots | 1 << slot_of(signal));
        self.recorded.pending.fetch_and(!slots, Ordering::SeqCst);
    }

    /// Records the guest's new mask without telling the host.
    pub fn note_mask(&self, mask: SigSet) {
        let mask = mask & !UNBLOCKABLE;
        self.recorded.mask.store(mask, Ordering::Relaxed);
        for (index, &signal) in SYNC.iter().enumerate() {
            let slot = 2_u32 << index;
            if mask & super::set::bit(signal) == 0
                && self.recorded.held.fetch_and(!slot, Ordering::Relaxed) & slot != 0
            {
                self.recorded.pending.fetch_or(slot, Ordering::SeqCst);
            }
        }
    }

    /// Changes the guest's mask, in the host as well.
    ///
    /// # Errors
    /// [`host::ERESTART`], with nothing changed, if a signal is to be delivered first.
    pub fn set_mask(&self, mask: SigSet) -> SysResult {
        self.open_with(mask)?;
        self.note_mask(mask);
        Ok(0)
    }

    /// Gives the host the guest's mask after a delivery. If another signal was recorded
    /// meanwhile nothing changes: its delivery comes here again.
    pub fn open(&self) {
        let _ = self.open_with(self.mask());
    }

    /// Gives the host the guest mask `mask`.
    ///
    /// # Errors
    /// [`host::ERESTART`] if a signal is to be delivered first.
    pub fn open_with(&self, mask: SigSet) -> SysResult {
        let set = mask & !SYNC_SET;
        let args = [flags::SIG_SETMASK, (&raw const set) as u64, 0, 8, 0, 0];
        // SAFETY: the kernel reads eight bytes, which `set` is.
        unsafe { host::interruptible(&self.recorded.pending, nr::rt_sigprocmask, args) }
    }

    /// Gives the host the guest's whole mask, for a new program to inherit.
    ///
    /// # Errors
    /// [`host::ERESTART`] if a signal is to be delivered first.
    pub fn expose_mask(&self) -> SysResult {
        let set = self.mask();
        let args = [flags::SIG_SETMASK, (&raw const set) as u64, 0, 8, 0, 0];
        // SAFETY: the kernel reads eight bytes, which `set` is.
        unsafe { host::interruptible(&self.recorded.pending, nr::rt_sigprocmask, args) }
    }

    /// Gives the held signals back to the host's kernel, for a new program to inherit; the
    /// whole mask is exposed. They are recorded again when the mask is opened.
    pub fn expose_held(&self, tid: i32) {
        // getpid cannot fail.
        let pid = host::getpid() as u64;
        while let Some(info) = self.take_held(SigSet::MAX) {
            let args = [
                pid,
                tid as u64,
                info.signal() as u64,
                (&raw const info) as u64,
                0,
                0,
            ];
            // To oneself any siginfo may be sent.
            // SAFETY: the kernel reads a siginfo_t, which the argument points to.
            let _ = unsafe { host::raw(nr::rt_tgsigqueueinfo, args) };
        }
    }

    /// Before a call for whose duration the kernel puts `mask` in place (ppoll(2) and its like): SYNC signals are judged
    /// by that mask from now on, and those held that it admits are the host's again, for the call to find.
    ///
    /// # Errors
    /// [`host::ERESTART`], with nothing changed, if a signal is to be delivered first.
    pub fn admit(&self, mask: SigSet, tid: i32) -> Result<Admission, Errno> {
        let before = self.mask();
        let exposed = self.held() & !mask != 0;
        if exposed {
            // Blocked in the host until the call admits them.
            self.expose_mask()?;
            self.expose_held(tid);
        }
        self.recorded.mask.store(mask & !UNBLOCKABLE, Ordering::Relaxed);
        Ok(Admission { before, exposed })
    }

    /// After such a call. The kernel has put back the host's mask, or a handler has closed it.
    pub fn end_admission(&self, admission: Admission) {
        self.recorded.mask.store(admission.before, Ordering::Relaxed);
        if admission.exposed {
            // The SYNC signals first, in any case: until here they are blocked.
            set_host_mask(!SYNC_SET);
            self.open();
        }
    }

    /// Blocks all signals, so that none is recorded until [`ThreadSignals::open`].
    ///
    /// # Errors
    /// [`host::ERESTART`], with nothing changed, if one is recorded already.
    pub fn close(&self) -> Result<(), Errno> {
        let set = !SYNC_SET;
        let args = [flags::SIG_SETMASK, (&raw const set) as u64, 0, 8, 0, 0];
        // SAFETY: the kernel reads eight bytes, which `set` is.
        unsafe { host::interruptible(&self.recorded.pending, nr::rt_sigprocmask, args) }?;
        Ok(())
    }

    #[must_use]
    pub fn save(&self) -> Saved {
        Saved {
            mask: self.mask(),
            held: self.recorded.held.load(Ordering::Relaxed),
        }
    }

    /// Undoes what a vfork child did; to be called with signals closed.
    pub fn restore(&self, saved: Saved) {
        self.recorded.mask.store(saved.mask, Ordering::Relaxed);
        self.recorded.held.store(saved.held, Ordering::Relaxed);
        self.recorded
            .pending
            .fetch_and(!(GENERAL | ATTEND), Ordering::SeqCst);
    }

    /// A new process starts with nothing pending.
    pub fn forget_held(&self) {
        self.recorded.held.store(0, Ordering::Relaxed);
    }
}

/// The host's mask of the calling thread.
#[must_use]
pub fn host_mask() -> SigSet {
    // Reading one's own mask cannot fail.
    host::rt_sigprocmask(None).unwrap_or(0)
}

/// Sets the host's mask of the calling thread.
pub fn set_host_mask(set: SigSet) {
    // As above.
    let _ = host::rt_sigprocmask(Some(set));
}
