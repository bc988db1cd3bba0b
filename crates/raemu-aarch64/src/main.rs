//! The command: `raemu-aarch64 [options] program [arguments...]`.
//!
//! Place in the path: before the first guest instruction and after the last. It reads
//! options and environment, loads the program, runs it, and exits as it did.
//!
//! # Safety
//! There is no Rust `main`: the standard library's start-up would ignore SIGPIPE (which
//! the guest inherits), install fault handlers, and reopen closed descriptors. The C
//! `main` below is called by the C runtime with the kernel's argument vectors.

#![cfg_attr(not(test), no_main)]

#[cfg(not(target_feature = "crt-static"))]
compile_error!("link statically: RUSTFLAGS replaced .cargo/config.toml's flags");

mod bug;
mod flags;
mod help;
mod host;
mod log;
mod settings;
mod start;

use settings::{Invocation, Outcome, Settings};

#[cfg(not(test))]
mod entry {
    use crate::host::{arguments, c_strings};
    use linux_user::proc::record::set_host_arguments;
    use std::ffi::{c_char, c_int};

    #[global_allocator]
    static HEAP: host_memory::Heap = host_memory::Heap;

    /// The first thread's stack: what the guest's other threads have would do, but loading is done on it as well.
    const STACK_SIZE: usize = 2 << 20;

    /// The C library allocates for its threads: a second arena would reserve 64 MiB of the guest's address space each.
    fn limit_malloc() {
        // SAFETY: no thread but this one exists.
        unsafe { libc::mallopt(libc::M_ARENA_MAX, 1) };
    }

    /// # Safety
    /// Called once, by the C runtime.
    #[unsafe(no_mangle)]
    pub unsafe extern "C" fn main(_: c_int, argv: *const *const c_char, envp: *const *const c_char) -> c_int {
        limit_malloc();
        // SAFETY: the C runtime passes the kernel's vectors.
        set_host_arguments(unsafe { arguments(argv) });
        // SAFETY: as above.
        let (args, env) = unsafe { (c_strings(argv), c_strings(envp)) };
        let run = || crate::run(&args, &env);
        host_memory::thread::with_stack(STACK_SIZE, run).unwrap_or_else(|run| run())
    }
}

#[cfg_attr(
    test,
    expect(dead_code, reason = "called by the C main, which tests do not have")
)]
fn run(args: &[Vec<u8>], env: &[Vec<u8>]) -> i32 {
    bug::prepare();
    let name = program_name(args);
    if let Err(missing) = host::check_cpu() {
        let text = format!(
            "{name}: this CPU has no {missing}; the emulator needs an x86-64-v3 CPU (Haswell or newer)\n"
        );
        host::write_all(2, text.as_bytes());
        return 1;
    }
    let invocation = Invocation::find(args);
    let outcome = Settings::read(&invocation, env, host::is_secure())
        .and_then(|settings| start::run(&invocation, &settings, env));
    match outcome {
        Ok(status) => status,
        Err(stop) => report(&name, &stop),
    }
}

/// Prints why there is nothing to run and gives the exit status.
fn report(name: &str, stop: &Outcome) -> i32 {
    match stop {
        Outcome::Print { text, status } => {
            host::write_all(1, text);
            *status
        }
        Outcome::Plain(text) => {
            host::write_all(2, format!("{text}\n").as_bytes());
            1
        }
        Outcome::Qemu(text) => {
            host::write_all(2, format!("qemu: {text}\n").as_bytes());
            1
        }
        Outcome::Fail { text, status } => {
            host::write_all(2, format!("{name}: {text}\n").as_bytes());
            *status
        }
    }
}

/// The last part of argv[0].
fn program_name(args: &[Vec<u8>]) -> String {
    let path = args.first().map_or(&b"raemu-aarch64"[..], Vec::as_slice);
    let base = path.rsplit(|&byte| byte == b'/').next().unwrap_or(path);
    String::from_utf8_lossy(base).into_owned()
}
