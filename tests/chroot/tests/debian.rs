//! Debian under the emulator, as its users make and use it: debootstrap, chroot, sudo, ps, apt-get.
//!
//! The quick cases work in one tree, made with all flags and no copy of the emulator inside. RAEMU_TEST_LONG=1 adds
//! the other releases, the copy in the tree as in 2018, whole installations, and the comparison with qemu.
#![forbid(unsafe_code)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use chroot_tests::debian::{self, Tree, succeed};
use chroot_tests::{Stop, namespace, prepare as run_words, registry};
use program_tests::paths;
use program_tests::process::{self, End};
use program_tests::runner::{self, Options, Verdict};

const SUITES: [&str; 3] = ["trixie", "bookworm", "bullseye"];
/// The suite whose second stage is timed.
const TIMED: &str = "bookworm";
const LIMIT: Duration = Duration::from_secs(120);
/// All flags: the kernel keeps argv[0], opens the program, honours set-user-ID, and has the emulator open.
const ALL: &str = "POCF";
/// A file system in memory: a directory for a link of the emulator's that no package owns.
const LIBEXEC: &str = "/usr/libexec";
const WITH_P: &str = "/usr/libexec/raemu-binfmt/aarch64-binfmt-P";
const WITHOUT_P: &str = "/usr/bin/qemu-aarch64-static";

fn main() -> ExitCode {
    let mut options = Options::from_arguments();
    if options.list {
        println!("debian: test");
        return ExitCode::SUCCESS;
    }
    if !namespace::is_inside() {
        return outside().unwrap_or_else(|stop| stop.report("debian"));
    }
    // One registration, and one tree that most cases change.
    options.threads = 1;
    match World::prepare() {
        Ok(world) => {
            let cases = cases();
            runner::run(
                &options,
                &cases,
                |case| case.name.as_str(),
                |case| (case.body)(&world, case.suite),
            )
        }
        Err(message) => Stop::Fail(message).report("debian"),
    }
}

fn is_long() -> bool {
    std::env::var_os("RAEMU_TEST_LONG").is_some()
}

/// First stages, then this program again in its namespaces, then tidying up, for which the mounts must be gone.
fn outside() -> Result<ExitCode, Stop> {
    namespace::check()?;
    debian::remove(&debian::work())?;
    for (suite, name) in trees() {
        debian::first_stage(suite)?;
        debian::copy(suite, &name)?;
    }
    let code = namespace::restart()?;
    debian::remove(&debian::work())?;
    Ok(code)
}

/// Suites, and the trees that cases make of them.
fn trees() -> Vec<(&'static str, String)> {
    let mut trees = vec![(SUITES[0], SUITES[0].to_string())];
    if is_long() {
        trees.extend(SUITES[1..].iter().map(|suite| (*suite, (*suite).to_string())));
        trees.extend(SUITES.map(|suite| (suite, format!("{suite}-copy"))));
        trees.extend(["ours", "qemu"].map(|side| (TIMED, format!("{TIMED}-{side}"))));
    }
    trees
}

struct Case {
    name: String,
    suite: &'static str,
    body: fn(&World, &'static str) -> Verdict,
}

fn case(name: &str, suite: &'static str, body: fn(&World, &'static str) -> Verdict) -> Case {
    Case {
        name: format!("{suite}-{name}"),
        suite,
        body,
    }
}

/// In the order in which they build on each other.
fn cases() -> Vec<Case> {
    let first = SUITES[0];
    let mut cases = vec![
        case("second-stage", first, second_stage),
        case("no-copy-inside", first, no_copy),
        case("ps-with-P", first, ps_with_p),
        case("ps-without-P", first, ps_without_p),
        case("sudo", first, sudo),
        case("sudo-hostile", first, sudo_hostile),
        case("arch-test", first, arch_test),
    ];
    if !is_long() {
        return cases;
    }
    for suite in SUITES {
        if suite != first {
            cases.push(case("second-stage", suite, second_stage));
        }
        cases.push(case("second-stage-copy", suite, second_stage_with_copy));
        cases.push(case("install", suite, install));
    }
    cases.push(case("ldconfig-and-gcc", "bookworm", rounds));
    cases.push(case("mmdebstrap", "bookworm", mmdebstrap));
    cases.push(case("second-stage-against-qemu", TIMED, stage_against_qemu));
    cases.push(case("start-against-qemu", "bookworm", start_against_qemu));
    cases
}

