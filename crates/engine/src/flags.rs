//! NZCV from EFLAGS, for code stopped while the flags were still there.

use jit_x64::host_state::HostFlags;
use jit_x64::lower::FlagState;

const CF: u64 = 1;
const PF: u64 = 1 << 2;
const ZF: u64 = 1 << 6;
const SF: u64 = 1 << 7;
const OF: u64 = 1 << 11;

/// NZCV (bits 31:28) held by `eflags` in `state`; `None` if they are in the CPU state.
pub fn nzcv_of(eflags: u64, state: FlagState) -> Option<u32> {
    let (n, z, c, v) = match state {
        FlagState::Slot => return None,
        FlagState::Sub => (
            eflags & SF != 0,
            eflags & ZF != 0,
            eflags & CF == 0,
            eflags & OF != 0,
        ),
        FlagState::Add => (
            eflags & SF != 0,
            eflags & ZF != 0,
            eflags & CF != 0,
            eflags & OF != 0,
        ),
        FlagState::Fp | FlagState::FpSwapped => {
            let unordered = eflags & PF != 0;
            let equal = eflags & ZF != 0 && !unordered;
            let below = eflags & CF != 0 && !unordered && !equal;
            let less = !unordered && !equal && (below != (state == FlagState::FpSwapped));
            (less, equal, !less, unordered)
        }
    };
    Some(u32::from(n) << 31 | u32::from(z) << 30 | u32::from(c) << 29 | u32::from(v) << 28)
}

/// As the CPU state keeps them.
pub fn host_flags_of(eflags: u64, state: FlagState) -> Option<HostFlags> {
    nzcv_of(eflags, state).map(HostFlags::from_nzcv)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ucomis_results_become_the_flags_of_fcmp() {
        // (eflags of ucomis a, b; of ucomis b, a; NZCV of fcmp a, b)
        for (plain, swapped, nzcv) in [
            (ZF | PF | CF, ZF | PF | CF, 0b0011),
            (ZF, ZF, 0b0110),
            (CF, 0, 0b1000),
            (0, CF, 0b0010),
        ] {
            assert_eq!(nzcv_of(plain, FlagState::Fp), Some(nzcv << 28));
            assert_eq!(nzcv_of(swapped, FlagState::FpSwapped), Some(nzcv << 28));
        }
    }
}
