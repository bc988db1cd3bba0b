//! What can be wrong: one row a finding, with its probe, its text and what helps.

use crate::emulator::Kind;
use crate::entry::{Entry, Flags};
use crate::facts::{Facts, Proof, Scope};
use crate::probe::Outcome;

/// How much a finding matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// Something does not work.
    Finding,
    /// All works, within limits.
    Note,
}

/// A thing that can be wrong.
pub struct Row {
    pub id: &'static str,
    pub level: Level,
    /// What it was found with, for the text's `{}`.
    pub probe: fn(&Facts) -> Option<String>,
    pub text: &'static str,
    pub remedy: &'static str,
}

/// A thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    pub id: &'static str,
    pub level: Level,
    pub text: String,
    pub remedy: &'static str,
}

/// All that is wrong, in the order of the rows.
pub fn findings(facts: &Facts) -> Vec<Finding> {
    let found = |row: &Row| {
        (row.probe)(facts).map(|subject| Finding {
            id: row.id,
            level: row.level,
            text: row.text.replace("{}", &subject),
            remedy: row.remedy,
        })
    };
    ROWS.iter().filter_map(found).collect()
}

const fn finding(
    id: &'static str,
    probe: fn(&Facts) -> Option<String>,
    text: &'static str,
    remedy: &'static str,
) -> Row {
    Row {
        id,
        level: Level::Finding,
        probe,
        text,
        remedy,
    }
}

const fn note(
    id: &'static str,
    probe: fn(&Facts) -> Option<String>,
    text: &'static str,
    remedy: &'static str,
) -> Row {
    Row {
        level: Level::Note,
        ..finding(id, probe, text, remedy)
    }
}

