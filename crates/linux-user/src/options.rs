//! What the command line says to the Linux layer.

use crate::seccomp::handed::Inherited;
use crate::strace::Trace;

/// qemu's line about a fatal signal.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CrashLine {
    #[default]
    Printed,
    Off,
}

/// Settings of one run.
#[derive(Debug, Default)]
pub struct Options {
    /// -L: where absolute paths are looked for first; `None` when off.
    pub sysroot: Option<Vec<u8>>,
    /// -r: the release uname tells, the host's if `None`.
    pub uname_release: Option<String>,
    /// -strace: where the lines go.
    pub trace: Option<Trace>,
    /// -d stops: where the boundaries of tasks are named.
    pub stops: Option<Trace>,
    /// -d unimp: where calls without support are named.
    pub unimplemented: Option<Trace>,
    /// -d stats: where the engine's counts go when the process ends.
    pub statistics: Option<Trace>,
    /// -crash: whether the death of the guest by a signal that dumps core is told on standard error.
    pub crash_line: CrashLine,
    /// Started by the kernel's binfmt_misc: the guest's execve is the kernel's where it can be ([`crate::kernel::exec`]).
    pub kernel_started: bool,
    /// The seccomp filters that the program begins with.
    pub filters: Option<Inherited>,
    /// Option words that a program executed by the guest is to be run with.
    pub child_args: Vec<Vec<u8>>,
}

impl Options {
    /// The -L prefix without a slash at its end.
    #[must_use]
    pub fn sysroot_bytes(&self) -> Option<&[u8]> {
        self.sysroot.as_deref()
    }
}
