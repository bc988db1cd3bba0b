//! Looks ahead in guest code: does it read NZCV before setting it?
//!
//! What an instruction means for NZCV is what its semantics do with it: [`Flags`] plays them and notes whether
//! they look at the flags first, or set them. `tests/insn` holds that against the interpreter for every row.

use a64_isa::FeatureSet;
use guest::GuestAddr;
use guest_memory::access;
use semantics::ops::{
    AtomicOps, Barrier, BulkOp, BulkRegs, BulkStage, Cond, ControlOps, Crc, Exception, FlagOp, FlagOps,
    FloatOps, Fp1, Fp2, Fp3, FpSize, FpToInt, Indirect, Int1, Int2, IntToFp, IntegerOps, Lane, LoadExt,
    Machine, MemSize, MemoryOps, Order, PacKey, PauthOps, Qarma, RegisterOps, Rmw, Shape, Span, SysReg,
    SystemOps, Test, Vec1, Vec2, Vec3, VecShift, VectorOps, Width,
};

/// What an instruction means for the liveness of NZCV. Places are so many bytes from the instruction.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum FlagUse {
    /// Sets all flags without reading them.
    Sets,
    /// Reads them, or goes where that is not known.
    Reads,
    /// Neither; the next instruction follows.
    Keeps,
    /// Neither; control goes there and nowhere else.
    GoesTo(i32),
    /// Neither; control goes there or to the next instruction.
    MayGoTo(i32),
}

/// What the instruction `word` means for NZCV.
#[must_use]
pub fn flag_use(word: u32, features: FeatureSet) -> FlagUse {
    play(word, features).found
}

/// Plays it.
fn play(word: u32, features: FeatureSet) -> Seen {
    let mut flags = Flags {
        features,
        found: FlagUse::Keeps,
        faults: false,
    };
    match semantics::translate(word, &mut flags) {
        Ok(()) => Seen {
            found: flags.found,
            faults: flags.faults,
        },
        // It leaves for a signal handler.
        Err(semantics::Undefined) => Seen {
            found: FlagUse::Reads,
            faults: false,
        },
    }
}

/// What was found of an instruction.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Seen {
    found: FlagUse,
    /// It may fault with the flags as they are before it.
    faults: bool,
}

/// Instructions looked at before giving up, over all paths.
const DISTANCE: u32 = 16;

/// Remembers what was found of as many words: to play an instruction takes 15 ns, and blocks are looked at from all
/// that go to them.
const WORDS: usize = 1024;

/// Looks ahead for one translator, whose CPUs have the same features.
#[derive(Default)]
pub(crate) struct Lookahead {
    /// By a hash of the word; empty until the first is looked at. Words of zero bits are undefined.
    seen: Vec<(u32, Seen)>,
}

impl Lookahead {
    /// Whether the code at `pc` may need the flags; also those in the frame of a fault if they are to be `exact`. True
    /// when in doubt.
    pub fn flags_live(&mut self, pc: u64, features: FeatureSet, exact: bool) -> bool {
        let mut budget = DISTANCE;
        self.live_from(GuestAddr(pc), features, exact, &mut budget)
    }

    fn live_from(&mut self, mut at: GuestAddr, features: FeatureSet, exact: bool, budget: &mut u32) -> bool {
        while *budget > 0 {
            *budget -= 1;
            let Ok(word) = access::load(at, 4) else {
                return true;
            };
            let seen = self.look_at(word as u32, features);
            if exact && seen.faults {
                return true;
            }
            match seen.found {
                FlagUse::Sets => return false,
                FlagUse::Reads => return true,
                FlagUse::Keeps => at = at.offset(4),
                FlagUse::GoesTo(offset) => at = at.offset(offset.into()),
                FlagUse::MayGoTo(offset) => {
                    if self.live_from(at.offset(offset.into()), features, exact, budget) {
                        return true;
                    }
                    at = at.offset(4);
                }
            }
        }
        true
    }

