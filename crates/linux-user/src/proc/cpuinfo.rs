//! /proc/cpuinfo as arch/arm64/kernel/cpuinfo.c (c_show) prints it.

use guest::CpuModel;
use guest::cpu_model::CNTFRQ_EL0;
use std::fmt::Write as _;

/// The numbers of the host's CPUs, from its own file; one CPU if that is not there.
fn processors(host: &[u8]) -> Vec<u32> {
    let text = String::from_utf8_lossy(host);
    let numbers: Vec<u32> = text
        .lines()
        .filter_map(|line| line.strip_prefix("processor")?.trim_start().strip_prefix(':'))
        .filter_map(|number| number.trim().parse().ok())
        .collect();
    if numbers.is_empty() { vec![0] } else { numbers }
}

pub fn text(model: &CpuModel, host: &[u8]) -> String {
    let features = model.feature_names().join(" ");
    // The delay loop counts the timer's ticks.
    let (megahertz, hundredths) = (2 * CNTFRQ_EL0 / 1_000_000, 2 * CNTFRQ_EL0 / 10_000 % 100);
    let field = |shift: u32, width: u32| (model.midr >> shift) & ((1 << width) - 1);
    let mut text = String::new();
    for number in processors(host) {
        // Writing to a String cannot fail.
        let _ = write!(
            text,
            "processor\t: {number}\nBogoMIPS\t: {megahertz}.{hundredths:02}\nFeatures\t: {features}\n\
             CPU implementer\t: {:#04x}\nCPU architecture: 8\nCPU variant\t: {:#x}\n\
             CPU part\t: {:#05x}\nCPU revision\t: {}\n\n",
            field(24, 8),
            field(20, 4),
            field(4, 12),
            field(0, 4),
        );
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use guest::cpu_model::MAX;

    #[test]
    fn one_block_for_each_of_the_hosts_cpus() {
        let host = b"processor\t: 0\nmodel name\t: x\n\nprocessor\t: 3\n";
        let text = text(&MAX, host);
        let expected = format!(
            "processor\t: 3\nBogoMIPS\t: 125.00\nFeatures\t: {}\nCPU implementer\t: 0x41\n\
             CPU architecture: 8\nCPU variant\t: 0x4\nCPU part\t: 0xd0c\nCPU revision\t: 1\n\n",
            MAX.feature_names().join(" ")
        );
        assert!(text.starts_with("processor\t: 0\nBogoMIPS"));
        assert!(text.ends_with(&expected), "{text}");
        assert_eq!(super::text(&MAX, b"").matches("processor").count(), 1);
    }
}
