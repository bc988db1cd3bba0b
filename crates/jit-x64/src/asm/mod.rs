//! Emission of x86-64 instructions into a buffer that grows.
//!
//! General instructions between registers go through dynasm ([`int`]). Forms with a memory
//! operand are encoded by [`mem`], because dynasm gives every run-time displacement
//! four bytes and every dynamic base a SIB byte; vector instructions by [`sse`], because
//! dynasm has none of [`evex`]'s forms, and one table serves both. Branches are emitted with
//! [`Fixup`]s of our own, which cost less than dynasm's labels.
//!
//! Nothing emitted knows its address: branches are relative, and to other code they are relocations
//! of [`crate::code`].

pub mod evex;
pub mod int;
pub mod mem;
pub mod sse;

use crate::code::PHASES;
use dynasmrt::{AssemblyOffset, DynasmApi};
use guest_memory::routines::HostRegister;

/// A general host register, by its hardware number.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub struct Gpr(pub u8);

impl Gpr {
    pub const RAX: Gpr = Gpr(0);
    pub const RCX: Gpr = Gpr(1);
    pub const RDX: Gpr = Gpr(2);
    pub const RBX: Gpr = Gpr(3);
    pub const RSP: Gpr = Gpr(4);
    pub const RBP: Gpr = Gpr(5);
    pub const RSI: Gpr = Gpr(6);
    pub const RDI: Gpr = Gpr(7);
    pub const R8: Gpr = Gpr(8);
    pub const R9: Gpr = Gpr(9);
    pub const R10: Gpr = Gpr(10);
    pub const R11: Gpr = Gpr(11);
    pub const R12: Gpr = Gpr(12);
    pub const R13: Gpr = Gpr(13);
    pub const R14: Gpr = Gpr(14);
    pub const R15: Gpr = Gpr(15);
}

impl From<HostRegister> for Gpr {
    fn from(register: HostRegister) -> Gpr {
        Gpr(register as u8)
    }
}

/// A vector host register.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub struct Xmm(pub u8);

/// x86 condition codes, by their encoding.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum Cc {
    O = 0,
    No = 1,
    B = 2,
    Ae = 3,
    E = 4,
    Ne = 5,
    Be = 6,
    A = 7,
    S = 8,
    Ns = 9,
    P = 10,
    Np = 11,
    L = 12,
    Ge = 13,
    Le = 14,
    G = 15,
}

impl Cc {
    #[must_use]
    pub const fn invert(self) -> Cc {
        match self {
            Cc::O => Cc::No,
            Cc::No => Cc::O,
            Cc::B => Cc::Ae,
            Cc::Ae => Cc::B,
            Cc::E => Cc::Ne,
            Cc::Ne => Cc::E,
            Cc::Be => Cc::A,
            Cc::A => Cc::Be,
            Cc::S => Cc::Ns,
            Cc::Ns => Cc::S,
            Cc::P => Cc::Np,
            Cc::Np => Cc::P,
            Cc::L => Cc::Ge,
            Cc::Ge => Cc::L,
            Cc::Le => Cc::G,
            Cc::G => Cc::Le,
        }
    }
}

/// A rel32 field waiting for its target: the offset of the field in the buffer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[must_use]
pub struct Fixup(pub u32);

/// Code being emitted.
#[derive(Default)]
pub struct Asm {
    bytes: Vec<u8>,
    /// Its address modulo the size of a cache line.
    phase: u32,
}

impl Asm {
    /// An assembler that fills `buffer` anew, with code for addresses of this phase ([`PHASES`]).
    #[must_use]
    pub fn new(mut buffer: Vec<u8>, phase: u32) -> Self {
        buffer.clear();
        Asm { bytes: buffer, phase }
    }

    /// The code.
    #[must_use]
    pub fn finish(self) -> Vec<u8> {
        self.bytes
    }

    /// Offset of the cursor from the start, in bytes.
    #[must_use]
    pub fn pos(&self) -> u32 {
        self.bytes.len() as u32
    }

    /// Emits raw bytes.
    #[inline]
    pub fn bytes(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    /// Pads with NOPs so that a rel32 starting `lead` bytes further on lies within one
    /// cache line: patching it is then a single atomic store for every other core.
    fn align_rel32(&mut self, lead: u32) {
        while (self.phase + self.pos() + lead) % PHASES > PHASES - 4 {
            self.bytes.push(0x90);
        }
    }

    /// `jmp rel32`
    pub fn jmp(&mut self) -> Fixup {
        self.align_rel32(1);
        self.bytes(&[0xe9]);
        self.rel32()
    }

    /// `jcc rel32`
    pub fn jcc(&mut self, cc: Cc) -> Fixup {
        self.align_rel32(2);
        self.bytes(&[0x0f, 0x80 | cc as u8]);
        self.rel32()
    }

    /// `call rel32`
    pub fn call(&mut self) -> Fixup {
        self.align_rel32(1);
        self.bytes(&[0xe8]);
        self.rel32()
    }

    fn rel32(&mut self) -> Fixup {
        let at = self.pos();
        self.bytes(&[0; 4]);
        Fixup(at)
    }

    /// Makes `fixup` branch to the code at `offset`.
    pub fn fix_to(&mut self, fixup: Fixup, offset: u32) {
        let field = fixup.0 as usize;
        let rel = offset.wrapping_sub(fixup.0 + 4);
        self.bytes[field..field + 4].copy_from_slice(&rel.to_le_bytes());
    }

    /// Makes `fixup` branch to the cursor.
    pub fn fix_here(&mut self, fixup: Fixup) {
        let here = self.pos();
        self.fix_to(fixup, here);
    }
}

impl Extend<u8> for Asm {
    #[inline]
    fn extend<T: IntoIterator<Item = u8>>(&mut self, iter: T) {
        self.bytes.extend(iter);
    }
}

impl<'a> Extend<&'a u8> for Asm {
    #[inline]
    fn extend<T: IntoIterator<Item = &'a u8>>(&mut self, iter: T) {
        self.bytes.extend(iter);
    }
}

impl DynasmApi for Asm {
    fn offset(&self) -> AssemblyOffset {
        AssemblyOffset(self.bytes.len())
    }
    #[inline]
    fn push(&mut self, byte: u8) {
        self.bytes.push(byte);
    }
    fn align(&mut self, alignment: usize, with: u8) {
        while !(self.phase as usize + self.bytes.len()).is_multiple_of(alignment) {
            self.bytes.push(with);
        }
    }
    #[inline]
    fn push_i32(&mut self, value: i32) {
        self.bytes(&value.to_le_bytes());
    }
    #[inline]
    fn push_i64(&mut self, value: i64) {
        self.bytes(&value.to_le_bytes());
    }
}
