//! What a request's argument is: a number, flags, or memory whose size and addresses a row of the table describes.
//!
//! The kernel gets the guest's own structure as long as nothing in it has to change. Where an address is the emulator's or
//! has a tag, or flags are other ones here, it gets a copy ([`Copies`]), and what it changes there goes back to the guest.
//! What is nested is looked at as everywhere (arg/nested.rs): this guards against accidents.

use super::layout::{Direction, Layout};
use crate::syscall::arg::guard::{HostArgs, iovecs, nowhere, passed, passed_pages, strip, touches_own};
use crate::syscall::arg::{read_bytes, words, write_bytes};
use guest::GuestAddr;
use linux_abi::{Errno, OpenFlags};

/// A request's argument.
#[derive(Clone, Copy, Debug)]
pub enum Shape {
    /// A number, a descriptor, or nothing: no address.
    Value,
    /// Flags of open(2).
    OpenFlags,
    /// An address.
    Memory(Size, Fields),
    /// An address that the kernel keeps and gives back, so that no copy can stand for the structure.
    Kept(Size, Fields),
    /// A structure that the architectures lay out differently.
    Laid(Direction, &'static Layout),
    /// Not made.
    Refused(Errno),
}

/// A number in a structure: its offset, by its width.
#[derive(Clone, Copy, Debug)]
pub enum Number {
    U8(u16),
    U16(u16),
    U32(u16),
    U64(u16),
}

/// How many bytes: `head`, and `each` for every one of `count`.
#[derive(Clone, Copy, Debug)]
pub struct Size {
    head: u32,
    count: Option<Number>,
    each: u32,
}

pub type Fields = &'static [Field];

/// Where in a structure an address stands, or what differs by architecture.
#[derive(Clone, Copy, Debug)]
pub enum Field {
    /// The address of so many bytes.
    To(u16, Size),
    /// The address of so many bytes that hold further fields.
    At(u16, Size, Fields),
    /// The address of pages that the request acts on.
    Pages(u16, Size),
    /// The address of an array of struct iovec, and their number.
    Iovecs(u16, Number),
    /// Flags of open(2), an unsigned int.
    Flags(u16),
    /// From this offset to the end, elements of this size.
    Each(u16, u16, Fields),
    /// Fields that are there if the number has this value.
    If(Number, u64, Fields),
    /// Fields that are there if the number has another one.
    Unless(Number, u64, Fields),
    /// Any word may be an address: of a structure that nobody has described.
    Unknown,
}

/// So many bytes.
pub const fn bytes(head: u32) -> Size {
    Size {
        head,
        count: None,
        each: 0,
    }
}

/// As many elements as `count` says, behind `head` bytes.
pub const fn list(head: u32, count: Number, each: u32) -> Size {
    Size {
        head,
        count: Some(count),
        each,
    }
}

/// The address of bytes that hold no further ones.
pub const fn at(offset: u16, size: Size) -> Field {
    Field::To(offset, size)
}

/// The address of a string: who reads one stops at its end.
pub const fn string(offset: u16) -> Field {
    at(offset, bytes(1))
}

/// A structure without addresses.
pub const fn plain(size: u32) -> Shape {
    Shape::Memory(bytes(size), &[])
}

/// One with fields.
pub const fn with(size: u32, fields: Fields) -> Shape {
    Shape::Memory(bytes(size), fields)
}

impl Number {
    fn place(self) -> (usize, usize) {
        match self {
            Number::U8(offset) => (usize::from(offset), 1),
            Number::U16(offset) => (usize::from(offset), 2),
            Number::U32(offset) => (usize::from(offset), 4),
            Number::U64(offset) => (usize::from(offset), 8),
        }
    }

    /// In a structure that was read; 0 beyond its end.
    fn of(self, structure: &[u8]) -> u64 {
        let (offset, width) = self.place();
        let mut word = [0; 8];
        if let Some(bytes) = structure.get(offset..offset + width) {
            word[..width].copy_from_slice(bytes);
        }
        u64::from_le_bytes(word)
    }

    /// In the guest's; 0 where it cannot be read.
    fn at(self, addr: u64) -> u64 {
        let (offset, width) = self.place();
        let mut word = [0; 8];
        let from = GuestAddr(addr.wrapping_add(offset as u64));
        match read_bytes(from, &mut word[..width]) {
            Ok(()) => u64::from_le_bytes(word),
            Err(_) => 0,
        }
    }
}

impl Size {
    fn with_count(self, count: impl FnOnce(Number) -> u64) -> u64 {
        let many = self.count.map_or(0, count);
        u64::from(self.head).saturating_add(many.saturating_mul(u64::from(self.each)))
    }

    /// Of what a structure that was read points to.
    fn of(self, structure: &[u8]) -> u64 {
        self.with_count(|number| number.of(structure))
    }