    fn look_at(&mut self, word: u32, features: FeatureSet) -> Seen {
        if self.seen.is_empty() {
            self.seen.resize(WORDS, (0, play(0, features)));
        }
        let place = word.wrapping_mul(0x9e37_79b1) >> (u32::BITS - WORDS.ilog2());
        let entry = &mut self.seen[place as usize];
        if entry.0 != word {
            *entry = (word, play(word, features));
        }
        entry.1
    }
}

/// Plays an instruction for its use of NZCV. Values are not known, so what is noted holds for all of them.
struct Flags {
    features: FeatureSet,
    /// The first that was noted is what counts. A branch is an instruction's last operation.
    found: FlagUse,
    /// A fault may come before that.
    faults: bool,
}

impl Flags {
    fn may_fault(&mut self) {
        self.faults |= self.found == FlagUse::Keeps;
    }

    fn note(&mut self, found: FlagUse) {
        if self.found == FlagUse::Keeps {
            self.found = found;
        }
    }

    fn reads(&mut self) {
        self.note(FlagUse::Reads);
    }

    fn sets(&mut self) {
        self.note(FlagUse::Sets);
    }
}

impl Machine for Flags {
    type Value = ();
    type Vector = ();

    /// Branch targets are then so many bytes from the instruction.
    fn pc(&self) -> u64 {
        0
    }
    fn features(&self) -> FeatureSet {
        self.features
    }
}

impl FlagOps for Flags {
    fn flag_op(&mut self, op: FlagOp, _: Width, (): (), (): ()) {
        match op {
            FlagOp::Add | FlagOp::Sub | FlagOp::And => self.sets(),
            FlagOp::Adc | FlagOp::Sbc => self.reads(),
        }
    }
    fn invert_carry(&mut self) {
        self.reads();
    }
    fn carry_op(&mut self, _: FlagOp, _: Width, (): (), (): ()) {
        self.reads();
    }
    fn cond_compare(&mut self, _: FlagOp, _: Width, cond: Cond, (): (), (): (), _: u8) {
        self.select(cond, (), ());
        self.sets();
    }
    fn select(&mut self, cond: Cond, (): (), (): ()) {
        match cond {
            Cond::Al | Cond::Nv => {}
            Cond::Eq
            | Cond::Ne
            | Cond::Hs
            | Cond::Lo
            | Cond::Mi
            | Cond::Pl
            | Cond::Vs
            | Cond::Vc
            | Cond::Hi
            | Cond::Ls
            | Cond::Ge
            | Cond::Lt
            | Cond::Gt
            | Cond::Le => self.reads(),
        }
    }
}

impl ControlOps for Flags {
    fn branch(&mut self, target: u64) {
        // Those of B reach 128 MiB, the farthest.
        self.note(FlagUse::GoesTo(target as i32));
    }
    fn call(&mut self, target: u64) {
        self.branch(target);
    }
    fn branch_if(&mut self, test: Test<()>, target: u64) {
        match test {
            Test::Cond(Cond::Al | Cond::Nv) => self.branch(target),
            Test::Cond(_) => self.reads(),
            Test::Zero(..) | Test::NonZero(..) | Test::BitClear(..) | Test::BitSet(..) => {
                self.note(FlagUse::MayGoTo(target as i32));
            }
        }
    }
    fn branch_to(&mut self, (): (), _: Indirect) {
        self.reads();
    }
    fn exception(&mut self, _: Exception) {
        self.reads();
    }
}

