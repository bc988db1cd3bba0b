//! Writes the Rust that `semantics` includes: what each row does.
//!
//! A row with a line `=`, its own or its family's, is the call that says. A row with a function of its own
//! is a call of its trait's method. Each call has its row's file, line and name before it, so
//! that the compiler shows them with what is wrong with it.

use crate::emit::{camel, line, locals, path};
use crate::{Row, Table};
use std::fmt::Write as _;

pub fn play(tables: &[Table]) -> String {
    let mut out = String::new();
    line!(
        out,
        "/// Does what the row of this number does, by calls of `player`'s methods."
    );
    line!(
        out,
        "#[allow(unused_parens, clippy::identity_op, clippy::unnecessary_cast)]"
    );
    line!(
        out,
        "pub(crate) fn play<O: Ops>(row: u16, word: u32, player: &mut Translate<'_, O>) {{ match row {{"
    );
    let rows = tables
        .iter()
        .flat_map(|table| table.rows.iter().map(move |row| (table, row)));
    for (number, (table, row)) in rows.enumerate() {
        arm(&mut out, number, table, row);
    }
    line!(out, "_ => {{}}\n}} }}");
    out
}

fn arm(out: &mut String, number: usize, table: &Table, row: &Row) {
    let place = format!("/* isa/{}:{} {} */", row.file, row.line, row.name);
    if row.calls.is_empty() {
        let (tr, row_type) = (camel(&table.stem), path(row));
        line!(
            out,
            "{number} => {place} a64_isa::{tr}::{}(player, a64_isa::{row_type}::from_word(word)),",
            row.name
        );
        return;
    }
    let calls: Vec<&str> = row.calls.iter().map(|call| call.text.as_str()).collect();
    line!(out, "{number} => {{");
    locals(out, row, &calls);
    for call in calls {
        line!(out, "{place} player.{call};");
    }
    line!(out, "}}");
}
