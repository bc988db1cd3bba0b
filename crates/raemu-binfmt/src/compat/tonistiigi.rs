//! tonistiigi/binfmt: `--install`, `--uninstall`, `--mount`, `--version`.
//!
//! Standard output is its JSON and nothing else (setup-qemu-action parses it); what happened goes to standard error,
//! and the exit status is 0 whatever happened. Its unmount at the end is left out, since it erases the entries.

use super::interpreter_at;
use crate::cli::Output;
use crate::emulator;
use crate::entry::{Flags, Registration, check_name};
use crate::fs::{MOUNT_POINT, Root};
use crate::json::Json;
use crate::probe::{self, Outcome};
use crate::register::{self, Report, reason};
use std::ffi::OsString;
use std::path::{Path, PathBuf};

/// The version of qemu whose behaviour is kept.
const QEMU_VERSION: &str = "v10.0.13";

#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Options {
    install: String,
    uninstall: String,
    mount: Option<String>,
    version: bool,
}

/// Variables of the environment that count.
#[derive(Clone, Debug, Default)]
pub struct Environment {
    pub preserve_argv0: bool,
    pub binary_path: Option<PathBuf>,
    pub binary_prefix: String,
}

impl Environment {
    pub fn read() -> Environment {
        let set = |name| std::env::var_os(name).filter(|value| !value.is_empty());
        Environment {
            preserve_argv0: set("QEMU_PRESERVE_ARGV0").is_some(),
            binary_path: set("QEMU_BINARY_PATH").map(PathBuf::from),
            binary_prefix: set("QEMU_BINARY_PREFIX")
                .map_or(String::new(), |value| value.to_string_lossy().into_owned()),
        }
    }
}

/// Go's flag syntax: one dash or two, the value behind `=` or as the next argument.
fn parse(args: &[OsString]) -> Result<Options, String> {
    let mut options = Options::default();
    let mut args = args.iter().map(|arg| arg.to_string_lossy().into_owned());
    while let Some(arg) = args.next() {
        let Some(name) = arg.strip_prefix("--").or_else(|| arg.strip_prefix('-')) else {
            break;
        };
        if name.is_empty() {
            break;
        }
        let (name, value) = match name.split_once('=') {
            Some((name, value)) => (name, Some(value.to_owned())),
            None => (name, None),
        };
        if name == "version" {
            options.version = value.is_none_or(|value| matches!(value.as_str(), "1" | "t" | "true"));
            continue;
        }
        if !matches!(name, "install" | "uninstall" | "mount") {
            return Err(format!("flag provided but not defined: -{name}"));
        }
        let value = value
            .or_else(|| args.next())
            .ok_or_else(|| format!("flag needs an argument: -{name}"))?;
        match name {
            "install" => options.install = value,
            "uninstall" => options.uninstall = value,
            _mount => options.mount = Some(value),
        }
    }
    Ok(options)
}

pub fn run(root: &Root, command: Option<&Path>, args: &[OsString], environment: &Environment) -> Output {
    let mut output = Output::default();
    let options = match parse(args) {
        Ok(options) => options,
        Err(why) => {
            output.stderr =
                format!("{why}\nUsage: --install arm64|all --uninstall NAME --mount DIR --version\n");
            output.status = 2;
            return output;
        }
    };
    if options.version {
        let version = env!("CARGO_PKG_VERSION");
        output.stderr = format!("binfmt/raemu-{version} qemu/{QEMU_VERSION} go/none\n");
        return output;
    }
    let mount_point = options.mount.as_deref().unwrap_or(MOUNT_POINT);
    let root = match std::path::absolute(mount_point) {
        Ok(path) => root.clone().with_mount_point(path),
        Err(error) => {
            output.stderr = format!("error: {error}\n");
            return output;
        }
    };
    if let Err(why) = root.mount() {
        output.stderr = format!("error: {why}\n");
        return output;
    }
    let mut log = |verb: &str, name: &str, result: Result<(), String>| {
        let text = result.err().unwrap_or_else(|| "OK".to_owned());
        output.stderr.push_str(&format!("{verb}: {name} {text}\n"));
    };
    for name in to_uninstall(&root, &options.uninstall) {
        let result = uninstall(&root, &name);
        log("uninstalling", &name, result);
    }
    for name in to_install(&options.install) {
        let result = install(&root, command, &name, environment);
        log("installing", &name, result);
    }
    match status(&root) {
        Ok(text) => output.stdout = text,
        Err(why) => output.stderr.push_str(&format!("error: {why}\n")),
    }
    output
}