impl SystemOps for Flags {
    fn read_sys(&mut self, reg: SysReg) {
        match reg {
            SysReg::Nzcv => self.reads(),
            SysReg::Rndr => self.sets(),
            SysReg::Fpcr
            | SysReg::Fpsr
            | SysReg::TpidrEl0
            | SysReg::TpidrroEl0
            | SysReg::CntvctEl0
            | SysReg::CntpctEl0
            | SysReg::CntfrqEl0
            | SysReg::CtrEl0
            | SysReg::DczidEl0
            | SysReg::MidrEl1
            | SysReg::MpidrEl1
            | SysReg::RevidrEl1
            | SysReg::IdAa64pfr0El1
            | SysReg::IdAa64pfr1El1
            | SysReg::IdAa64zfr0El1
            | SysReg::IdAa64smfr0El1
            | SysReg::IdAa64dfr0El1
            | SysReg::IdAa64dfr1El1
            | SysReg::IdAa64isar0El1
            | SysReg::IdAa64isar1El1
            | SysReg::IdAa64isar2El1
            | SysReg::IdAa64isar3El1
            | SysReg::IdAa64mmfr0El1
            | SysReg::IdAa64mmfr1El1
            | SysReg::IdAa64mmfr2El1
            | SysReg::IdAa64mmfr3El1
            | SysReg::IdReserved
            | SysReg::Dit
            | SysReg::Ssbs => {}
        }
    }
    fn write_sys(&mut self, reg: SysReg, (): ()) {
        if reg == SysReg::Nzcv {
            self.sets();
        }
    }
    fn invalidate_code(&mut self, (): ()) {
        self.reads();
    }
}

impl MemoryOps for Flags {
    fn load(&mut self, _: MemSize, _: LoadExt, (): (), _: i64) {
        self.may_fault();
    }
    fn store(&mut self, _: MemSize, (): (), _: i64, (): ()) {
        self.may_fault();
    }
    fn load_v(&mut self, _: MemSize, (): (), _: i64) {
        self.may_fault();
    }
    fn store_v(&mut self, _: MemSize, (): (), _: i64, (): ()) {
        self.may_fault();
    }
    fn load_pair(&mut self, _: bool, (): (), _: i64) -> ((), ()) {
        self.may_fault();
        ((), ())
    }
    fn store_pair(&mut self, _: bool, (): (), _: i64, _: ((), ())) {
        self.may_fault();
    }
    fn bulk(&mut self, _: BulkOp, stage: BulkStage, _: BulkRegs) {
        match stage {
            // It only checks alignment.
            BulkStage::Prologue => self.may_fault(),
            // They look at C.
            BulkStage::Main | BulkStage::Epilogue => self.reads(),
        }
    }
}

// What follows has nothing to do with the flags, but for faults.

impl RegisterOps for Flags {
    fn x(&mut self, _: u8) {}
    fn set_x(&mut self, _: u8, (): ()) {}
    fn sp(&mut self) {}
    fn set_sp(&mut self, (): ()) {}
    fn v(&mut self, _: u8) {}
    fn set_v(&mut self, _: u8, (): ()) {}
}

impl IntegerOps for Flags {
    fn imm(&mut self, _: u64) {}
    fn int1(&mut self, _: Int1, _: Width, (): ()) {}
    fn int2(&mut self, _: Int2, _: Width, (): (), (): ()) {}
    fn extend(&mut self, _: Width, _: bool, _: u8, (): ()) {}
    fn extract(&mut self, _: Width, _: bool, (): (), _: u8, _: u8) {}
    fn insert(&mut self, _: Width, (): (), (): (), _: u8, _: u8) {}
    fn extract_pair(&mut self, _: Width, (): (), (): (), _: u8) {}
    fn crc32(&mut self, _: Crc, _: u8, (): (), (): ()) {}
}

impl AtomicOps for Flags {
    fn load_acquire(&mut self, _: MemSize, (): ()) {
        self.may_fault();
    }
    fn store_release(&mut self, _: MemSize, (): (), (): ()) {
        self.may_fault();
    }
    fn load_acquire_v(&mut self, _: MemSize, (): ()) {
        self.may_fault();
    }
    fn store_release_v(&mut self, _: MemSize, (): (), (): ()) {
        self.may_fault();
    }
    fn load_exclusive(&mut self, _: MemSize, _: Order, (): ()) {
        self.may_fault();
    }
    fn load_exclusive_pair(&mut self, _: MemSize, _: Order, (): ()) -> ((), ()) {
        self.may_fault();
        ((), ())
    }
    fn store_exclusive(&mut self, _: MemSize, _: Order, (): (), (): ()) {
        self.may_fault();
    }
    fn store_exclusive_pair(&mut self, _: MemSize, _: Order, (): (), _: ((), ())) {
        self.may_fault();
    }
    fn clear_exclusive(&mut self) {}
    fn atomic_rmw(&mut self, _: Rmw, _: MemSize, _: Order, (): (), (): ()) {
        self.may_fault();
    }
    fn atomic_rmw_pair(&mut self, _: Rmw, _: Order, (): (), _: ((), ())) -> ((), ()) {
        self.may_fault();
        ((), ())
    }
    fn compare_swap(&mut self, _: MemSize, _: Order, (): (), (): (), (): ()) {
        self.may_fault();
    }
    fn compare_swap_pair(&mut self, _: MemSize, _: Order, (): (), _: ((), ()), _: ((), ())) -> ((), ()) {
        self.may_fault();
        ((), ())
    }
    fn barrier(&mut self, _: Barrier) {}
}

