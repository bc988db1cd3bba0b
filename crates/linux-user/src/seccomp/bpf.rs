//! [`Program`]: a filter in classic BPF, checked as the kernel checks it, and its interpreter.
//!
//! The rules are those of bpf_check_classic and check_load_and_stores (net/core/filter.c), which any classic program
//! obeys, and of seccomp_check_filter (kernel/seccomp.c), which leaves the loads that mean a packet out. A program that
//! obeys them reads nothing but its data and the scratch cells it has written, jumps forwards only, and ends.

use linux_abi::Errno;
use zerocopy::{FromBytes, Immutable, IntoBytes};

/// struct sock_filter.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, FromBytes, IntoBytes, Immutable)]
#[repr(C)]
pub struct Insn {
    pub code: u16,
    /// How many instructions a conditional jump leaves out if its condition holds, and if not.
    pub jt: u8,
    pub jf: u8,
    pub k: u32,
}

/// struct seccomp_data: the call that a filter decides on.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, FromBytes, IntoBytes, Immutable)]
#[repr(C)]
pub struct Data {
    pub nr: i32,
    pub arch: u32,
    pub instruction_pointer: u64,
    pub args: [u64; 6],
}

/// Bytes of struct seccomp_data.
const DATA_SIZE: u32 = size_of::<Data>() as u32;
/// BPF_MAXINSNS: instructions of one program.
pub const MAX_INSNS: usize = 4096;
/// BPF_MEMWORDS: scratch cells.
const CELLS: usize = 16;

/// Where the second operand comes from.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Source {
    K,
    X,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Alu {
    Add,
    Sub,
    Mul,
    Div,
    And,
    Or,
    Xor,
    Lsh,
    Rsh,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Condition {
    Equal,
    Greater,
    GreaterOrEqual,
    AnyBit,
}

/// An instruction that seccomp allows, apart from `jt`, `jf` and `k`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Op {
    /// A word of the data into A.
    LoadData,
    /// K, or the size of the data, into A or X.
    SetA,
    SetX,
    SizeToA,
    SizeToX,
    /// A scratch cell into A or X, and back.
    LoadA,
    LoadX,
    StoreA,
    StoreX,
    AToX,
    XToA,
    Alu(Alu, Source),
    Negate,
    Jump,
    JumpIf(Condition, Source),
    ReturnK,
    ReturnA,
}

impl Op {
    /// The operation a code stands for, if a filter may have it.
    fn of(code: u16) -> Option<Op> {
        let source = if code & 0x08 == 0 { Source::K } else { Source::X };
        Some(match code {
            0x20 => Op::LoadData,
            0x00 => Op::SetA,
            0x01 => Op::SetX,
            0x80 => Op::SizeToA,
            0x81 => Op::SizeToX,
            0x60 => Op::LoadA,
            0x61 => Op::LoadX,
            0x02 => Op::StoreA,
            0x03 => Op::StoreX,
            0x07 => Op::AToX,
            0x87 => Op::XToA,
            0x04 | 0x0c => Op::Alu(Alu::Add, source),
            0x14 | 0x1c => Op::Alu(Alu::Sub, source),
            0x24 | 0x2c => Op::Alu(Alu::Mul, source),
            0x34 | 0x3c => Op::Alu(Alu::Div, source),
            0x44 | 0x4c => Op::Alu(Alu::Or, source),
            0x54 | 0x5c => Op::Alu(Alu::And, source),
            0x64 | 0x6c => Op::Alu(Alu::Lsh, source),
            0x74 | 0x7c => Op::Alu(Alu::Rsh, source),
            0xa4 | 0xac => Op::Alu(Alu::Xor, source),
            0x84 => Op::Negate,
            0x05 => Op::Jump,
            0x15 | 0x1d => Op::JumpIf(Condition::Equal, source),
            0x25 | 0x2d => Op::JumpIf(Condition::Greater, source),
            0x35 | 0x3d => Op::JumpIf(Condition::GreaterOrEqual, source),
            0x45 | 0x4d => Op::JumpIf(Condition::AnyBit, source),
            0x06 => Op::ReturnK,
            0x16 => Op::ReturnA,
            _ => return None,
        })
    }
}

