//! Notes on a domain that nothing new was heard of it for long: the time of its newest statement, which only the record
//! tells.

use serde::Deserialize;
use tenter_sdk::prelude::*;

const DAY: u64 = 24 * 3600;

#[derive(Deserialize)]
struct StaleNotes {
    /// Days without news after which a domain counts as stale.
    after_days: i64,
}

impl Module for StaleNotes {
    const TITLE: &'static str = "Note what is stale";

    fn parameters() -> Vec<Parameter> {
        vec![
            Parameter::new("integer", "after_days")
                .title("Days without news")
                .description("A domain is stale when its newest statement is older.")
                .default_json("90"),
        ]
    }

    fn new(config: &Config) -> Result<Self> {
        config.parse()
    }

    fn register(&self, on: &mut Registrar<Self>) {
        on.update_record("domain", DAY, Self::look);
        on.request("write-entities", "domain.stale_since");
    }
}

impl StaleNotes {
    fn look(&mut self, record: &MasterRecord) -> Option<Task> {
        let news = record.attributes.iter().flat_map(|a| record.observations(&a.attr)).map(|point| point.t2).max()?;
        let stale = call::now().since(news) > self.after_days * Timestamp::DAY;
        // What was noted before need not be noted again, and would keep every domain busy.
        let noted = record.plain("stale_since").and_then(Value::as_time) == Some(news);
        (stale && !noted).then(|| Task::on(record.entity.clone()).plain("stale_since", news))
    }
}

tenter_sdk::export!(StaleNotes: update);

#[cfg(test)]
mod tests;
