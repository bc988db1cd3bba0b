//! [`Layout`]: where prctl(2) PR_SET_MM says that the parts of a program lie, and what its auxiliary vector is. The kernel
//! keeps these for /proc; until somebody says otherwise they are as execve left them.
//!
//! Each number is one store: a child that shares memory may be killed between two.

use super::process::Image;
use guest::GuestAddr;
use std::ops::Range;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

/// AT_VECTOR_SIZE of arm64: two entries of its own, 22 of all architectures, and the end.
pub const AUXV_WORDS: usize = 50;

/// The numbers that PR_SET_MM sets one by one, but for the heap's, which the memory map has.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Place {
    StartCode,
    EndCode,
    StartData,
    EndData,
    StartStack,
    ArgStart,
    ArgEnd,
    EnvStart,
    EnvEnd,
}

const PLACES: usize = Place::EnvEnd as usize + 1;

/// What was said; 0 where nothing was.
#[derive(Debug)]
pub struct Layout {
    places: [AtomicU64; PLACES],
    auxv: [AtomicU64; AUXV_WORDS],
    auxv_words: AtomicUsize,
}

impl Default for Layout {
    fn default() -> Layout {
        Layout {
            places: [const { AtomicU64::new(0) }; PLACES],
            auxv: [const { AtomicU64::new(0) }; AUXV_WORDS],
            auxv_words: AtomicUsize::new(0),
        }
    }
}

impl Clone for Layout {
    fn clone(&self) -> Layout {
        let copied = |words: &AtomicU64| AtomicU64::new(words.load(Ordering::Relaxed));
        Layout {
            places: self.places.each_ref().map(copied),
            auxv: self.auxv.each_ref().map(copied),
            auxv_words: AtomicUsize::new(self.auxv_words.load(Ordering::Acquire)),
        }
    }
}

impl Layout {
    #[must_use]
    pub fn get(&self, place: Place) -> Option<u64> {
        let said = self.places[place as usize].load(Ordering::Relaxed);
        (said != 0).then_some(said)
    }

    pub fn set(&self, place: Place, value: u64) {
        self.places[place as usize].store(value, Ordering::Relaxed);
    }

    /// Sets the whole auxiliary vector: what is not given is zero, and the last entry is its end.
    pub fn set_auxv(&self, words: &[u64]) {
        let last = AUXV_WORDS - 2;
        for (at, word) in self.auxv.iter().enumerate() {
            let given = words.get(at).copied().filter(|_| at < last);
            word.store(given.unwrap_or(0), Ordering::Relaxed);
        }
        self.auxv_words.store(AUXV_WORDS, Ordering::Release);
    }
}

impl Image {
    fn range(&self, places: [Place; 2], before: &Range<GuestAddr>) -> Range<GuestAddr> {
        let [start, end] = places.map(|place| self.layout.get(place).map(GuestAddr));
        start.unwrap_or(before.start)..end.unwrap_or(before.end)
    }

    /// Where the arguments' strings lie.
    #[must_use]
    pub fn arguments(&self) -> Range<GuestAddr> {
        self.range([Place::ArgStart, Place::ArgEnd], &self.first_arguments)
    }

    /// Where the environment's strings lie.
    #[must_use]
    pub fn environment(&self) -> Range<GuestAddr> {
        self.range([Place::EnvStart, Place::EnvEnd], &self.first_environment)
    }

    #[must_use]
    pub fn stack_start(&self) -> u64 {
        self.layout.get(Place::StartStack).unwrap_or(self.first_sp.0)
    }

    /// The auxiliary vector's bytes.
    #[must_use]
    pub fn auxv(&self) -> Vec<u8> {
        match self.layout.auxv_words.load(Ordering::Acquire) {
            0 => self.first_auxv.clone(),
            words => {
                let words = self.layout.auxv[..words].iter();
                words
                    .flat_map(|word| word.load(Ordering::Relaxed).to_le_bytes())
                    .collect()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_auxiliary_vector_has_an_end() {
        let layout = Layout::default();
        layout.set_auxv(&[7; 60]);
        let words: Vec<u64> = layout
            .auxv
            .iter()
            .map(|word| word.load(Ordering::Relaxed))
            .collect();
        assert_eq!(words[..48], [7; 48]);
        assert_eq!(words[48..], [0, 0]);
        layout.set_auxv(&[6, 4096]);
        assert_eq!(layout.auxv[1].load(Ordering::Relaxed), 4096);
        assert_eq!(layout.auxv[2].load(Ordering::Relaxed), 0);
    }
}
