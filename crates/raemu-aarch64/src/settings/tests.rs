//! Options and environment, as data.

use super::*;

fn words(text: &[&str]) -> Vec<Vec<u8>> {
    text.iter().map(|word| word.as_bytes().to_vec()).collect()
}

fn direct(options: &[&str]) -> Invocation {
    Invocation {
        by_kernel: false,
        options: words(options),
        kept_argv0: None,
        program: Vec::new(),
    }
}

#[test]
fn options_win_over_raemu_over_qemu() {
    let env = words(&[
        "QEMU_UNAME=q",
        "RAEMU_UNAME=r",
        "QEMU_ARGV0=q",
        "QEMU_STACK_SIZE=1M",
    ]);
    let read = |options: &[&str], secure: bool| Settings::read(&direct(options), &env, secure).expect("fine");
    let settings = read(&["-0", "o", "prog", "-x"], false);
    assert_eq!(settings.uname_release.as_deref(), Some("r"));
    assert_eq!(settings.argv0.as_deref(), Some(&b"o"[..]));
    assert_eq!(settings.stack_size, 1 << 20);
    assert_eq!(settings.program, words(&["prog", "-x"]));
    // A privileged start trusts nobody's environment.
    let settings = read(&["prog"], true);
    assert_eq!(settings.uname_release, None);
    assert_eq!(settings.stack_size, DEFAULT_STACK);
}

#[test]
fn children_get_what_shapes_the_guest() {
    let options = [
        "-L",
        "/x/",
        "-0",
        "z",
        "--r",
        "5",
        "-E",
        "A=1",
        "-strace",
        "-D",
        "f",
        "-fp-checks",
        "p",
    ];
    let settings = Settings::read(&direct(&options), &words(&["QEMU_CPU=max"]), false).expect("fine");
    assert_eq!(
        settings.inherited,
        words(&["-L", "/x/", "--r", "5", "-strace", "-fp-checks"])
    );
}

#[test]
fn prefixes_are_absolute_or_off() {
    let cwd = std::env::current_dir().expect("there is one");
    let below = format!("{}/rel", cwd.display());
    for (given, expected) in [
        ("/x", Some("/x")),
        ("/x//", Some("/x")),
        ("/", None),
        ("", None),
        ("rel/", Some(below.as_str())),
    ] {
        let settings = Settings::read(&direct(&["-L", given, "p"]), &[], false).expect("fine");
        assert_eq!(
            settings.sysroot.as_deref(),
            expected.map(str::as_bytes),
            "{given}"
        );
    }
}

#[test]
fn stack_sizes_as_strtoul_reads_them() {
    for (text, expected) in [
        ("65536", Some(65536)),
        ("0x10000", Some(65536)),
        ("0200000", Some(65536)),
        (" 64K", Some(65536)),
        ("64k", Some(65536)),
        ("2M", Some(2 << 20)),
        ("2Q", Some(2)),
        ("", None),
        ("0", None),
        ("-1", None),
        ("M", None),
        ("18446744073709551616", None),
        ("18014398509481984K", None),
    ] {
        let read = Settings::read(&direct(&["-s", text, "p"]), &[], false);
        assert_eq!(
            read.ok().map(|settings| settings.stack_size),
            expected,
            "{text:?}"
        );
    }
}

#[test]
fn the_environment_changes_in_order() {
    let settings = Settings::read(
        &direct(&["-U", "A,B", "-E", "B=2,C=3", "-E", "C=4", "p"]),
        &[],
        false,
    )
    .expect("fine");
    let env = words(&["A=1", "X=A=1", "B=1", "odd"]);
    assert_eq!(settings.guest_env(&env), words(&["X=A=1", "odd", "B=2", "C=4"]));
}

/// The kernel's layouts of argv (binfmt_misc with and without the P and O flags).
#[test]
fn starts_by_the_kernel() {
    for (args, keeps_argv0, by_kernel, program, argv0) in [
        (
            &["i", "/bin/bb", "bb", "-a"][..],
            true,
            true,
            &["/bin/bb", "-a"][..],
            Some("bb"),
        ),
        (&["i", "/bin/bb", ""], true, true, &["/bin/bb"], Some("")),
        (
            &["i", "/bin/bb", "/bin/bb", "x", "./s", "q"],
            true,
            true,
            &["/bin/bb", "x", "./s", "q"],
            Some("/bin/bb"),
        ),
        (&["i", "/bin/bb", "-L"], false, true, &["/bin/bb", "-L"], None),
        (&["i", "-x", "-y"], false, true, &["-x", "-y"], None),
    ] {
        let found = Invocation::classify(&words(args), keeps_argv0, by_kernel, || false);
        assert!(found.by_kernel, "{args:?}");
        assert_eq!(found.program, words(program), "{args:?}");
        assert_eq!(found.kept_argv0.as_deref(), argv0.map(str::as_bytes), "{args:?}");
        assert!(found.options.is_empty(), "{args:?}");
    }
    let found = Invocation::classify(&words(&["i", "-L", "x", "p"]), false, false, || false);
    assert_eq!(found, direct(&["-L", "x", "p"]));
    // Too few words for the layout: an ordinary, and here useless, start.
    let found = Invocation::classify(&words(&["i", "-h"]), true, true, || false);
    assert_eq!(found.program, words(&["-h"]));
}

#[test]
fn scripts_and_programs_are_told_from_the_emulator() {
    let mut elf = b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0\x02\0\xb7\0".to_vec();
    elf.resize(64, 0);
    elf[54] = 56;
    let mut other = elf.clone();
    other[18] = 62;
    for (bytes, first, expected) in [
        (&elf[..], "/bin/bb", true),
        (&other, "/bin/bb", false),
        (b"\x7fELF", "/bin/bb", false),
        (b"#!/bin/bb x\n", "/bin/bb", true),
        (b"#! /bin/bb\n", "/bin/bb", true),
        (b"#!/bin/sh\n", "/bin/bb", false),
        (b"#!./name\n", "./name", false),
        (b"/bin/bb\n", "/bin/bb", false),
    ] {
        let format = Head::read(bytes).expect("in memory").format();
        let found = format.is_ok_and(|format| is_for_guest(&format, b"./name", first.as_bytes()));
        assert_eq!(found, expected, "{bytes:?} {first}");
    }
}

#[test]
fn a_start_by_the_kernel_reads_the_environment_too() {
    let env = words(&["QEMU_ARGV0=q", "QEMU_UNAME=u"]);
    for (kept, expected) in [(None, "q"), (Some(b"kept".to_vec()), "kept")] {
        let invocation = Invocation {
            by_kernel: true,
            options: Vec::new(),
            kept_argv0: kept,
            program: words(&["/bin/bb", "-h"]),
        };
        let settings = Settings::read(&invocation, &env, false).expect("fine");
        assert_eq!(settings.argv0.as_deref(), Some(expected.as_bytes()));
        assert_eq!(settings.uname_release.as_deref(), Some("u"));
        assert_eq!(settings.program, invocation.program);
    }
}
