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

mod guest_memory;
mod handlers;
mod message;
mod options;
mod start;

#[cfg(not(test))]
mod entry {
    use std::ffi::{CStr, c_char, c_int};

    /// A second malloc arena would reserve 64 MiB of the guest's address space a thread.
    fn limit_malloc() {
        // SAFETY: no thread but this one exists.
        unsafe { libc::mallopt(libc::M_ARENA_MAX, 1) };
    }

    /// The strings of a null-terminated vector.
    ///
    /// # Safety
    /// `vector` must be one, and stay unchanged.
    unsafe fn strings(vector: *const *const c_char) -> Vec<Vec<u8>> {
        let mut list = Vec::new();
        let mut next = vector;
        loop {
            // SAFETY: not beyond the null that ends the vector (caller's promise).
            let string = unsafe { *next };
            if string.is_null() {
                return list;
            }
            // SAFETY: the vector's elements are C strings (caller's promise).
            list.push(unsafe { CStr::from_ptr(string) }.to_bytes().to_vec());
            next = next.wrapping_add(1);
        }
    }

    /// # Safety
    /// Called once, by the C runtime.
    #[unsafe(no_mangle)]
    pub unsafe extern "C" fn main(_: c_int, argv: *const *const c_char, envp: *const *const c_char) -> c_int {
        limit_malloc();
        // SAFETY: the C runtime passes the kernel's vectors.
        let (args, env) = unsafe { (strings(argv), strings(envp)) };
        crate::start::run(args, env)
    }
}
