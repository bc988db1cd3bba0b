//! Emission of x86-64 instructions into a fixed buffer.
//!
//! General instructions between registers go through dynasm ([`int`]). Forms with a memory
//! operand are encoded by [`mem`], because dynasm gives every run-time displacement
//! four bytes and every dynamic base a SIB byte; vector instructions by [`sse`], because
//! dynasm has none of [`evex`]'s forms, and one table serves both. Branches are emitted with
//! [`Fixup`]s of our own, which cost less than dynasm's labels.
//!
//! # Safety
//! [`Asm`] writes through a raw cursor. It never writes at or beyond `end`: once
//! there is no room it only counts, and [`Asm::overflowed`] tells the caller to
//! throw the block away.

pub mod evex;
pub mod int;
pub mod mem;
pub mod sse;

use dynasmrt::{AssemblyOffset, DynasmApi};

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

/// A cursor over a piece of the code cache.
pub struct Asm {
    start: *mut u8,
    at: *mut u8,
    end: *mut u8,
    overflowed: bool,
}

impl Asm {
    /// An assembler that fills `start..start + len`.
    ///
    /// # Safety
    /// The range must be writable, used by nothing else, and outlive the assembler.
    #[must_use]
    pub unsafe fn new(start: *mut u8, len: usize) -> Self {
        Asm {
            start,
            at: start,
            end: start.wrapping_add(len),
            overflowed: false,
        }
    }

    /// Offset of the cursor from the start, in bytes.
    #[must_use]
    pub fn pos(&self) -> u32 {
        (self.at as usize - self.start as usize) as u32
    }

    /// Host address of the cursor.
    #[must_use]
    pub fn here(&self) -> u64 {
        self.at as u64
    }

    /// Host address of the first byte.
    #[must_use]
    pub fn base(&self) -> u64 {
        self.start as u64
    }

    /// Whether something did not fit; the code is then useless.
    #[must_use]
    pub fn overflowed(&self) -> bool {
        self.overflowed
    }

    fn put(&mut self, bytes: &[u8]) {
        if (self.end as usize) - (self.at as usize) < bytes.len() {
            self.overflowed = true;
            return;
        }
        // SAFETY: the range start..end is ours (contract of `new`), and `bytes` fits before end.
        unsafe { std::ptr::copy_nonoverlapping(bytes.as_ptr(), self.at, bytes.len()) };
        self.at = self.at.wrapping_add(bytes.len());
    }

    /// Emits raw bytes.
    pub fn bytes(&mut self, bytes: &[u8]) {
        self.put(bytes);
    }

    /// Pads with NOPs so that a rel32 starting `lead` bytes further on lies within one
    /// cache line: patching it is then a single atomic store for every other core.
    fn align_rel32(&mut self, lead: usize) {
        while (self.at as usize + lead) & 63 > 60 {
            self.put(&[0x90]);
        }
    }

    /// `jmp rel32`
    pub fn jmp(&mut self) -> Fixup {
        self.align_rel32(1);
        self.put(&[0xe9]);
        self.rel32()
    }

    /// `jcc rel32`
    pub fn jcc(&mut self, cc: Cc) -> Fixup {
        self.align_rel32(2);
        self.put(&[0x0f, 0x80 | cc as u8]);
        self.rel32()
    }

    /// `call rel32`
    pub fn call(&mut self) -> Fixup {
        self.align_rel32(1);
        self.put(&[0xe8]);
        self.rel32()
    }

    fn rel32(&mut self) -> Fixup {
        let at = self.pos();
        self.put(&[0; 4]);
        Fixup(at)
    }

    /// Makes `fixup` branch to the host address `target`.
    pub fn fix_to(&mut self, fixup: Fixup, target: u64) {
        if self.overflowed {
            return;
        }
        let field = self.start.wrapping_add(fixup.0 as usize);
        let rel = target.wrapping_sub(field as u64 + 4) as i32;
        // SAFETY: the fixup was made by this assembler, so its four bytes lie below the cursor.
        unsafe { field.cast::<i32>().write_unaligned(rel) };
    }

    /// Makes `fixup` branch to the cursor.
    pub fn fix_here(&mut self, fixup: Fixup) {
        let here = self.here();
        self.fix_to(fixup, here);
    }
}

impl Extend<u8> for Asm {
    fn extend<T: IntoIterator<Item = u8>>(&mut self, iter: T) {
        for byte in iter {
            self.put(&[byte]);
        }
    }
}

impl<'a> Extend<&'a u8> for Asm {
    fn extend<T: IntoIterator<Item = &'a u8>>(&mut self, iter: T) {
        for byte in iter {
            self.put(&[*byte]);
        }
    }
}

impl DynasmApi for Asm {
    fn offset(&self) -> AssemblyOffset {
        AssemblyOffset(self.pos() as usize)
    }
    fn push(&mut self, byte: u8) {
        self.put(&[byte]);
    }
    fn align(&mut self, alignment: usize, with: u8) {
        while !(self.at as usize).is_multiple_of(alignment) {
            self.put(&[with]);
        }
    }
    fn push_i32(&mut self, value: i32) {
        self.put(&value.to_le_bytes());
    }
    fn push_i64(&mut self, value: i64) {
        self.put(&value.to_le_bytes());
    }
}
