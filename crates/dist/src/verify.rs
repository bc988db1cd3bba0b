//! What must hold of the made packages, as the tools of their users see them.
//!
//! A tool that is not installed is named and its check left out; `cargo xtask setup` installs those that CI has.

use crate::Made;
use crate::layout::Generated;
use crate::oci::{DEFAULT_ARGUMENTS, ENTRY_POINT, Image, TAG};
use crate::release::{capture, have};
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Mode, owner and path of all that the packages hold; with `RAEMU_BLESS=1` it is written anew.
const EXPECTED: &str = "crates/dist/expected.txt";

/// Runs all checks; each breach is named.
pub fn all(made: &Made, generated: &Generated, sources: &Path, scratch: &Path) -> Result<(), String> {
    let _ = fs::remove_dir_all(scratch);
    fs::create_dir_all(scratch).map_err(|e| format!("{}: {e}", scratch.display()))?;
    let checks: [(&str, Check); 7] = [
        ("contents", &|| contents(made, sources)),
        ("fields of the Debian packages", &|| fields(made)),
        ("maintainer scripts", &|| scripts(made, scratch)),
        ("lintian", &|| lintian(made)),
        ("manual", &|| manual(generated, scratch)),
        ("completions", &|| completions(generated, scratch)),
        ("image", &|| image(&made.image, scratch)),
    ];
    let mut breaches = Vec::new();
    for (name, check) in checks {
        match check() {
            Ok(note) => println!("    {name}: {note}"),
            Err(why) => breaches.push(format!("{name}: {why}")),
        }
    }
    match breaches.is_empty() {
        true => Ok(()),
        false => Err(breaches.join("\n")),
    }
}

/// A check gives a remark for the log.
type Check<'a> = &'a dyn Fn() -> Result<String, String>;

fn tool<P: AsRef<Path>>(name: &str, arguments: &[&str], files: &[P]) -> Command {
    let mut command = Command::new(name);
    command
        .args(arguments)
        .args(files.iter().map(AsRef::as_ref))
        .env("LC_ALL", "C.UTF-8")
        .stdin(Stdio::null());
    command
}

/// `-rwxr-xr-x root/root 123 2026-01-01 00:00 ./usr/bin/x` without size and time.
fn listing(text: &str) -> String {
    let line = |line: &str| {
        let mut words = line.split_whitespace();
        let (mode, owner) = (words.next()?, words.next()?);
        let path: Vec<&str> = words.skip(3).collect();
        Some(format!("{mode} {owner} {}\n", path.join(" ")))
    };
    text.lines().filter_map(line).collect()
}

fn contents(made: &Made, sources: &Path) -> Result<String, String> {
    let mut found = String::new();
    for deb in &made.debs {
        let text = capture(tool("dpkg-deb", &["--contents"], &[deb]))?;
        found.push_str(&format!("## {}\n{}", title(deb), listing(&text)));
    }
    let layer = layer(&made.image)?;
    for archive in [&made.tarball, &layer] {
        let text = capture(tool("tar", &["-tvzf"], &[archive]))?;
        let name = if *archive == layer {
            "layer of the image".to_owned()
        } else {
            title(archive)
        };
        found.push_str(&format!("## {name}\n{}", listing(&text)));
    }
    // The version is not what this is about.
    let found = found.replace(env!("CARGO_PKG_VERSION"), "VERSION");
    let path = sources.join(EXPECTED);
    if test_support::blessing() {
        fs::write(&path, &found).map_err(|e| format!("{}: {e}", path.display()))?;
    }
    let expected = fs::read_to_string(&path).map_err(|e| format!("{}: {e}", path.display()))?;
    let missing = expected.lines().filter(|line| !found.lines().any(|l| l == *line));
    let extra = found.lines().filter(|line| !expected.lines().any(|l| l == *line));
    let difference: Vec<String> = missing
        .map(|line| format!("missing: {line}"))
        .chain(extra.map(|line| format!("not expected: {line}")))
        .collect();
    match found == expected {
        true => Ok(format!("{} entries as in {EXPECTED}", found.lines().count())),
        false => Err(format!(
            "not as in {EXPECTED}\n{}\n{}",
            difference.join("\n"),
            test_support::how_to_bless("cargo xtask dist --verify")
        )),
    }
}

fn title(path: &Path) -> String {
    path.file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned()
}

/// The one layer of the image.
pub fn layer(image: &Image) -> Result<PathBuf, String> {
    let manifest = json(&image.directory.join("manifest.json"))?;
    let place = manifest[0]["Layers"][0]
        .as_str()
        .ok_or("the image has no layer")?;
    Ok(image.directory.join(place))
}

fn json(path: &Path) -> Result<Value, String> {
    let text = fs::read_to_string(path).map_err(|e| format!("{}: {e}", path.display()))?;
    serde_json::from_str(&text).map_err(|e| format!("{}: {e}", path.display()))
}

