//! [`Filter`]: the filters of a task, and what they decide together.

use super::bpf::{Data, Insn, Program};
use linux_abi::Errno;
use std::sync::Arc;

/// AUDIT_ARCH_AARCH64.
pub const AUDIT_ARCH_AARCH64: u32 = 0xc000_00b7;

/// SECCOMP_RET_*: the upper half of a program's answer.
pub mod ret {
    pub const KILL_PROCESS: u32 = 0x8000_0000;
    pub const KILL_THREAD: u32 = 0;
    pub const TRAP: u32 = 0x0003_0000;
    pub const ERRNO: u32 = 0x0005_0000;
    pub const USER_NOTIF: u32 = 0x7fc0_0000;
    pub const TRACE: u32 = 0x7ff0_0000;
    pub const LOG: u32 = 0x7ffc_0000;
    pub const ALLOW: u32 = 0x7fff_0000;
    /// SECCOMP_RET_ACTION_FULL.
    pub const ACTION: u32 = 0xffff_0000;
}

/// What is to be done about a call.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Action {
    KillProcess,
    KillThread,
    /// SIGSYS with this si_errno.
    Trap(u16),
    /// The call fails with this number, 4095 at most; with 0 it succeeds.
    Errno(u16),
    /// A supervisor decides; none if the filter has no listener.
    Notify {
        listener: bool,
    },
    /// A tracer decides, and gets this message.
    Trace(u16),
    Allow,
}

/// MAX_INSNS_PER_PATH: of all filters of a task together, as the kernel translated them.
const MAX_TOTAL: u32 = (1 << 18) / size_of::<Insn>() as u32;
/// What each filter but the newest counts beside its instructions.
const PENALTY: u32 = 4;
const MAX_ERRNO: u16 = 4095;

/// Numbers that have a bit in [`Filter::always`].
const NUMBERS: usize = 512;

/// A filter and those installed before it. Tasks share them: a child has its maker's.
#[derive(Debug)]
pub struct Filter {
    program: Program,
    /// It has a listener (SECCOMP_FILTER_FLAG_NEW_LISTENER).
    listener: bool,
    below: Option<Arc<Filter>>,
    /// The numbers that this and all below allow whatever the arguments are.
    always: [u64; NUMBERS / 64],
    /// Instructions in all, as the kernel counts them.
    total: u32,
    /// How many filters there are, this one included.
    count: u32,
}

impl Drop for Filter {
    fn drop(&mut self) {
        // One after another: there may be thousands.
        let mut next = self.below.take();
        while let Some(mut filter) = next.and_then(Arc::into_inner) {
            next = filter.below.take();
        }
    }
}

impl Filter {
    /// A filter on top of others.
    ///
    /// # Errors
    /// EBUSY for a second listener, ENOMEM beyond the limit of all together.
    pub fn new(program: Program, listener: bool, below: Option<Arc<Filter>>) -> Result<Arc<Filter>, Errno> {
        let under = |test: fn(&Filter) -> bool| below.iter().flat_map(|below| below.chain()).any(test);
        if listener && under(Filter::has_listener) {
            return Err(Errno::EBUSY);
        }
        let total = program.converted_len() + below.as_ref().map_or(0, |below| below.total + PENALTY);
        if total > MAX_TOTAL {
            return Err(Errno::ENOMEM);
        }
        let mut always = below
            .as_ref()
            .map_or([u64::MAX; NUMBERS / 64], |below| below.always);
        for number in 0..NUMBERS {
            let bit = 1 << (number % 64);
            let word = &mut always[number / 64];
            if *word & bit != 0
                && program.answer_by_number(number as i32, AUDIT_ARCH_AARCH64) != Some(ret::ALLOW)
            {
                *word &= !bit;
            }
        }
        Ok(Arc::new(Filter {
            program,
            listener,
            count: 1 + below.as_ref().map_or(0, |below| below.count),
            below,
            always,
            total,
        }))
    }

    #[must_use]
    pub fn program(&self) -> &Program {
        &self.program
    }

    #[must_use]
    pub fn has_listener(&self) -> bool {
        self.listener
    }

    /// How many filters there are, this one included.
    #[must_use]
    pub fn count(&self) -> u32 {
        self.count
    }

    /// From this one, the newest, to the oldest.
    pub fn chain(&self) -> impl Iterator<Item = &Filter> {
        std::iter::successors(Some(self), |filter| filter.below.as_deref())
    }

    /// Whether calls of this number are allowed whatever else they are. The one test that a common call costs.
    #[must_use]
    #[inline]
    pub fn always_allows(&self, number: u64) -> bool {
        let number = number as u32 as usize;
        let word = self.always.get(number / 64);
        word.is_some_and(|word| word >> (number % 64) & 1 != 0)
    }

