//! Reading Zeek logs, in both formats that Zeek writes.
//!
//! A tab-separated log describes itself in lines that begin with `#`: the separator, the marks for unset and empty
//! fields, the names of the fields and their types. A log in JSON has one object per line and says nothing about
//! itself, so its kind is taken from the file's name. Both give the same records here: a field that is unset is
//! absent, sets and vectors are lists, and all else is text that the caller reads as what it needs.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// One log file.
pub(crate) struct Log {
    /// Path below the directory of logs, with `/` between its parts.
    pub(crate) name: String,
    /// What Zeek calls the log: `conn`, `dns`, `ssl` and so on.
    pub(crate) kind: String,
    /// The lines that could be read.
    pub(crate) records: Vec<Record>,
    /// Data lines in the file, readable or not.
    pub(crate) lines: usize,
    /// Lines that could not be read, counted by reason.
    pub(crate) malformed: BTreeMap<&'static str, usize>,
}

/// One line of a log.
#[derive(Default)]
pub(crate) struct Record(BTreeMap<String, Field>);

enum Field {
    One(String),
    Many(Vec<String>),
}

impl Record {
    /// The text of a field that is set and no list.
    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        match self.0.get(name)? {
            Field::One(text) => Some(text),
            Field::Many(_) => None,
        }
    }

    /// The elements of a set or vector; none when it is unset.
    pub(crate) fn list(&self, name: &str) -> &[String] {
        match self.0.get(name) {
            Some(Field::Many(elements)) => elements,
            _ => &[],
        }
    }

    /// A finite number.
    pub(crate) fn number(&self, name: &str) -> Option<f64> {
        self.text(name)?.parse().ok().filter(|n: &f64| n.is_finite())
    }

    /// A count: a whole number that is not negative.
    pub(crate) fn count(&self, name: &str) -> Option<u64> {
        self.text(name)?.parse().ok()
    }

    /// A flag, which Zeek writes as `T` or `F`.
    pub(crate) fn flag(&self, name: &str) -> Option<bool> {
        match self.text(name)? {
            "T" => Some(true),
            "F" => Some(false),
            _ => None,
        }
    }

    /// Seconds, as a point in time or a duration, in microseconds.
    pub(crate) fn micros(&self, name: &str) -> Option<i64> {
        // A double holds microseconds of this century exactly enough for the rounding to give back Zeek's digits.
        let micros = (self.number(name)? * 1e6).round();
        (micros.abs() < 9e15).then_some(micros as i64)
    }
}

/// Reads every file that ends in `.log` below `dir`, in the order of their names. Fails when there is none, when one
/// cannot be read, or when the header of one is incomplete.
pub(crate) fn read_all(dir: &Path) -> Result<Vec<Log>, String> {
    let mut paths = Vec::new();
    find(dir, "", &mut paths)?;
    if paths.is_empty() {
        return Err(format!("{}: expected Zeek logs, found no file that ends in .log", dir.display()));
    }
    paths.sort();
    paths.into_iter().map(|(name, path)| read(name, &path)).collect()
}

fn find(dir: &Path, prefix: &str, into: &mut Vec<(String, PathBuf)>) -> Result<(), String> {
    let failed = |e: std::io::Error| format!("{}: cannot list the directory: {e}", dir.display());
    for entry in std::fs::read_dir(dir).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        let Some(name) = path.file_name().and_then(|n| n.to_str()) else { continue };
        let name = format!("{prefix}{name}");
        if path.is_dir() {
            find(&path, &format!("{name}/"), into)?;
        } else if name.ends_with(".log") {
            into.push((name, path));
        }
    }
    Ok(())
}

fn read(name: String, path: &Path) -> Result<Log, String> {
    let bytes = std::fs::read(path).map_err(|e| format!("{}: cannot read the log: {e}", path.display()))?;
    let text = String::from_utf8_lossy(&bytes);
    let stem = name.rsplit('/').next().and_then(|n| n.split('.').next()).unwrap_or_default().to_owned();
    let mut log = Log { name, kind: stem, records: Vec::new(), lines: 0, malformed: BTreeMap::new() };
    let mut header = Header::default();
    for (index, line) in text.lines().enumerate() {
        if line.is_empty() {
            continue;
        }
        if line.starts_with('#') {
            if let Some(kind) = header.take(line) {
                log.kind = kind;
            }
            continue;
        }
        log.lines += 1;
        let parsed = if line.starts_with('{') {
            from_json(line)
        } else if header.fields.is_empty() {
            let at = format!("{}:{}", path.display(), index + 1);
            return Err(format!("{at}: expected a JSON object, or a line `#fields` before the first line of data"));
        } else {
            header.record(line)
        };
        match parsed {
            Ok(record) => log.records.push(record),
            Err(reason) => *log.malformed.entry(reason).or_default() += 1,
        }
    }
    Ok(log)
}

/// What the lines that begin with `#` say.
struct Header {
    separator: String,
    set_separator: String,
    empty: String,
    unset: String,
    fields: Vec<String>,
    types: Vec<String>,
}

impl Default for Header {
    fn default() -> Self {
        Self {
            separator: "\t".into(),
            set_separator: ",".into(),
            empty: "(empty)".into(),
            unset: "-".into(),
            fields: Vec::new(),
            types: Vec::new(),
        }
    }
}

