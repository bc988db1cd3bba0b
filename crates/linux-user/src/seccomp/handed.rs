//! Filters on their way to the next program: a sealed file in memory, which a variable of the environment names
//! ([`crate::inherit`]).
//!
//! What the variable says of filters is believed if the thread is marked ([`super::marker`]): then an emulator executed
//! this one, or the kernel did so for it, and put its own variable last. Without the mark there are no filters,
//! whatever is said. The file is known by its inode, so that no other thread can put another one into its place
//! between; its seals keep its contents.

use super::Seccomp;
use super::bpf::{Insn, Program};
use super::filter::Filter;
use super::marker;
use crate::host::{self, Fcntl};
use crate::kernel::exec::descriptor::Descriptor;
use linux_abi::Errno;
use linux_abi::flags;
use std::fmt;
use std::sync::Arc;
use zerocopy::{FromBytes, IntoBytes};

/// F_SEAL_SEAL, _SHRINK, _GROW and _WRITE.
const SEALS: u64 = 0xf;

/// A file of filters, as the variable names it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Named {
    pub fd: i32,
    pub inode: u64,
}

/// The calling thread has filters, and nobody says which.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Lost;

impl fmt::Display for Lost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the filters of system calls that this process is under are not known")
    }
}

/// Writes down the filters of a thread that is about to execute a program, and marks it. `None` if it has none.
///
/// # Errors
/// EMFILE, ENOMEM and the like; EACCES where the thread cannot be marked.
pub fn write(seccomp: &mut Seccomp) -> Result<Option<(Descriptor, Named)>, Errno> {
    let Some(filters) = seccomp.filters.clone() else {
        return Ok(None);
    };
    marker::set(seccomp)?;
    let bytes = encode(seccomp.marks, &filters);
    let fd = host::memfd_create(c"seccomp", flags::MFD_CLOEXEC | flags::MFD_ALLOW_SEALING)?;
    let file = Descriptor::own(fd);
    let number = file.number();
    host::write_whole(number, &bytes)?;
    host::fcntl(number, Fcntl::AddSeals(SEALS))?;
    let named = Named {
        fd: number,
        inode: host::fstat(number)?.st_ino,
    };
    Ok(Some((file, named)))
}

/// What the calling thread inherits.
///
/// # Errors
/// [`Lost`].
pub fn take(named: Option<Named>) -> Result<Option<Inherited>, Lost> {
    if !marker::is_set() {
        return Ok(None);
    }
    named.and_then(read).map(Some).ok_or(Lost)
}

/// The filters that a program begins with.
#[derive(Clone, Debug)]
pub struct Inherited {
    marks: u64,
    filters: Arc<Filter>,
}

impl Inherited {
    /// The state of the first thread.
    #[must_use]
    pub fn state(&self) -> Seccomp {
        Seccomp {
            filters: Some(Arc::clone(&self.filters)),
            marks: self.marks,
            ..Seccomp::default()
        }
    }
}

/// Reads the file and closes it.
fn read(named: Named) -> Option<Inherited> {
    let stat = host::fstat(named.fd).ok()?;
    if stat.st_ino != named.inode {
        return None;
    }
    let file = Descriptor::own(named.fd as u64);
    let seals = host::fcntl(named.fd, Fcntl::GetSeals);
    if seals != Ok(SEALS) {
        return None;
    }
    let mut bytes = vec![0; usize::try_from(stat.st_size).ok()?];
    let count = host::pread(file.number(), &mut bytes, 0).ok()?;
    (count as usize == bytes.len()).then(|| decode(&bytes))?
}

/// The number of marks; then, oldest first, a word of how many instructions there are and whether there is a listener, and
/// the instructions.
fn encode(marks: u64, filters: &Filter) -> Vec<u8> {
    const LISTENER: u32 = 1 << 31;
    let chain: Vec<&Filter> = filters.chain().collect();
    let mut bytes = marks.as_bytes().to_vec();
    for filter in chain.iter().rev() {
        let insns = filter.program().insns();
        let listener = if filter.has_listener() { LISTENER } else { 0 };
        bytes.extend_from_slice((insns.len() as u32 | listener).as_bytes());
        bytes.extend_from_slice(insns.as_bytes());
    }
    bytes
}

fn decode(bytes: &[u8]) -> Option<Inherited> {
    const LISTENER: u32 = 1 << 31;
    let (marks, mut bytes) = u64::read_from_prefix(bytes).ok()?;
    let mut filters = None;
    while !bytes.is_empty() {
        let (head, rest) = u32::read_from_prefix(bytes).ok()?;
        let size = (head & !LISTENER) as usize * size_of::<Insn>();
        let (insns, rest) = rest.split_at_checked(size)?;
        let mut program = vec![Insn::default(); size / size_of::<Insn>()];
        program.as_mut_bytes().copy_from_slice(insns);
        let program = Program::new(program).ok()?;
        filters = Some(Filter::new(program, head & LISTENER != 0, filters).ok()?);
        bytes = rest;
    }
    Some(Inherited {
        marks,
        filters: filters?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seccomp::bpf::tests::{insn, random};

    #[test]
    fn filters_read_back() {
        let program = |k| Program::new(vec![insn(0, 0, 0, 1), insn(6, 0, 0, k)]).expect("it is right");
        let first = Filter::new(program(5), true, None).expect("room");
        let second = Filter::new(program(6), false, Some(first)).expect("room");
        let read = decode(&encode(3, &second)).expect("it is whole");
        assert_eq!(read.marks, 3);
        let what = |filter: &Filter| (filter.program().clone(), filter.has_listener());
        assert!(read.filters.chain().map(what).eq(second.chain().map(what)));
        assert!(decode(b"").is_none() && decode(&[0; 8]).is_none());
    }

    #[test]
    fn no_bytes_do_harm() {
        let mut state = 7;
        for _ in 0..10_000 {
            let mut bytes = vec![0; random(&mut state) as usize % 64];
            for byte in &mut bytes {
                *byte = (random(&mut state) >> 20) as u8 % 8;
            }
            let _ = decode(&bytes);
        }
    }

    #[test]
    fn a_marked_thread_has_its_filters_or_does_not_run() {
        // Mark and privileges are a thread's.
        std::thread::spawn(|| {
            crate::seccomp::install::set_no_new_privs();
            let program = Program::new(vec![insn(6, 0, 0, 5)]).expect("it is right");
            let mut seccomp = Seccomp {
                filters: Some(Filter::new(program, false, None).expect("room")),
                ..Seccomp::default()
            };
            let (file, named) = write(&mut seccomp).expect("the host has filters").expect("one");
            assert_eq!(take(None).err(), Some(Lost));
            let other = Named {
                inode: named.inode + 1,
                ..named
            };
            assert_eq!(take(Some(other)).err(), Some(Lost));
            // It is closed by who takes it.
            std::mem::forget(file);
            let taken = take(Some(named)).expect("it is known").expect("it is marked");
            assert_eq!((taken.marks, taken.filters.count()), (1, 1));
            assert_eq!(take(Some(named)).err(), Some(Lost));
        })
        .join()
        .expect("it ends well");
    }

    #[test]
    fn nothing_is_believed_without_the_mark() {
        let named = Some(Named { fd: 0, inode: 1 });
        assert!(matches!(take(named), Ok(None)));
    }
}
