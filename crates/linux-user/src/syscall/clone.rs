//! clone(2), clone3(2): processes as host processes, threads as host threads.
//!
//! - CLONE_THREAD: a host thread made by std, so that thread-local storage works.
//! - CLONE_VM with CLONE_VFORK (vfork, posix_spawn): a host process that shares memory, on
//!   a stack of its own, driving the parent's Task while the parent sleeps in the kernel.
//! - All else: a host process with a copy of memory, flags (CLONE_NEW*) passed on.

use super::arg::{Addr, CloneFlags, Ptr, Size, write};
use crate::host;
use crate::mm::own;
use crate::run;
use crate::signal::thread::Saved;
use crate::task::{Task, host_tid};
use guest::cpu_model;
use guest::{CpuState, GuestAddr};
use guest_memory::access;
use linux_abi::nr::x86_64 as nr;
use linux_abi::{Errno, SysResult};
use std::arch::global_asm;
use std::sync::Arc;
use zerocopy::{FromBytes, Immutable, IntoBytes};

const CSIGNAL: u64 = 0xff;
pub const CLONE_VM: u64 = 0x100;
pub const CLONE_FS: u64 = 0x200;
pub const CLONE_FILES: u64 = 0x400;
pub const CLONE_SIGHAND: u64 = 0x800;
pub const CLONE_PIDFD: u64 = 0x1000;
pub const CLONE_VFORK: u64 = 0x4000;
pub const CLONE_THREAD: u64 = 0x1_0000;
pub const CLONE_SETTLS: u64 = 0x8_0000;
pub const CLONE_PARENT_SETTID: u64 = 0x10_0000;
pub const CLONE_CHILD_CLEARTID: u64 = 0x20_0000;
pub const CLONE_CHILD_SETTID: u64 = 0x100_0000;
const CLONE_CLEAR_SIGHAND: u64 = 1 << 32;
const SIGCHLD: u64 = 17;

/// struct clone_args, all versions.
#[derive(Clone, Copy, Debug, Default, FromBytes, IntoBytes, Immutable)]
#[repr(C)]
pub struct CloneArgs {
    pub flags: u64,
    pub pidfd: u64,
    pub child_tid: u64,
    pub parent_tid: u64,
    pub exit_signal: u64,
    pub stack: u64,
    pub stack_size: u64,
    pub tls: u64,
    pub set_tid: u64,
    pub set_tid_size: u64,
    pub cgroup: u64,
}
const CLONE_ARGS_SIZE_VER0: u64 = 64;
const CLONE_ARGS_SIZE: u64 = size_of::<CloneArgs>() as u64;

/// What is asked for, whichever call asked.
#[derive(Clone, Copy, Debug)]
pub struct Request {
    args: CloneArgs,
    /// The child's first stack pointer; 0 keeps the parent's.
    sp: u64,
    extended: bool,
    guest_parent_tid: Option<GuestAddr>,
}

/// clone(2).
pub fn clone(
    task: &mut Task,
    flags: CloneFlags,
    stack: Addr,
    parent_tid: Addr,
    tls: Addr,
    child_tid: Addr,
) -> SysResult {
    // The kernel takes the flags as 32 bits here.
    let flags = flags.0 & 0xffff_ffff;
    let args = CloneArgs {
        flags: flags & !CSIGNAL,
        exit_signal: flags & CSIGNAL,
        pidfd: parent_tid.0.0,
        parent_tid: parent_tid.0.0,
        child_tid: child_tid.0.0,
        tls: tls.0.0,
        ..CloneArgs::default()
    };
    start(
        task,
        Request {
            args,
            sp: stack.0.0,
            extended: false,
            guest_parent_tid: None,
        },
    )
}

/// clone3(2).
pub fn clone3(task: &mut Task, args: Ptr, size: Size) -> SysResult {
    if size.0 < CLONE_ARGS_SIZE_VER0 {
        return Err(Errno::EINVAL);
    }
    if size.0 > guest::PAGE_SIZE {
        return Err(Errno::E2BIG);
    }
    let mut bytes = vec![0_u8; size.0.max(CLONE_ARGS_SIZE) as usize];
    access::read(args.0, &mut bytes[..size.0 as usize]).map_err(|_| Errno::EFAULT)?;
    let (known, newer) = bytes.split_at(CLONE_ARGS_SIZE as usize);
    if newer.iter().any(|&byte| byte != 0) {
        return Err(Errno::E2BIG);
    }
    let args = CloneArgs::read_from_bytes(known).map_err(|_| Errno::EINVAL)?;
    let refused = args.flags & (CSIGNAL | 0x0040_0000) != 0
        || args.exit_signal > 64
        || (args.stack == 0) != (args.stack_size == 0)
        || (args.flags & CLONE_THREAD != 0 && args.exit_signal != 0)
        || args.flags & (CLONE_SIGHAND | CLONE_CLEAR_SIGHAND) == CLONE_SIGHAND | CLONE_CLEAR_SIGHAND;
    if refused {
        return Err(Errno::EINVAL);
    }
    start(
        task,
        Request {
            args,
            sp: args.stack.wrapping_add(args.stack_size),
            extended: true,
            guest_parent_tid: None,
        },
    )
}