/// What all cases share: where the emulators are, and the trees that are made so far.
struct World {
    emulator: PathBuf,
    /// qemu's own file, before our emulator takes its place in this mount namespace.
    qemu: PathBuf,
    trees: [OnceLock<Tree>; SUITES.len()],
}

impl World {
    fn prepare() -> Result<World, String> {
        let built = paths::emulator()?;
        println!("emulator: {}", built.display());
        namespace::mount_own()?;
        namespace::mount_memory(Path::new("/mnt"))?;
        namespace::mount_memory(Path::new(LIBEXEC))?;
        let emulator = PathBuf::from("/mnt/raemu-aarch64");
        let qemu = PathBuf::from("/mnt/qemu-aarch64-static");
        let copy = |from: &Path, to: &Path| {
            fs::copy(from, to)
                .map(|_| ())
                .map_err(|e| format!("{}: {e}", from.display()))
        };
        copy(&built, &emulator)?;
        copy(Path::new(WITHOUT_P), &qemu)?;
        run_words(&["mount", "--bind", &emulator.to_string_lossy(), WITHOUT_P])?;
        let dir = Path::new(WITH_P).parent().expect("a file in a directory");
        fs::create_dir_all(dir).map_err(|e| format!("{}: {e}", dir.display()))?;
        std::os::unix::fs::symlink(&emulator, WITH_P).map_err(|e| format!("{WITH_P}: {e}"))?;
        Ok(World {
            emulator,
            qemu,
            trees: [const { OnceLock::new() }; SUITES.len()],
        })
    }

    fn slot(&self, suite: &str) -> &OnceLock<Tree> {
        let index = SUITES.iter().position(|known| *known == suite);
        &self.trees[index.expect("cases name known suites")]
    }

    /// The tree that `second_stage` made of a suite; made now if a filter skipped that.
    fn tree(&self, suite: &str) -> Result<&Tree, String> {
        if self.slot(suite).get().is_none() {
            self.make(suite)?;
        }
        Ok(self.slot(suite).get().expect("just made"))
    }

    fn make(&self, suite: &str) -> Result<Duration, String> {
        registry::register(Path::new(WITH_P), ALL)?;
        let tree = Tree::at(suite);
        let elapsed = tree.second_stage()?;
        // sudo asks for the machine's own name.
        let name = fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
        let hosts = format!("127.0.0.1 localhost {name}");
        fs::write(tree.root.join("etc/hosts"), hosts).map_err(|e| format!("etc/hosts: {e}"))?;
        // Filled once: one thread runs the cases.
        let _ = self.slot(suite).set(tree);
        Ok(elapsed)
    }
}

fn seconds(elapsed: Duration) -> String {
    format!("({:.1} s)", elapsed.as_secs_f64())
}

fn same<T: PartialEq + std::fmt::Debug>(what: &str, actual: T, expected: T) -> Result<(), String> {
    if actual == expected {
        Ok(())
    } else {
        Err(format!(
            "    {what}\n      expected {expected:?}\n      actual   {actual:?}\n"
        ))
    }
}

fn second_stage(world: &World, suite: &'static str) -> Verdict {
    world.make(suite).map(seconds)
}

/// Of the emulator nothing is inside: the kernel has it open.
fn no_copy(world: &World, suite: &'static str) -> Verdict {
    let tree = world.tree(suite)?;
    let names = [
        "-name",
        "*qemu*",
        "-o",
        "-name",
        "*raemu*",
        "-o",
        "-name",
        "*-binfmt-P",
    ];
    let mut command = Command::new("find");
    command.arg(&tree.root).args(["-xdev", "("]).args(names).arg(")");
    let found = succeed("find", process::run(command, LIMIT)?)?;
    same(
        "files of an emulator's",
        String::from_utf8_lossy(&found.stdout).as_ref(),
        "",
    )?;
    same("uname -m", tree.output(&["uname", "-m"])?.as_str(), "aarch64\n")?;
    Ok(String::new())
}

