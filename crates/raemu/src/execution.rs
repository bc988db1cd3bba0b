//! [`Execution`]: a program that takes over the calling process.

use crate::config::Config;
use crate::error::Error;
use crate::load::{self, Ready, Role};
use crate::program::Program;
use linux_user::mm::Mm;

/// A program ready to take over the calling process, as after execve(2): its end will be the process's, its signals
/// are the process's own. For the command; a library's caller wants none of it.
pub struct Execution {
    ready: Ready,
}

impl Execution {
    /// Loads `program`. `privileged` is AT_SECURE: the process has privileges that its caller has not.
    ///
    /// # Errors
    /// [`Error::Load`].
    pub fn prepare(program: Program, config: Config, privileged: bool) -> Result<Execution, Error> {
        let ready = load::load(program, config, Role::Owner { privileged })?;
        Ok(Execution { ready })
    }

    /// The program's memory map.
    #[must_use]
    pub fn mm(&self) -> &Mm {
        &self.ready.process.mm
    }

    /// Runs the program. It returns only where the program's main thread has ended and no other runs; the status is
    /// for the process to exit with.
    ///
    /// # Errors
    /// [`Error::Host`].
    pub fn run(self) -> Result<i32, Error> {
        linux_user::run(self.ready.process, self.ready.start).map_err(Error::Host)
    }
}
