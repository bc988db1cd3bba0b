//! `-strace`: one line a call, `PID name(args) = ret` or `= -1 errno=N (text)`, to standard
//! error or the -D file ([`crate::log`]).
//!
//! A line is begun before the call and finished after it, so that a call that never
//! returns is seen. When another thread writes in between, the line is closed with
//! `<unfinished ...>` and taken up again with `<... name resumed>`.

use crate::kernel::stop::{Boundary, Call, Observer, Resume};
use crate::kernel::task::Task;
use crate::log::Log;
use crate::signal::info::{self, SigInfo};
use crate::signal::set;
use crate::syscall::arg::{Iov, read, read_bytes, read_cstr};
use crate::syscall::{Part, Returns, ioctl};
use guest::GuestAddr;
use linux_abi::flags::FlagSet;
use linux_abi::{SysResult, flags};
use std::fmt::Write as _;
use std::sync::atomic::{AtomicI32, Ordering};

/// Longer strings and buffers end in `...`, as strace(1)'s default has it.
const MAX_STRING: usize = 32;
const MAX_ELEMENTS: u64 = 16;

/// The thread whose line is begun and not finished; 0 for none.
static OPEN_LINE: AtomicI32 = AtomicI32::new(0);

/// Builds the text of one call.
pub struct Printer {
    text: String,
    result: Option<SysResult>,
    /// Fields printed of the present group.
    fields: u32,
    /// The first argument that is only known after the call.
    first_after: usize,
}

impl Printer {
    #[must_use]
    pub fn new() -> Printer {
        Printer {
            text: String::with_capacity(160),
            result: None,
            fields: 0,
            first_after: usize::MAX,
        }
    }

    #[must_use]
    pub fn first_after(&self) -> usize {
        self.first_after
    }

    pub fn set_first_after(&mut self, index: usize) {
        self.first_after = index;
    }

    /// The call's result, once it returned.
    #[must_use]
    pub fn result(&self) -> Option<SysResult> {
        self.result
    }

