//! What one emulator hands to the next over execve, beside the options: one private
//! environment variable, which the guest never sees.

use crate::seccomp::handed::Named;

/// The variable's name.
pub const VARIABLE: &[u8] = b"_RAEMU_EXEC";

/// The contents of the variable.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Inherited {
    /// The emulator's file, if it is open. To be closed before the guest runs.
    pub emulator: Option<i32>,
    /// The guest's program, if it was executed through a descriptor. To be closed once loaded.
    pub program: Option<i32>,
    /// The kernel started the program before and knows the emulator: it shall execute what comes next.
    pub by_kernel: bool,
    /// The guest's seccomp filters. Believed under conditions of their own ([`crate::seccomp::handed`]).
    pub filters: Option<Named>,
    /// The name of the main thread.
    pub comm: Vec<u8>,
}

impl Inherited {
    /// `NAME=value`.
    #[must_use]
    pub fn to_variable(&self) -> Vec<u8> {
        let number = |fd: Option<i32>| fd.unwrap_or(-1);
        let mut text = VARIABLE.to_vec();
        let (emulator, program) = (number(self.emulator), number(self.program));
        let by_kernel = u8::from(self.by_kernel);
        let filters = number(self.filters.map(|file| file.fd));
        let inode = self.filters.map_or(0, |file| file.inode);
        let words = format!("={emulator},{program},{by_kernel},{filters},{inode},");
        text.extend_from_slice(words.as_bytes());
        text.extend_from_slice(&self.comm);
        text
    }

    /// From the environment. Only the last entry of the name is an emulator's own; the guest may have set others.
    #[must_use]
    pub fn find(environment: &[Vec<u8>]) -> Option<Inherited> {
        let entries = environment.iter().rev();
        entries.map(Vec::as_slice).find_map(Inherited::from_variable)
    }

    /// From an environment entry; `None` if it is another variable.
    #[must_use]
    pub fn from_variable(entry: &[u8]) -> Option<Inherited> {
        let value = entry.strip_prefix(VARIABLE)?.strip_prefix(b"=")?;
        let mut parts = value.splitn(6, |&byte| byte == b',');
        let mut number = || std::str::from_utf8(parts.next()?).ok()?.parse::<i64>().ok();
        let descriptor = |number: Option<i64>| i32::try_from(number?).ok().filter(|&fd| fd >= 0);
        let (emulator, program) = (descriptor(number()), descriptor(number()));
        let by_kernel = number() == Some(1);
        let (filters, inode) = (descriptor(number()), number().unwrap_or(0) as u64);
        Some(Inherited {
            emulator,
            program,
            by_kernel,
            filters: filters.map(|fd| Named { fd, inode }),
            comm: parts.next().unwrap_or_default().to_vec(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_variable_reads_back() {
        let cases = [
            Inherited::default(),
            Inherited {
                emulator: Some(1000),
                program: Some(4),
                by_kernel: true,
                filters: Some(Named { fd: 5, inode: 77 }),
                comm: b"a,b=c".to_vec(),
            },
        ];
        for case in cases {
            assert_eq!(Inherited::from_variable(&case.to_variable()), Some(case));
        }
        assert_eq!(Inherited::from_variable(b"_RAEMU_EXECUTE=1"), None);
        let environment = [
            "_RAEMU_EXEC=1,2,1,-1,0,old",
            "_RAEMU_EXEC=-1,-1,0,-1,0,new",
            "_RAEMU_EXECUTE=1",
        ];
        let environment = environment.map(|entry| entry.as_bytes().to_vec());
        let found = Inherited::find(&environment).map(|told| told.comm);
        assert_eq!(found.as_deref(), Some(&b"new"[..]));
        assert_eq!(
            Inherited::from_variable(b"_RAEMU_EXEC=x"),
            Some(Inherited::default())
        );
    }
}
