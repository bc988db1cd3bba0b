//! The cost of a system call: getpid from a guest's loop, and the host's own.

use crate::cpu_time::CpuTime;
use crate::program::{compile, machine};
use criterion::Criterion;
use linux_abi::nr;
use linux_user::host;
use std::hint::black_box;

pub fn syscall(c: &mut Criterion<CpuTime>) {
    let mut group = c.benchmark_group("syscall");
    group.bench_function("getpid, host", |b| {
        // SAFETY: the call takes no address.
        b.iter(|| black_box(unsafe { host::raw(nr::x86_64::getpid, [0; 6]) }));
    });
    if let Some(program) = compile() {
        let mut machine = machine(&program);
        let getpids = machine
            .function::<fn(u64) -> u32>("getpids")
            .expect("the program has symbols");
        group.bench_function("getpid, guest", |b| {
            b.iter_custom(|count| {
                let start = CpuTime::now();
                assert_eq!(machine.call(getpids, (count,)), Ok(std::process::id()));
                CpuTime::now() - start
            });
        });
    }
    group.finish();
}
