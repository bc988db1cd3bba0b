//! The options: name, variable, argument, help and action of each in one row.

use crate::help;
use crate::settings::{EnvChange, Outcome, Settings};
use guest::cpu_model::choice;
use linux_user::CrashLine;

/// One option.
pub struct Flag {
    /// Without dashes.
    pub name: &'static str,
    /// The variable's name behind QEMU_ or RAEMU_.
    pub env: Option<&'static str>,
    /// What its argument is called, if it takes one.
    pub value: Option<&'static str>,
    pub help: &'static str,
    /// Programs the guest executes are run with it too.
    pub inherited: bool,
    pub apply: fn(&mut Settings, &[u8]) -> Result<(), Outcome>,
}

/// What -d asks for.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct LogItems {
    pub in_asm: bool,
    pub out_asm: bool,
    pub op: bool,
    pub exec: bool,
    pub page: bool,
    pub unimp: bool,
    pub stats: bool,
    pub stops: bool,
}

impl LogItems {
    /// Whether the engine has anything to show.
    pub fn in_translation(self) -> bool {
        self.in_asm || self.out_asm || self.op || self.exec
    }
}

const fn flag(
    name: &'static str,
    env: Option<&'static str>,
    value: Option<&'static str>,
    help: &'static str,
    apply: fn(&mut Settings, &[u8]) -> Result<(), Outcome>,
) -> Flag {
    Flag {
        name,
        env,
        value,
        help,
        inherited: false,
        apply,
    }
}

const fn inherited(flag: Flag) -> Flag {
    Flag {
        inherited: true,
        ..flag
    }
}

