//! wait4(2) and waitid(2) of a tracer: the host's stops of its tracees, without those that are no stops of the guest's.

use super::mailbox::{at, attend, place};
use super::table::{Held, SI_TKILL, Tracee};
use super::{event, kernel, mailbox, tracee};
use crate::host;
use crate::kernel::stop::{Boundary, Observer, Resume};
use crate::signal::info::SigInfo;
use crate::signal::set::{DefaultAction, SIGSTOP, SIGTRAP, SYNC_SET, bit, default_action};
use crate::syscall::arg::{Out, Pid, Writes, write_bytes};
use crate::task::Task;
use linux_abi::layout::Rusage;
use linux_abi::{Errno, SysResult};

/// wait4(2).
pub fn wait4(task: &mut Task, pid: Pid, status: Out<i32>, options: u64, rusage: Out<Rusage>) -> SysResult {
    let mut patience = Patience::of(options);
    loop {
        let (tid, mut found) = kernel::wait4(task, pid.0, options, rusage)?;
        if tid == 0 {
            if patience.is_left() {
                continue;
            }
            return Ok(0);
        }
        if found & 0xff == 0x7f {
            let Some(code) = look_at(task, tid, found as u32 >> 8) else {
                patience.begins();
                continue;
            };
            note_taken(task, tid);
            found = (code << 8 | 0x7f) as i32;
        } else if found != CONTINUED && ended(task, tid, found == 0) {
            continue;
        }
        if !status.is_null() {
            status.write(&found)?;
        }
        return Ok(tid as u64);
    }
}

/// The wait status of WIFCONTINUED.
const CONTINUED: i32 = 0xffff;

/// CLD_TRAPPED and CLD_STOPPED; CLD_EXITED, CLD_KILLED and CLD_DUMPED are smaller, CLD_CONTINUED is larger.
const CLD_EXITED: u32 = 1;
const CLD_DUMPED: u32 = 3;
const CLD_TRAPPED: u32 = 4;
const CLD_STOPPED: u32 = 5;

/// waitid(2).
pub fn waitid(
    task: &mut Task,
    kind: u64,
    id: Pid,
    info: Writes<128>,
    options: u64,
    rusage: Out<Rusage>,
) -> SysResult {
    let found = waited(task, [kind, id.0 as i64 as u64], options, rusage);
    if !info.0.is_null() {
        // Of a wait that failed, zeros; and that they cannot be written comes first (kernel/exit.c).
        let words = found.unwrap_or([0; 32]);
        let bytes: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
        // What the kernel leaves alone, it leaves alone.
        write_bytes(info.0, &bytes[..12])?;
        write_bytes(info.0.offset(16), &bytes[16..28])?;
    }
    found.map(|_| 0)
}

/// What waitid(2) tells of a change of state that is the guest's: struct siginfo in words.
fn waited(task: &mut Task, whom: [u64; 2], options: u64, rusage: Out<Rusage>) -> Result<[u32; 32], Errno> {
    let mut patience = Patience::of(options);
    loop {
        let mut found = kernel::waitid(task, whom, options, rusage)?;
        let [signo, code, tid, status] = [found[0], found[2], found[4], found[6]];
        if signo == 0 {
            if patience.is_left() {
                continue;
            }
            return Ok(found);
        }
        let ends = (CLD_EXITED..=CLD_DUMPED).contains(&code) && options & kernel::WNOWAIT == 0;
        if matches!(code, CLD_TRAPPED | CLD_STOPPED) {
            let Some(code) = look_at(task, tid as i32, status) else {
                patience.begins();
                continue;
            };
            if options & kernel::WNOWAIT == 0 {
                note_taken(task, tid as i32);
            }
            found[6] = code;
        } else if ends && ended(task, tid as i32, code == CLD_EXITED && status == 0) {
            continue;
        }
        return Ok(found);
    }
}

/// Microseconds that a child which does not know itself yet runs before it is stopped again, and how often that is done
/// at most.
const NEW_CHILD_PAUSE: u64 = 100;
const PUT_OFF_TIMES: u32 = 1000;

/// How long a wait that does not wait (WNOHANG) does so for a tracee that was let go on to its next boundary: to the
/// kernel's eyes it stands there already.
struct Patience {
    tries: u32,
    begun: bool,
}

impl Patience {
    fn of(options: u64) -> Patience {
        Patience {
            tries: if options & kernel::WNOHANG == 0 { 0 } else { 50 },
            begun: false,
        }
    }

    fn begins(&mut self) {
        self.begun = true;
    }

    fn is_left(&mut self) -> bool {
        if !self.begun || self.tries == 0 {
            return false;
        }
        self.tries -= 1;
        host::pause(100);
        true
    }
}

