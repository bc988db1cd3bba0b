//! Two sides in turns: `cargo xtask bench --against FILE` compares this emulator with another build of it, `--fp-checks`
//! bare floating-point instructions (Invalid unmasked) with a check of each result (`-fp-checks`).

use super::measure::{Bench, Side};
use super::table::{Measured, count, figure, geometric_mean, ratio, shown};
use super::{Workload, take_turns};

/// Which sides a table compares; ratios are the second's over the first's.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Pair {
    /// Another build, and this one.
    Builds,
    /// Traps, and checks.
    Checks,
}

/// The groups with floating point.
pub const FP_GROUPS: &[&str] = &["float", "simd", "interpreters"];

impl Pair {
    fn sides(self) -> [Side; 2] {
        match self {
            Pair::Builds => [Side::Other, Side::Raemu],
            Pair::Checks => [Side::Raemu, Side::Checked],
        }
    }

    fn headings(self) -> [&'static str; 7] {
        match self {
            Pair::Builds => [
                "group",
                "program",
                "before",
                "now",
                "now / before",
                "by processor time",
                "FP traps",
            ],
            Pair::Checks => [
                "group",
                "program",
                "traps",
                "checks",
                "checks / traps",
                "by processor time",
                "FP traps",
            ],
        }
    }
}

/// The fastest runs of one workload: of two times that are nearly equal, medians show what else the machine does.
pub struct Row {
    pub pair: Pair,
    pub group: &'static str,
    pub name: &'static str,
    /// Of each side: milliseconds or KiB.
    pub values: [Option<f64>; 2],
    /// Of each side: user and system time in milliseconds, children included.
    pub processor: [Option<f64>; 2],
    /// How many operations trapped in one run of this build as it is.
    pub traps: Option<u64>,
    pub remark: String,
}

impl Row {
    pub fn measure(pair: Pair, bench: &Bench, workload: &Workload, runs: usize) -> Row {
        let turns = take_turns(bench, workload, &pair.sides(), runs);
        Row {
            pair,
            group: workload.group,
            name: workload.name,
            values: [turns.fastest[0], turns.fastest[1]],
            processor: [turns.processor[0], turns.processor[1]],
            traps: bench.fp_traps(workload),
            remark: turns.remark,
        }
    }

    fn ratios(&self) -> [Option<f64>; 2] {
        [self.values, self.processor].map(|[first, second]| ratio(second, first))
    }
}

impl Measured for Row {
    fn remark(&self) -> &str {
        &self.remark
    }

    fn lines(rows: &[Row], groups: &[&str]) -> Vec<Vec<String>> {
        let headings = rows.first().map_or(Pair::Builds, |row| row.pair).headings();
        let mut lines = vec![headings.map(String::from).to_vec()];
        for &group in groups {
            let members: Vec<&Row> = rows.iter().filter(|row| row.group == group).collect();
            if members.is_empty() {
                continue;
            }
            lines.extend(members.iter().map(|row| {
                let mut line = vec![group.to_string(), row.name.to_string()];
                line.extend(row.values.map(|value| figure(group, value)));
                line.extend(row.ratios().map(shown));
                line.push(count(row.traps));
                line
            }));
            let mean = |which: usize| geometric_mean(members.iter().filter_map(|row| row.ratios()[which]));
            let mut line = vec![group.to_string(), "**geometric mean**".to_string()];
            line.extend([const { String::new() }; 2]);
            line.extend([mean(0), mean(1)].map(|mean| format!("**{}**", shown(mean))));
            line.push(String::new());
            lines.push(line);
        }
        lines
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn above_one_means_that_the_second_side_is_slower() {
        let row = |name, second| Row {
            pair: Pair::Checks,
            group: "float",
            name,
            values: [Some(100.0), second],
            processor: [Some(80.0), Some(160.0)],
            traps: Some(7),
            remark: String::new(),
        };
        let lines = Row::lines(&[row("a", Some(150.0)), row("b", None)], &["simd", "float"]);
        assert_eq!(lines.len(), 4);
        assert_eq!(lines[0][4], "checks / traps");
        assert_eq!(
            lines[1][2..],
            ["100 ms", "150 ms", "1.50", "2.00", "7"].map(String::from)
        );
        assert_eq!(lines[2][3..], ["-", "-", "2.00", "7"].map(String::from));
        assert_eq!(lines[3][4..6], ["**1.50**", "**2.00**"].map(String::from));
    }
}
