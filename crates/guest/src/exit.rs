//! [`Exit`]: why guest code stopped running.

use crate::GuestAddr;

/// What a faulting access tried to do.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Access {
    Read,
    Write,
    Execute,
}

/// Why an access faulted, in the terms the guest's siginfo needs.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum FaultKind {
    /// Nothing is mapped there: SIGSEGV with SEGV_MAPERR.
    Unmapped,
    /// Mapped without the needed permission: SIGSEGV with SEGV_ACCERR.
    Permission,
    /// Beyond the end of a mapped file: SIGBUS with BUS_ADRERR.
    Bus,
    /// Misaligned exclusive, atomic or PC: SIGBUS with BUS_ADRALN.
    Alignment,
}

/// A guest memory access that could not be done.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct MemFault {
    pub addr: GuestAddr,
    pub access: Access,
    pub kind: FaultKind,
}

/// Why translated or interpreted code returned. `CpuState::pc` is precise at each of them.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Exit {
    /// SVC #imm executed; pc is already behind it.
    Svc(u16),
    /// A signed pointer was not what its signature says (FEAT_FPAC); pc is at the instruction.
    AuthenticationFailed,
    /// BRK #imm; pc is at it.
    Breakpoint(u16),
    /// Unallocated, or disabled, instruction; pc is at it.
    Undefined,
    /// A load, store or fetch faulted; pc is at the instruction.
    Fault(MemFault),
    /// An asynchronous request (a signal, a code flush) is pending; pc is at a guest boundary.
    Poll,
}
