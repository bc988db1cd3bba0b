//! [`Machine`]: a program in this process, as a value.

use crate::config::Config;
use crate::error::Error;
use crate::function::{Function, Signature, Value};
use crate::load::{self, Ready};
use crate::program::Program;
use crate::symbols::Symbols;
use elf_loader::LoadError;
use engine::EdgeMap;
use guest::{Access, CpuState, Exit, FaultKind, GuestAddr, MemFault, PAGE_SIZE};
use guest_memory::access;
use linux_abi::{Errno, flags};
use linux_user::kernel::tenant::{self, Outcome, Resumed};
use linux_user::mm::{MapRequest, Snapshot as Memory};
use linux_user::{Process, Task};
use std::marker::PhantomData;
use std::sync::Arc;

/// BRK #0, which no compiler emits.
const BRK: u32 = 0xd420_0000;
const LINK_REGISTER: usize = 30;

/// One guest process with its memory, its CPUs and its engine.
///
/// What the guest does to itself stays in the machine: it exits, dies and breaks its memory as values. All else it
/// shares with the host process, which makes its system calls: descriptors, working directory, credentials, limits.
/// Guest addresses are host addresses, so a program that is not position-independent fits into a process once: for a
/// second one [`Machine::new`] gives [`LoadError::Map`] with EEXIST.
///
/// A machine lives on the thread that makes it. Machines of other threads run at the same time.
pub struct Machine {
    // Before the memory it runs in.
    task: Option<Task>,
    process: Arc<Process>,
    symbols: Symbols,
    /// A page that can be read and not executed: where called functions return to.
    returns: GuestAddr,
    bound_to_thread: PhantomData<*const ()>,
}

/// What [`Machine::restore`] goes back to.
pub struct Snapshot {
    memory: Memory,
    state: Box<CpuState>,
}

impl Machine {
    /// Loads `program`, which has executed no instruction then. `config.options.kernel_started` has no effect: a guest
    /// cannot execute programs, but in children.
    ///
    /// # Errors
    /// [`Error::Load`], or [`Error::Host`] without memory for a CPU.
    pub fn new(program: Program, mut config: Config) -> Result<Machine, Error> {
        // Programs that children execute are the kernel's to run: this file is not the emulator.
        config.options.kernel_started = true;
        let edges = config.edges;
        let file = program.file.try_clone().map_err(Error::Host)?;
        let Ready {
            process,
            start,
            entry,
        } = load::load(program, config, load::Role::Tenant)?;
        let process = Arc::new(process);
        let mut machine = Machine {
            task: None,
            symbols: Symbols::new(file, entry),
            returns: GuestAddr::NULL,
            process: Arc::clone(&process),
            bound_to_thread: PhantomData,
        };
        machine.returns = machine.map(PAGE_SIZE, flags::PROT_READ)?;
        let mut task = linux_user::first_task(process, start).map_err(Error::Host)?;
        task.cpu.set_edges(edges.then(EdgeMap::new));
        machine.task = Some(task);
        Ok(machine)
    }

    fn task(&mut self) -> &mut Task {
        self.task
            .as_mut()
            .expect("a machine has a task until it is dropped")
    }

    /// Runs the program to its end.
    pub fn run(&mut self) -> Outcome {
        loop {
            if let Err(outcome) = self.resume(|_, _| false) {
                return outcome;
            }
        }
    }

    /// Goes on until `stop` says so of an exit.
    fn resume(&mut self, stop: impl FnMut(&mut Task, Exit) -> bool) -> Result<Exit, Outcome> {
        if let Some(outcome) = self.process.tenancy().and_then(|tenancy| tenancy.outcome()) {
            return Err(outcome);
        }
        match tenant::resume(self.task(), stop) {
            Resumed::Stopped(exit) => Ok(exit),
            Resumed::Ended(outcome) => Err(outcome),
        }
    }

