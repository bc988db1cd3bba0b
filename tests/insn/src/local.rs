//! Runs cases in this process: under the interpreter, or under an engine.

use crate::arena::{Arena, BRK, CODE_BASE, CODE_SIZE};
use crate::case::Case;
use crate::outcome::{End, Outcome};
use engine::{AddressSpace, Cpu, Engine, Mode, Target};
use guest::{Access, CpuState, Exit, FaultKind, GuestAddr, MemFault};
use guest_memory::access;
use interp::Stop;
use std::sync::Arc;

/// The arena's code page is what may be executed.
struct CodePage;

impl AddressSpace for CodePage {
    fn is_executable(&self, addr: GuestAddr) -> bool {
        (CODE_BASE..CODE_BASE + CODE_SIZE).contains(&addr.0)
    }
}

const fn end_of(exit: Exit) -> End {
    match exit {
        Exit::Breakpoint(_) => End::Landed,
        Exit::Undefined | Exit::AuthenticationFailed => End::Undefined,
        Exit::Svc(_) => End::Svc,
        Exit::Poll => End::Other,
        Exit::Fault(fault) => match fault.kind {
            FaultKind::Unmapped | FaultKind::Permission => End::Segv,
            FaultKind::Bus | FaultKind::Alignment => End::Bus,
        },
    }
}

const fn fault_of(exit: Exit) -> Option<MemFault> {
    match exit {
        Exit::Fault(fault) => Some(fault),
        Exit::Breakpoint(_) | Exit::Undefined | Exit::AuthenticationFailed | Exit::Svc(_) | Exit::Poll => {
            None
        }
    }
}

/// Instructions a case may take before it is said to loop.
const STEP_LIMIT: usize = 1024;

/// Runs a case with the interpreter alone.
pub fn interpret(arena: &mut Arena, case: &Case) -> Outcome {
    arena.set_code(&case.words);
    let mut state = case.state.clone();
    let mut ended = None;
    for _ in 0..STEP_LIMIT {
        match step(&mut state) {
            Ok(()) => {}
            Err(exit) => {
                ended = Some(exit);
                break;
            }
        }
    }
    finish(arena, case, ended, state)
}

/// Fetches and executes one instruction.
fn step(state: &mut CpuState) -> Result<(), Exit> {
    let pc = state.pc();
    let fault = |kind| {
        Err(Exit::Fault(MemFault {
            addr: pc,
            access: Access::Execute,
            kind,
        }))
    };
    if pc.0 & 3 != 0 {
        return fault(FaultKind::Alignment);
    }
    // As an engine does: what is not mapped is not known to lack the permission either.
    let word = match access::load(pc, 4) {
        Ok(word) => word as u32,
        Err(load) => return fault(load.kind),
    };
    if !CodePage.is_executable(pc) {
        return fault(FaultKind::Permission);
    }
    if word == BRK {
        // The landing is not under test.
        return Err(Exit::Breakpoint(0));
    }
    match interp::step(state, word) {
        Err(Stop::Exit(exit)) => Err(exit),
        Ok(()) | Err(Stop::InvalidateCode(_) | Stop::Synchronise) => Ok(()),
    }
}

/// `exit` is `None` if the case did not end.
fn finish(arena: &mut Arena, case: &Case, exit: Option<Exit>, state: CpuState) -> Outcome {
    let changes = if case.checks_memory {
        arena.take_changes()
    } else {
        Vec::new()
    };
    let fault = exit.and_then(fault_of);
    Outcome {
        end: exit.map_or(End::Looped, end_of),
        state,
        fault: fault.map(|fault| fault.addr.0),
        fault_detail: fault.map(|fault| (fault.access, fault.kind)),
        changes,
    }
}

/// An engine that may execute the arena's code page.
#[must_use]
pub fn engine(mode: Mode) -> Arc<Engine> {
    Engine::new(Box::new(CodePage), mode, &guest::cpu_model::EVERYTHING)
}

/// Runs cases on an engine's CPU.
pub struct EngineRunner {
    cpu: Cpu,
    /// The code the engine has last seen, which need not be invalidated.
    words: Vec<u32>,
    /// Floating-point results are checked instead of having Invalid trap.
    checks: bool,
}

impl EngineRunner {
    /// With RAEMU_FP_CHECKS in the environment, a JIT is a [`EngineRunner::checking`] one.
    ///
    /// # Panics
    /// If the host has no memory for a CPU.
    #[must_use]
    pub fn new(mode: Mode) -> EngineRunner {
        if mode == Mode::Jit && std::env::var_os("RAEMU_FP_CHECKS").is_some() {
            return EngineRunner::checking();
        }
        EngineRunner::with(engine(mode), false)
    }

    /// A JIT for another host than this one.
    ///
    /// # Panics
    /// If this machine cannot run such code, or has no memory for a CPU.
    #[must_use]
    pub fn for_target(target: Target) -> EngineRunner {
        let model = &guest::cpu_model::EVERYTHING;
        EngineRunner::with(
            Engine::for_target(Box::new(CodePage), Mode::Jit, model, target),
            false,
        )
    }

    /// A JIT whose code checks floating-point results instead of having Invalid trap.
    ///
    /// # Panics
    /// If the host has no memory for a CPU.
    #[must_use]
    pub fn checking() -> EngineRunner {
        let engine = engine(Mode::Jit);
        engine.check_fp_results();
        EngineRunner::with(engine, true)
    }

    fn with(engine: Arc<Engine>, checks: bool) -> EngineRunner {
        engine.keep_flags_exact();
        EngineRunner {
            cpu: Cpu::new(engine).expect("memory for one CPU"),
            words: Vec::new(),
            checks,
        }
    }

    /// Whether it is a [`EngineRunner::checking`] one.
    #[must_use]
    pub fn checks(&self) -> bool {
        self.checks
    }

    /// Floating-point operations that trapped.
    #[must_use]
    pub fn fp_traps(&self) -> u64 {
        self.cpu.engine().statistics().fp_traps
    }

    /// Leaves blocks to the interpreter that many times before they are translated.
    pub fn set_patience(&self, visits: u8) {
        self.cpu.engine().set_patience(visits);
    }

    /// Reports what is translated from now on.
    pub fn set_trace(&self, trace: engine::Trace) {
        self.cpu.engine().set_trace(trace);
    }

    /// Runs a case; the caller has made sure that it ends (see [`interpret`]).
    pub fn run(&mut self, arena: &mut Arena, case: &Case) -> Outcome {
        arena.set_code(&case.words);
        if self.words != case.words {
            self.cpu
                .engine()
                .invalidate(GuestAddr(CODE_BASE)..GuestAddr(CODE_BASE + CODE_SIZE));
            self.words.clone_from(&case.words);
        }
        *self.cpu.state_mut() = case.state.clone();
        let exit = loop {
            let exit = self.cpu.run();
            if exit != Exit::Poll {
                break exit;
            }
        };
        let state = self.cpu.state().clone();
        finish(arena, case, Some(exit), state)
    }
}
