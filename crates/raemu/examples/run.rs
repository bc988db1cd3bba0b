//! Runs an arm64 program to its outcome and prints it:
//! `cargo run -p raemu --example run -- PROGRAM [ARGUMENTS...]`.

use raemu::{Config, Machine, Program};
use std::{env, error::Error};

fn main() -> Result<(), Box<dyn Error>> {
    let mut args = env::args_os().skip(1);
    let path = args.next().ok_or("usage: run PROGRAM [ARGUMENTS...]")?;
    let program = args.fold(Program::open(path)?, Program::arg);
    let mut machine = Machine::new(program, Config::default())?;
    println!("{}", machine.run());
    Ok(())
}
