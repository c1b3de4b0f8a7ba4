//! Which shapes take all values of another one.

use super::AttributeShape;
use crate::datatype::{DataType, ElementType, LinkType, Primitive};
use crate::schema::SeriesType;

/// Whether all values of an old shape are values of a new one. Types are stored as text, so that old text that this
/// program does not read any more holds nothing.
pub(super) fn holds(new: &AttributeShape, old: &AttributeShape) -> bool {
    use AttributeShape::{Observations, Plain, Timeseries};
    match (new, old) {
        (Plain { data_type: new }, Plain { data_type: old })
        | (Observations { data_type: new }, Observations { data_type: old }) => {
            matches!((DataType::parse(new), DataType::parse(old)), (Ok(new), Ok(old)) if takes(&new, &old))
        }
        (
            Timeseries { timeseries_type: new_kind, series: new },
            Timeseries { timeseries_type: old_kind, series: old },
        ) => {
            let is_int = |of: &SeriesType| matches!(of, SeriesType::Int | SeriesType::Int64);
            let same = |((a, new), (b, old)): (&(String, SeriesType), &(String, SeriesType))| {
                a == b && (new == old || is_int(new) && is_int(old))
            };
            new_kind == old_kind && new.len() == old.len() && new.iter().zip(old).all(same)
        }
        _ => false,
    }
}

fn takes(new: &DataType, old: &DataType) -> bool {
    match (new, old) {
        (DataType::Primitive(new), DataType::Primitive(old)) => takes_primitive(*new, *old),
        // A category of text is text.
        (DataType::Primitive(new), DataType::Category { of, .. }) => takes_primitive(*new, *of),
        (DataType::Category { of: new_of, values: new }, DataType::Category { of, values: old }) => {
            new_of == of && old.iter().all(|value| new.contains(value))
        }
        (DataType::Array(new) | DataType::Set(new), DataType::Array(old) | DataType::Set(old)) => match (new, old) {
            (ElementType::Primitive(new), ElementType::Primitive(old)) => takes_primitive(*new, *old),
            (ElementType::Link(new), ElementType::Link(old)) => takes_link(new, old),
            _ => false,
        },
        (DataType::Dict(new), DataType::Dict(old)) => {
            let kept = old.iter().all(|o| {
                new.iter().any(|n| n.name == o.name && takes_primitive(n.of, o.of) && (n.optional || !o.optional))
            });
            kept && new.iter().all(|n| n.optional || old.iter().any(|o| o.name == n.name))
        }
        (DataType::Link(new), DataType::Link(old)) => takes_link(new, old),
        _ => false,
    }
}

fn takes_primitive(new: Primitive, old: Primitive) -> bool {
    use Primitive::{Binary, Int, Int64, Tag};
    new == old || matches!((new, old), (Int, Int64) | (Int64, Int) | (Tag, Binary) | (Binary, Tag))
}

/// The mirror may differ: nothing is stored of it.
fn takes_link(new: &LinkType, old: &LinkType) -> bool {
    let data = match (&new.data, &old.data) {
        (None, None) => true,
        (Some(new), Some(old)) => takes(new, old),
        _ => false,
    };
    new.to == old.to && data
}
