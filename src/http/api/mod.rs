//! The API: one file a resource.
//!
//! # Why
//! *The OpenAPI document is made from the handlers' own annotations*, and the router takes its routes from the
//! same list, so that no address is served that is not in the document.

pub mod audits;
pub mod components;
pub mod description;
pub mod export;
pub mod findings;
pub mod holdings;
pub mod log;
pub mod records;
pub mod search;
pub mod status;
pub mod verify;

use crate::http::error::{Kind, Trouble};
use crate::record::id::RecordId;
use axum::http::{HeaderName, header};
use serde_json::Value;
use utoipa::{
    Modify, OpenApi,
    openapi::{
        self,
        security::{HttpAuthScheme, HttpBuilder, SecurityScheme},
    },
};

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
