//! `cargo xtask setup`: installs the distribution packages that the tests and benchmarks need, when they are missing.

use crate::report::{note, step};
use crate::shell::{self, capture, command, have};

/// A package and what shows that it is there: a program on PATH, or a file.
struct Need {
    package: &'static str,
    probe: Probe,
    why: &'static str,
}

enum Probe {
    Program(&'static str),
    File(&'static str),
}

#[rustfmt::skip]
const NEEDS: &[Need] = &[
    Need { package: "gcc", probe: Probe::Program("gcc"), why: "native benchmarks, linking" },
    Need { package: "g++", probe: Probe::Program("g++"), why: "the fuzzing targets' runtime" },
    Need { package: "libc6-dev", probe: Probe::File("/usr/include/stdio.h"), why: "native benchmarks" },
    Need { package: "binutils", probe: Probe::Program("readelf"), why: "checks of the shipped file" },
    Need { package: "gcc-aarch64-linux-gnu", probe: Probe::Program("aarch64-linux-gnu-gcc"), why: "guest test programs" },
    Need { package: "libc6-dev-arm64-cross", probe: Probe::File("/usr/aarch64-linux-gnu/include/stdio.h"), why: "guest test programs" },
    Need { package: "qemu-user-static", probe: Probe::Program("qemu-aarch64-static"), why: "the benchmark's other side" },
    Need { package: "dpkg", probe: Probe::Program("dpkg-deb"), why: "unpacking packages into the root file systems" },
    Need { package: "tar", probe: Probe::Program("tar"), why: "unpacking packages into the root file systems" },
    Need { package: "util-linux", probe: Probe::Program("unshare"), why: "running tests inside the root file systems" },
    Need { package: "man-db", probe: Probe::Program("man"), why: "checks of the manual" },
    Need { package: "lintian", probe: Probe::Program("lintian"), why: "checks of the Debian packages" },
    Need { package: "umoci", probe: Probe::Program("umoci"), why: "checks of the OCI image" },
    Need { package: "debootstrap", probe: Probe::File("/usr/sbin/debootstrap"), why: "making Debian chroots in tests" },
    Need { package: "debian-archive-keyring", probe: Probe::File("/usr/share/keyrings/debian-archive-keyring.gpg"), why: "making Debian chroots in tests" },
    Need { package: "mmdebstrap", probe: Probe::Program("mmdebstrap"), why: "making Debian systems in tests" },
    Need { package: "arch-test", probe: Probe::Program("arch-test"), why: "seeing the emulator as other tools do" },
    Need { package: "procps", probe: Probe::Program("ps"), why: "looking at guests from outside" },
    Need { package: "hyperfine", probe: Probe::Program("hyperfine"), why: "single measurements by hand" },
];

impl Need {
    fn missing(&self) -> bool {
        match self.probe {
            Probe::Program(name) => !have(name),
            Probe::File(path) => !std::path::Path::new(path).exists(),
        }
    }
}

fn install_missing() -> Result<(), String> {
    let missing: Vec<&Need> = NEEDS.iter().filter(|need| need.missing()).collect();
    if missing.is_empty() {
        note("everything needed is installed");
        return Ok(());
    }
    for need in &missing {
        note(&format!("missing: {} ({})", need.package, need.why));
    }
    let packages: Vec<&str> = missing.iter().map(|need| need.package).collect();
    if !have("apt-get") {
        return Err(format!(
            "this is not a Debian or Ubuntu system: please install the equivalents of {} by hand",
            packages.join(" ")
        ));
    }
    install(&packages)
}

fn install(packages: &[&str]) -> Result<(), String> {
    let root = capture(command("id", ["-u"]))?.trim() == "0";
    if !root && !have("sudo") {
        return Err(format!(
            "please run as root: apt-get install {}",
            packages.join(" ")
        ));
    }
    let apt_get = |arguments: &[&str]| {
        let mut words = vec!["env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-q", "-y"];
        words.extend(arguments);
        note(&format!(
            "{}apt-get {}",
            if root { "" } else { "sudo " },
            arguments.join(" ")
        ));
        if root {
            shell::run(command(words[0], &words[1..]))
        } else {
            shell::run(command("sudo", &words))
        }
    };
    apt_get(&["update"])?;
    let mut arguments = vec!["install", "--no-install-recommends"];
    arguments.extend(packages);
    apt_get(&arguments)
}

/// Installs what is missing; does nothing, quickly, when nothing is.
pub fn run() -> Result<(), String> {
    step("setup: programs of the distribution", install_missing)
}
