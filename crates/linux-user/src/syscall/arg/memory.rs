//! Arguments that are addresses of memory whose size the row tells: structures, buffers
//! with a length in another register, arrays with a count there.
//!
//! `In` is what the kernel reads, `Out` what it writes, `InOut` what it does both to; these
//! print what they point to. `Reads` and `Writes` are the same for what prints as an
//! address. The kernel may stop early in a `...UpTo`, whose count is then cut; of the others
//! it touches all or nothing that matters.

use super::guard::{self, HostArgs};
use super::{Arg, Guest, Regs, Show, read, write};
use crate::strace::Printer;
use guest::GuestAddr;
use linux_abi::Errno;
use linux_abi::layout::Iovec;
use std::marker::PhantomData;

/// Cuts the count in register `count` so that `head` bytes and that many elements of
/// `size` bytes end before the emulator's memory; replaces the address in `at` where not
/// one fits, or where the kernel refuses the count as negative anyway.
fn cut(host: &mut HostArgs, at: usize, head: u64, size: u64, count: usize) {
    let addr = host.regs[at];
    let elements = host.count(count);
    let len = head.saturating_add(elements.saturating_mul(size));
    if !guard::touches_own(addr, len) {
        return;
    }
    let fitting = guard::clear_len(addr, len).saturating_sub(head) / size;
    if fitting == 0 || (elements as i64) < 0 {
        host.regs[at] = guard::nowhere(addr);
    } else {
        host.regs[count] = fitting.min(elements);
    }
}

/// Replaces the address in `at` where `head` bytes and the elements touch the emulator's memory.
fn whole(host: &mut HostArgs, at: usize, head: u64, size: u64, count: usize) {
    let len = head.saturating_add(host.count(count).saturating_mul(size));
    host.regs[at] = guard::passed(host.regs[at], len);
}

/// Declares typed pointers to one value: what it points to is printed by its type.
macro_rules! pointers {
    ($($(#[$doc:meta])* $name:ident, printed_after: $out:literal;)*) => {$(
        $(#[$doc])*
        #[derive(Debug)]
        pub struct $name<T>(pub GuestAddr, PhantomData<T>);
        impl<T> Clone for $name<T> {
            fn clone(&self) -> Self {
                *self
            }
        }
        impl<T> Copy for $name<T> {}
        impl<T> $name<T> {
            #[must_use]
            pub fn new(addr: GuestAddr) -> Self {
                $name(addr, PhantomData)
            }
            #[must_use]
            pub fn is_null(self) -> bool {
                self.0.is_null()
            }
            /// The address for the host's kernel.
            #[must_use]
            pub fn passed(self) -> u64 {
                guard::passed(self.0.0, size_of::<T>() as u64)
            }
        }
        impl<T: Show + Guest> Arg for $name<T> {
            const ADDRESS: bool = true;
            const OUT: bool = $out;
            fn decode(regs: &Regs, index: usize) -> Self {
                $name::new(GuestAddr(regs[index]))
            }
            fn register(self) -> u64 {
                self.0.0
            }
            fn guard(self, at: usize, host: &mut HostArgs) {
                host.regs[at] = self.passed();
            }
            fn show(self, out: &mut Printer) {
                show_first::<T>(self.0, $out, out);
            }
        }
    )*};
}

/// Prints the (first) value at `addr`, one that the call writes only when it did.
fn show_first<T: Show + Guest>(addr: GuestAddr, written: bool, out: &mut Printer) {
    if addr.is_null() || (written && !matches!(out.result(), Some(Ok(_)))) {
        return out.pointer(addr);
    }
    match read::<T>(addr) {
        Ok(value) => value.show(out),
        Err(_) => out.pointer(addr),
    }
}

pointers! {
    /// A structure the call reads.
    In, printed_after: false;
    /// A structure the call writes.
    Out, printed_after: true;
    /// A structure the call reads and writes; printed as it was before.
    InOut, printed_after: false;
}

impl<T: Guest> In<T> {
    /// # Errors
    /// EFAULT.
    pub fn read(self) -> Result<T, Errno> {
        read(self.0)
    }
}

impl<T: Guest> Out<T> {
    /// # Errors
    /// EFAULT.
    pub fn write(self, value: &T) -> Result<(), Errno> {
        write(self.0, value)
    }
}

impl<T: Guest> InOut<T> {
    /// # Errors
    /// EFAULT.
    pub fn read(self) -> Result<T, Errno> {
        read(self.0)
    }

    /// # Errors
    /// EFAULT.
    pub fn write(self, value: &T) -> Result<(), Errno> {
        write(self.0, value)
    }
}

/// Declares typed arrays, their count in register `COUNT`; the first element is printed.
macro_rules! arrays {
    ($($(#[$doc:meta])* $name:ident, printed_after: $out:literal, $guard:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Debug)]
        pub struct $name<T, const COUNT: usize>(pub GuestAddr, PhantomData<T>);
        impl<T, const COUNT: usize> Clone for $name<T, COUNT> {
            fn clone(&self) -> Self {
                *self
            }
        }
        impl<T, const COUNT: usize> Copy for $name<T, COUNT> {}
        impl<T: Show + Guest, const COUNT: usize> Arg for $name<T, COUNT> {
            const ADDRESS: bool = true;
            const OUT: bool = $out;
            fn decode(regs: &Regs, index: usize) -> Self {
                $name(GuestAddr(regs[index]), PhantomData)
            }
            fn register(self) -> u64 {
                self.0.0
            }
            fn guard(self, at: usize, host: &mut HostArgs) {
                $guard(host, at, 0, size_of::<T>() as u64, COUNT);
            }
            fn show(self, out: &mut Printer) {
                show_first::<T>(self.0, $out, out);
            }
        }
    )*};
}

arrays! {
    /// An array the call reads.
    InArray, printed_after: false, whole;
    /// An array the call reads and writes.
    InOutArray, printed_after: false, whole;
    /// An array of which the call fills as much as there is to tell.
    OutUpTo, printed_after: true, cut;
}

/// Declares pointers to a fixed number of bytes that print as addresses.
macro_rules! opaque {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Debug)]
        pub struct $name<const BYTES: u64>(pub GuestAddr);
        impl<const BYTES: u64> $name<BYTES> {
            /// The address for the host's kernel.
            #[must_use]
            pub fn passed(self) -> u64 {
                guard::passed(self.0.0, BYTES)
            }
        }
        impl<const BYTES: u64> Arg for $name<BYTES> {
            const ADDRESS: bool = true;
            fn decode(regs: &Regs, index: usize) -> Self {
                $name(GuestAddr(regs[index]))
            }
            fn register(self) -> u64 {
                self.0.0
            }
            fn guard(self, at: usize, host: &mut HostArgs) {
                host.regs[at] = self.passed();
            }
            fn show(self, out: &mut Printer) {
                out.pointer(self.0);
            }
        }
    )*};
}

