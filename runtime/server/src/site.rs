//! Reading a site: the folder of configuration.
//!
//! The model judges texts; this reads them. As DP³ does, only `.yml` files count, with one level of folders
//! (`db_entities/`, `modules/`); unlike DP³ in a fixed order. A link may lead to a file elsewhere, as deployments do,
//! but what is not a plain file or is far too large to be configuration is refused, and so is a folder of thousands.

use std::io::Read as _;
use std::path::Path;

use tenter_model::config::ConfigFile;

use crate::error::{CliError, Kind};

/// Largest file read, in bytes.
const MAX_FILE: u64 = 4 << 20;
/// Most files read.
const MAX_FILES: usize = 2_000;
/// Folders of a site whose files are read; others, such as that of the data, are none of ours.
const FOLDERS: [&str; 2] = ["db_entities", "modules"];

/// All configuration files of a folder, sorted by path.
///
/// # Errors
/// When there is no such folder, or a file in it cannot be read, is too large or is not text.
pub(crate) fn read(dir: &Path) -> Result<Vec<ConfigFile>, CliError> {
    if !dir.is_dir() {
        return Err(CliError::new(Kind::NotFound, format!("{} is not a folder", dir.display()))
            .help(format!("`tenter init {}` writes a site there", dir.display())));
    }
    let mut files = Vec::new();
    collect(dir, "", &mut files)?;
    for folder in FOLDERS {
        let path = dir.join(folder);
        if path.is_dir() {
            collect(&path, &format!("{folder}/"), &mut files)?;
        }
    }
    if files.is_empty() {
        return Err(CliError::new(Kind::Invalid, format!("{} holds no .yml file", dir.display()))
            .help(format!("`tenter init {}` writes a site there", dir.display())));
    }
    files.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(files)
}

fn collect(dir: &Path, prefix: &str, files: &mut Vec<ConfigFile>) -> Result<(), CliError> {
    let cannot = |e: std::io::Error| CliError::new(Kind::Invalid, format!("cannot read {}: {e}", dir.display()));
    for entry in std::fs::read_dir(dir).map_err(cannot)? {
        let path = entry.map_err(cannot)?.path();
        if path.extension().is_none_or(|e| e != "yml") || path.is_dir() {
            continue;
        }
        let Some(name) = path.file_name().and_then(|n| n.to_str()) else {
            return Err(CliError::new(Kind::Invalid, format!("the name of {} is not UTF-8", path.display())));
        };
        if files.len() == MAX_FILES {
            return Err(CliError::new(Kind::Invalid, format!("{} holds more than {MAX_FILES} files", dir.display()))
                .help("is it the folder of a site?"));
        }
        files.push(ConfigFile { path: format!("{prefix}{name}"), text: text_of(&path)? });
    }
    Ok(())
}

fn text_of(path: &Path) -> Result<String, CliError> {
    let wrong = |why: String| CliError::new(Kind::Invalid, format!("cannot read {}: {why}", path.display()));
    // Asked before opening, since to open a pipe is to wait for its writer.
    let meta = std::fs::metadata(path).map_err(|e| wrong(e.to_string()))?;
    if !meta.is_file() {
        return Err(wrong("it is not a plain file".into()));
    }
    let file = std::fs::File::open(path).map_err(|e| wrong(e.to_string()))?;
    let mut bytes = Vec::new();
    file.take(MAX_FILE + 1).read_to_end(&mut bytes).map_err(|e| wrong(e.to_string()))?;
    if bytes.len() as u64 > MAX_FILE {
        return Err(wrong(format!("it is larger than {}, which no configuration is", crate::output::bytes(MAX_FILE))));
    }
    String::from_utf8(bytes).map_err(|e| {
        let line = e.as_bytes().iter().take(e.utf8_error().valid_up_to()).filter(|b| **b == b'\n').count() + 1;
        wrong(format!("line {line} is not UTF-8"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_configuration_is_read_and_in_order() {
        let dir = tempfile::tempdir().unwrap();
        for folder in ["db_entities", "modules", "data/deep"] {
            std::fs::create_dir_all(dir.path().join(folder)).unwrap();
        }
        for file in ["b.yml", "a.yml", "c.yaml", "db_entities/z.yml", "db_entities/README.md", "data/x.yml"] {
            std::fs::write(dir.path().join(file), file).unwrap();
        }
        let paths: Vec<_> = read(dir.path()).unwrap().into_iter().map(|f| f.path).collect();
        assert_eq!(paths, ["a.yml", "b.yml", "db_entities/z.yml"]);
    }

    #[test]
    fn what_is_no_configuration_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(read(&dir.path().join("none")).unwrap_err().kind, Kind::NotFound);
        assert_eq!(read(dir.path()).unwrap_err().kind, Kind::Invalid);
        std::fs::write(dir.path().join("a.yml"), b"a: 1\nb: \xff").unwrap();
        assert!(read(dir.path()).unwrap_err().message.ends_with("a.yml: line 2 is not UTF-8"));
        std::fs::File::create(dir.path().join("a.yml")).unwrap().set_len(MAX_FILE + 1).unwrap();
        assert!(read(dir.path()).unwrap_err().message.contains("larger than 4.00 MiB"));
    }

    #[cfg(unix)]
    #[test]
    fn a_device_is_not_waited_for() {
        let dir = tempfile::tempdir().unwrap();
        std::os::unix::fs::symlink("/dev/zero", dir.path().join("a.yml")).unwrap();
        assert!(read(dir.path()).unwrap_err().message.contains("not a plain file"));
    }
}
