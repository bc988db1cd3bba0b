//! A private apt for one architecture: its own state, cache and configuration, the host's own package sources.
//!
//! The host's sources are taken over as they are, so the same mirror, suite and keys serve both architectures and
//! the same versions are found for each. Nothing outside the given directory is written.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::shell::{capture, command, run};

/// What `/etc/os-release` says of the host.
pub struct Distribution {
    pub id: String,
    pub codename: String,
}

impl Distribution {
    pub fn of_host() -> Result<Distribution, String> {
        let text = fs::read_to_string("/etc/os-release").map_err(|e| format!("/etc/os-release: {e}"))?;
        let field = |name: &str| {
            text.lines()
                .find_map(|line| line.strip_prefix(name)?.strip_prefix('='))
                .map(|value| value.trim_matches('"').to_string())
                .ok_or_else(|| format!("/etc/os-release has no {name}: is this Debian or Ubuntu?"))
        };
        Ok(Distribution {
            id: field("ID")?,
            codename: field("VERSION_CODENAME")?,
        })
    }
}

pub struct Apt {
    config: PathBuf,
    archives: PathBuf,
}

impl Apt {
    /// Lays out the private directories and the configuration for `arch` under `dir`.
    pub fn new(dir: &Path, arch: &str, distribution: &Distribution) -> Result<Apt, String> {
        let sources = Sources::of_host(arch, distribution)?;
        Apt::with(dir, &configuration(dir, arch)?, &sources)
    }

    /// The same with `suite` of the distribution's own archive in place of the host's suites.
    pub fn of_suite(dir: &Path, arch: &str, distribution: &Distribution, suite: &str) -> Result<Apt, String> {
        let sources = Sources::of_host(arch, distribution)?.in_suite(suite, distribution)?;
        // Its index is signed for some days only, and a mirror may be older; signatures are checked.
        let configuration = configuration(dir, arch)? + "Acquire::Check-Valid-Until \"false\";\n";
        Apt::with(dir, &configuration, &sources)
    }

    fn with(dir: &Path, configuration: &str, sources: &Sources) -> Result<Apt, String> {
        let path = |name: &str| dir.join(name);
        for name in [
            "state/lists/partial",
            "cache/archives/partial",
            "etc/sources.list.d",
            "etc/empty",
        ] {
            fs::create_dir_all(path(name)).map_err(|e| format!("{}: {e}", path(name).display()))?;
        }
        write(&path("state/status"), "")?;
        write(&path("etc/sources.list"), &sources.lines)?;
        write(&path("etc/sources.list.d/host.sources"), &sources.stanzas)?;
        let config = path("apt.conf");
        write(&config, configuration)?;
        Ok(Apt {
            config,
            archives: path("cache/archives"),
        })
    }

    /// Downloads the packages and all they depend on; returns the package files, sorted.
    pub fn download(&self, packages: &[&str]) -> Result<Vec<PathBuf>, String> {
        run(self.get(&["update"]))?;
        let mut arguments = vec!["install", "-y", "--download-only"];
        arguments.extend(packages);
        run(self.get(&arguments))?;
        self.downloaded()
    }

    /// Downloads the newest version of one package, without what it depends on.
    pub fn download_alone(&self, package: &str) -> Result<PathBuf, String> {
        run(self.get(&["update"]))?;
        for old in self.downloaded()? {
            fs::remove_file(&old).map_err(|e| format!("{}: {e}", old.display()))?;
        }
        let mut get = self.get(&["download", package]);
        get.current_dir(&self.archives);
        run(get)?;
        self.downloaded()?
            .pop()
            .ok_or_else(|| format!("apt-get download {package} left no file"))
    }

    fn downloaded(&self) -> Result<Vec<PathBuf>, String> {
        let entries =
            fs::read_dir(&self.archives).map_err(|e| format!("{}: {e}", self.archives.display()))?;
        let mut files: Vec<PathBuf> = entries
            .filter_map(|entry| Some(entry.ok()?.path()))
            .filter(|path| path.extension().is_some_and(|extension| extension == "deb"))
            .collect();
        files.sort();
        Ok(files)
    }

    fn get(&self, arguments: &[&str]) -> Command {
        let mut command = command("apt-get", ["-q"]);
        command
            .args(arguments)
            .env("APT_CONFIG", &self.config)
            .env("DEBIAN_FRONTEND", "noninteractive");
        command
    }
}

