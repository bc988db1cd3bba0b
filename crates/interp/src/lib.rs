//! Executes instructions directly: the reference for the JIT and the single-stepper.
//!
//! Place in the path: one of the players of `semantics`. It implements
//! [`semantics::Ops`] over a [`CpuState`]: each operation is carried out at once.
//!
//! Invariants:
//! - After a fault no register has changed and pc is at the instruction: once an
//!   exit is noted, every later operation of the same instruction changes nothing.
//! - Guest memory is reached through `guest_memory::access` only.
#![forbid(unsafe_code)]

mod atomic;
mod bulk;
mod control;
mod flags;
mod float;
mod integer;
mod memory;
mod pauth;
mod player;
mod registers;
mod system;
mod vector;
mod watch;

use guest::{CpuState, Exit, GuestAddr};
pub use player::Player;
pub use watch::Watchpoint;

/// Why an instruction is not the end of the matter.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Stop {
    /// It leaves guest code.
    Exit(Exit),
    /// IC IVAU executed on the line at this address: what was made of the code there is to go. pc is behind it.
    InvalidateCode(GuestAddr),
    /// ISB: what others have changed of code is to be seen. pc is behind it.
    Synchronise,
}

/// Executes the instruction `word` at `state.pc` and moves `pc` on. Whether PSTATE.BTYPE
/// lets it be executed there is the caller's to check.
///
/// # Errors
/// What the instruction stops for; `state` is then as [`Exit`] says.
pub fn step(state: &mut CpuState, word: u32) -> Result<(), Stop> {
    state.btype = 0;
    let mut player = Player::new(state);
    match semantics::translate(word, &mut player) {
        Ok(()) => player.finish(),
        Err(semantics::Undefined) => Err(Stop::Exit(Exit::Undefined)),
    }
}

/// As [`step`], but stops before an instruction that would access what is watched.
///
/// # Errors
/// As `step`.
pub fn step_watched(state: &mut CpuState, word: u32, watched: &[Watchpoint]) -> Result<Watched, Stop> {
    if watched.is_empty() || watch::is_maintenance(word) {
        return step(state, word).map(|()| Watched::Stepped);
    }
    let btype = std::mem::take(&mut state.btype);
    let mut player = Player::new(state);
    player.watched = watched;
    let translated = semantics::translate(word, &mut player);
    let (near, hit) = (player.near, player.hit);
    if !near {
        return match translated {
            Ok(()) => player.finish().map(|()| Watched::Stepped),
            Err(semantics::Undefined) => Err(Stop::Exit(Exit::Undefined)),
        };
    }
    // It has done nothing so far.
    state.btype = btype;
    match hit {
        Some(addr) => Ok(Watched::Hit(addr)),
        None => step(state, word).map(|()| Watched::Stepped),
    }
}

/// What became of an instruction.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Watched {
    #[default]
    Stepped,
    /// It would access this watched address, and has done nothing.
    Hit(GuestAddr),
}

#[cfg(test)]
mod tests;
