//! What a description says, as far as evidence hangs on it.
//!
//! # Why
//! *Less than the schema.* A description gets new members with time, and a verifier that lies in an archive, or was
//! kept beside a receipt, may be older than they are. So all verifiers ask for the same few: whose it is, which one it
//! replaces, its salt, and of each component of a record ordinal, digest and size. Whether the archive's own program can read the
//! rest, that program finds out.
//!
//! *One spelling, for every reader of JSON.* RFC 8785, and only what all of them read alike: members named in a-z, 0-9
//! and `_`, whole numbers below 2^53, no deeper than 32, no longer than 64 MiB.

use crate::record::{
    digest::Digest,
    disposition::{certificate, stub},
    entry::{Event, WHOLE_MAX},
    id::RecordId,
    unit::{Kind, Unit},
};
use serde_json::Value;
use std::str::FromStr;

const BYTES_MAX: usize = 64 << 20;
const DEPTH_MAX: usize = 32;
static NONE: Vec<Value> = Vec::new();

/// What was read.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Stated {
    pub unit: Unit,
    pub replaces: Option<Digest>,
    pub salt: Digest,
    /// Digest and size, in their order.
    pub components: Vec<(Digest, u64)>,
    /// The ordinals of these.
    pub ordinals: Vec<u32>,
}

/// Why bytes are no description.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("the description is not in RFC 8785 form, or not what FORMAT.md says: {0}")]
pub struct NotStated(&'static str);

impl Stated {
    pub fn read(bytes: &[u8]) -> Result<Stated, NotStated> {
        let value = plain(bytes)?;
        let schema = value.get("schema").and_then(Value::as_str);
        let kind = Kind::ALL.into_iter().find(|kind| schema == Some(&kind.schema()));
        let unit = kind.and_then(|kind| kind.unit(value.get(kind.as_str())?.as_str()?).ok());
        let salt: Option<Digest> = text(&value, "salt");
        let components = match (kind, value.get("components")) {
            (Some(Kind::Record), all) => all.and_then(Value::as_array),
            // Only a record has any.
            (_, None) => Some(&NONE),
            (_, Some(_)) => None,
        };
        let components = components.and_then(|all| all.iter().map(component).collect::<Option<Vec<_>>>());
        let replaces = match value.get("replaces") {
            Some(_) => Some(text(&value, "replaces").ok_or(NotStated("what it replaces is no digest"))?),
            None => None,
        };
        match (unit, salt, components) {
            (Some(unit), Some(salt), Some(components)) => {
                let (ordinals, components) = components.into_iter().unzip();
                Ok(Stated { unit, replaces, salt, components, ordinals })
            }
            _ => Err(NotStated("schema, identifier, salt or a component is not in form")),
        }
    }
}

/// What is kept of a record that ended, as far as evidence hangs on it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Remains {
    Stub { record: RecordId },
    Certificate { record: RecordId, stub: Digest, order: u64 },
}

impl Remains {
    /// Reads a stub or a certificate. Neither replaces anything.
    pub fn read(bytes: &[u8]) -> Result<Remains, NotStated> {
        let value = plain(bytes)?;
        let record: Option<RecordId> = text(&value, "record");
        let salt: Option<Digest> = text(&value, "salt");
        let (Some(record), Some(_), None) = (record, salt, value.get("replaces")) else {
            return Err(NotStated("record or salt is not in form, or it replaces something"));
        };
        match value.get("schema").and_then(Value::as_str) {
            Some(stub::SCHEMA) => Ok(Remains::Stub { record }),
            Some(certificate::SCHEMA) => {
                let order = value.get("order").and_then(|order| order.get("entry")?.as_u64());
                let certified = text(&value, "stub").zip(order);
                let certified = certified.ok_or(NotStated("stub or order is not in form"))?;
                Ok(Remains::Certificate { record, stub: certified.0, order: certified.1 })
            }
            _ => Err(NotStated("it is neither a stub nor a certificate")),
        }
    }

