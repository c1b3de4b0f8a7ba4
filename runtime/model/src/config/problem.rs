//! What is wrong with a configuration, and where.

use std::fmt;

use serde::Serialize;

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ConfigProblem {
    /// The file, relative to the directory.
    pub file: String,
    /// Line, from 1; 0 when it concerns the whole file or directory.
    pub line: u32,
    /// Column in characters, from 1; 0 as above.
    pub column: u32,
    /// Where in the configuration, such as `ip.attribs.hostname.data_type`; empty for the whole file.
    pub path: String,
    /// What is wrong.
    pub message: String,
    /// What was expected, when the message does not say it.
    pub expected: Option<String>,
    /// The nearest name that exists.
    pub nearest: Option<String>,
}

impl fmt::Display for ConfigProblem {
    /// Such as `db_entities/ip.yml:12:9: ip.attribs.hostname.type: …; expected …; did you mean "plain"?`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.file)?;
        if self.line > 0 {
            write!(f, ":{}:{}", self.line, self.column)?;
        }
        f.write_str(": ")?;
        if !self.path.is_empty() {
            write!(f, "{}: ", self.path)?;
        }
        // DP³'s own sentences end with a full stop.
        let more = self.expected.is_some() || self.nearest.is_some();
        f.write_str(if more { self.message.trim_end_matches('.') } else { &self.message })?;
        if let Some(expected) = &self.expected {
            write!(f, "; expected {expected}")?;
        }
        if let Some(nearest) = &self.nearest {
            write!(f, "; did you mean {nearest:?}?")?;
        }
        Ok(())
    }
}
