//! Bodies of requests about case objects, from the table of fields that validation reads too.

use serde_json::{Map, Value, json};
use tenter_model::case::ObjectKind;
use tenter_model::case::field::{COLOURS, Field, LONG, Need, Shape};

/// What may be sent about an object of a kind. What the server makes is not in it.
pub(super) fn schema(kind: ObjectKind, is_new: bool) -> Value {
    let given = || kind.info().fields.iter().filter(|field| field.need != Need::Server);
    let mut properties: Map<String, Value> = given().map(|field| (field.name.to_owned(), one(field))).collect();
    let cid = json!({"type": "integer", "description": "the case, where the query does not name it"});
    properties.insert("cid".to_owned(), cid);
    let must = |field: &&Field| field.need == Need::Always || (is_new && field.need == Need::Create);
    let required: Vec<&str> = given().filter(must).map(|field| field.name).collect();
    json!({"type": "object", "properties": properties, "required": required})
}

fn one(field: &Field) -> Value {
    let mut schema = match field.shape {
        Shape::Text { min, max } if max < LONG => json!({"type": "string", "minLength": min, "maxLength": max}),
        Shape::Text { min, .. } => json!({"type": "string", "minLength": min}),
        Shape::Count => json!({"type": ["integer", "string"], "minimum": 0}),
        Shape::Truth => json!({"type": "boolean"}),
        Shape::LookUp { kind, .. } => {
            json!({"type": ["integer", "string"], "description": format!("id of a row of the table {}", kind.info().name)})
        }
        Shape::Object { kind, .. } => {
            json!({"type": ["integer", "string"], "description": format!("id of an object of the case: {kind}")})
        }
        Shape::Links(relation) => {
            let of = relation.target().map_or("user", ObjectKind::name);
            let about = format!("ids, each of an object of the sort {of}; those that cannot be linked are left out");
            json!({"type": "array", "items": {"type": ["integer", "string"]}, "description": about})
        }
        Shape::Tags { max } => {
            json!({"type": "string", "maxLength": max, "description": "words, separated by commas"})
        }
        Shape::LocalTime => {
            json!({"type": "string", "description": "such as 2024-05-01T12:00:00.000000, without zone"})
        }
        Shape::Zone => json!({"type": "string", "description": "such as +02:00"}),
        Shape::Moment => json!({"type": "string", "format": "date-time"}),
        Shape::Colour => json!({"type": "string", "description": format!("one of {}", COLOURS.join(", "))}),
        Shape::People => {
            json!({"type": "array", "items": {"type": "object"}, "description": "{role, name, contact} each"})
        }
        Shape::Custom => {
            json!({"type": "object", "description": "{tab: {field: value}}; what the tree of the kind lacks is left out"})
        }
        Shape::Json => json!({"description": "any JSON"}),
    };
    let never_null = matches!(field.need, Need::Always | Need::Create);
    if let (false, Some(Value::String(kind))) = (never_null, schema.get("type").cloned())
        && let Some(schema) = schema.as_object_mut()
    {
        schema.insert("type".to_owned(), json!([kind, "null"]));
    }
    schema
}
