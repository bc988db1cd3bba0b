//! [`Headers`]: the program headers, checked, behind an ELF header that probe.rs has checked.
//!
//! Only what Linux's binfmt_elf reads is read: section headers may be absent or nonsense.
//! What is refused, and what is let through although it is odd, follows
//! fs/binfmt_elf.c (`load_elf_phdrs`) and, in the texts, qemu.

use crate::error::LoadError;
use crate::probe::Head;
use goblin::elf64::header::{ET_EXEC, Header};
use goblin::elf64::program_header::{
    PF_R, PF_W, PF_X, PT_GNU_STACK, PT_INTERP, PT_LOAD, ProgramHeader, SIZEOF_PHDR,
};
use linux_abi::{Errno, flags};
use std::fs::File;
use std::os::unix::fs::FileExt;

/// What goblin has no name for: the segment with .note.gnu.property.
const PT_GNU_PROPERTY: u32 = 0x6474_e553;

/// Linux reads no larger program header table.
const MAX_PROGRAM_HEADERS: usize = 65536;

/// Linux's PATH_MAX.
const PATH_MAX: u64 = 4096;

/// How the addresses in the file are meant.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// ET_EXEC: as they are.
    Fixed,
    /// ET_DYN: relative to where it is loaded.
    Relocatable,
}

/// A PT_LOAD program header.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Segment {
    pub offset: u64,
    pub vaddr: u64,
    pub file_size: u64,
    pub memory_size: u64,
    /// PROT_* bits.
    pub prot: u64,
    pub align: u64,
}

/// What the loader needs of an ELF file.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Headers {
    pub kind: Kind,
    pub entry: u64,
    /// File offset and number of the program headers.
    pub phoff: u64,
    pub phnum: u16,
    pub segments: Vec<Segment>,
    /// File offset and size of PT_INTERP's string.
    pub interpreter: Option<(u64, u64)>,
    /// PT_GNU_STACK asks for an executable stack.
    pub executable_stack: bool,
    /// File offset and size of PT_GNU_PROPERTY's note.
    pub property: Option<(u64, u64)>,
}

/// Bytes of a file at an offset; shorter than asked at its end.
pub trait ReadAt {
    /// # Errors
    /// The host kernel's.
    fn read_at(&self, offset: u64, buf: &mut [u8]) -> Result<usize, Errno>;
}

impl ReadAt for [u8] {
    fn read_at(&self, offset: u64, buf: &mut [u8]) -> Result<usize, Errno> {
        let rest = usize::try_from(offset)
            .ok()
            .and_then(|offset| self.get(offset..))
            .unwrap_or(&[]);
        let count = rest.len().min(buf.len());
        buf[..count].copy_from_slice(&rest[..count]);
        Ok(count)
    }
}

impl ReadAt for File {
    fn read_at(&self, offset: u64, buf: &mut [u8]) -> Result<usize, Errno> {
        let mut done = 0;
        while done < buf.len() {
            let at = offset.saturating_add(done as u64);
            match FileExt::read_at(self, &mut buf[done..], at) {
                Ok(0) => break,
                Ok(count) => done += count,
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                Err(error) => return Err(Errno(error.raw_os_error().unwrap_or(Errno::EIO.0))),
            }
        }
        Ok(done)
    }
}

impl Headers {
    /// Reads and checks the headers of `file`.
    ///
    /// # Errors
    /// Why it is no program for this machine.
    pub fn read(file: &(impl ReadAt + ?Sized)) -> Result<Headers, LoadError> {
        let header = Head::read(file).map_err(LoadError::File)?.elf_header()?;
        let mut table = vec![0; usize::from(header.e_phnum) * SIZEOF_PHDR];
        if table.is_empty() || table.len() > MAX_PROGRAM_HEADERS {
            return Err(LoadError::Map(Errno::EINVAL));
        }
        if i64::try_from(header.e_phoff).is_err() {
            return Err(LoadError::ReadHeader(Errno::EINVAL));
        }
        let count = file
            .read_at(header.e_phoff, &mut table)
            .map_err(LoadError::ReadHeader)?;
        if count < table.len() {
            return Err(LoadError::File(Errno::ENOEXEC));
        }
        let table = ProgramHeader::from_bytes(&table, usize::from(header.e_phnum));
        collect(&header, &table)
    }

    /// The path of the interpreter in `file`, whose headers these are.
    ///
    /// # Errors
    /// When it has no end, or cannot be read.
    pub fn interpreter_name(&self, file: &(impl ReadAt + ?Sized)) -> Result<Option<Vec<u8>>, LoadError> {
        let Some((offset, size)) = self.interpreter else {
            return Ok(None);
        };
        // At most PATH_MAX, as `collect` has it.
        let mut path = vec![0; size as usize];
        let count = file.read_at(offset, &mut path).map_err(LoadError::ReadHeader)?;
        if count < path.len() || path.last() != Some(&0) {
            return Err(LoadError::InterpreterName);
        }
        path.truncate(path.iter().position(|&byte| byte == 0).unwrap_or(0));
        Ok(Some(path))
    }
}

fn collect(header: &Header, table: &[ProgramHeader]) -> Result<Headers, LoadError> {
    let mut headers = Headers {
        kind: if header.e_type == ET_EXEC {
            Kind::Fixed
        } else {
            Kind::Relocatable
        },
        entry: header.e_entry,
        phoff: header.e_phoff,
        phnum: header.e_phnum,
        segments: Vec::new(),
        interpreter: None,
        executable_stack: false,
        property: None,
    };
    for entry in table {
        match entry.p_type {
            PT_LOAD => headers.segments.push(segment(entry)),
            PT_INTERP if headers.interpreter.is_none() => {
                if !(2..=PATH_MAX).contains(&entry.p_filesz) {
                    return Err(LoadError::InterpreterName);
                }
                headers.interpreter = Some((entry.p_offset, entry.p_filesz));
            }
            PT_GNU_PROPERTY if headers.property.is_none() => {
                headers.property = Some((entry.p_offset, entry.p_filesz));
            }
            PT_GNU_STACK => headers.executable_stack = entry.p_flags & PF_X != 0,
            _ => {}
        }
    }
    if headers.segments.is_empty() {
        return Err(LoadError::Map(Errno::EINVAL));
    }
    Ok(headers)
}

fn segment(entry: &ProgramHeader) -> Segment {
    let bit = |flag: u32, prot: u64| if entry.p_flags & flag != 0 { prot } else { 0 };
    Segment {
        offset: entry.p_offset,
        vaddr: entry.p_vaddr,
        file_size: entry.p_filesz,
        // Linux kills a program whose memory size is the smaller; qemu runs it.
        memory_size: entry.p_memsz.max(entry.p_filesz),
        prot: bit(PF_R, flags::PROT_READ) | bit(PF_W, flags::PROT_WRITE) | bit(PF_X, flags::PROT_EXEC),
        align: entry.p_align,
    }
}
