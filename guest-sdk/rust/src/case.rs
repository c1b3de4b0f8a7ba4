//! What case hooks see and answer.

use serde::de::DeserializeOwned;

pub use crate::bindings::cases::exports::tenter::hooks::cases::{
    Attachment, CaseObject, Context, CustomField, Edit, Effect, Event, Field, Judgement, ManualOutcome, Media,
    NewObject, ObjectRef, Outcome, Patch, Proposal, Report, Trigger, User, Written,
};
use crate::error::{HookError, Result};
use crate::task::Task;

impl Proposal {
    /// The body as a type of the module's own.
    ///
    /// # Errors
    /// [`HookError::InvalidInput`] when the body has another shape.
    pub fn parse<T: DeserializeOwned>(&self) -> Result<T> {
        parse(&self.body)
    }
}

impl CaseObject {
    /// The body as a type of the module's own.
    ///
    /// # Errors
    /// [`HookError::InvalidInput`] when the body has another shape.
    pub fn parse<T: DeserializeOwned>(&self) -> Result<T> {
        parse(&self.body)
    }
}

fn parse<T: DeserializeOwned>(body: &str) -> Result<T> {
    serde_json::from_str(body).map_err(|e| HookError::InvalidInput(format!("body of the object: {e}")))
}

impl Judgement {
    /// Denies, with the reason.
    pub fn because(reason: impl Into<String>) -> Self {
        Self::Denied(reason.into())
    }

    /// Replaces the data.
    #[must_use]
    pub fn replaced(body: &serde_json::Value) -> Self {
        Self::Replaced(body.to_string())
    }
}

impl Patch {
    /// An empty patch of an object. It is refused when the object has changed since.
    #[must_use]
    pub fn of(object: &CaseObject) -> Self {
        Self { target: object.target.clone(), expected_version: Some(object.version), edits: Vec::new() }
    }

    /// Lets the last write win: the patch applies even when the object has changed since.
    #[must_use]
    pub fn of_any_version(mut self) -> Self {
        self.expected_version = None;
        self
    }

    /// Adds an edit.
    #[must_use]
    pub fn edit(mut self, edit: Edit) -> Self {
        self.edits.push(edit);
        self
    }

    /// Adds a tag to the object.
    #[must_use]
    pub fn add_tag(self, tag: impl Into<String>) -> Self {
        self.edit(Edit::AddTag(tag.into()))
    }

    /// Removes a tag of the object.
    #[must_use]
    pub fn remove_tag(self, tag: impl Into<String>) -> Self {
        self.edit(Edit::RemoveTag(tag.into()))
    }

    /// Adds text at the end of the description.
    #[must_use]
    pub fn append_description(self, text: impl Into<String>) -> Self {
        self.edit(Edit::AppendDescription(text.into()))
    }

    /// Sets a field.
    #[must_use]
    pub fn set_field(self, name: impl Into<String>, value: &serde_json::Value) -> Self {
        self.edit(Edit::SetField(Field { name: name.into(), json: value.to_string() }))
    }
}

impl ManualOutcome {
    /// Does nothing and shows nothing.
    #[must_use]
    pub fn nothing() -> Self {
        Self { effects: Vec::new(), tasks: Vec::new(), report: None }
    }

    /// Shows the person who clicked a text.
    #[must_use]
    pub fn report(mut self, message: impl Into<String>, media: Media, content: impl Into<String>) -> Self {
        self.report = Some(Report { message: message.into(), media, content: content.into() });
        self
    }
}

impl Outcome {
    /// Does nothing.
    #[must_use]
    pub fn nothing() -> Self {
        Self { effects: Vec::new(), tasks: Vec::new() }
    }
}

macro_rules! effects {
    ($($name:ident),*) => { $(
        impl Default for $name {
            fn default() -> Self {
                Self::nothing()
            }
        }

        impl $name {
            /// Adds a patch of an object.
            #[must_use]
            pub fn patch(mut self, patch: Patch) -> Self {
                self.effects.push(Effect::Patch(patch));
                self
            }

            /// Adds an object that comes into being.
            #[must_use]
            pub fn create(mut self, object: impl Into<String>, case_id: Option<i64>, body: &serde_json::Value) -> Self {
                let new =
                    NewObject { object: object.into(), case_id, body: body.to_string(), attachments: Vec::new() };
                self.effects.push(Effect::Create(new));
                self
            }

            /// Adds a task.
            #[must_use]
            pub fn task(mut self, task: Task) -> Self {
                self.tasks.push(task);
                self
            }
        }
    )* };
}

effects!(Outcome, ManualOutcome);
