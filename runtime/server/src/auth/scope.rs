//! What a token is restricted to, within its role.
//!
//! A role says how much a token may do, scopes say which of it: a token with scopes may do only what both allow, one
//! without may do all of its role. Each route names the scope that it belongs to. A scope of data may name one entity
//! type, `ingest:ip`; which type a request is about its path tells, or the datapoints that it sends.

use std::fmt;
use std::str::FromStr;

use tenter_model::EntityType;

use super::Role;

/// A part of what the server does; each route belongs to one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Area {
    /// Reading entities, the state of the server, and what is installed.
    Read,
    /// Sending datapoints.
    Ingest,
    /// Changing and removing entities.
    Entities,
    /// Having done now what `control.yml` allows.
    Control,
    /// Looking into failures, dead letters and calls of hooks.
    Inspect,
    /// Reading cases.
    CaseRead,
    /// Working on cases.
    CaseWrite,
    /// Users, customers, look-up tables and templates of case management.
    CaseAdmin,
    /// Installing, granting and switching modules.
    Modules,
    /// Dead letters, backups, the audit log, and snapshot runs as wished.
    Operate,
    /// Making and revoking tokens.
    Tokens,
}

/// Name, the least role that has it, and what it is for.
const AREAS: [(Area, &str, Role, &str); 11] = [
    (Area::Read, "read", Role::Viewer, "read entities, state and modules"),
    (Area::Ingest, "ingest", Role::Ingester, "send datapoints"),
    (Area::Entities, "entities", Role::Analyst, "change and remove entities"),
    (Area::Control, "control", Role::Analyst, "have done now what control.yml allows"),
    (Area::Inspect, "inspect", Role::Author, "see failures, dead letters and calls of hooks"),
    (Area::CaseRead, "case-read", Role::Viewer, "read cases that the token's user may see"),
    (Area::CaseWrite, "case-write", Role::Analyst, "work on cases that the token's user may change"),
    (Area::CaseAdmin, "case-admin", Role::Operator, "users, customers, look-up tables, templates of cases"),
    (Area::Modules, "modules", Role::Operator, "install, grant and switch modules"),
    (Area::Operate, "operate", Role::Operator, "dead letters, backups, audit log, snapshot runs"),
    (Area::Tokens, "tokens", Role::Operator, "make and revoke tokens"),
];

impl Area {
    /// Its name.
    pub(crate) fn name(self) -> &'static str {
        AREAS.iter().find(|row| row.0 == self).map_or("read", |row| row.1)
    }

    /// The least role that may do anything in it.
    pub(crate) fn role(self) -> Role {
        AREAS.iter().find(|row| row.0 == self).map_or(Role::Operator, |row| row.2)
    }

    /// All of them.
    #[cfg(test)]
    pub(crate) fn all() -> impl Iterator<Item = Self> {
        AREAS.iter().map(|row| row.0)
    }

    /// Whether it can be narrowed to an entity type.
    fn is_of_data(self) -> bool {
        matches!(self, Self::Read | Self::Ingest | Self::Entities)
    }
}

/// The areas for `--help`.
pub(crate) fn help() -> String {
    let mut text = "Scopes:\n".to_owned();
    for (area, name, role, what) in AREAS {
        let narrow = if area.is_of_data() { ", or of one type: " } else { "" };
        let example = if area.is_of_data() { format!("{name}:ip") } else { String::new() };
        text.push_str(&format!("  {name:9} {what} (role {role}){narrow}{example}\n"));
    }
    text
}

/// One scope of a token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Scope {
    /// The area.
    pub(crate) area: Area,
    /// Only entities of this type.
    pub(crate) etype: Option<EntityType>,
}

impl Scope {
    /// Whether all that the other one allows is allowed by this one.
    fn covers(&self, other: &Self) -> bool {
        self.area == other.area && (self.etype.is_none() || self.etype == other.etype)
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.etype {
            None => f.write_str(self.area.name()),
            Some(etype) => write!(f, "{}:{etype}", self.area.name()),
        }
    }
}

impl FromStr for Scope {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (name, etype) = text.split_once(':').map_or((text, None), |(name, etype)| (name, Some(etype)));
        let area = AREAS.iter().find(|row| row.1 == name).map(|row| row.0).ok_or_else(|| {
            let names = AREAS.map(|row| row.1).join(", ");
            format!("{text:?} is no scope; scopes are {names}, and read:TYPE, ingest:TYPE, entities:TYPE for one entity type")
        })?;
        let etype = match etype {
            None => None,
            Some(_) if !area.is_of_data() => return Err(format!("{text:?}: the scope {name} is of no entity type")),
            Some(etype) => Some(etype.parse().map_err(|error| format!("{text:?}: {error}"))?),
        };
        Ok(Self { area, etype })
    }
}

