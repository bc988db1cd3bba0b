//! Advanced SIMD loads and stores of structures (Arm ARM C4.1): `asimd_ldst.isa`.
//!
//! Whole registers are moved with vector loads and stores and taken apart or put
//! together by permutations, which translated code has instructions for.

use crate::Translate;
use crate::ops::{Lane, LoadExt, MemSize, Ops, Shape, Span, Vec2, Width};
use a64_isa::simd;

/// The consecutive registers of a structure: `Rt`, and modulo 32 those after it.
const fn register(rt: u8, k: usize) -> u8 {
    (rt + k as u8) % 32
}

/// Where a single structure lies: one lane of each register.
#[derive(Clone, Copy)]
pub(crate) struct SingleLane {
    lane: Lane,
    index: u8,
}

impl SingleLane {
    pub(crate) const fn new(scale: u8, q: bool, s: bool, size: u8) -> Self {
        SingleLane {
            lane: Lane::from_log2(simd::single_size(scale, size)),
            index: simd::single_index(scale, q, s, size),
        }
    }

    const fn size(self) -> MemSize {
        MemSize::from_log2(self.lane as u8)
    }
}

/// The bytes of a whole or half register.
pub(crate) const fn register_bytes(q: bool) -> i64 {
    if q { 16 } else { 8 }
}

/// Indices into the registers of memory order that give register `k` of three.
fn deinterleave3(lane: Lane, k: usize) -> u128 {
    let e = lane.bytes();
    table_indices(|byte| (3 * (byte / e) + k) * e + byte % e)
}

/// Indices into three registers that give the 16 bytes of memory from `from` on.
fn interleave3(lane: Lane, from: usize) -> u128 {
    let e = lane.bytes();
    table_indices(|byte| {
        let (element, within) = ((from + byte) / e, (from + byte) % e);
        16 * (element % 3) + element / 3 * e + within
    })
}

fn table_indices(f: impl Fn(usize) -> usize) -> u128 {
    u128::from_le_bytes(std::array::from_fn(|byte| f(byte) as u8))
}

const fn register_size(span: Span) -> MemSize {
    match span {
        Span::Full => MemSize::Q,
        Span::Half | Span::Scalar => MemSize::X,
    }
}

