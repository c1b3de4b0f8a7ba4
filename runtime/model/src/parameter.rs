//! Parameters of modules: what a component says in `describe` about its configuration, and all that follows from it.
//!
//! One list serves three readers: the check of what an operator sets, a JSON Schema for editors and forms, and the list
//! of configuration as DFIR-IRIS has it, in and out. A secret is a parameter whose text is kept apart; here it is only
//! known whether it is set. A module that lacks a mandatory value is *not configured*: that is a state, not an error; it
//! is installed and not called.

use serde_json::{Map, Value, json};

use crate::config::nearest;
use crate::module::{Descriptor, Parameter};

/// A kind of parameter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A line of text.
    String,
    /// A text that the host keeps; see `tenter secret`.
    Secret,
    /// True or false.
    Boolean,
    /// A whole number.
    Integer,
    /// A number.
    Float,
    /// Any JSON.
    Json,
    /// A text of markup.
    Html,
    /// A text of markup.
    Markdown,
}

impl Kind {
    /// All kinds: the name of the contract and that of IRIS.
    pub const ALL: [(Self, &str, &str); 8] = [
        (Self::String, "string", "string"),
        (Self::Secret, "secret", "sensitive_string"),
        (Self::Boolean, "boolean", "bool"),
        (Self::Integer, "integer", "int"),
        (Self::Float, "float", "float"),
        (Self::Json, "json", "textfield_json"),
        (Self::Html, "html", "textfield_html"),
        (Self::Markdown, "markdown", "textfield_markdown"),
    ];

    /// The kind of that name in the contract.
    #[must_use]
    pub fn find(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|row| row.1 == name).map(|row| row.0)
    }

    /// The name in IRIS.
    #[must_use]
    pub fn iris(self) -> &'static str {
        Self::ALL.into_iter().find(|row| row.0 == self).map_or("string", |row| row.2)
    }

    fn holds(self, value: &Value) -> bool {
        match self {
            Self::String | Self::Html | Self::Markdown | Self::Secret => value.is_string(),
            Self::Boolean => value.is_boolean(),
            Self::Integer => value.is_i64() || value.is_u64(),
            Self::Float => value.is_number(),
            Self::Json => true,
        }
    }
}

/// The kind of a parameter; a descriptor that was admitted has no other names.
#[must_use]
pub fn kind_of(parameter: &Parameter) -> Kind {
    Kind::find(&parameter.kind).unwrap_or(Kind::Json)
}

/// A configuration with defaults filled in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Filled {
    /// What `configure` gets: no secrets.
    pub config: Map<String, Value>,
    /// Names of mandatory parameters without a value, in order.
    pub lacks: Vec<String>,
}

/// What is wrong with a configuration or a descriptor.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Wrong {
    /// A value is not of its parameter's kind.
    #[error("the parameter `{name}` is {found}, expected {kind}")]
    Kind {
        /// The parameter.
        name: String,
        /// What stands there.
        found: &'static str,
        /// What was expected.
        kind: String,
    },
    /// A default is no JSON, or not of its kind.
    #[error("the default of the parameter `{name}` is {why}")]
    Default {
        /// The parameter.
        name: String,
        /// What is wrong.
        why: String,
    },
}

/// Fills defaults in, leaves secrets out and checks kinds. `is_set` tells which secrets are set. Keys that are no
/// parameters are kept: modules may take more than they describe.
///
/// # Errors
/// [`Wrong`].
pub fn fill(
    descriptor: &Descriptor,
    given: &Map<String, Value>,
    is_set: impl Fn(&str) -> bool,
) -> Result<Filled, Wrong> {
    let mut config = given.clone();
    let mut lacks = Vec::new();
    for p in &descriptor.parameters {
        let kind = kind_of(p);
        if kind == Kind::Secret {
            config.remove(&p.name);
            if p.mandatory && !is_set(&p.name) {
                lacks.push(p.name.clone());
            }
            continue;
        }
        // Null is how forms say "nothing": the default counts.
        if config.get(&p.name).is_none_or(Value::is_null) {
            config.remove(&p.name);
            if let Some(default) = default_of(p)? {
                config.insert(p.name.clone(), default);
            }
        }
        match config.get(&p.name) {
            Some(value) if !kind.holds(value) => return Err(wrong_kind(p, value)),
            Some(Value::String(text)) if text.is_empty() && p.mandatory => lacks.push(p.name.clone()),
            None if p.mandatory => lacks.push(p.name.clone()),
            Some(_) | None => {}
        }
    }
    Ok(Filled { config, lacks })
}

