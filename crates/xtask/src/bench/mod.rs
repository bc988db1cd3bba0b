//! `cargo xtask bench`: whole programs under raemu-aarch64, under qemu-aarch64-static and natively.
//!
//! The three sides take turns, so that a slow minute of the machine hurts all of them; each figure is a median. The
//! compiled programs are the same C at the same level of optimisation, the installed ones the same release of the
//! distribution. What the three print must be equal.

mod measure;
mod pairs;
mod table;
mod workloads;

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use program_tests::paths;
use program_tests::sandbox::Sandbox;

use crate::shell::{capture, command, have, run as run_command, workspace};
use measure::{Bench, Emulator, Side};
use pairs::Pair;
use table::{Measured, Row};
use workloads::{GROUPS, WORKLOADS, Workload};

const QEMU: &str = "qemu-aarch64-static";

struct Options {
    groups: Vec<&'static str>,
    only: Option<String>,
    runs: usize,
    markdown: bool,
    /// Two sides of this emulator, instead of the three.
    pair: Option<Pair>,
    /// The other build of [`Pair::Builds`].
    against: Option<PathBuf>,
}

impl Options {
    fn parse(arguments: &[String]) -> Result<Options, String> {
        let fp_checks = arguments.iter().any(|argument| argument == "--fp-checks");
        let mut options = Options {
            groups: if fp_checks { pairs::FP_GROUPS } else { GROUPS }.to_vec(),
            only: None,
            runs: 5,
            markdown: false,
            pair: fp_checks.then_some(Pair::Checks),
            against: None,
        };
        let mut arguments = arguments.iter();
        while let Some(argument) = arguments.next() {
            let mut value = || {
                arguments
                    .next()
                    .ok_or_else(|| format!("{argument} needs a value"))
            };
            match argument.as_str() {
                "--group" => {
                    let names = value()?;
                    options.groups = names.split(',').map(group).collect::<Result<_, _>>()?;
                }
                "--only" => options.only = Some(value()?.clone()),
                "--runs" => options.runs = value()?.parse().map_err(|_| "--runs needs a number")?,
                "--markdown" => options.markdown = true,
                "--fp-checks" => {}
                "--against" if fp_checks => {
                    return Err("--against and --fp-checks exclude each other".to_string());
                }
                "--against" => {
                    options.against = Some(PathBuf::from(value()?));
                    options.pair = Some(Pair::Builds);
                }
                other => {
                    return Err(format!(
                        "unknown option '{other}'\nusage: cargo xtask bench [--group {}] [--only NAME] [--runs N] [--fp-checks | --against FILE] [--markdown]",
                        GROUPS.join(",")
                    ));
                }
            }
        }
        Ok(options)
    }

    fn workloads(&self) -> impl Iterator<Item = &'static Workload> {
        WORKLOADS.iter().filter(|workload| {
            self.groups.contains(&workload.group)
                && self
                    .only
                    .as_ref()
                    .is_none_or(|only| workload.name.contains(only.as_str()))
        })
    }
}

fn group(name: &str) -> Result<&'static str, String> {
    let known = GROUPS.iter().find(|group| **group == name);
    known
        .copied()
        .ok_or_else(|| format!("no group '{name}': there are {}", GROUPS.join(", ")))
}

/// Measures and prints the table; with `--markdown` also writes it into docs/performance.md.
pub fn run(arguments: &[String]) -> Result<(), String> {
    let options = Options::parse(arguments)?;
    let bench = prepare(options.against.as_deref())?;
    let runs = options.runs;
    let (lines, remarks) = match options.pair {
        Some(pair) => rows(&options, |workload| {
            pairs::Row::measure(pair, &bench, workload, runs)
        }),
        None => rows(&options, |workload| measure(&bench, workload, runs)),
    };
    println!("\n{}", table::plain(&lines));
    if options.markdown {
        match options.pair {
            None => write_page("bench", &table::markdown(&lines), arguments)?,
            Some(Pair::Checks) => write_page("checks", &table::markdown(&lines), arguments)?,
            // What a change cost stands in its commit.
            Some(Pair::Builds) => println!("{}", table::markdown(&lines)),
        }
    }
    if remarks.is_empty() {
        Ok(())
    } else {
        Err(remarks.join("\n"))
    }
}

