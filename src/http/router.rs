//! The table of contents: every address of the door.

use crate::http::{
    api::{
        self, Document, agencies, audits, cases, components, corrections, description, due, endings, export, files,
        findings, fonds, holdings, holds, imports, log, overdue, papers, plans, records, schedules, search, secrecy,
        status, verify,
    },
    error, limits,
    serve::health,
    state::Door,
    web,
};
use axum::{Json, Router, extract::DefaultBodyLimit, middleware, response::Html, routing::get};
use metrics_exporter_prometheus::PrometheusHandle;
use std::sync::Arc;
use tower_http::catch_panic::CatchPanicLayer;
use utoipa::{OpenApi, openapi};
use utoipa_axum::{
    router::{OpenApiRouter, UtoipaMethodRouterExt},
    routes,
};

/// Bodies of requests that hand nothing over.
const SMALL_BODY_BYTES_MAX: usize = 2 << 20;

/// The API, whose document is made from the same list.
fn api(body_bytes_max: u64) -> (Router<Arc<Door>>, openapi::OpenApi) {
    let large = DefaultBodyLimit::max(usize::try_from(body_bytes_max).unwrap_or(usize::MAX));
    let (routes, mut document) = OpenApiRouter::with_openapi(Document::openapi())
        .routes(routes!(records::deposit).layer(large))
        .routes(routes!(records::named))
        .routes(routes!(records::one))
        .routes(routes!(description::history))
        .routes(routes!(description::bytes))
        .routes(routes!(components::bytes))
        .routes(routes!(records::receipt))
        .routes(routes!(records::timestamp))
        .routes(routes!(search::search))
        .routes(routes!(findings::check))
        .routes(routes!(holdings::holdings))
        .routes(routes!(export::list))
        .routes(routes!(verify::receipt))
        .routes(routes!(audits::pledge, audits::list))
        .routes(routes!(audits::one))
        .routes(routes!(audits::report))
        .routes(routes!(status::status))
        .routes(routes!(log::checkpoint))
        .routes(routes!(log::keys))
        .routes(routes!(log::tile))
        .merge(arrangement())
        .merge(retention())
        .split_for_parts();
    // OpenAPI has no sign for a parameter that spans slashes.
    let paths = std::mem::take(&mut document.paths.paths);
    document.paths.paths = paths.into_iter().map(|(path, about)| (path.replace("{*", "{"), about)).collect();
    (routes, document)
}

/// Agencies, fonds, lists of files, files.
fn arrangement() -> OpenApiRouter<Arc<Door>> {
    let table = DefaultBodyLimit::max(plans::BYTES_MAX);
    OpenApiRouter::new()
        .routes(routes!(fonds::list, fonds::open))
        .routes(routes!(fonds::one))
        .routes(routes!(fonds::close))
        .routes(routes!(agencies::list, agencies::take).layer(table))
        .routes(routes!(agencies::custodians))
        .routes(routes!(overdue::list))
        .routes(routes!(plans::list))
        .routes(routes!(plans::open).layer(table))
        .routes(routes!(plans::one))
        .routes(routes!(plans::describe).layer(table))
        .routes(routes!(plans::act))
        .routes(routes!(plans::files))
        .routes(routes!(files::list, files::open))
        .routes(routes!(files::one, files::describe))
        .routes(routes!(files::act))
        .routes(routes!(files::history))
        .routes(routes!(corrections::describe))
        .routes(routes!(corrections::move_into))
        .routes(routes!(corrections::changes))
}

/// Schedules, and what follows from them.
fn retention() -> OpenApiRouter<Arc<Door>> {
    let table = DefaultBodyLimit::max(imports::BYTES_MAX);
    OpenApiRouter::new()
        .routes(routes!(schedules::list, imports::import).layer(table))
        .routes(routes!(imports::shipped))
        .routes(routes!(imports::take))
        .routes(routes!(schedules::versions))
        .routes(routes!(imports::revise).layer(table))
        .routes(routes!(schedules::version))
        .routes(routes!(schedules::approve))
        .routes(routes!(schedules::simulate).layer(table))
        .routes(routes!(due::list))
        .routes(routes!(due::forecast))
        .routes(routes!(due::handed_over))
        .routes(routes!(due::explain))
        .routes(routes!(holds::list, holds::place))
        .routes(routes!(holds::one))
        .routes(routes!(holds::release))
        .routes(routes!(cases::all, cases::open))
        .routes(routes!(cases::one))
        .routes(routes!(cases::act))
        .routes(routes!(cases::order))
        .routes(routes!(papers::one))
        .routes(routes!(endings::certificate))
        .routes(routes!(endings::stub))
        .routes(routes!(endings::ask))
        .routes(routes!(endings::confirm))
        .routes(routes!(endings::waiting))
        .routes(routes!(secrecy::act))
}

/// The OpenAPI document.
pub fn document() -> openapi::OpenApi {
    api(0).1
}

/// Everything that is answered. Layers further down see a request earlier.
pub fn router(door: Arc<Door>, metrics: PrometheusHandle) -> Router {
    let (api, document) = api(door.config.server.body_bytes_max);
    let page = api::page(&document);
    Router::new()
        .merge(api)
        .merge(web::routes(door.config.server.body_bytes_max))
        .route("/api/v1/openapi.json", get(async || Json(document)))
        .route("/api", get(async || ([api::PAGE_POLICY], Html(page))))
        .route("/metrics", get(async move || metrics.render()))
        .route("/healthz", get(health::both))
        .route("/healthz/live", get(health::live))
        .route("/healthz/ready", get(health::ready))
        .fallback(async || error::trouble(error::Kind::NotFound))
        .layer(DefaultBodyLimit::max(SMALL_BODY_BYTES_MAX))
        .layer(CatchPanicLayer::custom(limits::panicked))
        .layer(middleware::from_fn_with_state(door.clone(), limits::bounded))
        .layer(middleware::from_fn(error::speak))
        .layer(middleware::from_fn(limits::told))
        .layer(middleware::from_fn(limits::strict))
        .layer(middleware::from_fn(limits::numbered))
        .with_state(door)
}
