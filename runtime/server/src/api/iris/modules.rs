//! Modules as clients of IRIS manage them, over the same modules that `/api/v1/modules` and `tenter module` manage.
//!
//! A module's number is its place in the order of upload; its name does as well. Each change of a parameter makes the
//! module anew, so that what it subscribes to is what its configuration says, imported ones too. Installing is ours: a
//! module is a component that is sent, not a package that the server has.

use axum::Extension;
use serde_json::{Map, Value, json};
use tenter_model::case::moment::iso;
use tenter_model::case::{self, CaseHook, Phase};
use tenter_model::hook::Moment;
use tenter_model::{ModuleName, hook};

use crate::api::error::ApiError;
use crate::auth::Caller;
use crate::modules::{ModuleError, ModuleView, Modules};

use super::{Answer, Ask, Asking, Refusal, Success};

/// `GET /manage/modules/list`
pub(in crate::api) async fn list(asking: Asking) -> Answer {
    let rows = on(&asking, |modules| {
        let views = modules.list()?;
        let record = |view: &ModuleView| Ok(record(view, modules.export_config(&view.name)?));
        views.iter().map(record).collect::<Result<Vec<Value>, ModuleError>>()
    });
    Ok(Success::of(Value::Array(rows.await?)))
}

/// `POST /manage/modules/add`
pub(in crate::api) async fn add(_: Ask) -> Answer {
    Err(Refusal::bad(
        "Cannot import module. A module is a WebAssembly component that is uploaded: tenter module upload FILE, or \
         PUT /api/v1/modules/NAME with the component as the body",
    ))
}

/// `POST /manage/modules/set-parameter/{parameter}`: the path has `MODULE##PARAMETER` in base64.
pub(in crate::api) async fn set_parameter(Extension(caller): Extension<Caller>, ask: Ask) -> Answer {
    let text = decoded(ask.text("parameter")).ok_or_else(|| Refusal::bad("Malformed request"))?;
    let (module, parameter) = text.split_once("##").ok_or_else(|| Refusal::bad("Malformed request"))?;
    let value = ask.body.get("parameter_value").cloned().ok_or_else(|| Refusal::bad("Malformed request"))?;
    let (module, parameter, actor) = (module.to_owned(), parameter.to_owned(), caller.actor());
    on(&ask, move |modules| {
        let name = find(modules, &module)?.name;
        modules.set_parameters(&actor, &name, &Map::from_iter([(parameter, value)]))
    })
    .await?;
    Ok(Success::done("Saved"))
}

/// `POST /manage/modules/enable/{module}` and `disable`
pub(in crate::api) async fn set_enabled(enabled: bool, Extension(caller): Extension<Caller>, ask: Ask) -> Answer {
    let module = ask.text("module").to_owned();
    on(&ask, move |modules| modules.set_enabled(&caller.actor(), &find(modules, &module)?.name, enabled)).await?;
    Ok(Success::done(if enabled { "Module enabled" } else { "Module disabled" }))
}

/// `POST /manage/modules/remove/{module}`
pub(in crate::api) async fn remove(Extension(caller): Extension<Caller>, ask: Ask) -> Answer {
    let module = ask.text("module").to_owned();
    on(&ask, move |modules| modules.remove(&caller.actor(), &find(modules, &module)?.name)).await?;
    Ok(Success::done("Deleted"))
}

/// `GET /manage/modules/export-config/{module}`: secrets are not in it.
pub(in crate::api) async fn export(asking: Asking) -> Answer {
    let module = asking.text("module").to_owned();
    let (title, list) = on(&asking, move |modules| {
        let view = find(modules, &module)?;
        Ok((view.descriptor.title, modules.export_config(&view.name)?))
    })
    .await?;
    Ok(Success::of(json!({"module_name": title, "module_configuration": list})))
}

/// `POST /manage/modules/import-config/{module}`: a list as exported, or such a list as text. What is no parameter of the
/// module is left out and named.
pub(in crate::api) async fn import(Extension(caller): Extension<Caller>, ask: Ask) -> Answer {
    let module = ask.text("module").to_owned();
    let list = match ask.body.get("module_configuration") {
        Some(Value::String(text)) => serde_json::from_str(text).unwrap_or(Value::Null),
        other => other.cloned().unwrap_or(Value::Null),
    };
    if !list.is_array() {
        return Err(Refusal::bad("Invalid data: module_configuration is no list"));
    }
    let import = move |modules: &Modules| {
        let name = find(modules, &module)?.name;
        Ok(modules.import_config(&caller.actor(), &name, &list)?.1)
    };
    let unknown = on(&ask, import).await?;
    if unknown.is_empty() {
        return Ok(Success::done("Module configuration imported"));
    }
    let text = format!("Module configuration imported, but for what is no parameter: {}", unknown.join(", "));
    Ok(Success::new(text, json!(unknown)))
}

