//! A guest program in this process, through the library: its start to its end, calls of its functions.

use crate::cpu_time::CpuTime;
use criterion::Criterion;
use raemu::{Config, Machine, Outcome, Program};
use std::path::{Path, PathBuf};
use std::process::Command;

const COMPILER: &str = "aarch64-linux-gnu-gcc";

/// Compiles `program.c`, or says that it cannot be.
pub fn compile() -> Option<PathBuf> {
    let program = Path::new(env!("CARGO_TARGET_TMPDIR")).join("program");
    let status = Command::new(COMPILER)
        .args(["-O2", "-static-pie", "-o"])
        .arg(&program)
        .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/parts/program.c"))
        .status();
    let Ok(status) = status else {
        println!("not measured: guest programs, for there is no {COMPILER}");
        return None;
    };
    assert!(status.success(), "it compiles");
    Some(program)
}

pub fn machine(path: &Path) -> Machine {
    let program = Program::open(path).expect("it was compiled");
    Machine::new(program, Config::default()).expect("it loads")
}

pub fn program(c: &mut Criterion<CpuTime>) {
    let Some(path) = compile() else { return };
    let mut group = c.benchmark_group("program");
    group.bench_function("from its file to its end", |b| {
        b.iter(|| assert_eq!(machine(&path).run(), Outcome::Exited(0)));
    });
    let mut machine = machine(&path);
    let nothing = machine
        .function::<fn()>("nothing")
        .expect("the program has symbols");
    group.bench_function("call of a function", |b| {
        b.iter(|| machine.call(nothing, ()));
    });
    let mut start = machine.snapshot().expect("it has one thread");
    group.bench_function("call and restore", |b| {
        b.iter(|| {
            assert_eq!(machine.call(nothing, ()), Ok(()));
            machine.restore(&mut start).expect("nothing was unmapped");
        });
    });
    group.finish();
}
