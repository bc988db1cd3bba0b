//! What one emulator hands to the next over execve, beside the options: one private
//! environment variable, which the guest never sees.

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
        text.extend_from_slice(format!("={emulator},{program},{by_kernel},").as_bytes());
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
        let mut parts = value.splitn(4, |&byte| byte == b',');
        let mut number = || {
            let text = std::str::from_utf8(parts.next()?).ok()?;
            text.parse::<i32>().ok().filter(|&fd| fd >= 0)
        };
        let (emulator, program) = (number(), number());
        Some(Inherited {
            emulator,
            program,
            by_kernel: parts.next() == Some(b"1"),
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
                comm: b"a,b=c".to_vec(),
            },
        ];
        for case in cases {
            assert_eq!(Inherited::from_variable(&case.to_variable()), Some(case));
        }
        assert_eq!(Inherited::from_variable(b"_RAEMU_EXECUTE=1"), None);
        let environment = [
            "_RAEMU_EXEC=1,2,1,old",
            "_RAEMU_EXEC=-1,-1,0,new",
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
