//! Good and bad wishes for moments, by name.

use crate::exports::tenter::hooks::ingest::{AttributeWatch, Creation, Moment, Subscription};

fn watch(etype: &str, attr: &str) -> Moment {
    Moment::OnNewAttribute(AttributeWatch {
        etype: etype.into(),
        attr: attr.into(),
        refresh: false,
        may_change: vec![],
    })
}

fn refreshing(path: &[&str]) -> Moment {
    let may_change = if path.is_empty() { vec![] } else { vec![path.iter().map(|s| (*s).to_owned()).collect()] };
    Moment::OnNewAttribute(AttributeWatch { etype: "ip".into(), attr: "hostname".into(), refresh: true, may_change })
}

pub(crate) fn all(which: &str) -> Vec<Subscription> {
    let one = |id: &str, moment: Moment| vec![Subscription { id: id.into(), moment }];
    match which {
        "none" => vec![],
        "one" => one("attr", watch("ip", "hostname")),
        "bad-id" => one("Bad Id", Moment::OnTaskStart),
        "twice" => [one("same", Moment::OnTaskStart), one("same", Moment::OnTaskStart)].concat(),
        "unknown-type" => one("a", Moment::AllowEntityCreation("ipp".into())),
        "unknown-attribute" => one("a", watch("ip", "hostnam")),
        "bad-name" => one("a", watch("ip", "host name")),
        "no-may-change" => one("a", refreshing(&[])),
        "bad-path" => one("a", refreshing(&["hostname", "label"])),
        "bad-last" => one("a", refreshing(&["asn", "nam"])),
        "good-path" => one("a", refreshing(&["asn", "name"])),
        _ => vec![
            Subscription { id: "start".into(), moment: Moment::OnTaskStart },
            Subscription { id: "allow".into(), moment: Moment::AllowEntityCreation("ip".into()) },
            Subscription {
                id: "create".into(),
                moment: Moment::OnEntityCreation(Creation { etype: "ip".into(), refresh: false, may_change: vec![] }),
            },
            Subscription { id: "attr".into(), moment: watch("ip", "hostname") },
        ],
    }
}