    pub fn set_result(&mut self, result: SysResult) {
        self.result = Some(result);
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    pub fn text(&mut self, text: &str) {
        self.text.push_str(text);
    }

    pub fn dec(&mut self, value: i64) {
        // Writing to a String cannot fail.
        let _ = write!(self.text, "{value}");
    }

    pub fn hex(&mut self, value: u64) {
        let _ = write!(self.text, "{value:#x}");
    }

    pub fn octal(&mut self, value: u64) {
        let _ = write!(self.text, "0{value:o}");
    }

    pub fn pointer(&mut self, addr: GuestAddr) {
        if addr.is_null() {
            self.text("NULL");
        } else {
            self.hex(addr.0);
        }
    }

    /// `{...}` around what `body` prints.
    pub fn group(&mut self, body: impl FnOnce(&mut Printer)) {
        let outer = std::mem::replace(&mut self.fields, 0);
        self.text("{");
        body(self);
        self.text("}");
        self.fields = outer;
    }

    /// `name=`, after a comma if it is not the group's first.
    pub fn field(&mut self, name: &str) {
        if self.fields > 0 {
            self.text(",");
        }
        self.fields += 1;
        self.text(name);
        self.text("=");
    }

    /// The name of a value, or what it is in hexadecimal.
    pub fn names(&mut self, names: flags::Names, value: u64) {
        match names.iter().find(|name| value & name.0 == name.1) {
            Some((_, _, name)) => self.text(name),
            None if value == 0 => self.text("0"),
            None => self.hex(value),
        }
    }

    /// The names of what a word of flags holds, in the order of their declaration; what has
    /// none in hexadecimal.
    pub fn flags<F: FlagSet>(&mut self, set: F) {
        let value = set.bits();
        let mut rest = value;
        let mut any = false;
        for &(mask, bits, name) in F::VALUES {
            if value & mask == bits {
                self.separate(&mut any);
                self.text(name);
                rest &= !mask;
                break;
            }
        }
        for flag in F::FLAGS {
            let bits = flag.value().bits();
            let hit = if bits == 0 {
                value == 0
            } else {
                rest & bits == bits
            };
            if hit {
                self.separate(&mut any);
                self.text(flag.name());
                rest &= !bits;
            }
        }
        if rest != 0 || !any {
            self.separate(&mut any);
            if rest == 0 { self.text("0") } else { self.hex(rest) }
        }
    }

    fn separate(&mut self, any: &mut bool) {
        if std::mem::replace(any, true) {
            self.text("|");
        }
    }

    pub fn signal(&mut self, number: i32) {
        match linux_abi::flags::signal_name(number) {
            Some(name) => self.text(name),
            None => self.dec(i64::from(number)),
        }
    }

    /// clone's flags; the low byte is the signal of the child's end.
    pub fn clone_flags(&mut self, value: u64) {
        const EXIT_SIGNAL: u64 = 0x7f;
        let signal = value & EXIT_SIGNAL;
        if value & !EXIT_SIGNAL != 0 || signal == 0 {
            self.flags(flags::CloneSet::from_bits_retain(value & !EXIT_SIGNAL));
        }
        if signal != 0 {
            if value != signal {
                self.text("|");
            }
            self.signal(signal as i32);
        }
    }

    /// A signal set: `[SIGINT SIGCHLD]`, or the missing ones after `~` when most are in it.
    pub fn signal_set(&mut self, addr: GuestAddr) {
        match read::<u64>(addr) {
            Ok(set) => self.signals(set),
            Err(_) => self.pointer(addr),
        }
    }

    fn signals(&mut self, set: u64) {
        let (listed, lead) = if set.count_ones() > 32 {
            (!set, "~[")
        } else {
            (set, "[")
        };
        self.text(lead);
        let mut first = true;
        for number in (1..=64).filter(|number| listed >> (number - 1) & 1 != 0) {
            if !std::mem::replace(&mut first, false) {
                self.text(" ");
            }
            self.signal(number);
        }
        self.text("]");
    }

    /// struct sigaction as the kernel has it: handler, flags, restorer, mask.
    pub fn signal_action(&mut self, addr: GuestAddr) {
        let Ok([handler, action_flags, _, mask]) = read::<[u64; 4]>(addr) else {
            return self.pointer(addr);
        };
        self.group(|out| {
            out.field("sa_handler");
            match handler {
                0 => out.text("SIG_DFL"),
                1 => out.text("SIG_IGN"),
                _ => out.hex(handler),
            }
            out.field("sa_flags");
            out.flags(flags::ActionFlags::from_bits_retain(action_flags));
            out.field("sa_mask");
            out.signals(mask);
        });
    }

    /// A request's name, or what its number tells.
    pub fn ioctl(&mut self, request: u64) {
        let number = request as u32;
        if let Some(name) = ioctl::table::name(number) {
            return self.text(name);
        }
        let direction =
            ["_IOC_NONE", "_IOC_WRITE", "_IOC_READ", "_IOC_READ|_IOC_WRITE"][number as usize >> 30];
        let (kind, nr, size) = (number >> 8 & 0xff, number & 0xff, number >> 16 & 0x3fff);
        // Writing to a String cannot fail.
        let _ = write!(self.text, "_IOC({direction}, {kind:#x}, {nr:#x}, {size:#x})");
    }

    /// `"bytes"`, escaped, followed by `...` when cut.
    pub fn quoted(&mut self, bytes: &[u8], cut: bool) {
        self.text("\"");
        for &byte in bytes {
            match byte {
                b'\n' => self.text("\\n"),
                b'\t' => self.text("\\t"),
                b'\r' => self.text("\\r"),
                b'"' => self.text("\\\""),
                b'\\' => self.text("\\\\"),
                0x20..=0x7e => self.text.push(char::from(byte)),
                0..=0x1f | 0x7f..=0xff => {
                    let _ = write!(self.text, "\\x{byte:02x}");
                }
            }
        }
        self.text(if cut { "\"..." } else { "\"" });
    }

    pub fn bytes(&mut self, addr: GuestAddr, len: u64) {
        if addr.is_null() {
            return self.text("NULL");
        }
        let shown = len.min(MAX_STRING as u64) as usize;
        let mut buf = [0; MAX_STRING];
        match read_bytes(addr, &mut buf[..shown]) {
            Ok(()) => self.quoted(&buf[..shown], shown as u64 != len),
            Err(_) => self.pointer(addr),
        }
    }

    /// A NUL-terminated string. Paths are worth their whole length.
    pub fn c_string(&mut self, addr: GuestAddr) {
        if addr.is_null() {
            return self.text("NULL");
        }
        match read_cstr(addr, 4096) {
            Ok(Some(bytes)) => self.quoted(&bytes, false),
            Ok(None) | Err(_) => self.pointer(addr),
        }
    }

    pub fn c_string_array(&mut self, addr: GuestAddr) {
        if addr.is_null() {
            return self.text("NULL");
        }
        self.text("[");
        for index in 0..=MAX_ELEMENTS {
            match read::<u64>(addr.offset(index as i64 * 8)) {
                Ok(0) | Err(_) => break,
                Ok(_) if index == MAX_ELEMENTS => self.text(",..."),
                Ok(string) => {
                    if index > 0 {
                        self.text(",");
                    }
                    self.c_string(GuestAddr(string));
                }
            }
        }
        self.text("]");
    }

    /// The buffers of an array, as far as `filled` bytes reach.
    pub fn iovecs(&mut self, iov: Iov, filled: u64) {
        let mut left = filled;
        self.text("[");
        for (index, entry) in iov.entries().take(MAX_ELEMENTS as usize).enumerate() {
            if index > 0 {
                self.text(",");
            }
            self.group(|out| {
                out.field("iov_base");
                out.bytes(GuestAddr(entry.iov_base), entry.iov_len.min(left));
                left = left.saturating_sub(entry.iov_len);
                out.field("iov_len");
                out.dec(entry.iov_len as i64);
            });
        }
        self.text("]");
    }
}

impl Default for Printer {
    fn default() -> Self {
        Printer::new()
    }
}

/// Where the lines go.
#[derive(Clone, Copy, Debug)]
pub struct Trace {
    pub log: &'static Log,
}

impl Trace {
    /// Begins a line.
    pub fn begin(self, pid: i32, tid: i32, text: &str) {
        let lead = if OPEN_LINE.swap(tid, Ordering::AcqRel) == 0 {
            ""
        } else {
            " <unfinished ...>\n"
        };
        self.write(&format!("{lead}{pid} {text}"));
    }

