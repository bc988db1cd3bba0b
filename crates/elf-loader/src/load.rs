//! [`load`]: maps a program, its interpreter, the vDSO and the stack.

use crate::error::LoadError;
use crate::header::{Headers, Kind};
use crate::memory::{Area, Memory, Place, Request, write};
use crate::plan::Step;
use crate::stack::{self, Contents};
use crate::vdso;
use guest::{GuestAddr, PAGE_SIZE};
use linux_abi::flags::{PROT_EXEC, PROT_NONE, PROT_READ, PROT_WRITE};
use linux_abi::{Errno, Hwcaps, SysResult};
use std::fs::File;
use std::ops::Range;
use std::os::fd::AsRawFd;

/// Where relocatable programs go: far from the host's own image (0x55..., 0x7f...), from
/// where `ulimit -s unlimited` moves the host's mmap (0x2a...), and from the shadow that
/// AddressSanitizer lays over the low 32 TiB; with room behind it for the heap.
const PIE_BASE: u64 = 0x4000_0000_0000;
/// As many random bits for its page as arm64 Linux has at least (ARCH_MMAP_RND_BITS 18)
/// and x86-64 Linux has.
const PIE_RANDOM_BITS: u32 = 28;
/// Linux's stack_guard_gap: what is never closer to an area that grows down.
pub const STACK_GUARD: u64 = 256 * PAGE_SIZE;

/// What to load, and how.
pub struct Program<'a> {
    pub file: &'a File,
    pub argv: &'a [Vec<u8>],
    pub envp: &'a [Vec<u8>],
    /// The path as given to execve: AT_EXECFN.
    pub file_name: &'a [u8],
    /// Opens an interpreter.
    pub open: &'a dyn Fn(&[u8]) -> Result<File, Errno>,
    /// Bytes of a stack that does not grow.
    pub stack_size: u64,
    /// It grows as it is used, and has so many bytes from the beginning.
    pub growing_stack: Option<u64>,
    /// Where its addresses end, if not the host's.
    pub limit: Option<u64>,
    pub random: [u8; 16],
    /// Chooses the address of a relocatable program; 0 for the lowest.
    pub address_seed: u64,
    /// AT_UID, AT_EUID, AT_GID, AT_EGID.
    pub ids: [u64; 4],
    pub hwcap: Hwcaps,
    /// AT_SECURE.
    pub secure: bool,
}

/// A program ready to run.
#[derive(Debug)]
pub struct Loaded {
    /// The first instruction: the interpreter's entry point if there is one.
    pub entry: GuestAddr,
    pub sp: GuestAddr,
    /// Where the heap begins.
    pub brk: GuestAddr,
    /// The auxiliary vector, as /proc/self/auxv shows it.
    pub auxv: Vec<u8>,
    /// The vDSO's `__kernel_rt_sigreturn`.
    pub sigreturn: GuestAddr,
    pub arguments: Range<GuestAddr>,
    pub environment: Range<GuestAddr>,
}

impl Program<'_> {
    /// Where a position-independent program goes: with a limit of its addresses to the kernel's ELF_ET_DYN_BASE.
    fn pie_base(&self) -> u64 {
        let random = (self.address_seed & ((1 << PIE_RANDOM_BITS) - 1)) * PAGE_SIZE;
        match self.limit {
            None => PIE_BASE + random,
            Some(end) => end / 3 * 2 / PAGE_SIZE * PAGE_SIZE,
        }
    }
}

