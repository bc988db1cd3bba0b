//! Paths that the kernel follows to their end: behind a link of /proc that means a guest's program (as /proc/self/exe
//! does) the host's kernel would come to the emulator, so that it gets the program's own path.
//!
//! The register that says whether a last symbolic link is followed, and the bits there, stand in the row.

use super::guard::{HostArgs, passed};
use super::{Arg, GuestCStr, Regs};
use crate::proc;
use crate::strace::Printer;
use crate::syscall::path;
use crate::task::Task;
use guest::GuestAddr;
use linux_abi::flags;
use std::marker::PhantomData;

/// When a call follows a last symbolic link.
pub trait Follows: Copy {
    fn follows(regs: &Regs) -> bool;
}

/// In every call.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Always;

/// If one of these bits is set in register `REG`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct If<const REG: usize, const BITS: u64>;

/// Unless one of these bits is set in register `REG`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Unless<const REG: usize, const BITS: u64>;

impl Follows for Always {
    fn follows(_: &Regs) -> bool {
        true
    }
}

impl<const REG: usize, const BITS: u64> Follows for If<REG, BITS> {
    fn follows(regs: &Regs) -> bool {
        regs[REG] & BITS != 0
    }
}

impl<const REG: usize, const BITS: u64> Follows for Unless<REG, BITS> {
    fn follows(regs: &Regs) -> bool {
        regs[REG] & BITS == 0
    }
}

/// Declares a path and where it starts: the directory's descriptor, of the register and of its place.
macro_rules! paths {
    ($($(#[$doc:meta])* $name:ident: |$regs:ident, $at:ident| $dirfd:expr;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Debug)]
        pub struct $name<F>(pub GuestAddr, PhantomData<F>);
        impl<F: Follows> Arg for $name<F> {
            const ADDRESS: bool = true;
            fn decode(regs: &Regs, index: usize) -> Self {
                $name(GuestAddr(regs[index]), PhantomData)
            }
            fn register(self) -> u64 {
                self.0.0
            }
            fn guard(self, at: usize, host: &mut HostArgs) {
                host.regs[at] = passed(self.0.0, 1);
            }
            fn lead(self, task: &Task, $at: usize, host: &mut HostArgs) {
                if F::follows(&host.regs) {
                    let $regs = &host.regs;
                    if let Some(program) = program(task, $dirfd, self.0) {
                        host.regs[$at] = host.keep(program);
                    }
                }
            }
            fn show(self, out: &mut Printer) {
                out.c_string(self.0);
            }
        }
    )*};
}

paths! {
    /// One that starts at the working directory.
    Path: |_regs, at| flags::AT_FDCWD as i64 as u64;
    /// One that starts at the directory whose descriptor is in the register before.
    PathAt: |regs, at| regs[at - 1];
}

/// The path of the guest's program that this path leads to by a link of /proc, in words.
fn program(task: &Task, dirfd: u64, path: GuestAddr) -> Option<Vec<u64>> {
    let target = path::special(dirfd, GuestCStr(path), 0, |at, file| {
        proc::program(task, at, file)
    })?;
    Some(super::words(&target[..]))
}
