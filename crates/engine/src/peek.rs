//! Looks ahead in guest code: does it read NZCV before setting it?

use guest::GuestAddr;
use guest_memory::access;

/// What an instruction means for the liveness of NZCV.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Effect {
    /// Sets all flags without reading them.
    Sets,
    /// Reads them, or may.
    Reads,
    None,
    /// Control goes this many bytes on and nowhere else.
    GoesTo(i64),
    /// Control goes there or to the next instruction.
    MayGoTo(i64),
}

/// Instructions looked at before giving up, over all paths.
const DISTANCE: u32 = 16;

/// Whether the code at `pc` may need the flags. True when in doubt.
pub fn flags_live(pc: u64) -> bool {
    let mut budget = DISTANCE;
    live_from(GuestAddr(pc), &mut budget)
}

fn live_from(mut at: GuestAddr, budget: &mut u32) -> bool {
    while *budget > 0 {
        *budget -= 1;
        let Ok(word) = access::load(at, 4) else {
            return true;
        };
        match effect(word as u32) {
            Effect::Sets => return false,
            Effect::Reads => return true,
            Effect::None => at = at.offset(4),
            Effect::GoesTo(offset) => at = at.offset(offset),
            Effect::MayGoTo(offset) => {
                if live_from(at.offset(offset), budget) {
                    return true;
                }
                at = at.offset(4);
            }
        }
    }
    true
}

/// Classifies by the encoding groups of Arm ARM C4.1.
fn effect(word: u32) -> Effect {
    let is = |mask: u32, value: u32| word & mask == value;
    // ADDS, SUBS, ANDS, BICS in all forms; FCMP and FCMPE.
    if is(0x3f80_0000, 0x3100_0000)
        || is(0x3f00_0000, 0x2b00_0000)
        || is(0x7f80_0000, 0x7200_0000)
        || is(0x7f00_0000, 0x6a00_0000)
        || is(0xff20_fc07, 0x1e20_2000)
    {
        return Effect::Sets;
    }
    // B and BL.
    if is(0x7c00_0000, 0x1400_0000) {
        return Effect::GoesTo(i64::from((word << 6) as i32 >> 4));
    }
    // CBZ and CBNZ, TBZ and TBNZ.
    if is(0x7e00_0000, 0x3400_0000) {
        return Effect::MayGoTo(i64::from((word << 8) as i32 >> 13) * 4);
    }
    if is(0x7e00_0000, 0x3600_0000) {
        return Effect::MayGoTo(i64::from((word << 13) as i32 >> 18) * 4);
    }
    // CPYM, CPYE, SETM and SETE and all such: they look at C. (The prologues set all flags.)
    if is(0x3b20_0c00, 0x1900_0400) {
        return Effect::Reads;
    }
    let data_processing_immediate = is(0x1c00_0000, 0x1000_0000);
    let loads_and_stores = is(0x0a00_0000, 0x0800_0000);
    // Logical and plain add/sub of registers.
    let register_arithmetic = is(0x1e00_0000, 0x0a00_0000);
    // Two- and one-source (0x1ac00000, 0x5ac00000) and three-source instructions.
    let register_others = is(0x1fe0_0000, 0x1ac0_0000) || is(0x1f00_0000, 0x1b00_0000);
    // All of SIMD and floating point, FCCMP and FCSEL apart.
    let vector = is(0x0e00_0000, 0x0e00_0000) && !is(0x5f20_0400, 0x1e20_0400);
    // The hint space: NOP, BTI, PACIASP and so on.
    let hint = is(0xffff_f01f, 0xd503_201f);
    // MRS of anything but NZCV.
    let system_read = is(0xfff0_0000, 0xd530_0000) && !is(0xffff_ffe0, 0xd53b_4200);
    if data_processing_immediate
        || loads_and_stores
        || register_arithmetic
        || register_others
        || vector
        || hint
        || system_read
    {
        return Effect::None;
    }
    Effect::Reads
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instructions_are_classified() {
        for (word, expected) in [
            (0x7100_041f, Effect::Sets),        // cmp w0, #1
            (0xeb01_001f, Effect::Sets),        // cmp x0, x1
            (0xf240_001f, Effect::Sets),        // tst x0, #1
            (0x6a01_001f, Effect::Sets),        // tst w0, w1
            (0x1e61_2000, Effect::Sets),        // fcmp d0, d1
            (0x9100_0400, Effect::None),        // add x0, x0, #1
            (0x8b01_0000, Effect::None),        // add x0, x0, x1
            (0xaa01_03e0, Effect::None),        // mov x0, x1
            (0xf940_0000, Effect::None),        // ldr x0, [x0]
            (0xa9bf_7bfd, Effect::None),        // stp x29, x30, [sp, #-16]!
            (0x9b01_7c00, Effect::None),        // mul x0, x0, x1
            (0xd503_233f, Effect::None),        // paciasp
            (0x5400_0040, Effect::Reads),       // b.eq
            (0x9a81_0000, Effect::Reads),       // csel x0, x0, x1, eq
            (0xfa41_0000, Effect::Reads),       // ccmp
            (0x9a01_0000, Effect::Reads),       // adc
            (0x1e60_0c00, Effect::Reads),       // fcsel
            (0xd53b_4200, Effect::Reads),       // mrs x0, nzcv
            (0xd53b_d040, Effect::None),        // mrs x0, tpidr_el0
            (0x4e21_cc40, Effect::None),        // fmla v0.4s, v2.4s, v1.4s
            (0x1e61_0441, Effect::Reads),       // fccmp
            (0xb400_0040, Effect::MayGoTo(8)),  // cbz x0, .+8
            (0x3707_ffe0, Effect::MayGoTo(-4)), // tbnz w0, #0, .-4
            (0x54ff_ff41, Effect::Reads),       // b.ne
            (0xd65f_03c0, Effect::Reads),       // ret: not known
            (0x1941_0440, Effect::Reads),       // cpyfm [x0]!, [x1]!, x2!
            (0xba00_0400, Effect::Reads),       // rmif x0, #0, #0
            (0xd500_401f, Effect::Reads),       // cfinv
            (0x1400_0002, Effect::GoesTo(8)),   // b .+8
            (0x97ff_ffff, Effect::GoesTo(-4)),  // bl .-4
        ] {
            assert_eq!(effect(word), expected, "{word:#x}");
        }
    }
}
