//! Compares the interpreter with qemu, live; records the vectors.
//!
//! `insn-tests record [TABLE...]` writes `vectors/`, or the files of those tables. `insn-tests compare [ROW-PREFIX [COUNT [FIRST]]]`
//! runs COUNT cases of each matching row and prints what differs.
//! `insn-tests immediates ROW-PREFIX` runs every immediate of rows that have few.
//! `insn-tests sequences COUNT FIRST` runs random sequences under qemu, the interpreter and the JIT;
//! `insn-tests jit COUNT FIRST` compares them between the last two.
//! `insn-tests native ROW-PREFIX COUNT` compares COUNT cases of each matching row between them.
//! `insn-tests decode COUNT FIRST` compares which words are allocated.
//! `insn-tests show WORD SEED` (hexadecimal) runs one case.

use a64_isa::RowInfo;
use insn_tests::arena::Arena;
use insn_tests::case::Case;
use insn_tests::outcome::End;
use insn_tests::remote::Remote;
use insn_tests::rng::Rng;
use insn_tests::sequence;
use insn_tests::trial::Trial;
use insn_tests::vectors::{self, Compared};
use insn_tests::{local, outcome, rows};
use std::io::{Error, Result};
use std::process::ExitCode;

/// Differences printed for one row.
const SHOWN_PER_ROW: usize = 3;

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let done = match args[..] {
        ["record", ref tables @ ..] => record(tables),
        ["compare"] => compare("", 100, 0),
        ["compare", prefix] => compare(prefix, 100, 0),
        ["compare", prefix, count] => number(count, 10).and_then(|count| compare(prefix, count, 0)),
        ["compare", prefix, count, first] => number(count, 10)
            .and_then(|count| number(first, 10).and_then(|first| compare(prefix, count, first))),
        ["immediates", prefix] => compare_rows(prefix, vectors::compare_immediates),
        ["sequences", count, first] => {
            number(count, 10).and_then(|count| number(first, 10).and_then(|first| sequences(count, first)))
        }
        ["jit", count, first] => {
            number(count, 10).and_then(|count| number(first, 10).map(|first| jit(count, first)))
        }
        ["native", prefix, count] => number(count, 10).map(|count| native(prefix, count)),
        ["decode", count, first] => {
            number(count, 10).and_then(|count| number(first, 10).and_then(|first| decode(count, first)))
        }
        ["show", word, seed] => {
            number(word, 16).and_then(|word| number(seed, 16).and_then(|seed| show(word as u32, seed)))
        }
        _ => Err(Error::other(
            "usage: insn-tests record [TABLE...] | compare [ROW-PREFIX [COUNT [FIRST]]] | immediates ROW-PREFIX | sequences COUNT FIRST | jit COUNT FIRST | native ROW-PREFIX COUNT | decode COUNT FIRST | show WORD SEED",
        )),
    };
    match done {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("insn-tests: {error}");
            ExitCode::FAILURE
        }
    }
}

fn number(text: &str, radix: u32) -> Result<u64> {
    u64::from_str_radix(text.trim_start_matches("0x"), radix)
        .map_err(|error| Error::other(format!("{text}: {error}")))
}

/// A directory of this process for the compiled guest program.
fn remote() -> Result<Remote> {
    let dir = std::env::temp_dir().join(format!("insn-tests-{}", std::process::id()));
    std::fs::create_dir_all(&dir)?;
    Remote::qemu(&dir)
}

fn print(row: &str, bad: &[&Compared]) {
    println!("{row}: {} differ", bad.len());
    for compared in bad.iter().take(SHOWN_PER_ROW) {
        print!("{}", compared.explain("qemu"));
    }
}

fn record(tables: &[&str]) -> Result<bool> {
    let dir = vectors::directory();
    let bad = vectors::record(&remote()?, &dir, tables)?;
    for compared in &bad {
        print!("{}", compared.explain("qemu"));
    }
    println!("{} vectors recorded disagree with the interpreter", bad.len());
    Ok(bad.is_empty())
}

