//! `cargo xtask bench --fp-checks`: what floating-point traps are worth. Each program runs as usual, with bare host
//! instructions and Invalid unmasked, and with a check of each result instead (`-fp-checks`), the two in turns.

use super::measure::{Bench, Side};
use super::table::{Measured, count, figure, geometric_mean, ratio, shown};
use super::{Workload, take_turns};

/// The groups with floating point.
pub const GROUPS: &[&str] = &["float", "simd", "interpreters"];

/// The fastest runs of one workload: of two times that are nearly equal, medians show what else the machine does.
pub struct Row {
    pub group: &'static str,
    pub name: &'static str,
    pub bare: Option<f64>,
    pub checked: Option<f64>,
    /// How many operations trapped in one run of the first kind.
    pub traps: Option<u64>,
    pub remark: String,
}

impl Row {
    pub fn measure(bench: &Bench, workload: &Workload, runs: usize) -> Row {
        let turns = take_turns(bench, workload, &[Side::Raemu, Side::Checked], runs);
        Row {
            group: workload.group,
            name: workload.name,
            bare: turns.fastest[0],
            checked: turns.fastest[1],
            traps: bench.fp_traps(workload),
            remark: turns.remark,
        }
    }

    fn ratio(&self) -> Option<f64> {
        ratio(self.checked, self.bare)
    }
}

const HEADINGS: [&str; 6] = [
    "group",
    "program",
    "traps",
    "checks",
    "checks / traps",
    "FP traps",
];

impl Measured for Row {
    fn remark(&self) -> &str {
        &self.remark
    }

    fn lines(rows: &[Row], groups: &[&str]) -> Vec<Vec<String>> {
        let mut lines = vec![HEADINGS.map(String::from).to_vec()];
        for &group in groups {
            let members: Vec<&Row> = rows.iter().filter(|row| row.group == group).collect();
            lines.extend(members.iter().map(|row| {
                vec![
                    group.to_string(),
                    row.name.to_string(),
                    figure(group, row.bare),
                    figure(group, row.checked),
                    shown(row.ratio()),
                    count(row.traps),
                ]
            }));
            if let Some(mean) = geometric_mean(members.iter().filter_map(|row| row.ratio())) {
                let mut line = vec![group.to_string(), "**geometric mean**".to_string()];
                line.extend([
                    String::new(),
                    String::new(),
                    format!("**{mean:.2}**"),
                    String::new(),
                ]);
                lines.push(line);
            }
        }
        lines
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn above_one_means_that_checks_are_slower() {
        let row = |name, checked| Row {
            group: "float",
            name,
            bare: Some(100.0),
            checked,
            traps: Some(7),
            remark: String::new(),
        };
        let lines = Row::lines(&[row("a", Some(150.0)), row("b", None)], &["simd", "float"]);
        assert_eq!(lines.len(), 4);
        assert_eq!(lines[1][2..], ["100 ms", "150 ms", "1.50", "7"].map(String::from));
        assert_eq!(lines[2][3..], ["-", "-", "7"].map(String::from));
        assert_eq!(lines[3][4], "**1.50**");
    }
}