    /// Ends the line this thread began.
    pub fn end(self, pid: i32, tid: i32, name: &str, text: &str) {
        if OPEN_LINE
            .compare_exchange(tid, 0, Ordering::AcqRel, Ordering::Acquire)
            .is_ok()
        {
            self.write(text);
        } else {
            let lead = if OPEN_LINE.swap(0, Ordering::AcqRel) == 0 {
                ""
            } else {
                " <unfinished ...>\n"
            };
            self.write(&format!("{lead}{pid} <... {name} resumed>{text}"));
        }
    }

    /// A line of its own, such as a signal's delivery.
    pub fn line(self, text: &str) {
        let lead = if OPEN_LINE.swap(0, Ordering::AcqRel) == 0 {
            ""
        } else {
            " <unfinished ...>\n"
        };
        self.write(&format!("{lead}{text}\n"));
    }

    /// Writes all of `text`, or what can be written.
    pub fn write(self, text: &str) {
        self.log.write(text);
    }
}

impl Observer for Trace {
    fn at(&self, task: &mut Task, boundary: &Boundary<'_>) -> Resume {
        match boundary {
            Boundary::CallEntered(call) => self.entered(task, call),
            Boundary::CallLeft(call, result) => self.left(task, task.tid, call, *result),
            // The child's copy of the line is still its parent's.
            Boundary::Started(Some(call)) => self.left(task, OPEN_LINE.load(Ordering::Acquire), call, Ok(0)),
            Boundary::Signal(info) => self.line(&signal_text(info)),
            Boundary::Started(None)
            | Boundary::Seccomp { .. }
            | Boundary::Breakpoint(_)
            | Boundary::Interrupted
            | Boundary::Step
            | Boundary::Cloned(..)
            | Boundary::VforkDone(_)
            | Boundary::Executed
            | Boundary::Exit(_) => {}
        }
        Resume::Run
    }
}

impl Trace {
    /// What is known before the call; a call that does not return has no more.
    fn entered(self, task: &Task, call: &Call<'_>) {
        let Some(row) = call.row else {
            return;
        };
        let pid = task.process.pid();
        let mut before = Printer::new();
        before.text(row.name);
        before.text("(");
        (row.show)(call.regs, &mut before, Part::Before);
        if row.returns == Returns::Never {
            self.line(&format!("{pid} {})", before.as_str()));
        } else {
            self.begin(pid, task.tid, before.as_str());
        }
    }

