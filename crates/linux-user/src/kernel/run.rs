//! The run loop: guest code until an exit, then what the exit asks for.

use super::process::Process;
use super::ptrace;
use super::stop::{self as boundary, Boundary, End};
use super::task::Task;
use super::thread as threads;
use crate::host;
use crate::proc::record;
use crate::signal::{core_file, deliver, frame, thread};
use crate::syscall;
use engine::Cpu;
use guest::cpu_model::Feature;
use guest::{CpuState, Exit, GuestAddr};
use linux_abi::errno;
use std::sync::Arc;

/// Where a program begins: its entry point and its first stack pointer.
#[derive(Clone, Copy, Debug)]
pub struct Start {
    pub pc: GuestAddr,
    pub sp: GuestAddr,
    /// State of RNDR's generator; 0 for the host's random numbers.
    pub random: u64,
}

/// Runs the program until it exits; the status is for the emulator to exit with.
///
/// # Errors
/// When the host has no memory for the CPU's state.
pub fn run(process: impl Into<Arc<Process>>, start: Start) -> std::io::Result<i32> {
    let mut task = first_task(process.into(), start)?;
    record::publish(&task.process.image, task.process.mm.brk_range().start.0);
    task.attach();
    ptrace::begin(&mut task);
    boundary::raise(&mut task, &Boundary::Executed);
    let status = run_task(&mut task);
    if task.process.is_threaded() {
        // The main thread ended alone; its status becomes the process's once all have.
        threads::end(task);
        loop {
            let _ = host::exit(status as u64);
        }
    }
    Ok(status)
}

/// The main thread of a program that begins, on the calling host thread.
///
/// # Errors
/// When the host has no memory for the CPU's state.
pub fn first_task(process: Arc<Process>, start: Start) -> std::io::Result<Task> {
    if !process.image.comm.is_empty() {
        set_thread_name(&process.image.comm);
    }
    let mut cpu = Cpu::new(Arc::clone(&process.engine))?;
    cpu.state_mut().pc = start.pc.0;
    cpu.state_mut().set_sp(start.sp.0);
    reset_features(cpu.state_mut(), &start);
    let mut task = Task::new(cpu, process, thread::host_mask());
    if let Some(inherited) = &task.process.options.filters {
        task.state.seccomp = inherited.state();
        task.process.filters.begin(task.tid, task.state.seccomp.filters());
        syscall::watch_calls();
    }
    task.process.tasks.running(task.tid, task.cpu.poll_handle());
    Ok(task)
}

/// What a new program finds of the CPU's extensions.
fn reset_features(state: &mut CpuState, start: &Start) {
    let features = state.model.features;
    state.random = start.random;
    if features.contains(Feature::Pauth) {
        state.pac.keys = std::array::from_fn(|_| syscall::pac::new_key(&mut state.random));
    }
    if features.contains(Feature::Ssbs) {
        // Linux mitigates by default only what asks for it.
        state.pstate = frame::PSTATE_SSBS;
    }
}

/// Shows the guest's program name where the kernel shows the emulator's.
fn set_thread_name(name: &[u8]) {
    let mut comm = [0_u8; 16];
    let count = name.len().min(15);
    comm[..count].copy_from_slice(&name[..count]);
    // Fails for a bad pointer only.
    let _ = host::set_thread_name(&comm);
}

/// Runs one guest thread to its end.
pub(crate) fn run_task(task: &mut Task) -> i32 {
    loop {
        // Nothing stops it but its end.
        let _ = run_until(task, |_, _| false);
        core_file::threads::contribute(task);
        if let Some(status) = task.ended {
            return status;
        }
    }
}

/// Runs one guest thread until `stop` says so of an exit, which is given, or until its end.
pub(super) fn run_until(task: &mut Task, mut stop: impl FnMut(&mut Task, Exit) -> bool) -> Option<Exit> {
    loop {
        if task.signals.is_pending() {
            deliver::deliver_pending(task);
            if task.ended.is_some() {
                return None;
            }
        }
        task.process.mm.see_others_changes(&task.process.engine);
        let exit = if task.stepping {
            step(task)
        } else if task.trace.is_debugged() {
            ptrace::debug::run(task)
        } else {
            task.cpu.run()
        };
        if stop(task, exit) {
            return Some(exit);
        }
        match exit {
            Exit::Svc(_) => system_call(task),
            Exit::Poll => look_for_observers(task),
            Exit::Breakpoint(immediate) => {
                boundary::raise(task, &Boundary::Breakpoint(immediate));
                deliver::breakpoint(task, immediate);
            }
            Exit::Undefined => deliver::undefined(task),
            Exit::AuthenticationFailed => deliver::authentication_failed(task),
            Exit::Fault(fault) => deliver::memory_fault(task, fault),
        }
        if let Some(status) = task.ended {
            // A tenant that was killed has shown it.
            if task
                .process
                .tenancy()
                .is_none_or(|tenancy| tenancy.outcome().is_none())
            {
                boundary::raise(task, &Boundary::Exit(End::Status(status)));
            }
            return None;
        }
    }
}

/// One instruction, as an observer asked for it.
#[cold]
fn step(task: &mut Task) -> Exit {
    task.stepping = false;
    if task.trace.take_owed_step() {
        ptrace::report_step(task);
        return Exit::Poll;
    }
    match ptrace::debug::step(task) {
        Ok(()) => {
            boundary::raise(task, &Boundary::Step);
            ptrace::report_step(task);
            Exit::Poll
        }
        Err(exit) => exit,
    }
}

/// A poll may have been asked for by a new observer ([`super::registry::Tasks::observe`]).
fn look_for_observers(task: &mut Task) {
    let known = task.observers.as_ref().map_or(0, |known| known.len());
    let observers = task.process.tasks.observers();
    if observers.as_ref().map_or(0, |now| now.len()) != known - task.extra_observers {
        ptrace::look(task);
        boundary::raise(task, &Boundary::Interrupted);
    }
}

fn system_call(task: &mut Task) {
    let result = syscall::dispatch(task);
    if let Err(error) = result
        && host::RESTARTS.contains(&error.0)
    {
        // X0 still holds the argument: the same call again, once the signal is handled.
        ptrace::note_result(task, error);
        let state = task.cpu.state_mut();
        state.pc = state.pc.wrapping_sub(4);
    } else {
        task.cpu.state_mut().x[0] = errno::to_register(result);
    }
}
