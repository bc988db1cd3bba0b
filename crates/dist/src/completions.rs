//! Completions for bash, zsh and fish, made from the description of a program.

use crate::program::{Hint, Opt, Program};
use std::fmt::Write as _;

/// bash: words by `compgen`, without the library of the package bash-completion.
pub fn bash(program: &Program) -> String {
    let function = format!("_{}", program.name.replace('-', "_"));
    let mut text = format!(
        "# bash completion for {name}\n\n{function}() {{\n    \
         local cur=${{COMP_WORDS[COMP_CWORD]}} prev=${{COMP_WORDS[COMP_CWORD-1]}}\n    COMPREPLY=()\n",
        name = program.name
    );
    // Writing to a String cannot fail.
    if program.commands.is_empty() {
        bash_options(&mut text, &program.options, "-f");
    } else {
        let names: Vec<&str> = program.commands.iter().map(|c| c.name.as_str()).collect();
        let _ = write!(
            text,
            "    if ((COMP_CWORD == 1)); then\n        \
             mapfile -t COMPREPLY < <(compgen -W '{}' -- \"$cur\")\n        return\n    fi\n    \
             case ${{COMP_WORDS[1]}} in\n",
            names.join(" ")
        );
        for command in &program.commands {
            let _ = writeln!(text, "    {})", command.name);
            let operand = match command.arguments.as_str() {
                "" => "",
                "[COMMAND]" => &format!("-W '{}'", names.join(" ")),
                _a_command_line => "-c",
            };
            bash_options(&mut text, &command.options, operand);
            text.push_str("        ;;\n");
        }
        text.push_str("    esac\n");
    }
    let _ = write!(
        text,
        "}}\n\ncomplete -o filenames -F {function} {}\n",
        program.name
    );
    text
}

/// Values of options by the word before; else options, or what `operand` makes of compgen.
fn bash_options(text: &mut String, options: &[Opt], operand: &str) {
    let reply = |words: &str| format!("mapfile -t COMPREPLY < <(compgen {words} -- \"$cur\")");
    let with_value: Vec<&Opt> = options.iter().filter(|option| option.value.is_some()).collect();
    if !with_value.is_empty() {
        text.push_str("    case $prev in\n");
        for option in with_value {
            let action = match option.value.as_ref().map(|value| &value.hint) {
                Some(Hint::Words(words)) => reply(&format!("-W '{}'", words.join(" "))) + "; return",
                Some(Hint::Directory) => reply("-d") + "; return",
                Some(Hint::File) => reply("-f") + "; return",
                Some(Hint::Nothing) | None => "return".to_owned(),
            };
            let _ = writeln!(text, "    {}) {action} ;;", option.spellings.join("|"));
        }
        text.push_str("    esac\n");
    }
    let spellings: Vec<&str> = options
        .iter()
        .flat_map(|option| option.spellings.iter().map(String::as_str))
        .collect();
    let otherwise = match operand {
        "" => String::new(),
        operand => format!("    else\n        {}\n", reply(operand)),
    };
    let _ = write!(
        text,
        "    if [[ $cur == -* ]]; then\n        {}\n{otherwise}    fi\n",
        reply(&format!("-W '{}'", spellings.join(" "))),
    );
}

pub fn zsh(program: &Program) -> String {
    let mut text = format!("#compdef {}\n\n", program.name);
    if program.commands.is_empty() {
        zsh_arguments(
            &mut text,
            &program.options,
            &["'1:program:_files'", "'*:argument:_files'"],
        );
        return text;
    }
    text.push_str("local -a commands=(\n");
    for command in &program.commands {
        let _ = writeln!(
            text,
            "    '{}:{}'",
            command.name,
            zsh_escaped(&command.summary, &[])
        );
    }
    text.push_str(
        ")\nif (( CURRENT == 2 )); then\n    _describe command commands\n    return\nfi\n\
         local command=$words[2]\nshift words\n(( CURRENT-- ))\ncase $command in\n",
    );
    for command in &program.commands {
        let _ = writeln!(text, "{})", command.name);
        let operands: &[&str] = match command.arguments.as_str() {
            "" => &[],
            "[COMMAND]" => &["'1:command:{_describe command commands}'"],
            _a_command_line => &["'(-):command:_command_names -e'", "'*::argument:_normal'"],
        };
        zsh_arguments(&mut text, &command.options, operands);
        text.push_str(";;\n");
    }
    text.push_str("esac\n");
    text
}

