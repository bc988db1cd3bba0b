//! Memory calls: thin shells around [`crate::mm`]. Addresses of what is mapped lose their tags, for every thread; new ones
//! (of mmap, brk, mremap's target) have none (Documentation/arch/arm64/tagged-address-abi.rst).

use super::arg::guard::{HostArgs, iovecs_of_pages};
use super::arg::{
    Addr, Advice, Arg, AttachFlags, Fd, Hex, IOV_MAX, Int, Iov, Long, MapFlags, Pid, Prot, RemapFlags,
    RemoteIov, Size, read, shares_memory,
};
use crate::host;
use crate::mm::{MapRequest, RemapRequest};
use crate::proc::host_file;
use crate::task::Task;
use guest::GuestAddr;
use guest_memory::access::untag;
use linux_abi::layout::Iovec;
use linux_abi::nr::x86_64 as nr;
use linux_abi::{Errno, SysResult, flags};

/// mmap(2).
pub fn mmap(
    task: &mut Task,
    addr: Addr,
    len: Size,
    prot: Prot,
    flags: MapFlags,
    fd: Fd,
    offset: Long,
) -> SysResult {
    let request = MapRequest {
        addr: addr.0,
        len: len.0,
        prot: effective(task, prot),
        flags: flags.bits(),
        fd: fd.0,
        offset: offset.0 as u64,
    };
    let at = task.process.mm.mmap(task.cpu.engine(), request)?;
    if !flags.contains(MapFlags::MAP_ANONYMOUS) && flags.bits() & flags::MAP_SHARED != 0 {
        super::uring::mapped(fd.0, offset.0 as u64, at);
    }
    Ok(at)
}

/// munmap(2).
pub fn munmap(task: &mut Task, addr: Addr, len: Size) -> SysResult {
    task.process.mm.munmap(task.cpu.engine(), untag(addr.0), len.0)
}

/// mremap(2).
pub fn mremap(
    task: &mut Task,
    old: Addr,
    old_len: Size,
    new_len: Size,
    flags: RemapFlags,
    new: Addr,
) -> SysResult {
    let request = RemapRequest {
        old: untag(old.0),
        old_len: old_len.0,
        new_len: new_len.0,
        flags: flags.bits(),
        new: new.0,
    };
    task.process.mm.mremap(task.cpu.engine(), request)
}

/// mprotect(2).
pub fn mprotect(task: &mut Task, addr: Addr, len: Size, prot: Prot) -> SysResult {
    let prot = effective(task, prot);
    task.process
        .mm
        .mprotect(task.cpu.engine(), untag(addr.0), len.0, prot)
}

/// pkey_mprotect(2): without FEAT_S1POE the only key is "none".
pub fn pkey_mprotect(task: &mut Task, addr: Addr, len: Size, prot: Prot, pkey: Int) -> SysResult {
    if pkey.0 != -1 {
        return Err(Errno::EINVAL);
    }
    mprotect(task, addr, len, prot)
}

/// pkey_alloc(2): there are none to give.
pub fn pkey_alloc(_: &mut Task, flags: Hex, rights: Hex) -> SysResult {
    const PKEY_ACCESS_MASK: u64 = 0xf;
    if flags.0 != 0 || rights.0 & !PKEY_ACCESS_MASK != 0 {
        return Err(Errno::EINVAL);
    }
    Err(Errno::ENOSPC)
}

/// madvise(2).
pub fn madvise(task: &mut Task, addr: Addr, len: Size, advice: Advice) -> SysResult {
    task.process
        .mm
        .madvise(task.cpu.engine(), untag(addr.0), len.0, advice.0)
}

/// pkey_free(2): so none can be given back (mm_pkey_free without CONFIG_ARCH_HAS_PKEYS).
pub fn pkey_free(_: &mut Task, _: Int) -> SysResult {
    Err(Errno::EINVAL)
}

/// process_madvise(2): any advice to the caller's own memory (Linux 6.15), to another's what changes no contents.
pub fn process_madvise(
    task: &mut Task,
    pidfd: Fd,
    iov: Iov,
    vlen: Size,
    advice: Advice,
    flags: Hex,
) -> SysResult {
    let remote = matches!(
        advice.0,
        flags::MADV_WILLNEED | flags::MADV_COLD | flags::MADV_PAGEOUT | flags::MADV_COLLAPSE
    );
    let mut host = HostArgs::default();
    let (ranges, count) = iovecs_of_pages(iov.addr.0, vlen.0, &mut host);
    host.regs = [pidfd.register(), ranges, count, advice.0, flags.0, 0];
    if remote || flags.0 != 0 || vlen.0 > IOV_MAX {
        // SAFETY: the array is only read, and advice of these kinds changes no contents; or the call is refused.
        return unsafe { host::raw(nr::process_madvise, host.regs) };
    }
    // Of which process it is, and whether the ranges can be read, the kernel says by an advice that does nothing.
    host.regs[3] = flags::MADV_COLD;
    host.regs[2] = 0;
    // SAFETY: no range is looked at.
    unsafe { host::raw(nr::process_madvise, host.regs) }?;
    if !is_own_memory(pidfd.0) {
        return Err(Errno::EINVAL);
    }
    let entries = (0..vlen.0).map(|index| read::<Iovec>(iov.addr.offset(index as i64 * 16)));
    let mut done = 0;
    for entry in entries.collect::<Result<Vec<_>, _>>()? {
        let addr = untag(GuestAddr(entry.iov_base));
        match task
            .process
            .mm
            .madvise(task.cpu.engine(), addr, entry.iov_len, advice.0)
        {
            Ok(_) => done += entry.iov_len,
            Err(errno) if done == 0 => return Err(errno),
            Err(_) => break,
        }
    }
    Ok(done)
}