/// In the order of qemu's table, because the environment is read in this order.
pub const FLAGS: &[Flag] = &[
    flag("h", None, None, "print this help", |_, _| Err(help_text())),
    flag("help", None, None, "", |_, _| Err(help_text())),
    flag(
        "g",
        Some("GDB"),
        Some("port"),
        "not offered yet: wait for gdb at 'port'",
        |_, _| Err(not_offered("g")),
    ),
    inherited(flag(
        "L",
        Some("LD_PREFIX"),
        Some("path"),
        "look for absolute paths below 'path' first",
        sysroot,
    )),
    inherited(flag(
        "s",
        Some("STACK_SIZE"),
        Some("size"),
        "stack size in bytes, or with suffix K or M",
        stack_size,
    )),
    inherited(flag(
        "cpu",
        Some("CPU"),
        Some("model"),
        "CPU model (-cpu help for a list)",
        cpu,
    )),
    flag(
        "E",
        Some("SET_ENV"),
        Some("var=value"),
        "set variables of the guest (see below)",
        set_env,
    ),
    flag(
        "U",
        Some("UNSET_ENV"),
        Some("var"),
        "remove variables of the guest (see below)",
        unset_env,
    ),
    flag(
        "0",
        Some("ARGV0"),
        Some("argv0"),
        "the guest's argv[0]",
        |s, v| {
            s.argv0 = Some(v.to_vec());
            Ok(())
        },
    ),
    inherited(flag(
        "r",
        Some("UNAME"),
        Some("release"),
        "what the guest's uname tells as release",
        |s, v| {
            s.uname_release = Some(String::from_utf8_lossy(v).into_owned());
            Ok(())
        },
    )),
    flag(
        "B",
        Some("GUEST_BASE"),
        Some("address"),
        "accepted, without effect: guest addresses are host addresses",
        |_, _| Ok(()),
    ),
    inherited(flag(
        "R",
        Some("RESERVED_VA"),
        Some("size"),
        "guest addresses below 'size', or with suffix K, M or G",
        reserved_va,
    )),
    flag(
        "t",
        Some("RTSIG_MAP"),
        Some("map"),
        "accepted, without effect: real-time signals are the host's",
        |_, _| Ok(()),
    ),
    inherited(flag(
        "d",
        Some("LOG"),
        Some("item[,...]"),
        "log these items (-d help for a list)",
        log_items,
    )),
    flag(
        "dfilter",
        Some("DFILTER"),
        Some("range[,...]"),
        "accepted, without effect",
        |_, _| Ok(()),
    ),
    flag(
        "D",
        Some("LOG_FILENAME"),
        Some("logfile"),
        "write logs to 'logfile' (%d: process number) instead of stderr",
        |s, v| {
            s.log_file = Some(v.to_vec());
            Ok(())
        },
    ),
    flag(
        "log-append",
        None,
        Some("logfile"),
        "as -D, but keep what 'logfile' holds",
        |s, v| {
            s.log_file = Some(v.to_vec());
            s.log_append = true;
            Ok(())
        },
    ),
    flag(
        "p",
        Some("PAGESIZE"),
        Some("pagesize"),
        "accepted: pages have 4096 bytes",
        page_size,
    ),
    flag(
        "one-insn-per-tb",
        Some("ONE_INSN_PER_TB"),
        None,
        "accepted, without effect",
        |_, _| Ok(()),
    ),
    flag(
        "singlestep",
        Some("SINGLESTEP"),
        None,
        "older name of -one-insn-per-tb",
        |_, _| Ok(()),
    ),
    flag(
        "tb-size",
        Some("TB_SIZE"),
        Some("size"),
        "accepted, without effect: the code cache grows as needed",
        |_, v| {
            number(v)
                .map(|_| ())
                .ok_or_else(|| Outcome::fail("Invalid value for -tb-size"))
        },
    ),
    inherited(flag(
        "strace",
        Some("STRACE"),
        None,
        "log system calls",
        |s, _| {
            s.strace = true;
            Ok(())
        },
    )),
    inherited(flag(
        "seed",
        Some("RAND_SEED"),
        Some("number"),
        "make AT_RANDOM and the layout repeatable",
        seed,
    )),
    flag(
        "trace",
        Some("TRACE"),
        Some("pattern"),
        "not offered: qemu's own trace events",
        |_, _| Err(not_offered("trace")),
    ),
    flag(
        "plugin",
        Some("PLUGIN"),
        Some("file"),
        "not offered yet",
        |_, _| Err(not_offered("plugin")),
    ),
    flag(
        "perfmap",
        Some("PERFMAP"),
        None,
        "not offered yet: a symbol map for perf",
        |_, _| Err(not_offered("perfmap")),
    ),
    flag(
        "jitdump",
        Some("JITDUMP"),
        None,
        "not offered yet: code dumps for perf",
        |_, _| Err(not_offered("jitdump")),
    ),
    inherited(flag(
        "engine",
        Some("ENGINE"),
        Some("jit|interp"),
        "translate guest code (the default), or interpret it",
        engine,
    )),
    inherited(flag(
        "crash",
        Some("CRASH"),
        Some("on|off"),
        "tell of a signal that ends the program and would dump core (the default)",
        crash,
    )),
    inherited(flag(
        "fp-checks",
        Some("FP_CHECKS"),
        None,
        "check floating-point results instead of trapping (slower; for measuring)",
        |s, _| {
            s.fp_checks = true;
            Ok(())
        },
    )),
    flag(
        "version",
        Some("VERSION"),
        None,
        "print version and copyright, and exit",
        |_, _| {
            Err(Outcome::Print {
                text: help::version(),
                status: 0,
            })
        },
    ),
];

fn help_text() -> Outcome {
    Outcome::Print {
        text: help::usage(),
        status: 0,
    }
}

fn not_offered(name: &str) -> Outcome {
    Outcome::fail(format!("option '-{name}' is not offered yet"))
}

