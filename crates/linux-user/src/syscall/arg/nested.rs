//! Arguments whose memory holds further addresses, or whose size stands in memory or
//! depends on another argument.
//!
//! What is nested is looked at where it is; only where something has to be replaced is it
//! copied. Another thread of the guest could change it between the look and the kernel's:
//! this guards against accidents, as all of `own` does.

use super::guard::{self, HostArgs, nowhere, passed, touches_own};
use super::{Arg, In, Regs, read};
use crate::host;
use crate::strace::Printer;
use guest::{GuestAddr, PAGE_SIZE};
use guest_memory::access;
use linux_abi::layout::{Iovec, Msghdr, Sigevent};
use linux_abi::nr::x86_64 as nr;
use zerocopy::IntoBytes;

/// Declares arguments of one register that print as an address, or as `$show` says.
macro_rules! nested {
    ($($(#[$doc:meta])* $name:ident $(<$(const $param:ident: $kind:ty),+>)?, $show:ident:
        |$value:ident, $at:ident, $host:ident| $guard:expr;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Debug)]
        pub struct $name $(<$(const $param: $kind),+>)? (pub GuestAddr);
        impl $(<$(const $param: $kind),+>)? Arg for $name $(<$($param),+>)? {
            const ADDRESS: bool = true;
            fn decode(regs: &Regs, index: usize) -> Self {
                $name(GuestAddr(regs[index]))
            }
            fn register(self) -> u64 {
                self.0.0
            }
            fn guard(self, $at: usize, $host: &mut HostArgs) {
                let $value = self.0.0;
                $guard;
            }
            fn show(self, out: &mut Printer) {
                nested!(@$show self, out);
            }
        }
    )*};
    (@pointer $self:ident, $out:ident) => { $out.pointer($self.0) };
    (@hex $self:ident, $out:ident) => { $out.hex($self.0.0) };
    (@event $self:ident, $out:ident) => { In::<Sigevent>::new($self.0).show($out) };
}

