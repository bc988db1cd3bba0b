//! The command against the kernel's own binfmt_misc, state by state: `states.txt` is a transcript that is run again.
//!
//! A case is a heading and commands (`$ `), each followed by all that it prints and, in brackets, an exit status that
//! is not 0. Each case starts in namespaces of its own, below a user namespace whose binfmt_misc is empty, so that
//! neither the machine's entries nor other cases are seen. `[WHERE]` in the heading chooses among them:
//!
//! | where | |
//! |---|---|
//! | (nothing) | its first process and /proc are new: nothing is mounted, and what is, is seen by PID 1 |
//! | `[mounted]` | the same with binfmt_misc mounted |
//! | `[private]` | mounted, but PID 1 is the machine's |
//! | `[user]` | no namespace, an ordinary user |
//!
//! `RAEMU_BLESS=1` writes the outputs into the file; look at the difference before committing it. States that cannot be
//! had on this machine are named as skipped.

use program_tests::{paths, process};
use raemu_binfmt::entry;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;
use test_support::Goldens;

const LIMIT: Duration = Duration::from_secs(60);

/// Ends a command's output.
const END: &str = "@@end@@";

/// The exit status that says that a namespace cannot have a binfmt_misc here.
const IMPOSSIBLE: i32 = 77;

/// `raw NAME INTERPRETER FLAGS` registers as any other tool would.
const PRELUDE: &str = r#"
fs=/proc/sys/fs/binfmt_misc
raw() { printf '%s' ":$1:M::$MAGIC:$MASK:$2:$3" > $fs/register; }
mountfs() { mount -t binfmt_misc binfmt_misc $fs; }
# Another emulator: static, and not ours.
cp $BIN/raemu-binfmt $WORK/other
cd $WORK
"#;

/// What the command writes elsewhere stays in the namespace.
const PRIVATE: &str = r#"
for dir in /etc/binfmt.d /var/lib/binfmts /usr/share/binfmts /usr/local/bin; do
    [ ! -d $dir ] || mount -t tmpfs none $dir || exit 77
done
"#;

const HELLO: &str = r#"
#include <stdio.h>
#include <unistd.h>
int main(int argc, char **argv)
{
    printf("arm64:");
    for (int i = 0; i < argc; i++)
        printf(" %s", argv[i]);
    printf("\n");
    return 0;
}
"#;

/// A directory that every user can read, with the programs of the cases.
struct Bench {
    dir: PathBuf,
}

impl Bench {
    fn new() -> Bench {
        let dir = std::env::temp_dir().join(format!("raemu-binfmt-kernel-{}", std::process::id()));
        let _ = fs::remove_dir_all(&dir);
        let bin = dir.join("bin");
        fs::create_dir_all(&bin).expect("a writable temporary directory");
        fs::set_permissions(&dir, fs::Permissions::from_mode(0o755)).expect("own directory");
        let emulator = paths::emulator().expect("an emulator is built");
        fs::copy(emulator, bin.join("raemu-aarch64")).expect("copied");
        fs::copy(env!("CARGO_BIN_EXE_raemu-binfmt"), bin.join("raemu-binfmt")).expect("copied");
        fs::write(dir.join("hello.c"), HELLO).expect("written");
        let status = Command::new("aarch64-linux-gnu-gcc")
            .args(["-O1", "-static", "-o", "bin/hello", "hello.c"])
            .current_dir(&dir)
            .status();
        assert!(status.is_ok_and(|status| status.success()), "hello.c compiles");
        Bench { dir }
    }

    /// Runs a case's commands; the output of each, or why they cannot run here.
    fn run(&self, case: &Case) -> Result<Vec<String>, String> {
        let work = self.dir.join("work");
        let _ = fs::remove_dir_all(&work);
        fs::create_dir_all(&work).expect("own directory");
        fs::set_permissions(&work, fs::Permissions::from_mode(0o777)).expect("own directory");
        let mut script = PRELUDE.to_owned();
        // `run` needs what `unshare` needs, and must say so itself only where a case asks for it.
        script.push_str(&match case.place {
            "" => String::new(),
            "user" => format!("unshare -Urm mount -t binfmt_misc none $fs || exit {IMPOSSIBLE}\n"),
            _ => format!("mountfs || exit {IMPOSSIBLE}\n"),
        });
        if case.place != "user" {
            script.push_str(PRIVATE);
        }
        for command in &case.commands {
            script.push_str(&format!(
                "{{ {}\n}} 2>&1; s=$?; [ $s = 0 ] || echo \"[$s]\"; echo {END}\n",
                command.text
            ));
        }
        fs::write(work.join("script"), script).expect("written");
        let outcome = process::run(self.command(case.place, &work), LIMIT)?;
        let stderr = String::from_utf8_lossy(&outcome.stderr);
        if outcome.end == process::End::Status(IMPOSSIBLE) || stderr.starts_with("unshare:") {
            return Err(format!("no namespace with its own binfmt_misc: {stderr}"));
        }
        let stdout = String::from_utf8_lossy(&outcome.stdout).into_owned();
        assert_eq!(stderr, "", "{}", case.name);
        let stdout = without_places(&stdout)
            .replace(&*self.dir.join("bin").to_string_lossy(), "BIN")
            .replace(&*work.to_string_lossy(), "WORK")
            .replace(&kernel_release(), "RELEASE");
        let mut outputs: Vec<String> = stdout.split(&format!("{END}\n")).map(str::to_owned).collect();
        assert_eq!(outputs.pop().as_deref(), Some(""), "{}: {stdout}", case.name);
        Ok(outputs)
    }