/// The text of apt.conf. The host's own files are not read, its proxies aside.
fn configuration(dir: &Path, arch: &str) -> Result<String, String> {
    let dir = dir.display();
    let mut text = format!(
        "Dir::State \"{dir}/state\";\n\
         Dir::State::status \"{dir}/state/status\";\n\
         Dir::Cache \"{dir}/cache\";\n\
         Dir::Etc::SourceList \"{dir}/etc/sources.list\";\n\
         Dir::Etc::SourceParts \"{dir}/etc/sources.list.d\";\n\
         Dir::Etc::Main \"/dev/null\";\n\
         Dir::Etc::Parts \"{dir}/etc/empty\";\n\
         Dir::Etc::Preferences \"/dev/null\";\n\
         Dir::Etc::PreferencesParts \"{dir}/etc/empty\";\n\
         APT::Architecture \"{arch}\";\n\
         APT::Architectures {{ \"{arch}\"; }};\n\
         APT::Install-Recommends \"false\";\n\
         APT::Sandbox::User \"root\";\n\
         Acquire::Languages \"none\";\n\
         Dpkg::Use-Pty \"false\";\n"
    );
    let host = capture(command("apt-config", ["dump", "Acquire"]))?;
    for line in host
        .lines()
        .filter(|line| line.to_ascii_lowercase().contains("proxy"))
    {
        text.push_str(line);
        text.push('\n');
    }
    Ok(text)
}

/// The host's package sources in apt's two notations, with the architecture replaced.
struct Sources {
    lines: String,
    stanzas: String,
}

impl Sources {
    fn of_host(arch: &str, distribution: &Distribution) -> Result<Sources, String> {
        let mut sources = Sources {
            lines: String::new(),
            stanzas: String::new(),
        };
        let mut files = vec![PathBuf::from("/etc/apt/sources.list")];
        if let Ok(entries) = fs::read_dir("/etc/apt/sources.list.d") {
            files.extend(entries.filter_map(|entry| Some(entry.ok()?.path())));
        }
        files.sort();
        for file in files {
            let text = match fs::read_to_string(&file) {
                Ok(text) => text,
                Err(_) => continue,
            };
            match file.extension().and_then(|extension| extension.to_str()) {
                Some("list") => sources.add_lines(&text, arch, distribution),
                Some("sources") => sources.add_stanzas(&text, arch, distribution),
                Some(_) | None => {}
            }
        }
        if sources.lines.is_empty() && sources.stanzas.is_empty() {
            return Err(format!(
                "no package source for '{}' under /etc/apt",
                distribution.codename
            ));
        }
        Ok(sources)
    }

    /// What the distribution's own archive has of another suite: that of the first source whose
    /// suite is just the host's codename.
    fn in_suite(&self, suite: &str, distribution: &Distribution) -> Result<Sources, String> {
        let codename = distribution.codename.as_str();
        let mut found = Sources {
            lines: String::new(),
            stanzas: String::new(),
        };
        let line = self.lines.lines().find(|line| {
            let words: Vec<&str> = line
                .split(']')
                .next_back()
                .unwrap_or_default()
                .split(' ')
                .collect();
            words.contains(&codename)
        });
        let stanza = self.stanzas.split("\n\n").find(|stanza| {
            let suites = stanza.lines().find_map(|line| line.strip_prefix("Suites:"));
            suites.is_some_and(|suites| suites.split_whitespace().any(|name| name == codename))
        });
        if let Some(line) = line {
            found.lines = line.replacen(&format!(" {codename} "), &format!(" {suite} "), 1) + "\n";
        } else if let Some(stanza) = stanza {
            for line in stanza.lines() {
                let is_suites = line.starts_with("Suites:");
                found.stanzas += &if is_suites {
                    format!("Suites: {suite}\n")
                } else {
                    format!("{line}\n")
                };
            }
        } else {
            return Err(format!("no package source of '{codename}' itself under /etc/apt"));
        }
        Ok(found)
    }

    /// The one-line notation: `deb [options] URI suite component...`.
    fn add_lines(&mut self, text: &str, arch: &str, distribution: &Distribution) {
        for line in text.lines() {
            let Some(rest) = line.trim().strip_prefix("deb ") else {
                continue;
            };
            let (options, rest) = match rest
                .trim_start()
                .strip_prefix('[')
                .and_then(|r| r.split_once(']'))
            {
                Some((options, rest)) => (options, rest),
                None => ("", rest),
            };
            let mut words = rest.split_whitespace();
            let (Some(uri), Some(suite)) = (words.next(), words.next()) else {
                continue;
            };
            if !suite.starts_with(&distribution.codename) {
                continue;
            }
            let kept: Vec<&str> = options
                .split_whitespace()
                .filter(|option| !option.starts_with("arch="))
                .collect();
            let components: Vec<&str> = words.collect();
            let uri = uri_for(uri, arch, distribution);
            self.lines.push_str(&format!(
                "deb [arch={arch} {}] {uri} {suite} {}\n",
                kept.join(" "),
                components.join(" ")
            ));
        }
    }

