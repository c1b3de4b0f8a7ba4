//! A place in a file of tests: its value, and how it is called when it is wrong.

use serde_json::Value as Json;
use tenter_model::config::{ConfigProblem, Tree, nearest};

/// Boxed, since it is rare and large.
pub(super) type Read<T> = Result<T, Box<ConfigProblem>>;

/// A node of a file with the path to it.
pub(super) struct Spot<'a> {
    file: &'a str,
    tree: &'a Tree,
    path: Vec<String>,
    pub(super) json: &'a Json,
}

impl<'a> Spot<'a> {
    /// The whole file.
    pub(super) fn whole(file: &'a str, tree: &'a Tree) -> Self {
        Self { file, tree, path: Vec::new(), json: &tree.json }
    }

    /// Its line, from 1.
    pub(super) fn line(&self) -> u32 {
        self.tree.place(self.path.iter().map(String::as_str)).0
    }

    /// It is not what was expected.
    pub(super) fn wrong<T>(&self, expected: impl Into<String>) -> Read<T> {
        let found = match self.json {
            Json::Null => "nothing".to_owned(),
            Json::Array(_) => "a list".to_owned(),
            Json::Object(_) => "a mapping".to_owned(),
            scalar => scalar.to_string().chars().take(80).collect(),
        };
        self.because(format!("found {found}"), Some(expected.into()))
    }

    /// It is wrong in this way.
    pub(super) fn because<T>(&self, message: String, expected: Option<String>) -> Read<T> {
        let (line, column) = self.tree.place(self.path.iter().map(String::as_str));
        let (path, nearest) = (self.shown(), None);
        Err(Box::new(ConfigProblem { file: self.file.to_owned(), line, column, path, message, expected, nearest }))
    }

    /// Such as `[0].http[1].url`.
    fn shown(&self) -> String {
        let mut out = String::new();
        for step in &self.path {
            if step.bytes().all(|b| b.is_ascii_digit()) {
                out.push_str(&format!("[{step}]"));
            } else {
                out.push_str(if out.is_empty() { "" } else { "." });
                out.push_str(step);
            }
        }
        out
    }

    fn below(&self, step: impl Into<String>, json: &'a Json) -> Self {
        let path = self.path.iter().cloned().chain([step.into()]).collect();
        Self { file: self.file, tree: self.tree, path, json }
    }

    /// Refuses anything but a mapping with some of these keys.
    pub(super) fn keys(&self, known: &[&str]) -> Read<()> {
        for (key, spot) in self.entries()? {
            if !known.contains(&key) {
                let mut problem =
                    spot.because::<()>("unknown key".to_owned(), Some(format!("one of {}", known.join(", "))));
                if let Err(problem) = &mut problem {
                    problem.nearest = nearest(key, known.iter().copied()).map(str::to_owned);
                }
                return problem;
            }
        }
        Ok(())
    }

    /// The entries of a mapping.
    pub(super) fn entries(&self) -> Read<Vec<(&'a str, Self)>> {
        match self.json {
            Json::Object(members) => Ok(members.iter().map(|(k, v)| (k.as_str(), self.below(k, v))).collect()),
            _ => self.wrong("a mapping"),
        }
    }

    /// The items of a list.
    pub(super) fn items(&self) -> Read<Vec<Self>> {
        match self.json {
            Json::Array(items) => Ok(items.iter().enumerate().map(|(i, v)| self.below(i.to_string(), v)).collect()),
            _ => self.wrong("a list"),
        }
    }

    /// The items of a list that may be absent.
    pub(super) fn list(&self, key: &str) -> Read<Vec<Self>> {
        self.get(key).map_or(Ok(Vec::new()), |spot| spot.items())
    }

    /// What stands under a key, unless it is null.
    pub(super) fn get(&self, key: &str) -> Option<Self> {
        self.json.get(key).filter(|v| !v.is_null()).map(|v| self.below(key, v))
    }

    /// What must stand under a key.
    pub(super) fn need(&self, key: &str) -> Read<Self> {
        self.get(key).map_or_else(|| self.because(format!("{key} is missing"), None), Ok)
    }

    /// A text.
    pub(super) fn text(&self) -> Read<&'a str> {
        self.json.as_str().map_or_else(|| self.wrong("text"), Ok)
    }

    /// Texts by name.
    pub(super) fn texts(&self) -> Read<Vec<(String, String)>> {
        self.entries()?.into_iter().map(|(key, spot)| Ok((key.to_owned(), spot.text()?.to_owned()))).collect()
    }
}
