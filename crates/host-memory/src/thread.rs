//! Host threads whose stacks lie in the area, and a stack there for the first one.
//!
//! The C library makes the threads, because thread-local storage is its business; it puts that, and its own record, on
//! the stack it is given. So a stack is used again only when the kernel has said that its thread is gone, which
//! joining it tells. Whoever starts a thread joins those that have ended.
//!
//! # Safety
//! The C library allocates and locks within pthread_create and pthread_join, and for the command nowhere else: both
//! are called under the first of the emulator's locks, which is held over fork.

use crate::lock::{self, Guarded, Level, Lock, Word};
use crate::{Access, Mapping, own};
use std::arch::asm;
use std::ffi::c_void;
use std::mem::MaybeUninit;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::{io, mem, ptr};

const GUARD: usize = 4 << 10;

/// Stacks of ended threads kept for the next ones; more go back to the area.
const KEPT: usize = 16;

/// A thread that was started here.
struct Started {
    thread: libc::pthread_t,
    stack: Mapping,
    ended: Arc<AtomicBool>,
}

#[derive(Default)]
struct Threads {
    started: Vec<Started>,
    free: Vec<Mapping>,
}

impl Guarded for Threads {
    /// A child that shares memory starts no threads.
    fn copied(&self) -> Option<Threads> {
        None
    }

    /// The process whose threads these were is dead.
    fn owner_died(&mut self) {
        mem::forget(mem::take(self));
    }
}

static WORD: Word = Word::new(Level::Threads);
static THREADS: Lock<Threads> = Lock::lazy(&WORD);
/// Threads that have ended and were not joined.
static ENDED: AtomicUsize = AtomicUsize::new(0);

impl Threads {
    /// Joins the threads that have ended.
    fn reap(&mut self) {
        let mut at = 0;
        while at < self.started.len() {
            if !self.started[at].ended.load(Ordering::Acquire) {
                at += 1;
                continue;
            }
            let Started { thread, stack, .. } = self.started.swap_remove(at);
            ENDED.fetch_sub(1, Ordering::Relaxed);
            // It has said that it is about to end, so this takes no time.
            // SAFETY: started here, joinable, and joined once: it is no longer in the list.
            let joined = unsafe { libc::pthread_join(thread, ptr::null_mut()) };
            if joined != 0 {
                // Cannot be; but then its stack may be in use.
                mem::forget(stack);
            } else if self.free.len() < KEPT {
                self.free.push(stack);
            }
        }
    }

    fn stack(&mut self, size: usize) -> io::Result<Mapping> {
        let size = size + GUARD;
        if let Some(at) = self.free.iter().position(|stack| stack.len() == size) {
            return Ok(self.free.swap_remove(at));
        }
        new_stack(size)
    }
}

fn new_stack(size: usize) -> io::Result<Mapping> {
    let stack = Mapping::new(size, Access::ReadWrite)?;
    stack.protect(0, GUARD, Access::None)?;
    Ok(stack)
}

struct Start {
    run: Box<dyn FnOnce() + Send>,
    ended: Arc<AtomicBool>,
}

extern "C" fn main(start: *mut c_void) -> *mut c_void {
    // SAFETY: made by `Box::into_raw` in `start`, for this thread alone.
    let Start { run, ended } = *unsafe { Box::from_raw(start.cast::<Start>()) };
    run();
    ENDED.fetch_add(1, Ordering::Relaxed);
    ended.store(true, Ordering::Release);
    drop(ended);
    lock::forget_thread();
    ptr::null_mut()
}

/// Starts a thread with a stack of `stack_size` bytes (whole pages).
///
/// # Errors
/// When there is no memory, or the kernel makes no more threads.
pub fn start(stack_size: usize, run: impl FnOnce() + Send + 'static) -> io::Result<()> {
    let ended = Arc::new(AtomicBool::new(false));
    let start = Box::new(Start {
        run: Box::new(run),
        ended: Arc::clone(&ended),
    });
    let mut threads = THREADS.lock_lazy();
    if ENDED.load(Ordering::Relaxed) != 0 {
        threads.reap();
    }
    let stack = threads.stack(stack_size)?;
    let start = Box::into_raw(start);
    match create(&stack, start.cast()) {
        Ok(thread) => {
            threads.started.push(Started { thread, stack, ended });
            Ok(())
        }
        Err(error) => {
            // SAFETY: made above, and no thread has it.
            drop(unsafe { Box::from_raw(start) });
            Err(error)
        }
    }
}

