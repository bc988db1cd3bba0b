//! What `-strace` prints of random calls is what the model of the fuzzer says, which is written from the man pages.
//!
//! # Safety
//! The handler runs on faults of this process; those outside guest accesses end it.

#[path = "../../../fuzz/model.rs"]
mod model;

use guest::cpu_model::splitmix64;
use guest::{FaultKind, GuestAddr, PAGE_SIZE};
use guest_memory::access;
use linux_user::syscall;
use model::Memory;

const CASES: u64 = 40_000;
const SIZE: u64 = 512;

extern "C" fn handler(_: i32, _: *mut libc::siginfo_t, context: *mut libc::c_void) {
    // SAFETY: the kernel passes it, for the time of the handler.
    let context = unsafe { &mut *context.cast::<libc::ucontext_t>() };
    let rip = &mut context.uc_mcontext.gregs[libc::REG_RIP as usize];
    match access::fixup(*rip as u64, FaultKind::Unmapped) {
        Some(resume) => *rip = resume as i64,
        // SAFETY: the process cannot go on.
        None => unsafe { libc::_exit(99) },
    }
}

/// One page, with nothing behind it.
fn page() -> u64 {
    // SAFETY: all zero is a valid sigaction.
    let mut action: libc::sigaction = unsafe { std::mem::zeroed() };
    action.sa_sigaction = handler as *const () as usize;
    action.sa_flags = libc::SA_SIGINFO;
    // SAFETY: the handler is async-signal-safe, as `fixup` says of itself.
    let installed = unsafe { libc::sigaction(libc::SIGSEGV, &raw const action, std::ptr::null_mut()) };
    assert_eq!(installed, 0);
    let (prot, map_flags) = (
        libc::PROT_READ | libc::PROT_WRITE,
        libc::MAP_PRIVATE | libc::MAP_ANONYMOUS,
    );
    let size = 2 * PAGE_SIZE as usize;
    // SAFETY: a new mapping.
    let page = unsafe { libc::mmap(std::ptr::null_mut(), size, prot, map_flags, -1, 0) };
    // SAFETY: the second page of the mapping above.
    let hole = unsafe {
        libc::mprotect(
            page.wrapping_byte_add(PAGE_SIZE as usize),
            PAGE_SIZE as usize,
            libc::PROT_NONE,
        )
    };
    assert_eq!(hole, 0);
    page as u64
}

/// Random numbers from a seed.
struct Random(u64);

impl Random {
    fn word(&mut self) -> u64 {
        splitmix64(&mut self.0)
    }

    fn below(&mut self, limit: u64) -> u64 {
        self.word() % limit
    }
}

#[test]
fn random_calls_print_as_the_model_says() {
    let seed = std::env::var("RAEMU_TEST_SEED")
        .ok()
        .and_then(|seed| seed.parse().ok())
        .unwrap_or(1);
    println!("RAEMU_TEST_SEED={seed}");
    let mut random = Random(seed);
    let base = page() + PAGE_SIZE - SIZE;
    let numbers = model::numbers();
    let (mut compared, mut with_memory) = (0, 0);
    for case in 0..CASES {
        let mut bytes = [0_u8; SIZE as usize];
        for at in (0..bytes.len()).step_by(8) {
            // Text, small numbers, addresses of this memory, anything.
            let word = match random.below(4) {
                0 => u64::from_le_bytes(*b"/etc/\n\"\0"),
                1 => random.below(40),
                2 => base + random.below(SIZE + 8),
                _ => random.word() | 1 << 63,
            };
            bytes[at..at + 8].copy_from_slice(&word.to_le_bytes());
        }
        access::write(GuestAddr(base), &bytes).expect("just mapped");
        let registers: [u64; 6] = std::array::from_fn(|_| match random.below(6) {
            0 => random.below(64),
            1 => 1 << random.below(32),
            2 => random.word() | 1 << 63,
            3 => (-(random.below(200) as i64)) as u64,
            // Tagged, now and then.
            4 => (base + random.below(SIZE + 16)) | ((random.below(2) * 0xa5) << 56),
            _ => base + random.below(SIZE / 16) * 16,
        });
        let result = match random.below(3) {
            0 => Err(random.below(133) as i32 + 1),
            1 => Ok(random.below(100)),
            _ => Ok(random.word() >> 20),
        };
        let number = numbers[random.below(numbers.len() as u64) as usize];
        let memory = Memory {
            base,
            bytes: &bytes,
            doubtful: false.into(),
        };
        let text =
            syscall::text_of(number, &registers, result.map_err(linux_abi::Errno)).expect("it has a row");
        let Some(expected) = model::expected(number, &registers, result, &memory) else {
            continue;
        };
        let found = text.trim_end();
        let same = if result.is_err() {
            found.starts_with(&expected)
        } else {
            found == expected
        };
        assert!(
            same,
            "case {case} of seed {seed}\nprinted:  {found}\nexpected: {expected}"
        );
        compared += 1;
        with_memory += u64::from(found.contains('"'));
    }
    println!("{compared} of {CASES} cases compared, {with_memory} with text from memory");
    assert!(compared > CASES / 2 && with_memory > CASES / 20);
}
