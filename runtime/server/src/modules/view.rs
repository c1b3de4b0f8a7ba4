//! Modules as the operator is shown them.

use tenter_model::capability::Grant;
use tenter_model::hook::Subscription;
use tenter_model::module::{Descriptor, LoadedModule};
use tenter_model::parameter::{Kind, kind_of};
use tenter_model::{Family, ModuleName, Timestamp};
use tenter_store::{ModuleRow, VersionRow};

use super::grants::missing_grants;
use super::{Modules, State};

/// Who gave a grant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
pub(crate) enum GrantOrigin {
    /// `tenter grant`.
    #[serde(rename = "operator")]
    Operator,
    /// The configuration directory.
    #[serde(rename = "tenter.yml")]
    Site,
}

/// All there is to know of a module.
#[derive(Debug, Clone)]
pub(crate) struct ModuleView {
    pub(crate) name: ModuleName,
    pub(crate) enabled: bool,
    pub(crate) loaded: bool,
    pub(crate) problem: Option<String>,
    /// Mandatory parameters without a value: it is not configured, and not called.
    pub(crate) lacks: Vec<String>,
    pub(crate) position: u64,
    pub(crate) version: String,
    pub(crate) digest: String,
    pub(crate) size: u64,
    pub(crate) uploaded_at: Timestamp,
    pub(crate) descriptor: Descriptor,
    pub(crate) families: Vec<Family>,
    pub(crate) subscriptions: Vec<Subscription>,
    pub(crate) requests: Vec<Grant>,
    pub(crate) grants: Vec<(Grant, GrantOrigin)>,
    pub(crate) missing_grants: Vec<Grant>,
    pub(crate) versions: Vec<VersionRow>,
    /// A newer version that asks for more than is granted.
    pub(crate) waiting: Option<Waiting>,
    /// Where `rollback` leads: digest of the version that was active before.
    pub(crate) previous: Option<String>,
}

/// A version that waits for an operator's word.
#[derive(Debug, Clone)]
pub(crate) struct Waiting {
    pub(crate) version: String,
    pub(crate) digest: String,
    pub(crate) uploaded_at: Timestamp,
    /// What it asks for.
    pub(crate) requests: Vec<Grant>,
    /// Of these, what is not granted.
    pub(crate) missing: Vec<Grant>,
    /// Of the missing, what the version in use does not ask for.
    pub(crate) new: Vec<Grant>,
}

/// Why a module is not configured, and what to do, when it is not.
pub(super) fn unconfigured(module: &LoadedModule) -> Option<String> {
    let name = &module.name;
    let parameter = |lack: &String| module.descriptor.parameters.iter().find(|p| p.name == *lack);
    let first = parameter(module.lacks.first()?)?;
    let how = match kind_of(first) {
        Kind::Secret => format!("tenter secret set {name} {}", first.name),
        _ => format!("tenter module config {name} --set {}=VALUE", first.name),
    };
    Some(format!("not configured, it lacks {}: {how}", module.lacks.join(", ")))
}

impl Modules {
    pub(super) fn view(&self, state: &State, row: &ModuleRow) -> ModuleView {
        let loaded = state.loaded.get(&row.name);
        let settings = self.settings(&row.name, &row.grants, None);
        let site = self.site.tenter.modules.get(&row.name).map_or(&[][..], |s| s.grants.as_slice());
        let origin = |grant: &Grant| if site.contains(grant) { GrantOrigin::Site } else { GrantOrigin::Operator };
        let live = loaded.and_then(|result| result.as_ref().ok());
        let requests = live.map_or(&row.active.requests, |module| &module.requests);
        ModuleView {
            name: row.name.clone(),
            enabled: row.enabled,
            loaded: live.is_some_and(|module| module.lacks.is_empty()) && !state.misfits.contains_key(&row.name),
            problem: loaded
                .and_then(|result| result.as_ref().err())
                .or_else(|| state.misfits.get(&row.name))
                .cloned()
                .or_else(|| live.and_then(|module| unconfigured(module))),
            lacks: live.map(|module| module.lacks.clone()).unwrap_or_default(),
            position: row.position,
            version: row.active.version.clone(),
            digest: row.active.digest.clone(),
            size: row.active.size,
            uploaded_at: row.active.uploaded_at,
            descriptor: row.active.descriptor.clone(),
            families: row.active.families.clone(),
            subscriptions: live.map_or(&row.active.subscriptions, |module| &module.subscriptions).clone(),
            missing_grants: missing_grants(requests, &settings.grants),
            requests: requests.clone(),
            grants: settings.grants.iter().map(|g| (g.clone(), origin(g))).collect(),
            versions: row.versions.clone(),
            waiting: state.history.waiting(row).map(|version| {
                let missing = missing_grants(&version.requests, &settings.grants);
                Waiting {
                    version: version.version.clone(),
                    digest: version.digest.clone(),
                    uploaded_at: version.uploaded_at,
                    requests: version.requests.clone(),
                    new: missing.iter().filter(|grant| !requests.contains(grant)).cloned().collect(),
                    missing,
                }
            }),
            previous: state.history.previous(row).map(|version| version.digest.clone()),
        }
    }
}
