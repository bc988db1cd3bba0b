//! Deaths: of the guest by a signal, and of the emulator by its own fault.

use super::action::{SigAction, set_host_action};
use super::set::{self, DefaultAction, SYNC_SET, core_signal_text, default_action};
use super::thread::set_host_mask;
use crate::host;
use crate::options::CrashLine;
use linux_abi::flags::RLIMIT_CORE;
use linux_abi::layout::Rlimit;
use std::fmt::{self, Write};

/// A line for standard error, built without allocation: it is also used in handlers.
struct Line {
    bytes: [u8; 160],
    len: usize,
}

impl Line {
    fn new() -> Line {
        Line {
            bytes: [0; 160],
            len: 0,
        }
    }

    fn emit(&self) {
        // Nowhere to report a failure to.
        let _ = host::write(2, &self.bytes[..self.len]);
    }
}

impl Write for Line {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let room = self.bytes.len() - self.len;
        let count = text.len().min(room);
        self.bytes[self.len..self.len + count].copy_from_slice(&text.as_bytes()[..count]);
        self.len += count;
        Ok(())
    }
}

/// The guest dies of `signal`: so does the emulator. Scripts know the text, which is qemu's. With `dumped` the guest has
/// left a core file, and the host's kernel may leave its own ([`super::core_file`]).
pub fn die(signal: i32, line: CrashLine, dumped: bool) -> ! {
    if default_action(signal) == DefaultAction::Core && line == CrashLine::Printed {
        let text = core_signal_text(signal);
        let end = if dumped { " - core dumped" } else { "" };
        let mut line = Line::new();
        let _ = writeln!(line, "qemu: uncaught target signal {signal} ({text}){end}");
        line.emit();
    }
    end_by(signal, dumped)
}

/// Ends the process by `signal`, by system calls alone, without a word and without a core file.
pub fn die_silently(signal: i32) -> ! {
    end_by(signal, false)
}

/// With `dumped` the host's kernel may dump core.
fn end_by(signal: i32, dumped: bool) -> ! {
    // A core file would show the emulator, not the guest.
    if !dumped && let Ok(old) = host::prlimit(RLIMIT_CORE, None) {
        let _ = host::prlimit(RLIMIT_CORE, Some(&Rlimit { rlim_cur: 0, ..old }));
    }
    set_host_action(signal, SigAction::default());
    let pid = host::getpid() as u64;
    let tid = host::gettid() as u64;
    let _ = host::tgkill(pid, tid, signal as u64);
    set_host_mask(!set::bit(signal));
    loop {
        // Reached only by the init of a PID namespace, which signals do not kill.
        let _ = host::exit_group(128 + signal as u64);
    }
}

/// A fault of the emulator's own. Told apart from the guest's by its text.
pub fn internal(signal: i32, code: i32, addr: u64, rip: u64) -> ! {
    let what = match (signal, code) {
        (set::SIGSEGV, 1) => "MAPERR",
        (set::SIGSEGV, 2) => "ACCERR",
        (set::SIGBUS, 1) => "ADRALN",
        (set::SIGBUS, 2) => "ADRERR",
        (_, 0x80) => "KERNEL",
        (_, _) => "OTHER",
    };
    let name = match signal {
        set::SIGILL => "SIGILL",
        set::SIGTRAP => "SIGTRAP",
        set::SIGBUS => "SIGBUS",
        set::SIGFPE => "SIGFPE",
        _ => "SIGSEGV",
    };
    let mut line = Line::new();
    let _ = writeln!(
        line,
        "raemu-aarch64: raemu internal {name} {{code={what}, addr={addr:#x}}} at {rip:#x}"
    );
    line.emit();
    debug_assert!(SYNC_SET & set::bit(signal) != 0);
    die_silently(signal)
}