/// Loads `program` into `memory`.
///
/// # Errors
/// Why it cannot be run; some of it may be mapped then.
pub fn load(memory: &dyn Memory, program: &Program<'_>) -> Result<Loaded, LoadError> {
    let mut headers = Headers::read(program.file)?;
    let interpreter = open_interpreter(program, &headers)?;
    // Of a dynamically linked program the interpreter guards the code.
    if interpreter.is_none() {
        headers.guard_code(program.file);
    }
    let bias = map_image(memory, program.file, &headers, Some(program.pie_base()))?;
    let entry = headers.entry.wrapping_add(bias);
    let (start, base) = match &interpreter {
        Some(interpreter) => {
            let bias = map_interpreter(memory, interpreter)?;
            (interpreter.headers.entry.wrapping_add(bias), bias)
        }
        None => (entry, 0),
    };
    let (vdso, sigreturn) = map_vdso(memory).map_err(LoadError::Map)?;
    let [hwcap, hwcap2, hwcap3] = program.hwcap.words();
    let aux = [
        (stack::AT_SYSINFO_EHDR, vdso),
        (stack::AT_MINSIGSTKSZ, stack::MINSIGSTKSZ),
        (stack::AT_HWCAP, hwcap),
        (stack::AT_PAGESZ, PAGE_SIZE),
        (stack::AT_CLKTCK, stack::CLOCK_TICKS),
        (
            stack::AT_PHDR,
            headers.program_headers().map_or(0, |at| at.wrapping_add(bias)),
        ),
        (stack::AT_PHENT, 56),
        (stack::AT_PHNUM, u64::from(headers.phnum)),
        (stack::AT_BASE, base),
        (stack::AT_FLAGS, 0),
        (stack::AT_ENTRY, entry),
        (stack::AT_UID, program.ids[0]),
        (stack::AT_EUID, program.ids[1]),
        (stack::AT_GID, program.ids[2]),
        (stack::AT_EGID, program.ids[3]),
        (stack::AT_SECURE, u64::from(program.secure)),
        (stack::AT_HWCAP2, hwcap2),
        (stack::AT_HWCAP3, hwcap3),
    ];
    let image = map_stack(memory, program, &headers, &aux)?;
    Ok(Loaded {
        entry: GuestAddr(start),
        sp: image.sp,
        brk: GuestAddr(headers.end().wrapping_add(bias)).page_up(),
        auxv: image.auxv,
        sigreturn: GuestAddr(sigreturn),
        arguments: image.arguments,
        environment: image.environment,
    })
}

struct Interpreter {
    path: Vec<u8>,
    file: File,
    headers: Headers,
}

impl Interpreter {
    fn error(&self, error: LoadError) -> LoadError {
        LoadError::Interpreter {
            path: self.path.clone(),
            error: Box::new(error),
        }
    }
}

fn open_interpreter(program: &Program<'_>, headers: &Headers) -> Result<Option<Interpreter>, LoadError> {
    let Some(path) = headers.interpreter_name(program.file)? else {
        return Ok(None);
    };
    let file = (program.open)(&path).map_err(|error| LoadError::InterpreterMissing {
        path: path.clone(),
        error,
    })?;
    match Headers::read(&file) {
        Ok(mut headers) => {
            headers.guard_code(&file);
            Ok(Some(Interpreter { path, file, headers }))
        }
        Err(error) => Err(LoadError::Interpreter {
            path,
            error: Box::new(as_interpreter(error)),
        }),
    }
}

/// What execve would say of a program, as qemu says it of an interpreter.
fn as_interpreter(error: LoadError) -> LoadError {
    match error {
        LoadError::File(Errno::ENOEXEC) => LoadError::WrongArchitecture,
        LoadError::File(errno) => LoadError::ReadHeader(errno),
        other => other,
    }
}

fn map_interpreter(memory: &dyn Memory, interpreter: &Interpreter) -> Result<u64, LoadError> {
    map_image(memory, &interpreter.file, &interpreter.headers, None).map_err(|error| interpreter.error(error))
}

/// Maps the segments; gives the bias of their addresses.
fn map_image(
    memory: &dyn Memory,
    file: &File,
    headers: &Headers,
    wanted: Option<u64>,
) -> Result<u64, LoadError> {
    let span = headers.span()?;
    let start = reserve(memory, headers, &span, wanted).map_err(LoadError::Map)?;
    let bias = start.wrapping_sub(span.start);
    let steps = headers.plan(bias)?;
    for step in &steps {
        carry_out(memory, file, step).map_err(LoadError::Map)?;
    }
    unmap_holes(memory, &steps, start..start + (span.end - span.start)).map_err(LoadError::Map)?;
    Ok(bias)
}

/// Gives back what of the reserved `span` no segment took.
fn unmap_holes(memory: &dyn Memory, steps: &[Step], span: Range<u64>) -> Result<(), Errno> {
    let mut mapped: Vec<Range<u64>> = steps.iter().map(Step::mapped).collect();
    mapped.sort_unstable_by_key(|range| range.start);
    let mut end = span.start;
    for range in &mapped {
        if range.start > end {
            memory.unmap(GuestAddr(end)..GuestAddr(range.start))?;
        }
        end = end.max(range.end);
    }
    if span.end > end {
        memory.unmap(GuestAddr(end)..GuestAddr(span.end))?;
    }
    Ok(())
}

