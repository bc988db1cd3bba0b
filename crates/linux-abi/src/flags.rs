//! Flag and constant values shared by both sides unless the name says otherwise, with
//! their names for `-strace`.
//!
//! A word of flags is a type of its own ([`FlagSet`]), made by bitflags; bits that have no name
//! are kept, because they are the kernel's to refuse. Values of which a word holds one
//! are in tables ([`Names`]). The constants are those of the C headers, for code that passes
//! words on.

use bitflags::{Flags, bitflags};

/// Named values within a mask: (mask, value, name).
pub type Names = &'static [(u64, u64, &'static str)];

/// A word of flags of the kernel's ABI.
pub trait FlagSet: Flags<Bits = u64> {
    /// What part of the word holds one of several values, and their names.
    const VALUES: Names = &[];
}

/// Declares sets of flags, and their constants.
macro_rules! bits {
    ($($(#[$doc:meta])* $set:ident $(with $values:ident)? { $($name:ident = $value:expr),* $(,)? })*) => {$(
        bitflags! {
            $(#[$doc])*
            #[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
            pub struct $set: u64 {
                $(const $name = $value;)*
            }
        }
        impl FlagSet for $set {
            $(const VALUES: Names = $values;)?
        }
        $(pub const $name: u64 = $set::$name.bits();)*
    )*};
}

/// Declares constants and the name table of an enumeration: the whole word is compared.
macro_rules! values {
    ($(#[$doc:meta])* $table:ident { $($name:ident = $value:expr),* $(,)? }) => {
        $(pub const $name: u64 = $value;)*
        $(#[$doc])*
        pub const $table: Names = &[$((u64::MAX, $value, stringify!($name))),*];
    };
}

bits! {
    /// mmap and mprotect protections; BTI and MTE exist on arm64 only.
    Prot { PROT_NONE = 0, PROT_READ = 1, PROT_WRITE = 2, PROT_EXEC = 4, PROT_SEM = 8, PROT_BTI = 0x10, PROT_MTE = 0x20,
        PROT_GROWSDOWN = 0x0100_0000, PROT_GROWSUP = 0x0200_0000 }
}

pub const MAP_SHARED: u64 = 1;
pub const MAP_PRIVATE: u64 = 2;
pub const MAP_SHARED_VALIDATE: u64 = 3;
pub const MAP_TYPE: u64 = 0xf;
/// x86-64 only: bits an arm64 kernel does not know and must not reach the host.
pub const HOST_ONLY_MAP_BITS: u64 = 0x40 | 0x80;
const MAP_TYPES: Names = &[
    (MAP_TYPE, MAP_SHARED, "MAP_SHARED"),
    (MAP_TYPE, MAP_PRIVATE, "MAP_PRIVATE"),
    (MAP_TYPE, MAP_SHARED_VALIDATE, "MAP_SHARED_VALIDATE"),
];
bits! {
    /// mmap flags, beside the type of mapping.
    MapFlags with MAP_TYPES { MAP_FIXED = 0x10, MAP_ANONYMOUS = 0x20, MAP_GROWSDOWN = 0x100, MAP_DENYWRITE = 0x800,
        MAP_EXECUTABLE = 0x1000, MAP_LOCKED = 0x2000, MAP_NORESERVE = 0x4000, MAP_POPULATE = 0x8000,
        MAP_NONBLOCK = 0x1_0000, MAP_STACK = 0x2_0000, MAP_HUGETLB = 0x4_0000, MAP_SYNC = 0x8_0000,
        MAP_FIXED_NOREPLACE = 0x10_0000 }
}

bits! {
    /// mremap flags.
    RemapFlags { MREMAP_MAYMOVE = 1, MREMAP_FIXED = 2, MREMAP_DONTUNMAP = 4 }
}
bits! {
    /// msync flags.
    SyncFlags { MS_ASYNC = 1, MS_INVALIDATE = 2, MS_SYNC = 4 }
}
values! {
    /// madvise advice.
    MADV { MADV_NORMAL = 0, MADV_RANDOM = 1, MADV_SEQUENTIAL = 2, MADV_WILLNEED = 3, MADV_DONTNEED = 4,
        MADV_FREE = 8, MADV_REMOVE = 9, MADV_DONTFORK = 10, MADV_DOFORK = 11, MADV_MERGEABLE = 12,
        MADV_UNMERGEABLE = 13, MADV_HUGEPAGE = 14, MADV_NOHUGEPAGE = 15, MADV_DONTDUMP = 16, MADV_DODUMP = 17,
        MADV_WIPEONFORK = 18, MADV_KEEPONFORK = 19, MADV_COLD = 20, MADV_PAGEOUT = 21,
        MADV_POPULATE_READ = 22, MADV_POPULATE_WRITE = 23, MADV_DONTNEED_LOCKED = 24, MADV_COLLAPSE = 25,
        MADV_HWPOISON = 100, MADV_SOFT_OFFLINE = 101, MADV_GUARD_INSTALL = 102, MADV_GUARD_REMOVE = 103 }
}
pub const AT_FDCWD: i32 = -100;

/// What else says whether a last symbolic link is followed: of inotify_add_watch's mask, of the flags of umount2,
/// fanotify_mark, fspick and move_mount; and of mount's, whether the source is a path.
pub const IN_DONT_FOLLOW: u64 = 0x0200_0000;
pub const UMOUNT_NOFOLLOW: u64 = 8;
pub const FAN_MARK_DONT_FOLLOW: u64 = 4;
pub const FSPICK_SYMLINK_NOFOLLOW: u64 = 2;
pub const MOVE_MOUNT_F_SYMLINKS: u64 = 1;
pub const MOVE_MOUNT_T_SYMLINKS: u64 = 0x10;
pub const BIND_OR_MOVE: u64 = MS_BIND | MS_MOVE;

bits! {
    /// Flags of the *at calls (AT_REMOVEDIR and AT_EACCESS share a bit).
    AtFlags { AT_SYMLINK_NOFOLLOW = 0x100, AT_EACCESS = 0x200, AT_SYMLINK_FOLLOW = 0x400, AT_NO_AUTOMOUNT = 0x800,
        AT_EMPTY_PATH = 0x1000, AT_STATX_FORCE_SYNC = 0x2000, AT_STATX_DONT_SYNC = 0x4000, AT_RECURSIVE = 0x8000 }
}
bits! {
    /// unlinkat flags.
    UnlinkFlags { AT_REMOVEDIR = 0x200 }
}
bits! {
    /// renameat2 flags.
    RenameFlags { RENAME_NOREPLACE = 1, RENAME_EXCHANGE = 2, RENAME_WHITEOUT = 4 }
}
bits! {
    /// access modes.
    AccessMode { F_OK = 0, X_OK = 1, W_OK = 2, R_OK = 4 }
}
values! {
    /// lseek origins.
    WHENCE { SEEK_SET = 0, SEEK_CUR = 1, SEEK_END = 2, SEEK_DATA = 3, SEEK_HOLE = 4 }
}
values! {
    /// fcntl commands.
    FCNTL { F_DUPFD = 0, F_GETFD = 1, F_SETFD = 2, F_GETFL = 3, F_SETFL = 4, F_GETLK = 5, F_SETLK = 6,
        F_SETLKW = 7, F_SETOWN = 8, F_GETOWN = 9, F_SETSIG = 10, F_GETSIG = 11, F_SETOWN_EX = 15,
        F_GETOWN_EX = 16, F_GETOWNER_UIDS = 17, F_OFD_GETLK = 36, F_OFD_SETLK = 37, F_OFD_SETLKW = 38,
        F_SETLEASE = 1024, F_GETLEASE = 1025, F_NOTIFY = 1026, F_DUPFD_QUERY = 1027, F_CREATED_QUERY = 1028,
        F_CANCELLK = 1029, F_DUPFD_CLOEXEC = 1030, F_SETPIPE_SZ = 1031, F_GETPIPE_SZ = 1032,
        F_ADD_SEALS = 1033, F_GET_SEALS = 1034, F_GET_RW_HINT = 1035, F_SET_RW_HINT = 1036,
        F_GET_FILE_RW_HINT = 1037, F_SET_FILE_RW_HINT = 1038 }
}
values! {
    /// epoll_ctl operations.
    EPOLL_OP { EPOLL_CTL_ADD = 1, EPOLL_CTL_DEL = 2, EPOLL_CTL_MOD = 3 }
}
bits! {
    /// poll and epoll events.
    PollEvents { POLLIN = 1, POLLPRI = 2, POLLOUT = 4, POLLERR = 8, POLLHUP = 0x10, POLLNVAL = 0x20,
        POLLRDNORM = 0x40, POLLRDBAND = 0x80, POLLWRNORM = 0x100, POLLWRBAND = 0x200, POLLMSG = 0x400,
        POLLRDHUP = 0x2000, EPOLLEXCLUSIVE = 1 << 28, EPOLLWAKEUP = 1 << 29, EPOLLONESHOT = 1 << 30,
        EPOLLET = 1 << 31 }
}
values! {
    /// Socket address families.
    AF { AF_UNSPEC = 0, AF_UNIX = 1, AF_INET = 2, AF_INET6 = 10, AF_NETLINK = 16, AF_PACKET = 17,
        AF_ALG = 38, AF_VSOCK = 40 }
}
const SOCK_TYPES: Names = &[
    (0xf, 1, "SOCK_STREAM"),
    (0xf, 2, "SOCK_DGRAM"),
    (0xf, 3, "SOCK_RAW"),
    (0xf, 4, "SOCK_RDM"),
    (0xf, 5, "SOCK_SEQPACKET"),
];
bits! {
    /// The flags beside a socket's type.
    SocketType with SOCK_TYPES { SOCK_NONBLOCK = 0o4000, SOCK_CLOEXEC = 0o2000000 }
}
bits! {
    /// Message flags.
    MsgFlags { MSG_OOB = 1, MSG_PEEK = 2, MSG_DONTROUTE = 4, MSG_CTRUNC = 8, MSG_TRUNC = 0x20, MSG_DONTWAIT = 0x40,
        MSG_EOR = 0x80, MSG_WAITALL = 0x100, MSG_NOSIGNAL = 0x4000, MSG_MORE = 0x8000,
        MSG_WAITFORONE = 0x1_0000, MSG_ZEROCOPY = 0x400_0000, MSG_FASTOPEN = 0x2000_0000,
        MSG_CMSG_CLOEXEC = 0x4000_0000 }
}
values! {
    /// Clock numbers.
    CLOCK { CLOCK_REALTIME = 0, CLOCK_MONOTONIC = 1, CLOCK_PROCESS_CPUTIME_ID = 2,
        CLOCK_THREAD_CPUTIME_ID = 3, CLOCK_MONOTONIC_RAW = 4, CLOCK_REALTIME_COARSE = 5,
        CLOCK_MONOTONIC_COARSE = 6, CLOCK_BOOTTIME = 7, CLOCK_REALTIME_ALARM = 8,
        CLOCK_BOOTTIME_ALARM = 9, CLOCK_TAI = 11 }
}
values! {
    /// Resource limits.
    RLIMIT { RLIMIT_CPU = 0, RLIMIT_FSIZE = 1, RLIMIT_DATA = 2, RLIMIT_STACK = 3, RLIMIT_CORE = 4,
        RLIMIT_RSS = 5, RLIMIT_NPROC = 6, RLIMIT_NOFILE = 7, RLIMIT_MEMLOCK = 8, RLIMIT_AS = 9,
        RLIMIT_LOCKS = 10, RLIMIT_SIGPENDING = 11, RLIMIT_MSGQUEUE = 12, RLIMIT_NICE = 13,
        RLIMIT_RTPRIO = 14, RLIMIT_RTTIME = 15 }
}
bits! {
    /// Flags shared by eventfd2, epoll_create1, timerfd_create, inotify_init1, signalfd4
    /// and accept4: O_CLOEXEC and O_NONBLOCK, which stand alike on both sides.
    FdFlags { O_CLOEXEC = 0o2000000, O_NONBLOCK = 0o4000 }
}
bits! {
    /// memfd_create flags.
    MemfdFlags { MFD_CLOEXEC = 1, MFD_ALLOW_SEALING = 2, MFD_HUGETLB = 4, MFD_NOEXEC_SEAL = 8, MFD_EXEC = 0x10 }
}
bits! {
    /// mount flags.
    MountFlags { MS_RDONLY = 1, MS_NOSUID = 2, MS_NODEV = 4, MS_NOEXEC = 8, MS_SYNCHRONOUS = 16, MS_REMOUNT = 32,
        MS_MANDLOCK = 64, MS_DIRSYNC = 128, MS_NOSYMFOLLOW = 256, MS_NOATIME = 1024, MS_NODIRATIME = 2048,
        MS_BIND = 4096, MS_MOVE = 8192, MS_REC = 16384, MS_SILENT = 32768, MS_UNBINDABLE = 1 << 17,
        MS_PRIVATE = 1 << 18, MS_SLAVE = 1 << 19, MS_SHARED = 1 << 20, MS_RELATIME = 1 << 21,
        MS_STRICTATIME = 1 << 24, MS_LAZYTIME = 1 << 25 }
}
bits! {
    /// getrandom flags.
    RandomFlags { GRND_NONBLOCK = 1, GRND_RANDOM = 2, GRND_INSECURE = 4 }
}
bits! {
    /// splice, tee and vmsplice flags.
    SpliceFlags { SPLICE_F_MOVE = 1, SPLICE_F_NONBLOCK = 2, SPLICE_F_MORE = 4, SPLICE_F_GIFT = 8 }
}
bits! {
    /// preadv2 and pwritev2 flags.
    RwFlags { RWF_HIPRI = 1, RWF_DSYNC = 2, RWF_SYNC = 4, RWF_NOWAIT = 8, RWF_APPEND = 0x10, RWF_NOAPPEND = 0x20,
        RWF_ATOMIC = 0x40, RWF_DONTCACHE = 0x80 }
}
bits! {
    /// System V IPC creation and operation flags (beside the mode bits).
    IpcFlags { IPC_CREAT = 0o1000, IPC_EXCL = 0o2000, IPC_NOWAIT = 0o4000 }
}
values! {
    /// System V IPC commands.
    IPC_CMD { IPC_RMID = 0, IPC_SET = 1, IPC_STAT = 2, IPC_INFO = 3, MSG_STAT = 11, MSG_INFO = 12, MSG_STAT_ANY = 13 }
}
values! {
    /// semctl commands.
    SEM_CMD { SEM_RMID = 0, SEM_SET = 1, SEM_IPC_STAT = 2, SEM_IPC_INFO = 3, SEM_GETPID = 11, SEM_GETVAL = 12,
        SEM_GETALL = 13, SEM_GETNCNT = 14, SEM_GETZCNT = 15, SEM_SETVAL = 16, SEM_SETALL = 17,
        SEM_STAT = 18, SEM_INFO = 19, SEM_STAT_ANY = 20 }
}
values! {
    /// shmctl commands.
    SHM_CMD { SHM_RMID = 0, SHM_SET = 1, SHM_IPC_STAT = 2, SHM_IPC_INFO = 3, SHM_CTL_LOCK = 11, SHM_UNLOCK = 12,
        SHM_STAT = 13, SHM_INFO = 14, SHM_STAT_ANY = 15 }
}
bits! {
    /// shmat flags.
    AttachFlags { SHM_RDONLY = 0o10000, SHM_RND = 0o20000, SHM_REMAP = 0o40000, SHM_EXEC = 0o100000 }
}
const SIGNALS: [&str; 31] = [
    "SIGHUP",
    "SIGINT",
    "SIGQUIT",
    "SIGILL",
    "SIGTRAP",
    "SIGABRT",
    "SIGBUS",
    "SIGFPE",
    "SIGKILL",
    "SIGUSR1",
    "SIGSEGV",
    "SIGUSR2",
    "SIGPIPE",
    "SIGALRM",
    "SIGTERM",
    "SIGSTKFLT",
    "SIGCHLD",
    "SIGCONT",
    "SIGSTOP",
    "SIGTSTP",
    "SIGTTIN",
    "SIGTTOU",
    "SIGURG",
    "SIGXCPU",
    "SIGXFSZ",
    "SIGVTALRM",
    "SIGPROF",
    "SIGWINCH",
    "SIGIO",
    "SIGPWR",
    "SIGSYS",
];

/// The name of a standard signal; both sides number them alike.
#[must_use]
pub fn signal_name(number: i32) -> Option<&'static str> {
    let index = usize::try_from(number).ok()?.checked_sub(1)?;
    SIGNALS.get(index).copied()
}

bits! {
    /// clone, unshare and setns flags, above the exit signal in the low byte.
    CloneSet { CLONE_NEWTIME = 0x80, CLONE_VM = 0x100, CLONE_FS = 0x200, CLONE_FILES = 0x400, CLONE_SIGHAND = 0x800,
        CLONE_PIDFD = 0x1000, CLONE_PTRACE = 0x2000, CLONE_VFORK = 0x4000, CLONE_PARENT = 0x8000,
        CLONE_THREAD = 0x1_0000, CLONE_NEWNS = 0x2_0000, CLONE_SYSVSEM = 0x4_0000, CLONE_SETTLS = 0x8_0000,
        CLONE_PARENT_SETTID = 0x10_0000, CLONE_CHILD_CLEARTID = 0x20_0000, CLONE_DETACHED = 0x40_0000,
        CLONE_UNTRACED = 0x80_0000, CLONE_CHILD_SETTID = 0x100_0000, CLONE_NEWCGROUP = 0x200_0000,
        CLONE_NEWUTS = 0x400_0000, CLONE_NEWIPC = 0x800_0000, CLONE_NEWUSER = 0x1000_0000,
        CLONE_NEWPID = 0x2000_0000, CLONE_NEWNET = 0x4000_0000, CLONE_IO = 0x8000_0000 }
}

const FUTEX_OPERATIONS: Names = &[
    (0x7f, 0, "FUTEX_WAIT"),
    (0x7f, 1, "FUTEX_WAKE"),
    (0x7f, 3, "FUTEX_REQUEUE"),
    (0x7f, 4, "FUTEX_CMP_REQUEUE"),
    (0x7f, 5, "FUTEX_WAKE_OP"),
    (0x7f, 6, "FUTEX_LOCK_PI"),
    (0x7f, 7, "FUTEX_UNLOCK_PI"),
    (0x7f, 8, "FUTEX_TRYLOCK_PI"),
    (0x7f, 9, "FUTEX_WAIT_BITSET"),
    (0x7f, 10, "FUTEX_WAKE_BITSET"),
    (0x7f, 11, "FUTEX_WAIT_REQUEUE_PI"),
    (0x7f, 12, "FUTEX_CMP_REQUEUE_PI"),
    (0x7f, 13, "FUTEX_LOCK_PI2"),
];
bits! {
    /// The flags beside a futex operation.
    FutexOp with FUTEX_OPERATIONS { FUTEX_PRIVATE_FLAG = 0x80, FUTEX_CLOCK_REALTIME = 0x100 }
}
values! {
    /// rt_sigprocmask's ways.
    SIG_HOW { SIG_BLOCK = 0, SIG_UNBLOCK = 1, SIG_SETMASK = 2 }
}
bits! {
    /// sigaction flags.
    ActionFlags { SA_NOCLDSTOP = 1, SA_NOCLDWAIT = 2, SA_SIGINFO = 4, SA_RESTORER = 0x400_0000,
        SA_ONSTACK = 0x800_0000, SA_RESTART = 0x1000_0000, SA_NODEFER = 0x4000_0000, SA_RESETHAND = 0x8000_0000 }
}
bits! {
    /// wait4 and waitid options.
    WaitOptions { WNOHANG = 1, WUNTRACED = 2, WEXITED = 4, WCONTINUED = 8, WNOWAIT = 0x100_0000,
        __WNOTHREAD = 0x2000_0000, __WALL = 0x4000_0000, __WCLONE = 0x8000_0000 }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Checks of one set: names are the C headers', each bit is kept, named or not.
    fn check<F: FlagSet + PartialEq + std::fmt::Debug + Copy>(name: &str) {
        for bit in 0..64 {
            assert_eq!(
                F::from_bits_retain(1 << bit).bits(),
                1 << bit,
                "{name}: bit {bit}"
            );
        }
        let all = F::all().bits();
        assert_eq!(F::from_bits(all), Some(F::all()));
        for flag in F::FLAGS {
            let bits = flag.value().bits();
            assert_eq!(
                F::from_name(flag.name()).map(|set| set.bits()),
                Some(bits),
                "{name}: {}",
                flag.name()
            );
            let of_values = F::VALUES.iter().fold(0, |mask, value| mask | value.0);
            assert_eq!(bits & of_values, 0, "{name}: {} is among the values", flag.name());
        }
        if all != u64::MAX {
            let unknown = 1 << (!all).trailing_zeros();
            assert_eq!(F::from_bits(unknown), None, "{name}: {unknown:#x} has no name");
            assert_eq!(F::from_bits_retain(unknown | all).bits(), unknown | all);
        }
    }

    macro_rules! check_all {
        ($($set:ident),* $(,)?) => { $(check::<$set>(stringify!($set));)* };
    }

    #[test]
    fn sets_keep_what_they_do_not_know() {
        check_all!(
            Prot,
            MapFlags,
            RemapFlags,
            SyncFlags,
            AtFlags,
            UnlinkFlags,
            RenameFlags,
            AccessMode,
            PollEvents,
            SocketType,
            MsgFlags,
            FdFlags,
            MemfdFlags,
            MountFlags,
            RandomFlags,
            SpliceFlags,
            RwFlags,
            IpcFlags,
            AttachFlags,
            CloneSet,
            FutexOp,
            ActionFlags,
            WaitOptions,
        );
    }
}
