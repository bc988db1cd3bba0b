//! The result: rows, geometric means, and the table as text or Markdown.

/// The medians of one workload. Milliseconds, or KiB in the group `memory`.
pub struct Row {
    pub group: &'static str,
    pub name: &'static str,
    pub native: Option<f64>,
    pub raemu: Option<f64>,
    pub qemu: Option<f64>,
    /// Floating-point operations that trapped in one run under raemu, its children included.
    pub traps: Option<u64>,
    /// Why a figure is missing or not to be trusted.
    pub remark: String,
}

/// What one workload gave, of either kind of table.
pub trait Measured: Sized {
    /// Why a figure is missing or not to be trusted.
    fn remark(&self) -> &str;

    /// The headings, then all rows, each group closed by its geometric mean.
    fn lines(rows: &[Self], groups: &[&str]) -> Vec<Vec<String>>;
}

impl Measured for Row {
    fn remark(&self) -> &str {
        &self.remark
    }

    fn lines(rows: &[Row], groups: &[&str]) -> Vec<Vec<String>> {
        lines(rows, groups)
    }
}

pub fn median(values: &mut [f64]) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    match values.len() {
        0 => None,
        n if n % 2 == 1 => Some(values[n / 2]),
        n => Some((values[n / 2 - 1] + values[n / 2]) / 2.0),
    }
}

pub fn geometric_mean(values: impl Iterator<Item = f64>) -> Option<f64> {
    let logarithms: Vec<f64> = values.map(f64::ln).collect();
    let count = logarithms.len() as f64;
    (count > 0.0).then(|| (logarithms.iter().sum::<f64>() / count).exp())
}

pub fn ratio(over: Option<f64>, under: Option<f64>) -> Option<f64> {
    Some(over? / under?)
}

/// raemu over native, and qemu over raemu, of some rows.
fn means(rows: &[&Row]) -> [Option<f64>; 2] {
    [
        geometric_mean(rows.iter().filter_map(|row| ratio(row.raemu, row.native))),
        geometric_mean(rows.iter().filter_map(|row| ratio(row.qemu, row.raemu))),
    ]
}

const HEADINGS: [&str; 8] = [
    "group",
    "program",
    "native",
    "raemu",
    "qemu",
    "raemu / native",
    "qemu / raemu",
    "FP traps",
];

/// A median as the table shows it.
pub fn figure(group: &str, value: Option<f64>) -> String {
    match value {
        None => "-".to_string(),
        Some(v) if group == "memory" => format!("{:.1} MiB", v / 1024.0),
        Some(v) if v < 20.0 => format!("{v:.2} ms"),
        Some(v) => format!("{v:.0} ms"),
    }
}

pub fn count(value: Option<u64>) -> String {
    value.map_or_else(|| "-".to_string(), |value| value.to_string())
}

fn cells(row: &Row) -> Vec<String> {
    let figure = |value| figure(row.group, value);
    let mut cells = vec![row.group.to_string(), row.name.to_string()];
    cells.extend([row.native, row.raemu, row.qemu].map(figure));
    cells.extend([ratio(row.raemu, row.native), ratio(row.qemu, row.raemu)].map(shown));
    cells.push(count(row.traps));
    cells
}

pub fn shown(ratio: Option<f64>) -> String {
    ratio.map_or_else(|| "-".to_string(), |r| format!("{r:.2}"))
}

fn lines(rows: &[Row], groups: &[&str]) -> Vec<Vec<String>> {
    let mut lines = vec![HEADINGS.map(String::from).to_vec()];
    for group in groups {
        let members: Vec<&Row> = rows.iter().filter(|row| row.group == *group).collect();
        if members.is_empty() {
            continue;
        }
        lines.extend(members.iter().map(|row| cells(row)));
        let [native, qemu] = means(&members);
        let mut mean = vec![group.to_string(), "**geometric mean**".to_string()];
        mean.extend([const { String::new() }; 3]);
        mean.extend([native, qemu].map(|r| format!("**{}**", shown(r))));
        mean.push(String::new());
        lines.push(mean);
    }
    lines
}

pub fn markdown(lines: &[Vec<String>]) -> String {
    let mut text = String::new();
    for (index, line) in lines.iter().enumerate() {
        text.push_str(&format!("| {} |\n", line.join(" | ")));
        if index == 0 {
            text.push_str("|---|---|");
            text.push_str(&"--:|".repeat(line.len() - 2));
            text.push('\n');
        }
    }
    text
}

pub fn plain(lines: &[Vec<String>]) -> String {
    let clean = |cell: &String| cell.replace("**", "");
    let width = |column: usize| {
        lines
            .iter()
            .map(|line| clean(&line[column]).chars().count())
            .max()
            .unwrap_or(0)
    };
    let widths: Vec<usize> = (0..lines.first().map_or(0, Vec::len)).map(width).collect();
    let mut text = String::new();
    for line in lines {
        for (column, cell) in line.iter().enumerate() {
            let (cell, width) = (clean(cell), widths[column]);
            text.push_str(&if column < 2 {
                format!("{cell:<width$}  ")
            } else {
                format!("{cell:>width$}  ")
            });
        }
        text.truncate(text.trim_end().len());
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn medians() {
        assert_eq!(median(&mut [3.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(median(&mut [4.0, 1.0]), Some(2.5));
        assert_eq!(median(&mut []), None);
    }

    #[test]
    fn each_group_ends_with_its_mean() {
        let row = |name, raemu, qemu| Row {
            group: "integer",
            name,
            native: Some(100.0),
            raemu: Some(raemu),
            qemu,
            traps: Some(3),
            remark: String::new(),
        };
        let rows = [row("a", 200.0, Some(800.0)), row("b", 800.0, None)];
        let lines = lines(&rows, &["integer", "memory"]);
        assert_eq!(lines.len(), 4);
        assert_eq!(
            lines[2][4..],
            [
                "-".to_string(),
                "8.00".to_string(),
                "-".to_string(),
                "3".to_string()
            ]
        );
        assert_eq!(lines[3][5..7], ["**4.00**".to_string(), "**4.00**".to_string()]);
        assert!(plain(&lines).contains("geometric mean"));
        assert!(markdown(&lines).starts_with("| group | program |"));
    }
}
