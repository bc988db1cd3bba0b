//! Compares the layouts with the cross compiler's kernel headers: a C file of static
//! assertions is compiled, never run.

use bitflags::{Flag, Flags as _};
use linux_abi::flags::FlagSet;
use std::fmt::Write as _;
use std::process::Command;

const COMPILER: &str = "aarch64-linux-gnu-gcc";

/// The assertions for every layout, and the headers they need.
fn source() -> String {
    let mut text = String::from("#include <stddef.h>\n");
    for check in linux_abi::layout::CHECKS {
        writeln!(text, "#include <{}>", check.header).expect("writing to a String");
    }
    for check in linux_abi::layout::CHECKS {
        writeln!(
            text,
            "_Static_assert(sizeof({}) == {}, \"size of {}\");",
            check.c_type, check.size, check.c_type
        )
        .expect("writing to a String");
        for (field, offset) in check.fields.iter().filter(|(field, _)| !field.starts_with('_')) {
            writeln!(
                text,
                "_Static_assert(offsetof({}, {field}) == {offset}, \"{}.{field}\");",
                check.c_type, check.c_type
            )
            .expect("writing to a String");
        }
    }
    for flag in linux_abi::OpenFlags::FLAGS {
        text.push_str(&assertion(flag));
    }
    text.push_str("#include <asm/hwcap.h>\n");
    hwcaps::<linux_abi::Hwcap>(&mut text);
    hwcaps::<linux_abi::Hwcap2>(&mut text);
    hwcaps::<linux_abi::Hwcap3>(&mut text);
    text
}

fn assertion<F: FlagSet>(flag: &Flag<F>) -> String {
    let (name, bits) = (flag.name(), flag.value().bits());
    format!("_Static_assert({name} == {bits}u, \"{name}\");\n")
}

/// Headers that are older than the set do not know its newest flags.
fn hwcaps<F: FlagSet>(text: &mut String) {
    for flag in F::FLAGS {
        write!(text, "#ifdef {}\n{}#endif\n", flag.name(), assertion(flag)).expect("writing to a String");
    }
}

#[test]
fn agree_with_the_cross_compilers_headers() {
    if Command::new(COMPILER).arg("--version").output().is_err() {
        test_support::skipped(
            "agree_with_the_cross_compilers_headers",
            &format!("no {COMPILER} on this machine"),
        );
        return;
    }
    let file = std::env::temp_dir().join(format!("raemu-layouts-{}.c", std::process::id()));
    std::fs::write(&file, source()).expect("the temporary directory is writable");
    let output = Command::new(COMPILER)
        .args(["-fsyntax-only", "-x", "c"])
        .arg(&file)
        .output()
        .expect("the compiler was found above");
    std::fs::remove_file(&file).expect("just written");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
}
