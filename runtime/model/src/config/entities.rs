//! `db_entities/*.yml`: one file per entity type, then the links between them.

use std::collections::HashMap;

use super::keys::{ATTRIBUTE, ENTITY, ENTITY_FILE, LIFETIME, LIFETIME_TTL, LIFETIMES, SERIES, attribute_of};
use super::section::{Report, Section, Words, a_duration, at_least, boolean, text, word};
use super::yaml::{At, Entry, Kind, Node};
use crate::datatype::{DataType, ElementType, LinkType};
use crate::history::implicit;
use crate::id::{AttrName, EntityType, is_identifier};
use crate::schema::{
    AttributeKind, AttributeSpec, EntitySpec, HistoryParams, IdType, Lifetime, Schema, SeriesType, TimeseriesType,
};

/// One file that was read, with the places that later checks name.
pub(super) struct Draft<'a> {
    file: &'a str,
    spec: EntitySpec,
    /// Where the lifetime stands.
    lifetime_at: At,
    /// Where the data types of attributes stand.
    types_at: HashMap<AttrName, At>,
    /// Where attributes stand.
    attributes_at: HashMap<AttrName, At>,
}

/// Reads one file; `None` after a problem that leaves nothing to go on with.
pub(super) fn read<'a>(report: &mut Report, file: &'a str, root: &'a Node) -> Option<Draft<'a>> {
    let stem = stem(file);
    let top = Section::open(report, file, "", root, &ENTITY_FILE)?;
    let (entity, attribs) = (top.get("entity"), top.get("attribs"));
    let (Some(entity), Some(attribs)) = (entity, attribs) else {
        let lacking = if entity.is_none() { "entity" } else { "attribs" };
        let words = Words::new(format!("Invalid entity specification for '{stem}': {lacking:?} is missing"))
            .expected("the keys \"entity\" and \"attribs\"");
        top.error(report, root.at, "", words);
        return None;
    };
    top.close(report);

    let section = Section::open(report, file, &format!("{stem}.entity"), entity, &ENTITY)?;
    let id = section.require(report, "id", text);
    if let Some(id) = id.as_ref().filter(|id| *id != stem) {
        let message = format!("Entity id '{id}' does not match entity id '{stem}' in spec.");
        let words = Words::new(message).expected("the name of the file without .yml");
        let at = section.get("id").map_or(section.at(), |n| n.at);
        section.error(report, at, "id", words);
    }
    let name = section.require(report, "name", text);
    let snapshot = section.require(report, "snapshot", boolean);
    let id_type = section.read(report, "id_data_type", id_type);
    let description = section.read(report, "description", text).unwrap_or_default();
    let lifetime_at = section.get("lifetime").map_or(section.at(), |n| n.at);
    let lifetime = lifetime(report, &section);
    let etype = id.map(|id| EntityType::new(&id).map_err(|e| Words::new(e.to_string())));
    let etype = match etype {
        Some(Err(words)) => {
            section.error(report, section.at(), "id", words);
            None
        }
        other => other.and_then(Result::ok),
    };
    section.close(report);

    let mut draft = Draft {
        file,
        // A wrong file is read on under its own name, so that links to it do not add errors.
        spec: EntitySpec::new(
            etype.or_else(|| EntityType::new(stem).ok())?,
            id_type.unwrap_or_default(),
            name.unwrap_or_default(),
            description,
            snapshot.unwrap_or(true),
            lifetime.unwrap_or_default(),
            Vec::new(),
        ),
        lifetime_at,
        types_at: HashMap::new(),
        attributes_at: HashMap::new(),
    };
    let attribs = Section::open_names(report, file, &format!("{stem}.attribs"), attribs)?;
    for entry in attribs.entries() {
        attribute(report, &attribs, entry, &mut draft);
    }
    Some(draft)
}

/// `db_entities/ip.yml` → `ip`.
fn stem(file: &str) -> &str {
    let name = file.rsplit('/').next().unwrap_or(file);
    name.strip_suffix(".yml").unwrap_or(name)
}

fn id_type(node: &Node) -> Result<IdType, Words> {
    let choices = IdType::ALL.map(|t| (t.name(), t));
    word(node, &choices).map_err(|words| Words {
        message: format!(
            "Data type of entity ID must be one of ['string', 'int', 'ipv4', 'ipv6', 'mac'], {}",
            words.message
        ),
        expected: None,
        ..words
    })
}

fn lifetime(report: &mut Report, entity: &Section<'_>) -> Option<Lifetime> {
    let node = entity.get("lifetime")?;
    let section = entity.inner(report, "lifetime", node, &LIFETIME)?;
    let kind =
        section.require(report, "type", |n| word(n, &[(LIFETIMES[0], 0), (LIFETIMES[1], 1), (LIFETIMES[2], 2)]))?;
    let section = if kind == 1 { section.holding(&LIFETIME_TTL) } else { section };
    let lifetime = match kind {
        0 => Some(Lifetime::Immortal),
        2 => Some(Lifetime::Weak),
        _ => {
            let on_create = section.require(report, "on_create", a_duration);
            let mirror_data = section.read(report, "mirror_data", boolean).unwrap_or(true);
            on_create.map(|on_create| Lifetime::Ttl { on_create, mirror_data })
        }
    };
    section.close(report);
    lifetime
}

