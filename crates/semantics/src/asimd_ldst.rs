//! Advanced SIMD loads and stores of structures (Arm ARM C4.1): `asimd_ldst.isa`.
//!
//! Whole registers are moved with vector loads and stores and taken apart or put
//! together by permutations, which translated code has instructions for.

use crate::Translate;
use crate::ops::{Lane, LoadExt, MemSize, Ops, Shape, Span, Vec2, Width};
use crate::simd::vector;
use a64_isa::asimd_ldst::*;
use a64_isa::{AsimdLdst, simd};

/// The consecutive registers of a structure: `Rt`, and modulo 32 those after it.
const fn register(rt: u8, k: usize) -> u8 {
    (rt + k as u8) % 32
}

/// Where a single structure lies: one lane of each register.
#[derive(Clone, Copy)]
struct Element {
    lane: Lane,
    index: u8,
}

impl Element {
    const fn decode(scale: u8, q: bool, s: bool, size: u8) -> Self {
        Element {
            lane: Lane::from_log2(simd::single_size(scale, size)),
            index: simd::single_index(scale, q, s, size),
        }
    }

    const fn size(self) -> MemSize {
        MemSize::from_log2(self.lane as u8)
    }
}

/// Rows of loads and stores of multiple structures, without and with write-back.
macro_rules! multiple {
    ($($name:ident: $row:ident, $post:ident: $post_row:ident = $body:ident $(::<$n:literal>)?, $bytes:literal;)*) => {
        $(
            fn $name(&mut self, i: $row) {
                self.$body$(::<$n>)?(vector(i.size, i.q), i.rn, i.rt);
            }

            fn $post(&mut self, i: $post_row) {
                self.$body$(::<$n>)?(vector(i.size, i.q), i.rn, i.rt);
                self.post_index(i.rn, i.rm, if i.q { 2 * $bytes } else { $bytes });
            }
        )*
    };
}

/// Rows of loads and stores of a single structure to or from one lane.
macro_rules! single {
    ($($name:ident: $row:ident, $post:ident: $post_row:ident = $body:ident::<$n:literal>;)*) => {
        $(
            fn $name(&mut self, i: $row) {
                self.$body::<$n>(Element::decode(i.scale, i.q, i.s, i.size), i.rn, i.rt);
            }

            fn $post(&mut self, i: $post_row) {
                let element = Element::decode(i.scale, i.q, i.s, i.size);
                self.$body::<$n>(element, i.rn, i.rt);
                self.post_index(i.rn, i.rm, $n * element.lane.bytes() as i64);
            }
        )*
    };
}

