//! `vankho search`: find records, one question or a file of them.

use crate::access::{self, Found, Page};
use crate::archive::Archive;
use crate::cli::{CommandError, Context, show::Screen};
use crate::index::query::{Counts, Filters, LIMIT_MAX, Query, Sort};
use crate::record::{
    access::{Access, Reader},
    date::PartialDate,
};
use clap::{Args, ValueEnum};
use serde::Deserialize;
use serde_json::{Value, json};
use std::{
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::ExitCode,
};

/// Find records
#[derive(Args)]
pub struct Search {
    /// Words, "phrases in quotes", reference numbers; with or without diacritics
    words: Vec<String>,
    /// Hits on a page, at most 1000
    #[arg(long, default_value_t = 10, value_name = "N")]
    limit: usize,
    /// Number and notation: 48/QĐ-UBND
    #[arg(long)]
    number: Option<String>,
    /// Issuing agency
    #[arg(long)]
    agency: Option<String>,
    /// Type of document: "Quyết định"
    #[arg(long = "type", value_name = "TYPE")]
    kind: Option<String>,
    /// Issued on this day or later: 2026, 2026-05, 15/05/2026
    #[arg(long, value_name = "DATE")]
    from: Option<String>,
    /// Issued on this day or earlier
    #[arg(long, value_name = "DATE")]
    to: Option<String>,
    /// Fonds
    #[arg(long)]
    fonds: Option<String>,
    /// File (hồ sơ)
    #[arg(long)]
    file: Option<String>,
    /// Field of work (lĩnh vực)
    #[arg(long)]
    field: Option<String>,
    /// Access level: public, conditional, secret
    #[arg(long)]
    access: Option<String>,
    #[arg(long, value_enum, default_value_t = Order::Relevance)]
    sort: Order,
    /// Where the page before ended
    #[arg(long)]
    cursor: Option<String>,
    /// Count agencies, types, years, fonds, fields and access levels
    #[arg(long)]
    facets: bool,
    /// Search with the rights of an official of this agency (default: of the archivist)
    #[arg(long, value_name = "AGENCY")]
    official_of: Option<String>,
    /// Search with the rights of the public
    #[arg(long, conflicts_with = "official_of")]
    public: bool,
    /// Many questions: {"qid","text"} a line; answers {"qid","ids"} a line
    #[arg(long, value_name = "FILE", conflicts_with = "words")]
    queries: Option<PathBuf>,
}

#[derive(Clone, Copy, ValueEnum)]
enum Order {
    Relevance,
    IssuedNewest,
    IssuedOldest,
    Newest,
}

/// Values of a facet that are shown to a person.
const FACET_VALUES_SHOWN: usize = 12;

#[derive(Deserialize)]
struct Question {
    qid: String,
    text: String,
}

impl Search {
    pub async fn run(self, context: &Context) -> Result<ExitCode, CommandError> {
        let query = self.query()?;
        let archive = context.open().await?;
        let done = match &self.queries {
            Some(path) => answer_all(&context.screen, &archive, query, path).await,
            None => show(&context.screen, &access::search(&archive, query, true).await?),
        };
        archive.close().await?;
        done
    }

    fn query(&self) -> Result<Query, CommandError> {
        let day = |typed: &Option<String>, last: bool| match typed {
            Some(typed) => match PartialDate::read(typed) {
                Ok(date) => Ok(Some(if last { date.span().1 } else { date.span().0 })),
                Err(error) => Err(CommandError::usage(
                    format!("{typed}: không phải là ngày; viết 2026, 05/2026 hoặc 15/05/2026"),
                    format!("{typed}: {error}"),
                )),
            },
            None => Ok(None),
        };
        if self.limit > LIMIT_MAX {
            return Err(CommandError::usage(
                format!("--limit nhiều nhất là {LIMIT_MAX}; trang sau xem bằng --cursor"),
                format!("--limit is at most {LIMIT_MAX}; --cursor asks for the next page"),
            ));
        }
        let access = match &self.access {
            Some(typed) => {
                let unknown = || {
                    CommandError::usage(
                        format!("{typed}: mức độ tiếp cận là công khai, có điều kiện hoặc mật"),
                        format!("{typed}: an access level is public, conditional or secret"),
                    )
                };
                Some(Access::read(typed).ok_or_else(unknown)?)
            }
            None => None,
        };
        let filters = Filters {
            number: self.number.clone(),
            agency: self.agency.clone(),
            kind: self.kind.clone(),
            fonds: self.fonds.clone(),
            file: self.file.clone(),
            field: self.field.clone(),
            access,
            issued_from: day(&self.from, false)?,
            issued_to: day(&self.to, true)?,
        };
        let reader = match (&self.official_of, self.public) {
            (Some(agency), _) => Reader::Official { agency: agency.clone() },
            (None, true) => Reader::Anyone,
            (None, false) => Reader::Archivist,
        };
        let sort = match self.sort {
            Order::Relevance => Sort::Relevance,
            Order::IssuedNewest => Sort::IssuedNewest,
            Order::IssuedOldest => Sort::IssuedOldest,
            Order::Newest => Sort::Newest,
        };
        let text = self.words.join(" ");
        let query = Query { text, filters, reader, sort, limit: self.limit, cursor: None, facets: self.facets };
        let Some(typed) = &self.cursor else { return Ok(query) };
        query.after(typed).map_err(|error| {
            let advice = "--cursor phải là giá trị mà trang trước của cùng câu hỏi, bộ lọc và thứ tự đã in ra";
            CommandError::usage(advice.into(), error.to_string())
        })
    }
}

