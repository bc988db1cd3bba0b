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

/// Runs all wanted cases and prints the result; the exit status says whether all passed.
pub fn run<T: Sync>(
    options: &Options,
    cases: &[T],
    name: impl Fn(&T) -> &str + Sync,
    body: impl Fn(&T) -> Verdict + Sync,
) -> ExitCode {
    let wanted: Vec<&T> = cases.iter().filter(|case| options.wants(name(case))).collect();
    let next = AtomicUsize::new(0);
    let failures = Mutex::new(Vec::new());
    let start = Instant::now();
    std::thread::scope(|scope| {
        for _ in 0..options.threads.max(1) {
            scope.spawn(|| {
                while let Some(case) = wanted.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let begun = Instant::now();
                    let verdict = body(case);
                    let failed = print_verdict(name(case), &verdict, begun.elapsed());
                    if failed {
                        failures
                            .lock()
                            .expect("no worker panics with the lock")
                            .push(name(case));
                    }
                }
            });
        }
    });
    let failures = failures.into_inner().expect("no worker panics with the lock");
    let failed = failures.len();
    println!(
        "\nfailed: {failures:?}\nin {:.1} s",
        start.elapsed().as_secs_f64()
    );
    println!("{} passed, {failed} failed", wanted.len() - failed);
    if failed == 0 && !wanted.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

/// One call, so that lines of two workers do not mix. Returns true for a failure.
fn print_verdict(name: &str, verdict: &Verdict, elapsed: Duration) -> bool {
    let seconds = elapsed.as_secs_f64();
    match verdict {
        Ok(note) => println!("ok     {name}  {seconds:.2} s {note}"),
        Err(why) => println!("FAILED {name}  {seconds:.2} s\n{why}"),
    }
    verdict.is_err()
}