    /// The deb822 notation: paragraphs of `Field: value` with continuation lines.
    fn add_stanzas(&mut self, text: &str, arch: &str, distribution: &Distribution) {
        let uncommented: String = text
            .lines()
            .filter(|line| !line.starts_with('#'))
            .map(|line| format!("{line}\n"))
            .collect();
        for stanza in uncommented.split("\n\n") {
            let field = |name: &str| {
                stanza
                    .lines()
                    .find_map(|line| line.strip_prefix(name))
                    .map(str::trim)
            };
            let suites = field("Suites:").unwrap_or_default();
            let ours = suites
                .split_whitespace()
                .any(|suite| suite.starts_with(&distribution.codename));
            let binary = field("Types:").is_some_and(|types| types.split_whitespace().any(|t| t == "deb"));
            if !ours || !binary || field("Enabled:") == Some("no") {
                continue;
            }
            for line in stanza.lines().filter(|line| !line.is_empty()) {
                if line.starts_with("Types:") {
                    self.stanzas.push_str("Types: deb\n");
                } else if let Some(uris) = line.strip_prefix("URIs:") {
                    let uris: Vec<String> = uris
                        .split_whitespace()
                        .map(|uri| uri_for(uri, arch, distribution))
                        .collect();
                    self.stanzas.push_str(&format!("URIs: {}\n", uris.join(" ")));
                } else if !line.starts_with("Architectures:") {
                    self.stanzas.push_str(&format!("{line}\n"));
                }
            }
            self.stanzas.push_str(&format!("Architectures: {arch}\n\n"));
        }
    }
}

/// Where a source's packages of `arch` are. Debian has all architectures in one place; Ubuntu keeps arm64 on the
/// `ports` host of the same domain. `RAEMU_APT_URI` replaces the answer for arm64, for a mirror laid out otherwise.
fn uri_for(uri: &str, arch: &str, distribution: &Distribution) -> String {
    if arch != "arm64" {
        return uri.to_string();
    }
    if let Ok(replacement) = std::env::var("RAEMU_APT_URI") {
        return replacement;
    }
    if distribution.id != "ubuntu" {
        return uri.to_string();
    }
    let Some((scheme, rest)) = uri.split_once("://") else {
        return uri.to_string();
    };
    let host = rest.split('/').next().unwrap_or_default();
    let labels: Vec<&str> = host.rsplitn(3, '.').collect();
    match labels.as_slice() {
        [top, domain, ..] => format!("{scheme}://ports.{domain}.{top}/ubuntu-ports/"),
        _ => uri.to_string(),
    }
}

fn write(path: &Path, text: &str) -> Result<(), String> {
    fs::write(path, text).map_err(|e| format!("{}: {e}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn distribution(id: &str) -> Distribution {
        Distribution {
            id: id.to_string(),
            codename: "stable".to_string(),
        }
    }

    #[test]
    fn one_line_sources_keep_options_and_change_architecture() {
        let mut sources = Sources {
            lines: String::new(),
            stanzas: String::new(),
        };
        let text = "# deb http://x.test/d stable main\n\
                    deb [arch=amd64 signed-by=/k] http://x.test/d stable main contrib\n\
                    deb http://other.test/d otherdistro main\n\
                    deb-src http://x.test/d stable main\n";
        sources.add_lines(text, "arm64", &distribution("debian"));
        assert_eq!(
            sources.lines,
            "deb [arch=arm64 signed-by=/k] http://x.test/d stable main contrib\n"
        );
    }

    #[test]
    fn stanzas_keep_their_fields() {
        let mut sources = Sources {
            lines: String::new(),
            stanzas: String::new(),
        };
        let text = "Types: deb deb-src\n# note\nURIs: http://x.test/d\nSuites: stable stable-updates\n\
                    Components: main\nArchitectures: amd64\nSigned-By: /k\n\nTypes: deb\nURIs: http://y.test\nSuites: z\n";
        sources.add_stanzas(text, "arm64", &distribution("debian"));
        assert_eq!(
            sources.stanzas,
            "Types: deb\nURIs: http://x.test/d\nSuites: stable stable-updates\nComponents: main\nSigned-By: /k\n\
             Architectures: arm64\n\n"
        );
    }

    #[test]
    fn another_suite_comes_from_the_archive_itself() {
        let lines = "deb [arch=amd64 ] http://s.test/d stable-security main\n\
                     deb [arch=amd64 ] http://x.test/d stable main\n";
        let stanzas = "Types: deb\nURIs: http://s.test/d\nSuites: stable-security\nComponents: main\n\n\
                       Types: deb\nURIs: http://x.test/d\nSuites: stable stable-updates\nSigned-By: /k\n\n";
        let of = |lines: &str, stanzas: &str| {
            let sources = Sources {
                lines: lines.to_string(),
                stanzas: stanzas.to_string(),
            };
            sources.in_suite("newest", &distribution("debian"))
        };
        let found = of(lines, "").unwrap();
        assert_eq!(found.lines, "deb [arch=amd64 ] http://x.test/d newest main\n");
        let found = of("", stanzas).unwrap();
        assert_eq!(
            found.stanzas,
            "Types: deb\nURIs: http://x.test/d\nSuites: newest\nSigned-By: /k\n"
        );
        assert!(of("", "").is_err());
    }

    #[test]
    fn ubuntu_keeps_arm64_elsewhere() {
        let ubuntu = distribution("ubuntu");
        assert_eq!(
            uri_for("http://a.b.test/ubuntu/", "arm64", &ubuntu),
            "http://ports.b.test/ubuntu-ports/"
        );
        assert_eq!(
            uri_for("http://a.b.test/ubuntu/", "amd64", &ubuntu),
            "http://a.b.test/ubuntu/"
        );
    }
}
