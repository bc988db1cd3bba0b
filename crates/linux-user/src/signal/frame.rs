//! arm64's rt_sigframe: what a handler finds on its stack and what rt_sigreturn reads back
//! (Linux arch/arm64/kernel/signal.c; uapi asm/sigcontext.h, asm/ucontext.h).
//!
//! From the stack pointer upwards: siginfo (128 bytes), ucontext, and at the very top a
//! frame record {fp, lr} that ties the handler to the interrupted function.

use super::altstack::AltStack;
use super::info::SigInfo;
use super::set::SigSet;
use guest::cpu_model::Feature;
use guest::{CpuState, GuestAddr};
use guest_memory::access;
use linux_abi::Errno;

const INFO_SIZE: usize = 128;
/// Offsets in the frame.
const UC: usize = INFO_SIZE;
const UC_STACK: usize = UC + 16;
const UC_SIGMASK: usize = UC + 40;
const MCONTEXT: usize = UC + 176;
const REGS: usize = MCONTEXT + 8;
const SP: usize = REGS + 31 * 8;
const PC: usize = SP + 8;
const PSTATE: usize = PC + 8;
/// sigcontext's area of records, 16-byte aligned.
const RESERVED: usize = MCONTEXT + 288;
const RESERVED_SIZE: usize = 4096;
/// sizeof(struct rt_sigframe).
const FRAME_SIZE: u64 = (RESERVED + RESERVED_SIZE) as u64;
const FRAME_RECORD_SIZE: u64 = 16;

const FPSIMD_MAGIC: u32 = 0x4650_8001;
const FPSIMD_SIZE: usize = 528;
const ESR_MAGIC: u32 = 0x4553_5201;
const ESR_SIZE: usize = 16;
/// What is written: up to the terminating record, behind the two others.
const WRITTEN: usize = RESERVED + FPSIMD_SIZE + ESR_SIZE + 8;

/// The flags of PSTATE that user space may set.
const PSTATE_NZCV: u64 = 0xf000_0000;
const PSTATE_DIT: u64 = 1 << 24;
pub const PSTATE_SSBS: u64 = 1 << 12;
const PSTATE_BTYPE_SHIFT: u32 = 10;
/// D, A, I, F, the mode and the AArch32 bit: all zero for EL0.
pub const PSTATE_FORBIDDEN: u64 = 0x3df;

/// What besides the registers goes into a frame.
pub struct Context {
    pub info: SigInfo,
    pub with_info: bool,
    pub mask: SigSet,
    pub altstack: AltStack,
    pub fault_address: u64,
    /// 0 for none.
    pub fault_esr: u64,
}

/// Where a new frame stands.
#[derive(Clone, Copy, Debug)]
pub struct Placed {
    pub frame: GuestAddr,
    pub frame_record: GuestAddr,
}

impl Placed {
    #[must_use]
    pub fn info(&self) -> u64 {
        self.frame.0
    }

    #[must_use]
    pub fn ucontext(&self) -> u64 {
        self.frame.0.wrapping_add(UC as u64)
    }
}

fn put(bytes: &mut [u8], at: usize, value: u64) {
    bytes[at..at + 8].copy_from_slice(&value.to_le_bytes());
}

fn put32(bytes: &mut [u8], at: usize, value: u32) {
    bytes[at..at + 4].copy_from_slice(&value.to_le_bytes());
}

fn get(bytes: &[u8], at: usize) -> u64 {
    let mut word = [0; 8];
    word.copy_from_slice(&bytes[at..at + 8]);
    u64::from_le_bytes(word)
}

fn get32(bytes: &[u8], at: usize) -> u32 {
    let mut word = [0; 4];
    word.copy_from_slice(&bytes[at..at + 4]);
    u32::from_le_bytes(word)
}

/// PSTATE as programs see it.
#[must_use]
pub fn pstate(state: &CpuState) -> u64 {
    let btype = if state.model.features.contains(Feature::Bti) {
        state.btype
    } else {
        0
    };
    u64::from(state.nzcv()) | state.pstate | btype << PSTATE_BTYPE_SHIFT
}

/// Sets what programs may set of PSTATE.
pub fn set_pstate(state: &mut CpuState, pstate: u64) {
    state.set_nzcv((pstate & PSTATE_NZCV) as u32);
    let features = state.model.features;
    let allowed = |feature, bits: u64| if features.contains(feature) { bits } else { 0 };
    state.pstate = pstate & (allowed(Feature::Dit, PSTATE_DIT) | allowed(Feature::Ssbs, PSTATE_SSBS));
    state.btype = pstate >> PSTATE_BTYPE_SHIFT & allowed(Feature::Bti, 3);
}

