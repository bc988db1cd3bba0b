//! /proc/PID/stat, statm and status: the host's, with the numbers that tell of the
//! emulator (addresses, sizes, signal masks) replaced by the guest's.
//!
//! The pages that are resident are the host's count: the emulator's are attributed to the guest, up to its size.

use super::File;
use super::record::Record;
use crate::kernel::layout::Place;
use crate::mm::{Backing, Vma};
use crate::seccomp::{Ours, Shown};
use crate::signal::action::{SIG_DFL, SIG_IGN};
use crate::signal::set::NSIG;
use crate::task::Task;
use linux_abi::flags;
use std::fmt::Write as _;

/// What these files say of the guest.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub struct Facts {
    /// Bytes mapped, and of these the stack's.
    size: u64,
    stack: u64,
    /// Private writable memory without the stack; executable memory.
    writable: u64,
    executable: u64,
    code: [u64; 2],
    stack_start: u64,
    data: [u64; 2],
    heap: u64,
    arguments: [u64; 2],
    environment: [u64; 2],
    /// Of this process only; another's dispositions are in its own memory.
    signals: Option<Signals>,
}

#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
struct Signals {
    blocked: u64,
    ignored: u64,
    caught: u64,
    seccomp: Ours,
}

impl Signals {
    fn of(task: &Task) -> Signals {
        let (mut ignored, mut caught) = (0, 0);
        for signal in 1..=NSIG {
            match task.process.signals.get(signal).handler {
                SIG_DFL => {}
                SIG_IGN => ignored |= 1 << (signal - 1),
                _ => caught |= 1 << (signal - 1),
            }
        }
        Signals {
            blocked: task.signals.mask(),
            ignored,
            caught,
            seccomp: task.state.seccomp.ours(),
        }
    }
}

impl Facts {
    /// Of this process.
    pub fn of(task: &Task) -> Facts {
        let process = &task.process;
        let image = &process.image;
        let heap = process.mm.brk_range().start.0;
        let (arguments, environment) = (image.arguments(), image.environment());
        let areas = Facts::of_areas(&process.mm.vmas(), heap);
        let said = |places: [Place; 2], found: [u64; 2]| {
            [0, 1].map(|at| image.layout.get(places[at]).unwrap_or(found[at]))
        };
        Facts {
            stack_start: image.stack_start(),
            arguments: [arguments.start.0, arguments.end.0],
            environment: [environment.start.0, environment.end.0],
            code: said([Place::StartCode, Place::EndCode], areas.code),
            data: said([Place::StartData, Place::EndData], areas.data),
            signals: Some(Signals::of(task)),
            ..areas
        }
    }

    /// Where the program's code lies.
    pub fn code(&self) -> [u64; 2] {
        self.code
    }

    /// Where its data lie.
    pub fn data(&self) -> [u64; 2] {
        self.data
    }

    /// Of another guest; `stat` is the host's file.
    pub fn of_other(record: &Record, areas: &[Vma], stat: &[u8]) -> Facts {
        let stat = String::from_utf8_lossy(stat);
        let (_, rest) = stat.rsplit_once(')').unwrap_or(("", ""));
        let field = |number: usize| {
            let field = rest.split_ascii_whitespace().nth(number - 3);
            field.and_then(|field| field.parse::<u64>().ok()).unwrap_or(0)
        };
        let [arguments, environment] = record.string_ranges(field(50)..field(51));
        Facts {
            // The first pointers stand right below the strings.
            stack_start: arguments.start,
            arguments: [arguments.start, arguments.end],
            environment: [environment.start, environment.end],
            ..Facts::of_areas(areas, record.heap())
        }
    }

