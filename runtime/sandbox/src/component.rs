//! A compiled component: which interfaces it exports, and how instances of it are made.

use std::sync::Arc;

use tenter_model::hook::Family;
use tenter_model::host::HookFailure;
use wasmtime::Store;
use wasmtime::component::{Component, Instance, InstancePre};

use crate::bindings::exports::tenter::hooks::{cases, ingest, module, schedule, snapshot, update};
use crate::files::Folders;
use crate::guest::{Guest, ModuleFacts};

/// Version of the contract that this host speaks.
pub(crate) const VERSION: &str = "0.1.0";

/// The sandbox's part of a loaded module.
pub(crate) struct ModuleCode {
    pub(crate) pre: InstancePre<Guest>,
    pub(crate) indices: Indices,
    pub(crate) facts: Arc<ModuleFacts>,
    /// What it may read.
    pub(crate) folders: Folders,
    /// What `configure` gets.
    pub(crate) config: String,
}

macro_rules! families {
    ($($family:ident: $interface:ident;)*) => {
        /// Where the functions of each exported interface are.
        pub(crate) struct Indices {
            module: module::GuestIndices,
            $($interface: Option<$interface::GuestIndices>,)*
        }

        /// The exported interfaces of an instance.
        pub(crate) struct Exports {
            pub(crate) module: module::Guest,
            $(pub(crate) $interface: Option<$interface::Guest>,)*
        }

        impl Indices {
            /// Looks for each name first and checks the type then, so that "absent" and "of the wrong type" are
            /// different answers.
            ///
            /// # Errors
            /// What is missing or wrong, in words.
            pub(crate) fn probe(component: &Component, pre: &InstancePre<Guest>) -> Result<Self, Missing> {
                let module = match find(component, "module")? {
                    true => module::GuestIndices::new(pre).map_err(|e| wrong_type("module", &e))?,
                    false => return Err(Missing::Interface { interface: "module", exported: exported(component) }),
                };
                Ok(Self {
                    module,
                    $($interface: match find(component, Family::$family.interface())? {
                        true => {
                            let found = $interface::GuestIndices::new(pre);
                            Some(found.map_err(|e| wrong_type(Family::$family.interface(), &e))?)
                        }
                        false => None,
                    },)*
                })
            }

            /// The families that are exported.
            pub(crate) fn families(&self) -> Vec<Family> {
                let mut families = Vec::new();
                $(if self.$interface.is_some() { families.push(Family::$family) })*
                families
            }

            /// The functions of an instance.
            pub(crate) fn load(&self, store: &mut Store<Guest>, instance: &Instance) -> wasmtime::Result<Exports> {
                Ok(Exports {
                    module: self.module.load(&mut *store, instance)?,
                    $($interface: match &self.$interface {
                        Some(indices) => Some(indices.load(&mut *store, instance)?),
                        None => None,
                    },)*
                })
            }
        }
    };
}

families! {
    Ingest: ingest;
    Snapshot: snapshot;
    Update: update;
    Schedule: schedule;
    Case: cases;
}

/// What is wrong with the exports of a component.
#[derive(Debug)]
pub(crate) enum Missing {
    /// An interface that must be there is not.
    Interface { interface: &'static str, exported: Vec<String> },
    /// It is there in another version.
    Version { interface: &'static str, found: String },
    /// It is there and has other types.
    Type { interface: &'static str, message: String },
}

/// Full name of an interface of the contract.
pub(crate) fn full_name(interface: &str) -> String {
    format!("tenter:hooks/{interface}@{VERSION}")
}

/// Names of all exports.
pub(crate) fn exported(component: &Component) -> Vec<String> {
    component.component_type().exports(component.engine()).map(|(name, _)| name.to_owned()).collect()
}

fn find(component: &Component, interface: &'static str) -> Result<bool, Missing> {
    if component.get_export_index(None, full_name(interface)).is_some() {
        return Ok(true);
    }
    let bare = format!("tenter:hooks/{interface}");
    let other = exported(component).into_iter().find(|name| name.split('@').next() == Some(bare.as_str()));
    match other {
        Some(found) => Err(Missing::Version { interface, found }),
        None => Ok(false),
    }
}

fn wrong_type(interface: &'static str, error: &wasmtime::Error) -> Missing {
    Missing::Type { interface, message: format!("{error:#}") }
}

/// The code of a loaded module, if it came from this sandbox.
pub(crate) fn code_of(module: &tenter_model::module::LoadedModule) -> Result<&ModuleCode, HookFailure> {
    module.code.downcast_ref().ok_or_else(|| {
        HookFailure::new(
            tenter_model::host::Reason::Host,
            format!("module {} was loaded by another host than the one that is to call it", module.name),
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_is_that_of_the_contract() {
        let wit = include_str!("../../../wit/types.wit");
        assert!(wit.contains(&format!("package tenter:hooks@{VERSION};")));
        assert_eq!(full_name("cases"), format!("tenter:hooks/cases@{VERSION}"));
    }
}