    pub fn record(&self) -> RecordId {
        match self {
            Remains::Stub { record } | Remains::Certificate { record, .. } => *record,
        }
    }

    /// Is it what an event names: a stub where a record is ordered to end, a certificate where it has?
    pub fn is_of(&self, event: &Event) -> bool {
        let record = match (self, event) {
            (
                Remains::Stub { .. },
                Event::DestructionOrdered { record, .. } | Event::ExpulsionOrdered { record, .. },
            ) => record,
            (Remains::Certificate { .. }, Event::Destroyed { record, .. } | Event::Expelled { record, .. }) => record,
            _ => return false,
        };
        self.record() == *record
    }
}

/// JSON in the one spelling.
fn plain(bytes: &[u8]) -> Result<Value, NotStated> {
    if bytes.len() > BYTES_MAX {
        return Err(NotStated("it is longer than 64 MiB"));
    }
    let value: Value = serde_json::from_slice(bytes).map_err(|_| NotStated("it is no JSON"))?;
    if !is_plain(&value, 0) || serde_json_canonicalizer::to_vec(&value).ok().as_deref() != Some(bytes) {
        return Err(NotStated("it has another spelling"));
    }
    Ok(value)
}

/// A member that is a text with one spelling.
fn text<T: FromStr>(value: &Value, name: &str) -> Option<T> {
    value.get(name)?.as_str()?.parse().ok()
}

fn component(value: &Value) -> Option<(u32, (Digest, u64))> {
    let ordinal = u32::try_from(value.get("ordinal")?.as_u64()?).ok()?;
    Some((ordinal, (text(value, "sha256")?, value.get("size")?.as_u64()?)))
}