    /// What the filters decide: all are asked, and the lowest answer counts, of equal ones the newest.
    #[must_use]
    pub fn decide(&self, data: &Data) -> Action {
        let mut lowest = (ret::ALLOW, self);
        for filter in self.chain() {
            let answer = filter.program.run(data);
            if ((answer & ret::ACTION) as i32) < (lowest.0 & ret::ACTION) as i32 {
                lowest = (answer, filter);
            }
        }
        let (answer, filter) = lowest;
        let message = answer as u16;
        match answer & ret::ACTION {
            ret::KILL_THREAD => Action::KillThread,
            ret::TRAP => Action::Trap(message),
            ret::ERRNO => Action::Errno(message.min(MAX_ERRNO)),
            ret::USER_NOTIF => Action::Notify {
                listener: filter.listener,
            },
            ret::TRACE => Action::Trace(message),
            // What is logged is carried out; the log would be the host's.
            ret::LOG | ret::ALLOW => Action::Allow,
            // KILL_PROCESS, and what no kernel knows.
            _ => Action::KillProcess,
        }
    }
}

/// Whether all filters of `older` are among those of `newer`, at their end (is_ancestor). No filter is among any.
#[must_use]
pub fn is_among(older: Option<&Arc<Filter>>, newer: Option<&Arc<Filter>>) -> bool {
    let Some(older) = older else { return true };
    let mut chain = newer.into_iter().flat_map(|newer| newer.chain());
    chain.any(|filter| std::ptr::eq(filter, Arc::as_ptr(older)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seccomp::bpf::tests::insn;

    fn answers(value: u32) -> Program {
        Program::new(vec![insn(0x06, 0, 0, value)]).expect("it is right")
    }

    /// Answers `value` for `number`, otherwise ALLOW.
    fn answers_for(number: u32, value: u32) -> Program {
        let insns = vec![
            insn(0x20, 0, 0, 0),
            insn(0x15, 0, 1, number),
            insn(0x06, 0, 0, value),
            insn(0x06, 0, 0, ret::ALLOW),
        ];
        Program::new(insns).expect("it is right")
    }

    fn stack(programs: &[Program]) -> Arc<Filter> {
        let mut top = None;
        for program in programs {
            top = Some(Filter::new(program.clone(), false, top).expect("there is room"));
        }
        top.expect("at least one")
    }

    fn decided(programs: &[Program]) -> Action {
        stack(programs).decide(&Data::default())
    }

    #[test]
    fn the_lowest_signed_answer_counts_and_of_equals_the_newest() {
        let order = [
            (ret::KILL_PROCESS, Action::KillProcess),
            (ret::KILL_THREAD, Action::KillThread),
            (ret::TRAP | 7, Action::Trap(7)),
            (ret::ERRNO | 9, Action::Errno(9)),
            (ret::USER_NOTIF, Action::Notify { listener: false }),
            (ret::TRACE | 3, Action::Trace(3)),
            (ret::LOG, Action::Allow),
            (ret::ALLOW, Action::Allow),
        ];
        for (at, (value, action)) in order.iter().enumerate() {
            for (other, _) in &order[at..] {
                assert_eq!(decided(&[answers(*value), answers(*other)]), *action);
                assert_eq!(decided(&[answers(*other), answers(*value)]), *action);
            }
        }
        let newest = decided(&[answers(ret::ERRNO | 1), answers(ret::ERRNO | 2)]);
        assert_eq!(newest, Action::Errno(2));
        assert_eq!(decided(&[answers(ret::ERRNO | 0xffff)]), Action::Errno(4095));
        assert_eq!(decided(&[answers(0x1234_0000)]), Action::KillProcess);
    }

    #[test]
    fn numbers_allowed_for_certain_have_a_bit() {
        let filter = stack(&[
            answers_for(63, ret::ERRNO | 1),
            answers_for(64, ret::LOG),
            answers(ret::ALLOW),
        ]);
        for (number, expected) in [
            (0, true),
            (62, true),
            (63, false),
            (64, false),
            (511, true),
            (512, false),
        ] {
            assert_eq!(filter.always_allows(number), expected, "{number}");
        }
        assert!(!filter.always_allows(u64::from(u32::MAX)));
        assert!(filter.always_allows(1 << 32 | 62));
    }

    #[test]
    fn there_is_a_limit_for_all_and_one_listener() {
        let mut top = None;
        let mut count = 0;
        while let Ok(filter) = Filter::new(answers(ret::ALLOW), false, top.clone()) {
            count = filter.count();
            top = Some(filter);
        }
        // 5 instructions each and 4 for each below the newest.
        assert_eq!(count, (32768 + 4) / 9);
        assert!(is_among(None, top.as_ref()) && is_among(top.as_ref(), top.as_ref()));
        let other = stack(&[answers(0)]);
        assert!(!is_among(Some(&other), top.as_ref()) && !is_among(top.as_ref(), None));
        drop(top);
        let first = Filter::new(answers(ret::ALLOW), true, None).expect("the first");
        let second = Filter::new(answers(ret::ALLOW), false, Some(first)).expect("no listener");
        let third = Filter::new(answers(ret::ALLOW), true, Some(second));
        assert_eq!(third.expect_err("a second listener"), Errno::EBUSY);
    }
}
