//! Golden files: what a test found, recorded for the next run to compare with.

use std::path::Path;

/// Asks for golden files to be written instead of compared, if it is set to something.
const BLESS: &str = "RAEMU_BLESS";

/// Whether golden files are to be written anew instead of compared: `RAEMU_BLESS=1`.
#[must_use]
pub fn blessing() -> bool {
    std::env::var_os(BLESS).is_some()
}

/// The golden files of one test.
#[must_use]
pub struct Goldens {
    command: String,
    bless: bool,
    stale: Vec<String>,
}

impl Goldens {
    /// Files that `command` compares, as `cargo test -p semantics --test listing`.
    pub fn new(command: &str) -> Self {
        Goldens::with(command, blessing())
    }

    fn with(command: &str, bless: bool) -> Self {
        Goldens {
            command: command.to_owned(),
            bless,
            stale: Vec::new(),
        }
    }

    /// Compares a file with what was found, or writes it if the run blesses.
    pub fn check(&mut self, file: &Path, found: impl AsRef<[u8]>) {
        let found = found.as_ref();
        let Some(difference) = difference(file, found) else {
            return;
        };
        if !self.bless {
            self.stale.push(difference);
        } else if let Err(error) = std::fs::write(file, found) {
            self.stale.push(format!("{}: {error}", file.display()));
        }
    }

    /// What differed, and the command that records it.
    ///
    /// # Errors
    /// If anything did.
    pub fn result(self) -> Result<(), String> {
        if self.stale.is_empty() {
            return Ok(());
        }
        Err(format!(
            "{}\n{}",
            self.stale.join("\n"),
            how_to_bless(&self.command)
        ))
    }

    /// [`Goldens::result`] for tests.
    ///
    /// # Panics
    /// If a file differs.
    pub fn assert(self) {
        if let Err(message) = self.result() {
            panic!("{message}");
        }
    }
}

/// How what was found differs from a golden file (a missing one counts as empty), if it does.
#[must_use]
pub fn difference(file: &Path, found: &[u8]) -> Option<String> {
    let recorded = std::fs::read(file).unwrap_or_default();
    (recorded != found).then(|| format!("{}: {}", file.display(), first_difference(&recorded, found)))
}

/// What to do about a difference.
#[must_use]
pub fn how_to_bless(command: &str) -> String {
    format!(
        "Not as recorded. If it is right, record it, and look at the difference before committing it:\n  \
         {BLESS}=1 {command}\n"
    )
}

/// The first line that is not as recorded, under the heading (`== ...`) of its case.
fn first_difference(recorded: &[u8], found: &[u8]) -> String {
    let (recorded, found) = (String::from_utf8_lossy(recorded), String::from_utf8_lossy(found));
    let mut heading = "";
    let (mut was, mut is) = (recorded.split('\n'), found.split('\n'));
    for number in 1.. {
        match (was.next(), is.next()) {
            (Some(old), Some(new)) if old == new => {
                if new.starts_with("== ") {
                    heading = new;
                }
            }
            (None, None) => break,
            (old, new) => {
                let (old, new) = (old.unwrap_or("(end)"), new.unwrap_or("(end)"));
                return format!("line {number} {heading}\n- {old}\n+ {new}");
            }
        }
    }
    "bytes that are no text".to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scratch(name: &str) -> std::path::PathBuf {
        std::env::temp_dir().join(format!("{name}.{}", std::process::id()))
    }

    #[test]
    fn differences_are_named_with_the_command_that_records_them() {
        let file = scratch("golden-differences");
        std::fs::write(&file, "== one\na\n== two\nb\n").expect("writable");
        let mut goldens = Goldens::with("cargo test x", false);
        goldens.check(&file, "== one\na\n== two\nc\n");
        goldens.check(&file, "== one\na\n== two\nb\n");
        let message = goldens.result().expect_err("one differs");
        let shown = format!("{}: line 4 == two\n- b\n+ c\n", file.display());
        assert!(message.starts_with(&shown), "{message}");
        assert!(message.ends_with("RAEMU_BLESS=1 cargo test x\n"), "{message}");
        assert_eq!(std::fs::read(&file).expect("there"), b"== one\na\n== two\nb\n");
        let _ = std::fs::remove_file(file);
    }

    #[test]
    fn blessing_writes() {
        let file = scratch("golden-blessing");
        let mut goldens = Goldens::with("cargo test x", true);
        goldens.check(&file, [1, 0xff]);
        assert_eq!(goldens.result(), Ok(()));
        assert_eq!(std::fs::read(&file).expect("written"), [1, 0xff]);
        let _ = std::fs::remove_file(&file);
        let mut goldens = Goldens::with("cargo test x", true);
        goldens.check(&file.join("no such directory"), "text");
        assert!(goldens.result().is_err());
    }

    #[test]
    fn a_missing_file_and_missing_lines_differ() {
        let mut goldens = Goldens::with("cargo test x", false);
        goldens.check(Path::new("/no/such/file"), "text");
        assert!(goldens.result().is_err());
        assert_eq!(first_difference(b"a\nb", b"a"), "line 2 \n- b\n+ (end)");
        assert_eq!(first_difference(b"\xff", b"\xfe"), "bytes that are no text");
    }
}
