//! What harnesses need that call a function again and again: [`Buffer`], [`SeenEdges`], [`Random`].

use crate::{Error, Machine};
use guest::cpu_model::splitmix64;
use guest::{GuestAddr, MemFault};

/// Guest memory for an input, with a page behind it that cannot be accessed: reading past the input's end is a SIGSEGV.
#[derive(Clone, Copy)]
pub struct Buffer {
    /// The first byte of the page behind.
    end: GuestAddr,
    capacity: usize,
}

impl Buffer {
    /// A buffer for up to `capacity` bytes.
    ///
    /// # Errors
    /// [`Error::Load`] with the host's error number.
    pub fn new(machine: &mut Machine, capacity: usize) -> Result<Buffer, Error> {
        let end = machine.alloc_guarded(capacity as u64)?;
        Ok(Buffer { end, capacity })
    }

    /// Writes `bytes` so that the last of them is the buffer's last; gives the address of the first. To align them is
    /// the caller's, by their number.
    ///
    /// # Errors
    /// The guest has unmapped the buffer, or made it read-only.
    ///
    /// # Panics
    /// If there are more than the buffer is for.
    pub fn fill(&self, machine: &mut Machine, bytes: &[u8]) -> Result<GuestAddr, MemFault> {
        assert!(
            bytes.len() <= self.capacity,
            "the buffer is for {} bytes",
            self.capacity
        );
        let start = self.end.offset(-(bytes.len() as i64));
        machine.write(start, bytes)?;
        Ok(start)
    }
}

/// Counts compared at a time: most of a map is empty.
const PART: usize = 256;

/// Edges seen in any run until now, by [`Machine::edges`].
#[derive(Default)]
pub struct SeenEdges(Vec<bool>);

impl SeenEdges {
    /// Whether `edges` has one that was not seen before; all of them are seen then. How often it was taken is not looked at.
    pub fn has_new(&mut self, edges: &[u8]) -> bool {
        self.0.resize(edges.len(), false);
        let mut new = false;
        for (counts, seen) in edges.chunks(PART).zip(self.0.chunks_mut(PART)) {
            if counts == &[0; PART][..counts.len()] {
                continue;
            }
            for (&count, seen) in counts.iter().zip(seen) {
                new |= count > 0 && !*seen;
                *seen |= count > 0;
            }
        }
        new
    }
}

/// Random numbers that a seed repeats.
pub struct Random(u64);

impl Random {
    /// The sequence of `seed`.
    #[must_use]
    pub const fn new(seed: u64) -> Random {
        Random(seed)
    }

    /// A number from 0 to `limit` - 1.
    ///
    /// # Panics
    /// If `limit` is 0.
    pub fn below(&mut self, limit: usize) -> usize {
        (splitmix64(&mut self.0) % limit as u64) as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_edge_is_new_once() {
        let mut seen = SeenEdges::default();
        let mut edges = vec![0; 3 * PART];
        assert!(!seen.has_new(&edges));
        for at in [0, PART - 1, PART, 3 * PART - 1] {
            edges[at] = 1;
            assert!(seen.has_new(&edges), "{at}");
            edges[at] = 2;
            assert!(!seen.has_new(&edges), "{at}");
        }
        edges.fill(0);
        edges[PART] = 1;
        assert!(!seen.has_new(&edges), "seen in an earlier run");
    }
}
