//! No system call touches the emulator's memory: `tests/guest/own/own_memory.c` is started under the emulator,
//! gets an address in each of its mappings that is not the guest's (as the host's /proc/PID/maps shows them),
//! and passes it to every call that takes one.
//!
//! The calls come from docs/generated/syscalls.md, which is made from the table of system calls: each argument of
//! a type that names memory is tried, with the others as `VALUES` says. The answer must be that of an
//! address where nothing is mapped, or EFAULT, EINVAL or ENOMEM; the guest prints what is otherwise.
#![forbid(unsafe_code)]

use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Write};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};

use program_tests::{paths, process};

const COMPILER: &str = "aarch64-linux-gnu-gcc";

/// Types whose value is an address of memory that the kernel touches.
const MEMORY: &[&str] = &[
    "In<",
    "Out<",
    "InOut<",
    "InArray<",
    "InOutArray<",
    "OutUpTo<",
    "Reads<",
    "Writes<",
    "ReadsArray<",
    "WritesArray<",
    "WritesUpTo<",
    "WritesSized<",
    "Bits<",
    "CpuMask",
    "Pages<",
    "PageAt",
    "PageBytes",
    "InBuf",
    "InStream",
    "OutBuf",
    "Iov",
    "IovOut",
    "RemoteIov",
    "GuestCStr",
    "CStrArray",
    "SigSetIn",
    "SigSetOut",
    "SigActIn",
    "SigActOut",
    "FutexTimeout",
    "Iocbs",
    "Messages",
    "OptionIn",
    "OptionOut",
    "SelfSized<",
    "FileHandle",
    "MountId",
    "PageList",
    "Waiters",
    "WaiterPair",
    "XattrArgs",
    "BpfAttr",
    "Notification",
    "KeyArg",
    "ConfigValue",
];

