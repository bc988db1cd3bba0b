//! Entries of binfmt_misc: what recognises an arm64 program, the line that registers an entry, and the file it
//! becomes (Documentation/admin-guide/binfmt-misc.rst of the kernel).

use std::fmt::{self, Write as _};
use std::path::{Path, PathBuf};

/// The first bytes of a little-endian AArch64 ELF file: class, data, version, any OSABI, `ET_EXEC`, `EM_AARCH64`.
pub const MAGIC: [u8; 20] = [
    0x7f, b'E', b'L', b'F', 2, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0xb7, 0,
];

/// Which bits of [`MAGIC`] count: OSABI does not, and `ET_DYN` (3) is as good as `ET_EXEC` (2).
pub const MASK: [u8; 20] = [
    0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xfe, 0xff,
    0xff, 0xff,
];

/// The kernel takes no longer line than this (MAX_REGISTER_LENGTH).
const MAX_LINE: usize = 1920;

/// Bytes as `\x7f\x45...`, the form that the kernel, systemd-binfmt and update-binfmts read.
pub fn escaped(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a String cannot fail.
        let _ = write!(text, "\\x{byte:02x}");
        text
    })
}

/// The flags of an entry.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Flags {
    /// P: the interpreter is told argv[0].
    pub preserve_argv0: bool,
    /// O: the interpreter gets the program's open file.
    pub open_binary: bool,
    /// C: set-user-ID holds; implies O.
    pub credentials: bool,
    /// F: the interpreter is opened at registration.
    pub fix_binary: bool,
}

impl Flags {
    pub fn parse(text: &str) -> Flags {
        let credentials = text.contains('C');
        Flags {
            preserve_argv0: text.contains('P'),
            open_binary: credentials || text.contains('O'),
            credentials,
            fix_binary: text.contains('F'),
        }
    }
}

/// In the kernel's order.
impl fmt::Display for Flags {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let letters = [
            (self.preserve_argv0, 'P'),
            (self.open_binary || self.credentials, 'O'),
            (self.credentials, 'C'),
            (self.fix_binary, 'F'),
        ];
        letters
            .iter()
            .filter(|(set, _)| *set)
            .try_for_each(|(_, letter)| f.write_char(*letter))
    }
}

/// What is to be registered for arm64 programs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Registration {
    pub name: String,
    pub interpreter: PathBuf,
    pub flags: Flags,
}

impl Registration {
    /// The line for `register`, or why there can be none.
    pub fn line(&self) -> Result<String, String> {
        check_name(&self.name)?;
        let Some(path) = self.interpreter.to_str() else {
            return Err(format!("{}: not a UTF-8 path", self.interpreter.display()));
        };
        if !self.interpreter.is_absolute() {
            return Err(format!("{path}: the interpreter's path must be absolute"));
        }
        if path.contains('\n') {
            return Err(format!("{path:?}: a line feed cannot be registered"));
        }
        // The first character is the separator; the usual one gives way where the path has it.
        let separator = [':', '|', '!', ',', ';']
            .into_iter()
            .find(|&separator| !path.contains(separator) && !self.name.contains(separator))
            .ok_or_else(|| format!("{path}: too many kinds of punctuation in the path"))?;
        let fields = [
            "",
            &self.name,
            "M",
            "",
            &escaped(&MAGIC),
            &escaped(&MASK),
            path,
            &self.flags.to_string(),
        ];
        let line = fields.join(&separator.to_string());
        if line.len() > MAX_LINE {
            return Err(format!("{path}: the path is too long to be registered"));
        }
        Ok(line)
    }

    /// A file for update-binfmts (`/usr/share/binfmts/NAME`).
    pub fn update_binfmts_file(&self, package: &str) -> String {
        let yes_no = |set| if set { "yes" } else { "no" };
        format!(
            "package {package}\ninterpreter {}\nmagic {}\noffset 0\nmask {}\ncredentials {}\npreserve {}\nfix_binary {}\n",
            self.interpreter.display(),
            escaped(&MAGIC),
            escaped(&MASK),
            yes_no(self.flags.credentials),
            yes_no(self.flags.preserve_argv0),
            yes_no(self.flags.fix_binary),
        )
    }
}

