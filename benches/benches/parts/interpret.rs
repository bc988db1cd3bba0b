//! The interpreter, by the instruction.

use crate::cpu_time::CpuTime;
use benches::{Everywhere, GuestCode};
use criterion::{Criterion, Throughput};
use engine::{Cpu, Engine, Mode};
use guest::Exit;
use std::sync::Arc;

/// Instructions as a compiler mixes them; X0 points to memory. The CBZ is not taken.
#[rustfmt::skip]
const MIX: [u32; 15] = [
    0x8b02_0023, // add   x3, x1, x2
    0xf940_0804, // ldr   x4, [x0, #16]
    0xeb04_007f, // cmp   x3, x4
    0x9a84_3065, // csel  x5, x3, x4, lo
    0xa902_1403, // stp   x3, x5, [x0, #32]
    0xd348_5c86, // ubfx  x6, x4, #8, #16
    0x3940_1407, // ldrb  w7, [x0, #5]
    0x4a06_0ce7, // eor   w7, w7, w6, lsl #3
    0xb400_00e0, // cbz   x0, . + 28
    0x9b06_1c69, // madd  x9, x3, x6, x7
    0xb900_4009, // str   w9, [x0, #64]
    0x3dc0_1400, // ldr   q0, [x0, #80]
    0x4ea1_8401, // add   v1.4s, v0.4s, v1.4s
    0x1e64_2862, // fadd  d2, d3, d4
    0xd400_0001, // svc   #0
];

pub fn interpret(c: &mut Criterion<CpuTime>) {
    let code = GuestCode::from_words(&MIX);
    let data = vec![0u128; 16];
    let engine = Engine::new(
        Box::new(Everywhere),
        Mode::Interpreter,
        &guest::cpu_model::EVERYTHING,
    );
    let mut cpu = Cpu::new(Arc::clone(&engine)).expect("memory for one CPU");
    cpu.state_mut().x[0] = data.as_ptr() as u64;
    let mut group = c.benchmark_group("interpret");
    group.throughput(Throughput::Elements(MIX.len() as u64));
    group.bench_function("mix", |b| {
        b.iter(|| {
            cpu.state_mut().pc = code.address(0).0;
            assert_eq!(cpu.run(), Exit::Svc(0));
        });
    });
    group.finish();
}
