//! The life of tasks and processes: what the kernel does in kernel/fork.c, kernel/exit.c and fs/exec.c.
//!
//! Place in the path: above the host's kernel, which schedules and reaps; below `syscall`, whose
//! functions decode arguments and call here.

pub mod clone;
pub mod exec;
pub mod fork;
pub mod layout;
pub mod process;
pub mod ptrace;
pub mod registry;
pub mod room;
pub mod run;
pub mod shared;
pub mod state;
pub mod stop;
mod stop_log;
pub mod task;
pub mod tenant;
pub mod thread;
pub mod vfork;
