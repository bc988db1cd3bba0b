//! The command line: reads it by the tables of `spec`, calls the command, prints.
//!
//! Exit status: 0 done; 1 not done, or a finding of `doctor`; 2 a bad command line.

use crate::compat::{self, Tool, tonistiigi};
use crate::doctor;
use crate::emulator::{self, NAME};
use crate::entry::{Flags, Registration};
use crate::facts::Facts;
use crate::fs::Root;
use crate::register::{self, Report, Request};
use crate::spec::{COMMANDS, COMPAT, CommandSpec, OptionSpec, SUMMARY};
use crate::{run, status};
use std::ffi::OsString;
use std::io::Write as _;
use std::path::{Path, PathBuf};

/// Options as given, in their order, and what follows them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Parsed {
    pub options: Vec<(&'static OptionSpec, Option<OsString>)>,
    pub rest: Vec<OsString>,
}

impl Parsed {
    fn has(&self, long: &str) -> bool {
        self.options.iter().any(|(option, _)| option.long == long)
    }

    /// The last value given.
    fn value(&self, long: &str) -> Option<&OsString> {
        let mut all = self.options.iter().rev();
        all.find(|(option, _)| option.long == long)
            .and_then(|(_, value)| value.as_ref())
    }

    fn text(&self, long: &str, default: &str) -> String {
        self.value(long)
            .map_or(default.to_owned(), |value| value.to_string_lossy().into_owned())
    }

    fn yes(&self, long: &str) -> Result<bool, String> {
        match self.text(long, "yes").as_str() {
            "yes" => Ok(true),
            "no" => Ok(false),
            other => Err(format!("--{long} takes yes or no, not '{other}'")),
        }
    }
}

/// Reads `args` by a command's table. The first argument that is no option ends the options.
pub fn parse(spec: &CommandSpec, args: Vec<OsString>) -> Result<Parsed, String> {
    let mut parser = lexopt::Parser::from_args(args);
    let mut parsed = Parsed::default();
    loop {
        let next = parser.next().map_err(|error| error.to_string())?;
        let found = match next {
            None => return Ok(parsed),
            Some(lexopt::Arg::Long(name)) => spec.options.iter().find(|option| option.long == name),
            Some(lexopt::Arg::Short(letter)) => {
                spec.options.iter().find(|option| option.short == Some(letter))
            }
            Some(lexopt::Arg::Value(first)) => {
                parsed.rest.push(first);
                let raw = parser.raw_args().map_err(|error| error.to_string())?;
                parsed.rest.extend(raw);
                return Ok(parsed);
            }
        };
        let Some(option) = found else {
            return Err(next.map_or(String::new(), |arg| arg.unexpected().to_string()));
        };
        let value = match option.value {
            Some(_) => Some(parser.value().map_err(|error| error.to_string())?),
            None => None,
        };
        parsed.options.push((option, value));
    }
}

/// What a command gives back: texts for both streams and the exit status.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Output {
    pub stdout: String,
    pub stderr: String,
    pub status: i32,
}

impl Output {
    fn text(stdout: String) -> Output {
        Output {
            stdout,
            ..Output::default()
        }
    }

    fn failure(why: &str, status: i32) -> Output {
        Output {
            stderr: format!("raemu-binfmt: {why}\n"),
            status,
            ..Output::default()
        }
    }

    fn of(result: Result<Report, String>) -> Output {
        match result {
            Ok(report) => Output {
                stdout: report.done.iter().map(|line| format!("{line}\n")).collect(),
                stderr: report
                    .warnings
                    .iter()
                    .map(|line| format!("raemu-binfmt: warning: {line}\n"))
                    .collect(),
                status: 0,
            },
            Err(why) => Output::failure(&why, 1),
        }
    }
}

/// The command's whole life.
pub fn main(args: Vec<OsString>) -> i32 {
    let command = std::env::current_exe().ok();
    let output = dispatch(&Root::default(), command.as_deref(), args);
    // A reader that has gone has seen enough.
    let _ = std::io::stdout().write_all(output.stdout.as_bytes());
    let _ = std::io::stderr().write_all(output.stderr.as_bytes());
    output.status
}

/// `args` with the command's own name first.
pub fn dispatch(root: &Root, command: Option<&Path>, args: Vec<OsString>) -> Output {
    let mut args = args.into_iter();
    let name = args.next().map_or(String::new(), |arg| {
        let name = Path::new(&arg).file_name().unwrap_or_default();
        name.to_string_lossy().into_owned()
    });
    let mut args: Vec<OsString> = args.collect();
    if let Some(tool) = Tool::of_name(&name) {
        return other_tool(root, command, tool, &args, 1);
    }
    let first = args.first().map(|arg| arg.to_string_lossy().into_owned());
    match first.as_deref() {
        None => Output {
            stderr: help(),
            status: 2,
            ..Output::default()
        },
        Some("-h" | "--help") => Output::text(help()),
        Some(first) => match COMMANDS.iter().find(|spec| spec.name == first) {
            Some(spec) => {
                args.remove(0);
                own_command(root, command, spec, args)
            }
            None => match Tool::of_options(&args) {
                Some(tool) => other_tool(root, command, tool, &args, 0),
                None => Output::failure(&format!("unknown command '{first}' (see raemu-binfmt help)"), 2),
            },
        },
    }
}

