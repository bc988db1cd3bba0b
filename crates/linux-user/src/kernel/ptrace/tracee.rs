//! The tracee's side: an observer of its boundaries that stops it there for its tracer.
//!
//! The order of stops and what they show is the kernel's (kernel/ptrace.c, kernel/signal.c; arch/arm64/kernel/ptrace.c and
//! signal.c).

use super::mailbox::{
    self, Mode, RANGES, Registers, Stop, Told, Trace, at, attend as bits, changed, place, state,
};
use super::{begun, event, event_code, filters, kernel, options};
use crate::host;
use crate::kernel::clone::{CLONE_UNTRACED, Request};
use crate::kernel::stop::{Boundary, Call, End, Made, Observer, Resume};
use crate::signal::action::SA_RESTART;
use crate::signal::deliver;
use crate::signal::frame;
use crate::signal::info::{SI_KERNEL, SigInfo};
use crate::signal::set::{SIGSTOP, SIGTRAP, bit};
use crate::syscall::time;
use crate::task::Task;
use guest::GuestAddr;
use linux_abi::flags::CLONE_PTRACE;
use linux_abi::nr::arm64::number;
use linux_abi::{Errno, SysResult, errno};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use zerocopy::FromZeros;

/// TRAP_TRACE.
const TRAP_TRACE: i32 = 2;
const SI_USER: i32 = 0;
/// What PTRACE_GETEVENTMSG says at a system call.
const MESSAGE_ENTRY: u64 = 1;
const MESSAGE_EXIT: u64 = 2;
/// ERESTART_RESTARTBLOCK, ERESTARTNOHAND.
pub(super) const RESTART_BLOCK: i32 = 516;
pub(super) const RESTART_NO_HANDLER: i32 = 514;
/// ERESTARTSYS: unless a handler without SA_RESTART runs.
const RESTART_BY_ACTION: i32 = host::ERESTART.0;
/// ERESTARTNOINTR.
const RESTART_ALWAYS: i32 = 513;
/// Numbers of arm64's.
const RESTART_SYSCALL: u64 = number("restart_syscall") as u64;
const EXECVE: i32 = number("execve") as i32;

/// Written by the tracer into an emulator that has not begun to run: state, options, mode, former thread number, the
/// tracer's process and user.
pub struct Start([AtomicU32; 6]);

pub static START: Start = Start([const { AtomicU32::new(0) }; 6]);

impl Start {
    pub fn place(&self) -> u64 {
        (&raw const self.0) as u64
    }
}

/// What a tracer makes of a system call that is entered.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Altered {
    /// Another number.
    Number(u64),
    /// It is not made; X0 is its result.
    Skipped,
}

/// What a stop shows beside the registers.
struct Cause {
    code: u32,
    message: u64,
    place: u32,
    info: Option<SigInfo>,
}

impl Cause {
    /// By ptrace_notify: code and siginfo say the same.
    fn notified(code: u32, message: u64, place: u32) -> Cause {
        let mut info = SigInfo::fault((code & 0x7f) as i32, code as i32, 0);
        info.0[2] = host::gettid() as u64 | u64::from(host::getuid()) << 32;
        Cause {
            code,
            message,
            place,
            info: Some(info),
        }
    }
}

/// How a stop ended.
enum Answer {
    /// The tracer let it go on, with this signal or 0.
    Resumed(i32),
    /// There is no tracer (any more). `taken`: there was one, who has seen the stop; its signal is gone with that
    /// (wait_task_stopped).
    Alone { taken: bool },
}

/// The observer of a traced task.
struct Ptrace;