    /// Of the guest's structure, which says itself how long it is.
    pub fn at(self, addr: u64) -> u64 {
        self.with_count(|number| number.at(addr))
    }
}

#[cfg(test)]
impl Size {
    /// Without what follows.
    pub fn head(self) -> u32 {
        self.head
    }
}

#[cfg(test)]
impl Field {
    /// Where in the structure itself addresses are.
    pub fn offsets(&self) -> Vec<u16> {
        match *self {
            Field::To(at, _) | Field::At(at, ..) | Field::Pages(at, _) | Field::Iovecs(at, _) => vec![at],
            Field::If(_, _, fields) | Field::Unless(_, _, fields) => {
                fields.iter().flat_map(Field::offsets).collect()
            }
            Field::Flags(_) | Field::Each(..) | Field::Unknown => Vec::new(),
        }
    }
}

/// Larger structures with fields are only looked at as a whole. (The kernel takes none so large.)
const LARGEST: u64 = 1 << 20;

/// A structure that is passed in place of the guest's.
struct Copy {
    of: GuestAddr,
    given: Vec<u64>,
    now: Vec<u64>,
    len: usize,
}

/// What one call is made with.
#[derive(Default)]
pub struct Copies {
    structures: Vec<Copy>,
    arrays: HostArgs,
}

impl Copies {
    /// The address to pass for the structure at `addr`.
    pub fn guarded(&mut self, addr: u64, size: u64, fields: Fields) -> u64 {
        let Some((before, after)) = self.changed(addr, size, fields) else {
            return passed(addr, size);
        };
        if before == after {
            return strip(addr);
        }
        let mut now = words(&after[..]);
        let passed = now.as_mut_ptr() as u64;
        self.structures.push(Copy {
            of: GuestAddr(addr),
            given: now.clone(),
            now,
            len: after.len(),
        });
        passed
    }

    /// The guest's structure as it is and as it is to be passed; `None` where it cannot be or need not be read.
    pub fn changed(&mut self, addr: u64, size: u64, fields: Fields) -> Option<(Vec<u8>, Vec<u8>)> {
        if fields.is_empty() || size > LARGEST || touches_own(addr, size) {
            return None;
        }
        let mut before = vec![0; size as usize];
        // What cannot be read is left to the kernel to refuse.
        read_bytes(GuestAddr(addr), &mut before).ok()?;
        let mut after = before.clone();
        for field in fields {
            self.apply(*field, &mut after);
        }
        Some((before, after))
    }

    fn apply(&mut self, field: Field, bytes: &mut [u8]) {
        match field {
            Field::To(offset, size) => {
                let size = size.of(bytes);
                replace(bytes, usize::from(offset), |addr| passed(addr, size));
            }
            Field::At(offset, size, fields) => {
                let size = size.of(bytes);
                replace(bytes, usize::from(offset), |addr| {
                    self.guarded(addr, size, fields)
                });
            }
            Field::Pages(offset, size) => {
                let size = size.of(bytes);
                replace(bytes, usize::from(offset), |addr| passed_pages(addr, size));
            }
            Field::Iovecs(offset, count) => {
                let count = count.of(bytes);
                // The count is the kernel's to read: buffers are not split.
                replace(bytes, usize::from(offset), |addr| {
                    let (array, passed) = iovecs(addr, count, &mut self.arrays);
                    if passed == count { array } else { nowhere(addr) }
                });
            }
            Field::Flags(offset) => {
                if let Some(bytes) = bytes.get_mut(usize::from(offset)..usize::from(offset) + 4) {
                    let flags = Number::U32(0).of(bytes);
                    let flags = OpenFlags::from_bits_retain(flags).to_host();
                    bytes.copy_from_slice(&(flags as u32).to_le_bytes());
                }
            }
            Field::Each(from, each, fields) => {
                let elements = bytes.get_mut(usize::from(from)..).unwrap_or_default();
                for element in elements.chunks_exact_mut(usize::from(each)) {
                    for field in fields {
                        self.apply(*field, element);
                    }
                }
            }
            Field::If(number, value, fields) => {
                if number.of(bytes) == value {
                    fields.iter().for_each(|field| self.apply(*field, bytes));
                }
            }
            Field::Unless(number, value, fields) => {
                if number.of(bytes) != value {
                    fields.iter().for_each(|field| self.apply(*field, bytes));
                }
            }
            Field::Unknown => {
                for at in (0..bytes.len()).step_by(8) {
                    replace(
                        bytes,
                        at,
                        |word| {
                            if touches_own(word, 1) { nowhere(word) } else { word }
                        },
                    );
                }
            }
        }
    }

    /// After the call: what the kernel has changed in copies is changed in the guest's structures.
    ///
    /// # Errors
    /// EFAULT.
    pub fn give_back(&self) -> Result<(), Errno> {
        for copy in &self.structures {
            let changed = copy.given.iter().zip(&copy.now).enumerate();
            for (at, (_, now)) in changed.filter(|(_, (given, now))| given != now) {
                let len = (copy.len - at * 8).min(8);
                write_bytes(copy.of.offset(at as i64 * 8), &now.to_le_bytes()[..len])?;
            }
        }
        Ok(())
    }
}

/// Puts another address in the place of one that is not NULL.
fn replace(bytes: &mut [u8], offset: usize, by: impl FnOnce(u64) -> u64) {
    let Some(place) = bytes.get_mut(offset..offset + 8) else {
        return;
    };
    let addr = Number::U64(0).of(place);
    if addr != 0 {
        place.copy_from_slice(&by(addr).to_le_bytes());
    }
}
