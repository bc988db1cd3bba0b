//! [`Function`]: a guest function with its C prototype, for [`Machine::call`](crate::Machine::call).
//!
//! Integers and pointers only, at most eight: what AArch64's procedure call standard (AAPCS64, 6.8.2) passes in X0 to
//! X7 and gives back in X0.

use guest::GuestAddr;
use std::marker::PhantomData;

/// A guest function and its prototype as a function pointer's type, such as `fn(GuestAddr, usize) -> i32` for
/// `int parse(const uint8_t *, size_t)`.
pub struct Function<S> {
    addr: GuestAddr,
    signature: PhantomData<S>,
}

impl<S: Signature> Function<S> {
    /// The function whose first instruction is at `addr`. Nothing knows whether it has this prototype.
    #[must_use]
    pub const fn at(addr: GuestAddr) -> Function<S> {
        Function {
            addr,
            signature: PhantomData,
        }
    }

    /// Where its first instruction is.
    #[must_use]
    pub const fn addr(&self) -> GuestAddr {
        self.addr
    }
}

impl<S> Clone for Function<S> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<S> Copy for Function<S> {}

/// A C type that a general register holds.
pub trait Value: Copy {
    /// As an argument.
    fn to_register(self) -> u64;
    /// As a result; the register's bits above the type's are anything.
    fn from_register(bits: u64) -> Self;
}

macro_rules! integers {
    ($($int:ty)*) => {$(
        impl Value for $int {
            fn to_register(self) -> u64 {
                self as u64
            }
            fn from_register(bits: u64) -> Self {
                bits as Self
            }
        }
    )*};
}

integers!(u8 u16 u32 u64 usize i8 i16 i32 i64 isize);

impl Value for GuestAddr {
    fn to_register(self) -> u64 {
        self.0
    }
    fn from_register(bits: u64) -> Self {
        GuestAddr(bits)
    }
}

/// `void`.
impl Value for () {
    fn to_register(self) -> u64 {
        0
    }
    fn from_register(_bits: u64) {}
}

/// A prototype: `fn(A, B, ...) -> R` of up to eight arguments, each a [`Value`].
pub trait Signature {
    /// The arguments, a tuple.
    type Arguments;
    /// The result, `()` for none.
    type Result: Value;
    /// The first registers, from X0 on.
    fn registers(arguments: Self::Arguments) -> impl AsRef<[u64]>;
}

macro_rules! signatures {
    ($(($($arg:ident)*))*) => {$(
        impl<$($arg: Value,)* R: Value> Signature for fn($($arg),*) -> R {
            type Arguments = ($($arg,)*);
            type Result = R;
            #[expect(non_snake_case, reason = "a variable for each type, by its name")]
            fn registers(($($arg,)*): Self::Arguments) -> impl AsRef<[u64]> {
                [$($arg.to_register()),*]
            }
        }
    )*};
}

signatures! {
    (A) (A B) (A B C) (A B C D) (A B C D E) (A B C D E F) (A B C D E F G) (A B C D E F G H)
}

impl<R: Value> Signature for fn() -> R {
    type Arguments = ();
    type Result = R;
    fn registers((): ()) -> impl AsRef<[u64]> {
        []
    }
}
