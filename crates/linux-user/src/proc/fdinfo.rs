//! /proc/PID/fdinfo: the flags of open as arm64 has them.

use linux_abi::OpenFlags;
use std::fmt::Write as _;

pub fn text(host: &[u8]) -> Vec<u8> {
    let mut text = String::new();
    for line in String::from_utf8_lossy(host).split_inclusive('\n') {
        let flags = line
            .strip_prefix("flags:\t")
            .and_then(|flags| u64::from_str_radix(flags.trim_end(), 8).ok());
        match flags {
            Some(flags) => {
                // Writing to a String cannot fail.
                let _ = writeln!(text, "flags:\t0{:o}", OpenFlags::from_host(flags).bits());
            }
            None => text.push_str(line),
        }
    }
    text.into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_are_exchanged() {
        let host = b"pos:\t0\nflags:\t02300000\nmnt_id:\t15\nino:\t1\n";
        assert_eq!(text(host), b"pos:\t0\nflags:\t02440000\nmnt_id:\t15\nino:\t1\n");
    }
}
