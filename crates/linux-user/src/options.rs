//! What the command line says to the Linux layer.

/// Settings of one run.
#[derive(Debug, Default)]
pub struct Options {
    /// -L: where absolute paths are looked for first; `None` when off.
    pub sysroot: Option<Vec<u8>>,
    /// -r: the release uname tells, the host's if `None`.
    pub uname_release: Option<String>,
}

impl Options {
    /// The -L prefix without a slash at its end.
    #[must_use]
    pub fn sysroot_bytes(&self) -> Option<&[u8]> {
        self.sysroot.as_deref()
    }
}
