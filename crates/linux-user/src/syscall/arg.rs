//! The types of system call arguments: each decodes its registers, converts itself for the
//! host, and prints itself for `-strace`. A row of the table is made of these.

use crate::mm::own;
use crate::strace::Printer;
use guest::GuestAddr;
use guest_memory::access;
use linux_abi::layout::Iovec;
use linux_abi::{Errno, OpenFlags, flags};
use std::marker::PhantomData;
use zerocopy::{FromBytes, Immutable, IntoBytes};

/// X0 to X5 of a call.
pub type Regs = [u64; 6];

/// One argument of a system call.
pub trait Arg: Copy {
    /// Whether the value is only there after the call, so that it prints with the result.
    const OUT: bool = false;

    /// Takes the argument from register `index` (buffers also read their length beside it).
    fn decode(regs: &Regs, index: usize) -> Self;

    /// The host's register for it. What the kernel only reads needs no check: the guest could
    /// read it itself.
    ///
    /// # Errors
    /// EFAULT where the kernel would write into the emulator's own memory.
    fn to_host(self) -> Result<u64, Errno>;

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
            fn to_host(self) -> Result<u64, Errno> {
                Ok(self.0 as i64 as u64)
            }
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

impl Fd {
    #[must_use]
    pub fn register(self) -> u64 {
        self.0 as i64 as u64
    }
}

/// A guest address that only the callee interprets: a range of the memory map, say.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Addr(pub GuestAddr);

impl Arg for Addr {
    fn decode(regs: &Regs, index: usize) -> Self {
        Addr(GuestAddr(regs[index]))
    }
    fn to_host(self) -> Result<u64, Errno> {
        Ok(self.0.0)
    }
    fn show(self, out: &mut Printer) {
        out.pointer(self.0);
    }
}

/// A pointer to something whose size the kernel alone knows.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Ptr(pub GuestAddr);

impl Arg for Ptr {
    fn decode(regs: &Regs, index: usize) -> Self {
        Ptr(GuestAddr(regs[index]))
    }
    fn to_host(self) -> Result<u64, Errno> {
        own::check(self.0.0, 1)?;
        Ok(self.0.0)
    }
    fn show(self, out: &mut Printer) {
        out.pointer(self.0);
    }
}

/// Declares the wrapper of a flag or value word with its names.
macro_rules! named {
    ($($name:ident: $table:expr;)*) => {$(
        #[derive(Clone, Copy, PartialEq, Eq, Debug)]
        pub struct $name(pub u64);
        impl $name {
            #[must_use]
            pub fn has(self, flag: u64) -> bool {
                self.0 & flag != 0
            }
        }
        impl Arg for $name {
            fn decode(regs: &Regs, index: usize) -> Self {
                // Flag words are ints: the upper half is not part of them.
                $name(regs[index] & 0xffff_ffff)
            }
            fn to_host(self) -> Result<u64, Errno> {
                Ok(self.0)
            }
            fn show(self, out: &mut Printer) {
                out.names($table, self.0);
            }
        }
    )*};
}

named! {
    AccessMode: flags::ACCESS;
    AtFlags: flags::AT;
    UnlinkFlags: flags::UNLINK;
    RenameFlags: flags::RENAME;
    Whence: flags::WHENCE;
    FcntlCmd: flags::FCNTL;
    Prot: flags::PROT;
    MapFlags: flags::MAP;
    RemapFlags: flags::MREMAP;
    SyncFlags: flags::MSYNC;
    Advice: flags::MADV;
    EpollOp: flags::EPOLL_OP;
    FdFlags: flags::FD;
    SocketFamily: flags::AF;
    SocketType: flags::SOCK;
    MsgFlags: flags::MSG;
    ClockId: flags::CLOCK;
    Resource: flags::RLIMIT;
    MemfdFlags: flags::MFD;
    MountFlags: flags::MOUNT;
    RandomFlags: flags::GRND;
    SpliceFlags: flags::SPLICE;
    RwFlags: flags::RWF;
    IpcFlags: flags::IPC;
    IpcCmd: flags::IPC_CMD;
    SemCmd: flags::SEM_CMD;
    ShmCmd: flags::SHM_CMD;
    AttachFlags: flags::SHMAT;
    FutexOp: flags::FUTEX;
    WaitOptions: flags::WAIT;
}

impl Arg for OpenFlags {
    fn decode(regs: &Regs, index: usize) -> Self {
        OpenFlags(regs[index] & 0xffff_ffff)
    }
    fn to_host(self) -> Result<u64, Errno> {
        Ok(OpenFlags::to_host(self))
    }
    fn show(self, out: &mut Printer) {
        out.open_flags(self);
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
            fn decode(regs: &Regs, index: usize) -> Self {
                $name(GuestAddr(regs[index]))
            }
            fn to_host(self) -> Result<u64, Errno> {
                if $after {
                    own::check(self.0.0, $size)?;
                }
                Ok(self.0.0)
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
    fn decode(regs: &Regs, index: usize) -> Self {
        GuestCStr(GuestAddr(regs[index]))
    }
    fn to_host(self) -> Result<u64, Errno> {
        Ok(self.0.0)
    }
    fn show(self, out: &mut Printer) {
        out.c_string(self.0);
    }
}

/// A NULL-terminated array of strings: argv, envp.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct CStrArray(pub GuestAddr);

impl Arg for CStrArray {
    fn decode(regs: &Regs, index: usize) -> Self {
        CStrArray(GuestAddr(regs[index]))
    }
    fn to_host(self) -> Result<u64, Errno> {
        Ok(self.0.0)
    }
    fn show(self, out: &mut Printer) {
        out.c_string_array(self.0);
    }
}

/// Bytes the call reads; the length is the next register.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct InBuf {
    pub addr: GuestAddr,
    pub len: u64,
}

impl Arg for InBuf {
    fn decode(regs: &Regs, index: usize) -> Self {
        InBuf {
            addr: GuestAddr(regs[index]),
            len: regs.get(index + 1).copied().unwrap_or(0),
        }
    }
    fn to_host(self) -> Result<u64, Errno> {
        Ok(self.addr.0)
    }
    fn show(self, out: &mut Printer) {
        out.bytes(self.addr, self.len);
    }
}

/// Bytes the call writes; the length is the next register, the result says how many.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct OutBuf {
    pub addr: GuestAddr,
    pub len: u64,
}

impl Arg for OutBuf {
    const OUT: bool = true;

