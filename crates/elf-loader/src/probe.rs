//! [`Head`]: what the first bytes of a file say of it, as execve(2) looks at them: a `#!` line, a program of the
//! guest's machine, or something else.
//!
//! Place in the path: before [`Headers`](crate::Headers), which reads on from an ELF header that is checked here; in
//! an execve of the guest, which must answer as the kernel does before it starts anything; and at start, to tell a
//! start by the kernel. Nothing else looks for the two magics.

use crate::error::LoadError;
use crate::header::ReadAt;
use goblin::elf64::header::{
    EI_CLASS, EI_DATA, EI_VERSION, ELFCLASS64, ELFDATA2LSB, ELFMAG, EM_AARCH64, ET_DYN, ET_EXEC, EV_CURRENT,
    Header, SIZEOF_EHDR,
};
use goblin::elf64::program_header::SIZEOF_PHDR;
use linux_abi::Errno;

/// BINPRM_BUF_SIZE: how much of a file the kernel looks at.
const SIZE: usize = 256;

/// The first bytes of a file.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Head {
    /// Those behind the file's end are zero, as in the kernel's buffer.
    bytes: [u8; SIZE],
    /// How many the file has.
    len: usize,
}

/// How a file is executed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Format {
    Script(Script),
    /// An ELF file for the guest's machine.
    Guest,
    Other,
}

/// What a `#!` line says.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Script {
    pub interpreter: Vec<u8>,
    pub argument: Option<Vec<u8>>,
}

impl Head {
    /// Reads the first bytes of `file`.
    ///
    /// # Errors
    /// The host kernel's.
    pub fn read(file: &(impl ReadAt + ?Sized)) -> Result<Head, Errno> {
        let mut bytes = [0; SIZE];
        let len = file.read_at(0, &mut bytes)?;
        Ok(Head { bytes, len })
    }

    /// How the file is executed.
    ///
    /// # Errors
    /// ENOEXEC for a line that names no interpreter, and for an ELF file of the guest's machine that is no program.
    pub fn format(&self) -> Result<Format, Errno> {
        if self.bytes.starts_with(b"#!") {
            return self.script().map(Format::Script);
        }
        if !self.is_guest() {
            return Ok(Format::Other);
        }
        let program = self.elf_header().map_err(|_| Errno::ENOEXEC);
        program.map(|_| Format::Guest)
    }

    /// Whether this is an ELF file of any machine.
    #[must_use]
    pub fn is_elf(&self) -> bool {
        self.bytes.starts_with(ELFMAG)
    }

    /// Whether this is a 64-bit little-endian ELF file of the guest's machine, be it a program or not.
    fn is_guest(&self) -> bool {
        let ident = &self.bytes[..SIZEOF_EHDR];
        ident.starts_with(ELFMAG)
            && (ident[EI_CLASS], ident[EI_DATA]) == (ELFCLASS64, ELFDATA2LSB)
            && ident[18..20] == EM_AARCH64.to_le_bytes()
    }

    /// The ELF header of a program of the guest's machine. What is refused follows fs/binfmt_elf.c
    /// (`load_elf_binary`, `elf_check_arch`) and, in the texts, qemu.
    pub(crate) fn elf_header(&self) -> Result<Header, LoadError> {
        let bytes = &self.bytes[..SIZEOF_EHDR];
        if !bytes.starts_with(ELFMAG) || self.len < SIZEOF_EHDR {
            return Err(LoadError::File(Errno::ENOEXEC));
        }
        // Before parsing: a 32-bit header has another layout.
        if !self.is_guest() {
            return Err(LoadError::WrongArchitecture);
        }
        let header = Header::parse(bytes).map_err(|_| LoadError::WrongArchitecture)?;
        // Linux looks at neither version nor OSABI; qemu at EI_VERSION, and the binfmt_misc
        // entry requires it to be 1, so no script depends on other values.
        let fits = matches!(header.e_type, ET_EXEC | ET_DYN)
            && usize::from(header.e_phentsize) == SIZEOF_PHDR
            && bytes[EI_VERSION] == EV_CURRENT;
        if fits {
            Ok(header)
        } else {
            Err(LoadError::WrongArchitecture)
        }
    }

