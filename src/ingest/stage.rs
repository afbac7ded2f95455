//! Staging: every component is read once, hashed as it streams, and held (small) or staged (large).

use crate::archive::{Archive, ArchiveError};
use crate::content::format::{Utf8Check, identify};
use crate::ingest::pieces::Pieces;
use crate::record::{
    component::{Format, PAGE, PLAIN_TEXT},
    digest::{Digest, Hasher},
    finding::{Code, Finding},
    id::RecordId,
    metadata::Metadata,
    package::{Package, Source},
    secrecy::Level,
    secrecy_mark::{self, Finder},
};
use crate::store::{Upload, layout};
use bytes::Bytes;

/// A package whose bytes have all been seen.
pub struct Staged {
    pub row: u64,
    pub record: RecordId,
    pub metadata: Metadata,
    pub components: Vec<StagedComponent>,
    pub findings: Vec<Finding>,
}

/// One component, hashed.
pub struct StagedComponent {
    pub name: Option<String>,
    pub sha256: Digest,
    pub size: u64,
    pub format: Format,
    /// The mark of secrecy that stands in it. Only of what is its own text: other texts are looked at as they are read.
    pub mark: Option<Level>,
    pub held: Held,
}

/// Where its bytes wait.
pub enum Held {
    InMemory(Bytes),
    /// Under this path in staging.
    InStaging(String),
}

/// Reads every component of a package; the inner error is what the row is refused for.
///
/// If we stop here, staging holds bytes that an intent names.
pub async fn stage(
    archive: &Archive,
    package: Package,
    record: RecordId,
) -> Result<Result<Staged, Vec<Finding>>, ArchiveError> {
    let Package { row, metadata, components: sources, mut findings, .. } = package;
    let refused = |findings: &[Finding]| findings.iter().any(|f| f.severity == crate::record::finding::Severity::Error);
    let mut components = Vec::with_capacity(sources.len());
    let mut budget = HELD_COMPONENTS * archive.config.ingest.held_bytes_max;
    if !refused(&findings) {
        for (ordinal, source) in (1..).zip(sources) {
            match stage_one(archive, record, ordinal, source, budget.min(archive.config.ingest.held_bytes_max)).await? {
                Ok(component) => {
                    if let Held::InMemory(bytes) = &component.held {
                        budget = budget.saturating_sub(bytes.len() as u64);
                    }
                    components.push(component);
                }
                Err((code, name, detail)) => findings.push(Finding::new(code, row, &name).with_detail(detail)),
            }
        }
    }
    if refused(&findings) {
        give_back(archive, components).await?;
        return Ok(Err(findings));
    }
    Ok(Ok(Staged { row, record, metadata, components, findings }))
}

/// Gives back what a refused package staged. If we stop here, an intent names the rest.
pub async fn give_back(archive: &Archive, components: Vec<StagedComponent>) -> Result<(), ArchiveError> {
    for component in components {
        if let Held::InStaging(path) = component.held {
            archive.store.discard(&path).await?;
        }
    }
    Ok(())
}

/// So many of the largest components that are held at all are held of one record; the rest goes to staging.
pub const HELD_COMPONENTS: u64 = 8;

/// Code, component's name, detail.
type Refusal = (Code, String, String);

