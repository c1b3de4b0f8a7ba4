//! Tasks and datapoints: what hooks get, and what they return.

use std::fmt;
use std::str::FromStr;

pub use crate::bindings::imports::tenter::hooks::types::{Datapoint, Task, TtlToken, Verdict};
use crate::error::{HookError, Result};
use crate::time::Timestamp;
pub(crate) use crate::value::EntityRef;
use crate::value::{Series, Value};

impl EntityRef {
    /// The entity of that type and id. The id is text; the host brings it into canonical form.
    pub fn new(etype: impl Into<String>, eid: impl fmt::Display) -> Self {
        Self { etype: etype.into(), eid: eid.to_string() }
    }

    /// The id as a typed value, such as `entity.parse::<IpAddr>()?`.
    ///
    /// # Errors
    /// [`HookError::InvalidInput`] when the id is no such value.
    pub fn parse<T: FromStr<Err: fmt::Display>>(&self) -> Result<T> {
        self.eid.parse().map_err(|e| HookError::InvalidInput(format!("id of {self}: {e}")))
    }
}

impl fmt::Display for EntityRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.etype, self.eid)
    }
}

impl<T: Into<String>, I: fmt::Display> From<(T, I)> for EntityRef {
    fn from((etype, eid): (T, I)) -> Self {
        Self::new(etype, eid)
    }
}

impl Datapoint {
    /// A value of a plain attribute.
    pub fn plain(attr: impl Into<String>, value: impl Into<Value>) -> Self {
        Self { attr: attr.into(), value: value.into(), src: None, t1: None, t2: None, confidence: None }
    }

    /// A value that holds from `t1` to `t2`.
    pub fn observation(
        attr: impl Into<String>,
        value: impl Into<Value>,
        t1: impl Into<Timestamp>,
        t2: impl Into<Timestamp>,
    ) -> Self {
        Self { t1: Some(t1.into().0), t2: Some(t2.into().0), ..Self::plain(attr, value) }
    }

    /// A chunk of a timeseries, from `t1` to `t2`.
    pub fn timeseries(
        attr: impl Into<String>,
        t1: impl Into<Timestamp>,
        t2: impl Into<Timestamp>,
        series: Vec<Series>,
    ) -> Self {
        Self::observation(attr, series, t1, t2)
    }

    /// A value with the times and the confidence of another datapoint, from which it was derived.
    pub fn alongside(attr: impl Into<String>, value: impl Into<Value>, of: &Self) -> Self {
        Self { t1: of.t1, t2: of.t2, confidence: of.confidence, ..Self::plain(attr, value) }
    }

    /// Sets the source. Without it, the source is the module's name.
    #[must_use]
    pub fn src(mut self, src: impl Into<String>) -> Self {
        self.src = Some(src.into());
        self
    }

    /// Sets the confidence, 0 to 1.
    #[must_use]
    pub fn confidence(mut self, confidence: f64) -> Self {
        self.confidence = Some(confidence);
        self
    }

    /// Start of validity; absent for plain attributes.
    #[must_use]
    pub fn t1(&self) -> Option<Timestamp> {
        self.t1.map(Timestamp)
    }

    /// End of validity; `t1` when it was not given.
    #[must_use]
    pub fn t2(&self) -> Option<Timestamp> {
        self.t2.or(self.t1).map(Timestamp)
    }
}

impl Task {
    /// An empty task on an entity; the methods below fill it. A task needs a datapoint, a token or `delete`.
    ///
    /// ```
    /// use tenter_sdk::{Task, Timestamp};
    /// let now = Timestamp::from_secs(1_767_225_600);
    /// let task = Task::of("ip", "192.0.2.1")
    ///     .plain("label", "private")
    ///     .observation("services", "http", now - Timestamp::HOUR, now)
    ///     .confidence(0.9)
    ///     .ttl("seen", now + 7 * Timestamp::DAY);
    /// assert_eq!(task.datapoints.len(), 2);
    /// ```
    pub fn of(etype: impl Into<String>, eid: impl fmt::Display) -> Self {
        Self::on(EntityRef::new(etype, eid))
    }

    /// An empty task on an entity.
    #[must_use]
    pub fn on(entity: EntityRef) -> Self {
        Self { entity, datapoints: Vec::new(), ttl_tokens: Vec::new(), tags: Vec::new(), remove_entity: false }
    }

    /// Adds a datapoint.
    #[must_use]
    pub fn with(mut self, datapoint: Datapoint) -> Self {
        self.datapoints.push(datapoint);
        self
    }

    /// Adds a value of a plain attribute.
    #[must_use]
    pub fn plain(self, attr: impl Into<String>, value: impl Into<Value>) -> Self {
        self.with(Datapoint::plain(attr, value))
    }

    /// Adds a link of a plain attribute.
    #[must_use]
    pub fn link(self, attr: impl Into<String>, target: impl Into<EntityRef>) -> Self {
        self.with(Datapoint::plain(attr, target.into()))
    }

