//! Filters of a list of entities, as DP³ reads them.

use serde_json::{Map, Value, json};

use crate::error::{CliError, Kind};

/// Which entities are meant.
#[derive(Debug, Clone, Default, clap::Args)]
pub(crate) struct Filters {
    /// Only those where the attribute matches this regular expression, in any case; repeatable, or one JSON object.
    #[arg(short, long, value_name = "ATTR=PATTERN", requires = "etype")]
    fulltext: Vec<String>,
    /// Only those that this query finds, in MongoDB's language.
    #[arg(short = 'j', long, value_name = "JSON", requires = "etype")]
    filter: Option<String>,
    /// Only those that have the attribute; repeatable.
    #[arg(short = 'a', long, value_name = "ATTR", requires = "etype")]
    has_attr: Vec<String>,
}

impl Filters {
    /// Whether everything passes.
    pub(super) fn is_empty(&self) -> bool {
        self.fulltext.is_empty() && self.filter.is_none() && self.has_attr.is_empty()
    }

    /// The parameters of the request; what is not asked for is left out.
    ///
    /// # Errors
    /// When a filter cannot be one.
    pub(super) fn asked(&self) -> Result<Vec<(&'static str, Option<String>)>, CliError> {
        Ok(vec![
            ("fulltext_filters", self.fulltext()?.map(|f| f.to_string())),
            ("generic_filter", self.generic()?.map(|f| f.to_string())),
        ])
    }

    fn fulltext(&self) -> Result<Option<Value>, CliError> {
        let mut all = Map::new();
        for text in &self.fulltext {
            let found = if text.trim_start().starts_with('{') {
                serde_json::from_str(text).map_err(|e| wrong("--fulltext", text, &e.to_string()))?
            } else {
                let (attr, pattern) = text
                    .split_once('=')
                    .filter(|(attr, _)| !attr.is_empty())
                    .ok_or_else(|| wrong("--fulltext", text, "expected ATTR=PATTERN or a JSON object"))?;
                Map::from_iter([(attr.to_owned(), Value::from(pattern))])
            };
            for (attr, pattern) in found {
                if all.contains_key(&attr) {
                    return Err(wrong("--fulltext", text, &format!("there is a pattern for {attr} already")));
                }
                all.insert(attr, pattern);
            }
        }
        Ok(Some(all).filter(|all| !all.is_empty()).map(Value::Object))
    }

    fn generic(&self) -> Result<Option<Value>, CliError> {
        let mut all: Vec<Value> = Vec::new();
        if let Some(text) = &self.filter {
            let filter: Map<String, Value> = serde_json::from_str(text)
                .map_err(|e| wrong("--filter", text, &format!("expected a JSON object: {e}")))?;
            all.push(filter.into());
        }
        all.extend(self.has_attr.iter().map(|attr| json!({format!("last.{attr}"): {"$exists": true}})));
        Ok(match all.len() {
            0 | 1 => all.pop(),
            _ => Some(json!({"$and": all})),
        })
    }
}

fn wrong(option: &str, text: &str, why: &str) -> CliError {
    CliError::new(Kind::Usage, format!("{option} {text:?} is not usable: {why}"))
        .help("`tenter entity list --help` has examples")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(fulltext: &[&str], filter: Option<&str>, has: &[&str]) -> Result<String, CliError> {
        let own = |texts: &[&str]| texts.iter().map(|t| (*t).to_owned()).collect();
        let filters = Filters { fulltext: own(fulltext), filter: filter.map(str::to_owned), has_attr: own(has) };
        let pairs = filters.asked()?;
        Ok(pairs
            .into_iter()
            .filter_map(|(name, value)| Some(format!("{name}={}", value?)))
            .collect::<Vec<_>>()
            .join(" "))
    }

    #[test]
    fn filters_are_joined() {
        assert_eq!(asked(&[], None, &[]).unwrap(), "");
        assert_eq!(asked(&["a=x=y", r#"{"b": "z"}"#], None, &[]).unwrap(), r#"fulltext_filters={"a":"x=y","b":"z"}"#);
        assert_eq!(asked(&[], Some(r#"{"last.n": 1}"#), &[]).unwrap(), r#"generic_filter={"last.n":1}"#);
        assert_eq!(asked(&[], None, &["n"]).unwrap(), r#"generic_filter={"last.n":{"$exists":true}}"#);
        assert_eq!(
            asked(&[], Some(r#"{"last.n": 1}"#), &["m"]).unwrap(),
            r#"generic_filter={"$and":[{"last.n":1},{"last.m":{"$exists":true}}]}"#
        );
    }

    #[test]
    fn filters_that_cannot_be_are_usage_errors() {
        for (fulltext, filter) in
            [(&["a"][..], None), (&["=x"], None), (&["a=1", "a=2"], None), (&[], Some("[1]")), (&["{"], None)]
        {
            let error = asked(fulltext, filter, &[]).unwrap_err();
            assert_eq!(error.kind, Kind::Usage, "{error}");
        }
    }
}