/// Compares the rows whose names begin so; `cases` runs those of one row.
fn compare_rows(
    prefix: &str,
    cases: impl Fn(&Remote, &mut Arena, &'static RowInfo) -> Result<Vec<Compared>>,
) -> Result<bool> {
    let remote = remote()?;
    let arena = &mut *Arena::lock();
    let (mut total, mut differing) = (0, 0);
    for row in rows::recorded().filter(|row| row.name.starts_with(prefix)) {
        let compared = cases(&remote, arena, row)?;
        let bad: Vec<&Compared> = compared.iter().filter(|compared| !compared.agrees()).collect();
        total += compared.len();
        differing += bad.len();
        if !bad.is_empty() {
            print(row.name, &bad);
        }
    }
    println!("{differing} of {total} cases differ");
    Ok(differing == 0)
}

fn compare(prefix: &str, count: u64, first: u64) -> Result<bool> {
    compare_rows(prefix, |remote, arena, row| {
        vectors::compare_live(remote, arena, row, first..first + count)
    })
}

fn show(word: u32, seed: u64) -> Result<bool> {
    let case = Case::new(word, seed);
    let arena = &mut *Arena::lock();
    let ours = local::interpret(arena, &case).delta(&case);
    let theirs = remote()?.run(std::slice::from_ref(&case))?[0].delta(&case);
    println!(
        "ours: {}\nqemu: {}",
        outcome::format(&ours),
        outcome::format(&theirs)
    );
    print!("{}", outcome::explain(&case, ("ours", &ours), ("qemu", &theirs)));
    Ok(ours == theirs)
}

/// Sampled words with one to three bits flipped: near the rows' borders.
fn near_miss(index: u64) -> u32 {
    let mut rng = Rng::for_case("decode", index);
    let row = &a64_isa::ROWS[rng.below(a64_isa::ROWS.len() as u64) as usize];
    let mut word = a64_isa::sample(row, rng.next());
    for _ in 0..rng.below(4) {
        word ^= 1 << rng.below(32);
    }
    word
}

fn decode(count: u64, first: u64) -> Result<bool> {
    let dir = std::env::temp_dir().join(format!("insn-tests-{}", std::process::id()));
    std::fs::create_dir_all(&dir)?;
    // A model that both have: what later versions allocate must stay undefined.
    let name = std::env::var("RAEMU_QEMU_CPU").unwrap_or_else(|_| "cortex-a72".into());
    let model = guest::cpu_model::choice::choose(&name).map_err(|refused| Error::other(refused.0))?;
    let remote = Remote::qemu_cpu(&dir, &name)?;
    let arena = &mut *Arena::lock();
    let words = (first..first + count).map(near_miss);
    // SVC would make a system call.
    let (ours, cases): (Vec<End>, Vec<Case>) = words
        .filter(|word| word & 0xffe0_001f != 0xd400_0001)
        .map(|word| {
            let mut case = Case::new(word, 1);
            case.state.model = model;
            case
        })
        .map(|case| (local::interpret(arena, &case).end, case))
        .filter(|(end, _)| *end != End::Looped)
        .unzip();
    let mut kinds = std::collections::BTreeMap::<String, Vec<String>>::new();
    for ((case, ours), theirs) in cases.iter().zip(ours).zip(remote.run(&cases)?) {
        if (ours == End::Undefined) != (theirs.end == End::Undefined) {
            let row = a64_isa::row_of(case.word).filter(|_| ours != End::Undefined);
            let kind = row.map_or("only qemu".to_string(), |row| format!("only ours: {}", row.name));
            let line = format!("{:08x} {:032b} {}", case.word, case.word, case.text());
            kinds.entry(kind).or_default().push(line);
        }
    }
    for (kind, lines) in &kinds {
        println!("{kind}: {}", lines.len());
        for line in lines.iter().take(if kind == "only qemu" { 200 } else { 3 }) {
            println!("  {line}");
        }
    }
    Ok(kinds.is_empty())
}

fn sequences(count: u64, first: u64) -> Result<bool> {
    let remote = remote()?;
    println!("{} against {}", env!("CARGO_PKG_NAME"), remote.version()?);
    let mut trial = Trial::new(&remote)?;
    trial.run(first..first + count)?;
    println!("{}", trial.summary());
    trial.finish()
}

fn jit(count: u64, first: u64) -> bool {
    let arena = &mut *Arena::lock();
    let mut engine = local::EngineRunner::new(engine::Mode::Jit);
    let (differing, report) = sequence::compare(arena, &mut engine, first..first + count);
    println!("{report}{differing} of {count} sequences differ");
    differing == 0
}

/// States tried with one word, which is translated once.
const STATES: u64 = 64;

fn native(prefix: &str, count: u64) -> bool {
    let arena = &mut *Arena::lock();
    let mut engine = local::EngineRunner::new(engine::Mode::Jit);
    let (mut total, mut differing) = (0, 0);
    for row in a64_isa::ROWS.iter().filter(|row| row.name.starts_with(prefix)) {
        let mut differing_here = 0;
        for index in 0..count {
            let mut rng = Rng::for_case(row.name, u64::MAX / 2 + index / STATES);
            let word = a64_isa::sample(row, rng.next());
            let case = Case::new(word, rng.next() ^ (index % STATES));
            let Some(ours) = rows::interpret(arena, &case) else {
                continue;
            };
            let (ours, theirs) = (ours.delta(&case), engine.run(arena, &case).delta(&case));
            total += 1;
            if ours != theirs {
                differing_here += 1;
                if differing_here <= SHOWN_PER_ROW {
                    print!(
                        "{}",
                        outcome::explain(&case, ("interpreter", &ours), ("engine", &theirs))
                    );
                }
            }
        }
        if differing_here > 0 {
            println!("{}: {differing_here} differ", row.name);
        }
        differing += differing_here;
    }
    println!("{differing} of {total} cases differ");
    differing == 0
}
