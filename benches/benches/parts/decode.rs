//! Decoding, by the word.

use crate::cpu_time::CpuTime;
use benches::GuestCode;
use criterion::{Criterion, Throughput};
use std::hint::black_box;

pub fn decode(c: &mut Criterion<CpuTime>) {
    let code = GuestCode::load();
    let words = &code.words[..code.len().min(1 << 14)];
    println!("code from {}", code.source);
    let mut group = c.benchmark_group("decode");
    group.throughput(Throughput::Elements(words.len() as u64));
    group.bench_function("words", |b| {
        b.iter(|| {
            words
                .iter()
                .filter(|&&word| a64_isa::row_of(black_box(word)).is_some())
                .count()
        });
    });
    let rows: Vec<u32> = a64_isa::ROWS.iter().map(|row| a64_isa::sample(row, 1)).collect();
    group.throughput(Throughput::Elements(rows.len() as u64));
    group.bench_function("every row", |b| {
        b.iter(|| {
            rows.iter()
                .filter(|&&word| a64_isa::row_of(black_box(word)).is_some())
                .count()
        });
    });
    group.finish();
}