    /// Adds a value that holds from `t1` to `t2`.
    #[must_use]
    pub fn observation(
        self,
        attr: impl Into<String>,
        value: impl Into<Value>,
        t1: impl Into<Timestamp>,
        t2: impl Into<Timestamp>,
    ) -> Self {
        self.with(Datapoint::observation(attr, value, t1, t2))
    }

    /// Adds a value with the times and the confidence of the datapoint that it was derived from.
    #[must_use]
    pub fn alongside(self, attr: impl Into<String>, value: impl Into<Value>, of: &Datapoint) -> Self {
        self.with(Datapoint::alongside(attr, value, of))
    }

    /// Adds a chunk of a timeseries, from `t1` to `t2`.
    #[must_use]
    pub fn timeseries(
        self,
        attr: impl Into<String>,
        t1: impl Into<Timestamp>,
        t2: impl Into<Timestamp>,
        series: Vec<Series>,
    ) -> Self {
        self.with(Datapoint::timeseries(attr, t1, t2, series))
    }

    /// Sets the confidence, 0 to 1, of the datapoint added last. Call it after one: tests panic otherwise.
    #[must_use]
    pub fn confidence(mut self, confidence: f64) -> Self {
        debug_assert!(!self.datapoints.is_empty(), "`confidence` applies to the datapoint added last; there is none");
        if let Some(last) = self.datapoints.last_mut() {
            last.confidence = Some(confidence);
        }
        self
    }

    /// Sets the source of the datapoint added last. Call it after one: tests panic otherwise.
    #[must_use]
    pub fn src(mut self, src: impl Into<String>) -> Self {
        debug_assert!(!self.datapoints.is_empty(), "`src` applies to the datapoint added last; there is none");
        if let Some(last) = self.datapoints.last_mut() {
            last.src = Some(src.into());
        }
        self
    }

    /// Keeps an entity with a limited lifetime alive until a time. A token only ever moves forward.
    #[must_use]
    pub fn ttl(mut self, token: impl Into<String>, until: impl Into<Timestamp>) -> Self {
        self.ttl_tokens.push(TtlToken { name: token.into(), until: Some(until.into().0) });
        self
    }

    /// Adds a tag: free text that travels with the task.
    #[must_use]
    pub fn tag(mut self, tag: impl Into<String>) -> Self {
        self.tags.push(tag.into());
        self
    }

    /// Asks for removal of the entity. Needs the capability `delete-entity`.
    #[must_use]
    pub fn delete(mut self) -> Self {
        self.remove_entity = true;
        self
    }

    /// The datapoints of an attribute, in order.
    pub fn of_attr<'a>(&'a self, attr: &'a str) -> impl Iterator<Item = &'a Datapoint> {
        self.datapoints.iter().filter(move |dp| dp.attr == attr)
    }
}

impl Verdict {
    /// Denies, with the reason.
    pub fn because(reason: impl Into<String>) -> Self {
        Self::Deny(reason.into())
    }
}

/// What a hook that returns tasks may return: nothing, one task, perhaps one, or many, with or without `Result`.
pub trait IntoTasks {
    /// The tasks, or why there are none.
    ///
    /// # Errors
    /// The hook's own.
    fn into_tasks(self) -> Result<Vec<Task>>;
}

impl IntoTasks for () {
    fn into_tasks(self) -> Result<Vec<Task>> {
        Ok(Vec::new())
    }
}

impl IntoTasks for Task {
    fn into_tasks(self) -> Result<Vec<Task>> {
        Ok(vec![self])
    }
}

impl IntoTasks for Option<Task> {
    fn into_tasks(self) -> Result<Vec<Task>> {
        Ok(self.into_iter().collect())
    }
}

impl IntoTasks for Vec<Task> {
    fn into_tasks(self) -> Result<Vec<Task>> {
        Ok(self)
    }
}

impl<T: IntoTasks> IntoTasks for Result<T> {
    fn into_tasks(self) -> Result<Vec<Task>> {
        self.and_then(IntoTasks::into_tasks)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_task_is_built_and_read() {
        let from = Datapoint::observation("open_ports", 80u16, 10, 20).confidence(0.5);
        let task = Task::of("ip", 7)
            .alongside("services", "http", &from)
            .src("scan")
            .link("site", ("site", "a"))
            .ttl("t", 9)
            .tag("x")
            .delete();
        assert_eq!(task.entity.to_string(), "ip/7");
        assert_eq!(task.entity.parse::<u8>(), Ok(7));
        let dp = task.of_attr("services").next().unwrap();
        assert_eq!((dp.t1(), dp.t2(), dp.confidence), (Some(Timestamp(10)), Some(Timestamp(20)), Some(0.5)));
        assert_eq!(dp.src.as_deref(), Some("scan"));
        assert!(task.remove_entity);
        assert_eq!(
            EntityRef::new("ip", "x").parse::<std::net::IpAddr>().unwrap_err().to_string(),
            "invalid input: id of ip/x: invalid IP address syntax"
        );
    }

    #[test]
    #[should_panic(expected = "applies to the datapoint added last")]
    fn confidence_needs_a_datapoint() {
        drop(Task::of("ip", "a").confidence(0.5));
    }
}
