//! Look-up tables: short lists such as types, states and people that fields refer to by id.
//!
//! All have one form, an id, a name and further columns under their names in records, so that one table in the store
//! and one route in the server serve them all.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::kind::ObjectKind;
use super::object::{Body, Relation};

/// A look-up table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LookUpKind {
    /// Whom cases are for.
    Customer,
    /// Who works here; the name is the login.
    User,
    /// Users with common access.
    Group,
    /// What a case is.
    Classification,
    /// What an indicator is.
    IocType,
    /// What an asset is.
    AssetType,
    /// With whom an indicator may be shared.
    Tlp,
    /// How far a task is.
    TaskStatus,
    /// How far the analysis of an asset is.
    AnalysisStatus,
    /// How bad a case is.
    Severity,
    /// How far a case is.
    CaseState,
    /// What a case turned out to be.
    OutcomeStatus,
    /// How far the review of a case is.
    ReviewStatus,
    /// What an event is.
    EventCategory,
    /// Whether an asset is compromised.
    CompromiseStatus,
    /// What a registered file is.
    EvidenceType,
    /// How far an alert is.
    AlertStatus,
    /// What a report is about.
    ReportType,
    /// Texts that reports are made from.
    ReportTemplate,
    /// The tree of custom attributes that new objects of a kind get; the name is that of the kind.
    CustomAttributes,
}

/// What is known of a look-up table.
#[derive(Debug)]
pub struct LookUpInfo {
    /// The table.
    pub kind: LookUpKind,
    /// Its name in kebab case.
    pub name: &'static str,
    /// The name of the id in records.
    pub id: &'static str,
    /// The name of the name in records.
    pub label: &'static str,
    /// The further columns.
    pub columns: &'static [&'static str],
    /// Whether ids start at 0.
    pub from_zero: bool,
    /// What is answered when there is no row of that id.
    pub not_found: &'static str,
}

/// A row of a look-up table.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LookUpRow {
    /// The table.
    pub kind: LookUpKind,
    /// Its id.
    pub id: i64,
    /// Its name, unique in its table whatever the case of letters.
    pub name: String,
    /// The further columns.
    pub body: Body,
}

impl LookUpRow {
    /// The row as records show it.
    #[must_use]
    pub fn render(&self) -> Value {
        let info = self.kind.info();
        let mut out = Body::new();
        for column in info.columns {
            out.insert((*column).to_owned(), self.body.get(*column).cloned().unwrap_or(Value::Null));
        }
        out.insert(info.id.to_owned(), json!(self.id));
        out.insert(info.label.to_owned(), json!(self.name));
        Value::Object(out)
    }

    /// A further column as text; empty when it is none.
    #[must_use]
    pub fn text(&self, column: &str) -> &str {
        self.body.get(column).and_then(Value::as_str).unwrap_or_default()
    }
}

/// What validation and patches ask about other rows and objects.
///
/// Answers must be of one moment. Who answers from a database that fails says "no" and keeps the failure for the
/// caller, who asks before using what came out.
pub trait Lookups {
    /// The row of that id.
    fn row(&self, kind: LookUpKind, id: i64) -> Option<LookUpRow>;

    /// Whether an object exists and, unless it is of no case, is in this one. An indicator is in each case that has it.
    fn holds(&self, case_id: Option<i64>, kind: ObjectKind, id: i64) -> bool;

    /// Whether a user may see a case.
    fn may_enter(&self, user_id: i64, case_id: i64) -> bool;

    /// The tree of custom attributes that new objects of a kind get.
    fn custom_defaults(&self, kind: ObjectKind) -> Body;

    /// Whether an id can be at the far end of a link.
    fn linkable(&self, relation: Relation, case_id: Option<i64>, id: i64) -> bool {
        match (relation.target(), relation) {
            (Some(kind), _) => self.holds(case_id, kind, id),
            (None, Relation::TaskUser) => case_id.is_some_and(|case| self.may_enter(id, case)),
            (None, Relation::UserGroup) => self.row(LookUpKind::Group, id).is_some(),
            (None, _) => self.row(LookUpKind::Customer, id).is_some(),
        }
    }
}

macro_rules! look_ups {
    ($($kind:ident = $name:literal, $id:literal, $label:literal, [$($column:literal),*], $zero:literal, $missing:literal;)*) => {
        impl LookUpKind {
            /// All tables.
            pub const ALL: &[Self] = &[$(Self::$kind),*];

            /// What is known of it.
            #[must_use]
            pub fn info(self) -> &'static LookUpInfo {
                match self {
                    $(Self::$kind => &LookUpInfo {
                        kind: Self::$kind, name: $name, id: $id, label: $label, columns: &[$($column),*],
                        from_zero: $zero, not_found: $missing,
                    },)*
                }
            }
        }
    };
}

look_ups! {
    Customer = "customer", "customer_id", "customer_name",
        ["customer_uuid", "customer_description", "customer_sla", "custom_attributes"], false, "Invalid customer ID";
    User = "user", "user_id", "user_login",
        ["user_uuid", "user_name", "user_email", "user_active", "user_is_service_account"], false, "Invalid user ID";
    Group = "group", "group_id", "group_name",
        ["group_uuid", "group_description", "group_permissions", "group_auto_follow", "group_auto_follow_access_level"],
        false, "Invalid group ID";
    Classification = "classification", "id", "name",
        ["name_expanded", "description", "creation_date"], false, "Invalid case classification ID";
    IocType = "ioc-type", "type_id", "type_name",
        ["type_description", "type_taxonomy", "type_validation_regex", "type_validation_expect"], false,
        "Invalid ioc type ID";
    AssetType = "asset-type", "asset_id", "asset_name",
        ["asset_description", "asset_icon_not_compromised", "asset_icon_compromised"], false, "Invalid asset type ID";
    Tlp = "tlp", "tlp_id", "tlp_name", ["tlp_bscolor"], false, "Invalid TLP ID";
    TaskStatus = "task-status", "id", "status_name",
        ["status_description", "status_bscolor"], false, "Invalid task status ID";
    AnalysisStatus = "analysis-status", "id", "name", [], false, "Invalid analysis status ID";
    Severity = "severity", "severity_id", "severity_name", ["severity_description"], false, "Invalid severity ID";
    CaseState = "case-state", "state_id", "state_name", ["state_description", "protected"], false, "Invalid case state ID";
    OutcomeStatus = "outcome-status", "value", "name", [], true, "Invalid outcome status ID";
    ReviewStatus = "review-status", "id", "status_name", [], false, "Invalid review status ID";
    EventCategory = "event-category", "id", "name", [], false, "Invalid event category ID";
    CompromiseStatus = "compromise-status", "value", "name", [], true, "Invalid compromise status ID";
    EvidenceType = "evidence-type", "id", "name", ["description", "creation_date"], false, "Invalid evidence type ID";
    AlertStatus = "alert-status", "status_id", "status_name", ["status_description"], false, "Invalid alert status ID";
    ReportType = "report-type", "id", "name", [], false, "Invalid report type ID";
    ReportTemplate = "report-template", "id", "name",
        ["description", "internal_reference", "naming_format", "language_id", "report_type_id", "format", "content",
         "date_created", "created_by_user_id"],
        false, "Unknown report";
    CustomAttributes = "custom-attributes", "attribute_id", "attribute_for",
        ["attribute_display_name", "attribute_description", "attribute_content"], false, "Invalid attribute ID";
}

impl LookUpKind {
    /// The table of that name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|kind| kind.info().name == name)
    }
}