/// `sleep 20` by a PATH search in the tree, looked at by the host's ps, which shows the emulator's `command_line`, and by
/// the tree's and in /proc, which show the guest's.
fn ps(
    world: &World,
    suite: &'static str,
    interpreter: &str,
    flags: &str,
    command_line: &str,
    guests: &str,
) -> Verdict {
    registry::register(Path::new(interpreter), flags)?;
    let tree = world.tree(suite)?;
    let script = "sleep 20 & PID=$!; \
        until [ \"$(cat /proc/$PID/comm)\" = sleep ]; do :; done; \
        ps -o args= -p $PID; echo $PID; tr '\\0' '|' </proc/$PID/cmdline; echo; cat /proc/$PID/comm";
    let mut child = tree.command(&["sh", "-c", &format!("{script}; exec 1>&-; wait")]);
    let mut child = child
        .stdout(std::process::Stdio::piped())
        .spawn()
        .map_err(|e| format!("chroot: {e}"))?;
    let mut inside = String::new();
    let mut stdout = child.stdout.take().expect("it was asked for");
    // The sleep holds the pipe open: only so many lines are read.
    let read = read_lines(&mut stdout, 4, &mut inside);
    let lines: Vec<&str> = inside.lines().collect();
    let pid = lines.get(1).copied().unwrap_or_default();
    let mut outside = Command::new("ps");
    outside.args(["-o", "args=", "-p", pid]);
    let outside = process::run(outside, LIMIT);
    let _ = Command::new("kill").arg(pid).status();
    let _ = child.wait();
    read?;
    let outside = String::from_utf8_lossy(&outside?.stdout).trim_end().to_string();
    same("the host's ps", outside.as_str(), command_line)?;
    let divided = format!("{}|", guests.replace(' ', "|"));
    same("inside", lines, vec![guests, pid, &divided, "sleep"])?;
    Ok(String::new())
}

fn read_lines(from: &mut impl std::io::Read, count: usize, text: &mut String) -> Result<(), String> {
    let mut byte = [0];
    while text.lines().count() < count || !text.ends_with('\n') {
        match from.read(&mut byte) {
            Ok(1) => text.push(char::from(byte[0])),
            Ok(_) => return Err(format!("    the shell in the tree ended after {text:?}\n")),
            Err(error) => return Err(format!("    {error}\n")),
        }
    }
    Ok(())
}

fn ps_with_p(world: &World, suite: &'static str) -> Verdict {
    ps(
        world,
        suite,
        WITH_P,
        ALL,
        &format!("{WITH_P} /usr/bin/sleep sleep 20"),
        "sleep 20",
    )
}

fn ps_without_p(world: &World, suite: &'static str) -> Verdict {
    ps(
        world,
        suite,
        WITHOUT_P,
        "OCF",
        &format!("{WITHOUT_P} /usr/bin/sleep 20"),
        "/usr/bin/sleep 20",
    )
}

/// A user who may do everything.
fn add_user(tree: &Tree) -> Result<(), String> {
    let script = "id u >/dev/null 2>&1 || useradd --create-home u; \
        echo 'u ALL=(ALL) NOPASSWD: ALL' >/etc/sudoers.d/u";
    tree.run(&["sh", "-c", script], LIMIT).map(|_| ())
}

fn sudo(world: &World, suite: &'static str) -> Verdict {
    let tree = world.tree(suite)?;
    registry::register(Path::new(WITH_P), ALL)?;
    add_user(tree)?;
    let ask = ["su", "u", "-c", "id -u; sudo id -u; sudo -u u id -un"];
    same("with C", tree.output(&ask)?.as_str(), "1000\n0\nu\n")?;
    // The control: sudo is what the flag makes it.
    registry::register(Path::new(WITH_P), "POF")?;
    let refused = process::run(tree.command(&["su", "u", "-c", "sudo id -u"]), LIMIT)?;
    let text = String::from_utf8_lossy(&refused.stderr).into_owned();
    let plain = refused.end == End::Status(1) && text.contains("effective uid is not 0");
    same(&format!("without C: {:?} {text}", refused.end), plain, true)?;
    Ok(String::new())
}

