//! Hardware breakpoints and watchpoints: the register sets NT_ARM_HW_BREAK and NT_ARM_HW_WATCH (struct user_hwdebug_state), and
//! what a task stops at because of them.
//!
//! What the kernel accepts, and what it makes of that, is arch/arm64/kernel/ptrace.c and hw_breakpoint.c: a register is a
//! perf event of the task's, made when it is first written, and gone when the task ends or executes a program. Children
//! and threads begin without (ptrace_hw_copy_thread), and a tracer that lets go leaves them.

use crate::signal::deliver;
use crate::task::Task;
use engine::{DebugPoints, Debugged, Watchpoint};
use guest::Exit;
use linux_abi::Errno;
use zerocopy::{FromBytes, Immutable, IntoBytes};

/// ID_AA64DFR0_EL1.DebugVer as the kernel sanitises it: ARMv8.0.
const DEBUG_ARCHITECTURE: u64 = 6;
/// What belongs to programs, with addresses of 48 bits.
const TASK_SIZE: u64 = 1 << 48;
/// How many a CPU has, as Cortex-A and Neoverse cores have.
pub const BREAKPOINTS: usize = 6;
pub const WATCHPOINTS: usize = 4;
/// How many a set has room for (ARM_MAX_BRP, ARM_MAX_WRP).
const ROOM: usize = 16;
/// Bytes before the first register of a set, and of each.
const HEADER: usize = 8;
const STRIDE: usize = 16;
pub const SET_SIZE: u64 = (HEADER + ROOM * STRIDE) as u64;

/// Fields of the control register (struct arch_hw_breakpoint_ctrl).
const ENABLED: u32 = 1;
/// AARCH64_BREAKPOINT_EL0, in its place.
const EL0: u32 = 2 << 1;
const TYPE_SHIFT: u32 = 3;
const LENGTH_SHIFT: u32 = 5;
const LOAD: u32 = 1;
const STORE: u32 = 2;
/// All four bytes of an instruction.
const INSTRUCTION: u32 = 4;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    Break,
    Watch,
}

/// One register, as the kernel keeps it (struct perf_event_attr).
#[derive(Clone, Copy, Default, FromBytes, IntoBytes, Immutable)]
#[repr(C)]
pub struct Slot {
    address: u64,
    /// How many bytes from there on, 1 to 8; 0 for a register that was never written.
    length: u32,
    /// The type of accesses; 0 for a breakpoint.
    kind: u16,
    enabled: u16,
}

/// All of a task's.
#[derive(Clone, Copy, Default, FromBytes, IntoBytes, Immutable)]
#[repr(C)]
pub struct Slots {
    breakpoints: [Slot; BREAKPOINTS],
    watchpoints: [Slot; WATCHPOINTS],
}

impl Slot {
    fn made(kind: Kind) -> Slot {
        Slot {
            address: 0,
            length: INSTRUCTION,
            kind: match kind {
                Kind::Break => 0,
                Kind::Watch => (LOAD | STORE) as u16,
            },
            enabled: 0,
        }
    }

    /// The bytes within eight aligned ones, or the instruction, that the CPU compares with (BAS), by their place; the bits
    /// beyond have no room.
    fn selected(self, kind: Kind) -> (u64, u32) {
        let (mask, length) = match kind {
            Kind::Break => (3, INSTRUCTION),
            Kind::Watch => (7, self.length),
        };
        let bytes = (1 << length) - 1;
        (self.address & !mask, bytes << (self.address & mask) & 0xff)
    }

    fn read(self, kind: Kind) -> (u64, u32) {
        if self.length == 0 {
            return (0, 0);
        }
        let (address, bytes) = self.selected(kind);
        let control =
            bytes << LENGTH_SHIFT | u32::from(self.kind) << TYPE_SHIFT | EL0 | u32::from(self.enabled);
        (address, control)
    }

    /// hw_breakpoint_arch_parse: what lies in the kernel's half cannot be a task's.
    fn checked(self, kind: Kind) -> Result<Slot, Errno> {
        let (address, _) = self.selected(kind);
        if address >= TASK_SIZE {
            return Err(Errno::EINVAL);
        }
        Ok(self)
    }

