//! qemu-binfmt-conf.sh: registers `qemu-aarch64`, or writes the file for systemd-binfmt or update-binfmts.
//!
//! The script covers all of qemu's targets; this covers aarch64.

use super::interpreter_at;
use crate::emulator;
use crate::entry::{Flags, Registration};
use crate::fs::Root;
use crate::persist;
use crate::register::{self, Report, Request};
use crate::spec::COMPAT;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

const NAME: &str = "qemu-aarch64";

/// What to do with the entry.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mode {
    #[default]
    Register,
    Systemd,
    Debian,
}

/// The options as given.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Options {
    pub mode: Mode,
    pub qemu_path: Option<PathBuf>,
    pub qemu_suffix: String,
    pub exportdir: Option<PathBuf>,
    pub credential: bool,
    pub persistent: bool,
    pub preserve_argv0: bool,
    pub reset: bool,
}

impl Options {
    /// Reads the script's options.
    pub fn parse(&mut self, args: Vec<OsString>) -> Result<(), String> {
        let parsed = crate::cli::parse(&COMPAT[0], args)?;
        if let Some(extra) = parsed.rest.first() {
            return Err(format!("unexpected argument '{}'", extra.to_string_lossy()));
        }
        for (option, value) in parsed.options {
            let value = value.unwrap_or_default();
            let yes = value == "yes";
            match option.long {
                "debian" => self.mode = Mode::Debian,
                "systemd" => {
                    if value != "ALL" && value != "aarch64" {
                        return Err(format!("ERROR: unknown CPU \"{}\"", value.to_string_lossy()));
                    }
                    self.mode = Mode::Systemd;
                }
                "qemu-path" => self.qemu_path = Some(absolute(value)?),
                "qemu-suffix" => self.qemu_suffix = value.to_string_lossy().into_owned(),
                "exportdir" => self.exportdir = Some(absolute(value)?),
                "credential" => self.credential = yes,
                "persistent" => self.persistent = yes,
                "preserve-argv0" => self.preserve_argv0 = yes,
                // arm64 is not this machine's family; help is printed by the caller.
                "ignore-family" | "help" => {}
                other => unreachable!("{other} is not in the table"),
            }
        }
        Ok(())
    }

    fn flags(&self) -> Flags {
        Flags {
            preserve_argv0: self.preserve_argv0,
            open_binary: self.credential,
            credentials: self.credential,
            fix_binary: self.persistent,
        }
    }
}

/// Everything below a root is looked up by absolute paths.
fn absolute(path: OsString) -> Result<PathBuf, String> {
    std::path::absolute(PathBuf::from(path)).map_err(|error| error.to_string())
}

pub fn run(root: &Root, command: Option<&Path>, args: &[OsString]) -> Result<Report, String> {
    let mut options = Options::default();
    options.parse(args.to_vec())?;
    apply(root, command, &options)
}

/// The file in the directory that was named. The script's default directory gets no copy of ours.
fn interpreter(
    root: &Root,
    command: Option<&Path>,
    options: &Options,
    report: &mut Report,
) -> Result<PathBuf, String> {
    let dir = options
        .qemu_path
        .as_deref()
        .unwrap_or(Path::new("/usr/local/bin"));
    let path = dir.join(format!("{NAME}{}", options.qemu_suffix));
    if options.mode == Mode::Register && !options.reset {
        // Before a file is installed for nothing.
        register::check_owner(root, NAME, &path)?;
    }
    if options.persistent && options.qemu_path.is_none() && !root.path(&path).exists() {
        return emulator::find(root, command, options.preserve_argv0);
    }
    interpreter_at(root, command, &path, options.persistent, report)
}

