//! Records what LLVM prints for samples of every row, as the goldens of `tests/disassembly.rs`.
//!
//!     cargo run -p a64-isa --example bless [-- TABLE...]
//!
//! Needs `llvm-mc` and `llvm-objdump` (any version from 16 on; the newest installed is
//! taken). Prints every text of ours that differs; the goldens hold LLVM's.

use a64_isa::{ROWS, RowInfo, disassemble};
use std::collections::BTreeMap;
use std::error::Error;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

#[path = "../tests/golden/mod.rs"]
mod golden;

use golden::{SAMPLES, sample_at};

fn main() -> Result<(), Box<dyn Error>> {
    let wanted: Vec<String> = std::env::args().skip(1).collect();
    let llvm = Llvm::find()?;
    println!("{}", llvm.objdump.display());
    let mut tables: BTreeMap<&str, Vec<&RowInfo>> = BTreeMap::new();
    for row in ROWS {
        tables.entry(golden::stem(row)).or_default().push(row);
    }
    let mut bad = 0;
    for (table, rows) in tables {
        if !wanted.is_empty() && !wanted.iter().any(|name| name == table) {
            continue;
        }
        let mut text = String::new();
        for row in rows {
            let words: Vec<u32> = (0..SAMPLES).map(|n| sample_at(row, n).0).collect();
            let theirs = llvm.disassemble(&words)?;
            bad += compare(row, &theirs);
            write!(text, "{}", golden::section(row, &theirs))?;
        }
        std::fs::write(golden::path(table), text)?;
    }
    println!("{bad} rows differ");
    Ok(())
}

/// Prints the first differences of a row; 1 if there are any.
fn compare(row: &RowInfo, theirs: &[String]) -> usize {
    let mut shown = 0;
    for (n, expected) in theirs.iter().enumerate() {
        let (word, pc) = sample_at(row, n);
        let ours = disassemble(word, pc);
        if ours != *expected && shown < 4 {
            println!("{} {word:08x}: `{ours}`, LLVM `{expected}`", row.name);
            shown += 1;
        }
    }
    usize::from(shown > 0)
}

struct Llvm {
    mc: PathBuf,
    objdump: PathBuf,
}

impl Llvm {
    fn find() -> Result<Llvm, Box<dyn Error>> {
        for version in (16..30).rev() {
            let mc = PathBuf::from(format!("/usr/bin/llvm-mc-{version}"));
            let objdump = PathBuf::from(format!("/usr/bin/llvm-objdump-{version}"));
            if mc.exists() && objdump.exists() {
                return Ok(Llvm { mc, objdump });
            }
        }
        Err("no /usr/bin/llvm-mc-N with N >= 16; install Debian's llvm-19".into())
    }

    /// The texts of words placed one after another from address 0.
    fn disassemble(&self, words: &[u32]) -> Result<Vec<String>, Box<dyn Error>> {
        let folder = std::env::temp_dir().join(format!("a64-isa-bless-{}", std::process::id()));
        std::fs::create_dir_all(&folder)?;
        let result = self.run(words, &folder);
        std::fs::remove_dir_all(&folder)?;
        result
    }

    fn run(&self, words: &[u32], folder: &Path) -> Result<Vec<String>, Box<dyn Error>> {
        let (source, object) = (folder.join("words.s"), folder.join("words.o"));
        let lines: String = words.iter().fold(String::new(), |mut text, word| {
            let _ = writeln!(text, ".inst {word:#x}");
            text
        });
        std::fs::write(&source, lines)?;
        let mut assemble = Command::new(&self.mc);
        assemble
            .args(["-triple=aarch64", "-filetype=obj", "-o"])
            .arg(&object)
            .arg(&source);
        if !assemble.status()?.success() {
            return Err("llvm-mc failed".into());
        }
        let mut dump = Command::new(&self.objdump);
        dump.args([
            "-d",
            "--no-print-imm-hex",
            "--no-show-raw-insn",
            "--no-leading-addr",
            "--mattr=+v8.9a,+all",
        ]);
        let output = dump.arg(&object).output()?;
        let text = String::from_utf8(output.stdout)?;
        let texts: Vec<String> = text
            .lines()
            .skip_while(|line| !line.starts_with('<'))
            .skip(1)
            .map(clean)
            .collect();
        if texts.len() != words.len() {
            return Err(format!(
                "llvm-objdump printed {} lines for {} words",
                texts.len(),
                words.len()
            )
            .into());
        }
        Ok(texts)
    }
}

/// One space behind the mnemonic; no comments, no symbols.
fn clean(line: &str) -> String {
    let line = line.split("//").next().unwrap_or(line);
    let line = match line.find(" <.text") {
        Some(symbol) => &line[..symbol],
        None => line,
    };
    line.trim().replacen('\t', " ", 1).replace('\t', " ")
}