nested! {
    /// futex's fourth argument: a timeout for the operations that wait, a number for others.
    FutexTimeout, hex: |addr, at, host| {
        /// FUTEX_WAIT, LOCK_PI, WAIT_BITSET, WAIT_REQUEUE_PI, LOCK_PI2.
        const WAITING: [u64; 5] = [0, 6, 9, 11, 13];
        if WAITING.contains(&(host.regs[1] & 0x7f)) {
            host.regs[at] = passed(addr, 16);
        }
    };

    /// io_submit's array of pointers to struct iocb; their number is in register 1.
    Iocbs, pointer: |addr, at, host| iocbs(addr, at, host);

    /// An array of struct mmsghdr, their number in register 2.
    Messages, pointer: |addr, at, host| messages(addr, at, host);

    /// Memory whose size is in the u32 that register `LEN` points to, of which the call
    /// writes `MAX` bytes at most.
    WritesSized<const LEN: usize, const MAX: u64>, pointer: |addr, at, host| {
        if touches_own(addr, MAX) {
            let size = read::<u32>(GuestAddr(host.regs[LEN])).unwrap_or(u32::MAX);
            host.regs[at] = passed(addr, u64::from(size).min(MAX));
        }
    };

    /// setsockopt's value: level and name are in registers 1 and 2, the length in 4.
    OptionIn, pointer: |addr, at, host| {
        option(addr, at, host);
    };

    /// getsockopt's value: its size is in the u32 that register 4 points to.
    OptionOut, pointer: |addr, at, host| {
        const TCP_ZEROCOPY_RECEIVE: (u64, u64) = (6, 35);
        let size = read::<u32>(GuestAddr(host.regs[4])).unwrap_or(0);
        // struct tcp_zerocopy_receive: copybuf_address and copybuf_len, then the control buffer's.
        let nested = (host.regs[1], host.regs[2]) == TCP_ZEROCOPY_RECEIVE
            && (pair_touches_own(addr, 24, 32) || pair_touches_own(addr, 40, 48));
        host.regs[at] = if nested { nowhere(addr) } else { passed(addr, u64::from(size)) };
    };

    /// A structure whose first version is of a page at most and that has its own size, a
    /// u32, at `OFFSET`; the kernel writes its size there where it does not know the guest's.
    SelfSized<const OFFSET: u64>, pointer: |addr, at, host| {
        if touches_own(addr, PAGE_SIZE) {
            let size = read::<u32>(GuestAddr(addr.wrapping_add(OFFSET))).unwrap_or(u32::MAX);
            host.regs[at] = passed(addr, u64::from(size).clamp(OFFSET + 4, PAGE_SIZE));
        }
    };

    /// struct file_handle: as many bytes as its first word says follow the eight of its head.
    FileHandle, pointer: |addr, at, host| {
        /// MAX_HANDLE_SZ.
        const LARGEST: u64 = 128;
        if touches_own(addr, 8 + LARGEST) {
            let size = read::<u32>(GuestAddr(addr)).unwrap_or(u32::MAX);
            host.regs[at] = passed(addr, 8 + u64::from(size).min(LARGEST));
        }
    };

    /// name_to_handle_at's mount identifier: an int, or 64 bits with AT_HANDLE_MNT_ID_UNIQUE.
    MountId, pointer: |addr, at, host| {
        const AT_HANDLE_MNT_ID_UNIQUE: u64 = 1;
        let size = if host.regs[4] & AT_HANDLE_MNT_ID_UNIQUE == 0 { 4 } else { 8 };
        host.regs[at] = passed(addr, size);
    };

    /// move_pages' array of addresses, their number in register 1.
    PageList, pointer: |addr, at, host| page_list(addr, at, host);

    /// The iovecs of another process's memory, their number in the next register; register
    /// 0 names the process, which may be this one.
    RemoteIov, pointer: |addr, at, host| {
        let count = host.count(at + 1);
        let ranges = super::Iov { addr: GuestAddr(addr), count };
        let untagged = |range: Iovec| access::untag(GuestAddr(range.iov_base)).0;
        let own = ranges.entries().any(|range| touches_own(untagged(range), range.iov_len));
        let same = own && shares_memory(host.regs[0]);
        (host.regs[at], host.regs[at + 1]) = guard::iovecs_of_process(addr, count, same, host);
    };

    /// An array of struct futex_waitv, their number in register 1.
    Waiters, pointer: |addr, at, host| {
        /// FUTEX_WAITV_MAX: the kernel refuses more.
        const MOST: u64 = 128;
        let count = host.count(1).min(MOST);
        waiters(addr, count, at, host);
    };

    /// futex_requeue's two of struct futex_waitv.
    WaiterPair, pointer: |addr, at, host| waiters(addr, 2, at, host);

    /// struct xattr_args: the address of a value, and its size; its own is in register 5.
    XattrArgs, pointer: |addr, at, host| {
        host.regs[at] = if pair_touches_own(addr, 0, 8) {
            nowhere(addr)
        } else {
            with_untagged(addr, host.count(5), &[0], host)
        };
    };

    /// union bpf_attr: the command is in register 0, the size in register 2.
    BpfAttr, pointer: |addr, at, host| {
        host.regs[at] = if bpf_touches_own(host.regs[0], addr) {
            nowhere(addr)
        } else {
            with_untagged(addr, host.count(2), &bpf_read_addresses(host.regs[0]), host)
        };
    };

    /// mq_notify's event: for SIGEV_THREAD its value points to 32 bytes.
    Notification, event: |addr, at, host| {
        const SIGEV_THREAD: i32 = 2;
        const NOTIFY_COOKIE_LEN: u64 = 32;
        let cookie = read::<Sigevent>(GuestAddr(addr)).is_ok_and(|event| {
            event.sigev_notify == SIGEV_THREAD && touches_own(event.sigev_value, NOTIFY_COOKIE_LEN)
        });
        host.regs[at] = if cookie { nowhere(addr) } else { passed(addr, 64) };
    };

    /// keyctl's arguments, of which the operation in register 0 makes addresses.
    KeyArg, hex: |addr, at, host| key_argument(addr, at, host);

    /// fsconfig's value: a string, or as many bytes as register 4 says.
    ConfigValue, pointer: |addr, at, host| {
        const FSCONFIG_SET_BINARY: u64 = 2;
        let size = if host.regs[1] == FSCONFIG_SET_BINARY { host.regs[4] } else { 1 };
        host.regs[at] = passed(addr, size);
    };
}

