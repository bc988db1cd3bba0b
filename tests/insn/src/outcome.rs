//! [`Outcome`]: what a case left behind, its text form, and how two of them differ.
//!
//! The text lists only what changed against the case's initial state, so that
//! recorded vectors stay small and a difference can be read:
//! `end=ok x3=1f nzcv=6 v2=.. m1010002040=..`.

use crate::arena::CODE_ENTRY;
use crate::case::Case;
use guest::{Access, CpuState, FaultKind};
use std::collections::BTreeMap;
use std::fmt::Write;

/// How a case ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum End {
    /// At a BRK.
    Landed,
    Undefined,
    /// SIGSEGV: a data or instruction access failed.
    Segv,
    /// SIGBUS: misalignment.
    Bus,
    Svc,
    /// It did not end within the step limit.
    Looped,
    /// A signal that no instruction should cause.
    Other,
}

impl End {
    const fn name(self) -> &'static str {
        match self {
            End::Landed => "ok",
            End::Undefined => "ill",
            End::Segv => "segv",
            End::Bus => "bus",
            End::Svc => "svc",
            End::Looped => "looped",
            End::Other => "other",
        }
    }
}

/// The state after a case.
#[derive(Clone, Debug)]
pub struct Outcome {
    pub end: End,
    pub state: CpuState,
    /// The address that faulted, if one did.
    pub fault: Option<u64>,
    /// What the access was and what was wrong with it; known of our own players only.
    pub fault_detail: Option<(Access, FaultKind)>,
    /// Changed 8-byte words of the data: address and new value.
    pub changes: Vec<(u64, u64)>,
}

/// Named values, in the order they are printed.
pub type Delta = BTreeMap<String, String>;

/// Changed words of memory that a delta shows at most: as many as another emulator reports.
pub const SHOWN_CHANGES: usize = 16;

impl Outcome {
    /// What differs from the start of the case. Memory is left out where the access
    /// faulted: a store across pages may or may not have written its first part.
    #[must_use]
    pub fn delta(&self, case: &Case) -> Delta {
        let mut delta = Delta::new();
        let (was, now) = (&case.state, &self.state);
        delta.insert("end".into(), self.end.name().into());
        if let Some(addr) = self.fault {
            delta.insert("fault".into(), format!("{addr:x}"));
        }
        match self.fault_detail {
            // Whether an atomic's load or its store meets it first is not told to guests.
            Some((_, FaultKind::Unmapped)) => {
                delta.insert("detail".into(), "Unmapped".into());
            }
            Some((access, kind)) => {
                delta.insert("detail".into(), format!("{access:?},{kind:?}"));
            }
            None => {}
        }
        let mut note = |name: String, was: u128, now: u128| {
            if was != now {
                delta.insert(name, format!("{now:x}"));
            }
        };
        for n in 0..32 {
            let name = if n == 31 { "sp".into() } else { format!("x{n}") };
            note(name, was.x[n].into(), now.x[n].into());
            note(format!("v{n}"), was.v[n], now.v[n]);
        }
        let expected_pc = match self.end {
            End::Landed => CODE_ENTRY + 4 * case.words.len() as u64,
            End::Undefined | End::Segv | End::Bus | End::Svc | End::Looped | End::Other => case.pc(),
        };
        note("pc".into(), expected_pc.into(), now.pc.into());
        note(
            "nzcv".into(),
            (was.nzcv() >> 28).into(),
            (now.nzcv() >> 28).into(),
        );
        note("fpcr".into(), was.fp.fpcr.into(), now.fp.fpcr.into());
        note("fpsr".into(), was.fpsr().into(), now.fpsr().into());
        note("tpidr".into(), was.tpidr_el0.into(), now.tpidr_el0.into());
        if matches!(self.end, End::Landed | End::Undefined | End::Svc) {
            for (addr, value) in self.changes.iter().take(SHOWN_CHANGES) {
                delta.insert(format!("m{addr:x}"), format!("{value:x}"));
            }
        }
        delta
    }
}

/// One line: `end=ok x3=1f`.
#[must_use]
pub fn format(delta: &Delta) -> String {
    let fields: Vec<String> = delta
        .iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    fields.join(" ")
}

/// The inverse of [`format`]; `None` if a field has no `=`.
#[must_use]
pub fn parse(line: &str) -> Option<Delta> {
    let fields = line.split_ascii_whitespace();
    let pairs = fields.map(|field| field.split_once('='));
    pairs
        .map(|pair| pair.map(|(name, value)| (name.into(), value.into())))
        .collect()
}

/// A report for people: what differs, and the operands it came from.
#[must_use]
pub fn explain(case: &Case, left: (&str, &Delta), right: (&str, &Delta)) -> String {
    let mut out = format!(
        "{}\n(word {:#010x}, seed {:#x})\n",
        case.text(),
        case.word,
        case.seed
    );
    let names: std::collections::BTreeSet<&String> = left.1.keys().chain(right.1.keys()).collect();
    for name in names {
        let (a, b) = (left.1.get(name), right.1.get(name));
        if a != b {
            let show = |value: Option<&String>| value.map_or("unchanged".into(), String::clone);
            let _ = writeln!(out, "  {name}: {} {}, {} {}", left.0, show(a), right.0, show(b));
        }
    }
    let _ = writeln!(out, "  {}", operands(case));
    out
}

/// All registers, for people.
#[must_use]
pub fn registers(state: &CpuState) -> String {
    let mut out = format!(
        "  pc {:x} sp {:x} nzcv {:x} fpcr {:x} fpsr {:x}",
        state.pc,
        state.sp(),
        state.nzcv() >> 28,
        state.fp.fpcr,
        state.fpsr()
    );
    for n in 0..31 {
        let start = if n % 4 == 0 { "\n " } else { "" };
        let _ = write!(out, "{start} x{n:<2} {:016x}", state.x[n]);
    }
    for (n, v) in state.v.iter().enumerate() {
        let start = if n % 2 == 0 { "\n " } else { "" };
        let _ = write!(out, "{start} v{n:<2} {v:032x}");
    }
    out
}

/// The registers the word's fields name, whatever their meaning.
fn operands(case: &Case) -> String {
    let mut numbers: Vec<u32> = [0, 5, 10, 16].map(|lsb| case.word >> lsb & 31).to_vec();
    numbers.sort_unstable();
    numbers.dedup();
    let state = &case.state;
    let mut out = format!(
        "before: nzcv {:x} fpcr {:x} fpsr {:x}",
        state.nzcv() >> 28,
        state.fp.fpcr,
        state.fpsr()
    );
    for n in numbers {
        let n = n as usize;
        let _ = write!(out, " x{n} {:x} v{n} {:032x}", state.x[n], state.v[n]);
    }
    out
}