    /// The rest of the line that `tid` began, with the result.
    fn left(self, task: &Task, tid: i32, call: &Call<'_>, result: SysResult) {
        let pid = task.process.pid();
        let Some(row) = call.row else {
            let text = result_text(result, false);
            self.line(&format!(
                "{pid} Unknown syscall {}{}",
                call.number as u32,
                text.trim_end()
            ));
            return;
        };
        let mut after = Printer::new();
        after.set_result(result);
        (row.show)(call.regs, &mut after, Part::After);
        after.text(")");
        after.text(&result_text(result, row.returns == Returns::Hex));
        self.end(pid, tid, row.name, after.as_str());
    }
}

fn signal_text(info: &SigInfo) -> String {
    let name = set::name(info.signal());
    let detail = if info.code() > 0 && set::SYNC_SET & set::bit(info.signal()) != 0 {
        let code = match (info.signal(), info.code()) {
            (set::SIGSEGV, info::SEGV_MAPERR) => "SEGV_MAPERR".to_owned(),
            (set::SIGSEGV, info::SEGV_ACCERR) => "SEGV_ACCERR".to_owned(),
            (_, code) => code.to_string(),
        };
        format!("si_code={code}, si_addr={:#x}", info.addr())
    } else {
        let (pid, uid) = info.sender();
        format!("si_code={}, si_pid={pid}, si_uid={uid}", info.code())
    };
    format!("--- {name} {{si_signo={name}, {detail}}} ---")
}

/// ` = ret` as the rows ask for it.
#[must_use]
pub fn result_text(result: SysResult, in_hex: bool) -> String {
    match result {
        Ok(value) if in_hex => format!(" = {value:#x}\n"),
        Ok(value) => format!(" = {}\n", value as i64),
        Err(error) => format!(" = -1 errno={} ({})\n", error.0, error.text()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use linux_abi::OpenFlags;

    fn printed(body: impl FnOnce(&mut Printer)) -> String {
        let mut printer = Printer::new();
        body(&mut printer);
        printer.text
    }

    #[test]
    fn words_print_by_their_names() {
        assert_eq!(
            printed(|out| out.flags(flags::Prot::from_bits_retain(5))),
            "PROT_READ|PROT_EXEC"
        );
        assert_eq!(
            printed(|out| out.flags(flags::Prot::from_bits_retain(0))),
            "PROT_NONE"
        );
        assert_eq!(printed(|out| out.flags(flags::AtFlags::from_bits_retain(0))), "0");
        assert_eq!(
            printed(|out| out.flags(flags::Prot::from_bits_retain(0x1001))),
            "PROT_READ|0x1000"
        );
        assert_eq!(
            printed(|out| out.flags(flags::MapFlags::from_bits_retain(0x22))),
            "MAP_PRIVATE|MAP_ANONYMOUS"
        );
        assert_eq!(
            printed(|out| out.flags(flags::MapFlags::from_bits_retain(0x3))),
            "MAP_SHARED_VALIDATE"
        );
        assert_eq!(printed(|out| out.names(flags::WHENCE, 2)), "SEEK_END");
        assert_eq!(printed(|out| out.names(flags::WHENCE, 9)), "0x9");
        assert_eq!(
            printed(|out| out.flags(OpenFlags::from_bits_retain(0o4050000 | 1))),
            "O_WRONLY|O_SYNC|O_DIRECTORY"
        );
    }

    #[test]
    fn signals_and_clone_flags_have_names() {
        assert_eq!(printed(|out| out.signals(1 << 1 | 1 << 16)), "[SIGINT SIGCHLD]");
        assert_eq!(printed(|out| out.signals(!(1 << 8))), "~[SIGKILL]");
        assert_eq!(printed(|out| out.clone_flags(17)), "SIGCHLD");
        assert_eq!(
            printed(|out| out.clone_flags(0x4111)),
            "CLONE_VM|CLONE_VFORK|SIGCHLD"
        );
        assert_eq!(
            printed(|out| out.flags(flags::FutexOp::from_bits_retain(0x80))),
            "FUTEX_WAIT|FUTEX_PRIVATE_FLAG"
        );
    }

    #[test]
    fn buffers_are_quoted_and_cut() {
        let data = b"a\"b\n\x01 and so on until it is too long";
        let addr = crate::syscall::arg::guard::guest_copy(&data[..]);
        assert_eq!(printed(|out| out.bytes(addr, 5)), r#""a\"b\n\x01""#);
        assert!(printed(|out| out.bytes(addr, data.len() as u64)).ends_with("\"..."));
    }

    #[test]
    fn results_print_as_qemus() {
        assert_eq!(result_text(Ok(3), false), " = 3\n");
        assert_eq!(result_text(Ok(0x5000), true), " = 0x5000\n");
        let missing = result_text(Err(linux_abi::Errno::ENOENT), true);
        assert_eq!(missing, " = -1 errno=2 (No such file or directory)\n");
    }
}
