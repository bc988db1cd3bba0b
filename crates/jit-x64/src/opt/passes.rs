//! Passes over block IR: dead values, dead register writes and dead flags go; the
//! lowering learns where each value is last used, which results can be computed in
//! place, and which additions fold into an address.

use crate::ir::{Effect, Ir, NONE, Nzcv, Op, Ref};
use crate::opt::untangle::{self, Untangler};
use crate::target::Homes;
use semantics::ops::{FlagOp, Int2, Width};

/// No guest register.
pub const NO_HINT: u8 = 255;

/// What the passes found out, by operation index. Reused from block to block.
#[derive(Default)]
pub struct Analysis {
    /// How often the result is used.
    pub uses: Vec<u32>,
    /// The last operation that uses the result.
    pub last_use: Vec<Ref>,
    /// Whether NZCV is needed after the operation.
    pub flags_after: Vec<bool>,
    /// For side exits: whether NZCV is needed at the target.
    pub flags_at_target: Vec<bool>,
    /// The pinned guest register whose host register the result may be computed in.
    pub hint: Vec<u8>,
    /// Part of a later operation's address; emits nothing by itself.
    pub folded: Vec<bool>,
    /// Where the block begins, before anything can look at guest registers.
    pub quiet: Quiet,
    untangler: Untangler,
}

/// The start of a block up to the first instruction that may leave it, fault or be
/// interrupted: no one sees the guest registers between its instructions.
#[derive(Default)]
pub struct Quiet {
    /// Index of the operation behind it.
    pub end: usize,
    pub x: Touched,
    pub v: Touched,
}

/// Guest registers that the quiet start reads as the block found them, and that it writes:
/// once each, since only the last write is left.
#[derive(Default)]
pub struct Touched {
    read: u32,
    written: u32,
    last_read: [Ref; 32],
    write: [Ref; 32],
}

impl Touched {
    /// The last operation that reads register `n`.
    #[must_use]
    pub fn last_read(&self, n: u8) -> Option<usize> {
        (self.read & 1 << n != 0).then(|| self.last_read[n as usize] as usize)
    }

    /// The operation that writes it.
    #[must_use]
    pub fn write(&self, n: u8) -> Option<usize> {
        (self.written & 1 << n != 0).then(|| self.write[n as usize] as usize)
    }

    fn note_read(&mut self, n: u8, at: usize) {
        self.read |= 1 << n;
        self.last_read[n as usize] = at as Ref;
    }

    fn note_write(&mut self, n: u8, at: usize) {
        self.written |= 1 << n;
        self.write[n as usize] = at as Ref;
    }

    fn forget(&mut self) {
        (self.read, self.written) = (0, 0);
    }
}

impl Quiet {
    /// Finds it in the operations before the first that may leave the block; dead ones are gone.
    fn find(&mut self, ops: &[Op]) {
        self.end = 0;
        self.x.forget();
        self.v.forget();
        for (i, op) in ops.iter().enumerate() {
            match *op {
                Op::Insn { .. } => self.end = i,
                Op::GetX(n) => self.x.note_read(n, i),
                Op::SetX(n, _) => self.x.note_write(n, i),
                Op::GetV(n) => self.v.note_read(n, i),
                Op::SetV(n, _) => self.v.note_write(n, i),
                _ => {}
            }
        }
    }
}

impl Analysis {
    fn reset(&mut self, len: usize) {
        self.uses.clear();
        self.uses.resize(len, 0);
        self.last_use.clear();
        self.last_use.resize(len, NONE);
        self.flags_after.clear();
        self.flags_after.resize(len, false);
        self.flags_at_target.clear();
        self.flags_at_target.resize(len, false);
        self.hint.clear();
        self.hint.resize(len, NO_HINT);
        self.folded.clear();
        self.folded.resize(len, false);
    }

    /// Runs all passes over `ir`. `flags_live` says whether code at a guest address may
    /// read NZCV before setting it.
    pub fn run(&mut self, homes: &Homes, ir: &mut Ir, mut flags_live: impl FnMut(u64) -> bool) {
        debug_assert_eq!(ir.misplaced(), None, "{:?}", ir.ops);
        self.values(homes, ir, &mut flags_live);
        if self.quiet.end >= untangle::LEAST_OPS {
            let mut untangler = std::mem::take(&mut self.untangler);
            if untangler.run(ir, self) {
                self.values(homes, ir, &mut flags_live);
            }
            self.untangler = untangler;
        }
    }

    fn values(&mut self, homes: &Homes, ir: &mut Ir, flags_live: &mut impl FnMut(u64) -> bool) {
        self.reset(ir.ops.len());
        let observed = self.backward(homes, ir, flags_live);
        self.quiet.find(&ir.ops[..observed]);
    }

