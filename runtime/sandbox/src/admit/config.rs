//! What `configure` gets: the operator's settings with defaults filled in and secrets left out.

use serde_json::{Map, Value};
use tenter_model::id::ModuleName;
use tenter_model::module::{Descriptor, ModuleSettings};
use tenter_model::parameter::{self, Filled, Wrong, form_of};

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

/// The configuration with defaults filled in. `is_set` tells which secrets are set.
pub(crate) fn fill(
    module: &ModuleName,
    descriptor: &Descriptor,
    given: &Value,
    is_set: impl Fn(&str) -> bool,
) -> Admitted<Filled> {
    let file = format!("modules/{module}.yml");
    let nothing = Map::new();
    let given = match given {
        Value::Null => &nothing,
        Value::Object(map) => map,
        other => {
            let text = format!("{file} holds {}, expected a mapping of names to values", form_of(other));
            return Err(AdmitError::new("config", text));
        }
    };
    parameter::fill(descriptor, given, is_set).map_err(|wrong| match wrong {
        Wrong::Kind { .. } => AdmitError::new("config", format!("{file}: {wrong}")),
        Wrong::Default { .. } => AdmitError::new("describe", wrong.to_string()),
    })
}

/// The refusal of a configuration that lacks something mandatory.
pub(crate) fn lacking(module: &ModuleName, descriptor: &Descriptor, lacks: &[String]) -> AdmitError {
    let about = |name: &String| match descriptor.parameters.iter().find(|p| p.name == *name) {
        Some(p) => {
            let about = if p.description.is_empty() { &p.title } else { &p.description };
            format!("`{}` ({}): {about}", p.name, p.kind)
        }
        None => format!("`{name}`"),
    };
    let all: Vec<String> = lacks.iter().map(about).collect();
    let many = if all.len() == 1 { "parameter" } else { "parameters" };
    let text = format!("modules/{module}.yml lacks the mandatory {many} {}; set it and try again", all.join(", "));
    AdmitError::new("config", text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use tenter_model::module::Parameter;

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
        let name = ModuleName::new("label").unwrap();
        let filled = fill(&name, &descriptor, given, |_| true).map_err(|e| e.message)?;
        if filled.lacks.is_empty() {
            Ok(Value::Object(filled.config).to_string())
        } else {
            Err(lacking(&name, &descriptor, &filled.lacks).message)
        }
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
