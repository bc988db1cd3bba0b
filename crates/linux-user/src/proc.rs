//! Files of /proc that tell of the guest where the host's would tell of the emulator.

use crate::task::Task;
use linux_abi::{OpenFlags, SysResult};

/// Opens a file of /proc whose contents are the guest's; `None` leaves it to the host.
pub fn open_special(_: &Task, _path: &[u8], _flags: OpenFlags) -> Option<SysResult> {
    None
}

/// The target of a link of /proc that must lead to the guest's file.
pub fn readlink_special(_: &Task, _path: &[u8]) -> Option<Vec<u8>> {
    None
}
