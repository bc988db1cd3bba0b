//! The command `raemu-binfmt`.

#![forbid(unsafe_code)]

#[cfg(not(target_feature = "crt-static"))]
compile_error!("link statically: RUSTFLAGS replaced .cargo/config.toml's flags");

fn main() {}
