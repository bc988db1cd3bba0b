//! How the emulator ends when it panics: a bug of its own.
//!
//! A child that shares memory must leave what its parent goes on with. The standard library's report and the C library's
//! `abort` take locks of theirs, which another such child may have held when it was killed. So there the report
//! is one write, and the end the kernel's signal.

use crate::host;
use host_memory::lock;
use linux_user::signal::fatal;
use std::panic;

/// To be called before the guest runs.
pub fn prepare() {
    let report = panic::take_hook();
    panic::set_hook(Box::new(move |info| {
        if lock::is_mortal() {
            host::write_all(2, format!("raemu-aarch64: {info}\n").as_bytes());
            fatal::die_silently(libc::SIGABRT);
        }
        report(info);
    }));
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::process::ExitStatusExt;
    use std::process::{Command, Stdio};
    use std::sync::mpsc;
    use std::time::{Duration, Instant};
    use std::{env, io, thread};

    const BE_THE_CHILD: &str = "RAEMU_TEST_PANIC_IN_CHILD";

    /// What a killed child may have left: somebody holds standard error for ever.
    fn panic_beside_a_held_lock() {
        prepare();
        let (say, held) = mpsc::channel();
        thread::spawn(move || {
            let _error = io::stderr().lock();
            say.send(()).expect("the other end waits");
            loop {
                thread::park();
            }
        });
        held.recv().expect("a message");
        let _child = lock::Child::expect();
        panic!("a bug");
    }

    #[test]
    fn a_panic_of_a_child_that_shares_memory_takes_no_lock() {
        if env::var_os(BE_THE_CHILD).is_some() {
            panic_beside_a_held_lock();
        }
        let name = "bug::tests::a_panic_of_a_child_that_shares_memory_takes_no_lock";
        let mut child = Command::new(env::current_exe().expect("this program's own path"))
            .args(["--exact", name, "--nocapture"])
            .env(BE_THE_CHILD, "1")
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("this program again");
        let end = Instant::now() + Duration::from_secs(20);
        while Instant::now() < end && child.try_wait().expect("a child").is_none() {
            thread::sleep(Duration::from_millis(10));
        }
        let _ = child.kill();
        let output = child.wait_with_output().expect("it has ended");
        let text = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.signal(), Some(libc::SIGABRT), "{text}");
        assert!(text.contains("a bug"), "{text}");
    }
}
