//! [`Process`]: what all threads of the guest share.

use crate::mm::Mm;
use crate::options::Options;

pub struct Process {
    pub mm: Mm,
    pub options: Options,
    pub pid: i32,
}

impl Process {
    #[must_use]
    pub fn pid(&self) -> i32 {
        self.pid
    }
}