opaque! {
    /// So many bytes the call reads at most; of a string or an array that ends itself, one.
    Reads;
    /// So many bytes the call writes at most.
    Writes;
}

/// Declares pointers to elements of `SIZE` bytes, their count in register `COUNT`, after
/// `HEAD` bytes; they print as addresses.
macro_rules! opaque_arrays {
    ($($(#[$doc:meta])* $name:ident, $guard:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Debug)]
        pub struct $name<const SIZE: u64, const COUNT: usize, const HEAD: u64 = 0>(pub GuestAddr);
        impl<const SIZE: u64, const COUNT: usize, const HEAD: u64> Arg for $name<SIZE, COUNT, HEAD> {
            const ADDRESS: bool = true;
            fn decode(regs: &Regs, index: usize) -> Self {
                $name(GuestAddr(regs[index]))
            }
            fn register(self) -> u64 {
                self.0.0
            }
            fn guard(self, at: usize, host: &mut HostArgs) {
                $guard(host, at, HEAD, SIZE, COUNT);
            }
            fn show(self, out: &mut Printer) {
                out.pointer(self.0);
            }
        }
    )*};
}

opaque_arrays! {
    /// An array the call reads.
    ReadsArray, whole;
    /// An array the call writes.
    WritesArray, whole;
    /// An array of which the call fills as much as there is to tell.
    WritesUpTo, cut;
}

/// Sets of bits, their number in register `BITS` (less `LESS`), in words of 64.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Bits<const BITS: usize, const LESS: u64 = 0>(pub GuestAddr);

impl<const BITS: usize, const LESS: u64> Arg for Bits<BITS, LESS> {
    const ADDRESS: bool = true;
    fn decode(regs: &Regs, index: usize) -> Self {
        Bits(GuestAddr(regs[index]))
    }
    fn register(self) -> u64 {
        self.0.0
    }
    fn guard(self, at: usize, host: &mut HostArgs) {
        // Negative for select(2) is refused; the policies' maximum is a page of bits.
        let bits = host.count(BITS).saturating_sub(LESS);
        host.regs[at] = guard::passed(self.0.0, bits.div_ceil(64) * 8);
    }
    fn show(self, out: &mut Printer) {
        out.pointer(self.0);
    }
}

/// A set of CPUs, its bytes counted in register 1; the kernel takes no more than it has CPUs.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct CpuMask(pub GuestAddr);

impl Arg for CpuMask {
    const ADDRESS: bool = true;
    fn decode(regs: &Regs, index: usize) -> Self {
        CpuMask(GuestAddr(regs[index]))
    }
    fn register(self) -> u64 {
        self.0.0
    }
    fn guard(self, at: usize, host: &mut HostArgs) {
        /// CONFIG_NR_CPUS is 8192 at most.
        const LARGEST: u64 = 1024;
        host.regs[at] = guard::passed(self.0.0, host.count(1).min(LARGEST));
    }
    fn show(self, out: &mut Printer) {
        out.pointer(self.0);
    }
}

/// Pages to act on, their length in register `LEN`: what they hold is not touched.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Pages<const LEN: usize>(pub GuestAddr);

impl<const LEN: usize> Arg for Pages<LEN> {
    const ADDRESS: bool = true;
    fn decode(regs: &Regs, index: usize) -> Self {
        Pages(GuestAddr(regs[index]))
    }
    fn register(self) -> u64 {
        self.0.0
    }
    fn guard(self, at: usize, host: &mut HostArgs) {
        host.regs[at] = guard::passed_pages(self.0.0, host.count(LEN));
    }
    fn show(self, out: &mut Printer) {
        out.pointer(self.0);
    }
}

/// The page at an address that the call tells about.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PageAt(pub GuestAddr);

impl Arg for PageAt {
    const ADDRESS: bool = true;
    fn decode(regs: &Regs, index: usize) -> Self {
        PageAt(GuestAddr(regs[index]))
    }
    fn register(self) -> u64 {
        self.0.0
    }
    fn guard(self, at: usize, host: &mut HostArgs) {
        host.regs[at] = guard::passed_pages(self.0.0, 1);
    }
    fn show(self, out: &mut Printer) {
        out.pointer(self.0);
    }
}

/// mincore's result: a byte for each page of the length in register 1.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PageBytes(pub GuestAddr);

impl Arg for PageBytes {
    const ADDRESS: bool = true;
    fn decode(regs: &Regs, index: usize) -> Self {
        PageBytes(GuestAddr(regs[index]))
    }
    fn register(self) -> u64 {
        self.0.0
    }
    fn guard(self, at: usize, host: &mut HostArgs) {
        host.regs[at] = guard::passed(self.0.0, host.count(1).div_ceil(guest::PAGE_SIZE));
    }
    fn show(self, out: &mut Printer) {
        out.pointer(self.0);
    }
}

/// Declares buffers whose length is the next register.
macro_rules! buffers {
    ($($(#[$doc:meta])* $name:ident, printed_after: $out:literal, $guard:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Debug)]
        pub struct $name {
            pub addr: GuestAddr,
            pub len: u64,
        }
        impl Arg for $name {
            const ADDRESS: bool = true;
            const OUT: bool = $out;
            fn decode(regs: &Regs, index: usize) -> Self {
                $name {
                    addr: GuestAddr(regs[index]),
                    len: regs.get(index + 1).copied().unwrap_or(0),
                }
            }
            fn register(self) -> u64 {
                self.addr.0
            }
            fn guard(self, at: usize, host: &mut HostArgs) {
                $guard(host, at, 0, 1, at + 1);
            }
            fn show(self, out: &mut Printer) {
                if !$out {
                    return out.bytes(self.addr, self.len);
                }
                match out.result() {
                    Some(Ok(count)) => out.bytes(self.addr, count.min(self.len)),
                    Some(Err(_)) | None => out.pointer(self.addr),
                }
            }
        }
    )*};
}

buffers! {
    /// Bytes the call reads, all of them or none.
    InBuf, printed_after: false, whole;
    /// Bytes the call reads as far as it can.
    InStream, printed_after: false, cut;
    /// Bytes the call writes, as many as its result says.
    OutBuf, printed_after: true, cut;
}

/// An array of iovec whose bytes the call reads; the count is the next register.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Iov {
    pub addr: GuestAddr,
    pub count: u64,
}

/// UIO_MAXIOV: the kernel refuses longer arrays.
pub const IOV_MAX: u64 = 1024;

impl Iov {
    /// The elements, as far as they can be read; none where the kernel refuses the count.
    pub fn entries(self) -> impl Iterator<Item = Iovec> {
        let count = if self.count > IOV_MAX { 0 } else { self.count };
        (0..count).map_while(move |index| read::<Iovec>(self.addr.offset((index * 16) as i64)).ok())
    }
}

impl Arg for Iov {
    const ADDRESS: bool = true;
    fn decode(regs: &Regs, index: usize) -> Self {
        Iov {
            addr: GuestAddr(regs[index]),
            count: regs.get(index + 1).copied().unwrap_or(0),
        }
    }
    fn register(self) -> u64 {
        self.addr.0
    }
    fn guard(self, at: usize, host: &mut HostArgs) {
        (host.regs[at], host.regs[at + 1]) = guard::iovecs(self.addr.0, self.count, host);
    }
    fn show(self, out: &mut Printer) {
        out.iovecs(self, u64::MAX);
    }
}

/// An array of iovec whose bytes the call writes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct IovOut(pub Iov);

impl Arg for IovOut {
    const ADDRESS: bool = true;
    const OUT: bool = true;

    fn decode(regs: &Regs, index: usize) -> Self {
        IovOut(Iov::decode(regs, index))
    }
    fn register(self) -> u64 {
        self.0.register()
    }
    fn guard(self, at: usize, host: &mut HostArgs) {
        self.0.guard(at, host);
    }
    fn show(self, out: &mut Printer) {
        match out.result() {
            Some(Ok(count)) => out.iovecs(self.0, count),
            Some(Err(_)) | None => out.pointer(self.0.addr),
        }
    }
}
