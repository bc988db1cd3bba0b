//! The input files of the program tests, under /t/fix of each root: those of `fixtures/` and some made here.
//!
//! Everything is the same in each run and each root, times of modification included.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::time::{Duration, SystemTime};

/// 2024-01-02 03:04:05 UTC, for each file and directory.
const WHEN: Duration = Duration::from_secs(1_704_164_645);

/// The file that the sort of 50 MB reads.
const BIG: u64 = 50_000_000;

/// Writes everything below `scratch`, the tmpfs at /t.
pub fn write(scratch: &Path) -> io::Result<()> {
    let fix = scratch.join("fix");
    copy_tree(&Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures"), &fix)?;
    words(&fix.join("words"), 20_000)?;
    numbers(&fix.join("numbers"), 5_000)?;
    big(&scratch.join("big"))?;
    tree(&fix.join("tree"))?;
    settle(&fix)
}

/// xorshift64*, the same sequence each time.
struct Random(u64);

impl Random {
    fn next(&mut self, below: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) % below
    }

    fn word(&mut self) -> String {
        const SYLLABLES: [&str; 16] = [
            "ka", "lo", "mi", "ter", "ber", "dun", "sa", "vel", "ro", "ni", "qua", "zen", "ou", "bi", "ç",
            "ast",
        ];
        (0..1 + self.next(4))
            .map(|_| SYLLABLES[self.next(16) as usize])
            .collect()
    }
}

fn words(path: &Path, count: u32) -> io::Result<()> {
    let mut random = Random(0x1234_5678_9abc_def1);
    let mut file = BufWriter::new(File::create(path)?);
    for number in 1..=count {
        let line: Vec<String> = (0..1 + random.next(8)).map(|_| random.word()).collect();
        writeln!(file, "{number:05} {}", line.join(" "))?;
    }
    file.flush()
}

fn numbers(path: &Path, count: u32) -> io::Result<()> {
    let mut random = Random(0x0fed_cba9_8765_4321);
    let mut file = BufWriter::new(File::create(path)?);
    for _ in 0..count {
        let (whole, part) = (random.next(2_000_000), random.next(1000));
        writeln!(file, "{}.{part:03}\t{}", whole as i64 - 1_000_000, random.word())?;
    }
    file.flush()
}

fn big(path: &Path) -> io::Result<()> {
    let mut random = Random(0xdead_beef_0000_0001);
    let mut file = BufWriter::new(File::create(path)?);
    let mut written = 0;
    while written < BIG {
        let line = format!("{:016x} {}\n", random.next(u64::MAX), random.next(1000));
        file.write_all(line.as_bytes())?;
        written += line.len() as u64;
    }
    file.flush()
}

/// Directories, modes, links, odd names and sparse contents.
fn tree(path: &Path) -> io::Result<()> {
    for dir in ["a/b/c", "a/empty", "docs", "with space"] {
        fs::create_dir_all(path.join(dir))?;
    }
    for (name, text) in [
        ("a/one.txt", "one\n"),
        ("a/b/two.txt", "two\ntwo\n"),
        ("a/b/c/three.c", "int three(void) { return 3; }\n"),
        ("docs/read.me", "Read me.\n\nNow.\n"),
        ("docs/ünï.txt", "ünï\n"),
        ("with space/a file", "x"),
        ("empty", ""),
    ] {
        fs::write(path.join(name), text)?;
    }
    File::create(path.join("sparse"))?.set_len(300_000)?;
    fs::set_permissions(path.join("a/one.txt"), PermissionsExt::from_mode(0o640))?;
    fs::set_permissions(path.join("a/b/two.txt"), PermissionsExt::from_mode(0o4755))?;
    fs::hard_link(path.join("a/one.txt"), path.join("docs/hard"))?;
    symlink("../a/one.txt", path.join("docs/soft"))?;
    symlink("nowhere", path.join("docs/dangling"))
}

fn copy_tree(from: &Path, to: &Path) -> io::Result<()> {
    fs::create_dir_all(to)?;
    let mut entries = fs::read_dir(from)?.collect::<Result<Vec<_>, _>>()?;
    // tmpfs lists entries in order of creation: make it the same everywhere.
    entries.sort_by_key(fs::DirEntry::file_name);
    for entry in entries {
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy_tree(&entry.path(), &target)?;
        } else {
            fs::write(&target, fs::read(entry.path())?)?;
            fs::set_permissions(&target, PermissionsExt::from_mode(0o644))?;
        }
    }
    Ok(())
}

/// Gives everything the same time, directories after their contents. Links keep theirs: std cannot change it.
fn settle(path: &Path) -> io::Result<()> {
    let kind = fs::symlink_metadata(path)?.file_type();
    if kind.is_dir() {
        for entry in fs::read_dir(path)? {
            settle(&entry?.path())?;
        }
    }
    if kind.is_dir() || kind.is_file() {
        File::open(path)?.set_modified(SystemTime::UNIX_EPOCH + WHEN)?;
    }
    Ok(())
}
