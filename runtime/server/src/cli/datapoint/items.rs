//! Splits an input of any size into its datapoints, with the line where each begins.
//!
//! The first character decides: `[` begins one JSON array, anything else a file with one JSON object per line. Texts
//! are checked to be JSON objects and otherwise passed on as they are, so that numbers keep their digits.

use std::io::BufRead;

use serde::de::IgnoredAny;
use tenter_model::limits::MAX_BODY_BYTES;

/// Largest text of one datapoint, in bytes: it must fit a request of its own.
const MAX_ITEM: usize = MAX_BODY_BYTES - 2;

/// One datapoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Item {
    /// Line on which it begins, from 1.
    pub(super) line: u64,
    /// JSON text of an object.
    pub(super) text: Vec<u8>,
}

/// Why the input cannot be read on.
#[derive(Debug, thiserror::Error)]
pub(super) enum ItemError {
    /// The text is not what it should be.
    #[error("line {line}: {why}")]
    Invalid {
        /// Where, from 1.
        line: u64,
        /// What is wrong.
        why: String,
    },
    /// The file or pipe failed.
    #[error(transparent)]
    Io(#[from] std::io::Error),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    Unknown,
    Array,
    Lines,
    Ended,
}

/// The datapoints of an input.
#[derive(Debug)]
pub(super) struct Items<R> {
    input: R,
    form: Form,
    line: u64,
    bytes: u64,
}

impl<R: BufRead> Items<R> {
    /// The datapoints of that input.
    pub(super) fn new(input: R) -> Self {
        Self { input, form: Form::Unknown, line: 1, bytes: 0 }
    }

    /// How much has been read, in bytes.
    pub(super) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// The next datapoint; `None` at the end.
    ///
    /// # Errors
    /// When the input is not JSON or fails. There is nothing to be read after that.
    pub(super) fn next(&mut self) -> Result<Option<Item>, ItemError> {
        let item = match self.form {
            Form::Unknown => {
                if self.peek()? == Some(0xef) {
                    self.byte_order_mark()?;
                }
                let first = self.skip_blanks()?;
                self.form = match first {
                    Some(b'[') => Form::Array,
                    Some(_) => Form::Lines,
                    None => Form::Ended,
                };
                if first == Some(b'[') {
                    self.take()?;
                    if self.skip_blanks()? == Some(b']') {
                        self.end_of_array()?;
                    }
                }
                return self.next();
            }
            Form::Array => self.element().map(Some),
            Form::Lines => self.one_line(),
            Form::Ended => Ok(None),
        };
        if item.is_err() {
            self.form = Form::Ended;
        }
        item
    }

    /// One element of the array and the comma or bracket behind it.
    fn element(&mut self) -> Result<Item, ItemError> {
        self.skip_blanks()?;
        let line = self.line;
        let (mut text, mut depth, mut quoted, mut escaped) = (Vec::new(), 0u32, false, false);
        loop {
            let Some(byte) = self.peek()? else {
                return Err(self.invalid("the array does not end; is the file cut off?"));
            };
            match byte {
                _ if escaped => escaped = false,
                b'\\' if quoted => escaped = true,
                b'"' => quoted = !quoted,
                _ if quoted => {}
                b'{' | b'[' => depth += 1,
                b',' | b']' if depth == 0 => break,
                b'}' | b']' => depth = depth.saturating_sub(1),
                _ => {}
            }
            text.push(byte);
            self.take()?;
            check_size(line, text.len())?;
        }
        let item = check(line, text)?;
        if self.peek()? == Some(b',') {
            self.take()?;
        } else {
            self.end_of_array()?;
        }
        Ok(item)
    }

    /// The closing bracket, behind which nothing may stand.
    fn end_of_array(&mut self) -> Result<(), ItemError> {
        self.take()?;
        self.form = Form::Ended;
        match self.skip_blanks()? {
            None => Ok(()),
            Some(_) => Err(self.invalid("there is something behind the end of the array")),
        }
    }

    /// The next line that is not blank.
    fn one_line(&mut self) -> Result<Option<Item>, ItemError> {
        let mut text = Vec::new();
        if self.skip_blanks()?.is_none() {
            return Ok(None);
        }
        let line = self.line;
        while let Some(byte) = self.peek()? {
            self.take()?;
            if byte == b'\n' {
                break;
            }
            text.push(byte);
            check_size(line, text.len())?;
        }
        check(line, text).map(Some)
    }

    fn byte_order_mark(&mut self) -> Result<(), ItemError> {
        for expected in [0xef, 0xbb, 0xbf] {
            if self.peek()? != Some(expected) {
                return Err(self.invalid("it is not UTF-8 text"));
            }
            self.take()?;
        }
        Ok(())
    }

    fn skip_blanks(&mut self) -> Result<Option<u8>, ItemError> {
        loop {
            match self.peek()? {
                Some(b' ' | b'\t' | b'\r' | b'\n') => self.take()?,
                other => return Ok(other),
            }
        }
    }

    fn peek(&mut self) -> Result<Option<u8>, ItemError> {
        loop {
            match self.input.fill_buf() {
                Ok(buffer) => return Ok(buffer.first().copied()),
                Err(e) if e.kind() == std::io::ErrorKind::Interrupted => {}
                Err(e) => return Err(e.into()),
            }
        }
    }

    /// Steps over the byte that was looked at.
    fn take(&mut self) -> Result<(), ItemError> {
        if self.peek()? == Some(b'\n') {
            self.line += 1;
        }
        self.input.consume(1);
        self.bytes += 1;
        Ok(())
    }

    fn invalid(&self, why: &str) -> ItemError {
        ItemError::Invalid { line: self.line, why: why.to_owned() }
    }
}

fn check_size(line: u64, size: usize) -> Result<(), ItemError> {
    if size <= MAX_ITEM {
        return Ok(());
    }
    let why = format!("a datapoint is larger than {MAX_ITEM} bytes, which no request can hold");
    Err(ItemError::Invalid { line, why })
}

/// An object, or what is wrong with it.
fn check(line: u64, mut text: Vec<u8>) -> Result<Item, ItemError> {
    text.truncate(text.trim_ascii_end().len());
    let invalid = |line, why: String| Err(ItemError::Invalid { line, why });
    if text.is_empty() {
        return invalid(line, "a datapoint is missing here".into());
    }
    if let Err(e) = serde_json::from_slice::<IgnoredAny>(&text) {
        let below = u64::try_from(e.line()).unwrap_or(1).saturating_sub(1);
        let why = e.to_string();
        let why = why.rsplit_once(" at line ").map_or(why.as_str(), |(w, _)| w);
        return invalid(line + below, format!("not JSON: {why}, column {}", e.column()));
    }
    if text.first() != Some(&b'{') {
        return invalid(
            line,
            "a datapoint is an object such as {\"type\": …, \"id\": …, \"attr\": …, \"v\": …}".into(),
        );
    }
    Ok(Item { line, text })
}

#[cfg(test)]
mod tests;
