//! The API: one file a resource.
//!
//! # Why
//! *The OpenAPI document is made from the handlers' own annotations*, and the router takes its routes from the
//! same list, so that no address is served that is not in the document.

pub mod agencies;
pub mod audits;
pub mod cases;
pub mod components;
pub mod corrections;
pub mod description;
pub mod due;
pub mod endings;
pub mod export;
pub mod files;
pub mod findings;
pub mod fonds;
pub mod holdings;
pub mod holds;
pub mod imports;
pub mod log;
pub mod overdue;
pub mod papers;
pub mod plans;
pub mod records;
pub mod schedules;
pub mod search;
pub mod secrecy;
pub mod status;
pub mod verify;

use crate::arrangement::Arranged;
use crate::disposition::Done;
use crate::http::{
    error::{FindingOut, Kind, Trouble},
    language::Language,
    ruled,
};
use crate::record::{
    access::{Access, Reader},
    id::RecordId,
};
use axum::{
    http::{HeaderName, header},
    response::{IntoResponse, Response},
};
use serde::{Deserialize, Deserializer, Serialize, de::DeserializeOwned};
use serde_json::Value;
use std::str::FromStr;
use utoipa::{
    Modify, OpenApi, ToSchema,
    openapi::{
        self,
        security::{HttpAuthScheme, HttpBuilder, SecurityScheme},
    },
};
use zeroize::Zeroizing;

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Vankho",
        description = "An electronic records archive. Errors are RFC 9457 problems (`default`) in the language of \
                       Accept-Language; every answer carries X-Request-Id.",
        license(name = "EUPL-1.2")
    ),
    modifiers(&Bearer),
    security(("token" = []))
)]
pub struct Document;

struct Bearer;

impl Modify for Bearer {
    fn modify(&self, document: &mut openapi::OpenApi) {
        let token = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).description(Some("`vankho actor token NAME`"));
        let parts = document.components.get_or_insert_default();
        parts.add_security_scheme("token", SecurityScheme::Http(token.build()));
    }
}

/// A record's identifier in an address: what is none names no record.
pub fn record(text: &str) -> Result<RecordId, Trouble> {
    text.parse().map_err(|_| Kind::NotFound.into())
}

/// The identifier of anything else in an address: what is none names nothing.
pub fn id<T: FromStr>(text: &str) -> Result<T, Trouble> {
    text.parse().map_err(|_| Kind::NotFound.into())
}

/// A number in an address.
pub fn value<T: FromStr>(text: Option<&str>) -> Result<Option<T>, Trouble> {
    text.map(|text| text.parse().map_err(|_| Kind::NotAQuestion.into())).transpose()
}

/// How many there are on a page, 1 to 1000.
pub fn page_limit(asked: Option<u32>) -> Result<u32, Trouble> {
    match asked.unwrap_or(100) {
        limit @ 1..=1000 => Ok(limit),
        _ => Err(Kind::NotAQuestion.into()),
    }
}

/// A body that is a JSON object. A list would be read as the members in their order.
pub fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, Trouble> {
    if body.trim_ascii_start().first() != Some(&b'{') {
        return Err(Kind::Malformed.into());
    }
    serde_json::from_slice(body).map_err(|_| Kind::Malformed.into())
}

/// A password in a body: gone from memory after use, and printed nowhere.
pub struct Password(pub Zeroizing<String>);

impl<'de> Deserialize<'de> for Password {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Password, D::Error> {
        String::deserialize(from).map(|text| Password(Zeroizing::new(text)))
    }
}

/// What an act came to.
#[derive(Serialize, ToSchema)]
pub struct Acted {
    /// The unit that it was about.
    pub unit: String,
    /// The entry of the ledger that tells of it.
    pub entry: u64,
    /// What people should look at.
    pub findings: Vec<FindingOut>,
}

impl Acted {
    pub fn arranged(arranged: &Arranged, language: Language) -> Acted {
        let (unit, entry) = (arranged.unit.to_string(), arranged.entry);
        Acted { unit, entry, findings: ruled::told(&arranged.flaws, language) }
    }

    pub fn done(done: &Done) -> Acted {
        Acted { unit: done.unit.to_string(), entry: done.entry, findings: Vec::new() }
    }
}

/// A kept document as it is shown: all of it but the salt, which only its bytes need.
pub fn shown(document: &impl Serialize) -> Result<Value, Trouble> {
    let mut value = serde_json::to_value(document).map_err(|_| Trouble::from(Kind::Failed))?;
    if let Some(members) = value.as_object_mut() {
        members.remove("salt");
    }
    Ok(value)
}

