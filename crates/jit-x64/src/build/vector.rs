//! Vector operations.

use super::Builder;
use crate::ir::{Op, Ref, TableElse, TableMore};
use crate::lower::support;
use semantics::ops::{Cond, Lane, Shape, Span, Vec1, Vec2, Vec3, VecShift, VectorOps, Width};

impl VectorOps for Builder<'_> {
    fn vec_imm(&mut self, value: u128) -> Ref {
        self.push(Op::VecImm {
            lo: value as u64,
            hi: (value >> 64) as u64,
        })
    }

    fn vec1(&mut self, op: Vec1, s: Shape, a: Ref) -> Ref {
        if op == Vec1::Mov && s.span == Span::Full {
            return a;
        }
        if !support::vec1(self.target.features, op, s) {
            return self.give_up();
        }
        if let Some(found) = self.fused1(op, a) {
            return found;
        }
        self.push(Op::Vec1 { op, s, a })
    }

    fn vec2(&mut self, op: Vec2, s: Shape, a: Ref, b: Ref) -> Ref {
        if !support::vec2(self.target.features, op, s) {
            return self.give_up();
        }
        if let Some(found) = self.fused2(op, s, a, b) {
            return found;
        }
        self.push(Op::Vec2 { op, s, a, b })
    }

    fn vec3(&mut self, op: Vec3, s: Shape, a: Ref, b: Ref, c: Ref) -> Ref {
        if !support::vec3(self.target.features, op, s) {
            return self.give_up();
        }
        if let Some(found) = self.fused3(op, a, b, c) {
            return found;
        }
        self.push(Op::Vec3 { op, s, a, b, c })
    }

    fn vec_shift(&mut self, op: VecShift, s: Shape, acc: Ref, a: Ref, amount: u8) -> Ref {
        if !support::vec_shift(op, s, amount) {
            return self.give_up();
        }
        if let Some(found) = self.fused_shift(op, s, acc, a, amount) {
            return found;
        }
        self.push(Op::VecShift {
            op,
            s,
            acc,
            a,
            amount,
        })
    }

    fn vec_dup_lane(&mut self, s: Shape, a: Ref, index: u8) -> Ref {
        self.push(Op::VecDupLane { s, a, index })
    }

    fn vec_dup(&mut self, s: Shape, value: Ref) -> Ref {
        self.push(Op::VecDup { s, value })
    }

    fn vec_set_lane(&mut self, lane: Lane, dst: Ref, index: u8, value: Ref) -> Ref {
        self.push(Op::VecSetLane {
            lane,
            dst,
            index,
            value,
        })
    }

    fn vec_copy_lane(&mut self, lane: Lane, dst: Ref, to: u8, src: Ref, from: u8) -> Ref {
        self.push(Op::VecCopyLane {
            lane,
            dst,
            to,
            src,
            from,
        })
    }

    fn vec_get_lane(&mut self, lane: Lane, a: Ref, index: u8, signed: Option<Width>) -> Ref {
        self.push(Op::VecGetLane {
            lane,
            a,
            index,
            signed,
        })
    }

    fn vec_ext(&mut self, s: Span, lo: Ref, hi: Ref, index: u8) -> Ref {
        self.push(Op::VecExt { s, lo, hi, index })
    }

    fn vec_table(&mut self, s: Span, table: &[Ref], indices: Ref, fallback: Option<Ref>) -> Ref {
        let Some((&first, rest)) = table.split_first() else {
            return self.give_up();
        };
        let mut found = self.push(Op::VecTable1 {
            s,
            table: first,
            indices,
        });
        for (&table, nth) in rest.iter().zip(1..) {
            found = self.push(Op::VecTableMore(TableMore {
                s,
                earlier: found,
                table,
                indices,
                nth,
            }));
        }
        match fallback {
            None => found,
            Some(fallback) => self.push(Op::VecTableElse(TableElse {
                s,
                found,
                fallback,
                indices,
                count: table.len() as u8,
            })),
        }
    }

    fn vec_select(&mut self, cond: Cond, a: Ref, b: Ref) -> Ref {
        if matches!(cond, Cond::Al | Cond::Nv) {
            return a;
        }
        self.push(Op::VecSelect { cond, a, b })
    }
}
