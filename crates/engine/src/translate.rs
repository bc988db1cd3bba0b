//! From guest bytes to a block in the code cache.

use crate::blocks::{BlockKey, Engine, Shared, SiteRecord};
use crate::cache::CodeCache;
use crate::peek::Lookahead;
use guest::cpu_model::Feature;
use guest::{Access, Exit, FaultKind, GuestAddr, MemFault, PAGE_SIZE};
use guest_memory::access;
use jit_x64::asm::Asm;
use jit_x64::build::{Builder, Flow, FpMode};
use jit_x64::ir::{Effect, Ir, Op};
use jit_x64::lower::{Code, Scratch, lower};
use jit_x64::opt::Analysis;
use std::sync::atomic::Ordering;

/// Guest instructions in one block at most, and in one that cannot be left before its last: the longer it is, the
/// fewer guest registers go to their homes and back.
pub(crate) const MAX_INSNS: u32 = 64;
const MAX_QUIET_INSNS: u32 = 512;
/// Conditional branches passed before the block is ended at the next.
const MAX_SIDE_EXITS: u32 = 2;

/// Buffers used for one block after another.
#[derive(Default)]
pub struct Translator {
    ir: Ir,
    analysis: Analysis,
    lookahead: Lookahead,
    code: Code,
    scratch: Scratch,
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

    /// Translates the block at `pc` without running it, unless it is known already, and
    /// gives the address behind it: for measuring, and for warming up. `None` if nothing
    /// can be fetched there, there is no room, or this engine only interprets.
    #[must_use]
    pub fn translate_ahead(&self, pc: GuestAddr) -> Option<GuestAddr> {
        let cache = self.cache.as_ref()?;
        let key = BlockKey {
            pc: pc.0,
            fp_mode: FpMode::default(),
        };
        let mut shared = self.lock();
        if Engine::find(&shared, key).is_none() {
            if !cache.has_room() {
                return None;
            }
            self.translate(cache, &mut shared, key).ok()?;
        }
        shared.guest_end(key)
    }

    /// Translates the block at `key` and returns its host address.
    ///
    /// # Errors
    /// The fault of fetching its first instruction.
    pub(crate) fn translate(
        &self,
        cache: &CodeCache,
        shared: &mut Shared,
        key: BlockKey,
    ) -> Result<u64, Exit> {
        let mut translator = std::mem::take(&mut shared.translator);
        let built = self.build(shared, &mut translator.ir, key);
        if built.is_ok() {
            let Translator {
                ir,
                analysis,
                lookahead,
                ..
            } = &mut translator;
            let features = self.model.features;
            analysis.run(&self.target.homes, ir, |pc| lookahead.flags_live(pc, features));
        }
        let host = built.map(|()| self.emit(cache, shared, &mut translator, key));
        shared.translator = translator;
        host
    }

    /// Records the block's instructions.
    fn build(&self, shared: &Shared, ir: &mut Ir, key: BlockKey) -> Result<(), Exit> {
        let mut fetch = Fetch::new(self);
        let mut word = fetch.word(key.pc).map_err(Exit::Fault)?;
        let mut builder = Builder::new(&self.target, ir, key.pc, key.fp_mode, self.model.features);
        builder.ir.checked = self.fp_checks.load(Ordering::Relaxed);
        builder.alone = !self.several_cpus.load(Ordering::SeqCst);
        let (mut side_exits, mut quiet_ops) = (0, 0);
        loop {
            let inline = shared.interpreted.is_empty() || !shared.interpreted.contains(&builder.next_pc());
            builder.guarded = fetch.guarded;
            let flow = builder.instruction(word, inline, |word, ops| semantics::translate(word, ops).is_ok());
            let pc = builder.next_pc();
            match flow {
                Flow::End => break,
                Flow::Conditional => {
                    side_exits += 1;
                    let known = Engine::find(shared, BlockKey { pc, ..key }).is_some();
                    if known || shared.single_exit || side_exits == MAX_SIDE_EXITS {
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

    /// Lowers the recorded block into the code cache and makes it known.
    fn emit(
        &self,
        cache: &CodeCache,
        shared: &mut Shared,
        translator: &mut Translator,
        key: BlockKey,
    ) -> u64 {
        let Translator {
            ir,
            analysis,
            lookahead: _,
            code,
            scratch,
        } = translator;
        let (start, room) = cache.room();
        // SAFETY: the room at the cursor is unused, and the engine's lock (`shared`) keeps others out.
        let asm = unsafe { Asm::new(start, room) };
        let first_site = shared.sites.len() as u32;
        let asm = lower(
            asm,
            &self.target,
            ir,
            analysis,
            &self.stubs,
            first_site,
            code,
            scratch,
        );
        assert!(!asm.overflowed(), "room for a block is checked before it is made");
        let host = asm.base();
        cache.keep_block(key.pc, code.len, &code.map);
        if let Some(trace) = self.trace() {
            // SAFETY: these bytes of the cache have just been written, and nothing patches them yet.
            let bytes = unsafe { std::slice::from_raw_parts(host as *const u8, code.len as usize) };
            trace.block(ir, bytes, host);
        }
        shared.statistics.blocks += 1;
        shared.statistics.guest_instructions += u64::from(ir.insns);
        shared.statistics.host_bytes += u64::from(code.len);
        shared.insert(key, host, ir.guest_len, cache);
        for site in &code.sites {
            let target = BlockKey {
                pc: site.target,
                ..key
            };
            let record = SiteRecord {
                field: host + u64::from(site.field),
                stub: host + u64::from(site.stub),
                target,
            };
            shared.add_site(record, cache);
        }
        host
    }
}
