//! What man pages and completions are made from: one description of a program, however it came by its options.
//!
//! raemu-binfmt's tables are linked in. The emulator has no library, and starts without Rust's `main`: its table is
//! read from what it prints for `-h`, which is made from that table.

use raemu_binfmt::{COMMANDS, COMPAT, CommandSpec, OptionSpec, SUMMARY};
use std::path::Path;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Program {
    pub name: &'static str,
    pub section: u8,
    pub summary: String,
    /// Synopsis, without the name.
    pub arguments: String,
    pub options: Vec<Opt>,
    pub commands: Vec<Command>,
    /// Option sets of other tools.
    pub others: Vec<Command>,
    pub paragraphs: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Command {
    pub name: String,
    pub arguments: String,
    pub summary: String,
    pub description: String,
    pub options: Vec<Opt>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Opt {
    /// With dashes; the long name first.
    pub spellings: Vec<String>,
    pub value: Option<Value>,
    pub help: String,
    /// The variable's name behind QEMU_ or RAEMU_.
    pub variable: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Value {
    pub name: String,
    pub hint: Hint,
}

/// What can complete a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Hint {
    Words(Vec<String>),
    Directory,
    File,
    Nothing,
}

impl Value {
    fn named(name: &str) -> Value {
        let hint = match name {
            "path" | "DIR" => Hint::Directory,
            "PATH" | "logfile" | "file" => Hint::File,
            // A choice, of which words in capitals are placeholders.
            choice if choice.contains('|') => Hint::Words(
                choice
                    .split('|')
                    .filter(|word| !matches!(*word, "NAME" | "CPU"))
                    .map(str::to_owned)
                    .collect(),
            ),
            _other => Hint::Nothing,
        };
        Value {
            name: name.to_owned(),
            hint,
        }
    }
}

/// The registrar, from its tables.
pub fn binfmt() -> Program {
    Program {
        name: "raemu-binfmt",
        section: 8,
        summary: SUMMARY.to_owned(),
        arguments: "COMMAND [OPTIONS]".to_owned(),
        options: Vec::new(),
        commands: COMMANDS.iter().map(command).collect(),
        others: COMPAT.iter().map(command).collect(),
        paragraphs: Vec::new(),
    }
}

fn command(spec: &CommandSpec) -> Command {
    Command {
        name: spec.name.to_owned(),
        arguments: spec.arguments.to_owned(),
        summary: spec.summary.to_owned(),
        description: spec.description.to_owned(),
        options: spec.options.iter().map(option).collect(),
    }
}

fn option(spec: &OptionSpec) -> Opt {
    let mut spellings = vec![format!("--{}", spec.long)];
    spellings.extend(spec.short.map(|letter| format!("-{letter}")));
    Opt {
        spellings,
        value: spec.value.map(Value::named),
        help: spec.help.to_owned(),
        variable: None,
    }
}

/// The emulator, from what the built file says of itself.
pub fn emulator(file: &Path) -> Result<Program, String> {
    let help = says(file, &["-h"])?;
    let mut program = parse_help(&help)?;
    for (spelling, list) in [("-cpu", "-cpu"), ("-d", "-d")] {
        let words = listed(&says(file, &[list, "help"])?);
        let option = program
            .options
            .iter_mut()
            .find(|option| option.spellings[0] == spelling)
            .and_then(|option| option.value.as_mut());
        let value = option.ok_or_else(|| format!("the emulator has no option {spelling}"))?;
        value.hint = Hint::Words(words);
    }
    Ok(program)
}

fn says(file: &Path, arguments: &[&str]) -> Result<String, String> {
    let output = std::process::Command::new(file)
        .args(arguments)
        .env_clear()
        .output()
        .map_err(|e| format!("{}: {e}", file.display()))?;
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// The first words of all lines but the heading.
fn listed(text: &str) -> Vec<String> {
    text.lines()
        .skip(1)
        .filter_map(|line| line.split_whitespace().next())
        .map(str::to_owned)
        .collect()
}

/// Reads the emulator's help: usage and summary, paragraphs, the table of options, paragraphs.
fn parse_help(text: &str) -> Result<Program, String> {
    let mut paragraphs = text
        .split("\n\n")
        .map(|paragraph| paragraph.trim_end_matches('\n'));
    let head = paragraphs.next().unwrap_or_default();
    let (usage, summary) = head.split_once('\n').ok_or("the help has no summary")?;
    let arguments = usage
        .strip_prefix("usage: raemu-aarch64 ")
        .ok_or_else(|| format!("not the emulator's help: '{usage}'"))?;
    let mut program = Program {
        name: "raemu-aarch64",
        section: 1,
        summary: summary.to_owned(),
        arguments: arguments.to_owned(),
        options: Vec::new(),
        commands: Vec::new(),
        others: Vec::new(),
        paragraphs: Vec::new(),
    };
    for paragraph in paragraphs {
        if paragraph.starts_with("Argument ") {
            let rows = paragraph.lines().skip(1);
            program.options = rows.map(parse_row).collect::<Result<_, _>>()?;
        } else if !paragraph.starts_with("Options and ") {
            program.paragraphs.push(paragraph.to_owned());
        }
    }
    if program.options.is_empty() {
        return Err("the help has no table of options".to_owned());
    }
    Ok(program)
}

/// `-L path              QEMU_LD_PREFIX    look for ...`: the argument's column is 20 wide.
fn parse_row(line: &str) -> Result<Opt, String> {
    const ARGUMENT: usize = 20;
    let (argument, rest) = line.split_at_checked(ARGUMENT).unwrap_or((line, ""));
    if !argument.starts_with('-') || !(rest.is_empty() || rest.starts_with(' ')) {
        return Err(format!("not a row of the emulator's options: '{line}'"));
    }
    let mut words = argument.split_whitespace();
    let spelling = words.next().unwrap_or_default();
    let rest = rest.trim_start();
    let (variable, help) = match rest.strip_prefix("QEMU_") {
        Some(rest) => {
            let (variable, help) = rest.split_once(' ').unwrap_or((rest, ""));
            (Some(variable.to_owned()), help.trim_start())
        }
        None => (None, rest),
    };
    Ok(Opt {
        spellings: vec![spelling.to_owned()],
        value: words.next().map(Value::named),
        help: help.to_owned(),
        variable,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_of_the_help() {
        let opt = |line| {
            let opt = parse_row(line).expect("a row");
            let value = opt.value.map(|value| value.name).unwrap_or_default();
            let variable = opt.variable.unwrap_or_default();
            [opt.spellings[0].clone(), value, variable, opt.help].join("/")
        };
        for (line, expected) in [
            (
                "-h                                     print this help",
                "-h///print this help",
            ),
            ("-help", "-help///"),
            (
                "-dfilter range[,...] QEMU_DFILTER      accepted",
                "-dfilter/range[,...]/DFILTER/accepted",
            ),
            (
                "-one-insn-per-tb     QEMU_ONE_INSN_PER_TB one, two",
                "-one-insn-per-tb//ONE_INSN_PER_TB/one, two",
            ),
        ] {
            assert_eq!(opt(line), expected);
        }
        for line in ["", "text", "-an-option-that-is-longer value QEMU_X"] {
            assert!(parse_row(line).is_err(), "{line}");
        }
    }

    #[test]
    fn a_help_without_a_table_is_refused() {
        assert!(parse_help("usage: raemu-aarch64 [options]\nSummary\n\nmore\n").is_err());
        assert!(parse_help("usage: other\nSummary\n").is_err());
        assert!(parse_help("").is_err());
    }

    #[test]
    fn hints_follow_the_values_names() {
        assert_eq!(Value::named("DIR").hint, Hint::Directory);
        let words = |name| match Value::named(name).hint {
            Hint::Words(words) => words.join(" "),
            other => format!("{other:?}"),
        };
        assert_eq!(words("yes|no"), "yes no");
        assert_eq!(words("NAME|arm64"), "arm64");
    }
}
