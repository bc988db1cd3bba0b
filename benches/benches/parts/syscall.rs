//! The cost of a system call: getpid from a guest loop, and the host's own.

use crate::cpu_time::CpuTime;
use benches::{Everywhere, GuestCode};
use criterion::Criterion;
use engine::{Cpu, Engine, Mode};
use guest::Exit;
use linux_abi::{errno, nr};
use linux_user::mm::Mm;
use linux_user::signal::Actions;
use linux_user::signal::set::SigSet;
use linux_user::{Image, Options, Process, Task, host, syscall};
use std::hint::black_box;
use std::sync::Arc;

/// getpid's number on arm64 (include/uapi/asm-generic/unistd.h).
const GETPID: u64 = 172;

/// A task in a loop of system calls.
fn task(code: &GuestCode) -> Task {
    let engine = Engine::new(Box::new(Everywhere), Mode::Jit, &guest::cpu_model::EVERYTHING);
    let mut cpu = Cpu::new(Arc::clone(&engine)).expect("memory for one CPU");
    cpu.state_mut().pc = code.address(0).0;
    cpu.state_mut().x[8] = GETPID;
    let process = Process::new(
        Mm::new(),
        engine,
        Options::default(),
        Image::default(),
        Actions::inherit(),
    );
    Task::new(cpu, Arc::new(process), SigSet::default())
}

pub fn syscall(c: &mut Criterion<CpuTime>) {
    let code = GuestCode::from_words(&[
        0xd400_0001, // svc #0
        0x17ff_ffff, // b .-4
    ]);
    let mut task = task(&code);
    let mut group = c.benchmark_group("syscall");
    group.bench_function("getpid, host", |b| {
        // SAFETY: the call takes no address.
        b.iter(|| black_box(unsafe { host::raw(nr::x86_64::getpid, [0; 6]) }));
    });
    group.bench_function("getpid, guest", |b| {
        b.iter(|| {
            // As the run loop does it.
            assert_eq!(task.cpu.run(), Exit::Svc(0));
            let result = syscall::dispatch(&mut task);
            task.cpu.state_mut().x[0] = errno::to_register(result);
        });
    });
    assert_eq!(task.cpu.state().x[0], u64::from(std::process::id()));
    group.finish();
}