/// From the kernel to the single entry, then the proof.
pub const ROWS: &[Row] = &[
    finding(
        "no-kernel-support",
        |f| (!f.kernel_support).then(|| f.release.clone()),
        "Linux {} has no binfmt_misc (CONFIG_BINFMT_MISC), neither built in nor as a module",
        "install the kernel's modules, or another kernel; raemu-aarch64 PROGRAM works without it",
    ),
    finding(
        "autofs",
        |f| (is_autofs(f) && !f.mounted).then(|| point(f)),
        "{} is an automount point, and nothing was mounted when it was asked for",
        "systemctl restart proc-sys-fs-binfmt_misc.automount",
    ),
    finding(
        "not-mounted",
        |f| (f.kernel_support && !f.mounted && !is_autofs(f)).then(|| point(f)),
        "binfmt_misc is not mounted at {}",
        "raemu-binfmt register mounts it",
    ),
    finding(
        "private-mount",
        |f| (f.scope == Scope::MountNamespace).then(|| point(f)),
        "the mount at {} is private to this mount namespace (that of PID 1 has none): with its last process it is \
         unmounted, and since Linux 6.7 that erases the entries",
        "register in the mount namespace of PID 1: nsenter -t 1 -m raemu-binfmt register",
    ),
    note(
        "own-entries",
        |f| (f.scope == Scope::UserNamespace).then(|| point(f)),
        "the mount at {} is private to this user namespace: its entries hold for its processes alone, and the last \
         unmount erases them",
        "register outside to have them everywhere",
    ),
    finding(
        "all-disabled",
        |f| (f.mounted && !f.enabled).then(|| point(f)),
        "binfmt_misc as a whole is disabled: no entry of {} holds",
        "echo 1 > /proc/sys/fs/binfmt_misc/status",
    ),
    finding(
        "erased",
        |f| {
            own(f)
                .is_none()
                .then_some(f.configured.as_ref())
                .flatten()
                .map(|p| p.display().to_string())
        },
        "{} configures an entry that is not registered: the last unmount of binfmt_misc erases all entries (Linux 6.7 \
         and newer)",
        "raemu-binfmt register, or systemctl restart systemd-binfmt",
    ),
    finding(
        "no-entry",
        |f| (f.mounted && f.entries.is_empty()).then(|| point(f)),
        "no entry in {} takes arm64 programs",
        "raemu-binfmt register",
    ),
    finding(
        "another-emulator",
        |f| own(f).is_none().then(|| winner(f).map(described)).flatten(),
        "arm64 programs are run by another emulator: {}",
        "raemu-binfmt register; the newest entry wins",
    ),
    finding(
        "disabled",
        |f| {
            f.subject()
                .filter(|(entry, _)| !entry.enabled)
                .map(|(entry, _)| entry.name.clone())
        },
        "entry {} is disabled",
        "raemu-binfmt register, or write 1 to its file in /proc/sys/fs/binfmt_misc",
    ),
    finding(
        "shadowed",
        |f| {
            own(f).and_then(|entry| {
                Some(format!(
                    "{} is shadowed by {}",
                    entry.name,
                    described(f.shadow()?)
                ))
            })
        },
        "entry {}: the newest entry wins",
        "raemu-binfmt register makes ours the newest",
    ),
    finding(
        "no-F",
        |f| {
            lacking(f, |flags| flags.fix_binary)
                .map(|entry| format!("{} has no F flag: {}", entry.name, interpreter(entry)))
        },
        "entry {} is looked for in each chroot and container, which fails without a copy inside",
        "raemu-binfmt register --fix-binary yes",
    ),
    finding(
        "no-C",
        |f| lacking(f, |flags| flags.credentials).map(|entry| entry.name.clone()),
        "entry {} has no C flag: set-user-ID programs such as sudo run without their rights",
        "raemu-binfmt register --credentials yes",
    ),
    finding(
        "no-P",
        |f| lacking(f, |flags| flags.preserve_argv0).map(|entry| entry.name.clone()),
        "entry {} has no P flag: programs see their path in place of argv[0]",
        "raemu-binfmt register --preserve-argv0 yes",
    ),
    finding(
        "P-untold",
        |f| {
            old_kernel_with_p(f).map(|entry| {
                format!(
                    "{} has the P flag, which Linux {} does not tell the interpreter",
                    entry.name, f.release
                )
            })
        },
        "entry {} unless its name ends in -binfmt-P: arguments arrive shifted by one",
        "register a link of that name: --interpreter /usr/libexec/raemu-binfmt/aarch64-binfmt-P",
    ),
    finding(
        "P-mistaken",
        |f| {
            lacking(f, |flags| flags.preserve_argv0)
                .filter(|entry| named_p(entry))
                .map(|entry| {
                    format!(
                        "{} has no P flag, but the name of {}",
                        entry.name,
                        interpreter(entry)
                    )
                })
        },
        "entry {} promises it: each program loses its first argument",
        "raemu-binfmt register --preserve-argv0 yes",
    ),
    finding(
        "interpreter-missing",
        |f| {
            with_kind(f, &Kind::Missing)
                .filter(|entry| !entry.flags.fix_binary)
                .map(interpreter)
        },
        "the interpreter {} does not exist: programs fail with 'No such file or directory'",
        "install it, or raemu-binfmt register --interpreter PATH",
    ),
    note(
        "interpreter-gone",
        |f| {
            with_kind(f, &Kind::Missing)
                .filter(|entry| entry.flags.fix_binary)
                .map(interpreter)
        },
        "the interpreter {} does not exist here any more; the kernel keeps the file that it opened (F flag)",
        "install it before the next registration or boot",
    ),
    finding(
        "interpreter-not-executable",
        |f| with_kind(f, &Kind::NotExecutable).map(interpreter),
        "the interpreter {} is not an executable file",
        "chmod +x, or raemu-binfmt register --interpreter PATH",
    ),
    finding(
        "interpreter-no-elf",
        |f| with_kind(f, &Kind::NotElf).map(interpreter),
        "the interpreter {} is no x86-64 ELF file",
        "raemu-binfmt register --interpreter PATH",
    ),
    finding(
        "interpreter-dynamic",
        |f| match (&f.interpreter, f.subject()) {
            (Some(Kind::Dynamic(loader)), Some((entry, _))) => {
                Some(format!("{} is dynamic: it needs {loader}", interpreter(entry)))
            }
            (_, _) => None,
        },
        "the interpreter {} and libraries, which most arm64 chroots lack",
        "register a static emulator",
    ),
    finding(
        "does-not-run",
        |f| failure(f, |proof| &proof.direct),
        "a tiny arm64 program does not run: {}",
        "see the findings above; raemu-aarch64 PROGRAM shows what the emulator says by itself",
    ),
    finding(
        "does-not-run-in-chroot",
        |f| {
            let works = f
                .proof
                .as_ref()
                .is_some_and(|proof| proof.direct == Outcome::Works);
            works.then(|| failure(f, |proof| &proof.chroot)).flatten()
        },
        "a tiny arm64 program runs here, but not in an empty chroot: {}",
        "see the findings above; raemu-aarch64 PROGRAM shows what the emulator says by itself",
    ),
    note(
        "not-tried",
        |f| match &f.proof {
            Some(
                Proof {
                    chroot: Outcome::Untried(why),
                    ..
                }
                | Proof {
                    direct: Outcome::Untried(why),
                    ..
                },
            ) => Some(why.clone()),
            Some(_) | None => None,
        },
        "a tiny arm64 program was not tried in an empty chroot: {}",
        "run this as root",
    ),
];