async fn answer_all(screen: &Screen, archive: &Archive, query: Query, path: &Path) -> Result<ExitCode, CommandError> {
    let file = |source| CommandError::File { path: path.display().to_string(), source };
    let lines = BufReader::new(std::fs::File::open(path).map_err(file)?).lines();
    for (n, line) in (1..).zip(lines) {
        let line = line.map_err(file)?;
        if line.trim().is_empty() {
            continue;
        }
        let question: Question = serde_json::from_str(&line).map_err(|fault| {
            let place = path.display();
            CommandError::usage(
                format!(r#"{place}, dòng {n}: không phải là {{"qid","text"}}"#),
                format!(r#"{place}, line {n}: not a {{"qid","text"}}: {fault}"#),
            )
        })?;
        let page = access::search(archive, Query { text: question.text, ..query.clone() }, false).await?;
        let id = |found: &Found| found.known.external_id.clone().unwrap_or_else(|| found.known.record.to_string());
        let ids: Vec<String> = page.found.iter().map(id).collect();
        if !screen.line(&json!({"qid": question.qid, "ids": ids}).to_string()) {
            break;
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn show(screen: &Screen, page: &Page) -> Result<ExitCode, CommandError> {
    screen.answer(|| json(page), || text(screen, page));
    Ok(ExitCode::SUCCESS)
}

fn json(page: &Page) -> Value {
    let hits: Vec<Value> = page.found.iter().map(hit).collect();
    let facets = &page.facets;
    let counted = [
        ("agency", &facets.agency),
        ("type", &facets.kind),
        ("year", &facets.year),
        ("fonds", &facets.fonds),
        ("field", &facets.field),
        ("access", &facets.access),
    ];
    let facets: serde_json::Map<String, Value> =
        counted.into_iter().map(|(name, counts)| (name.to_owned(), json!(counts))).collect();
    json!({"total": page.total, "hits": hits, "facets": facets, "next": page.next, "applied": page.applied})
}

fn hit(found: &Found) -> Value {
    let known = &found.known;
    let snippet = found.snippet.as_ref().map(|s| json!({"page": s.page, "text": s.text, "highlights": s.highlights}));
    json!({
        "record": known.record, "external_id": known.external_id, "score": found.score, "subject": known.subject,
        "number": known.number, "notation": known.notation, "issued": known.issued, "agency": known.agency,
        "type": known.kind, "access": known.access, "fonds": known.fonds, "file": known.file, "snippet": snippet,
    })
}

fn text(screen: &Screen, page: &Page) -> String {
    let mut lines = vec![format!("{} {}", page.total, screen.say("tài liệu", "records"))];
    for (place, found) in (1..).zip(&page.found) {
        let known = &found.known;
        let number = [known.number.as_deref(), known.notation.as_deref()];
        let number = number.into_iter().flatten().collect::<Vec<_>>().join("/");
        let about = [Some(number), known.issued.as_deref().map(day), known.agency.clone(), known.kind.clone()];
        let about: Vec<String> = about.into_iter().flatten().filter(|part| !part.is_empty()).collect();
        lines.push(format!("\n{place}. {}\n   {}", known.subject, about.join(" · ")));
        if let Some(snippet) = &found.snippet {
            lines.push(format!(
                "   {} {}: {}",
                screen.say("trang", "page"),
                snippet.page,
                marked(&snippet.text, &snippet.highlights)
            ));
        }
        lines.push(format!("   {}", known.record));
    }
    let facets = &page.facets;
    for (name, counts) in [
        (screen.say("Cơ quan", "Agency"), &facets.agency),
        (screen.say("Loại", "Type"), &facets.kind),
        (screen.say("Năm", "Year"), &facets.year),
        (screen.say("Phông", "Fonds"), &facets.fonds),
        (screen.say("Lĩnh vực", "Field"), &facets.field),
        (screen.say("Mức độ tiếp cận", "Access"), &levels(screen, &facets.access)),
    ] {
        if !counts.is_empty() {
            lines.push(format!("\n{name}: {}", counted(screen, counts)));
        }
    }
    if let Some(next) = &page.next {
        lines.push(format!("\n{}: --cursor {next}", screen.say("Trang sau", "Next page")));
    }
    lines.join("\n")
}

/// The most frequent values, and how many more there are.
fn counted(screen: &Screen, counts: &Counts) -> String {
    let mut shown: Vec<String> =
        counts.iter().take(FACET_VALUES_SHOWN).map(|(value, count)| format!("{value} ({count})")).collect();
    let more = counts.len().saturating_sub(FACET_VALUES_SHOWN);
    if more > 0 {
        shown.push(format!("{} {more} (--json)", screen.say("còn", "more:")));
    }
    shown.join(", ")
}

/// Access levels in the language of the interface.
fn levels(screen: &Screen, counts: &Counts) -> Counts {
    let name = |value: &String| match Access::read(value) {
        Some(Access::Public) => screen.say("công khai", "public").to_owned(),
        Some(Access::Conditional) => screen.say("có điều kiện", "conditional").to_owned(),
        Some(Access::Secret) => screen.say("mật", "secret").to_owned(),
        None => value.clone(),
    };
    counts.iter().map(|(value, count)| (name(value), *count)).collect()
}

/// `2026-05-15` as people here write it: `15/05/2026`.
fn day(stored: &str) -> String {
    stored.split('-').rev().collect::<Vec<_>>().join("/")
}

/// Highlights between `«` and `»`, on one line.
fn marked(text: &str, highlights: &[(usize, usize)]) -> String {
    let (mut out, mut from) = (String::new(), 0);
    for (start, end) in highlights {
        let (Some(before), Some(inside)) = (text.get(from..*start), text.get(*start..*end)) else { continue };
        out += &format!("{before}«{inside}»");
        from = *end;
    }
    out += text.get(from..).unwrap_or_default();
    out.split_whitespace().collect::<Vec<_>>().join(" ")
}
