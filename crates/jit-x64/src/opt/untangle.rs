//! Computations that have nothing to do with each other, one after another.
//!
//! Code written for 32 registers often interleaves several such computations (the blocks of a
//! cipher, say) to hide the latency of each. A host with fewer registers spends more
//! on moving values to memory and back than that gains, and its out-of-order window finds the
//! parallelism anyway. So where more values live at once than there are registers, and nothing looks
//! at the guest registers in between ([`Quiet`]), the instructions are put in another order: as many
//! computations at a time as fit, and within one that does not fit each result used as soon as
//! possible.

use crate::ir::{Effect, Ir, NONE, Nzcv, Op, Ref};
use crate::opt::{Analysis, Quiet};

/// Operations from which on another order is worth looking for: about 40 instructions.
pub const LEAST_OPS: usize = 100;
/// Values that the registers hold, a few kept for intermediate results: general ones, vectors
/// (in registers that any instruction takes).
const ROOM: [u32; 2] = [12, 14];

/// Buffers reused between blocks.
#[derive(Default)]
pub struct Untangler {
    /// The instruction of each operation.
    instruction: Vec<u32>,
    /// Of each instruction another one of its computation, or itself; at last that of the operations
    /// whose order is kept.
    parent: Vec<u32>,
    /// Of each computation, by its representative: values alive, and the most that were.
    alive: Vec<[u32; 2]>,
    most: Vec<[u32; 2]>,
    /// Where each instruction goes: a number for its set of computations.
    place: Vec<u32>,
    /// Pairs of instructions: the second needs the first before it, sorted.
    needs: Vec<(u32, u32)>,
    /// How many of those each instruction still waits for.
    waits: Vec<u32>,
    order: Vec<u32>,
    moved: Vec<Ref>,
    ops: Vec<Op>,
    last_use: Vec<Ref>,
}

/// Index into pairs of counts: general register or vector.
fn bank(op: &Op) -> usize {
    usize::from(op.gives_vector())
}

/// Whether the result takes a register.
fn holds_register(op: &Op) -> bool {
    !op.is_constant()
}

/// Calls `f` on each value that takes a register and that operation `at` is the last to use, once.
fn for_each_ended(ops: &[Op], last_use: &[Ref], at: usize, mut f: impl FnMut(Ref)) {
    let mut ended = [NONE; 3];
    ops[at].for_each_operand(|r| {
        let is_last = last_use[r as usize] as usize == at;
        if is_last && !ended.contains(&r) && holds_register(&ops[r as usize]) {
            ended.rotate_right(1);
            ended[0] = r;
            f(r);
        }
    });
}

impl Untangler {
    /// Changes the order of `ir`'s quiet instructions if that saves registers; `analysis` then has to be done
    /// again.
    pub fn run(&mut self, ir: &mut Ir, analysis: &Analysis) -> bool {
        let (end, quiet) = (analysis.quiet.end, &analysis.quiet);
        let before = self.most_alive(&ir.ops, end);
        if (0..2).all(|bank| before[bank] <= ROOM[bank]) {
            return false;
        }
        self.find_instructions(&ir.ops[..end]);
        self.find_computations(&ir.ops[..end], quiet);
        self.measure(&ir.ops[..end], analysis);
        if !self.choose_places() {
            return false;
        }
        self.find_needs(&ir.ops[..end], quiet);
        self.choose_order();
        self.rewrite(ir, end, quiet);
        // A result used as soon as possible may make others wait: their number has no bound but this.
        let ops = std::mem::take(&mut self.ops);
        let after = self.most_alive(&ops, end - (ir.ops.len() - ops.len()));
        self.ops = ops;
        let better = (0..2).all(|bank| after[bank] <= before[bank]) && after != before;
        if better {
            std::mem::swap(&mut ir.ops, &mut self.ops);
        }
        better
    }

    /// The most values alive at once in the operations before `end`.
    fn most_alive(&mut self, ops: &[Op], end: usize) -> [u32; 2] {
        self.last_use.clear();
        self.last_use.resize(end, NONE);
        for (i, op) in ops.iter().enumerate() {
            op.for_each_operand(|r| {
                if let Some(last) = self.last_use.get_mut(r as usize) {
                    *last = i as Ref;
                }
            });
        }
        let (mut alive, mut most) = ([0u32; 2], [0; 2]);
        for (i, op) in ops[..end].iter().enumerate() {
            for_each_ended(ops, &self.last_use, i, |r| alive[bank(&ops[r as usize])] -= 1);
            if self.last_use[i] != NONE && holds_register(op) {
                let bank = bank(op);
                alive[bank] += 1;
                most[bank] = alive[bank].max(most[bank]);
            }
        }
        most
    }