/// Writes the frame of `state` below `top`.
///
/// # Errors
/// EFAULT when the stack cannot be written.
pub fn write(state: &CpuState, top: u64, context: &Context) -> Result<Placed, Errno> {
    let frame_record = top.wrapping_sub(FRAME_RECORD_SIZE) & !15;
    let frame = frame_record.wrapping_sub(FRAME_SIZE);
    let mut bytes = [0_u8; WRITTEN];
    bytes[..INFO_SIZE].copy_from_slice(&context.info.to_bytes());
    put(&mut bytes, UC_STACK, context.altstack.sp);
    put32(&mut bytes, UC_STACK + 8, context.altstack.flags);
    put(&mut bytes, UC_STACK + 16, context.altstack.size);
    put(&mut bytes, UC_SIGMASK, context.mask);
    put(&mut bytes, MCONTEXT, context.fault_address);
    for n in 0..31 {
        put(&mut bytes, REGS + n * 8, state.reg(n));
    }
    put(&mut bytes, SP, state.sp());
    put(&mut bytes, PC, state.pc().0);
    put(&mut bytes, PSTATE, pstate(state));
    put32(&mut bytes, RESERVED, FPSIMD_MAGIC);
    put32(&mut bytes, RESERVED + 4, FPSIMD_SIZE as u32);
    put32(&mut bytes, RESERVED + 8, state.fpsr());
    put32(&mut bytes, RESERVED + 12, state.fp.fpcr);
    for (n, value) in state.v.iter().enumerate() {
        let at = RESERVED + 16 + n * 16;
        bytes[at..at + 16].copy_from_slice(&value.to_le_bytes());
    }
    let mut end = RESERVED + FPSIMD_SIZE;
    if context.fault_esr != 0 {
        put32(&mut bytes, end, ESR_MAGIC);
        put32(&mut bytes, end + 4, ESR_SIZE as u32);
        put(&mut bytes, end + 8, context.fault_esr);
        end += ESR_SIZE;
    }
    // The terminating record is zero, as the rest of the bytes.
    end += 8;
    let fault = |_| Errno::EFAULT;
    // The kernel leaves siginfo unwritten for a handler that does not ask for it.
    let from = if context.with_info { 0 } else { INFO_SIZE };
    access::write(GuestAddr(frame.wrapping_add(from as u64)), &bytes[from..end]).map_err(fault)?;
    let mut record = [0; 16];
    put(&mut record, 0, state.reg(29));
    put(&mut record, 8, state.reg(30));
    access::write(GuestAddr(frame_record), &record).map_err(fault)?;
    Ok(Placed {
        frame: GuestAddr(frame),
        frame_record: GuestAddr(frame_record),
    })
}

/// What a frame gives back besides the registers.
pub struct Restored {
    pub mask: SigSet,
    pub altstack: AltStack,
}

/// Reads the frame at the stack pointer into `state`, which changes only if all is well.
///
/// # Errors
/// EFAULT or EINVAL: the kernel sends SIGSEGV for both.
pub fn read(state: &mut CpuState) -> Result<Restored, Errno> {
    let frame = state.sp();
    if frame & 15 != 0 {
        return Err(Errno::EFAULT);
    }
    let mut bytes = vec![0_u8; RESERVED + RESERVED_SIZE];
    access::read(GuestAddr(frame), &mut bytes).map_err(|_| Errno::EFAULT)?;
    let pstate = get(&bytes, PSTATE);
    if pstate & PSTATE_FORBIDDEN != 0 {
        return Err(Errno::EINVAL);
    }
    let fpsimd = find_fpsimd(&bytes[RESERVED..])?;
    for n in 0..31 {
        state.set_reg(n, get(&bytes, REGS + n * 8));
    }
    state.set_sp(get(&bytes, SP));
    state.pc = get(&bytes, PC);
    set_pstate(state, pstate);
    let at = RESERVED + fpsimd;
    state.set_fpcr(get32(&bytes, at + 12));
    state.set_fpsr(get32(&bytes, at + 8));
    for (n, value) in state.v.iter_mut().enumerate() {
        let low = get(&bytes, at + 16 + n * 16);
        let high = get(&bytes, at + 24 + n * 16);
        *value = u128::from(low) | u128::from(high) << 64;
    }
    // An exception return clears the exclusive monitor.
    state.exclusive_addr = u64::MAX;
    Ok(Restored {
        mask: get(&bytes, UC_SIGMASK),
        altstack: AltStack {
            sp: get(&bytes, UC_STACK),
            flags: get32(&bytes, UC_STACK + 8),
            size: get(&bytes, UC_STACK + 16),
        },
    })
}

