//! Man pages, made from the description of a program.

use crate::program::{Command, Opt, Program};
use std::fmt::Write as _;

/// What the tables do not say: whole sections, in plain text with indented lines as they are.
struct Extra {
    program: &'static str,
    title: &'static str,
    text: &'static str,
}

const EXTRAS: &[Extra] = &[
    Extra {
        program: "raemu-aarch64",
        title: "Names",
        text: "Links named qemu-aarch64, qemu-aarch64-static and qemu-arm64 behave as the programs of these names. A \
               link whose name ends in -binfmt-P expects the arguments that the kernel passes under flag P of \
               binfmt_misc: path, argv[0], arguments.",
    },
    Extra {
        program: "raemu-aarch64",
        title: "Examples",
        text: "A program of an arm64 root file system:\n\n    raemu-aarch64 -L /srv/arm64 /srv/arm64/bin/ls -l\n\n\
               A shell in that root, with the kernel starting the emulator by itself:\n\n    raemu-binfmt register\n    \
               chroot /srv/arm64 /bin/bash",
    },
    Extra {
        program: "raemu-binfmt",
        title: "Files",
        text: "/proc/sys/fs/binfmt_misc: the kernel's table; one file an entry.\n\n\
               /usr/libexec/raemu-binfmt/aarch64-binfmt-P: the link that is registered under flag P.\n\n\
               /usr/lib/binfmt.d/raemu-aarch64.conf: registers at boot, by systemd-binfmt. A file of the same name in \
               /etc/binfmt.d replaces it; register --persistent writes one.\n\n\
               /usr/share/binfmts/raemu-aarch64: the same for update-binfmts.",
    },
    Extra {
        program: "raemu-binfmt",
        title: "Exit status",
        text: "0: done. 1: not done, or doctor has found something. 2: a bad command line. run exits as its command \
               does.",
    },
    Extra {
        program: "raemu-binfmt",
        title: "Examples",
        text: "arm64 programs just run, until the next boot:\n\n    raemu-binfmt register\n\nAs any user, in one shell:\
               \n\n    raemu-binfmt run\n\nIn a container, as tonistiigi/binfmt does:\n\n    \
               raemu-binfmt --install arm64",
    },
];

/// The page's source. `date` is YYYY-MM-DD.
pub fn page(program: &Program, other: &Program, version: &str, date: &str) -> String {
    let mut page = Page::default();
    page.raw(&format!(
        ".TH {} {} {date} \"raemu-aarch64 {version}\"",
        program.name.to_uppercase(),
        program.section
    ));
    page.section("Name");
    page.raw(&format!("{} \\- {}", program.name, escaped(&program.summary)));
    page.section("Synopsis");
    page.raw(&format!(".B {}", program.name));
    page.text(&program.arguments);
    // The emulator's help opens with two paragraphs on how to call it; the others follow the options.
    let (before, after) = program.paragraphs.split_at(program.paragraphs.len().min(1));
    if !before.is_empty() {
        page.section("Description");
    }
    before.iter().for_each(|paragraph| page.paragraph(paragraph));
    if !program.options.is_empty() {
        page.section("Options");
        program.options.iter().for_each(|option| page.option(option));
    }
    for (title, commands) in [
        ("Commands", &program.commands),
        ("Options of other tools", &program.others),
    ] {
        if !commands.is_empty() {
            page.section(title);
        }
        commands.iter().for_each(|command| page.command(command));
    }
    let mut notes = false;
    for paragraph in after {
        match paragraph.strip_prefix("Exit status: ") {
            Some(status) => {
                page.section("Exit status");
                page.paragraph(&capitalised(status));
            }
            None => {
                if !notes {
                    page.section("Notes");
                }
                notes = true;
                page.paragraph(paragraph);
            }
        }
    }
    for extra in EXTRAS.iter().filter(|extra| extra.program == program.name) {
        page.section(extra.title);
        for paragraph in extra.text.split("\n\n") {
            page.paragraph(paragraph);
        }
    }
    page.section("See also");
    page.raw(&format!(
        ".BR {} ({}),\n.BR binfmt.d (5)",
        other.name, other.section
    ));
    page.source
}