/// What the arguments hold that are not under test: `call.argument`, or `argument` in any call.
const VALUES: &[(&str, &str)] = &[
    ("getdents64.fd", "DIR_FD"),
    ("accept.fd", "SOCK_FD"),
    ("accept4.fd", "SOCK_FD"),
    ("bind.fd", "SOCK_FD"),
    ("connect.fd", "SOCK_FD"),
    ("getsockname.fd", "SOCK_FD"),
    ("getpeername.fd", "SOCK_FD"),
    ("sendto.fd", "SOCK_FD"),
    ("recvfrom.fd", "SOCK_FD"),
    ("sendmsg.fd", "SOCK_FD"),
    ("recvmsg.fd", "SOCK_FD"),
    ("sendmmsg.fd", "SOCK_FD"),
    ("recvmmsg.fd", "SOCK_FD"),
    ("setsockopt.fd", "SOCK_FD"),
    ("getsockopt.fd", "SOCK_FD"),
    ("setsockopt.level", "1"),
    ("setsockopt.name", "2"),
    ("setsockopt.len", "4"),
    ("getsockopt.level", "1"),
    ("getsockopt.name", "3"),
    ("accept.len", "LEN"),
    ("accept4.len", "LEN"),
    ("getsockname.len", "LEN"),
    ("getpeername.len", "LEN"),
    ("getsockopt.len", "LEN"),
    ("recvfrom.addrlen", "LEN"),
    ("lsm_get_self_attr.size", "LEN"),
    ("lsm_list_modules.size", "LEN"),
    // MSG_DONTWAIT.
    ("sendto.flags", "0x40"),
    ("recvfrom.flags", "0x40"),
    ("sendmsg.flags", "0x40"),
    ("recvmsg.flags", "0x40"),
    ("sendmmsg.flags", "0x40"),
    ("recvmmsg.flags", "0x40"),
    ("write.fd", "PIPE_FD"),
    ("writev.fd", "PIPE_FD"),
    ("vmsplice.fd", "PIPE_FD"),
    // SPLICE_F_NONBLOCK.
    ("vmsplice.flags", "2"),
    ("splice.flags", "2"),
    ("splice.fd_out", "PIPE_FD"),
    ("sendfile.out_fd", "PIPE_FD"),
    ("epfd", "EPOLL_FD"),
    ("epoll_ctl.op", "3"),
    ("epoll_ctl.fd", "SOCK_FD"),
    ("maxevents", "4"),
    ("nfds", "1"),
    ("nr", "1"),
    ("signalfd4.fd", "-1"),
    ("sigsetsize", "8"),
    ("sizemask", "8"),
    ("ctx", "AIO"),
    ("io_setup.ctx", "BUF"),
    ("lsm_get_self_attr.ctx", "BUF"),
    ("lsm_set_self_attr.ctx", "BUF"),
    // IPC_STAT, IPC_NOWAIT.
    ("msgctl.cmd", "2"),
    ("shmctl.cmd", "2"),
    ("msgctl.id", "MSG"),
    ("msgsnd.id", "MSG"),
    ("msgrcv.id", "MSG"),
    ("shmctl.id", "SHM"),
    ("semop.id", "SEM"),
    ("semtimedop.id", "SEM"),
    ("msgsnd.flags", "04000"),
    ("msgrcv.flags", "04000"),
    ("nsops", "1"),
    ("statfs.path", "ROOT"),
    ("newfstatat.path", "ROOT"),
    ("statx.path", "ROOT"),
    ("name_to_handle_at.path", "ROOT"),
    ("getxattr.path", "ROOT"),
    ("listxattr.path", "ROOT"),
    ("readlinkat.path", "LINK"),
    ("mincore.len", "4096"),
    ("msync.len", "4096"),
    ("mlock.len", "4096"),
    ("munlock.len", "4096"),
    ("mlock2.len", "4096"),
    ("process_vm_readv.pid", "SELF"),
    ("process_vm_writev.pid", "SELF"),
    ("getgroups.size", "64"),
    ("setgroups.size", "1"),
    ("liovcnt", "1"),
    ("riovcnt", "1"),
    ("iovcnt", "1"),
    ("nr_segs", "1"),
    ("vlen", "1"),
    ("move_pages.count", "1"),
    // RLIMIT_NICE, whose limit of 0 hurts nobody.
    ("resource", "13"),
    // With the time beside it, the zone's address would not be all that is tried.
    ("settimeofday.tv", "0"),
    // SYSLOG_ACTION_READ_ALL.
    ("syslog.cmd", "3"),
    // SIGUSR1.
    ("sig", "10"),
    ("landlock_add_rule.kind", "1"),
    ("userfaultfd.flags", "0"),
];

/// Operations of keyctl, and which of their arguments are addresses (man 2 keyctl); the others are numbers.
const KEY_OPERATIONS: &[(u32, &[usize])] = &[
    (1, &[1]),
    (2, &[2]),
    (6, &[2]),
    (10, &[2, 3]),
    (11, &[2]),
    (12, &[2]),
    (17, &[2]),
    (20, &[2]),
    (23, &[1, 2, 4]),
    (24, &[3, 4]),
    (25, &[1, 2, 3, 4]),
    (29, &[2, 3]),
    (31, &[1]),
];

/// Calls that cannot be tried, and why.
const SKIPPED: &[(&str, &str)] = &[
    (
        "mq_timedsend",
        "waits for a queue that is not there in every kernel",
    ),
    (
        "set_robust_list",
        "the kernel takes any address and looks when the thread ends",
    ),
];

fn main() -> ExitCode {
    if std::env::args().any(|argument| argument == "--list") {
        println!("own_memory: test");
        return ExitCode::SUCCESS;
    }
    match check() {
        Ok(summary) => {
            println!("{summary}\n1 passed, 0 failed");
            ExitCode::SUCCESS
        }
        Err(message) => {
            eprintln!("own_memory: {message}");
            println!("0 passed, 1 failed");
            ExitCode::FAILURE
        }
    }
}