impl Observer for Ptrace {
    fn at(&self, task: &mut Task, boundary: &Boundary<'_>) -> Resume {
        match boundary {
            Boundary::CallEntered(call) if is_no_call(task, call) => {}
            Boundary::CallLeft(call, _) if is_no_call(task, call) => {
                task.trace.step_owed = mode(task).steps();
            }
            Boundary::CallEntered(call) => enter(task, call),
            Boundary::CallLeft(_, result) => leave(task, *result),
            Boundary::Seccomp { message, taken } => taken.set(filtered(task, *message)),
            Boundary::Started(_) => started(task),
            Boundary::Executed => executed(task),
            Boundary::Cloned(made, child) => cloned(task, *made, *child),
            Boundary::VforkDone(child) => {
                if wants(task, options::VFORK_DONE) {
                    notify(task, event_code(event::VFORK_DONE), *child as u64);
                }
            }
            Boundary::Exit(end) => ends(task, *end),
            // The signals that these become are shown by `decide`.
            Boundary::Signal(_) | Boundary::Breakpoint(_) | Boundary::Interrupted | Boundary::Step => {}
        }
        if mode(task).steps() {
            Resume::Step
        } else {
            Resume::Run
        }
    }
}

fn mode(task: &Task) -> Mode {
    let told = task.trace.told();
    if told.state & state::TRACED == 0 {
        return Mode::Continue;
    }
    Mode::of(told.resume)
}

fn wants(task: &Task, option: u32) -> bool {
    task.trace.told().options & option != 0
}

/// Whether a tracer sees the task's boundaries.
#[must_use]
pub fn is_traced(task: &Task) -> bool {
    task.trace.observed
}

/// Gives the task the observers that it has by being traced, and by tracing.
pub fn look(task: &mut Task) {
    let traced = task.trace.told().state & state::TRACED != 0;
    let watches = !task.tracees.is_empty();
    task.trace.observed = traced;
    let known = task.process.tasks.observers();
    if !traced && !watches {
        task.observers = known;
        task.extra_observers = 0;
        return;
    }
    let mut all: Vec<Arc<dyn Observer>> = known.map_or_else(Vec::new, |known| known.to_vec());
    let before = all.len();
    if traced {
        // The tracer sees NZCV at a fault, whether the guest has a handler for it or not.
        task.process.engine.keep_flags_exact();
        all.push(Arc::new(Ptrace));
    }
    if watches {
        all.push(Arc::new(super::wait::Watch));
    }
    task.extra_observers = all.len() - before;
    task.observers = Some(Arc::new(all));
}

/// A program begins, maybe by the hand of a tracee.
pub fn begin(task: &mut Task) {
    let word = |n: usize| START.0[n].load(Ordering::Relaxed);
    if word(0) & state::TRACED == 0 {
        return;
    }
    task.trace.with(|mailbox| {
        mailbox.told.state = word(0);
        mailbox.told.options = word(1);
        mailbox.told.resume = word(2);
        mailbox.told.tracer = u64::from(word(4)) | u64::from(word(5)) << 32;
        mailbox.stop.message = u64::from(word(3));
    });
    look(task);
}

/// Whether the kernel attaches the tracer to the child that a task makes (kernel_clone).
/// `helped`: a thread of the emulator's makes it, and it is not followed.
pub fn prepare(task: &mut Task, request: &Request, helped: bool) {
    let told = task.trace.told();
    let option = match request.made() {
        Made::Fork => options::FORK,
        Made::Vfork => options::VFORK,
        Made::Clone => options::CLONE,
    };
    let flags = request.flags();
    let event = flags & CLONE_UNTRACED == 0 && told.options & option != 0 && !helped;
    task.trace.event = event && told.state & state::TRACED != 0;
    task.trace.follow = told.state & state::TRACED != 0 && (event || flags & CLONE_PTRACE != 0 && !helped);
}

/// The task is the child of a fork now.
pub fn forked(task: &mut Task) {
    let told = if task.trace.follow {
        task.trace.told()
    } else {
        Told::new_zeroed()
    };
    task.trace.inherit(&told);
    task.tracees = super::Tracees::default();
    mailbox::attach(&task.trace);
    look(task);
}

fn fill(task: &Task, registers: &mut Registers) {
    let state = task.cpu.state();
    registers.general[..31].copy_from_slice(&state.x[..31]);
    registers.general[31] = state.sp();
    registers.general[32] = state.pc;
    registers.general[33] = frame::pstate(state);
    for (to, from) in registers.v.iter_mut().zip(state.v) {
        *to = [from as u64, (from >> 64) as u64];
    }
    registers.fpsr = state.fpsr();
    registers.fpcr = state.fp.fpcr;
    registers.tls = state.tpidr_el0;
    registers.call = task.trace.call;
    registers.first_argument = task.trace.first_argument;
    registers.mask = task.signals.mask();
    registers.keys = state.pac.keys;
    registers.pac_mask = guest::PacState::MASK;
    registers.enabled_keys = (0..4).map(|n| u32::from(state.pac.masks[n] != 0) << n).sum();
    registers.tagged = task.state.tagged_addresses;
    registers.debug = task.trace.debug.slots();
}