/// The default of a parameter.
///
/// # Errors
/// When its text is no JSON, or of another kind.
pub fn default_of(p: &Parameter) -> Result<Option<Value>, Wrong> {
    let wrong = |why: String| Wrong::Default { name: p.name.clone(), why };
    let Some(text) = &p.default else { return Ok(None) };
    let value: Value = serde_json::from_str(text).map_err(|e| wrong(format!("not JSON: {e}")))?;
    if value.is_null() {
        return Ok(None);
    }
    if !kind_of(p).holds(&value) {
        return Err(wrong(format!("{}, expected {}", form_of(&value), p.kind)));
    }
    Ok(Some(value))
}

/// The JSON Schema of a module's configuration. Secrets are not in it: they are no part of the configuration.
#[must_use]
pub fn json_schema(descriptor: &Descriptor) -> Value {
    let mut properties = Map::new();
    let mut required = Vec::new();
    for p in descriptor.parameters.iter().filter(|p| kind_of(p) != Kind::Secret) {
        let mut schema = match kind_of(p) {
            Kind::String | Kind::Secret => json!({"type": "string"}),
            Kind::Html => json!({"type": "string", "contentMediaType": "text/html"}),
            Kind::Markdown => json!({"type": "string", "contentMediaType": "text/markdown"}),
            Kind::Boolean => json!({"type": "boolean"}),
            Kind::Integer => json!({"type": "integer"}),
            Kind::Float => json!({"type": "number"}),
            Kind::Json => json!({}),
        };
        let default = default_of(p).ok().flatten();
        if p.mandatory && default.is_none() {
            required.push(p.name.clone());
            if schema.get("type") == Some(&json!("string")) {
                set(&mut schema, "minLength", json!(1));
            }
        }
        for (key, text) in [("title", &p.title), ("description", &p.description)] {
            if !text.is_empty() {
                set(&mut schema, key, json!(text));
            }
        }
        if let Some(default) = default {
            set(&mut schema, "default", default);
        }
        properties.insert(p.name.clone(), schema);
    }
    let mut schema = json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "object",
        "properties": properties,
    });
    if !descriptor.title.is_empty() {
        set(&mut schema, "title", json!(descriptor.title));
    }
    if !required.is_empty() {
        set(&mut schema, "required", json!(required));
    }
    schema
}

fn set(schema: &mut Value, key: &str, value: Value) {
    if let Some(map) = schema.as_object_mut() {
        map.insert(key.to_owned(), value);
    }
}

/// The list of configuration in IRIS's shape. Secrets have the value `null`, set or not; JSON is text, as there.
#[must_use]
pub fn to_iris(descriptor: &Descriptor, given: &Map<String, Value>) -> Vec<Value> {
    let as_text = |p: &Parameter, value: Value| match (kind_of(p), value) {
        (Kind::Json, value) if !value.is_null() => Value::String(value.to_string()),
        (_, value) => value,
    };
    let entry = |p: &Parameter| {
        let is_secret = kind_of(p) == Kind::Secret;
        let default = default_of(p).ok().flatten().filter(|_| !is_secret);
        let value =
            given.get(&p.name).filter(|value| !value.is_null() && !is_secret).cloned().or_else(|| default.clone());
        let mut entry = json!({
            "param_name": p.name,
            "param_human_name": if p.title.is_empty() { &p.name } else { &p.title },
            "param_description": p.description,
            "default": as_text(p, default.unwrap_or_default()),
            "mandatory": p.mandatory,
            "type": kind_of(p).iris(),
            "value": as_text(p, value.unwrap_or_default()),
        });
        if let Some(section) = &p.section {
            set(&mut entry, "section", json!(section));
        }
        entry
    };
    descriptor.parameters.iter().map(entry).collect()
}

