//! What a list of command lines cannot say: log files, repeatable randomness, the layouts of
//! binfmt_misc, and mutated program files through the real process.
#![forbid(unsafe_code)]

use program_tests::paths;
use program_tests::process::{self, End, Outcome};
use raemu_binfmt::entry;
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

const LIMIT: Duration = Duration::from_secs(60);

/// A directory of its own for each test, with the guest program `show` in it.
struct Bench {
    dir: PathBuf,
    emulator: PathBuf,
}

impl Bench {
    fn new(name: &str) -> Bench {
        let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        let _ = fs::remove_dir_all(&dir);
        fs::create_dir_all(&dir).expect("the target directory is writable");
        let bench = Bench {
            dir,
            emulator: paths::emulator().expect("an emulator is built"),
        };
        bench.compile("show", "show", "-static");
        bench
    }

    fn compile(&self, source: &str, name: &str, option: &str) {
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("guest/{source}.c"));
        let status = Command::new("aarch64-linux-gnu-gcc")
            .args(["-O1", "-pthread", "-Wno-array-bounds", option, "-o", name])
            .arg(source)
            .current_dir(&self.dir)
            .status();
        assert!(status.is_ok_and(|status| status.success()), "{name} compiles");
    }

    fn run(&self, program: &Path, args: &[&str]) -> Outcome {
        let mut command = Command::new(program);
        command.args(args).current_dir(&self.dir);
        process::run(command, LIMIT).expect("it starts")
    }

    fn stdout(&self, args: &[&str]) -> String {
        String::from_utf8_lossy(&self.run(&self.emulator, args).stdout).into_owned()
    }
}

#[test]
fn the_log_file_takes_the_lines() {
    let bench = Bench::new("log");
    for (pattern, first) in [("x.log", "x"), ("y%d.log", "y")] {
        let outcome = bench.run(&bench.emulator, &["-strace", "-D", pattern, "./show"]);
        assert_eq!(
            (outcome.end, outcome.stderr),
            (End::Status(3), Vec::new()),
            "{pattern}"
        );
        let names: Vec<String> = fs::read_dir(&bench.dir)
            .expect("readable")
            .map(|entry| {
                entry
                    .expect("readable")
                    .file_name()
                    .to_string_lossy()
                    .into_owned()
            })
            .filter(|name| name.starts_with(first) && name.ends_with(".log"))
            .collect();
        assert_eq!(names.len(), 1, "{names:?}");
        assert!(!names[0].contains('%'), "{names:?}");
        let text = fs::read_to_string(bench.dir.join(&names[0])).expect("readable");
        assert!(text.contains("exit_group(3)"), "{pattern}: {text}");
    }
}

/// Whatever asks for descriptors, none of the emulator's is there, and none takes a number away.
#[test]
fn no_call_finds_a_descriptor_of_the_log() {
    let bench = Bench::new("descriptors");
    bench.compile("descriptors", "descriptors", "-static");
    for (options, file) in [
        (&[][..], None),
        (&["-strace"][..], None),
        (&["-strace", "-d", "in_asm,stops", "-D", "log"][..], Some("log")),
    ] {
        let args = [options, &["./descriptors"]].concat();
        let outcome = bench.run(&bench.emulator, &args);
        let (stdout, stderr) = (&outcome.stdout, &outcome.stderr);
        assert_eq!(
            String::from_utf8_lossy(stdout),
            "none\n",
            "{options:?}: {outcome:?}"
        );
        assert_eq!(outcome.end, End::Status(0), "{options:?}");
        let log = file.map_or(stderr.clone(), |name| {
            fs::read(bench.dir.join(name)).expect("readable")
        });
        let log = String::from_utf8_lossy(&log);
        assert_eq!(log.contains("exit_group(0)"), !options.is_empty(), "{options:?}");
    }
}

/// Lines go on where they went when the guest takes descriptor 2 for something else.
#[test]
fn the_log_never_goes_to_a_file_of_the_guests() {
    let bench = Bench::new("redirected");
    bench.compile("descriptors", "descriptors", "-static");
    let mut command = Command::new(&bench.emulator);
    let errors = fs::File::create(bench.dir.join("errors")).expect("writable");
    command
        .args(["-strace", "./descriptors", "guests-file"])
        .current_dir(&bench.dir)
        .stderr(errors);
    let status = command.status().expect("it starts");
    assert!(status.success());
    let text = |name| fs::read_to_string(bench.dir.join(name)).expect("readable");
    assert_eq!(text("guests-file"), "the guest's\n");
    assert!(text("errors").contains("exit_group(0)"));
}

#[test]
fn a_seed_repeats_random_bytes_and_layout() {
    let bench = Bench::new("seed");
    bench.compile("show", "pie", "-static-pie");
    let random = |seed: &[&str]| bench.stdout(&[seed, &["./pie", "random"][..]].concat());
    let one = random(&["-seed", "1"]);
    assert!(one.len() > 32, "{one}");
    assert_eq!(random(&["-seed", "1"]), one);
    assert_ne!(random(&["-seed", "2"]), one);
    assert_ne!(random(&[]), random(&[]));
}

/// -R: the layout of a smaller address space, for the programs that the guest executes too.
#[test]
fn addresses_stay_below_their_limit() {
    let bench = Bench::new("addresses");
    for (name, option) in [("addresses", "-static"), ("pie", "-static-pie")] {
        bench.compile("addresses", name, option);
        let program = format!("./{name}");
        for (size, limit, bits) in [
            ("0x40000000000", "0x40000000000", 42),
            ("512G", "0x8000000000", 39),
            ("4G", "0x100000000", 32),
        ] {
            let lines = format!("{bits} bits\n{bits} bits\n");
            assert_eq!(
                bench.stdout(&["-R", size, &program, limit]),
                lines,
                "{name} {size}"
            );
        }
    }
}