fn other_tool(
    root: &Root,
    command: Option<&Path>,
    tool: Tool,
    args: &[OsString],
    help_status: i32,
) -> Output {
    let wants_help = args.iter().any(|arg| arg == "-h" || arg == "--help");
    match tool {
        Tool::QemuBinfmtConf | Tool::Multiarch if wants_help => Output {
            stdout: command_help(&COMPAT[0]),
            status: help_status,
            ..Output::default()
        },
        Tool::QemuBinfmtConf => Output::of(compat::qemu_binfmt_conf::run(root, command, args)),
        Tool::Multiarch => Output::of(compat::multiarch::run(root, command, args)),
        Tool::Tonistiigi => tonistiigi::run(root, command, args, &tonistiigi::Environment::read()),
    }
}

fn own_command(root: &Root, command: Option<&Path>, spec: &CommandSpec, args: Vec<OsString>) -> Output {
    let parsed = match parse(spec, args) {
        Ok(parsed) => parsed,
        Err(why) => return Output::failure(&format!("{}: {why}", spec.name), 2),
    };
    if parsed.has("help") {
        return Output::text(command_help(spec));
    }
    if spec.arguments.is_empty()
        && let Some(extra) = parsed.rest.first()
    {
        let why = format!("{}: unexpected argument '{}'", spec.name, extra.to_string_lossy());
        return Output::failure(&why, 2);
    }
    let name = parsed.text("name", NAME);
    match spec.name {
        "register" => match registration(root, command, &parsed) {
            Ok(registration) => Output::of(register::register(
                root,
                &Request {
                    registration,
                    reset: parsed.has("reset"),
                    persistent: parsed.has("persistent"),
                },
            )),
            Err((why, status)) => Output::failure(&why, status),
        },
        "unregister" => Output::of(register::unregister(root, &name, parsed.has("persistent"))),
        "status" => {
            let facts = Facts::gather(root, &name, false);
            Output::text(if parsed.has("json") {
                status::json(&facts)
            } else {
                status::text(&facts)
            })
        }
        "doctor" => {
            let (stdout, sound) = doctor::report(&Facts::gather(root, &name, true));
            Output {
                stdout,
                status: i32::from(!sound),
                ..Output::default()
            }
        }
        "run" => match registration(root, command, &parsed) {
            Ok(registration) => {
                let (status, why) = run::run(&registration, parsed.has("map-root"), &parsed.rest);
                Output::failure(&why, status)
            }
            Err((why, status)) => Output::failure(&why, status),
        },
        "help" => help_on(&parsed.rest),
        other => unreachable!("{other} is not in the table"),
    }
}

/// The entry that the options ask for; or why not, and the exit status.
fn registration(root: &Root, command: Option<&Path>, parsed: &Parsed) -> Result<Registration, (String, i32)> {
    let usage = |why| (why, 2);
    let flags = Flags {
        preserve_argv0: parsed.yes("preserve-argv0").map_err(usage)?,
        open_binary: parsed.yes("credentials").map_err(usage)?,
        credentials: parsed.yes("credentials").map_err(usage)?,
        fix_binary: parsed.yes("fix-binary").map_err(usage)?,
    };
    let failure = |why| (why, 1);
    let interpreter = match parsed.value("interpreter") {
        Some(path) => std::path::absolute(PathBuf::from(path)).map_err(|error| failure(error.to_string()))?,
        None => emulator::find(root, command, flags.preserve_argv0).map_err(failure)?,
    };
    Ok(Registration {
        name: parsed.text("name", NAME),
        interpreter,
        flags,
    })
}

fn help_on(names: &[OsString]) -> Output {
    let Some(name) = names.first().map(|name| name.to_string_lossy()) else {
        return Output::text(help());
    };
    let mut specs = COMMANDS.iter().chain(COMPAT);
    match specs.find(|spec| spec.name == name) {
        Some(spec) => Output::text(command_help(spec)),
        None => Output::failure(&format!("unknown command '{name}' (see raemu-binfmt help)"), 2),
    }
}

/// The help of the whole command.
pub fn help() -> String {
    let row = |spec: &CommandSpec| format!("  {:<20} {}\n", spec.name, spec.summary);
    let mut text = format!("usage: raemu-binfmt COMMAND [OPTIONS]\n{SUMMARY}\n\n");
    text.extend(COMMANDS.iter().map(row));
    text.push_str("\nOptions of other tools are taken in place of a command:\n");
    text.extend(COMPAT.iter().map(row));
    text.push_str("\nraemu-binfmt help COMMAND prints its options.\n");
    text
}

/// The help of one command.
pub fn command_help(spec: &CommandSpec) -> String {
    let is_ours = COMMANDS.iter().any(|command| command.name == spec.name);
    let mut text = "usage: raemu-binfmt".to_owned();
    let words = [
        if is_ours { spec.name } else { "" },
        if spec.options.is_empty() { "" } else { "[OPTIONS]" },
        spec.arguments,
    ];
    for word in words.into_iter().filter(|word| !word.is_empty()) {
        text.push_str(&format!(" {word}"));
    }
    text.push_str(&format!("\n{}\n", spec.summary));
    if !spec.description.is_empty() {
        text.push_str(&format!("\n{}\n", wrapped(spec.description, 80)));
    }
    if !spec.options.is_empty() {
        text.push('\n');
    }
    for option in spec.options {
        let short = option
            .short
            .map_or("    ".to_owned(), |letter| format!("-{letter}, "));
        let value = option.value.map_or(String::new(), |value| format!(" {value}"));
        let left = format!("{short}--{}{value}", option.long);
        text.push_str(&format!("  {left:<28} {}\n", option.help));
    }
    text
}

fn wrapped(text: &str, width: usize) -> String {
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
        let line = lines.last_mut().expect("there is always a line");
        if !line.is_empty() && line.len() + 1 + word.len() > width {
            lines.push(word.to_owned());
        } else {
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
    }
    lines.join("\n")
}