/// What a list in IRIS's shape says.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Imported {
    /// The configuration: what was there, with the values of the list over it.
    pub config: Map<String, Value>,
    /// Secrets that the list holds a text for, with it. No `Debug` shows them.
    pub secrets: Vec<(String, String)>,
    /// Names in the list that are no parameters.
    pub unknown: Vec<String>,
}

/// Reads a list in IRIS's shape over a configuration. A value `null` leaves what is there; texts become what their
/// parameter is, as IRIS does when a module asks, and numbers of every kind too.
///
/// # Errors
/// What is not of the shape, or a value that cannot be what its parameter is.
pub fn from_iris(descriptor: &Descriptor, given: &Map<String, Value>, list: &Value) -> Result<Imported, String> {
    let list = list.as_array().ok_or("expected a list of parameters, each with `param_name` and `value`")?;
    let mut out = Imported { config: given.clone(), ..Imported::default() };
    for (place, entry) in list.iter().enumerate() {
        let name = entry.get("param_name").and_then(Value::as_str);
        let name = name.ok_or_else(|| format!("entry {place} of the list has no `param_name`"))?;
        let Some(p) = descriptor.parameters.iter().find(|p| p.name == name) else {
            out.unknown.push(name.to_owned());
            continue;
        };
        match (kind_of(p), entry.get("value")) {
            (_, None | Some(Value::Null)) => {}
            (Kind::Secret, Some(Value::String(text))) if text.is_empty() => {}
            (Kind::Secret, Some(Value::String(text))) => out.secrets.push((p.name.clone(), text.clone())),
            (_, Some(value)) => {
                out.config.insert(p.name.clone(), cast(p, value)?);
            }
        }
    }
    Ok(out)
}

/// A value as a person types it, or as a form sends it, made what its parameter is.
///
/// # Errors
/// When it cannot be that.
pub fn cast(p: &Parameter, value: &Value) -> Result<Value, String> {
    let kind = kind_of(p);
    let wrong = || wrong_kind(p, value).to_string();
    match (kind, value) {
        (Kind::Boolean, Value::String(text)) => match text.to_lowercase().as_str() {
            "true" => Ok(Value::Bool(true)),
            "false" => Ok(Value::Bool(false)),
            _ => Err(wrong()),
        },
        (Kind::Integer, Value::String(text)) => text.trim().parse::<i64>().map(Value::from).map_err(|_| wrong()),
        (Kind::Float, Value::String(text)) => {
            let number = text.trim().parse::<f64>().ok().and_then(serde_json::Number::from_f64);
            number.map(Value::Number).ok_or_else(wrong)
        }
        (Kind::Json, Value::String(text)) => {
            serde_json::from_str(text).map_err(|e| format!("the parameter `{}` is not JSON: {e}", p.name))
        }
        (_, value) if kind.holds(value) => Ok(value.clone()),
        _ => Err(wrong()),
    }
}

/// The parameter of that name.
///
/// # Errors
/// That there is none, with the nearest one.
pub fn find<'a>(descriptor: &'a Descriptor, name: &str) -> Result<&'a Parameter, String> {
    descriptor.parameters.iter().find(|p| p.name == name).ok_or_else(|| {
        let names = descriptor.parameters.iter().map(|p| p.name.as_str());
        let near = nearest(name, names).map_or(String::new(), |near| format!(", did you mean {near:?}?"));
        format!("the module has no parameter {name:?}{near}")
    })
}

