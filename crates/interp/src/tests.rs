//! Operations whose effect is the interpreter's own: faults, branches, exits.

use crate::Player;
use guest::{Access, CpuState, Exit, FaultKind, GUEST_ADDRESS_LIMIT, GuestAddr, MemFault};
use semantics::Ops;
use semantics::ops::{Exception, Indirect, LoadExt, MemSize, Order, SysReg, Test, Width};

fn state() -> CpuState {
    let mut state = CpuState::new();
    state.pc = 0x1000;
    state.x[1] = 0x11;
    state
}

/// Runs operations as one instruction.
fn run(state: &mut CpuState, ops: impl FnOnce(&mut Player)) -> Result<(), Exit> {
    let mut player = Player::new(state);
    ops(&mut player);
    player.finish()
}

#[test]
fn plain_instruction_moves_on() {
    let mut s = state();
    assert_eq!(run(&mut s, |ops| ops.set_x(1, 5)), Ok(()));
    assert_eq!((s.pc, s.x[1]), (0x1004, 5));
}

#[test]
fn nothing_changes_after_a_fault() {
    let mut s = state();
    let exit = run(&mut s, |ops| {
        let value = ops.load(MemSize::X, LoadExt::Zero, GUEST_ADDRESS_LIMIT, 0);
        ops.store(MemSize::X, GUEST_ADDRESS_LIMIT, 8, 0);
        ops.set_x(1, value);
        ops.set_sp(1);
        ops.set_v(0, 1);
        ops.write_sys(SysReg::Nzcv, 1 << 31);
        ops.branch(0x2000);
    });
    let fault = MemFault {
        addr: GuestAddr(GUEST_ADDRESS_LIMIT),
        access: Access::Read,
        kind: FaultKind::Unmapped,
    };
    assert_eq!(exit, Err(Exit::Fault(fault)));
    assert_eq!((s.pc, s.x[1], s.sp(), s.v[0], s.nzcv()), (0x1000, 0x11, 0, 0, 0));
}

#[test]
fn exclusives_and_atomics_across_16_bytes_fault() {
    type Access = fn(&mut Player);
    let accesses: [Access; 6] = [
        |ops| _ = ops.load_exclusive(MemSize::X, Order::Relaxed, 0x100c),
        |ops| _ = ops.load_exclusive_pair(MemSize::X, Order::Relaxed, 0x1008),
        |ops| _ = ops.store_exclusive(MemSize::H, Order::Relaxed, 0x100f, 0),
        |ops| _ = ops.compare_swap_pair(MemSize::W, Order::Relaxed, 0x100c, (0, 0), (0, 0)),
        |ops| _ = ops.load_acquire(MemSize::W, 0x100e),
        |ops| ops.store_release(MemSize::W, 0x100e, 0),
    ];
    for (n, access) in accesses.into_iter().enumerate() {
        let exit = run(&mut state(), access);
        let aligned = matches!(
            exit,
            Err(Exit::Fault(MemFault {
                kind: FaultKind::Alignment,
                ..
            }))
        );
        assert!(aligned, "access {n}: {exit:?}");
    }
}

#[test]
fn branches() {
    type Branch = fn(&mut Player);
    let branches: [(Branch, u64); 7] = [
        (|ops| ops.branch(0x2000), 0x2000),
        (|ops| ops.branch_to(0x5a00_0000_0000_2000, Indirect::Jump), 0x2000),
        (|ops| ops.branch_if(Test::Zero(Width::W, 1 << 32), 0x2000), 0x2000),
        (|ops| ops.branch_if(Test::Zero(Width::X, 1 << 32), 0x2000), 0x1004),
        (
            |ops| ops.branch_if(Test::NonZero(Width::X, 1 << 32), 0x2000),
            0x2000,
        ),
        (|ops| ops.branch_if(Test::BitSet(1 << 63, 63), 0x2000), 0x2000),
        (|ops| ops.branch_if(Test::BitClear(1 << 63, 63), 0x2000), 0x1004),
    ];
    for (n, (branch, pc)) in branches.into_iter().enumerate() {
        let mut s = state();
        assert_eq!(run(&mut s, branch), Ok(()), "branch {n}");
        assert_eq!(s.pc, pc, "branch {n}");
    }
}

#[test]
fn exits_leave_pc_where_they_promise() {
    let cases = [
        (Exception::Svc(7), Exit::Svc(7), 0x1004),
        (Exception::Brk(8), Exit::Breakpoint(8), 0x1000),
        (Exception::Undefined, Exit::Undefined, 0x1000),
    ];
    for (exception, exit, pc) in cases {
        let mut s = state();
        assert_eq!(run(&mut s, |ops| ops.exception(exception)), Err(exit));
        assert_eq!(s.pc, pc, "{exception:?}");
    }
    let mut s = state();
    let exit = run(&mut s, |ops| ops.invalidate_code(0x5a00_0000_0000_3000));
    assert_eq!(exit, Err(Exit::InvalidateCode(GuestAddr(0x3000))));
    assert_eq!(s.pc, 0x1004);
}

#[test]
fn store_exclusive_without_a_mark_fails() {
    let mut s = state();
    let exit = run(&mut s, |ops| {
        let status = ops.store_exclusive(MemSize::W, Order::Relaxed, 0x1000, 5);
        ops.set_x(1, status);
    });
    assert_eq!((exit, s.x[1]), (Ok(()), 1));
}
