//! `-cpu MODEL[,PROPERTY=on|off...]`.
//!
//! Properties are the names of /proc/cpuinfo, and those of qemu that have a meaning here or
//! that scripts pass to switch off what is not offered anyway.

use crate::models::{self, OFFERED};
use crate::shown::SHOWN;
use crate::{CpuModel, Feature, FeatureSet};
use std::fmt;

/// Why there is no such CPU, in qemu's words where it has some.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Refused(pub String);

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A feature, and one it cannot be without (Arm ARM A2.2, "the architecture extensions").
const NEEDS: &[(Feature, Feature)] = &[
    (Feature::Pmull, Feature::Aes),
    (Feature::Sha512, Feature::Sha256),
    (Feature::Sha3, Feature::Sha512),
    (Feature::Lse128, Feature::Lse),
    (Feature::Lrcpc2, Feature::Lrcpc),
    (Feature::Lrcpc3, Feature::Lrcpc2),
    (Feature::Dpb2, Feature::Dpb),
    (Feature::Fhm, Feature::Fp16),
    (Feature::Flagm2, Feature::Flagm),
    (Feature::Pacimp, Feature::Pauth),
    (Feature::Pacqarma5, Feature::Pauth),
    (Feature::Pacqarma3, Feature::Pauth),
    (Feature::Fpac, Feature::Pauth),
];

/// Of pointer authentication.
const ALGORITHMS: FeatureSet = FeatureSet::of(&[Feature::Pacimp, Feature::Pacqarma5, Feature::Pacqarma3]);

/// Beginnings of qemu's names of properties without an effect here.
const WITHOUT_EFFECT: [&str; 8] = [
    "aarch64", "cfgend", "has_el", "lpa2", "pmu", "reset", "sme", "sve",
];

/// What a property switches.
fn features(property: &str) -> Option<FeatureSet> {
    let pauth = FeatureSet::of(&[Feature::Pauth, Feature::Pacimp, Feature::Fpac]);
    match property {
        "pauth" | "paca" | "pacg" => return Some(pauth),
        "fpac" => return Some(FeatureSet::of(&[Feature::Fpac])),
        "mte" => return Some(FeatureSet::of(&[Feature::Mte])),
        "xs" => return Some(FeatureSet::of(&[Feature::Xs])),
        "lor" => return Some(FeatureSet::of(&[Feature::Lor])),
        // Nothing works without them.
        "fp" | "asimd" | "cpuid" => return None,
        _ => {}
    }
    let named = |shown: &&crate::shown::Shown| shown.hwcap.is_some_and(|cap| cap.name == property);
    SHOWN.iter().find(named).map(|shown| FeatureSet::of(shown.needs))
}

fn switch_on(set: FeatureSet, wanted: FeatureSet) -> FeatureSet {
    let mut set = set.union(wanted);
    // The table is short, and its chains shorter.
    for _ in 0..NEEDS.len() {
        for &(feature, needed) in NEEDS {
            if set.contains(feature) {
                set = set.with(needed);
            }
        }
    }
    set
}

fn switch_off(set: FeatureSet, unwanted: FeatureSet) -> FeatureSet {
    let mut set = set.difference(unwanted);
    for _ in 0..NEEDS.len() {
        for &(feature, needed) in NEEDS {
            if !set.contains(needed) {
                set = set.without(feature);
            }
        }
    }
    set
}

/// `name=on`, `name=off`, `+name` or `-name`.
fn split(property: &str) -> Result<(&str, &str), Refused> {
    if let Some(name) = property.strip_prefix('+') {
        return Ok((name, "on"));
    }
    if let Some(name) = property.strip_prefix('-') {
        return Ok((name, "off"));
    }
    property
        .split_once('=')
        .ok_or_else(|| Refused(format!("Expected key=value format, found {property}.")))
}

fn apply(model: &CpuModel, set: FeatureSet, property: &str) -> Result<FeatureSet, Refused> {
    let (name, value) = split(property)?;
    let refuse = |why: String| {
        let model = model.name;
        Err(Refused(format!(
            "can't apply global {model}-arm-cpu.{name}={value}: {why}"
        )))
    };
    let on_or_off = match value {
        "on" | "yes" | "true" | "y" => Some(true),
        "off" | "no" | "false" | "n" => Some(false),
        _ => None,
    };
    // Which algorithm signs pointers: one of the three.
    let algorithm = match (name, on_or_off) {
        ("pauth-impdef", Some(true)) => Some(Feature::Pacimp),
        ("pauth-qarma5", Some(true)) | ("pauth-impdef", Some(false)) => Some(Feature::Pacqarma5),
        ("pauth-qarma3", Some(true)) => Some(Feature::Pacqarma3),
        ("pauth-qarma5" | "pauth-qarma3", Some(false)) => Some(Feature::Pacimp),
        (_, _) => None,
    };
    if let Some(algorithm) = algorithm {
        if !set.contains(Feature::Pauth) {
            return Ok(set);
        }
        if !OFFERED.contains(algorithm) {
            return refuse("not offered".into());
        }
        return Ok(set.difference(ALGORITHMS).with(algorithm));
    }
    if WITHOUT_EFFECT.iter().any(|known| name.starts_with(known)) {
        return Ok(set);
    }
    let Some(wanted) = features(name) else {
        return refuse(format!("Property '{}-arm-cpu.{name}' not found", model.name));
    };
    match on_or_off {
        Some(true) if wanted.difference(OFFERED) != FeatureSet::EMPTY => refuse("not offered".into()),
        Some(true) => Ok(switch_on(set, wanted)),
        Some(false) => Ok(switch_off(set, wanted)),
        None => refuse(format!("Parameter '{name}' expects 'on' or 'off'")),
    }
}