impl Alu {
    /// `None` for a division by zero.
    fn apply(self, a: u32, b: u32) -> Option<u32> {
        Some(match self {
            Alu::Add => a.wrapping_add(b),
            Alu::Sub => a.wrapping_sub(b),
            Alu::Mul => a.wrapping_mul(b),
            Alu::Div => a.checked_div(b)?,
            Alu::And => a & b,
            Alu::Or => a | b,
            Alu::Xor => a ^ b,
            // The kernel's interpreter and its compilers take the count modulo 32.
            Alu::Lsh => a.wrapping_shl(b),
            Alu::Rsh => a.wrapping_shr(b),
        })
    }
}

impl Condition {
    fn holds(self, a: u32, b: u32) -> bool {
        match self {
            Condition::Equal => a == b,
            Condition::Greater => a > b,
            Condition::GreaterOrEqual => a >= b,
            Condition::AnyBit => a & b != 0,
        }
    }
}

/// A checked program.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Program {
    insns: Box<[Insn]>,
    ops: Box<[Op]>,
}

impl Program {
    /// # Errors
    /// EINVAL for a program that the kernel refuses.
    pub fn new(insns: Vec<Insn>) -> Result<Program, Errno> {
        if insns.is_empty() || insns.len() > MAX_INSNS {
            return Err(Errno::EINVAL);
        }
        let ops: Option<Box<[Op]>> = insns.iter().map(|insn| Op::of(insn.code)).collect();
        let program = Program {
            insns: insns.into_boxed_slice(),
            ops: ops.ok_or(Errno::EINVAL)?,
        };
        if program.operands_are_right() && program.cells_are_written_first() {
            Ok(program)
        } else {
            Err(Errno::EINVAL)
        }
    }

    #[must_use]
    pub fn insns(&self) -> &[Insn] {
        &self.insns
    }

    fn steps(&self) -> impl Iterator<Item = (usize, Op, Insn)> {
        let both = self.ops.iter().zip(&self.insns);
        both.enumerate().map(|(at, (&op, &insn))| (at, op, insn))
    }

    /// Whether each instruction by itself is right, and the last one ends the program.
    fn operands_are_right(&self) -> bool {
        let len = self.insns.len();
        let right = self.steps().all(|(at, op, insn)| match op {
            Op::LoadData => insn.k < DATA_SIZE && insn.k.is_multiple_of(4),
            Op::LoadA | Op::LoadX | Op::StoreA | Op::StoreX => (insn.k as usize) < CELLS,
            Op::Alu(Alu::Div, Source::K) => insn.k != 0,
            Op::Alu(Alu::Lsh | Alu::Rsh, Source::K) => insn.k < 32,
            Op::Jump => (insn.k as usize) < len - at - 1,
            Op::JumpIf(..) => at + usize::from(insn.jt.max(insn.jf)) + 1 < len,
            Op::SetA
            | Op::SetX
            | Op::SizeToA
            | Op::SizeToX
            | Op::AToX
            | Op::XToA
            | Op::Alu(..)
            | Op::Negate
            | Op::ReturnK
            | Op::ReturnA => true,
        });
        right && matches!(self.ops.last(), Some(Op::ReturnK | Op::ReturnA))
    }

    /// Whether each scratch cell that is read has been written on every way there.
    fn cells_are_written_first(&self) -> bool {
        let mut reached_with = vec![u16::MAX; self.insns.len()];
        let mut written = 0;
        for (at, op, insn) in self.steps() {
            written &= reached_with[at];
            let mut jump = |by: usize, written| reached_with[at + 1 + by] &= written;
            match op {
                Op::StoreA | Op::StoreX => written |= 1 << insn.k,
                Op::LoadA | Op::LoadX if written & 1 << insn.k == 0 => return false,
                Op::Jump => {
                    jump(insn.k as usize, written);
                    written = u16::MAX;
                }
                Op::JumpIf(..) => {
                    jump(usize::from(insn.jt), written);
                    jump(usize::from(insn.jf), written);
                    written = u16::MAX;
                }
                Op::LoadData
                | Op::SetA
                | Op::SetX
                | Op::SizeToA
                | Op::SizeToX
                | Op::LoadA
                | Op::LoadX
                | Op::AToX
                | Op::XToA
                | Op::Alu(..)
                | Op::Negate
                | Op::ReturnK
                | Op::ReturnA => {}
            }
        }
        true
    }

