//! Machines in this process: how guests end, what may be done with them, several of them.
//!
//! Tests run in threads of one process, so each of them also tests that its guest harms no other.

mod common;

use engine::Mode;
use linux_abi::Errno;
use raemu::{
    Buffer, Config, Error, Function, GuestAddr, LoadError, Machine, Outcome, Program, SeenEdges, Signature,
};
use std::path::Path;

const PIE: &[&str] = &["-static-pie"];
const MODES: [Mode; 2] = [Mode::Jit, Mode::Interpreter];

fn config(mode: Mode) -> Config {
    Config {
        mode,
        ..Config::default()
    }
}

fn machine(program: &Path, args: &[&str], config: Config) -> Machine {
    let program = Program::open(program).expect("the compiler made it");
    let program = args.iter().fold(program, Program::arg);
    Machine::new(program, config).expect("it loads")
}

fn ends(program: &Path, args: &[&str], mode: Mode) -> Outcome {
    machine(program, args, config(mode)).run()
}

#[test]
fn a_guest_ends_as_a_value() {
    let Some(program) = common::compile("a_guest_ends_as_a_value", "ends", PIE) else {
        return;
    };
    for mode in MODES {
        for (args, status) in [
            (&["exit", "7"][..], 7),
            (&["exit", "256"], 0),
            (&["catch"], 10),
            (&["ignore"], 4),
            (&["last-thread"], 0),
            (&["fork"], 13),
            (&["fork-dies"], 26),
            (&["system"], 34),
            (&["exec"], 6),
            (&["alarm"], 8),
        ] {
            assert_eq!(
                ends(&program, args, mode),
                Outcome::Exited(status),
                "{args:?} {mode:?}"
            );
        }
    }
}

#[test]
fn a_guest_dies_as_a_value() {
    let Some(program) = common::compile("a_guest_dies_as_a_value", "ends", PIE) else {
        return;
    };
    for mode in MODES {
        for (how, signal, addr) in [
            ("segv", 11, 0x20),
            ("abort", 6, 0),
            ("term", 15, 0),
            ("kill", 9, 0),
            ("thread-fault", 11, 0x30),
        ] {
            match ends(&program, &[how], mode) {
                Outcome::Killed(death) => {
                    assert_eq!((death.signal, death.addr), (signal, addr), "{how} {mode:?}");
                    assert_eq!(death.code > 0, signal == 11, "{how} {mode:?}");
                    assert_ne!(death.pc, 0);
                }
                Outcome::Exited(status) => panic!("{how} {mode:?}: exited with {status}"),
            }
        }
        let Outcome::Killed(death) = ends(&program, &["trap"], mode) else {
            panic!("trap {mode:?}")
        };
        // BRK #1000 is what the compiler's trap is.
        assert_eq!((death.signal, death.addr), (5, death.pc));
    }
}

#[test]
fn any_thread_ends_the_guest() {
    let Some(program) = common::compile("any_thread_ends_the_guest", "ends", PIE) else {
        return;
    };
    for mode in MODES {
        for _ in 0..10 {
            assert_eq!(ends(&program, &["threads"], mode), Outcome::Exited(9), "{mode:?}");
        }
    }
}

#[test]
fn machines_follow_each_other_and_run_at_once() {
    let Some(program) = common::compile("machines_follow_each_other_and_run_at_once", "ends", PIE) else {
        return;
    };
    let expected = ends(&program, &["count"], Mode::Jit);
    assert!(matches!(expected, Outcome::Exited(status) if status < 95));
    std::thread::scope(|scope| {
        let running: Vec<_> = (0..4)
            .map(|_| scope.spawn(|| ends(&program, &["count"], Mode::Jit)))
            .collect();
        for thread in running {
            assert_eq!(thread.join().expect("no panic"), expected);
        }
    });
}

#[test]
fn a_dropped_machine_leaves_nothing() {
    let Some(program) = common::compile("a_dropped_machine_leaves_nothing", "ends", PIE) else {
        return;
    };
    // Stopped at its start, in the middle, and with threads that run on meanwhile.
    let mut stopped = machine(&program, &["threads-stay"], Config::default());
    let at = stopped
        .symbol("pthread_join")
        .or_else(|| stopped.symbol("__pthread_join"))
        .expect("threads are joined");
    stopped.run_to(at).expect("main joins");
    let code = at;
    let mut word = [0; 4];
    stopped.read(code, &mut word).expect("code can be read");
    drop(stopped);
    let maps = std::fs::read_to_string("/proc/self/maps").expect("there is /proc");
    let covers = |line: &str| {
        let (start, rest) = line.split_once('-').expect("a range");
        let end = rest.split(' ').next().expect("its end");
        let parse = |text| u64::from_str_radix(text, 16).expect("a number");
        (parse(start)..parse(end)).contains(&code.0) && line.contains("ends-")
    };
    assert!(!maps.lines().any(covers), "{maps}");
}

#[test]
fn programs_of_one_address_collide() {
    let Some(program) = common::compile("programs_of_one_address_collide", "ends", &["-static", "-no-pie"])
    else {
        return;
    };
    let mut first = machine(&program, &["exit", "1"], Config::default());
    let second = Machine::new(Program::open(&program).expect("it is there"), Config::default());
    assert!(matches!(second, Err(Error::Load(LoadError::Map(Errno::EEXIST)))));
    assert_eq!(first.run(), Outcome::Exited(1));
    drop(first);
    assert_eq!(ends(&program, &["exit", "2"], Mode::Jit), Outcome::Exited(2));
}

type Parse = fn(GuestAddr, usize) -> i32;

