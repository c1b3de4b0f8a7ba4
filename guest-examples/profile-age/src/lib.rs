//! Tells how long a profile has been known and on how many statements it rests. Current values do not say that; the
//! record does.

use tenter_sdk::prelude::*;
use tenter_sdk::record::Observation;

struct ProfileAge;

impl Module for ProfileAge {
    const TITLE: &'static str = "Age of a profile";

    fn new(_: &Config) -> Result<Self> {
        Ok(Self)
    }

    fn register(&self, on: &mut Registrar<Self>) {
        on.correlate_with_record("ip", NO_PATHS, ["known_days", "statements"], Self::age);
        on.request("write-entities", "ip.known_days");
        on.request("write-entities", "ip.statements");
    }
}

impl ProfileAge {
    fn age(&mut self, view: &View, record: &MasterRecord) -> Option<Changes> {
        let points: Vec<Observation> = record.attributes.iter().flat_map(|a| record.observations(&a.attr)).collect();
        let first = points.iter().map(|point| point.t1).min()?;
        let last = points.iter().map(|point| point.t2).max()?;
        let statements = i64::try_from(points.len()).ok()?;
        Some(view.changes().set("known_days", last.since(first) / Timestamp::DAY).set("statements", statements))
    }
}

tenter_sdk::export!(ProfileAge: snapshot);

#[cfg(test)]
mod tests;