/// Whether the buffer whose address is at `base + addr_at` and whose length, a u32, is at
/// `base + len_at` touches the emulator's memory.
fn pair_touches_own(base: u64, addr_at: u64, len_at: u64) -> bool {
    let addr = read::<u64>(GuestAddr(base.wrapping_add(addr_at)));
    let len = read::<u32>(GuestAddr(base.wrapping_add(len_at)));
    matches!((addr, len), (Ok(addr), Ok(len)) if touches_own(addr, u64::from(len)))
}

/// The address of the `len` bytes at `addr`, which the kernel only reads; of a copy where an address in them, at one of
/// the offsets `addresses`, has a tag that the guest's kernel takes.
fn with_untagged(addr: u64, len: u64, addresses: &[u64], host: &mut HostArgs) -> u64 {
    let word = |at: u64| read::<u64>(GuestAddr(addr.wrapping_add(at)));
    let tagged = |&at: &u64| at + 8 <= len && word(at).is_ok_and(|word| guard::strip(word) != word);
    if touches_own(addr, len) || len > PAGE_SIZE || !addresses.iter().any(tagged) {
        return passed(addr, len);
    }
    let mut copy = vec![0_u8; len as usize];
    if super::read_bytes(GuestAddr(addr), &mut copy).is_err() {
        return passed(addr, len);
    }
    for &at in addresses {
        if let Some(place) = copy.get_mut(at as usize..at as usize + 8) {
            let stripped = guard::strip(number(place));
            place.copy_from_slice(&stripped.to_le_bytes());
        }
    }
    host.keep(words(&copy[..]))
}

/// The array is cut before the first iocb that names our memory: the kernel, too, stops
/// there and tells how many it took.
fn iocbs(addr: u64, at: usize, host: &mut HostArgs) {
    /// More are taken by further calls, as after any short count.
    const MOST: u64 = 1 << 16;
    let count = host.count(1);
    if count as i64 <= 0 {
        return;
    }
    let count = count.min(MOST);
    if touches_own(addr, count * 8) {
        host.regs[at] = nowhere(addr);
        return;
    }
    let pointers = (0..count).map_while(|index| read::<u64>(GuestAddr(addr.wrapping_add(index * 8))).ok());
    for (index, iocb) in pointers.enumerate() {
        if iocb_touches_own(iocb) {
            if index == 0 {
                host.regs[at] = nowhere(addr);
            } else {
                host.regs[1] = index as u64;
            }
            return;
        }
    }
    host.regs[1] = count;
}

/// Whether a struct iocb or what it points to is ours.
fn iocb_touches_own(iocb: u64) -> bool {
    const SIZE: u64 = 64;
    const PREAD: u16 = 0;
    const PWRITE: u16 = 1;
    const PREADV: u16 = 7;
    const PWRITEV: u16 = 8;
    if touches_own(iocb, SIZE) {
        return true;
    }
    let word = |offset: u64| read::<u64>(GuestAddr(iocb.wrapping_add(offset))).unwrap_or(0);
    let opcode = read::<u16>(GuestAddr(iocb.wrapping_add(16))).unwrap_or(u16::MAX);
    let (buf, nbytes) = (word(24), word(32));
    match opcode {
        PREAD | PWRITE => touches_own(buf, nbytes),
        PREADV | PWRITEV => iovecs_touch_own(buf, nbytes),
        _ => false,
    }
}

/// Whether an array of iovec or a buffer in it touches the emulator's memory.
#[must_use]
pub fn iovecs_touch_own(addr: u64, count: u64) -> bool {
    let ranges = super::Iov {
        addr: GuestAddr(addr),
        count,
    };
    touches_own(addr, count.min(super::IOV_MAX) * 16)
        || ranges
            .entries()
            .any(|range| touches_own(range.iov_base, range.iov_len))
}

/// Whether [`guard::iovecs`] would change the array of iovec.
fn iovecs_change(addr: u64, count: u64) -> bool {
    let mut unused = HostArgs::default();
    guard::iovecs(addr, count, &mut unused).0 != addr
}

