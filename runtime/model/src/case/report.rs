//! Reports: documents that templates make of a case.
//!
//! Templates are written in Jinja, which people who come from IRIS know, and are Markdown or HTML. A template sees the
//! tree of [`context`] and nothing else: it reaches no file, no other template and no network. In HTML what it prints is
//! escaped. Whoever may upload templates is trusted further than a module is, so that bounds here stop what runs on by
//! mistake: steps, and bytes of the document.

pub mod context;

use std::io;

use minijinja::value::Serde;
use minijinja::{AutoEscape, Environment, ErrorKind, UndefinedBehavior};
use serde_json::Value;

use crate::limits::{MAX_REPORT_BYTES, MAX_TEMPLATE_BYTES, REPORT_STEPS};

/// Calls within each other that a template may make.
const MAX_CALLS: usize = 64;
/// Characters of the name of a document.
const MAX_NAME: usize = 120;

/// What a document is written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Markdown.
    Markdown,
    /// HTML.
    Html,
}

impl Format {
    /// The format of that name, which is the one of files, with or without a dot before it.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        match name.trim_start_matches('.').to_ascii_lowercase().as_str() {
            "md" | "markdown" => Some(Self::Markdown),
            "html" | "htm" => Some(Self::Html),
            _ => None,
        }
    }

    /// The end of the names of its files.
    #[must_use]
    pub fn extension(self) -> &'static str {
        match self {
            Self::Markdown => "md",
            Self::Html => "html",
        }
    }

    /// Its media type.
    #[must_use]
    pub fn media(self) -> &'static str {
        match self {
            Self::Markdown => "text/markdown; charset=utf-8",
            Self::Html => "text/html; charset=utf-8",
        }
    }
}

/// Why there is no document.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReportError {
    /// The template is none.
    #[error("the template cannot be read: {0}")]
    Unreadable(String),
    /// It could be read and cannot be carried out with this case.
    #[error("the template cannot be carried out: {0}")]
    Failed(String),
    /// It took too many steps.
    #[error("the template takes more than {REPORT_STEPS} steps; let it go over fewer things")]
    TooManySteps,
    /// The document became too large.
    #[error("the document becomes larger than {} MiB; let the template print less", MAX_REPORT_BYTES >> 20)]
    TooLarge,
}

/// Whether a template can be read.
///
/// # Errors
/// [`ReportError::Unreadable`], with the line.
pub fn check(template: &str, format: Format) -> Result<(), ReportError> {
    if template.len() > MAX_TEMPLATE_BYTES {
        let text = format!("it has {} bytes of at most {MAX_TEMPLATE_BYTES}", template.len());
        return Err(ReportError::Unreadable(text));
    }
    environment(format).template_from_named_str("template", template).map(drop).map_err(told)
}

/// Makes a document of what a template says and a context has.
///
/// With `safe` nothing that the context has becomes markup, whatever the template says: in HTML its filter `safe` does
/// nothing, in Markdown tags of HTML and images are escaped.
///
/// # Errors
/// [`ReportError`].
pub fn make(template: &str, format: Format, context: &Value, safe: bool) -> Result<String, ReportError> {
    let mut environment = environment(format);
    let mut context = std::borrow::Cow::Borrowed(context);
    match format {
        Format::Html if safe => environment.add_filter("safe", |value: minijinja::Value| value),
        Format::Markdown if safe => escape(context.to_mut()),
        _ => {}
    }
    let template = environment.template_from_named_str("template", template).map_err(told)?;
    let mut document = Document { bytes: Vec::new(), full: false };
    match template.render_captured_to(Serde(&*context), &mut document) {
        Ok(_) => String::from_utf8(document.bytes).map_err(|error| ReportError::Failed(error.to_string())),
        Err(_) if document.full => Err(ReportError::TooLarge),
        Err(error) => Err(told(error)),
    }
}

/// The name of a document, of the form that a template's `naming_format` has: `%case_name%`, `%customer%`, `%date%` and
/// `%code_name%` stand for values of the context. It can be a name of a file everywhere.
#[must_use]
pub fn file_name(form: &str, format: Format, context: &Value) -> String {
    let text = |pointer: &str| context.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned();
    let mut name = form.to_owned();
    for (place, value) in [
        ("%case_name%", text("/case/case_name")),
        ("%customer%", text("/case/customer_name")),
        ("%date%", text("/date")),
        ("%code_name%", text("/doc_id")),
    ] {
        name = name.replace(place, &value);
    }
    let mut out = String::new();
    for letter in name.chars().take(MAX_NAME) {
        let kept = letter.is_alphanumeric() || matches!(letter, '-' | '_' | '.');
        if kept || !out.ends_with('_') {
            out.push(if kept { letter } else { '_' });
        }
    }
    let out = out.trim_matches(['.', '_']);
    format!("{}.{}", if out.is_empty() { "report" } else { out }, format.extension())
}

fn environment<'source>(format: Format) -> Environment<'source> {
    let mut environment = Environment::new();
    environment.set_auto_escape_callback(move |_| match format {
        Format::Html => AutoEscape::Html,
        Format::Markdown => AutoEscape::None,
    });
    // Templates ask for fields that some objects do not have; that is no mistake.
    environment.set_undefined_behavior(UndefinedBehavior::Chainable);
    environment.set_fuel(Some(REPORT_STEPS));
    environment.set_recursion_limit(MAX_CALLS);
    environment
}

/// Takes from all texts what a viewer of Markdown would show as markup or fetch.
fn escape(value: &mut Value) {
    match value {
        Value::String(text) => *text = text.replace("![", "!\\[").replace('<', "&lt;"),
        Value::Array(items) => items.iter_mut().for_each(escape),
        Value::Object(fields) => fields.values_mut().for_each(escape),
        _ => {}
    }
}

fn told(error: minijinja::Error) -> ReportError {
    match error.kind() {
        ErrorKind::OutOfFuel => ReportError::TooManySteps,
        ErrorKind::SyntaxError => ReportError::Unreadable(error.to_string()),
        _ => ReportError::Failed(error.to_string()),
    }
}

/// A document that stops at its bound.
struct Document {
    bytes: Vec<u8>,
    full: bool,
}

impl io::Write for Document {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.bytes.len().saturating_add(bytes.len()) > MAX_REPORT_BYTES {
            self.full = true;
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        self.bytes.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests;
