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

use golden::{CLASSES, SAMPLES, UNALLOCATED, class_text, sample_at};

/// All LLVM knows, with the newest names and aliases: for the texts.
const ALL_FEATURES: &str = "+v8.9a,+all";

/// What the tables hold: which words of the classes are allocated follows from it.
const OUR_FEATURES: &str = "+crc,+lse,+aes,+sha2,+lor,+rcpc,+rdm,+dotprod,+i8mm,+sha3,+sm4,+fullfp16,+fp16fml,\
    +complxnum,+jsconv,+fptoint,+bf16,+flagm,+altnzcv,+cssc,+hbc,+rcpc-immo,+rcpc3,+lse128,+mops,+mte,\
    +pauth,+ccdp,+sb,+ssbs,+dit,+rand,+wfxt,+xs,+bti";

fn main() -> Result<(), Box<dyn Error>> {
    let wanted: Vec<String> = std::env::args().skip(1).collect();
    let llvm = Llvm::find()?;
    println!("{}", llvm.objdump.display());
    let mut tables: BTreeMap<&str, Vec<&RowInfo>> = BTreeMap::new();
    for row in ROWS {
        tables.entry(golden::stem(row)).or_default().push(row);
    }
    let mut bad = 0;
    if wanted.is_empty() || wanted.iter().any(|name| name == "classes") {
        bad += bless_classes(&llvm)?;
    }
    for (table, rows) in tables {
        if !wanted.is_empty() && !wanted.iter().any(|name| name == table) {
            continue;
        }
        let mut text = String::new();
        for row in rows {
            let words: Vec<u32> = (0..SAMPLES).map(|n| sample_at(row, n).0).collect();
            let theirs = llvm.disassemble(&words, ALL_FEATURES)?;
            bad += compare(row, &theirs);
            write!(text, "{}", golden::section(row, &theirs))?;
        }
        std::fs::write(golden::path(table), text)?;
    }
    println!("{bad} rows differ");
    Ok(())
}

/// Records the classes; the number of those that differ.
fn bless_classes(llvm: &Llvm) -> Result<usize, Box<dyn Error>> {
    let mut text = String::new();
    let mut bad = 0;
    for class in CLASSES {
        let words = class.words();
        let mut theirs = llvm.disassemble(&words, ALL_FEATURES)?;
        for (text, ours) in theirs.iter_mut().zip(llvm.disassemble(&words, OUR_FEATURES)?) {
            if ours == UNALLOCATED {
                *text = ours;
            }
        }
        let mut differences = words
            .iter()
            .zip(&theirs)
            .filter(|(word, theirs)| class_text(**word) != **theirs);
        for (word, theirs) in differences.by_ref().take(4) {
            println!(
                "{} {word:08x}: `{}`, LLVM `{theirs}`",
                class.name,
                class_text(*word)
            );
            bad += 1;
        }
        text.push_str(&golden::class_line(class, &theirs));
    }
    std::fs::write(golden::path("classes"), text)?;
    Ok(bad)
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
    fn disassemble(&self, words: &[u32], features: &str) -> Result<Vec<String>, Box<dyn Error>> {
        let folder = std::env::temp_dir().join(format!("a64-isa-bless-{}", std::process::id()));
        std::fs::create_dir_all(&folder)?;
        let result = self.run(words, features, &folder);
        std::fs::remove_dir_all(&folder)?;
        result
    }

    fn run(&self, words: &[u32], features: &str, folder: &Path) -> Result<Vec<String>, Box<dyn Error>> {
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
        ]);
        dump.arg(format!("--mattr={features}"));
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
