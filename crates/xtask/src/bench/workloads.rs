//! What is measured: one row a workload.

/// The groups, in the order of the table.
pub const GROUPS: &[&str] = &[
    "integer",
    "calls",
    "float",
    "simd",
    "openssl",
    "interpreters",
    "start",
    "compile",
    "syscalls",
    "memory",
];

pub struct Workload {
    pub group: &'static str,
    pub name: &'static str,
    pub how: How,
    /// Executions that make up one sample: short programs are repeated.
    pub repeat: u32,
}

pub enum How {
    /// `target/bench/ARCH/NAME`, without arguments.
    Compiled,
    /// `start_forkexec` with the command it is to start.
    ForkExec,
    /// A program of the root file systems with its arguments. /t/bench holds the sources and scripts.
    Installed(&'static [&'static str]),
    /// The same, for its peak of resident memory instead of its time.
    Resident(&'static [&'static str]),
}

const fn compiled(group: &'static str, name: &'static str) -> Workload {
    Workload {
        group,
        name,
        how: How::Compiled,
        repeat: 1,
    }
}

/// A file of [`ZEROS_LEN`] zeros.
const ZEROS: &str = "/t/bench/zeros";
pub const ZEROS_LEN: u64 = 512 << 20;
const KEY: &str = "000102030405060708090a0b0c0d0e0f";

const fn openssl(name: &'static str, argv: &'static [&'static str]) -> Workload {
    Workload {
        group: "openssl",
        name,
        how: How::Installed(argv),
        repeat: 1,
    }
}

#[rustfmt::skip]
pub const WORKLOADS: &[Workload] = &[
    compiled("integer", "int_sha256"),
    compiled("integer", "int_sieve"),
    compiled("integer", "int_matrix"),
    compiled("integer", "int_quicksort"),
    compiled("integer", "int_crc32"),
    compiled("integer", "int_lz"),
    compiled("integer", "int_hash"),
    compiled("integer", "int_strsearch"),
    compiled("integer", "int_sudoku"),
    compiled("calls", "call_fib"),
    compiled("calls", "call_tak"),
    compiled("calls", "call_virtual"),
    compiled("calls", "call_qsort"),
    compiled("calls", "call_tree"),
    compiled("float", "fp_nbody"),
    compiled("float", "fp_spectral"),
    compiled("float", "fp_mandelbrot"),
    compiled("float", "fp_matmul"),
    compiled("float", "fp_fft"),
    compiled("float", "fp_newton"),
    compiled("simd", "simd_saxpy"),
    compiled("simd", "simd_search"),
    compiled("simd", "simd_blend"),
    compiled("simd", "simd_dot"),
    compiled("simd", "simd_popcount"),
    compiled("simd", "simd_sad"),
    openssl("aes-128-cbc", &["/usr/bin/openssl", "enc", "-aes-128-cbc", "-K", KEY, "-iv", KEY, "-in", ZEROS, "-out", "/dev/null"]),
    openssl("aes-128-ctr", &["/usr/bin/openssl", "enc", "-aes-128-ctr", "-K", KEY, "-iv", KEY, "-in", ZEROS, "-out", "/dev/null"]),
    openssl("chacha20", &["/usr/bin/openssl", "enc", "-chacha20", "-K", KEY, "-iv", KEY, "-in", ZEROS, "-out", "/dev/null"]),
    openssl("sha1", &["/usr/bin/openssl", "dgst", "-sha1", ZEROS]),
    openssl("sha256", &["/usr/bin/openssl", "dgst", "-sha256", ZEROS]),
    openssl("sha512", &["/usr/bin/openssl", "dgst", "-sha512", ZEROS]),
    Workload { group: "interpreters", name: "python3", how: How::Installed(&["/usr/bin/python3", "/t/bench/python.py"]), repeat: 1 },
    Workload { group: "interpreters", name: "perl", how: How::Installed(&["/usr/bin/perl", "/t/bench/perl.pl"]), repeat: 1 },
    Workload { group: "interpreters", name: "bash", how: How::Installed(&["/usr/bin/bash", "/t/bench/bash.sh"]), repeat: 1 },
    Workload { group: "start", name: "start_true", how: How::Compiled, repeat: 30 },
    Workload { group: "start", name: "true (dynamic)", how: How::Installed(&["/usr/bin/true"]), repeat: 20 },
    Workload { group: "start", name: "bash -c true", how: How::Installed(&["/usr/bin/bash", "-c", ":"]), repeat: 10 },
    Workload { group: "start", name: "python3 -c pass", how: How::Installed(&["/usr/bin/python3", "-c", "pass"]), repeat: 2 },
    Workload { group: "start", name: "fork and exec", how: How::ForkExec, repeat: 1 },
    Workload { group: "compile", name: "gcc -O0 -c", how: How::Installed(&["/usr/bin/gcc", "-O0", "-c", "/t/bench/medium.c", "-o", "/tmp/medium.o"]), repeat: 1 },
    Workload { group: "compile", name: "gcc -O2 -c", how: How::Installed(&["/usr/bin/gcc", "-O2", "-c", "/t/bench/medium.c", "-o", "/tmp/medium.o"]), repeat: 1 },
    compiled("syscalls", "sys_getpid"),
    compiled("syscalls", "sys_pipe"),
    compiled("syscalls", "sys_stat"),
    Workload { group: "memory", name: "sleep", how: How::Resident(&["/usr/bin/sleep", "0.3"]), repeat: 1 },
    Workload { group: "memory", name: "python3", how: How::Resident(&["/usr/bin/python3", "-c", "import json, re, hashlib, time; time.sleep(0.2)"]), repeat: 1 },
];