fn wrong_kind(p: &Parameter, value: &Value) -> Wrong {
    Wrong::Kind { name: p.name.clone(), found: form_of(value), kind: p.kind.clone() }
}

/// What a value is, for people.
#[must_use]
pub fn form_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(n) if n.is_f64() => "a float",
        Value::Number(_) => "an integer",
        Value::String(_) => "a string",
        Value::Array(_) => "a list",
        Value::Object(_) => "a mapping",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parameter(name: &str, kind: &str, mandatory: bool, default: Option<&str>) -> Parameter {
        Parameter {
            name: name.into(),
            title: name.to_uppercase(),
            description: format!("What {name} is."),
            kind: kind.into(),
            section: (kind == "json").then(|| "More".into()),
            mandatory,
            default: default.map(str::to_owned),
        }
    }

    fn descriptor() -> Descriptor {
        let parameters = vec![
            parameter("url", "string", true, None),
            parameter("key", "secret", true, None),
            parameter("often", "boolean", true, Some("false")),
            parameter("most", "integer", false, Some("7")),
            parameter("share", "float", false, None),
            parameter("rules", "json", false, Some(r#"{"a":[1]}"#)),
            parameter("page", "html", false, Some(r#""<b>""#)),
            parameter("text", "markdown", false, None),
        ];
        Descriptor { title: "Hook".into(), parameters, ..Descriptor::default() }
    }

    fn map(value: Value) -> Map<String, Value> {
        value.as_object().cloned().unwrap()
    }

    #[test]
    fn every_kind_has_a_name_in_both_worlds() {
        for (kind, ours, iris) in Kind::ALL {
            assert_eq!(Kind::find(ours), Some(kind));
            assert_eq!(kind.iris(), iris);
        }
        assert_eq!(Kind::find("text"), None);
    }

    #[test]
    fn a_module_is_configured_when_nothing_mandatory_is_lacking() {
        let lacks =
            |given: Value, set: &[&str]| fill(&descriptor(), &map(given), |name| set.contains(&name)).unwrap().lacks;
        assert_eq!(lacks(json!({}), &[]), ["url", "key"]);
        assert_eq!(lacks(json!({"url": ""}), &["key"]), ["url"]);
        assert_eq!(lacks(json!({"url": null, "often": null}), &["key"]), ["url"]);
        assert_eq!(lacks(json!({"url": "x"}), &["key"]), [""; 0]);
        // The text of a secret does not come this way.
        assert_eq!(lacks(json!({"url": "x", "key": "in clear"}), &[]), ["key"]);
        let filled = fill(&descriptor(), &map(json!({"url": "x", "key": "in clear", "other": 1})), |_| true).unwrap();
        assert_eq!(
            Value::Object(filled.config),
            json!({"url": "x", "often": false, "most": 7, "rules": {"a": [1]}, "page": "<b>", "other": 1})
        );
    }

    #[test]
    fn wrong_values_are_named() {
        let wrong = |given: Value| fill(&descriptor(), &map(given), |_| true).unwrap_err().to_string();
        insta::assert_snapshot!(wrong(json!({"url": 3})), @"the parameter `url` is an integer, expected string");
        insta::assert_snapshot!(wrong(json!({"url": "", "most": 1.5})), @"the parameter `most` is a float, expected integer");
        let mut bad = descriptor();
        bad.parameters[3].default = Some("x".into());
        insta::assert_snapshot!(fill(&bad, &Map::new(), |_| true).unwrap_err(), @"the default of the parameter `most` is not JSON: expected value at line 1 column 1");
        bad.parameters[3].default = Some("true".into());
        insta::assert_snapshot!(fill(&bad, &Map::new(), |_| true).unwrap_err(), @"the default of the parameter `most` is a boolean, expected integer");
        insta::assert_snapshot!(find(&descriptor(), "mots").unwrap_err(), @r#"the module has no parameter "mots", did you mean "most"?"#);
    }

    #[test]
    fn the_schema_judges_as_the_check_does() {
        let schema = json_schema(&descriptor());
        let validator = jsonschema::validator_for(&schema).unwrap();
        for (given, good) in [
            (json!({"url": "x"}), true),
            (json!({"url": "x", "most": 3, "share": 1, "rules": [], "other": {}}), true),
            (json!({}), false),
            (json!({"url": ""}), false),
            (json!({"url": 3}), false),
            (json!({"url": "x", "most": 1.5}), false),
            (json!({"url": "x", "often": "true"}), false),
            (json!({"url": "x", "share": "1"}), false),
        ] {
            let filled = fill(&descriptor(), &map(given.clone()), |_| true);
            assert_eq!(filled.is_ok_and(|filled| filled.lacks.is_empty()), good, "{given}");
            assert_eq!(validator.is_valid(&given), good, "{given}");
        }
        assert!(schema["properties"].get("key").is_none(), "{schema}");
        assert_eq!(
            schema["properties"]["most"],
            json!({"type": "integer", "default": 7, "title": "MOST", "description": "What most is."})
        );
    }

    #[test]
    fn a_list_of_iris_comes_back_as_it_went() {
        let given = map(json!({"url": "https://example.org", "often": true, "share": 0.5, "rules": [1, "x"]}));
        let list = Value::Array(to_iris(&descriptor(), &given));
        assert_eq!(
            list[5],
            json!({
                "param_name": "rules", "param_human_name": "RULES", "param_description": "What rules is.",
                "default": "{\"a\":[1]}", "mandatory": false, "type": "textfield_json", "section": "More",
                "value": "[1,\"x\"]",
            })
        );
        assert_eq!((&list[1]["type"], &list[1]["value"]), (&json!("sensitive_string"), &Value::Null));
        assert_eq!((&list[3]["type"], &list[3]["value"]), (&json!("int"), &json!(7)));
        let back = from_iris(&descriptor(), &Map::new(), &list).unwrap();
        assert!(back.secrets.is_empty() && back.unknown.is_empty());
        // Defaults became values, as IRIS does it when a module is added.
        let filled = |config: &Map<String, Value>| fill(&descriptor(), config, |_| true).unwrap().config;
        assert_eq!(filled(&back.config), filled(&given));
    }

    #[test]
    fn texts_of_forms_become_what_their_parameter_is() {
        let read = |list: Value| from_iris(&descriptor(), &map(json!({"url": "kept"})), &list);
        let list = json!([
            {"param_name": "often", "value": "True"},
            {"param_name": "most", "value": " 12"},
            {"param_name": "share", "value": "0.25"},
            {"param_name": "rules", "value": "[]"},
            {"param_name": "key", "value": "the text of it"},
            {"param_name": "url", "value": null},
            {"param_name": "nobody", "value": 1},
        ]);
        let read_well = read(list).unwrap();
        assert_eq!(
            Value::Object(read_well.config),
            json!({"url": "kept", "often": true, "most": 12, "share": 0.25, "rules": []})
        );
        assert_eq!(read_well.secrets, [("key".to_owned(), "the text of it".to_owned())]);
        assert_eq!(read_well.unknown, ["nobody"]);
        let wrong = |list: Value| read(list).err().unwrap();
        insta::assert_snapshot!(wrong(json!({})), @"expected a list of parameters, each with `param_name` and `value`");
        insta::assert_snapshot!(wrong(json!([{"value": 1}])), @"entry 0 of the list has no `param_name`");
        insta::assert_snapshot!(wrong(json!([{"param_name": "most", "value": "many"}])), @"the parameter `most` is a string, expected integer");
        insta::assert_snapshot!(wrong(json!([{"param_name": "often", "value": "yes"}])), @"the parameter `often` is a string, expected boolean");
        insta::assert_snapshot!(wrong(json!([{"param_name": "rules", "value": "{"}])), @"the parameter `rules` is not JSON: EOF while parsing an object at line 1 column 1");
    }
}