/// As [`iocbs`]: the array ends before the first message that names our memory.
fn messages(addr: u64, at: usize, host: &mut HostArgs) {
    /// sizeof(struct mmsghdr): a msghdr and the length received.
    const SIZE: u64 = 64;
    // UIO_MAXIOV: the kernel takes no more at once.
    let count = host.count(2).min(super::IOV_MAX);
    for index in 0..count {
        let message = addr.wrapping_add(index * SIZE);
        let touches = touches_own(message, SIZE)
            || read::<Msghdr>(GuestAddr(message)).is_ok_and(|header| message_touches_own(&header));
        if touches {
            if index == 0 {
                host.regs[at] = nowhere(addr);
            } else {
                host.regs[2] = index;
            }
            return;
        }
    }
}

/// Whether a buffer of the message touches the emulator's memory.
#[must_use]
pub fn message_touches_own(header: &Msghdr) -> bool {
    touches_own(header.msg_name, name_len(header))
        || touches_own(header.msg_control, header.msg_controllen)
        || iovecs_touch_own(header.msg_iov, header.msg_iovlen)
}

/// Whether [`guarded_message`] would change an address in it.
#[must_use]
pub fn message_changes(header: &Msghdr) -> bool {
    let tagged = |addr| guard::strip(addr) != addr;
    tagged(header.msg_name)
        || tagged(header.msg_control)
        || iovecs_change(header.msg_iov, header.msg_iovlen)
        || message_touches_own(header)
}

/// sizeof(struct sockaddr_storage): no address is longer.
const LONGEST_NAME: u64 = 128;

fn name_len(header: &Msghdr) -> u64 {
    u64::from(header.msg_namelen).min(LONGEST_NAME)
}

/// The message with its addresses guarded, for a call made with this copy in its place.
#[must_use]
pub fn guarded_message(mut header: Msghdr, host: &mut HostArgs) -> Msghdr {
    header.msg_name = passed(header.msg_name, name_len(&header));
    header.msg_control = passed(header.msg_control, header.msg_controllen);
    (header.msg_iov, header.msg_iovlen) = guard::iovecs(header.msg_iov, header.msg_iovlen, host);
    header
}

/// An option whose value holds an address: of how many elements, and where both stand.
struct OptionRow {
    level: u32,
    name: u32,
    count_at: u16,
    count_size: u16,
    addr_at: u16,
    element: u64,
}

const fn option_row(level: u32, name: u32, count: (u16, u16), addr_at: u16, element: u64) -> OptionRow {
    OptionRow {
        level,
        name,
        count_at: count.0,
        count_size: count.1,
        addr_at,
        element,
    }
}

/// Filters are read: classic BPF, which is the same on all architectures. The tables of netfilter get their old counters
/// written there. Packets come to a registered area later.
const OPTIONS: &[OptionRow] = &[
    // SO_ATTACH_FILTER, SO_ATTACH_REUSEPORT_CBPF, PACKET_FANOUT_DATA: struct sock_fprog.
    option_row(1, 26, (0, 2), 8, 8),
    option_row(1, 51, (0, 2), 8, 8),
    option_row(263, 22, (0, 2), 8, 8),
    // IPT_SO_SET_REPLACE, IP6T_SO_SET_REPLACE, ARPT_SO_SET_REPLACE: struct ipt_replace and its like.
    option_row(0, 64, (84, 4), 88, 16),
    option_row(41, 64, (84, 4), 88, 16),
    option_row(0, 96, (68, 4), 72, 16),
    // EBT_SO_SET_ENTRIES: struct ebt_replace, its counters and its entries.
    option_row(0, 128, (96, 4), 104, 16),
    option_row(0, 128, (40, 4), 112, 1),
    // XDP_UMEM_REG: struct xdp_umem_reg.
    option_row(283, 4, (8, 8), 0, 1),
    // RDS_GET_MR: struct rds_get_mr_args.
    option_row(276, 2, (8, 8), 0, 1),
];

