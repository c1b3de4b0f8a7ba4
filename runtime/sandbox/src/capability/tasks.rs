//! `tasks`: for `schedule.cron` alone; every other hook returns its tasks.
//!
//! The guest gets ids at once, though nothing commits before the call has ended well. So an id is a function of the
//! timer's slot and of the place of the task among what the call submits, and says nothing about the lane.

use tenter_model::TaskId;
use tenter_model::id::{ModuleName, SubscriptionId};
use tenter_model::task::TaskBody;
use wasmtime::Result;

use super::View;
use crate::bindings::tenter::hooks::tasks::{Host, SubmitError};
use crate::bindings::tenter::hooks::types::Task;
use crate::convert::task::{bytes_of, tasks_from_wit};
use crate::text::message;

type Answer = std::result::Result<Vec<String>, SubmitError>;

/// What a call of a timer has submitted so far.
pub(crate) struct Submission {
    slot: TaskId,
    module: ModuleName,
    subscription: SubscriptionId,
    /// Tasks that there is still room for.
    room: usize,
    /// One list for each `submit` that was taken.
    taken: Vec<Vec<TaskBody>>,
}

impl Submission {
    /// Nothing yet. `most`: tasks of the whole call.
    pub(crate) fn new(slot: TaskId, module: &ModuleName, subscription: &SubscriptionId, most: u32) -> Self {
        let (module, subscription) = (module.clone(), subscription.clone());
        Self { slot, module, subscription, room: most as usize, taken: Vec::new() }
    }

    /// All that was taken.
    pub(crate) fn finish(self) -> Vec<Vec<TaskBody>> {
        self.taken
    }

    fn submit(&mut self, tasks: Vec<Task>) -> Answer {
        let Some(room) = self.room.checked_sub(tasks.len()) else { return Err(SubmitError::Budget) };
        let tasks = tasks_from_wit(tasks).map_err(|bad| SubmitError::Invalid(message(&bad.to_string())))?;
        // Both numbers are below the limit of tasks, but for submissions of nothing, which have no ids.
        let stage = u32::try_from(self.taken.len()).unwrap_or(u32::MAX);
        let id = |n| TaskId::follow_up(self.slot, &self.module, &self.subscription, stage, n).to_string();
        let ids = (0u32..).zip(&tasks).map(|(n, _)| id(n)).collect();
        self.room = room;
        self.taken.push(tasks);
        Ok(ids)
    }
}

impl Host for View<'_> {
    fn submit(&mut self, tasks: Vec<Task>) -> Result<Answer> {
        self.call.charge(bytes_of(&tasks))?;
        Ok(match &mut self.call.offer.tasks {
            Some(submission) => submission.submit(tasks),
            None => Err(SubmitError::Denied),
        })
    }
}
