//! The text form of data types.
//!
//! DP³ reads it with regular expressions whose strictness about spaces is accidental: it refuses `dict<a: int>` and
//! takes `link<x,int;mirror=back>` for a strange data type, though its documentation shows such forms. Spaces are
//! free here between any two words; whatever DP³ accepts means the same.

use super::{DataType, ElementType, LinkType, Member, Primitive};
use crate::config::nearest;
use crate::id::{AttrName, EntityType};
use crate::value::Scalar;

/// Longest text that is read; far above anything written by hand.
const MAX_TEXT: usize = 16 << 10;

impl DataType {
    /// Reads a data type. Whether linked types exist is the configuration's business.
    ///
    /// # Errors
    /// What is wrong, in words, with the nearest name for an unknown primitive.
    pub fn parse(text: &str) -> Result<Self, String> {
        if text.len() > MAX_TEXT {
            return Err(format!("a data type has at most {MAX_TEXT} characters, this one has {}", text.len()));
        }
        // No accepted type nests deeper than array<link<x,array<int>>>; this also bounds the recursion.
        if text.matches('<').count() > 4 {
            return Err(format!("Data type '{}' is nested too deeply", text.chars().take(80).collect::<String>()));
        }
        let text = text.trim();
        let Some((word, inner)) = generic(text)? else {
            return primitive(text).map(Self::Primitive);
        };
        match word {
            "array" => element(inner, "an array").map(Self::Array),
            "set" => element(inner, "a set").map(Self::Set),
            "dict" => dict(inner).map(Self::Dict),
            "category" => category(inner),
            "link" => link(inner).map(Self::Link),
            _ => Err(unsupported(text, word)),
        }
    }
}

/// Splits `word<inner>`; `None` when there is no bracket.
fn generic(text: &str) -> Result<Option<(&str, &str)>, String> {
    let Some((word, rest)) = text.split_once('<') else { return Ok(None) };
    match rest.strip_suffix('>') {
        Some(inner) => Ok(Some((word.trim(), inner.trim()))),
        None => Err(format!("{text:?} lacks its closing \">\"")),
    }
}

fn primitive(text: &str) -> Result<Primitive, String> {
    Primitive::find(text).ok_or_else(|| unsupported(text, text))
}

fn unsupported(text: &str, word: &str) -> String {
    let names = Primitive::ALL.iter().map(|p| p.name()).chain(["array", "set", "dict", "category", "link"]);
    match nearest(word, names) {
        Some(found) if found != word => format!("Data type '{text}' is not supported, did you mean \"{found}\"?"),
        Some(_) if word == text => format!("Data type '{text}' is not supported without its \"<...>\""),
        _ => format!("Data type '{text}' is not supported"),
    }
}

fn element(text: &str, of: &str) -> Result<ElementType, String> {
    match DataType::parse(text)? {
        DataType::Primitive(p) => Ok(ElementType::Primitive(p)),
        DataType::Link(link) => Ok(ElementType::Link(link)),
        DataType::Array(_) | DataType::Set(_) | DataType::Dict(_) | DataType::Category { .. } => {
            Err(format!("Data type {text} is not supported as {of} element; expected a primitive or a link"))
        }
    }
}

fn dict(text: &str) -> Result<Vec<Member>, String> {
    let mut members: Vec<Member> = Vec::new();
    for part in text.split(',') {
        let Some((name, of)) = part.split_once(':') else {
            return Err(format!("dict entry {:?} is not of the form key:primitive", part.trim()));
        };
        let name = name.trim();
        let (name, optional) = name.strip_suffix('?').map_or((name, false), |n| (n.trim_end(), true));
        if !is_word(name) {
            return Err(format!("dict key {name:?} is not made of letters, digits and _"));
        }
        if members.iter().any(|m| m.name == name) {
            return Err(format!("dict key {name:?} stands there twice"));
        }
        let of = of.trim();
        if of.contains('<') {
            return Err(format!("values of a dict are primitives, found {of:?}"));
        }
        members.push(Member { name: name.to_owned(), of: primitive(of)?, optional });
    }
    Ok(members)
}

fn category(text: &str) -> Result<DataType, String> {
    let Some((of, values)) = text.split_once(';') else {
        return Err("a category is written category<primitive;value,value>".to_owned());
    };
    let of = primitive(of.trim())?;
    let values = values.split(',').map(|v| category_value(of, v.trim())).collect::<Result<Vec<_>, _>>()?;
    Ok(DataType::Category { of, values })
}

fn category_value(of: Primitive, text: &str) -> Result<Scalar, String> {
    if !is_word(text) {
        return Err(format!("category value {text:?} is not made of letters, digits and _"));
    }
    let wrong = || format!("category value {text:?} is not {}", of.describe());
    match of {
        Primitive::String => Ok(Scalar::Text(text.to_owned())),
        Primitive::Int | Primitive::Int64 => text.parse().map(Scalar::Int).map_err(|_| wrong()),
        Primitive::Float => match text.parse::<f64>() {
            Ok(x) if x.is_finite() => Ok(Scalar::Float(x)),
            _ => Err(wrong()),
        },
        Primitive::Tag | Primitive::Binary => crate::accept::truth(text).map(Scalar::Bool).ok_or_else(wrong),
        Primitive::Ipv4 | Primitive::Ipv6 | Primitive::Mac | Primitive::Time | Primitive::Special | Primitive::Json => {
            Err(format!("a category of {of} is not possible: no such value is a plain word"))
        }
    }
}

fn link(text: &str) -> Result<LinkType, String> {
    let (text, mirror) = match text.rsplit_once(';').map(|(head, tail)| (head, tail.trim())) {
        // A `;` may also be that of a category in the data.
        Some((head, tail)) if !tail.contains('>') => {
            let Some(name) = tail.strip_prefix("mirror").and_then(|t| t.trim_start().strip_prefix('=')) else {
                return Err(format!("after \";\" a link has mirror=NAME, found {tail:?}"));
            };
            (head, Some(AttrName::new(name.trim()).map_err(|e| e.to_string())?))
        }
        _ => (text, None),
    };
    let (to, data) = match text.split_once(',') {
        Some((to, data)) => (to, Some(DataType::parse(data)?)),
        None => (text, None),
    };
    if matches!(
        data,
        Some(DataType::Link(_) | DataType::Array(ElementType::Link(_)) | DataType::Set(ElementType::Link(_)))
    ) {
        return Err("the data of a link cannot be a link".to_owned());
    }
    let to = EntityType::new(to.trim()).map_err(|e| e.to_string())?;
    Ok(LinkType { to, data: data.map(Box::new), mirror })
}

/// `\w+`.
fn is_word(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_alphanumeric() || c == '_')
}