impl<O: Ops> Translate<'_, O> {
    /// Adds to the base the register `Rm` or, for 31, the bytes transferred.
    pub(crate) fn post_index(&mut self, rn: u8, rm: u8, bytes: i64) {
        let base = self.0.x_or_sp(rn);
        let result = if rm == 31 {
            self.0.add_imm(base, bytes)
        } else {
            let offset = self.0.x(rm);
            self.0.add(Width::X, base, offset)
        };
        self.0.set_x_or_sp(rn, result);
    }

    /// `N` registers' worth of memory.
    fn load_all<const N: usize>(&mut self, s: Shape, rn: u8) -> [O::Vector; N] {
        let base = self.0.x_or_sp(rn);
        let size = register_size(s.span);
        std::array::from_fn(|k| self.0.load_v(size, base, (k * size.bytes()) as i64))
    }

    fn store_all<const N: usize>(&mut self, s: Shape, rn: u8, values: [O::Vector; N]) {
        let base = self.0.x_or_sp(rn);
        let size = register_size(s.span);
        for (k, value) in values.into_iter().enumerate() {
            self.0.store_v(size, base, (k * size.bytes()) as i64, value);
        }
    }

    fn registers<const N: usize>(&mut self, rt: u8) -> [O::Vector; N] {
        std::array::from_fn(|k| self.0.v(register(rt, k)))
    }

    fn set_registers<const N: usize>(&mut self, rt: u8, values: [O::Vector; N]) {
        for (k, value) in values.into_iter().enumerate() {
            self.0.set_v(register(rt, k), value);
        }
    }

    /// LD1 of `N` registers.
    pub(crate) fn load_linear<const N: usize>(&mut self, s: Shape, rn: u8, rt: u8) {
        let values = self.load_all::<N>(s, rn);
        self.set_registers(rt, values);
    }

    /// ST1 of `N` registers.
    pub(crate) fn store_linear<const N: usize>(&mut self, s: Shape, rn: u8, rt: u8) {
        let values = self.registers::<N>(rt);
        self.store_all(s, rn, values);
    }

    fn pair(&mut self, ops: [Vec2; 2], s: Shape, a: O::Vector, b: O::Vector) -> [O::Vector; 2] {
        ops.map(|op| self.0.vec2(op, s, a, b))
    }

    fn unzip(&mut self, s: Shape, a: O::Vector, b: O::Vector) -> [O::Vector; 2] {
        self.pair([Vec2::Uzp1, Vec2::Uzp2], s, a, b)
    }

    fn zip(&mut self, s: Shape, a: O::Vector, b: O::Vector) -> [O::Vector; 2] {
        self.pair([Vec2::Zip1, Vec2::Zip2], s, a, b)
    }

    /// LD2.
    pub(crate) fn load_pairs(&mut self, s: Shape, rn: u8, rt: u8) {
        let [a, b] = self.load_all(s, rn);
        let values = self.unzip(s, a, b);
        self.set_registers(rt, values);
    }

    /// ST2.
    pub(crate) fn store_pairs(&mut self, s: Shape, rn: u8, rt: u8) {
        let [a, b] = self.registers(rt);
        let values = self.zip(s, a, b);
        self.store_all(s, rn, values);
    }

    /// LD4: separates even from odd elements twice.
    pub(crate) fn load_quadruples(&mut self, s: Shape, rn: u8, rt: u8) {
        let [a, b, c, d] = self.load_all(s, rn);
        let [even_low, odd_low] = self.unzip(s, a, b);
        let [even_high, odd_high] = self.unzip(s, c, d);
        let [v0, v2] = self.unzip(s, even_low, even_high);
        let [v1, v3] = self.unzip(s, odd_low, odd_high);
        self.set_registers(rt, [v0, v1, v2, v3]);
    }

    /// ST4.
    pub(crate) fn store_quadruples(&mut self, s: Shape, rn: u8, rt: u8) {
        let [v0, v1, v2, v3] = self.registers(rt);
        let [even_low, even_high] = self.zip(s, v0, v2);
        let [odd_low, odd_high] = self.zip(s, v1, v3);
        let [a, b] = self.zip(s, even_low, odd_low);
        let [c, d] = self.zip(s, even_high, odd_high);
        self.store_all(s, rn, [a, b, c, d]);
    }

    /// LD3, by table lookups in what memory holds. Three 8-byte registers are loaded
    /// as 16 and 8 bytes.
    pub(crate) fn load_triples(&mut self, s: Shape, rn: u8, rt: u8) {
        let base = self.0.x_or_sp(rn);
        let first = self.0.load_v(MemSize::Q, base, 0);
        let second = self.0.load_v(register_size(s.span), base, 16);
        let values = match s.span {
            Span::Full => {
                let third = self.0.load_v(MemSize::Q, base, 32);
                self.look_up_triples(s, &[first, second, third])
            }
            Span::Half | Span::Scalar => self.look_up_triples(s, &[first, second]),
        };
        self.set_registers(rt, values);
    }

    fn look_up_triples(&mut self, s: Shape, memory: &[O::Vector]) -> [O::Vector; 3] {
        std::array::from_fn(|k| {
            let indices = self.0.vec_imm(deinterleave3(s.lane, k));
            self.0.vec_table(s.span, memory, indices, None)
        })
    }

    /// ST3.
    pub(crate) fn store_triples(&mut self, s: Shape, rn: u8, rt: u8) {
        let registers = self.registers::<3>(rt);
        let base = self.0.x_or_sp(rn);
        let chunks = [(0, MemSize::Q), (16, register_size(s.span)), (32, MemSize::Q)];
        let used = if s.span == Span::Full { 3 } else { 2 };
        for (from, size) in chunks.into_iter().take(used) {
            let indices = self.0.vec_imm(interleave3(s.lane, from));
            let bytes = self.0.vec_table(Span::Full, &registers, indices, None);
            self.0.store_v(size, base, from as i64, bytes);
        }
    }

    /// LD1 to LD4 of one lane, the others kept.
    pub(crate) fn load_lane<const N: usize>(&mut self, element: SingleLane, rn: u8, rt: u8) {
        let base = self.0.x_or_sp(rn);
        let values: [_; N] = std::array::from_fn(|k| {
            self.0.load(
                element.size(),
                LoadExt::Zero,
                base,
                (k * element.lane.bytes()) as i64,
            )
        });
        for (k, value) in values.into_iter().enumerate() {
            let old = self.0.v(register(rt, k));
            let result = self.0.vec_set_lane(element.lane, old, element.index, value);
            self.0.set_v(register(rt, k), result);
        }
    }

    /// ST1 to ST4 of one lane.
    pub(crate) fn store_lane<const N: usize>(&mut self, element: SingleLane, rn: u8, rt: u8) {
        let base = self.0.x_or_sp(rn);
        for k in 0..N {
            let offset = (k * element.lane.bytes()) as i64;
            let register = self.0.v(register(rt, k));
            if element.index == 0 {
                self.0.store_v(element.size(), base, offset, register);
            } else {
                let value = self.0.vec_get_lane(element.lane, register, element.index, None);
                self.0.store(element.size(), base, offset, value);
            }
        }
    }

    /// LD1R to LD4R.
    pub(crate) fn load_replicated<const N: usize>(&mut self, s: Shape, rn: u8, rt: u8) {
        let base = self.0.x_or_sp(rn);
        let size = MemSize::from_log2(s.lane as u8);
        let values: [_; N] = std::array::from_fn(|k| self.0.load_v(size, base, (k * s.lane.bytes()) as i64));
        let values = values.map(|value| self.0.vec_dup_lane(s, value, 0));
        self.set_registers(rt, values);
    }
}