fn attribute<'a>(report: &mut Report, attribs: &Section<'a>, entry: &'a Entry, draft: &mut Draft<'a>) {
    let Entry { at, key, value } = entry;
    let id = match AttrName::new(key) {
        Ok(id) => id,
        Err(e) => return attribs.error(report, *at, key, Words::new(e.to_string())),
    };
    let Some(section) = attribs.inner(report, key, value, &ATTRIBUTE) else { return };
    draft.attributes_at.insert(id.clone(), *at);
    let Some(kind) = kind_name(report, &section, key) else { return };
    let section = section.holding(attribute_of(kind));
    if kind != "timeseries"
        && let Some(node) = section.get("data_type")
    {
        draft.types_at.insert(id.clone(), node.at);
    }
    let name = section.require(report, "name", text).unwrap_or_default();
    let description = section.read(report, "description", text).unwrap_or_default();
    let ttl = section.read(report, "ttl", a_duration).unwrap_or(0);
    let kind = match kind {
        "plain" => plain(report, &section),
        "observations" => observations(report, &section),
        _ => timeseries(report, &section),
    };
    section.close(report);
    // Even one with errors stays, so that its link is checked and nothing links to nowhere because of it.
    if let Some(kind) = kind {
        draft.spec.add(AttributeSpec { id, name, description, ttl, kind });
    }
}

fn kind_name(report: &mut Report, section: &Section<'_>, attr: &str) -> Option<&'static str> {
    const KINDS: [&str; 3] = ["plain", "observations", "timeseries"];
    let Some(node) = section.get("type") else {
        let words = Words::new("Missing mandatory attribute `type`").expected(super::section::one_of(&KINDS));
        section.error(report, section.at(), "", words);
        return None;
    };
    let found = word(node, &KINDS.map(|k| (k, k)));
    found
        .map_err(|words| {
            let message = format!("Invalid `type` of attribute '{attr}': {}", words.message);
            section.error(report, node.at, "type", Words { message, ..words });
        })
        .ok()
}

fn data_type(node: &Node) -> Result<DataType, Words> {
    DataType::parse(&text(node)?).map_err(Words::new)
}

fn plain(report: &mut Report, section: &Section<'_>) -> Option<AttributeKind> {
    let data_type = section.require(report, "data_type", data_type);
    let editable = section.read(report, "editable", boolean).unwrap_or(false);
    Some(AttributeKind::Plain { data_type: data_type?, editable, mirror_of: None })
}

fn observations(report: &mut Report, section: &Section<'_>) -> Option<AttributeKind> {
    let data_type = section.require(report, "data_type", data_type);
    let mut flag = |key| section.read(report, key, boolean).unwrap_or(false);
    let (editable, confidence) = (flag("editable"), flag("confidence"));
    let (multi_value, force_graph) = (flag("multi_value"), flag("history_force_graph"));
    let history = section.section(report, "history_params").map(|s| history_params(report, s)).unwrap_or_default();
    Some(AttributeKind::Observations { data_type: data_type?, editable, confidence, multi_value, history, force_graph })
}

fn history_params(report: &mut Report, section: Section<'_>) -> HistoryParams {
    let expiry = |node: &Node| match &node.kind {
        Kind::Text(text) if text == "inf" => Ok(None),
        Kind::Float(x) if *x == f64::INFINITY => Ok(None),
        _ => a_duration(node).map(Some),
    };
    let params = HistoryParams {
        max_age: section.read(report, "max_age", a_duration),
        max_items: section.read(report, "max_items", at_least(1)),
        expire_time: section.read(report, "expire_time", expiry).flatten(),
        pre_validity: section.read(report, "pre_validity", a_duration).unwrap_or(0),
        post_validity: section.read(report, "post_validity", a_duration).unwrap_or(0),
        aggregate: section.read(report, "aggregate", boolean).unwrap_or(true),
    };
    section.close(report);
    params
}

fn timeseries(report: &mut Report, section: &Section<'_>) -> Option<AttributeKind> {
    const KINDS: [(&str, TimeseriesType); 3] = [
        ("regular", TimeseriesType::Regular),
        ("irregular", TimeseriesType::Irregular),
        ("irregular_intervals", TimeseriesType::IrregularIntervals),
    ];
    let kind = section.require(report, "timeseries_type", |n| word(n, &KINDS));
    let mut series = Vec::new();
    if section.get("series").is_none() {
        let words = Words::new("no series, so its chunks hold nothing but times").expected("the key \"series\"");
        report.warnings.push(words.about(section.file(), &section.path_of("series"), section.at()));
    }
    if let Some(list) = section.section(report, "series") {
        for entry in list.entries() {
            series.extend(one_series(report, &list, entry));
        }
    }
    let (mut max_age, mut time_step) = (None, None);
    if section.get("timeseries_params").is_none() {
        section.missing(report, "timeseries_params");
    }
    if let Some(params) = section.section(report, "timeseries_params") {
        max_age = params.read(report, "max_age", a_duration);
        time_step = params.read(report, "time_step", a_duration);
        params.close(report);
    }
    let kind = kind?;
    for (name, of) in implicit(kind) {
        series.retain(|(n, _)| n != name);
        series.push(((*name).to_owned(), *of));
    }
    Some(AttributeKind::Timeseries { kind, series, max_age, time_step })
}

fn one_series<'a>(report: &mut Report, list: &Section<'a>, entry: &'a Entry) -> Option<(String, SeriesType)> {
    const TYPES: [(&str, SeriesType); 4] = [
        ("int", SeriesType::Int),
        ("int64", SeriesType::Int64),
        ("float", SeriesType::Float),
        ("time", SeriesType::Time),
    ];
    if !is_identifier(&entry.key) {
        let words = Words::new("this is no name of a series").expected("a letter or _, then letters, digits, _ or -");
        list.error(report, entry.at, &entry.key, words);
        return None;
    }
    let section = list.inner(report, &entry.key, &entry.value, &SERIES)?;
    let of = section.require(report, "data_type", |n| word(n, &TYPES));
    section.close(report);
    of.map(|of| (entry.key.clone(), of))
}

