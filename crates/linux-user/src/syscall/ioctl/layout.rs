//! Requests whose structure the two architectures lay out differently: __kernel_old_dev_t, which is unsigned int on arm64
//! (asm-generic/posix_types.h), is unsigned long on x86-64 (asm/posix_types_64.h).

use crate::syscall::arg::guard::nowhere;
use crate::syscall::arg::{read_bytes, write_bytes};
use guest::GuestAddr;
use linux_abi::{Errno, SysResult};

/// Which way the kernel copies the structure.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Direction {
    /// It reads it.
    In,
    /// It writes it, whole, with zeros between the members.
    Out,
}

/// A member, or several that stand beside each other on both sides: offsets and sizes in bytes. What is wider on one side
/// is an unsigned number.
#[derive(Clone, Copy, Debug)]
struct Member {
    guest: usize,
    guest_size: usize,
    host: usize,
    host_size: usize,
}

/// A structure, with its sizes in bytes.
#[derive(Debug)]
pub struct Layout {
    guest_size: usize,
    host_size: usize,
    members: &'static [Member],
}

/// No structure of a row is longer, on either side.
const MOST: usize = 168;

const fn same(guest: usize, host: usize, size: usize) -> Member {
    Member {
        guest,
        guest_size: size,
        host,
        host_size: size,
    }
}

const fn old_dev_t(guest: usize, host: usize) -> Member {
    Member {
        guest,
        guest_size: 4,
        host,
        host_size: 8,
    }
}

/// struct loop_info (linux/loop.h).
pub static LOOP_INFO: Layout = Layout {
    guest_size: 160,
    host_size: 168,
    members: &[
        // lo_number
        same(0, 0, 4),
        // lo_device
        old_dev_t(4, 8),
        // lo_inode
        same(8, 16, 8),
        // lo_rdevice
        old_dev_t(16, 24),
        // lo_offset, lo_encrypt_type, lo_encrypt_key_size, lo_flags, lo_name, lo_encrypt_key
        same(20, 32, 112),
        // lo_init, reserved
        same(136, 144, 20),
    ],
};

impl Layout {
    /// Makes the call, which gets the address of a structure of the host's, for the guest's structure at `arg`.
    ///
    /// # Errors
    /// The call's; EFAULT; EOVERFLOW for a number that the guest's member cannot hold (loop_info64_to_old).
    pub fn with_copy(
        &self,
        direction: Direction,
        arg: u64,
        call: impl FnOnce(u64) -> SysResult,
    ) -> SysResult {
        let (mut guest, mut host) = ([0_u8; MOST], [0_u8; MOST]);
        let (guest, host) = (&mut guest[..self.guest_size], &mut host[..self.host_size]);
        if direction == Direction::In {
            if read_bytes(GuestAddr(arg), guest).is_err() {
                // Whether the request is one of this file's, the kernel says first.
                return call(nowhere(arg));
            }
            self.to_host(guest, host);
        }
        let result = call(host.as_mut_ptr() as u64)?;
        if direction == Direction::Out {
            self.to_guest(host, guest)?;
            write_bytes(GuestAddr(arg), guest)?;
        }
        Ok(result)
    }

    fn to_host(&self, guest: &[u8], host: &mut [u8]) {
        for member in self.members {
            let size = member.guest_size.min(member.host_size);
            host[member.host..][..size].copy_from_slice(&guest[member.guest..][..size]);
        }
    }

    /// # Errors
    /// EOVERFLOW.
    fn to_guest(&self, host: &[u8], guest: &mut [u8]) -> Result<(), Errno> {
        for member in self.members {
            let from = &host[member.host..][..member.host_size];
            let (low, high) = from.split_at(member.guest_size.min(member.host_size));
            if high.iter().any(|&byte| byte != 0) {
                return Err(Errno::EOVERFLOW);
            }
            guest[member.guest..][..low.len()].copy_from_slice(low);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::syscall::arg::guard::{before_own, guest_copy};
    use crate::syscall::arg::read;

    /// Bytes that tell their offsets.
    fn numbered(size: usize) -> Vec<u8> {
        (0..size).map(|at| at as u8 + 1).collect()
    }

    #[test]
    fn members_fill_their_structures_in_order() {
        let layout = &LOOP_INFO;
        let (mut guest, mut host) = (0, 0);
        for member in layout.members {
            // Between members is what aligns the next one.
            assert!(member.guest >= guest && member.guest < guest + 8);
            assert!(member.host >= host && member.host < host + 8);
            guest = member.guest + member.guest_size;
            host = member.host + member.host_size;
        }
        assert!(guest.next_multiple_of(8) == layout.guest_size && layout.guest_size <= MOST);
        assert!(host.next_multiple_of(8) == layout.host_size && layout.host_size <= MOST);
    }

    /// Offsets of both sides' struct loop_info, as their compilers give them, of: lo_number, lo_device, lo_inode,
    /// lo_rdevice, lo_offset, lo_flags, lo_name, lo_encrypt_key, lo_init, reserved.
    const OFFSETS: [(usize, usize); 10] = [
        (0, 0),
        (4, 8),
        (8, 16),
        (16, 24),
        (20, 32),
        (32, 44),
        (36, 48),
        (100, 112),
        (136, 144),
        (152, 160),
    ];

    #[test]
    fn members_have_the_compilers_offsets() {
        let guest = numbered(LOOP_INFO.guest_size);
        let mut host = [0; MOST];
        LOOP_INFO.to_host(&guest, &mut host);
        for (of_guest, of_host) in OFFSETS {
            assert_eq!(host[of_host], guest[of_guest], "offset {of_guest}");
        }
        let mut back = vec![0; guest.len()];
        assert_eq!(LOOP_INFO.to_guest(&host, &mut back), Ok(()));
        for (of_guest, _) in OFFSETS {
            assert_eq!(back[of_guest..][..4], guest[of_guest..][..4]);
        }
        // The upper half of lo_device.
        host[12] = 1;
        assert_eq!(LOOP_INFO.to_guest(&host, &mut back), Err(Errno::EOVERFLOW));
    }

    #[test]
    fn the_structure_is_copied_the_way_the_request_says() {
        const NAME: i64 = 36;
        let made = |direction, arg: GuestAddr, fill: u8| {
            let mut seen = 0;
            let result = LOOP_INFO.with_copy(direction, arg.0, |at| {
                let name = (at + 48) as *mut u8;
                // SAFETY: with_copy gives a structure of the host's, in which this is lo_name.
                unsafe {
                    seen = name.read();
                    if fill != 0 {
                        name.write(fill);
                    }
                }
                Ok(0)
            });
            (result, seen)
        };
        let structure = guest_copy(numbered(LOOP_INFO.guest_size).as_slice());
        assert_eq!(made(Direction::In, structure, 0), (Ok(0), NAME as u8 + 1));
        assert_eq!(read::<u8>(structure.offset(NAME)), Ok(NAME as u8 + 1));
        assert_eq!(made(Direction::Out, structure, 77), (Ok(0), 0));
        assert_eq!(read::<u8>(structure.offset(NAME)), Ok(77));
        let own = GuestAddr(before_own() + 4096);
        assert_eq!(made(Direction::Out, own, 77), (Err(Errno::EFAULT), 0));
        let refused = LOOP_INFO.with_copy(Direction::In, own.0, |_| Err(Errno::ENOTTY));
        assert_eq!(refused, Err(Errno::ENOTTY));
    }
}
