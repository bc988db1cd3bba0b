//! Ordered, exclusive and atomic accesses. Every x86 load is an acquire.

use super::{Builder, Flow};
use crate::ir::{Op, Ref, Rmw16};
use guest::CpuState;
use semantics::ops::{AtomicOps, Barrier, IntegerOps, LoadExt, MemSize, Order, Rmw, Width};
use std::mem::offset_of;

impl Builder<'_> {
    pub(super) fn guard_alignment(&mut self, addr: Ref, size: MemSize) {
        if size != MemSize::B {
            self.push(Op::AlignGuard {
                addr,
                mask: (size.bytes() - 1) as u8,
            });
        }
    }

    /// Two W values as one X value, and back.
    pub(super) fn join_words(&mut self, (low, high): (Ref, Ref)) -> Ref {
        self.insert(Width::X, low, high, 32, 32)
    }

    pub(super) fn split_words(&mut self, both: Ref) -> (Ref, Ref) {
        let low = self.extract(Width::X, false, both, 0, 32);
        (low, self.extract(Width::X, false, both, 32, 32))
    }
}

impl AtomicOps for Builder<'_> {
    fn load_acquire(&mut self, size: MemSize, addr: Ref) -> Ref {
        // Every x86 load is an acquire.
        self.guard_alignment(addr, size);
        self.push(Op::Load {
            size,
            ext: LoadExt::Zero,
            base: addr,
            offset: 0,
        })
    }

    fn store_release(&mut self, size: MemSize, addr: Ref, value: Ref) {
        self.guard_alignment(addr, size);
        self.push(Op::StoreRelease { size, addr, value });
    }

    fn load_acquire_v(&mut self, size: MemSize, addr: Ref) -> Ref {
        self.guard_alignment(addr, size);
        self.push(Op::LoadV {
            size,
            base: addr,
            offset: 0,
        })
    }

    fn store_release_v(&mut self, size: MemSize, addr: Ref, value: Ref) {
        self.guard_alignment(addr, size);
        self.push(Op::StoreV {
            size,
            base: addr,
            offset: 0,
            value,
        });
        self.push(Op::Fence);
    }

    fn load_exclusive(&mut self, size: MemSize, _order: Order, addr: Ref) -> Ref {
        self.guard_alignment(addr, size);
        self.push(Op::LoadExclusive { size, addr })
    }

    fn load_exclusive_pair(&mut self, size: MemSize, order: Order, addr: Ref) -> (Ref, Ref) {
        if size != MemSize::X {
            let both = self.load_exclusive(MemSize::X, order, addr);
            return self.split_words(both);
        }
        self.guard_alignment(addr, MemSize::Q);
        let both = self.push(Op::LoadExclusive16 { addr });
        self.split_pair(both)
    }

    fn store_exclusive(&mut self, size: MemSize, _order: Order, addr: Ref, value: Ref) -> Ref {
        self.guard_alignment(addr, size);
        self.push(Op::StoreExclusive { size, addr, value })
    }

    fn store_exclusive_pair(&mut self, size: MemSize, order: Order, addr: Ref, values: (Ref, Ref)) -> Ref {
        if size != MemSize::X {
            let both = self.join_words(values);
            return self.store_exclusive(MemSize::X, order, addr, both);
        }
        self.guard_alignment(addr, MemSize::Q);
        let value = self.join_pair(values);
        self.push(Op::StoreExclusive16 { addr, value })
    }

    fn clear_exclusive(&mut self) {
        let open = self.imm(u64::MAX);
        self.push(Op::SetState(offset_of!(CpuState, exclusive_addr) as u32, open));
    }

    fn atomic_rmw(&mut self, op: Rmw, size: MemSize, _order: Order, addr: Ref, value: Ref) -> Ref {
        self.guard_alignment(addr, size);
        self.push(Op::Rmw {
            op,
            size,
            addr,
            value,
        })
    }

    fn atomic_rmw_pair(&mut self, op: Rmw, _order: Order, addr: Ref, values: (Ref, Ref)) -> (Ref, Ref) {
        let op = match op {
            Rmw::Clr => Rmw16::Clr,
            Rmw::Set => Rmw16::Set,
            Rmw::Swp => Rmw16::Swp,
            // FEAT_LSE128 has none of them.
            Rmw::Add | Rmw::Eor | Rmw::Smax | Rmw::Smin | Rmw::Umax | Rmw::Umin => {
                let nothing = self.give_up();
                return (nothing, nothing);
            }
        };
        self.guard_alignment(addr, MemSize::Q);
        let value = self.join_pair(values);
        let old = self.push(Op::Rmw16 { op, addr, value });
        self.split_pair(old)
    }

    fn compare_swap(&mut self, size: MemSize, _order: Order, addr: Ref, expected: Ref, new: Ref) -> Ref {
        self.guard_alignment(addr, size);
        self.push(Op::Cas {
            size,
            addr,
            expected,
            new,
        })
    }

    fn compare_swap_pair(
        &mut self,
        size: MemSize,
        order: Order,
        addr: Ref,
        expected: (Ref, Ref),
        new: (Ref, Ref),
    ) -> (Ref, Ref) {
        if size != MemSize::X {
            let (expected, new) = (self.join_words(expected), self.join_words(new));
            let old = self.compare_swap(MemSize::X, order, addr, expected, new);
            return self.split_words(old);
        }
        self.guard_alignment(addr, MemSize::Q);
        let (expected, new) = (self.join_pair(expected), self.join_pair(new));
        let old = self.push(Op::Cas16 { addr, expected, new });
        self.split_pair(old)
    }

    fn barrier(&mut self, kind: Barrier) {
        match kind {
            Barrier::Full => {
                self.push(Op::Fence);
            }
            // x86 keeps loads in order and stores in order by itself.
            Barrier::Load | Barrier::Store => {}
            Barrier::Instruction if self.synchronises => {
                self.give_up();
                self.flow = Flow::End;
            }
            Barrier::Instruction => {}
        }
    }
}
