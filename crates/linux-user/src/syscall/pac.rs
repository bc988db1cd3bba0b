//! prctl's options for the keys of pointer authentication (Linux arch/arm64/kernel/pointer_auth.c).
//!
//! Keys belong to a thread: clone copies them, exec makes new ones.

use crate::task::Task;
use guest::PacState;
use guest::cpu_model::{self, Feature};
use linux_abi::{Errno, SysResult};

/// PR_PAC_APIAKEY and on: IA, IB, DA, DB, GA.
const ALL_KEYS: u64 = 0b1_1111;
/// Those that can be disabled.
const ADDRESS_KEYS: u64 = 0b1111;

fn check(task: &Task) -> Result<(), Errno> {
    if task.cpu.state().model.features.contains(Feature::Pauth) {
        Ok(())
    } else {
        Err(Errno::EINVAL)
    }
}

/// A key; its second word is odd, so that signing with an even modifier loses no bit.
pub fn new_key(random: &mut u64) -> [u64; 2] {
    [cpu_model::random(random), cpu_model::random(random) | 1]
}

/// PR_PAC_RESET_KEYS: new keys for those named, or for all.
pub fn reset_keys(task: &mut Task, keys: u64) -> SysResult {
    check(task)?;
    if keys & !ALL_KEYS != 0 {
        return Err(Errno::EINVAL);
    }
    let keys = if keys == 0 { ALL_KEYS } else { keys };
    let state = task.cpu.state_mut();
    for n in 0..state.pac.keys.len() {
        if keys >> n & 1 != 0 {
            state.pac.keys[n] = new_key(&mut state.random);
        }
    }
    Ok(0)
}

/// PR_PAC_SET_ENABLED_KEYS.
pub fn set_enabled(task: &mut Task, keys: u64, enabled: u64) -> SysResult {
    check(task)?;
    if keys & !ADDRESS_KEYS != 0 || enabled & !keys != 0 {
        return Err(Errno::EINVAL);
    }
    for (n, mask) in task.cpu.state_mut().pac.masks.iter_mut().enumerate() {
        if keys >> n & 1 != 0 {
            *mask = if enabled >> n & 1 != 0 { PacState::MASK } else { 0 };
        }
    }
    Ok(0)
}

/// PR_PAC_GET_ENABLED_KEYS.
pub fn enabled(task: &Task) -> SysResult {
    check(task)?;
    let masks = task.cpu.state().pac.masks;
    let set = |n: usize| u64::from(masks[n] != 0) << n;
    Ok((0..4).map(set).sum())
}
