//! The requests of ioctl(2) whose argument their number does not tell, or tells wrongly, or whose structure holds
//! addresses, flags of open(2) or members that the architectures place differently.
//!
//! A row is `number NAME: shape;`, a number being one, several or a range; those at the end have numbers without their size
//! (bits 16 to 29), which may be any. Of all other requests the size stands in the number; of old ones without it, 256 bytes are looked at.
//!
//! Numbers are alike on both architectures (asm-generic/ioctl.h, asm-generic/ioctls.h), and so are nearly all structures.

use super::layout::{Direction, LOOP_INFO};
use super::shape::Field::{At, Each, Flags, If, Iovecs, Pages, Unknown, Unless};
use super::shape::Number::{U8, U16, U32, U64};
use super::shape::Shape::{Kept, Laid, Memory, OpenFlags, Refused, Value};
use super::shape::{Fields, Shape, at, bytes, list, plain, string, with};
use linux_abi::Errno;

/// Makes of the rows what finds a request's shape and name. (They are code and not data: a pointer in a table would be
/// relocated at every start.)
macro_rules! requests {
    ($($number:pat => $name:ident: $shape:expr;)*; any size: $($of_any:pat => $any_name:ident: |$size:ident| $any_shape:expr;)*) => {
        /// The shape of a request's argument, if it has a row.
        #[must_use]
        pub fn shape(request: u32) -> Option<Shape> {
            match request {
                $($number => {
                    const SHAPE: Shape = $shape;
                    return Some(SHAPE);
                })*
                _ => {}
            }
            match request & !SIZE_BITS {
                $($of_any => {
                    let $size = request >> 16 & 0x3fff;
                    Some($any_shape)
                })*
                _ => None,
            }
        }

        /// The name of a request, if it has a row.
        #[must_use]
        pub fn name(request: u32) -> Option<&'static str> {
            match request {
                $($number => return Some(stringify!($name)),)*
                _ => {}
            }
            match request & !SIZE_BITS {
                $($of_any => Some(stringify!($any_name)),)*
                _ => None,
            }
        }

        /// The rows' names, and what numbers they have.
        #[cfg(test)]
        pub const NAMES: &[(&str, &str)] = &[
            $((stringify!($name), stringify!($number)),)*
            $((stringify!($any_name), stringify!($of_any)),)*
        ];
    };
}

/// Where a number has the size.
pub const SIZE_BITS: u32 = 0x3fff << 16;

/// struct sock_fprog: classic BPF, which is the same on all architectures.
const FILTER: Fields = &[at(8, list(0, U16(0), 8))];
/// struct ifreq with ifr_data.
const INTERFACE: u32 = 40;
/// Data of a driver's, of a size that only it knows.
const DRIVERS: u32 = 256;

