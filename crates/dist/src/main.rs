//! The packages: a tarball, two Debian packages and an OCI image, made by `cargo xtask dist`.
//!
//! Apart from xtask, which has hardly a dependency so that a first `cargo xtask` compiles in seconds. `release`
//! builds, `program` reads the options that `man` and `completions` print, `archive`, `deb` and `oci` make one
//! package each from a `tree`, and `verify`, `reproduce` and `install` check what was made.

#![forbid(unsafe_code)]

mod archive;
mod completions;
mod deb;
mod install;
mod layout;
mod licences;
mod man;
mod oci;
mod program;
mod release;
mod reproduce;
mod tree;
mod verify;

use layout::Generated;
use release::Release;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

const USAGE: &str = "\
usage: cargo xtask dist [--out DIR] [--programs DIR] [--verify | --check | --install]

Makes the packages in target/dist/ from a reproducible release build.
  --out DIR        make them in DIR
  --programs DIR   take the programs from DIR instead of building them
  --verify         then check the packages
  --check          build in two folders and compare
  --install        then install, upgrade and remove the Debian packages in throw-away systems
";

#[derive(Debug, Default, PartialEq, Eq)]
struct Options {
    out: Option<PathBuf>,
    programs: Option<PathBuf>,
    verify: bool,
    check: bool,
    install: bool,
}

/// What has been made.
pub struct Made {
    pub tarball: PathBuf,
    pub debs: [PathBuf; 2],
    pub image: oci::Image,
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match parse(&arguments).and_then(|options| run(&options)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("dist: {why}");
            ExitCode::FAILURE
        }
    }
}

fn parse(arguments: &[String]) -> Result<Options, String> {
    let mut options = Options::default();
    let mut arguments = arguments.iter();
    while let Some(argument) = arguments.next() {
        let mut path = || {
            let value = arguments
                .next()
                .ok_or_else(|| format!("{argument} needs a directory"))?;
            std::path::absolute(value).map_err(|e| format!("{value}: {e}"))
        };
        match argument.as_str() {
            "--out" => options.out = Some(path()?),
            "--programs" => options.programs = Some(path()?),
            "--verify" => options.verify = true,
            "--check" => options.check = true,
            "--install" => options.install = true,
            _ => return Err(format!("unexpected argument '{argument}'\n{USAGE}")),
        }
    }
    Ok(options)
}

fn run(options: &Options) -> Result<(), String> {
    let sources = sources();
    let target = match std::env::var_os("CARGO_TARGET_DIR") {
        Some(dir) => sources.join(dir),
        None => sources.join("target"),
    };
    if options.check {
        return reproduce::check(&sources, &target.join("dist-check"));
    }
    let time = release::time_of(&sources)?;
    let release = match &options.programs {
        Some(programs) => Release::of(&sources, programs, time)?,
        // Other flags than those of daily builds: a folder of its own saves building these anew each time.
        None => Release::build(&sources, &target.join("dist-build"), time)?,
    };
    let out = options.out.clone().unwrap_or_else(|| target.join("dist"));
    let (made, generated) = make(&release, &out)?;
    for path in [&made.tarball, &made.image.archive].into_iter().chain(&made.debs) {
        let size = fs::metadata(path).map_or(0, |data| data.len());
        println!("    {} ({:.1} MB)", path.display(), size as f64 / 1e6);
    }
    println!("    {}/", made.image.directory.display());
    if options.verify {
        verify::all(&made, &generated, &sources, &target.join("dist-verify"))?;
    }
    if options.install {
        install::check(&made, &sources, &target.join("dist-install"))?;
    }
    Ok(())
}

/// Makes all packages in `out`.
fn make(release: &Release, out: &Path) -> Result<(Made, Generated), String> {
    fs::create_dir_all(out).map_err(|e| format!("{}: {e}", out.display()))?;
    let generated = layout::generated(release)?;
    let made = Made {
        tarball: archive::make(release, &generated, out)?,
        debs: deb::make(release, &generated, out)?,
        image: oci::make(release, out)?,
    };
    Ok((made, generated))
}

/// The workspace's root directory.
fn sources() -> PathBuf {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR"));
    let root = manifest.ancestors().nth(2);
    root.expect("crates/dist lies two levels below the root")
        .to_path_buf()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments() {
        let parse = |line: &str| {
            let words: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
            parse(&words)
        };
        let options = parse("--out /x --verify").expect("good");
        assert_eq!(options.out.as_deref(), Some(Path::new("/x")));
        assert!(options.verify && !options.check);
        for bad in ["--out", "x", "--unknown"] {
            assert!(parse(bad).is_err(), "{bad}");
        }
    }
}
