//! From guest bytes to host code that has no place yet. Needs none of the engine's locks: [`crate::install`].

use crate::blocks::BlockKey;
use crate::engine::Engine;
use crate::peek::Lookahead;
use guest::cpu_model::Feature;
use guest::{Access, Exit, FaultKind, GuestAddr, MemFault, PAGE_SIZE};
use guest_memory::access;
use jit_x64::build::{Builder, Flow};
use jit_x64::code::Code;
use jit_x64::ir::{Effect, Ir, Op};
use jit_x64::lower::{Scratch, lower};
use jit_x64::opt::Analysis;
use rustc_hash::FxHashSet;
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// Guest instructions in one block at most, and in one that cannot be left before its last: the longer it is, the
/// fewer guest registers go to their homes and back.
pub(crate) const MAX_INSNS: u32 = 64;
const MAX_QUIET_INSNS: u32 = 512;
/// Conditional branches passed before the block is ended at the next.
const MAX_SIDE_EXITS: u32 = 2;

/// Buffers used for one block after another, and the block made last.
#[derive(Default)]
pub struct Translator {
    pub(crate) ir: Ir,
    analysis: Analysis,
    lookahead: Lookahead,
    pub(crate) code: Code,
    scratch: Scratch,
    /// The number of the translation under way. Written under the engine's lock.
    pub(crate) job: Option<u64>,
}

/// What the engine wants of a block, as of the beginning of its translation.
#[derive(Clone, Default)]
pub(crate) struct Limits {
    /// Instructions left to the interpreter.
    pub interpreted: Option<Arc<FxHashSet<u64>>>,
    /// It ends at its first conditional branch.
    pub single_exit: bool,
    /// See [`Engine::keep_flags_exact`].
    pub exact_flags: bool,
    /// See [`Engine::heed_synchronisation`].
    pub synchronises: bool,
}

/// Whether the block takes another instruction; `seen` is how many of its operations were found not to be able to leave
/// it.
fn may_grow(ir: &Ir, seen: &mut usize) -> bool {
    if ir.insns < MAX_INSNS {
        return true;
    }
    let quiet = |op: &Op| op.effect() != Effect::Observes;
    *seen += ir.ops[*seen..].iter().take_while(|op| quiet(op)).count();
    ir.insns < MAX_QUIET_INSNS && *seen == ir.ops.len()
}

/// Reads instruction words, checking each new page.
pub(crate) struct Fetch<'a> {
    engine: &'a Engine,
    page: Option<GuestAddr>,
    /// The page has FEAT_BTI's guard.
    guarded: bool,
}

impl<'a> Fetch<'a> {
    pub(crate) fn new(engine: &'a Engine) -> Fetch<'a> {
        Fetch {
            engine,
            page: None,
            guarded: false,
        }
    }

    pub(crate) fn word(&mut self, pc: u64) -> Result<u32, MemFault> {
        let addr = GuestAddr(pc);
        let fault = |kind| MemFault {
            addr,
            access: Access::Execute,
            kind,
        };
        if pc & 3 != 0 {
            return Err(fault(FaultKind::Alignment));
        }
        let word = access::load(addr, 4).map_err(|f| MemFault {
            access: Access::Execute,
            ..f
        })?;
        if self.page != Some(addr.page()) {
            if !self.engine.space.is_executable(addr) {
                return Err(fault(FaultKind::Permission));
            }
            self.page = Some(addr.page());
            self.guarded = self.engine.is_guarded(addr);
        }
        Ok(word as u32)
    }
}

impl Engine {
    /// Whether FEAT_BTI guards the page of `addr`.
    pub(crate) fn is_guarded(&self, addr: GuestAddr) -> bool {
        self.model.features.contains(Feature::Bti) && self.space.is_guarded(addr)
    }

    /// Reads the instruction at `pc` for the interpreter.
    pub(crate) fn fetch(&self, pc: GuestAddr) -> Result<u32, Exit> {
        Fetch::new(self).word(pc.0).map_err(Exit::Fault)
    }

    /// Makes the code of the block at `key`, for an address of this phase. Needs no lock.
    ///
    /// # Errors
    /// The fault of fetching its first instruction.
    pub(crate) fn translate(
        &self,
        translator: &mut Translator,
        key: BlockKey,
        phase: u32,
        limits: &Limits,
    ) -> Result<(), Exit> {
        let Translator {
            ir,
            analysis,
            lookahead,
            code,
            scratch,
            job: _,
        } = translator;
        self.build(ir, key, limits)?;
        let features = self.model.features;
        let exact = limits.exact_flags;
        analysis.run(&self.target.homes, ir, |pc| {
            lookahead.flags_live(pc, features, exact)
        });
        lower(&self.target, ir, analysis, phase, code, scratch);
        Ok(())
    }

    /// Records the block's instructions.
    fn build(&self, ir: &mut Ir, key: BlockKey, limits: &Limits) -> Result<(), Exit> {
        let mut fetch = Fetch::new(self);
        let mut word = fetch.word(key.pc).map_err(Exit::Fault)?;
        let mut builder = Builder::new(&self.target, ir, key.pc, key.fp_mode, self.model.features);
        builder.ir.exact_flags = limits.exact_flags;
        builder.synchronises = limits.synchronises;
        builder.ir.checked = self.fp_checks.load(Ordering::Relaxed);
        builder.alone = !self.several_cpus.load(Ordering::SeqCst);
        let (mut side_exits, mut quiet_ops) = (0, 0);
        loop {
            let interpreted = limits.interpreted.as_deref();
            let inline = interpreted.is_none_or(|set| !set.contains(&builder.next_pc()));
            builder.guarded = fetch.guarded;
            let flow = builder.instruction(word, inline, |word, ops| semantics::translate(word, ops).is_ok());
            let pc = builder.next_pc();
            match flow {
                Flow::End => break,
                Flow::Conditional => {
                    side_exits += 1;
                    let ends = side_exits == MAX_SIDE_EXITS || limits.single_exit;
                    if ends || self.is_known(BlockKey { pc, ..key }) {
                        builder.finish();
                        break;
                    }
                }
                Flow::Next => {}
            }
            // A block touches at most two pages, so that dropping one page's code stays cheap.
            let too_far = (pc & !(PAGE_SIZE - 1)) > (key.pc & !(PAGE_SIZE - 1)) + PAGE_SIZE;
            match fetch.word(pc) {
                Ok(next) if may_grow(builder.ir, &mut quiet_ops) && !too_far => word = next,
                _ => {
                    builder.finish();
                    break;
                }
            }
        }
        Ok(())
    }
}