/// Checks links, adds mirrors, and puts the types together. `others` are types whose files have errors.
pub(super) fn link(report: &mut Report, mut drafts: Vec<Draft<'_>>, others: &[&str]) -> Schema {
    let names: Vec<EntityType> = drafts.iter().map(|d| d.spec.id.clone()).collect();
    let broken: Vec<&str> = others.iter().map(|file| stem(file)).collect();
    let mut mirrors = Vec::new();
    let mut targets: Vec<EntityType> = Vec::new();
    for draft in &drafts {
        for attribute in draft.spec.attributes() {
            let Some(link) = attribute.kind.data_type().and_then(DataType::link) else { continue };
            let at = draft.types_at.get(&attribute.id).copied().unwrap_or_default();
            let path = format!("{}.attribs.{}.data_type", draft.spec.id, attribute.id);
            if !names.contains(&link.to) {
                if !broken.contains(&link.to.as_str()) {
                    let words = Words::new(format!("Entity type '{}' is not defined", link.to))
                        .expected("a type that has a file in db_entities")
                        .near(link.to.as_str(), names.iter().map(EntityType::as_str));
                    report.errors.push(words.about(draft.file, &path, at));
                }
                continue;
            }
            targets.push(link.to.clone());
            if let Some(name) = &link.mirror {
                mirrors.push(Mirror {
                    on: link.to.clone(),
                    name: name.clone(),
                    source: draft.spec.id.clone(),
                    attr: attribute.id.clone(),
                    file: draft.file,
                    path,
                    at,
                });
            }
        }
    }
    for mirror in mirrors {
        mirror.add(report, &mut drafts);
    }
    // After an error the link may be in what was not read.
    if report.errors.is_empty() {
        weak_types(report, &drafts, &targets);
    }
    Schema::new(drafts.into_iter().map(|d| d.spec).collect())
}

/// DP³ finds this only at start.
fn weak_types(report: &mut Report, drafts: &[Draft<'_>], targets: &[EntityType]) {
    for draft in drafts.iter().filter(|d| d.spec.lifetime == Lifetime::Weak && !targets.contains(&d.spec.id)) {
        let words = Words::new("nothing links to this weak type, so its entities would be removed at once")
            .expected(format!("an attribute with data type link<{}> in some type, or another lifetime", draft.spec.id));
        report.errors.push(words.about(draft.file, &format!("{}.entity.lifetime", draft.spec.id), draft.lifetime_at));
    }
}

/// An attribute that a link asks for on the other side.
struct Mirror<'a> {
    on: EntityType,
    name: AttrName,
    source: EntityType,
    attr: AttrName,
    file: &'a str,
    path: String,
    at: At,
}

impl Mirror<'_> {
    fn add(self, report: &mut Report, drafts: &mut [Draft<'_>]) {
        let Some(draft) = drafts.iter_mut().find(|d| d.spec.id == self.on) else { return };
        if draft.attributes_at.contains_key(&self.name) || draft.spec.attribute(self.name.as_str()).is_some() {
            let other = match draft.attributes_at.get(&self.name) {
                Some(at) => format!("at {}:{}:{}", draft.file, at.line, at.column),
                None => "as a mirror of another link".to_owned(),
            };
            let message = format!(
                "'{}.{}' is a mirrored attribute, but already exists in configuration {other}",
                self.on, self.name
            );
            let words = Words::new(message).expected("a name that is free on the other side");
            report.errors.push(words.about(self.file, &self.path, self.at));
            return;
        }
        let link = LinkType { to: self.source.clone(), data: None, mirror: None };
        draft.spec.add(AttributeSpec {
            id: self.name.clone(),
            name: self.name.to_string(),
            description: format!("Read-only mirror attribute of {}.{}", self.source, self.attr),
            ttl: 0,
            kind: AttributeKind::Plain {
                data_type: DataType::Set(ElementType::Link(link)),
                editable: false,
                mirror_of: Some((self.source, self.attr)),
            },
        });
    }
}