    /// Runs the program until its main thread comes to the instruction at `addr`, such as the first one of `main`,
    /// which it has not executed then.
    ///
    /// # Errors
    /// How the program ended before.
    ///
    /// # Panics
    /// If `addr` is not a multiple of 4 in memory that the guest may execute.
    pub fn run_to(&mut self, addr: GuestAddr) -> Result<(), Outcome> {
        let mut word = [0; 4];
        self.read(addr, &mut word).expect("there is code at the address");
        self.patch(addr, BRK.to_le_bytes());
        let stopped =
            self.resume(|task, exit| matches!(exit, Exit::Breakpoint(_)) && task.cpu.state().pc() == addr);
        self.patch(addr, word);
        stopped.map(drop)
    }

    /// Replaces an instruction.
    fn patch(&mut self, addr: GuestAddr, word: [u8; 4]) {
        let Process { mm, engine, .. } = &*self.process;
        let vma = mm.find(addr).expect("code is mapped");
        let page = addr.page();
        // The pages are the guest's own.
        let _ = mm.mprotect(engine, page, PAGE_SIZE, vma.prot | flags::PROT_WRITE);
        let written = access::write(addr, &word);
        let _ = mm.mprotect(engine, page, PAGE_SIZE, vma.prot);
        engine.invalidate(addr..addr.offset(4));
        written.expect("the page was made writable");
    }

    /// Calls a guest function with `arguments`, a tuple, on the present stack, and gives what it returns; then all
    /// registers are as before. What runs is the function alone: a program whose functions need its C library should have
    /// come to `main` first ([`Machine::run_to`]).
    ///
    /// # Errors
    /// How the guest ended, if the function did not return. Registers are those of the end then, and the machine can go
    /// on from a [`Machine::restore`] only.
    pub fn call<S: Signature>(
        &mut self,
        function: Function<S>,
        arguments: S::Arguments,
    ) -> Result<S::Result, Outcome> {
        let returns = self.returns;
        let state = self.task().cpu.state_mut();
        let before = state.clone();
        let registers = S::registers(arguments);
        let registers = registers.as_ref();
        state.x[..registers.len()].copy_from_slice(registers);
        state.set_reg(LINK_REGISTER, returns.0);
        state.set_sp(before.sp() & !15);
        state.pc = function.addr().0;
        state.btype = 0;
        self.resume(|_, exit| has_returned(exit, returns))?;
        let state = self.task().cpu.state_mut();
        let result = S::Result::from_register(state.x[0]);
        *state = before;
        Ok(result)
    }

    /// The function that the program's own symbol tables name so, for [`Machine::call`]; the prototype is the caller's word.
    pub fn function<S: Signature>(&mut self, name: &str) -> Option<Function<S>> {
        self.symbol(name).map(Function::at)
    }

    /// The address of a function or object that the program's own symbol tables name.
    pub fn symbol(&mut self, name: &str) -> Option<GuestAddr> {
        self.symbols.find(name)
    }

    /// Maps `len` bytes of zeroed memory, readable and writable, at least; gives its address.
    ///
    /// # Errors
    /// [`Error::Load`] with the host's error number.
    pub fn alloc(&mut self, len: u64) -> Result<GuestAddr, Error> {
        self.map(len, flags::PROT_READ | flags::PROT_WRITE)
    }

    /// [`Machine::alloc`] with an inaccessible page behind, whose address it gives.
    pub(crate) fn alloc_guarded(&mut self, len: u64) -> Result<GuestAddr, Error> {
        let len = len.next_multiple_of(PAGE_SIZE);
        let end = self.alloc(len + PAGE_SIZE)?.offset(len as i64);
        let Process { mm, engine, .. } = &*self.process;
        mm.mprotect(engine, end, PAGE_SIZE, flags::PROT_NONE)
            .map_err(LoadError::Map)?;
        Ok(end)
    }

    fn map(&self, len: u64, prot: u64) -> Result<GuestAddr, Error> {
        let Process { mm, engine, .. } = &*self.process;
        let mapped = mm.mmap(engine, MapRequest::anonymous(len, prot));
        mapped
            .map(GuestAddr)
            .map_err(|errno| LoadError::Map(errno).into())
    }

