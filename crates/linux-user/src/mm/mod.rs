//! The guest's memory map: every mapping the guest made, and the calls that change it.
//!
//! Guest addresses are host addresses, so the host kernel places mmap(NULL), unless they have a
//! limit ([`place`]), and does the work; this module keeps the guest's view (protections with PROT_EXEC, what is heap or
//! stack), tells the engine when code went away, and keeps the guest from replacing or
//! unmapping anything that it did not map itself: a range is only ever given to the host
//! with MAP_FIXED, munmap, mprotect or mremap where the guest's own areas cover it or the
//! host confirms (MAP_FIXED_NOREPLACE) that nothing is there.
//!
//! Invariants:
//! - The table changes only under `state`, together with the host's map.
//! - PROT_EXEC never reaches the host (guest code is data to it); PROT_READ stands in, so
//!   that execute-only code can be read for translation.
//! - Lock order: `state`, then the engine's own locks, then the execute index (`host_memory::lock`).
//!   No call that may block in the kernel is made under `state`.
//! - A child that shares memory may be killed between the host's change and the table's: see [`repair`].

mod deny;
mod exec_index;
mod locked;
mod map;
pub mod maps;
pub mod own;
mod place;
mod protect;
mod remap;
mod repair;
mod segment;
mod shared_code;
mod snapshot;
mod stack;
pub mod vma;

use deny::DenyExecGain;
use locked::LockFuture;
pub use map::MapRequest;
pub use remap::RemapRequest;
pub use snapshot::Snapshot;
pub use vma::{Backing, Vma};

use crate::host;
use engine::Engine;
use exec_index::ExecIndex;
use guest::cpu_model::Feature;
use guest::{GUEST_ADDRESS_LIMIT, GuestAddr, PAGE_SIZE};
use host_memory::lock::{Guard, Guarded, Level, Lock};
use linux_abi::nr::x86_64 as nr;
use linux_abi::{Errno, SysResult, flags};
use shared_code::SharedCode;
use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use vma::VmaTable;

/// The guest's memory map; a handle, shared by all threads of the process.
#[derive(Clone)]
pub struct Mm {
    shared: Arc<Shared>,
}

struct Shared {
    state: Lock<State>,
    executable: ExecIndex,
    shared_code: SharedCode,
    /// [`State::unsure`], for who looks without the lock, as the run loop does at each turn: see [`repair`].
    unsure: AtomicBool,
    /// How far mremap(2) has moved the vDSO; addresses wrap.
    vdso_shift: AtomicU64,
}

#[derive(Clone, Default)]
struct State {
    table: VmaTable,
    /// Start and current end of the heap; both 0 until [`Mm::set_brk`].
    brk_start: u64,
    brk: u64,
    /// Attached System V segments: address to length.
    attached: BTreeMap<u64, u64>,
    /// PR_SET_MDWE: what no mapping may gain.
    deny_exec_gain: DenyExecGain,
    /// MCL_FUTURE, and MCL_ONFAULT with it: new mappings are locked.
    lock_future: LockFuture,
    /// Where the guest's addresses end, if before the host's.
    limit: Option<place::Limit>,
    /// A child that shared memory died while it changed the map: the host's may differ.
    unsure: bool,
}

impl Guarded for State {
    fn copied(&self) -> Option<State> {
        Some(self.clone())
    }
    fn owner_died(&mut self) {
        self.unsure = true;
    }
}

impl Default for Mm {
    fn default() -> Mm {
        Mm::new()
    }
}

impl engine::AddressSpace for Mm {
    fn is_executable(&self, addr: GuestAddr) -> bool {
        self.shared.executable.contains(addr)
    }

    fn is_guarded(&self, addr: GuestAddr) -> bool {
        self.shared.executable.is_guarded(addr)
    }

    fn aliases(&self, line: GuestAddr) -> Vec<GuestAddr> {
        self.executable_aliases(line)
    }

    fn announce_change(&self, line: GuestAddr) {
        if self.find(line).is_some_and(|vma| vma.shared) {
            self.shared.shared_code.announce();
        }
    }

    fn synchronise(&self, engine: &Engine) {
        if self.shared.shared_code.changed() {
            self.drop_shared_code(engine);
        }
    }
}

impl Mm {
    /// To be called before the guest has any memory.
    #[must_use]
    pub fn new() -> Mm {
        // What is there is taken for the emulator's, and must not be the guest's stack (it may stand right below the vDSO).
        host_memory::prepare();
        Mm {
            shared: Arc::new(Shared {
                state: Lock::new(Level::Map, State::default()),
                executable: ExecIndex::new(),
                shared_code: SharedCode::default(),
                unsure: AtomicBool::new(false),
                vdso_shift: AtomicU64::new(0),
            }),
        }
    }

