//! A description: the destroyable JSON document that says what a record is and of which components it
//! consists. The ledger names it by digest only.

use crate::record::{
    access::Access, component::Component, digest::Digest, finding::Mark, id::RecordId, metadata::Metadata,
    secrecy::Secrecy,
};
use serde::{Deserialize, Serialize};

/// The name of the schema that a description follows (`schemas/record.v1.json`).
pub const SCHEMA: &str = "record.v1";

/// A description, serialised once as RFC 8785; its name is the SHA-256 of those bytes.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Description {
    /// Always [`SCHEMA`].
    pub schema: String,
    pub record: RecordId,
    /// The description that this one takes the place of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replaces: Option<Digest>,
    /// 32 random bytes in hexadecimal digits: without them the digest cannot be guessed from the content.
    pub salt: String,
    pub metadata: Metadata,
    pub components: Vec<Component>,
    /// Warnings found at intake; they travel with the record.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub findings: Vec<Mark>,
    /// Lý do: why it was moved here from another file.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reasons: Vec<String>,
    /// What is suspected or known of a secrecy mark; absent where nobody ever saw one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secrecy: Option<Secrecy>,
}

/// What a description can be refused for.
#[derive(Debug, thiserror::Error)]
pub enum NotADescription {
    #[error("the description is not JSON of schema record.v1: {0}")]
    Json(#[from] serde_json::Error),
    #[error("the description names schema {0:?}; this version reads record.v1")]
    Schema(String),
    #[error("the description is not in RFC 8785 form")]
    NotCanonical,
}

impl Description {
    /// The bytes that are stored and hashed.
    pub fn to_bytes(&self) -> Result<Vec<u8>, NotADescription> {
        Ok(serde_json_canonicalizer::to_vec(self)?)
    }

    /// Reads stored bytes. They must be exactly the canonical form, so that a digest has one meaning.
    pub fn from_bytes(bytes: &[u8]) -> Result<Description, NotADescription> {
        let read: Description = serde_json::from_slice(bytes)?;
        if read.schema != SCHEMA {
            return Err(NotADescription::Schema(read.schema));
        }
        if read.to_bytes()? != bytes {
            return Err(NotADescription::NotCanonical);
        }
        Ok(read)
    }

    /// May it be found, read and copied? Not from the first suspicion of a secrecy mark on.
    pub fn shows(&self) -> bool {
        self.secrecy.as_ref().is_none_or(Secrecy::shows)
    }

    /// The access level that counts; `None` where nobody may see it, whatever they are cleared for: it may bear a mark.
    pub fn access(&self) -> Option<Access> {
        self.shows().then_some(self.metadata.access)
    }

    /// The components that hold the record's text, in order.
    pub fn texts(&self) -> impl Iterator<Item = &Component> {
        self.components.iter().filter(|c| c.is_text())
    }

    /// The originals that nobody has tried to read yet.
    pub fn unread_yet(&self) -> impl Iterator<Item = &Component> {
        let read = |c: &Component| self.components.iter().any(|r| r.made_from == Some(c.ordinal));
        let originals = self.components.iter().filter(|c| c.role == crate::record::component::Role::Original);
        originals.filter(move |c| !c.is_text() && c.unread.is_none() && !read(c))
    }

    /// The ordinal for the next component: one more than any that was ever used here.
    pub fn next_ordinal(&self) -> u32 {
        self.components.iter().map(|c| c.ordinal).max().unwrap_or(0) + 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::component::{Format, Role, Unread};

    fn example() -> Description {
        let id = RecordId::new(1_763_877_600_000, [7; 10]);
        let component = Component {
            ordinal: 1,
            sha256: Digest::of(b"x"),
            size: 1,
            format: Format { mime: "application/pdf".into() },
            role: Role::Original,
            original_name: Some("Quyết định.pdf".into()),
            made_from: None,
            made_by: None,
            unread: None,
        };
        let metadata = Metadata { subject: "Công bố thủ tục".into(), ..Metadata::default() };
        let (schema, salt) = (SCHEMA.into(), "00".repeat(32));
        Description {
            schema,
            record: id,
            replaces: None,
            salt,
            metadata,
            components: vec![component],
            findings: vec![],
            reasons: Vec::new(),
            secrecy: None,
        }
    }

    #[test]
    fn bytes_have_one_form() {
        let bytes = example().to_bytes().unwrap();
        assert_eq!(Description::from_bytes(&bytes).unwrap(), example());
        let mut spaced = bytes.clone();
        spaced.push(b'\n');
        assert!(matches!(Description::from_bytes(&spaced), Err(NotADescription::NotCanonical)));
        let other = String::from_utf8(bytes).unwrap().replace(SCHEMA, "record.v9");
        assert!(matches!(Description::from_bytes(other.as_bytes()), Err(NotADescription::Schema(_))));
    }

    /// Fields that came later are not written where they are absent: old digests stay what they are.
    #[test]
    fn a_description_from_before_a_field_keeps_its_bytes() {
        let salt = "00".repeat(32);
        let old = format!(
            r#"{{"components":[],"metadata":{{"access":"public","file":"F1","origin":"01","retention_code":"01","subject":"a"}},"record":"019aaf1c-9b00-7707-8707-070707070707","salt":"{salt}","schema":"record.v1"}}"#
        );
        let read = Description::from_bytes(old.as_bytes()).unwrap();
        assert_eq!(read.metadata.security_copy, None);
        assert_eq!(read.to_bytes().unwrap(), old.as_bytes());
    }

    #[test]
    fn what_is_still_to_be_read() {
        let mut description = example();
        assert_eq!(description.unread_yet().count(), 1);
        description.components[0].unread = Some(Unread::Corrupt);
        assert_eq!(description.unread_yet().count(), 0);
        description.components[0].unread = None;
        let text = Component { ordinal: 2, role: Role::Text, made_from: Some(1), ..description.components[0].clone() };
        description.components.push(text);
        assert_eq!(
            (description.unread_yet().count(), description.texts().count(), description.next_ordinal()),
            (0, 1, 3)
        );
    }
}
