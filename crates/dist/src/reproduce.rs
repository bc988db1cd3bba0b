//! Two builds in two folders give the same bytes.

use crate::release::{Release, capture, run, time_of};
use crate::{Made, make};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Builds the sources, as they are in git's eyes, in two folders of different names, and compares the packages.
pub fn check(sources: &Path, scratch: &Path) -> Result<(), String> {
    let _ = fs::remove_dir_all(scratch);
    let time = time_of(sources)?;
    let mut all = Vec::new();
    // The target folder lies within the sources, and elsewhere.
    let places = [("one", "one/target"), ("another-folder/two", "elsewhere")];
    // Both at once: the sources may change while the first one is built.
    for (folder, _) in places {
        copy(sources, &scratch.join(folder))?;
    }
    for (folder, target) in places {
        let (folder, target) = (scratch.join(folder), scratch.join(target));
        let release = Release::build(&folder, &target, time)?;
        let (made, _) = make(&release, &folder.join("out"))?;
        all.push(files(&made));
    }
    let mut differing = Vec::new();
    for (one, other) in all[0].iter().zip(&all[1]) {
        let same = read(one)? == read(other)?;
        let verb = if same { "same bytes" } else { "DIFFERS" };
        println!(
            "    {}: {verb}",
            one.file_name().unwrap_or_default().to_string_lossy()
        );
        if !same {
            differing.push(format!("{} {}", one.display(), other.display()));
        }
    }
    if !differing.is_empty() {
        return Err(format!("two builds differ:\n{}", differing.join("\n")));
    }
    fs::remove_dir_all(scratch).map_err(|e| format!("{}: {e}", scratch.display()))
}

fn files(made: &Made) -> Vec<PathBuf> {
    let mut files = vec![made.tarball.clone(), made.image.archive.clone()];
    files.extend(made.debs.clone());
    files
}

fn read(path: &Path) -> Result<Vec<u8>, String> {
    fs::read(path).map_err(|e| format!("{}: {e}", path.display()))
}

/// Copies the files that git knows or would add.
fn copy(sources: &Path, folder: &Path) -> Result<(), String> {
    fs::create_dir_all(folder).map_err(|e| format!("{}: {e}", folder.display()))?;
    let mut git = Command::new("git");
    git.args(["ls-files", "--cached", "--others", "--exclude-standard"])
        .current_dir(sources);
    for path in capture(git)?.lines() {
        let (from, to) = (sources.join(path), folder.join(path));
        // A file that is deleted but not yet in a commit.
        if !from.is_file() {
            continue;
        }
        if let Some(parent) = to.parent() {
            fs::create_dir_all(parent).map_err(|e| format!("{}: {e}", parent.display()))?;
        }
        let mut cp = Command::new("cp");
        cp.arg(&from).arg(&to);
        run(cp)?;
    }
    Ok(())
}
