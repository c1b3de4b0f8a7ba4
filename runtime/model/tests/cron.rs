//! When schedules fire, against a table made with the library whose rules they follow, and by properties.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests may fail loudly")]

use std::time::{Duration, Instant};

use proptest::prelude::*;
use tenter_model::Timestamp;
use tenter_model::cron::{Cron, FIELDS, Schedule};
use tenter_model::hook::Timer;

const TABLE: &str = include_str!("data/cron.txt");

/// One line: zone, start, fields, next times.
fn row(line: &str) -> (Schedule, Timestamp, Vec<Option<Timestamp>>) {
    let cells: Vec<&str> = line.split('|').map(str::trim).collect();
    let [zone, start, fields, times] = cells[..] else { panic!("{line}") };
    let fields = fields.split_whitespace().filter(|f| *f != "-").map(|f| {
        let (name, expression) = f.split_once('=').unwrap();
        (name.to_owned(), expression.replace('_', " "))
    });
    let timer =
        Timer { fields: Some(fields.collect()), timezone: zone.to_owned(), grace_seconds: 1, arguments: String::new() };
    let times = times.split_whitespace().map(|t| (t != "none").then(|| Timestamp::parse(t).unwrap()));
    (Schedule::of_timer(&timer).unwrap().unwrap(), Timestamp::parse(start).unwrap(), times.collect())
}

#[test]
fn the_table_of_the_library() {
    let lines: Vec<&str> = TABLE.lines().filter(|l| !l.starts_with('#')).collect();
    assert!(lines.len() >= 60, "{} expressions", lines.len());
    let mut wrong = Vec::new();
    for line in lines {
        let (schedule, mut at, times) = row(line);
        for want in times {
            let found = schedule.next(at);
            if found != want {
                wrong.push(format!("{line}\n    after {at}: {found:?}, expected {want:?}"));
                break;
            }
            at = found.unwrap_or(at);
        }
    }
    assert!(wrong.is_empty(), "{} rows differ:\n{}", wrong.len(), wrong.join("\n"));
}

/// Dates that do not exist end quickly, however the expression hides it.
#[test]
fn what_never_comes_is_found_out_soon() {
    let now = Timestamp::parse("2026-02-27T13:37:21Z").unwrap();
    for fields in [
        vec![("month", "2"), ("day", "30")],
        vec![("month", "2"), ("day", "5th mon"), ("year", "2026-2027")],
        vec![("week", "20"), ("month", "1")],
        vec![("week", "20"), ("month", "1"), ("year", "*/2")],
        vec![("month", "apr,jun,sep,nov"), ("day", "31")],
        vec![("year", "2025")],
        vec![("day", "1st mon"), ("day_of_week", "tue")],
    ] {
        let schedule = Schedule::of(&Cron::of(&fields)).unwrap();
        let begun = Instant::now();
        assert_eq!(schedule.next(now), None, "{fields:?}");
        // Measured: under 60 ms without optimisation for the slowest of these.
        assert!(begun.elapsed() < Duration::from_secs(2), "{fields:?} took {:?}", begun.elapsed());
    }
    // 2096 is followed by 2104: eight years without a leap day.
    let leap = Schedule::of(&Cron::of(&[("month", "2"), ("day", "29")])).unwrap();
    assert_eq!(leap.next(Timestamp::parse("2096-03-01").unwrap()), Timestamp::parse("2104-02-29"));
    for edge in [Timestamp(i64::MIN), Timestamp(i64::MAX), Timestamp::parse("9999-12-30T21:59:59Z").unwrap()] {
        assert_eq!(leap.next(edge), None, "{edge}");
    }
}