/// Does every reader of JSON read this alike?
fn is_plain(value: &Value, depth: usize) -> bool {
    let inside = |value: &Value| is_plain(value, depth + 1);
    let is_name =
        |name: &String| !name.is_empty() && name.bytes().all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'_'));
    depth <= DEPTH_MAX
        && match value {
            Value::Number(number) => number.as_u64().is_some_and(|number| number < WHOLE_MAX),
            Value::Array(all) => all.iter().all(inside),
            Value::Object(members) => members.iter().all(|(name, value)| is_name(name) && inside(value)),
            Value::Null | Value::Bool(_) | Value::String(_) => true,
        }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RECORD: &str = "019aaf1c-9b00-7707-8707-070707070707";

    fn example() -> String {
        let (digest, salt) = (Digest::of(b"x"), "00".repeat(32));
        let component = format!(r#"{{"ordinal":1,"sha256":"{digest}","size":1}}"#);
        format!(
            r#"{{"components":[{component}],"later":[null,true],"record":"{RECORD}","salt":"{salt}","schema":"record.v1"}}"#
        )
    }

    #[test]
    fn what_counts_is_read_and_the_rest_let_be() {
        let read = Stated::read(example().as_bytes()).unwrap();
        assert_eq!((read.unit, read.replaces), (Kind::Record.unit(RECORD).unwrap(), None));
        assert_eq!((&read.components[..], &read.ordinals[..]), (&[(Digest::of(b"x"), 1)][..], &[1][..]));
        let replaces = format!("\"replaces\":\"{}\",\"salt\"", Digest::of(b"before"));
        let read = Stated::read(example().replace("\"salt\"", &replaces).as_bytes()).unwrap();
        assert_eq!(read.replaces, Some(Digest::of(b"before")));
    }

    #[test]
    fn only_a_record_has_components() {
        for kind in Kind::ALL {
            let name = kind.as_str();
            let mut stated = serde_json::json!({(name): RECORD, "salt": "00".repeat(32), "schema": kind.schema()});
            let read = |stated: &Value| Stated::read(&serde_json_canonicalizer::to_vec(stated).unwrap()).ok();
            let unit = (kind != Kind::Record).then(|| kind.unit(RECORD).unwrap());
            assert_eq!(read(&stated).map(|read| read.unit), unit);
            stated["components"] = serde_json::json!([]);
            assert_eq!(read(&stated).is_some(), kind == Kind::Record, "{stated}");
        }
    }

    #[test]
    fn what_is_kept_of_a_record_names_it_and_replaces_nothing() {
        let record: RecordId = RECORD.parse().unwrap();
        let read = |value: &Value| Remains::read(&serde_json_canonicalizer::to_vec(value).unwrap()).ok();
        let salt = "00".repeat(32);
        let stub =
            serde_json::json!({"bytes": 1, "components": 2, "record": RECORD, "salt": salt, "schema": "stub.v1"});
        let certificate = serde_json::json!({
            "order": {"entry": 7}, "record": RECORD, "salt": salt, "schema": "certificate.v1", "stub": Digest::of(b"s"),
        });
        assert_eq!(read(&stub), Some(Remains::Stub { record }));
        assert_eq!(read(&certificate), Some(Remains::Certificate { record, stub: Digest::of(b"s"), order: 7 }));
        let digest = Digest::of(b"x");
        let ordered = Event::ExpulsionOrdered { record, stub: digest, confirmed_by: RECORD.parse().unwrap() };
        let destroyed = Event::Destroyed { record, certificate: digest };
        for (of, event, is) in [
            (&stub, &ordered, true),
            (&stub, &destroyed, false),
            (&certificate, &destroyed, true),
            (&certificate, &ordered, false),
        ] {
            assert_eq!(read(of).unwrap().is_of(event), is, "{of} {event:?}");
        }
        let other = Event::Destroyed { record: RecordId::new(0, [9; 10]), certificate: digest };
        assert!(!read(&certificate).unwrap().is_of(&other));
        for (of, key, to) in [
            (&stub, "replaces", serde_json::json!(digest)),
            (&stub, "record", serde_json::json!("1")),
            (&stub, "schema", serde_json::json!("record.v1")),
            (&stub, "salt", serde_json::json!(null)),
            (&certificate, "stub", serde_json::json!("1")),
            (&certificate, "order", serde_json::json!(7)),
            (&certificate, "order", serde_json::json!({"entry": "7"})),
        ] {
            let mut wrong = of.clone();
            wrong[key] = to;
            assert_eq!(read(&wrong), None, "{wrong}");
        }
        assert!(Stated::read(&serde_json_canonicalizer::to_vec(&stub).unwrap()).is_err(), "it describes no record");
    }

    #[test]
    fn what_readers_of_json_may_disagree_on_is_refused() {
        let deep = |depth: usize| format!("{}1{}", "[".repeat(depth), "]".repeat(depth));
        assert!(Stated::read(example().replace("[null,true]", &deep(31)).as_bytes()).is_ok());
        for (from, to) in [
            ("[null,true]", deep(32).as_str()),
            ("true", "-0"),
            ("true", "-1"),
            ("true", "1.5"),
            ("true", "1e2"),
            ("true", "9007199254740992"),
            ("true", "18446744073709552000"),
            ("true", "{\"A\":1}"),
            ("true", "{\"é\":1}"),
            ("true", "{\"\":1}"),
            ("true", "true "),
            ("\"ordinal\":1", "\"ordinal\":4294967296"),
            ("\"ordinal\":1", "\"ordinal\":\"1\""),
            ("\"size\":1", "\"size\":true"),
            ("\"sha256\"", "\"sha1\""),
            ("\"salt\":\"00", "\"salt\":\"0"),
            ("\"salt\"", "\"replaces\":null,\"salt\""),
            ("record.v1", "record.v2"),
            ("019aaf1c", "019AAF1C"),
            ("\"components\"", "\"component\""),
        ] {
            let wrong = example().replacen(from, to, 1);
            assert!(Stated::read(wrong.as_bytes()).is_err(), "{wrong}");
        }
        for wrong in ["", "[]", "{", "null"] {
            assert!(Stated::read(wrong.as_bytes()).is_err(), "{wrong}");
        }
    }
}
