//! A kept document: JSON that names its schema and has one spelling, that of RFC 8785. The ledger names it by the
//! SHA-256 of those bytes.
//!
//! # Why
//! Fonds, files, lists of files and backlog work are all kept in the way of a record's description
//! ([`crate::record::description`]): what makes one of their digests mean one thing is said once, here.

use crate::record::digest::unhex;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use std::fmt;

/// 32 random bytes in hexadecimal digits: without them the digest of a document could be guessed from its content.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Salt(String);

/// Not 32 bytes in 64 lower-case hexadecimal digits.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("a salt is 64 lower-case hexadecimal digits")]
pub struct NotASalt;

impl Salt {
    /// From random bytes; the caller owns chance.
    pub fn new(random: [u8; 32]) -> Salt {
        Salt(crate::record::digest::hex(&random))
    }
}

impl TryFrom<String> for Salt {
    type Error = NotASalt;
    fn try_from(text: String) -> Result<Salt, NotASalt> {
        if unhex(&text).is_some_and(|bytes| bytes.len() == 32) { Ok(Salt(text)) } else { Err(NotASalt) }
    }
}

impl From<Salt> for String {
    fn from(salt: Salt) -> String {
        salt.0
    }
}

impl fmt::Display for Salt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What bytes can be refused for as a document.
#[derive(Debug, thiserror::Error)]
pub enum NotADocument {
    #[error("the document is not JSON of schema {schema}: {source}")]
    Json { schema: &'static str, source: serde_json::Error },
    #[error("the document names schema {named:?}; this version reads {read}")]
    Schema { named: String, read: &'static str },
    #[error("the document is not in RFC 8785 form")]
    NotCanonical,
}

/// What is kept as a document.
pub trait Document: Serialize + DeserializeOwned {
    /// The name of the schema in `schemas/`, without its ending.
    const SCHEMA: &'static str;

    /// The schema that this one names.
    fn schema(&self) -> &str;

    /// The bytes that are stored and hashed.
    fn to_bytes(&self) -> Result<Vec<u8>, NotADocument> {
        serde_json_canonicalizer::to_vec(self).map_err(|source| NotADocument::Json { schema: Self::SCHEMA, source })
    }

    /// Reads stored bytes. They must be exactly the canonical form, so that a digest has one meaning.
    fn from_bytes(bytes: &[u8]) -> Result<Self, NotADocument> {
        let json = |source| NotADocument::Json { schema: Self::SCHEMA, source };
        let read: Self = serde_json::from_slice(bytes).map_err(json)?;
        if read.schema() != Self::SCHEMA {
            return Err(NotADocument::Schema { named: read.schema().into(), read: Self::SCHEMA });
        }
        if read.to_bytes()? != bytes {
            return Err(NotADocument::NotCanonical);
        }
        Ok(read)
    }
}

/// What every kind of document is held to.
#[cfg(test)]
pub fn assert_one_spelling<D: Document + PartialEq + fmt::Debug>(document: &D) {
    let bytes = document.to_bytes().unwrap();
    assert_eq!(&D::from_bytes(&bytes).unwrap(), document);
    let mut spaced = bytes.clone();
    spaced.push(b'\n');
    assert!(matches!(D::from_bytes(&spaced), Err(NotADocument::NotCanonical)));
    let text = String::from_utf8(bytes).unwrap();
    let other = text.replace(&format!("\"schema\":\"{}\"", D::SCHEMA), "\"schema\":\"other.v9\"");
    assert!(matches!(D::from_bytes(other.as_bytes()), Err(NotADocument::Schema { .. })));
    let more = text.replacen('{', "{\"a\":1,", 1);
    assert!(matches!(D::from_bytes(more.as_bytes()), Err(NotADocument::Json { .. })), "an unknown key");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_salt_is_thirty_two_bytes_in_one_spelling() {
        assert_eq!(Salt::try_from("0a".repeat(32)), Ok(Salt::new([10; 32])));
        for wrong in ["".to_owned(), "0a".repeat(31), "0A".repeat(32), "0g".repeat(32), "0".repeat(63)] {
            assert_eq!(Salt::try_from(wrong), Err(NotASalt));
        }
    }
}
