//! PTRACE_SECCOMP_GET_FILTER and PTRACE_SECCOMP_GET_METADATA (kernel/seccomp.c): a tracee's filters, where it says in its
//! mailbox that they stand.

use super::table::Tracee;
use super::{kernel, tracer};
use crate::seccomp::Seccomp;
use crate::seccomp::bpf::{Insn, MAX_INSNS};
use crate::seccomp::mode;
use crate::syscall::arg::{read, write_bytes};
use crate::task::Task;
use guest::GuestAddr;
use linux_abi::{Errno, SysResult};
use zerocopy::IntoBytes;

/// The count of a task that is not in the filter mode.
pub(super) const NO_FILTERS: u64 = u64::MAX;
/// struct seccomp_metadata: filter_off and flags.
const METADATA_SIZE: u64 = 16;

/// Address and number of instructions of each filter, the oldest first.
pub(super) fn list(seccomp: &Seccomp) -> Option<Vec<[u64; 2]>> {
    let newest = seccomp.filters()?;
    let mut list: Vec<[u64; 2]> = newest
        .chain()
        .map(|filter| {
            let insns = filter.program().insns();
            [insns.as_ptr() as u64, insns.len() as u64]
        })
        .collect();
    list.reverse();
    Some(list)
}

/// Who has no privilege in the first user namespace, as the host's kernel sees it, or is filtered itself, reads none.
fn check(task: &Task, tid: i32) -> Result<(), Errno> {
    let filtered = task.state.seccomp.mode() != mode::DISABLED;
    if filtered || kernel::request(kernel::SECCOMP_GET_FILTER, tid, u64::MAX, 0) == Err(Errno::EACCES) {
        return Err(Errno::EACCES);
    }
    Ok(())
}

/// Where a filter stands in the tracee's memory, and its length.
fn find(tracee: &Tracee, index: u64) -> Result<[u64; 2], Errno> {
    let [table, count] = tracee.copy.stop.filters;
    if count == NO_FILTERS {
        return Err(Errno::EINVAL);
    }
    if index >= count {
        return Err(Errno::ENOENT);
    }
    let mut entry = [0_u64; 2];
    let place = table.wrapping_add(index.wrapping_mul(size_of_val(&entry) as u64));
    kernel::read_memory(tracee.tid, place, entry.as_mut_bytes())?;
    if entry[1] > MAX_INSNS as u64 {
        return Err(Errno::EINVAL);
    }
    Ok(entry)
}

/// PTRACE_SECCOMP_GET_FILTER: the number of instructions, and those unless `to` is null.
pub(super) fn get(task: &mut Task, tid: i32, index: u64, to: GuestAddr) -> SysResult {
    tracer::stopped(task, tid)?;
    check(task, tid)?;
    let tracee = tracer::stopped(task, tid)?;
    let [place, len] = find(tracee, index)?;
    if !to.is_null() {
        let mut insns = vec![Insn::default(); len as usize];
        kernel::read_memory(tid, place, insns.as_mut_bytes())?;
        write_bytes(to, insns.as_bytes())?;
    }
    Ok(len)
}

/// PTRACE_SECCOMP_GET_METADATA: how much was written.
pub(super) fn metadata(task: &mut Task, tid: i32, size: u64, data: GuestAddr) -> SysResult {
    tracer::stopped(task, tid)?;
    check(task, tid)?;
    let size = size.min(METADATA_SIZE);
    if size < size_of::<u64>() as u64 {
        return Err(Errno::EINVAL);
    }
    let index = read::<u64>(data)?;
    find(tracer::stopped(task, tid)?, index)?;
    write_bytes(data, &[index, 0].as_bytes()[..size as usize])?;
    Ok(size)
}
