//! A record: what is said of it, its components, its text by pages, its history, its receipt.

use crate::access::{
    self,
    pages::{self, TextPage},
};
use crate::archive::{ArchiveError, keep::Described};
use crate::http::{
    api,
    error::{FindingOut, Kind, Trouble},
    identity::Held,
    language::Language,
    web::{
        Visit, ended, html, search,
        show::{self, number},
    },
};
use crate::record::{
    codes,
    component::{Component, Role, Unread},
    finding::{Finding, Mark},
    metadata::Metadata,
};
use askama::Template;
use axum::{
    extract::{Path, Query},
    response::Response,
};
use serde::Deserialize;

#[derive(Template)]
#[template(path = "record.html")]
struct Page {
    visit: Visit,
    record: String,
    subject: String,
    /// Type, number, agency, day.
    told: Vec<String>,
    access: &'static str,
    level: String,
    validity: Option<String>,
    rows: Vec<(&'static str, String)>,
    components: Vec<ComponentShown>,
    findings: Vec<FindingOut>,
    history: Vec<Happened>,
    /// The description that the receipt's entry names.
    receipt_description: String,
    /// What an authority says: it was there by then.
    stamped: Option<String>,
    /// Some of it is at no place as it was kept.
    lost: bool,
    /// On hold, to be withdrawn, and what the visitor may do about such.
    standing: ended::Standing,
    text: Option<TextShown>,
    /// The question that led here.
    q: String,
}

impl Page {
    fn search(&self) -> String {
        show::pairs(&[("q", &self.q)])
    }
}

struct ComponentShown {
    ordinal: u32,
    name: String,
    kind: String,
    size: String,
    sha256: String,
    original: bool,
    /// Why it has no text, or who made it.
    note: String,
}

struct Happened {
    entry: u64,
    at: String,
    event: String,
    /// The SHA-256 of the description that it names.
    description: Option<String>,
}

struct TextShown {
    page: u32,
    pages: u32,
    pieces: Vec<(String, bool)>,
    /// Of which component, where there are several.
    of: Option<String>,
    /// The other texts of the record.
    others: Vec<(String, String)>,
    before: Option<String>,
    after: Option<String>,
}

#[derive(Deserialize)]
pub struct Asked {
    #[serde(default)]
    q: String,
    /// The component whose text is shown.
    text: Option<u32>,
    page: Option<u32>,
}

/// The page.
pub async fn page(
    Held(open): Held,
    visit: Visit,
    Path(record): Path<String>,
    Query(Asked { q, text, page }): Query<Asked>,
) -> Result<Response, Trouble> {
    let (archive, record, language) = (&open.archive, api::record(&record)?, visit.language);
    let Some(opened) = access::open(archive, &visit.reader(), record).await? else {
        return ended::instead(archive, visit, record).await?.ok_or(Kind::NotFound.into());
    };
    let standing = ended::standing(archive, &visit, record).await?;
    if let Some(actor) = &visit.actor {
        access::note(archive, actor, record, None).await?;
    }
    let life = archive.catalog.life(record).await.map_err(ArchiveError::from)?;
    let shown = pages::text(archive, &opened, &q, text, page).await?;
    let first = life.first().map_or(0, |one| one.seq);
    let stamped = archive.catalog.timestamp_over(first).await.map_err(ArchiveError::from)?;
    let lost = life.iter().rfind(|one| ["lost", "repaired"].contains(&one.event.as_str()));
    let lost = lost.is_some_and(|one| one.event == "lost");
    let history: Vec<Happened> = life
        .into_iter()
        .map(|one| Happened {
            entry: one.seq,
            at: show::time(one.at),
            event: show::event(&one.event, language).to_owned(),
            description: one.description.map(|digest| digest.to_string()),
        })
        .collect();
    let (description, metadata) = (&opened.description, &opened.description.metadata);
    let issued = metadata.issued.map(|date| show::day(&date.to_string()));
    let number = number(metadata.number.as_deref(), metadata.notation.as_deref());
    let told = [metadata.kind.clone(), Some(number), metadata.agency.clone(), issued];
    let page = Page {
        record: record.to_string(),
        subject: metadata.subject.clone(),
        told: told.into_iter().flatten().filter(|text| !text.is_empty()).collect(),
        access: metadata.access.as_str(),
        level: search::level(metadata.access.as_str(), language).to_owned(),
        validity: metadata.validity.clone(),
        rows: rows(metadata, language),
        components: description.components.iter().map(|one| component(one, language)).collect(),
        findings: description.findings.iter().map(|mark| finding(mark, language)).collect(),
        receipt_description: history.iter().find_map(|one| one.description.clone()).unwrap_or_default(),
        stamped: stamped.map(|stamped| show::time(stamped.time)),
        lost,
        standing,
        text: shown.map(|text| text_shown(text, &opened, &q)),
        history,
        visit,
        q,
    };
    html(&page)
}

fn finding(mark: &Mark, language: Language) -> FindingOut {
    let field = mark.field.as_deref().unwrap_or_default();
    FindingOut::of(&Finding { detail: mark.detail.clone(), ..Finding::new(mark.code, 1, field) }, language)
}

/// The fields of a description that are set, under the names of the circular.
fn rows(metadata: &Metadata, language: Language) -> Vec<(&'static str, String)> {
    let say = |vi, en| if language == Language::Vi { vi } else { en };
    let coded = |list: &[codes::Code], code: &Option<String>| {
        code.as_ref().map(|code| codes::name(list, code).map_or_else(|| code.clone(), str::to_owned))
    };
    let languages = metadata.languages.iter().map(|code| codes::name(&codes::LANGUAGES, code).unwrap_or(code));
    let flag = |set: Option<bool>| set.map(|yes| if yes { say("Có", "Yes") } else { say("Không", "No") }.to_owned());
    let rows = [
        (say("Cơ quan ban hành", "Agency"), metadata.agency.clone()),
        (say("Cơ quan tham mưu", "Drafting agency"), metadata.drafting_agency.clone()),
        (say("Cơ quan đang quản lý", "Custodian"), metadata.custodian.clone()),
        (say("Lĩnh vực", "Field of work"), metadata.field.clone()),
        (say("Mã thủ tục hành chính", "Procedures"), Some(metadata.procedures.join(", "))),
        (say("Phông lưu trữ", "Fonds"), metadata.fonds.clone()),
        (say("Hồ sơ", "File"), metadata.file.clone()),
        (say("Số thứ tự trong hồ sơ", "Place in the file"), metadata.file_ordinal.map(|n| n.to_string())),
        (say("Mã tài liệu", "Code"), metadata.code.clone()),
        (say("Mã của nơi nộp", "Depositor's identifier"), metadata.external_id.clone()),
        (say("Số trang", "Pages"), metadata.pages.map(|n| n.to_string())),
        (say("Ngôn ngữ", "Languages"), Some(languages.collect::<Vec<_>>().join(", "))),
        (say("Từ khóa", "Keywords"), Some(metadata.keywords.join(", "))),
        (say("Ký hiệu thông tin", "Information sign"), metadata.information_sign.clone()),
        (say("Mức độ tin cậy", "Origin"), coded(&codes::ORIGINS, &metadata.origin)),
        (say("Tình trạng vật lý", "Physical condition"), coded(&codes::CONDITIONS, &metadata.physical_condition)),
        (say("Thời hạn lưu trữ", "Retention"), coded(&codes::RETENTIONS, &metadata.retention_code)),
        (say("Chế độ dự phòng", "Security copy"), flag(metadata.security_copy)),
        (
            say("Đã lập bản dự phòng", "Security copy made"),
            coded(&codes::SECURITY_COPIES, &metadata.security_copy_status),
        ),
        (say("Có tệp quy trình xử lý", "Workflow file"), flag(metadata.has_workflow)),
        (say("Bút tích", "Annotations"), metadata.annotations.clone()),
        (say("Ghi chú", "Note"), metadata.note.clone()),
    ];
    rows.into_iter().filter_map(|(name, value)| Some((name, value.filter(|value| !value.is_empty())?))).collect()
}

fn name(component: &Component, language: Language) -> String {
    match (&component.original_name, component.made_from) {
        (Some(name), _) => name.clone(),
        (None, Some(from)) => format!("{} {from}", language.say("Văn bản đọc từ tệp", "Text read from component")),
        (None, None) => language.say("Văn bản kèm theo mô tả", "Text that came with the description").to_owned(),
    }
}

fn component(component: &Component, language: Language) -> ComponentShown {
    let unread = component.unread.map(|why| unread(why, language).to_owned());
    ComponentShown {
        ordinal: component.ordinal,
        name: name(component, language),
        kind: component.format.mime.clone(),
        size: show::size(component.size, language),
        sha256: component.sha256.to_string(),
        original: component.role == Role::Original,
        note: unread.or_else(|| component.made_by.clone()).unwrap_or_default(),
    }
}

fn unread(why: Unread, language: Language) -> &'static str {
    match why {
        Unread::FormatNotRead => language.say("chưa đọc được định dạng này", "this format is not read yet"),
        Unread::NoTextLayer => language.say("bản chụp không có lớp văn bản", "a scan without a text layer"),
        Unread::Encrypted => language.say("tệp đặt mật khẩu", "locked with a password"),
        Unread::Corrupt => {
            language.say("tệp hỏng cấu trúc, vẫn giữ nguyên", "its structure is broken; kept as it came")
        }
        Unread::TookTooLong => language.say("đọc quá lâu", "reading took too long"),
        Unread::TookTooMuchMemory => language.say("đọc tốn quá nhiều bộ nhớ", "reading took too much memory"),
        Unread::TooMuchText => language.say("văn bản quá dài", "the text is too large"),
        Unread::ReaderDied => language.say("chương trình đọc bị dừng", "the reading program died"),
    }
}

fn text_shown(text: TextPage, opened: &Described, q: &str) -> TextShown {
    let record = opened.description.record;
    let link = |ordinal: u32, page: u32| {
        let (ordinal, page) = (ordinal.to_string(), page.to_string());
        format!("/records/{record}?{}#text", show::pairs(&[("q", q), ("text", &ordinal), ("page", &page)]))
    };
    let of = |component: &Component| {
        let origin =
            component.made_from.and_then(|from| opened.description.components.iter().find(|c| c.ordinal == from));
        let named = origin.unwrap_or(component).original_name.clone();
        named.unwrap_or_else(|| format!("{}", component.ordinal))
    };
    let (this, others): (Vec<_>, Vec<_>) = opened.description.texts().partition(|one| one.ordinal == text.ordinal);
    let several = !others.is_empty();
    TextShown {
        page: text.page,
        pages: text.pages,
        pieces: show::marked(&text.text, &text.highlights),
        of: this.first().filter(|_| several).map(|one| of(one)),
        others: others.into_iter().map(|one| (of(one), link(one.ordinal, 1))).collect(),
        before: (text.page > 1).then(|| link(text.ordinal, text.page - 1)),
        after: (text.page < text.pages).then(|| link(text.ordinal, text.page + 1)),
    }
}
