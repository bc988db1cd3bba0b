//! docs/generated/instructions.md is what the tables make of it: the rows, and what of
//! Arm's list of encodings has none, and of what the JIT makes of the rows. `RAEMU_BLESS=1`
//! before the test command writes it.

mod host_code;
mod lowering;
mod reasons;

use crate::lowering::{Kind, Lowering, is_vector_or_fp};
use a64_isa::{ROWS, RowInfo, row_of, sample};
use std::collections::BTreeMap;
use std::error::Error;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use test_support::Goldens;

/// Random words of an encoding tried before it counts as missing.
const TRIES: usize = 2_000;

/// Samples of each row tried: most MSR words name registers that do not exist.
const SAMPLES: u64 = 50;

/// Groups of Arm's list that are whole extensions we do not offer.
const NOT_OFFERED: [&str; 2] = ["sve", "sme"];

/// One encoding of Arm's list.
struct Encoding {
    name: String,
    /// Top group (`dpimm`) and instruction class (`movewide`).
    group: String,
    class: String,
    mask: u32,
    value: u32,
}

#[test]
fn page_is_fresh() {
    let mut goldens = Goldens::new("cargo test -p jit-x64 --test coverage");
    goldens.check(&path(), page().expect("Arm's list is a dev-dependency"));
    goldens.assert();
}

/// Where the page is.
fn path() -> PathBuf {
    [env!("CARGO_MANIFEST_DIR"), "../../docs/generated/instructions.md"]
        .iter()
        .collect()
}

/// The page as it should be.
fn page() -> Result<String, Box<dyn Error>> {
    let mut out = String::from(
        "# Instructions\n\nGenerated from the tables in crates/a64-isa/isa by \
         `RAEMU_BLESS=1 cargo test -p jit-x64 --test coverage`; do not edit.\n\n",
    );
    let lowerings = lowerings();
    summary(&mut out);
    missing(&mut out, &arm_encodings()?);
    shares(&mut out, &lowerings);
    rows(&mut out, &lowerings);
    Ok(out)
}

fn tables() -> BTreeMap<&'static str, Vec<&'static RowInfo>> {
    let mut tables: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for row in ROWS {
        tables.entry(row.file).or_default().push(row);
    }
    tables
}

fn summary(out: &mut String) {
    let _ = writeln!(out, "| table | rows | features |\n|---|---|---|");
    for (file, rows) in tables() {
        let mut features: Vec<&str> = rows.iter().map(|row| row.feature.name()).collect();
        features.sort_unstable();
        features.dedup();
        let _ = writeln!(out, "| {file} | {} | {} |", rows.len(), features.join(", "));
    }
    let _ = writeln!(out, "| all | {} | |", ROWS.len());
}

/// By name of the row.
type Lowerings = BTreeMap<&'static str, Lowering>;

fn lowerings() -> Lowerings {
    ROWS.iter().map(|row| (row.name, Lowering::of(row))).collect()
}

/// Rows of a kind among those chosen, and the number of those chosen.
fn share(lowerings: &Lowerings, kind: Kind, chosen: impl Fn(&RowInfo) -> bool) -> (usize, usize) {
    let rows: Vec<_> = ROWS.iter().filter(|row| chosen(row)).collect();
    let of_kind = rows.iter().filter(|row| lowerings[row.name].kind == kind).count();
    (of_kind, rows.len())
}

/// Helpers among the Advanced SIMD and floating-point rows must stay below this. (To become
/// 10 with the inline sequences of the floating-point rows.)
const MOST_HELPERS_PERCENT: usize = 10;

#[test]
fn few_vector_rows_need_a_helper() {
    let lowerings = lowerings();
    let (helpers, all) = share(&lowerings, Kind::Helper, is_vector_or_fp);
    let names: Vec<_> = ROWS
        .iter()
        .filter(|row| is_vector_or_fp(row) && lowerings[row.name].kind == Kind::Helper)
        .map(|row| row.name)
        .collect();
    println!("helpers: {helpers} of {all} Advanced SIMD and floating-point rows: {names:?}");
    assert!(
        helpers * 100 < all * MOST_HELPERS_PERCENT,
        "{helpers} of {all} rows are helpers: {names:?}"
    );
}

fn shares(out: &mut String, lowerings: &Lowerings) {
    let _ = writeln!(
        out,
        "\n## How rows are carried out\n\n`native` is one host instruction at most, `sequence` several in line (and their \
         number, the lower quartile), `helper` a call of the interpreter for most encodings; `n % helper` says \
         that some encodings need one. Found out by translating samples of each row, with operands in host \
         registers, for FPCR as after reset and a host with x86-64-v3, AES, PCLMULQDQ and SHA.\n\n\
         | rows | native | sequence | helper | share of helpers |\n|---|---|---|---|---|"
    );
    let mut line = |name: &str, chosen: &dyn Fn(&RowInfo) -> bool| {
        let [(native, all), (sequence, _), (helper, _)] =
            [Kind::Native, Kind::Sequence, Kind::Helper].map(|kind| share(lowerings, kind, chosen));
        let per_mille = helper * 1000 / all;
        let _ = writeln!(
            out,
            "| {name} | {native} | {sequence} | {helper} | {}.{} % |",
            per_mille / 10,
            per_mille % 10
        );
    };
    line("Advanced SIMD and floating point", &is_vector_or_fp);
    line("others", &|row| !is_vector_or_fp(row));
}