/// Does what the options say.
pub fn apply(root: &Root, command: Option<&Path>, options: &Options) -> Result<Report, String> {
    let mut report = Report::default();
    let interpreter = interpreter(root, command, options, &mut report)?;
    let shown = interpreter.display().to_string();
    let registration = Registration {
        name: NAME.to_owned(),
        interpreter,
        flags: options.flags(),
    };
    let setting = format!("Setting {shown} as binfmt interpreter for aarch64");
    let exportdir = |default: &str| {
        options
            .exportdir
            .clone()
            .unwrap_or_else(|| PathBuf::from(default))
    };
    match options.mode {
        Mode::Register => {
            report.done.push(setting);
            let request = Request {
                registration,
                reset: options.reset,
                persistent: false,
            };
            let more = register::register(root, &request)?;
            report.warnings.extend(more.warnings);
        }
        Mode::Systemd => {
            report.done.push(format!("{setting} for systemd-binfmt.service"));
            let path = exportdir("/etc/binfmt.d").join(format!("{NAME}.conf"));
            persist::replace(&root.path(path), &format!("{}\n", registration.line()?))?;
        }
        Mode::Debian => {
            let path = exportdir("/usr/share/binfmts").join(NAME);
            persist::replace(&root.path(path), &registration.update_binfmts_file(NAME))?;
        }
    }
    Ok(report)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fs::MOUNT_POINT;
    use crate::testing::Tree;

    fn args(line: &str) -> Vec<OsString> {
        line.split_whitespace().map(OsString::from).collect()
    }

    /// Options -> interpreter and flags of the line written to `register`.
    #[test]
    fn lines_registered() {
        for (line, expected) in [
            ("-p yes", ":/usr/bin/raemu-aarch64:F"),
            ("-p yes -c yes", ":/usr/bin/raemu-aarch64:OCF"),
            (
                "-p yes -c yes -g yes -F -static -Q /opt/q",
                ":/opt/q/qemu-aarch64-static:POCF",
            ),
            ("-c no -p no -i yes", ":/usr/local/bin/qemu-aarch64:"),
            ("--qemu-path=/a --credential=yes", ":/a/qemu-aarch64:OC"),
        ] {
            let tree = Tree::mounted("conf");
            tree.program("/usr/bin/raemu-aarch64", "static");
            tree.write("/usr/local/bin/x", "");
            tree.write("/opt/q/x", "");
            let report = run(&tree.root(), None, &args(line)).expect(line);
            let text = tree
                .root()
                .read(format!("{MOUNT_POINT}/register"))
                .expect("written");
            assert!(
                text.starts_with(":qemu-aarch64:M::") && text.ends_with(expected),
                "{line}: {text}"
            );
            let interpreter = expected.split(':').nth(1).expect("a path");
            let setting = format!("Setting {interpreter} as binfmt interpreter for aarch64");
            assert!(report.done.contains(&setting), "{report:?}");
        }
    }

    #[test]
    fn files_written() {
        let tree = Tree::mounted("conf-files");
        let root = tree.root();
        for (line, path, expected) in [
            (
                "-s ALL",
                "/etc/binfmt.d/qemu-aarch64.conf",
                ":/usr/local/bin/qemu-aarch64:\n",
            ),
            (
                "-s aarch64 -e /x -c yes",
                "/x/qemu-aarch64.conf",
                ":/usr/local/bin/qemu-aarch64:OC\n",
            ),
            (
                "-d",
                "/usr/share/binfmts/qemu-aarch64",
                "credentials no\npreserve no\nfix_binary no\n",
            ),
            (
                "-d -e /y -c yes -g yes",
                "/y/qemu-aarch64",
                "credentials yes\npreserve yes\nfix_binary no\n",
            ),
        ] {
            run(&root, None, &args(line)).expect(line);
            let text = root.read(path).expect(path);
            assert!(text.ends_with(expected), "{line}: {text}");
        }
        let debian = root.read("/y/qemu-aarch64").expect("written");
        assert!(
            debian.starts_with("package qemu-aarch64\ninterpreter /usr/local/bin/qemu-aarch64\nmagic \\x7f")
        );
    }

    #[test]
    fn bad_options() {
        let root = Tree::mounted("conf-bad").root();
        for (line, why) in [
            ("-s arm", "ERROR: unknown CPU \"arm\""),
            ("-x", "invalid option '-x'"),
            ("-s", "missing argument for option '-s'"),
            ("-p yes extra", "unexpected argument 'extra'"),
        ] {
            assert_eq!(run(&root, None, &args(line)), Err(why.to_owned()));
        }
    }
}
