//! prctl(2) PR_SET_MM: where a program's parts lie, for /proc (kernel/sys.c, prctl_set_mm).

use super::arg::{read_bytes, write};
use crate::host;
use crate::kernel::layout::{AUXV_WORDS, Place};
use crate::proc::host_file;
use crate::proc::record;
use crate::proc::status::Facts;
use crate::task::Task;
use guest::{GUEST_ADDRESS_LIMIT, GuestAddr};
use linux_abi::nr::x86_64 as nr;
use linux_abi::{Errno, SysResult};
use std::sync::OnceLock;
use zerocopy::{FromBytes, Immutable, IntoBytes};

const PR_SET_MM: u64 = 35;
const START_CODE: u64 = 1;
const END_CODE: u64 = 2;
const START_DATA: u64 = 3;
const END_DATA: u64 = 4;
const START_STACK: u64 = 5;
const START_BRK: u64 = 6;
const BRK: u64 = 7;
const ARG_START: u64 = 8;
const ARG_END: u64 = 9;
const ENV_START: u64 = 10;
const ENV_END: u64 = 11;
const AUXV: u64 = 12;
const EXE_FILE: u64 = 13;
const MAP: u64 = 14;
const MAP_SIZE: u64 = 15;

/// struct prctl_mm_map (linux/prctl.h).
#[derive(Clone, Copy, FromBytes, IntoBytes, Immutable)]
#[repr(C)]
struct Map {
    start_code: u64,
    end_code: u64,
    start_data: u64,
    end_data: u64,
    start_brk: u64,
    brk: u64,
    start_stack: u64,
    arg_start: u64,
    arg_end: u64,
    env_start: u64,
    env_end: u64,
    auxv: u64,
    auxv_size: u32,
    exe_fd: u32,
}
const MAP_BYTES: u64 = size_of::<Map>() as u64;
const _: () = assert!(MAP_BYTES == 104);
const AUXV_BYTES: u64 = AUXV_WORDS as u64 * 8;

/// prctl(2) PR_SET_MM.
///
/// # Errors
/// The kernel's.
pub fn set(task: &mut Task, option: u64, addr: u64, size: u64, last: u64) -> SysResult {
    if last != 0 || (size != 0 && !matches!(option, AUXV | MAP | MAP_SIZE)) {
        return Err(Errno::EINVAL);
    }
    match option {
        MAP_SIZE => return write(GuestAddr(addr), &(MAP_BYTES as u32)).map(|()| 0),
        MAP => return set_map(task, addr, size),
        _ => may_set()?,
    }
    match option {
        EXE_FILE => return exe_file(task, addr as i32),
        AUXV => {
            if size > AUXV_BYTES {
                return Err(Errno::EINVAL);
            }
            let words = auxv(addr, size)?;
            let image = &task.process.image;
            // What stands behind them stays.
            let mut whole: Vec<u64> = image
                .auxv()
                .as_chunks()
                .0
                .iter()
                .map(|word| u64::from_le_bytes(*word))
                .collect();
            whole.resize(AUXV_WORDS, 0);
            whole[..words.len()].copy_from_slice(&words);
            image.layout.set_auxv(&whole);
            show(task);
            return Ok(0);
        }
        _ => {}
    }
    if !is_address(addr) {
        return Err(Errno::EINVAL);
    }
    let mut map = Map::of(task);
    *map.field(option).ok_or(Errno::EINVAL)? = addr;
    map.check()?;
    let is_of_memory = matches!(option, START_STACK | ARG_START | ARG_END | ENV_START | ENV_END);
    if is_of_memory && task.process.mm.vmas().last().is_none_or(|vma| vma.end <= addr) {
        return Err(Errno::EFAULT);
    }
    put(task, &map);
    Ok(0)
}

fn set_map(task: &mut Task, addr: u64, size: u64) -> SysResult {
    if size != MAP_BYTES {
        return Err(Errno::EINVAL);
    }
    let map: Map = super::arg::read(GuestAddr(addr))?;
    map.check()?;
    if (map.auxv_size != 0 && map.auxv == 0) || u64::from(map.auxv_size) > AUXV_BYTES {
        return Err(Errno::EINVAL);
    }
    let words = match map.auxv_size {
        0 => None,
        size => Some(auxv(map.auxv, u64::from(size))?),
    };
    if map.exe_fd != u32::MAX {
        may_set()?;
        exe_file(task, map.exe_fd as i32)?;
    }
    if let Some(words) = words {
        task.process.image.layout.set_auxv(&words);
    }
    put(task, &map);
    Ok(0)
}

