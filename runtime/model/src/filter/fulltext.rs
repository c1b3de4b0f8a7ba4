//! Full-text filters: one regular expression for each attribute.

use serde_json::Value as Json;

use super::condition::{Node, Path, Test};
use super::document::Wanted;
use super::parse::{At, Parser};
use super::pattern::Pattern;
use crate::config::nearest;

/// The conditions, each with the field that it is on.
pub(super) fn read(parser: &mut Parser<'_>, json: &Json) -> Vec<(String, Node)> {
    let at = At::root("fulltext_filters");
    let Json::Object(map) = json else {
        parser.wrong(&at, "expected an object of attributes and regular expressions");
        return Vec::new();
    };
    let mut out = Vec::new();
    for (attr, pattern) in map {
        let at = at.key(attr);
        let Some(field) = field(parser, &at, attr) else { continue };
        let Json::String(text) = pattern else {
            parser.wrong(&at, format!("Filter '{pattern}' is not string"));
            continue;
        };
        let pattern = match Pattern::new(text, "i", true) {
            Ok(pattern) => pattern,
            Err(e) => {
                parser.wrong(&at, e);
                continue;
            }
        };
        // Whoever writes the separator means the key with its time.
        if field == "_id" && !text.contains("_#") {
            out.push((field, Node::Eid(pattern)));
        } else if let Some(node) = parser.field(&at, &Path::new(&field), Test::Pattern(pattern)) {
            out.push((field, node));
        }
    }
    out
}

/// The field that a full-text filter on an attribute is on.
fn field(parser: &mut Parser<'_>, at: &At<'_>, attr: &str) -> Option<String> {
    if attr == "eid" {
        return Some("_id".to_owned());
    }
    let Some(spec) = parser.entity.attribute(attr) else {
        let names = parser.entity.attributes().iter().map(|a| a.id.as_str()).chain(["eid"]);
        let near = nearest(attr, names).map(|n| format!("; did you mean {n:?}?")).unwrap_or_default();
        parser.wrong(at, format!("Attribute '{attr}' in fulltext filter doesn't exist{near}"));
        return None;
    };
    if let Wanted::Named(names) = &mut parser.wanted {
        names.insert(attr.to_owned());
    }
    let is_relation = spec.kind.data_type().is_some_and(|t| t.link().is_some());
    Some(if is_relation { format!("last.{attr}.eid") } else { format!("last.{attr}") })
}