/// Under the lock.
fn create(stack: &Mapping, start: *mut c_void) -> io::Result<libc::pthread_t> {
    let mut attributes = MaybeUninit::<libc::pthread_attr_t>::uninit();
    let mut thread = MaybeUninit::<libc::pthread_t>::uninit();
    let check = |error: i32| match error {
        0 => Ok(()),
        error => Err(io::Error::from_raw_os_error(error)),
    };
    // SAFETY: initialises them.
    check(unsafe { libc::pthread_attr_init(attributes.as_mut_ptr()) })?;
    let (lowest, size) = (stack.start().wrapping_add(GUARD).cast(), stack.len() - GUARD);
    // SAFETY: initialised above; the stack is ours, and stays until the thread has been joined.
    check(unsafe { libc::pthread_attr_setstack(attributes.as_mut_ptr(), lowest, size) })?;
    // SAFETY: attributes and function are as the C library wants them; `start` is for that function.
    let created = unsafe { libc::pthread_create(thread.as_mut_ptr(), attributes.as_ptr(), main, start) };
    own::note_heap();
    check(created)?;
    // SAFETY: the thread was made, and the C library has written who it is.
    Ok(unsafe { thread.assume_init() })
}

/// Calls `act` on a stack of `size` bytes in the area. The stack that the kernel made for the first thread grows down
/// into what may be the guest's, and its limit is the guest's to choose.
///
/// # Errors
/// When there is no memory; `act` is given back.
pub fn with_stack<R, F: FnOnce() -> R>(size: usize, act: F) -> Result<R, F> {
    let Ok(stack) = new_stack(size + GUARD) else {
        return Err(act);
    };
    let top = stack.start().wrapping_add(stack.len());
    let mut call = (Some(act), None);
    // SAFETY: the stack is writable, aligned, and stays until the call has returned; `enter` takes what `call` is. All
    // registers that a C function may change are named. Nothing unwinds through it: `enter` is `extern "C"`.
    unsafe {
        asm!(
            "mov r12, rsp",
            "mov rsp, {top}",
            "call {enter}",
            "mov rsp, r12",
            out("r12") _,
            top = in(reg) top,
            enter = in(reg) enter::<R, F> as extern "C" fn(*mut (Option<F>, Option<R>)),
            in("rdi") &raw mut call,
            clobber_abi("C"),
        );
    }
    Ok(call.1.expect("`enter` has made it"))
}

extern "C" fn enter<R, F: FnOnce() -> R>(call: *mut (Option<F>, Option<R>)) {
    // SAFETY: `with_stack` passes its own, which it does not use meanwhile.
    let call = unsafe { &mut *call };
    if let Some(act) = call.0.take() {
        call.1 = Some(act());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lock::Answer;

    fn here() -> u64 {
        let local = 0_u8;
        ptr::from_ref(&local) as u64
    }

    #[test]
    fn threads_run_in_the_area_and_stacks_are_used_again() {
        thread_local!(static LOCAL: u64 = const { 5 });
        let mut places = Vec::new();
        for round in 1..200 {
            let answer = Arc::new(Answer::default());
            let given = Arc::clone(&answer);
            let place = Arc::new(AtomicUsize::new(0));
            let seen = Arc::clone(&place);
            start(256 << 10, move || {
                seen.store(here() as usize, Ordering::Relaxed);
                let local = LOCAL.with(|local| ptr::from_ref(local) as u64);
                assert!(own::overlaps(local, 8));
                given.give(round);
            })
            .expect("a thread");
            assert_eq!(answer.wait(), round);
            let place = place.load(Ordering::Relaxed);
            assert!(own::overlaps(place as u64, 1));
            places.push(place >> 16);
        }
        places.sort_unstable();
        places.dedup();
        assert!(places.len() < 150, "{} places", places.len());
    }

    #[test]
    fn a_stack_of_the_area_is_left_again() {
        let outside = here();
        let inside = with_stack(256 << 10, || {
            assert!(own::overlaps(here(), 1));
            here()
        });
        let inside = inside.unwrap_or_else(|_| panic!("memory"));
        assert!(inside.abs_diff(outside) > 64 << 10);
    }
}