/// The offset of the one fpsimd_context among the records (parse_user_sigframe).
fn find_fpsimd(records: &[u8]) -> Result<usize, Errno> {
    let mut found = None;
    let mut at = 0;
    loop {
        if records.len() - at < 8 {
            return Err(Errno::EINVAL);
        }
        let magic = get32(records, at);
        let size = get32(records, at + 4) as usize;
        if magic == 0 {
            return match (size, found) {
                (0, Some(fpsimd)) => Ok(fpsimd),
                (_, _) => Err(Errno::EINVAL),
            };
        }
        if size < 8 || !size.is_multiple_of(16) || size > records.len() - at {
            return Err(Errno::EINVAL);
        }
        match magic {
            FPSIMD_MAGIC if found.is_none() && size >= FPSIMD_SIZE => found = Some(at),
            ESR_MAGIC => {}
            _ => return Err(Errno::EINVAL),
        }
        at += size;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn layout_is_that_of_the_kernel_headers() {
        // sizeof(struct rt_sigframe), offsetof(struct ucontext, uc_mcontext), and within
        // sigcontext sp, pc, pstate, __reserved, from the arm64 uapi headers.
        assert_eq!(FRAME_SIZE, 4688);
        assert_eq!(MCONTEXT - UC, 176);
        assert_eq!((SP - MCONTEXT, PC - MCONTEXT, PSTATE - MCONTEXT), (256, 264, 272));
        assert_eq!(RESERVED - MCONTEXT, 288);
    }

    fn context() -> Context {
        Context {
            info: SigInfo::fault(11, 1, 0x1234),
            with_info: true,
            mask: 0x55,
            altstack: AltStack {
                sp: 0x1000,
                size: 0x2000,
                flags: 0,
            },
            fault_address: 0x1234,
            fault_esr: 0x9200_0007,
        }
    }

    fn numbered_state() -> CpuState {
        let mut state = CpuState::new();
        for n in 0..31 {
            state.x[n] = 0x100 + n as u64;
            state.v[n] = u128::from(n as u64) << 64 | 7;
        }
        state.pc = 0x4000;
        state.set_nzcv(0xa000_0000);
        state
    }

    #[test]
    fn a_frame_reads_back() {
        let mut stack = vec![0_u8; 8192];
        let top = stack.as_mut_ptr() as u64 + 8192;
        let mut state = numbered_state();
        state.set_sp(top);
        let placed = write(&state, top, &context()).expect("the stack is writable");
        let mut restored = CpuState::new();
        restored.set_sp(placed.frame.0);
        let rest = read(&mut restored).expect("a fresh frame is valid");
        assert_eq!(restored.x, state.x);
        assert_eq!(restored.v, state.v);
        assert_eq!((restored.pc, restored.nzcv()), (0x4000, 0xa000_0000));
        assert_eq!((rest.mask, rest.altstack), (0x55, context().altstack));
    }

    #[test]
    fn damaged_frames_are_refused() {
        // (offset, value of 32 bits) written over a valid frame.
        let damage: &[(usize, u32)] = &[
            (RESERVED, 0x1111_1111),
            (RESERVED, 0),
            (RESERVED + 4, 12),
            (RESERVED + 4, 0xffff_fff0),
            (RESERVED + FPSIMD_SIZE, FPSIMD_MAGIC),
            (PSTATE, 5),
            (PSTATE, 0x10),
        ];
        for &(offset, value) in damage {
            let mut stack = vec![0_u8; 8192];
            let top = stack.as_mut_ptr() as u64 + 8192;
            let placed = write(&numbered_state(), top, &context()).expect("the stack is writable");
            access::write(placed.frame.offset(offset as i64), &value.to_le_bytes()).expect("as above");
            let mut state = CpuState::new();
            state.set_sp(placed.frame.0);
            assert!(read(&mut state).is_err(), "{offset:#x} {value:#x}");
            assert_eq!(state.pc, 0, "nothing was restored");
        }
    }
}
