//! The macro that makes [`super::Op`] of its table.

/// Declares `Op` and what is to be known of each operation. A row:
///
/// `Name { fields | operands | operands of several } -> result: effect, NZCV;`
///
/// or with `(..)` for a variant without field names. An operand is a [`super::Ref`], declared by its bank;
/// one of several implements [`super::Operands`]. Result: a bank, or `Nothing`. Effect and NZCV
/// are expressions, which may use (references to) the fields.
macro_rules! ops {
    ($(
        $(#[$meta:meta])*
        $name:ident
        $( { $($field:ident : $type:ty),* $(| $($operand:ident : $bank:ident),* $(| $several:ident : $of:ty)?)? } )?
        $( ( $($tfield:ident : $ttype:ty),* $(| $($toperand:ident : $tbank:ident),* $(| $tseveral:ident : $tof:ty)?)? ) )?
        -> $result:ident : $effect:expr, $nzcv:expr;
    )*) => {
        #[derive(Clone, Copy, PartialEq, Debug)]
        pub enum Op {
            $(
                $(#[$meta])*
                $name
                $( { $($field: $type,)* $($($operand: Ref,)* $($several: $of,)?)? } )?
                $( ( $($ttype,)* $($(ops!(@ref $toperand),)* $($tof,)?)? ) )?,
            )*
        }

        #[allow(unused_variables)] // Each arm names all fields; few facts depend on them.
        impl Op {
            /// What the operation does besides computing its result, and what it means for NZCV.
            #[must_use]
            #[inline]
            pub fn facts(&self) -> (Effect, Nzcv) {
                use Effect::{Flags, Observes, Pure, Reads, Writes};
                use Nzcv::{Kept, Read, ReadAndSet, Set, Unknown};
                match self {
                    $(Op::$name
                        $( { $($field,)* $($($operand,)* $($several,)?)? } )?
                        $( ( $($tfield,)* $($($toperand,)* $($tseveral,)?)? ) )?
                        => ($effect, $nzcv),)*
                }
            }

            /// What the operation does besides computing its result.
            #[must_use]
            #[inline]
            pub fn effect(&self) -> Effect {
                self.facts().0
            }

            /// What the operation means for NZCV.
            #[must_use]
            #[inline]
            pub fn nzcv(&self) -> Nzcv {
                self.facts().1
            }

            /// The bank of the result, if the operation has one.
            #[must_use]
            #[inline]
            pub fn result(&self) -> Option<Bank> {
                match self {
                    $(Op::$name
                        $( { $($field: _,)* $($($operand: _,)* $($several: _,)?)? } )?
                        $( ( $(ops!(@any $tfield),)* $($(ops!(@any $toperand),)* $(ops!(@any $tseveral),)?)? ) )?
                        => ops!(@result $result),)*
                }
            }

            /// Calls `f` on each operand, to be changed, and its bank.
            #[inline]
            pub fn for_each_operand_mut(&mut self, mut f: impl FnMut(&mut Ref, Bank)) {
                match self {
                    $(Op::$name
                        $( { $($field,)* $($($operand,)* $($several,)?)? } )?
                        $( ( $($tfield,)* $($($toperand,)* $($tseveral,)?)? ) )?
                        => {
                            $($($(f($operand, Bank::$bank);)* $(Operands::for_each($several, &mut f);)?)?)?
                            $($($(f($toperand, Bank::$tbank);)* $(Operands::for_each($tseveral, &mut f);)?)?)?
                        })*
                }
            }
        }
    };
    (@ref $operand:ident) => { Ref };
    (@any $field:ident) => { _ };
    (@result Nothing) => { None };
    (@result $bank:ident) => { Some(Bank::$bank) };
}
pub(super) use ops;
