//! Linux for the guest: system calls, tasks, signals, and the memory map.

pub mod host;
pub mod mm;
pub mod options;
pub mod own_fds;
pub mod proc;
pub mod process;
pub mod strace;
pub mod syscall;
pub mod task;