/// The CPU that the option's text describes.
///
/// # Errors
/// If there is no such model or property.
pub fn choose(text: &str) -> Result<&'static CpuModel, Refused> {
    let mut parts = text.split(',');
    let name = parts.next().unwrap_or("");
    let all = models::all();
    let Some(entry) = all.iter().find(|entry| entry.model.name == name) else {
        return Err(Refused(format!("unable to find CPU model '{name}'")));
    };
    let model = entry.model;
    let features = parts.try_fold(model.features, |set, property| apply(model, set, property))?;
    if features == model.features {
        return Ok(model);
    }
    // Once a process, and needed until its end.
    Ok(Box::leak(Box::new(CpuModel::new(
        model.name, model.midr, features,
    ))))
}

/// What `-cpu help` prints.
#[must_use]
pub fn help() -> String {
    let mut list = "Available CPUs:\n".to_owned();
    for entry in models::all() {
        match entry.note {
            "" => list.push_str(&format!("  {}\n", entry.model.name)),
            note => list.push_str(&format!("  {:<12} ({note})\n", entry.model.name)),
        }
    }
    list
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shown::IdReg;

    fn refused(text: &str) -> String {
        choose(text).expect_err(text).0
    }

    #[test]
    fn models_are_found_by_name() {
        assert_eq!(choose("cortex-a53").map(|model| model.midr), Ok(0x410f_d034));
        assert_eq!(refused("nosuch"), "unable to find CPU model 'nosuch'");
    }

    #[test]
    fn properties_switch_features() {
        let off = choose("max,atomics=off").expect("a feature");
        assert!(!off.features.contains(Feature::Lse));
        assert!(
            !off.hwcap.hwcap.contains(linux_abi::Hwcap::HWCAP_ATOMICS)
                && !off.feature_names().contains(&"atomics")
        );
        let on = choose("cortex-a53,+atomics").expect("a feature");
        assert!(on.features.contains(Feature::Lse));
        assert_eq!(choose("max,sve=off,sme=off"), choose("max"));
        let no_aes = choose("max,-aes").expect("a feature");
        assert!(!no_aes.features.contains(Feature::Pmull), "needs AES");
    }

    #[test]
    fn one_algorithm_signs_pointers() {
        let isar = |text: &str| {
            let model = choose(text).expect(text);
            [IdReg::Aa64Isar1, IdReg::Aa64Isar2].map(|reg| model.id(reg))
        };
        const ISAR1: u64 = 0xff << 24 | 0xff << 4;
        const ISAR2: u64 = 0xff << 8;
        let fields = |text| {
            let [isar1, isar2] = isar(text);
            (isar1 & ISAR1, isar2 & ISAR2)
        };
        assert_eq!(fields("max"), (0x1000_0500, 0));
        assert_eq!(fields("max,pauth-qarma5=on"), (0x0100_0050, 0));
        assert_eq!(fields("max,pauth-qarma3=on"), (0, 0x5100));
        assert_eq!(fields("max,pauth-qarma3=on,fpac=off"), (0, 0x3100));
        assert_eq!(fields("max,pauth-qarma3=on,pauth-impdef=on"), (0x1000_0500, 0));
        assert_eq!(fields("max,pauth-qarma3=on,pauth=off"), (0, 0));
        assert_eq!(fields("cortex-a53,pauth-qarma3=on"), (0, 0));
    }

    #[test]
    fn refusals_are_worded_as_qemus() {
        assert_eq!(
            refused("max,foo=on"),
            "can't apply global max-arm-cpu.foo=on: Property 'max-arm-cpu.foo' not found"
        );
        assert_eq!(
            refused("max,aes=maybe"),
            "can't apply global max-arm-cpu.aes=maybe: Parameter 'aes' expects 'on' or 'off'"
        );
        assert_eq!(refused("max,sve"), "Expected key=value format, found sve.");
    }

    #[test]
    fn every_property_of_cpuinfo_is_known() {
        for name in crate::shown::names(FeatureSet::ALL) {
            let fixed = matches!(name, "fp" | "asimd" | "cpuid");
            assert_eq!(features(name).is_none(), fixed, "{name}");
        }
    }
}