macro_rules! replicating {
    ($($name:ident: $row:ident, $post:ident: $post_row:ident = $n:literal;)*) => {
        $(
            fn $name(&mut self, i: $row) {
                self.load_replicated::<$n>(vector(i.size, i.q), i.rn, i.rt);
            }

            fn $post(&mut self, i: $post_row) {
                self.load_replicated::<$n>(vector(i.size, i.q), i.rn, i.rt);
                self.post_index(i.rn, i.rm, $n << i.size);
            }
        )*
    };
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
    fn post_index(&mut self, rn: u8, rm: u8, bytes: i64) {
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
    fn load_linear<const N: usize>(&mut self, s: Shape, rn: u8, rt: u8) {
        let values = self.load_all::<N>(s, rn);
        self.set_registers(rt, values);
    }

    /// ST1 of `N` registers.
    fn store_linear<const N: usize>(&mut self, s: Shape, rn: u8, rt: u8) {
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
    fn load_pairs(&mut self, s: Shape, rn: u8, rt: u8) {
        let [a, b] = self.load_all(s, rn);
        let values = self.unzip(s, a, b);
        self.set_registers(rt, values);
    }

    /// ST2.
    fn store_pairs(&mut self, s: Shape, rn: u8, rt: u8) {
        let [a, b] = self.registers(rt);
        let values = self.zip(s, a, b);
        self.store_all(s, rn, values);
    }

    /// LD4: separates even from odd elements twice.
    fn load_quadruples(&mut self, s: Shape, rn: u8, rt: u8) {
        let [a, b, c, d] = self.load_all(s, rn);
        let [even_low, odd_low] = self.unzip(s, a, b);
        let [even_high, odd_high] = self.unzip(s, c, d);
        let [v0, v2] = self.unzip(s, even_low, even_high);
        let [v1, v3] = self.unzip(s, odd_low, odd_high);
        self.set_registers(rt, [v0, v1, v2, v3]);
    }

    /// ST4.
    fn store_quadruples(&mut self, s: Shape, rn: u8, rt: u8) {
        let [v0, v1, v2, v3] = self.registers(rt);
        let [even_low, even_high] = self.zip(s, v0, v2);
        let [odd_low, odd_high] = self.zip(s, v1, v3);
        let [a, b] = self.zip(s, even_low, odd_low);
        let [c, d] = self.zip(s, even_high, odd_high);
        self.store_all(s, rn, [a, b, c, d]);
    }

    /// LD3, by table lookups in what memory holds. Three 8-byte registers are loaded
    /// as 16 and 8 bytes.
    fn load_triples(&mut self, s: Shape, rn: u8, rt: u8) {
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
    fn store_triples(&mut self, s: Shape, rn: u8, rt: u8) {
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
    fn load_lane<const N: usize>(&mut self, element: Element, rn: u8, rt: u8) {
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
    fn store_lane<const N: usize>(&mut self, element: Element, rn: u8, rt: u8) {
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
    fn load_replicated<const N: usize>(&mut self, s: Shape, rn: u8, rt: u8) {
        let base = self.0.x_or_sp(rn);
        let size = MemSize::from_log2(s.lane as u8);
        let values: [_; N] = std::array::from_fn(|k| self.0.load_v(size, base, (k * s.lane.bytes()) as i64));
        let values = values.map(|value| self.0.vec_dup_lane(s, value, 0));
        self.set_registers(rt, values);
    }
}

impl<O: Ops> AsimdLdst for Translate<'_, O> {
    multiple! {
        ld1_1: Ld11, ld1_1_post: Ld11Post = load_linear::<1>, 8;
        ld1_2: Ld12, ld1_2_post: Ld12Post = load_linear::<2>, 16;
        ld1_3: Ld13, ld1_3_post: Ld13Post = load_linear::<3>, 24;
        ld1_4: Ld14, ld1_4_post: Ld14Post = load_linear::<4>, 32;
        st1_1: St11, st1_1_post: St11Post = store_linear::<1>, 8;
        st1_2: St12, st1_2_post: St12Post = store_linear::<2>, 16;
        st1_3: St13, st1_3_post: St13Post = store_linear::<3>, 24;
        st1_4: St14, st1_4_post: St14Post = store_linear::<4>, 32;
        ld2: Ld2, ld2_post: Ld2Post = load_pairs, 16;
        st2: St2, st2_post: St2Post = store_pairs, 16;
        ld3: Ld3, ld3_post: Ld3Post = load_triples, 24;
        st3: St3, st3_post: St3Post = store_triples, 24;
        ld4: Ld4, ld4_post: Ld4Post = load_quadruples, 32;
        st4: St4, st4_post: St4Post = store_quadruples, 32;
    }

    single! {
        ld1_lane: Ld1Lane, ld1_lane_post: Ld1LanePost = load_lane::<1>;
        ld2_lane: Ld2Lane, ld2_lane_post: Ld2LanePost = load_lane::<2>;
        ld3_lane: Ld3Lane, ld3_lane_post: Ld3LanePost = load_lane::<3>;
        ld4_lane: Ld4Lane, ld4_lane_post: Ld4LanePost = load_lane::<4>;
        st1_lane: St1Lane, st1_lane_post: St1LanePost = store_lane::<1>;
        st2_lane: St2Lane, st2_lane_post: St2LanePost = store_lane::<2>;
        st3_lane: St3Lane, st3_lane_post: St3LanePost = store_lane::<3>;
        st4_lane: St4Lane, st4_lane_post: St4LanePost = store_lane::<4>;
    }

    replicating! {
        ld1r: Ld1r, ld1r_post: Ld1rPost = 1;
        ld2r: Ld2r, ld2r_post: Ld2rPost = 2;
        ld3r: Ld3r, ld3r_post: Ld3rPost = 3;
        ld4r: Ld4r, ld4r_post: Ld4rPost = 4;
    }
}
