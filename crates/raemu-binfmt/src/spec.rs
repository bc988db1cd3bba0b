//! The commands and their options as data: name, argument and help line in one place.
//!
//! The parser (`cli`), the help texts, the man page and the shell completions are all made from these tables.

/// One option of a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OptionSpec {
    /// Without dashes.
    pub long: &'static str,
    pub short: Option<char>,
    /// What its argument is called, if it takes one. A choice is written `yes|no`.
    pub value: Option<&'static str>,
    /// One line, without a full stop.
    pub help: &'static str,
}

/// One command, or the option set of another tool.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CommandSpec {
    pub name: &'static str,
    /// What follows the options on the command line, as the usage line shows it.
    pub arguments: &'static str,
    /// One line, without a full stop.
    pub summary: &'static str,
    /// Whole sentences, paragraphs separated by an empty line.
    pub description: &'static str,
    pub options: &'static [OptionSpec],
}

impl CommandSpec {
    /// The option of this long name.
    pub fn option(&self, long: &str) -> Option<&'static OptionSpec> {
        self.options.iter().find(|option| option.long == long)
    }
}

/// What the command is for, as the head of its help and man page says it.
pub const SUMMARY: &str = "register raemu-aarch64 with the kernel, so that arm64 programs just run";

const fn flag(long: &'static str, short: Option<char>, help: &'static str) -> OptionSpec {
    OptionSpec {
        long,
        short,
        value: None,
        help,
    }
}

const fn with_value(
    long: &'static str,
    short: Option<char>,
    value: &'static str,
    help: &'static str,
) -> OptionSpec {
    OptionSpec {
        long,
        short,
        value: Some(value),
        help,
    }
}

const HELP: OptionSpec = flag("help", Some('h'), "print this help");

/// The commands of `raemu-binfmt`.
pub const COMMANDS: &[CommandSpec] = &[
    CommandSpec {
        name: "register",
        arguments: "",
        summary: "make the kernel run arm64 programs by raemu-aarch64",
        description: "Mounts binfmt_misc where needed and writes an entry. An entry of the same name that is ours is \
                      replaced. An entry of another emulator is never touched unless --reset is given; the newest \
                      entry wins, so ours takes its place until it is unregistered.",
        options: &[
            with_value("name", None, "NAME", "name of the entry (raemu-aarch64)"),
            with_value(
                "interpreter",
                None,
                "PATH",
                "the emulator to register (found beside this command)",
            ),
            with_value(
                "credentials",
                None,
                "yes|no",
                "C flag: set-user-ID programs such as sudo keep their rights (yes)",
            ),
            with_value(
                "preserve-argv0",
                None,
                "yes|no",
                "P flag: programs see the argv[0] they were started with (yes)",
            ),
            with_value(
                "fix-binary",
                None,
                "yes|no",
                "F flag: chroots and containers need no copy of the emulator (yes)",
            ),
            flag(
                "persistent",
                None,
                "also write /etc/binfmt.d/NAME.conf and import it into update-binfmts, for the next boot",
            ),
            flag(
                "reset",
                None,
                "first remove every entry that matches arm64 programs, of other emulators too",
            ),
            HELP,
        ],
    },
    CommandSpec {
        name: "unregister",
        arguments: "",
        summary: "remove the entry",
        description: "Removes an entry of raemu-aarch64. What was registered before it holds again.",
        options: &[
            with_value("name", None, "NAME", "name of the entry (raemu-aarch64)"),
            flag("persistent", None, "also remove what register --persistent wrote"),
            HELP,
        ],
    },
    CommandSpec {
        name: "status",
        arguments: "",
        summary: "show the entries that match arm64 programs, and what is wrong with them",
        description: "Entries are listed newest first, as the kernel tries them.",
        options: &[flag("json", None, "print JSON"), HELP],
    },
    CommandSpec {
        name: "doctor",
        arguments: "",
        summary: "find out why arm64 programs do not run",
        description: "Looks at the kernel, the mount, the entries and the emulator, and runs a tiny arm64 program, in \
                      an empty chroot where allowed. Exit status: 0 if all works, 1 if it found something.",
        options: &[
            with_value("name", None, "NAME", "name of the entry (raemu-aarch64)"),
            HELP,
        ],
    },
    CommandSpec {
        name: "run",
        arguments: "[--] [COMMAND...]",
        summary: "start a shell or COMMAND in which arm64 programs just run, without privileges",
        description: "Registers the emulator in a new user and mount namespace with its own binfmt_misc (Linux 6.7 or \
                      newer), which ends with the command. Without COMMAND it starts $SHELL.",
        options: &[
            flag("map-root", None, "appear as root inside"),
            with_value(
                "interpreter",
                None,
                "PATH",
                "the emulator to register (found beside this command)",
            ),
            HELP,
        ],
    },
    CommandSpec {
        name: "help",
        arguments: "[COMMAND]",
        summary: "print help, also that of one command",
        description: "",
        options: &[],
    },
];

/// Option sets of other tools, recognised where the first argument is none of our commands.
pub const COMPAT: &[CommandSpec] = &[
    CommandSpec {
        name: "qemu-binfmt-conf.sh",
        arguments: "",
        summary: "registers as the script of that name does, under the name qemu-aarch64",
        description: "",
        options: &[
            flag(
                "debian",
                Some('d'),
                "write a file for update-binfmts instead of registering",
            ),
            with_value(
                "systemd",
                Some('s'),
                "CPU|ALL",
                "write a file for systemd-binfmt instead of registering",
            ),
            with_value("qemu-path", Some('Q'), "DIR", "directory of the interpreter"),
            with_value(
                "qemu-suffix",
                Some('F'),
                "SUFFIX",
                "what follows qemu-aarch64 in the interpreter's name",
            ),
            with_value(
                "exportdir",
                Some('e'),
                "DIR",
                "where --debian and --systemd write",
            ),
            with_value("credential", Some('c'), "yes|no", "flags O and C (no)"),
            with_value("persistent", Some('p'), "yes|no", "flag F (no)"),
            with_value("preserve-argv0", Some('g'), "yes|no", "flag P (no)"),
            with_value(
                "ignore-family",
                Some('i'),
                "yes|no",
                "accepted: arm64 is never this machine's own family",
            ),
            HELP,
        ],
    },
    CommandSpec {
        name: "multiarch",
        arguments: "",
        summary: "registers /usr/bin/qemu-aarch64-static as multiarch/qemu-user-static does",
        description: "",
        options: &[
            flag(
                "reset",
                None,
                "first remove every entry that matches arm64 programs",
            ),
            with_value("persistent", Some('p'), "yes|no", "flag F (no)"),
            with_value("credential", Some('c'), "yes|no", "flags O and C (no)"),
        ],
    },
    CommandSpec {
        name: "tonistiigi/binfmt",
        arguments: "",
        summary: "registers /usr/bin/qemu-aarch64 as tonistiigi/binfmt does, and prints its JSON",
        description: "",
        options: &[
            with_value("install", None, "arm64|all", "register"),
            with_value("uninstall", None, "NAME|arm64", "unregister"),
            with_value("mount", None, "DIR", "where binfmt_misc is, or is to be mounted"),
            flag("version", None, "print the version on standard error"),
        ],
    },
];
