//! Hostile program files: what is refused and how, what odd files are let through, and
//! that no header whatever makes the loader panic or map outside of the image's span.

use elf_loader::{Headers, LoadError, Step};
use linux_abi::Errno;

const PAGE: u64 = 4096;

/// Bytes to overwrite at an offset.
type Patch = (usize, &'static [u8]);

/// A program with text, data and bss, an interpreter and a stack header.
fn sample() -> Vec<u8> {
    // p_type, p_flags, p_offset, p_vaddr, p_filesz, p_memsz, p_align
    const HEADERS: [[u64; 7]; 4] = [
        [1, 5, 0, 0x40_0000, 0x1234, 0x1234, 0x1_0000],
        [1, 6, 0x1ff0, 0x41_1ff0, 0x20, 0x3000, 0x1_0000],
        [3, 4, 0x200, 0x40_0200, 16, 16, 1],
        [0x6474_e551, 6, 0, 0, 0, 0, 16],
    ];
    let mut file = b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0".to_vec();
    file.extend([2, 0, 183, 0, 1, 0, 0, 0]);
    for word in [0x40_0100_u64, 64, u64::MAX] {
        file.extend(word.to_le_bytes());
    }
    file.extend([0; 4]);
    for half in [64_u16, 56, HEADERS.len() as u16, 64, 0xffff, 0xffff] {
        file.extend(half.to_le_bytes());
    }
    for [kind, flags, offset, vaddr, file_size, memory_size, align] in HEADERS {
        file.extend((kind as u32).to_le_bytes());
        file.extend((flags as u32).to_le_bytes());
        for word in [offset, vaddr, vaddr, file_size, memory_size, align] {
            file.extend(word.to_le_bytes());
        }
    }
    file.resize(0x200, 0);
    file.extend(b"/lib/ld-linux.so");
    file
}

/// Where a field of program header `index` is.
const fn field(index: usize, offset: usize) -> usize {
    64 + 56 * index + offset
}

fn patched(patches: &[Patch]) -> Vec<u8> {
    let mut file = sample();
    for &(at, bytes) in patches {
        file[at..at + bytes.len()].copy_from_slice(bytes);
    }
    file
}

fn plan(file: &[u8]) -> Result<Vec<Step>, LoadError> {
    Headers::read(file)?.plan(0)
}

#[test]
fn the_sample_maps_as_linux_maps_it() {
    let steps = plan(&sample()).expect("valid");
    let text: Vec<String> = steps.iter().map(|step| format!("{step:x?}")).collect();
    assert_eq!(
        text,
        [
            "File { addr: 0x400000, len: 2000, prot: 5, offset: 0 }",
            "File { addr: 0x411000, len: 2000, prot: 3, offset: 1000 }",
            "Clear { addr: 0x412010, len: ff0 }",
            "Zero { addr: 0x413000, len: 2000, prot: 3 }",
        ]
    );
    let headers = Headers::read(&sample()[..]).expect("valid");
    assert_eq!(headers.alignment(), 0x1_0000);
    assert_eq!(headers.interpreter, Some((0x200, 16)));
    assert_eq!(headers.program_headers(), Some(0x40_0040));
    assert_eq!(headers.end(), 0x41_4ff0);
    assert!(!headers.executable_stack);
}

#[test]
fn bad_files_are_refused() {
    let map = |errno| LoadError::Map(errno);
    let cases: &[(&str, &[Patch], LoadError)] = &[
        ("no magic", &[(0, b"#!")], LoadError::File(Errno::ENOEXEC)),
        ("32-bit", &[(4, &[1])], LoadError::WrongArchitecture),
        ("big-endian", &[(5, &[2])], LoadError::WrongArchitecture),
        ("other version", &[(6, &[2])], LoadError::WrongArchitecture),
        ("relocatable", &[(16, &[1])], LoadError::WrongArchitecture),
        ("core file", &[(16, &[4])], LoadError::WrongArchitecture),
        ("x86-64", &[(18, &[62])], LoadError::WrongArchitecture),
        ("odd header size", &[(54, &[57])], LoadError::WrongArchitecture),
        ("no headers", &[(56, &[0, 0])], map(Errno::EINVAL)),
        ("too many headers", &[(56, &[0xff, 0xff])], map(Errno::EINVAL)),
        (
            "headers nowhere",
            &[(32, &[0xff; 8])],
            LoadError::ReadHeader(Errno::EINVAL),
        ),
        (
            "headers beyond",
            &[(32, &[0, 0, 1])],
            LoadError::File(Errno::ENOEXEC),
        ),
        (
            "huge segment",
            &[(field(0, 40), &[0, 0, 0, 0, 0, 0, 0, 0x10])],
            map(Errno::ENOMEM),
        ),
        ("huge in file", &[(field(0, 32), &[0xff; 8])], map(Errno::ENOMEM)),
        (
            "kernel address",
            &[(field(0, 16), &[0xff; 8])],
            map(Errno::ENOMEM),
        ),
        ("incongruent", &[(field(0, 8), &[0, 1])], map(Errno::EINVAL)),
        ("negative offset", &[(field(1, 8), &[0, 0])], map(Errno::EINVAL)),
        ("empty name", &[(field(2, 32), &[0])], LoadError::InterpreterName),
        (
            "endless name",
            &[(field(2, 32), &[0, 0, 1])],
            LoadError::InterpreterName,
        ),
        (
            "nothing to load",
            &[(field(0, 0), &[0]), (field(1, 0), &[0])],
            map(Errno::EINVAL),
        ),
    ];
    for (name, patches, error) in cases {
        assert_eq!(plan(&patched(patches)).as_ref(), Err(error), "{name}");
    }
    for length in 0..sample().len() {
        let short = Headers::read(&sample()[..length]);
        assert_eq!(short.is_ok(), length >= 64 + 4 * 56, "{length} bytes");
    }
}

#[test]
fn the_interpreters_name_ends_with_a_nul() {
    let name = |patches: &[Patch]| {
        let file = patched(patches);
        Headers::read(&file[..]).and_then(|headers| headers.interpreter_name(&file[..]))
    };
    let unfit = Err(LoadError::InterpreterName);
    for (patches, expected) in [
        (&[] as &[Patch], unfit.clone()),
        (&[(0x20f, b"\0")], Ok(Some(b"/lib/ld-linux.s".to_vec()))),
        (&[(0x20f, b"\0"), (0x204, b"\0")], Ok(Some(b"/lib".to_vec()))),
        (&[(0x20f, b"\0"), (field(2, 32), &[17])], unfit),
        (&[(field(2, 0), &[4])], Ok(None)),
    ] {
        assert_eq!(name(patches), expected, "{patches:x?}");
    }
}

#[test]
fn odd_files_are_let_through() {
    let cases: &[(&str, &[Patch])] = &[
        ("other OSABI", &[(7, &[99])]),
        ("flags", &[(48, &[0xff; 4])]),
        ("no alignment", &[(field(0, 48), &[0; 8])]),
        ("odd alignment", &[(field(0, 48), &[3])]),
        ("memory size below file size", &[(field(0, 40), &[10, 0])]),
        ("text without file contents", &[(field(0, 32), &[0; 8])]),
        ("overlapping segments", &[(field(1, 16), &[0xf0, 0x1f, 0x40])]),
        ("descending segments", &[(field(1, 16), &[0xf0, 0x1f, 0x3f])]),
        ("an empty segment", &[(field(1, 32), &[0; 16])]),
        ("position independent", &[(16, &[3])]),
    ];
    for (name, patches) in cases {
        assert!(plan(&patched(patches)).is_ok(), "{name}");
    }
}

/// xorshift64*
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    fn below(&mut self, limit: usize) -> usize {
        (self.next() % limit as u64) as usize
    }
}