requests! {
    // Terminals (asm-generic/ioctls.h).
    0x5401 => TCGETS: plain(36);
    0x5402 => TCSETS: plain(36);
    0x5403 => TCSETSW: plain(36);
    0x5404 => TCSETSF: plain(36);
    0x5405 => TCGETA: plain(18);
    0x5406 => TCSETA: plain(18);
    0x5407 => TCSETAW: plain(18);
    0x5408 => TCSETAF: plain(18);
    0x5409 => TCSBRK: Value;
    0x540a => TCXONC: Value;
    0x540b => TCFLSH: Value;
    0x540c => TIOCEXCL: Value;
    0x540d => TIOCNXCL: Value;
    0x540e => TIOCSCTTY: Value;
    0x540f => TIOCGPGRP: plain(4);
    0x5410 => TIOCSPGRP: plain(4);
    0x5411 => TIOCOUTQ: plain(4);
    0x5412 => TIOCSTI: plain(1);
    0x5413 => TIOCGWINSZ: plain(8);
    0x5414 => TIOCSWINSZ: plain(8);
    0x5415 => TIOCMGET: plain(4);
    0x5416 => TIOCMBIS: plain(4);
    0x5417 => TIOCMBIC: plain(4);
    0x5418 => TIOCMSET: plain(4);
    0x5419 => TIOCGSOFTCAR: plain(4);
    0x541a => TIOCSSOFTCAR: plain(4);
    0x541b => FIONREAD: plain(4);
    // A byte that tells what follows; struct tiocl_selection is the longest.
    0x541c => TIOCLINUX: plain(11);
    0x541d => TIOCCONS: Value;
    0x541e => TIOCGSERIAL: plain(72);
    0x541f => TIOCSSERIAL: plain(72);
    0x5420 => TIOCPKT: plain(4);
    0x5421 => FIONBIO: plain(4);
    0x5422 => TIOCNOTTY: Value;
    0x5423 => TIOCSETD: plain(4);
    0x5424 => TIOCGETD: plain(4);
    0x5425 => TCSBRKP: Value;
    0x5427 => TIOCSBRK: Value;
    0x5428 => TIOCCBRK: Value;
    0x5429 => TIOCGSID: plain(4);
    0x802c_542a => TCGETS2: plain(44);
    0x402c_542b => TCSETS2: plain(44);
    0x402c_542c => TCSETSW2: plain(44);
    0x402c_542d => TCSETSF2: plain(44);
    0x542e => TIOCGRS485: plain(32);
    0x542f => TIOCSRS485: plain(32);
    0x8004_5430 => TIOCGPTN: plain(4);
    0x4004_5431 => TIOCSPTLCK: plain(4);
    0x5432 => TCGETX: plain(8);
    0x5433 => TCSETX: plain(8);
    0x5434 => TCSETXF: plain(8);
    0x5435 => TCSETXW: plain(8);
    // The number says int, and means the argument.
    0x4004_5436 => TIOCSIG: Value;
    0x5437 => TIOCVHANGUP: Value;
    0x5441 => TIOCGPTPEER: OpenFlags;
    0x5450 => FIONCLEX: Value;
    0x5451 => FIOCLEX: Value;
    0x5452 => FIOASYNC: plain(4);
    0x5453 => TIOCSERCONFIG: Value;
    0x5459 => TIOCSERGETLSR: plain(4);
    0x545c => TIOCMIWAIT: Value;
    0x545d => TIOCGICOUNT: plain(80);
    0x5460 => FIOQSIZE: plain(8);

    // The console (linux/kd.h, linux/vt.h).
    0x4b2f => KIOCSOUND: Value;
    0x4b30 => KDMKTONE: Value;
    0x4b31 => KDGETLED: plain(1);
    0x4b32 => KDSETLED: Value;
    0x4b33 => KDGKBTYPE: plain(1);
    0x4b34 => KDADDIO: Value;
    0x4b35 => KDDELIO: Value;
    0x4b36 => KDENABIO: Value;
    0x4b37 => KDDISABIO: Value;
    0x4b3a => KDSETMODE: Value;
    0x4b3b => KDGETMODE: plain(4);
    0x4b3c => KDMAPDISP: Value;
    0x4b3d => KDUNMAPDISP: Value;
    0x4b40 => GIO_SCRNMAP: plain(256);
    0x4b41 => PIO_SCRNMAP: plain(256);
    0x4b44 => KDGKBMODE: plain(4);
    0x4b45 => KDSKBMODE: Value;
    0x4b46 => KDGKBENT: plain(4);
    0x4b47 => KDSKBENT: plain(4);
    0x4b48 => KDGKBSENT: plain(513);
    0x4b49 => KDSKBSENT: plain(513);
    0x4b4a => KDGKBDIACR: plain(772);
    0x4b4b => KDSKBDIACR: plain(772);
    0x4b4c => KDGETKEYCODE: plain(8);
    0x4b4d => KDSETKEYCODE: plain(8);
    0x4b4e => KDSIGACCEPT: Value;
    0x4b52 => KDKBDREP: plain(8);
    0x4b60 => GIO_FONT: plain(8192);
    0x4b61 => PIO_FONT: plain(8192);
    0x4b62 => KDGKBMETA: plain(4);
    0x4b63 => KDSKBMETA: Value;
    0x4b64 => KDGKBLED: plain(1);
    0x4b65 => KDSKBLED: Value;
    0x4b66 => GIO_UNIMAP: with(16, &[at(8, list(0, U16(0), 4))]);
    0x4b67 => PIO_UNIMAP: with(16, &[at(8, list(0, U16(0), 4))]);
    0x4b68 => PIO_UNIMAPCLR: plain(6);
    0x4b69 => GIO_UNISCRNMAP: plain(512);
    0x4b6a => PIO_UNISCRNMAP: plain(512);
    0x4b6b => GIO_FONTX: with(16, &[at(8, list(0, U16(0), 32))]);
    0x4b6c => PIO_FONTX: with(16, &[at(8, list(0, U16(0), 32))]);
    0x4b6d => PIO_FONTRESET: Value;
    0x4b70 => GIO_CMAP: plain(48);
    0x4b71 => PIO_CMAP: plain(48);
    0x4b72 => KDFONTOP: with(32, &[at(24, list(0, U32(16), 32))]);
    0x4bfa => KDGKBDIACRUC: plain(3076);
    0x4bfb => KDSKBDIACRUC: plain(3076);
    0x5600 => VT_OPENQRY: plain(4);
    0x5601 => VT_GETMODE: plain(8);
    0x5602 => VT_SETMODE: plain(8);
    0x5603 => VT_GETSTATE: plain(6);
    0x5604 => VT_SENDSIG: Value;
    0x5605 => VT_RELDISP: Value;
    0x5606 => VT_ACTIVATE: Value;
    0x5607 => VT_WAITACTIVE: Value;
    0x5608 => VT_DISALLOCATE: Value;
    0x5609 => VT_RESIZE: plain(6);
    0x560a => VT_RESIZEX: plain(12);
    0x560b => VT_LOCKSWITCH: Value;
    0x560c => VT_UNLOCKSWITCH: Value;
    0x560d => VT_GETHIFONTMASK: plain(2);
    0x560e => VT_WAITEVENT: plain(64);
    0x560f => VT_SETACTIVATE: plain(12);

    // Frame buffers (linux/fb.h). Four tables of colours, of 16 bits each.
    0x4600 => FBIOGET_VSCREENINFO: plain(160);
    0x4601 => FBIOPUT_VSCREENINFO: plain(160);
    0x4602 => FBIOGET_FSCREENINFO: plain(80);
    0x4604 => FBIOGETCMAP: with(40, COLOURS);
    0x4605 => FBIOPUTCMAP: with(40, COLOURS);
    0x4606 => FBIOPAN_DISPLAY: plain(160);
    0x460f => FBIOGET_CON2FBMAP: plain(8);
    0x4610 => FBIOPUT_CON2FBMAP: plain(8);
    0x4611 => FBIOBLANK: Value;

    // Sockets and network devices (linux/sockios.h).
    0x8901 => FIOSETOWN: plain(4);
    0x8902 => SIOCSPGRP: plain(4);
    0x8903 => FIOGETOWN: plain(4);
    0x8904 => SIOCGPGRP: plain(4);
    0x8905 => SIOCATMARK: plain(4);
    0x8906 => SIOCGSTAMP: plain(16);
    0x8907 => SIOCGSTAMPNS: plain(16);
    // struct rtentry, with the name of a device.
    0x890b => SIOCADDRT: with(120, &[string(88)]);
    0x890c => SIOCDELRT: with(120, &[string(88)]);
    0x8910 => SIOCGIFNAME: plain(INTERFACE);
    0x8912 => SIOCGIFCONF: with(16, &[at(8, list(0, U32(0), 1))]);
    0x8913 => SIOCGIFFLAGS: plain(INTERFACE);
    0x8914 => SIOCSIFFLAGS: plain(INTERFACE);
    0x8915 => SIOCGIFADDR: plain(INTERFACE);
    0x8916 => SIOCSIFADDR: plain(INTERFACE);
    0x8919 => SIOCGIFBRDADDR: plain(INTERFACE);
    0x891b => SIOCGIFNETMASK: plain(INTERFACE);
    0x891d => SIOCGIFMETRIC: plain(INTERFACE);
    0x8921 => SIOCGIFMTU: plain(INTERFACE);
    0x8922 => SIOCSIFMTU: plain(INTERFACE);
    0x8927 => SIOCGIFHWADDR: plain(INTERFACE);
    0x8933 => SIOCGIFINDEX: plain(INTERFACE);
    // A command and up to three numbers or addresses, of the bridges before Linux 2.6.
    0x8940 => SIOCGIFBR: with(32, &[at(8, bytes(DRIVERS))]);
    0x8941 => SIOCSIFBR: with(32, &[at(8, bytes(16))]);
    0x8942 => SIOCGIFTXQLEN: plain(INTERFACE);
    // The longest that ethtool's commands say themselves end in arrays of any length.
    0x8946 => SIOCETHTOOL: with(INTERFACE, &[at(16, bytes(4096))]);
    0x8947 => SIOCGMIIPHY: plain(INTERFACE);
    0x8948 => SIOCGMIIREG: plain(INTERFACE);
    0x894a => SIOCWANDEV: with(INTERFACE, &[at(24, bytes(DRIVERS))]);
    0x894b => SIOCOUTQNSD: plain(4);
    0x8982 => SIOCGIFVLAN: plain(56);
    0x8983 => SIOCSIFVLAN: plain(56);
    0x8993 => SIOCBONDSLAVEINFOQUERY: with(INTERFACE, &[at(16, bytes(28))]);
    0x8994 => SIOCBONDINFOQUERY: with(INTERFACE, &[at(16, bytes(12))]);
    0x89a0 => SIOCBRADDBR: plain(16);
    0x89a1 => SIOCBRDELBR: plain(16);
    0x89a2 => SIOCBRADDIF: plain(INTERFACE);
    0x89a3 => SIOCBRDELIF: plain(INTERFACE);
    0x89b0 => SIOCSHWTSTAMP: with(INTERFACE, &[at(16, bytes(12))]);
    0x89b1 => SIOCGHWTSTAMP: with(INTERFACE, &[at(16, bytes(12))]);
    0x89f0..=0x89ff => SIOCDEVPRIVATE: with(INTERFACE, &[at(16, bytes(DRIVERS))]);
    // struct iwreq: what is longer than a name has an address and its length.
    0x8b00..=0x8bff => SIOCIWFIRST: with(32, &[Unknown]);

    // Tunnels (linux/if_tun.h) and PPP. The numbers say int, and mean the argument, or a struct ifreq.
    0x4004_54c8 => TUNSETNOCSUM: Value;
    0x4004_54c9 => TUNSETDEBUG: Value;
    0x4004_54ca => TUNSETIFF: plain(INTERFACE);
    0x4004_54cb => TUNSETPERSIST: Value;
    0x4004_54cc => TUNSETOWNER: Value;
    0x4004_54cd => TUNSETLINK: Value;
    0x4004_54ce => TUNSETGROUP: Value;
    0x4004_54d0 => TUNSETOFFLOAD: Value;
    0x4004_54d1 => TUNSETTXFILTER: Memory(list(4, U16(2), 6), &[]);
    0x8004_54d2 => TUNGETIFF: plain(INTERFACE);
    0x4010_54d5 => TUNATTACHFILTER: with(16, FILTER);
    0x4010_54d6 => TUNDETACHFILTER: with(16, FILTER);
    0x8010_54db => TUNGETFILTER: with(16, FILTER);
    0x4004_54d9 => TUNSETQUEUE: plain(INTERFACE);
    0x4010_7446 => PPPIOCSACTIVE: with(16, FILTER);
    0x4010_7447 => PPPIOCSPASS: with(16, FILTER);
    0x4010_744d => PPPIOCSCOMPRESS: with(16, &[at(0, list(0, U32(8), 1))]);

    // Files and file systems (linux/fs.h and others).
    0x0001 => FIBMAP: plain(4);
    0x0002 => FIGETBSZ: plain(4);
    0x4004_9409 => FICLONE: Value;
    0x4020_940d => FICLONERANGE: plain(32);
    0xc018_9436 => FIDEDUPERANGE: Memory(list(24, U16(16), 32), &[]);
    0xc004_5877 => FIFREEZE: Value;
    0xc004_5878 => FITHAW: Value;
    0xc020_660b => FS_IOC_FIEMAP: Memory(list(32, U32(24), 56), &[]);
    0x8008_6601 => FS_IOC_GETFLAGS: plain(4);
    0x4008_6602 => FS_IOC_SETFLAGS: plain(4);
    // struct fscrypt_policy_v2 is what may be longer than the number says.
    0x800c_6613 => FS_IOC_SET_ENCRYPTION_POLICY: plain(24);
    0xc009_6616 => FS_IOC_GET_ENCRYPTION_POLICY_EX: Memory(list(8, U64(0), 1), &[]);
    0xc050_6617 => FS_IOC_ADD_ENCRYPTION_KEY: Memory(list(80, U32(40), 1), &[]);
    0xc060_6610 => PAGEMAP_SCAN: with(96, &[at(40, list(0, U64(48), 24))]);
    0xc068_6611 => PROCMAP_QUERY: with(104, &[at(88, list(0, U32(80), 1)), at(96, list(0, U32(84), 1))]);
    0x4080_6685 => FS_IOC_ENABLE_VERITY: with(128, &[at(16, list(0, U32(12), 1)), at(32, list(0, U32(24), 1))]);
    0xc004_6686 => FS_IOC_MEASURE_VERITY: Memory(list(4, U16(2), 1), &[]);
    0xc028_6687 => FS_IOC_READ_VERITY_METADATA: with(40, &[at(24, list(0, U64(16), 1))]);
    // struct xfs_fsop_handlereq: a path, a handle, where the kernel writes one and its length.
    0xc038_5868 => XFS_IOC_PATH_TO_FSHANDLE: with(56, HANDLE);
    0xc038_5869 => XFS_IOC_PATH_TO_HANDLE: with(56, HANDLE);
    0xc038_586a => XFS_IOC_FD_TO_HANDLE: with(56, HANDLE);
    0xc038_586b => XFS_IOC_OPEN_BY_HANDLE: with(56, HANDLE);
    0xc038_586c => XFS_IOC_READLINK_BY_HANDLE: with(56, HANDLE);
    // struct xfs_fsop_bulkreq: a position, as many of struct xfs_bstat as the caller wants, and their number.
    0xc020_5865 => XFS_IOC_FSBULKSTAT: with(32, &[at(0, bytes(8)), at(16, list(0, U32(8), 136)), at(24, bytes(4))]);
    0x4048_9426 => BTRFS_IOC_SEND: with(72, &[at(16, list(0, U64(8), 8))]);
    0xc010_9414 => BTRFS_IOC_SPACE_INFO: Memory(list(16, U64(0), 24), &[]);
    0xc070_9411 => BTRFS_IOC_TREE_SEARCH_V2: Memory(list(112, U64(104), 1), &[]);
    0xc038_9424 => BTRFS_IOC_LOGICAL_INO: with(56, &[at(48, list(0, U64(8), 1))]);
    0xc038_943b => BTRFS_IOC_LOGICAL_INO_V2: with(56, &[at(48, list(0, U64(8), 1))]);
    0xc038_9423 => BTRFS_IOC_INO_PATHS: with(56, &[at(48, list(0, U64(8), 1))]);
    0x8080_9440 => BTRFS_IOC_ENCODED_READ: with(128, &[Iovecs(0, U64(8))]);
    0x4080_9440 => BTRFS_IOC_ENCODED_WRITE: with(128, &[Iovecs(0, U64(8))]);
    // struct autofs_dev_ioctl: its size covers a path.
    0xc018_9371..=0xc018_937e => AUTOFS_DEV_IOCTL: Memory(list(0, U32(8), 1), &[]);

    // Loop devices (linux/loop.h).
    0x4c00 => LOOP_SET_FD: Value;
    0x4c01 => LOOP_CLR_FD: Value;
    0x4c02 => LOOP_SET_STATUS: Laid(Direction::In, &LOOP_INFO);
    0x4c03 => LOOP_GET_STATUS: Laid(Direction::Out, &LOOP_INFO);
    0x4c04 => LOOP_SET_STATUS64: plain(232);
    0x4c05 => LOOP_GET_STATUS64: plain(232);
    0x4c06 => LOOP_CHANGE_FD: Value;
    0x4c07 => LOOP_SET_CAPACITY: Value;
    0x4c08 => LOOP_SET_DIRECT_IO: Value;
    0x4c09 => LOOP_SET_BLOCK_SIZE: Value;
    0x4c0a => LOOP_CONFIGURE: plain(304);
    0x4c80 => LOOP_CTL_ADD: Value;
    0x4c81 => LOOP_CTL_REMOVE: Value;
    0x4c82 => LOOP_CTL_GET_FREE: Value;

    // Block devices (linux/fs.h, linux/hdreg.h, linux/nbd.h, linux/dm-ioctl.h).
    0x125d => BLKROSET: plain(4);
    0x125e => BLKROGET: plain(4);
    0x125f => BLKRRPART: Value;
    0x1260 => BLKGETSIZE: plain(8);
    0x1261 => BLKFLSBUF: Value;
    0x1262 => BLKRASET: Value;
    0x1263 => BLKRAGET: plain(8);
    0x1264 => BLKFRASET: Value;
    0x1265 => BLKFRAGET: plain(8);
    0x1267 => BLKSECTGET: plain(2);
    0x1268 => BLKSSZGET: plain(4);
    // struct blkpg_ioctl_arg, to struct blkpg_partition.
    0x1269 => BLKPG: with(24, &[at(16, list(0, U32(8), 1))]);
    // The numbers say size_t and u64; the first is an int.
    0x8008_1270 => BLKBSZGET: plain(4);
    0x4008_1271 => BLKBSZSET: plain(4);
    0x1274 => BLKTRACESTART: Value;
    0x1275 => BLKTRACESTOP: Value;
    0x1276 => BLKTRACETEARDOWN: Value;
    0x1277 => BLKDISCARD: plain(16);
    0x1278 => BLKIOMIN: plain(4);
    0x1279 => BLKIOOPT: plain(4);
    0x127a => BLKALIGNOFF: plain(4);
    0x127b => BLKPBSZGET: plain(4);
    0x127c => BLKDISCARDZEROES: plain(4);
    0x127d => BLKSECDISCARD: plain(16);
    0x127e => BLKROTATIONAL: plain(2);
    0x127f => BLKZEROOUT: plain(16);
    0xc010_1282 => BLKREPORTZONE: Memory(list(16, U32(8), 64), &[]);
    0x0301 => HDIO_GETGEO: plain(16);
    0x030d => HDIO_GET_IDENTITY: plain(512);
    0xab00 => NBD_SET_SOCK: Value;
    0xab01 => NBD_SET_BLKSIZE: Value;
    0xab02 => NBD_SET_SIZE: Value;
    0xab03 => NBD_DO_IT: Value;
    0xab04 => NBD_CLEAR_SOCK: Value;
    0xab05 => NBD_CLEAR_QUE: Value;
    0xab06 => NBD_PRINT_DEBUG: Value;
    0xab07 => NBD_SET_SIZE_BLOCKS: Value;
    0xab08 => NBD_DISCONNECT: Value;
    0xab09 => NBD_SET_TIMEOUT: Value;
    0xab0a => NBD_SET_FLAGS: Value;
    // All of device mapper's, whose size covers what follows struct dm_ioctl.
    0xc138_fd00..=0xc138_fd14 => DM: Memory(list(0, U32(12), 1), &[]);

    // struct mmc_ioc_cmd: blocks, of which one is looked at.
    0xc048_b300 => MMC_IOC_CMD: with(72, &[at(64, list(0, U32(36), 1))]);
    0xc008_b301 => MMC_IOC_MULTI_CMD: Memory(list(8, U64(0), 72), &[Each(8, 72, &[at(64, list(0, U32(36), 1))])]);

    // SCSI and NVMe (scsi/sg.h, linux/bsg.h, linux/nvme_ioctl.h, linux/cdrom.h).
    0x2201 => SG_SET_TIMEOUT: plain(4);
    0x2202 => SG_GET_TIMEOUT: Value;
    0x2272 => SG_GET_RESERVED_SIZE: plain(4);
    0x2275 => SG_SET_RESERVED_SIZE: plain(4);
    0x2276 => SG_GET_SCSI_ID: plain(32);
    0x2282 => SG_GET_VERSION_NUM: plain(4);
    0x2284 => SG_SCSI_RESET: plain(4);
    // struct sg_io_v4 begins with 'Q', struct sg_io_hdr with 'S'.
    0x2285 => SG_IO: with(88, &[
        If(U32(0), b'S' as u64, &[
            If(U16(10), 0, &[at(16, list(0, U32(12), 1))]),
            Unless(U16(10), 0, &[Iovecs(16, U16(10))]),
            at(24, list(0, U8(8), 1)),
            at(32, list(0, U8(9), 1)),
        ]),
        If(U32(0), b'Q' as u64, &[
            at(16, list(0, U32(12), 1)),
            at(64, list(0, U32(32), 1)),
        ]),
    ]);
    0x2286 => SG_GET_REQUEST_TABLE: plain(384);
    0x4e40 => NVME_IOCTL_ID: Value;
    0xc048_4e41 => NVME_IOCTL_ADMIN_CMD: with(72, PASSED_THROUGH);
    // struct nvme_user_io: blocks, at least of 512 bytes, one more than it says.
    0x4030_4e42 => NVME_IOCTL_SUBMIT_IO: with(48, &[at(8, bytes(1)), at(16, list(512, U16(4), 512))]);
    0xc048_4e43 => NVME_IOCTL_IO_CMD: with(72, PASSED_THROUGH);
    0x4e44 => NVME_IOCTL_RESET: Value;
    0x4e45 => NVME_IOCTL_SUBSYS_RESET: Value;
    0x4e46 => NVME_IOCTL_RESCAN: Value;
    0xc050_4e47 => NVME_IOCTL_ADMIN64_CMD: with(80, PASSED_THROUGH);
    0xc050_4e48 => NVME_IOCTL_IO64_CMD: with(80, PASSED_THROUGH);
    0xc050_4e49 => NVME_IOCTL_IO64_CMD_VEC: with(80, &[at(16, list(0, U32(32), 1)), Iovecs(24, U32(36))]);
    0x530e => CDROMREADAUDIO: with(24, &[at(16, list(0, U32(8), 2352))]);
    0x5309 => CDROMEJECT: Value;
    0x5319 => CDROMCLOSETRAY: Value;
    0x5326 => CDROM_DRIVE_STATUS: Value;
    0x5329 => CDROM_LOCKDOOR: Value;
    0x5393 => CDROM_SEND_PACKET: with(64, &[at(16, list(0, U32(24), 1)), at(32, bytes(18))]);

    // USB (linux/usbdevice_fs.h). A urb's data are copied when it is submitted and when it is reaped, each within that call; the
    // kernel gives back the urb's address, or takes it for a name.
    0xc018_5500 => USBDEVFS_CONTROL: with(24, &[at(16, list(0, U16(6), 1))]);
    0xc018_5502 => USBDEVFS_BULK: with(24, &[at(16, list(0, U32(4), 1))]);
    0x8038_550a => USBDEVFS_SUBMITURB: Kept(list(56, U32(32), 12), &[at(16, list(0, U32(24), 1))]);
    0x550b => USBDEVFS_DISCARDURB: Value;
    0xc010_5512 => USBDEVFS_IOCTL: with(16, &[at(8, bytes(DRIVERS))]);
    0x5514 => USBDEVFS_RESET: Value;
    0x8008_551c => USBDEVFS_ALLOC_STREAMS: Memory(list(8, U32(4), 1), &[]);
    0x8008_551d => USBDEVFS_FREE_STREAMS: Memory(list(8, U32(4), 1), &[]);

    // struct usbtmc_message is packed.
    0xc014_5b0d => USBTMC_IOCTL_WRITE: with(20, &[at(12, list(0, U32(0), 1))]);
    0xc014_5b0e => USBTMC_IOCTL_READ: with(20, &[at(12, list(0, U32(0), 1))]);
    0xc060_7520 => UVCIOC_CTRL_MAP: with(96, &[at(64, list(0, U32(72), 36))]);
    0xc010_7521 => UVCIOC_CTRL_QUERY: with(16, &[at(8, list(0, U16(4), 1))]);

    // Input (linux/input.h, linux/uinput.h). A custom waveform of an effect has an address.
    0x4030_4580 => EVIOCSFF: with(48, &[If(U16(0), 0x51, &[If(U16(16), 0x5d, &[at(40, list(0, U32(32), 2))])])]);
    0x4004_4581 => EVIOCRMFF: Value;
    0x4004_4590 => EVIOCGRAB: Value;
    0x4004_4591 => EVIOCREVOKE: Value;
    0x8010_4592 => EVIOCGMASK: with(16, &[at(8, list(0, U32(4), 1))]);
    0x4010_4593 => EVIOCSMASK: with(16, &[at(8, list(0, U32(4), 1))]);
    0x5501 => UI_DEV_CREATE: Value;
    0x5502 => UI_DEV_DESTROY: Value;
    0x4004_5564..=0x4004_556b | 0x4004_556d | 0x4004_556e => UI_SET_BIT: Value;
    // The number says char *, and means a string.
    0x4008_556c => UI_SET_PHYS: plain(1);

    // Buses (linux/i2c-dev.h, mtd/mtd-abi.h, linux/ipmi.h).
    0x0701 => I2C_RETRIES: Value;
    0x0702 => I2C_TIMEOUT: Value;
    0x0703 => I2C_SLAVE: Value;
    0x0704 => I2C_TENBIT: Value;
    0x0705 => I2C_FUNCS: plain(8);
    0x0706 => I2C_SLAVE_FORCE: Value;
    0x0707 => I2C_RDWR: with(16, &[At(0, list(0, U32(8), 16), &[Each(0, 16, &[at(8, list(0, U16(4), 1))])])]);
    0x0708 => I2C_PEC: Value;
    0x0720 => I2C_SMBUS: with(16, &[at(8, bytes(34))]);
    0xc010_4d03 => MEMWRITEOOB: with(16, &[at(8, list(0, U32(4), 1))]);
    0xc010_4d04 => MEMREADOOB: with(16, &[at(8, list(0, U32(4), 1))]);
    0xc018_4d15 => MEMWRITEOOB64: with(24, &[at(16, list(0, U32(12), 1))]);
    0xc018_4d16 => MEMREADOOB64: with(24, &[at(16, list(0, U32(12), 1))]);
    0xc030_4d18 => MEMWRITE: with(48, &[at(24, list(0, U64(8), 1)), at(32, list(0, U64(16), 1))]);
    0xc040_4d1a => MEMREAD: with(64, &[at(24, list(0, U64(8), 1)), at(32, list(0, U64(16), 1))]);
    0x8028_690d => IPMICTL_SEND_COMMAND: with(40, &[at(0, list(0, U32(8), 1)), at(32, list(0, U16(26), 1))]);
    0x8030_6915 => IPMICTL_SEND_COMMAND_SETTIME: with(48, &[at(0, list(0, U32(8), 1)), at(32, list(0, U16(26), 1))]);
    0xc030_690c => IPMICTL_RECEIVE_MSG: with(48, IPMI_RECEIVED);
    0xc030_690b => IPMICTL_RECEIVE_MSG_TRUNC: with(48, IPMI_RECEIVED);

    // Sound (sound/asound.h). Of frames only the first is looked at: their size is the stream's matter.
    0x4018_4150 => SNDRV_PCM_IOCTL_WRITEI_FRAMES: with(24, &[at(8, list(0, U64(16), 1))]);
    0x8018_4151 => SNDRV_PCM_IOCTL_READI_FRAMES: with(24, &[at(8, list(0, U64(16), 1))]);
    0x4018_4152 => SNDRV_PCM_IOCTL_WRITEN_FRAMES: with(24, &[At(8, bytes(8), &[Unknown])]);
    0x8018_4153 => SNDRV_PCM_IOCTL_READN_FRAMES: with(24, &[At(8, bytes(8), &[Unknown])]);
    0xc050_5510 => SNDRV_CTL_IOCTL_ELEM_LIST: with(80, &[at(16, list(0, U32(4), 64))]);
    0xc110_5517 => SNDRV_CTL_IOCTL_ELEM_ADD: with(272, ELEMENT_NAMES);
    0xc110_5518 => SNDRV_CTL_IOCTL_ELEM_REPLACE: with(272, ELEMENT_NAMES);
    0xc008_551a => SNDRV_CTL_IOCTL_TLV_READ: Memory(list(8, U32(4), 1), &[]);
    0xc008_551b => SNDRV_CTL_IOCTL_TLV_WRITE: Memory(list(8, U32(4), 1), &[]);
    0xc008_551c => SNDRV_CTL_IOCTL_TLV_COMMAND: Memory(list(8, U32(4), 1), &[]);
    0x4060_4803 => SNDRV_HWDEP_IOCTL_DSP_LOAD: with(96, &[at(72, list(0, U64(80), 1))]);

    // Video (linux/videodev2.h, linux/media.h, linux/dvb/frontend.h).
    0xc058_5609 => VIDIOC_QUERYBUF: with(88, VIDEO_BUFFER);
    0xc058_560f => VIDIOC_QBUF: with(88, VIDEO_BUFFER);
    0xc058_5611 => VIDIOC_DQBUF: with(88, VIDEO_BUFFER);
    0xc058_565d => VIDIOC_PREPARE_BUF: with(88, VIDEO_BUFFER);
    0xc020_5647 => VIDIOC_G_EXT_CTRLS: with(32, CONTROLS);
    0xc020_5648 => VIDIOC_S_EXT_CTRLS: with(32, CONTROLS);
    0xc020_5649 => VIDIOC_TRY_EXT_CTRLS: with(32, CONTROLS);
    0xc028_5628 => VIDIOC_G_EDID: with(40, &[at(32, list(0, U32(8), 128))]);
    0xc028_5629 => VIDIOC_S_EDID: with(40, &[at(32, list(0, U32(8), 128))]);
    0xc0d0_5604 => VIDIOC_G_FMT: with(208, OVERLAY);
    0xc0d0_5605 => VIDIOC_S_FMT: with(208, OVERLAY);
    0xc0d0_5640 => VIDIOC_TRY_FMT: with(208, OVERLAY);
    0x4030_560b => VIDIOC_S_FBUF: plain(48);
    // struct media_links_enum: pads and links of an entity, whose number the driver knows.
    0xc028_7c02 => MEDIA_IOC_ENUM_LINKS: with(40, &[at(8, bytes(20)), at(16, bytes(52))]);
    0xc048_7c04 => MEDIA_IOC_G_TOPOLOGY: with(72, &[
        at(16, list(0, U32(8), 96)), at(32, list(0, U32(24), 112)),
        at(48, list(0, U32(40), 64)), at(64, list(0, U32(56), 64)),
    ]);
    0x4010_6f52 => FE_SET_PROPERTY: with(16, &[at(8, list(0, U32(0), 76))]);
    0x8010_6f53 => FE_GET_PROPERTY: with(16, &[at(8, list(0, U32(0), 76))]);

    // Graphics (drm/drm.h, drm/drm_mode.h). DRM_CLOEXEC and DRM_RDWR have the same values on both sides.
    0xc040_6400 => DRM_IOCTL_VERSION: with(64, &[at(24, list(0, U64(16), 1)), at(40, list(0, U64(32), 1)), at(56, list(0, U64(48), 1))]);
    0xc010_6401 => DRM_IOCTL_GET_UNIQUE: with(16, &[at(8, list(0, U64(0), 1))]);
    0xc040_64a0 => DRM_IOCTL_MODE_GETRESOURCES: with(64, &[
        at(0, list(0, U32(32), 4)), at(8, list(0, U32(36), 4)), at(16, list(0, U32(40), 4)), at(24, list(0, U32(44), 4)),
    ]);
    0xc068_64a2 => DRM_IOCTL_MODE_SETCRTC: with(104, &[at(0, list(0, U32(8), 4))]);
    0xc020_64a4 => DRM_IOCTL_MODE_GETGAMMA: with(32, GAMMA);
    0xc020_64a5 => DRM_IOCTL_MODE_SETGAMMA: with(32, GAMMA);
    0xc050_64a7 => DRM_IOCTL_MODE_GETCONNECTOR: with(80, &[
        at(0, list(0, U32(44), 4)), at(8, list(0, U32(32), 68)), at(16, list(0, U32(36), 4)), at(24, list(0, U32(36), 8)),
    ]);
    0xc040_64aa => DRM_IOCTL_MODE_GETPROPERTY: with(64, &[at(0, list(0, U32(56), 8)), at(8, list(0, U32(60), 40))]);
    0xc010_64ac => DRM_IOCTL_MODE_GETPROPBLOB: with(16, &[at(8, list(0, U32(4), 1))]);
    0xc018_64b1 => DRM_IOCTL_MODE_DIRTYFB: with(24, &[at(16, list(0, U32(12), 8))]);
    0xc010_64b5 => DRM_IOCTL_MODE_GETPLANERESOURCES: with(16, &[at(0, list(0, U32(8), 4))]);
    0xc020_64b6 => DRM_IOCTL_MODE_GETPLANE: with(32, &[at(24, list(0, U32(20), 4))]);
    0xc020_64b9 => DRM_IOCTL_MODE_OBJ_GETPROPERTIES: with(32, &[at(0, list(0, U32(16), 4)), at(8, list(0, U32(16), 8))]);
    0xc038_64bc => DRM_IOCTL_MODE_ATOMIC: with(56, &[at(8, list(0, U32(4), 4)), at(16, list(0, U32(4), 4)), at(24, bytes(4)), at(32, bytes(8))]);
    0xc010_64bd => DRM_IOCTL_MODE_CREATEPROPBLOB: with(16, &[at(0, list(0, U32(8), 1))]);
    0xc010_64c4 => DRM_IOCTL_SYNCOBJ_RESET: with(16, &[at(0, list(0, U32(8), 4))]);
    0xc010_64c5 => DRM_IOCTL_SYNCOBJ_SIGNAL: with(16, &[at(0, list(0, U32(8), 4))]);
    0xc018_64c6 => DRM_IOCTL_MODE_CREATE_LEASE: with(24, &[at(0, list(0, U32(8), 4))]);
    0xc010_64c7 => DRM_IOCTL_MODE_LIST_LESSEES: with(16, &[at(8, list(0, U32(0), 4))]);
    0xc010_64c8 => DRM_IOCTL_MODE_GET_LEASE: with(16, &[at(8, list(0, U32(0), 4))]);
    0xc018_64cb => DRM_IOCTL_SYNCOBJ_QUERY: with(24, TIMELINES);
    0xc018_64cd => DRM_IOCTL_SYNCOBJ_TIMELINE_SIGNAL: with(24, TIMELINES);

    // Buffers and fences (linux/dma-buf.h, linux/udmabuf.h, linux/sync_file.h).
    0x4008_6201 | 0x4004_6201 => DMA_BUF_SET_NAME: plain(1);
    0x4008_7543 => UDMABUF_CREATE_LIST: Memory(list(8, U32(4), 24), &[]);
    0xc038_3e04 => SYNC_IOC_FILE_INFO: with(56, &[at(48, list(0, U32(40), 80))]);

    // Performance events (linux/perf_event.h).
    0x2400 => PERF_EVENT_IOC_ENABLE: Value;
    0x2401 => PERF_EVENT_IOC_DISABLE: Value;
    0x2402 => PERF_EVENT_IOC_REFRESH: Value;
    0x2403 => PERF_EVENT_IOC_RESET: Value;
    0x4008_2404 => PERF_EVENT_IOC_PERIOD: plain(8);
    0x2405 => PERF_EVENT_IOC_SET_OUTPUT: Value;
    0x4008_2406 => PERF_EVENT_IOC_SET_FILTER: plain(1);
    0x8008_2407 => PERF_EVENT_IOC_ID: plain(8);
    0x4004_2408 => PERF_EVENT_IOC_SET_BPF: Value;
    0x4004_2409 => PERF_EVENT_IOC_PAUSE_OUTPUT: Value;
    0xc008_240a => PERF_EVENT_IOC_QUERY_BPF: Memory(list(8, U32(0), 4), &[]);
    0x4008_240b => PERF_EVENT_IOC_MODIFY_ATTRIBUTES: Memory(list(0, U32(4), 1), &[]);

    // Memory of faults (linux/userfaultfd.h): a range, or destination, source and length.
    0xaa00 => USERFAULTFD_IOC_NEW: Value;
    0xc020_aa00 => UFFDIO_REGISTER: with(32, &[Pages(0, list(0, U64(8), 1))]);
    0x8010_aa01 => UFFDIO_UNREGISTER: with(16, &[Pages(0, list(0, U64(8), 1))]);
    0x8010_aa02 => UFFDIO_WAKE: with(16, &[Pages(0, list(0, U64(8), 1))]);
    0xc028_aa03 => UFFDIO_COPY: with(40, &[Pages(0, list(0, U64(16), 1)), at(8, list(0, U64(16), 1))]);
    0xc020_aa04 => UFFDIO_ZEROPAGE: with(32, &[Pages(0, list(0, U64(8), 1))]);
    0xc028_aa05 => UFFDIO_MOVE: with(40, &[Pages(0, list(0, U64(16), 1)), Pages(8, list(0, U64(16), 1))]);
    0xc018_aa06 => UFFDIO_WRITEPROTECT: with(24, &[Pages(0, list(0, U64(8), 1))]);
    0xc020_aa07 => UFFDIO_CONTINUE: with(32, &[Pages(0, list(0, U64(8), 1))]);
    0xc020_aa08 => UFFDIO_POISON: with(32, &[Pages(0, list(0, U64(8), 1))]);

    // Virtual machines. What a kernel thread reads and writes later lies in regions and rings that are told before.
    0x4008_af03 => VHOST_SET_MEM_TABLE: Memory(list(8, U32(0), 32), &[Each(8, 32, &[Pages(16, list(0, U64(8), 1))])]);
    0x4028_af11 => VHOST_SET_VRING_ADDR: with(40, &[at(8, bytes(1)), at(16, bytes(1)), at(24, bytes(1))]);
    // linux/vfio.h and linux/iommufd.h: structures that say their size. Some of the numbers have several meanings.
    0x3b64 => VFIO_GET_API_VERSION: Value;
    0x3b65 => VFIO_CHECK_EXTENSION: Value;
    0x3b66 => VFIO_SET_IOMMU: Value;
    0x3b69 => VFIO_GROUP_UNSET_CONTAINER: Value;
    0x3b6a => VFIO_GROUP_GET_DEVICE_FD: plain(1);
    0x3b6f => VFIO_DEVICE_RESET: Value;
    // A region to map, or descriptors for a reset.
    0x3b71 => VFIO_IOMMU_MAP_DMA: Memory(list(0, U32(0), 1), &[If(U32(0), 32, &[Pages(8, list(0, U64(24), 1))])]);
    0x3b85 => IOMMU_IOAS_MAP: Memory(list(0, U32(0), 1), &[Pages(16, list(0, U64(24), 1))]);
    0x3b67 | 0x3b6b..=0x3b6e | 0x3b70 | 0x3b72..=0x3b84 | 0x3b86..=0x3b9f => VFIO: Memory(list(0, U32(0), 1), &[Unknown]);
    0x3b68 => VFIO_GROUP_SET_CONTAINER: plain(4);
    // A machine of the host's architecture cannot run the guest's code: as a kernel without KVM.
    0xae00..=0xae1f | 0xae40..=0xaeff => KVM: Refused(Errno::ENOTTY);

    // Others.
    0x4008_5203 => RNDADDENTROPY: Memory(list(8, U32(4), 1), &[]);
    0x5204 => RNDZAPENTCNT: Value;
    0x5206 => RNDCLEARPOOL: Value;
    0x5207 => RNDRESEEDCRNG: Value;
    0x07b9 => IOCTL_VM_SOCKETS_GET_LOCAL_CID: plain(4);
    // linux/rdma_user_ioctl_cmds.h: attributes, whose addresses are words.
    0xc018_1b01 => RDMA_VERBS_IOCTL: Memory(list(0, U16(0), 1), &[Unknown]);
    // linux/tee.h: a buffer with arguments, which name shared memory by number.
    0x8010_a402 => TEE_IOC_OPEN_SESSION: with(16, &[at(0, list(0, U64(8), 1))]);
    0x8010_a403 => TEE_IOC_INVOKE: with(16, &[at(0, list(0, U64(8), 1))]);
    0x8010_a406 => TEE_IOC_SUPPL_RECV: with(16, &[at(0, list(0, U64(8), 1))]);
    0x8010_a407 => TEE_IOC_SUPPL_SEND: with(16, &[at(0, list(0, U64(8), 1))]);
    // linux/android/binder.h: commands to read and to write. What a transaction points to is looked at where it is sent.
    0xc030_6201 => BINDER_WRITE_READ: with(48, &[At(16, list(0, U64(0), 1), &[Unknown]), at(40, list(0, U64(24), 1))]);
    ;
    any size:
    // Newer versions of the structures are longer.
    0xc000_64c3 => DRM_IOCTL_SYNCOBJ_WAIT: |size| with(size, SYNCOBJS);
    0xc000_64ca => DRM_IOCTL_SYNCOBJ_TIMELINE_WAIT: |size| with(size, SYNCOBJS_AT_POINTS);
    // struct spi_ioc_transfer, as many as the number's size holds.
    0x4000_6b00 => SPI_IOC_MESSAGE: |size| Memory(bytes(size), TRANSFERS);
}

