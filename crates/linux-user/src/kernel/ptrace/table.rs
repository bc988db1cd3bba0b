//! [`Tracees`]: whom a task traces, and what it knows of them.
//!
//! A tracer is one thread: the kernel takes requests from no other. So the list is the task's own.

use super::kernel;
use super::mailbox::{self, HEAD, Mailbox, Mode, Told, attend, state};
use super::options;
use super::tracee::START;
use crate::host;
use crate::signal::info::SigInfo;
use crate::signal::set::{SIGTRAP, SYNC_SET};
use linux_abi::{Errno, errno};
use std::mem::offset_of;
use std::sync::OnceLock;
use zerocopy::{FromZeros, IntoBytes};

/// SI_TKILL.
pub const SI_TKILL: i32 = -6;

/// Where a tracee stands that its tracer's program may look at.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Held {
    /// At a boundary of its own.
    Guest,
    /// At an event of the host's kernel that is the guest's as well: the exit code.
    Host(u32),
}

/// One of them.
pub struct Tracee {
    pub tid: i32,
    pub seized: bool,
    /// By PTRACE_ATTACH: it owes a stop by SIGSTOP.
    pub attached: bool,
    /// That stop as it came while the thread did not know itself, and how often it was put off.
    pub put_off: Option<(SigInfo, u32)>,
    pub options: u32,
    pub mode: Mode,
    /// Where its mailbox is; 0 until that is known.
    pub mailbox: u64,
    /// It knows of its tracer.
    pub introduced: bool,
    /// It runs another executable: nothing of it is shown but its end.
    pub foreign: bool,
    /// Its next stop of the host's kernel is to be a stop of the guest's.
    pub interrupt: bool,
    /// A SIGTRAP is on its way, to be made the doorbell's.
    pub doorbell: bool,
    /// The signal of the group stop that it is to show.
    pub group: u32,
    pub held: Option<Held>,
    pub copy: Box<Mailbox>,
    /// What of its memory was written since it stopped.
    pub written: Vec<[u64; 2]>,
}

/// All of a task's.
#[derive(Default)]
pub struct Tracees {
    list: Vec<Tracee>,
    /// A thread of the emulator's that sleeps as long as this task lives, for it: it cannot be stopped.
    spared: Option<i32>,
}

impl Tracees {
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// From now on there is no such thread to attach to.
    pub fn spare(&mut self, tid: i32) {
        self.spared = Some(tid);
    }

    #[must_use]
    pub fn spares(&self, tid: i32) -> bool {
        self.spared == Some(tid)
    }

    pub fn find(&mut self, tid: i32) -> Option<&mut Tracee> {
        self.list.iter_mut().find(|tracee| tracee.tid == tid)
    }

    pub fn add(&mut self, tid: i32, seized: bool) -> &mut Tracee {
        self.remove(tid);
        self.list.push(Tracee {
            tid,
            seized,
            attached: false,
            put_off: None,
            options: 0,
            mode: Mode::Continue,
            mailbox: 0,
            introduced: false,
            foreign: !runs_same(tid),
            interrupt: false,
            doorbell: false,
            group: 0,
            held: None,
            copy: Box::new(Mailbox::new_zeroed()),
            written: Vec::new(),
        });
        let last = self.list.len() - 1;
        &mut self.list[last]
    }

    pub fn remove(&mut self, tid: i32) -> Option<Tracee> {
        let at = self.list.iter().position(|tracee| tracee.tid == tid)?;
        Some(self.list.swap_remove(at))
    }

    /// The tasks whose memory was written through another way than a request: all that share it.
    pub fn wrote(&mut self, start: u64, len: u64) {
        for tracee in &mut self.list {
            tracee.written.push([start, len]);
        }
    }
}