/// One line of calls.inc for each argument of each row that is memory.
fn calls(page: &str) -> Result<(String, usize), String> {
    let mut text = String::new();
    let mut count = 0;
    for line in page.lines() {
        let fields: Vec<&str> = line.split(" | ").collect();
        let [number, name, arguments, ..] = fields[..] else {
            continue;
        };
        let Ok(number) = number.trim_start_matches("| ").parse::<u32>() else {
            continue;
        };
        if SKIPPED.iter().any(|&(skipped, _)| skipped == name) {
            continue;
        }
        let arguments = split(arguments);
        for tested in 0..arguments.len() {
            if !is_memory(&arguments[tested].1) {
                continue;
            }
            let operations: Vec<u32> = match name {
                "keyctl" => KEY_OPERATIONS
                    .iter()
                    .filter(|(_, addresses)| addresses.contains(&tested))
                    .map(|&(operation, _)| operation)
                    .collect(),
                _ => vec![0],
            };
            for operation in operations {
                let mut registers: Vec<String> = arguments
                    .iter()
                    .map(|(argument, kind)| value(name, argument, kind))
                    .collect();
                registers[tested] = "BAD".to_string();
                if name == "keyctl" {
                    registers[0] = operation.to_string();
                }
                registers.resize(6, "0".to_string());
                // Writing to a String cannot fail.
                let _ = writeln!(
                    text,
                    "{{ {number}, \"{name}\", {tested}, {{ {} }} }},",
                    registers.join(", ")
                );
                count += 1;
            }
        }
    }
    if count == 0 {
        Err("no call in docs/generated/syscalls.md".into())
    } else {
        Ok((text, count))
    }
}

/// `name: Type<a, b>, ...` in pairs.
fn split(arguments: &str) -> Vec<(String, String)> {
    let mut pairs = Vec::new();
    let mut depth = 0;
    let mut part = String::new();
    for letter in arguments.chars().chain(",".chars()) {
        match letter {
            '<' | '[' => depth += 1,
            '>' | ']' => depth -= 1,
            _ => {}
        }
        if letter == ',' && depth == 0 {
            if let Some((name, kind)) = part.split_once(':') {
                pairs.push((name.trim().to_string(), kind.trim().replace(" <", "<")));
            }
            part.clear();
        } else {
            part.push(letter);
        }
    }
    pairs
}

fn is_memory(kind: &str) -> bool {
    MEMORY
        .iter()
        .any(|&memory| kind == memory || (memory.ends_with('<') && kind.starts_with(memory)))
}

fn value(call: &str, argument: &str, kind: &str) -> String {
    let named = |wanted: &str| {
        VALUES
            .iter()
            .find(|&&(name, _)| name == wanted)
            .map(|&(_, value)| value)
    };
    if let Some(value) = named(&format!("{call}.{argument}")).or_else(|| named(argument)) {
        return value.to_string();
    }
    let value = match kind {
        "Fd" => "FILE_FD",
        "GuestCStr" => "PATH",
        "Size" => "64",
        kind if is_memory(kind) => "BUF",
        _ => "0",
    };
    value.to_string()
}

