//! System calls: from X8 and X0-X5 to a result.
//!
//! One typed row a call (table.rs) gives number, name, argument decoding, `-strace` text,
//! the function, and the support page. Families of functions have a file each.
//!
//! Invariants:
//! - Every number of the guest's kernel has a row; what has none answers ENOSYS.
//! - Guest memory is read and written by `arg::read` and its like, or by the host's kernel at
//!   addresses that `arg::guard` has seen: neither touches the emulator's.
//! - No lock of the emulator is held over a call that may block.

pub mod arg;
mod clone;
mod exec;
mod fs;
pub(crate) mod ioctl;
mod memory;
mod misc;
pub(crate) mod pac;
mod path;
mod perf;
mod poll;
mod prctl;
mod prctl_mm;
mod process;
mod show;
pub mod signal;
mod socket;
mod stat;
mod sysv;
pub mod table;
#[cfg(test)]
mod tests;
mod thread;
pub(crate) mod time;
mod uring;

use crate::kernel::ptrace::Altered;
use crate::kernel::stop::{self, Boundary, Call};
use crate::kernel::tenant;
use crate::seccomp::{self, Verdict};
use crate::strace::{Printer, Trace, result_text};
use crate::task::Task;
use arg::Regs;
pub use linux_abi::SysResult;
use linux_abi::{Errno, errno};
use std::sync::atomic::{AtomicBool, Ordering};
pub use table::{DESCRIBED, ROWS};

/// How far a call is supported.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Support {
    /// As the kernel does it.
    Full,
    /// With the exception the text names.
    Partial(&'static str),
    /// Not done: the error every call gets, and why.
    Error(Errno, &'static str),
}

/// How a call's result prints.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Returns {
    Decimal,
    Hex,
    Never,
}

/// One system call. (Each pointer in the table is relocated at every start: so what only documents a call is a
/// [`Described`], in a table that the command does not have.)
pub struct Row {
    pub number: u16,
    pub name: &'static str,
    /// Its support is [`Support::Error`].
    pub refused: bool,
    pub returns: Returns,
    call: fn(&mut Task, &Regs) -> SysResult,
    /// Takes the tags off what are addresses.
    untag: fn(&mut Regs),
    pub(crate) show: fn(&Regs, &mut Printer, Part),
}

/// What the support page says of a call.
pub struct Described {
    /// `host`, `blocking`, `none`, or the function.
    pub done_by: &'static str,
    pub support: Support,
    /// The arguments as the row declares them.
    pub signature: &'static str,
}

/// Which arguments to print: those known before the call, or the rest.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Part {
    Before,
    After,
}

/// Turns the rows into [`ROWS`], and [`DESCRIBED`] in the same order.
macro_rules! syscalls {
    ($($number:literal $name:ident($($arg:ident: $ty:ty),* $(,)?) $(-> $returns:ident)? =
        $by:ident $(:: $function:ident)?, $support:ident $(($($support_args:tt)*))?;)*) => {
        pub static ROWS: &[$crate::syscall::Row] = &[$($crate::syscall::Row {
            number: $number,
            name: stringify!($name),
            refused: matches!(
                $crate::syscall::support!($support $(($($support_args)*))?),
                $crate::syscall::Support::Error(..)
            ),
            returns: $crate::syscall::returns!($($returns)?),
            call: |task, regs| {
                $crate::syscall::call!(task regs; $name($($ty),*) = $by $(:: $function)?, $($($support_args)*)?)
            },
            untag: |regs| {
                let addresses: &[bool] = &[$(<$ty as $crate::syscall::arg::Arg>::ADDRESS),*];
                for (reg, _) in regs.iter_mut().zip(addresses).filter(|(_, is)| **is) {
                    *reg = $crate::syscall::arg::guard::strip(*reg);
                }
            },
            show: |regs, out, part| {
                let shows: &[fn(&$crate::syscall::arg::Regs, usize, &mut $crate::strace::Printer, $crate::syscall::Part)] =
                    &[$($crate::syscall::show_arg::<$ty>),*];
                for (index, show) in shows.iter().enumerate() {
                    show(regs, index, out, part);
                }
            },
        }),*];

        pub static DESCRIBED: &[$crate::syscall::Described] = &[$($crate::syscall::Described {
            done_by: concat!(stringify!($by) $(, "::", stringify!($function))?),
            support: $crate::syscall::support!($support $(($($support_args)*))?),
            signature: stringify!($($arg: $ty),*),
        }),*];
    };
}

