//! The JIT gives what the interpreter gives on hosts that lack optional instructions, down to the
//! baseline, and on this one, all in this process: the rows that have a host instruction of an
//! extension, what vectors borrow registers for, and sequences, in which fewer or more vectors
//! have a host register.

use engine::{HostFeatures, Target};
use insn_tests::arena::Arena;
use insn_tests::comparison;
use insn_tests::fused;
use insn_tests::local::EngineRunner;
use insn_tests::sequence;

#[test]
fn every_host_agrees_with_interpreter() {
    let here = HostFeatures::detect();
    let no_high_registers = HostFeatures {
        avx512: false,
        ..HostFeatures::ALL
    };
    let mut hosts = vec![
        HostFeatures::BASELINE,
        HostFeatures::REFERENCE.common(here),
        no_high_registers.common(here),
        here,
    ];
    hosts.dedup();
    for features in hosts {
        println!("{features:?}");
        let runner = || EngineRunner::for_target(Target::new(features));
        comparison::rows_under(runner, 200, |row| {
            row.file.starts_with("crypto") || row.file == "asimd_ext.isa" || row.name == "crc32c"
        });
        let (arena, engine) = (&mut *Arena::lock(), &mut runner());
        fused::compare(arena, engine);
        let (differing, report) = sequence::compare(arena, engine, 0..2000);
        assert!(
            differing == 0,
            "{features:?}: {differing} sequences differ\n{report}"
        );
    }
}

#[test]
fn engines_for_different_hosts_take_turns() {
    let here = HostFeatures::detect();
    let mut engines = [HostFeatures::BASELINE, here].map(|f| EngineRunner::for_target(Target::new(f)));
    let arena = &mut *Arena::lock();
    for seed in 0..500 {
        for engine in &mut engines {
            let (differing, report) = sequence::compare(arena, engine, seed..seed + 1);
            assert!(differing == 0, "seed {seed}: {report}");
        }
    }
}