impl PauthOps for Flags {
    fn pac_key(&mut self, _: PacKey, _: u8) {}
    fn pac_bits(&mut self, _: PacKey) {}
    fn qarma(&mut self, _: Qarma, (): (), (): (), _: PacKey) {}
    fn check_signature(&mut self, (): (), (): ()) {
        self.may_fault();
    }
}

impl VectorOps for Flags {
    fn vec_imm(&mut self, _: u128) {}
    fn vec1(&mut self, _: Vec1, _: Shape, (): ()) {}
    fn vec2(&mut self, _: Vec2, _: Shape, (): (), (): ()) {}
    fn vec3(&mut self, _: Vec3, _: Shape, (): (), (): (), (): ()) {}
    fn vec_shift(&mut self, _: VecShift, _: Shape, (): (), (): (), _: u8) {}
    fn vec_dup_lane(&mut self, _: Shape, (): (), _: u8) {}
    fn vec_dup(&mut self, _: Shape, (): ()) {}
    fn vec_set_lane(&mut self, _: Lane, (): (), _: u8, (): ()) {}
    fn vec_copy_lane(&mut self, _: Lane, (): (), _: u8, (): (), _: u8) {}
    fn vec_get_lane(&mut self, _: Lane, (): (), _: u8, _: Option<Width>) {}
    fn vec_ext(&mut self, _: Span, (): (), (): (), _: u8) {}
    fn vec_table(&mut self, _: Span, _: &[()], (): (), _: Option<()>) {}
    fn vec_select(&mut self, cond: Cond, (): (), (): ()) {
        self.select(cond, (), ());
    }
}

impl FloatOps for Flags {
    fn fp1(&mut self, _: Fp1, _: Shape, (): ()) {}
    fn fp2(&mut self, _: Fp2, _: Shape, (): (), (): ()) {}
    fn fp3(&mut self, _: Fp3, _: Shape, (): (), (): (), (): ()) {}
    fn fp_compare(&mut self, _: FpSize, _: bool, (): (), (): ()) {
        self.sets();
    }
    fn fp_cond_compare(&mut self, _: FpSize, _: bool, cond: Cond, (): (), (): (), _: u8) {
        self.select(cond, (), ());
        self.sets();
    }
    fn fp_to_int(&mut self, _: FpToInt, _: Width, _: FpSize, (): ()) {}
    fn fp_to_js_int(&mut self, (): ()) {
        self.sets();
    }
    fn int_to_fp(&mut self, _: IntToFp, _: Width, _: FpSize, (): ()) {}
    fn vec_fp_to_int(&mut self, _: FpToInt, _: Shape, (): ()) {}
    fn vec_int_to_fp(&mut self, _: IntToFp, _: Shape, (): ()) {}
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_remembered_is_what_was_found() {
        let mut lookahead = Lookahead::default();
        let samples =
            (0..40).flat_map(|random| a64_isa::ROWS.iter().map(move |row| a64_isa::sample(row, random)));
        // Each word twice in a row, and those of no row between.
        for word in samples.flat_map(|word| [word, word, 0, !word]) {
            assert_eq!(
                lookahead.look_at(word, FeatureSet::ALL),
                play(word, FeatureSet::ALL),
                "{word:08x}"
            );
        }
    }
}