impl Header {
    /// Takes a line of the header in; the kind of log, if the line names it.
    fn take(&mut self, line: &str) -> Option<String> {
        // The separator cannot be used before it is known, so its own line has a space.
        if let Some(separator) = line.strip_prefix("#separator ") {
            self.separator = unescape(separator);
            return None;
        }
        let (key, rest) = line.split_once(self.separator.as_str())?;
        let parts = || rest.split(self.separator.as_str()).map(str::to_owned).collect();
        match key {
            "#set_separator" => self.set_separator = rest.to_owned(),
            "#empty_field" => self.empty = rest.to_owned(),
            "#unset_field" => self.unset = rest.to_owned(),
            "#fields" => self.fields = parts(),
            "#types" => self.types = parts(),
            "#path" => return Some(rest.to_owned()),
            _ => {}
        }
        None
    }

    fn record(&self, line: &str) -> Result<Record, &'static str> {
        let values: Vec<&str> = line.split(self.separator.as_str()).collect();
        if values.len() != self.fields.len() {
            return Err("line has not as many fields as the header names");
        }
        let mut record = Record::default();
        for (index, (name, value)) in self.fields.iter().zip(values).enumerate() {
            if value == self.unset {
                continue;
            }
            let is_list = self
                .types
                .get(index)
                .is_some_and(|t| ["set[", "table[", "vector["].iter().any(|list| t.starts_with(list)));
            let field = match (is_list, value == self.empty) {
                (true, true) => Field::Many(Vec::new()),
                // A separator inside an element is escaped, so splitting comes before unescaping.
                (true, false) => Field::Many(value.split(self.set_separator.as_str()).map(unescape).collect()),
                (false, true) => Field::One(String::new()),
                (false, false) => Field::One(unescape(value)),
            };
            record.0.insert(name.clone(), field);
        }
        Ok(record)
    }
}

fn from_json(line: &str) -> Result<Record, &'static str> {
    let Ok(serde_json::Value::Object(members)) = serde_json::from_str(line) else {
        return Err("line is not a JSON object");
    };
    let mut record = Record::default();
    for (name, value) in members {
        let field = match &value {
            serde_json::Value::Array(elements) => Field::Many(elements.iter().filter_map(scalar).collect()),
            other => match scalar(other) {
                Some(text) => Field::One(text),
                None => continue,
            },
        };
        record.0.insert(name, field);
    }
    Ok(record)
}

/// The text that the tab-separated format would have; none for null and for what is nested.
fn scalar(value: &serde_json::Value) -> Option<String> {
    match value {
        serde_json::Value::String(text) => Some(text.clone()),
        serde_json::Value::Number(number) => Some(number.to_string()),
        serde_json::Value::Bool(flag) => Some(if *flag { "T" } else { "F" }.into()),
        _ => None,
    }
}

/// Undoes `\xHH` and `\\`. A backslash before anything else stands for itself, as older versions of Zeek wrote it.
fn unescape(text: &str) -> String {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        rest = tail;
        if *first == b'\\' {
            if let [b'\\', tail @ ..] = rest {
                rest = tail;
            } else if let [b'x', high, low, tail @ ..] = rest
                && let (Some(high), Some(low)) = ((*high as char).to_digit(16), (*low as char).to_digit(16))
            {
                out.push((high * 16 + low) as u8);
                rest = tail;
                continue;
            }
        }
        out.push(*first);
    }
    String::from_utf8_lossy(&out).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_are_undone() {
        assert_eq!(unescape(r"a\x09b\x2cc"), "a\tb,c");
        assert_eq!(unescape(r"Inc\\, x\, \xzz \"), r"Inc\, x\, \xzz \");
        assert_eq!(unescape(r"\xc3\xa9"), "é");
    }

    #[test]
    fn header_rules_the_fields() {
        let mut header = Header::default();
        for line in [r"#separator \x7c", "#set_separator|;", "#empty_field|EMPTY", "#unset_field|NONE"] {
            assert_eq!(header.take(line), None);
        }
        assert_eq!(header.take("#path|conn").as_deref(), Some("conn"));
        header.take("#fields|a|b|c|d|e");
        header.take("#types|string|string|set[string]|vector[interval]|string");
        let record = header.record(r"NONE|EMPTY|x;y\x3bz|EMPTY|-").unwrap_or_default();
        assert_eq!(record.text("a"), None);
        assert_eq!(record.text("b"), Some(""));
        assert_eq!(record.list("c"), ["x", "y;z"]);
        assert!(record.list("d").is_empty());
        assert_eq!(record.text("e"), Some("-"));
        assert!(header.record("too|few").is_err());
    }

    #[test]
    fn both_formats_give_the_same() {
        let mut header = Header::default();
        header.take("#fields\tts\tok\tanswers\tgone");
        header.take("#types\ttime\tbool\tvector[string]\tstring");
        let lines = [
            header.record("1379288667.631940\tT\ta,b\t-"),
            from_json(r#"{"ts":1379288667.631940,"ok":true,"answers":["a","b"],"gone":null}"#),
        ];
        for record in lines {
            let record = record.unwrap_or_default();
            assert_eq!(record.micros("ts"), Some(1_379_288_667_631_940));
            assert_eq!(record.flag("ok"), Some(true));
            assert_eq!(record.list("answers"), ["a", "b"]);
            assert_eq!(record.text("gone"), None);
        }
        assert!(from_json("[1]").is_err());
    }
}