fn function<S: Signature>(machine: &mut Machine, name: &str) -> Function<S> {
    machine.function(name).expect("the program has symbols")
}

#[test]
fn functions_are_called() {
    let Some(program) = common::compile("functions_are_called", "parse", PIE) else {
        return;
    };
    for mode in MODES {
        let mut machine = machine(&program, &[], config(mode));
        let main = machine.symbol("main").expect("the program has symbols");
        let parse = function::<Parse>(&mut machine, "parse");
        let count = function::<fn() -> u32>(&mut machine, "count_calls");
        let sum = function::<fn(i64, i64, i64, i64, i64, i64, i64, i64) -> i64>(&mut machine, "sum_eight");
        assert_eq!(machine.symbol("no_such_function"), None);
        machine.run_to(main).expect("main is reached");
        assert_eq!(machine.state().pc, main.0);
        let sp = machine.state().sp();
        assert_eq!(machine.call(sum, (-1, 2, 3, 4, 5, 6, 7, 8)), Ok(202));
        assert_eq!((machine.state().pc, machine.state().sp()), (main.0, sp));
        let input = machine.alloc(64).expect("there is memory");
        let mut start = machine.snapshot().expect("one thread");
        for _ in 0..3 {
            for (bytes, result) in [(&b"RAE"[..], 0), (b"SAEM__", 1), (b"RAEN__", 4), (b"RAEM\0!", 5)] {
                machine.write(input, bytes).expect("mapped");
                assert_eq!(machine.call(parse, (input, bytes.len())), Ok(result), "{mode:?}");
            }
            assert_eq!(machine.call(count, ()), Ok(4));
            machine.write(input, b"RAEM\x01!").expect("mapped");
            let Err(Outcome::Killed(death)) = machine.call(parse, (input, 6)) else {
                panic!("{mode:?}")
            };
            let table = machine.symbol("table").expect("the program has symbols");
            assert_eq!((death.signal, death.addr), (11, table.0 + (1 << 24)));
            assert_eq!(
                machine.call(parse, (input, 6)),
                Err(Outcome::Killed(death)),
                "it stays dead"
            );
            machine.restore(&mut start).expect("nothing was unmapped");
            assert_eq!(machine.call(count, ()), Ok(0), "memory is as it was");
            let mut bytes = [1; 8];
            machine.read(input, &mut bytes).expect("mapped");
            assert_eq!(bytes, [0; 8]);
            let more = machine.alloc(4096).expect("there is memory");
            machine.restore(&mut start).expect("nothing was unmapped");
            assert!(machine.read(more, &mut bytes).is_err(), "mapped since");
        }
        // main calls parse with four bytes, then counts.
        assert_eq!(machine.run(), Outcome::Exited(1));
    }
}

#[test]
fn a_buffer_ends_at_the_inputs_end() {
    let Some(program) = common::compile("a_buffer_ends_at_the_inputs_end", "parse", PIE) else {
        return;
    };
    for mode in MODES {
        let mut machine = machine(&program, &[], config(mode));
        let parse = function::<Parse>(&mut machine, "parse");
        let input = Buffer::new(&mut machine, 8).expect("there is memory");
        let addr = input.fill(&mut machine, b"RAEM\0!").expect("mapped");
        assert_eq!(machine.call(parse, (addr, 6)), Ok(5), "{mode:?}");
        let addr = input.fill(&mut machine, b"RAEM\0").expect("mapped");
        let Err(Outcome::Killed(death)) = machine.call(parse, (addr, 6)) else {
            panic!("{mode:?}: the sixth byte is there")
        };
        assert_eq!((death.signal, death.addr), (11, addr.0 + 5), "{mode:?}");
    }
}

#[test]
fn the_hosts_memory_is_not_the_guests() {
    let Some(program) = common::compile("the_hosts_memory_is_not_the_guests", "parse", PIE) else {
        return;
    };
    let mut machine = machine(&program, &[], Config::default());
    let mut own = [1_u8; 8];
    let at = GuestAddr(own.as_ptr() as u64);
    assert!(machine.write(at, &[0; 8]).is_err());
    assert!(machine.read(at, &mut [0; 8]).is_err());
    assert!(machine.read(GuestAddr(u64::MAX - 3), &mut [0; 8]).is_err());
    own[0] = 2;
    assert_eq!(own, [2, 1, 1, 1, 1, 1, 1, 1]);
}

#[test]
fn edges_tell_paths_apart() {
    let Some(program) = common::compile("edges_tell_paths_apart", "parse", PIE) else {
        return;
    };
    for mode in MODES {
        let mut machine = machine(
            &program,
            &[],
            Config {
                edges: true,
                ..config(mode)
            },
        );
        let parse = function::<Parse>(&mut machine, "parse");
        let input = machine.alloc(64).expect("there is memory");
        let mut seen = SeenEdges::default();
        for bytes in [b"______", b"R_____", b"RA____", b"RAE___", b"RAEM\0_"] {
            machine.write(input, bytes).expect("mapped");
            let path = |machine: &mut Machine| {
                machine.clear_edges();
                machine.call(parse, (input, 6)).expect("no bug is reached");
                machine.edges().to_vec()
            };
            let first = path(&mut machine);
            assert_eq!(
                path(&mut machine),
                first,
                "{mode:?}: the same path has the same edges"
            );
            assert!(
                seen.has_new(&first),
                "{mode:?}: {bytes:?} takes a path of its own"
            );
            assert!(!seen.has_new(&first), "{mode:?}: {bytes:?} is no news twice");
        }
    }
    let mut plain = machine(&program, &[], Config::default());
    assert!(plain.edges().is_empty());
}
