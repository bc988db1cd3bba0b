//! Fuzzes `parse(const uint8_t *bytes, size_t len)` of an arm64 program by edge coverage, until an input kills it:
//! `cargo run --release -p raemu --example fuzz -- PROGRAM [SEED]`.

use raemu::{Buffer, Config, GuestAddr, Machine, Program, Random, SeenEdges};
use std::{env, error::Error, time::Instant};

const MAX_LEN: usize = 16;
const RUNS: u32 = 2_000_000;

fn main() -> Result<(), Box<dyn Error>> {
    let mut args = env::args().skip(1);
    let path = args.next().ok_or("usage: fuzz PROGRAM [SEED]")?;
    let seed = args.next().as_deref().unwrap_or("1").parse()?;
    println!("seed {seed}");
    let mut machine = Machine::new(Program::open(path)?, Config::with_edges(seed))?;
    let main = machine.symbol("main").ok_or("no function main")?;
    let parse = machine.function::<fn(GuestAddr, usize) -> i32>("parse");
    let parse = parse.ok_or("no function parse")?;
    machine.run_to(main).map_err(|outcome| outcome.to_string())?;
    let input = Buffer::new(&mut machine, MAX_LEN)?;
    let mut start = machine.snapshot()?;

    let (mut random, mut seen) = (Random::new(seed), SeenEdges::default());
    let mut corpus = vec![vec![0; MAX_LEN / 2]];
    let began = Instant::now();
    for run in 1..=RUNS {
        let mut bytes: Vec<u8> = corpus[random.below(corpus.len())].clone();
        let at = random.below(bytes.len());
        bytes[at] = random.below(256) as u8;
        machine.restore(&mut start)?;
        let addr = input.fill(&mut machine, &bytes).expect("the buffer is mapped");
        if let Err(outcome) = machine.call(parse, (addr, bytes.len())) {
            let (kept, speed) = (corpus.len(), f64::from(run) / began.elapsed().as_secs_f64());
            println!("run {run}: {bytes:02x?} {outcome}; {kept} inputs kept, {speed:.0} runs a second");
            return Ok(());
        }
        if seen.has_new(machine.edges()) {
            corpus.push(bytes);
        }
    }
    Err(format!("{RUNS} runs found nothing").into())
}