/// A value with addresses goes to the kernel as a copy where one of them has to change.
fn option(addr: u64, at: usize, host: &mut HostArgs) {
    let (level, name, len) = (host.regs[1] as u32, host.regs[2] as u32, host.count(4));
    host.regs[at] = passed(addr, len);
    let rows = || {
        OPTIONS
            .iter()
            .filter(|row| (row.level, row.name) == (level, name))
    };
    if rows().next().is_none() || len > PAGE_SIZE || touches_own(addr, len) {
        return;
    }
    let mut value = vec![0_u8; len as usize];
    if super::read_bytes(GuestAddr(addr), &mut value).is_err() {
        return;
    }
    let given = value.clone();
    for row in rows() {
        let (from, size) = (usize::from(row.count_at), usize::from(row.count_size));
        let (Some(count), Some(place)) = (
            value.get(from..from + size).map(number),
            value.get_mut(usize::from(row.addr_at)..usize::from(row.addr_at) + 8),
        ) else {
            continue;
        };
        let passed = passed(number(place), count.saturating_mul(row.element));
        place.copy_from_slice(&passed.to_le_bytes());
    }
    if value != given {
        host.regs[at] = host.keep(words(&value[..]));
    }
}

/// An unsigned number of up to eight bytes.
fn number(bytes: &[u8]) -> u64 {
    bytes
        .iter()
        .rev()
        .fold(0, |number, &byte| number << 8 | u64::from(byte))
}

/// The kernel tells of each page where it is, or moves it: of ours it knows nothing.
fn page_list(addr: u64, at: usize, host: &mut HostArgs) {
    let count = host.count(1);
    if touches_own(addr, count.saturating_mul(8)) {
        host.regs[at] = nowhere(addr);
        return;
    }
    let pages = || (0..count).map_while(|index| read::<u64>(GuestAddr(addr.wrapping_add(index * 8))).ok());
    if pages().any(|page| guard::passed_pages(page, 1) != page) {
        let copy: Vec<u64> = pages().map(|page| guard::passed_pages(page, 1)).collect();
        // Where the list cannot be read to its end, the kernel stops with EFAULT.
        host.regs[at] = if copy.len() as u64 == count {
            host.keep(copy)
        } else {
            nowhere(addr)
        };
    }
}

/// Whether process `pid` has the caller's memory.
#[must_use]
pub fn shares_memory(pid: u64) -> bool {
    const KCMP_VM: u64 = 1;
    let args = [host::gettid() as u64, pid, KCMP_VM, 0, 0, 0];
    // SAFETY: the call takes no address.
    match unsafe { host::raw(nr::kcmp, args) } {
        Ok(order) => order == 0,
        // Without kcmp, or for a process that cannot be looked at: better to be careful.
        Err(_) => true,
    }
}

/// The words waited for are only read or compared; one of ours is as if it were unmapped.
fn waiters(addr: u64, count: u64, at: usize, host: &mut HostArgs) {
    /// sizeof(struct futex_waitv): value, address, flags and padding.
    const SIZE: u64 = 24;
    const WORDS: u64 = SIZE / 8;
    if touches_own(addr, count * SIZE) {
        host.regs[at] = nowhere(addr);
        return;
    }
    let word = |index: u64| read::<u64>(GuestAddr(addr.wrapping_add(index * 8)));
    let futexes = || (0..count).map_while(|index| word(index * WORDS + 1).ok());
    if futexes().any(|futex| passed(futex, 8) != futex) {
        let mut copy: Vec<u64> = (0..count * WORDS).map_while(|index| word(index).ok()).collect();
        for waiter in copy.chunks_mut(WORDS as usize) {
            if let Some(futex) = waiter.get_mut(1) {
                *futex = passed(*futex, 8);
            }
        }
        host.regs[at] = if copy.len() as u64 == count * WORDS {
            host.keep(copy)
        } else {
            nowhere(addr)
        };
    }
}

/// Where union bpf_attr holds addresses (include/uapi/linux/bpf.h): the commands, the
/// address's offset, the offset of its u32 length or how long it may be.
enum BpfLen {
    At(u64),
    Elements(u64, u64),
    AtMost(u64),
}

/// A key or value of a map: its size is the map's matter, this is more than any has.
const MAP_VALUE: BpfLen = BpfLen::AtMost(16 << 20);
const STRING: BpfLen = BpfLen::AtMost(1);

