//! What the command says itself, by write(2): nothing is flushed at exit.

use linux_abi::nr::x86_64 as nr;
use linux_user::host;

/// Writes all of `text`; errors have nowhere to go.
pub fn write(fd: i32, text: &[u8]) {
    let mut rest = text;
    while !rest.is_empty() {
        let args = [fd as u64, rest.as_ptr() as u64, rest.len() as u64, 0, 0, 0];
        match host::syscall(nr::write, args) {
            Ok(count) => rest = rest.get(count as usize..).unwrap_or(&[]),
            Err(linux_abi::Errno::EINTR) => {}
            Err(_) => return,
        }
    }
}

/// A line on standard output.
pub fn out(text: &str) {
    write(1, format!("{text}\n").as_bytes());
}

/// A line on standard error.
pub fn err(text: &str) {
    write(2, format!("{text}\n").as_bytes());
}