#[test]
fn mistakes_are_named() {
    let error = |fields: &[(&str, &str)], zone: &str| {
        let fields = fields.iter().map(|(n, e)| ((*n).to_owned(), (*e).to_owned())).collect();
        let timer =
            Timer { fields: Some(fields), timezone: zone.to_owned(), grace_seconds: 1, arguments: String::new() };
        Schedule::of_timer(&timer).unwrap_err().to_string()
    };
    insta::assert_snapshot!(error(&[("minute", "61")], "UTC"), @r#"the field "minute" of the schedule cannot be "61": expected a number from 0 to 59, or "*", found "61""#);
    insta::assert_snapshot!(error(&[("day_of_week", "fri-mon")], "UTC"), @r#"the field "day_of_week" of the schedule cannot be "fri-mon": the range "fri-mon" goes backwards; write two ranges with a comma between them"#);
    insta::assert_snapshot!(error(&[("day_of_week", "monday")], "UTC"), @r#"the field "day_of_week" of the schedule cannot be "monday": expected a number from 0 to 6, one of mon tue wed thu fri sat sun, or "*", found "monday""#);
    insta::assert_snapshot!(error(&[("day", "6th mon")], "UTC"), @r#"the field "day" of the schedule cannot be "6th mon": expected one of 1st 2nd 3rd 4th 5th last before a weekday, found "6th""#);
    insta::assert_snapshot!(error(&[("day", "2nd monday")], "UTC"), @r#"the field "day" of the schedule cannot be "2nd monday": expected one of mon tue wed thu fri sat sun after "2nd", found "monday""#);
    insta::assert_snapshot!(error(&[("hour", "*/24")], "UTC"), @r#"the field "hour" of the schedule cannot be "*/24": expected a step from 1 to 23 after "*" and "/", found "24""#);
    insta::assert_snapshot!(error(&[("fortnight", "1")], "UTC"), @r#""fortnight" is no field of a schedule; the fields are year, month, day, week, day_of_week, hour, minute, second"#);
    insta::assert_snapshot!(error(&[("hour", "1")], "Europe/Prage"), @r#"there is no time zone "Europe/Prage", did you mean "Europe/Prague"?; expected a name of the IANA database such as "Europe/Prague""#);
    for bad in ["", "1,,2", "1-", "-5", "+1", "5-10/6", "*/0", "1 - 5", "10-5", "\u{ff11}", "1/2/3", "--", "*-*", "mon"]
    {
        assert!(Schedule::of(&Cron::of(&[("minute", bad)])).is_err(), "{bad:?}");
    }
    for bad in ["last/2", "1st", "1st,mon", "last last"] {
        assert!(Schedule::of(&Cron::of(&[("day", bad)])).is_err(), "{bad:?}");
    }
}

#[test]
fn of_several_missed_slots_the_last_is_found() {
    let at = |text| Timestamp::parse(text).unwrap();
    let hourly = Schedule::of(&Cron::of(&[("minute", "10")])).unwrap();
    assert_eq!(hourly.latest(at("2026-01-01T00:10:00Z"), at("2026-01-01T01:09:59Z")), None);
    assert_eq!(hourly.latest(at("2026-01-01T00:10:00Z"), at("2026-01-01T01:10:00Z")), Some(at("2026-01-01T01:10:00Z")));
    assert_eq!(hourly.latest(at("2020-01-01T00:10:00Z"), at("2026-01-01T01:09:00Z")), Some(at("2026-01-01T00:10:00Z")));
    let each_second = Schedule::of(&Cron::of(&[("second", "*")])).unwrap();
    assert_eq!(each_second.latest(at("1990-01-01"), at("2026-01-01T00:00:00.5Z")), Some(at("2026-01-01T00:00:00Z")));
}

const ZONES: [&str; 5] = ["UTC", "Europe/Prague", "America/Sao_Paulo", "Australia/Lord_Howe", "Asia/Kolkata"];

fn expression(field: usize) -> impl Strategy<Value = String> {
    let (low, high) = [(1990, 2050), (1, 12), (1, 31), (1, 53), (0, 6), (0, 23), (0, 59), (0, 59)][field];
    let one = (low..=high, low..=high, 1..=high - low).prop_map(|(a, b, step): (i32, i32, i32)| {
        match (a.cmp(&b), step % 4) {
            (std::cmp::Ordering::Less, 0) => format!("{a}-{b}"),
            (std::cmp::Ordering::Less, 1) => format!("{a}-{b}/{}", 1 + step % (b - a)),
            (_, 2) => format!("*/{step}"),
            _ => a.to_string(),
        }
    });
    prop::collection::vec(one, 1..3).prop_map(|parts| parts.join(","))
}

fn schedules() -> impl Strategy<Value = (Vec<(String, String)>, bool, Schedule)> {
    let field = (0..8usize).prop_flat_map(|f| (Just(FIELDS[f].to_owned()), expression(f)));
    (prop::collection::vec(field, 1..4), 0..ZONES.len()).prop_map(|(fields, zone)| {
        let timer = Timer {
            fields: Some(fields.clone()),
            timezone: ZONES[zone].to_owned(),
            grace_seconds: 1,
            arguments: String::new(),
        };
        (fields, matches!(ZONES[zone], "UTC" | "Asia/Kolkata"), Schedule::of_timer(&timer).unwrap().unwrap())
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    /// The next time lies ahead, on a whole second, and whoever asks from in between gets the same answer.
    #[test]
    fn next_is_after_and_steady((fields, steady, schedule) in schedules(), start in 900_000_000_000_000i64..2_000_000_000_000_000, part in 0.0..1.0f64) {
        if let Some(next) = schedule.next(Timestamp(start)) {
            prop_assert!(next.0 > start, "{:?}", fields);
            prop_assert_eq!(next.0 % 1_000_000, 0);
            #[allow(clippy::cast_possible_truncation, clippy::cast_precision_loss, reason = "any point in between will do")]
            let between = start + ((next.0 - 1 - start) as f64 * part) as i64;
            let again = schedule.next(Timestamp(between)).unwrap();
            // Where clocks change, a skipped midnight makes the answer depend on where the question is asked from.
            if steady {
                prop_assert_eq!(again, next, "{:?}", fields);
            }
            prop_assert!(again.0 > between);
        }
    }

    /// In UTC, where no clocks change, a slow search second by second finds the same.
    #[test]
    fn a_slow_search_agrees(fields in prop::collection::vec((5..8usize).prop_flat_map(|f| (Just(f), expression(f))), 1..4), start in 1_700_000_000i64..1_800_000_000) {
        let mut given: [Option<String>; 8] = Default::default();
        for (field, text) in fields {
            given[field] = Some(text);
        }
        let pairs: Vec<(&str, &str)> = FIELDS.into_iter().zip(&given).filter_map(|(n, e)| Some((n, e.as_deref()?))).collect();
        let schedule = Schedule::of(&Cron::of(&pairs)).unwrap();
        let least = given.iter().rposition(Option::is_some).unwrap();
        let fits = |t: i64| [(5, t / 3600 % 24), (6, t / 60 % 60), (7, t % 60)].into_iter().all(|(field, value)| match &given[field] {
            Some(text) => text.split(',').any(|part| slow(part, value)),
            None => field < least || value == 0,
        });
        let found = (start + 1..=start + 2 * 86_400).find(|t| fits(*t));
        prop_assert_eq!(schedule.next(Timestamp::from_secs(start)), found.map(Timestamp::from_secs));
    }

    #[test]
    fn any_text_is_read_or_refused(name in 0..8usize, text in "[0-9a-z*/, -]{0,12}|.{0,12}", zone in "UTC|[A-Z/a-z_]{0,12}") {
        let cron = Cron { timezone: zone, ..Cron::of(&[(FIELDS[name], &text)]) };
        if let Ok(schedule) = Schedule::of(&cron) {
            let next = schedule.next(Timestamp(1_700_000_000_000_000));
            prop_assert!(next.is_none_or(|t| t.0 > 1_700_000_000_000_000));
        }
    }
}

/// Whether a part of an expression covers a value of a field that counts from 0.
fn slow(part: &str, value: i64) -> bool {
    let (range, step) = part.split_once('/').unwrap_or((part, "1"));
    let (first, last) = match range.split_once('-') {
        Some((a, b)) => (a.parse().unwrap(), b.parse().unwrap()),
        None if range == "*" => (0, 59),
        None => (range.parse().unwrap(), range.parse().unwrap()),
    };
    (first..=last).contains(&value) && (value - first) % step.parse::<i64>().unwrap() == 0
}