/// A dynamic, privileged program and the environment of its caller.
fn sudo_hostile(world: &World, suite: &'static str) -> Verdict {
    let tree = world.tree(suite)?;
    registry::register(Path::new(WITH_P), ALL)?;
    add_user(tree)?;
    tree.run(&["sh", "-c", "rm -rf /evil && mkdir -m 777 /evil"], LIMIT)?;
    let mut hostile = String::new();
    for prefix in ["QEMU_", "RAEMU_"] {
        for setting in [
            "STRACE=1",
            "LOG=strace,page,in_asm,out_asm,exec",
            "LOG_FILENAME=/evil/log%d",
            "LD_PREFIX=/evil",
            "SET_ENV=PATH=/evil",
            "ARGV0=evil",
            "VERSION=1",
        ] {
            hostile.push_str(&format!("{prefix}{setting} "));
        }
    }
    hostile.push_str("LD_PRELOAD=/evil/x.so LD_LIBRARY_PATH=/evil LD_DEBUG=all LD_DEBUG_OUTPUT=/evil/ld ");
    hostile.push_str("_RAEMU_EXEC=0,-1,evil");
    // env(1) itself would be steered by the variables: perl's execve is the last step before sudo.
    let script =
        format!("perl -e '%ENV = (%ENV, map {{; split /=/, $_, 2 }} @ARGV); exec qw(sudo id -u)' {hostile}");
    let outcome = process::run(tree.command(&["su", "u", "-c", &script]), LIMIT)?;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let seen = (text(&outcome.stdout), text(&outcome.stderr), outcome.end);
    same(
        "sudo id -u",
        seen,
        ("0\n".to_string(), String::new(), End::Status(0)),
    )?;
    same("files", tree.output(&["ls", "-A", "/evil"])?.as_str(), "")?;
    Ok(String::new())
}

/// How other tools find out whether arm64 programs run here, and whether they do so natively.
fn arch_test(world: &World, suite: &'static str) -> Verdict {
    let tree = world.tree(suite)?;
    registry::register(Path::new(WITH_P), ALL)?;
    let root = tree.root.to_string_lossy();
    for (words, status, printed) in [
        (&["arm64"][..], 0, "arm64: ok\n"),
        (&["-c", &root, "arm64"], 0, "arm64: ok\n"),
        (
            &["-n", "arm64"],
            1,
            "arm64: not supported on this machine/kernel\n",
        ),
    ] {
        let mut command = Command::new("arch-test");
        command.args(words);
        debian::clean(&mut command);
        let outcome = process::run(command, LIMIT)?;
        let stdout = String::from_utf8_lossy(&outcome.stdout).into_owned();
        same(
            &format!("arch-test {words:?}"),
            (stdout.as_str(), outcome.end),
            (printed, End::Status(status)),
        )?;
    }
    Ok(String::new())
}

/// As in 2018: the kernel looks for the interpreter in the tree, where a copy of it is.
fn second_stage_with_copy(world: &World, suite: &'static str) -> Verdict {
    let tree = Tree::at(&format!("{suite}-copy"));
    let inside = tree.root.join(&WITHOUT_P[1..]);
    fs::copy(&world.emulator, &inside).map_err(|e| format!("{}: {e}", inside.display()))?;
    registry::register(Path::new(WITHOUT_P), "OC")?;
    let elapsed = tree.second_stage()?;
    let bits = tree.output(&["dpkg", "--print-architecture"])?;
    same("the architecture", bits.as_str(), "arm64\n")?;
    Ok(seconds(elapsed))
}

fn install(world: &World, suite: &'static str) -> Verdict {
    let tree = world.tree(suite)?;
    registry::register(Path::new(WITH_P), ALL)?;
    let packages = [
        "build-essential",
        "git",
        "sudo",
        "openssh-client",
        "python3-numpy",
        "ca-certificates",
    ];
    let elapsed = tree.install(suite, &packages)?;
    let sum = "import numpy; print(numpy.arange(10).sum())";
    same("numpy", tree.output(&["python3", "-c", sum])?.as_str(), "45\n")?;
    Ok(seconds(elapsed))
}

