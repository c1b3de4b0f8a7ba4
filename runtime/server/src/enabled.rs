//! Modules that `enabled_modules` names and of which no component was uploaded.
//!
//! In a directory that was DP³'s these are its Python modules. They cannot run as they are, and a server without them is
//! still of use: datapoints are taken and snapshots made. So it is said wherever somebody may look (`tenter check`, the
//! log of a start, `tenter status`, `tenter module list`), with what to do, and nothing fails because of it.

use std::path::Path;

use serde_json::{Value, json};
use tenter_model::ModuleName;
use tenter_model::config::SiteConfig;

/// One such module.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Missing {
    /// Its name in `enabled_modules`, as its component is to be called.
    pub(crate) name: String,
    /// What this means and what to do.
    pub(crate) detail: String,
}

impl Missing {
    /// For answers.
    pub(crate) fn to_json(&self) -> Value {
        json!({"name": self.name, "detail": self.detail})
    }
}

/// Those of a site, given the modules that are there. With the folder of the site, Python files are looked for.
pub(crate) fn missing(site: &SiteConfig, dir: Option<&Path>, uploaded: &[ModuleName]) -> Vec<Missing> {
    let lacks = |name: &&String| !uploaded.iter().any(|there| there.as_str() == name.as_str());
    let mut seen: Vec<&str> = Vec::new();
    let mut out = Vec::new();
    for name in site.enabled_modules.iter().filter(lacks) {
        // A name that no module can have was told when the file was read.
        if seen.contains(&name.as_str()) || ModuleName::new(name).is_err() {
            continue;
        }
        seen.push(name);
        let python = dir.and_then(|dir| python_file(dir, site.modules_dir.as_deref()?, name));
        let makes = python.map_or_else(
            || format!("`tenter new {name}` begins one"),
            |file| format!("`tenter build --from-dp3 {file} --out {name}.wasm` makes one of its Python"),
        );
        let detail = format!(
            "no component was uploaded for it, so its hooks are not called; {makes}, `tenter module upload {name}.wasm` \
             brings it, docs/from-dp3.md tells the way"
        );
        out.push(Missing { name: name.clone(), detail });
    }
    out
}

/// Where DP³ would find it, seen from the folder of the site.
fn python_file(dir: &Path, modules_dir: &str, name: &str) -> Option<String> {
    let folder = dir.join(modules_dir);
    let entries = std::fs::read_dir(&folder).ok()?;
    entries.filter_map(Result::ok).find_map(|entry| {
        let file = entry.file_name().into_string().ok()?;
        let is_package = entry.path().join("__init__.py").is_file();
        let stem = file.strip_suffix(".py").or(is_package.then_some(file.as_str()))?;
        stem.eq_ignore_ascii_case(name).then(|| Path::new(modules_dir).join(&file).display().to_string())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn python_modules_are_named_with_their_files() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(dir.path().join("modules/whois")).unwrap();
        std::fs::write(dir.path().join("modules/IpFilter.py"), "").unwrap();
        std::fs::write(dir.path().join("modules/whois/__init__.py"), "").unwrap();
        let site = SiteConfig {
            enabled_modules: ["ipfilter", "whois", "label", "gone", "gone", "Not valid"].map(str::to_owned).to_vec(),
            modules_dir: Some("modules".to_owned()),
            ..SiteConfig::default()
        };
        let uploaded = [ModuleName::new("label").unwrap()];
        let found = missing(&site, Some(dir.path()), &uploaded);
        let names: Vec<&str> = found.iter().map(|m| m.name.as_str()).collect();
        assert_eq!(names, ["ipfilter", "whois", "gone"]);
        insta::assert_snapshot!(found[0].detail, @"no component was uploaded for it, so its hooks are not called; `tenter build --from-dp3 modules/IpFilter.py --out ipfilter.wasm` makes one of its Python, `tenter module upload ipfilter.wasm` brings it, docs/from-dp3.md tells the way");
        assert!(found[1].detail.contains("--from-dp3 modules/whois --out whois.wasm"), "{}", found[1].detail);
        assert!(found[2].detail.starts_with("no component was uploaded for it, so"), "{}", found[2].detail);
    }
}
