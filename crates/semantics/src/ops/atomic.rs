//! Ordered, exclusive and atomic accesses, and barriers.

use super::enums::enumerated;
use super::{Machine, MemSize};

enumerated! {
    /// Memory ordering of an atomic access.
    pub enum Order { Relaxed, Acquire, Release, AcqRel }
}

impl Order {
    /// By the acquire and release bits.
    #[must_use]
    pub const fn of(acquire: bool, release: bool) -> Self {
        match (acquire, release) {
            (false, false) => Order::Relaxed,
            (true, false) => Order::Acquire,
            (false, true) => Order::Release,
            (true, true) => Order::AcqRel,
        }
    }
}

enumerated! {
    /// LSE read-modify-write operations (`Clr` is `old & !value`).
    pub enum Rmw { Add, Clr, Eor, Set, Smax, Smin, Umax, Umin, Swp }
}

enumerated! {
    /// Barriers, by what they order.
    pub enum Barrier {
        /// DMB/DSB with loads and stores ordered against each other.
        Full,
        /// DMB/DSB LD.
        Load,
        /// DMB/DSB ST.
        Store,
        /// ISB.
        Instruction,
    }
}

pub trait AtomicOps: Machine {
    /// LDAR and LDAPR: zero-extending; faults when misaligned across 16 bytes.
    fn load_acquire(&mut self, size: MemSize, addr: Self::Value) -> Self::Value;
    /// STLR.
    fn store_release(&mut self, size: MemSize, addr: Self::Value, value: Self::Value);
    /// As [`AtomicOps::load_acquire`], for 1 to 16 bytes of a vector, the rest zero.
    fn load_acquire_v(&mut self, size: MemSize, addr: Self::Value) -> Self::Vector;
    fn store_release_v(&mut self, size: MemSize, addr: Self::Value, value: Self::Vector);
    /// LDXR and LDAXR. Alignment fault when misaligned.
    fn load_exclusive(&mut self, size: MemSize, order: Order, addr: Self::Value) -> Self::Value;
    /// LDXP: `size` is that of one register (W: 4 bytes, X: 8).
    fn load_exclusive_pair(
        &mut self,
        size: MemSize,
        order: Order,
        addr: Self::Value,
    ) -> (Self::Value, Self::Value);
    /// STXR and STLXR; the result is the status, 0 on success.
    fn store_exclusive(
        &mut self,
        size: MemSize,
        order: Order,
        addr: Self::Value,
        value: Self::Value,
    ) -> Self::Value;
    fn store_exclusive_pair(
        &mut self,
        size: MemSize,
        order: Order,
        addr: Self::Value,
        values: (Self::Value, Self::Value),
    ) -> Self::Value;
    fn clear_exclusive(&mut self);
    /// LSE read-modify-write; returns the old value, zero-extended.
    fn atomic_rmw(
        &mut self,
        op: Rmw,
        size: MemSize,
        order: Order,
        addr: Self::Value,
        value: Self::Value,
    ) -> Self::Value;
    /// LSE128 (`Clr`, `Set` or `Swp`): low word first; returns the old words.
    fn atomic_rmw_pair(
        &mut self,
        op: Rmw,
        order: Order,
        addr: Self::Value,
        values: (Self::Value, Self::Value),
    ) -> (Self::Value, Self::Value);
    /// CAS; returns the old value, zero-extended.
    fn compare_swap(
        &mut self,
        size: MemSize,
        order: Order,
        addr: Self::Value,
        expected: Self::Value,
        new: Self::Value,
    ) -> Self::Value;
    /// CASP; `size` is that of one register.
    fn compare_swap_pair(
        &mut self,
        size: MemSize,
        order: Order,
        addr: Self::Value,
        expected: (Self::Value, Self::Value),
        new: (Self::Value, Self::Value),
    ) -> (Self::Value, Self::Value);
    fn barrier(&mut self, kind: Barrier);
}
