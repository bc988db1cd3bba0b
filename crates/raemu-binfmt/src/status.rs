//! `status`: the mount, the entries that take arm64 programs, and what is wrong, as text or as JSON.

use crate::doctor::{self, Level};
use crate::entry::Entry;
use crate::facts::{Facts, Scope};
use crate::json::Json;

/// What an entry is good for at present.
fn role(facts: &Facts, index: usize) -> String {
    let (entry, _) = &facts.entries[index];
    match facts.winner() {
        Some(winner) if winner == index => "runs arm64 programs".to_owned(),
        Some(_) if !entry.enabled => "disabled".to_owned(),
        Some(winner) => format!("shadowed by {}", facts.entries[winner].0.name),
        None => "disabled".to_owned(),
    }
}

fn scope(facts: &Facts) -> Option<&'static str> {
    match facts.scope {
        Scope::Shared => Some("shared"),
        Scope::MountNamespace => Some("mount namespace"),
        Scope::UserNamespace => Some("user namespace"),
        Scope::Unknown => None,
    }
}

pub fn text(facts: &Facts) -> String {
    let point = facts.mount_point.display();
    let mut text = if facts.mounted {
        let state = if facts.enabled { "enabled" } else { "disabled" };
        let scope = scope(facts).map_or(String::new(), |scope| format!(", {scope}"));
        format!("binfmt_misc: {point}, {state}{scope}\n")
    } else {
        "binfmt_misc: not mounted\n".to_owned()
    };
    for (index, (entry, ours)) in facts.entries.iter().enumerate() {
        text.push_str(&format!(
            "{}: {}, {}interpreter {}, flags {}\n",
            entry.name,
            role(facts, index),
            if *ours { "" } else { "another emulator's, " },
            entry.interpreter.display(),
            entry.flags
        ));
    }
    for finding in doctor::findings(facts) {
        text.push_str(&doctor::line(&finding));
    }
    text
}

pub fn json(facts: &Facts) -> String {
    let entry = |(index, (entry, ours)): (usize, &(Entry, bool))| {
        Json::Object(vec![
            ("name", Json::text(entry.name.as_str())),
            ("enabled", Json::Bool(entry.enabled)),
            ("interpreter", Json::text(entry.interpreter.to_string_lossy())),
            ("flags", Json::text(entry.flags.to_string())),
            ("ours", Json::Bool(*ours)),
            ("active", Json::Bool(facts.winner() == Some(index))),
        ])
    };
    let findings = doctor::findings(facts).into_iter().map(|finding| {
        let level = match finding.level {
            Level::Finding => "finding",
            Level::Note => "note",
        };
        Json::Object(vec![
            ("id", Json::text(finding.id)),
            ("level", Json::text(level)),
            ("text", Json::text(finding.text)),
            ("remedy", Json::text(finding.remedy)),
        ])
    });
    let active = facts.winner().map(|index| facts.entries[index].0.name.as_str());
    Json::Object(vec![
        ("kernel", Json::text(facts.release.as_str())),
        ("mounted", Json::Bool(facts.mounted)),
        ("enabled", Json::Bool(facts.mounted && facts.enabled)),
        ("scope", scope(facts).map_or(Json::Null, Json::text)),
        ("active", active.map_or(Json::Null, Json::text)),
        (
            "entries",
            Json::List(facts.entries.iter().enumerate().map(entry).collect()),
        ),
        ("findings", Json::List(findings.collect())),
    ])
    .print()
}
