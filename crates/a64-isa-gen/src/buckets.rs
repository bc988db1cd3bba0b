//! Chooses the bits that index the decoder's first table, and fills it.
//!
//! A word's index bits select a short list of candidate rows, which are tried in order.

use crate::Row;
use std::collections::HashMap;

/// Number of index bits: 4,096 buckets of 4 bytes.
const INDEX_BITS: usize = 12;

pub struct Buckets {
    /// Index bits, from the most significant down.
    pub bits: Vec<u32>,
    /// For each index the start in `candidates` and the number of them.
    pub lists: Vec<(u16, u8)>,
    /// Row numbers.
    pub candidates: Vec<u16>,
}

pub fn build(rows: &[&Row]) -> Buckets {
    let bits = choose_bits(rows);
    let mut lists = Vec::new();
    let mut candidates: Vec<u16> = Vec::new();
    let mut seen: HashMap<Vec<u16>, (u16, u8)> = HashMap::new();
    for index in 0..1usize << bits.len() {
        let list = rows_of_bucket(rows, &bits, index);
        let place = *seen.entry(list).or_insert_with_key(|list| {
            let start = u16::try_from(candidates.len()).expect("fewer than 65,536 candidates");
            candidates.extend(list);
            (
                start,
                u8::try_from(list.len()).expect("fewer than 256 rows in a bucket"),
            )
        });
        lists.push(place);
    }
    Buckets {
        bits,
        lists,
        candidates,
    }
}

/// Greedily takes the bit that makes the lists shortest.
fn choose_bits(rows: &[&Row]) -> Vec<u32> {
    let mut chosen: Vec<u32> = Vec::new();
    let mut partition: Vec<Vec<u16>> = vec![(0..rows.len() as u16).collect()];
    while chosen.len() < INDEX_BITS {
        let best = (0..32)
            .filter(|bit| !chosen.contains(bit))
            .min_by_key(|bit| {
                split(rows, &partition, *bit)
                    .iter()
                    .map(|list| list.len().pow(2))
                    .sum::<usize>()
            })
            .expect("there are 32 bits");
        partition = split(rows, &partition, best);
        chosen.push(best);
    }
    chosen.sort_unstable_by(|a, b| b.cmp(a));
    chosen
}

fn split(rows: &[&Row], partition: &[Vec<u16>], bit: u32) -> Vec<Vec<u16>> {
    let mut parts = Vec::with_capacity(partition.len() * 2);
    for list in partition {
        for wanted in [0, 1] {
            let matches = |row: &&u16| {
                let row = rows[usize::from(**row)];
                row.mask >> bit & 1 == 0 || row.value >> bit & 1 == wanted
            };
            let part: Vec<u16> = list.iter().filter(matches).copied().collect();
            if !part.is_empty() {
                parts.push(part);
            }
        }
    }
    parts
}

/// The rows that can match a word with these index bits, special cases first.
fn rows_of_bucket(rows: &[&Row], bits: &[u32], index: usize) -> Vec<u16> {
    let (mut mask, mut value) = (0, 0);
    for (position, bit) in bits.iter().rev().enumerate() {
        mask |= 1 << bit;
        value |= ((index >> position & 1) as u32) << bit;
    }
    let mut list: Vec<u16> = (0..rows.len() as u16)
        .filter(|number| {
            let row = rows[usize::from(*number)];
            (row.value ^ value) & row.mask & mask == 0
        })
        .collect();
    list.sort_by_key(|number| {
        let row = rows[usize::from(*number)];
        (row.within.is_empty(), std::cmp::Reverse(row.mask.count_ones()))
    });
    list
}
