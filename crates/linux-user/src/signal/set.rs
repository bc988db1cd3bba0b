//! Signal numbers and sets. Numbers are the same on arm64 and x86-64.

/// A signal set as the kernel keeps it: signal n is bit n - 1.
pub type SigSet = u64;

pub const SIGILL: i32 = 4;
pub const SIGTRAP: i32 = 5;
pub const SIGBUS: i32 = 7;
pub const SIGFPE: i32 = 8;
pub const SIGKILL: i32 = 9;
pub const SIGSEGV: i32 = 11;
pub const SIGSTOP: i32 = 19;
pub const SIGSYS: i32 = 31;

/// The highest signal number.
pub const NSIG: i32 = 64;

#[must_use]
pub const fn bit(signal: i32) -> SigSet {
    1 << (signal - 1)
}

/// The signals a CPU fault raises. The host never blocks them nor gives up their handlers,
/// because the emulator's own accesses to guest memory may fault at any time; what the
/// guest wants of them is emulated.
pub const SYNC: [i32; 5] = [SIGILL, SIGTRAP, SIGBUS, SIGFPE, SIGSEGV];

pub const SYNC_SET: SigSet = {
    let mut set = 0;
    let mut index = 0;
    while index < SYNC.len() {
        set |= bit(SYNC[index]);
        index += 1;
    }
    set
};

/// What no mask can block.
pub const UNBLOCKABLE: SigSet = bit(SIGKILL) | bit(SIGSTOP);

/// What happens to a signal the guest has no handler for (man 7 signal).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum DefaultAction {
    Terminate,
    Core,
    Ignore,
    Stop,
    Continue,
}

#[must_use]
pub const fn default_action(signal: i32) -> DefaultAction {
    match signal {
        3..=8 | 11 | 24 | 25 | 31 => DefaultAction::Core,
        17 | 23 | 28 => DefaultAction::Ignore,
        18 => DefaultAction::Continue,
        19..=22 => DefaultAction::Stop,
        _ => DefaultAction::Terminate,
    }
}

/// The text of strsignal(3) for the signals that dump core.
#[must_use]
pub const fn core_signal_text(signal: i32) -> &'static str {
    match signal {
        3 => "Quit",
        4 => "Illegal instruction",
        5 => "Trace/breakpoint trap",
        6 => "Aborted",
        7 => "Bus error",
        8 => "Floating point exception",
        11 => "Segmentation fault",
        24 => "CPU time limit exceeded",
        25 => "File size limit exceeded",
        31 => "Bad system call",
        _ => "Unknown signal",
    }
}

/// As `SIGSEGV`; real-time signals as `SIGRT_n`, counted from 32 as strace(1) does.
#[must_use]
pub fn name(signal: i32) -> String {
    match linux_abi::flags::signal_name(signal) {
        Some(name) => name.to_owned(),
        None => format!("SIGRT_{}", signal - 32),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sets_hold_their_signals() {
        for signal in 1..=NSIG {
            assert_eq!(SYNC_SET & bit(signal) != 0, SYNC.contains(&signal), "{signal}");
        }
        for signal in SYNC {
            assert_eq!(default_action(signal), DefaultAction::Core);
            assert_ne!(core_signal_text(signal), "Unknown signal");
        }
        assert_eq!(name(1), "SIGHUP");
        assert_eq!(name(31), "SIGSYS");
        assert_eq!(name(34), "SIGRT_2");
    }
}
