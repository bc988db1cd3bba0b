//! multiarch/qemu-user-static's `register`: `--reset`, then qemu-binfmt-conf.sh with `/usr/bin` and `-static`.
//!
//! Its reset removes each entry named `qemu-*`; ours removes what takes arm64 programs, and nothing else.

use super::qemu_binfmt_conf::{self, Options};
use crate::fs::Root;
use crate::register::Report;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

pub fn run(root: &Root, command: Option<&Path>, args: &[OsString]) -> Result<Report, String> {
    let (resets, others): (Vec<OsString>, Vec<OsString>) =
        args.iter().cloned().partition(|arg| arg == "--reset");
    let mut options = Options {
        qemu_path: Some(PathBuf::from("/usr/bin")),
        qemu_suffix: "-static".to_owned(),
        reset: !resets.is_empty(),
        ..Options::default()
    };
    options.parse(others)?;
    qemu_binfmt_conf::apply(root, command, &options)
}
