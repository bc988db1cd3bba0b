//! The passes over block IR: what they remove, and what they must leave alone.

use guest::cpu_model::FeatureSet;
use jit_x64::build::{Builder, Flow, FpMode};
use jit_x64::ir::{Ir, Op};
use jit_x64::opt::{Analysis, NO_HINT};
use jit_x64::target::{HostFeatures, Target};
use semantics::ops::{FlagOp, Int2, Vec2};

const TARGET: Target = Target::new(HostFeatures::REFERENCE);

/// Records the words as a block and runs the passes.
fn block(words: &[u32], flags_live: bool) -> (Ir, Analysis) {
    let mut ir = Ir::default();
    let mut builder = Builder::new(&TARGET, &mut ir, 0x1000, FpMode::default(), FeatureSet::ALL);
    let mut flow = Flow::Next;
    for &word in words {
        flow = builder.instruction(word, true, |word, ops| semantics::translate(word, ops).is_ok());
    }
    if flow != Flow::End {
        builder.finish();
    }
    let mut analysis = Analysis::default();
    analysis.run(&TARGET.homes, &mut ir, |_| flags_live);
    (ir, analysis)
}

fn count(ir: &Ir, wanted: impl Fn(&Op) -> bool) -> usize {
    ir.ops.iter().filter(|op| wanted(op)).count()
}

fn position(ir: &Ir, wanted: impl Fn(&Op) -> bool) -> usize {
    ir.ops
        .iter()
        .position(wanted)
        .unwrap_or_else(|| panic!("not among {:?}", ir.ops))
}

#[test]
fn flags_nobody_reads_are_not_computed() {
    // (words, flags live behind the block, flag operations left)
    let cases: &[(&[u32], bool, usize)] = &[
        (&[0xf100_0400], false, 0),              // subs x0, x0, #1
        (&[0xf100_0400], true, 1),               // the same, read later
        (&[0xf100_0400, 0xb100_0421], true, 1),  // subs x0, x0, #1; adds x1, x1, #1
        (&[0xf100_0400, 0x5400_0201], false, 1), // subs x0, x0, #1; b.ne .+0x40
        (&[0xeb01_001f, 0x9a83_0042], false, 1), // cmp x0, x1; csel x2, x2, x3, eq
        (&[0xab01_0000, 0xba03_0042], false, 1), // adds x0, x0, x1; adcs x2, x2, x3
        (&[0xab01_0000, 0xba03_0042], true, 2),
        (&[0xeb01_001f, 0xd65f_03c0], false, 1), // cmp x0, x1; ret: unknown code reads them
        (&[0xeb01_001f, 0xd400_0001], false, 1), // cmp x0, x1; svc: a signal frame shows them
    ];
    for &(words, live, left) in cases {
        let (ir, _) = block(words, live);
        let flag_ops = count(&ir, |op| matches!(op, Op::FlagOp { .. }));
        assert_eq!(flag_ops, left, "{words:x?} live {live}: {:?}", ir.ops);
    }
}

#[test]
fn without_flags_the_sum_stays() {
    let (ir, _) = block(&[0xab01_0000], false); // adds x0, x0, x1
    position(&ir, |op| matches!(op, Op::Int2 { op: Int2::Add, .. }));
    // The carry in is still read: adds x0, x0, x1; adcs x2, x2, x3
    let (ir, _) = block(&[0xab01_0000, 0xba03_0042], false);
    position(&ir, |op| matches!(op, Op::CarryOp { op: FlagOp::Adc, .. }));
    // A compare leaves nothing.
    let (ir, _) = block(&[0xeb01_001f], false);
    assert_eq!(
        count(&ir, |op| matches!(op, Op::Int2 { .. } | Op::GetX(_))),
        0,
        "{:?}",
        ir.ops
    );
}

#[test]
fn a_conditional_compare_keeps_the_flags_it_reads() {
    // cmp x0, #1; ccmp x1, #2, #4, ne
    let words = [0xf100_041f, 0xfa42_1824];
    let (ir, analysis) = block(&words, true);
    let compare = position(&ir, |op| matches!(op, Op::FlagOp { .. }));
    position(&ir, |op| matches!(op, Op::CondCompare { .. }));
    assert!(analysis.flags_after[compare]);
    let (ir, _) = block(&words, false);
    assert_eq!(
        count(&ir, |op| matches!(op, Op::FlagOp { .. } | Op::CondCompare { .. })),
        0
    );
}

