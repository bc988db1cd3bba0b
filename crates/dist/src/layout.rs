//! What is installed below a prefix: the same for the tarball and the Debian package; the image takes the programs.

use crate::program::{self, Program};
use crate::release::{EMULATOR, REGISTRAR, Release};
use crate::tree::Tree;
use crate::{completions, licences, man};
use std::fs;
use std::path::Path;

/// The link that is registered: with a kernel before 5.12, its name tells the emulator of flag P.
pub const P_LINK: &str = "libexec/raemu-binfmt/aarch64-binfmt-P";

/// The programs and the link.
pub fn programs(release: &Release) -> Result<Tree, String> {
    let mut tree = Tree::default();
    for (name, path) in [(EMULATOR, &release.emulator), (REGISTRAR, &release.registrar)] {
        tree.program(&format!("bin/{name}"), read(path)?);
    }
    tree.link(P_LINK, "../../bin/raemu-aarch64");
    Ok(tree)
}

/// A page of the manual: its place below the prefix, and its source.
pub struct Page {
    pub path: String,
    pub source: String,
}

/// What is made from the programs' tables.
pub struct Generated {
    pub pages: Vec<Page>,
    programs: [Program; 2],
}

pub fn generated(release: &Release) -> Result<Generated, String> {
    let programs = [program::emulator(&release.emulator)?, program::binfmt()];
    let date = release.date("+%Y-%m-%d")?;
    let page = |program: &Program, other: &Program| Page {
        path: format!("share/man/man{0}/{1}.{0}", program.section, program.name),
        source: man::page(program, other, release.version, &date),
    };
    Ok(Generated {
        pages: vec![page(&programs[0], &programs[1]), page(&programs[1], &programs[0])],
        programs,
    })
}

impl Generated {
    /// Completions for three shells. zsh's folder is another one for packages of a distribution.
    pub fn completions(&self, zsh: &str) -> Tree {
        let mut tree = Tree::default();
        for program in &self.programs {
            let name = program.name;
            for (path, text) in [
                (
                    format!("bash-completion/completions/{name}"),
                    completions::bash(program),
                ),
                (format!("zsh/{zsh}/_{name}"), completions::zsh(program)),
                (
                    format!("fish/vendor_completions.d/{name}.fish"),
                    completions::fish(program),
                ),
            ] {
                tree.file(&format!("share/{path}"), text);
            }
        }
        tree
    }
}

/// Documents for whoever uses the programs, in one folder.
pub fn documents(release: &Release) -> Result<Tree, String> {
    let mut tree = Tree::default();
    for path in ["docs/install.md", "docs/performance.md"] {
        let name = path.rsplit('/').next().unwrap_or(path);
        tree.file(name, release.text(path)?);
    }
    tree.file("third-party.md", licences::page(release)?);
    Ok(tree)
}

pub fn read(path: &Path) -> Result<Vec<u8>, String> {
    fs::read(path).map_err(|e| format!("{}: {e}", path.display()))
}