fn point(facts: &Facts) -> String {
    facts.mount_point.display().to_string()
}

fn is_autofs(facts: &Facts) -> bool {
    facts.mount.as_ref().is_some_and(|mount| mount.kind == "autofs")
}

/// The subject if it is ours.
fn own(facts: &Facts) -> Option<&Entry> {
    facts.subject().filter(|(_, ours)| *ours).map(|(entry, _)| entry)
}

fn winner(facts: &Facts) -> Option<&Entry> {
    facts.winner().map(|index| &facts.entries[index].0)
}

fn described(entry: &Entry) -> String {
    format!("{} ({})", entry.name, interpreter(entry))
}

fn interpreter(entry: &Entry) -> String {
    entry.interpreter.display().to_string()
}

fn lacking(facts: &Facts, flag: fn(&Flags) -> bool) -> Option<&Entry> {
    let entry = &facts.subject()?.0;
    (!flag(&entry.flags)).then_some(entry)
}

fn named_p(entry: &Entry) -> bool {
    entry.interpreter.to_string_lossy().ends_with("-binfmt-P")
}

fn old_kernel_with_p(facts: &Facts) -> Option<&Entry> {
    let entry = &facts.subject()?.0;
    let untold = facts.kernel().is_some_and(|version| version < (5, 12));
    (untold && entry.flags.preserve_argv0 && !named_p(entry)).then_some(entry)
}

fn with_kind<'a>(facts: &'a Facts, kind: &Kind) -> Option<&'a Entry> {
    let found = facts.interpreter.as_ref() == Some(kind);
    facts.subject().filter(|_| found).map(|(entry, _)| entry)
}

fn failure(facts: &Facts, which: fn(&Proof) -> &Outcome) -> Option<String> {
    match which(facts.proof.as_ref()?) {
        Outcome::Fails(why) => Some(why.clone()),
        Outcome::Works | Outcome::Untried(_) => None,
    }
}

/// The text of `doctor`, and whether all works.
pub fn report(facts: &Facts) -> (String, bool) {
    let findings = findings(facts);
    let mut text = String::new();
    for finding in &findings {
        text.push_str(&line(finding));
        text.push_str(&format!("    {}\n", finding.remedy));
    }
    let sound = findings.iter().all(|finding| finding.level == Level::Note);
    if sound {
        let by = winner(facts).map_or(String::new(), |entry| format!(" by {}", described(entry)));
        let everywhere = match &facts.proof {
            Some(proof) if proof.chroot == Outcome::Works => ", in an empty chroot too",
            Some(_) | None => "",
        };
        text.push_str(&format!("all works: arm64 programs are run{by}{everywhere}\n"));
    }
    (text, sound)
}

/// A finding as one line.
pub fn line(finding: &Finding) -> String {
    let note = match finding.level {
        Level::Finding => "",
        Level::Note => "note: ",
    };
    format!("{}: {note}{}\n", finding.id, finding.text)
}

#[cfg(test)]
mod tests;
