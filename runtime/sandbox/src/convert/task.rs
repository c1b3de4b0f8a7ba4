//! Tasks and datapoints.

use tenter_model::host::{HookFailure, Reason};
use tenter_model::id::AttrName;
use tenter_model::task::TaskBody;
use tenter_model::{DataPoint, limits::CallLimits};

use super::value::{
    confidence_from_wit, entity_from_wit, entity_to_wit, time_from_wit, value_bytes, value_from_wit, value_into_wit,
    value_to_wit,
};
use super::{At, Bad, Checked, line};
use crate::bindings::tenter::hooks::types as wit;

/// Longest source of a datapoint, in bytes.
const MAX_SRC: usize = 512;
/// Longest tag, in bytes.
const MAX_TAG: usize = 1024;
/// Longest name of a TTL token, in bytes.
const MAX_TOKEN: usize = 128;

pub(crate) fn task_to_wit(task: &TaskBody) -> wit::Task {
    wit::Task {
        entity: entity_to_wit(&task.entity),
        datapoints: task.datapoints.iter().map(datapoint_to_wit).collect(),
        ttl_tokens: task
            .ttl_tokens
            .iter()
            .map(|(name, until)| wit::TtlToken { name: name.clone(), until: until.map(|t| t.0) })
            .collect(),
        tags: task.tags.clone(),
        remove_entity: task.delete,
    }
}

pub(crate) fn datapoint_to_wit(dp: &DataPoint) -> wit::Datapoint {
    wit::Datapoint {
        attr: dp.attr.as_str().to_owned(),
        value: value_to_wit(&dp.value),
        src: dp.src.clone(),
        t1: dp.t1.map(|t| t.0),
        t2: dp.t2.map(|t| t.0),
        confidence: dp.confidence,
    }
}

/// As [`datapoint_to_wit`], into texts that have room from an earlier call.
pub(crate) fn datapoint_into_wit(dp: &DataPoint, out: &mut wit::Datapoint) {
    dp.attr.as_str().clone_into(&mut out.attr);
    value_into_wit(&dp.value, &mut out.value);
    match (&dp.src, &mut out.src) {
        (Some(src), Some(room)) => src.clone_into(room),
        (src, room) => room.clone_from(src),
    }
    out.t1 = dp.t1.map(|t| t.0);
    out.t2 = dp.t2.map(|t| t.0);
    out.confidence = dp.confidence;
}

/// All tasks of an output, or why it is refused as a whole.
pub(crate) fn output_from_wit(tasks: Vec<wit::Task>, limits: &CallLimits) -> Result<Vec<TaskBody>, HookFailure> {
    let (count, limit) = (tasks.len(), limits.output_tasks as usize);
    if count > limit {
        let what = format!("returned {count} of {limit} tasks; {}", Reason::OutputCount.hint());
        return Err(HookFailure::new(Reason::OutputCount, what));
    }
    tasks_from_wit(tasks).map_err(Bad::into_failure)
}

pub(crate) fn tasks_from_wit(tasks: Vec<wit::Task>) -> Checked<Vec<TaskBody>> {
    tasks.into_iter().enumerate().map(|(i, task)| task_from_wit(task).at_index("tasks", i)).collect()
}

/// About how many bytes tasks take here, texts and items of lists.
pub(crate) fn bytes_of(tasks: &[wit::Task]) -> usize {
    let task = |t: &wit::Task| {
        let datapoint = |dp: &wit::Datapoint| {
            size_of_val(dp) + dp.attr.len() + dp.src.as_ref().map_or(0, String::len) + value_bytes(&dp.value)
        };
        size_of_val(t)
            + t.entity.etype.len()
            + t.entity.eid.len()
            + t.datapoints.iter().map(datapoint).sum::<usize>()
            + t.ttl_tokens.iter().map(|t| size_of_val(t) + t.name.len()).sum::<usize>()
            + t.tags.iter().map(|t| size_of_val(t) + t.len()).sum::<usize>()
    };
    tasks.iter().map(task).sum()
}

pub(crate) fn task_from_wit(task: wit::Task) -> Checked<TaskBody> {
    let entity = entity_from_wit(&task.entity).at("entity")?;
    let datapoints = task.datapoints.into_iter().enumerate();
    let datapoints =
        datapoints.map(|(i, dp)| datapoint_from_wit(dp).at_index("datapoints", i)).collect::<Checked<_>>()?;
    let tokens = task.ttl_tokens.into_iter().enumerate().map(|(i, token)| {
        let name = line(token.name, MAX_TOKEN).at("name").at_index("ttl-tokens", i)?;
        let until = token.until.map(time_from_wit).transpose().at("until").at_index("ttl-tokens", i)?;
        Ok((name, until))
    });
    let ttl_tokens = tokens.collect::<Checked<_>>()?;
    let tags = task.tags.into_iter().enumerate().map(|(i, tag)| line(tag, MAX_TAG).at_index("tags", i));
    Ok(TaskBody { entity, datapoints, ttl_tokens, tags: tags.collect::<Checked<_>>()?, delete: task.remove_entity })
}