    fn command(&self, place: &str, work: &Path) -> Command {
        // The outer user namespace has a binfmt_misc without entries; those inside see it and not the machine's.
        let outer =
            format!("mount -t binfmt_misc none /proc/sys/fs/binfmt_misc || exit {IMPOSSIBLE}; exec \"$@\"");
        let mut words: Vec<&str> = vec!["unshare", "-Urm", "bash", "-c", &outer, "outer", "unshare"];
        match place {
            "" | "mounted" => words.extend(["-Urmpf", "--mount-proc"]),
            "private" => words.push("-Urm"),
            "user" if can_become_nobody() => words = NOBODY.to_vec(),
            "user" => words = vec!["env"],
            other => panic!("no place is called {other}"),
        }
        words.extend(["bash", "script"]);
        let mut command = Command::new(words[0]);
        let bin = self.dir.join("bin");
        let path = format!("{}:/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin", bin.display());
        command
            .args(&words[1..])
            .current_dir(work)
            .env("PATH", path)
            .env("BIN", bin)
            .env("WORK", work)
            .env("MAGIC", entry::escaped(&entry::MAGIC))
            .env("MASK", entry::escaped(&entry::MASK))
            .env("LC_ALL", "C")
            .env_remove("TMPDIR");
        command
    }
}

impl Drop for Bench {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.dir);
    }
}

fn kernel_release() -> String {
    let text = fs::read_to_string("/proc/sys/kernel/osrelease").expect("/proc is mounted");
    text.trim().to_owned()
}

/// What runs a command as another user than root.
const NOBODY: [&str; 4] = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"];

/// Root of a small user namespace has no other user to become.
fn can_become_nobody() -> bool {
    let status = Command::new(NOBODY[0])
        .args(&NOBODY[1..])
        .arg("true")
        .stderr(Stdio::null())
        .status();
    status.is_ok_and(|status| status.success())
}

/// Without the shell's line numbers.
fn without_places(text: &str) -> String {
    let place = |line: &str| Some(line.strip_prefix("script: line ")?.split_once(": ")?.1.to_owned());
    text.split_inclusive('\n')
        .map(|line| place(line).unwrap_or_else(|| line.to_owned()))
        .collect()
}

struct Line {
    text: String,
    expected: String,
}

struct Case<'a> {
    heading: &'a str,
    name: &'a str,
    place: &'a str,
    commands: Vec<Line>,
}

/// Reads the transcript; what stands before the first heading is its introduction.
fn cases(text: &str) -> (String, Vec<Case<'_>>) {
    let (mut introduction, mut cases) = (String::new(), Vec::<Case>::new());
    for line in text.lines() {
        if let Some(heading) = line.strip_prefix("== ") {
            let (name, place) = heading.split_once(" [").unwrap_or((heading, ""));
            cases.push(Case {
                heading,
                name,
                place: place.trim_end_matches(']'),
                commands: Vec::new(),
            });
            continue;
        }
        let Some(case) = cases.last_mut() else {
            introduction.push_str(&format!("{line}\n"));
            continue;
        };
        match (line.strip_prefix("$ "), case.commands.last_mut()) {
            (Some(text), _) => case.commands.push(Line {
                text: text.to_owned(),
                expected: String::new(),
            }),
            (None, Some(_)) if line.is_empty() => {}
            (None, Some(command)) => command.expected.push_str(&format!("{line}\n")),
            (None, None) => assert_eq!(line, "", "{}: output without a command", case.name),
        }
    }
    (introduction, cases)
}

#[test]
fn states() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/states.txt");
    let text = fs::read_to_string(&file).expect("a file beside this one");
    let bench = Bench::new();
    let (mut found, cases) = cases(&text);
    let (mut passed, mut failures, mut skipped) = (0, Vec::new(), 0);
    for case in &cases {
        found.push_str(&format!("== {}\n", case.heading));
        let kept = |line: &Line| format!("$ {}\n{}", line.text, line.expected);
        let outputs = match bench.run(case) {
            Ok(outputs) => outputs,
            Err(why) => {
                test_support::skipped(case.name, &why);
                skipped += 1;
                found.extend(case.commands.iter().map(kept));
                found.push('\n');
                continue;
            }
        };
        let mut differences = String::new();
        for (command, output) in case.commands.iter().zip(&outputs) {
            // Empty lines separate cases and nothing else.
            let output = output.replace("\n\n", "\n");
            found.push_str(&format!("$ {}\n{output}", command.text));
            if output != command.expected {
                let (text, expected) = (&command.text, &command.expected);
                differences.push_str(&format!("$ {text}\nexpected:\n{expected}got:\n{output}"));
            }
        }
        found.push('\n');
        match differences.is_empty() {
            true => passed += 1,
            false => failures.push(format!("{}\n{differences}", case.name)),
        }
    }
    test_support::counted(passed, failures.len(), skipped);
    let mut goldens = Goldens::new("cargo test -p raemu-binfmt --test kernel");
    goldens.check(&file, found.trim_end().to_owned() + "\n");
    if let Err(message) = goldens.result() {
        panic!("{}\n{message}", failures.join("\n"));
    }
    // Without namespaces there are none, and the messages above say so.
    assert!(passed == 0 || passed > 30, "{passed} states");
}