    fn decode(regs: &Regs, index: usize) -> Self {
        OutBuf {
            addr: GuestAddr(regs[index]),
            len: regs.get(index + 1).copied().unwrap_or(0),
        }
    }
    fn to_host(self) -> Result<u64, Errno> {
        own::check(self.addr.0, self.len)?;
        Ok(self.addr.0)
    }
    fn show(self, out: &mut Printer) {
        match out.result() {
            Some(Ok(count)) => out.bytes(self.addr, count.min(self.len)),
            Some(Err(_)) | None => out.pointer(self.addr),
        }
    }
}

/// An array of iovec whose bytes the call reads; the count is the next register.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Iov {
    pub addr: GuestAddr,
    pub count: u64,
}

/// UIO_MAXIOV: the kernel refuses longer arrays.
pub const IOV_MAX: u64 = 1024;

impl Iov {
    /// The elements, as far as they can be read; none where the kernel refuses the count.
    pub fn entries(self) -> impl Iterator<Item = Iovec> {
        let count = if self.count > IOV_MAX { 0 } else { self.count };
        (0..count).map_while(move |index| read::<Iovec>(self.addr.offset((index * 16) as i64)).ok())
    }
}

impl Arg for Iov {
    fn decode(regs: &Regs, index: usize) -> Self {
        Iov {
            addr: GuestAddr(regs[index]),
            count: regs.get(index + 1).copied().unwrap_or(0),
        }
    }
    fn to_host(self) -> Result<u64, Errno> {
        Ok(self.addr.0)
    }
    fn show(self, out: &mut Printer) {
        out.iovecs(self, u64::MAX);
    }
}

/// An array of iovec whose bytes the call writes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct IovOut(pub Iov);