fn rows(out: &mut String, lowerings: &Lowerings) {
    let _ = writeln!(out, "\n## Rows");
    for (file, rows) in tables() {
        let _ = writeln!(
            out,
            "\n### {file}\n\n| row | pattern | feature | carried out |\n|---|---|---|---|"
        );
        for row in rows {
            let _ = writeln!(
                out,
                "| {} | `{}` | {} | {} |",
                row.name,
                row.pattern,
                row.feature.name(),
                lowerings[row.name].text()
            );
        }
    }
}

fn missing(out: &mut String, encodings: &[Encoding]) {
    let (left_out, offered): (Vec<_>, Vec<_>) = encodings
        .iter()
        .partition(|encoding| NOT_OFFERED.contains(&encoding.group.as_str()));
    let samples: Vec<u32> = ROWS
        .iter()
        .flat_map(|row| (0..SAMPLES).map(|random| sample(row, random)))
        .collect();
    let missing: Vec<_> = offered
        .iter()
        .filter(|encoding| !is_decoded(encoding, &samples))
        .collect();
    let _ = writeln!(
        out,
        "\n## Encodings without a row\n\nArm's machine-readable list (the crate aarchmrs-instructions) has {} A64 \
         encodings. {} of them are SVE and SME, which are not offered. Of the other {}, {} decode and {} do not: \
         they are undefined at EL0, or of extensions that no model has and HWCAP does not announce.\n",
        encodings.len(),
        left_out.len(),
        offered.len(),
        offered.len() - missing.len(),
        missing.len()
    );
    println!(
        "{} of {} encodings outside SVE and SME decode; {} have no row, each with its reason",
        offered.len() - missing.len(),
        offered.len(),
        missing.len()
    );
    let mut classes: BTreeMap<(String, &str), Vec<&str>> = BTreeMap::new();
    for encoding in missing {
        let class = format!("{}/{}", encoding.group, encoding.class);
        let why = reasons::reason(&class, &encoding.name);
        let why = why.unwrap_or_else(|| panic!("{class} {}: neither a row nor a reason", encoding.name));
        classes.entry((class, why)).or_default().push(&encoding.name);
    }
    let _ = writeln!(out, "| class | why | encodings |\n|---|---|---|");
    for ((class, why), names) in classes {
        let _ = writeln!(out, "| {class} | {why} | {} |", names.join(" "));
    }
}

/// Whether some word of the encoding belongs to a row; `samples` are words that do.
fn is_decoded(encoding: &Encoding, samples: &[u32]) -> bool {
    let mut state = u64::from(encoding.value) << 32 | 1;
    let mut random_word = || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        encoding.value | (state >> 32) as u32 & !encoding.mask
    };
    (0..TRIES).any(|_| row_of(random_word()).is_some())
        || samples.iter().any(|word| word & encoding.mask == encoding.value)
}

/// Reads Arm's list out of the source of the crate aarchmrs-instructions.
fn arm_encodings() -> Result<Vec<Encoding>, Box<dyn Error>> {
    let root = crate_source("aarchmrs-instructions")?.join("src/A64");
    let mut files = Vec::new();
    source_files(&root, &mut files)?;
    files.sort();
    let mut encodings = Vec::new();
    for file in files {
        let inner = file.strip_prefix(&root)?.with_extension("");
        let parts: Vec<_> = inner
            .iter()
            .map(|part| part.to_string_lossy().into_owned())
            .collect();
        let (Some(group), Some(class)) = (parts.first(), parts.last()) else {
            continue;
        };
        read_encodings(&std::fs::read_to_string(&file)?, group, class, &mut encodings)?;
    }
    Ok(encodings)
}

/// The three constants of each encoding stand in this order.
fn read_encodings(
    text: &str,
    group: &str,
    class: &str,
    encodings: &mut Vec<Encoding>,
) -> Result<(), Box<dyn Error>> {
    let (mut mask, mut value) = (0, 0);
    for line in text.lines() {
        if let Some(bits) = constant(line, "OPCODE_MASK: u32") {
            mask = binary(bits)?;
        } else if let Some(bits) = constant(line, "OPCODE: u32") {
            value = binary(bits)?;
        } else if let Some(name) = constant(line, "NAME: &str") {
            encodings.push(Encoding {
                name: name.trim_matches('"').to_owned(),
                group: group.to_owned(),
                class: class.to_owned(),
                mask,
                value,
            });
        }
    }
    Ok(())
}

fn constant<'a>(line: &'a str, head: &str) -> Option<&'a str> {
    line.trim()
        .strip_prefix("pub const ")?
        .strip_prefix(head)?
        .strip_prefix(" = ")?
        .strip_suffix(';')
}

fn binary(text: &str) -> Result<u32, Box<dyn Error>> {
    let bits = text.strip_prefix("0b").and_then(|rest| rest.strip_suffix("u32"));
    Ok(u32::from_str_radix(bits.ok_or("not a binary constant")?, 2)?)
}

fn source_files(folder: &Path, files: &mut Vec<PathBuf>) -> std::io::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            source_files(&path, files)?;
        } else {
            files.push(path);
        }
    }
    Ok(())
}

/// The folder cargo has a dependency's source in.
fn crate_source(name: &str) -> Result<PathBuf, Box<dyn Error>> {
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
    let output = Command::new(cargo)
        .args(["metadata", "--locked", "--format-version", "1"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()?;
    let text = String::from_utf8(output.stdout)?;
    let end = "/Cargo.toml\"";
    text.split("\"manifest_path\":\"")
        .skip(1)
        .filter_map(|rest| rest.find(end).map(|length| &rest[..length]))
        .find(|folder| folder.contains(name))
        .map(PathBuf::from)
        .ok_or_else(|| format!("cargo metadata does not know {name}").into())
}
