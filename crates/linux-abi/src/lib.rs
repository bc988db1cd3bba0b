//! The kernel's user-space ABI of both sides: call numbers, errors, flag values and
//! structure layouts of arm64 (the guest) and x86-64 (the host).
//!
//! Place in the path: below `linux-user`, `elf-loader` and `cpu-model`, above nothing.
//!
//! Invariants: no code here talks to a kernel or touches guest memory; every layout that
//! both sides share is defined once, and where they differ both are defined with the
//! conversion between them. Sizes are asserted at compile time, offsets against the cross
//! compiler's headers (tests/layouts.rs).
#![forbid(unsafe_code)]

pub mod errno;
pub mod flags;
pub mod hwcap;
pub mod layout;
pub mod nr;
pub mod open_flags;

pub use errno::{Errno, SysResult};
pub use hwcap::{Hwcap, Hwcap2, Hwcap3, Hwcaps};
pub use open_flags::OpenFlags;

/// The longest path, with its NUL (uapi linux/limits.h).
pub const PATH_MAX: usize = 4096;
