//! Admission: an uploaded component becomes a loaded module, whole or not at all.
//!
//! From cheap to dear: size, form, the number and size of parts, compilation, imports, exports, then what the component says of itself in an instance
//! of its own (`describe`, `configure`, `subscriptions`), each checked against the capabilities and the entity
//! specification. Everything is refused with a text that names the thing, what was expected, what was found, and what
//! to do.

mod config;
mod features;
mod form;
mod scan;
mod subscriptions;

use std::sync::Arc;

pub(crate) use form::digest;
use tenter_model::Schema;
use tenter_model::capability::{self, Grant};
use tenter_model::egress::Pattern;
use tenter_model::host::{CallCause, HookFailure, HostData};
use tenter_model::id::ModuleName;
use tenter_model::module::{Descriptor, LoadedModule, ModuleSettings};
use tenter_model::parameter::Filled;
use tenter_model::time::Timestamp;

use crate::Sandbox;
use crate::bindings::exports::tenter::hooks::module::Request;
use crate::component::{Indices, Missing, ModuleCode, VERSION, full_name};
use crate::convert::subscription::descriptor_from_wit;
use crate::entry::Room;
use crate::failure;
use crate::files::Folders;
use crate::guest::ModuleFacts;
use crate::instance::{CallFacts, Instance};
use crate::text::{did_you_mean, escape, message};

/// What is to be admitted.
#[derive(Debug)]
pub struct AdmitRequest<'a> {
    /// What it is uploaded as.
    pub name: ModuleName,
    /// The component.
    pub bytes: &'a [u8],
    /// What the operator decided.
    pub settings: ModuleSettings,
    /// The entity specification.
    pub schema: &'a Schema,
    /// The same as JSON, for the import `entities.schema`.
    pub schema_json: Arc<str>,
    /// The time that the guest sees.
    pub now: Timestamp,
}

/// Why a component was not admitted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct AdmitError {
    /// Stable: `size`, `form`, `parts`, `feature`, `compile`, `compile-limit`, `host`, `import`, `export`, `describe`, `config`, `configure`, `capability`,
    /// `subscriptions` or `subscription`.
    pub code: &'static str,
    /// Names the function or import, what was expected, what was found, and what to do. Control characters are escaped.
    pub message: String,
}

impl AdmitError {
    pub(crate) fn new(code: &'static str, text: impl AsRef<str>) -> Self {
        Self { code, message: message(text.as_ref()) }
    }
}

pub(crate) type Admitted<T> = Result<T, AdmitError>;

/// How a component is looked at.
#[derive(Debug, Clone, Copy)]
pub(crate) struct How {
    /// Whether subscriptions must fit the specification.
    pub(crate) strict: bool,
    /// Whether a module that lacks something mandatory is admitted as it is.
    pub(crate) may_lack: bool,
}

/// See [`Sandbox::compile`].
pub(crate) fn compile(sandbox: &Sandbox, bytes: &[u8]) -> Admitted<()> {
    form::check(bytes)?;
    scan::measure(bytes)?;
    form::compile(sandbox, bytes, &digest(bytes)).map(drop)
}

/// See [`Sandbox::admit`].
pub(crate) fn admit(
    sandbox: &Sandbox,
    request: AdmitRequest<'_>,
    data: &Arc<dyn HostData>,
    generation: u64,
    How { strict, may_lack }: How,
) -> Admitted<LoadedModule> {
    let AdmitRequest { name, bytes, settings, schema, schema_json, now } = request;
    config::check_limits(&name, &settings)?;
    form::check(bytes)?;
    scan::measure(bytes)?;
    let digest = form::digest(bytes);
    let component = form::compile(sandbox, bytes, &digest)?;
    form::check_imports(&component)?;
    let pre = sandbox.linker().instantiate_pre(&component).map_err(|e| {
        let text = format!("an import has another type than this host gives: {e:#}; build against version {VERSION} of the WIT package tenter:hooks");
        AdmitError::new("import", text)
    })?;
    let indices = Indices::probe(&component, &pre).map_err(missing)?;
    let families = indices.families();
    if families.is_empty() {
        return Err(no_family(&component));
    }

    let id = format!("admit:{name}:{digest}");
    let call = CallFacts { id: &id, time: now, cause: CallCause::Normal };
    let folders = Folders::of(&settings);
    let facts =
        ModuleFacts { name: name.clone(), settings, schema: schema.clone(), schema_json, outside: sandbox.outside() };
    let mut code = ModuleCode { pre, indices, facts: Arc::new(facts), folders, config: String::new() };
    let mut instance = Instance::new(sandbox.engine(), &code, data, call)
        .map_err(|dead| failed("describe", "the component cannot be instantiated", &dead.failure, &dead.room))?;

    let described = instance.start(&code, |store, exports| exports.module.call_describe(store));
    let described = described.map_err(|f| failed("describe", "`module.describe` failed", &f, &instance.room))?;
    let descriptor = descriptor_from_wit(described)
        .map_err(|bad| AdmitError::new("describe", format!("`module.describe` returned a bad descriptor: {bad}")))?;

    // Tools have no secrets, and try modules all the same.
    let set = sandbox.outside().secrets(&name);
    let is_set = |secret: &str| !may_lack || set.iter().any(|known| known == secret);
    let filled = config::fill(&name, &descriptor, &code.facts.settings.config, is_set)?;
    let Filled { config: values, lacks } = filled;
    let (requests, subscriptions) = if lacks.is_empty() {
        code.config = serde_json::Value::Object(values).to_string();
        let requests = configure(&mut instance, &code, &descriptor)?;
        (requests, subscriptions::collect(&mut instance, &code, &families, strict.then_some(schema))?)
    } else if may_lack {
        (Vec::new(), Vec::new())
    } else {
        return Err(config::lacking(&name, &descriptor, &lacks));
    };

    let settings = code.facts.settings.clone();
    Ok(LoadedModule {
        name,
        descriptor,
        digest,
        generation,
        settings,
        requests,
        families,
        subscriptions,
        lacks,
        code: Arc::new(code),
    })
}

