//! `entities`: what is stored, as of the last commit, and the entity specification.

use tenter_model::id::{EntityRef, EntityType};
use tenter_model::schema::EntitySpec;
use wasmtime::Result;

use super::View;
use crate::bindings::tenter::hooks::entities::{Host, ReadError};
use crate::bindings::tenter::hooks::types::{EntityRef as WitEntity, MasterRecord};
use crate::convert::record::record_to_wit;
use crate::guest::Stage;

impl View<'_> {
    /// The entity, when the module may read it.
    fn readable(&mut self, entity: &WitEntity) -> std::result::Result<EntityRef, ReadError> {
        if self.call.stage == Stage::Start {
            return Err(ReadError::Other("entities can be read in hooks alone".into()));
        }
        if !self.is_granted("read-entities", &entity.etype) {
            return Err(ReadError::Denied);
        }
        let spec = self.facts.schema.entity(&entity.etype).ok_or(ReadError::UnknownType)?;
        canonical(spec, entity).map_err(ReadError::Other)
    }
}

/// The entity with its id made canonical, so that any spelling finds it; or why it is none.
pub(super) fn canonical(spec: &EntitySpec, entity: &WitEntity) -> std::result::Result<EntityRef, String> {
    let eid = spec.id_type.parse(&entity.eid)?;
    let etype = EntityType::new(&entity.etype).map_err(|e| e.to_string())?;
    Ok(EntityRef { etype, eid })
}

impl Host for View<'_> {
    fn read_record(&mut self, entity: WitEntity) -> Result<std::result::Result<Option<MasterRecord>, ReadError>> {
        self.call.charge(entity.etype.len() + entity.eid.len())?;
        Ok(self.readable(&entity).and_then(|entity| match self.data.read_record(&entity) {
            Ok(record) => Ok(record.map(|r| record_to_wit(&entity, &r))),
            Err(error) => Err(ReadError::Other(self.store_failed(&error))),
        }))
    }

    fn known(&mut self, entity: WitEntity) -> Result<std::result::Result<bool, ReadError>> {
        self.call.charge(entity.etype.len() + entity.eid.len())?;
        Ok(self.readable(&entity).and_then(|entity| {
            self.data.is_known(&entity).map_err(|error| ReadError::Other(self.store_failed(&error)))
        }))
    }

    fn schema(&mut self) -> Result<String> {
        self.call.charge(0)?;
        Ok(self.facts.schema_json.as_ref().to_owned())
    }

    fn case_hooks(&mut self) -> Result<Vec<String>> {
        self.call.charge(0)?;
        Ok(tenter_model::case::TABLE.iter().map(tenter_model::case::CaseHook::iris_name).collect())
    }
}