/// A wait takes the stop of this thread: should its tracer end now, the signal that it shows is gone.
fn note_taken(task: &mut Task, tid: i32) {
    if let Some(tracee) = task.tracees.find(tid)
        && tracee.held == Some(Held::Guest)
    {
        tracee.place(at::TAKEN);
    }
}

/// A child or tracee ended. True if its number means nothing to the guest.
fn ended(task: &mut Task, tid: i32, quietly: bool) -> bool {
    let Some(tracee) = task.tracees.remove(tid) else {
        return false;
    };
    if task.tracees.is_empty() {
        tracee::look(task);
    }
    // A thread that the emulator needs, and the host's kernel attached to.
    quietly && tracee.mailbox == 0 && !tracee.introduced && !tracee.attached && !tracee.foreign
}

/// A thread has stopped, with this exit code (a wait status without its lowest byte). Gives that of the guest's stop, or
/// nothing if it was let go on.
pub fn look_at(task: &mut Task, tid: i32, code: u32) -> Option<u32> {
    if task.tracees.find(tid).is_none() {
        // A child that nobody traces, stopped by a signal?
        if kernel::siginfo(tid) == Err(Errno::ESRCH) {
            return Some(code);
        }
        task.tracees.add(tid, code >> 8 == event::STOP);
        tracee::look(task);
    }
    if code >> 8 == event::EXEC {
        // A thread that executed has become the first of its process.
        let former = kernel::message(tid).unwrap_or(0);
        if former != tid as u64
            && let Some(thread) = task.tracees.remove(former as i32)
            && let Some(tracee) = task.tracees.find(tid)
        {
            (tracee.options, tracee.mode, tracee.seized) = (thread.options, thread.mode, thread.seized);
        }
        task.tracees.find(tid)?.new_program(former);
        return None;
    }
    let tracee = task.tracees.find(tid)?;
    match tracee.held {
        Some(Held::Guest) => return Some(tracee.copy.stop.code),
        Some(Held::Host(code)) => return Some(code),
        None => {}
    }
    let signal = (code & 0xff) as i32;
    if tracee.foreign {
        tracee.go_on(if code >> 8 == 0 { signal } else { 0 });
        return None;
    }
    match code >> 8 {
        0 => match kernel::siginfo(tid) {
            Ok(info) => by_signal(tracee, signal, &info),
            // A group stop of one that was not seized.
            Err(Errno::EINVAL) => {
                bring_group(tracee, signal);
                None
            }
            Err(_) => None,
        },
        event::STOP => {
            by_stop(tracee, signal);
            None
        }
        event::VFORK if tracee.options & super::options::VFORK != 0 => hold(tracee, code),
        event::EXIT => {
            if tracee.resolve() && tracee.read() && tracee.copy.stop.state == at::ENDING {
                tracee.go_on(0);
                return None;
            }
            if tracee.mailbox == 0 && !tracee.introduced && !tracee.attached {
                // A thread that the emulator needs.
                tracee.go_on(0);
                return None;
            }
            hold(tracee, code)
        }
        _ => {
            tracee.introduce();
            tracee.go_on(0);
            None
        }
    }
}

/// An event of the host's kernel that is the guest's.
fn hold(tracee: &mut Tracee, code: u32) -> Option<u32> {
    if tracee.resolve() {
        tracee.read();
    }
    tracee.copy.stop.message = kernel::message(tracee.tid).unwrap_or(0);
    tracee.copy.stop.code = code;
    tracee.copy.stop.place = place::NONE;
    tracee.held = Some(Held::Host(code));
    tracee.interrupt = false;
    Some(code)
}