/// Whether a thread runs the executable that this one runs.
pub fn runs_same(tid: i32) -> bool {
    static OWN: OnceLock<Option<(u64, u64)>> = OnceLock::new();
    let own = *OWN.get_or_init(|| kernel::executable("self"));
    own.is_some() && kernel::executable(&tid.to_string()) == own
}

/// What the host's kernel is asked for in place of these options: it attaches to children, and shows what it alone
/// knows of.
pub fn host_options(guest: u32) -> u64 {
    let kept = options::FORK | options::VFORK | options::CLONE | options::EXIT | options::EXITKILL;
    u64::from(guest & kept | options::EXEC)
}

/// The calling process and its user, as the signals that it injects show them.
pub fn own_identity() -> u64 {
    host::getpid() as u32 as u64 | u64::from(host::getuid()) << 32
}

impl Tracee {
    /// Finds the mailbox. False while the host thread has no task, or one that is not its own yet.
    pub fn resolve(&mut self) -> bool {
        if self.mailbox != 0 {
            return true;
        }
        let Ok(regs) = kernel::registers(self.tid) else {
            return false;
        };
        if regs.fs_base() == 0 {
            return false;
        }
        let mut pointer = [0; 8];
        let place = regs.fs_base().wrapping_add(mailbox::offset());
        if kernel::read_memory(self.tid, place, &mut pointer).is_err() {
            return false;
        }
        self.mailbox = u64::from_le_bytes(pointer);
        if self.mailbox != 0
            && self.read()
            && self.copy.magic == mailbox::MAGIC
            && self.copy.tid == self.tid as u64
        {
            return true;
        }
        self.mailbox = 0;
        false
    }

    /// Takes a copy of the mailbox.
    pub fn read(&mut self) -> bool {
        kernel::read_memory(self.tid, self.mailbox, self.copy.as_mut_bytes()).is_ok()
    }

    /// Puts the copy's head into the mailbox, and the registers if any was changed.
    pub fn write(&mut self) -> bool {
        let len = if self.copy.told.changed == 0 {
            HEAD
        } else {
            size_of::<Mailbox>()
        };
        kernel::write_memory(self.tid, self.mailbox, &self.copy.as_bytes()[..len]).is_ok()
    }

    /// Puts what the tracer says into the mailbox.
    pub fn tell(&mut self) -> bool {
        let place = self.mailbox + offset_of!(Mailbox, told) as u64;
        kernel::write_memory(self.tid, place, self.copy.told.as_bytes()).is_ok()
    }

    /// Sets the word that says where the task is ([`mailbox::at`]).
    pub fn place(&mut self, at: u32) {
        let place = self.mailbox + (offset_of!(Mailbox, stop) + offset_of!(mailbox::Stop, state)) as u64;
        self.copy.stop.state = at;
        let _ = kernel::write_memory(self.tid, place, &at.to_le_bytes());
    }

    /// Once, at a stop: tells the task that it has a tracer, and the host's kernel what that wants.
    pub fn introduce(&mut self) {
        if self.introduced || !self.resolve() || !self.read() {
            return;
        }
        self.introduced = true;
        let state = self.state();
        let told = &mut self.copy.told;
        if told.state & state::TRACED == 0 {
            *told = Told::new_zeroed();
            told.state = state;
            told.options = self.options;
        } else {
            // It is a child of a tracee, or asked for it by itself.
            self.options = told.options;
            self.seized = told.state & state::SEIZED != 0;
        }
        self.copy.told.tracer = own_identity();
        self.tell();
        let _ = kernel::request(kernel::SETOPTIONS, self.tid, 0, host_options(self.options));
    }

    fn state(&self) -> u32 {
        state::TRACED | if self.seized { state::SEIZED } else { 0 }
    }

    /// From a stop that is not shown. Whatever a thread stops for, the host's kernel takes an interruption for done
    /// (ptrace_stop): one that is still to be shown is asked for anew.
    pub fn go_on(&mut self, signal: i32) {
        if self.interrupt {
            let _ = kernel::request(kernel::INTERRUPT, self.tid, 0, 0);
        }
        self.go_on_to_next_stop(signal);
    }

