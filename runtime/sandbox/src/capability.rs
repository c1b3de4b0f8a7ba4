//! Host imports, one file each. Each is a view: a struct of what the import needs of the store's data.
//!
//! An import proves nothing, since many languages import their whole world: everything is linked, and what is not
//! granted answers that it is denied.

pub(crate) mod call;
pub(crate) mod entities;
pub(crate) mod http;
pub(crate) mod log;
pub(crate) mod resolver;
pub(crate) mod secrets;
pub(crate) mod state;
pub(crate) mod tasks;
pub(crate) mod views;

use wasmtime::Result;
use wasmtime::component::{HasData, Linker};

use crate::bindings::tenter::hooks;
use crate::guest::{CallState, Guest, ModuleFacts, Refusal};

/// Links all of them.
pub(crate) fn add_to_linker(linker: &mut Linker<Guest>) -> Result<()> {
    hooks::log::add_to_linker::<_, Has>(linker, view)?;
    hooks::call::add_to_linker::<_, Has>(linker, view)?;
    hooks::state::add_to_linker::<_, Has>(linker, view)?;
    hooks::entities::add_to_linker::<_, Has>(linker, view)?;
    hooks::views::add_to_linker::<_, Has>(linker, view)?;
    hooks::tasks::add_to_linker::<_, Has>(linker, view)?;
    hooks::http::add_to_linker::<_, Has>(linker, view)?;
    hooks::resolver::add_to_linker::<_, Has>(linker, view)?;
    hooks::secrets::add_to_linker::<_, Has>(linker, view)
}

/// Marks [`View`] as what imports get.
pub(crate) struct Has;

impl HasData for Has {
    type Data<'a> = View<'a>;
}

/// What imports need: the call, facts of the module, and the store behind.
pub(crate) struct View<'a> {
    pub(crate) call: &'a mut CallState,
    pub(crate) facts: &'a ModuleFacts,
    pub(crate) data: &'a dyn tenter_model::host::HostData,
}

fn view(guest: &mut Guest) -> View<'_> {
    View { call: &mut guest.call, facts: &guest.facts, data: &*guest.data }
}

impl View<'_> {
    /// Whether the module may do this; a refusal is remembered.
    pub(crate) fn is_granted(&mut self, capability: &'static str, scope: &str) -> bool {
        let granted = self.facts.settings.is_granted(capability, scope);
        if !granted {
            self.call.refusal = Some(Refusal::NotGranted(capability));
        }
        granted
    }

    /// Hides an error of the store from the guest; the operator finds it in the log of the process.
    pub(crate) fn store_failed(&self, error: &str) -> String {
        tracing::error!(module = %self.facts.name, call = %self.call.id, error, "the store failed during a host call");
        "the host's store failed".to_owned()
    }
}
