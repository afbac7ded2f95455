//! Search: the first page. Without a question it shows what came in last.

use crate::access::{
    self, Found,
    ask::{self, Question},
};
use crate::http::{
    error::{Kind, Trouble},
    identity::Held,
    language::Language,
    state::Door,
    web::{Visit, html, show},
};
use askama::Template;
use axum::{
    extract::{Query, State},
    response::Response,
};
use serde::Deserialize;
use std::sync::Arc;

/// What the form carries. Everything may be left out.
#[derive(Clone, Deserialize, Default)]
#[serde(default)]
pub struct Asked {
    q: String,
    number: String,
    agency: String,
    #[serde(rename = "type")]
    kind: String,
    fonds: String,
    file: String,
    field: String,
    access: String,
    from: String,
    to: String,
    sort: String,
    cursor: String,
}

impl Asked {
    fn pairs(&self) -> [(&'static str, &str); 12] {
        [
            ("q", &self.q),
            ("number", &self.number),
            ("agency", &self.agency),
            ("type", &self.kind),
            ("fonds", &self.fonds),
            ("file", &self.file),
            ("field", &self.field),
            ("access", &self.access),
            ("from", &self.from),
            ("to", &self.to),
            ("sort", &self.sort),
            ("cursor", &self.cursor),
        ]
    }

    /// The address of the same question with some of it changed. Another question begins on its first page.
    fn with(&self, changed: &[(&'static str, &str)]) -> String {
        let mut pairs = self.pairs();
        for (name, value) in &mut pairs {
            let new = changed.iter().find(|(changed, _)| changed == name);
            *value = new.map_or(if *name == "cursor" { "" } else { *value }, |(_, new)| *new);
        }
        format!("/?{}", show::pairs(&pairs))
    }

    fn first_page(&self) -> String {
        self.with(&[])
    }

    fn is_empty(&self) -> bool {
        self.pairs().iter().all(|(name, value)| value.is_empty() || *name == "sort" || *name == "cursor")
    }

    fn question(&self, limit: usize) -> Question {
        let given = |text: &str| Some(text.to_owned());
        let newest = self.sort.is_empty() && self.q.trim().is_empty();
        Question {
            text: self.q.clone(),
            number: given(&self.number),
            agency: given(&self.agency),
            kind: given(&self.kind),
            fonds: given(&self.fonds),
            file: given(&self.file),
            field: given(&self.field),
            access: given(&self.access),
            from: given(&self.from),
            to: given(&self.to),
            // Without words nothing is more relevant than anything else.
            sort: given(if newest { "newest" } else { &self.sort }),
            cursor: given(&self.cursor),
            limit,
            facets: true,
        }
    }
}

#[derive(Template)]
#[template(path = "search.html")]
struct Page {
    visit: Visit,
    asked: Asked,
    /// What is wrong with the question, and what to do.
    wrong: Option<(&'static str, &'static str)>,
    total: String,
    hits: Vec<Hit>,
    facets: Vec<Facet>,
    chosen: Vec<Value>,
    next: Option<String>,
    applied: String,
}

impl Page {
    /// The levels that a question can be narrowed to.
    fn levels(&self) -> [(&'static str, &'static str); 2] {
        ["public", "conditional"].map(|stored| (stored, level(stored, self.visit.language)))
    }
}

struct Hit {
    link: String,
    subject: String,
    /// Type, number, agency, day: what there is of it.
    told: Vec<String>,
    access: &'static str,
    level: String,
    validity: Option<String>,
    file: Option<Value>,
    snippet: Option<(u32, Vec<(String, bool)>)>,
}

struct Facet {
    title: &'static str,
    values: Vec<Value>,
}

/// A value that can be asked for, or taken back.
struct Value {
    name: String,
    count: String,
    link: String,
}

/// Values of one facet that are shown.
const VALUES_SHOWN: usize = 8;

/// The page.
pub async fn page(
    State(door): State<Arc<Door>>,
    Held(open): Held,
    visit: Visit,
    Query(asked): Query<Asked>,
) -> Result<Response, Trouble> {
    let language = visit.language;
    let query = match ask::query(asked.question(door.config.server.page_size), visit.reader()) {
        Ok(query) => query,
        Err(_) => {
            let wrong = Some((Kind::NotAQuestion.title(language), Kind::NotAQuestion.next(language)));
            let (none, chosen) = (String::new(), chosen(&asked, language));
            let (hits, facets) = (Vec::new(), Vec::new());
            return html(&Page {
                visit,
                asked,
                wrong,
                total: none.clone(),
                hits,
                facets,
                chosen,
                next: None,
                applied: none,
            });
        }
    };
    let page = access::search(&open.archive, query, true).await?;
    let counted = &page.facets;
    let facets = [
        ("agency", language.say("Cơ quan ban hành", "Agency"), &asked.agency, &counted.agency),
        ("type", language.say("Loại văn bản", "Type"), &asked.kind, &counted.kind),
        ("year", language.say("Năm", "Year"), &asked.from, &counted.year),
        ("field", language.say("Lĩnh vực", "Field of work"), &asked.field, &counted.field),
        ("fonds", language.say("Phông lưu trữ", "Fonds"), &asked.fonds, &counted.fonds),
        ("access", language.say("Mức độ tiếp cận", "Access level"), &asked.access, &counted.access),
    ];
    let facets = facets.into_iter().filter(|(_, _, chosen, counts)| chosen.is_empty() && !counts.is_empty());
    let facets = facets.map(|(name, title, _, counts)| facet(&asked, name, title, counts, language)).collect();
    let page = Page {
        hits: page.found.into_iter().map(|found| hit(found, &asked, language)).collect(),
        total: show::count(page.total, language),
        next: page.next.map(|cursor| asked.with(&[("cursor", &cursor)])),
        applied: show::count(page.applied, language),
        chosen: chosen(&asked, language),
        wrong: None,
        facets,
        asked,
        visit,
    };
    html(&page)
}

fn facet(
    asked: &Asked,
    name: &'static str,
    title: &'static str,
    counts: &[(String, u64)],
    language: Language,
) -> Facet {
    let values = counts.iter().take(VALUES_SHOWN).map(|(value, count)| {
        let link = match name {
            "year" => asked.with(&[("from", value), ("to", value)]),
            _ => asked.with(&[(name, value)]),
        };
        let shown = if name == "access" { level(value, language).to_owned() } else { value.clone() };
        Value { name: shown, count: show::count(*count, language), link }
    });
    Facet { title, values: values.collect() }
}

/// What the question is narrowed to, each with the way back.
fn chosen(asked: &Asked, language: Language) -> Vec<Value> {
    let mut chosen = Vec::new();
    for (name, value) in asked.pairs() {
        if value.trim().is_empty() || matches!(name, "q" | "sort" | "cursor") {
            continue;
        }
        let label = match name {
            "from" => language.say("từ", "from"),
            "to" => language.say("đến", "to"),
            "number" => language.say("số", "number"),
            _ => "",
        };
        let value = match name {
            "access" => level(value, language).to_owned(),
            "from" | "to" => show::day(value),
            _ => value.to_owned(),
        };
        let name_shown = format!("{label} {value}").trim().to_owned();
        chosen.push(Value { name: name_shown, count: String::new(), link: asked.with(&[(name, "")]) });
    }
    chosen
}

fn hit(found: Found, asked: &Asked, language: Language) -> Hit {
    let Found { known, validity, snippet, .. } = found;
    let number = show::number(known.number.as_deref(), known.notation.as_deref());
    let issued = known.issued.as_deref().map(show::day);
    let told = [known.kind, Some(number), known.agency, issued].into_iter().flatten().filter(|text| !text.is_empty());
    let file = known.file.map(|file| Value { link: asked.with(&[("file", &file)]), name: file, count: String::new() });
    Hit {
        link: format!("/records/{}?{}", known.record, show::pairs(&[("q", &asked.q)])),
        subject: known.subject,
        told: told.collect(),
        access: if known.access == "public" { "public" } else { "conditional" },
        level: level(&known.access, language).to_owned(),
        validity,
        file,
        snippet: snippet.map(|it| (it.page, show::marked(&it.text, &it.highlights))),
    }
}

/// The name of an access level.
pub fn level(stored: &str, language: Language) -> &str {
    match stored {
        "public" => language.say("Công khai", "Public"),
        "conditional" => language.say("Có điều kiện", "Conditional"),
        "secret" => language.say("Mật", "Secret"),
        other => other,
    }
}

/// How a stated validity is coloured. Only what says so is in force.
pub fn validity_tone(stated: &str) -> &'static str {
    let folded = crate::record::text::fold(stated);
    match () {
        () if folded.contains("mot phan") => "partly",
        () if folded.contains("het hieu luc") || folded.contains("ngung") => "ended",
        () if folded.contains("con hieu luc") || folded.contains("dang co hieu luc") => "in-force",
        () => "unknown",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_question_begins_on_its_first_page() {
        let asked =
            Asked { q: "đất".into(), cursor: "c".into(), kind: "Quyết định".into(), ..Asked::default() };
        assert_eq!(asked.with(&[("type", "")]), "/?q=%C4%91%E1%BA%A5t");
        assert_eq!(asked.with(&[("cursor", "d"), ("type", "")]), "/?q=%C4%91%E1%BA%A5t&cursor=d");
        assert!(!asked.is_empty() && Asked { sort: "newest".into(), ..Asked::default() }.is_empty());
    }

    #[test]
    fn only_what_says_so_is_in_force() {
        for (stated, tone) in [
            ("Còn hiệu lực", "in-force"),
            ("Văn bản đang có hiệu lực", "in-force"),
            ("Hết hiệu lực một phần", "partly"),
            ("Hết hiệu lực toàn bộ", "ended"),
            ("Chưa có hiệu lực", "unknown"),
            ("", "unknown"),
        ] {
            assert_eq!(validity_tone(stated), tone, "{stated}");
        }
    }
}