    /// How many instructions the kernel has after it translated the program into its own code (bpf_convert_filter): it
    /// counts these against the limit of all filters together.
    #[must_use]
    pub fn converted_len(&self) -> u32 {
        // A and X are cleared, and the data's address is kept.
        const PROLOGUE: u32 = 3;
        let each = self.steps().map(|(_, op, insn)| match op {
            // A division by zero returns.
            Op::Alu(Alu::Div, Source::X) => 5,
            Op::JumpIf(condition, source) => {
                // A constant that is negative does not fit into the instruction.
                let constant = u32::from(source == Source::K && (insn.k as i32) < 0);
                let one = insn.jf == 0 || insn.jt == 0 && condition != Condition::AnyBit;
                constant + if one { 1 } else { 2 }
            }
            Op::ReturnK => 2,
            Op::LoadData
            | Op::SetA
            | Op::SetX
            | Op::SizeToA
            | Op::SizeToX
            | Op::LoadA
            | Op::LoadX
            | Op::StoreA
            | Op::StoreX
            | Op::AToX
            | Op::XToA
            | Op::Alu(..)
            | Op::Negate
            | Op::Jump
            | Op::ReturnA => 1,
        });
        PROLOGUE + each.sum::<u32>()
    }

    /// What the program says of a call.
    #[must_use]
    pub fn run(&self, data: &Data) -> u32 {
        let words: [u32; DATA_SIZE as usize / 4] = zerocopy::transmute!(*data);
        let known = words.map(Some);
        self.play(&known).expect("every word is known, so every value is")
    }

    /// What the program says of a call of which only number and architecture are known, if that is enough.
    #[must_use]
    pub fn answer_by_number(&self, nr: i32, arch: u32) -> Option<u32> {
        let mut words = [None; DATA_SIZE as usize / 4];
        words[0] = Some(nr as u32);
        words[1] = Some(arch);
        self.play(&words)
    }

    /// Plays the program on words of which some may be unknown; `None` if the answer depends on those.
    fn play(&self, words: &[Option<u32>; DATA_SIZE as usize / 4]) -> Option<u32> {
        let mut a = Some(0);
        let mut x = Some(0);
        let mut cells = [Some(0); CELLS];
        let mut at = 0;
        loop {
            // The checks bound every jump, and the last instruction ends the program.
            let (op, insn) = (*self.ops.get(at)?, *self.insns.get(at)?);
            let operand = |source| match source {
                Source::K => Some(insn.k),
                Source::X => x,
            };
            let cell = insn.k as usize % CELLS;
            at += 1;
            match op {
                Op::LoadData => a = words[insn.k as usize / 4 % words.len()],
                Op::SetA => a = Some(insn.k),
                Op::SetX => x = Some(insn.k),
                Op::SizeToA => a = Some(DATA_SIZE),
                Op::SizeToX => x = Some(DATA_SIZE),
                Op::LoadA => a = cells[cell],
                Op::LoadX => x = cells[cell],
                Op::StoreA => cells[cell] = a,
                Op::StoreX => cells[cell] = x,
                Op::AToX => x = a,
                Op::XToA => a = x,
                Op::Negate => a = a.map(u32::wrapping_neg),
                Op::Alu(alu, source) => {
                    let value = operand(source);
                    if alu == Alu::Div && value == Some(0) {
                        return Some(0);
                    }
                    if alu == Alu::Div && value.is_none() {
                        // It may end here.
                        return None;
                    }
                    a = a.zip(value).and_then(|(a, value)| alu.apply(a, value));
                }
                Op::Jump => at += insn.k as usize,
                Op::JumpIf(condition, source) => {
                    let (a, value) = a.zip(operand(source))?;
                    at += usize::from(if condition.holds(a, value) {
                        insn.jt
                    } else {
                        insn.jf
                    });
                }
                Op::ReturnK => return Some(insn.k),
                Op::ReturnA => return a,
            }
        }
    }
}

#[cfg(test)]
pub mod tests {
    use super::*;

    /// Shorthand for tests.
    pub const fn insn(code: u16, jt: u8, jf: u8, k: u32) -> Insn {
        Insn { code, jt, jf, k }
    }

    const RET: Insn = insn(0x06, 0, 0, 0x7fff_0000);

    fn checked(insns: &[Insn]) -> bool {
        Program::new(insns.to_vec()).is_ok()
    }