    fn of_areas(vmas: &[Vma], heap: u64) -> Facts {
        let length = |vma: &Vma| vma.end - vma.start;
        // The program's own segments are the last ones below its heap.
        let below = |test: fn(&Vma) -> bool| {
            let last = vmas.iter().rfind(|vma| vma.end <= heap && test(vma));
            last.map_or([0, 0], |vma| [vma.start, vma.end])
        };
        let sum = |test: fn(&Vma) -> bool| vmas.iter().filter(|vma| test(vma)).map(length).sum();
        Facts {
            size: vmas.iter().map(length).sum(),
            stack: sum(|vma| vma.backing == Backing::Stack),
            writable: sum(|vma| {
                vma.prot & flags::PROT_WRITE != 0 && !vma.shared && vma.backing != Backing::Stack
            }),
            executable: sum(Vma::is_executable),
            code: below(Vma::is_executable),
            data: below(|vma| vma.prot & flags::PROT_WRITE != 0),
            heap,
            ..Facts::default()
        }
    }

    /// The text of one of the files, from the host's.
    pub fn text(&self, file: File, host: &[u8]) -> Option<Vec<u8>> {
        let host = String::from_utf8_lossy(host);
        let text = match file {
            File::Stat => stat_text(self, &host),
            File::Status => status_text(self, &host),
            File::Statm => statm_text(self, &host),
            _ => return None,
        };
        Some(text.into_bytes())
    }

    fn program_code(&self) -> u64 {
        self.code[1] - self.code[0]
    }

    /// The value of a field of stat, by its number in proc(5).
    fn stat_field(&self, number: usize) -> Option<u64> {
        // The classic masks hold signals 1 to 31.
        let classic = |mask: u64| mask & 0x7fff_ffff;
        Some(match number {
            23 => self.size,
            26 => self.code[0],
            27 => self.code[1],
            28 => self.stack_start,
            32 => classic(self.signals?.blocked),
            33 => classic(self.signals?.ignored),
            34 => classic(self.signals?.caught),
            45 => self.data[0],
            46 => self.data[1],
            47 => self.heap,
            48 => self.arguments[0],
            49 => self.arguments[1],
            50 => self.environment[0],
            51 => self.environment[1],
            _ => return None,
        })
    }
}

/// size, resident, shared, text, lib, data, dt: pages.
fn statm_text(facts: &Facts, host: &str) -> String {
    let pages = |bytes: u64| bytes / guest::PAGE_SIZE;
    let size = pages(facts.size);
    let resident = |at: usize| {
        let field = host.split_ascii_whitespace().nth(at);
        field
            .and_then(|field| field.parse::<u64>().ok())
            .unwrap_or(0)
            .min(size)
    };
    let (code, data) = (pages(facts.program_code()), pages(facts.writable + facts.stack));
    format!("{size} {} {} {code} 0 {data} 0\n", resident(1), resident(2))
}

fn stat_text(facts: &Facts, host: &str) -> String {
    // The name stands in parentheses and may hold any character.
    let Some(end) = host.rfind(')') else {
        return host.to_owned();
    };
    let (name, rest) = host.split_at(end + 1);
    let mut text = name.to_owned();
    for (index, field) in rest.split_ascii_whitespace().enumerate() {
        // Writing to a String cannot fail.
        let _ = match facts.stat_field(index + 3) {
            Some(value) => write!(text, " {value}"),
            None => write!(text, " {field}"),
        };
    }
    text.push('\n');
    text
}