    /// Numbers the instructions, each a computation of its own; one more number is for operations whose order
    /// is kept.
    fn find_instructions(&mut self, ops: &[Op]) {
        self.instruction.clear();
        let mut count = 0;
        for op in ops {
            count += u32::from(matches!(op, Op::Insn { .. }));
            self.instruction.push(count.saturating_sub(1));
        }
        self.parent.clear();
        self.parent.extend(0..=count);
    }

    fn representative(&self, mut n: u32) -> u32 {
        while self.parent[n as usize] != n {
            n = self.parent[n as usize];
        }
        n
    }

    fn join(&mut self, a: u32, b: u32) {
        let (a, b) = (self.representative(a), self.representative(b));
        let (first, second) = (a.min(b), a.max(b));
        self.parent[second as usize] = first;
    }

    /// Joins the instructions of which one needs what the other gives.
    fn find_computations(&mut self, ops: &[Op], quiet: &Quiet) {
        let ordered = self.parent.len() as u32 - 1;
        for (i, op) in ops.iter().enumerate() {
            let n = self.instruction[i];
            match *op {
                Op::GetX(_) | Op::GetV(_) => {
                    if let Some(written) = written(op, quiet, ops.len()) {
                        self.join(n, self.instruction[written]);
                    }
                }
                _ if is_ordered(op) => self.join(n, ordered),
                _ => {}
            }
            op.for_each_operand(|r| {
                if !is_shared(&ops[r as usize], quiet, ops.len()) {
                    self.join(n, self.instruction[r as usize]);
                }
            });
        }
        for n in 0..self.parent.len() as u32 {
            self.parent[n as usize] = self.representative(n);
        }
    }

    /// Counts the values that live at once in each computation.
    fn measure(&mut self, ops: &[Op], analysis: &Analysis) {
        self.alive.clear();
        self.alive.resize(self.parent.len(), [0; 2]);
        self.most.clear();
        self.most.resize(self.parent.len(), [0; 2]);
        let whose = |r: usize| self.parent[self.instruction[r] as usize] as usize;
        for (i, op) in ops.iter().enumerate() {
            for_each_ended(ops, &analysis.last_use, i, |r| {
                self.alive[whose(r as usize)][bank(&ops[r as usize])] -= 1;
            });
            if analysis.last_use[i] != NONE && holds_register(op) {
                let (whose, bank) = (whose(i), bank(op));
                self.alive[whose][bank] += 1;
                self.most[whose][bank] = self.most[whose][bank].max(self.alive[whose][bank]);
            }
        }
    }

    /// Puts as many computations into a set as fit; those with vectors and those without separately. Whether
    /// that makes several sets of one kind, or there is one computation too many for the registers.
    fn choose_places(&mut self) -> bool {
        self.place.clear();
        self.place.resize(self.parent.len(), NONE);
        // Of each kind the number of its set, and the room taken.
        let mut sets = [(0, [0u32; 2]); 2];
        for n in 0..self.parent.len() {
            let whose = self.parent[n] as usize;
            if whose == n {
                let most = self.most[n];
                let (set, taken) = &mut sets[usize::from(most[1] != 0)];
                let full = (0..2).any(|bank| taken[bank] != 0 && taken[bank] + most[bank] > ROOM[bank]);
                if full {
                    *set += 1;
                    *taken = [0; 2];
                }
                taken[0] += most[0];
                taken[1] += most[1];
                self.place[n] = *set << 1 | u32::from(most[1] != 0);
            }
            self.place[n] = self.place[whose];
        }
        let too_large = |most: &[u32; 2]| (0..2).any(|bank| most[bank] > ROOM[bank]);
        sets.iter().any(|&(set, _)| set != 0) || self.most.iter().any(too_large)
    }

    /// What each instruction must come behind.
    fn find_needs(&mut self, ops: &[Op], quiet: &Quiet) {
        self.needs.clear();
        let ordered = self.parent.len() as u32 - 1;
        let mut last_ordered = None;
        for (i, op) in ops.iter().enumerate() {
            let n = self.instruction[i];
            if is_ordered(op) {
                self.needs.extend(last_ordered.map(|before| (before, n)));
                last_ordered = Some(n);
            }
            // A register is read before it is written.
            let write = written(op, quiet, ops.len()).map(|write| (n, self.instruction[write]));
            self.needs.extend(write);
            op.for_each_operand(|r| {
                if !is_shared(&ops[r as usize], quiet, ops.len()) {
                    self.needs.push((self.instruction[r as usize], n));
                }
            });
        }
        self.needs.retain(|&(first, second)| first != second);
        self.needs.sort_unstable();
        self.waits.clear();
        self.waits.resize(ordered as usize, 0);
        for &(_, second) in &self.needs {
            self.waits[second as usize] += 1;
        }
    }