    #[test]
    fn programs_are_checked_as_the_kernel_does() {
        let cases: &[(&str, &[Insn], bool)] = &[
            ("nothing", &[], false),
            ("return", &[RET], true),
            ("return A", &[insn(0x16, 0, 0, 0)], true),
            ("return X", &[insn(0x0e, 0, 0, 0)], false),
            ("no return", &[insn(0x00, 0, 0, 1)], false),
            ("first word", &[insn(0x20, 0, 0, 0), RET], true),
            ("last word", &[insn(0x20, 0, 0, 60), RET], true),
            ("behind the data", &[insn(0x20, 0, 0, 64), RET], false),
            ("unaligned", &[insn(0x20, 0, 0, 2), RET], false),
            ("half", &[insn(0x28, 0, 0, 0), RET], false),
            ("byte", &[insn(0x30, 0, 0, 0), RET], false),
            ("indirect", &[insn(0x40, 0, 0, 0), RET], false),
            ("header length", &[insn(0xb1, 0, 0, 0), RET], false),
            ("ancillary", &[insn(0x20, 0, 0, 0xffff_f000), RET], false),
            ("length", &[insn(0x80, 0, 0, 0), insn(0x81, 0, 0, 0), RET], true),
            ("division by 0", &[insn(0x34, 0, 0, 0), RET], false),
            ("division by X", &[insn(0x3c, 0, 0, 0), RET], true),
            ("remainder", &[insn(0x94, 0, 0, 3), RET], false),
            ("shift by 31", &[insn(0x64, 0, 0, 31), RET], true),
            ("shift by 32", &[insn(0x74, 0, 0, 32), RET], false),
            ("jump behind the end", &[insn(0x05, 0, 0, 1), RET], false),
            ("far jump", &[insn(0x05, 0, 0, u32::MAX), RET], false),
            ("jump", &[insn(0x05, 0, 0, 0), RET], true),
            ("branch behind the end", &[insn(0x15, 0, 1, 0), RET], false),
            ("branch", &[insn(0x15, 0, 1, 0), RET, RET], true),
            ("cell unwritten", &[insn(0x60, 0, 0, 0), RET], false),
            (
                "cell written",
                &[insn(0x02, 0, 0, 3), insn(0x61, 0, 0, 3), RET],
                true,
            ),
            ("cell 16", &[insn(0x02, 0, 0, 16), RET], false),
            (
                "cell written on one way",
                &[insn(0x15, 0, 1, 0), insn(0x02, 0, 0, 0), insn(0x60, 0, 0, 0), RET],
                false,
            ),
            (
                "cell written on both ways",
                &[
                    insn(0x15, 0, 2, 0),
                    insn(0x02, 0, 0, 0),
                    insn(0x05, 0, 0, 1),
                    insn(0x03, 0, 0, 0),
                    insn(0x60, 0, 0, 0),
                    RET,
                ],
                true,
            ),
            ("unknown", &[insn(0xffff, 0, 0, 0), RET], false),
        ];
        for (name, insns, expected) in cases {
            assert_eq!(checked(insns), *expected, "{name}");
        }
        assert!(checked(&vec![RET; MAX_INSNS]));
        assert!(!checked(&vec![RET; MAX_INSNS + 1]));
    }

    fn result(insns: &[Insn], data: &Data) -> u32 {
        Program::new(insns.to_vec()).expect("it is right").run(data)
    }

