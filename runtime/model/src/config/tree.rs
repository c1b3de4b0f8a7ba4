//! One file of data, in YAML or JSON, with the place of every node: for files that tools read, such as tests of
//! modules, and that say where they are wrong as the configuration does.

use serde_json::Value as Json;

use super::problem::ConfigProblem;
use super::section::Words;
use super::yaml::{self, At, Kind, Node};

/// A file that was read.
#[derive(Debug, Clone)]
pub struct Tree {
    /// What it says.
    pub json: Json,
    places: Option<Node>,
}

impl Tree {
    /// Reads a file by the rules of the configuration; one whose name ends in `.json` by those of JSON. An empty file
    /// is null.
    ///
    /// # Errors
    /// What is wrong, with file, line and column. A key that stands twice is wrong, and so is a scalar that readers of
    /// YAML disagree on.
    pub fn read(file: &str, text: &str) -> Result<Self, Box<ConfigProblem>> {
        let read = yaml::read(text);
        if file.ends_with(".json") {
            let json = serde_json::from_str(text).map_err(|e| {
                let narrow = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
                let at = At { line: narrow(e.line()), column: narrow(e.column()) };
                Box::new(Words::new(format!("not valid JSON: {e}")).about(file, "", at))
            })?;
            // YAML is asked for the places alone: it reads some scalars and escapes in another way.
            return Ok(Self { json, places: read.root });
        }
        match read.errors.into_iter().chain(read.duplicates).chain(read.warnings).next() {
            Some(remark) => Err(Box::new(Words::new(remark.message).about(file, "", remark.at))),
            None => Ok(Self { json: read.root.as_ref().map_or(Json::Null, Node::to_json), places: read.root }),
        }
    }

    /// Line and column, from 1, of what a path of keys and indices leads to, or of the last on it that there is.
    #[must_use]
    pub fn place<'p>(&self, path: impl IntoIterator<Item = &'p str>) -> (u32, u32) {
        let Some(mut node) = self.places.as_ref() else { return (1, 1) };
        for step in path {
            let next = match &node.kind {
                Kind::Map(entries) => entries.iter().find(|e| e.key == step).map(|e| &e.value),
                Kind::List(items) => step.parse::<usize>().ok().and_then(|i| items.get(i)),
                _ => None,
            };
            match next {
                Some(next) => node = next,
                None => break,
            }
        }
        (node.at.line, node.at.column)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn places_are_those_of_the_text() {
        let tree = Tree::read("a.yml", "- name: x\n  calls:\n    - {hook: cron, input: {a: 1}}\n").unwrap();
        assert_eq!(tree.json, json!([{"name": "x", "calls": [{"hook": "cron", "input": {"a": 1}}]}]));
        assert_eq!(tree.place(["0", "name"]), (1, 9));
        assert_eq!(tree.place(["0", "calls", "0", "input", "a"]), (3, 31));
        assert_eq!(tree.place(["0", "calls", "7"]), (3, 5));
        let tree = Tree::read("a.json", "[\n {\"a\": 1e3, \"b\": \"\\ud83e\\udd80\"}]").unwrap();
        assert_eq!(tree.json, json!([{"a": 1000.0, "b": "🦀"}]));
        assert_eq!(Tree::read("a.yml", "").unwrap().json, Json::Null);
    }

    #[test]
    fn what_is_wrong_has_its_place() {
        let wrong = |file: &str, text: &str| Tree::read(file, text).unwrap_err().to_string();
        let errors = [
            wrong("a.yml", "- a: [1\n"),
            wrong("a.yml", "- a: 1\n  a: 2\n"),
            wrong("a.yml", "- a: 012\n"),
            wrong("a.json", "[1,\n 2"),
        ];
        insta::assert_snapshot!(errors.join("\n"), @r#"
        a.yml:1:6: not valid YAML: unclosed bracket '['
        a.yml:2:3: duplicate key "a", first at 1:3
        a.yml:1:6: 012 is read as the number 10, as DP³ does; other readers take it for another number, or for text; quote it or write it plainly
        a.json:2:2: not valid JSON: EOF while parsing a list at line 2 column 2
        "#);
    }
}
