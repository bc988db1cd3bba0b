//! The main function of a data-driven test: filters, parallel workers, one line a case, the closing count.
//!
//! It accepts the arguments that cargo and nextest pass to any test binary: `--list`, `--exact`, `--nocapture`,
//! `--test-threads N` and name filters.

use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// What the command line asked for.
pub struct Options {
    pub filters: Vec<String>,
    pub threads: usize,
    pub list: bool,
}

impl Options {
    pub fn from_arguments() -> Options {
        let cores = std::thread::available_parallelism().map_or(1, |n| n.get());
        let mut options = Options {
            filters: Vec::new(),
            threads: cores,
            list: false,
        };
        let mut arguments = std::env::args().skip(1);
        while let Some(argument) = arguments.next() {
            match argument.as_str() {
                "--list" => options.list = true,
                "--test-threads" => {
                    let number = arguments.next().and_then(|n| n.parse().ok());
                    options.threads = number.unwrap_or(options.threads);
                }
                "--format" => drop(arguments.next()),
                flag if flag.starts_with('-') => {}
                filter => options.filters.push(filter.to_string()),
            }
        }
        options
    }

    fn wants(&self, name: &str) -> bool {
        self.filters.is_empty() || self.filters.iter().any(|filter| name.contains(filter.as_str()))
    }
}

/// What a case can end with: a note to print beside the name, or the reason for the failure.
pub type Verdict = Result<String, String>;

/// A [`Verdict`], or that the case cannot be tried here.
pub enum Ending {
    Passed(String),
    Failed(String),
    /// With the reason.
    Skipped(String),
}

impl From<Verdict> for Ending {
    fn from(verdict: Verdict) -> Ending {
        match verdict {
            Ok(note) => Ending::Passed(note),
            Err(why) => Ending::Failed(why),
        }
    }
}

/// Runs all wanted cases and prints the result, then by name what was skipped; the exit status says whether all others
/// passed.
pub fn run<T: Sync, E: Into<Ending>>(
    options: &Options,
    cases: &[T],
    name: impl Fn(&T) -> &str + Sync,
    body: impl Fn(&T) -> E + Sync,
) -> ExitCode {
    let wanted: Vec<&T> = cases.iter().filter(|case| options.wants(name(case))).collect();
    let next = AtomicUsize::new(0);
    let (failures, skipped) = (Mutex::new(Vec::new()), Mutex::new(Vec::new()));
    let start = Instant::now();
    std::thread::scope(|scope| {
        for _ in 0..options.threads.max(1) {
            scope.spawn(|| {
                while let Some(case) = wanted.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let begun = Instant::now();
                    let ending = body(case).into();
                    print_ending(name(case), &ending, begun.elapsed());
                    let no_panic = "no worker panics with the lock";
                    match ending {
                        Ending::Passed(_) => {}
                        Ending::Failed(_) => failures.lock().expect(no_panic).push(name(case)),
                        Ending::Skipped(why) => skipped.lock().expect(no_panic).push((name(case), why)),
                    }
                }
            });
        }
    });
    let failures = failures.into_inner().expect("no worker panics with the lock");
    let mut skipped = skipped.into_inner().expect("no worker panics with the lock");
    skipped.sort_unstable();
    let failed = failures.len();
    println!(
        "\nfailed: {failures:?}\nin {:.1} s",
        start.elapsed().as_secs_f64()
    );
    for (name, why) in &skipped {
        test_support::skipped(name, why);
    }
    test_support::counted(wanted.len() - failed - skipped.len(), failed, skipped.len());
    if failed == 0 && !wanted.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

/// One call, so that lines of two workers do not mix.
fn print_ending(name: &str, ending: &Ending, elapsed: Duration) {
    let seconds = elapsed.as_secs_f64();
    match ending {
        Ending::Passed(note) => println!("ok     {name}  {seconds:.2} s {note}"),
        Ending::Failed(why) => println!("FAILED {name}  {seconds:.2} s\n{why}"),
        // Named at the end.
        Ending::Skipped(_) => {}
    }
}