/// Measures each workload asked for, printing its row; gives the table, and the remarks there are.
fn rows<R: Measured>(options: &Options, measure: impl Fn(&Workload) -> R) -> (Vec<Vec<String>>, Vec<String>) {
    let (mut rows, mut remarks) = (Vec::new(), Vec::new());
    for workload in options.workloads() {
        let row = measure(workload);
        let lines = R::lines(std::slice::from_ref(&row), &[workload.group]);
        print!("{}", table::plain(&lines[1..2]));
        let remark = row.remark();
        if !remark.is_empty() {
            println!("    {remark}");
            remarks.push(format!("{}: {remark}", workload.name));
        }
        rows.push(row);
    }
    (R::lines(&rows, GROUPS), remarks)
}

fn prepare(against: Option<&Path>) -> Result<Bench, String> {
    let programs = workspace().join("target/bench");
    let mut build = command("sh", [workspace().join("benches/programs/build.sh")]);
    build.arg(&programs);
    run_command(build)?;
    let with_qemu = have(QEMU);
    let sandbox = Sandbox::enter(paths::roots()?, with_qemu)?;
    for root in [&sandbox.arm64, &sandbox.amd64] {
        copy_sources(&root.join("t/bench"))?;
    }
    let install = |file: &Path, name: &str| {
        Ok::<_, String>(Emulator {
            inside: sandbox.install(file, name)?,
            outside: copied(file, &programs.join(name))?,
        })
    };
    let built = paths::emulator()?;
    let raemu = install(&built, "raemu")?;
    let other = against.map(|file| install(file, "other")).transpose()?;
    let mut qemu = None;
    if with_qemu {
        let file = capture(command("sh", ["-c", &format!("command -v {QEMU}")]))?;
        qemu = Some(install(Path::new(file.trim()), "qemu")?);
        sandbox.register("qemu")?;
    }
    println!("raemu: {}\nqemu: {}", built.display(), qemu_version());
    Ok(Bench {
        sandbox,
        programs,
        raemu,
        other,
        qemu,
    })
}

/// How a file came into the page cache decides how large its pages there are, and that a tenth of a program's start: all sides
/// are copied in the same way.
fn copied(file: &Path, to: &Path) -> Result<PathBuf, String> {
    let failed = |error| format!("{}: {error}", file.display());
    if let Err(error) = fs::remove_file(to)
        && error.kind() != ErrorKind::NotFound
    {
        return Err(failed(error));
    }
    fs::copy(file, to).map_err(failed)?;
    Ok(to.to_path_buf())
}

fn copy_sources(to: &Path) -> Result<(), String> {
    fs::create_dir_all(to).map_err(|e| format!("{}: {e}", to.display()))?;
    for name in [
        "benches/programs/python.py",
        "benches/programs/perl.pl",
        "benches/programs/bash.sh",
        "tests/guest/bench/medium.c",
    ] {
        let from = workspace().join(name);
        let target = to.join(from.file_name().unwrap_or_default());
        fs::copy(&from, target).map_err(|e| format!("{name}: {e}"))?;
    }
    // A hole: reading it costs both sides the same copying of zeros.
    let zeros = fs::File::create(to.join("zeros")).map_err(|e| format!("zeros: {e}"))?;
    zeros
        .set_len(workloads::ZEROS_LEN)
        .map_err(|e| format!("zeros: {e}"))?;
    Ok(())
}

/// What sides that took turns gave.
struct Turns {
    /// By side; `None` for one that failed.
    medians: Vec<Option<f64>>,
    fastest: Vec<Option<f64>>,
    /// The least processor time of each side.
    processor: Vec<Option<f64>>,
    remark: String,
}

