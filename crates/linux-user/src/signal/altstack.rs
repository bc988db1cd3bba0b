//! sigaltstack(2), as the kernel's do_sigaltstack has it.

use linux_abi::{Errno, SysResult};

pub const SS_ONSTACK: u32 = 1;
pub const SS_DISABLE: u32 = 2;
pub const SS_AUTODISARM: u32 = 1 << 31;
/// arm64's MINSIGSTKSZ.
pub const MINSIGSTKSZ: u64 = 5120;

/// A thread's alternate stack; none if its size is 0.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AltStack {
    pub sp: u64,
    pub size: u64,
    pub flags: u32,
}

impl AltStack {
    fn contains(&self, sp: u64) -> bool {
        // With SS_AUTODISARM the stack counts as left as soon as a handler runs.
        self.flags & SS_AUTODISARM == 0 && sp > self.sp && sp - self.sp <= self.size
    }

    /// Whether a handler with SA_ONSTACK switches to it.
    #[must_use]
    pub fn usable_from(&self, sp: u64) -> bool {
        self.size != 0 && !self.contains(sp)
    }

    /// As the guest reads it with its stack pointer at `sp`.
    #[must_use]
    pub fn seen_from(&self, sp: u64) -> AltStack {
        let state = match self {
            AltStack { size: 0, .. } => SS_DISABLE,
            _ if self.contains(sp) => SS_ONSTACK,
            _ => 0,
        };
        AltStack {
            flags: state | (self.flags & SS_AUTODISARM),
            ..*self
        }
    }

    /// A handler was entered.
    pub fn disarm(&mut self) {
        if self.flags & SS_AUTODISARM != 0 {
            *self = AltStack::default();
        }
    }
}

/// Sets the alternate stack of a thread whose stack pointer is `sp`.
///
/// # Errors
/// EPERM while it is in use, EINVAL, ENOMEM.
pub fn set(current: &mut AltStack, new: AltStack, sp: u64) -> SysResult {
    if current.contains(sp) {
        return Err(Errno::EPERM);
    }
    let mode = new.flags & !SS_AUTODISARM;
    match mode {
        SS_DISABLE => {
            *current = AltStack {
                flags: new.flags,
                ..AltStack::default()
            };
            Ok(0)
        }
        0 | SS_ONSTACK if *current == new => Ok(0),
        0 | SS_ONSTACK if new.size < MINSIGSTKSZ => Err(Errno::ENOMEM),
        0 | SS_ONSTACK => {
            *current = new;
            Ok(0)
        }
        _ => Err(Errno::EINVAL),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STACK: AltStack = AltStack {
        sp: 0x1000,
        size: 0x4000,
        flags: 0,
    };

    #[test]
    fn each_request_is_judged() {
        let outside = 0x10_0000;
        let inside = 0x2000;
        let with = |flags, size| AltStack {
            flags,
            size,
            sp: 0x8000,
        };
        let cases: &[(AltStack, u64, Result<u64, Errno>)] = &[
            (with(0, 0x2000), outside, Ok(0)),
            (with(SS_ONSTACK, 0x2000), outside, Ok(0)),
            (with(0, 0x2000), inside, Err(Errno::EPERM)),
            (with(0, MINSIGSTKSZ - 1), outside, Err(Errno::ENOMEM)),
            (with(4, 0x2000), outside, Err(Errno::EINVAL)),
            (with(SS_DISABLE, 0), outside, Ok(0)),
        ];
        for &(new, sp, expected) in cases {
            let mut current = STACK;
            assert_eq!(set(&mut current, new, sp), expected, "{new:x?} {sp:#x}");
            assert_eq!(current == STACK, expected.is_err(), "{new:x?}");
        }
    }

    #[test]
    fn a_stack_in_use_is_not_switched_to() {
        // sp may stand at the very top (nothing pushed yet) but not at the bottom.
        for (sp, in_use) in [(0x1000, false), (0x1001, true), (0x5000, true), (0x5001, false)] {
            assert_eq!(STACK.usable_from(sp), !in_use, "{sp:#x}");
            assert_eq!(STACK.seen_from(sp).flags, u32::from(in_use));
        }
        assert!(!AltStack::default().usable_from(0));
        assert_eq!(AltStack::default().seen_from(0).flags, SS_DISABLE);
    }

    #[test]
    fn autodisarm_frees_the_stack_for_nested_signals() {
        let mut stack = AltStack {
            flags: SS_AUTODISARM,
            ..STACK
        };
        assert!(stack.usable_from(0x2000));
        stack.disarm();
        assert!(!stack.usable_from(0x2000));
    }
}
