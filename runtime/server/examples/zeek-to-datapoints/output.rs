//! Collecting datapoints, and printing them so that the same ones always give the same bytes.
//!
//! Logs repeat themselves: a browser names itself in every request. Observations of the same value, by the same log,
//! with less than a minute between them become one datapoint that spans them, which is what an observation means.
//! Plain values are written once, the last one winning.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt;

/// Observations of one value that are at most this far apart are one, in microseconds.
const GAP: i64 = 60_000_000;

/// A value as JSON text. Keys are printed in alphabetical order.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Json(String);

impl Json {
    /// A string.
    pub(crate) fn text(text: &str) -> Self {
        Self(serde_json::Value::from(text).to_string())
    }

    /// A whole number.
    pub(crate) fn int(number: u64) -> Self {
        Self(number.to_string())
    }

    /// A finite number with a fraction.
    pub(crate) fn float(number: f64) -> Self {
        Self(serde_json::Value::from(number).to_string())
    }

    /// true or false.
    pub(crate) fn flag(flag: bool) -> Self {
        Self(flag.to_string())
    }

    /// A point in time, given in microseconds since 1970.
    pub(crate) fn time(micros: i64) -> Self {
        Self(format!("\"{}\"", rfc3339(micros)))
    }

    /// A list.
    pub(crate) fn list(elements: impl IntoIterator<Item = Self>) -> Self {
        let elements: Vec<String> = elements.into_iter().map(|e| e.0).collect();
        Self(format!("[{}]", elements.join(",")))
    }

    /// An object.
    pub(crate) fn object<'a>(members: impl IntoIterator<Item = (&'a str, Self)>) -> Self {
        let members: BTreeMap<&str, Self> = members.into_iter().collect();
        let members: Vec<String> = members.into_iter().map(|(k, v)| format!("{}:{}", Self::text(k).0, v.0)).collect();
        Self(format!("{{{}}}", members.join(",")))
    }

    /// A link to an entity.
    pub(crate) fn link(eid: &str) -> Self {
        Self::object([("eid", Self::text(eid))])
    }
}

/// An entity: its type and its id.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Entity {
    kind: &'static str,
    id: Json,
}

impl Entity {
    /// An entity whose id is text.
    pub(crate) fn new(kind: &'static str, id: &str) -> Self {
        Self { kind, id: Json::text(id) }
    }

    /// An entity whose id is a number.
    pub(crate) fn numbered(kind: &'static str, id: u64) -> Self {
        Self { kind, id: Json::int(id) }
    }
}

struct Point {
    entity: Entity,
    attr: &'static str,
    value: Json,
    validity: Option<(i64, i64)>,
    confidence: Option<f64>,
    src: String,
}

type Place = (Entity, &'static str, Option<Json>, String);

/// The datapoints so far, and what was left out.
#[derive(Default)]
pub(crate) struct Output {
    points: Vec<Point>,
    latest: HashMap<Place, usize>,
    skipped: BTreeMap<&'static str, usize>,
}

impl Output {
    /// Sets a plain attribute. A value that was set before is replaced.
    pub(crate) fn plain(&mut self, entity: &Entity, attr: &'static str, value: Json, src: &str) {
        let place = (entity.clone(), attr, None, String::new());
        if let Some(point) = self.latest.get(&place).and_then(|at| self.points.get_mut(*at)) {
            point.value = value;
            src.clone_into(&mut point.src);
            return;
        }
        self.latest.insert(place, self.points.len());
        self.push(entity, attr, value, None, None, src);
    }

    /// Adds an observation, or extends the latest one of the same value. Times in microseconds since 1970.
    pub(crate) fn observe(
        &mut self,
        entity: &Entity,
        attr: &'static str,
        value: Json,
        validity: (i64, i64),
        src: &str,
    ) {
        self.observe_with(entity, attr, value, validity, None, src);
    }

    /// Same, with a confidence of 0 to 1.
    pub(crate) fn observe_with(
        &mut self,
        entity: &Entity,
        attr: &'static str,
        value: Json,
        (t1, t2): (i64, i64),
        confidence: Option<f64>,
        src: &str,
    ) {
        let place = (entity.clone(), attr, Some(value.clone()), src.to_owned());
        if let Some(point) = self.latest.get(&place).and_then(|at| self.points.get_mut(*at))
            && let Some((from, to)) = &mut point.validity
            && point.confidence == confidence
            && t1 <= to.saturating_add(GAP)
            && from.saturating_sub(GAP) <= t2
        {
            *from = t1.min(*from);
            *to = t2.max(*to);
            return;
        }
        self.latest.insert(place, self.points.len());
        self.push(entity, attr, value, Some((t1, t2)), confidence, src);
    }

    /// Adds a piece of a timeseries. Times in microseconds since 1970.
    pub(crate) fn series(
        &mut self,
        entity: &Entity,
        attr: &'static str,
        series: Json,
        validity: (i64, i64),
        src: &str,
    ) {
        self.push(entity, attr, series, Some(validity), None, src);
    }

    /// Counts something that was left out.
    pub(crate) fn skip(&mut self, reason: &'static str) {
        self.skip_many(reason, 1);
    }

    /// Counts several things that were left out for one reason.
    pub(crate) fn skip_many(&mut self, reason: &'static str, number: usize) {
        *self.skipped.entry(reason).or_default() += number;
    }

    /// All datapoints, one per line, in the form that the API takes.
    pub(crate) fn ndjson(&self) -> String {
        self.points.iter().map(|point| format!("{point}\n")).collect()
    }

    /// Datapoints and entities for each type of entity.
    pub(crate) fn totals(&self) -> BTreeMap<&'static str, (usize, usize)> {
        let mut ids: BTreeMap<&'static str, (usize, BTreeSet<&Json>)> = BTreeMap::new();
        for point in &self.points {
            let (points, entities) = ids.entry(point.entity.kind).or_default();
            *points += 1;
            entities.insert(&point.entity.id);
        }
        ids.into_iter().map(|(kind, (points, entities))| (kind, (points, entities.len()))).collect()
    }

    /// How much was left out, by reason.
    pub(crate) fn skipped(&self) -> &BTreeMap<&'static str, usize> {
        &self.skipped
    }

    fn push(
        &mut self,
        entity: &Entity,
        attr: &'static str,
        value: Json,
        validity: Option<(i64, i64)>,
        confidence: Option<f64>,
        src: &str,
    ) {
        self.points.push(Point { entity: entity.clone(), attr, value, validity, confidence, src: src.to_owned() });
    }
}