    /// ptrace_hbp_set_ctrl.
    fn controlled(mut self, kind: Kind, control: u32) -> Result<Slot, Errno> {
        if control & ENABLED == 0 {
            self.enabled = 0;
            return self.checked(kind);
        }
        let wanted = control >> TYPE_SHIFT & 3;
        let bytes = control >> LENGTH_SHIFT & 0xff;
        let first = bytes.trailing_zeros();
        // Neighbours, at least one.
        if bytes == 0 || (bytes >> first) & ((bytes >> first) + 1) != 0 {
            return Err(Errno::EINVAL);
        }
        if (kind == Kind::Break) != (wanted == 0) {
            return Err(Errno::EINVAL);
        }
        self.enabled = 1;
        self.kind = wanted as u16;
        self.length = bytes.count_ones();
        self.address = self.address.wrapping_add(u64::from(first));
        self.checked(kind)
    }
}

impl Slots {
    fn of(&self, kind: Kind) -> &[Slot] {
        match kind {
            Kind::Break => &self.breakpoints,
            Kind::Watch => &self.watchpoints,
        }
    }

    fn of_mut(&mut self, kind: Kind) -> &mut [Slot] {
        match kind {
            Kind::Break => &mut self.breakpoints,
            Kind::Watch => &mut self.watchpoints,
        }
    }

    /// A whole set.
    pub fn get(&self, kind: Kind) -> Vec<u8> {
        let slots = self.of(kind);
        let mut bytes = (DEBUG_ARCHITECTURE << 8 | slots.len() as u64)
            .to_le_bytes()
            .to_vec();
        for slot in slots {
            let (address, control) = slot.read(kind);
            bytes.extend_from_slice(&address.to_le_bytes());
            bytes.extend_from_slice(&u64::from(control).to_le_bytes());
        }
        bytes.resize(SET_SIZE as usize, 0);
        bytes
    }

    /// Takes over the first bytes of a set, register by register up to the first that cannot be.
    ///
    /// # Errors
    /// ENOSPC beyond the CPU's, EINVAL for what none can do.
    pub fn set(&mut self, kind: Kind, bytes: &[u8]) -> Result<(), Errno> {
        let registers = bytes.get(HEADER..).unwrap_or(&[]).chunks(STRIDE);
        for (index, register) in registers.enumerate() {
            let (address, rest) = u64::read_from_prefix(register).map_err(|_| Errno::EINVAL)?;
            let slot = self.of_mut(kind).get_mut(index).ok_or(Errno::ENOSPC)?;
            if slot.length == 0 {
                *slot = Slot::made(kind);
            }
            *slot = Slot { address, ..*slot }.checked(kind)?;
            if rest.is_empty() {
                break;
            }
            let (control, _) = u32::read_from_prefix(rest).map_err(|_| Errno::EINVAL)?;
            *slot = slot.controlled(kind, control)?;
        }
        Ok(())
    }

    /// What the CPU is to stop at.
    fn points(&self) -> DebugPoints {
        let enabled = |slot: &&Slot| slot.enabled != 0;
        let breakpoints = self.breakpoints.iter().filter(enabled);
        let watchpoints = self.watchpoints.iter().filter(enabled);
        DebugPoints {
            breakpoints: breakpoints.map(|slot| slot.selected(Kind::Break).0).collect(),
            watchpoints: watchpoints.filter_map(|slot| slot.watchpoint()).collect(),
        }
    }
}

impl Slot {
    fn watchpoint(&self) -> Option<Watchpoint> {
        let (base, bytes) = self.selected(Kind::Watch);
        let start = base + u64::from(bytes.trailing_zeros());
        Some(Watchpoint {
            start,
            end: start + u64::from(bytes.count_ones()),
            loads: u32::from(self.kind) & LOAD != 0,
            stores: u32::from(self.kind) & STORE != 0,
        })
        .filter(|_| bytes != 0)
    }
}

/// A task's registers and what they make it stop at.
#[derive(Default)]
pub struct Debug {
    slots: Slots,
    points: DebugPoints,
    armed: bool,
}

impl Debug {
    pub fn slots(&self) -> Slots {
        self.slots
    }

    pub fn change(&mut self, slots: Slots) {
        self.slots = slots;
        self.points = slots.points();
        self.armed = !self.points.is_empty();
    }

    /// Whether the task runs instruction by instruction.
    pub fn is_armed(&self) -> bool {
        self.armed
    }
}

