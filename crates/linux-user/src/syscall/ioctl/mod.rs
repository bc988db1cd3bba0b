//! ioctl(2): what a request's argument is, as far as its number or its name tells.
//!
//! Most requests tell direction and size by their number (asm-generic/ioctl.h). Older ones do
//! not: [`OLD`] has the usual ones, and of any other the first 256 bytes are looked at.
//! [`nested`] knows the requests of general use whose structures hold further addresses, or
//! are followed by arrays; drivers have more. [`layout`] has those whose structures differ.

mod layout;

use super::arg::guard::{nowhere, passed, touches_own};
use super::arg::{Fd, Hex, Request, read};
use crate::seccomp::notify::{self, SECCOMP_IOCTL_NOTIF_RECV, SECCOMP_IOCTL_NOTIF_SEND};
use crate::task::Task;
use guest::GuestAddr;
use linux_abi::nr::x86_64 as nr;
use linux_abi::{Errno, SysResult};

/// ioctl(2): requests are alike on both sides, and so are nearly all structures.
pub fn ioctl(task: &mut Task, fd: Fd, request: Request, arg: Hex) -> SysResult {
    // The kernel takes the request as 32 bits.
    let number = request.0 & 0xffff_ffff;
    if matches!(number, SECCOMP_IOCTL_NOTIF_RECV | SECCOMP_IOCTL_NOTIF_SEND) {
        return notify::ioctl(task, fd.0, number, arg.0);
    }
    let fd = fd.0 as i64 as u64;
    if let Some(row) = layout::row(number) {
        // SAFETY: the structure is a copy of ours, of the size that the kernel knows.
        return row.with_copy(arg.0, |copy| unsafe {
            task.interruptible(nr::ioctl, [fd, request.0, copy, 0, 0, 0])
        });
    }
    let pointer = match nested(number, arg.0) {
        Nested::Fine => passed(arg.0, size(number)),
        Nested::Own => nowhere(arg.0),
        Nested::Refused(errno) => return Err(errno),
    };
    // SAFETY: what the request says the kernel reads and writes is not the emulator's.
    unsafe { task.interruptible(nr::ioctl, [fd, request.0, pointer, 0, 0, 0]) }
}

/// The old requests' structures: number and size.
const OLD: &[(u64, u64)] = &[
    // Terminals: struct termios, struct termio, a character, ints, struct winsize.
    (0x5401, 36),
    (0x5402, 36),
    (0x5403, 36),
    (0x5404, 36),
    (0x5405, 18),
    (0x5406, 18),
    (0x5407, 18),
    (0x5408, 18),
    (0x540f, 4),
    (0x5410, 4),
    (0x5411, 4),
    (0x5412, 1),
    (0x5413, 8),
    (0x5414, 8),
    (0x5415, 4),
    (0x5416, 4),
    (0x5417, 4),
    (0x5418, 4),
    (0x5419, 4),
    (0x541a, 4),
    (0x541b, 4),
    (0x5420, 4),
    (0x5421, 4),
    (0x5423, 4),
    (0x5424, 4),
    (0x5429, 4),
    (0x5452, 4),
    (0x5460, 8),
    // Sockets: ints, times, struct ifconf, struct ifreq follows from the default.
    (0x8901, 4),
    (0x8902, 4),
    (0x8903, 4),
    (0x8904, 4),
    (0x8905, 4),
    (0x8906, 16),
    (0x8907, 16),
    (0x8912, 16),
    // FIBMAP, FIGETBSZ.
    (1, 4),
    (2, 4),
];

