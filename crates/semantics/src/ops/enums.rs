//! Operation enums that can be listed and numbered.

/// An enum without fields whose values can be listed, so that tests cover all of
/// them and generated code can pass one as a small number.
pub trait Enumerated: Copy + 'static {
    const ALL: &'static [Self];
    /// Position in [`Enumerated::ALL`].
    fn index(self) -> usize;
}

/// Declares an enum and implements [`Enumerated`] for it.
macro_rules! enumerated {
    ($(#[$meta:meta])* pub enum $name:ident { $($(#[$vmeta:meta])* $variant:ident),+ $(,)? }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
        #[repr(u8)]
        pub enum $name { $($(#[$vmeta])* $variant),+ }

        impl $crate::ops::Enumerated for $name {
            const ALL: &'static [Self] = &[$($name::$variant),+];
            fn index(self) -> usize { self as usize }
        }
    };
}
pub(crate) use enumerated;

/// As [`enumerated`], for operations on integers in vectors. Each stands in a group that says whether it may set
/// FPSR.QC, so that there is none of which nobody said it.
macro_rules! vector_operations {
    ($(#[$meta:meta])* pub enum $name:ident {
        $($group:ident: $($(#[$vmeta:meta])* $variant:ident),+;)+
    }) => {
        $crate::ops::enums::enumerated! {
            $(#[$meta])*
            pub enum $name { $($($(#[$vmeta])* $variant),+),+ }
        }

        impl $name {
            /// Whether the operation may set FPSR.QC.
            #[must_use]
            pub const fn saturates(self) -> bool {
                match self {
                    $($(Self::$variant)|+ => $crate::ops::enums::vector_operations!(@saturates $group)),+
                }
            }
        }
    };
    (@saturates exact) => { false };
    (@saturates saturating) => { true };
}
pub(crate) use vector_operations;
