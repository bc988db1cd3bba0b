//! Structure layouts, arm64 first. Where x86-64 differs, a `Host` twin stands beside with
//! the conversion: `stat`, `epoll_event` and `semid64_ds` are the only ones of these.
//!
//! Every field is declared once; [`CHECKS`] repeats size and offsets for the test against
//! the cross compiler's headers. Fields whose names begin with `_` are padding.

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

/// One structure's facts for the test against the C headers.
pub struct Check {
    /// The C type, as `struct stat`.
    pub c_type: &'static str,
    /// The header that defines it.
    pub header: &'static str,
    pub size: usize,
    /// (field, offset); padding is left out.
    pub fields: &'static [(&'static str, usize)],
}

/// Defines guest structures and collects [`CHECKS`].
macro_rules! layouts {
    ($($(#[$doc:meta])* $c_type:literal $header:literal $name:ident, $size:literal
        { $($field:ident: $ty:ty),* $(,)? })*) => {
        $(
            $(#[$doc])*
            #[derive(Clone, Copy, Debug, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
            #[repr(C)]
            pub struct $name { $(pub $field: $ty),* }
            const _: () = assert!(size_of::<$name>() == $size);
            impl $name {
                pub const ZERO: $name = $name { $($field: <$ty as Zero>::ZERO),* };
            }
            impl Zero for $name {
                const ZERO: $name = $name::ZERO;
            }
            impl Default for $name {
                fn default() -> $name { $name::ZERO }
            }
        )*
        pub const CHECKS: &[Check] = &[$(Check {
            c_type: $c_type,
            header: $header,
            size: $size,
            fields: &[$((stringify!($field), std::mem::offset_of!($name, $field))),*],
        }),*];
    };
}

/// The all-zero value, as a constant.
pub trait Zero {
    const ZERO: Self;
}

macro_rules! zero {
    ($($ty:ty),*) => { $(impl Zero for $ty { const ZERO: $ty = 0; })* };
}
zero!(u8, i8, u16, i16, u32, i32, u64, i64);

impl<T: Zero + Copy, const N: usize> Zero for [T; N] {
    const ZERO: [T; N] = [T::ZERO; N];
}

layouts! {
    /// fstat's result on arm64 (asm-generic/stat.h).
    "struct stat" "asm/stat.h" Stat, 128 {
        st_dev: u64, st_ino: u64, st_mode: u32, st_nlink: u32, st_uid: u32, st_gid: u32, st_rdev: u64,
        __pad1: u64, st_size: i64, st_blksize: i32, __pad2: i32, st_blocks: i64, st_atime: i64,
        st_atime_nsec: u64, st_mtime: i64, st_mtime_nsec: u64, st_ctime: i64, st_ctime_nsec: u64,
        __unused4: u32, __unused5: u32,
    }
    /// epoll_event on arm64: naturally aligned.
    "struct epoll_event" "linux/eventpoll.h" EpollEvent, 16 { events: u32, _pad: u32, data: u64 }
    /// Permissions of System V IPC objects.
    "struct ipc64_perm" "linux/ipc.h" IpcPerm, 48 {
        key: i32, uid: u32, gid: u32, cuid: u32, cgid: u32, mode: u32, seq: u16, __pad2: u16, _pad3: u32,
        __unused1: u64, __unused2: u64,
    }
    /// semctl's status on arm64 (asm-generic/sembuf.h).
    "struct semid64_ds" "linux/sem.h" SemidDs, 88 {
        sem_perm: IpcPerm, sem_otime: i64, sem_ctime: i64, sem_nsems: u64, __unused3: u64, __unused4: u64,
    }
    "struct shmid64_ds" "linux/shm.h" ShmidDs, 112 {
        shm_perm: IpcPerm, shm_segsz: u64, shm_atime: i64, shm_dtime: i64, shm_ctime: i64, shm_cpid: i32,
        shm_lpid: i32, shm_nattch: u64, __unused4: u64, __unused5: u64,
    }
    "struct msqid64_ds" "linux/msg.h" MsqidDs, 120 {
        msg_perm: IpcPerm, msg_stime: i64, msg_rtime: i64, msg_ctime: i64, msg_cbytes: u64, msg_qnum: u64,
        msg_qbytes: u64, msg_lspid: i32, msg_lrpid: i32, __unused4: u64, __unused5: u64,
    }
    "struct __kernel_timespec" "linux/time_types.h" Timespec, 16 { tv_sec: i64, tv_nsec: i64 }
    "struct __kernel_old_timeval" "linux/time_types.h" Timeval, 16 { tv_sec: i64, tv_usec: i64 }
    "struct __kernel_itimerspec" "linux/time_types.h" Itimerspec, 32 { it_interval: Timespec, it_value: Timespec }
    "struct itimerval" "linux/time.h" Itimerval, 32 { it_interval: Timeval, it_value: Timeval }
    "struct timezone" "linux/time.h" Timezone, 8 { tz_minuteswest: i32, tz_dsttime: i32 }
    "struct rlimit64" "linux/resource.h" Rlimit, 16 { rlim_cur: u64, rlim_max: u64 }
    "struct rusage" "linux/resource.h" Rusage, 144 {
        ru_utime: Timeval, ru_stime: Timeval, ru_maxrss: i64, ru_ixrss: i64, ru_idrss: i64, ru_isrss: i64,
        ru_minflt: i64, ru_majflt: i64, ru_nswap: i64, ru_inblock: i64, ru_oublock: i64, ru_msgsnd: i64,
        ru_msgrcv: i64, ru_nsignals: i64, ru_nvcsw: i64, ru_nivcsw: i64,
    }
    "struct sysinfo" "linux/sysinfo.h" Sysinfo, 112 {
        uptime: i64, loads: [u64; 3], totalram: u64, freeram: u64, sharedram: u64, bufferram: u64,
        totalswap: u64, freeswap: u64, procs: u16, pad: u16, _pad2: u32, totalhigh: u64, freehigh: u64,
        mem_unit: u32, _pad3: u32,
    }
    "struct new_utsname" "linux/utsname.h" Utsname, 390 {
        sysname: [u8; 65], nodename: [u8; 65], release: [u8; 65], version: [u8; 65], machine: [u8; 65],
        domainname: [u8; 65],
    }
    "struct statfs" "asm/statfs.h" Statfs, 120 {
        f_type: i64, f_bsize: i64, f_blocks: u64, f_bfree: u64, f_bavail: u64, f_files: u64, f_ffree: u64,
        f_fsid: [i32; 2], f_namelen: i64, f_frsize: i64, f_flags: i64, f_spare: [i64; 4],
    }
    "struct statx_timestamp" "linux/stat.h" StatxTimestamp, 16 { tv_sec: i64, tv_nsec: u32, __reserved: i32 }
    /// statx's result; the tail holds fields newer than the headers this is checked with.
    "struct statx" "linux/stat.h" Statx, 256 {
        stx_mask: u32, stx_blksize: u32, stx_attributes: u64, stx_nlink: u32, stx_uid: u32, stx_gid: u32,
        stx_mode: u16, _pad0: u16, stx_ino: u64, stx_size: u64, stx_blocks: u64, stx_attributes_mask: u64,
        stx_atime: StatxTimestamp, stx_btime: StatxTimestamp, stx_ctime: StatxTimestamp,
        stx_mtime: StatxTimestamp, stx_rdev_major: u32, stx_rdev_minor: u32, stx_dev_major: u32,
        stx_dev_minor: u32, stx_mnt_id: u64, _tail: [u64; 13],
    }
    "struct flock" "asm/fcntl.h" Flock, 32 { l_type: i16, l_whence: i16, _pad: i32, l_start: i64, l_len: i64, l_pid: i32, _pad2: i32 }
    "struct open_how" "linux/openat2.h" OpenHow, 24 { flags: u64, mode: u64, resolve: u64 }
    "struct pollfd" "asm/poll.h" PollFd, 8 { fd: i32, events: i16, revents: i16 }
    "struct iovec" "linux/uio.h" Iovec, 16 { iov_base: u64, iov_len: u64 }
    "struct sembuf" "linux/sem.h" SemBuf, 6 { sem_num: u16, sem_op: i16, sem_flg: i16 }
    "struct sigevent" "asm/siginfo.h" Sigevent, 64 {
        sigev_value: u64, sigev_signo: i32, sigev_notify: i32, _sigev_un: [i32; 12],
    }
    "struct mq_attr" "linux/mqueue.h" MqAttr, 64 { mq_flags: i64, mq_maxmsg: i64, mq_msgsize: i64, mq_curmsgs: i64, __reserved: [i64; 4] }
    "struct tms" "linux/times.h" Tms, 32 { tms_utime: i64, tms_stime: i64, tms_cutime: i64, tms_cstime: i64 }
}

/// msghdr as the kernel sees it (struct user_msghdr); its name in user headers is libc's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct Msghdr {
    pub msg_name: u64,
    pub msg_namelen: u32,
    pub _pad: u32,
    pub msg_iov: u64,
    pub msg_iovlen: u64,
    pub msg_control: u64,
    pub msg_controllen: u64,
    pub msg_flags: u32,
    pub _pad2: u32,
}
const _: () = assert!(size_of::<Msghdr>() == 56);

/// x86-64's struct stat (arch/x86/include/uapi/asm/stat.h).
#[derive(Clone, Copy, Debug, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct HostStat {
    pub st_dev: u64,
    pub st_ino: u64,
    pub st_nlink: u64,
    pub st_mode: u32,
    pub st_uid: u32,
    pub st_gid: u32,
    pub _pad0: u32,
    pub st_rdev: u64,
    pub st_size: i64,
    pub st_blksize: i64,
    pub st_blocks: i64,
    pub st_atime: i64,
    pub st_atime_nsec: u64,
    pub st_mtime: i64,
    pub st_mtime_nsec: u64,
    pub st_ctime: i64,
    pub st_ctime_nsec: u64,
    pub _unused: [i64; 3],
}
const _: () = assert!(size_of::<HostStat>() == 144);