/// Takes over what the tracer set. `keeps_x0`: X0 is not the register but a result.
fn apply(task: &mut Task, told: &Told, registers: &Registers, keeps_x0: bool) {
    let state = task.cpu.state_mut();
    if told.changed & changed::GENERAL != 0 {
        let from = usize::from(keeps_x0);
        state.x[from..31].copy_from_slice(&registers.general[from..31]);
        state.set_sp(registers.general[31]);
        state.pc = registers.general[32];
        frame::set_pstate(state, registers.general[33]);
    }
    if told.changed & changed::FLOATING != 0 {
        for (to, from) in state.v.iter_mut().zip(registers.v) {
            *to = u128::from(from[0]) | u128::from(from[1]) << 64;
        }
        state.set_fpcr(registers.fpcr);
        state.set_fpsr(registers.fpsr);
    }
    if told.changed & changed::TLS != 0 {
        state.tpidr_el0 = registers.tls;
    }
    if told.changed & changed::KEYS != 0 {
        state.pac.keys = registers.keys;
    }
    if told.changed & changed::ENABLED_KEYS != 0 {
        for n in 0..4 {
            let enabled = registers.enabled_keys >> n & 1 != 0;
            state.pac.masks[n] = if enabled { guest::PacState::MASK } else { 0 };
        }
    }
    // An exception return clears the exclusive monitor.
    state.exclusive_addr = u64::MAX;
    if told.changed & changed::TAGGED != 0 {
        task.accept_tags(registers.tagged & 1);
    }
    if told.changed & changed::DEBUG != 0 {
        task.trace.debug.change(registers.debug);
    }
    if told.changed & changed::MASK != 0 {
        task.signals.note_mask(registers.mask);
        task.signals.open();
    }
    if told.changed & changed::CALL != 0 {
        task.trace.call = registers.call;
        task.trace.first_argument = registers.first_argument;
    }
    let engine = &task.process.engine;
    let count = told.code as usize;
    if count > RANGES {
        engine.invalidate(GuestAddr(0)..GuestAddr(u64::MAX));
    } else {
        for [start, len] in &told.ranges[..count] {
            engine.invalidate(GuestAddr(*start)..GuestAddr(start.saturating_add(*len)));
        }
    }
}

/// Stops the task until its tracer lets it go on.
fn stop(task: &mut Task, cause: &Cause) -> Answer {
    let mut registers = Registers::new_zeroed();
    fill(task, &mut registers);
    stop_with(task, cause, registers)
}

fn stop_with(task: &mut Task, cause: &Cause, registers: Registers) -> Answer {
    let filters = match filters::list(&task.state.seccomp) {
        None => [0, filters::NO_FILTERS],
        Some(list) => {
            task.trace.filters = list;
            [
                task.trace.filters.as_ptr() as u64,
                task.trace.filters.len() as u64,
            ]
        }
    };
    // Whatever a task stops for, it has been interrupted (ptrace_stop).
    task.trace.take(bits::INTERRUPT);
    task.trace.with(|mailbox| {
        mailbox.told.signal = 0;
        mailbox.told.changed = 0;
        mailbox.told.code = 0;
        mailbox.stop = Stop {
            state: at::STOPPING,
            code: cause.code,
            message: cause.message,
            place: cause.place,
            has_info: u32::from(cause.info.is_some()),
            info: cause.info.map_or([0; 16], |info| mailbox::words(&info)),
            filters,
        };
        mailbox.registers = registers;
    });
    // The tracer's kernel finds the task in this call; without a tracer the handler does.
    let _ = kernel::signal_self(&SigInfo::fault(SIGTRAP, mailbox::STOP_CODE, 0));
    let (told, left, registers) = task.trace.with(|mailbox| {
        let left = std::mem::replace(&mut mailbox.stop.state, at::RUNNING);
        (mailbox.told, left, mailbox.registers)
    });
    if left != at::RUNNING {
        task.trace.with(|mailbox| mailbox.told.state = 0);
        look(task);
        return Answer::Alone {
            taken: left == at::TAKEN,
        };
    }
    apply(task, &told, &registers, cause.place == place::EXIT);
    if told.state & state::TRACED == 0 {
        look(task);
    }
    task.stepping = mode(task).steps();
    Answer::Resumed(told.signal as i32)
}

