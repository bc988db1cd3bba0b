//! [`SigInfo`]: siginfo_t, 128 bytes, laid out alike on arm64 and x86-64.

/// siginfo_t as bytes in words; the accessors know the fields that are used here.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(C, align(8))]
pub struct SigInfo(pub [u64; 16]);

pub const SI_KERNEL: i32 = 0x80;
pub const SEGV_MAPERR: i32 = 1;
pub const SEGV_ACCERR: i32 = 2;
pub const BUS_ADRALN: i32 = 1;
pub const BUS_ADRERR: i32 = 2;
pub const ILL_ILLOPC: i32 = 1;
pub const ILL_ILLOPN: i32 = 2;
pub const TRAP_BRKPT: i32 = 1;
pub const TRAP_HWBKPT: i32 = 4;

impl SigInfo {
    pub const ZERO: SigInfo = SigInfo([0; 16]);

    /// A fault at `addr`.
    #[must_use]
    pub fn fault(signal: i32, code: i32, addr: u64) -> SigInfo {
        let mut info = SigInfo::ZERO;
        info.0[0] = u64::from(signal as u32);
        info.0[1] = u64::from(code as u32);
        info.0[2] = addr;
        info
    }

    #[must_use]
    pub fn signal(&self) -> i32 {
        self.0[0] as i32
    }

    #[must_use]
    pub fn code(&self) -> i32 {
        self.0[1] as i32
    }

    /// si_addr of a fault.
    #[must_use]
    pub fn addr(&self) -> u64 {
        self.0[2]
    }

    /// si_pid and si_uid of a signal that a process sent.
    #[must_use]
    pub fn sender(&self) -> (i32, u32) {
        (self.0[2] as i32, (self.0[2] >> 32) as u32)
    }

    #[must_use]
    pub fn to_bytes(&self) -> [u8; 128] {
        let mut bytes = [0; 128];
        for (chunk, word) in bytes.chunks_exact_mut(8).zip(self.0) {
            chunk.copy_from_slice(&word.to_le_bytes());
        }
        bytes
    }
}
