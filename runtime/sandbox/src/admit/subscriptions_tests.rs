use tenter_model::datatype::Primitive;
use tenter_model::hook::{Correlation, Sweep};
use tenter_model::id::SubscriptionId;
use tenter_model::schema::{HistoryParams, IdType, Lifetime, TimeseriesType};

use super::*;

fn name<T: std::str::FromStr<Err = tenter_model::id::NameError>>(text: &str) -> T {
    text.parse().unwrap()
}

fn attribute_of(id: &str, kind: AttributeKind) -> AttributeSpec {
    AttributeSpec { id: name(id), name: id.into(), description: String::new(), ttl: 0, kind }
}

fn plain(id: &str, data_type: DataType) -> AttributeSpec {
    attribute_of(id, AttributeKind::Plain { data_type, editable: false, mirror_of: None })
}

fn schema() -> Schema {
    let text = || DataType::Primitive(Primitive::String);
    let to_asn = DataType::Set(ElementType::Link(LinkType { to: name("asn"), data: None, mirror: None }));
    let history = HistoryParams::default();
    let hostname = AttributeKind::Observations {
        data_type: text(),
        editable: false,
        confidence: true,
        multi_value: true,
        history,
        force_graph: false,
    };
    let traffic = AttributeKind::Timeseries {
        kind: TimeseriesType::Irregular,
        series: Vec::new(),
        max_age: None,
        time_step: None,
    };
    let entity = |id: &str, attributes| {
        let (id_type, lifetime) = (IdType::String, Lifetime::Immortal);
        EntitySpec::new(name(id), id_type, id.into(), String::new(), true, lifetime, attributes)
    };
    Schema::new(vec![
        entity("ip", vec![attribute_of("hostname", hostname), attribute_of("traffic", traffic), plain("asn", to_asn)]),
        entity("asn", vec![plain("name", text())]),
    ])
}

fn verdict(moment: Moment) -> String {
    let subscription = Subscription { id: SubscriptionId::new("a").unwrap(), moment };
    check(&subscription, &schema()).err().unwrap_or_else(|| "fine".to_owned())
}

fn path(steps: &str) -> Vec<Path> {
    vec![steps.split(' ').filter(|s| !s.is_empty()).map(name).collect()]
}

fn correlate(depends_on: &str, may_change: &str) -> String {
    let (depends_on, may_change) = (path(depends_on), path(may_change));
    verdict(Moment::Correlate(Correlation { etype: name("ip"), depends_on, may_change, whole: false }))
}

#[test]
fn schedules_can_be_read_and_fire() {
    let timer = |field: &str, text: &str, zone: &str| {
        let fields = Some(vec![(field.to_owned(), text.to_owned()), ("month".to_owned(), "2".to_owned())]);
        verdict(Moment::Cron(Timer { fields, timezone: zone.into(), grace_seconds: 1, arguments: "{}".into() }))
    };
    insta::assert_snapshot!(timer("day_of_week", "mon-fri", "Europe/Prague"), @"fine");
    insta::assert_snapshot!(timer("day", "30", "UTC"), @"the schedule day=30 month=2 never fires: there is no such date");
    insta::assert_snapshot!(timer("hour", "25", "UTC"), @r#"the field "hour" of the schedule cannot be "25": expected a number from 0 to 23, or "*", found "25""#);
    insta::assert_snapshot!(timer("hour", "1", "Mars/Olympus"), @r#"there is no time zone "Mars/Olympus"; expected a name of the IANA database such as "Europe/Prague""#);
}

#[test]
fn entity_types_and_attributes_must_exist() {
    insta::assert_snapshot!(verdict(Moment::AllowEntityCreation { etype: name("asm") }), @"Entity 'asm' does not exist, did you mean \"asn\"?");
    insta::assert_snapshot!(verdict(Moment::UpdateEntity(Sweep { etype: name("xyz"), period_seconds: 1 })), @"Entity 'xyz' does not exist");
    insta::assert_snapshot!(verdict(Moment::Timeseries { etype: name("ip"), attr: name("traffik") }), @"Attribute 'traffik' of entity 'ip' does not exist, did you mean \"traffic\"?");
    insta::assert_snapshot!(verdict(Moment::Timeseries { etype: name("ip"), attr: name("hostname") }), @"'ip.hostname' holds observations, expected a timeseries attribute");
    assert_eq!(verdict(Moment::Timeseries { etype: name("ip"), attr: name("traffic") }), "fine");
}

#[test]
fn paths_follow_relations() {
    assert_eq!(correlate("asn name", "hostname"), "fine");
    assert_eq!(correlate("asn", "asn"), "fine");
    insta::assert_snapshot!(correlate("asn nam", "hostname"), @"Invalid path 'asn->nam', failed on 'nam', did you mean \"name\"?");
    insta::assert_snapshot!(correlate("hostname", "hostname name"), @"Invalid path 'hostname->name', failed on 'hostname': it is no relation.");
    insta::assert_snapshot!(correlate("asn x y", "hostname"), @"Invalid path 'asn->x->y', failed on 'x'.");
    insta::assert_snapshot!(correlate("", "hostname"), @"Invalid path '', expected at least one attribute");
}

#[test]
fn refresh_needs_what_it_may_change() {
    let refreshed = |may_change| Moment::OnEntityCreation { etype: name("ip"), refresh: true, may_change };
    insta::assert_snapshot!(verdict(refreshed(vec![])), @"`refresh` is set, but `may-change` is empty; name what a re-run may set");
    assert_eq!(verdict(refreshed(path("hostname"))), "fine");
}

#[test]
fn case_hooks_must_exist() {
    let filter = |object: &str, action: &str| CaseFilter {
        object: (!object.is_empty()).then(|| object.to_owned()),
        action: (!action.is_empty()).then(|| action.to_owned()),
    };
    let before = |object: &str, action: &str| verdict(Moment::Before(filter(object, action)));
    assert_eq!(before("", ""), "fine");
    assert_eq!(before("ioc", "create"), "fine");
    insta::assert_snapshot!(before("iocs", "create"), @"no case hook of this phase is about the object \"iocs\", did you mean \"ioc\"?");
    insta::assert_snapshot!(before("case", "update"), @"no case hook of this phase is about the action \"update\" of \"case\"");
    insta::assert_snapshot!(before("ioc", "creat"), @"no case hook of this phase is about the action \"creat\" of \"ioc\", did you mean \"create\"?");
    insta::assert_snapshot!(verdict(Moment::Manual { object: "report".into(), title: "t".into() }), @"no case hook of this phase is about the object \"report\"");
    let after = Moment::After { filter: filter("case", "update"), synchronous: false };
    assert_eq!(verdict(after), "fine");
}