/// A number as strtoull with base 0 reads it, and what follows it.
fn number_and_rest(text: &[u8]) -> Option<(u64, &[u8])> {
    let text = text.trim_ascii_start();
    let (radix, digits) = match text {
        [b'0', b'x' | b'X', rest @ ..] => (16, rest),
        [b'0', rest @ ..] if rest.first().is_some_and(u8::is_ascii_digit) => (8, rest),
        _ => (10, text),
    };
    let is_digit = |byte: &u8| char::from(*byte).is_digit(radix);
    let len = digits.iter().take_while(|byte| is_digit(byte)).count();
    let value = std::str::from_utf8(&digits[..len]).ok()?;
    Some((u64::from_str_radix(value, radix).ok()?, &digits[len..]))
}

fn number(text: &[u8]) -> Option<u64> {
    number_and_rest(text).and_then(|(value, rest)| rest.is_empty().then_some(value))
}

fn sysroot(settings: &mut Settings, value: &[u8]) -> Result<(), Outcome> {
    let mut path = value.to_vec();
    while path.last() == Some(&b'/') {
        path.pop();
    }
    if path.is_empty() {
        settings.sysroot = None;
        return Ok(());
    }
    if path[0] != b'/' {
        use std::os::unix::ffi::OsStringExt;
        if let Ok(cwd) = std::env::current_dir() {
            path = [cwd.into_os_string().into_vec(), b"/".to_vec(), path].concat();
        }
    }
    settings.sysroot = Some(path);
    Ok(())
}

fn stack_size(settings: &mut Settings, value: &[u8]) -> Result<(), Outcome> {
    let (size, rest) = number_and_rest(value).unwrap_or((0, &[]));
    if size == 0 {
        return Err(Outcome::usage());
    }
    let unit: u64 = match rest.first() {
        Some(b'M') => 1 << 20,
        Some(b'k' | b'K') => 1 << 10,
        _ => 1,
    };
    settings.stack_size = size
        .checked_mul(unit)
        .filter(|&size| size < guest::GUEST_ADDRESS_LIMIT)
        .ok_or_else(Outcome::usage)?;
    Ok(())
}

fn cpu(settings: &mut Settings, value: &[u8]) -> Result<(), Outcome> {
    let text = String::from_utf8_lossy(value);
    if matches!(&*text, "help" | "?") {
        return Err(Outcome::Print {
            text: choice::help().into_bytes(),
            status: 1,
        });
    }
    settings.model = choice::choose(&text).map_err(|refused| Outcome::fail(refused.to_string()))?;
    Ok(())
}

fn set_env(settings: &mut Settings, value: &[u8]) -> Result<(), Outcome> {
    for entry in value.split(|&byte| byte == b',') {
        if !entry.contains(&b'=') {
            return Err(Outcome::usage());
        }
        settings.env_changes.push(EnvChange::Set(entry.to_vec()));
    }
    Ok(())
}

fn unset_env(settings: &mut Settings, value: &[u8]) -> Result<(), Outcome> {
    for name in value.split(|&byte| byte == b',') {
        if name.contains(&b'=') {
            return Err(Outcome::usage());
        }
        settings.env_changes.push(EnvChange::Unset(name.to_vec()));
    }
    Ok(())
}

fn reserved_va(settings: &mut Settings, value: &[u8]) -> Result<(), Outcome> {
    let (size, rest) = number_and_rest(value).unwrap_or((0, value));
    let unit: u64 = match rest {
        b"" => 1,
        b"k" | b"K" => 1 << 10,
        b"M" => 1 << 20,
        b"G" => 1 << 30,
        other => {
            let shown = String::from_utf8_lossy(other);
            return Err(Outcome::Plain(format!("Unrecognised -R size suffix '{shown}'")));
        }
    };
    // None, or more than there is: the host's own end.
    settings.address_limit = size
        .checked_mul(unit)
        .filter(|&size| size != 0 && size < guest::GUEST_ADDRESS_LIMIT);
    Ok(())
}

