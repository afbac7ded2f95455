//! A stub: what the law keeps of a destroyed record.
//!
//! TT 06/2025/TT-BNV Annex II: the list of what was destroyed tells its title, its dates and why. NĐ 30/2020/NĐ-CP Annex VI
//! keeps what identifies a document as long as its file is spoken of.
//!
//! # Why
//! *It identifies and does not tell.* Number, notation, agency, day and title are what a later reader asks for ("was there
//! a decision 48, and where is it?"). Keywords, notes, annotations, names of components, text and digests of components
//! go with the record: a digest of a document that is made from a template can be guessed back into the document.
//!
//! *Of a state secret and of a wrong deposit nothing is told but that it was here.* The title of the one may be secret
//! itself; that of the other was never the archive's to know.

use crate::record::{
    date::PartialDate,
    description::Description,
    digest::Digest,
    disposition::basis::Basis,
    document::{Document, Salt},
    entry::Instant,
    id::RecordId,
};
use serde::{Deserialize, Serialize};

/// The name of the schema of a stub (`schemas/stub.v1.json`).
pub const SCHEMA: &str = "stub.v1";

/// What is left of a destroyed record; the ledger names it by digest.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Stub {
    /// Always [`SCHEMA`].
    pub schema: String,
    pub salt: Salt,
    pub record: RecordId,
    /// When the archive had taken responsibility.
    pub accessioned: Instant,
    /// Original components, and their bytes; the renditions that were made of them are not counted.
    pub components: u32,
    pub bytes: u64,
    pub basis: Basis,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub identity: Option<Identity>,
}

/// By what a record is asked for.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Identity {
    pub subject: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub number: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub notation: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub issued: Option<PartialDate>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agency: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub type_code: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fonds: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retention_code: Option<String>,
}

impl Document for Stub {
    const SCHEMA: &'static str = SCHEMA;
    fn schema(&self) -> &str {
        &self.schema
    }
}

impl Stub {
    /// What remains of a record with this description, its newest.
    pub fn of(description: &Description, accessioned: Instant, basis: Basis, salt: Salt) -> Stub {
        let originals = || description.components.iter().filter(|one| one.made_from.is_none());
        let identity = matches!(basis, Basis::Disposition { .. }).then(|| identity(description));
        Stub {
            schema: SCHEMA.into(),
            salt,
            record: description.record,
            accessioned,
            components: u32::try_from(originals().count()).unwrap_or(u32::MAX),
            bytes: originals().map(|one| one.size).fold(0, u64::saturating_add),
            basis,
            identity,
        }
    }

    /// The bytes' own name.
    pub fn digest(&self) -> Result<Digest, crate::record::document::NotADocument> {
        Ok(Digest::of(&self.to_bytes()?))
    }
}

fn identity(description: &Description) -> Identity {
    let said = &description.metadata;
    Identity {
        subject: said.subject.clone(),
        code: said.code.clone(),
        number: said.number.clone(),
        notation: said.notation.clone(),
        issued: said.issued,
        agency: said.agency.clone(),
        type_code: said.type_code.clone(),
        fonds: said.fonds.clone(),
        file: said.file.clone(),
        retention_code: said.retention_code.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::{
        component::{Component, Format, Role},
        disposition::{
            case::{Ground, Paper, Unit},
            withdrawal::Mistake,
        },
        id::{ActorId, CaseId, FileId, ScheduleId},
        metadata::Metadata,
        secrecy::Level,
    };

    fn description() -> Description {
        let component = |ordinal, made_from: Option<u32>| Component {
            ordinal,
            sha256: Digest::of(&[ordinal as u8]),
            size: 1_000,
            format: Format { mime: "application/pdf".into() },
            role: if made_from.is_some() { Role::Text } else { Role::Original },
            original_name: Some("CANARY-NAME.pdf".into()),
            made_from,
            made_by: None,
            unread: None,
        };
        let metadata = Metadata {
            subject: "Quyết định nâng lương".into(),
            number: Some("48".into()),
            notation: Some("QĐ-SNV".into()),
            keywords: vec!["CANARY-KEYWORD".into()],
            note: Some("CANARY-NOTE".into()),
            annotations: Some("CANARY-HAND".into()),
            retention_code: Some("06".into()),
            ..Metadata::default()
        };
        Description {
            schema: crate::record::description::SCHEMA.into(),
            record: RecordId::new(0, [1; 10]),
            replaces: None,
            salt: "0c".repeat(32),
            metadata,
            components: vec![component(1, None), component(2, None), component(3, Some(1))],
            findings: vec![],
            reasons: Vec::new(),
            secrecy: None,
        }
    }

    fn bases() -> [Basis; 3] {
        let actor = |n| ActorId::new(0, [n; 10]);
        let (schedule, version) = (ScheduleId::new(0, [3; 10]), Digest::of(b"v"));
        let ground = Ground::Expired { due: "2026-01-01".parse().unwrap(), schedule, version, class: "12".into() };
        let decision = Paper { number: Some("50/QĐ-SNV".into()), day: "2026-11-23".parse().unwrap(), record: None };
        let (case, unit) = (CaseId::new(0, [4; 10]), Unit::File(FileId::new(0, [5; 10])));
        let mistake = Mistake::WrongPlace;
        [
            Basis::Disposition { case, unit, ground, decision, decided_by: actor(9) },
            Basis::Withdrawal { mistake, reason: "Nhầm kho".into(), asked_by: actor(1), confirmed_by: actor(2) },
            Basis::Expulsion { level: Level::Secret, confirmed_by: actor(1), ordered_by: actor(2) },
        ]
    }

    /// Bar 2 of the issue: canaries are gone, the stub's fields apart.
    #[test]
    fn a_stub_identifies_and_tells_nothing_else() {
        let at = "2026-11-23T03:04:05.000000Z".parse().unwrap();
        for (n, basis) in bases().into_iter().enumerate() {
            assert!(basis.name().0 != basis.name().1);
            let stub = Stub::of(&description(), at, basis, Salt::new([0x0a; 32]));
            let bytes = stub.to_bytes().unwrap();
            assert_eq!(Stub::from_bytes(&bytes).unwrap(), stub);
            assert_eq!((stub.components, stub.bytes), (2, 2_000), "of the originals");
            let text = String::from_utf8(bytes).unwrap();
            assert!(!text.contains("CANARY"), "{text}");
            for component in &description().components {
                assert!(!text.contains(&component.sha256.to_string()), "no component's own digest");
            }
            assert!(!text.contains(&description().salt), "nor what would let a description be guessed");
            let identified = text.contains("nâng lương") && text.contains("QĐ-SNV");
            assert_eq!(identified, n == 0, "of a secret or a wrong deposit nothing is told: {text}");
        }
    }
}