async fn stage_one(
    archive: &Archive,
    record: RecordId,
    ordinal: u32,
    source: Source,
    held_max: u64,
) -> Result<Result<StagedComponent, Refusal>, ArchiveError> {
    let (path, name, expected) = match source {
        Source::Text { text } => return Ok(stage_text(text, None)),
        Source::Page { name, html } => return Ok(stage_text(html, Some(name))),
        Source::File { path, name, expected } => (path, name, expected),
    };
    let mut reader = match Pieces::open(path, held_max).await {
        Ok(reader) => reader,
        Err(error) => return Ok(Err((Code::UnreadableComponent, name, error.to_string()))),
    };
    let (mut look, mut head, mut large) = (Look::default(), Bytes::new(), None);
    loop {
        let piece = match reader.next().await {
            Ok(Some(piece)) => piece,
            Ok(None) => break,
            Err(error) => {
                abort(large).await;
                return Ok(Err((Code::UnreadableComponent, name, error.to_string())));
            }
        };
        look.push(&piece);
        if look.size() > archive.config.ingest.component_bytes_max {
            abort(large).await;
            return Ok(Err((
                Code::ComponentTooLarge,
                name,
                format!("> {}", archive.config.ingest.component_bytes_max),
            )));
        }
        if head.is_empty() && reader.is_whole() {
            head = piece;
            break;
        }
        if head.is_empty() {
            head = piece.slice(..piece.len().min(HEAD_BYTES));
            large = Some(archive.store.stage(&layout::staged(record, ordinal)).await?);
        }
        if let Some(upload) = large.as_mut() {
            upload.write(&piece).await?;
        }
    }
    let Looked { size, sha256, format, mark } = look.finish(&head);
    if size == 0 || expected.is_some_and(|expected| expected != sha256) {
        abort(large).await;
        let code = if size == 0 { Code::EmptyComponent } else { Code::DigestMismatch };
        return Ok(Err((code, name, format!("{size} bytes"))));
    }
    let held = match large {
        None => Held::InMemory(head),
        Some(upload) => {
            upload.finish().await?;
            Held::InStaging(layout::staged(record, ordinal))
        }
    };
    Ok(Ok(StagedComponent { name: Some(name), sha256, size, format, mark, held }))
}

/// How much of a component tells its format.
pub const HEAD_BYTES: usize = 64 << 10;

/// Looks at a component while it streams by.
#[derive(Default)]
pub struct Look {
    hasher: Hasher,
    text: Utf8Check,
    finder: Finder,
}

/// What was learnt of a component whose bytes have all been seen.
pub struct Looked {
    pub size: u64,
    pub sha256: Digest,
    pub format: Format,
    /// As [`StagedComponent::mark`].
    pub mark: Option<Level>,
}

impl Look {
    /// The next piece.
    pub fn push(&mut self, piece: &[u8]) {
        self.hasher.update(piece);
        self.text.push(piece);
        if self.text.may_be_text() {
            self.finder.push(piece);
        }
    }

    /// Bytes seen until now.
    pub fn size(&self) -> u64 {
        self.hasher.size
    }

    /// `head` is how it begins, [`HEAD_BYTES`] of it or all.
    pub fn finish(self, head: &[u8]) -> Looked {
        let format = identify(&head[..head.len().min(HEAD_BYTES)], self.text.is_text());
        let mark = self.finder.finish().filter(|_| format.mime == PLAIN_TEXT).map(|mark| mark.level);
        Looked { size: self.hasher.size, sha256: self.hasher.finish(), format, mark }
    }
}

/// Text that came as text is UTF-8 whatever signs it holds: it is its own text, no reader has to say so. With a name it is
/// a page.
fn stage_text(text: String, name: Option<String>) -> Result<StagedComponent, Refusal> {
    if text.is_empty() {
        return Err((Code::EmptyComponent, name.unwrap_or_else(|| "text".into()), "0 bytes".into()));
    }
    let mime = if name.is_some() { PAGE } else { PLAIN_TEXT };
    let mark = secrecy_mark::find(&text).filter(|_| name.is_none()).map(|mark| mark.level);
    let (bytes, format) = (Bytes::from(text), Format { mime: mime.into() });
    let (sha256, size) = (Digest::of(&bytes), bytes.len() as u64);
    Ok(StagedComponent { name, sha256, size, format, mark, held: Held::InMemory(bytes) })
}

pub async fn abort(upload: Option<Upload>) {
    if let Some(upload) = upload {
        upload.abort().await;
    }
}
