//! What a hook returned is a proposal, checked like any stranger's input: all of it or nothing.

use tenter_model::host::{HookCall, HookFailure, Reason};
use tenter_model::module::LoadedModule;
use tenter_model::view::Change;
use tenter_model::{AttrName, Schema, TaskBody};

/// Checks the tasks that a hook returned, and names the module as source where they name none.
pub(crate) fn tasks(
    schema: &Schema,
    call: &HookCall<'_>,
    mut bodies: Vec<TaskBody>,
) -> Result<Vec<TaskBody>, HookFailure> {
    let limit = call.module.settings.call_limits(Some(call.kind.family())).output_tasks as usize;
    if bodies.len() > limit {
        let message = format!("returned {} tasks, the limit is {limit}", bodies.len());
        return Err(HookFailure::new(Reason::OutputCount, message));
    }
    for (index, body) in bodies.iter_mut().enumerate() {
        grants(schema, call.module, body)
            .map_err(|message| HookFailure::new(Reason::NotGranted, format!("tasks[{index}]: {message}")))?;
        for datapoint in &mut body.datapoints {
            datapoint.src.get_or_insert_with(|| call.module.name.to_string());
        }
    }
    schema.accept_tasks(bodies).map_err(|errors| {
        let messages: Vec<String> = errors.iter().take(5).map(ToString::to_string).collect();
        let more = errors.len().saturating_sub(messages.len());
        let tail = if more > 0 { format!("; and {more} more") } else { String::new() };
        HookFailure::new(Reason::InvalidOutput, messages.join("; ") + &tail)
    })
}

/// Changes of current values are written like datapoints, so the same grants hold for them.
pub(crate) fn changes(module: &LoadedModule, changes: &[Change]) -> Result<(), HookFailure> {
    for (index, change) in changes.iter().enumerate() {
        may_write(module, change.entity.etype.as_str(), &change.attr)
            .map_err(|message| HookFailure::new(Reason::NotGranted, format!("changes[{index}]: {message}")))?;
    }
    Ok(())
}

/// What a module may write: any attribute of the specification, or only what its `write-entities` grants cover once it
/// has one; removal always needs a grant.
fn grants(schema: &Schema, module: &LoadedModule, body: &TaskBody) -> Result<(), String> {
    let etype = body.entity.etype.as_str();
    if schema.entity(etype).is_none() {
        let names = schema.entities().iter().map(|e| e.id.as_str());
        let near = tenter_model::config::nearest(etype, names)
            .map_or(String::new(), |name| format!(", did you mean {name:?}?"));
        return Err(format!("entity type {etype:?} is not in the specification{near}"));
    }
    let settings = &module.settings;
    if body.delete && !settings.is_granted("delete-entity", etype) {
        return Err(format!("removing an entity needs a grant: tenter grant {} delete-entity {etype}", module.name));
    }
    body.datapoints.iter().try_for_each(|datapoint| may_write(module, etype, &datapoint.attr))
}

fn may_write(module: &LoadedModule, etype: &str, attr: &AttrName) -> Result<(), String> {
    let settings = &module.settings;
    if !settings.grants.iter().any(|g| g.capability == "write-entities") {
        return Ok(());
    }
    let scope = format!("{etype}.{attr}");
    if settings.is_granted("write-entities", &scope) {
        return Ok(());
    }
    Err(format!("the module's grants do not cover {scope}: tenter grant {} write-entities {scope}", module.name))
}