fn by_signal(tracee: &mut Tracee, signal: i32, info: &SigInfo) -> Option<u32> {
    if signal == SIGTRAP && info.code() == mailbox::STOP_CODE {
        if !tracee.resolve() || !tracee.read() {
            tracee.go_on(0);
            return None;
        }
        tracee.introduce();
        tracee.read();
        tracee.held = Some(Held::Guest);
        tracee.interrupt = false;
        return Some(tracee.copy.stop.code & 0xffff);
    }
    if signal == SIGTRAP && info.code() == mailbox::DOORBELL_CODE {
        tracee.go_on(SIGTRAP);
        return None;
    }
    if signal == SIGTRAP && tracee.doorbell && info.code() == SI_TKILL {
        tracee.doorbell = false;
        let bell = SigInfo::fault(SIGTRAP, mailbox::DOORBELL_CODE, 0);
        let _ = kernel::set_siginfo(tracee.tid, &bell);
        tracee.go_on(SIGTRAP);
        return None;
    }
    if SYNC_SET & bit(signal) != 0 && info.code() > 0 {
        // A fault, the emulator's or its guest's.
        tracee.go_on(signal);
        return None;
    }
    if signal == SIGTRAP && kernel::registers(tracee.tid).is_ok_and(|regs| regs.fs_base() == 0) {
        // A program was executed by one whose tracer has not asked for the event.
        let former = tracee.tid as u64;
        tracee.new_program(former);
        return None;
    }
    if !tracee.resolve() {
        if tracee.attached && signal == SIGSTOP {
            return put_off(tracee, info);
        }
        tracee.go_on(if signal == SIGSTOP { 0 } else { signal });
        return None;
    }
    tracee.introduce();
    if SYNC_SET & bit(signal) != 0 {
        // Its handler knows whether the guest holds it back.
        tracee.go_on(signal);
        return None;
    }
    if tracee.read() && tracee.copy.stop.state == at::ENDING {
        // It dies of this, and has shown that.
        tracee.go_on(signal);
        return None;
    }
    let stops = default_action(signal) == DefaultAction::Stop;
    if stops && tracee.read() && tracee.copy.stop.state == at::GROUP_STOPPING {
        tracee.place(at::RUNNING);
        tracee.go_on(signal);
        return None;
    }
    let bits = if signal == SIGSTOP {
        attend::STOP_SIGNAL
    } else {
        attend::SIGNAL
    };
    let mut info = *info;
    if signal == SIGSTOP {
        tracee.attached = false;
        if let Some((first, _)) = tracee.put_off.take() {
            info = first;
        }
    }
    tracee.bring(bits, Some(&info), true);
    None
}

/// The stop by SIGSTOP of a child that does not know itself yet: its registers are not the guest's, so it is sent the signal again
/// when it has run a little.
fn put_off(tracee: &mut Tracee, info: &SigInfo) -> Option<u32> {
    let (_, times) = tracee.put_off.get_or_insert((*info, 0));
    *times += 1;
    if *times > PUT_OFF_TIMES {
        // No thread of the guest's.
        tracee.attached = false;
        return hold(tracee, SIGSTOP as u32);
    }
    tracee.go_on(0);
    host::pause(NEW_CHILD_PAUSE);
    let _ = kernel::tkill(tracee.tid, SIGSTOP);
    None
}

/// PTRACE_EVENT_STOP.
pub fn by_stop(tracee: &mut Tracee, signal: i32) {
    if !tracee.resolve() {
        // It needs time to come to know itself before it is interrupted again.
        tracee.go_on_to_next_stop(0);
        if tracee.interrupt {
            host::pause(NEW_CHILD_PAUSE);
            let _ = kernel::request(kernel::INTERRUPT, tracee.tid, 0, 0);
        }
        return;
    }
    if signal != SIGTRAP {
        bring_group(tracee, signal);
        return;
    }
    tracee.introduce();
    if tracee.read() && tracee.copy.stop.state == at::STOPPING {
        // It comes to a stop of its own.
        tracee.go_on_to_next_stop(0);
        return;
    }
    // A group stop that it was to show is over by now.
    let over = tracee.copy.told.attend & attend::GROUP != 0;
    tracee.copy.told.attend &= !attend::GROUP;
    tracee.tell();
    let shown = std::mem::take(&mut tracee.interrupt) || over;
    let bits = if shown { attend::INTERRUPT } else { 0 };
    tracee.bring(bits, None, false);
}

fn bring_group(tracee: &mut Tracee, signal: i32) {
    tracee.introduce();
    tracee.interrupt = false;
    tracee.group = signal as u32;
    tracee.bring(attend::GROUP, None, false);
}

/// The observer of a tracer: what it writes into its tracees by other calls than ptrace(2) may be code.
pub struct Watch;

impl Observer for Watch {
    fn at(&self, task: &mut Task, boundary: &Boundary<'_>) -> Resume {
        let Boundary::CallLeft(call, Ok(count @ 1..)) = boundary else {
            return Resume::Run;
        };
        let all = (0, u64::MAX);
        let (start, len) = match call.name().as_str() {
            "pwrite64" if is_memory(call.regs[0]) => (call.regs[3], *count),
            "write" | "writev" | "pwritev" | "pwritev2" if is_memory(call.regs[0]) => all,
            "process_vm_writev" => all,
            _ => return Resume::Run,
        };
        task.tracees.wrote(start, len);
        Resume::Run
    }
}

/// Whether a descriptor is that of /proc/PID/mem.
fn is_memory(fd: u64) -> bool {
    let link = format!("/proc/self/fd/{}\0", fd as i32);
    let mut target = [0; 64];
    let Ok(link) = std::ffi::CStr::from_bytes_with_nul(link.as_bytes()) else {
        return false;
    };
    match crate::host::readlink(link, &mut target) {
        Ok(count) => {
            target[..count as usize].starts_with(b"/proc/") && target[..count as usize].ends_with(b"/mem")
        }
        Err(_) => false,
    }
}