fn fields(made: &Made) -> Result<String, String> {
    let [main, compat] = &made.debs;
    for (deb, field, expected) in [
        (main, "Package", "raemu-aarch64"),
        (main, "Version", env!("CARGO_PKG_VERSION")),
        (main, "Architecture", "amd64"),
        (main, "Conflicts", ""),
        (compat, "Package", "raemu-qemu-compat"),
        (
            compat,
            "Depends",
            concat!("raemu-aarch64 (= ", env!("CARGO_PKG_VERSION"), ")"),
        ),
        (
            compat,
            "Conflicts",
            "qemu-user, qemu-user-binfmt, qemu-user-static",
        ),
        (
            compat,
            "Provides",
            "qemu-user, qemu-user-binfmt, qemu-user-static",
        ),
    ] {
        let mut command = tool("dpkg-deb", &["--field"], &[deb]);
        command.arg(field);
        let found = capture(command)?;
        if found.trim() != expected {
            return Err(format!(
                "{}: {field} is '{}', not '{expected}'",
                title(deb),
                found.trim()
            ));
        }
    }
    Ok("as expected".to_owned())
}

fn scripts(made: &Made, scratch: &Path) -> Result<String, String> {
    for (index, deb) in made.debs.iter().enumerate() {
        let directory = scratch.join(format!("control{index}"));
        let mut command = tool("dpkg-deb", &["--control"], &[deb]);
        command.arg(&directory);
        capture(command)?;
        for script in ["postinst", "prerm", "postrm"] {
            silent(tool("sh", &["-n"], &[directory.join(script)]))?;
        }
    }
    Ok("sh -n".to_owned())
}

/// A command that must neither fail nor say anything.
fn silent(mut command: Command) -> Result<(), String> {
    let output = command.output().map_err(|e| format!("{command:?}: {e}"))?;
    let stderr = String::from_utf8_lossy(&output.stderr);
    let stdout = String::from_utf8_lossy(&output.stdout);
    match output.status.success() && stderr.is_empty() && stdout.is_empty() {
        true => Ok(()),
        false => Err(format!("{command:?}: {}\n{stdout}{stderr}", output.status)),
    }
}

fn lintian(made: &Made) -> Result<String, String> {
    if !have("lintian") {
        return Ok("left out, not installed".to_owned());
    }
    let arguments = ["--allow-root", "--fail-on", "error", "--tag-display-limit", "0"];
    let text = capture(tool("lintian", &arguments, &made.debs))?;
    Ok(match text.trim() {
        "" => "silent".to_owned(),
        text => format!("no errors\n{text}"),
    })
}

fn manual(generated: &Generated, scratch: &Path) -> Result<String, String> {
    let mut tried = Vec::new();
    for page in &generated.pages {
        let path = scratch.join(title(Path::new(&page.path)));
        fs::write(&path, &page.source).map_err(|e| format!("{}: {e}", path.display()))?;
        if have("man") {
            tried.push("man");
            let mut command = tool("man", &["--warnings", "-E", "UTF-8", "-l"], &[&path]);
            command.env("MANWIDTH", "80");
            let output = command.output().map_err(|e| format!("man: {e}"))?;
            let text = String::from_utf8_lossy(&output.stdout);
            if !output.status.success() || !output.stderr.is_empty() || !text.contains("SEE ALSO") {
                return Err(format!(
                    "{}: {}",
                    path.display(),
                    String::from_utf8_lossy(&output.stderr)
                ));
            }
        }
        if have("mandoc") {
            tried.push("mandoc");
            silent(tool("mandoc", &["-T", "lint", "-W", "warning"], &[&path]))?;
        }
    }
    Ok(said(tried))
}

fn said(mut tried: Vec<&str>) -> String {
    tried.sort_unstable();
    tried.dedup();
    match tried.is_empty() {
        true => "left out, no tool for it is installed".to_owned(),
        false => format!("without warnings by {}", tried.join(", ")),
    }
}

fn completions(generated: &Generated, scratch: &Path) -> Result<String, String> {
    let directory = scratch.join("completions");
    let completions = generated.completions("site-functions");
    completions.write(&directory_made(&directory)?)?;
    let mut tried = Vec::new();
    for (path, _) in completions.files() {
        let shell = ["bash", "zsh", "fish"]
            .into_iter()
            .find(|shell| path.starts_with(&format!("share/{shell}")));
        let shell = shell.ok_or_else(|| format!("{path}: of which shell?"))?;
        if have(shell) {
            tried.push(shell);
            silent(tool(shell, &["-n"], &[directory.join(path)]))?;
        }
    }
    for (line, word, expected) in COMPLETED {
        let found = completed(&directory, line, *word)?;
        if found != *expected {
            return Err(format!(
                "bash completes '{line}' with '{found}', not '{expected}'"
            ));
        }
    }
    Ok(said(tried))
}

fn directory_made(directory: &Path) -> Result<PathBuf, String> {
    fs::create_dir_all(directory).map_err(|e| format!("{}: {e}", directory.display()))?;
    Ok(directory.to_owned())
}

