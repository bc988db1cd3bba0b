//! Integer operations of the interpreter.

use crate::Player;
use semantics::ops::{Crc, Int1, Int2, IntegerOps, Width};

impl IntegerOps for Player<'_> {
    fn imm(&mut self, value: u64) -> u64 {
        value
    }
    fn int1(&mut self, op: Int1, w: Width, a: u64) -> u64 {
        soft::int1(op, w, a)
    }
    fn int2(&mut self, op: Int2, w: Width, a: u64, b: u64) -> u64 {
        soft::int2(op, w, a, b)
    }
    fn extend(&mut self, w: Width, signed: bool, bits: u8, a: u64) -> u64 {
        soft::extend(w, signed, bits, a)
    }
    fn extract(&mut self, w: Width, signed: bool, a: u64, lsb: u8, len: u8) -> u64 {
        soft::extract(w, signed, a, lsb, len)
    }
    fn insert(&mut self, w: Width, dst: u64, src: u64, lsb: u8, len: u8) -> u64 {
        soft::insert(w, dst, src, lsb, len)
    }
    fn extract_pair(&mut self, w: Width, hi: u64, lo: u64, lsb: u8) -> u64 {
        soft::extract_pair(w, hi, lo, lsb)
    }
    fn crc32(&mut self, poly: Crc, bytes: u8, acc: u64, data: u64) -> u64 {
        u64::from(soft::crc32(poly, bytes, acc as u32, data))
    }
}
