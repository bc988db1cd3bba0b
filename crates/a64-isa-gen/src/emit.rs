//! Writes the Rust that `a64-isa` includes.

use crate::buckets::{self, Buckets};
use crate::parse::{FEATURES, Part};
use crate::{Field, Row, Table, expr};
use std::fmt::Write as _;

/// Appends a formatted line. Writing to a `String` cannot fail.
macro_rules! line {
    ($out:expr, $($arg:tt)*) => {{
        let _ = writeln!($out, $($arg)*);
    }};
}
pub(crate) use line;

pub fn emit(tables: &[Table]) -> String {
    let rows: Vec<&Row> = tables.iter().flat_map(|table| &table.rows).collect();
    let mut out = String::new();
    for table in tables {
        module(&mut out, table);
    }
    traits(&mut out, tables);
    finder(&mut out, &rows);
    texts(&mut out, &rows);
    features(&mut out);
    infos(&mut out, &rows);
    out
}

pub(crate) fn camel(name: &str) -> String {
    let mut result = String::new();
    for part in name.split('_') {
        let (head, tail) = part.split_at(part.len().min(1));
        result.push_str(&head.to_ascii_uppercase());
        result.push_str(tail);
    }
    result
}

fn stem(row: &Row) -> &str {
    row.file.strip_suffix(".isa").unwrap_or(&row.file)
}

/// The argument struct's path, as `dp_imm::AddImm`.
pub(crate) fn path(row: &Row) -> String {
    format!("{}::{}", stem(row), camel(&row.name))
}

/// The expression that takes a field out of `word`.
fn take(field: &Field) -> String {
    let ones = field.mask() >> field.lsb;
    match field.rust_type() {
        "bool" => format!("word >> {} & 1 != 0", field.lsb),
        ty => format!("(word >> {} & {ones:#x}) as {ty}", field.lsb),
    }
}

/// The rows of a table that have a function of their own.
fn own_rows(table: &Table) -> impl Iterator<Item = &Row> {
    table.rows.iter().filter(|row| row.calls.is_empty())
}

fn module(out: &mut String, table: &Table) {
    if own_rows(table).next().is_none() {
        return;
    }
    line!(
        out,
        "/// Operands of the instructions of `{}.isa` that belong to no family.",
        table.stem
    );
    line!(out, "pub mod {} {{", table.stem);
    for row in own_rows(table) {
        line!(out, "/// `{}`", row.pattern);
        line!(out, "#[derive(Clone, Copy, PartialEq, Eq, Debug)]");
        line!(out, "pub struct {} {{", camel(&row.name));
        for field in &row.fields {
            line!(out, "pub {}: {},", field.name, field.rust_type());
        }
        line!(out, "}}\nimpl {} {{", camel(&row.name));
        line!(out, "/// Takes the fields out of an encoding of this row.");
        line!(out, "#[inline(always)] #[must_use]");
        let word = if row.fields.is_empty() { "_word" } else { "word" };
        line!(out, "pub const fn from_word({word}: u32) -> Self {{ Self {{");
        for field in &row.fields {
            line!(out, "{}: {},", field.name, take(field));
        }
        line!(out, "}} }}\n}}");
    }
    line!(out, "}}");
}

fn traits(out: &mut String, tables: &[Table]) {
    for table in tables {
        if own_rows(table).next().is_none() {
            continue;
        }
        for text in &table.header {
            line!(out, "/// {text}");
        }
        line!(out, "pub trait {} {{", camel(&table.stem));
        for row in own_rows(table) {
            line!(out, "fn {}(&mut self, i: {});", row.name, path(row));
        }
        line!(out, "}}");
    }
}

/// Declares the fields the expressions use as variables.
pub(crate) fn locals(out: &mut String, row: &Row, expressions: &[&str]) {
    let names: Vec<&str> = expressions.iter().flat_map(|text| expr::names(text)).collect();
    for field in &row.fields {
        if names.contains(&field.name.as_str()) {
            line!(out, "let {} = {};", field.name, take(field));
        }
    }
}

fn is_conditional(row: &Row) -> bool {
    !row.wheres.is_empty() || row.fields.iter().any(|field| !field.excluded.is_empty())
}

fn finder(out: &mut String, rows: &[&Row]) {
    let Buckets {
        bits,
        lists,
        candidates,
    } = buckets::build(rows);
    line!(
        out,
        "/// Position in `CANDIDATES` (upper bits) and number of them (low 8 bits)."
    );
    line!(out, "static BUCKETS: [u32; {}] = [", lists.len());
    for (start, count) in lists {
        let _ = write!(out, "{},", u32::from(start) << 8 | u32::from(count));
    }
    line!(out, "];");
    line!(out, "static CANDIDATES: [Candidate; {}] = [", candidates.len());
    for number in candidates {
        let row = rows[usize::from(number)];
        line!(
            out,
            "Candidate {{ mask: {:#x}, value: {:#x}, row: {number}, conditional: {} }},",
            row.mask,
            row.value,
            is_conditional(row)
        );
    }
    line!(out, "];");
    line!(
        out,
        "#[inline(always)]\nconst fn bucket_of(word: u32) -> usize {{ ({}) as usize }}",
        gather(&bits)
    );
    valid(out, rows);
}

