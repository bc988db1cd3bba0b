//! Ways between blocks: entering and leaving generated code, linked branches, calls and
//! returns, computed branches.

use crate::cpu_time::CpuTime;
use benches::{Everywhere, GuestCode};
use criterion::Criterion;
use engine::{Cpu, Engine, Mode};
use guest::Exit;
use std::sync::Arc;
use std::time::Duration;

/// A CPU about to run `words`.
fn cpu_for(code: &GuestCode) -> Cpu {
    let engine = Engine::new(Box::new(Everywhere), Mode::Jit, &guest::cpu_model::EVERYTHING);
    let mut cpu = Cpu::new(Arc::clone(&engine)).expect("memory for one CPU");
    cpu.state_mut().pc = code.address(0).0;
    cpu
}

/// Runs `words` with the number of rounds in X0 and the address of word `label` in X1;
/// it ends with SVC.
fn rounds(words: &[u32], label: usize, count: u64) -> Duration {
    let code = GuestCode::from_words(words);
    let mut cpu = cpu_for(&code);
    let mut run = |count| {
        let state = cpu.state_mut();
        state.pc = code.address(0).0;
        state.x[0] = count;
        state.x[1] = code.address(label).0;
        let start = CpuTime::now();
        assert_eq!(cpu.run(), Exit::Svc(0));
        CpuTime::now() - start
    };
    // Translate and link first.
    run(10);
    run(count)
}

pub fn dispatch(c: &mut Criterion<CpuTime>) {
    let mut group = c.benchmark_group("dispatch");
    group.bench_function("enter and exit", |b| {
        let code = GuestCode::from_words(&[
            0xd400_0001, // svc #0
            0x17ff_ffff, // b .-4
        ]);
        let mut cpu = cpu_for(&code);
        b.iter(|| assert_eq!(cpu.run(), Exit::Svc(0)));
    });
    let loops: [(&str, usize, &[u32]); 4] = [
        (
            "loop of one block",
            0,
            &[
                0xf100_0400, // subs x0, x0, #1
                0x54ff_ffe1, // b.ne .-4
                0xd400_0001, // svc #0
            ],
        ),
        (
            "loop of four linked blocks",
            0,
            &[
                0x1400_0001, // b .+4
                0x1400_0001, // b .+4
                0x1400_0001, // b .+4
                0xf100_0400, // subs x0, x0, #1
                0x54ff_ff81, // b.ne .-16
                0xd400_0001, // svc #0
            ],
        ),
        (
            "loop with a call and a return",
            0,
            &[
                0x9400_0004, // bl .+16
                0xf100_0400, // subs x0, x0, #1
                0x54ff_ffc1, // b.ne .-8
                0xd400_0001, // svc #0
                0xd65f_03c0, // ret
            ],
        ),
        (
            "loop with a computed branch",
            1,
            &[
                0xd61f_0020, // br x1
                0xf100_0400, // subs x0, x0, #1
                0x54ff_ffc1, // b.ne .-8
                0xd400_0001, // svc #0
            ],
        ),
    ];
    for (name, label, words) in loops {
        group.bench_function(name, |b| b.iter_custom(|count| rounds(words, label, count)));
    }
    group.finish();
}