/// Takes the whole span first, so that no segment lands on anything else.
fn reserve(memory: &dyn Memory, headers: &Headers, span: &Range<u64>, wanted: Option<u64>) -> SysResult {
    let len = span.end - span.start;
    let claim = |place: Place, len: u64| {
        memory.map(Request {
            place,
            len,
            prot: PROT_NONE,
            file: None,
        })
    };
    if headers.kind == Kind::Fixed {
        return claim(Place::Free(GuestAddr(span.start)), len);
    }
    let align = headers.alignment();
    if let Some(at) = wanted.and_then(|wanted| wanted.checked_next_multiple_of(align))
        && let Ok(at) = claim(Place::Free(GuestAddr(at)), len)
    {
        return Ok(at);
    }
    let room = len.checked_add(align - PAGE_SIZE).ok_or(Errno::ENOMEM)?;
    let at = claim(Place::Anywhere, room)?;
    // The host's addresses are below 2^47, and room fitted there.
    let start = at.next_multiple_of(align);
    for part in [at..start, start + len..at + room] {
        if part.start < part.end {
            memory.unmap(GuestAddr(part.start)..GuestAddr(part.end))?;
        }
    }
    Ok(start)
}

fn carry_out(memory: &dyn Memory, file: &File, step: &Step) -> Result<(), Errno> {
    match *step {
        Step::File {
            addr,
            len,
            prot,
            offset,
        } => {
            let request = Request {
                place: Place::Replace(addr),
                len,
                prot,
                file: Some((file.as_raw_fd(), offset)),
            };
            memory.map(request).map(drop)
        }
        Step::Zero { addr, len, prot } => {
            let request = Request {
                place: Place::Replace(addr),
                len,
                prot,
                file: None,
            };
            memory.map(request).map(drop)
        }
        Step::Clear { addr, len } => write(addr, &[0; PAGE_SIZE as usize][..len as usize]),
    }
}

/// Maps the vDSO: its address, and that of the signal trampoline.
fn map_vdso(memory: &dyn Memory) -> Result<(u64, u64), Errno> {
    let vdso = vdso::build();
    let len = (vdso.bytes.len() as u64).next_multiple_of(PAGE_SIZE);
    let at = memory.map(Request {
        place: Place::Anywhere,
        len,
        prot: PROT_READ | PROT_WRITE,
        file: None,
    })?;
    write(GuestAddr(at), &vdso.bytes)?;
    let range = GuestAddr(at)..GuestAddr(at + len);
    memory.protect(range.clone(), PROT_READ | PROT_EXEC)?;
    memory.label(range, Area::Vdso);
    Ok((at, at + vdso.sigreturn))
}

fn map_stack(
    memory: &dyn Memory,
    program: &Program<'_>,
    headers: &Headers,
    aux: &[(u64, u64)],
) -> Result<stack::StackImage, LoadError> {
    let size = program
        .stack_size
        .max(PAGE_SIZE)
        .checked_next_multiple_of(PAGE_SIZE)
        .filter(|&size| size < guest::GUEST_ADDRESS_LIMIT)
        .ok_or(LoadError::Map(Errno::ENOMEM))?;
    let exec = if headers.executable_stack { PROT_EXEC } else { 0 };
    let prot = PROT_READ | PROT_WRITE | exec;
    let contents = Contents {
        argv: program.argv,
        envp: program.envp,
        file_name: program.file_name,
        random: program.random,
        auxv: aux,
    };
    let growing = program.growing_stack.and_then(|at_once| {
        // The kernel adds as much to what it has written (setup_arg_pages).
        const EXPANSION: u64 = 128 << 10;
        let len = (contents.size_at_most() + EXPANSION).max(at_once);
        memory.map_stack(len.next_multiple_of(PAGE_SIZE), prot)
    });
    let range = match growing {
        Some(range) => range,
        None => map_whole_stack(memory, size, prot)?,
    };
    // Linux leaves a quarter of the stack at least.
    let image = stack::build(range.end, size - size / 4, &contents)?;
    write(image.sp, &image.bytes).map_err(LoadError::Map)?;
    Ok(image)
}

/// A stack that is all there from the beginning, with Linux's guard below it.
fn map_whole_stack(memory: &dyn Memory, size: u64, prot: u64) -> Result<Range<GuestAddr>, LoadError> {
    let whole = memory
        .map(Request {
            place: Place::Anywhere,
            len: size + STACK_GUARD,
            prot: PROT_NONE,
            file: None,
        })
        .map_err(LoadError::Map)?;
    let range = GuestAddr(whole + STACK_GUARD)..GuestAddr(whole + STACK_GUARD + size);
    memory.protect(range.clone(), prot).map_err(LoadError::Map)?;
    memory.label(range.clone(), Area::Stack);
    Ok(range)
}
