//! [`Config`]: how a program is to be run.

use engine::{Mode, Trace};
use guest::CpuModel;
use guest::cpu_model::MAX;
use linux_user::Options;

/// How a program is to be run. The default is what the command does without options.
pub struct Config {
    /// Translation to host code, or the interpreter.
    pub mode: Mode,
    /// The CPU the guest sees.
    pub model: &'static CpuModel,
    /// Bytes of the main thread's stack.
    pub stack_size: u64,
    /// It grows with its use, as far as RLIMIT_STACK says then, and has so many bytes from the beginning. Only for a program
    /// in place of the process, which is started on another stack than the process's first: it stands below that.
    pub growing_stack: Option<u64>,
    /// The guest's addresses end there, at most at the host's end: it finds the layout of a kernel with such a small address
    /// space, always the same one.
    pub address_limit: Option<u64>,
    /// Makes the layout, AT_RANDOM and RNDR a sequence that repeats; without it they are the host's random numbers.
    pub seed: Option<u64>,
    /// How often the interpreter executes a block before it is translated.
    pub patience: u8,
    /// Generated code checks floating-point results instead of having Invalid trap.
    pub fp_checks: bool,
    /// Counts the edges between blocks that the main thread takes, for [`Machine::edges`](crate::Machine::edges); guest
    /// code is slower by far.
    pub edges: bool,
    /// Shows translation at work.
    pub trace: Option<Trace>,
    /// What the Linux layer is told.
    pub options: Options,
}

/// Bytes: Linux's customary limit.
const STACK_SIZE: u64 = 8 << 20;
/// Most code of a program's start runs once or twice.
const PATIENCE: u8 = 2;

impl Config {
    /// For a harness: edges are counted, and the guest's random numbers repeat.
    #[must_use]
    pub fn with_edges(seed: u64) -> Config {
        Config {
            edges: true,
            seed: Some(seed),
            ..Config::default()
        }
    }
}

impl Default for Config {
    fn default() -> Config {
        Config {
            mode: Mode::Jit,
            model: &MAX,
            stack_size: STACK_SIZE,
            growing_stack: None,
            address_limit: None,
            seed: None,
            patience: PATIENCE,
            fp_checks: false,
            edges: false,
            trace: None,
            options: Options::default(),
        }
    }
}