    /// From a stop behind which the thread makes one that is shown.
    pub fn go_on_to_next_stop(&self, signal: i32) {
        // It may have been killed.
        let _ = kernel::request(kernel::CONT, self.tid, 0, signal as u64);
    }

    /// From a stop of the host's kernel, anywhere in the emulator, has the task come to its next boundary, and do there
    /// what these bits of [`attend`] say. `by_signal`: the stop can be given another signal.
    pub fn bring(&mut self, bits: u32, info: Option<&SigInfo>, by_signal: bool) {
        self.introduce();
        if self.mailbox == 0 || !self.read() {
            self.go_on(0);
            return;
        }
        self.copy.told.attend |= bits;
        self.copy.told.group = self.group;
        if let Some(info) = info {
            let slot = usize::from(bits & attend::STOP_SIGNAL != 0);
            self.copy.told.queue[slot] = mailbox::words(info);
        }
        let Ok(mut regs) = kernel::registers(self.tid) else {
            return;
        };
        let [begin, syscall, abort] = self.copy.window;
        let in_call = (begin..=syscall + 2).contains(&regs.rip());
        if !in_call {
            self.tell();
            if by_signal {
                let bell = SigInfo::fault(SIGTRAP, mailbox::DOORBELL_CODE, 0);
                let _ = kernel::set_siginfo(self.tid, &bell);
                self.go_on(SIGTRAP);
            } else {
                self.doorbell = true;
                let _ = kernel::tkill(self.tid, SIGTRAP);
                self.go_on(0);
            }
            return;
        }
        // It waits, or is about to: no handler has to run, and what the kernel keeps of the call stays.
        if regs.rip() <= syscall {
            regs.set_rip(abort);
        } else if is_restart(regs.rax()) {
            regs.forget_call();
            self.copy.told.attend |= attend::RAW_RESULT;
        }
        self.tell();
        let _ = self.call_attention();
        let _ = kernel::set_registers(self.tid, &regs);
        let _ = kernel::set_mask(self.tid, !SYNC_SET);
        self.go_on(0);
    }

    /// Sets the bit in the word that the task looks at.
    fn call_attention(&mut self) -> Result<(), Errno> {
        let mut word = [0; 4];
        kernel::read_memory(self.tid, self.copy.pending, &mut word)?;
        let word = u32::from_le_bytes(word) | crate::signal::thread::ATTEND;
        kernel::write_memory(self.tid, self.copy.pending, &word.to_le_bytes())
    }

    /// The thread executed a program, and has not begun it: tells the emulator that it is traced, if that is what it runs.
    pub fn new_program(&mut self, former: u64) {
        self.mailbox = 0;
        self.interrupt = false;
        self.doorbell = false;
        self.foreign = !runs_same(self.tid);
        let _ = kernel::request(kernel::SETOPTIONS, self.tid, 0, host_options(self.options));
        if !self.foreign
            && let Some(its) = kernel::entry_of(self.tid)
        {
            let place = START.place().wrapping_sub(kernel::own_entry()).wrapping_add(its);
            let tracer = own_identity();
            let words = [
                self.state(),
                self.options,
                self.mode as u32,
                former as u32,
                tracer as u32,
                (tracer >> 32) as u32,
            ];
            let _ = kernel::write_memory(self.tid, place, words.as_bytes());
            self.introduced = true;
        }
        self.go_on(0);
    }
}

/// Whether a host call's result is a private error of the kernel's: it was interrupted, and is to be taken up again.
fn is_restart(rax: u64) -> bool {
    errno::from_register(rax).is_err_and(|error| host::RESTARTS.contains(&error.0))
}

/// Whether a thread that exists runs something else.
pub fn runs_other(tid: i32) -> bool {
    kernel::executable(&tid.to_string()).is_some() && !runs_same(tid)
}
