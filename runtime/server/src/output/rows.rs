//! A list that is printed as it comes, page by page.
//!
//! NDJSON and JSON are written as soon as a page is there, so that the length of a list does not matter and a reader that
//! has seen enough ends it. A table has to know its rows before the first line can be drawn and holds them until the
//! end.

use serde_json::Value;

use super::{Column, Format, Output, table};

/// A list under way.
pub(crate) struct Rows<'a> {
    out: &'a Output,
    printed: u64,
    held: Vec<Value>,
}

impl<'a> Rows<'a> {
    /// A list that has no rows yet.
    pub(super) fn new(out: &'a Output) -> Self {
        Self { out, printed: 0, held: Vec::new() }
    }

    /// Takes rows.
    ///
    /// # Errors
    /// When stdout cannot be written, such as when its reader has gone.
    pub(crate) fn page(&mut self, items: &[Value]) -> anyhow::Result<()> {
        let mut text = String::new();
        for item in items {
            match self.out.format {
                Format::Table => self.held.push(item.clone()),
                Format::Ndjson => text.push_str(&format!("{item}\n")),
                Format::Json => text.push_str(&member(item, self.printed == 0)),
            }
            self.printed += 1;
        }
        if text.is_empty() { Ok(()) } else { self.out.text(&text) }
    }

    /// Ends the list; `draw` makes the table of all rows. Gives their number.
    ///
    /// # Errors
    /// When stdout cannot be written.
    pub(crate) fn end(self, draw: impl FnOnce(&[Value]) -> String) -> anyhow::Result<u64> {
        match (self.out.format, self.printed) {
            (Format::Table, _) => self.out.text(&draw(&self.held))?,
            (Format::Json, 0) => self.out.text("[]\n")?,
            (Format::Json, _) => self.out.text("\n]\n")?,
            (Format::Ndjson, _) => {}
        }
        Ok(self.printed)
    }
}

/// The table of items by columns.
pub(crate) fn drawn(items: &[Value], columns: &[Column<'_>]) -> String {
    let headings = columns.iter().map(|c| c.0).collect::<Vec<_>>();
    table(&headings, items.iter().map(|item| columns.iter().map(|c| c.1(item)).collect()).collect())
}

/// An item as the next member of an indented array.
fn member(item: &Value, first: bool) -> String {
    // Line ends inside of strings are escaped, so each of these is one of the layout.
    let item = format!("{item:#}").replace('\n', "\n  ");
    format!("{}\n  {item}", if first { "[" } else { "," })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn an_array_in_pages_is_the_array() {
        let items = [json!({"a": [1, 2], "b": "x\ny"}), json!({}), json!(3)];
        let laid: String = items.iter().enumerate().map(|(i, item)| member(item, i == 0)).collect();
        assert_eq!(format!("{laid}\n]"), format!("{:#}", Value::Array(items.to_vec())));
    }
}
