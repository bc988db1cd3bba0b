//! The command line and the environment variables that stand for its options.

use engine::Mode;

/// What was asked for.
pub struct CommandLine {
    /// -L
    pub sysroot: Vec<u8>,
    /// -strace
    pub strace: bool,
    /// -engine
    pub mode: Mode,
    /// The program and its arguments.
    pub program: Vec<Vec<u8>>,
}

/// Reads the arguments behind argv[0].
///
/// # Errors
/// The line to print before exiting with status 1.
pub fn parse(args: &[Vec<u8>]) -> Result<CommandLine, String> {
    let mut line = CommandLine {
        sysroot: Vec::new(),
        strace: false,
        mode: Mode::Jit,
        program: Vec::new(),
    };
    let mut rest = args.iter();
    while let Some(word) = rest.clone().next() {
        let Some(name) = option_name(word) else { break };
        rest.next();
        let mut value = || {
            rest.next().cloned().ok_or_else(|| {
                let name = String::from_utf8_lossy(name);
                format!("qemu: missing argument for option '{name}'")
            })
        };
        match name {
            b"" => break,
            b"L" => line.sysroot = value()?,
            b"strace" => line.strace = true,
            b"engine" => {
                line.mode = match value()?.as_slice() {
                    b"jit" => Mode::Jit,
                    b"interp" => Mode::Interpreter,
                    _ => return Err("-engine takes 'jit' or 'interp'".to_owned()),
                }
            }
            _ => {
                let name = String::from_utf8_lossy(name);
                return Err(format!("qemu: unknown option '{name}'"));
            }
        }
    }
    line.program = rest.cloned().collect();
    if line.program.is_empty() {
        return Err("qemu: no user program specified".to_owned());
    }
    Ok(line)
}

/// The option `-name` or `--name` names; empty for `--`.
fn option_name(word: &[u8]) -> Option<&[u8]> {
    let name = word.strip_prefix(b"-")?;
    Some(name.strip_prefix(b"-").unwrap_or(name))
}