/// Runs a task that stops at points of its own.
#[cold]
pub fn run(task: &mut Task) -> Exit {
    let met = task.cpu.run_debugged(&task.trace.debug.points);
    show(task, met)
}

/// One instruction of it.
///
/// # Errors
/// The exit that it causes.
pub fn step(task: &mut Task) -> Result<(), Exit> {
    if !task.trace.debug.armed {
        return task.cpu.step();
    }
    let stepped = task.cpu.step_debugged(&task.trace.debug.points);
    stepped.map_err(|met| show(task, met))
}

/// ptrace_hbptriggered: a signal at the instruction, before it.
fn show(task: &mut Task, met: Debugged) -> Exit {
    let address = match met {
        Debugged::Exit(exit) => return exit,
        Debugged::Breakpoint => task.cpu.state().pc,
        Debugged::Watchpoint(address) => address.0,
    };
    deliver::debug_point(task, address);
    Exit::Poll
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(kind: Kind, registers: &[(u64, u32)]) -> Result<Slots, Errno> {
        let mut bytes = vec![0; HEADER];
        for (address, control) in registers {
            bytes.extend_from_slice(&address.to_le_bytes());
            bytes.extend_from_slice(&u64::from(*control).to_le_bytes());
        }
        let mut slots = Slots::default();
        slots.set(kind, &bytes).map(|()| slots)
    }

    fn watch(address: u64, control: u32) -> Result<(u64, u32), Errno> {
        set(Kind::Watch, &[(address, control)]).map(|slots| slots.watchpoints[0].read(Kind::Watch))
    }

    #[test]
    fn controls_are_as_the_kernel_takes_them() {
        assert_eq!(
            watch(0x1000, 0xff << 5 | 3 << 3 | 5),
            Ok((0x1000, 0xff << 5 | 3 << 3 | 5))
        );
        assert_eq!(
            watch(0x1000, 0xf0 << 5 | 2 << 3 | 1),
            Ok((0x1000, 0xf0 << 5 | 2 << 3 | 5)),
            "EL0"
        );
        assert_eq!(
            watch(0x1004, 0xf << 5 | 2 << 3 | 5),
            Ok((0x1000, 0xf0 << 5 | 2 << 3 | 5))
        );
        assert_eq!(
            watch(0x1007, 3 << 5 | 1 << 3 | 5),
            Ok((0x1000, 0x80 << 5 | 1 << 3 | 5)),
            "no room"
        );
        assert_eq!(
            watch(0x1000, 5 << 5 | 2 << 3 | 5),
            Err(Errno::EINVAL),
            "not neighbours"
        );
        assert_eq!(watch(0x1000, 2 << 3 | 5), Err(Errno::EINVAL), "no bytes");
        assert_eq!(watch(0x1000, 0xf << 5 | 5), Err(Errno::EINVAL), "for execution");
        assert_eq!(watch(0x1000, 0), Ok((0x1000, 0xf << 5 | 3 << 3 | 4)), "disabled");
        assert_eq!(watch(1 << 48, 0xf << 5 | 2 << 3 | 5), Err(Errno::EINVAL));
        let breaks = |address, control| {
            set(Kind::Break, &[(address, control)]).map(|slots| slots.breakpoints[0].read(Kind::Break))
        };
        assert_eq!(
            breaks(0x1000, 0xff << 5 | 5),
            Ok((0x1000, 0xf << 5 | 5)),
            "always an instruction"
        );
        assert_eq!(breaks(0x1000, 0xf << 5 | 2 << 3 | 5), Err(Errno::EINVAL));
    }

    #[test]
    fn registers_beyond_the_cpus_are_no_space() {
        assert!(set(Kind::Watch, &[(8, 0); WATCHPOINTS]).is_ok());
        assert_eq!(
            set(Kind::Watch, &[(8, 0); WATCHPOINTS + 1]).err(),
            Some(Errno::ENOSPC)
        );
        let mut slots = Slots::default();
        assert_eq!(
            slots.set(Kind::Break, &[0; 12]),
            Err(Errno::EINVAL),
            "half an address"
        );
        assert_eq!(slots.set(Kind::Break, &[0; 8]), Ok(()));
        assert_eq!(slots.get(Kind::Break)[..2], [BREAKPOINTS as u8, 6]);
    }
}