impl Arg for IovOut {
    const OUT: bool = true;

    fn decode(regs: &Regs, index: usize) -> Self {
        IovOut(Iov::decode(regs, index))
    }
    fn to_host(self) -> Result<u64, Errno> {
        for entry in self.0.entries() {
            own::check(entry.iov_base, entry.iov_len)?;
        }
        Ok(self.0.addr.0)
    }
    fn show(self, out: &mut Printer) {
        match out.result() {
            Some(Ok(count)) => out.iovecs(self.0, count),
            Some(Err(_)) | None => out.pointer(self.0.addr),
        }
    }
}

/// A structure or value in guest memory that can be copied as bytes.
pub trait Guest: FromBytes + IntoBytes + Immutable + Copy {}
impl<T: FromBytes + IntoBytes + Immutable + Copy> Guest for T {}

/// Reads a value from guest memory.
///
/// # Errors
/// EFAULT.
pub fn read<T: Guest>(addr: GuestAddr) -> Result<T, Errno> {
    let mut value = T::new_zeroed();
    access::read(addr, value.as_mut_bytes()).map_err(|_| Errno::EFAULT)?;
    Ok(value)
}

/// Writes a value to guest memory.
///
/// # Errors
/// EFAULT, also for the emulator's own memory.
pub fn write<T: Guest>(addr: GuestAddr, value: &T) -> Result<(), Errno> {
    own::check(addr.0, size_of::<T>() as u64)?;
    access::write(addr, value.as_bytes()).map_err(|_| Errno::EFAULT)
}

/// Declares a typed pointer: what it points to is checked and printed by its type.
macro_rules! pointers {
    ($($(#[$doc:meta])* $name:ident, printed_after: $out:literal, written: $written:literal;)*) => {$(
        $(#[$doc])*
        #[derive(Debug)]
        pub struct $name<T>(pub GuestAddr, PhantomData<T>);
        impl<T> Clone for $name<T> {
            fn clone(&self) -> Self {
                *self
            }
        }
        impl<T> Copy for $name<T> {}
        impl<T> $name<T> {
            #[must_use]
            pub fn new(addr: GuestAddr) -> Self {
                $name(addr, PhantomData)
            }
            #[must_use]
            pub fn is_null(self) -> bool {
                self.0.is_null()
            }
        }
        impl<T: Show + Guest> Arg for $name<T> {
            const OUT: bool = $out;
            fn decode(regs: &Regs, index: usize) -> Self {
                $name::new(GuestAddr(regs[index]))
            }
            fn to_host(self) -> Result<u64, Errno> {
                if $written {
                    own::check(self.0.0, size_of::<T>() as u64)?;
                }
                Ok(self.0.0)
            }
            fn show(self, out: &mut Printer) {
                if self.0.is_null() || ($out && !matches!(out.result(), Some(Ok(_)))) {
                    return out.pointer(self.0);
                }
                match read::<T>(self.0) {
                    Ok(value) => value.show(out),
                    Err(_) => out.pointer(self.0),
                }
            }
        }
    )*};
}

pointers! {
    /// A structure the call reads.
    In, printed_after: false, written: false;
    /// A structure the call writes.
    Out, printed_after: true, written: true;
    /// A structure the call reads and writes; printed as it was before.
    InOut, printed_after: false, written: true;
}

impl<T: Guest> In<T> {
    /// # Errors
    /// EFAULT.
    pub fn read(self) -> Result<T, Errno> {
        read(self.0)
    }
}

impl<T: Guest> Out<T> {
    /// # Errors
    /// EFAULT.
    pub fn write(self, value: &T) -> Result<(), Errno> {
        write(self.0, value)
    }
}

impl<T: Guest> InOut<T> {
    /// # Errors
    /// EFAULT.
    pub fn read(self) -> Result<T, Errno> {
        read(self.0)
    }

    /// # Errors
    /// EFAULT.
    pub fn write(self, value: &T) -> Result<(), Errno> {
        write(self.0, value)
    }
}

/// How a value in memory prints.
pub trait Show {
    fn show(&self, out: &mut Printer);
}