fn configure(instance: &mut Instance, code: &ModuleCode, descriptor: &Descriptor) -> Admitted<Vec<Grant>> {
    let name = &code.facts.name;
    let hint = format!("correct modules/{name}.yml, or the module");
    let requests = instance.start(code, |store, exports| exports.module.call_configure(store, &code.config));
    match requests {
        Ok(Ok(requests)) => requests.into_iter().map(request).collect(),
        Ok(Err(error)) => {
            let failure = failure::returned(error, instance.room.guest().call.refusal);
            let text = format!(
                "`module.configure` of {name} {} refuses its configuration ({}): {}; {hint}",
                descriptor.version, failure.reason, failure.message
            );
            Err(AdmitError::new("configure", text))
        }
        Err(failure) => Err(failed("configure", "`module.configure` failed", &failure, &instance.room)),
    }
}

/// Checks one wish for a capability.
fn request(request: Request) -> Admitted<Grant> {
    let shown = escape(&request.capability, 60);
    let Some(row) = capability::find(&request.capability) else {
        let near = did_you_mean(&request.capability, capability::TABLE.iter().map(|c| c.name));
        let text = format!(
            "`module.configure` asks for the capability {shown:?}, which does not exist{near}; `tenter grant --help` lists them"
        );
        return Err(AdmitError::new("capability", text));
    };
    let scope = escape(&request.scope, 200);
    if row.name == "http" && scope != "*" && !scope.is_empty() {
        let wrong = |why: String| {
            let text = format!("`module.configure` asks for \"http\" with the scope {scope:?}: {why}");
            AdmitError::new("capability", text)
        };
        if !Pattern::parse(&scope).map_err(wrong)?.networks().is_empty() {
            return Err(wrong(
                "which internal networks a module may reach is for the operator to say, in a grant; leave \"at …\" out"
                    .into(),
            ));
        }
    }
    match (row.scope.is_empty(), scope.is_empty()) {
        (true, false) => Err(AdmitError::new(
            "capability",
            format!(
                "`module.configure` asks for {shown:?} with the scope {scope:?}; this capability has none, leave it empty"
            ),
        )),
        (false, true) if row.needs_scope() => Err(AdmitError::new(
            "capability",
            format!("`module.configure` asks for {shown:?} without a scope; expected {}", row.scope),
        )),
        _ => {
            let grant = Grant { capability: request.capability, scope };
            let wrong = |why| AdmitError::new("capability", format!("`module.configure` asks for {shown:?}: {why}"));
            grant.check().map_err(wrong)?;
            Ok(grant)
        }
    }
}

/// A call that failed; the end of the log often tells why, such as the text of a panic.
pub(crate) fn failed(code: &'static str, what: &str, failure: &HookFailure, room: &Room) -> AdmitError {
    const LINES: usize = 4;
    let logs = &room.guest().call.logs;
    let last: Vec<_> = logs.iter().skip(logs.len().saturating_sub(LINES)).map(|l| l.message.as_str()).collect();
    let log = if last.is_empty() { String::new() } else { format!("; its log ends with: {}", last.join(" | ")) };
    AdmitError::new(code, format!("{what} ({}): {}{log}", failure.reason, failure.message))
}

fn missing(missing: Missing) -> AdmitError {
    let text = match missing {
        Missing::Interface { interface, exported } => format!(
            "the component does not export {}, which every module has; it exports {}; build it with one of the Tenter SDKs, or against a world that includes `tenter:hooks/base`",
            full_name(interface),
            list(&exported)
        ),
        Missing::Version { interface, found } => format!(
            "the component exports {}, this host speaks {}; build it against version {VERSION} of the WIT package tenter:hooks",
            escape(&found, 100),
            full_name(interface)
        ),
        Missing::Type { interface, message } => format!(
            "the component exports {}, but not with the types of version {VERSION}: {message}; build it against the WIT package of this host",
            full_name(interface)
        ),
    };
    AdmitError::new("export", text)
}

fn no_family(component: &wasmtime::component::Component) -> AdmitError {
    let families: Vec<_> = tenter_model::Family::ALL.iter().map(|f| full_name(f.interface())).collect();
    AdmitError::new(
        "export",
        format!(
            "the component exports no family of hooks; it exports {}, expected at least one of {}",
            list(&crate::component::exported(component)),
            families.join(", ")
        ),
    )
}

fn list(names: &[String]) -> String {
    const MOST: usize = 12;
    if names.is_empty() {
        return "nothing".to_owned();
    }
    let mut shown: Vec<_> = names.iter().take(MOST).map(|n| escape(n, 100)).collect();
    if names.len() > MOST {
        shown.push(format!("and {} more", names.len() - MOST));
    }
    shown.join(", ")
}

#[cfg(test)]
#[path = "admit/fuzz_tests.rs"]
mod fuzz_tests;