#[derive(Default)]
struct Page {
    source: String,
    /// A heading is the last line: a paragraph needs no request to begin.
    at_heading: bool,
}

impl Page {
    fn raw(&mut self, line: &str) {
        self.source.push_str(line);
        self.source.push('\n');
        self.at_heading = line.starts_with(".S");
    }

    fn section(&mut self, title: &str) {
        self.raw(&format!(".SH {}", title.to_uppercase()));
    }

    fn text(&mut self, text: &str) {
        for line in text.lines() {
            let line = escaped(line.trim_start());
            self.raw(&line);
        }
    }

    /// A paragraph whose indented lines, and lines `QEMU_X = value`, stay as they are.
    fn paragraph(&mut self, text: &str) {
        if !self.at_heading {
            self.raw(".PP");
        }
        let mut verbatim = false;
        for line in text.lines() {
            let fixed = line.starts_with("    ") || line.starts_with("QEMU_") && line.contains(" = ");
            if fixed != verbatim {
                self.raw(if fixed { ".RS 4\n.nf" } else { ".fi\n.RE" });
            }
            verbatim = fixed;
            self.text(line);
        }
        if verbatim {
            self.raw(".fi\n.RE");
        }
    }

    fn option(&mut self, option: &Opt) {
        self.raw(".TP");
        let mut tag = String::new();
        for (index, spelling) in option.spellings.iter().enumerate() {
            let comma = if index == 0 { "" } else { ", " };
            // Writing to a String cannot fail.
            let _ = write!(tag, "{comma}\\fB{}\\fR", escaped_inline(spelling));
        }
        if let Some(value) = &option.value {
            let _ = write!(tag, " \\fI{}\\fR", escaped_inline(&value.name));
        }
        self.raw(&tag);
        let mut help = match option.help.as_str() {
            "" => "another name of the option before".to_owned(),
            text => text.to_owned(),
        };
        if let Some(variable) = &option.variable {
            let _ = write!(help, " (QEMU_{variable})");
        }
        self.text(&help);
    }

    fn command(&mut self, command: &Command) {
        let mut title = command.name.clone();
        for word in [
            if command.options.is_empty() {
                ""
            } else {
                "[OPTIONS]"
            },
            &command.arguments,
        ] {
            if !word.is_empty() {
                title.push(' ');
                title.push_str(word);
            }
        }
        self.raw(&format!(".SS \"{}\"", escaped_inline(&title)));
        self.text(&format!("{}.", capitalised(&command.summary)));
        for paragraph in command.description.split("\n\n").filter(|text| !text.is_empty()) {
            self.paragraph(paragraph);
        }
        command.options.iter().for_each(|option| self.option(option));
    }
}

/// A line of text: neither its characters nor its beginning mean anything to troff.
fn escaped(line: &str) -> String {
    let line = escaped_inline(line);
    match line.starts_with(['.', '\'']) {
        true => format!("\\&{line}"),
        false => line,
    }
}

fn escaped_inline(text: &str) -> String {
    text.replace('\\', "\\e")
        .replace('-', "\\-")
        .replace('"', "\\(dq")
}

fn capitalised(text: &str) -> String {
    let mut letters = text.chars();
    match letters.next() {
        Some(first) => format!("{}{}", first.to_ascii_uppercase(), letters.as_str()),
        None => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_in_a_text_is_a_request() {
        for (text, expected) in [
            (".so /etc/passwd", "\\&.so /etc/passwd"),
            ("'br", "\\&'br"),
            ("a-b \\x7f", "a\\-b \\ex7f"),
        ] {
            assert_eq!(escaped(text), expected);
        }
    }

    #[test]
    fn indented_lines_are_kept() {
        let mut page = Page::default();
        page.paragraph("text:\n    -E a=b\n    -U c\nmore");
        assert_eq!(
            page.source,
            ".PP\ntext:\n.RS 4\n.nf\n\\-E a=b\n\\-U c\n.fi\n.RE\nmore\n"
        );
    }
}
