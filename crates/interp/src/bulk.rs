//! The main and epilogue stages of FEAT_MOPS, which write the size register back as far as
//! they came.

use crate::watch::Touch;
use guest::{Access, CpuState, FaultKind, GuestAddr, MemFault};
use guest_memory::access;
use semantics::ops::{BulkOp, BulkRegs, BulkStage};

/// Bytes of a tag granule.
const GRANULE: u64 = 16;
const NZCV_N: u32 = 1 << 31;
const NZCV_C: u32 = 1 << 29;

/// Does what is left. `Some` is where to go on instead of the next instruction.
///
/// # Errors
/// The fault, after the size register was written.
pub fn run(
    state: &mut CpuState,
    op: BulkOp,
    stage: BulkStage,
    regs: BulkRegs,
) -> Result<Option<u64>, MemFault> {
    let (to, from, size) = (
        state.reg(regs.rd.into()),
        state.reg(regs.rs.into()),
        state.reg(regs.rn.into()),
    );
    if op == BulkOp::SetGranules && size != 0 && (to | size) % GRANULE != 0 {
        return Err(MemFault {
            addr: access::untag(GuestAddr(to)),
            access: Access::Write,
            kind: FaultKind::Alignment,
        });
    }
    if stage == BulkStage::Prologue {
        return Ok(None);
    }
    if state.nzcv() & NZCV_C != 0 {
        return Ok(Some(restart(state, op, stage, regs)));
    }
    let backward = op == BulkOp::Copy && size as i64 >= 0;
    let result = if backward {
        access::copy_down(end(to, size), end(from, size), size)
    } else {
        let count = size.wrapping_neg();
        match op {
            BulkOp::Set | BulkOp::SetGranules => access::fill(end(to, size), from as u8, count),
            BulkOp::CopyForward | BulkOp::Copy => access::copy_up(end(to, size), end(from, size), count),
        }
    };
    let left = result.err().map_or(0, |stopped| stopped.left);
    let left = if backward { left } else { left.wrapping_neg() };
    state.set_reg(regs.rn.into(), left);
    match result {
        Ok(()) => Ok(None),
        Err(stopped) => Err(stopped.fault),
    }
}

/// Where it will read and write: start and length of each. None for what is not there or faults.
pub fn accesses(state: &CpuState, op: BulkOp, stage: BulkStage, regs: BulkRegs) -> [(Touch, u64, u64); 2] {
    let (to, from, size) = (
        state.reg(regs.rd.into()),
        state.reg(regs.rs.into()),
        state.reg(regs.rn.into()),
    );
    let moves = stage != BulkStage::Prologue && state.nzcv() & NZCV_C == 0;
    let backward = op == BulkOp::Copy && size as i64 >= 0;
    let (count, below) = if backward {
        (size, 0)
    } else {
        (size.wrapping_neg(), size)
    };
    let written = if moves { count } else { 0 };
    let read = match op {
        BulkOp::Set | BulkOp::SetGranules => 0,
        BulkOp::CopyForward | BulkOp::Copy => written,
    };
    [
        (Touch::Store, to.wrapping_add(below), written),
        (Touch::Load, from.wrapping_add(below), read),
    ]
}

fn end(address: u64, size: u64) -> GuestAddr {
    GuestAddr(address.wrapping_add(size))
}

/// The state is that of Option B (a program that began elsewhere): back to the prologue with
/// what is left, as Linux handles the exception (arm64_mops_reset_regs).
fn restart(state: &mut CpuState, op: BulkOp, stage: BulkStage, regs: BulkRegs) -> u64 {
    let size = state.reg(regs.rn.into());
    if matches!(op, BulkOp::Copy | BulkOp::CopyForward) && state.nzcv() & NZCV_N != 0 {
        for n in [regs.rd, regs.rs] {
            let address = state.reg(n.into());
            state.set_reg(n.into(), address.wrapping_sub(size));
        }
    }
    state.pc.wrapping_sub(match stage {
        BulkStage::Prologue => 0,
        BulkStage::Main => 4,
        BulkStage::Epilogue => 8,
    })
}