/// Crashes that come once in a hundred starts, with the layouts of processes as random as they get.
fn rounds(world: &World, suite: &'static str) -> Verdict {
    const ROUNDS: usize = 500;
    let tree = world.tree(suite)?;
    registry::register(Path::new(WITH_P), ALL)?;
    let random = fs::read_to_string("/proc/sys/kernel/randomize_va_space").unwrap_or_default();
    same("kernel.randomize_va_space", random.trim(), "2")?;
    if !tree.root.join("usr/bin/gcc").exists() {
        tree.install(suite, &["build-essential"])?;
    }
    let source = "int f(int a){int s=0;for(int i=0;i<a;i++)s+=i*i;return s;}\n";
    fs::write(tree.root.join("a.c"), source).map_err(|e| format!("a.c: {e}"))?;
    let mut failures = String::new();
    for round in 0..ROUNDS {
        for words in [&["ldconfig"][..], &["gcc", "-O2", "-c", "/a.c", "-o", "/a.o"]] {
            if let Err(why) = tree.run(words, LIMIT) {
                failures.push_str(&format!("    round {round}\n{why}"));
            }
        }
    }
    if failures.is_empty() {
        Ok(format!("({ROUNDS} rounds)"))
    } else {
        Err(failures)
    }
}

fn mmdebstrap(_: &World, suite: &'static str) -> Verdict {
    registry::register(Path::new(WITH_P), ALL)?;
    let archive = debian::work().join("mmdebstrap.tar");
    let mut command = Command::new("mmdebstrap");
    command
        .args(["--arch=arm64", "--variant=minbase", "--mode=root", suite])
        .arg(&archive);
    command.args(std::env::var("DEBOOTSTRAP_MIRROR").ok());
    debian::clean(&mut command);
    let outcome = succeed("mmdebstrap", process::run(command, Duration::from_secs(1800))?)?;
    let mut list = Command::new("tar");
    list.arg("-tf").arg(&archive);
    let list = succeed("tar", process::run(list, LIMIT)?)?;
    let complete = String::from_utf8_lossy(&list.stdout).contains("./var/lib/dpkg/status\n");
    same("a dpkg database in the archive", complete, true)?;
    Ok(seconds(outcome.elapsed))
}

/// The two times and what the first is of the second.
fn compare(ours: Duration, theirs: Duration, at_most: f64) -> Verdict {
    let ratio = ours.as_secs_f64() / theirs.as_secs_f64();
    let text = format!(
        "({:.1} s, qemu {:.1} s: {ratio:.2}, at most {at_most:.2})",
        ours.as_secs_f64(),
        theirs.as_secs_f64()
    );
    if ratio <= at_most {
        Ok(text)
    } else {
        Err(format!("    {text}\n"))
    }
}

fn stage_against_qemu(world: &World, suite: &'static str) -> Verdict {
    let timed = |emulator: &Path, side: &str| -> Result<Duration, String> {
        registry::register(emulator, ALL)?;
        Tree::at(&format!("{suite}-{side}")).second_stage()
    };
    let ours = timed(&world.emulator, "ours")?;
    let theirs = timed(&world.qemu, "qemu")?;
    compare(ours, theirs, 1.0 / 3.0)
}

fn start_against_qemu(world: &World, suite: &'static str) -> Verdict {
    let tree = world.tree(suite)?;
    let timed = |emulator: &Path| -> Result<Duration, String> {
        registry::register(emulator, ALL)?;
        let start = Instant::now();
        for _ in 0..500 {
            let status = tree
                .command(&["/bin/true"])
                .status()
                .map_err(|e| format!("chroot: {e}"))?;
            same("/bin/true", status.code(), Some(0))?;
        }
        Ok(start.elapsed())
    };
    let ours = timed(&world.emulator)?;
    let theirs = timed(&world.qemu)?;
    compare(ours, theirs, 0.5)
}