    /// The instructions by set, those of the two kinds in turn.
    fn choose_order(&mut self) {
        let count = self.parent.len() - 1;
        let (place, parent, most) = (&self.place, &self.parent, &self.most);
        let mut kinds = [0, 1].map(|kind| {
            let mut all: Vec<u32> = (0..count as u32)
                .filter(|&n| place[n as usize] & 1 == kind)
                .collect();
            all.sort_by_key(|&n| place[n as usize]);
            let mut order = Vec::with_capacity(all.len());
            for set in all.chunk_by(|&a, &b| place[a as usize] == place[b as usize]) {
                let whose = parent[set[0] as usize];
                let too_large = (0..2).any(|bank| most[whose as usize][bank] > ROOM[bank]);
                if too_large && set.iter().all(|&n| parent[n as usize] == whose) {
                    follow(&self.needs, &mut self.waits, set, &mut order);
                } else {
                    order.extend(set);
                }
            }
            order
        });
        let lengths = kinds.each_ref().map(Vec::len);
        kinds.iter_mut().for_each(|kind| kind.reverse());
        self.order.clear();
        let mut done = [0, 0];
        while self.order.len() < count {
            // The kind of which the smaller share is done.
            let kind = usize::from(done[0] * lengths[1] > done[1] * lengths[0] || lengths[0] == done[0]);
            if let Some(n) = kinds[kind].pop() {
                self.order.push(n);
                done[kind] += 1;
            }
        }
    }

    /// Writes the block in the order chosen to `ops`: what several computations use comes first.
    fn rewrite(&mut self, ir: &Ir, end: usize, quiet: &Quiet) {
        self.moved.clear();
        self.moved.resize(ir.ops.len(), NONE);
        self.ops.clear();
        let starts: Vec<usize> = (0..end)
            .filter(|&i| matches!(ir.ops[i], Op::Insn { .. }))
            .chain([end])
            .collect();
        let mut push = |ops: &mut Vec<Op>, i: usize| {
            self.moved[i] = ops.len() as Ref;
            ops.push(ir.ops[i]);
        };
        for i in 0..end {
            if i < starts[0] || is_shared(&ir.ops[i], quiet, end) {
                push(&mut self.ops, i);
            }
        }
        for &n in &self.order {
            for i in starts[n as usize]..starts[n as usize + 1] {
                if !matches!(ir.ops[i], Op::Nop) && !is_shared(&ir.ops[i], quiet, end) {
                    push(&mut self.ops, i);
                }
            }
        }
        for i in end..ir.ops.len() {
            push(&mut self.ops, i);
        }
        for op in &mut self.ops {
            op.for_each_operand_mut(|r, _| *r = self.moved[*r as usize]);
        }
    }
}

/// Appends the instructions of one computation, each result used as soon as possible. `waits` is how many of
/// `needs` each instruction waits for.
fn follow(needs: &[(u32, u32)], waits: &mut [u32], instructions: &[u32], order: &mut Vec<u32>) {
    let all = order.len() + instructions.len();
    let mut ready: Vec<u32> = instructions.iter().copied().rev().collect();
    ready.retain(|&n| waits[n as usize] == 0);
    while let Some(n) = ready.pop() {
        order.push(n);
        let behind = needs.partition_point(|need| need.0 < n)..needs.partition_point(|need| need.0 <= n);
        for &(_, second) in needs[behind].iter().rev() {
            waits[second as usize] -= 1;
            if waits[second as usize] == 0 {
                ready.push(second);
            }
        }
    }
    assert!(
        order.len() == all,
        "what an instruction needs stands before it, in its computation"
    );
}

/// Whether the operation reads or writes what others do besides guest registers.
fn is_ordered(op: &Op) -> bool {
    match op {
        Op::Insn { .. } | Op::SetX(..) | Op::SetV(..) => false,
        _ => op.effect() != Effect::Pure || op.nzcv() != Nzcv::Kept,
    }
}

/// The write before `end` of the register that `op` reads.
fn written(op: &Op, quiet: &Quiet, end: usize) -> Option<usize> {
    let write = match *op {
        Op::GetX(n) => quiet.x.write(n),
        Op::GetV(n) => quiet.v.write(n),
        _ => None,
    };
    write.filter(|&at| at < end)
}

/// Whether the operation costs nothing and gives the same anywhere in the quiet instructions.
fn is_shared(op: &Op, quiet: &Quiet, end: usize) -> bool {
    match op {
        Op::Imm(_) | Op::Address(_) => true,
        Op::GetX(_) | Op::GetV(_) => written(op, quiet, end).is_none(),
        _ => false,
    }
}