/// An event's stop; a signal given there is lost, as in the kernel.
fn notify(task: &mut Task, code: u32, message: u64) {
    let _ = stop(task, &Cause::notified(code, message, place::NONE));
}

/// Shows the tracer a signal that is about to be delivered. Gives what is to be delivered in its place.
pub fn decide(task: &mut Task, info: &SigInfo) -> Option<SigInfo> {
    if !is_traced(task) {
        return Some(*info);
    }
    let cause = Cause {
        code: info.signal() as u32,
        message: 0,
        place: place::NONE,
        info: Some(*info),
    };
    match stop(task, &cause) {
        Answer::Alone { taken: false } => Some(*info),
        Answer::Alone { taken: true } | Answer::Resumed(0) => None,
        Answer::Resumed(signal) => {
            let shown = SigInfo(task.trace.with(|mailbox| mailbox.stop.info));
            let chosen = if shown.signal() == signal {
                shown
            } else {
                let mut chosen = SigInfo::fault(signal, SI_USER, 0);
                chosen.0[2] = task.trace.told().tracer;
                chosen
            };
            if task.signals.mask() & bit(signal) != 0 && signal != info.signal() {
                // It waits until the task unblocks it.
                let _ = kernel::signal_self(&chosen);
                return None;
            }
            Some(chosen)
        }
    }
}

/// What [`Tracee::bring`](super::table::Tracee::bring) asked for.
pub fn attend(task: &mut Task) {
    let told = task.trace.take(u32::MAX);
    look(task);
    if told.attend & bits::STOP_SIGNAL != 0 {
        deliver::deliver(task, &SigInfo(told.queue[1]));
    }
    if told.attend & bits::SIGNAL != 0 && task.ended.is_none() {
        deliver::deliver(task, &SigInfo(told.queue[0]));
    }
    if task.ended.is_some() {
        return;
    }
    if told.attend & bits::GROUP != 0 {
        let seized = told.state & state::SEIZED != 0;
        let cause = if seized {
            Cause::notified(told.group | event::STOP << 8, 0, place::NONE)
        } else {
            Cause {
                code: told.group,
                message: 0,
                place: place::NONE,
                info: None,
            }
        };
        let _ = stop(task, &cause);
    } else if told.attend & bits::INTERRUPT != 0 {
        notify(task, event_code(event::STOP), 0);
    }
    if still_interrupted(task) == Some(RESTART_BLOCK) {
        task.cpu.state_mut().x[8] = RESTART_SYSCALL;
        task.trace.resumes = true;
    }
    task.signals.open();
}

/// The kernel wants a call of the guest's made again, with this error; whoever brought the task here may have had
/// it say how.
pub fn note_result(task: &mut Task, error: Errno) {
    let raw = task.trace.take(bits::RAW_RESULT).attend & bits::RAW_RESULT != 0;
    let pc = task.cpu.state().pc.wrapping_sub(4);
    let begun = task.trace.begun.take();
    let error = if raw {
        Some(error.0)
    } else {
        // There is nothing for the kernel to take up: it is made again from its begin.
        begun.map(|error| {
            if error == RESTART_BLOCK {
                RESTART_NO_HANDLER
            } else {
                error
            }
        })
    };
    task.trace.interrupted = error.map(|error| (error, pc));
}

/// The error of the call that was interrupted and is about to be made again: as long as the task stands before it, it is
/// in that call for the kernel.
fn still_interrupted(task: &Task) -> Option<i32> {
    let (error, pc) = task.trace.interrupted?;
    (task.cpu.state().pc == pc).then_some(error)
}