/// How many bytes the kernel touches at the argument, if it is an address.
fn size(request: u64) -> u64 {
    /// More than any structure of a request without a size that we know of.
    const UNKNOWN: u64 = 256;
    const DIRECTION: u64 = 3 << 30;
    let told = request >> 16 & 0x3fff;
    if request & DIRECTION != 0 && told != 0 {
        return told;
    }
    OLD.iter()
        .find(|&&(number, _)| number == request)
        .map_or(UNKNOWN, |&(_, size)| size)
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Nested {
    Fine,
    /// Some of it is the emulator's: the kernel is to find it unmapped.
    Own,
    Refused(Errno),
}

const SIOCGIFCONF: u64 = 0x8912;
const SIOCETHTOOL: u64 = 0x8946;
const SG_IO: u64 = 0x2285;
const FS_IOC_FIEMAP: u64 = 0xc020_660b;
const FIDEDUPERANGE: u64 = 0xc018_9436;
const UFFDIO_REGISTER: u64 = 0xc020_aa00;
const UFFDIO_UNREGISTER: u64 = 0x8010_aa01;
const UFFDIO_COPY: u64 = 0xc028_aa03;
const UFFDIO_MOVE: u64 = 0xc028_aa05;

fn nested(request: u64, arg: u64) -> Nested {
    let word = |offset: u64| read::<u64>(GuestAddr(arg.wrapping_add(offset))).unwrap_or(0);
    let half = |offset: u64| u64::from(read::<u32>(GuestAddr(arg.wrapping_add(offset))).unwrap_or(0));
    let own = |touches: bool| if touches { Nested::Own } else { Nested::Fine };
    match request {
        // struct ifconf: the list's size and address.
        SIOCGIFCONF => own(touches_own(word(8), half(0))),
        // struct ifreq: the address of a structure of ethtool's.
        SIOCETHTOOL => own(touches_own(word(16), guest::PAGE_SIZE)),
        // struct sg_io_hdr: data (or an array of iovec), command, sense data.
        SG_IO => {
            let iovec_count = half(8) >> 16;
            let sense_len = half(8) >> 8 & 0xff;
            let command_len = half(8) & 0xff;
            let data = if iovec_count == 0 {
                touches_own(word(16), half(12))
            } else {
                crate::syscall::arg::iovecs_touch_own(word(16), iovec_count)
            };
            own(data || touches_own(word(24), command_len) || touches_own(word(32), sense_len))
        }
        // struct fiemap and struct file_dedupe_range: arrays follow.
        FS_IOC_FIEMAP => own(touches_own(arg, 32 + half(24) * 56)),
        FIDEDUPERANGE => own(touches_own(arg, 24 + (half(16) & 0xffff) * 32)),
        // A range begins both. Ours cannot be registered, as what is not mapped cannot; the other
        // requests find it unregistered then.
        UFFDIO_REGISTER | UFFDIO_UNREGISTER => refused(touches_own(word(0), word(8)), Errno::EINVAL),
        // Destination, source, length.
        UFFDIO_COPY => refused(touches_own(word(8), word(16)), Errno::EFAULT),
        UFFDIO_MOVE => refused(touches_own(word(8), word(16)), Errno::EINVAL),
        _ => Nested::Fine,
    }
}

fn refused(touches: bool, errno: Errno) -> Nested {
    if touches {
        Nested::Refused(errno)
    } else {
        Nested::Fine
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::syscall::arg::guard::{before_own, guest_copy};

    #[test]
    fn sizes_come_from_the_number_or_the_list() {
        const TCGETS: u64 = 0x5401;
        const TIOCGPTN: u64 = 0x8004_5430;
        assert_eq!(size(TCGETS), 36);
        assert_eq!(size(TIOCGPTN), 4);
        assert_eq!(size(FS_IOC_FIEMAP), 32);
        assert_eq!(size(0x4b46), 256);
    }

    #[test]
    fn structures_are_followed_to_the_emulators_memory() {
        let page = before_own() + 4096;
        let fine = [4096_u64, page - 4096];
        let bad = [4096_u64, page + 8];
        assert_eq!(nested(SIOCGIFCONF, guest_copy(&fine).0), Nested::Fine);
        assert_eq!(nested(SIOCGIFCONF, guest_copy(&bad).0), Nested::Own);
        let register = [page, 4096_u64, 1, 0];
        let refused = Nested::Refused(Errno::EINVAL);
        assert_eq!(nested(UFFDIO_REGISTER, guest_copy(&register).0), refused);
        let copy = [page - 4096, page, 4096_u64, 0, 0];
        assert_eq!(
            nested(UFFDIO_COPY, guest_copy(&copy).0),
            Nested::Refused(Errno::EFAULT)
        );
    }
}