/// `GET /manage/modules/hooks/list`: which hooks are called in which module.
pub(in crate::api) async fn hooks(asking: Asking) -> Answer {
    let subscribed = on(&asking, |modules| Ok(modules.subscriptions())).await?;
    let mut rows = Vec::new();
    for (module, subscription, on) in subscribed {
        for (name, about, manual) in names(&subscription.moment) {
            rows.push(json!({
                "id": rows.len() + 1, "module_name": module, "is_active": on, "hook_name": name,
                "hook_description": about, "is_manual_hook": manual,
            }));
        }
    }
    Ok(Success::of(Value::Array(rows)))
}

async fn on<T: Send + 'static>(
    asking: &Asking,
    act: impl FnOnce(&Modules) -> Result<T, ModuleError> + Send + 'static,
) -> Result<T, Refusal> {
    let told = |error: ApiError| {
        if error.code == "not-found" { Refusal::unknown(error.detail) } else { Refusal::from(error) }
    };
    asking.app.on_modules(act).await.map_err(told)
}

/// The module of that number or name.
fn find(modules: &Modules, text: &str) -> Result<ModuleView, ModuleError> {
    let views = modules.list()?;
    let number = text.parse::<u64>().ok();
    let found = views.iter().find(|view| number == Some(view.position) || view.name.as_str() == text);
    match (found, ModuleName::new(text)) {
        (Some(view), _) => Ok(view.clone()),
        // In its words for names that are not there.
        (None, Ok(name)) if number.is_none() => modules.show(&name),
        _ => Err(ModuleError::Unknown(format!("there is no module {text}; tenter module list shows what is there"))),
    }
}

fn record(view: &ModuleView, parameters: Vec<Value>) -> Value {
    json!({
        "id": view.position, "module_name": view.name, "module_human_name": view.descriptor.title,
        "module_description": view.descriptor.description, "module_version": view.version, "has_pipeline": false,
        "date_added": view.versions.first().map(|version| iso(version.uploaded_at)),
        "is_active": view.enabled && view.loaded, "module_config": parameters, "configured": view.lacks.is_empty(),
        "problem": view.problem,
    })
}

/// The names of the hooks of a subscription, what each is, and whether a menu calls it.
fn names(moment: &Moment) -> Vec<(String, String, bool)> {
    let of = |phase, object: Option<&str>, action: Option<&str>| {
        let matches = move |hook: &&CaseHook| {
            hook.phase == phase
                && object.is_none_or(|it| it == hook.object)
                && action.is_none_or(|it| it == hook.action)
        };
        let row = |hook: &CaseHook| (hook.iris_name(), about(hook), hook.phase == Phase::Manual);
        case::TABLE.iter().filter(matches).map(row).collect::<Vec<_>>()
    };
    match moment {
        Moment::Before(filter) => of(Phase::Before, filter.object.as_deref(), filter.action.as_deref()),
        Moment::After { filter, .. } => of(Phase::After, filter.object.as_deref(), filter.action.as_deref()),
        Moment::Manual { object, .. } => of(Phase::Manual, Some(object), None),
        other => {
            let kind = other.kind();
            let when = hook::TABLE.iter().find(|row| row.kind == kind).map(|row| row.when).unwrap_or_default();
            vec![(kind.to_string(), when.to_owned(), false)]
        }
    }
}

fn about(hook: &CaseHook) -> String {
    match hook.phase {
        Phase::Before => format!("before the {} of a {}", hook.action, hook.object),
        Phase::After => format!("after the {} of a {}", hook.action, hook.object),
        Phase::Manual => format!("when a person asks for it on a {}", hook.object),
    }
}

/// Text in base64, with the letters of addresses as well as the usual ones.
fn decoded(text: &str) -> Option<String> {
    let (mut bits, mut count, mut bytes) = (0u32, 0u32, Vec::new());
    for letter in text.trim_end_matches('=').bytes() {
        let value = match letter {
            b'A'..=b'Z' => letter - b'A',
            b'a'..=b'z' => letter - b'a' + 26,
            b'0'..=b'9' => letter - b'0' + 52,
            b'+' | b'-' => 62,
            b'/' | b'_' => 63,
            _ => return None,
        };
        bits = (bits << 6 | u32::from(value)) & 0xff_ffff;
        count += 6;
        if count >= 8 {
            count -= 8;
            bytes.push(u8::try_from(bits >> count & 0xff).ok()?);
        }
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_is_read_in_both_alphabets() {
        assert_eq!(decoded("MSMjbmFtZQ==").as_deref(), Some("1##name"));
        assert_eq!(decoded("4oKsPz8-").as_deref(), Some("€??>"));
        assert_eq!(decoded("4oKsPz8+").as_deref(), Some("€??>"));
        assert_eq!((decoded("*"), decoded("gA==")), (None, None));
    }
}
