//! How long the parts take: decoding, translation, dispatch, the way to a system call and back.
//!
//! `cargo bench -p benches`; the throughput in elements is instructions, branches or system calls.
#![forbid(unsafe_code)]

use std::hint::black_box;

use benches::{CALL, DIRECT, Guest, INDIRECT, MIX, SYSTEM_CALLS, mixed_code, samples};
use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use engine::Mode;

fn decode(c: &mut Criterion) {
    let words = samples(4);
    let mut group = c.benchmark_group("decode");
    group.throughput(Throughput::Elements(words.len() as u64));
    group.bench_function("every row", |b| {
        b.iter(|| {
            for &word in &words {
                black_box(a64_isa::decode(black_box(word)));
            }
        });
    });
    group.finish();
}

/// Each round translates and runs every block once: finding, emitting and linking included.
fn translate(c: &mut Criterion) {
    const BLOCKS: usize = 500;
    let mut guest = Guest::new(mixed_code(BLOCKS), Mode::Jit);
    let mut group = c.benchmark_group("translate");
    group.throughput(Throughput::Elements((BLOCKS * MIX.len()) as u64));
    group.bench_function("mixed blocks", |b| {
        b.iter_batched(
            || (),
            |()| {
                guest.forget();
                guest.run(0)
            },
            BatchSize::PerIteration,
        );
    });
    group.finish();
}

fn dispatch(c: &mut Criterion) {
    const ROUNDS: u64 = 100_000;
    let mut group = c.benchmark_group("dispatch");
    group.throughput(Throughput::Elements(ROUNDS));
    for (name, code) in [
        ("direct", DIRECT.to_vec()),
        ("indirect", INDIRECT.to_vec()),
        ("call and return", CALL.to_vec()),
    ] {
        let mut guest = Guest::new(code, Mode::Jit);
        group.bench_function(name, |b| b.iter(|| guest.run(ROUNDS)));
    }
    group.finish();
}

fn interpret(c: &mut Criterion) {
    const BLOCKS: usize = 100;
    let mut guest = Guest::new(mixed_code(BLOCKS), Mode::Interpreter);
    let mut group = c.benchmark_group("interpret");
    group.throughput(Throughput::Elements((BLOCKS * MIX.len()) as u64));
    group.bench_function("mixed blocks", |b| b.iter(|| guest.run(0)));
    group.finish();
}

/// From translated code to the caller of the engine and back; the host's own system call is not part of it.
fn system_call(c: &mut Criterion) {
    const CALLS: u64 = 1000;
    let mut guest = Guest::new(SYSTEM_CALLS.to_vec(), Mode::Jit);
    let mut group = c.benchmark_group("system call");
    group.throughput(Throughput::Elements(CALLS));
    group.bench_function("exit and entry", |b| {
        guest.run(0);
        b.iter(|| {
            for _ in 0..CALLS {
                guest.resume();
            }
        });
    });
    group.finish();
}

criterion_group!(parts, decode, translate, dispatch, interpret, system_call);
criterion_main!(parts);
