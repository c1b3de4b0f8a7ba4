//! Tasks that hooks propose.

use super::datapoint::Draft;
use super::{InputError, LocStep, scalar};
use crate::datapoint::DataPoint;
use crate::id::EntityRef;
use crate::schema::{EntitySpec, Schema};
use crate::task::TaskBody;

impl Schema {
    /// A task that a hook returned, in canonical form. The rules are those of datapoints from outside, and numbers
    /// must be finite.
    ///
    /// # Errors
    /// Everything that is wrong with it; places are `eid`, `datapoints[1].t2`, `ttl_tokens.base`.
    pub fn accept_task(&self, task: TaskBody) -> Result<TaskBody, Vec<InputError>> {
        let TaskBody { entity, datapoints, mut ttl_tokens, tags, delete } = task;
        let spec = self.known_entity(entity.etype.as_str()).map_err(|e| vec![InputError::value("etype", e)])?;
        let mut errors = Vec::new();
        if datapoints.is_empty() && ttl_tokens.is_empty() && !delete {
            let message =
                "DataPointTask must contain at least one datapoint, non-empty ttl_tokens, or be a delete task.";
            errors.push(InputError { loc: Vec::new(), message: message.to_owned(), kind: "value_error" });
        }
        let eid = spec.id_type.parse(entity.eid.as_str()).map_err(|e| errors.push(InputError::value("eid", e)));
        let mut accepted = Vec::with_capacity(datapoints.len());
        for (i, dp) in datapoints.into_iter().enumerate() {
            match self.accept_datapoint(spec, dp) {
                Ok(dp) => accepted.push(dp),
                Err(e) => errors.push(e.within([LocStep::Str("datapoints".to_owned()), LocStep::Int(i)])),
            }
        }
        for (name, until) in &mut ttl_tokens {
            if let Some(Err(e)) = until.map(scalar::in_range) {
                errors.push(InputError::value(name, e).within([LocStep::Str("ttl_tokens".to_owned())]));
            }
        }
        match eid {
            Ok(eid) if errors.is_empty() => Ok(TaskBody {
                entity: EntityRef { etype: spec.id.clone(), eid },
                datapoints: accepted,
                ttl_tokens,
                tags,
                delete,
            }),
            _ => Err(errors),
        }
    }

    /// The tasks of one hook call: all or none.
    ///
    /// # Errors
    /// Everything that is wrong; places are such as `tasks[3].datapoints[1].t2`.
    pub fn accept_tasks(&self, tasks: Vec<TaskBody>) -> Result<Vec<TaskBody>, Vec<InputError>> {
        let mut accepted = Vec::with_capacity(tasks.len());
        let mut errors = Vec::new();
        for (i, task) in tasks.into_iter().enumerate() {
            match self.accept_task(task) {
                Ok(task) => accepted.push(task),
                Err(list) => errors
                    .extend(list.into_iter().map(|e| e.within([LocStep::Str("tasks".to_owned()), LocStep::Int(i)]))),
            }
        }
        if errors.is_empty() { Ok(accepted) } else { Err(errors) }
    }

    /// A datapoint that a guest returned, for an entity of this type.
    fn accept_datapoint(&self, spec: &EntitySpec, dp: DataPoint) -> Result<DataPoint, InputError> {
        let attribute = spec.writable(dp.attr.as_str()).map_err(|e| InputError::value("attr", e))?;
        for (key, time) in [("t1", dp.t1), ("t2", dp.t2)] {
            if let Some(Err(e)) = time.map(scalar::in_range) {
                return Err(InputError::value(key, e));
            }
        }
        attribute.finish(Draft {
            value: attribute.value_from_guest(self, dp.value)?,
            src: dp.src,
            t1: dp.t1,
            t2: dp.t2,
            confidence: dp.confidence,
        })
    }
}
