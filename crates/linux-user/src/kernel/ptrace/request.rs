//! The requests of ptrace(2) by number (uapi linux/ptrace.h): all that a guest may make have the same on both sides. (The
//! registers of the host's kernel are other requests: [`super::kernel`].)

pub const TRACEME: u64 = 0;
pub const PEEKTEXT: u64 = 1;
pub const PEEKDATA: u64 = 2;
pub const POKETEXT: u64 = 4;
pub const POKEDATA: u64 = 5;
pub const CONT: u64 = 7;
pub const KILL: u64 = 8;
pub const SINGLESTEP: u64 = 9;
pub const ATTACH: u64 = 16;
pub const DETACH: u64 = 17;
pub const SYSCALL: u64 = 24;
/// Of arm64 (asm/ptrace.h), as is the next.
pub const SYSEMU: u64 = 31;
pub const SYSEMU_SINGLESTEP: u64 = 32;
pub const SETOPTIONS: u64 = 0x4200;
pub const GETEVENTMSG: u64 = 0x4201;
pub const GETSIGINFO: u64 = 0x4202;
pub const SETSIGINFO: u64 = 0x4203;
pub const GETREGSET: u64 = 0x4204;
pub const SETREGSET: u64 = 0x4205;
pub const SEIZE: u64 = 0x4206;
pub const INTERRUPT: u64 = 0x4207;
pub const LISTEN: u64 = 0x4208;
pub const PEEKSIGINFO: u64 = 0x4209;
pub const GETSIGMASK: u64 = 0x420a;
pub const SETSIGMASK: u64 = 0x420b;
pub const SECCOMP_GET_FILTER: u64 = 0x420c;
pub const SECCOMP_GET_METADATA: u64 = 0x420d;
pub const GET_SYSCALL_INFO: u64 = 0x420e;
/// Syscall user dispatch, which arm64's kernel does not have.
pub const SET_SYSCALL_USER_DISPATCH_CONFIG: u64 = 0x4210;
pub const GET_SYSCALL_USER_DISPATCH_CONFIG: u64 = 0x4211;
/// Since Linux 6.16.
pub const SET_SYSCALL_INFO: u64 = 0x4212;
