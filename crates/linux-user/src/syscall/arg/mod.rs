//! The types of system call arguments: each decodes its registers, converts itself for the
//! host, guards the memory that the kernel will touch for it, and prints itself for
//! `-strace`. A row of the table is made of these.
//!
//! Invariant: a type that holds an address says what the kernel does there. Those of
//! [`memory`] have a size known from the row; those of [`nested`] point to further
//! addresses. [`Addr`] is for calls of our own that look for themselves, and for those that
//! touch no memory.

pub mod guard;
pub mod memory;
pub mod nested;
pub mod path;

pub use memory::*;
pub use nested::*;
pub use path::*;

use crate::strace::Printer;
use crate::task::Task;
use guard::HostArgs;
use guest::GuestAddr;
use guest_memory::access;
use linux_abi::{Errno, OpenFlags, flags};
use zerocopy::{FromBytes, Immutable, IntoBytes};

/// X0 to X5 of a call.
pub type Regs = [u64; 6];

/// One argument of a system call.
pub trait Arg: Copy {
    /// Whether the value is only there after the call, so that it prints with the result.
    const OUT: bool = false;

    /// Whether the register holds an address at which the kernel reads or writes.
    const ADDRESS: bool = false;

    /// Takes the argument from register `index` (buffers also read their length beside it).
    fn decode(regs: &Regs, index: usize) -> Self;

    /// The host's register for it.
    fn register(self) -> u64;

    /// With all registers of the call in place: sees to it that the kernel does not touch
    /// the emulator's memory for this argument, which is in register `at`.
    fn guard(self, at: usize, host: &mut HostArgs);

    /// After [`guard`](Arg::guard): puts another path in the register where the host's kernel would come to something
    /// else by the guest's.
    fn lead(self, _: &Task, _: usize, _: &mut HostArgs) {}

    fn show(self, out: &mut Printer);
}

