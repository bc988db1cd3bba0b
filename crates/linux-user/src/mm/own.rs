//! The emulator's own memory ([`host_memory::own`]), so that system calls do not hand it to the kernel as the guest's.

use linux_abi::Errno;

pub use host_memory::own::overlaps;

/// For pointers given to the host kernel unread.
///
/// # Errors
/// EFAULT when the bytes are the emulator's: to the guest nothing is mapped there.
#[inline]
pub fn check(addr: u64, len: u64) -> Result<(), Errno> {
    if overlaps(addr, len) {
        Err(Errno::EFAULT)
    } else {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use host_memory::{Access, Mapping};

    #[test]
    fn own_memory_is_refused() {
        let mapping = Mapping::new(0x2000, Access::ReadWrite).expect("memory");
        let addr = mapping.address();
        assert_eq!(check(addr, 2), Err(Errno::EFAULT));
        assert_eq!(check(addr + 0x1fff, u64::MAX), Err(Errno::EFAULT));
        assert_eq!(check(addr, 0), Ok(()));
        assert_eq!(check(0x1_0000, 1), Ok(()));
    }
}