/// An expression that packs the index bits of `word` together, run by run.
fn gather(bits: &[u32]) -> String {
    let mut terms = Vec::new();
    let mut rest = bits;
    while let Some((&first, _)) = rest.split_first() {
        let run = rest
            .iter()
            .enumerate()
            .take_while(|(n, bit)| **bit + *n as u32 == first)
            .count();
        rest = &rest[run..];
        let low = first + 1 - run as u32;
        terms.push(format!(
            "((word >> {low} & {:#x}) << {})",
            (1u32 << run) - 1,
            rest.len()
        ));
    }
    terms.join(" | ")
}

fn valid(out: &mut String, rows: &[&Row]) {
    line!(
        out,
        "/// Whether the conditions of a row hold for a word that matches its bits."
    );
    line!(out, "#[allow(unused_parens)]");
    line!(
        out,
        "fn conditions_hold(row: u16, word: u32) -> bool {{ match row {{"
    );
    for (number, row) in rows.iter().enumerate().filter(|(_, row)| is_conditional(row)) {
        let expressions: Vec<&str> = row.wheres.iter().map(|(text, _)| text.as_str()).collect();
        line!(out, "{number} => {{");
        locals(out, row, &expressions);
        let mut terms: Vec<String> = expressions.iter().map(|text| format!("({text})")).collect();
        for field in &row.fields {
            for value in &field.excluded {
                let (mask, place) = (field.mask(), value << field.lsb);
                terms.push(format!("word & {mask:#x} != {place:#x}"));
            }
        }
        line!(out, "{} }}", terms.join(" && "));
    }
    line!(out, "_ => true,\n}} }}");
}

fn texts(out: &mut String, rows: &[&Row]) {
    line!(out, "/// Appends the text of a word known to belong to the row.");
    line!(out, "#[allow(unused_parens)]");
    line!(
        out,
        "fn write_text(row: u16, word: u32, pc: u64, out: &mut String) {{ match row {{"
    );
    for number in 0..rows.len() {
        line!(out, "{number} => text_{number}(word, pc, out),");
    }
    line!(out, "_ => {{}}\n}} }}");
    for (number, row) in rows.iter().enumerate() {
        let mut used: Vec<&str> = Vec::new();
        for text in &row.texts {
            used.extend(text.condition.as_deref());
            used.extend(text.parts.iter().filter_map(|part| match part {
                Part::Expr(text) => Some(text.as_str()),
                Part::Literal(_) => None,
            }));
        }
        line!(out, "#[allow(unused_variables, unused_parens)]");
        line!(out, "fn text_{number}(word: u32, pc: u64, out: &mut String) {{");
        locals(out, row, &used);
        for text in &row.texts {
            match &text.condition {
                Some(condition) => line!(out, "if {condition} {{"),
                None => line!(out, "{{"),
            }
            for part in &text.parts {
                match part {
                    Part::Literal(text) => line!(out, "out.push_str({text:?});"),
                    Part::Expr(text) => line!(out, "text::put(out, {text});"),
                }
            }
            line!(out, "return; }}");
        }
        // The last text has no condition, so its `return` ends the function.
        line!(out, "}}");
    }
}

fn features(out: &mut String) {
    line!(out, "/// Architecture extensions the rows belong to.");
    line!(
        out,
        "#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]\n#[repr(u8)]\npub enum Feature {{"
    );
    for (name, arm) in FEATURES {
        line!(out, "/// {arm}\n{},", camel(&name.to_ascii_lowercase()));
    }
    line!(out, "}}\nimpl Feature {{");
    line!(
        out,
        "/// In the order of the tables.\npub const ALL: &[Feature] = &["
    );
    for (name, _) in FEATURES {
        line!(out, "Feature::{},", camel(&name.to_ascii_lowercase()));
    }
    line!(out, "];");
    line!(
        out,
        "/// The Arm manual's name.\n#[must_use]\npub const fn name(self) -> &'static str {{ match self {{"
    );
    for (name, arm) in FEATURES {
        line!(out, "Feature::{} => {arm:?},", camel(&name.to_ascii_lowercase()));
    }
    line!(out, "}} }}\n}}");
}

fn infos(out: &mut String, rows: &[&Row]) {
    line!(
        out,
        "/// The feature of each row: all that `find_on` needs of `ROWS`."
    );
    line!(
        out,
        "pub(crate) static ROW_FEATURES: [Feature; {}] = [",
        rows.len()
    );
    for row in rows {
        line!(out, "Feature::{},", camel(&row.feature.to_ascii_lowercase()));
    }
    line!(out, "];");
    line!(
        out,
        "/// The number of each row: its place in `ROWS`, which names rows without bringing that table into a program."
    );
    line!(out, "pub mod row {{");
    for (number, row) in rows.iter().enumerate() {
        line!(out, "pub const {}: u16 = {number};", row.name.to_uppercase());
    }
    line!(out, "}}");
    line!(out, "/// All instructions, in the order of the tables.");
    line!(out, "pub static ROWS: &[RowInfo] = &[");
    for row in rows {
        let fields: Vec<String> = row
            .fields
            .iter()
            .map(|field| {
                format!(
                    "FieldInfo {{ name: {:?}, lsb: {}, width: {} }}",
                    field.name, field.lsb, field.width
                )
            })
            .collect();
        line!(
            out,
            "RowInfo {{ name: {:?}, pattern: {:?}, mask: {:#x}, value: {:#x}, should_mask: {:#x}, should_value: {:#x}, \
             feature: Feature::{}, file: {:?}, line: {}, fields: &[{}] }},",
            row.name,
            row.pattern,
            row.mask,
            row.value,
            row.should_mask,
            row.should_value,
            camel(&row.feature.to_ascii_lowercase()),
            row.file,
            row.line,
            fields.join(", ")
        );
    }
    line!(out, "];");
}
