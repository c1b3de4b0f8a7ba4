//! What commands print: data on stdout in the form that `-o` asks for, everything else on stderr.
//!
//! Text that comes from modules, datapoints or a server may hold anything; in tables and messages its control
//! characters are escaped, so that nobody can steer a terminal. JSON escapes them by itself.

use std::io::{IsTerminal as _, Write as _};

use serde_json::Value;

mod rows;

pub(crate) use rows::{Rows, drawn};

/// The form of data on stdout.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub(crate) enum Format {
    /// For people; may change between versions.
    #[default]
    Table,
    /// One JSON document, indented.
    Json,
    /// One JSON document per line.
    Ndjson,
}

/// Where commands print to.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Output {
    /// The form of data.
    pub(crate) format: Format,
    /// Whether only data and errors are printed.
    pub(crate) quiet: bool,
}

/// A column of a table: its heading and how its text is found in an item.
pub(crate) type Column<'a> = (&'a str, &'a dyn Fn(&Value) -> String);

impl Output {
    /// Prints a list. Each item is one row, or one JSON document.
    ///
    /// # Errors
    /// When stdout cannot be written.
    pub(crate) fn list(&self, items: &[Value], columns: &[Column<'_>]) -> anyhow::Result<()> {
        let mut rows = self.rows();
        rows.page(items)?;
        rows.end(|items| drawn(items, columns))?;
        Ok(())
    }

    /// Begins a list whose items are printed as they come.
    pub(crate) fn rows(&self) -> Rows<'_> {
        Rows::new(self)
    }

    /// Prints an answer that is one object of many things by name: as it is in JSON, one thing per line in NDJSON, as
    /// a table for people.
    ///
    /// # Errors
    /// When stdout cannot be written.
    pub(crate) fn by_name(&self, answer: &Value, items: &[Value], columns: &[Column<'_>]) -> anyhow::Result<()> {
        match self.format {
            Format::Json => self.text(&format!("{answer:#}\n")),
            Format::Ndjson | Format::Table => self.list(items, columns),
        }
    }

    /// Prints one thing: as the text that `human` makes, or as JSON.
    ///
    /// # Errors
    /// When stdout cannot be written.
    pub(crate) fn one(&self, item: &Value, human: impl FnOnce(&Value) -> String) -> anyhow::Result<()> {
        match self.format {
            Format::Json => self.text(&format!("{item:#}\n")),
            Format::Ndjson => self.text(&format!("{item}\n")),
            Format::Table => self.text(&human(item)),
        }
    }

    /// Writes to stdout as it is.
    ///
    /// # Errors
    /// When stdout cannot be written; a closed pipe ends the command quietly.
    #[allow(clippy::unused_self, reason = "all printing goes through this type")]
    pub(crate) fn text(&self, text: &str) -> anyhow::Result<()> {
        let mut stdout = std::io::stdout().lock();
        stdout.write_all(text.as_bytes())?;
        stdout.flush()?;
        Ok(())
    }

    /// News for a person, on stderr.
    pub(crate) fn note(&self, text: &str) {
        if !self.quiet {
            eprintln!("{text}");
        }
    }

    /// The command that is useful now, on stderr.
    pub(crate) fn next(&self, command: &str) {
        self.note(&format!("next: {command}"));
    }

    /// How many characters fit in a line of the terminal behind stdout; `None` when there is no edge.
    #[allow(clippy::unused_self, reason = "what is known of the terminal is asked of this type")]
    pub(crate) fn width(&self) -> Option<usize> {
        let stdout = std::io::stdout();
        let size = if stdout.is_terminal() { rustix::termios::tcgetwinsize(&stdout).ok()? } else { return None };
        (size.ws_col > 0).then(|| usize::from(size.ws_col))
    }

    /// Whether long work may draw its progress.
    pub(crate) fn draws(&self) -> bool {
        !self.quiet && std::io::stderr().is_terminal()
    }
}

/// Text without control characters.
pub(crate) fn plain(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_control() || is_direction(c) {
            out.extend(c.escape_default());
        } else {
            out.push(c);
        }
    }
    out
}

