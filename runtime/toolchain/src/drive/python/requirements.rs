//! `requirements.txt`: packages that a module in Python depends on.
//!
//! pip puts them into a folder of the build. Machine code cannot run in a component, so a package that has some is refused
//! by name. Some packages have it only to be faster and do without where it is missing; of those the machine code
//! is left out.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::super::{Job, Place};
use crate::error::{BuildError, Kind, Result};
use crate::language::Language;
use crate::shell::Shell;
use crate::tools::{Tool, Tools};

/// Name of the file.
const FILE: &str = "requirements.txt";
/// Machine code whose packages do without it.
const DISPENSABLE: [&str; 8] = [
    "_cffi_backend",
    "charset_normalizer/",
    "markupsafe/_speedups",
    "msgpack/_cmsgpack",
    "simplejson/_speedups",
    "tornado/speedups",
    "wrapt/_wrappers",
    "yaml/_yaml",
];

/// Installs what a module's `requirements.txt` names, if anything, and gives the folder.
pub(super) fn of_module(job: &Job<'_>, place: &Place) -> Result<Option<PathBuf>> {
    let list = place.dir.join(FILE);
    match std::fs::read_to_string(&list) {
        Ok(text) => install(&text, FILE, job.tools, job.shell, place),
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(e) => Err(BuildError::file("read", &list, e)),
    }
}

/// Installs what a list names, if anything, and gives the folder; `origin` is who asks.
pub(in super::super) fn install(
    list: &str,
    origin: &str,
    tools: &Tools,
    shell: &Shell<'_>,
    place: &Place,
) -> Result<Option<PathBuf>> {
    if !list.lines().any(is_requirement) {
        return Ok(None);
    }
    let (folder, stamp) = (place.work.join("packages"), place.work.join("packages.txt"));
    // Asking the registry each time would be slow, and impossible without a network.
    if folder.is_dir() && std::fs::read_to_string(&stamp).is_ok_and(|before| before == list) {
        return Ok(Some(folder));
    }
    let python = tools.need(Tool::Python, Language::Python)?;
    let folder = place.fresh("packages")?;
    let asked = place.work.join("asked.txt");
    super::super::write(&asked, list.as_bytes())?;
    let mut pip = Command::new(python);
    pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-compile", "--target"]);
    pip.arg(&folder).arg("-r").arg(&asked);
    shell.run(pip.current_dir(&place.dir), &format!("the packages that {origin} asks for cannot be installed"))?;
    leave_out_machine_code(&folder, origin)?;
    super::super::write(&stamp, list.as_bytes())?;
    Ok(Some(folder))
}

fn is_requirement(line: &str) -> bool {
    let line = line.trim();
    !line.is_empty() && !line.starts_with('#')
}

/// Removes machine code that can be done without, and refuses packages that have other.
fn leave_out_machine_code(packages: &Path, origin: &str) -> Result<()> {
    let mut files = Vec::new();
    collect(packages, &mut files)?;
    let mut needed = Vec::new();
    for file in &files {
        let inside = file.strip_prefix(packages).unwrap_or(file);
        let shown = inside.to_string_lossy().replace('\\', "/");
        let stem = shown.split('.').next().unwrap_or_default();
        let beside = packages.join(format!("{stem}.py")).is_file();
        let by_mypyc = stem.ends_with("__mypyc");
        if beside || by_mypyc || DISPENSABLE.iter().any(|d| stem.starts_with(d)) {
            std::fs::remove_file(file).map_err(|e| BuildError::file("remove", file, e))?;
        } else {
            needed.push(shown);
        }
    }
    let Some(first) = needed.first() else { return Ok(()) };
    let mut names: Vec<&str> = needed.iter().map(|n| n.split(['/', '.']).next().unwrap_or(n)).collect();
    names.dedup();
    Err(BuildError::new(
        Kind::Invalid,
        format!("{origin} asks for packages with machine code, which cannot run in a component: {} ({first})", names.join(", ")),
    )
    .help("take a package that is Python alone, or do without; `socket`, HTTP and DNS go through what the operator grants"))
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) -> Result<()> {
    let entries = std::fs::read_dir(folder).map_err(|e| BuildError::file("look into", folder, e))?;
    for path in entries.flatten().map(|e| e.path()) {
        let is_code = path.extension().is_some_and(|e| e == "so" || e == "pyd" || e == "dylib");
        if path.is_dir() {
            collect(&path, files)?;
        } else if is_code {
            files.push(path);
        }
    }
    files.sort();
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn machine_code_is_left_out_where_it_can_be() {
        let dir = tempfile::tempdir().unwrap();
        let put = |name: &str| {
            let path = dir.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, "").unwrap();
        };
        let dispensable = "markupsafe/_speedups.cpython-311-x86_64-linux-gnu.so";
        put(dispensable);
        put("charset_normalizer/md.py");
        put("charset_normalizer/md.cpython-311-x86_64-linux-gnu.so");
        put("a1b2__mypyc.cpython-311-x86_64-linux-gnu.so");
        put("twice/fast.py");
        put("twice/fast.abi3.so");
        leave_out_machine_code(dir.path(), FILE).unwrap();
        assert!(!dir.path().join(dispensable).exists() && !dir.path().join("twice/fast.abi3.so").exists());
        put("numpy/core/_multiarray_umath.cpython-311-x86_64-linux-gnu.so");
        put("numpy/random/x.so");
        let error = leave_out_machine_code(dir.path(), FILE).unwrap_err();
        insta::assert_snapshot!(format!("{error}\nhelp: {}", error.help.clone().unwrap()), @r#"
    requirements.txt asks for packages with machine code, which cannot run in a component: numpy (numpy/core/_multiarray_umath.cpython-311-x86_64-linux-gnu.so)
    help: take a package that is Python alone, or do without; `socket`, HTTP and DNS go through what the operator grants
    "#);
    }

    #[test]
    fn a_list_of_comments_asks_for_nothing() {
        assert!(!["", "  ", "# requests"].into_iter().any(is_requirement));
        assert!(is_requirement(" requests==2 "));
    }
}