/// `linux/arm64/v8`, `aarch64` -> `arm64`; what is no platform remains.
fn architecture(text: &str) -> String {
    let mut parts = text.split('/');
    let architecture = match (parts.next(), parts.next()) {
        (Some("linux"), Some(architecture)) | (Some(architecture), _) => architecture,
        (None, _) => text,
    };
    match architecture {
        "aarch64" => "arm64".to_owned(),
        other => other.to_owned(),
    }
}

fn to_install(text: &str) -> Vec<String> {
    match text {
        "" => Vec::new(),
        "all" => vec!["arm64".to_owned()],
        list => list.split(',').map(architecture).collect(),
    }
}

/// The names to remove: a platform stands for its entries, `*` for any characters.
fn to_uninstall(root: &Root, text: &str) -> Vec<String> {
    let mut names = Vec::new();
    for pattern in text.split(',').filter(|pattern| !pattern.is_empty()) {
        let arm64 = architecture(pattern) == "arm64";
        let pattern = if arm64 { "aarch64" } else { pattern };
        let mut found: Vec<String> = root
            .entries()
            .unwrap_or_default()
            .into_iter()
            .map(|entry| entry.name)
            .filter(|name| glob(pattern, name))
            .collect();
        found.sort();
        if found.is_empty() {
            found.push(pattern.to_owned());
        }
        names.extend(found);
    }
    names
}

fn glob(pattern: &str, name: &str) -> bool {
    match pattern.chars().next() {
        None => name.is_empty(),
        Some('*') => name
            .char_indices()
            .map(|(at, _)| at)
            .chain([name.len()])
            .any(|at| glob(&pattern[1..], &name[at..])),
        Some(first) => {
            let mut rest = name.chars();
            rest.next().is_some_and(|c| c == first || first == '?')
                && glob(&pattern[first.len_utf8()..], rest.as_str())
        }
    }
}

/// Removes the entry of this name, or the first one that ends in it; another emulator's is left alone.
fn uninstall(root: &Root, name: &str) -> Result<(), String> {
    let suffix = format!("-{name}");
    let mut entries = register::entries(root)?;
    entries.retain(|entry| entry.name == name || entry.name.ends_with(&suffix));
    let ours = entries.iter().find(|entry| emulator::owns(root, entry));
    match (ours, entries.first()) {
        (Some(entry), _) => register::remove(root, &entry.name),
        (None, Some(other)) => Err(format!(
            "{} belongs to another emulator ({})",
            other.name,
            other.interpreter.display()
        )),
        (None, None) => Err("not found".to_owned()),
    }
}

fn install(
    root: &Root,
    command: Option<&Path>,
    architecture: &str,
    environment: &Environment,
) -> Result<(), String> {
    if architecture != "arm64" {
        return Err(format!("unsupported architecture: {architecture}"));
    }
    if environment.binary_prefix.contains('/') {
        return Err(
            "binary prefix must not contain path separator (Hint: set $QEMU_BINARY_PATH to specify the directory)"
                .to_owned(),
        );
    }
    let name = format!("{}qemu-aarch64", environment.binary_prefix);
    check_name(&name)?;
    if root.binfmt(&name).exists() {
        return Err(format!("{name} already registered"));
    }
    let dir = environment
        .binary_path
        .clone()
        .unwrap_or_else(|| PathBuf::from("/usr/bin"));
    let mut report = Report::default();
    let interpreter = interpreter_at(root, command, &dir.join(&name), true, &mut report)?;
    let flags = Flags {
        preserve_argv0: environment.preserve_argv0,
        open_binary: true,
        credentials: true,
        fix_binary: true,
    };
    let registration = Registration {
        name,
        interpreter,
        flags,
    };
    let register = root.binfmt("register");
    root.write_binfmt("register", &registration.line()?)
        .map_err(|error| {
            format!(
                "cannot register {:?} to {}: {}",
                registration.interpreter,
                register.display(),
                reason(&error)
            )
        })
}