/// Before a handler's frame is made: a call that the signal interrupted, and that is not to be made again, fails
/// (arch/arm64/kernel/signal.c, do_signal).
pub fn interrupt_call(task: &mut Task, action_flags: u64) {
    let Some(error) = still_interrupted(task) else {
        return;
    };
    task.trace.interrupted = None;
    let fails = match error {
        RESTART_BLOCK | RESTART_NO_HANDLER => true,
        RESTART_BY_ACTION => action_flags & SA_RESTART == 0,
        _ => false,
    };
    if fails {
        let state = task.cpu.state_mut();
        state.x[0] = errno::to_register(Err(Errno::EINTR));
        state.pc = state.pc.wrapping_add(4);
    }
}

/// A handler is about to run: one who steps sees its first instruction.
pub fn handler_entered(task: &mut Task) {
    if is_traced(task) && mode(task).steps() {
        notify(task, SIGTRAP as u32, 0);
    }
}

/// Shows the tracer the step that it asked for, if it did.
pub fn report_step(task: &mut Task) {
    if is_traced(task) && mode(task).steps() {
        let pc = task.cpu.state().pc;
        deliver::force(task, &SigInfo::fault(SIGTRAP, TRAP_TRACE, pc), false);
    }
}

fn syscall_code(task: &Task) -> u32 {
    let good = if wants(task, options::SYSGOOD) { 0x80 } else { 0 };
    SIGTRAP as u32 | good
}

/// A signal given at a system call's stop is sent (ptrace_report_syscall).
fn send_given(answer: &Answer) {
    if let Answer::Resumed(signal @ 1..) = answer {
        let _ = kernel::signal_self(&SigInfo::fault(*signal, SI_KERNEL, 0));
    }
}

/// What the vDSO answers by itself on hardware.
fn is_no_call(task: &Task, call: &Call<'_>) -> bool {
    time::is_made_without_a_call(task, call.number, call.regs[0])
}

fn enter(task: &mut Task, call: &Call<'_>) {
    task.trace.call = call.number as i32;
    task.trace.first_argument = call.regs[0];
    task.trace.interrupted = None;
    task.trace.begun = None;
    let mode = mode(task);
    task.trace.entered = mode.stops_at_entry();
    let mut registers = Registers::new_zeroed();
    fill(task, &mut registers);
    if !mode.stops_at_entry() {
        // For events of the host's kernel within the call.
        task.trace.with(|mailbox| mailbox.registers = registers);
        return;
    }
    let x7 = task.cpu.state().x[7];
    registers.general[7] = 0;
    let cause = Cause::notified(syscall_code(task), MESSAGE_ENTRY, place::ENTRY);
    let answer = stop_with(task, &cause, registers);
    task.cpu.state_mut().x[7] = x7;
    send_given(&answer);
    note_altered(task, mode.emulates(), call.number as i32);
}

/// Notes what a tracer made of a call that had this number.
fn note_altered(task: &mut Task, skipped: bool, number: i32) {
    task.trace.altered = if skipped || task.trace.call == -1 {
        Some(Altered::Skipped)
    } else if task.trace.call != number {
        Some(Altered::Number(task.trace.call as u32 as u64))
    } else {
        None
    };
    let skipped = matches!(task.trace.altered, Some(Altered::Skipped));
    if skipped {
        task.trace.call = -1;
    }
    let mut registers = Registers::new_zeroed();
    fill(task, &mut registers);
    task.trace.with(|mailbox| mailbox.registers = registers);
}

/// A seccomp filter asks for the tracer; whether it wants to be asked.
fn filtered(task: &mut Task, message: u16) -> bool {
    if !is_traced(task) || !wants(task, options::SECCOMP) {
        return false;
    }
    let number = task.trace.call;
    task.trace.entered = true;
    let code = event_code(event::SECCOMP);
    let _ = stop(task, &Cause::notified(code, u64::from(message), place::SECCOMP));
    note_altered(task, false, number);
    true
}

