//! The usage and version texts.

use crate::flags::FLAGS;
use crate::settings::{DEFAULT_STACK, DEFAULT_SYSROOT};
use std::fmt::Write as _;

/// The version of qemu whose options and texts are kept.
const COMPATIBLE_WITH: &str = "10.0.13";

pub fn version() -> Vec<u8> {
    format!(
        "raemu-aarch64 version {} (compatible with qemu-aarch64 version {COMPATIBLE_WITH})\n\
         Copyright (c) the raemu-aarch64 authors; licensed under MIT or Apache-2.0\n",
        env!("CARGO_PKG_VERSION")
    )
    .into_bytes()
}

const INTRODUCTION: &str = "\
usage: raemu-aarch64 [options] program [arguments...]
Linux CPU emulator: runs AArch64 Linux programs on x86-64 Linux

'program' is a path; it is not looked for in PATH. Options begin with one dash or two and
end at the program or at '--'. Each variable named below is read as QEMU_NAME and as
RAEMU_NAME: RAEMU_ wins over QEMU_, an option wins over both. Programs started with
privileges (set-user-ID) ignore these variables.

Options and associated environment variables:

Argument             Env-variable      Description
";

const NOTES: &str = "
You can use -E and -U options or the QEMU_SET_ENV and
QEMU_UNSET_ENV environment variables to set and unset
environment variables for the target process.
It is possible to provide several variables by separating them
by commas. Additionally it is possible to provide the -E and -U
options multiple times. The following lines are equivalent:
    -E var1=val2 -E var2=val2 -U LD_PRELOAD -U LD_DEBUG
    -E var1=val2,var2=val2 -U LD_PRELOAD,LD_DEBUG
    QEMU_SET_ENV=var1=val2,var2=val2 QEMU_UNSET_ENV=LD_PRELOAD,LD_DEBUG
If several changes name one variable, the last one counts.

-L: an absolute path that exists below the prefix is taken from there; this holds for the
program's interpreter and for what the program opens, not for what it executes. '/' turns
it off.

Programs that the guest executes run under the emulator too, without any registration with
the kernel; -L, -s, -cpu, -r, -d, -strace, -seed, -engine and -fp-checks hold for them.

Exit status: the program's own. A program killed by a signal kills the emulator by the same
signal. 1: a bad option, or a program that cannot be executed. 255: a program or interpreter
that is no AArch64 program, or cannot be mapped.
";

pub fn usage() -> Vec<u8> {
    let mut text = INTRODUCTION.to_owned();
    for flag in FLAGS {
        let argument = match flag.value {
            Some(value) => format!("-{} {value}", flag.name),
            None => format!("-{}", flag.name),
        };
        let variable = flag.env.map_or(String::new(), |name| format!("QEMU_{name}"));
        // Writing to a String cannot fail.
        let _ = writeln!(
            text,
            "{}",
            format!("{argument:<20} {variable:<17} {}", flag.help).trim_end()
        );
    }
    let _ = write!(
        text,
        "\nDefaults:\nQEMU_LD_PREFIX  = {}\nQEMU_STACK_SIZE = {DEFAULT_STACK} byte\n",
        String::from_utf8_lossy(DEFAULT_SYSROOT)
    );
    text.push_str(NOTES);
    text.into_bytes()
}
