//! [`OpenFlags`]: the O_* bits, four of which stand elsewhere on arm64.
//!
//! arch/arm64/include/uapi/asm/fcntl.h moves O_DIRECTORY, O_NOFOLLOW, O_DIRECT and
//! O_LARGEFILE; x86-64 has the generic values. The two pairs change places, so one
//! exchange of bits 14-15 with 16-17 converts in either direction.

const LOW_PAIR: u64 = 0o140000;
const HIGH_PAIR: u64 = 0o600000;

/// Open flags as the guest (arm64) writes them. Unknown bits are kept.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
#[repr(transparent)]
pub struct OpenFlags(pub u64);

impl OpenFlags {
    pub const WRONLY: OpenFlags = OpenFlags(0o1);
    pub const RDWR: OpenFlags = OpenFlags(0o2);
    pub const ACCMODE: OpenFlags = OpenFlags(0o3);
    pub const CREAT: OpenFlags = OpenFlags(0o100);
    pub const EXCL: OpenFlags = OpenFlags(0o200);
    pub const NOCTTY: OpenFlags = OpenFlags(0o400);
    pub const TRUNC: OpenFlags = OpenFlags(0o1000);
    pub const APPEND: OpenFlags = OpenFlags(0o2000);
    pub const NONBLOCK: OpenFlags = OpenFlags(0o4000);
    pub const DSYNC: OpenFlags = OpenFlags(0o10000);
    pub const ASYNC: OpenFlags = OpenFlags(0o20000);
    pub const DIRECTORY: OpenFlags = OpenFlags(0o40000);
    pub const NOFOLLOW: OpenFlags = OpenFlags(0o100000);
    pub const DIRECT: OpenFlags = OpenFlags(0o200000);
    pub const LARGEFILE: OpenFlags = OpenFlags(0o400000);
    pub const NOATIME: OpenFlags = OpenFlags(0o1000000);
    pub const CLOEXEC: OpenFlags = OpenFlags(0o2000000);
    pub const SYNC: OpenFlags = OpenFlags(0o4010000);
    pub const PATH: OpenFlags = OpenFlags(0o10000000);
    pub const TMPFILE: OpenFlags = OpenFlags(0o20000000 | Self::DIRECTORY.0);

    #[must_use]
    pub const fn contains(self, other: OpenFlags) -> bool {
        self.0 & other.0 == other.0
    }

    /// The same flags as x86-64 encodes them.
    #[must_use]
    pub const fn to_host(self) -> u64 {
        exchange(self.0)
    }

    /// The guest's form of x86-64 flags, such as F_GETFL's result.
    #[must_use]
    pub const fn from_host(bits: u64) -> OpenFlags {
        OpenFlags(exchange(bits))
    }

    /// The names, with O_SYNC and O_TMPFILE before the bits they contain.
    pub const NAMES: &[(OpenFlags, &str)] = &[
        (Self::CREAT, "O_CREAT"),
        (Self::EXCL, "O_EXCL"),
        (Self::NOCTTY, "O_NOCTTY"),
        (Self::TRUNC, "O_TRUNC"),
        (Self::APPEND, "O_APPEND"),
        (Self::NONBLOCK, "O_NONBLOCK"),
        (Self::SYNC, "O_SYNC"),
        (Self::DSYNC, "O_DSYNC"),
        (Self::ASYNC, "FASYNC"),
        (Self::TMPFILE, "O_TMPFILE"),
        (Self::DIRECTORY, "O_DIRECTORY"),
        (Self::NOFOLLOW, "O_NOFOLLOW"),
        (Self::DIRECT, "O_DIRECT"),
        (Self::LARGEFILE, "O_LARGEFILE"),
        (Self::NOATIME, "O_NOATIME"),
        (Self::CLOEXEC, "O_CLOEXEC"),
        (Self::PATH, "O_PATH"),
    ];
}

const fn exchange(bits: u64) -> u64 {
    bits & !(LOW_PAIR | HIGH_PAIR) | (bits & LOW_PAIR) << 2 | (bits & HIGH_PAIR) >> 2
}

#[cfg(test)]
mod tests {
    use super::*;

    /// x86-64's values, from include/uapi/asm-generic/fcntl.h.
    const HOST: &[(OpenFlags, u64)] = &[
        (OpenFlags::DIRECT, 0o40000),
        (OpenFlags::LARGEFILE, 0o100000),
        (OpenFlags::DIRECTORY, 0o200000),
        (OpenFlags::NOFOLLOW, 0o400000),
        (OpenFlags::TMPFILE, 0o20200000),
        (OpenFlags::SYNC, 0o4010000),
        (OpenFlags::CLOEXEC, 0o2000000),
        (OpenFlags::PATH, 0o10000000),
        (OpenFlags::RDWR, 0o2),
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
            let flags = OpenFlags(1 << bit);
            assert_eq!(OpenFlags::from_host(flags.to_host()), flags);
        }
        assert_eq!(exchange(u64::MAX), u64::MAX);
    }
}