/// Declares a wrapper of one register that prints itself as `$show` says.
macro_rules! plain {
    ($($(#[$doc:meta])* $name:ident($ty:ty) => |$value:ident, $out:ident| $show:expr;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Debug)]
        pub struct $name(pub $ty);
        impl Arg for $name {
            fn decode(regs: &Regs, index: usize) -> Self {
                $name(regs[index] as $ty)
            }
            fn register(self) -> u64 {
                self.0 as i64 as u64
            }
            fn guard(self, _: usize, _: &mut HostArgs) {}
            fn show(self, $out: &mut Printer) {
                let $value = self.0;
                $show;
            }
        }
    )*};
}

plain! {
    /// A signed int, in decimal.
    Int(i32) => |value, out| out.dec(i64::from(value));
    /// An unsigned int, in decimal.
    UInt(u32) => |value, out| out.dec(i64::from(value));
    /// A signed long, in decimal.
    Long(i64) => |value, out| out.dec(value);
    /// A byte or element count.
    Size(u64) => |value, out| out.dec(value as i64);
    /// A word best read in hexadecimal.
    Hex(u64) => |value, out| out.hex(value);
    /// Permission bits.
    Mode(u32) => |value, out| out.octal(u64::from(value));
    /// A process, thread or group identifier.
    Pid(i32) => |value, out| out.dec(i64::from(value));
    /// A user or group identifier; -1 leaves it as it is.
    Id(u32) => |value, out| out.dec(i64::from(value as i32));
    /// A file descriptor, or AT_FDCWD.
    Fd(i32) => |value, out| if value == flags::AT_FDCWD { out.text("AT_FDCWD") } else { out.dec(i64::from(value)) };
    /// How rt_sigprocmask changes the mask.
    SigHow(i32) => |value, out| out.names(flags::SIG_HOW, u64::from(value as u32));
    /// clone's flags, the exit signal in the low byte.
    CloneFlags(u64) => |value, out| out.clone_flags(value);
    /// A signal number.
    Signal(i32) => |value, out| out.signal(value);
    /// An ioctl request.
    Request(u64) => |value, out| out.ioctl(value);
}

/// A guest address that only a function of ours interprets: a range of the memory map, say.
/// The host's kernel gets it in calls that are refused, or that ignore it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Addr(pub GuestAddr);

impl Arg for Addr {
    fn decode(regs: &Regs, index: usize) -> Self {
        Addr(GuestAddr(regs[index]))
    }
    fn register(self) -> u64 {
        self.0.0
    }
    fn guard(self, _: usize, _: &mut HostArgs) {}
    fn show(self, out: &mut Printer) {
        out.pointer(self.0);
    }
}

/// Declares the wrapper of a word that holds one of several values, with their names.
macro_rules! named {
    ($($name:ident: $table:expr;)*) => {$(
        #[derive(Clone, Copy, PartialEq, Eq, Debug)]
        pub struct $name(pub u64);
        impl Arg for $name {
            fn decode(regs: &Regs, index: usize) -> Self {
                // Flag words are ints: the upper half is not part of them.
                $name(regs[index] & 0xffff_ffff)
            }
            fn register(self) -> u64 {
                self.0
            }
            fn guard(self, _: usize, _: &mut HostArgs) {}
            fn show(self, out: &mut Printer) {
                out.names($table, self.0);
            }
        }
    )*};
}

named! {
    Whence: flags::WHENCE;
    FcntlCmd: flags::FCNTL;
    Advice: flags::MADV;
    EpollOp: flags::EPOLL_OP;
    SocketFamily: flags::AF;
    ClockId: flags::CLOCK;
    Resource: flags::RLIMIT;
    IpcCmd: flags::IPC_CMD;
    SemCmd: flags::SEM_CMD;
    ShmCmd: flags::SHM_CMD;
}

pub use flags::{
    AccessMode, AtFlags, AttachFlags, FdFlags, FutexOp, IpcFlags, MapFlags, MemfdFlags, MountFlags, MsgFlags,
    Prot, RandomFlags, RemapFlags, RenameFlags, RwFlags, SocketType, SpliceFlags, SyncFlags, UnlinkFlags,
    WaitOptions,
};

/// Words of flags are arguments as they are.
macro_rules! sets {
    ($($set:ident),* $(,)?) => {$(
        impl Arg for $set {
            fn decode(regs: &Regs, index: usize) -> Self {
                // They are ints: the upper half is not part of them.
                $set::from_bits_retain(regs[index] & 0xffff_ffff)
            }
            fn register(self) -> u64 {
                self.bits()
            }
            fn guard(self, _: usize, _: &mut HostArgs) {}
            fn show(self, out: &mut Printer) {
                out.flags(self);
            }
        }
    )*};
}

sets! {
    AccessMode, AtFlags, UnlinkFlags, RenameFlags, Prot, MapFlags, RemapFlags, SyncFlags, FdFlags, SocketType, MsgFlags, MemfdFlags, MountFlags, RandomFlags, SpliceFlags, RwFlags, IpcFlags, AttachFlags, FutexOp, WaitOptions,
}

impl Arg for OpenFlags {
    fn decode(regs: &Regs, index: usize) -> Self {
        OpenFlags::from_bits_retain(regs[index] & 0xffff_ffff)
    }
    fn register(self) -> u64 {
        self.to_host()
    }
    fn guard(self, _: usize, _: &mut HostArgs) {}
    fn show(self, out: &mut Printer) {
        out.flags(self);
    }
}

/// Declares a pointer to something of its own way of printing: (where it prints) and (how).
macro_rules! shown {
    ($($(#[$doc:meta])* $name:ident, after: $after:literal, $size:literal, $show:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Debug)]
        pub struct $name(pub GuestAddr);
        impl Arg for $name {
            const OUT: bool = $after;
            const ADDRESS: bool = true;
            fn decode(regs: &Regs, index: usize) -> Self {
                $name(GuestAddr(regs[index]))
            }
            fn register(self) -> u64 {
                self.0.0
            }
            fn guard(self, at: usize, host: &mut HostArgs) {
                host.regs[at] = guard::passed(self.0.0, $size);
            }
            fn show(self, out: &mut Printer) {
                if self.0.is_null() || ($after && !matches!(out.result(), Some(Ok(_)))) {
                    return out.pointer(self.0);
                }
                out.$show(self.0);
            }
        }
    )*};
}

shown! {
    /// A signal set the call reads.
    SigSetIn, after: false, 8, signal_set;
    /// A signal set the call writes.
    SigSetOut, after: true, 8, signal_set;
    /// A struct sigaction the call reads.
    SigActIn, after: false, 32, signal_action;
    /// A struct sigaction the call writes.
    SigActOut, after: true, 32, signal_action;
}

/// A path or other NUL-terminated string in guest memory.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct GuestCStr(pub GuestAddr);

impl Arg for GuestCStr {
    const ADDRESS: bool = true;
    fn decode(regs: &Regs, index: usize) -> Self {
        GuestCStr(GuestAddr(regs[index]))
    }
    fn register(self) -> u64 {
        self.0.0
    }
    fn guard(self, at: usize, host: &mut HostArgs) {
        host.regs[at] = guard::passed(self.0.0, 1);
    }
    fn show(self, out: &mut Printer) {
        out.c_string(self.0);
    }
}

/// A NULL-terminated array of strings: argv, envp.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct CStrArray(pub GuestAddr);

impl Arg for CStrArray {
    const ADDRESS: bool = true;
    fn decode(regs: &Regs, index: usize) -> Self {
        CStrArray(GuestAddr(regs[index]))
    }
    fn register(self) -> u64 {
        self.0.0
    }
    fn guard(self, at: usize, host: &mut HostArgs) {
        host.regs[at] = guard::passed(self.0.0, 8);
    }
    fn show(self, out: &mut Printer) {
        out.c_string_array(self.0);
    }
}

/// A structure or value in guest memory that can be copied as bytes.
pub trait Guest: FromBytes + IntoBytes + Immutable + Copy {}
impl<T: FromBytes + IntoBytes + Immutable + Copy> Guest for T {}

/// Reads a value from guest memory.
///
/// # Errors
/// EFAULT, also for the emulator's own memory.
pub fn read<T: Guest>(addr: GuestAddr) -> Result<T, Errno> {
    let mut value = T::new_zeroed();
    read_bytes(addr, value.as_mut_bytes())?;
    Ok(value)
}

/// Writes a value to guest memory.
///
/// # Errors
/// EFAULT, also for the emulator's own memory.
pub fn write<T: Guest>(addr: GuestAddr, value: &T) -> Result<(), Errno> {
    write_bytes(addr, value.as_bytes())
}

/// Fills `buf` from guest memory.
///
/// # Errors
/// EFAULT, also for the emulator's own memory.
pub fn read_bytes(addr: GuestAddr, buf: &mut [u8]) -> Result<(), Errno> {
    guard::check(addr, buf.len() as u64)?;
    access::read(addr, buf).map_err(|_| Errno::EFAULT)
}

/// Copies `bytes` to guest memory.
///
/// # Errors
/// EFAULT, also for the emulator's own memory.
pub fn write_bytes(addr: GuestAddr, bytes: &[u8]) -> Result<(), Errno> {
    guard::check(addr, bytes.len() as u64)?;
    access::write(addr, bytes).map_err(|_| Errno::EFAULT)
}

/// Reads a NUL-terminated string of at most `max` bytes; `None` if it is longer.
///
/// # Errors
/// EFAULT, also for the emulator's own memory.
pub fn read_cstr(addr: GuestAddr, max: usize) -> Result<Option<Vec<u8>>, Errno> {
    guard::check(addr, 1)?;
    access::read_cstr(addr, max).map_err(|_| Errno::EFAULT)
}

/// How a value in memory prints.
pub trait Show {
    fn show(&self, out: &mut Printer);
}
