//! Answers each observation of `node.note` with one of `node.echo` of the same value and the same times, and counts per
//! entity in its state what it answered. Values that are unique in the test make both countable: a follow-up task that
//! is lost or doubled shows as a missing or a second echo, a change of state that is as a count that does not agree.

use tenter_sdk::prelude::*;

struct EchoNote;

impl Module for EchoNote {
    const TITLE: &'static str = "Echo of each note";

    fn new(_: &Config) -> Result<Self> {
        Ok(Self)
    }

    fn register(&self, on: &mut Registrar<Self>) {
        on.on_new_attribute("node", "note", Self::echo);
        on.request("write-entities", "node.echo");
        on.request("state", "");
    }
}

impl EchoNote {
    fn echo(&mut self, node: &EntityRef, note: &Datapoint) -> Result<Task> {
        state::increment(&format!("echoed/{}", node.eid), 1)?;
        Ok(Task::on(node.clone()).alongside("echo", note.value.clone(), note))
    }
}

tenter_sdk::export!(EchoNote: ingest);