/// The scopes of a token; none means that it is not restricted.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Scopes(Vec<Scope>);

impl From<Vec<Scope>> for Scopes {
    fn from(scopes: Vec<Scope>) -> Self {
        Self(scopes)
    }
}

impl Scopes {
    /// Reads them.
    ///
    /// # Errors
    /// Which text is no scope.
    pub(crate) fn parse<'a>(texts: impl IntoIterator<Item = &'a str>) -> Result<Self, String> {
        texts.into_iter().map(str::parse).collect::<Result<_, _>>().map(Self)
    }

    /// As they are stored.
    pub(crate) fn texts(&self) -> Vec<String> {
        self.0.iter().map(ToString::to_string).collect()
    }

    /// Whether the role alone counts.
    pub(crate) fn is_all(&self) -> bool {
        self.0.is_empty()
    }

    /// The least role in which all of them can be used.
    pub(crate) fn role(&self) -> Option<Role> {
        self.0.iter().map(|scope| scope.area.role()).max()
    }

    /// Whether something in this area is allowed, about one entity type or about all of them (`None`).
    pub(crate) fn allow(&self, area: Area, etype: Option<&str>) -> bool {
        let about = |scope: &Scope| match (&scope.etype, etype) {
            (None, _) => true,
            (Some(own), Some(etype)) => own.as_str() == etype,
            (Some(_), None) => false,
        };
        self.is_all() || self.0.iter().any(|scope| scope.area == area && about(scope))
    }

    /// Whether something in this area is allowed for some entity type at least.
    pub(crate) fn allow_some(&self, area: Area) -> bool {
        self.is_all() || self.0.iter().any(|scope| scope.area == area)
    }

    /// Whether all that others allow is allowed here, so that their bearer gains nothing.
    pub(crate) fn cover(&self, others: &Self) -> bool {
        let covered = |other| self.0.iter().any(|scope| scope.covers(other));
        self.is_all() || (!others.is_all() && others.0.iter().all(covered))
    }
}

impl fmt::Display for Scopes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.texts().join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scopes(texts: &[&str]) -> Scopes {
        Scopes::parse(texts.iter().copied()).unwrap()
    }

    #[test]
    fn scopes_have_one_form() {
        for text in [
            "read",
            "ingest:ip",
            "entities",
            "control",
            "inspect",
            "case-read",
            "case-write",
            "case-admin",
            "modules",
            "operate",
            "tokens",
        ] {
            assert_eq!(text.parse::<Scope>().unwrap().to_string(), text);
        }
        assert_eq!(Area::all().count(), AREAS.len());
        insta::assert_snapshot!("ingest-all".parse::<Scope>().unwrap_err(), @r#""ingest-all" is no scope; scopes are read, ingest, entities, control, inspect, case-read, case-write, case-admin, modules, operate, tokens, and read:TYPE, ingest:TYPE, entities:TYPE for one entity type"#);
        insta::assert_snapshot!("modules:ip".parse::<Scope>().unwrap_err(), @r#""modules:ip": the scope modules is of no entity type"#);
        assert!("read:no such".parse::<Scope>().is_err());
    }

    #[test]
    fn a_scope_allows_its_area_and_type_alone() {
        let all = Scopes::default();
        assert!(all.allow(Area::Tokens, None) && all.allow(Area::Ingest, Some("ip")));
        let some = scopes(&["ingest:ip", "read"]);
        assert!(some.allow(Area::Ingest, Some("ip")) && some.allow_some(Area::Ingest));
        assert!(!some.allow(Area::Ingest, Some("domain")) && !some.allow(Area::Ingest, None));
        assert!(some.allow(Area::Read, Some("domain")) && some.allow(Area::Read, None));
        assert!(!some.allow(Area::Operate, None) && !some.allow_some(Area::Entities));
        assert_eq!((some.role(), all.role()), (Some(Role::Ingester), None));
    }

    #[test]
    fn nobody_makes_a_token_that_may_do_more() {
        let (all, some) = (Scopes::default(), scopes(&["tokens", "ingest"]));
        assert!(all.cover(&all) && all.cover(&some) && some.cover(&some));
        assert!(some.cover(&scopes(&["ingest:ip"])));
        assert!(!some.cover(&all) && !some.cover(&scopes(&["read"])));
        assert!(!scopes(&["ingest:ip"]).cover(&scopes(&["ingest"])));
    }
}
