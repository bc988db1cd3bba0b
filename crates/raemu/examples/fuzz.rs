//! Fuzzes `parse(const uint8_t *bytes, size_t len)` of an arm64 program by edge coverage, until an input kills it:
//! `cargo run --release -p raemu --example fuzz -- PROGRAM [SEED]`.

use raemu::{Config, Machine, Program};
use std::{env, error::Error, time::Instant};

const MAX_LEN: usize = 16;
const PART: usize = 256;
const RUNS: u32 = 2_000_000;

fn main() -> Result<(), Box<dyn Error>> {
    let mut args = env::args().skip(1);
    let path = args.next().ok_or("usage: fuzz PROGRAM [SEED]")?;
    let mut random: u64 = args.next().as_deref().unwrap_or("1").parse()?;
    println!("seed {random}");
    let config = Config {
        edges: true,
        seed: Some(random),
        ..Config::default()
    };
    let mut machine = Machine::new(Program::open(path)?, config)?;
    let main = machine.symbol("main").ok_or("no function main")?;
    let parse = machine.symbol("parse").ok_or("no function parse")?;
    machine.run_to(main).map_err(|outcome| outcome.to_string())?;
    let input = machine.alloc(MAX_LEN as u64)?;
    let mut start = machine.snapshot()?;

    let mut below = |limit: usize| {
        random = random
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (random >> 33) as usize % limit
    };
    let mut corpus = vec![vec![0; MAX_LEN / 2]];
    let mut seen = Vec::new();
    let began = Instant::now();
    for run in 1..=RUNS {
        let mut bytes: Vec<u8> = corpus[below(corpus.len())].clone();
        let at = below(bytes.len());
        bytes[at] = below(256) as u8;
        machine.write(input, &bytes).expect("the buffer is mapped");
        machine.clear_edges();
        if let Err(outcome) = machine.call(parse, [input.0, bytes.len() as u64]) {
            let speed = f64::from(run) / began.elapsed().as_secs_f64();
            println!(
                "run {run}: {bytes:02x?} {outcome}; {} inputs kept, {speed:.0} runs a second",
                corpus.len()
            );
            return Ok(());
        }
        let edges = machine.edges();
        seen.resize(edges.len(), false);
        // Most of the map is empty: only parts with a count are looked at.
        let is_new = edges.chunks(PART).zip(seen.chunks(PART)).any(|(counts, seen)| {
            counts != [0; PART] && counts.iter().zip(seen).any(|(&count, &seen)| count > 0 && !seen)
        });
        if is_new {
            seen.iter_mut()
                .zip(edges)
                .for_each(|(seen, &count)| *seen |= count > 0);
            corpus.push(bytes);
        }
        machine.restore(&mut start)?;
    }
    Err(format!("{RUNS} runs found nothing").into())
}
