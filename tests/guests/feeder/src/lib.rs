//! Returns tasks for which no rule of one call alone would stop it. The `note` of an address says which:
//! * `fan N M …` returns N tasks on addresses below this one, each with the note `fan M …`;
//! * `stranger` returns a task of an entity type that nobody specified;
//! * `reach` writes an attribute that it was not granted;
//! * `remove` removes the entity.
//!
//! Asked whether an address in 10.66.0.0/16 may be, it panics.

use tenter_sdk::prelude::*;

struct Feeder;

impl Module for Feeder {
    const TITLE: &'static str = "Return too many tasks, or the wrong ones";

    fn new(_: &Config) -> Result<Self> {
        Ok(Self)
    }

    fn register(&self, on: &mut Registrar<Self>) {
        on.allow_entity_creation("ip", Self::admit);
        on.on_new_attribute("ip", "note", Self::feed);
        on.request("write-entities", "ip.note");
    }
}

impl Feeder {
    fn admit(&mut self, task: &Task) -> Result<Verdict> {
        assert!(!task.entity.eid.starts_with("10.66."), "no opinion on {}", task.entity.eid);
        Ok(Verdict::Allow)
    }

    fn feed(&mut self, ip: &EntityRef, note: &Datapoint) -> Result<Vec<Task>> {
        let text = note.value.as_str().unwrap_or_default();
        Ok(match text.split_once(' ').unwrap_or((text, "")) {
            ("fan", numbers) => {
                let (n, rest) = numbers.split_once(' ').unwrap_or((numbers, ""));
                let n: u32 = n.parse().map_err(HookError::invalid)?;
                let base: std::net::Ipv4Addr = ip.parse()?;
                let note = if rest.is_empty() { "done".to_owned() } else { format!("fan {rest}") };
                // Children of different parents are different: their parents differ in another byte.
                let below = |i| (u32::from(base) << 8 | i) & 0x00ff_ffff | 0x0a00_0000;
                (0..n)
                    .map(|i| {
                        Task::of("ip", std::net::Ipv4Addr::from(below(i)).to_string()).plain("note", note.as_str())
                    })
                    .collect()
            }
            ("stranger", _) => vec![Task::of("stranger", "x").plain("note", "x")],
            ("reach", _) => vec![Task::on(ip.clone()).plain("label", "mine")],
            ("remove", _) => vec![Task::on(ip.clone()).delete()],
            _ => Vec::new(),
        })
    }
}

tenter_sdk::export!(Feeder: ingest);
