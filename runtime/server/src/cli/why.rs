//! `tenter why`: which hooks ran for an entity, and which did not and why.

use serde_json::Value;

use crate::cli::Context;
use crate::client::{part, query};
use crate::output::{Format, entity, field, members, pairs, table};

/// What is asked.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The entity type.
    etype: String,
    /// The entity's id.
    eid: String,
    /// Only this kind of hook, such as `on-new-attribute`.
    #[arg(long, value_name = "KIND")]
    hook: Option<String>,
}

/// Asks the server and prints what it says.
///
/// # Errors
/// When there is no server or it refuses.
pub(crate) fn run(args: &Args, context: &Context) -> anyhow::Result<()> {
    let asked = query(&[("hook", args.hook.clone())]);
    let path = format!("/api/v1/entities/{}/{}/why{asked}", part(&args.etype), part(&args.eid));
    let answer = context.client()?.get(&path)?;
    let hooks = members(&answer, "hooks");
    if context.out.format == Format::Ndjson {
        return context.out.list(hooks, &[]);
    }
    context.out.one(&answer, human)?;
    let kept = hooks.iter().find_map(|h| h.pointer("/last/invocation").and_then(Value::as_str));
    match kept {
        Some(id) => context.out.next(&format!("tenter invocation show {id}")),
        None => context.out.next("tenter module list"),
    }
    Ok(())
}

fn human(answer: &Value) -> String {
    let known = answer.get("known") == Some(&Value::Bool(true));
    let since = if known { format!("stored, since {}", field(answer, "created")) } else { "not stored".to_owned() };
    let mut facts = vec![("entity", entity(answer)), ("state", since)];
    for letter in members(answer, "deadletters") {
        let (seq, kind, message) = (field(letter, "seq"), field(letter, "kind"), field(letter, "message"));
        facts.push(("dead", format!("letter {seq}, {kind}: {message}")));
    }
    let mut text = pairs(&facts);
    let hooks = members(answer, "hooks");
    text.push('\n');
    if hooks.is_empty() {
        text.push_str("no module has subscribed to a hook of this entity type\n");
        return text;
    }
    let row = |h: &Value| {
        let hook = format!("{} {}", field(h, "hook"), field(h, "subscription"));
        let module = format!("{} {}", field(h, "module"), field(h, "version")).trim_end().to_owned();
        vec![module, hook, field(h, "verdict"), field(h, "last.at"), field(h, "because")]
    };
    text.push_str(&table(&["module", "hook", "verdict", "last", "because"], hooks.iter().map(row).collect()));
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn an_answer_reads_well() {
        let answer = json!({
            "entity": {"etype": "ip", "eid": "192.0.2.1"}, "known": true, "created": "2026-01-01T00:00:00Z",
            "deadletters": [{"seq": 4, "kind": "depth", "message": "its hook feeds itself"}],
            "hooks": [
                {"module": "label", "version": "0.1.0", "hook": "on-entity-creation", "subscription": "on-entity-creation:ip",
                 "verdict": "ran", "code": null, "because": "it returned 1 task", "last": {"at": "2026-01-01T00:00:00Z"}},
                {"module": "geo", "version": "2.0.0", "hook": "on-new-attribute", "subscription": "a", "verdict": "not-run",
                 "code": "no-attribute", "because": "no datapoint of ip.port came for ip/192.0.2.1", "last": null},
            ],
        });
        insta::assert_snapshot!(human(&answer), @"
        entity  ip 192.0.2.1
        state   stored, since 2026-01-01T00:00:00Z
        dead    letter 4, depth: its hook feeds itself

        MODULE       HOOK                                      VERDICT  LAST                  BECAUSE
        label 0.1.0  on-entity-creation on-entity-creation:ip  ran      2026-01-01T00:00:00Z  it returned 1 task
        geo 2.0.0    on-new-attribute a                        not-run                        no datapoint of ip.port came for ip/192.0.2.1
        ");
        let none = json!({"entity": {"etype": "ip", "eid": "x"}, "known": false, "hooks": [], "deadletters": []});
        insta::assert_snapshot!(human(&none), @"
        entity  ip x
        state   not stored

        no module has subscribed to a hook of this entity type
        ");
    }
}
