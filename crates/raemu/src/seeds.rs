//! Numbers for AT_RANDOM, the layout and RNDR: the host's, or a sequence from a seed.

use crate::host;
use guest::cpu_model::splitmix64;

pub struct Seeds(pub Option<u64>);

impl Seeds {
    pub fn next(&mut self) -> u64 {
        let Some(state) = &mut self.0 else {
            return host::random();
        };
        splitmix64(state)
    }
}
