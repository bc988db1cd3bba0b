//! Translation, by the guest instruction: each step of it, and all of it in the engine.

use crate::cpu_time::CpuTime;
use benches::{Everywhere, GuestCode};
use criterion::{BatchSize, Criterion, Throughput};
use engine::{Engine, Mode, Translator};
use guest::GuestAddr;
use guest::cpu_model::FeatureSet;
use jit_x64::build::{Builder, Flow, FpMode};
use jit_x64::code::Code;
use jit_x64::ir::Ir;
use jit_x64::lower::{Scratch, lower};
use jit_x64::opt::Analysis;
use jit_x64::target::Target;
use std::hint::black_box;

/// Functions translated at a time.
const FUNCTIONS: usize = 300;
/// Instructions of a block, as in the engine.
const MAX_INSNS: u32 = 64;

/// Records the block at `start`.
fn build(target: &Target, code: &GuestCode, start: usize, ir: &mut Ir) {
    let mut builder = Builder::new(
        target,
        ir,
        code.address(start).0,
        FpMode::default(),
        FeatureSet::ALL,
    );
    for &word in &code.words[start..] {
        let flow = builder.instruction(word, true, |word, ops| semantics::translate(word, ops).is_ok());
        if flow == Flow::End {
            return;
        }
        if builder.ir.insns == MAX_INSNS {
            break;
        }
    }
    builder.finish();
}

/// Blocks of the functions, and the number of their instructions.
fn blocks(target: &Target, code: &GuestCode) -> (Vec<Ir>, Vec<usize>, u64) {
    let (mut blocks, mut starts, mut insns) = (Vec::new(), Vec::new(), 0);
    for (mut at, end) in code.function_ranges(FUNCTIONS) {
        while at < end {
            let mut ir = Ir::default();
            build(target, code, at, &mut ir);
            starts.push(at);
            insns += u64::from(ir.insns);
            at += ir.insns as usize;
            blocks.push(ir);
        }
    }
    (blocks, starts, insns)
}

/// The steps apart: decoding and recording, then with the passes, then with lowering.
pub fn steps(c: &mut Criterion<CpuTime>) {
    let code = GuestCode::load();
    let target = &Target::host();
    let (_, starts, insns) = blocks(target, &code);
    let mut group = c.benchmark_group("translate");
    group.throughput(Throughput::Elements(insns));
    let mut ir = Ir::default();
    let mut analysis = Analysis::default();
    group.bench_function("build", |b| {
        b.iter(|| {
            for &start in &starts {
                build(target, &code, start, &mut ir);
                black_box(&ir);
            }
        });
    });
    group.bench_function("build+passes", |b| {
        b.iter(|| {
            for &start in &starts {
                build(target, &code, start, &mut ir);
                analysis.run(&target.homes, &mut ir, |_| true);
                black_box(&analysis);
            }
        });
    });
    let (mut out, mut scratch) = (Code::default(), Scratch::default());
    group.bench_function("build+passes+lower", |b| {
        b.iter(|| {
            for &start in &starts {
                build(target, &code, start, &mut ir);
                analysis.run(&target.homes, &mut ir, |_| true);
                lower(target, &ir, &analysis, 0, &mut out, &mut scratch);
                black_box(&out);
            }
        });
    });
    group.finish();
}

/// Translates all functions; the number of guest instructions is in the statistics.
fn sweep(code: &GuestCode, engine: &Engine, translator: &mut Translator) {
    for (start, end) in code.function_ranges(FUNCTIONS) {
        let end = code.address(end);
        let mut at: GuestAddr = code.address(start);
        while at < end {
            at = engine
                .translate_ahead(translator, at)
                .expect("code in memory and room in the cache");
        }
    }
}

/// What a guest instruction costs before it first runs: fetching, all steps, the tables
/// and links of the engine, and the host's page faults on a fresh code cache.
pub fn whole(c: &mut Criterion<CpuTime>) {
    let code = GuestCode::load();
    let new = || Engine::new(Box::new(Everywhere), Mode::Jit, &guest::cpu_model::EVERYTHING);
    let engine = new();
    let mut translator = Translator::default();
    sweep(&code, &engine, &mut translator);
    let seen = engine.statistics();
    drop(engine);
    println!(
        "{}: {} blocks, {} guest instructions, {:.1} host bytes each",
        code.source,
        seen.blocks,
        seen.guest_instructions,
        seen.host_bytes as f64 / seen.guest_instructions as f64
    );
    let mut group = c.benchmark_group("translate");
    group.throughput(Throughput::Elements(seen.guest_instructions));
    group.bench_function("engine", |b| {
        b.iter_batched(
            new,
            |engine| {
                sweep(&code, &engine, &mut translator);
                engine
            },
            BatchSize::PerIteration,
        );
    });
    group.finish();
}