macro_rules! support {
    (Full) => {
        $crate::syscall::Support::Full
    };
    (Partial($why:literal)) => {
        $crate::syscall::Support::Partial($why)
    };
    (Error($errno:ident, $why:literal)) => {
        $crate::syscall::Support::Error(linux_abi::Errno::$errno, $why)
    };
}

macro_rules! returns {
    () => {
        $crate::syscall::Returns::Decimal
    };
    ($kind:ident) => {
        $crate::syscall::Returns::$kind
    };
}

macro_rules! call {
    ($task:ident $regs:ident; $name:ident($($ty:ty),*) = host, $($support:tt)*) => {{
        let host = $crate::syscall::host_args!($task $regs, $($ty),*);
        // SAFETY: see `host_args`.
        unsafe { $crate::host::raw(linux_abi::nr::x86_64::$name, host.regs) }
    }};
    ($task:ident $regs:ident; $name:ident($($ty:ty),*) = blocking, $($support:tt)*) => {{
        let host = $crate::syscall::host_args!($task $regs, $($ty),*);
        // SAFETY: see `host_args`.
        unsafe { $task.interruptible(linux_abi::nr::x86_64::$name, host.regs) }
    }};
    ($task:ident $regs:ident; $name:ident($($ty:ty),*) = none, $errno:ident, $why:literal) => {{
        let _ = ($task, $regs);
        Err(linux_abi::Errno::$errno)
    }};
    ($task:ident $regs:ident; $name:ident($($ty:ty),*) = $family:ident :: $function:ident, $($support:tt)*) => {
        $crate::syscall::decoded!($task $regs $family::$function; $($ty),*)
    };
}

/// The host's registers for a call that is alike on both sides, and what they point to.
///
/// Making the call with them is sound: a row gives each argument the type that says what the
/// kernel does there, and `Arg::guard` of that type has put an address in the register where
/// this does not touch the emulator's memory. A row whose type does not fit its
/// argument would break that.
macro_rules! host_args {
    ($task:ident $regs:ident, ) => {{
        let _ = (&$task, $regs);
        $crate::syscall::arg::guard::HostArgs::default()
    }};
    ($task:ident $regs:ident, $($ty:ty),+) => {{
        let mut host = $crate::syscall::arg::guard::HostArgs::default();
        let mut slots = host.regs.iter_mut().enumerate();
        $(
            if let Some((at, slot)) = slots.next() {
                *slot = $crate::syscall::arg::Arg::register(<$ty as $crate::syscall::arg::Arg>::decode($regs, at));
            }
        )+
        let mut places = 0..$regs.len();
        $(
            if let Some(at) = places.next() {
                let value = <$ty as $crate::syscall::arg::Arg>::decode($regs, at);
                $crate::syscall::arg::Arg::guard(value, at, &mut host);
                $crate::syscall::arg::Arg::lead(value, $task, at, &mut host);
            }
        )+
        host
    }};
}

/// A function's call with its arguments decoded, each from its own register.
macro_rules! decoded {
    ($task:ident $regs:ident $family:ident :: $function:ident; ) => {{
        let _ = $regs;
        $family::$function($task)
    }};
    ($task:ident $regs:ident $family:ident :: $function:ident; $($ty:ty),+) => {{
        let mut at = 0..$regs.len();
        let mut next = || at.next().unwrap_or_default();
        $family::$function($task, $(<$ty as $crate::syscall::arg::Arg>::decode($regs, next())),+)
    }};
}

use {call, decoded, host_args, returns, support, syscalls};

/// Prints one argument if this is the part it belongs to. Once an argument has to wait for
/// the result, all after it do.
fn show_arg<A: arg::Arg>(regs: &Regs, index: usize, out: &mut Printer, part: Part) {
    let first_after = out.first_after();
    if A::OUT && index < first_after {
        out.set_first_after(index);
    }
    let after = index >= out.first_after();
    if after != (part == Part::After) {
        return;
    }
    if index > 0 {
        out.text(", ");
    }
    A::decode(regs, index).show(out);
}

/// One more than the highest: the rows are in order.
const NUMBERS: usize = ROWS[ROWS.len() - 1].number as usize + 1;
const NO_ROW: u16 = u16::MAX;

/// From number to row.
static INDEX: [u16; NUMBERS] = {
    let mut index = [NO_ROW; NUMBERS];
    let mut row = 0;
    while row < ROWS.len() {
        index[ROWS[row].number as usize] = row as u16;
        row += 1;
    }
    index
};

/// The row of a number.
#[must_use]
pub fn row(number: u64) -> Option<&'static Row> {
    // The kernel takes the number as an int: the upper half of X8 is ignored.
    let at = *INDEX.get(number as u32 as usize)?;
    ROWS.get(usize::from(at))
}

