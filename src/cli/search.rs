//! `vankho search`: find records, one question or a file of them.

use crate::access::{self, answer::Hits, ask};
use crate::archive::Archive;
use crate::cli::{CommandError, Context, remote::Server, show::Screen};
use crate::index::query::Counts;
use crate::record::access::{Access, Reader};
use clap::{Args, ValueEnum};
use futures::{StreamExt, TryStreamExt, stream};
use serde::Deserialize;
use serde_json::json;
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
        let (typed, reader) = (self.typed(), self.reader());
        // Read here too where a server will read it: what is no question is told in the same words.
        ask::query(typed.clone(), reader.clone())?;
        let asked = match &context.server {
            Some(_) if self.official_of.is_some() || self.public => {
                return Err(CommandError::usage(
                    "máy chủ tìm theo quyền của mã truy cập; bỏ --official-of và --public".into(),
                    "a server searches with the rights of the token; leave --official-of and --public out".into(),
                ));
            }
            Some(server) => Asked::Server(server),
            None => Asked::Archive(Box::new(context.open().await?), reader),
        };
        let done = match &self.queries {
            Some(path) => answer_all(&context.screen, &asked, typed, path).await,
            None => asked.search(typed, true).await.map(|page| show(&context.screen, &page)),
        };
        if let Asked::Archive(archive, _) = asked {
            archive.close().await?;
        }
        done
    }

    fn typed(&self) -> ask::Question {
        let sort = match self.sort {
            Order::Relevance => "relevance",
            Order::IssuedNewest => "issued_newest",
            Order::IssuedOldest => "issued_oldest",
            Order::Newest => "newest",
        };
        ask::Question {
            text: self.words.join(" "),
            number: self.number.clone(),
            agency: self.agency.clone(),
            kind: self.kind.clone(),
            fonds: self.fonds.clone(),
            file: self.file.clone(),
            field: self.field.clone(),
            access: self.access.clone(),
            from: self.from.clone(),
            to: self.to.clone(),
            sort: Some(sort.into()),
            limit: self.limit,
            cursor: self.cursor.clone(),
            facets: self.facets,
        }
    }

    fn reader(&self) -> Reader {
        match (&self.official_of, self.public) {
            (Some(agency), _) => Reader::Official { agency: agency.clone() },
            (None, true) => Reader::Anyone,
            (None, false) => Reader::Archivist,
        }
    }
}

/// Who answers.
enum Asked<'a> {
    Archive(Box<Archive>, Reader),
    Server(&'a Server),
}

impl Asked<'_> {
    async fn search(&self, question: ask::Question, snippets: bool) -> Result<Hits, CommandError> {
        match self {
            Asked::Server(server) => Ok(server.search(&question, snippets).await?),
            Asked::Archive(archive, reader) => {
                let query = ask::query(question, reader.clone())?;
                Ok(access::search(archive, query, snippets).await?.into())
            }
        }
    }
}

/// Questions of a file that are asked of a server at once.
const AT_ONCE: usize = 16;

async fn answer_all(
    screen: &Screen,
    asked: &Asked<'_>,
    typed: ask::Question,
    path: &Path,
) -> Result<ExitCode, CommandError> {
    let file = |source| CommandError::File { path: path.display().to_string(), source };
    let lines = BufReader::new(std::fs::File::open(path).map_err(file)?).lines();
    let read = |(n, line): (u64, std::io::Result<String>)| {
        let line = line.map_err(file)?;
        if line.trim().is_empty() {
            return Ok(None);
        }
        let question = serde_json::from_str::<Question>(&line).map_err(|fault| {
            let place = path.display();
            CommandError::usage(
                format!(r#"{place}, dòng {n}: không phải là {{"qid","text"}}"#),
                format!(r#"{place}, line {n}: not a {{"qid","text"}}: {fault}"#),
            )
        })?;
        Ok(Some(question))
    };
    let answer = |read: Result<Question, CommandError>| async {
        let Question { qid, text } = read?;
        let page = asked.search(ask::Question { text, ..typed.clone() }, false).await?;
        let ids: Vec<String> = page.hits.into_iter().map(|hit| hit.external_id.unwrap_or(hit.record)).collect();
        Ok::<_, CommandError>(json!({"qid": qid, "ids": ids}).to_string())
    };
    let at_once = if matches!(asked, Asked::Server(_)) { AT_ONCE } else { 1 };
    let questions = (1..).zip(lines).map(read).filter_map(Result::transpose);
    let mut answers = std::pin::pin!(stream::iter(questions).map(answer).buffered(at_once));
    while let Some(line) = answers.try_next().await? {
        if !screen.line(&line) {
            break;
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn show(screen: &Screen, page: &Hits) -> ExitCode {
    screen.answer(|| json!(page), || text(screen, page));
    ExitCode::SUCCESS
}

fn text(screen: &Screen, page: &Hits) -> String {
    let mut lines = vec![format!("{} {}", page.total, screen.say("tài liệu", "records"))];
    for (place, known) in (1..).zip(&page.hits) {
        let number = [known.number.as_deref(), known.notation.as_deref()];
        let number = number.into_iter().flatten().collect::<Vec<_>>().join("/");
        let about = [Some(number), known.issued.as_deref().map(day), known.agency.clone(), known.kind.clone()];
        let about: Vec<String> = about.into_iter().flatten().filter(|part| !part.is_empty()).collect();
        lines.push(format!("\n{place}. {}\n   {}", known.subject, about.join(" · ")));
        if let Some(snippet) = &known.snippet {
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
