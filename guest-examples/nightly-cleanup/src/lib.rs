//! Removes names that never resolved, at night.
//!
//! Names that a resolver did not know are noted in the module's state when the answer arrives; that costs little. The
//! cron hook goes through the notes, looks into the record of each name, and asks for removal of what is old enough.
//! The slot fires in every lane; the tasks enter once.

use serde::Deserialize;
use tenter_sdk::prelude::*;

/// Notes looked at in one night. What is left over is for the next one.
const AT_MOST: u32 = 1000;

#[derive(Deserialize)]
struct NightlyCleanup {
    /// Hour of the day, UTC.
    hour: u8,
    /// Names younger than this are left alone.
    keep_days: i64,
}

impl Module for NightlyCleanup {
    const TITLE: &'static str = "Remove names that never resolved";

    fn parameters() -> Vec<Parameter> {
        vec![
            Parameter::new("integer", "hour").title("Hour of the day, UTC").default_json("3"),
            Parameter::new("integer", "keep_days")
                .title("Days to keep a name")
                .description("A name that is known for a shorter time is left alone.")
                .default_json("30"),
        ]
    }

    fn new(config: &Config) -> Result<Self> {
        let module: Self = config.parse()?;
        if module.hour > 23 || module.keep_days < 0 {
            return Err(HookError::invalid("expected an `hour` of 0 to 23 and `keep_days` of 0 or more"));
        }
        Ok(module)
    }

    fn register(&self, on: &mut Registrar<Self>) {
        on.on_new_attribute("domain", "response", Self::note);
        // The id stays when the hour changes.
        on.cron(Cron::new().hour(self.hour.to_string()), Self::clean).id("nightly").grace(3600);
        on.request("state", "");
        on.request("read-entities", "domain");
        on.request("delete-entity", "domain");
    }
}

impl NightlyCleanup {
    fn note(&mut self, domain: &EntityRef, response: &Datapoint) -> Result<()> {
        if response.value.as_str() == Some("NXDOMAIN") {
            state::store(&format!("unknown/{}", domain.eid), "", None)?;
        }
        Ok(())
    }

    fn clean(&mut self, _: &str) -> Result<()> {
        let oldest_to_keep = call::now() - self.keep_days * Timestamp::DAY;
        let mut removals = Vec::new();
        for key in state::keys("unknown/", None, AT_MOST)? {
            let domain = EntityRef::new("domain", key.trim_start_matches("unknown/"));
            match entities::read_record(&domain)? {
                // Too young to judge: the note stays.
                Some(record) if record.created.is_none_or(|created| created > oldest_to_keep.as_micros()) => continue,
                Some(record) if record.history("resolves_to").is_none() => removals.push(Task::on(domain).delete()),
                // It resolved after all, or is gone.
                _ => {}
            }
            state::discard(&key)?;
        }
        log::info!("{} names that never resolved go", removals.len());
        tasks::submit(&removals)?;
        Ok(())
    }
}

tenter_sdk::export!(NightlyCleanup: ingest, schedule);

#[cfg(test)]
mod tests;