/// The line of `:raemu-test:M::...` for an interpreter whose path needs no care.
pub fn register_line(name: &str, interpreter: &Path, flags: &str) -> Result<String, String> {
    let registration = Registration {
        name: name.to_owned(),
        interpreter: interpreter.to_owned(),
        flags: Flags::parse(flags),
    };
    registration.line()
}

/// The name becomes a file beside `register` and `status`.
pub fn check_name(name: &str) -> Result<(), String> {
    let reserved = matches!(name, "" | "." | ".." | "register" | "status");
    let bad = |c: char| c == '/' || c == ':' || c.is_whitespace() || c.is_control();
    if reserved || name.contains(bad) || name.len() > 255 {
        return Err(format!("{name:?} cannot be the name of an entry"));
    }
    Ok(())
}

/// What an entry compares.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Match {
    Magic {
        offset: usize,
        magic: Vec<u8>,
        mask: Vec<u8>,
    },
    Extension(String),
}

/// An entry as the kernel shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    pub name: String,
    pub enabled: bool,
    pub interpreter: PathBuf,
    pub flags: Flags,
    pub matches: Match,
}

impl Entry {
    /// Reads the text of an entry's file; `None` if it is no such text.
    pub fn parse(name: &str, text: &str) -> Option<Entry> {
        let mut lines = text.lines();
        let enabled = match lines.next()? {
            "enabled" => true,
            "disabled" => false,
            _ => return None,
        };
        let (mut interpreter, mut flags, mut extension) = (None, Flags::default(), None);
        let (mut offset, mut magic, mut mask) = (0, None, None);
        for line in lines {
            match line.split_once(' ').unwrap_or((line, "")) {
                ("interpreter", path) => interpreter = Some(PathBuf::from(path)),
                ("flags:", letters) => flags = Flags::parse(letters),
                ("offset", number) => offset = number.parse().ok()?,
                ("magic", digits) => magic = Some(unhex(digits)?),
                ("mask", digits) => mask = Some(unhex(digits)?),
                ("extension", text) => extension = Some(text.trim_start_matches('.').to_owned()),
                // A later kernel may tell more.
                (_, _) => {}
            }
        }
        let matches = match (extension, magic) {
            (Some(extension), _) => Match::Extension(extension),
            (None, Some(magic)) => {
                let mask = mask.unwrap_or_else(|| vec![0xff; magic.len()]);
                Match::Magic { offset, magic, mask }
            }
            (None, None) => return None,
        };
        Some(Entry {
            name: name.to_owned(),
            enabled,
            interpreter: interpreter?,
            flags,
            matches,
        })
    }

    /// Whether the kernel would give this entry an arm64 program, if it is enabled.
    pub fn takes_arm64(&self) -> bool {
        let Match::Magic { offset, magic, mask } = &self.matches else {
            return false;
        };
        if magic.is_empty() || magic.len() != mask.len() {
            return false;
        }
        // ET_EXEC or ET_DYN; OSABI of System V or of GNU.
        [(2, 0), (3, 0), (2, 3), (3, 3)].into_iter().any(|(kind, osabi)| {
            let mut header = [0; 24];
            header[..20].copy_from_slice(&MAGIC);
            (header[7], header[16], header[20]) = (osabi, kind, 1);
            let mut compared = magic.iter().zip(mask).enumerate();
            // Of what lies behind, programs have all sorts.
            compared.all(|(index, (magic, mask))| match header.get(offset + index) {
                Some(byte) => (byte ^ magic) & mask == 0,
                None => true,
            }) && *offset < header.len()
        })
    }
}

