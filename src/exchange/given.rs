//! Values as a depositor gave them: a row taken apart, before anything is judged but its form.
//!
//! # Why
//! Not `serde_json::Value`: a row of the longest length can hold thirty million empty arrays, which take
//! gigabytes there; it lets the last of two equal keys win silently; and it keeps what nobody asked for.
//! Here values are counted, equal keys are refused and unknown keys are read past.

use crate::record::{date::PartialDate, fields, text};
use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use std::cell::Cell;
use std::fmt;

/// Values in one row at most.
const VALUES_MAX: usize = 100_000;

/// Unknown keys told of one row at most.
const UNKNOWN_MAX: usize = 20;

/// A value of a row.
#[derive(Clone, PartialEq, Debug)]
pub enum Given {
    Text(String),
    /// A whole number that is not negative.
    Count(u64),
    List(Vec<Given>),
    Map(Vec<(String, Given)>),
    /// Nothing was given: `null`, or an empty cell.
    Nothing,
    Flag(bool),
    /// `-1`, `2.5`: no field has such a value.
    Other,
}

/// A row taken apart.
#[derive(Default, Debug)]
pub struct Values {
    /// By the names of [`name_of`].
    pub known: Vec<(&'static str, Given)>,
    /// Keys that the template does not have, at most [`UNKNOWN_MAX`], each at most 100 characters.
    pub unknown: Vec<String>,
    /// Somebody typed them into a sheet: dates may be written as people write them.
    pub typed: bool,
}

impl Values {
    /// What was given under this name.
    pub fn take(&mut self, name: &str) -> Given {
        let given = self.known.iter_mut().find(|(known, _)| *known == name);
        given.map_or(Given::Nothing, |(_, value)| std::mem::replace(value, Given::Nothing))
    }

    /// Cells of a sheet as one JSON object that reads as they do: dates in the one spelling that a program writes.
    pub fn to_json(&self) -> String {
        let mut row = serde_json::Map::new();
        for (name, given) in &self.known {
            let Given::Text(typed) = given else { continue };
            let date = if *name == "issued" { PartialDate::read(&text::line(typed)).ok() } else { None };
            row.insert((*name).into(), date.map_or_else(|| typed.clone(), |date| date.to_string()).into());
        }
        for key in &self.unknown {
            row.insert(key.clone(), serde_json::Value::Null);
        }
        serde_json::Value::Object(row).to_string()
    }

    /// Notes a key that the template does not have.
    pub fn note_unknown(&mut self, key: &str) {
        let key: String = key.chars().take(100).collect();
        if self.unknown.len() < UNKNOWN_MAX && !self.unknown.contains(&key) {
            self.unknown.push(key);
        }
    }
}

/// The name in the template for a key as given: a field, or `components`, `sha256`, `text`.
pub fn name_of(key: &str) -> Option<&'static str> {
    let field = fields::FIELDS.iter().find(|f| f.name == key || f.key == key).map(|f| f.name);
    field.or_else(|| ["components", "sha256", "text"].into_iter().find(|name| *name == key))
}

/// Takes a row of JSON apart; the text says what is wrong with it and never repeats it.
pub fn from_json(row: &str) -> Result<Values, String> {
    if !row.trim_start().starts_with('{') {
        return Err("a row is one JSON object".into());
    }
    let mut json = serde_json::Deserializer::from_str(row);
    let left = Cell::new(VALUES_MAX);
    let told = |error: serde_json::Error| {
        let text = error.to_string();
        let message = text.rsplit_once(" at line ").map_or(text.as_str(), |(message, _)| message);
        format!("{message}, character {}", error.column())
    };
    let values = RowSeed(&left).deserialize(&mut json).map_err(told)?;
    json.end().map_err(told)?;
    Ok(values)
}

struct RowSeed<'a>(&'a Cell<usize>);

impl<'de> DeserializeSeed<'de> for RowSeed<'_> {
    type Value = Values;
    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<Values, D::Error> {
        from.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for RowSeed<'_> {
    type Value = Values;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("one JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Values, A::Error> {
        let mut values = Values::default();
        while let Some(key) = map.next_key::<String>()? {
            let Some(name) = name_of(&key) else {
                values.note_unknown(&key);
                map.next_value::<IgnoredAny>()?;
                continue;
            };
            if values.known.iter().any(|(known, _)| *known == name) {
                return Err(A::Error::custom(format_args!("{name} is given twice")));
            }
            values.known.push((name, map.next_value_seed(ValueSeed(self.0))?));
        }
        Ok(values)
    }
}