    #[test]
    fn operations_compute() {
        let data = Data {
            nr: 17,
            arch: 0xc000_00b7,
            instruction_pointer: 0x1_0000_0002,
            args: [u64::MAX, 5, 0, 0, 0, 7 << 32],
        };
        let return_a = insn(0x16, 0, 0, 0);
        let set = |a, x| [insn(0x00, 0, 0, a), insn(0x01, 0, 0, x)];
        let cases: &[(&str, u16, u32, u32, u32)] = &[
            ("add", 0x0c, u32::MAX, 2, 1),
            ("sub", 0x1c, 1, 2, u32::MAX),
            ("mul", 0x2c, 1 << 31, 3, 1 << 31),
            ("div", 0x3c, 17, 5, 3),
            ("div by 0", 0x3c, 17, 0, 0),
            ("or", 0x4c, 5, 2, 7),
            ("and", 0x5c, 7, 10, 2),
            ("lsh", 0x6c, 1, 33, 2),
            ("rsh", 0x7c, 8, 34, 2),
            ("neg", 0x84, 1, 0, u32::MAX),
            ("xor", 0xac, 6, 3, 5),
            ("tax, txa", 0x87, 6, 3, 3),
        ];
        for &(name, code, a, x, expected) in cases {
            let program = [&set(a, x)[..], &[insn(code, 0, 0, 0), return_a]].concat();
            assert_eq!(result(&program, &data), expected, "{name}");
        }
        for (at, expected) in [
            (0, 17),
            (4, 0xc000_00b7),
            (8, 2),
            (12, 1),
            (16, u32::MAX),
            (24, 5),
            (60, 7),
        ] {
            assert_eq!(result(&[insn(0x20, 0, 0, at), return_a], &data), expected);
        }
        // Comparisons are unsigned.
        for (code, a, k, holds) in [
            (0x15, 3, 3, true),
            (0x25, 1 << 31, 1, true),
            (0x25, 3, 3, false),
            (0x35, 3, 3, true),
            (0x45, 5, 4, true),
            (0x45, 5, 2, false),
        ] {
            let program = [
                insn(0x00, 0, 0, a),
                insn(code, 1, 0, k),
                insn(0x06, 0, 0, 0),
                insn(0x06, 0, 0, 1),
            ];
            assert_eq!(result(&program, &data), u32::from(holds), "{code:#x} {a} {k}");
        }
    }

    #[test]
    fn the_answer_for_a_number_needs_no_arguments() {
        let program = Program::new(vec![
            insn(0x20, 0, 0, 0),
            insn(0x15, 0, 3, 63),
            insn(0x20, 0, 0, 16),
            insn(0x15, 0, 1, 0),
            insn(0x06, 0, 0, 1),
            RET,
        ])
        .expect("it is right");
        assert_eq!(program.answer_by_number(64, 0), Some(0x7fff_0000));
        assert_eq!(program.answer_by_number(63, 0), None);
    }

    /// xorshift64: the same numbers each time.
    pub fn random(state: &mut u64) -> u64 {
        *state ^= *state << 13;
        *state ^= *state >> 7;
        *state ^= *state << 17;
        *state
    }

    #[test]
    fn random_programs_are_refused_or_end() {
        const CODES: [u16; 46] = [
            0x20, 0x00, 0x01, 0x80, 0x81, 0x60, 0x61, 0x02, 0x03, 0x07, 0x87, 0x04, 0x0c, 0x14, 0x1c, 0x24,
            0x2c, 0x34, 0x3c, 0x44, 0x4c, 0x54, 0x5c, 0x64, 0x6c, 0x74, 0x7c, 0xa4, 0xac, 0x84, 0x05, 0x15,
            0x1d, 0x25, 0x2d, 0x35, 0x3d, 0x45, 0x4d, 0x06, 0x16, 0x20, 0x20, 0x15, 0x02, 0x03,
        ];
        let mut state = 0x9e37_79b9_7f4a_7c15;
        let (mut taken, mut by_number) = (0, 0);
        for _ in 0..200_000 {
            let len = 1 + random(&mut state) as usize % 12;
            let mut insns: Vec<Insn> = (0..len)
                .map(|_| {
                    let word = random(&mut state);
                    let wild = word >> 60 == 0;
                    insn(
                        if wild {
                            word as u16
                        } else {
                            CODES[word as usize % CODES.len()]
                        },
                        (word >> 16) as u8 % 4,
                        (word >> 24) as u8 % 4,
                        if wild {
                            (word >> 28) as u32
                        } else {
                            (word >> 28) as u32 % 6 * 4
                        },
                    )
                })
                .collect();
            if random(&mut state) & 7 != 0 {
                insns.push(if random(&mut state) & 1 == 0 {
                    RET
                } else {
                    insn(0x16, 0, 0, 0)
                });
            }
            let Ok(program) = Program::new(insns) else {
                continue;
            };
            taken += 1;
            let data = Data {
                nr: (random(&mut state) % 24) as i32,
                arch: 0xc000_00b7,
                instruction_pointer: random(&mut state),
                args: std::array::from_fn(|_| random(&mut state) % 24),
            };
            let answer = program.run(&data);
            if let Some(known) = program.answer_by_number(data.nr, data.arch) {
                by_number += 1;
                assert_eq!(known, answer, "{program:?} {data:?}");
            }
        }
        assert!(taken > 10_000 && by_number > 1_000, "{taken} {by_number}");
    }
}
