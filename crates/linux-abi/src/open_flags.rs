//! [`OpenFlags`]: the O_* bits, four of which stand elsewhere on arm64.
//!
//! arch/arm64/include/uapi/asm/fcntl.h moves O_DIRECTORY, O_NOFOLLOW, O_DIRECT and
//! O_LARGEFILE; x86-64 has the generic values. The two pairs change places, so one
//! exchange of bits 14-15 with 16-17 converts in either direction.

use crate::flags::{FlagSet, Names};
use bitflags::bitflags;

const LOW_PAIR: u64 = 0o140000;
const HIGH_PAIR: u64 = 0o600000;

bitflags! {
    /// Open flags as the guest (arm64) writes them. Unknown bits are kept. Those that contain
    /// others come before them.
    #[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
    pub struct OpenFlags: u64 {
        const O_CREAT = 0o100;
        const O_EXCL = 0o200;
        const O_NOCTTY = 0o400;
        const O_TRUNC = 0o1000;
        const O_APPEND = 0o2000;
        const O_NONBLOCK = 0o4000;
        const O_SYNC = 0o4010000;
        const O_DSYNC = 0o10000;
        const FASYNC = 0o20000;
        const O_TMPFILE = 0o20000000 | Self::O_DIRECTORY.bits();
        const O_DIRECTORY = 0o40000;
        const O_NOFOLLOW = 0o100000;
        const O_DIRECT = 0o200000;
        const O_LARGEFILE = 0o400000;
        const O_NOATIME = 0o1000000;
        const O_CLOEXEC = 0o2000000;
        const O_PATH = 0o10000000;
    }
}

/// The access mode within the word.
const O_ACCMODE: u64 = 3;

impl FlagSet for OpenFlags {
    const VALUES: Names = &[
        (O_ACCMODE, 0, "O_RDONLY"),
        (O_ACCMODE, 1, "O_WRONLY"),
        (O_ACCMODE, 2, "O_RDWR"),
        (O_ACCMODE, 3, "O_ACCMODE"),
    ];
}

impl OpenFlags {
    /// How the file is to be accessed: 0 reads, 1 writes, 2 does both.
    #[must_use]
    pub const fn access_mode(self) -> u64 {
        self.bits() & O_ACCMODE
    }

    /// The same flags as x86-64 encodes them.
    #[must_use]
    pub const fn to_host(self) -> u64 {
        exchange(self.bits())
    }

    /// The guest's form of x86-64 flags, such as F_GETFL's result.
    #[must_use]
    pub const fn from_host(bits: u64) -> OpenFlags {
        OpenFlags::from_bits_retain(exchange(bits))
    }
}

const fn exchange(bits: u64) -> u64 {
    bits & !(LOW_PAIR | HIGH_PAIR) | (bits & LOW_PAIR) << 2 | (bits & HIGH_PAIR) >> 2
}

#[cfg(test)]
mod tests {
    use super::*;

    /// x86-64's values, from include/uapi/asm-generic/fcntl.h.
    const HOST: &[(OpenFlags, u64)] = &[
        (OpenFlags::O_DIRECT, 0o40000),
        (OpenFlags::O_LARGEFILE, 0o100000),
        (OpenFlags::O_DIRECTORY, 0o200000),
        (OpenFlags::O_NOFOLLOW, 0o400000),
        (OpenFlags::O_TMPFILE, 0o20200000),
        (OpenFlags::O_SYNC, 0o4010000),
        (OpenFlags::O_CLOEXEC, 0o2000000),
        (OpenFlags::O_PATH, 0o10000000),
        (OpenFlags::from_bits_retain(2), 0o2),
    ];

    #[test]
    fn known_values() {
        for &(guest, host) in HOST {
            assert_eq!(guest.to_host(), host);
            assert_eq!(OpenFlags::from_host(host), guest);
        }
    }

    #[test]
    fn every_bit_round_trips() {
        for bit in 0..64 {
            let flags = OpenFlags::from_bits_retain(1 << bit);
            assert_eq!(OpenFlags::from_host(flags.to_host()), flags);
        }
        assert_eq!(exchange(u64::MAX), u64::MAX);
    }
}
