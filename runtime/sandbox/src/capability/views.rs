//! `views`: current values of entities beyond the view at hand, for correlations alone.

use wasmtime::Result;

use super::View;
use super::entities::canonical;
use crate::bindings::tenter::hooks::types::{EntityRef as WitEntity, EntityView};
use crate::bindings::tenter::hooks::views::{Host, ViewError};
use crate::convert::view::entity_view_to_wit;

impl View<'_> {
    fn current(&mut self, entity: &WitEntity) -> std::result::Result<Option<EntityView>, ViewError> {
        let Some(views) = self.call.offer.views.clone() else { return Err(ViewError::Denied) };
        if !self.is_granted("read-entities", &entity.etype) {
            return Err(ViewError::Denied);
        }
        let spec = self.facts.schema.entity(&entity.etype).ok_or(ViewError::UnknownType)?;
        let entity = canonical(spec, entity).map_err(ViewError::Other)?;
        Ok(views.entity_view(&entity).map(|view| entity_view_to_wit(&view)))
    }
}

impl Host for View<'_> {
    fn fetch(&mut self, entity: WitEntity) -> Result<std::result::Result<Option<EntityView>, ViewError>> {
        self.call.charge(entity.etype.len() + entity.eid.len())?;
        Ok(self.current(&entity))
    }
}
