//! The files of a module, as far as a build depends on them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// Folders that builds write or that are no source.
const NOT_LOOKED_INTO: &[&str] = &["target", "node_modules", "__pycache__", "build", "dist"];
/// Files that builds write beside the source.
const WRITTEN: &[&str] = &["Cargo.lock", "package-lock.json", "go.sum"];
/// Endings of those.
const ENDINGS: &[&str] = &["wasm", "sig", "pyc", "swp", "tmp"];
/// Files that are looked at; a folder with more is not that of one module.
const MOST: usize = 20_000;
/// Folders in folders.
const DEPTH: usize = 16;

/// Files with what changes when they are written.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Files(BTreeMap<PathBuf, (u64, Option<SystemTime>)>);

impl Files {
    /// The files in a folder. What cannot be read is not there.
    pub(super) fn of(dir: &Path) -> Self {
        let mut files = Self::default();
        files.walk(dir, dir, 0);
        files
    }

    /// Names of those that are not the same in both.
    pub(super) fn differing(&self, other: &Self) -> Vec<PathBuf> {
        let ours = self.0.iter().filter(|(name, facts)| other.0.get(*name) != Some(facts)).map(|(name, _)| name);
        let gone = other.0.keys().filter(|name| !self.0.contains_key(*name));
        let mut names: Vec<_> = ours.chain(gone).cloned().collect();
        names.sort();
        names
    }

    fn walk(&mut self, root: &Path, dir: &Path, depth: usize) {
        let Ok(entries) = std::fs::read_dir(dir) else { return };
        for entry in entries.flatten() {
            let (path, name) = (entry.path(), entry.file_name());
            let name = name.to_string_lossy();
            // Links are not followed: no folder is looked into twice.
            let Ok(facts) = entry.metadata() else { continue };
            if name.starts_with('.') || self.0.len() >= MOST {
                continue;
            }
            if facts.is_dir() {
                if depth < DEPTH && !NOT_LOOKED_INTO.contains(&name.as_ref()) {
                    self.walk(root, &path, depth + 1);
                }
                continue;
            }
            let ending = path.extension().is_some_and(|x| ENDINGS.iter().any(|known| x == *known));
            if !ending && !name.ends_with('~') && !WRITTEN.contains(&name.as_ref()) {
                let name = path.strip_prefix(root).unwrap_or(&path).to_owned();
                self.0.insert(name, (facts.len(), facts.modified().ok()));
            }
        }
    }
}

#[cfg(test)]
impl FromIterator<(PathBuf, u64)> for Files {
    fn from_iter<I: IntoIterator<Item = (PathBuf, u64)>>(files: I) -> Self {
        Self(files.into_iter().map(|(name, size)| (name, (size, None))).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sources_are_looked_at_and_outputs_are_not() {
        let dir = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| {
            let path = dir.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        };
        for name in ["src/lib.rs", "tests/a.yml", "Cargo.toml"] {
            write(name, "");
        }
        let before = Files::of(dir.path());
        assert_eq!(before.0.len(), 3);
        for name in [
            "m.wasm",
            "m.wasm.sig",
            "target/x",
            "Cargo.lock",
            ".git/HEAD",
            "src/.lib.rs.swp",
            "src/lib.rs~",
            "__pycache__/m.pyc",
        ] {
            write(name, "x");
        }
        assert_eq!(Files::of(dir.path()), before);
        write("src/lib.rs", "fn main() {}");
        write("src/new.rs", "");
        std::fs::remove_file(dir.path().join("tests/a.yml")).unwrap();
        let names = Files::of(dir.path()).differing(&before);
        assert_eq!(names, ["src/lib.rs", "src/new.rs", "tests/a.yml"].map(PathBuf::from));
    }
}
