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
