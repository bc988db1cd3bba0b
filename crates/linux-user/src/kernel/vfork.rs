//! vfork: a host process that shares memory, on a stack of its own, driving the parent's
//! Task while the parent sleeps in the kernel.

use super::clone::{CLONE_PIDFD, CLONE_SIGHAND, CloneArgs, Request};
use super::ptrace::{self, mailbox};
use super::run;
use super::stop::{self, Boundary, Made};
use super::task::{Lent, Task};
use crate::host;
use host_memory::lock;
use host_memory::{Access, Mapping};
use linux_abi::{Errno, SysResult};
use std::arch::global_asm;

// rdi = call number, rsi = its first five arguments. Returns the child's pid in the parent.
// The child finds a function and its argument on its new stack and never returns.
global_asm!(
    ".globl raemu_clone_shared",
    "raemu_clone_shared:",
    "    mov rax, rdi",
    "    mov r11, rsi",
    "    mov rdi, [r11]",
    "    mov rsi, [r11 + 8]",
    "    mov rdx, [r11 + 16]",
    "    mov r10, [r11 + 24]",
    "    mov r8, [r11 + 32]",
    "    syscall",
    "    test rax, rax",
    "    jnz 2f",
    "    xor ebp, ebp",
    "    pop rax",
    "    pop rdi",
    "    call rax",
    "    ud2",
    "2:  ret",
);

unsafe extern "C" {
    pub(crate) fn raemu_clone_shared(number: u64, args: *const [u64; 6]) -> u64;
}

/// A host stack for a child that shares the emulator's memory.
pub struct ChildStack(Mapping);

const CHILD_STACK_SIZE: usize = 512 << 10;

impl ChildStack {
    /// # Errors
    /// ENOMEM.
    pub fn new() -> Result<ChildStack, Errno> {
        Mapping::new(CHILD_STACK_SIZE, Access::ReadWrite)
            .map(ChildStack)
            .map_err(|_| Errno::ENOMEM)
    }

    /// Starts a host process that shares memory and calls `function(argument)` on this stack.
    ///
    /// # Safety
    /// `argument` must stay valid until the child has executed another program or ended,
    /// `function` must not return, and the calling thread must not run meanwhile (the
    /// child uses its thread-local storage): `request` has CLONE_VFORK.
    pub unsafe fn start(
        &self,
        request: &Request,
        function: extern "C" fn(*mut libc::c_void) -> !,
        argument: *mut libc::c_void,
    ) -> SysResult {
        // The return address slot keeps the stack aligned at the call.
        let size = CHILD_STACK_SIZE as u64 - 32;
        let top = (self.0.address() + size) as *mut u64;
        // SAFETY: the top of our own mapping.
        unsafe { top.write(function as *const () as u64) };
        // SAFETY: as above.
        unsafe { top.add(1).write(argument as u64) };
        let mut extended = CloneArgs::default();
        let (number, args) = request.host_call(&mut extended, Some((self.0.address(), size)));
        // SAFETY: the child has its own stack; the rest is the caller's promise.
        linux_abi::errno::from_register(unsafe { raemu_clone_shared(number, &raw const args) })
    }
}

/// Where the kernel writes a child's number before the child runs.
#[derive(Default)]
pub struct Report {
    place: Option<*mut i32>,
    /// It, if there is no other.
    here: i32,
}

impl Report {
    /// To stay where it is as long as the child may write there.
    pub fn place(&mut self, lent: &Lent) -> *mut i32 {
        let place = lent.number_at().unwrap_or(&raw mut self.here);
        self.place = Some(place);
        place
    }

    /// 0 if it was not asked for.
    pub fn pid(&self) -> i32 {
        // SAFETY: never freed, or ours.
        self.place.map_or(0, |place| unsafe { *place })
    }
}

struct VforkStart {
    task: *mut Task,
    request: Request,
    /// The child's number is not asked for where nobody needs it and that takes clone3, which a container may forbid: with
    /// CLONE_PIDFD.
    report: Report,
}

/// A process that shares memory while the parent's thread sleeps: it drives the parent's
/// own Task (Cpu, thread-local storage), of which the parent keeps a copy.
pub fn vfork(task: &mut Task, request: Request) -> SysResult {
    let stack = match task.child_stacks.pop() {
        Some(stack) => stack,
        None => ChildStack::new()?,
    };
    let mut start = VforkStart {
        task: &raw mut *task,
        request,
        report: Report::default(),
    };
    let shares_actions = request.flags() & CLONE_SIGHAND != 0;
    let reports = task.observers.is_some() || request.flags() & CLONE_PIDFD == 0;
    let lent = task.lend(shares_actions);
    if reports {
        start.request.report_pid_to(start.report.place(&lent));
    }
    let request = start.request;
    // SAFETY: CLONE_VFORK keeps this thread in the kernel while the child uses `start`.
    let result = unsafe { stack.start(&request, vfork_child, (&raw mut start).cast()) };
    task.take_back(lent, result.is_ok());
    mailbox::attach(&task.trace);
    task.child_stacks.push(stack);
    if let Ok(pid) = result {
        stop::raise(task, &Boundary::VforkDone(pid as i32));
    }
    result
}

extern "C" fn vfork_child(start: *mut libc::c_void) -> ! {
    // SAFETY: `vfork` passes its own, which outlives this process's use of it.
    let start = unsafe { &mut *start.cast::<VforkStart>() };
    // SAFETY: the parent's thread, which owns the task, sleeps.
    let task = unsafe { &mut *start.task };
    lock::introduce();
    task.cpu.take_over();
    let pid = start.report.pid();
    // The parent's thread cannot tell: it sleeps until this process is gone.
    stop::raise(task, &Boundary::Cloned(Made::Vfork, pid));
    start.request.store_parent_tid(pid);
    task.process.note_pid();
    start.request.enter_child(task);
    run_shared_child(task)
}

/// The life of a process that shares memory.
pub fn run_shared_child(task: &mut Task) -> ! {
    task.process.tasks.running(task.tid, task.cpu.poll_handle());
    mailbox::attach(&task.trace);
    ptrace::look(task);
    stop::raise(task, &Boundary::Started(None));
    task.signals.open();
    let status = run::run_task(task);
    lock::leaving(true);
    loop {
        let _ = host::exit_group(status as u64);
    }
}
