//! Checks rows against each other: unique names, no unintended overlaps.

use crate::{Error, Row, Table};
use std::collections::HashMap;

pub fn check(tables: &[Table]) -> Result<(), Error> {
    let rows: Vec<&Row> = tables.iter().flat_map(|table| &table.rows).collect();
    let mut by_name: HashMap<&str, &Row> = HashMap::new();
    for row in &rows {
        if let Some(first) = by_name.insert(&row.name, row) {
            return Err(row.error(format!(
                "the name is already used at {}:{}",
                first.file, first.line
            )));
        }
    }
    for row in &rows {
        for outer in &row.within {
            let Some(outer) = by_name.get(outer.as_str()) else {
                return Err(row.error(format!("`within {outer}`: no such row")));
            };
            if !contains(outer, row) {
                return Err(row.error(format!("is not a special case of `{}`", outer.name)));
            }
        }
    }
    for (index, a) in rows.iter().enumerate() {
        for b in &rows[index + 1..] {
            let declared = a.within.contains(&b.name) || b.within.contains(&a.name);
            if overlap(a, b) && !declared {
                return Err(b.error(format!("overlaps row `{}` at {}:{}", a.name, a.file, a.line)));
            }
        }
    }
    Ok(())
}

/// Whether every encoding of `inner` matches the bits of `outer`, which has more.
fn contains(outer: &Row, inner: &Row) -> bool {
    outer.mask & !inner.mask == 0 && inner.value & outer.mask == outer.value && outer.mask != inner.mask
}

/// Whether some word matches both rows, as far as fixed bits and excluded values tell.
fn overlap(a: &Row, b: &Row) -> bool {
    (a.value ^ b.value) & a.mask & b.mask == 0 && !excludes(a, b) && !excludes(b, a)
}

/// Whether `a` excludes every value of a field that the fixed bits of `b` leave it.
fn excludes(a: &Row, b: &Row) -> bool {
    a.fields.iter().any(|field| {
        let (fixed, value) = (b.mask & field.mask(), b.value & field.mask());
        let left = |v: &u32| (v << field.lsb) & fixed == value;
        !field.excluded.is_empty()
            && (0..1 << field.width)
                .filter(left)
                .all(|v| field.excluded.contains(&v))
    })
}