#[test]
fn flags_are_kept_for_the_side_exit_that_needs_them() {
    // cmp x0, x1; cbz x2, .+0x40: live at the target, which is where the question is asked.
    let mut ir = Ir::default();
    let mut builder = Builder::new(&TARGET, &mut ir, 0x1000, FpMode::default(), FeatureSet::ALL);
    for word in [0xeb01_001f, 0xb400_0202] {
        builder.instruction(word, true, |word, ops| semantics::translate(word, ops).is_ok());
    }
    builder.finish();
    let mut analysis = Analysis::default();
    analysis.run(&TARGET.homes, &mut ir, |pc| pc == 0x1044);
    let compare = position(&ir, |op| matches!(op, Op::FlagOp { .. }));
    let exit = position(&ir, |op| matches!(op, Op::SideExit { .. }));
    assert!(analysis.flags_after[compare]);
    assert!(analysis.flags_at_target[exit]);
}

#[test]
fn register_writes_are_dropped_only_if_nothing_can_see_them() {
    // (words, writes of X0 left)
    let cases: &[(&[u32], usize)] = &[
        (&[0xd280_0020, 0xd280_0040], 1),              // mov x0, #1; mov x0, #2
        (&[0xd280_0020, 0xf940_0022, 0xd280_0040], 2), // ..; ldr x2, [x1] may fault; ..
        (&[0xd280_0020, 0x9100_0421, 0xd280_0040], 1), // ..; add x1, x1, #1; ..
        (&[0xd280_0020, 0xb400_0201, 0xd280_0040], 2), // ..; cbz x1, .+0x40 may leave; ..
        (&[0xd282_4680, 0xf2aa_cf00], 1),              // movz x0, #0x1234; movk x0, #0x5678, lsl #16
        (&[0x1e62_2820, 0xd280_0020, 0xd280_0040], 1), // fadd d0, d1, d2 comes before both
    ];
    for &(words, left) in cases {
        let (ir, _) = block(words, false);
        let writes = count(&ir, |op| matches!(op, Op::SetX(0, _)));
        assert_eq!(writes, left, "{words:x?}: {:?}", ir.ops);
    }
}

#[test]
fn vector_writes_are_dropped_likewise() {
    // movi v0.16b, #0; movi v0.16b, #1
    let (ir, _) = block(&[0x4f00_e400, 0x4f00_e420], false);
    assert_eq!(count(&ir, |op| matches!(op, Op::SetV(0, _))), 1);
    // fadd d1, d2, d3 in between may trap.
    let (ir, _) = block(&[0x4f00_e400, 0x1e63_2841, 0x4f00_e420], false);
    assert_eq!(count(&ir, |op| matches!(op, Op::SetV(0, _))), 2);
}

#[test]
fn constants_become_one() {
    // movz x0, #0x1234; movk x0, #0x5678, lsl #16: one write of one constant
    let (ir, _) = block(&[0xd282_4680, 0xf2aa_cf00], false);
    let Op::SetX(0, value) = ir.ops[position(&ir, |op| matches!(op, Op::SetX(0, _)))] else {
        unreachable!()
    };
    assert_eq!(ir.ops[value as usize], Op::Imm(0x5678_1234));
}

#[test]
fn results_are_computed_where_they_belong() {
    // (words, whether the first addition is hinted to X0)
    let cases: &[(&[u32], u8)] = &[
        (&[0x8b02_0020], 0),              // add x0, x1, x2
        (&[0x8b02_0026], NO_HINT),        // add x6, x1, x2: X6 has no host register
        (&[0xab02_0020, 0x5400_0201], 0), // adds x0, x1, x2; b.ne
    ];
    for &(words, hint) in cases {
        let (ir, analysis) = block(words, false);
        let add = position(&ir, |op| {
            matches!(op, Op::Int2 { op: Int2::Add, .. } | Op::FlagOp { .. })
        });
        assert_eq!(analysis.hint[add], hint, "{words:x?}: {:?}", ir.ops);
    }
}

#[test]
fn a_result_is_not_put_where_an_operand_is_still_to_be_read() {
    // ldp w0, w1, [x0]: the second address reads X0 between the first load and its write,
    // and a fault of the second load must find the old X0.
    let (ir, analysis) = block(&[0x2940_0400], false);
    let first = position(&ir, |op| matches!(op, Op::Load { .. }));
    assert_eq!(analysis.hint[first], NO_HINT, "{:?}", ir.ops);
}

#[test]
fn additions_fold_into_addresses() {
    // (words, operations folded)
    let cases: &[(&[u32], usize)] = &[
        (&[0xf862_6820], 1),              // ldr x0, [x1, x2]
        (&[0xf862_7820], 2),              // ldr x0, [x1, x2, lsl #3]
        (&[0xf940_0420], 0),              // ldr x0, [x1, #8]: an offset already
        (&[0x8b02_0023, 0xf940_0060], 0), // add x3, x1, x2; ldr x0, [x3]: X3 needs the sum
        // add x3, x1, x2; ldr x0, [x3]; mov x3, #0: the load may fault, so X3 is needed
        (&[0x8b02_0023, 0xf940_0060, 0xd280_0003], 0),
    ];
    for &(words, folded) in cases {
        let (ir, analysis) = block(words, false);
        let found = analysis.folded.iter().filter(|&&folded| folded).count();
        assert_eq!(found, folded, "{words:x?}: {:?}", ir.ops);
    }
}