const BPF: &[(&[u64], u64, BpfLen)] = &[
    // BPF_MAP_LOOKUP_ELEM, UPDATE, DELETE, GET_NEXT_KEY, LOOKUP_AND_DELETE: key, then value or next key.
    (&[1, 2, 3, 4, 21], 8, MAP_VALUE),
    (&[1, 2, 4, 21], 16, MAP_VALUE),
    // BPF_PROG_LOAD: instructions, licence, log, function and line information, descriptors.
    (&[5], 8, BpfLen::Elements(4, 8)),
    (&[5], 16, STRING),
    (&[5], 32, BpfLen::At(28)),
    (&[5], 80, BpfLen::AtMost(1 << 20)),
    (&[5], 96, BpfLen::AtMost(1 << 20)),
    (&[5], 120, BpfLen::AtMost(256)),
    // BPF_OBJ_PIN, BPF_OBJ_GET: a path.
    (&[6, 7], 0, STRING),
    // BPF_PROG_TEST_RUN: data and context, in and out.
    (&[10], 16, BpfLen::At(8)),
    (&[10], 24, BpfLen::At(12)),
    (&[10], 48, BpfLen::At(40)),
    (&[10], 56, BpfLen::At(44)),
    // BPF_OBJ_GET_INFO_BY_FD.
    (&[15], 8, BpfLen::At(4)),
    // BPF_PROG_QUERY: program identifiers and their attach flags.
    (&[16], 16, BpfLen::Elements(24, 4)),
    (&[16], 32, BpfLen::Elements(24, 4)),
    // BPF_RAW_TRACEPOINT_OPEN: a name.
    (&[17], 0, STRING),
    // BPF_BTF_LOAD: types and log.
    (&[18], 0, BpfLen::At(16)),
    (&[18], 8, BpfLen::At(20)),
    // BPF_TASK_FD_QUERY: a name.
    (&[20], 16, BpfLen::At(12)),
    // BPF_MAP_*_BATCH: positions, keys, values.
    (&[24, 25, 26, 27], 0, MAP_VALUE),
    (&[24, 25, 26, 27], 8, MAP_VALUE),
    (&[24, 25, 26, 27], 16, MAP_VALUE),
    (&[24, 25, 26, 27], 24, MAP_VALUE),
];

/// Where the commands that only read their attributes have addresses in them.
fn bpf_read_addresses(command: u64) -> Vec<u64> {
    /// Elements of maps, BPF_PROG_LOAD, BPF_OBJ_PIN and GET, BPF_RAW_TRACEPOINT_OPEN, BPF_BTF_LOAD: of these it writes
    /// at most how long the log would be.
    const READING: [u64; 10] = [1, 2, 3, 4, 5, 6, 7, 17, 18, 21];
    let command = u64::from(command as u32);
    let rows = BPF.iter().filter(|(commands, ..)| commands.contains(&command));
    match READING.contains(&command) {
        true => rows.map(|(_, addr_at, _)| *addr_at).collect(),
        false => Vec::new(),
    }
}

fn bpf_touches_own(command: u64, attr: u64) -> bool {
    const BPF_OBJ_GET_INFO_BY_FD: u64 = 15;
    let word = |offset: u64| read::<u64>(GuestAddr(attr.wrapping_add(offset))).unwrap_or(0);
    let half = |offset: u64| u64::from(read::<u32>(GuestAddr(attr.wrapping_add(offset))).unwrap_or(0));
    let command = u64::from(command as u32);
    let direct = BPF.iter().any(|(commands, addr_at, len)| {
        let len = match *len {
            BpfLen::At(offset) => half(offset),
            BpfLen::Elements(offset, size) => half(offset) * size,
            BpfLen::AtMost(most) => most,
        };
        commands.contains(&command) && touches_own(word(*addr_at), len)
    });
    // The information about a program holds addresses again: none of its words is one of ours.
    let nested = || {
        let (info, len) = (word(8), half(4));
        (0..len.min(PAGE_SIZE) / 8)
            .map_while(|index| read::<u64>(GuestAddr(info.wrapping_add(index * 8))).ok())
            .any(|addr| touches_own(addr, 1))
    };
    direct || (command == BPF_OBJ_GET_INFO_BY_FD && nested())
}

