//! Sealing: what was staged gets its description, with a salt and with the warnings that only the archive
//! can know.

use crate::archive::{Archive, ArchiveError, keep::random};
use crate::catalog::namesake;
use crate::ingest::stage::{Held, Staged};
use crate::record::{
    component::{Component, Role},
    description::{Description, SCHEMA},
    digest::{Digest, hex},
    finding::{Code, Finding},
    number::likeness,
    secrecy::Secrecy,
};
use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

/// A package that is complete: only keeping is left.
pub struct Sealed<'a> {
    pub description: Description,
    pub held: Vec<(Digest, Held)>,
    pub findings: Vec<Finding>,
    pub marks: Marks<'a>,
}

/// What the rows that are under way look like, so that two alike in one run are told as those in two runs.
#[derive(Default)]
pub struct UnderWay {
    marks: Mutex<HashMap<String, usize>>,
}

/// The marks of one row, for as long as it is under way: afterwards the catalog knows it, or nobody does.
pub struct Marks<'a> {
    of: &'a UnderWay,
    marks: Vec<String>,
}

impl Marks<'_> {
    /// Adds a mark; says whether another row has it.
    fn add(&mut self, mark: String) -> bool {
        let mut all = self.of.marks.lock().unwrap_or_else(PoisonError::into_inner);
        let count = all.entry(mark.clone()).or_default();
        *count += 1;
        self.marks.push(mark);
        *count > 1
    }
}

impl Drop for Marks<'_> {
    fn drop(&mut self) {
        let mut all = self.of.marks.lock().unwrap_or_else(PoisonError::into_inner);
        for mark in &self.marks {
            if let Some(count) = all.get_mut(mark) {
                *count -= 1;
                if *count == 0 {
                    all.remove(mark);
                }
            }
        }
    }
}

/// Writes the description. Nothing is durable yet but staging.
pub async fn seal<'a>(archive: &Archive, staged: Staged, under_way: &'a UnderWay) -> Result<Sealed<'a>, ArchiveError> {
    let Staged { row, record, metadata, components: staged, mut findings } = staged;
    let mut marks = Marks { of: under_way, marks: Vec::new() };
    let (likeness, digests) = (likeness(&metadata), staged.iter().map(|one| one.sha256).collect::<Vec<_>>());
    // The marks first: a row that ends between the two questions is known to one of them.
    let alike = likeness.as_ref().is_some_and(|likeness| marks.add(likeness.clone()));
    let external_id = metadata.external_id.as_deref();
    let name = external_id.map(namesake);
    let named = name.as_ref().is_some_and(|name| marks.add(name.clone()));
    let same: Vec<bool> = digests.iter().map(|digest| marks.add(digest.to_string())).collect();
    let twins = archive.catalog.twins(likeness.as_deref(), external_id, &digests).await?;
    let twin = |finding: Finding, of: &str| match twins.get(of) {
        Some(record) => finding.with_detail(record),
        None => finding,
    };
    if let Some(likeness) = likeness
        && (alike || twins.contains_key(&likeness))
    {
        findings.push(twin(Finding::new(Code::DuplicateNumber, row, "number"), &likeness));
    }
    if let Some(name) = name
        && (named || twins.contains_key(&name))
    {
        findings.push(twin(Finding::new(Code::DuplicateExternalId, row, "external_id"), &name));
    }
    // Suspicion is enough to hide: nobody finds or reads it until a person has looked.
    let suspected = staged.iter().filter_map(|one| one.mark).max();
    if suspected.is_some() {
        findings.push(Finding::new(Code::SecrecyMark, row, "text"));
    }
    let mut components = Vec::with_capacity(staged.len());
    let mut held = Vec::with_capacity(staged.len());
    for ((ordinal, one), same) in (1..).zip(staged).zip(same) {
        let digest = one.sha256.to_string();
        if same || twins.contains_key(&digest) {
            let finding = Finding::new(Code::DuplicateContent, row, one.name.as_deref().unwrap_or("text"));
            findings.push(twin(finding, &digest));
        }
        components.push(Component {
            ordinal,
            sha256: one.sha256,
            size: one.size,
            format: one.format,
            role: Role::Original,
            original_name: one.name,
            made_from: None,
            made_by: None,
            unread: None,
        });
        held.push((one.sha256, one.held));
    }
    let description = Description {
        schema: SCHEMA.into(),
        record,
        replaces: None,
        salt: hex(&random::<32>()?),
        metadata,
        components,
        findings: findings.iter().map(Finding::mark).collect(),
        reasons: Vec::new(),
        secrecy: suspected.map(|level| Secrecy::default().seen(level)),
    };
    Ok(Sealed { description, held, findings, marks })
}