    /// Liveness of values, register writes and flags, last operation first. Gives the index of the first operation that
    /// may leave the block.
    fn backward(&mut self, homes: &Homes, ir: &mut Ir, flags_live: &mut impl FnMut(u64) -> bool) -> usize {
        let mut live = true;
        let mut observed = ir.ops.len();
        // Registers that are written again before anything can look at them.
        let (mut over_x, mut over_v) = (0u32, 0u32);
        for i in (0..ir.ops.len()).rev() {
            let mut op = ir.ops[i];
            let (effect, mut nzcv) = op.facts();
            // Where nothing has touched the flags they are in the CPU state: it is no matter who needs them.
            let first_flags = ir.first_flags;
            let mut flags_live = |target| i > first_flags && flags_live(target);
            let dead = match effect {
                Effect::Pure | Effect::Reads => self.uses[i] == 0,
                Effect::Flags => !live && self.uses[i] == 0,
                Effect::Writes => match op {
                    Op::SetX(n, _) => over_x & (1 << n) != 0,
                    Op::SetV(n, _) => over_v & (1 << n) != 0,
                    _ => false,
                },
                Effect::Observes => false,
            };
            if dead {
                ir.ops[i] = Op::Nop;
                continue;
            }
            match effect {
                Effect::Pure => self.fold_address(ir, i),
                Effect::Reads => {}
                Effect::Flags => {
                    if let Op::FlagOp { op: kind, w, a, b } = op
                        && !live
                    {
                        op = plain_op(kind, w, a, b);
                        ir.ops[i] = op;
                        nzcv = op.nzcv();
                        self.fold_address(ir, i);
                    }
                }
                Effect::Writes => match op {
                    Op::SetX(n, value) => {
                        over_x |= 1 << n;
                        if homes.x(n).is_some() {
                            self.find_hint(ir, i, n, value, |op| *op == Op::GetX(n));
                        }
                    }
                    Op::SetV(n, value) => {
                        over_v |= 1 << n;
                        if homes.v(n).is_some() {
                            self.find_hint(ir, i, n, value, |op| *op == Op::GetV(n));
                        }
                    }
                    _ => {}
                },
                Effect::Observes => {
                    (over_x, over_v) = (0, 0);
                    observed = i;
                    live |= ir.exact_flags && i > first_flags && op.may_fault();
                    match op {
                        Op::Jump { target } | Op::Call { target } => live = flags_live(target),
                        Op::JumpTo { .. } | Op::JumpPc | Op::Svc { .. } => live = true,
                        Op::SideExit { target, .. } => {
                            self.flags_at_target[i] = flags_live(target);
                            live |= self.flags_at_target[i];
                        }
                        _ => {}
                    }
                }
            }
            self.flags_after[i] = live;
            match nzcv {
                Nzcv::Kept => {}
                Nzcv::Set => live = false,
                Nzcv::Read | Nzcv::ReadAndSet | Nzcv::Unknown => live = true,
            }
            let (uses, last_use) = (&mut self.uses, &mut self.last_use);
            // What makes an address is used where that is.
            let at = if self.folded[i] { last_use[i] } else { i as Ref };
            op.for_each_operand(|r| {
                let (uses, last_use) = (&mut uses[r as usize], &mut last_use[r as usize]);
                *uses += 1;
                if *last_use == NONE || *last_use < at {
                    *last_use = at;
                }
            });
        }
        observed
    }

    /// Lets `value` be computed in register `n`'s host register, if nothing between its
    /// definition and the write at `set` can see the register.
    fn find_hint(&mut self, ir: &Ir, set: usize, n: u8, value: Ref, reads: impl Fn(&Op) -> bool) {
        const DISTANCE: usize = 8;
        let between = &ir.ops[value as usize + 1..set];
        let hidden =
            |op: &Op| op.effect() != Effect::Observes && !matches!(op, Op::Insn { .. }) && !reads(op);
        if between.len() <= DISTANCE && between.iter().all(hidden) {
            self.hint[value as usize] = n;
        }
    }

    /// Whether the operation at `i` only makes an address: an addition to a base that nothing else uses, or the shift
    /// of what such a one adds.
    fn fold_address(&mut self, ir: &Ir, i: usize) {
        let Op::Int2 {
            op,
            w: Width::X,
            a: _,
            b,
        } = ir.ops[i]
        else {
            return;
        };
        if self.uses[i] != 1 {
            return;
        }
        let (Op::Load { base, .. }
        | Op::Store { base, .. }
        | Op::LoadV { base, .. }
        | Op::StoreV { base, .. }) = ir.ops[self.last_use[i] as usize]
        else {
            return;
        };
        let constant = match ir.ops[b as usize] {
            Op::Imm(value) => Some(value),
            _ => None,
        };
        self.folded[i] = match op {
            Int2::Add => base as usize == i && constant.is_none(),
            Int2::Lsl => {
                let adds = matches!(ir.ops[base as usize], Op::Int2 { b, .. } if b as usize == i);
                adds && self.folded[base as usize] && matches!(constant, Some(1..=3))
            }
            _ => false,
        };
    }
}

/// The operation without its flags.
fn plain_op(op: FlagOp, w: Width, a: Ref, b: Ref) -> Op {
    match op {
        FlagOp::Add => Op::Int2 {
            op: Int2::Add,
            w,
            a,
            b,
        },
        FlagOp::Sub => Op::Int2 {
            op: Int2::Sub,
            w,
            a,
            b,
        },
        FlagOp::And => Op::Int2 {
            op: Int2::And,
            w,
            a,
            b,
        },
        FlagOp::Adc | FlagOp::Sbc => Op::CarryOp { op, w, a, b },
    }
}
