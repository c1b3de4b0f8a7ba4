//! Reading a site: the folder of configuration.
//!
//! The model judges texts; this reads them. As DP³ does, only `.yml` files count, with one level of folders
//! (`db_entities/`, `modules/`); unlike DP³ in a fixed order. A link may lead to a file elsewhere, as deployments do,
//! but what is not a plain file or is far too large to be configuration is refused, and so is a folder of thousands.

use std::io::Read as _;
use std::path::{Path, PathBuf};

use tenter_model::config::{self, ConfigFile, SiteConfig};

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
    if !files.iter().any(|file| file.path.ends_with(".yml")) {
        return Err(CliError::new(Kind::Invalid, format!("{} holds no .yml file", dir.display()))
            .help(format!("`tenter init {}` writes a site there", dir.display())));
    }
    files.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(files)
}

/// Where a site's data are unless the command line says otherwise.
pub(crate) fn data_dir(dir: &Path, site: &SiteConfig) -> PathBuf {
    dir.join(site.tenter.data.as_ref().map_or(Path::new("data"), Path::new))
}

/// The site with its relative `archive_dir` and logs of datapoints seen from its own folder, as `data` of `tenter.yml` is; without a folder, from
/// that of the data. DP³ sees it from wherever the worker was started, which a service's supervisor decides.
pub(crate) fn anchored(mut site: SiteConfig, dir: &Path) -> SiteConfig {
    if let Some(history) = &mut site.history_manager
        && let Some(archives) = &mut history.datapoint_archivation.archive_dir
    {
        *archives = dir.join(&*archives).display().to_string();
    }
    for log in [&mut site.api.good_log, &mut site.api.bad_log].into_iter().flatten() {
        *log = dir.join(&*log).display().to_string();
    }
    site
}

fn collect(dir: &Path, prefix: &str, files: &mut Vec<ConfigFile>) -> Result<(), CliError> {
    let cannot = |e: std::io::Error| CliError::new(Kind::Invalid, format!("cannot read {}: {e}", dir.display()));
    for entry in std::fs::read_dir(dir).map_err(cannot)? {
        let path = entry.map_err(cannot)?.path();
        let Some(name) = path.file_name().and_then(|n| n.to_str()) else {
            if path.extension().is_none_or(|e| e != "yml") {
                continue;
            }
            return Err(CliError::new(Kind::Invalid, format!("the name of {} is not UTF-8", path.display())));
        };
        let is_folder = path.is_dir();
        let text = match path.extension() {
            Some(ending) if ending == "yml" && !is_folder => text_of(&path)?,
            // Not read, and the model says so.
            Some(ending) if ["yml", "yaml"].iter().any(|e| ending.eq_ignore_ascii_case(e)) => String::new(),
            _ if prefix.is_empty() && config::is_of_deployment(name) => String::new(),
            _ if is_folder && prefix == "db_entities/" => String::new(),
            _ => continue,
        };
        if files.len() == MAX_FILES {
            return Err(CliError::new(Kind::Invalid, format!("{} holds more than {MAX_FILES} files", dir.display()))
                .help("is it the folder of a site?"));
        }
        let path = format!("{prefix}{name}{}", if is_folder { "/" } else { "" });
        files.push(ConfigFile { path, text });
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
        assert_eq!(paths, ["a.yml", "b.yml", "c.yaml", "db_entities/z.yml"]);
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

    #[test]
    fn a_relative_archive_lies_in_the_folder_of_the_site() {
        let archive = |text: &str| {
            let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("site-template");
            let mut files = read(&folder).unwrap();
            let history = files.iter_mut().find(|f| f.path == "history_manager.yml").unwrap();
            history.text = history.text.replace("archive_dir: null", &format!("archive_dir: {text}"));
            let site = tenter_model::config::load(&files).config.unwrap();
            anchored(site, Path::new("/srv/site")).history_manager.unwrap().datapoint_archivation.archive_dir
        };
        assert_eq!(archive("old/points").as_deref(), Some("/srv/site/old/points"));
        assert_eq!(archive("/var/archive").as_deref(), Some("/var/archive"));
        assert_eq!(archive("null"), None);
    }

    #[cfg(unix)]
    #[test]
    fn a_device_is_not_waited_for() {
        let dir = tempfile::tempdir().unwrap();
        std::os::unix::fs::symlink("/dev/zero", dir.path().join("a.yml")).unwrap();
        assert!(read(dir.path()).unwrap_err().message.contains("not a plain file"));
    }
}
