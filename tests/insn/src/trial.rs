//! Sequences under three players: the interpreter, the JIT and another emulator.

use crate::arena::Arena;
use crate::case::Case;
use crate::local::EngineRunner;
use crate::outcome::{self, Delta, End};
use crate::remote::{Remote, Session};
use crate::rows;
use crate::sequence;
use engine::Mode;
use std::collections::BTreeMap;
use std::fmt::Write;
use std::io::Result;
use std::ops::Range;
use std::time::{Duration, Instant};

/// Cases that go to the other emulator at a time.
const BATCH: u64 = 512;
/// Differences described in full.
const SHOWN: usize = 20;
/// Between two lines of progress.
const PAUSE: Duration = Duration::from_secs(20);

/// Counts of a run.
#[derive(Default)]
struct Counts {
    /// Sequences that all players have run.
    compared: u64,
    /// Instructions in them, each counted once.
    instructions: u64,
    /// Sequences that end in a fault: what a load that faults leaves in its destinations is up to
    /// the implementation (Arm ARM D1.3.4). JIT and interpreter are compared on them all the same.
    faulting: u64,
    /// Of the JIT from the interpreter.
    jit: u64,
    /// Of the other emulator from the interpreter.
    other: u64,
    /// Those of the other emulator that neither side is to blame for.
    explained: BTreeMap<&'static str, u64>,
}

/// One run of sequences.
pub struct Trial {
    session: Session,
    engine: EngineRunner,
    counts: Counts,
    started: Instant,
    reported: Instant,
}

impl Trial {
    /// # Errors
    /// If the other emulator cannot be started.
    pub fn new(remote: &Remote) -> Result<Trial> {
        Ok(Trial {
            session: remote.start()?,
            engine: EngineRunner::new(Mode::Jit),
            counts: Counts::default(),
            started: Instant::now(),
            reported: Instant::now(),
        })
    }

    /// Runs the sequences of these seeds, with a line of progress now and then. Differences are
    /// printed, the first ones in full.
    ///
    /// # Errors
    /// If the other emulator stops.
    pub fn run(&mut self, seeds: Range<u64>) -> Result<()> {
        let arena = &mut *Arena::lock();
        let mut next = seeds.start;
        while next < seeds.end {
            let end = seeds.end.min(next + BATCH);
            self.batch(arena, next..end)?;
            next = end;
            if self.reported.elapsed() >= PAUSE {
                self.reported = Instant::now();
                let rate = (next - seeds.start) as f64 / self.started.elapsed().as_secs_f64();
                println!(
                    "{} of {} sequences, {rate:.0} a second: {}",
                    next - seeds.start,
                    seeds.end - seeds.start,
                    self.summary()
                );
            }
        }
        Ok(())
    }

    fn batch(&mut self, arena: &mut Arena, seeds: Range<u64>) -> Result<()> {
        let mut cases = Vec::new();
        for seed in seeds {
            let case = sequence::case(seed);
            let Some(ours) = rows::interpret(arena, &case) else {
                continue;
            };
            if let Some((expected, got)) = sequence::differs(arena, &mut self.engine, &case) {
                self.counts.jit += 1;
                self.show(&case, ("interpreter", &expected), ("JIT", &got));
            }
            if matches!(ours.end, End::Segv | End::Bus) {
                self.counts.faulting += 1;
            } else {
                cases.push((case, ours));
            }
        }
        let sent: Vec<Case> = cases.iter().map(|(case, _)| case.clone()).collect();
        let outcomes = self.session.run(&sent)?;
        for ((case, ours), theirs) in cases.iter().zip(outcomes) {
            self.counts.compared += 1;
            self.counts.instructions += case.words.len() as u64;
            let (our_delta, their_delta) = (ours.delta(case), theirs.delta(case));
            if our_delta == their_delta {
                continue;
            }
            if let Some(reason) = rows::explained(case, ours, &theirs) {
                *self.counts.explained.entry(reason).or_default() += 1;
            } else {
                self.counts.other += 1;
                let (least, ours, theirs) = self.shrink(arena, case, &our_delta, &their_delta)?;
                self.show(&least, ("interpreter", &ours), ("qemu", &theirs));
            }
        }
        Ok(())
    }

    /// The case with what does not matter replaced by NOP, and both outcomes.
    fn shrink(
        &mut self,
        arena: &mut Arena,
        case: &Case,
        ours: &Delta,
        theirs: &Delta,
    ) -> Result<(Case, Delta, Delta)> {
        let mut best = (case.clone(), ours.clone(), theirs.clone());
        for n in (0..case.words.len()).rev() {
            let candidate = sequence::without(&best.0, n);
            let Some(ours) = rows::interpret(arena, &candidate) else {
                continue;
            };
            if matches!(ours.end, End::Segv | End::Bus) {
                continue;
            }
            let ours = ours.delta(&candidate);
            let theirs = self.session.run(std::slice::from_ref(&candidate))?[0].delta(&candidate);
            if ours != theirs {
                best = (candidate, ours, theirs);
            }
        }
        Ok(best)
    }

    fn show(&self, case: &Case, a: (&str, &Delta), b: (&str, &Delta)) {
        if self.counts.jit + self.counts.other <= SHOWN as u64 {
            print!("{}", outcome::explain(case, a, b));
        }
    }

    /// The counts in a line.
    #[must_use]
    pub fn summary(&self) -> String {
        let Counts {
            compared,
            instructions,
            faulting,
            jit,
            other,
            explained,
        } = &self.counts;
        let mut line = format!(
            "{compared} compared ({instructions} instructions), {faulting} more end in a fault; \
             JIT and interpreter: {jit} differ, interpreter and qemu: {other} differ unexplained"
        );
        for (reason, count) in explained {
            let _ = write!(line, ", {count} because {reason}");
        }
        line
    }

    /// Ends the other emulator. Whether nothing differed.
    ///
    /// # Errors
    /// If it does not end well.
    pub fn finish(self) -> Result<bool> {
        self.session.finish()?;
        Ok(self.counts.jit + self.counts.other == 0)
    }
}