/// What keyctl's operations (include/uapi/linux/keyctl.h) take for addresses: operation,
/// register, size.
enum KeyLen {
    Bytes(u64),
    Register(usize),
    Iovecs(usize),
}

const KEYS: &[(u64, usize, KeyLen)] = &[
    // JOIN_SESSION_KEYRING, UPDATE, DESCRIBE, SEARCH, READ, INSTANTIATE, GET_SECURITY.
    (1, 1, KeyLen::Bytes(1)),
    (2, 2, KeyLen::Register(3)),
    (6, 2, KeyLen::Register(3)),
    (10, 2, KeyLen::Bytes(1)),
    (10, 3, KeyLen::Bytes(1)),
    (11, 2, KeyLen::Register(3)),
    (12, 2, KeyLen::Register(3)),
    (17, 2, KeyLen::Register(3)),
    // INSTANTIATE_IOV.
    (20, 2, KeyLen::Iovecs(3)),
    // DH_COMPUTE: struct keyctl_dh_params, the result, struct keyctl_kdf_params.
    (23, 1, KeyLen::Bytes(12)),
    (23, 2, KeyLen::Register(3)),
    (23, 4, KeyLen::Bytes(56)),
    // PKEY_QUERY: a string, struct keyctl_pkey_query.
    (24, 3, KeyLen::Bytes(1)),
    (24, 4, KeyLen::Bytes(56)),
    // PKEY_ENCRYPT, DECRYPT, SIGN, VERIFY: struct keyctl_pkey_params, a string, in, out.
    (25, 1, KeyLen::Bytes(40)),
    (26, 1, KeyLen::Bytes(40)),
    (27, 1, KeyLen::Bytes(40)),
    (28, 1, KeyLen::Bytes(40)),
    (25, 2, KeyLen::Bytes(1)),
    (26, 2, KeyLen::Bytes(1)),
    (27, 2, KeyLen::Bytes(1)),
    (28, 2, KeyLen::Bytes(1)),
    // RESTRICT_KEYRING, CAPABILITIES.
    (29, 2, KeyLen::Bytes(1)),
    (29, 3, KeyLen::Bytes(1)),
    (31, 1, KeyLen::Register(2)),
];

fn key_argument(addr: u64, at: usize, host: &mut HostArgs) {
    let operation = u64::from(host.regs[0] as u32);
    for (_, _, len) in KEYS
        .iter()
        .filter(|&&(of, register, _)| of == operation && register == at)
    {
        match *len {
            KeyLen::Bytes(size) => host.regs[at] = passed(addr, size),
            KeyLen::Register(register) => host.regs[at] = passed(addr, host.count(register)),
            KeyLen::Iovecs(register) => {
                (host.regs[at], host.regs[register]) = guard::iovecs(addr, host.count(register), host);
            }
        }
    }
    // The data of PKEY_*: their lengths are in struct keyctl_pkey_params.
    let params = GuestAddr(host.regs[1]);
    let len_at = |offset| u64::from(read::<u32>(params.offset(offset)).unwrap_or(0));
    match (operation, at) {
        (25..=28, 3) => host.regs[at] = passed(addr, len_at(4)),
        (25..=28, 4) => host.regs[at] = passed(addr, len_at(8)),
        _ => {}
    }
    // DH_COMPUTE's struct keyctl_kdf_params: a name, and other information of some length.
    const DH_COMPUTE: u64 = 23;
    if (operation, at) == (DH_COMPUTE, 4) && !GuestAddr(addr).is_null() {
        let name = read::<u64>(GuestAddr(addr)).unwrap_or(0);
        if touches_own(name, 1) || pair_touches_own(addr, 8, 16) {
            host.regs[at] = nowhere(addr);
        }
    }
}

/// The words of a structure or string, to be passed in the place of the guest's own.
#[must_use]
pub fn words<T: IntoBytes + zerocopy::Immutable + ?Sized>(value: &T) -> Vec<u64> {
    value
        .as_bytes()
        .chunks(8)
        .map(|chunk| {
            let mut word = [0; 8];
            word[..chunk.len()].copy_from_slice(chunk);
            u64::from_le_bytes(word)
        })
        .collect()
}