fn unhex(digits: &str) -> Option<Vec<u8>> {
    if !digits.is_ascii() || !digits.len().is_multiple_of(2) {
        return None;
    }
    let pair = |index| u8::from_str_radix(&digits[index..index + 2], 16).ok();
    (0..digits.len()).step_by(2).map(pair).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const DEBIAN: &str = "enabled\ninterpreter /usr/libexec/qemu-binfmt/aarch64-binfmt-P\nflags: POCF\noffset 0\n\
                          magic 7f454c460201010000000000000000000200b700\n\
                          mask ffffffffffffff00fffffffffffffffffeffffff\n";

    #[test]
    fn lines() {
        let line = |name: &str, path: &str, flags| register_line(name, Path::new(path), flags);
        assert_eq!(
            line("raemu-aarch64", "/usr/bin/raemu-aarch64", "FC").as_deref(),
            Ok(concat!(
                r":raemu-aarch64:M::\x7f\x45\x4c\x46\x02\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\xb7\x00",
                r":\xff\xff\xff\xff\xff\xff\xff\x00\xff\xff\xff\xff\xff\xff\xff\xff\xfe\xff\xff\xff",
                ":/usr/bin/raemu-aarch64:OCF"
            ))
        );
        assert!(line("a", "/a:b", "").is_ok_and(|line| line.starts_with("|a|M||")));
        let long = format!("/{}", "x".repeat(2000));
        for (name, path, why) in [
            ("status", "/a", "cannot be the name"),
            ("a/b", "/a", "cannot be the name"),
            ("a b", "/a", "cannot be the name"),
            ("", "/a", "cannot be the name"),
            ("a", "a", "must be absolute"),
            ("a", "/a\nb", "line feed"),
            ("a", "/:|!,;", "punctuation"),
            ("a", &long, "too long"),
        ] {
            let error = line(name, path, "").expect_err(path);
            assert!(error.contains(why), "{name} {path}: {error}");
        }
    }

    #[test]
    fn entries_read_back() {
        let entry = Entry::parse("qemu-aarch64", DEBIAN).expect("an entry");
        assert!(entry.enabled && entry.takes_arm64());
        assert_eq!(entry.flags.to_string(), "POCF");
        assert_eq!(
            entry.interpreter,
            Path::new("/usr/libexec/qemu-binfmt/aarch64-binfmt-P")
        );
        for text in [
            "",
            "on",
            "enabled",
            "enabled\ninterpreter /a\nflags: \noffset 0\nmagic 7",
            "enabled\nmagic 7f",
        ] {
            assert_eq!(Entry::parse("x", text), None, "{text}");
        }
    }

    #[test]
    fn which_entries_take_arm64() {
        let taken = |lines: &str| {
            let text = format!("enabled\ninterpreter /i\nflags: \n{lines}\n");
            Entry::parse("x", &text).expect(lines).takes_arm64()
        };
        for (lines, expected) in [
            ("offset 0\nmagic 7f454c460201010000000000000000000200b700", true),
            // Any ELF file, any file whose machine is AArch64.
            ("offset 0\nmagic 7f454c46", true),
            ("offset 18\nmagic b700", true),
            // arm, x86-64 and big-endian AArch64.
            ("offset 0\nmagic 7f454c4601010100000000000000000002002800", false),
            ("offset 18\nmagic 3e00", false),
            ("offset 0\nmagic 7f454c46020201000000000000000000000200b7", false),
            ("offset 0\nmagic 4d5a", false),
            ("offset 60\nmagic 00", false),
            ("extension .jar", false),
            ("offset 0\nmagic 7f454c\nmask ffff", false),
        ] {
            assert_eq!(taken(lines), expected, "{lines}");
        }
    }

    #[test]
    fn flags_print_in_the_kernels_order() {
        for (letters, expected) in [("FCP", "POCF"), ("", ""), ("O", "O"), ("C", "OC"), ("PF", "PF")] {
            assert_eq!(Flags::parse(letters).to_string(), expected);
        }
    }
}
