//! The command `raemu-binfmt`.

#![forbid(unsafe_code)]

#[cfg(not(target_feature = "crt-static"))]
compile_error!("link statically: RUSTFLAGS replaced .cargo/config.toml's flags");

use std::process::ExitCode;

fn main() -> ExitCode {
    let status = raemu_binfmt::cli::main(std::env::args_os().collect());
    ExitCode::from(u8::try_from(status).unwrap_or(1))
}