fn zsh_arguments(text: &mut String, options: &[Opt], operands: &[&str]) {
    if options.is_empty() && operands.is_empty() {
        text.push_str("_message 'no more arguments'\n");
        return;
    }
    text.push_str("_arguments");
    for option in options {
        for spelling in &option.spellings {
            let help = zsh_escaped(&option.help, &['[', ']']);
            let value = option.value.as_ref().map_or(String::new(), |value| {
                let action = match &value.hint {
                    Hint::Words(words) => format!("({})", words.join(" ")),
                    Hint::Directory => "_directories".to_owned(),
                    Hint::File => "_files".to_owned(),
                    Hint::Nothing => " ".to_owned(),
                };
                format!(":{}:{action}", zsh_escaped(&value.name, &[':']))
            });
            let _ = write!(text, " \\\n    '{spelling}[{help}]{value}'");
        }
    }
    for operand in operands {
        let _ = write!(text, " \\\n    {operand}");
    }
    text.push('\n');
}

/// For single quotes, with `special` characters quoted by a backslash.
fn zsh_escaped(text: &str, special: &[char]) -> String {
    let mut escaped = String::new();
    for character in text.chars() {
        match character {
            '\'' => escaped.push_str("'\\''"),
            '\\' => escaped.push_str("\\\\"),
            other => {
                if special.contains(&other) {
                    escaped.push('\\');
                }
                escaped.push(other);
            }
        }
    }
    escaped
}

pub fn fish(program: &Program) -> String {
    let mut text = format!("# fish completion for {}\n\n", program.name);
    for option in &program.options {
        fish_option(&mut text, program.name, "", option);
    }
    let names: Vec<&str> = program.commands.iter().map(|c| c.name.as_str()).collect();
    for command in &program.commands {
        let _ = writeln!(
            text,
            "complete -c {} -n __fish_use_subcommand -f -a {} -d {}",
            program.name,
            command.name,
            fish_quoted(&command.summary)
        );
        let condition = format!("-n '__fish_seen_subcommand_from {}' ", command.name);
        for option in &command.options {
            fish_option(&mut text, program.name, &condition, option);
        }
        let operands = match command.arguments.as_str() {
            "" => "-f".to_owned(),
            "[COMMAND]" => format!("-f -a '{}'", names.join(" ")),
            _a_command_line => "-a '(__fish_complete_subcommand --fcs-skip=2)'".to_owned(),
        };
        let _ = writeln!(text, "complete -c {} {condition}{operands}", program.name);
    }
    text
}

fn fish_option(text: &mut String, name: &str, condition: &str, option: &Opt) {
    let _ = write!(text, "complete -c {name} {condition}");
    for spelling in &option.spellings {
        let _ = match (spelling.strip_prefix("--"), spelling.strip_prefix('-')) {
            (Some(long), _) => write!(text, "-l {long} "),
            (None, Some(short)) if short.len() == 1 => write!(text, "-s {short} "),
            // A long option behind one dash.
            (None, old) => write!(text, "-o {} ", old.unwrap_or(spelling)),
        };
    }
    if let Some(value) = &option.value {
        let action = match &value.hint {
            Hint::Words(words) => format!("-x -a '{}' ", words.join(" ")),
            Hint::Directory => "-x -a '(__fish_complete_directories)' ".to_owned(),
            Hint::File => "-r -F ".to_owned(),
            Hint::Nothing => "-x ".to_owned(),
        };
        text.push_str(&action);
    }
    let _ = writeln!(text, "-d {}", fish_quoted(&option.help));
}

fn fish_quoted(text: &str) -> String {
    format!("'{}'", text.replace('\\', "\\\\").replace('\'', "\\'"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_end_nowhere() {
        assert_eq!(
            zsh_escaped("the guest's argv[0]", &['[', ']']),
            "the guest'\\''s argv\\[0\\]"
        );
        assert_eq!(fish_quoted("a'b\\"), "'a\\'b\\\\'");
    }
}
