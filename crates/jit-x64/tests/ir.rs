//! The block IR of every row: each operand is an earlier result of the bank that its operation's row in the table
//! names.

use a64_isa::{FeatureSet, ROWS, sample};
use jit_x64::build::{Builder, FpMode};
use jit_x64::ir::{Ir, Op};
use jit_x64::target::{Bank, HostFeatures, Target};
use semantics::ops::{Lane, Shape, Span, Vec1};

/// With all features, so that the most is recorded inline.
static TARGET: Target = Target::new(HostFeatures::ALL);

/// Encodings of each row, each in one of the modes.
const SAMPLES: u64 = 100;

fn record(word: u32, mode: u64) -> Ir {
    let fp_mode = FpMode {
        flush: mode & 1 != 0,
        flush_half: mode & 2 != 0,
        default_nan: mode & 4 != 0,
        alternative_half: mode & 8 != 0,
        exact_underflow: mode & 16 != 0,
    };
    let mut ir = Ir::default();
    let mut builder = Builder::new(&TARGET, &mut ir, 0x40_0000, fp_mode, FeatureSet::ALL);
    builder.ir.checked = mode & 32 != 0;
    builder.alone = mode & 64 != 0;
    builder.instruction(word, true, |word, ops| semantics::translate(word, ops).is_ok());
    ir
}

#[test]
fn operands_are_earlier_results_of_their_bank() {
    let mut operations = 0;
    for row in ROWS {
        for random in 0..SAMPLES {
            let word = sample(row, random);
            let ir = record(word, random);
            assert_eq!(ir.misplaced(), None, "{} {word:08x}: {:?}", row.name, ir.ops);
            operations += ir.ops.len();
        }
    }
    println!("{operations} operations of {} rows", ROWS.len());
    assert!(operations > ROWS.len() * SAMPLES as usize);
}

#[test]
fn misplaced_operands_are_found() {
    let not = |a| Op::Vec1 {
        op: Vec1::Not,
        s: Shape::new(Lane::B, Span::Full),
        a,
    };
    let ir = |ops: &[Op]| Ir {
        ops: ops.to_vec(),
        ..Ir::default()
    };
    assert_eq!(Op::GetV(1).result(), Some(Bank::V));
    assert_eq!(ir(&[Op::GetV(1), not(0)]).misplaced(), None);
    assert_eq!(
        ir(&[Op::GetX(1), not(0)]).misplaced(),
        Some(not(0)),
        "the other bank"
    );
    assert_eq!(
        ir(&[not(1), Op::GetV(1)]).misplaced(),
        Some(not(1)),
        "a later result"
    );
    assert_eq!(ir(&[Op::Fence, not(0)]).misplaced(), Some(not(0)), "no result");
}
