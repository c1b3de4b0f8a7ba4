use super::super::fixture::{acting, ioc_type};
use super::*;

fn all(kind: Look) -> Vec<LookUpRow> {
    rows(kind, &acting(), &mut || [7; 16])
}

fn id(kind: Look, name: &str) -> Option<i64> {
    all(kind).iter().find(|row| row.name == name).map(|row| row.id)
}

#[test]
fn the_ids_that_clients_rely_on_are_there() {
    for (kind, name, want) in [
        (Look::Tlp, "amber", 2),
        (Look::Tlp, "amber+strict", 5),
        (Look::TaskStatus, "To do", 1),
        (Look::TaskStatus, "Canceled", 5),
        (Look::AnalysisStatus, "Unspecified", 1),
        (Look::AnalysisStatus, "Done", 6),
        (Look::Severity, "Medium", 4),
        (Look::CaseState, "Open", OPEN),
        (Look::CaseState, "Closed", CLOSED),
        (Look::EventCategory, "Unspecified", 1),
        (Look::EventCategory, "Execution", 5),
        (Look::EventCategory, "Impact", 15),
        (Look::OutcomeStatus, "Unknown", 0),
        (Look::OutcomeStatus, "Legitimate", 5),
        (Look::CompromiseStatus, "To be determined", 0),
        (Look::CompromiseStatus, "Unknown", 3),
        (Look::AssetType, "Account", 1),
        (Look::AssetType, "Windows - Computer", 9),
        (Look::Customer, "IrisInitialClient", 1),
        (Look::User, "administrator", 1),
        (Look::IocType, "AS", 1),
        (Look::Classification, "abusive-content:spam", 1),
        (Look::ReportType, "Activities", 2),
    ] {
        assert_eq!(id(kind, name), Some(want), "{kind:?} {name}");
    }
    assert!(id(Look::Classification, "other:other").is_some());
    for name in ["ip-src", "ip-dst", "ip-any", "domain", "url", "md5", "sha1", "sha256", "filename|sha256"] {
        assert!(id(Look::IocType, name).is_some(), "{name}");
    }
}

#[test]
fn names_are_told_apart_whatever_the_case_of_letters() {
    for kind in Look::ALL {
        let mut names: Vec<_> = all(*kind).iter().map(|row| row.name.to_lowercase()).collect();
        let count = names.len();
        names.sort();
        names.dedup();
        assert_eq!(names.len(), count, "{kind:?}");
        for row in all(*kind) {
            assert!(row.body.keys().all(|column| kind.info().columns.contains(&column.as_str())), "{row:?}");
        }
        assert_eq!(Look::parse(kind.info().name), Some(*kind));
    }
}

#[test]
fn patterns_tell_values_of_a_type() {
    let types = all(Look::IocType);
    let fits = |name: &str, value: &str| {
        let row = types.iter().find(|row| row.id == ioc_type(name)).unwrap();
        let pattern = format!("(?i)^(?:{})$", row.text("type_validation_regex"));
        regex::Regex::new(&pattern).unwrap().is_match(value)
    };
    for row in &types {
        assert_eq!(crate::case::check_pattern(row.text("type_validation_regex")), Ok(()), "{}", row.name);
    }
    for (name, value, want) in [
        ("ip-dst", "203.0.113.7", true),
        ("ip-dst", "2001:DB8::1", true),
        ("ip-dst", "::ffff:192.0.2.1", true),
        ("ip-src", "198.51.100.0/24", true),
        ("ip-any", "256.1.1.1", false),
        ("ip-any", "example.org", false),
        ("md5", "D41D8CD98F00B204E9800998ECF8427E", true),
        ("sha256", "d41d8cd98f00b204e9800998ecf8427e", false),
        ("filename|md5", "a.exe|d41d8cd98f00b204e9800998ecf8427e", true),
        ("filename|md5", "d41d8cd98f00b204e9800998ecf8427e", false),
        ("mac-address", "00:1b:44:11:3a:b7", true),
    ] {
        assert_eq!(fits(name, value), want, "{name} {value}");
    }
}