    /// Reads guest memory.
    ///
    /// # Errors
    /// The first fault, as the guest would have it.
    pub fn read(&self, addr: GuestAddr, bytes: &mut [u8]) -> Result<(), MemFault> {
        self.check(addr, bytes.len(), Access::Read)?;
        access::read(addr, bytes)
    }

    /// Writes guest memory. To change code is not enough: the guest's own IC IVAU is missing.
    ///
    /// # Errors
    /// The first fault, as the guest would have it; bytes before it may have been written.
    pub fn write(&mut self, addr: GuestAddr, bytes: &[u8]) -> Result<(), MemFault> {
        self.check(addr, bytes.len(), Access::Write)?;
        access::write(addr, bytes)
    }

    /// The host's own memory has addresses as well: only what the guest has mapped is the guest's.
    fn check(&self, addr: GuestAddr, len: usize, access: Access) -> Result<(), MemFault> {
        let fault = |addr| MemFault {
            addr: GuestAddr(addr),
            access,
            kind: FaultKind::Unmapped,
        };
        let end = addr.0.checked_add(len as u64).ok_or(fault(addr.0))?;
        let mut at = addr.0;
        while at < end {
            at = self.process.mm.find(GuestAddr(at)).ok_or(fault(at))?.end;
        }
        Ok(())
    }

    /// The main thread's registers.
    #[must_use]
    pub fn state(&mut self) -> &CpuState {
        self.task().cpu.state()
    }

    /// The main thread's registers, to be changed.
    pub fn state_mut(&mut self) -> &mut CpuState {
        self.task().cpu.state_mut()
    }

    /// The guest's memory map.
    #[must_use]
    pub fn mm(&self) -> &linux_user::mm::Mm {
        &self.process.mm
    }

    /// Keeps the main thread's registers and all private writable memory.
    ///
    /// # Errors
    /// [`Error::Load`]: EBUSY while the guest has other threads, or the host's.
    pub fn snapshot(&mut self) -> Result<Snapshot, Error> {
        if self.process.is_threaded() {
            return Err(LoadError::Map(Errno::EBUSY).into());
        }
        let memory = self.process.mm.snapshot().map_err(LoadError::Map)?;
        Ok(Snapshot {
            memory,
            state: Box::new(self.state().clone()),
        })
    }

    /// Goes back to a snapshot of this machine, also after its guest has ended, and forgets the edges taken. It costs by
    /// the memory written since. What the guest did to files, shared memory and signal dispositions stays.
    ///
    /// # Errors
    /// [`Error::Load`]: EBUSY while the guest has other threads; EINVAL if the guest has unmapped its own code.
    pub fn restore(&mut self, snapshot: &mut Snapshot) -> Result<(), Error> {
        if self.process.is_threaded() {
            return Err(LoadError::Map(Errno::EBUSY).into());
        }
        let Process { mm, engine, .. } = &*self.process;
        mm.restore(engine, &mut snapshot.memory).map_err(LoadError::Map)?;
        let task = self.task();
        tenant::revive(task);
        task.cpu.state_mut().clone_from(&snapshot.state);
        self.clear_edges();
        Ok(())
    }

    /// How often the main thread took each edge between blocks, up to 255 each, since [`Machine::clear_edges`] or
    /// [`Machine::restore`]; empty without [`Config::edges`].
    pub fn edges(&mut self) -> &[u8] {
        self.task().cpu.edges_mut().map_or(&[], |edges| edges.counts())
    }

    /// Forgets the edges taken.
    pub fn clear_edges(&mut self) {
        if let Some(edges) = self.task().cpu.edges_mut() {
            edges.clear();
        }
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        // Threads are left if the main thread was stopped before the end.
        if let Some(task) = &mut self.task {
            tenant::evict(task);
        }
        self.task = None;
        self.process.mm.clear(&self.process.engine);
    }
}

/// Whether a function has come back to where it was told to.
fn has_returned(exit: Exit, returns: GuestAddr) -> bool {
    match exit {
        Exit::Fault(fault) => fault.access == Access::Execute && fault.addr == returns,
        Exit::Svc(_) | Exit::Breakpoint(_) | Exit::Undefined | Exit::AuthenticationFailed | Exit::Poll => {
            false
        }
    }
}