fn leave(task: &mut Task, mut result: SysResult) {
    let entered = std::mem::take(&mut task.trace.entered);
    let raw = task
        .trace
        .with(|mailbox| mailbox.told.attend & bits::RAW_RESULT != 0);
    if entered && !raw && result == Err(host::ERESTART) {
        task.trace.begun = begun::interrupted(task);
        // As if it had not been made at all: the kernel knows no other name for that.
        result = Err(Errno(task.trace.begun.unwrap_or(RESTART_ALWAYS)));
    }
    if mode(task) == Mode::Syscall {
        show_result(task, errno::to_register(result));
    }
    task.trace.call = -1;
    task.trace.step_owed = mode(task).steps();
}

fn show_result(task: &mut Task, x0: u64) {
    let mut registers = Registers::new_zeroed();
    fill(task, &mut registers);
    registers.general[0] = x0;
    let x7 = task.cpu.state().x[7];
    registers.general[7] = 1;
    let cause = Cause::notified(syscall_code(task), MESSAGE_EXIT, place::EXIT);
    let answer = stop_with(task, &cause, registers);
    task.cpu.state_mut().x[7] = x7;
    let now = task.trace.with(|mailbox| mailbox.registers.general[0]);
    if now != x0 {
        task.trace.result = Some(now);
    }
    send_given(&answer);
}

fn started(task: &mut Task) {
    task.trace.call = -1;
    if !std::mem::take(&mut task.trace.starts) {
        return;
    }
    if task.trace.told().state & state::SEIZED != 0 {
        notify(task, event_code(event::STOP), 0);
    } else {
        let info = SigInfo::fault(SIGSTOP, SI_USER, 0);
        deliver::deliver(task, &info);
    }
}

fn executed(task: &mut Task) {
    let former = task.trace.with(|mailbox| mailbox.stop.message);
    let told = task.trace.told();
    task.trace.call = EXECVE;
    if told.options & options::EXEC != 0 {
        notify(task, event_code(event::EXEC), former);
    }
    if is_traced(task) && mode(task) == Mode::Syscall {
        show_result(task, 0);
        task.trace.result = None;
    }
    task.trace.call = -1;
    if is_traced(task) && told.options & options::EXEC == 0 && told.state & state::SEIZED == 0 {
        let mut info = SigInfo::fault(SIGTRAP, SI_USER, 0);
        info.0[2] = task.tid as u64 | u64::from(host::getuid()) << 32;
        deliver::deliver(task, &info);
    }
}

fn cloned(task: &mut Task, made: Made, child: i32) {
    let event = match made {
        Made::Fork => event::FORK,
        Made::Clone => event::CLONE,
        // Shown where the host's kernel stops the parent: it sleeps from then on.
        Made::Vfork => return,
    };
    if task.trace.event {
        notify(task, event_code(event), child as u64);
    }
}

fn ends(task: &mut Task, end: End) {
    if wants(task, options::EXIT) {
        let status = match end {
            End::Status(status) => (status as u64 & 0xff) << 8,
            End::Signal(signal) => signal as u64,
        };
        notify(task, event_code(event::EXIT), status);
    }
    task.trace.with(|mailbox| mailbox.stop.state = at::ENDING);
}

/// The task asks its parent to trace it.
pub fn trace_me(task: &mut Task) {
    task.trace.with(|mailbox| {
        mailbox.told = Told::new_zeroed();
        mailbox.told.state = state::TRACED;
    });
    look(task);
}

impl Trace {
    /// The new result of a system call, if the tracer changed it.
    pub fn take_result(&mut self) -> Option<SysResult> {
        self.result.take().map(errno::from_register)
    }

    /// Whether a step was asked for behind which a system call was.
    pub fn take_owed_step(&mut self) -> bool {
        std::mem::take(&mut self.step_owed)
    }

    /// Whether the kernel has a call to take up again.
    pub fn take_resumes(&mut self) -> bool {
        std::mem::take(&mut self.resumes)
    }

    /// What the tracer made of the call that was entered.
    pub fn take_altered(&mut self) -> Option<Altered> {
        self.altered.take()
    }

    /// For a child or thread that the calling task makes.
    #[must_use]
    pub fn told_to_child(&self) -> Told {
        if self.follow {
            self.told()
        } else {
            Told::new_zeroed()
        }
    }

    /// The signal's default action is about to stop the process.
    pub fn group_stopping(&self) {
        self.with(|mailbox| mailbox.stop.state = at::GROUP_STOPPING);
    }
}