    /// Takes a `#!` line apart as fs/binfmt_script.c does: one optional argument, which may
    /// contain blanks; a line that does not end within the buffer must at least hold the whole
    /// interpreter's name.
    fn script(&self) -> Result<Script, Errno> {
        let is_blank = |byte: &u8| matches!(byte, b' ' | b'\t');
        // The kernel ends its buffer with a NUL.
        let text = &self.bytes[2..SIZE - 1];
        let line = match text.iter().position(|&byte| byte == b'\n') {
            Some(end) => &text[..end],
            None => {
                let name = text
                    .iter()
                    .position(|byte| !is_blank(byte))
                    .ok_or(Errno::ENOEXEC)?;
                let ends = text[name..].iter().any(|byte| is_blank(byte) || *byte == 0);
                if !ends {
                    return Err(Errno::ENOEXEC);
                }
                text
            }
        };
        let line = &line[..line.iter().position(|&byte| byte == 0).unwrap_or(line.len())];
        let start = line
            .iter()
            .position(|byte| !is_blank(byte))
            .ok_or(Errno::ENOEXEC)?;
        let end = line
            .iter()
            .rposition(|byte| !is_blank(byte))
            .map_or(start, |last| last + 1);
        let line = &line[start..end];
        let split = line.iter().position(is_blank).unwrap_or(line.len());
        let rest = &line[split..];
        let argument = rest
            .iter()
            .position(|byte| !is_blank(byte))
            .map(|at| rest[at..].to_vec());
        Ok(Script {
            interpreter: line[..split].to_vec(),
            argument,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn format(bytes: &[u8]) -> Result<Format, Errno> {
        Head::read(bytes).expect("in memory").format()
    }

    fn script(bytes: &[u8]) -> Result<Script, Errno> {
        match format(bytes)? {
            Format::Script(script) => Ok(script),
            Format::Guest | Format::Other => panic!("no script: {bytes:?}"),
        }
    }

    #[test]
    fn script_lines_are_taken_apart() {
        type Line<'a> = (&'a [u8], Option<&'a [u8]>);
        let cases: &[(&[u8], Result<Line, Errno>)] = &[
            (b"#!/bin/sh\necho", Ok((b"/bin/sh", None))),
            (b"#! \t/bin/sh \t\n", Ok((b"/bin/sh", None))),
            (
                b"#!/usr/bin/env python3\n",
                Ok((b"/usr/bin/env", Some(b"python3"))),
            ),
            (b"#!/bin/awk  -f -v  \n", Ok((b"/bin/awk", Some(b"-f -v")))),
            (b"#!/bin/sh", Ok((b"/bin/sh", None))),
            (b"#!\n", Err(Errno::ENOEXEC)),
            (b"#!   \n", Err(Errno::ENOEXEC)),
            (b"#!", Err(Errno::ENOEXEC)),
        ];
        for (text, expected) in cases {
            let found = script(text);
            let found = found
                .as_ref()
                .map(|line| (line.interpreter.as_slice(), line.argument.as_deref()));
            assert_eq!(found, expected.as_ref().copied());
        }
    }

    #[test]
    fn long_script_lines_are_cut_but_not_in_the_name() {
        let mut long_name = b"#!/".to_vec();
        long_name.resize(400, b'x');
        assert_eq!(script(&long_name), Err(Errno::ENOEXEC));
        let mut long_argument = b"#!/bin/sh ".to_vec();
        long_argument.resize(400, b'y');
        let line = script(&long_argument).expect("the name is whole");
        assert_eq!(line.argument.map(|text| text.len()), Some(SIZE - 1 - 10));
    }

    #[test]
    fn guest_programs_are_told_by_their_header() {
        let mut elf = b"\x7fELF\x02\x01\x01".to_vec();
        elf.resize(SIZEOF_EHDR, 0);
        elf[16] = 3;
        elf[18] = 183;
        elf[54] = 56;
        assert_eq!(format(&elf), Ok(Format::Guest));
        assert_eq!(format(&elf[..SIZEOF_EHDR - 1]), Err(Errno::ENOEXEC));
        for (at, value, expected) in [
            (54, 0, Err(Errno::ENOEXEC)),
            (16, 1, Err(Errno::ENOEXEC)),
            (18, 62, Ok(Format::Other)),
            (4, 1, Ok(Format::Other)),
            (5, 2, Ok(Format::Other)),
        ] {
            let mut other = elf.clone();
            other[at] = value;
            assert_eq!(format(&other), expected, "{value} at {at}");
        }
        for text in [&b"text"[..], b"", b"\x7fELF", b" #!/bin/sh\n"] {
            assert_eq!(format(text), Ok(Format::Other));
        }
    }
}