/// struct drm_syncobj_wait, and drm_syncobj_timeline_wait.
const SYNCOBJS: Fields = &[at(0, list(0, U32(16), 4))];
const SYNCOBJS_AT_POINTS: Fields = &[at(0, list(0, U32(24), 4)), at(8, list(0, U32(24), 8))];

/// struct spi_ioc_transfer.
const TRANSFERS: Fields = &[Each(
    0,
    32,
    &[at(0, list(0, U32(16), 1)), at(8, list(0, U32(16), 1))],
)];

/// struct fb_cmap.
const COLOURS: Fields = &[
    at(8, list(0, U32(4), 2)),
    at(16, list(0, U32(4), 2)),
    at(24, list(0, U32(4), 2)),
    at(32, list(0, U32(4), 2)),
];

/// struct xfs_fsop_handlereq.
const HANDLE: Fields = &[
    string(8),
    Flags(16),
    at(24, list(0, U32(32), 1)),
    at(40, bytes(24)),
    at(48, bytes(4)),
];

/// struct nvme_passthru_cmd and nvme_passthru_cmd64.
const PASSED_THROUGH: Fields = &[at(16, list(0, U32(32), 1)), at(24, list(0, U32(36), 1))];

/// struct ipmi_recv: an address, and a message.
const IPMI_RECEIVED: Fields = &[at(8, list(0, U32(16), 1)), at(40, list(0, U16(34), 1))];

