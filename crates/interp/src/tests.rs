//! Operations whose effect is the interpreter's own: faults, branches, exits.

use crate::{Player, Stop, Watched, Watchpoint, step_watched};
use guest::{Access, CpuState, Exit, FaultKind, GUEST_ADDRESS_LIMIT, GuestAddr, MemFault};
use semantics::ops::{
    AtomicOps, Barrier, ControlOps, Exception, Indirect, LoadExt, MemSize, MemoryOps, Order, RegisterOps,
    SysReg, SystemOps, Test, Width,
};

fn state() -> CpuState {
    let mut state = CpuState::new();
    state.pc = 0x1000;
    state.x[1] = 0x11;
    state
}

/// Runs operations as one instruction.
fn run(state: &mut CpuState, ops: impl FnOnce(&mut Player)) -> Result<(), Stop> {
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
    assert_eq!(exit, Err(Stop::Exit(Exit::Fault(fault))));
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
            Err(Stop::Exit(Exit::Fault(MemFault {
                kind: FaultKind::Alignment,
                ..
            })))
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
        assert_eq!(run(&mut s, |ops| ops.exception(exception)), Err(Stop::Exit(exit)));
        assert_eq!(s.pc, pc, "{exception:?}");
    }
    let mut s = state();
    let exit = run(&mut s, |ops| ops.invalidate_code(0x5a00_0000_0000_3000));
    assert_eq!(exit, Err(Stop::InvalidateCode(GuestAddr(0x3000))));
    assert_eq!(s.pc, 0x1004);
    let exit = run(&mut s, |ops| ops.barrier(Barrier::Instruction));
    assert_eq!((exit, s.pc), (Err(Stop::Synchronise), 0x1008));
}

/// FCADD and FCMLA on halves need FEAT_FP16 besides FEAT_FCMA.
#[test]
fn complex_halves_need_halves() {
    const HALVES: [u32; 3] = [
        0x6e42_e420, // fcadd v0.8h, v1.8h, v2.8h, #90
        0x6e42_c420, // fcmla v0.8h, v1.8h, v2.8h, #0
        0x6f42_1020, // fcmla v0.8h, v1.8h, v2.h[0], #0
    ];
    const SINGLES: [u32; 3] = [0x6e82_e420, 0x6e82_c420, 0x6f82_1020];
    let step = |model: &str, word| {
        let mut s = state();
        s.model = guest::cpu_model::choice::choose(model).expect("a model");
        crate::step(&mut s, word)
    };
    for (half, single) in HALVES.into_iter().zip(SINGLES) {
        assert_eq!(step("max", half), Ok(()), "{half:08x}");
        assert_eq!(
            step("max,fphp=off", half),
            Err(Stop::Exit(Exit::Undefined)),
            "{half:08x}"
        );
        assert_eq!(step("max,fphp=off", single), Ok(()), "{single:08x}");
        assert_eq!(
            step("max,fcma=off", half),
            Err(Stop::Exit(Exit::Undefined)),
            "{half:08x}"
        );
    }
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

#[test]
fn a_watched_instruction_does_nothing_at_all() {
    let mut memory = [0_u64; 32];
    let base = memory.as_mut_ptr() as u64;
    let watched = |offset: u64| {
        [Watchpoint {
            start: base + offset,
            end: base + offset + 1,
            loads: false,
            stores: true,
        }]
    };
    let mut state = CpuState::new();
    state.x[0] = base;
    state.v[0] = u128::MAX;
    state.btype = 1;
    // st1 {v0.16b-v3.16b}, [x0], #64
    let word = 0x4c9f_2000;
    assert_eq!(
        step_watched(&mut state, word, &watched(48)),
        Ok(Watched::Hit(GuestAddr(base + 48)))
    );
    assert_eq!((state.pc, state.x[0], state.btype), (0, base, 1));
    assert_eq!(memory[0], 0);
    // Near, and no more.
    assert_eq!(step_watched(&mut state, word, &watched(64)), Ok(Watched::Stepped));
    assert_eq!((state.pc, state.x[0], state.btype), (4, base + 64, 0));
    assert_eq!(std::hint::black_box(&memory)[..2], [u64::MAX; 2]);
    state.x[0] = base;
    // dc cvac, x0; dc zva, x0
    assert_eq!(
        step_watched(
            &mut state,
            0xd50b_7a20,
            &[Watchpoint {
                loads: true,
                ..watched(0)[0]
            }]
        ),
        Ok(Watched::Stepped)
    );
    assert_eq!(
        step_watched(&mut state, 0xd50b_7420, &watched(0)),
        Ok(Watched::Hit(GuestAddr(base)))
    );
}
