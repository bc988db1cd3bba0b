//! What is measured: one row a workload.

/// The groups, in the order of the table.
pub const GROUPS: &[&str] = &[
    "integer",
    "calls",
    "float",
    "simd",
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
