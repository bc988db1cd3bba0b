//! The table of docs/inheritance.md: what fork, vfork, clone and execve hand on.
//!
//! `tests/guest/tables/inheritance.c` observes each attribute and prints one line for it. Each row of the table is a
//! case: in every cell must stand what the program saw under the emulator, with either engine, and as a program of
//! the host. Rows of arm64 alone have no native check.
#![forbid(unsafe_code)]

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Command, ExitCode};
use std::time::Duration;

use program_tests::paths;
use program_tests::process::{self, End};
use program_tests::runner::{self, Options, Verdict};

const LIMIT: Duration = Duration::from_secs(120);
const PAGE: &str = "docs/inheritance.md";

/// From column to what stands there.
type Cells = BTreeMap<String, String>;

/// A row of the table, or of what a run printed.
struct Row {
    name: String,
    cells: Cells,
    arm_only: bool,
}

/// What one run of the program saw.
struct Run {
    how: &'static str,
    native: bool,
    rows: Vec<Row>,
}

fn main() -> ExitCode {
    let options = Options::from_arguments();
    if options.list {
        println!("inheritance: test");
        return ExitCode::SUCCESS;
    }
    match prepared() {
        Ok((mut table, runs)) => {
            // What a run printed and no row names is a case that fails.
            for run in &runs {
                for row in &run.rows {
                    if !table.iter().any(|known| known.name == row.name) {
                        table.push(Row {
                            name: row.name.clone(),
                            cells: Cells::new(),
                            arm_only: false,
                        });
                    }
                }
            }
            runner::run(&options, &table, |row| row.name.as_str(), |row| check(row, &runs))
        }
        Err(message) => {
            eprintln!("inheritance: {message}");
            println!("0 passed, 1 failed");
            ExitCode::FAILURE
        }
    }
}

fn prepared() -> Result<(Vec<Row>, Vec<Run>), String> {
    let page = paths::workspace().join(PAGE);
    let text = std::fs::read_to_string(&page).map_err(|e| format!("{}: {e}", page.display()))?;
    let table = table(&text)?;
    let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join("inheritance");
    std::fs::create_dir_all(&dir).map_err(|e| format!("{}: {e}", dir.display()))?;
    let source = paths::workspace().join("tests/guest/tables/inheritance.c");
    let build = |compiler: &str, name: &str, flags: &[&str]| {
        let program = dir.join(name);
        let mut command = Command::new(compiler);
        command
            .args(["-O2", "-w", "-static", "-o"])
            .arg(&program)
            .args(flags);
        command.arg(&source).arg("-lm");
        succeed(command).map(|_| program)
    };
    let guest = build("aarch64-linux-gnu-gcc", "guest", &["-march=armv8.5-a"])?;
    let native = build("cc", "native", &[])?;
    let emulator = paths::emulator()?;
    let emulated = |engine: &'static str| -> Result<Run, String> {
        let mut command = Command::new(&emulator);
        command.args(["-engine", engine]).arg(&guest);
        Ok(Run {
            how: engine,
            native: false,
            rows: observed(&succeed(command)?)?,
        })
    };
    let native = Run {
        how: "native",
        native: true,
        rows: observed(&succeed(Command::new(native))?)?,
    };
    Ok((table, vec![emulated("jit")?, emulated("interp")?, native]))
}

fn succeed(command: Command) -> Result<String, String> {
    let what = format!("{command:?}");
    let outcome = process::run(command, LIMIT)?;
    match outcome.end {
        End::Status(0) => Ok(String::from_utf8_lossy(&outcome.stdout).into_owned()),
        End::Status(_) | End::Signal(_) | End::TimedOut => Err(format!(
            "{what} ended with {:?}: {}",
            outcome.end,
            String::from_utf8_lossy(&outcome.stderr)
        )),
    }
}

/// The table whose first column is "attribute" and whose last is "source".
fn table(text: &str) -> Result<Vec<Row>, String> {
    let cells = |line: &str| -> Vec<String> {
        let inner = line.trim().trim_matches('|');
        inner.split('|').map(|cell| cell.trim().to_string()).collect()
    };
    let mut lines = text.lines().skip_while(|line| !line.starts_with("| attribute |"));
    let heading = cells(lines.next().ok_or_else(|| format!("{PAGE} has no table"))?);
    let (Some(last), true) = (heading.last(), heading.len() > 2) else {
        return Err(format!("{PAGE}: a table of two columns"));
    };
    if last != "source" {
        return Err(format!("{PAGE}: the last column is {last}, not source"));
    }
    let mut rows = Vec::new();
    for line in lines.skip(1).take_while(|line| line.starts_with('|')) {
        let row = cells(line);
        if row.len() != heading.len() {
            return Err(format!("{PAGE}: {line}: {} cells", row.len()));
        }
        let columns = 1..heading.len() - 1;
        rows.push(Row {
            name: row[0].clone(),
            arm_only: row[row.len() - 1].starts_with("arm64:"),
            cells: columns.map(|at| (heading[at].clone(), row[at].clone())).collect(),
        });
    }
    Ok(rows)
}

/// The lines `name: column=word ...` of a run.
fn observed(text: &str) -> Result<Vec<Row>, String> {
    let row = |line: &str| -> Option<Row> {
        let (name, rest) = line.rsplit_once(": ")?;
        let cells: Option<Cells> = rest
            .split_whitespace()
            .map(|pair| pair.split_once('=').map(|(k, v)| (k.to_string(), v.to_string())))
            .collect();
        Some(Row {
            name: name.to_string(),
            cells: cells?,
            arm_only: false,
        })
    };
    text.lines()
        .map(|line| row(line).ok_or_else(|| format!("the program prints: {line}")))
        .collect()
}

fn check(row: &Row, runs: &[Run]) -> Verdict {
    let mut wrong = String::new();
    for run in runs.iter().filter(|run| !(run.native && row.arm_only)) {
        let Some(seen) = run.rows.iter().find(|seen| seen.name == row.name) else {
            wrong += &format!("    {}: nothing checks this row\n", run.how);
            continue;
        };
        let columns: std::collections::BTreeSet<&String> =
            row.cells.keys().chain(seen.cells.keys()).collect();
        for column in columns {
            let (expected, found) = (row.cells.get(column), seen.cells.get(column));
            if expected != found {
                let text = |cell: Option<&String>| cell.map_or("nothing", String::as_str).to_string();
                wrong += &format!(
                    "    {}: {column}: the page says {}, the program saw {}\n",
                    run.how,
                    text(expected),
                    text(found)
                );
            }
        }
    }
    if wrong.is_empty() {
        Ok(String::new())
    } else {
        Err(wrong)
    }
}
