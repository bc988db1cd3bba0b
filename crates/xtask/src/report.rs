//! Progress lines: what a step does before it does it, and how long it took.

use std::time::Instant;

/// Announces a step, runs it, and prints its duration when that is worth knowing.
pub fn step<T>(what: &str, body: impl FnOnce() -> Result<T, String>) -> Result<T, String> {
    println!("==> {what}");
    let start = Instant::now();
    let result = body();
    let seconds = start.elapsed().as_secs_f64();
    if seconds >= 1.0 {
        println!(
            "    {} after {seconds:.1} s",
            if result.is_ok() { "done" } else { "FAILED" }
        );
    }
    result
}

/// A detail under the current step.
pub fn note(what: &str) {
    println!("    {what}");
}