/// Carries out the call that the guest's registers hold. The result is for the caller to
/// put into X0: signals may have to restart the call instead.
///
/// # Errors
/// The call's error, including the kernel-internal ones that ask for a restart.
pub fn dispatch(task: &mut Task) -> SysResult {
    let state = task.cpu.state();
    let number = state.x[8];
    let mut regs = std::array::from_fn(|index| state.x[index]);
    let row = row(number);
    if task.state.tagged_addresses != 0 {
        take_tagged(row, &mut regs);
    }
    if let Some(log) = task.process.options.unimplemented {
        report_unimplemented(log, row, number);
    }
    let call = Call {
        number,
        row,
        regs: &regs,
    };
    match row {
        Some(row) if task.observers.is_none() && !CALLS_WATCHED.load(Ordering::Relaxed) => {
            (row.call)(task, &regs)
        }
        Some(_) | None if task.observers.is_some() => observed(task, call),
        Some(_) | None => carry_out(task, call),
    }
}

/// Whether calls are looked at before they are made: a task of this host process has or had seccomp filters.
static CALLS_WATCHED: AtomicBool = AtomicBool::new(false);

/// From here on calls are looked at before they are made.
pub fn watch_calls() {
    CALLS_WATCHED.store(true, Ordering::SeqCst);
}

/// Makes a call that is looked at before, unless the task's filters have something against it.
fn carry_out(task: &mut Task, call: Call<'_>) -> SysResult {
    match seccomp::check(task, call.number, call.regs) {
        Verdict::Make => make(task, call),
        Verdict::Done(result) => result,
        Verdict::Again => as_altered(task, call, carry_out_shown),
    }
}

/// A call that a filter has shown to a tracer already.
fn carry_out_shown(task: &mut Task, call: Call<'_>) -> SysResult {
    match seccomp::recheck(task, call.number, call.regs) {
        Verdict::Make | Verdict::Again => make(task, call),
        Verdict::Done(result) => result,
    }
}

/// The thread's calls accept tagged addresses.
#[cold]
fn take_tagged(row: Option<&Row>, regs: &mut Regs) {
    arg::guard::take_tags(true);
    if let Some(row) = row {
        (row.untag)(regs);
    }
}

fn make(task: &mut Task, call: Call<'_>) -> SysResult {
    let Some(row) = call.row else {
        return Err(Errno::ENOSYS);
    };
    if let Some(result) = tenant::intercept(task, row.name, call.regs) {
        return result;
    }
    (row.call)(task, call.regs)
}

/// A call that has observers or is a tenant's.
#[cold]
fn observed(task: &mut Task, call: Call<'_>) -> SysResult {
    stop::raise(task, &Boundary::CallEntered(call));
    let result = match task.trace.is_traced() {
        true => as_altered(task, call, carry_out),
        false => carry_out(task, call),
    };
    let boundary = if std::mem::take(&mut task.forked) {
        Boundary::Started(Some(call))
    } else {
        Boundary::CallLeft(call, result)
    };
    if task.ended.is_none() {
        stop::raise(task, &boundary);
    }
    task.trace.take_result().unwrap_or(result)
}

/// A call that the task's tracer may have changed when it was entered.
fn as_altered(task: &mut Task, call: Call<'_>, then: fn(&mut Task, Call<'_>) -> SysResult) -> SysResult {
    let state = task.cpu.state();
    let regs = std::array::from_fn(|index| state.x[index]);
    let number = match task.trace.take_altered() {
        None => call.number,
        Some(Altered::Number(number)) => number,
        Some(Altered::Skipped) => return errno::from_register(regs[0]),
    };
    then(
        task,
        Call {
            number,
            row: row(number),
            regs: &regs,
        },
    )
}

/// -d unimp: a call that no support of this emulator's stands behind.
#[cold]
fn report_unimplemented(log: Trace, row: Option<&Row>, number: u64) {
    if row.is_none_or(|row| row.refused) {
        log.line(&format!("Unsupported syscall: {}", number as u32));
    }
}

/// What `-strace` prints of a call that gave `result`, without making it: for fuzzing.
/// `None` if the number has no row.
#[must_use]
pub fn text_of(number: u64, regs: &Regs, result: SysResult) -> Option<String> {
    let row = row(number)?;
    let mut out = Printer::new();
    out.text(row.name);
    out.text("(");
    (row.show)(regs, &mut out, Part::Before);
    out.set_result(result);
    (row.show)(regs, &mut out, Part::After);
    out.text(")");
    out.text(&result_text(result, row.returns == Returns::Hex));
    Some(out.as_str().to_owned())
}
