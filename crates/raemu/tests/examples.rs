//! The examples do what they are for.

mod common;

use std::path::Path;
use std::process::{Command, Output};
use std::time::Instant;

/// Runs the example `name`, which cargo has built beside this test.
fn example(name: &str, args: &[&str]) -> Output {
    let test = std::env::current_exe().expect("this test is a file");
    let built = test
        .ancestors()
        .nth(2)
        .map(|profile| profile.join("examples").join(name));
    let built = built
        .filter(|path| path.is_file())
        .expect("cargo builds examples with tests");
    Command::new(built).args(args).output().expect("it starts")
}

fn text(output: &Output) -> String {
    assert!(
        output.stderr.is_empty(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn path(program: &Path) -> &str {
    program.to_str().expect("the path is text")
}

#[test]
fn run_prints_the_outcome() {
    let Some(program) = common::compile("run_prints_the_outcome", "ends", &["-static"]) else {
        return;
    };
    let output = example("run", &[path(&program), "exit", "7"]);
    assert_eq!(text(&output), "exited with status 7\n");
    let output = example("run", &[path(&program), "segv"]);
    assert!(
        text(&output).starts_with("killed by SIGSEGV (address 0x20) at 0x"),
        "{output:?}"
    );
}

#[test]
fn fuzz_finds_the_bug() {
    let Some(program) = common::compile("fuzz_finds_the_bug", "parse", &["-static"]) else {
        return;
    };
    for seed in ["1", "2", "3"] {
        let began = Instant::now();
        let output = example("fuzz", &[path(&program), seed]);
        let text = text(&output);
        println!("{text}{:?}", began.elapsed());
        // The chain of the four bytes that guard the bug, and the address that the fifth chose.
        assert!(output.status.success(), "{output:?}");
        assert!(text.starts_with(&format!("seed {seed}\nrun ")), "{text}");
        assert!(
            text.contains(": [52, 41, 45, 4d, ") && text.contains("killed by SIGSEGV (address 0x"),
            "{text}"
        );
        assert!(began.elapsed().as_secs() < 60, "{text}");
    }
}