impl Map {
    /// As it is.
    fn of(task: &Task) -> Map {
        let facts = Facts::of(task);
        let image = &task.process.image;
        let (brk, arguments, environment) = (
            task.process.mm.brk_range(),
            image.arguments(),
            image.environment(),
        );
        let [start_code, end_code] = facts.code();
        let [start_data, end_data] = facts.data();
        Map {
            start_code,
            end_code,
            start_data,
            end_data,
            start_brk: brk.start.0,
            brk: brk.end.0,
            start_stack: image.stack_start(),
            arg_start: arguments.start.0,
            arg_end: arguments.end.0,
            env_start: environment.start.0,
            env_end: environment.end.0,
            auxv: 0,
            auxv_size: 0,
            exe_fd: u32::MAX,
        }
    }

    fn field(&mut self, option: u64) -> Option<&mut u64> {
        Some(match option {
            START_CODE => &mut self.start_code,
            END_CODE => &mut self.end_code,
            START_DATA => &mut self.start_data,
            END_DATA => &mut self.end_data,
            START_STACK => &mut self.start_stack,
            START_BRK => &mut self.start_brk,
            BRK => &mut self.brk,
            ARG_START => &mut self.arg_start,
            ARG_END => &mut self.arg_end,
            ENV_START => &mut self.env_start,
            ENV_END => &mut self.env_end,
            _ => return None,
        })
    }

    /// validate_prctl_map_addr.
    fn check(&self) -> Result<(), Errno> {
        const RLIMIT_DATA: u64 = 2;
        let all = [
            self.start_code,
            self.end_code,
            self.start_data,
            self.end_data,
            self.start_brk,
            self.brk,
            self.start_stack,
            self.arg_start,
            self.arg_end,
            self.env_start,
            self.env_end,
        ];
        let ordered = self.start_code < self.end_code
            && self.start_data <= self.end_data
            && self.start_brk <= self.brk
            && self.arg_start <= self.arg_end
            && self.env_start <= self.env_end;
        let limit = host::prlimit(RLIMIT_DATA, None)?.rlim_cur;
        let data = (self.brk.wrapping_sub(self.start_brk))
            .saturating_add(self.end_data.wrapping_sub(self.start_data));
        if all.into_iter().all(is_address) && ordered && (limit == u64::MAX || data <= limit) {
            Ok(())
        } else {
            Err(Errno::EINVAL)
        }
    }
}

/// What may be said: an address of user space, not below mmap_min_addr.
fn is_address(addr: u64) -> bool {
    static LOWEST: OnceLock<u64> = OnceLock::new();
    let lowest = *LOWEST.get_or_init(|| {
        let text = host_file::read(b"/proc/sys/vm/mmap_min_addr").ok();
        let number = text.and_then(|text| String::from_utf8_lossy(&text).trim().parse().ok());
        number.unwrap_or(65536)
    });
    (lowest.max(1)..GUEST_ADDRESS_LIMIT).contains(&addr)
}

/// Whether the caller has CAP_SYS_RESOURCE, of its kernel.
fn may_set() -> Result<(), Errno> {
    // SAFETY: no program begins at 0: with the capability it is refused all the same.
    match unsafe { host::raw(nr::prctl, [PR_SET_MM, START_CODE, 0, 0, 0, 0]) } {
        Err(Errno::EPERM) => Err(Errno::EPERM),
        Ok(_) | Err(_) => Ok(()),
    }
}

/// An auxiliary vector of the guest's.
fn auxv(addr: u64, size: u64) -> Result<Vec<u64>, Errno> {
    let mut bytes = vec![0_u8; (size as usize).next_multiple_of(8)];
    read_bytes(GuestAddr(addr), &mut bytes[..size as usize])?;
    let words = bytes.as_chunks().0;
    Ok(words.iter().map(|word| u64::from_le_bytes(*word)).collect())
}

/// The program's file can only be another one when nothing of the first is mapped any longer (replace_mm_exe_file), which
/// a program that runs here never comes to: its code would be gone.
fn exe_file(_: &Task, fd: i32) -> SysResult {
    const S_IFMT: u32 = 0o170_000;
    const S_IFREG: u32 = 0o100_000;
    let status = host::fstat(fd)?;
    if status.st_mode & S_IFMT != S_IFREG || status.st_mode & 0o111 == 0 {
        return Err(Errno::EACCES);
    }
    Err(Errno::EBUSY)
}

fn put(task: &Task, map: &Map) {
    let layout = &task.process.image.layout;
    for (place, value) in [
        (Place::StartCode, map.start_code),
        (Place::EndCode, map.end_code),
        (Place::StartData, map.start_data),
        (Place::EndData, map.end_data),
        (Place::StartStack, map.start_stack),
        (Place::ArgStart, map.arg_start),
        (Place::ArgEnd, map.arg_end),
        (Place::EnvStart, map.env_start),
        (Place::EnvEnd, map.env_end),
    ] {
        layout.set(place, value);
    }
    task.process.mm.move_brk(map.start_brk, map.brk);
    show(task);
}

/// Others see it, too.
fn show(task: &Task) {
    record::publish(&task.process.image, task.process.mm.brk_range().start.0);
}