/// struct snd_ctl_elem_info of enumerated values: their names.
const ELEMENT_NAMES: Fields = &[If(U32(64), 3, &[at(152, list(0, U32(160), 1))])];

/// struct v4l2_buffer: planes of several kinds, or memory of the caller's.
const VIDEO_BUFFER: Fields = &[
    If(U32(4), 9, PLANES),
    If(U32(4), 10, PLANES),
    Unless(
        U32(4),
        9,
        &[Unless(
            U32(4),
            10,
            &[If(U32(60), 2, &[at(64, list(0, U32(72), 1))])],
        )],
    ),
];

/// struct v4l2_plane, whose memory is the caller's for V4L2_MEMORY_USERPTR alone.
const PLANES: Fields = &[
    If(
        U32(60),
        2,
        &[At(
            64,
            list(0, U32(72), 64),
            &[Each(0, 64, &[at(8, list(0, U32(4), 1))])],
        )],
    ),
    Unless(U32(60), 2, &[at(64, list(0, U32(72), 64))]),
];

/// struct v4l2_ext_controls, and struct v4l2_ext_control, which is packed: one of size 0 has no address.
const CONTROLS: Fields = &[At(
    24,
    list(0, U32(4), 20),
    &[Each(0, 20, &[Unless(U32(4), 0, &[at(12, list(0, U32(4), 1))])])],
)];

/// struct v4l2_format of an overlay: struct v4l2_clip, a list whose elements have addresses, and a bitmap.
const OVERLAY: Fields = &[If(U32(0), 3, OVERLAID), If(U32(0), 8, OVERLAID)];
const OVERLAID: Fields = &[At(32, list(0, U32(40), 24), &[Unknown]), at(48, bytes(1))];

/// struct drm_mode_crtc_lut.
const GAMMA: Fields = &[
    at(8, list(0, U32(4), 2)),
    at(16, list(0, U32(4), 2)),
    at(24, list(0, U32(4), 2)),
];

/// struct drm_syncobj_timeline_array.
const TIMELINES: Fields = &[at(0, list(0, U32(16), 4)), at(8, list(0, U32(16), 8))];