/// The kernel's layout of arguments for an entry with the P flag, told by the wrapper's name
/// where old kernels do not tell.
#[test]
fn the_wrapper_name_keeps_the_programs_first_word() {
    let bench = Bench::new("binfmt");
    let wrapper = bench.dir.join("aarch64-binfmt-P");
    std::os::unix::fs::symlink(&bench.emulator, &wrapper).expect("a fresh directory");
    for (args, expected) in [
        (&["./show", "sh", "a"][..], "sh\na\n"),
        (&["./show", "", "-h"][..], "\n-h\n"),
        (&["./show", "-strace"][..], "-strace\n"),
    ] {
        let outcome = bench.run(&wrapper, args);
        assert_eq!(outcome.end, End::Status(3), "{args:?}: {outcome:?}");
        assert_eq!(String::from_utf8_lossy(&outcome.stdout), expected, "{args:?}");
    }
}

/// A crash that is the emulator's and not the guest's.
fn own_crash(outcome: &Outcome) -> Option<String> {
    let stderr = String::from_utf8_lossy(&outcome.stderr);
    let own = stderr.contains("internal SIG") || stderr.contains("panicked");
    let untold = !stderr.contains("uncaught target signal");
    let crash = match outcome.end {
        // SIGILL, SIGTRAP, SIGABRT, SIGBUS, SIGFPE, SIGSEGV.
        End::Signal(4..=8 | 11) => own || untold,
        End::Status(_) | End::Signal(_) | End::TimedOut => own,
    };
    crash.then(|| format!("{:?}: {stderr}", outcome.end))
}

/// xorshift64*.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 11) % limit
    }
}

#[test]
fn mutated_files_through_the_real_process() {
    const ROUNDS: usize = 300;
    let seed = 0x5eed_f11e;
    println!("seed {seed:#x}");
    let mut random = Random(seed);
    let bench = Bench::new("mutated");
    bench.compile("show", "pie", "-static-pie");
    let bases = ["show", "pie"].map(|name| fs::read(bench.dir.join(name)).expect("compiled"));
    let path = bench.dir.join("mutant");
    let (mut failures, mut ran) = (Vec::new(), 0);
    for round in 0..ROUNDS {
        let mut bytes = bases[round % 2].clone();
        let headers = 64 + 56 * u64::from(bytes[56]);
        for _ in 0..1 + random.below(3) {
            let at = (16 + random.below(headers - 16)) as usize;
            bytes[at] = match random.below(3) {
                0 => 0,
                1 => 0xff,
                _ => random.below(256) as u8,
            };
        }
        if random.below(10) == 0 {
            bytes.truncate(random.below(bytes.len() as u64) as usize);
        }
        fs::write(&path, &bytes).expect("writable");
        fs::set_permissions(&path, Permissions::from_mode(0o755)).expect("own file");
        let mut command = Command::new(&bench.emulator);
        command.arg("./mutant").current_dir(&bench.dir);
        // A guest may run wild; that is no crash.
        let outcome = process::run(command, Duration::from_secs(5)).expect("the emulator starts");
        ran += usize::from(outcome.end == End::Status(3));
        failures.extend(own_crash(&outcome).map(|why| format!("round {round}: {why}")));
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
    // Both outcomes were seen.
    assert!(ran > ROUNDS / 10 && ran < ROUNDS, "{ran} ran");
}

/// Registers the emulator with each set of flags in a binfmt_misc of a user namespace's own,
/// and executes a program and a script under another argv[0].
const BINFMT_SCRIPT: &str = r#"
mount -t binfmt_misc none /proc/sys/fs/binfmt_misc || exit 77
printf '#!%s x\n' "$PWD/show" > script
chmod +x script
for flags in '' F P PF O OP OCF OPCF; do
    echo "flags $flags"
    printf '%s' ":raemu:M::$2:$3:$1:$flags" > /proc/sys/fs/binfmt_misc/register || exit 1
    (exec -a zero ./show a)
    ./script q
    ./show execfn
    echo -1 > /proc/sys/fs/binfmt_misc/raemu
done
"#;

#[test]
fn starts_by_the_kernels_binfmt_misc() {
    let bench = Bench::new("kernel");
    fs::write(bench.dir.join("run"), BINFMT_SCRIPT).expect("writable");
    let emulator = bench.emulator.to_str().expect("a plain path");
    let (magic, mask) = (entry::escaped(&entry::MAGIC), entry::escaped(&entry::MASK));
    let args = ["-Urmpf", "--mount-proc", "bash", "run", emulator, &magic, &mask];
    let outcome = bench.run(Path::new("unshare"), &args);
    let stderr = String::from_utf8_lossy(&outcome.stderr);
    if outcome.end == End::Status(77) || stderr.starts_with("unshare:") {
        let why = format!("no user namespace with its own binfmt_misc here: {stderr}");
        test_support::skipped("starts_by_the_kernels_binfmt_misc", &why);
        return;
    }
    let show = bench.dir.join("show");
    let show = show.display();
    let mut expected = String::new();
    for flags in ["", "F", "P", "PF", "O", "OP", "OCF", "OPCF"] {
        // Without P the kernel puts the path in place of argv[0]; bash executes the whole path.
        let first = if flags.contains('P') {
            "zero".to_owned()
        } else {
            show.to_string()
        };
        expected.push_str(&format!(
            "flags {flags}\n{first}\na\n{show}\nx\n./script\nq\n./show\n"
        ));
    }
    let stdout = String::from_utf8_lossy(&outcome.stdout);
    assert_eq!(stdout, expected, "{stderr}");
}
