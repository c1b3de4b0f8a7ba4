//! Tags: words in one text, separated by commas.

/// The tags of a text, trimmed, each once, in their order.
#[must_use]
pub fn split(text: &str) -> Vec<&str> {
    let mut out: Vec<&str> = Vec::new();
    for tag in text.split(',').map(str::trim).filter(|tag| !tag.is_empty()) {
        if !out.contains(&tag) {
            out.push(tag);
        }
    }
    out
}

/// The text with tags in the form that is stored.
#[must_use]
pub fn canonical(text: &str) -> String {
    split(text).join(",")
}

/// The text with one more tag, which may itself be several.
#[must_use]
pub fn with(text: &str, tag: &str) -> String {
    canonical(&format!("{text},{tag}"))
}

/// The text without a tag.
#[must_use]
pub fn without(text: &str, tag: &str) -> String {
    let gone = split(tag);
    split(text).into_iter().filter(|tag| !gone.contains(tag)).collect::<Vec<_>>().join(",")
}
