//! What the rows of the instruction tables become: found out by translating samples of each
//! for a host with the reference features.

use crate::host_code::translate;
use a64_isa::random::STEP;
use a64_isa::{RowInfo, row_of, sample};
use iced_x86::{Decoder, DecoderOptions};

/// Samples of each row.
const SAMPLES: u64 = 64;

/// How a row is carried out.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// One host instruction, or none.
    Native,
    /// Several, in line.
    Sequence,
    /// A call of the interpreter, for most samples.
    Helper,
}

pub struct Lowering {
    pub kind: Kind,
    /// Host instructions for one of the guest, beside what a block without it has: the lower
    /// quartile of the samples in line. (Half a register takes one more, to zero the rest.)
    pub instructions: usize,
    /// Samples of a hundred that the interpreter executes.
    pub helper_percent: usize,
}

/// The word with its register fields naming registers that have host registers of their
/// own, if that is still an encoding of the row: the instruction alone is to be counted.
fn with_pinned_registers(row: &RowInfo, word: u32) -> u32 {
    let register = |name: &str| match name {
        "rd" | "rt" => Some(0),
        "rn" => Some(1),
        "rm" | "rs" => Some(2),
        "ra" | "rt2" => Some(3),
        _ => None,
    };
    let renamed = row.fields.iter().fold(word, |word, field| {
        register(field.name).map_or(word, |n| {
            word & !(((1 << field.width) - 1) << field.lsb) | n << field.lsb
        })
    });
    if row_of(renamed).is_some_and(|found| found.name == row.name) {
        renamed
    } else {
        word
    }
}

fn count(code: &[u8]) -> usize {
    Decoder::new(64, code, DecoderOptions::NONE).iter().count()
}

impl Lowering {
    pub fn of(row: &RowInfo) -> Lowering {
        let empty = count(&translate(&[], false, false).code);
        let (mut inline, mut helpers) = (Vec::new(), 0);
        for random in 0..SAMPLES {
            let word = with_pinned_registers(row, sample(row, random.wrapping_mul(STEP)));
            let block = translate(&[word], false, false);
            if block.interpreted > 0 {
                helpers += 1;
            } else {
                inline.push(count(&block.code).saturating_sub(empty));
            }
        }
        inline.sort_unstable();
        let instructions = inline.get(inline.len() / 4).copied().unwrap_or(0);
        let kind = match instructions {
            _ if 2 * helpers > SAMPLES as usize => Kind::Helper,
            0 | 1 => Kind::Native,
            _ => Kind::Sequence,
        };
        Lowering {
            kind,
            instructions,
            helper_percent: helpers * 100 / SAMPLES as usize,
        }
    }

    /// As the page says it.
    pub fn text(&self) -> String {
        let kind = match self.kind {
            Kind::Native => "native".to_string(),
            Kind::Sequence => format!("sequence, {}", self.instructions),
            Kind::Helper => return "helper".to_string(),
        };
        match self.helper_percent {
            0 => kind,
            percent => format!("{kind}; {percent} % helper"),
        }
    }
}

/// Whether the row counts as Advanced SIMD or floating point.
pub fn is_vector_or_fp(row: &RowInfo) -> bool {
    ["asimd", "crypto", "fp"]
        .iter()
        .any(|family| row.file.starts_with(family))
        && row.file != "asimd_ldst.isa"
}