struct ValueSeed<'a>(&'a Cell<usize>);

impl<'de> DeserializeSeed<'de> for ValueSeed<'_> {
    type Value = Given;
    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<Given, D::Error> {
        match self.0.get().checked_sub(1) {
            Some(left) => self.0.set(left),
            None => return Err(D::Error::custom(format_args!("more than {VALUES_MAX} values"))),
        }
        from.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for ValueSeed<'_> {
    type Value = Given;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Given, E> {
        Ok(Given::Nothing)
    }

    fn visit_bool<E>(self, flag: bool) -> Result<Given, E> {
        Ok(Given::Flag(flag))
    }

    fn visit_i64<E>(self, _: i64) -> Result<Given, E> {
        Ok(Given::Other)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Given, E> {
        Ok(Given::Other)
    }

    fn visit_u64<E>(self, number: u64) -> Result<Given, E> {
        Ok(Given::Count(number))
    }

    fn visit_str<E>(self, text: &str) -> Result<Given, E> {
        Ok(Given::Text(text.to_owned()))
    }

    fn visit_string<E>(self, text: String) -> Result<Given, E> {
        Ok(Given::Text(text))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Given, A::Error> {
        let mut given = Vec::new();
        while let Some(value) = list.next_element_seed(ValueSeed(self.0))? {
            given.push(value);
        }
        Ok(Given::List(given))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Given, A::Error> {
        let mut given: Vec<(String, Given)> = Vec::new();
        while let Some(key) = map.next_key::<String>()? {
            // No value of the template has more than two keys; looking through more would take for ever.
            if given.len() >= UNKNOWN_MAX {
                map.next_value::<IgnoredAny>()?;
            } else if given.iter().any(|(known, _)| *known == key) {
                return Err(A::Error::custom("a key is given twice"));
            } else {
                given.push((key, map.next_value_seed(ValueSeed(self.0))?));
            }
        }
        Ok(Given::Map(given))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_taken_apart() {
        let row = r#"{"subject":"a","pages":3,"languages":["vi",null],"components":[{"path":"x"}],"x":[[1]],"note":-1,"x":2}"#;
        let mut values = from_json(row).unwrap();
        assert_eq!(values.take("subject"), Given::Text("a".into()));
        assert_eq!(values.take("subject"), Given::Nothing, "taken");
        assert_eq!(values.take("language"), Given::List(vec![Given::Text("vi".into()), Given::Nothing]));
        let component = Given::Map(vec![("path".into(), Given::Text("x".into()))]);
        assert_eq!(values.take("components"), Given::List(vec![component]));
        assert_eq!((values.take("pages"), values.take("note")), (Given::Count(3), Given::Other));
        assert_eq!(values.unknown, ["x"]);
    }

    #[test]
    fn what_is_no_row_and_why() {
        let (deep, many) = ("[".repeat(100_000), format!(r#"{{"keywords":[{}1]}}"#, "[],".repeat(VALUES_MAX)));
        let deep_field = format!(r#"{{"keywords":{deep}"#);
        for (row, why) in [
            ("[]", "one JSON object"),
            ("\"secret\"", "one JSON object"),
            ("{\"subject\":\"a\"", "EOF"),
            ("{\"subject\":\"a\"} x", "trailing"),
            ("{\"subject\":\"a\",\"subject\":\"b\"}", "subject is given twice"),
            ("{\"language\":\"a\",\"languages\":\"b\"}", "language is given twice"),
            ("{\"components\":[{\"path\":\"a\",\"path\":\"b\"}]}", "twice"),
            ("{\"subject\":\"\\ud800\"}", "hex escape"),
            (&deep, "one JSON object"),
            (&deep_field, "recursion"),
            (&many, "more than"),
        ] {
            let told = from_json(row).unwrap_err();
            assert!(told.contains(why), "{told}");
        }
    }

    #[test]
    fn unknown_keys_are_told_up_to_a_limit() {
        let keys: Vec<String> = (0..1000).map(|n| format!("\"k{n}\":[{{}}]")).collect();
        assert_eq!(from_json(&format!("{{{}}}", keys.join(","))).unwrap().unknown.len(), UNKNOWN_MAX);
    }
}