/// Characters that turn the direction of what follows, and so can disguise it.
fn is_direction(c: char) -> bool {
    matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// A member of an item as text; empty when it is absent or null. `path` may have dots; an empty one is the item.
pub(crate) fn field(item: &Value, path: &str) -> String {
    let mut value = item;
    for key in path.split('.').filter(|key| !key.is_empty()) {
        value = value.get(key).unwrap_or(&Value::Null);
    }
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Bool(true) => "yes".to_owned(),
        Value::Bool(false) => "no".to_owned(),
        Value::Array(items) => items.iter().map(|i| field(i, "")).collect::<Vec<_>>().join(", "),
        other => other.to_string(),
    }
}

/// The list that a member of an answer is; empty when it is none.
pub(crate) fn members<'a>(answer: &'a Value, name: &str) -> &'a [Value] {
    answer.get(name).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// Text of at most so many characters; what is cut is told by an ellipsis.
pub(crate) fn cut(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        None => text.to_owned(),
        Some(_) => text.chars().take(most.saturating_sub(1)).chain(['…']).collect(),
    }
}

/// The entity that an item is about, as `TYPE ID`; empty when there is none.
pub(crate) fn entity(item: &Value) -> String {
    match item.get("entity") {
        Some(entity @ Value::Object(_)) => format!("{} {}", field(entity, "etype"), field(entity, "eid")),
        _ => field(item, "entity"),
    }
}

/// A table without lines. Its last column is not padded.
pub(crate) fn table(headings: &[&str], rows: Vec<Vec<String>>) -> String {
    if rows.is_empty() {
        return format!("{}\n", headings.join("  ").to_uppercase());
    }
    let mut table = comfy_table::Table::new();
    table.load_style(comfy_table::presets::NOTHING);
    table.set_header(headings.iter().map(|h| h.to_uppercase()));
    for row in rows {
        table.add_row(row.iter().map(|cell| plain(cell)));
    }
    for column in table.column_iter_mut() {
        column.set_padding((0, 2));
    }
    let mut text = String::new();
    for line in table.to_string().lines() {
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

/// Pairs, one per line; pairs without a value are left out.
pub(crate) fn pairs(pairs: &[(&str, String)]) -> String {
    let width = pairs.iter().map(|p| p.0.len()).max().unwrap_or(0);
    let mut text = String::new();
    for (name, value) in pairs.iter().filter(|p| !p.1.is_empty()) {
        text.push_str(&format!("{name:width$}  {}\n", plain(value)));
    }
    text
}

/// A number of bytes for people.
pub(crate) fn bytes(n: u64) -> String {
    indicatif::BinaryBytes(n).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn tables_are_plain_text() {
        let rows = vec![vec!["label".into(), "\u{1b}[2Jx\ny".into()], vec!["a-longer-name".into(), String::new()]];
        insta::assert_snapshot!(table(&["name", "title"], rows), @r"
        NAME           TITLE
        label          \u{1b}[2Jx\ny
        a-longer-name
        ");
        insta::assert_snapshot!(pairs(&[("a", "1".into()), ("none", String::new()), ("longer", "2".into())]), @r"
        a       1
        longer  2
        ");
    }

    #[test]
    fn long_text_is_cut() {
        assert_eq!((cut("héllo", 5), cut("héllo!", 5)), ("héllo".to_owned(), "héll…".to_owned()));
    }

    #[test]
    fn fields_are_text() {
        let item = json!({"a": {"b": 3}, "list": ["x", 1], "flag": true, "no": null});
        let all = ["a.b", "list", "flag", "no", "absent.deep"].map(|p| field(&item, p));
        assert_eq!(all, ["3", "x, 1", "yes", "", ""]);
        assert_eq!(entity(&json!({"entity": {"etype": "ip", "eid": "::1"}})), "ip ::1");
        assert_eq!(entity(&json!({"entity": null})), "");
    }
}
