//! The one form of bytes of a document that the ledger names by digest: RFC 8785, and nothing else is read back.
//!
//! # Why
//! A digest has one meaning only where a document has one spelling. Descriptions, holds, cases, stubs and certificates
//! all need the same three lines for it; they stand here once.

use serde::{Serialize, de::DeserializeOwned};

/// What bytes can be refused as such a document for.
#[derive(Debug, thiserror::Error)]
pub enum NotADocument {
    #[error("the document is not JSON of schema {schema}: {source}")]
    Json { schema: &'static str, source: serde_json::Error },
    #[error("the document names schema {found:?}; this version reads {schema}")]
    Schema { schema: &'static str, found: String },
    #[error("the document is not in RFC 8785 form")]
    NotCanonical,
    #[error("the salt of a document is 32 bytes, written as 64 lower-case hexadecimal digits")]
    Salt,
}

/// A document with a schema and a salt.
pub trait Canonical: Serialize + DeserializeOwned {
    /// The name of its schema (`schemas/<name>.json`).
    const SCHEMA: &'static str;

    /// The schema that this one names.
    fn schema(&self) -> &str;

    /// 32 random bytes in hexadecimal digits: without them the digest could be guessed from what is known otherwise.
    fn salt(&self) -> &str;

    /// The bytes that are stored and hashed.
    fn to_bytes(&self) -> Result<Vec<u8>, NotADocument> {
        if crate::record::digest::unhex(self.salt()).is_none_or(|salt| salt.len() != 32) {
            return Err(NotADocument::Salt);
        }
        serde_json_canonicalizer::to_vec(self).map_err(|source| NotADocument::Json { schema: Self::SCHEMA, source })
    }

    /// Reads stored bytes. They must be exactly what [`Canonical::to_bytes`] writes.
    fn from_bytes(bytes: &[u8]) -> Result<Self, NotADocument> {
        let json = |source| NotADocument::Json { schema: Self::SCHEMA, source };
        let read: Self = serde_json::from_slice(bytes).map_err(json)?;
        if read.schema() != Self::SCHEMA {
            return Err(NotADocument::Schema { schema: Self::SCHEMA, found: read.schema().into() });
        }
        if read.to_bytes()? != bytes {
            return Err(NotADocument::NotCanonical);
        }
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Deserialize;

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Slip {
        schema: String,
        salt: String,
        count: u32,
    }

    impl Canonical for Slip {
        const SCHEMA: &'static str = "slip.v1";
        fn schema(&self) -> &str {
            &self.schema
        }
        fn salt(&self) -> &str {
            &self.salt
        }
    }

    #[test]
    fn a_document_has_one_spelling() {
        let slip = Slip { schema: "slip.v1".into(), salt: "0a".repeat(32), count: 3 };
        let bytes = slip.to_bytes().unwrap();
        assert_eq!(Slip::from_bytes(&bytes).unwrap(), slip);
        let text = String::from_utf8(bytes).unwrap();
        for wrong in [
            format!("{text}\n"),
            text.replace(":3", ": 3"),
            text.replace("slip.v1", "slip.v2"),
            text.replace("0a", "0A"),
            text.replace("0a", ""),
            text.replace("\"count\"", "\"extra\":1,\"count\""),
            "{}".to_owned(),
        ] {
            assert!(Slip::from_bytes(wrong.as_bytes()).is_err(), "{wrong}");
        }
    }
}
