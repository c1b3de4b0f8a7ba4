//! What `configure` gets: the operator's settings with defaults filled in and secrets left out.

use serde_json::{Map, Value};
use tenter_model::id::ModuleName;
use tenter_model::module::{Descriptor, ModuleSettings, Parameter};

use super::{AdmitError, Admitted};
use crate::engine::{MAX_MEMORY, MAX_TABLE};
use crate::text::did_you_mean;

/// Limits that the operator set must be known, and within what the pool has room for.
pub(crate) fn check_limits(module: &ModuleName, settings: &ModuleSettings) -> Admitted<()> {
    for (name, value) in &settings.limits {
        let most = match name.as_str() {
            "memory_bytes" => MAX_MEMORY as u64,
            "table_elements" => MAX_TABLE as u64,
            known if ModuleSettings::LIMIT_NAMES.contains(&known) => u64::MAX,
            _ => {
                let near = did_you_mean(name, ModuleSettings::LIMIT_NAMES.iter().copied());
                let known = ModuleSettings::LIMIT_NAMES.join(", ");
                let text = format!("module {module} has no limit `limits.{name}`{near}; there are {known}");
                return Err(AdmitError::new("config", text));
            }
        };
        if *value == 0 || *value > most {
            let text = format!("`limits.{name}` of module {module} is {value}, expected 1 to {most}");
            return Err(AdmitError::new("config", text));
        }
    }
    Ok(())
}

/// The configuration as JSON text.
pub(crate) fn fill(module: &ModuleName, descriptor: &Descriptor, given: &Value) -> Admitted<String> {
    let file = format!("modules/{module}.yml");
    let mut config = match given {
        Value::Null => Map::new(),
        Value::Object(map) => map.clone(),
        other => {
            let text = format!("{file} holds {}, expected a mapping of names to values", kind_of(other));
            return Err(AdmitError::new("config", text));
        }
    };
    for p in &descriptor.parameters {
        if p.kind == "secret" {
            // Secrets stay with the host; a module uses them by name.
            config.remove(&p.name);
            continue;
        }
        if !config.contains_key(&p.name) {
            if let Some(default) = default_of(p)? {
                config.insert(p.name.clone(), default);
            } else if p.mandatory {
                return Err(lacking(&file, p));
            }
        }
        if let Some(value) = config.get(&p.name) {
            check_kind(&file, p, value)?;
        }
    }
    Ok(Value::Object(config).to_string())
}

fn default_of(p: &Parameter) -> Admitted<Option<Value>> {
    let parse = |text: &String| {
        serde_json::from_str(text).map_err(|e| {
            AdmitError::new("describe", format!("the default of the parameter `{}` is not JSON: {e}", p.name))
        })
    };
    p.default.as_ref().map(parse).transpose()
}

fn lacking(file: &str, p: &Parameter) -> AdmitError {
    let about = if p.description.is_empty() { &p.title } else { &p.description };
    AdmitError::new(
        "config",
        format!("{file} lacks the mandatory parameter `{}` ({}): {about}; set it and try again", p.name, p.kind),
    )
}

fn check_kind(file: &str, p: &Parameter, value: &Value) -> Admitted<()> {
    let fits = match p.kind.as_str() {
        "string" | "html" | "markdown" => value.is_string(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_i64() || value.is_u64(),
        "float" => value.is_number(),
        _ => true,
    };
    if fits {
        return Ok(());
    }
    let text = format!("{file}: the parameter `{}` is {}, expected {}", p.name, kind_of(value), p.kind);
    Err(AdmitError::new("config", text))
}

fn kind_of(value: &Value) -> &'static str {
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
    use serde_json::json;

    fn fill_with(kind: &str, mandatory: bool, default: Option<&str>, given: &Value) -> Result<String, String> {
        let parameter = Parameter {
            name: "key".into(),
            title: "The key".into(),
            description: String::new(),
            kind: kind.into(),
            section: None,
            mandatory,
            default: default.map(str::to_owned),
        };
        let descriptor = Descriptor { parameters: vec![parameter], ..Descriptor::default() };
        fill(&ModuleName::new("label").unwrap(), &descriptor, given).map_err(|e| e.message)
    }

    #[test]
    fn defaults_are_filled_in_and_secrets_left_out() {
        assert_eq!(fill_with("integer", true, Some("7"), &Value::Null).unwrap(), r#"{"key":7}"#);
        assert_eq!(fill_with("integer", true, Some("7"), &json!({"key": 8, "x": 1})).unwrap(), r#"{"key":8,"x":1}"#);
        assert_eq!(fill_with("secret", true, None, &json!({"key": "hush"})).unwrap(), "{}");
        assert_eq!(fill_with("string", false, None, &json!({})).unwrap(), "{}");
    }

    #[test]
    fn limits_are_known_and_within_bounds() {
        let check = |name: &str, value| {
            let limits = [(name.to_owned(), value)].into();
            let settings = ModuleSettings { limits, ..ModuleSettings::default() };
            check_limits(&ModuleName::new("label").unwrap(), &settings).map_err(|e| e.message)
        };
        for name in ModuleSettings::LIMIT_NAMES {
            assert_eq!(check(name, 1000), Ok(()));
        }
        insta::assert_snapshot!(check("memory", 1).unwrap_err(), @"module label has no limit `limits.memory`; there are fuel, deadline_ms, memory_bytes, table_elements, hostcall_bytes, handles, host_calls");
        insta::assert_snapshot!(check("memory_byte", 1).unwrap_err(), @r#"module label has no limit `limits.memory_byte`, did you mean "memory_bytes"?; there are fuel, deadline_ms, memory_bytes, table_elements, hostcall_bytes, handles, host_calls"#);
        insta::assert_snapshot!(check("memory_bytes", 2 << 30).unwrap_err(), @"`limits.memory_bytes` of module label is 2147483648, expected 1 to 1073741824");
        insta::assert_snapshot!(check("fuel", 0).unwrap_err(), @"`limits.fuel` of module label is 0, expected 1 to 18446744073709551615");
    }

    #[test]
    fn refusals_name_the_parameter() {
        insta::assert_snapshot!(fill_with("string", true, None, &json!({})).unwrap_err(), @"modules/label.yml lacks the mandatory parameter `key` (string): The key; set it and try again");
        insta::assert_snapshot!(fill_with("integer", true, None, &json!({"key": "x"})).unwrap_err(), @"modules/label.yml: the parameter `key` is a string, expected integer");
        insta::assert_snapshot!(fill_with("string", true, None, &json!([1])).unwrap_err(), @"modules/label.yml holds a list, expected a mapping of names to values");
        insta::assert_snapshot!(fill_with("string", true, Some("x"), &json!({})).unwrap_err(), @"the default of the parameter `key` is not JSON: expected value at line 1 column 1");
    }
}