fn page_size(_: &mut Settings, value: &[u8]) -> Result<(), Outcome> {
    match number_and_rest(value) {
        Some((size, _)) if size.is_power_of_two() => Ok(()),
        Some(_) | None => Err(Outcome::Plain("page size must be a power of two".to_owned())),
    }
}

fn seed(settings: &mut Settings, value: &[u8]) -> Result<(), Outcome> {
    let shown = || {
        format!(
            "cannot initialize crypto: Invalid seed number: {}",
            String::from_utf8_lossy(value)
        )
    };
    settings.seed = Some(number(value).ok_or_else(|| Outcome::fail(shown()))?);
    Ok(())
}

fn engine(settings: &mut Settings, value: &[u8]) -> Result<(), Outcome> {
    settings.interpreter = match value {
        b"jit" => false,
        b"interp" => true,
        other => {
            let shown = String::from_utf8_lossy(other);
            return Err(Outcome::fail(format!("unknown engine '{shown}' (jit or interp)")));
        }
    };
    Ok(())
}

fn crash(settings: &mut Settings, value: &[u8]) -> Result<(), Outcome> {
    settings.crash_line = match value {
        b"on" => CrashLine::Printed,
        b"off" => CrashLine::Off,
        other => {
            let shown = String::from_utf8_lossy(other);
            return Err(Outcome::fail(format!("-crash takes on or off, not '{shown}'")));
        }
    };
    Ok(())
}

/// Items of -d: name and meaning. Those without an effect are accepted for scripts.
const LOG_ITEMS: &[(&str, &str)] = &[
    (
        "out_asm",
        "show generated host assembly code for each translated block",
    ),
    ("in_asm", "show target assembly code for each translated block"),
    ("op", "show intermediate code for each translated block"),
    ("op_opt", "accepted, without effect"),
    ("op_ind", "accepted, without effect"),
    ("op_plugin", "accepted, without effect"),
    ("int", "accepted, without effect"),
    ("exec", "show trace before each executed block"),
    ("cpu", "accepted, without effect"),
    ("fpu", "accepted, without effect"),
    ("mmu", "accepted, without effect"),
    ("pcall", "accepted, without effect"),
    ("cpu_reset", "accepted, without effect"),
    ("unimp", "log unimplemented functionality"),
    ("guest_errors", "accepted, without effect"),
    ("page", "dump pages at beginning of user mode emulation"),
    ("nochain", "accepted, without effect"),
    ("plugin", "accepted, without effect"),
    ("strace", "log every user-mode syscall, its input, and its result"),
    ("tid", "accepted, without effect"),
    ("vpu", "accepted, without effect"),
    ("invalid_mem", "accepted, without effect"),
    (
        "stats",
        "count what was translated and what trapped, when the process ends",
    ),
    (
        "stops",
        "name the boundaries of each task: calls, signals, tasks and programs that begin and end",
    ),
];

fn log_items(settings: &mut Settings, value: &[u8]) -> Result<(), Outcome> {
    let text = String::from_utf8_lossy(value);
    for item in text.split(',').filter(|item| !item.is_empty()) {
        let log = &mut settings.log;
        match item {
            "in_asm" => log.in_asm = true,
            "out_asm" => log.out_asm = true,
            "op" => log.op = true,
            "exec" => log.exec = true,
            "page" => log.page = true,
            "unimp" => log.unimp = true,
            "stats" => log.stats = true,
            "stops" => log.stops = true,
            "strace" => settings.strace = true,
            "all" => {}
            other if other.starts_with("trace:") => {}
            other if LOG_ITEMS.iter().any(|(name, _)| *name == other) => {}
            _ => return Err(log_help()),
        }
    }
    Ok(())
}

fn log_help() -> Outcome {
    let mut text = "Log items (comma separated):\n".to_owned();
    for (name, meaning) in LOG_ITEMS {
        text.push_str(&format!("{name:<15} {meaning}\n"));
    }
    Outcome::Print {
        text: text.into_bytes(),
        status: 1,
    }
}