fn check() -> Result<String, String> {
    let emulator = paths::emulator()?;
    let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join("own_memory");
    std::fs::create_dir_all(&dir).map_err(|e| format!("{}: {e}", dir.display()))?;
    let page = paths::workspace().join("docs/generated/syscalls.md");
    let page = std::fs::read_to_string(&page).map_err(|e| format!("{}: {e}", page.display()))?;
    let (text, count) = calls(&page)?;
    std::fs::write(dir.join("calls.inc"), text).map_err(|e| format!("calls.inc: {e}"))?;
    let program = compile(&dir)?;
    let mut child = Command::new(&emulator)
        .arg(&program)
        .current_dir(&dir)
        .envs(paths::engine())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .map_err(|e| format!("{}: {e}", emulator.display()))?;
    let mut input = child.stdin.take().ok_or("no standard input")?;
    let mut output = BufReader::new(child.stdout.take().ok_or("no standard output")?).lines();
    let mut next = || {
        output
            .next()
            .transpose()
            .map_err(|e| format!("the guest's output: {e}"))
    };

    let mut guest = Vec::new();
    loop {
        match next()? {
            Some(line) if line == "ready" => break,
            Some(line) => guest.extend(range(&line)),
            None => return Err("the guest ended before it was ready".into()),
        }
    }
    let mut tried: Vec<Range<u64>> = Vec::new();
    let mut exceptions = String::new();
    // What the emulator maps while it answers is there in the second round.
    for _round in 0..2 {
        let host = std::fs::read_to_string(format!("/proc/{}/maps", child.id()))
            .map_err(|e| format!("maps: {e}"))?;
        let own = subtract(&host, &guest);
        for range in own {
            if tried.contains(&range) {
                continue;
            }
            for addr in addresses(&range) {
                writeln!(input, "{addr:x}")
                    .map_err(|e| format!("the guest at {range:x?}: {e}\n{exceptions}"))?;
                loop {
                    match next()? {
                        Some(line) if line.starts_with("checked ") => break,
                        Some(line) => exceptions.extend([line.as_str(), "\n"]),
                        None => {
                            return Err(format!(
                                "the emulator ended at {addr:#x} in {range:x?}\n{exceptions}"
                            ));
                        }
                    }
                }
            }
            tried.push(range);
        }
    }
    drop(input);
    let summary = next()?.unwrap_or_default();
    let status = child.wait().map_err(|e| format!("wait: {e}"))?;
    if !status.success() || !exceptions.is_empty() || !summary.ends_with(" 0 exceptions") {
        return Err(format!("{exceptions}{summary}, {status}"));
    }
    Ok(format!(
        "{} mappings, {count} arguments of rows: {summary}",
        tried.len()
    ))
}

fn compile(dir: &Path) -> Result<PathBuf, String> {
    let program = dir.join("program");
    let mut command = Command::new(COMPILER);
    command
        .args(["-O2", "-std=gnu11", "-w", "-static", "-pthread", "-I"])
        .arg(dir)
        .arg("-o")
        .arg(&program);
    command.arg(paths::workspace().join("tests/guest/own/own_memory.c"));
    let outcome = process::run(command, std::time::Duration::from_secs(60))?;
    match outcome.end {
        process::End::Status(0) => Ok(program),
        process::End::Status(_) | process::End::Signal(_) | process::End::TimedOut => Err(format!(
            "does not compile:\n{}",
            String::from_utf8_lossy(&outcome.stderr)
        )),
    }
}

/// The range of one line of a maps file.
fn range(line: &str) -> Option<Range<u64>> {
    let (start, end) = line.split_whitespace().next()?.split_once('-')?;
    Some(u64::from_str_radix(start, 16).ok()?..u64::from_str_radix(end, 16).ok()?)
}

/// The host's mappings without the guest's. The kernel's own page at the end of the address
/// space is no mapping of the process, and the ring of io_setup(2) is the guest's.
fn subtract(host: &str, guest: &[Range<u64>]) -> Vec<Range<u64>> {
    let mut left: Vec<Range<u64>> = host
        .lines()
        .filter(|line| !line.ends_with("[vsyscall]") && !line.contains("/[aio]"))
        .filter_map(range)
        .collect();
    for taken in guest {
        left = left
            .into_iter()
            .flat_map(|range| {
                let before = range.start..range.end.min(taken.start);
                let behind = range.start.max(taken.end)..range.end;
                if taken.end <= range.start || taken.start >= range.end {
                    [range, 0..0]
                } else {
                    [before, behind]
                }
            })
            .filter(|range| range.start < range.end)
            .collect();
    }
    left
}

/// The first address, one in the middle, and one a little before the end.
fn addresses(range: &Range<u64>) -> [u64; 3] {
    [
        range.start,
        (range.start + (range.end - range.start) / 2) & !15,
        range.end - 64,
    ]
}
