//! [`SharedWord`]: a number that a process and the children it forks change for all of them.

use crate::{Access, Mapping};
use nix::sys::mman::{MapFlags, ProtFlags, mmap_anonymous};
use std::io;
use std::num::NonZeroUsize;
use std::ptr;
use std::sync::atomic::{AtomicPtr, AtomicU64, Ordering};

const PAGE: usize = 4 << 10;

/// 0 at first. There is none until [`SharedWord::make`], and then it lasts as long as a process has it.
#[derive(Default)]
pub struct SharedWord(AtomicPtr<AtomicU64>);

impl SharedWord {
    #[must_use]
    #[inline]
    pub fn get(&self) -> Option<&AtomicU64> {
        // SAFETY: null, or the word that `make` has put there, in a page that is never unmapped.
        unsafe { self.0.load(Ordering::Acquire).as_ref() }
    }

    /// Children forked from now on share it. One call of several at once has its word kept.
    ///
    /// # Errors
    /// The host's, when it has no memory.
    pub fn make(&self) -> io::Result<()> {
        if self.get().is_some() {
            return Ok(());
        }
        let mapping = Mapping::new(PAGE, Access::None)?;
        let size = NonZeroUsize::new(PAGE).ok_or(io::ErrorKind::InvalidInput)?;
        let access = ProtFlags::PROT_READ | ProtFlags::PROT_WRITE;
        let how = MapFlags::MAP_SHARED | MapFlags::MAP_FIXED;
        let at = mapping.start();
        // SAFETY: replaces memory that is this mapping's own and that nobody has seen yet.
        unsafe { mmap_anonymous(NonZeroUsize::new(at.addr()), size, access, how)? };
        let word = at.cast::<AtomicU64>();
        let order = (Ordering::AcqRel, Ordering::Acquire);
        if self
            .0
            .compare_exchange(ptr::null_mut(), word, order.0, order.1)
            .is_ok()
        {
            // The word's from now on.
            std::mem::forget(mapping);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_word_stays() {
        let word = SharedWord::default();
        assert!(word.get().is_none());
        word.make().expect("memory");
        word.get().expect("made").store(7, Ordering::Relaxed);
        word.make().expect("is there");
        assert_eq!(word.get().map(|word| word.load(Ordering::Relaxed)), Some(7));
    }
}