/// Overwrites a few bytes or words, sometimes with values near a boundary.
fn mutate(file: &mut Vec<u8>, random: &mut Random) {
    const NEAR: [u64; 9] = [
        0,
        1,
        PAGE - 1,
        PAGE,
        1 << 32,
        (1 << 47) - PAGE,
        1 << 47,
        i64::MAX as u64,
        u64::MAX,
    ];
    for _ in 0..1 + random.below(6) {
        if random.below(2) == 0 {
            // Behind the identification, which is tested above.
            let at = 16 + random.below(64 + 4 * 56 - 16);
            file[at] = random.next() as u8;
        } else {
            let word = NEAR[random.below(NEAR.len())]
                .wrapping_add(random.next() % 3)
                .wrapping_sub(1);
            let at = field(random.below(4), 8 * random.below(7));
            file[at..at + 8].copy_from_slice(&word.to_le_bytes());
        }
    }
    if random.below(16) == 0 {
        file.truncate(random.below(file.len()));
    }
}

#[test]
fn mutated_headers_never_leave_their_span() {
    let seed = 0x00e1_f10a_de55;
    println!("seed {seed:#x}");
    let mut random = Random(seed);
    let mut planned = 0;
    for round in 0..100_000 {
        let mut file = sample();
        mutate(&mut file, &mut random);
        let Ok(headers) = Headers::read(&file[..]) else {
            continue;
        };
        let _ = (headers.alignment(), headers.program_headers(), headers.end());
        let Ok(span) = headers.span() else { continue };
        for bias in [
            0,
            0x4000_0000_0000,
            span.start.wrapping_neg(),
            random.next() & !(PAGE - 1),
        ] {
            let Ok(steps) = headers.plan(bias) else { continue };
            planned += 1;
            let (start, end) = (span.start.wrapping_add(bias), span.end.wrapping_add(bias));
            assert!(end <= 1 << 47, "round {round}");
            for step in &steps {
                let range = step.mapped();
                assert!(
                    range.start >= start && range.end <= end,
                    "round {round}: {step:x?}"
                );
                match *step {
                    Step::File { len, offset, .. } => {
                        assert!(len > 0 && offset % PAGE == 0, "round {round}: {step:x?}");
                    }
                    Step::Zero { len, .. } => assert!(len > 0, "round {round}"),
                    Step::Clear { len, .. } => assert!(len < PAGE, "round {round}"),
                }
            }
        }
    }
    // Most mutations leave a file that can be mapped, else the test would show little.
    assert!(planned > 100_000, "{planned}");
}
