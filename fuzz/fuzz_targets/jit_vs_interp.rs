//! The JIT gives what the interpreter gives. Each four bytes of input choose one
//! instruction of a sequence (`insn_tests::sequence`), the first also the state.
#![no_main]

use engine::{Mode, Trace};
use insn_tests::arena::Arena;
use insn_tests::case::Case;
use insn_tests::local::EngineRunner;
use insn_tests::outcome::Delta;
use insn_tests::{local, outcome, sequence};
use libfuzzer_sys::fuzz_target;
use std::cell::RefCell;

thread_local! {
    static ENGINE: RefCell<EngineRunner> = RefCell::new(EngineRunner::new(Mode::Jit));
}

fuzz_target!(|data: &[u8]| {
    let choices: Vec<u32> = data
        .chunks_exact(4)
        .map(|bytes| u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]))
        .collect();
    let Some(case) = sequence::of_choices(&choices) else {
        return;
    };
    ENGINE.with_borrow_mut(|engine| {
        let arena = &mut *Arena::lock();
        if let Some((expected, got)) = sequence::differs(arena, engine, &case) {
            report(arena, engine, (case, expected, got));
        }
    });
});

/// Shows the shortest case that differs: instructions, the state before and both after, IR and host code.
/// If it does not differ again, what it did the first time.
fn report(arena: &mut Arena, engine: &mut EngineRunner, found: (Case, Delta, Delta)) -> ! {
    let least = sequence::shrink(&found.0, |case| sequence::differs(arena, engine, case));
    if least.is_none() {
        eprintln!("differed once only:");
    }
    let (least, expected, got) = least.unwrap_or(found);
    eprintln!(
        "{}",
        outcome::explain(&least, ("interpreter", &expected), ("engine", &got))
    );
    eprintln!("interpreter: {}", outcome::format(&expected));
    eprintln!("engine:      {}", outcome::format(&got));
    eprintln!("before:\n{}", outcome::registers(&least.state));
    let left = local::interpret(arena, &least);
    eprintln!("interpreter:\n{}", outcome::registers(&left.state));
    let right = engine.run(arena, &least);
    eprintln!("engine:\n{}", outcome::registers(&right.state));
    let tracing = EngineRunner::new(Mode::Jit);
    tracing.set_trace(Trace {
        in_asm: true,
        op: true,
        out_asm: true,
        exec: false,
        write: |text| eprint!("{text}"),
    });
    let mut tracing = tracing;
    tracing.run(arena, &least);
    panic!("the JIT and the interpreter differ");
}
