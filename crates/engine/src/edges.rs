//! [`EdgeMap`]: which blocks one CPU entered after which, counted.
//!
//! A byte a pair of blocks, found by a hash of both; pairs may share one. With [`Engine::watch_blocks`] every block
//! entered is seen: none is linked to another, and each ends at its first branch, so that both ways of a conditional
//! branch are edges of their own. (The interpreter sees where instructions do not follow each other: each branch taken, with
//! where it went.)
//!
//! [`Engine::watch_blocks`]: crate::Engine::watch_blocks

/// Bytes of a map.
const SIZE: usize = 1 << 16;

/// Counts of the edges that a CPU took.
pub struct EdgeMap {
    counts: Box<[u8]>,
    /// The block entered last, as half of an index.
    previous: usize,
}

impl Default for EdgeMap {
    fn default() -> EdgeMap {
        EdgeMap::new()
    }
}

impl EdgeMap {
    /// No edge taken.
    #[must_use]
    pub fn new() -> EdgeMap {
        EdgeMap {
            counts: vec![0; SIZE].into_boxed_slice(),
            previous: 0,
        }
    }

    /// Forgets all edges.
    pub fn clear(&mut self) {
        self.counts.fill(0);
        self.previous = 0;
    }

    /// How often each edge was taken, up to 255. The index of an edge is the same in all maps.
    #[must_use]
    pub fn counts(&self) -> &[u8] {
        &self.counts
    }

    /// The block at `pc` is entered.
    pub(crate) fn enter(&mut self, pc: u64) {
        // Fibonacci hashing: the upper bits of the product depend on all of the address.
        let this = (pc.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 48) as usize;
        // Halving tells A to B from B to A, and A to A from B to B.
        let count = &mut self.counts[(this ^ self.previous) % SIZE];
        *count = count.saturating_add(1);
        self.previous = this >> 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn edges(blocks: &[u64]) -> Vec<usize> {
        let mut map = EdgeMap::new();
        for &pc in blocks {
            map.enter(pc);
        }
        (0..SIZE).filter(|&at| map.counts()[at] != 0).collect()
    }

    #[test]
    fn an_edge_has_a_direction_and_a_count() {
        assert_ne!(edges(&[0x1000, 0x1010]), edges(&[0x1010, 0x1000]));
        assert_ne!(edges(&[0x1000, 0x1000]), edges(&[0x1010, 0x1010]));
        assert_eq!(edges(&[0x1000, 0x1010, 0x1020]).len(), 3);
        let mut map = EdgeMap::new();
        for _ in 0..300 {
            map.enter(0x1000);
        }
        assert!(map.counts().contains(&255));
        map.clear();
        assert!(map.counts().iter().all(|&count| count == 0));
    }
}