impl fmt::Display for Point {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { entity: Entity { kind, id }, attr, value, .. } = self;
        write!(f, r#"{{"type":"{kind}","id":{},"attr":"{attr}","v":{}"#, id.0, value.0)?;
        if let Some((t1, t2)) = self.validity {
            write!(f, r#","t1":"{}","t2":"{}""#, rfc3339(t1), rfc3339(t2))?;
        }
        if let Some(c) = self.confidence {
            write!(f, r#","c":{c}"#)?;
        }
        write!(f, r#","src":{}}}"#, Json::text(&self.src).0)
    }
}

/// A time in UTC. Thousandths of a second, since that is what DP³ stores; rounded down, so that order is kept.
fn rfc3339(micros: i64) -> String {
    let millis = micros.div_euclid(1000);
    let (days, in_day) = (millis.div_euclid(86_400_000), millis.rem_euclid(86_400_000));
    // Days to a date, with years that begin in March, so that the leap day comes last; eras are of 400 years.
    let day = days + 719_468;
    let (era, of_era) = (day.div_euclid(146_097), day.rem_euclid(146_097));
    let year = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153;
    let date = of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    let year = year + era * 400 + i64::from(month <= 2);
    let (hour, minute, second) = (in_day / 3_600_000, in_day / 60_000 % 60, in_day / 1000 % 60);
    let fraction = match in_day % 1000 {
        0 => String::new(),
        millis => format!(".{millis:03}"),
    };
    format!("{year:04}-{month:02}-{date:02}T{hour:02}:{minute:02}:{second:02}{fraction}Z")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_printed_in_utc() {
        for (micros, want) in [
            (0, "1970-01-01T00:00:00Z"),
            (-1, "1969-12-31T23:59:59.999Z"),
            (1_379_288_667_631_940, "2013-09-15T23:44:27.631Z"),
            (951_782_400_000_000, "2000-02-29T00:00:00Z"),
            (4_107_542_400_000_000, "2100-03-01T00:00:00Z"),
        ] {
            assert_eq!(rfc3339(micros), want);
        }
    }

    #[test]
    fn near_observations_become_one() {
        let (ip, mut out) = (Entity::new("ip", "192.0.2.1"), Output::default());
        let port = || Json::int(80);
        for t in [100, 0, 50, 100 + GAP, 101 + 3 * GAP] {
            out.observe(&ip, "open_ports", port(), (t, t + 1), "zeek");
        }
        out.observe_with(&ip, "open_ports", port(), (3 * GAP, 3 * GAP), Some(0.5), "zeek");
        let spans: Vec<_> = out.points.iter().map(|p| p.validity.unwrap_or_default()).collect();
        assert_eq!(spans, [(0, 101 + GAP), (101 + 3 * GAP, 102 + 3 * GAP), (3 * GAP, 3 * GAP)]);
    }

    #[test]
    fn last_plain_value_wins() {
        let (domain, mut out) = (Entity::new("domain", "a\"b"), Output::default());
        out.plain(&domain, "queries", Json::int(1), "one");
        out.plain(&domain, "queries", Json::int(2), "two");
        assert_eq!(
            out.ndjson(),
            r#"{"type":"domain","id":"a\"b","attr":"queries","v":2,"src":"two"}"#.to_owned() + "\n"
        );
    }
}