#[test]
fn folded_operands_live_until_the_access() {
    let (ir, analysis) = block(&[0xf862_7820], false); // ldr x0, [x1, x2, lsl #3]
    let load = position(&ir, |op| matches!(op, Op::Load { .. }));
    for n in [1, 2] {
        let get = position(&ir, |op| *op == Op::GetX(n));
        assert_eq!(analysis.last_use[get] as usize, load, "x{n}: {:?}", ir.ops);
    }
}

#[test]
fn an_analysis_forgets_the_block_before() {
    let mut analysis = Analysis::default();
    let (mut long, _) = block(&[0xf862_7820, 0x8b02_0020, 0xeb01_001f, 0x5400_0201], true);
    analysis.run(&TARGET.homes, &mut long, |_| true);
    let mut ir = Ir::default();
    let mut builder = Builder::new(&TARGET, &mut ir, 0, FpMode::default(), FeatureSet::ALL);
    builder.instruction(0x8b02_0020, true, |word, ops| {
        semantics::translate(word, ops).is_ok()
    });
    builder.finish();
    analysis.run(&TARGET.homes, &mut ir, |_| false);
    assert_eq!(analysis.uses.len(), ir.ops.len());
    assert!(analysis.folded.iter().all(|folded| !folded));
}

/// `add Vn.4S, Vn.4S, Vn.4S` and `eor Vn.16B, Vn.16B, Vn.16B`.
const fn doubled(n: u32) -> [u32; 2] {
    let registers = n << 16 | n << 5 | n;
    [0x4ea0_8400 | registers, 0x6e20_1c00 | registers]
}

/// The vector registers written, in the order of their writes.
fn written(ir: &Ir) -> Vec<u8> {
    let write = |op: &Op| match *op {
        Op::SetV(n, _) => Some(n),
        _ => None,
    };
    ir.ops.iter().filter_map(write).collect()
}

/// Three rounds of one operation on each of the first `count` vector registers.
fn interleaved(count: u32) -> Vec<u32> {
    let round = |which: usize| (0..count).map(move |n| doubled(n)[which]);
    round(0).chain(round(1)).chain(round(0)).collect()
}

#[test]
fn what_fits_into_registers_keeps_its_order() {
    let (ir, _) = block(&interleaved(14), false);
    assert_eq!(written(&ir), (0..14).collect::<Vec<u8>>());
    let last_add = ir
        .ops
        .iter()
        .rposition(|op| matches!(op, Op::Vec2 { op: Vec2::Add, .. }));
    let first_xor = position(&ir, |op| matches!(op, Op::Vec2 { op: Vec2::Xor, .. }));
    assert!(last_add > Some(first_xor));
}

#[test]
fn independent_computations_come_one_after_another() {
    let (ir, analysis) = block(&interleaved(20), false);
    assert_eq!(written(&ir), (0..20).collect::<Vec<u8>>());
    // Nothing of the second set of computations stands before the end of the first.
    let end_of_first = position(&ir, |op| matches!(op, Op::SetV(13, _)));
    let start_of_second = position(&ir, |op| matches!(op, Op::GetV(14)));
    assert!(end_of_first < start_of_second, "{:?}", ir.ops);
    assert_eq!(analysis.last_use.len(), ir.ops.len());
}

#[test]
fn code_that_may_fault_keeps_its_order() {
    let mut words = interleaved(20);
    words.insert(20, 0xf940_0000); // ldr x0, [x0]
    let (ir, _) = block(&words, false);
    let load = position(&ir, |op| matches!(op, Op::Load { .. }));
    let before = ir.ops[..load]
        .iter()
        .filter(|op| matches!(op, Op::SetV(..)))
        .count();
    assert_eq!(before, 20);
}

#[test]
fn results_of_a_crowded_computation_are_used_soon() {
    // x1 to x20 shifted, then added to x1.
    let shift = |n: u32| 0x9ac0_2000 | n << 16 | n << 5 | n; // lsl xn, xn, xn
    let sum = |n: u32| 0x8b00_0021 | n << 16; // add x1, x1, xn
    let words: Vec<u32> = (1..21).map(shift).chain((2..21).map(sum)).collect();
    let (ir, _) = block(&words, false);
    let is = |wanted: Int2| move |op: &Op| matches!(op, Op::Int2 { op, .. } if *op == wanted);
    let last_shift = ir.ops.iter().rposition(is(Int2::Lsl));
    assert!(Some(position(&ir, is(Int2::Add))) < last_shift, "{:?}", ir.ops);
}