/// Command lines, the number of the word to complete, and what bash makes of it.
const COMPLETED: &[(&str, usize, &str)] = &[
    ("raemu-aarch64 -engine ", 2, "jit interp"),
    (
        "raemu-aarch64 -cpu cortex-a5",
        2,
        "cortex-a53 cortex-a55 cortex-a57",
    ),
    ("raemu-aarch64 -strac", 1, "-strace"),
    ("raemu-binfmt re", 1, "register"),
    ("raemu-binfmt register --f", 2, "--fix-binary"),
    ("raemu-binfmt register --credentials ", 3, "yes no"),
    ("raemu-binfmt status --", 2, "--json --help"),
];

/// Asks bash itself.
fn completed(directory: &Path, line: &str, word: usize) -> Result<String, String> {
    let name = line.split(' ').next().unwrap_or_default();
    let file = directory.join("share/bash-completion/completions").join(name);
    let script = format!(
        "source \"$1\"; read -ra COMP_WORDS <<< \"$2\"; COMP_CWORD=$3; _{}; echo \"${{COMPREPLY[*]}}\"",
        name.replace('-', "_")
    );
    let mut bash = tool("bash", &["-c", &script, "bash"], &[file]);
    bash.args([line, &word.to_string()]);
    Ok(capture(bash)?.trim().to_owned())
}

fn image(image: &Image, scratch: &Path) -> Result<String, String> {
    digests(&image.directory)?;
    same(image)?;
    if !have("umoci") {
        return Ok("blobs are what their names say; umoci left out, not installed".to_owned());
    }
    let name = format!("{}:{TAG}", image.directory.display());
    capture(tool::<&Path>("umoci", &["stat", "--image", &name], &[]))?;
    let bundle = scratch.join("bundle");
    capture(tool(
        "umoci",
        &["unpack", "--rootless", "--image", &name],
        &[&bundle],
    ))?;
    let config = json(&bundle.join("config.json"))?;
    let mut expected = vec![ENTRY_POINT];
    expected.extend(DEFAULT_ARGUMENTS);
    let found = &config["process"]["args"];
    if *found != Value::from(expected.clone()) {
        return Err(format!("the entry point is {found}, not {expected:?}"));
    }
    // Nothing but the programs: they must do without any file.
    let mut version = Command::new(bundle.join(format!("rootfs{ENTRY_POINT}")));
    version.arg("help").env_clear();
    capture(version)?;
    Ok(format!("umoci unpacks it; entry point {}", expected.join(" ")))
}

/// Each blob has the digest that is its name, by the machine's own tool.
fn digests(directory: &Path) -> Result<(), String> {
    let blobs = directory.join("blobs/sha256");
    let entries = fs::read_dir(&blobs).map_err(|e| format!("{}: {e}", blobs.display()))?;
    let paths: Vec<PathBuf> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    for line in capture(tool("sha256sum", &[], &paths))?.lines() {
        let (digest, path) = line.split_once("  ").unwrap_or_default();
        if !path.ends_with(&format!("/{digest}")) {
            return Err(format!("{path} has the digest {digest}"));
        }
    }
    Ok(())
}

/// The directory and its archive agree.
fn same(image: &Image) -> Result<(), String> {
    let mut compare = tool("tar", &["--compare", "--file"], &[&image.archive]);
    compare.arg("--directory").arg(&image.directory);
    // Owners and times differ: the archive has root and one time.
    let output = compare.output().map_err(|e| format!("tar: {e}"))?;
    let text =
        String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    let differs = |line: &&str| {
        !["Uid differs", "Gid differs", "Mod time differs"]
            .iter()
            .any(|end| line.ends_with(end))
    };
    match text.lines().find(differs) {
        None => Ok(()),
        Some(line) => Err(format!("the archive differs from the directory: {line}")),
    }
}

/// A broken package must be found: what the checks rest on is tried on data that is wrong.
#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_and_times_do_not_count_in_listings() {
        let one = "-rwxr-xr-x root/root    12 2026-01-01 00:00 ./usr/bin/x\n\
                   lrwxrwxrwx root/root     0 2026-01-01 00:00 ./usr/y -> x\n";
        let expected = "-rwxr-xr-x root/root ./usr/bin/x\nlrwxrwxrwx root/root ./usr/y -> x\n";
        assert_eq!(listing(one), expected);
    }

    #[test]
    fn silence_is_demanded() {
        assert!(silent(tool::<&Path>("true", &[], &[])).is_ok());
        assert!(silent(tool::<&Path>("echo", &[], &[])).is_err());
        assert!(silent(tool::<&Path>("false", &[], &[])).is_err());
    }

    #[test]
    fn a_blob_under_a_wrong_name_is_found() {
        let dir = std::env::temp_dir().join(format!("dist-digests-{}", std::process::id()));
        fs::create_dir_all(dir.join("blobs/sha256")).expect("a directory");
        fs::write(dir.join("blobs/sha256/abc"), "x").expect("a file");
        let error = digests(&dir).expect_err("a wrong digest");
        assert!(error.contains("has the digest"), "{error}");
        fs::remove_dir_all(&dir).expect("made above");
    }
}
