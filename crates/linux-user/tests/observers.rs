//! Observers of tasks, in this process: single steps, and one that comes while the task runs.
//!
//! `tests/programs/tests/stops.rs` has the other boundaries, of processes that fork and execute.

use engine::{AddressSpace, Engine, Mode};
use guest::GuestAddr;
use linux_user::kernel::stop::{Boundary, End, Observer, Resume};
use linux_user::mm::Mm;
use linux_user::signal::Actions;
use linux_user::{Image, Options, Process, Start, Task, run};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

struct Everywhere;

impl AddressSpace for Everywhere {
    fn is_executable(&self, _addr: GuestAddr) -> bool {
        true
    }
}

/// Dispositions are the process's: one test at a time.
static ONE: Mutex<()> = Mutex::new(());

fn process(mode: Mode) -> Arc<Process> {
    let engine = Engine::new(Box::new(Everywhere), mode, &guest::cpu_model::EVERYTHING);
    let actions = Actions::inherit();
    Arc::new(Process::new(
        Mm::new(),
        engine,
        Options::default(),
        Image::default(),
        actions,
    ))
}

fn start(code: &'static [u32], sp: u64) -> Start {
    Start {
        pc: GuestAddr(code.as_ptr() as u64),
        sp: GuestAddr(sp),
        random: 1,
    }
}

/// Asks for a step at each boundary, and notes where it stood.
struct Stepper {
    base: u64,
    seen: Mutex<Vec<(u64, String)>>,
}

impl Observer for Stepper {
    fn at(&self, task: &mut Task, boundary: &Boundary<'_>) -> Resume {
        let what = match boundary {
            Boundary::CallEntered(call) => format!("enters {}", call.name()),
            Boundary::CallLeft(call, _) => format!("leaves {}", call.name()),
            Boundary::Step => "step".to_owned(),
            Boundary::Executed => "executes".to_owned(),
            Boundary::Exit(End::Status(status)) => format!("exits {status}"),
            Boundary::Exit(End::Signal(_))
            | Boundary::Seccomp { .. }
            | Boundary::Signal(_)
            | Boundary::Breakpoint(_)
            | Boundary::Interrupted
            | Boundary::Cloned(..)
            | Boundary::VforkDone(_)
            | Boundary::Started(_) => "another".to_owned(),
        };
        let at = (task.cpu.state().pc - self.base) / 4;
        self.seen.lock().expect("no panic with the lock").push((at, what));
        Resume::Step
    }
}

#[test]
fn each_instruction_is_seen_by_who_steps() {
    static CODE: [u32; 7] = [
        0xd280_0021, // mov x1, #1
        0x9100_0421, // add x1, x1, #1
        0xd280_1588, // mov x8, #172 (getpid)
        0xd400_0001, // svc #0
        0xd280_00a0, // mov x0, #5
        0xd280_0ba8, // mov x8, #93 (exit)
        0xd400_0001, // svc #0
    ];
    let expected = [
        (0, "executes"),
        (1, "step"),
        (2, "step"),
        (3, "step"),
        // The program counter is behind the SVC.
        (4, "enters getpid"),
        (4, "leaves getpid"),
        (5, "step"),
        (6, "step"),
        (7, "enters exit"),
        (7, "exits 5"),
    ];
    let _one = ONE.lock().expect("the other test did not panic");
    for mode in [Mode::Jit, Mode::Interpreter] {
        let stepper = Arc::new(Stepper {
            base: CODE.as_ptr() as u64,
            seen: Mutex::new(Vec::new()),
        });
        let process = process(mode);
        process.tasks.observe(stepper.clone());
        assert_eq!(run(process, start(&CODE, 0)).expect("memory for one CPU"), 5);
        let seen = stepper.seen.lock().expect("no panic with the lock");
        let seen: Vec<(u64, &str)> = seen.iter().map(|(at, what)| (*at, what.as_str())).collect();
        assert_eq!(seen, expected);
    }
}

/// Ends the loop below when it comes to see the task.
struct Latecomer {
    flag: &'static AtomicU64,
}

impl Observer for Latecomer {
    fn at(&self, _task: &mut Task, boundary: &Boundary<'_>) -> Resume {
        if matches!(boundary, Boundary::Interrupted) {
            self.flag.fetch_add(1, Ordering::SeqCst);
        }
        Resume::Run
    }
}

#[test]
fn a_running_task_notices_an_observer() {
    static CODE: [u32; 6] = [
        0xb940_03e1, // ldr w1, [sp]
        0x34ff_ffe1, // cbz w1, .-4
        0xd280_00c0, // mov x0, #6
        0xd280_0ba8, // mov x8, #93 (exit)
        0xd400_0001, // svc #0
        0xd420_0000, // brk #0
    ];
    let _one = ONE.lock().expect("the other test did not panic");
    for mode in [Mode::Jit, Mode::Interpreter] {
        let flag: &'static AtomicU64 = Box::leak(Box::new(AtomicU64::new(0)));
        let process = process(mode);
        let running = Arc::clone(&process);
        let guest = std::thread::spawn(move || run(running, start(&CODE, flag.as_ptr() as u64)));
        // It has begun once it is in the list.
        while process.tasks.so_far() == 0 {
            std::thread::yield_now();
        }
        process.tasks.observe(Arc::new(Latecomer { flag }));
        assert_eq!(guest.join().expect("it ends").expect("memory for one CPU"), 6);
        assert_eq!(flag.load(Ordering::SeqCst), 1);
    }
}
