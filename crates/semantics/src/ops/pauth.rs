//! Pointer authentication.

use super::Machine;
use super::enums::enumerated;

enumerated! {
    /// The cipher of FEAT_PACQARMA3 or FEAT_PACQARMA5.
    pub enum Qarma { Three, Five }
}

enumerated! {
    /// Keys of pointer authentication, in the order of `guest::PacState`.
    pub enum PacKey { Ia, Ib, Da, Db, Ga }
}

pub trait PauthOps: Machine {
    /// The first (0) or second (1) word of a key of pointer authentication.
    fn pac_key(&mut self, key: PacKey, word: u8) -> Self::Value;
    /// The bits the key's signatures take; none while it is disabled.
    fn pac_bits(&mut self, key: PacKey) -> Self::Value;
    /// The code a cipher gives for a pointer and a modifier.
    fn qarma(
        &mut self,
        cipher: Qarma,
        pointer: Self::Value,
        modifier: Self::Value,
        key: PacKey,
    ) -> Self::Value;
    /// FEAT_FPAC: the exception of a failed authentication, unless those bits of the pointer
    /// are copies of its bit 55. Like a load it comes before register writes.
    fn check_signature(&mut self, pointer: Self::Value, bits: Self::Value);
}