    fn lock(&self) -> Guard<'_, State> {
        let state = self.shared.state.lock();
        if state.unsure {
            self.shared.unsure.store(true, Ordering::Relaxed);
        }
        state
    }

    /// All areas in ascending order, for /proc/self/maps, core files and crash reports.
    #[must_use]
    pub fn vmas(&self) -> Vec<Vma> {
        let mut state = self.lock();
        state.settle_all();
        state.table.iter().copied().collect()
    }

    /// The area containing `addr`.
    #[must_use]
    pub fn find(&self, addr: GuestAddr) -> Option<Vma> {
        let mut state = self.lock();
        state.settle(&(addr.0..addr.0.saturating_add(1)));
        state.table.find(addr.0).copied()
    }

    /// Where an address of the vDSO as it was loaded is now (the kernel's vdso_mremap).
    #[must_use]
    pub fn in_vdso(&self, loaded: GuestAddr) -> GuestAddr {
        GuestAddr(
            loaded
                .0
                .wrapping_add(self.shared.vdso_shift.load(Ordering::Relaxed)),
        )
    }

    /// Names a mapping made through [`Mm::mmap`]: the loader's stack and vDSO.
    pub fn label(&self, range: Range<GuestAddr>, backing: Backing) {
        let mut state = self.lock();
        for piece in state.table.pieces(&(range.start.0..range.end.0)) {
            state.table.insert(Vma {
                backing,
                grows_down: backing == Backing::Stack,
                ..piece
            });
        }
    }

    fn executable_aliases(&self, addr: GuestAddr) -> Vec<GuestAddr> {
        let state = self.lock();
        let Some(origin) = state.table.find(addr.0) else {
            return Vec::new();
        };
        if !origin.shared || !origin.backing.has_identity() {
            return Vec::new();
        }
        let offset = origin.offset + (addr.0 - origin.start);
        let same = |vma: &&Vma| vma.shared && vma.backing == origin.backing && vma.is_executable();
        let place = |vma: &Vma| {
            let at = vma.start + offset.checked_sub(vma.offset)?;
            (at < vma.end && at != addr.0).then_some(GuestAddr(at))
        };
        state.table.iter().filter(same).filter_map(place).collect()
    }

    /// Records `vma` in place of what was there and lets go of code translated from it.
    fn replace(&self, state: &mut State, engine: &Engine, vma: Vma) {
        let range = vma.range();
        let had_code = state.table.any_executable(&range);
        if vma.shared {
            self.shared.shared_code.concern();
        }
        state.table.insert(vma);
        self.code_changed(state, engine, &range, had_code, vma.is_executable());
    }

    /// To be called before a process is forked off: see [`shared_code`].
    pub fn before_fork(&self) {
        self.shared.shared_code.before_fork();
    }

    /// Drops translations of memory in which another process has changed code, and repairs what one that was killed left
    /// behind. To be called wherever a task has left translated code; costs two loads.
    #[inline]
    pub fn see_others_changes(&self, engine: &Engine) {
        if self.shared.shared_code.changed() {
            self.drop_shared_code(engine);
        }
        if self.shared.unsure.load(Ordering::Relaxed) {
            self.repair(engine);
        }
    }

    #[cold]
    fn drop_shared_code(&self, engine: &Engine) {
        let state = self.lock();
        for vma in state.table.iter().filter(|vma| vma.shared && vma.is_executable()) {
            engine.invalidate(GuestAddr(vma.start)..GuestAddr(vma.end));
        }
    }

    fn forget(&self, state: &mut State, engine: &Engine, range: &Range<u64>) {
        let had_code = state.table.any_executable(range);
        state.table.remove(range);
        self.code_changed(state, engine, range, had_code, false);
    }

    /// After a change of the table in `range`: brings the execute index up to date, and
    /// drops translations if code may have gone. In this order, so that no block is
    /// translated anew between the two.
    fn code_changed(
        &self,
        state: &State,
        engine: &Engine,
        range: &Range<u64>,
        had_code: bool,
        has_code: bool,
    ) {
        if had_code || has_code || state.table.code_may_grow_to(range.end) {
            let guarded = state.table.guarded_ranges();
            self.shared
                .executable
                .replace(state.table.executable_ranges(), guarded);
        }
        if has_code && state.table.pieces(range).iter().any(|vma| vma.shared) {
            engine.heed_synchronisation();
        }
        if had_code {
            engine.invalidate(GuestAddr(range.start)..GuestAddr(range.end));
        }
    }
}

/// PROT_BTI, if the guest's CPU knows it.
fn guard_bit(engine: &Engine) -> u64 {
    if engine.model().features.contains(Feature::Bti) {
        flags::PROT_BTI
    } else {
        0
    }
}

/// What the host's page tables get for a guest protection.
const fn host_prot(prot: u64) -> u64 {
    let access = prot & (flags::PROT_READ | flags::PROT_WRITE);
    if prot & flags::PROT_EXEC != 0 {
        access | flags::PROT_READ
    } else {
        access
    }
}

/// The page range of a call's address and length, as the kernel rounds them.
///
/// # Errors
/// `invalid` for a misaligned start, or a range that is empty or leaves user space.
fn page_range(addr: u64, len: u64, invalid: Errno) -> Result<Range<u64>, Errno> {
    let len = len.checked_add(PAGE_SIZE - 1).ok_or(invalid)? & !(PAGE_SIZE - 1);
    let end = addr.checked_add(len).ok_or(invalid)?;
    if !addr.is_multiple_of(PAGE_SIZE) || len == 0 || end > GUEST_ADDRESS_LIMIT {
        return Err(invalid);
    }
    Ok(addr..end)
}

fn host_munmap(range: &Range<u64>) -> SysResult {
    // SAFETY: the range is the guest's own, or was reserved for it just now.
    unsafe { host::raw(nr::munmap, [range.start, range.end - range.start, 0, 0, 0, 0]) }
}

/// Maps inaccessible memory at `range` if nothing is there.
fn reserve(range: &Range<u64>) -> SysResult {
    let map_flags =
        flags::MAP_PRIVATE | flags::MAP_ANONYMOUS | flags::MAP_FIXED_NOREPLACE | flags::MAP_NORESERVE;
    let args = [range.start, range.end - range.start, 0, map_flags, u64::MAX, 0];
    // SAFETY: nothing but the guest's own areas and free space is mapped over.
    let at = unsafe { host::raw(nr::mmap, args) }?;
    if at == range.start {
        return Ok(at);
    }
    // A kernel before 4.17 takes the address as a hint only.
    host_munmap(&(at..at + (range.end - range.start)))?;
    Err(Errno::EEXIST)
}

#[cfg(test)]
mod tests;