fn status_text(facts: &Facts, host: &str) -> String {
    let mut text = String::new();
    let number = |wanted: &str| {
        let mut values = host.lines().filter_map(|line| line.strip_prefix(wanted));
        let value = values.find_map(|value| value.strip_prefix(":\t")?.parse().ok());
        value.unwrap_or(0)
    };
    let seccomp = facts.signals.map(|own| {
        own.seccomp.shown(Shown {
            mode: number("Seccomp"),
            filters: number("Seccomp_filters"),
        })
    });
    for line in host.lines() {
        let (key, _) = line.split_once(':').unwrap_or((line, ""));
        let _ = match key {
            "VmPeak" | "VmSize" => writeln!(text, "{key}:\t{:8} kB", facts.size >> 10),
            "VmStk" => writeln!(text, "{key}:\t{:8} kB", facts.stack >> 10),
            "VmData" => writeln!(text, "{key}:\t{:8} kB", facts.writable >> 10),
            "VmExe" => writeln!(text, "{key}:\t{:8} kB", facts.program_code() >> 10),
            "VmLib" => writeln!(
                text,
                "{key}:\t{:8} kB",
                facts.executable.saturating_sub(facts.program_code()) >> 10
            ),
            "Seccomp" if let Some(seccomp) = seccomp => writeln!(text, "{key}:\t{}", seccomp.mode),
            "Seccomp_filters" if let Some(seccomp) = seccomp => {
                writeln!(text, "{key}:\t{}", seccomp.filters)
            }
            "SigBlk" | "SigIgn" | "SigCgt" if let Some(signals) = facts.signals => {
                let mask = match key {
                    "SigBlk" => signals.blocked,
                    "SigIgn" => signals.ignored,
                    _ => signals.caught,
                };
                writeln!(text, "{key}:\t{mask:016x}")
            }
            _ => writeln!(text, "{line}"),
        };
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    const FACTS: Facts = Facts {
        size: 0x10_0000,
        stack: 0x8000,
        writable: 0x4000,
        executable: 0x3001,
        code: [1, 2],
        stack_start: 3,
        data: [4, 5],
        heap: 6,
        arguments: [7, 8],
        environment: [9, 10],
        signals: Some(Signals {
            blocked: 1 << 40 | 1,
            ignored: 2,
            caught: 4,
            seccomp: Ours {
                mode: 2,
                filters: 3,
                marks: 1,
            },
        }),
    };

    #[test]
    fn numbers_of_the_emulator_are_replaced() {
        let fields: Vec<String> = (4..=52).map(|n| (n * 1000).to_string()).collect();
        let host = format!("17 (a) b) R {}\n", fields.join(" "));
        let text = stat_text(&FACTS, &host);
        let rest = text
            .strip_prefix("17 (a) b) R ")
            .expect("pid, name and state stay");
        for (index, field) in rest.split_ascii_whitespace().enumerate() {
            let number = index + 4;
            let expected = match number {
                23 => 0x10_0000,
                26 => 1,
                27 => 2,
                28 => 3,
                32 => 1,
                33 => 2,
                34 => 4,
                45..=51 => number as u64 - 41,
                _ => number as u64 * 1000,
            };
            assert_eq!(field, expected.to_string(), "field {number}");
        }
    }

    #[test]
    fn status_lines_keep_their_form() {
        let host = "Name:\tx\nVmPeak:\t  999999 kB\nVmSize:\t  999998 kB\nVmData:\t       1 kB\n\
            VmStk:\t     132 kB\nVmExe:\t       8 kB\nVmLib:\t       9 kB\n\
            SigBlk:\t0000000000000000\nSigIgn:\tffffffffffffffff\nSigCgt:\t0000000000000400\nSeccomp:\t2\nSeccomp_filters:\t1\nThreads:\t1\n";
        let expected = "Name:\tx\nVmPeak:\t    1024 kB\nVmSize:\t    1024 kB\nVmData:\t      16 kB\n\
            VmStk:\t      32 kB\nVmExe:\t       0 kB\nVmLib:\t      12 kB\n\
            SigBlk:\t0000010000000001\nSigIgn:\t0000000000000002\nSigCgt:\t0000000000000004\nSeccomp:\t2\nSeccomp_filters:\t3\nThreads:\t1\n";
        assert_eq!(status_text(&FACTS, host), expected);
    }

    #[test]
    fn resident_pages_are_no_more_than_there_are() {
        assert_eq!(
            statm_text(&FACTS, "900000 1000 20 5 0 800000 0\n"),
            "256 256 20 0 0 12 0\n"
        );
    }

    #[test]
    fn signals_of_others_stay() {
        let facts = Facts {
            signals: None,
            ..FACTS
        };
        assert_eq!(
            status_text(&facts, "SigCgt:\t0000000000000400\n"),
            "SigCgt:\t0000000000000400\n"
        );
    }
}
