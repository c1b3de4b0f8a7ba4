//! Folders of configuration, put together in a line or copied from a scenario.

use std::path::Path;

use serde_json::Value;

/// What every site needs, and nothing happens on its own while a test runs.
const BASE: &[(&str, &str)] = &[
    ("processing_core.yml", "enabled_modules: []\n"),
    ("api.yml", "cors:\n  allow_origins: [\"*\"]\ndatapoint_logger:\n  good_log: false\n  bad_log: false\n"),
    ("snapshots.yml", "creation_rate:\n  hour: 3\n  minute: 0\nkeep_empty: true\n"),
    ("control.yml", "allowed_actions: []\n"),
];

/// Addresses with an attribute of each kind, and what the example modules write.
const IP: &str = "
entity: {id: ip, id_data_type: ipv4, name: IP address, description: An address., snapshot: true}
attribs:
  hostname: {name: Host name, description: Its name., type: plain, data_type: string}
  note: {name: Note, description: A note., type: plain, data_type: string}
  label: {name: Label, description: Its network., type: plain, data_type: string}
  open_ports:
    name: Open ports
    description: Ports on which it answered.
    type: observations
    data_type: int
    multi_value: true
    history_params: &history {max_age: 36500d, pre_validity: 0s, post_validity: 36500d, aggregate: true}
  services:
    name: Services
    description: What stands behind the ports.
    type: observations
    data_type: string
    multi_value: true
    history_params: *history
";

/// A site under construction: files by path.
#[derive(Debug, Clone)]
pub(crate) struct Site(Vec<(String, String)>);

impl Site {
    /// The usual site: one entity type, `ip`.
    pub(crate) fn new() -> Self {
        let mut site = Self(BASE.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())).collect());
        site.put("db_entities/ip.yml", IP.to_owned());
        site
    }

    /// The files of a folder, over what every site needs.
    pub(crate) fn of_folder(folder: &Path) -> Self {
        let mut site = Self(BASE.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())).collect());
        for (path, text) in copy_of(folder) {
            site.put(&path, text);
        }
        site
    }

    /// With an entity type.
    #[must_use]
    pub(crate) fn entity(mut self, name: &str, text: &str) -> Self {
        self.put(&format!("db_entities/{name}.yml"), text.to_owned());
        self
    }

    /// With the configuration of a module.
    #[must_use]
    pub(crate) fn module(mut self, name: &str, config: &Value) -> Self {
        self.put(&format!("modules/{name}.yml"), config.to_string());
        self
    }

    /// With this text as `tenter.yml`.
    #[must_use]
    pub(crate) fn tenter(mut self, text: &str) -> Self {
        self.put("tenter.yml", text.to_owned());
        self
    }

    /// With this text as the file of that name.
    #[must_use]
    pub(crate) fn file(mut self, path: &str, text: &str) -> Self {
        self.put(path, text.to_owned());
        self
    }

    /// With modules that come first, in this order.
    #[must_use]
    pub(crate) fn enabled(mut self, names: &[&str]) -> Self {
        let text = format!("enabled_modules: [{}]\n", names.join(", "));
        self.put("processing_core.yml", text);
        self
    }

    /// Writes it to a folder.
    pub(crate) fn write(&self, folder: &Path) {
        for (path, text) in &self.0 {
            let path = folder.join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
    }

    fn put(&mut self, path: &str, text: String) {
        self.0.retain(|(known, _)| known != path);
        self.0.push((path.to_owned(), text));
    }
}

/// The text files of a folder and of the folders in it.
fn copy_of(folder: &Path) -> Vec<(String, String)> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display())) {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        if path.is_dir() {
            files.extend(copy_of(&path).into_iter().map(|(inner, text)| (format!("{name}/{inner}"), text)));
        } else {
            files.push((name, std::fs::read_to_string(&path).unwrap()));
        }
    }
    files
}
