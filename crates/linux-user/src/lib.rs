//! Linux for the guest: system calls, tasks, signals, the memory map, /proc, ptrace, seccomp.
//!
//! Place in the path: above the engine, which hands every SVC, fault and poll to the run
//! loop here. Guest threads are host threads and guest processes host processes, so most
//! of the kernel's work stays the kernel's.
//!
//! Invariants:
//! - The guest's path makes raw system calls only ([`host`]); libc's wrappers would filter
//!   signals 32 and 33, broadcast set*id calls and touch errno. (Clocks are read through libc's vDSO,
//!   a tenant forks by libc, and a core file is written by way of std.)
//! - Host signal handlers only record; guest frames are built between guest instructions.

pub mod host;
pub mod kernel;
pub mod log;
pub mod mm;
pub mod options;
pub mod proc;
pub mod seccomp;
pub mod signal;
pub mod strace;
pub mod syscall;

pub use kernel::exec::{emulator, inherit};
pub use kernel::layout::Layout;
pub use kernel::process::{ExeFile, Image, Process};
pub use kernel::run::{Start, first_task, run};
pub use kernel::task::{self, Task};
pub use options::{CrashLine, Options};
pub use proc::unnamed::Unnamed;