fn start(task: &mut Task, request: Request) -> SysResult {
    let flags = request.args.flags;
    for (flag, pointer) in [
        (CLONE_PARENT_SETTID, request.args.parent_tid),
        (CLONE_CHILD_SETTID | CLONE_CHILD_CLEARTID, request.args.child_tid),
        (CLONE_PIDFD, request.args.pidfd),
    ] {
        if flags & flag != 0 {
            own::check(pointer, 4)?;
        }
    }
    if flags & CLONE_SIGHAND != 0 && flags & CLONE_VM == 0 {
        return Err(Errno::EINVAL);
    }
    if flags & CLONE_THREAD != 0 {
        return super::thread::start(task, request);
    }
    // The kernel starts no process while a signal waits; it restarts the call.
    task.signals.close()?;
    let result = match flags & (CLONE_VM | CLONE_VFORK) {
        CLONE_VM => super::shared::start(task, request),
        both if both == CLONE_VM | CLONE_VFORK => vfork(task, request),
        _ => fork(task, request),
    };
    task.signals.open();
    result
}

impl Request {
    #[must_use]
    pub fn flags(&self) -> u64 {
        self.args.flags
    }

    /// The same child, but the calling thread sleeps while it shares memory.
    #[must_use]
    pub fn with_vfork(mut self) -> Request {
        self.args.flags |= CLONE_VFORK;
        self
    }

    /// Has the kernel write the child's pid to `pid` instead of the guest's pointer. The
    /// guest's own gets it from the child.
    pub fn report_pid_to(&mut self, pid: *mut i32) {
        self.guest_parent_tid =
            (self.args.flags & CLONE_PARENT_SETTID != 0).then_some(GuestAddr(self.args.parent_tid));
        self.args.flags |= CLONE_PARENT_SETTID;
        self.args.parent_tid = pid as u64;
    }

    /// Stores the child's pid where the guest wanted it, after [`Request::report_pid_to`].
    pub fn store_parent_tid(&self, pid: i32) {
        if let Some(addr) = self.guest_parent_tid {
            // The kernel ignores a bad pointer here as well.
            let _ = write(addr, &pid);
        }
    }

    #[must_use]
    pub fn args(&self) -> &CloneArgs {
        &self.args
    }

    /// Gives the child's CPU its first state: X0 is 0, stack and TLS are the new ones.
    pub fn prepare(&self, state: &mut CpuState) {
        state.x[0] = 0;
        if self.sp != 0 {
            state.set_sp(self.sp);
        }
        if self.args.flags & CLONE_SETTLS != 0 {
            state.tpidr_el0 = self.args.tls;
        }
        state.exclusive_addr = u64::MAX;
        if state.random != 0 {
            // A repeatable sequence of its own.
            state.random = cpu_model::mixed(state.random) | 1;
        }
    }

    /// The child's thread state in the task that it drives.
    pub fn enter_child(&self, task: &mut Task) {
        self.prepare(task.cpu.state_mut());
        task.tid = host_tid();
        task.robust_list = GuestAddr::NULL;
        task.clear_child_tid = if self.args.flags & CLONE_CHILD_CLEARTID != 0 {
            GuestAddr(self.args.child_tid)
        } else {
            GuestAddr::NULL
        };
        task.signals.forget_held();
        if self.args.flags & CLONE_CLEAR_SIGHAND != 0 {
            task.process.signals.reset_handlers();
        }
    }

    /// The host's call: its number and arguments. `stack` is the host stack of the child
    /// (start and size), for one that shares memory. The kernel itself serves the tid
    /// pointers and the pidfd; TLS is the guest's own matter.
    fn host_call(&self, extended: &mut CloneArgs, stack: Option<(u64, u64)>) -> (u64, [u64; 6]) {
        let flags = self.args.flags & !(CLONE_SETTLS | CLONE_CLEAR_SIGHAND);
        let (start, size) = stack.unwrap_or((0, 0));
        if self.extended {
            *extended = CloneArgs {
                flags,
                stack: start,
                stack_size: size,
                tls: 0,
                ..self.args
            };
            let pointer = (&raw const *extended) as u64;
            return (nr::clone3, [pointer, CLONE_ARGS_SIZE, 0, 0, 0, 0]);
        }
        let flags = flags | self.args.exit_signal;
        let top = start + size;
        (
            nr::clone,
            [flags, top, self.args.parent_tid, self.args.child_tid, 0, 0],
        )
    }
}

/// A process with a copy of memory.
fn fork(task: &mut Task, request: Request) -> SysResult {
    let process = Arc::clone(&task.process);
    // Lock order: the map, the dispositions, the engine.
    let map = process.mm.freeze();
    let actions = process.signals.freeze();
    let mut engine = process.engine.lock_for_fork();
    let threaded = process.is_threaded();
    let pid = if threaded && request.is_plain_fork() {
        host::fork_with_libc_locks(&request)?
    } else {
        let mut extended = CloneArgs::default();
        let (number, args) = request.host_call(&mut extended, None);
        host::syscall(number, args)?
    };
    if pid == 0 {
        // Also without threads here: the parent of a vfork child may have some.
        engine.keep_only(&task.cpu);
    }
    drop((engine, actions, map));
    if pid == 0 {
        process.became_child();
        request.enter_child(task);
    }
    Ok(pid)
}