/// May the reader learn the title of something of this level, as the catalog has it, that an agency made?
pub fn may_learn(reader: &Reader, access: &str, agency: Option<&str>, custodian: Option<&str>) -> bool {
    reader.may_read(Access::read(access).unwrap_or(Access::Secret), agency, custodian)
}

/// Rows as a spreadsheet opens them: CSV in UTF-8 with its mark, under a name. What would be a formula is text.
pub fn csv(name: &str, rows: impl Iterator<Item = Vec<String>>) -> Response {
    let mut text = String::from("\u{feff}");
    for row in rows {
        let cells: Vec<String> = row.iter().map(|cell| quoted(cell)).collect();
        text += &cells.join(",");
        text += "\r\n";
    }
    let disposition = format!("attachment; filename=\"{name}.csv\"");
    let headers =
        [(header::CONTENT_TYPE, "text/csv; charset=utf-8".to_owned()), (header::CONTENT_DISPOSITION, disposition)];
    (headers, text).into_response()
}

fn quoted(cell: &str) -> String {
    let formula = cell.starts_with(['=', '+', '-', '@', '\t', '\r']);
    let cell = if formula { format!("'{cell}") } else { cell.to_owned() };
    if cell.contains([',', '"', '\n', '\r', ';']) { format!("\"{}\"", cell.replace('"', "\"\"")) } else { cell }
}

/// The page at `/api` carries its style inside.
pub const PAGE_POLICY: (HeaderName, &str) =
    (header::CONTENT_SECURITY_POLICY, "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'");

/// The document as a page, without anything from elsewhere.
pub fn page(document: &openapi::OpenApi) -> String {
    let document = serde_json::to_value(document).unwrap_or_default();
    let mut html = String::from(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>Vankho API</title><style>\
         body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#222}\
         code{background:#f3f3f0;padding:.1em .3em}table{border-collapse:collapse;margin:.5rem 0}\
         td{padding:.2rem 1rem .2rem 0;vertical-align:top}h2{border-top:1px solid #ccc;padding-top:1rem}\
         </style><h1>Vankho API</h1><p><a href=\"/api/v1/openapi.json\">OpenAPI 3.1</a></p>",
    );
    for (path, methods) in document["paths"].as_object().into_iter().flatten() {
        for (method, about) in methods.as_object().into_iter().flatten() {
            html += &operation(path, method, about);
        }
    }
    html + "</html>"
}

fn operation(path: &str, method: &str, about: &Value) -> String {
    let text = |value: &Value| escaped(value.as_str().unwrap_or_default());
    let mut html = format!(
        "<h2><code>{} {}</code></h2><p>{} {}</p><table>",
        method.to_uppercase(),
        escaped(path),
        text(&about["summary"]),
        text(&about["description"])
    );
    for parameter in about["parameters"].as_array().into_iter().flatten() {
        let [name, place, told] = ["name", "in", "description"].map(|key| text(&parameter[key]));
        html += &format!("<tr><td><code>{name}</code><td>{place}<td>{told}</tr>");
    }
    for kind in about["requestBody"]["content"].as_object().into_iter().flat_map(|kinds| kinds.keys()) {
        html += &format!("<tr><td>body<td><code>{}</code></tr>", escaped(kind));
    }
    for (status, answer) in about["responses"].as_object().into_iter().flatten() {
        html += &format!("<tr><td>{}<td>{}</tr>", escaped(status), text(&answer["description"]));
    }
    html + "</table>"
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use crate::http::router::document;

    #[test]
    fn a_formula_in_a_cell_is_text() {
        for (cell, told) in
            [("1.01", "1.01"), ("=1+1", "'=1+1"), ("a, b", "\"a, b\""), ("\"x\"", "\"\"\"x\"\"\""), ("-5", "'-5")]
        {
            assert_eq!(super::quoted(cell), told);
        }
    }

    #[test]
    fn a_body_is_an_object() {
        assert!(super::read::<serde_json::Value>(b" {\"a\":1}").is_ok());
        for body in [&b"[]"[..], b"", b"null", b"{"] {
            assert!(super::read::<serde_json::Value>(body).is_err());
        }
    }

    #[test]
    fn every_operation_says_what_it_is_and_what_goes_wrong() {
        let document = serde_json::to_value(document()).unwrap();
        let paths = document["paths"].as_object().unwrap();
        assert!(paths.len() >= 13, "{:?}", paths.keys());
        for (path, methods) in paths {
            for (method, about) in methods.as_object().unwrap() {
                assert!(about["summary"].is_string(), "{method} {path}");
                assert!(about["responses"]["default"].is_object(), "{method} {path}");
            }
        }
        assert!(super::page(&crate::http::router::document()).contains("/api/v1/records/{record}"));
    }
}
