//! The routines generated code calls, and by which registers: the one place where that is said.
//!
//! A row is the signature of a routine of [`crate::access`] that keeps to no calling convention of the
//! platform's: it takes and leaves values in the registers of its row and changes no others, so that generated
//! code saves nothing for it. From the row come a type, whose fields are the arguments ([`Routine`]); the
//! routine's place among the [`Routines`] of a CPU; and what tests hold the assembly to (`tests/routines.rs`). A
//! routine's address has its type ([`Entry`]), which only this crate makes.

use std::marker::PhantomData;
use std::mem::offset_of;

/// A general host register, by its hardware number.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum HostRegister {
    Rax,
    Rcx,
    Rdx,
    Rbx,
    Rsp,
    Rbp,
    Rsi,
    Rdi,
    R8,
    R9,
    R10,
    R11,
    R12,
    R13,
    R14,
    R15,
}

/// What a routine says besides its results, in the flags. It changes them in any case.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Answer {
    /// Nothing.
    None,
    /// CF: an access faulted, and nothing was done. Else ZF: what was there is what was expected.
    Exchanged,
}

/// A signature. The type's values are arguments for a call of it, of whatever kind `T` the caller has.
pub trait Routine<T> {
    const NAME: &'static str;
    /// The registers of its arguments and of its results, in order.
    const TAKES: &'static [HostRegister];
    const GIVES: &'static [HostRegister];
    /// Registers whose contents are lost, bit by hardware number: general ones, without the results', and
    /// vector ones. (Bits above 127 of any vector register may be lost: nothing is kept there.)
    const CHANGES_X: u32;
    const CHANGES_V: u32;
    const ANSWER: Answer;
    /// [`Routine::GIVES`], as an array of as many as there are.
    type Results: Copy;
    const RESULTS: Self::Results;
    /// Where its address is in [`Routines`], in bytes.
    const PLACE: usize;

    /// Each argument, in order, and where it goes.
    fn arguments(self) -> impl Iterator<Item = (HostRegister, T)>;
}

/// The host address of a routine with this signature.
#[repr(transparent)]
pub struct Entry<R>(u64, PhantomData<fn(R)>);

impl<R> Clone for Entry<R> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<R> Copy for Entry<R> {}

impl<R> Entry<R> {
    #[must_use]
    pub fn address(self) -> u64 {
        self.0
    }
}

/// A set of general registers, bit by number.
#[must_use]
pub const fn set_of(registers: &[HostRegister]) -> u32 {
    let (mut set, mut i) = (0, 0);
    while i < registers.len() {
        set |= 1 << registers[i] as u8;
        i += 1;
    }
    set
}

/// A set of vector registers.
const fn vectors(registers: &[u8]) -> u32 {
    let (mut set, mut i) = (0, 0);
    while i < registers.len() {
        set |= 1 << registers[i];
        i += 1;
    }
    set
}

/// Declares the routines. A row:
///
/// `field: Name(argument: Register, ...) -> (result: Register, ...) changes [general registers] [vector registers],
/// Answer = symbol;`
macro_rules! routines {
    ($(
        $(#[$meta:meta])*
        $field:ident: $name:ident($($argument:ident: $takes:ident),*) -> ($($result:ident: $gives:ident),*)
            changes [$($x:ident),*] [$($v:literal),*], $answer:ident = $symbol:ident;
    )*) => {
        $(
            $(#[$meta])*
            #[derive(Clone, Copy, PartialEq, Eq, Debug)]
            pub struct $name<T> {
                $(pub $argument: T,)*
            }

            impl $name<HostRegister> {
                /// Where the arguments go.
                pub const REGISTERS: Self = $name { $($argument: HostRegister::$takes),* };
            }

            impl<T> Routine<T> for $name<T> {
                const NAME: &'static str = stringify!($name);
                const TAKES: &'static [HostRegister] = &[$(HostRegister::$takes),*];
                const GIVES: &'static [HostRegister] = &[$(HostRegister::$gives),*];
                const CHANGES_X: u32 = set_of(&[$(HostRegister::$x),*]);
                const CHANGES_V: u32 = vectors(&[$($v),*]);
                const ANSWER: Answer = Answer::$answer;
                type Results = [HostRegister; [$(stringify!($result)),*].len()];
                const RESULTS: Self::Results = [$(HostRegister::$gives),*];
                const PLACE: usize = offset_of!(Routines, $field);

                fn arguments(self) -> impl Iterator<Item = (HostRegister, T)> {
                    [$((HostRegister::$takes, self.$argument)),*].into_iter()
                }
            }
        )*

        /// Their addresses, as generated code finds them near the CPU state.
        #[derive(Clone, Copy)]
        #[repr(C)]
        pub struct Routines {
            $($(#[$meta])* pub $field: Entry<$name<()>>,)*
        }

        impl Routines {
            /// Those of this process.
            #[must_use]
            pub fn here() -> Routines {
                unsafe extern "C" {
                    $(static $symbol: u8;)*
                }
                Routines {
                    $($field: Entry(&raw const $symbol as u64, PhantomData),)*
                }
            }
        }
    };
}

routines! {
    /// Compare-and-exchange of 16 bytes at an aligned address; gives what was there.
    cas16: Cas16(address: Rsi, expected_low: Rax, expected_high: Rdx, new_low: Rbx, new_high: Rcx)
        -> (old_low: Rax, old_high: Rdx) changes [] [], Exchanged = raemu_jit_cas16;

    /// CPYFM. Addresses and size are as Option A of FEAT_MOPS keeps them: the size is negative when
    /// going forward from that far below the addresses. Gives the size that is left: 0 when all is done, not after
    /// a fault, nor for a copy over its own source, which it leaves to the interpreter.
    copy_forward: CopyForward(to: Rdx, from: Rsi, size: Rcx)
        -> (left: Rcx) changes [Rax, Rsi, Rdx] [11, 12, 13, 14, 15], None = raemu_mops_copy_forward;

    /// CPYM, of the direction that overlap needs; as above.
    copy_either: CopyEither(to: Rdx, from: Rsi, size: Rcx)
        -> (left: Rcx) changes [Rax, Rsi, Rdx] [11, 12, 13, 14, 15], None = raemu_mops_copy;

    /// SETM: the low byte of `value` everywhere; as above.
    fill: Fill(to: Rdx, value: Rax, size: Rcx)
        -> (left: Rcx) changes [Rax, Rsi, Rdx] [11, 12, 13, 14, 15], None = raemu_mops_set;
}