impl HostStat {
    pub const ZERO: HostStat = HostStat {
        st_dev: 0,
        st_ino: 0,
        st_nlink: 0,
        st_mode: 0,
        st_uid: 0,
        st_gid: 0,
        _pad0: 0,
        st_rdev: 0,
        st_size: 0,
        st_blksize: 0,
        st_blocks: 0,
        st_atime: 0,
        st_atime_nsec: 0,
        st_mtime: 0,
        st_mtime_nsec: 0,
        st_ctime: 0,
        st_ctime_nsec: 0,
        _unused: [0; 3],
    };
}

impl From<HostStat> for Stat {
    fn from(host: HostStat) -> Stat {
        Stat {
            st_dev: host.st_dev,
            st_ino: host.st_ino,
            st_mode: host.st_mode,
            // arm64 keeps 32 bits; the kernel itself fails with EOVERFLOW only on 32-bit ABIs.
            st_nlink: host.st_nlink as u32,
            st_uid: host.st_uid,
            st_gid: host.st_gid,
            st_rdev: host.st_rdev,
            __pad1: 0,
            st_size: host.st_size,
            st_blksize: host.st_blksize as i32,
            __pad2: 0,
            st_blocks: host.st_blocks,
            st_atime: host.st_atime,
            st_atime_nsec: host.st_atime_nsec,
            st_mtime: host.st_mtime,
            st_mtime_nsec: host.st_mtime_nsec,
            st_ctime: host.st_ctime,
            st_ctime_nsec: host.st_ctime_nsec,
            __unused4: 0,
            __unused5: 0,
        }
    }
}