fn take_turns(bench: &Bench, workload: &Workload, sides: &[Side], runs: usize) -> Turns {
    let mut values: Vec<Vec<f64>> = vec![Vec::new(); sides.len()];
    let mut processor: Vec<Option<f64>> = vec![None; sides.len()];
    let mut outputs: Vec<Option<Vec<u8>>> = vec![None; sides.len()];
    let mut failed = vec![false; sides.len()];
    let mut remark = String::new();
    for _ in 0..runs {
        for (index, &side) in sides
            .iter()
            .enumerate()
            .filter(|(index, _)| !failed[*index])
            .collect::<Vec<_>>()
        {
            match bench.sample(workload, side) {
                Ok(sample) => {
                    values[index].push(sample.value);
                    let least =
                        processor[index].map_or(sample.processor, |least| least.min(sample.processor));
                    processor[index] = Some(least);
                    outputs[index] = Some(sample.output);
                }
                Err(error) => {
                    failed[index] = true;
                    values[index].clear();
                    processor[index] = None;
                    remark.push_str(&format!("{} failed: {error}. ", name(side)));
                }
            }
        }
    }
    let seen: Vec<&Vec<u8>> = outputs.iter().flatten().collect();
    if seen.windows(2).any(|pair| pair[0] != pair[1]) {
        remark.push_str("the sides print different results. ");
    }
    Turns {
        fastest: values
            .iter()
            .map(|values| values.iter().copied().reduce(f64::min))
            .collect(),
        processor,
        medians: values.iter_mut().map(|values| table::median(values)).collect(),
        remark,
    }
}

fn measure(bench: &Bench, workload: &Workload, runs: usize) -> Row {
    let turns = take_turns(bench, workload, &bench.sides(), runs);
    let raemu = turns.medians[1];
    Row {
        group: workload.group,
        name: workload.name,
        native: turns.medians[0],
        raemu,
        qemu: turns.medians.get(2).copied().flatten(),
        traps: raemu.and_then(|_| bench.fp_traps(workload)),
        remark: turns.remark,
    }
}

fn name(side: Side) -> &'static str {
    match side {
        Side::Native => "native",
        Side::Raemu => "raemu",
        Side::Qemu => "qemu",
        Side::Checked => "raemu with checks",
        Side::Other => "the other build",
    }
}

fn qemu_version() -> String {
    let text = capture(command(QEMU, ["--version"])).unwrap_or_default();
    text.lines().next().unwrap_or("not installed").to_string()
}

/// Replaces what stands between two marks of docs/performance.md.
fn write_page(mark: &str, markdown: &str, arguments: &[String]) -> Result<(), String> {
    let begin = format!("<!-- {mark}: begin -->\n");
    let end = format!("<!-- {mark}: end -->");
    let path = workspace().join("docs/performance.md");
    let page = fs::read_to_string(&path).map_err(|e| format!("{}: {e}", path.display()))?;
    let parts = page
        .split_once(&begin)
        .and_then(|(head, rest)| Some((head, rest.split_once(&end)?.1)));
    let (head, tail) = parts.ok_or("docs/performance.md has no bench marks")?;
    let date = capture(command("date", ["-u", "+%F"]))?;
    let text = format!(
        "{head}{begin}\nMeasured on {} on {} with {}, by\n`cargo xtask bench {}`.\n\n{markdown}\n{end}{tail}",
        date.trim(),
        machine(),
        qemu_version(),
        arguments.join(" ")
    );
    fs::write(&path, text).map_err(|e| format!("{}: {e}", path.display()))?;
    println!("written: {}", path.display());
    Ok(())
}

fn machine() -> String {
    let cpuinfo = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = cpuinfo
        .lines()
        .find_map(|line| line.strip_prefix("model name")?.split_once(": "))
        .map_or("?", |m| m.1);
    let cores = std::thread::available_parallelism().map_or(1, |n| n.get());
    let kernel = capture(command("uname", ["-r"])).unwrap_or_default();
    format!("{model}, {cores} cores, Linux {}", kernel.trim())
}