fn status(root: &Root) -> Result<String, String> {
    let mut emulators: Vec<String> = register::entries(root)?
        .into_iter()
        .filter(|entry| entry.enabled)
        .map(|entry| entry.name)
        .collect();
    emulators.sort();
    let mut supported = vec!["linux/amd64"];
    if root.is_real() && runs_arm64() {
        supported.push("linux/arm64");
    }
    // An empty list is null there.
    let emulators = if emulators.is_empty() {
        Json::Null
    } else {
        Json::texts(emulators)
    };
    Ok(Json::Object(vec![
        ("supported", Json::texts(supported)),
        ("emulators", emulators),
    ])
    .print())
}

fn runs_arm64() -> bool {
    match probe::run(true) {
        Outcome::Works => true,
        Outcome::Fails(_) => false,
        Outcome::Untried(_) => probe::run(false) == Outcome::Works,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Tree;

    fn output(tree: &Tree, line: &str, environment: &Environment) -> Output {
        let args: Vec<OsString> = line.split_whitespace().map(OsString::from).collect();
        run(&tree.root(), None, &args, environment)
    }

    /// Options -> standard error; standard output is JSON, or nothing, and the status 0.
    #[test]
    fn logs() {
        let tree = Tree::mounted("tonistiigi");
        tree.write("/usr/bin/raemu-aarch64", "");
        tree.entry("qemu-arm", "/usr/bin/qemu-arm", "F", 5);
        for (line, expected) in [
            (
                "--install riscv64,linux/s390x",
                "installing: riscv64 unsupported architecture: riscv64\ninstalling: s390x unsupported architecture: s390x\n",
            ),
            ("--install arm64", "installing: arm64 OK\n"),
            ("-install=all", "installing: arm64 OK\n"),
            ("--uninstall arm64", "uninstalling: aarch64 not found\n"),
            (
                "--uninstall qemu-*",
                "uninstalling: qemu-arm qemu-arm belongs to another emulator (/usr/bin/qemu-arm)\n",
            ),
            ("", ""),
        ] {
            let output = output(&tree, line, &Environment::default());
            assert_eq!(output.stderr, expected, "{line}");
            assert_eq!(output.status, 0, "{line}");
            assert_eq!(
                output.stdout,
                "{\n  \"supported\": [\n    \"linux/amd64\"\n  ],\n  \"emulators\": [\n    \"qemu-arm\"\n  ]\n}\n",
                "{line}"
            );
        }
    }

    #[test]
    fn version_and_errors() {
        let tree = Tree::new("tonistiigi-bare");
        for (line, stderr, status) in [
            ("--version", "binfmt/raemu-0.1.0 qemu/v10.0.13 go/none\n", 0),
            ("--install", "flag needs an argument: -install\n", 2),
            ("--bad", "flag provided but not defined: -bad\n", 2),
            ("--install arm64", "error: ", 0),
        ] {
            let output = output(&tree, line, &Environment::default());
            assert!(output.stderr.starts_with(stderr), "{line}: {output:?}");
            assert_eq!((output.stdout.as_str(), output.status), ("", status), "{line}");
        }
    }

    #[test]
    fn the_environment_names_the_binary() {
        for (environment, expected) in [
            (Environment::default(), ":/usr/bin/qemu-aarch64:OCF"),
            (
                Environment {
                    preserve_argv0: true,
                    binary_path: Some(PathBuf::from("/usr/bin/../bin")),
                    binary_prefix: "buildkit-".to_owned(),
                },
                ":/usr/bin/../bin/buildkit-qemu-aarch64:POCF",
            ),
        ] {
            let tree = Tree::mounted("tonistiigi-env");
            tree.write("/usr/bin/raemu-aarch64", "");
            let output = output(&tree, "--install arm64", &environment);
            assert_eq!(output.stderr, "installing: arm64 OK\n");
            let line = tree
                .root()
                .read(format!("{MOUNT_POINT}/register"))
                .expect("written");
            assert!(line.ends_with(expected), "{line}");
        }
    }

    #[test]
    fn globs() {
        for (pattern, name, expected) in [
            ("qemu-*", "qemu-arm", true),
            ("*", "", true),
            ("q?mu", "qemu", true),
            ("qemu", "qemu-arm", false),
            ("*-aarch64", "qemu-aarch64", true),
        ] {
            assert_eq!(glob(pattern, name), expected, "{pattern} {name}");
        }
    }
}
