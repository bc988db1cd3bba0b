//! The marker: a filter of the host's that says that the guest of this thread has filters.
//!
//! It allows everything, but answers getpid(2) with a certain argument by an errno that getpid never has. The host's
//! kernel hands it on to children and over execve, lets nobody remove it, and grants it to those alone who may have
//! filters at all (no_new_privs, or CAP_SYS_ADMIN). So a fresh emulator can tell whether the filters that it is offered
//! are its guest's, and that there must be some: see [`super::handed`].
//!
//! Once a thread has any filter, each system call of the host's costs more; so it is set at the last moment.

use super::Seccomp;
use super::bpf::Insn;
use super::filter::ret;
use super::install::{SET_MODE_FILTER, flag};
use crate::host;
use linux_abi::nr::x86_64 as nr;
use linux_abi::{Errno, SysResult};

/// The first argument of getpid.
const QUESTION: u32 = 0x7261_656d;
/// Its answer.
const ANSWER: u32 = 2748;

const LD_ABS: u16 = 0x20;
const JEQ: u16 = 0x15;
const RET: u16 = 0x06;

const fn insn(code: u16, jt: u8, jf: u8, k: u32) -> Insn {
    Insn { code, jt, jf, k }
}

/// Offsets in struct seccomp_data.
const NR: u32 = 0;
const ARG0: u32 = 16;

/// struct sock_fprog.
#[repr(C)]
struct Fprog {
    len: u64,
    insns: *const Insn,
}

/// Asks a supervisor about getpgrp ([`super::notify`]), answers the question, and allows all else.
const PROGRAM: [Insn; 8] = [
    insn(LD_ABS, 0, 0, NR),
    insn(JEQ, 0, 1, nr::getpgrp as u32),
    insn(RET, 0, 0, ret::USER_NOTIF),
    insn(JEQ, 0, 3, nr::getpid as u32),
    insn(LD_ABS, 0, 0, ARG0),
    insn(JEQ, 0, 1, QUESTION),
    insn(RET, 0, 0, ret::ERRNO | ANSWER),
    insn(RET, 0, 0, ret::ALLOW),
];

/// Marks the calling thread, if it is not yet.
///
/// # Errors
/// EACCES without the right to have filters, ENOMEM.
pub fn set(seccomp: &mut Seccomp) -> Result<(), Errno> {
    if seccomp.marks == 0 {
        install(seccomp, 0)?;
    }
    Ok(())
}

/// Whether the calling thread is marked.
#[must_use]
pub fn is_set() -> bool {
    // SAFETY: the call takes no address.
    let answer = unsafe { host::raw(nr::getpid, [u64::from(QUESTION), 0, 0, 0, 0, 0]) };
    answer == Err(Errno(ANSWER as i32))
}

/// Installs the filter in the host's kernel with flags of the guest's: a listener, or for all threads.
///
/// # Errors
/// The host's. What it answers for threads that are apart is an error: ESRCH.
pub fn install(seccomp: &mut Seccomp, flags: u32) -> SysResult {
    // Without a listener, nothing to ask it.
    let asks = if flags & flag::NEW_LISTENER != 0 {
        1..3
    } else {
        1..1
    };
    let program = [&PROGRAM[..1], &PROGRAM[asks], &PROGRAM[3..]].concat();
    let fprog = Fprog {
        len: program.len() as u64,
        insns: program.as_ptr(),
    };
    let all = if flags & flag::TSYNC != 0 {
        flag::TSYNC_ESRCH
    } else {
        0
    };
    // Older kernels slow a thread down for having a filter, which this one is no reason for.
    let flags = u64::from(flags | all | flag::SPEC_ALLOW);
    let args = [
        u64::from(SET_MODE_FILTER),
        flags,
        (&raw const fprog) as u64,
        0,
        0,
        0,
    ];
    // SAFETY: the kernel reads the structure and the program.
    let result = unsafe { host::raw(nr::seccomp, args) }?;
    seccomp.marks += 1;
    Ok(result)
}