/// x86-64's epoll_event: packed to 12 bytes (EPOLL_PACKED in linux/eventpoll.h).
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct HostEpollEvent {
    pub events: u32,
    pub data: [u32; 2],
}
const _: () = assert!(size_of::<HostEpollEvent>() == 12);

impl From<EpollEvent> for HostEpollEvent {
    fn from(guest: EpollEvent) -> HostEpollEvent {
        HostEpollEvent {
            events: guest.events,
            data: [guest.data as u32, (guest.data >> 32) as u32],
        }
    }
}

impl From<HostEpollEvent> for EpollEvent {
    fn from(host: HostEpollEvent) -> EpollEvent {
        EpollEvent {
            events: host.events,
            _pad: 0,
            data: u64::from(host.data[0]) | u64::from(host.data[1]) << 32,
        }
    }
}

/// x86-64's semid64_ds: an unused word after each time (arch/x86/include/uapi/asm/sembuf.h).
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct HostSemidDs {
    pub sem_perm: IpcPerm,
    pub sem_otime: i64,
    pub _unused1: u64,
    pub sem_ctime: i64,
    pub _unused2: u64,
    pub sem_nsems: u64,
    pub _unused3: u64,
    pub _unused4: u64,
}
const _: () = assert!(size_of::<HostSemidDs>() == 104);

impl From<SemidDs> for HostSemidDs {
    fn from(guest: SemidDs) -> HostSemidDs {
        HostSemidDs {
            sem_perm: guest.sem_perm,
            sem_otime: guest.sem_otime,
            _unused1: 0,
            sem_ctime: guest.sem_ctime,
            _unused2: 0,
            sem_nsems: guest.sem_nsems,
            _unused3: 0,
            _unused4: 0,
        }
    }
}

impl From<HostSemidDs> for SemidDs {
    fn from(host: HostSemidDs) -> SemidDs {
        SemidDs {
            sem_perm: host.sem_perm,
            sem_otime: host.sem_otime,
            sem_ctime: host.sem_ctime,
            sem_nsems: host.sem_nsems,
            __unused3: 0,
            __unused4: 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn epoll_events_round_trip() {
        let guest = EpollEvent {
            events: 0x8000_2001,
            _pad: 0,
            data: 0x0123_4567_89ab_cdef,
        };
        let host = HostEpollEvent::from(guest);
        assert_eq!(host.as_bytes()[4..], 0x0123_4567_89ab_cdef_u64.to_le_bytes());
        assert_eq!(EpollEvent::from(host), guest);
    }

    #[test]
    fn semaphore_status_round_trips() {
        let mut guest = SemidDs::ZERO;
        guest.sem_otime = 1;
        guest.sem_ctime = 2;
        guest.sem_nsems = 3;
        guest.sem_perm.mode = 0o600;
        assert_eq!(SemidDs::from(HostSemidDs::from(guest)), guest);
    }

    #[test]
    fn stat_fields_move() {
        let mut host = HostStat::ZERO;
        host.st_nlink = 7;
        host.st_mode = 0o100_644;
        host.st_blksize = 4096;
        let guest = Stat::from(host);
        assert_eq!(
            (guest.st_nlink, guest.st_mode, guest.st_blksize),
            (7, 0o100_644, 4096)
        );
    }
}
