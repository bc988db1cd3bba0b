//! ioctl(2): requests and structures are alike on both architectures but for those that [`table`] knows.
//!
//! A request has a [`Shape`], from its row or from what its number tells of direction and size (asm-generic/ioctl.h).
//! [`layout`] converts the structures whose members stand elsewhere.

mod layout;
mod shape;
pub mod table;
#[cfg(test)]
mod tests;

use super::arg::guard::{passed, strip};
use super::arg::{Fd, Hex, Request, write_bytes};
use crate::seccomp::notify::{self, SECCOMP_IOCTL_NOTIF_RECV, SECCOMP_IOCTL_NOTIF_SEND};
use crate::task::Task;
use guest::GuestAddr;
use linux_abi::nr::x86_64 as nr;
use linux_abi::{OpenFlags, SysResult};
use shape::{Copies, Field, Fields, Shape, Size, plain, with};

/// ioctl(2).
pub fn ioctl(task: &mut Task, fd: Fd, request: Request, arg: Hex) -> SysResult {
    // The kernel takes the request as 32 bits.
    let number = request.0 as u32;
    if matches!(
        u64::from(number),
        SECCOMP_IOCTL_NOTIF_RECV | SECCOMP_IOCTL_NOTIF_SEND
    ) {
        return notify::ioctl(task, fd.0, u64::from(number), arg.0);
    }
    let mut call = |arg: u64| {
        let args = [fd.0 as i64 as u64, request.0, arg, 0, 0, 0];
        // SAFETY: what the request's shape says the kernel reads and writes is not the emulator's, or a copy made for it.
        unsafe { task.interruptible(nr::ioctl, args) }
    };
    match table::shape(number).unwrap_or_else(|| told(number)) {
        Shape::Value => call(arg.0),
        Shape::OpenFlags => call(OpenFlags::from_bits_retain(arg.0).to_host()),
        Shape::Memory(size, []) => call(passed(arg.0, size.at(arg.0))),
        Shape::Memory(size, fields) => with_copies(arg.0, size, fields, call),
        Shape::Kept(size, fields) => in_place(arg.0, size, fields, call),
        Shape::Laid(direction, layout) => layout.with_copy(direction, arg.0, call),
        Shape::Refused(errno) => Err(errno),
    }
}

/// The shape that a number tells. (Which way the kernel copies it does not tell: some drivers' have it wrong.)
fn told(request: u32) -> Shape {
    /// More than any structure of a request without a size that we know of.
    const UNKNOWN: u32 = 256;
    const DIRECTION: u32 = 3 << 30;
    match (request & DIRECTION, request >> 16 & 0x3fff) {
        (0, _) | (_, 0) => plain(UNKNOWN),
        (_, size @ 1..8) => plain(size),
        (_, size) => with(size, &[Field::Unknown]),
    }
}

fn with_copies(arg: u64, size: Size, fields: Fields, call: impl FnOnce(u64) -> SysResult) -> SysResult {
    let mut copies = Copies::default();
    let passed = copies.guarded(arg, size.at(arg), fields);
    let result = call(passed);
    copies.give_back()?;
    result
}

/// The guest's structure is changed for the length of the call.
fn in_place(arg: u64, size: Size, fields: Fields, call: impl FnOnce(u64) -> SysResult) -> SysResult {
    let mut copies = Copies::default();
    let len = size.at(arg);
    match copies.changed(arg, len, fields) {
        Some((before, after)) if before != after => {
            write_bytes(GuestAddr(arg), &after)?;
            let result = call(strip(arg));
            write_bytes(GuestAddr(arg), &before)?;
            result
        }
        Some(_) | None => call(passed(arg, len)),
    }
}