impl Request {
    /// Whether libc's fork does the same.
    fn is_plain_fork(&self) -> bool {
        let tids = CLONE_PARENT_SETTID | CLONE_CHILD_SETTID | CLONE_CHILD_CLEARTID | CLONE_SETTLS;
        self.args.flags & !tids == 0 && self.args.exit_signal == SIGCHLD && self.args.set_tid_size == 0
    }
}

impl host::ForkTids for Request {
    fn in_child(&self) {
        if self.args.flags & CLONE_CHILD_SETTID != 0 {
            // The kernel ignores a bad pointer here as well.
            let _ = write(GuestAddr(self.args.child_tid), &host_tid());
        }
    }
    fn in_parent(&self, pid: i32) {
        if self.args.flags & CLONE_PARENT_SETTID != 0 {
            let _ = write(GuestAddr(self.args.parent_tid), &pid);
        }
    }
}

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
    fn raemu_clone_shared(number: u64, args: *const [u64; 6]) -> u64;
}

/// A host stack for a child that shares the emulator's memory.
pub struct ChildStack {
    start: u64,
}

const CHILD_STACK_SIZE: u64 = 512 << 10;

impl ChildStack {
    /// # Errors
    /// ENOMEM.
    pub fn new() -> Result<ChildStack, Errno> {
        use linux_abi::flags;
        const MAP_NORESERVE: u64 = 0x4000;
        let map_flags = flags::MAP_PRIVATE | flags::MAP_ANONYMOUS | MAP_NORESERVE;
        let prot = flags::PROT_READ | flags::PROT_WRITE;
        let start = host::syscall(nr::mmap, [0, CHILD_STACK_SIZE, prot, map_flags, u64::MAX, 0])?;
        own::register(start..start + CHILD_STACK_SIZE);
        Ok(ChildStack { start })
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
        let size = CHILD_STACK_SIZE - 32;
        let top = (self.start + size) as *mut u64;
        // SAFETY: the top of our own mapping.
        unsafe { top.write(function as *const () as u64) };
        // SAFETY: as above.
        unsafe { top.add(1).write(argument as u64) };
        let mut extended = CloneArgs::default();
        let (number, args) = request.host_call(&mut extended, Some((self.start, size)));
        // SAFETY: the child has its own stack; the rest is the caller's promise.
        linux_abi::errno::from_register(unsafe { raemu_clone_shared(number, &raw const args) })
    }
}

struct VforkStart {
    task: *mut Task,
    request: Request,
}

/// What the parent gets back when the child is gone.
struct Parent {
    state: CpuState,
    signals: Saved,
    process: Arc<crate::Process>,
    tid: i32,
    robust_list: GuestAddr,
    clear_child_tid: GuestAddr,
}

/// A process that shares memory while the parent's thread sleeps: it drives the parent's
/// own Task (Cpu, thread-local storage), of which the parent keeps a copy.
fn vfork(task: &mut Task, request: Request) -> SysResult {
    let stack = match task.child_stacks.pop() {
        Some(stack) => stack,
        None => ChildStack::new()?,
    };
    let parent = Parent {
        state: task.cpu.state().clone(),
        signals: task.signals.save(),
        process: Arc::clone(&task.process),
        tid: task.tid,
        robust_list: task.robust_list,
        clear_child_tid: task.clear_child_tid,
    };
    let mut start = VforkStart {
        task: &raw mut *task,
        request,
    };
    // SAFETY: CLONE_VFORK keeps this thread in the kernel while the child uses `start`.
    let result = unsafe { stack.start(&request, vfork_child, (&raw mut start).cast()) };
    *task.cpu.state_mut() = parent.state;
    task.signals.restore(parent.signals);
    task.process = parent.process;
    task.tid = parent.tid;
    task.robust_list = parent.robust_list;
    task.clear_child_tid = parent.clear_child_tid;
    task.ended = None;
    // What the child allocated and could not free, because it executed another program.
    task.exec.clear();
    task.child_stacks.push(stack);
    result
}

extern "C" fn vfork_child(start: *mut libc::c_void) -> ! {
    // SAFETY: `vfork` passes its own, which outlives this process's use of it.
    let start = unsafe { &mut *start.cast::<VforkStart>() };
    // SAFETY: the parent's thread, which owns the task, sleeps.
    let task = unsafe { &mut *start.task };
    let shares_actions = start.request.flags() & CLONE_SIGHAND != 0;
    task.process = Arc::new(task.process.sharing_memory(shares_actions));
    start.request.enter_child(task);
    run_shared_child(task)
}

/// The life of a process that shares memory.
pub fn run_shared_child(task: &mut Task) -> ! {
    task.signals.open();
    let status = run::run_task(task);
    loop {
        let _ = host::syscall(nr::exit_group, [status as u64, 0, 0, 0, 0, 0]);
    }
}