/// Whether a descriptor of a process is of one that has the caller's memory.
fn is_own_memory(pidfd: i32) -> bool {
    /// What stands for the calling thread, and its process, since Linux 6.14.
    const PIDFD_SELF: [i32; 2] = [-10000, -10002];
    PIDFD_SELF.contains(&pidfd) || pid_of(pidfd).is_some_and(|pid| shares_memory(pid as u64))
}

/// The process that a pidfd is of.
fn pid_of(pidfd: i32) -> Option<i32> {
    let about = host_file::read(format!("/proc/self/fdinfo/{pidfd}").as_bytes()).ok()?;
    let about = String::from_utf8_lossy(&about).into_owned();
    let pid = about.lines().find_map(|line| line.strip_prefix("Pid:"))?;
    pid.trim().parse().ok()
}

/// process_vm_writev(2). A process sees code that another wrote when it has executed IC IVAU itself: the kernel does not for
/// it, as it does for a tracer's pokes (copy_to_user_page). A tracee is told all the same.
pub fn process_vm_writev(
    task: &mut Task,
    pid: Pid,
    local: Iov,
    liovcnt: Size,
    remote: RemoteIov,
    riovcnt: Size,
    flags: Hex,
) -> SysResult {
    let mut host = HostArgs::default();
    host.regs = [
        pid.register(),
        local.register(),
        liovcnt.register(),
        remote.register(),
        riovcnt.register(),
        flags.register(),
    ];
    local.guard(1, &mut host);
    remote.guard(3, &mut host);
    // SAFETY: the vectors and the caller's buffers are guarded; where the other process is written to is its own.
    let written = unsafe { host::raw(nr::process_vm_writev, host.regs) }?;
    if task.tracees.find(pid.0).is_some() {
        let ranges = Iov {
            addr: remote.0,
            count: riovcnt.0,
        };
        for range in ranges.entries().collect::<Vec<_>>() {
            task.tracees.wrote(range.iov_base, range.iov_len);
        }
    }
    Ok(written)
}

/// remap_file_pages(2).
pub fn remap_file_pages(
    task: &mut Task,
    addr: Addr,
    size: Size,
    prot: Hex,
    pgoff: Size,
    flags: Hex,
) -> SysResult {
    let args = [addr.0.0, size.0, prot.0, pgoff.0, flags.0, 0];
    task.process.mm.remap_file_pages(task.cpu.engine(), args)
}

/// mseal(2).
pub fn mseal(task: &mut Task, addr: Addr, len: Size, flags: Hex) -> SysResult {
    task.process.mm.mseal(untag(addr.0), len.0, flags.0)
}

/// mlockall(2).
pub fn mlockall(task: &mut Task, flags: Hex) -> SysResult {
    task.process.mm.mlockall(flags.0 as u32 as u64)
}

/// munlockall(2).
pub fn munlockall(task: &mut Task) -> SysResult {
    task.process.mm.munlockall()
}

/// personality(2). READ_IMPLIES_EXEC is the guest's memory map's; the rest is the host's.
pub fn personality(task: &mut Task, persona: Hex) -> SysResult {
    if persona.0 & PER_MASK == PER_LINUX32 {
        // The CPU has no AArch32 (arch/arm64/kernel/sys.c).
        return Err(Errno::EINVAL);
    }
    let args = [persona.register(), 0, 0, 0, 0, 0];
    // SAFETY: the call takes no address.
    let before = unsafe { host::raw(nr::personality, args) }?;
    if persona.0 as u32 != u32::MAX {
        task.state.read_implies_exec = persona.0 & READ_IMPLIES_EXEC != 0;
    }
    Ok(before)
}

const READ_IMPLIES_EXEC: u64 = 0x0040_0000;
const PER_MASK: u64 = 0xff;
const PER_LINUX32: u64 = 8;

/// The protection that a call asking for `prot` gives (mm/mmap.c and mm/mprotect.c).
fn effective(task: &Task, prot: Prot) -> u64 {
    if task.state.read_implies_exec && prot.contains(Prot::PROT_READ) {
        prot.bits() | flags::PROT_EXEC
    } else {
        prot.bits()
    }
}

/// brk(2): never fails, it gives the present end.
pub fn brk(task: &mut Task, addr: Addr) -> SysResult {
    Ok(task.process.mm.brk(task.cpu.engine(), addr.0))
}

/// shmat(2).
pub fn shmat(task: &mut Task, id: Int, addr: Addr, flags: AttachFlags) -> SysResult {
    task.process
        .mm
        .shmat(task.cpu.engine(), id.0 as u64, addr.0, flags.bits())
}

/// shmdt(2).
pub fn shmdt(task: &mut Task, addr: Addr) -> SysResult {
    task.process.mm.shmdt(task.cpu.engine(), addr.0)
}