pub(crate) fn datapoint_from_wit(dp: wit::Datapoint) -> Checked<DataPoint> {
    let t1 = dp.t1.map(time_from_wit).transpose().at("t1")?;
    let t2 = dp.t2.map(time_from_wit).transpose().at("t2")?;
    if let (Some(t1), Some(t2)) = (t1, t2)
        && t2 < t1
    {
        return Err(Bad::new(format!("{t2} is before t1, {t1}"))).at("t2");
    }
    Ok(DataPoint {
        attr: AttrName::new(&dp.attr).at("attr")?,
        value: value_from_wit(dp.value).at("value")?,
        src: dp.src.map(|src| line(src, MAX_SRC)).transpose().at("src")?,
        t1,
        t2,
        confidence: dp.confidence.map(confidence_from_wit).transpose().at("confidence")?,
    })
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::option::of;
    use proptest::prelude::*;
    use tenter_model::hook::Family;

    use super::super::value::tests::{entity, time, value};
    use super::*;

    fn datapoint() -> impl Strategy<Value = DataPoint> {
        let times = of((time(), time())).prop_map(|t| t.map(|(a, b)| (a.min(b), a.max(b))));
        ("[a-z_]{1,9}", value(), of("[a-z/ ]{0,9}"), times, of(0.0..=1.0)).prop_map(
            |(attr, value, src, t, confidence)| {
                let (t1, t2) = (t.map(|t| t.0), t.map(|t| t.1));
                DataPoint { attr: AttrName::new(&attr).unwrap(), value, src, t1, t2, confidence }
            },
        )
    }

    fn task() -> impl Strategy<Value = TaskBody> {
        let tokens = vec(("[a-z]{1,9}", of(time())), 0..3);
        (entity(), vec(datapoint(), 0..4), tokens, vec("[a-z ]{0,9}", 0..3), any::<bool>()).prop_map(
            |(entity, datapoints, ttl_tokens, tags, delete)| TaskBody { entity, datapoints, ttl_tokens, tags, delete },
        )
    }

    proptest! {
        #[test]
        fn tasks_survive_both_ways(task in task()) {
            prop_assert_eq!(task_from_wit(task_to_wit(&task)), Ok(task));
        }

        #[test]
        fn nothing_of_an_earlier_datapoint_stays(earlier in datapoint(), later in datapoint()) {
            let mut room = datapoint_to_wit(&earlier);
            datapoint_into_wit(&later, &mut room);
            prop_assert_eq!(room, datapoint_to_wit(&later));
        }
    }

    fn good() -> wit::Task {
        let datapoint = wit::Datapoint {
            attr: "hostname".into(),
            value: wit::Value::Boolean(true),
            src: None,
            t1: Some(5),
            t2: Some(6),
            confidence: Some(0.5),
        };
        wit::Task {
            entity: wit::EntityRef { etype: "ip".into(), eid: "192.0.2.1".into() },
            datapoints: vec![datapoint],
            ttl_tokens: vec![wit::TtlToken { name: "base".into(), until: None }],
            tags: vec!["tag".into()],
            remove_entity: false,
        }
    }

    fn refusal(spoil: impl FnOnce(&mut wit::Task)) -> String {
        let mut bad = good();
        spoil(&mut bad);
        let failure = output_from_wit(vec![good(), bad], &CallLimits::of(Family::Ingest)).unwrap_err();
        assert_eq!(failure.reason, Reason::InvalidOutput);
        failure.message.replace(&format!("; {}", Reason::InvalidOutput.hint()), "")
    }

    #[test]
    fn refusals_name_index_and_field() {
        insta::assert_snapshot!(refusal(|t| t.entity.etype = "no type".into()), @r#"tasks[1].entity.etype: entity type "no type" is not valid: expected letters, digits, _ or -, the first no -, at most 128 characters"#);
        insta::assert_snapshot!(refusal(|t| t.datapoints[0].t2 = Some(1)), @"tasks[1].datapoints[0].t2: 1970-01-01T00:00:00.000001Z is before t1, 1970-01-01T00:00:00.000005Z");
        insta::assert_snapshot!(refusal(|t| t.datapoints[0].confidence = Some(1.5)), @"tasks[1].datapoints[0].confidence: 1.5 is not within 0 and 1");
        insta::assert_snapshot!(refusal(|t| t.datapoints[0].value = wit::Value::Real(f64::NAN)), @"tasks[1].datapoints[0].value: NaN is not a finite number");
        insta::assert_snapshot!(refusal(|t| t.datapoints[0].src = Some("a\nb".into())), @r"tasks[1].datapoints[0].src: contains the control character \n, expected none");
        insta::assert_snapshot!(refusal(|t| t.tags[0] = "x".repeat(2000)), @"tasks[1].tags[0]: 2000 bytes, expected at most 1024");
        insta::assert_snapshot!(refusal(|t| t.ttl_tokens[0].until = Some(i64::MAX)), @"tasks[1].ttl-tokens[0].until: 9223372036854775807 is no time, expected microseconds since 1970 within the years 1 to 9999");
    }

    #[test]
    fn too_many_are_refused_as_a_whole() {
        let limits = CallLimits { output_tasks: 2, ..CallLimits::of(Family::Ingest) };
        assert_eq!(output_from_wit(vec![good(); 2], &limits).unwrap().len(), 2);
        let failure = output_from_wit(vec![good(); 3], &limits).unwrap_err();
        assert_eq!(failure.reason, Reason::OutputCount);
        insta::assert_snapshot!(failure.message, @"returned 3 of 2 tasks; the hook returned more than allowed in one call; return less");
    }
}
