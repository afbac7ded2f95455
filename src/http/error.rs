//! What went wrong, as RFC 9457 problem JSON in the language of the request. The only file that knows status
//! codes.
//!
//! # Why
//! *A handler says what is wrong, [`speak`] says it in words*: the language and the request's number are known
//! there, and what the framework refuses by itself (no such path, wrong method, too large) gets the same form.
//!
//! *What goes on inside is logged once and not told*: a person outside can do nothing with it.

use crate::archive::ArchiveError;
use crate::http::{language::Language, web::problem};
use crate::record::finding::{Finding, Severity};
use axum::{
    Json,
    extract::Request,
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use serde::Serialize;
use utoipa::ToSchema;

pub const CREATED: StatusCode = StatusCode::CREATED;
pub const ACCEPTED: StatusCode = StatusCode::ACCEPTED;
pub const PARTIAL: StatusCode = StatusCode::PARTIAL_CONTENT;
pub const NOT_MODIFIED: StatusCode = StatusCode::NOT_MODIFIED;
pub const UNAVAILABLE: StatusCode = StatusCode::SERVICE_UNAVAILABLE;
pub const SEE_OTHER: StatusCode = StatusCode::SEE_OTHER;
pub const GONE: StatusCode = StatusCode::GONE;

/// Marks a page that says itself what is wrong: [`speak`] leaves it as it is.
#[derive(Clone, Copy)]
pub struct Said;

macro_rules! problems {
    ($($kind:ident $code:literal $status:ident $vi:literal $en:literal $next_vi:literal $next_en:literal)*) => {
        /// What is wrong: title, and what to do next.
        #[derive(Clone, Copy, PartialEq, Eq, Debug)]
        pub enum Kind {
            $($kind,)*
        }

        impl Kind {
            const ALL: &'static [Kind] = &[$(Kind::$kind),*];

            pub fn code(&self) -> &'static str {
                match self { $(Kind::$kind => $code,)* }
            }

            /// A kind by its code.
            pub fn of_code(code: &str) -> Option<Kind> {
                Kind::ALL.iter().copied().find(|kind| kind.code() == code)
            }

            fn status(&self) -> StatusCode {
                match self { $(Kind::$kind => StatusCode::$status,)* }
            }

            pub fn title(&self, language: Language) -> &'static str {
                match self { $(Kind::$kind => language.say($vi, $en),)* }
            }

            pub fn next(&self, language: Language) -> &'static str {
                match self { $(Kind::$kind => language.say($next_vi, $next_en),)* }
            }
        }
    };
}

problems! {
    Malformed "malformed" BAD_REQUEST
        "Yêu cầu không đúng dạng" "The request is malformed"
        "Đối chiếu yêu cầu với tài liệu tại /api rồi gửi lại." "Compare the request with /api and send it again."
    NoKey "no_idempotency_key" BAD_REQUEST
        "Thiếu mã chống trùng" "The idempotency key is missing"
        "Gửi kèm tiêu đề Idempotency-Key gồm 32 byte ngẫu nhiên, dạng base64url hoặc thập lục phân; giữ nguyên mã khi gửi lại."
        "Send a header Idempotency-Key of 32 random bytes in base64url or hexadecimal; repeat it when you send again."
    NotAQuestion "not_a_question" BAD_REQUEST
        "Điều kiện tìm kiếm không đúng dạng" "The question cannot be read"
        "Ngày viết 2026, 2026-05 hoặc 2026-05-15; mỗi trang từ 1 đến 1000 tài liệu; con trỏ chỉ dùng cho đúng câu hỏi đã tạo ra nó."
        "Write days as 2026, 2026-05 or 2026-05-15, ask for 1 to 1000 records, and use a cursor only with its own question."
    Unknown "unauthenticated" UNAUTHORIZED
        "Chưa đăng nhập" "Nobody is logged in"
        "Gửi kèm Authorization: Bearer và mã truy cập; quản trị hệ thống cấp mã bằng `vankho actor token`."
        "Send Authorization: Bearer with a token; an administrator makes one with `vankho actor token`."
    Forbidden "forbidden" FORBIDDEN
        "Vai trò không có quyền làm việc này" "The role may not do this"
        "Đề nghị người có thẩm quyền thực hiện, hoặc dùng tài khoản có vai trò phù hợp."
        "Ask somebody whose role it is, or use an account with that role."
    WrongPassword "wrong_password" FORBIDDEN
        "Mật khẩu không đúng" "The password is wrong"
        "Nhập lại mật khẩu của chính tài khoản này; quyết định không đảo ngược được cần xác thực lại ngay trước đó."
        "Give the password of this very account; what cannot be undone needs it anew, just before."
    NotFound "not_found" NOT_FOUND
        "Không tìm thấy" "Not found"
        "Kiểm tra lại địa chỉ hoặc mã; tài liệu không thuộc quyền đọc cũng trả lời như vậy."
        "Check the address or the identifier; a record that you may not read answers just so."
    WrongMethod "wrong_method" METHOD_NOT_ALLOWED
        "Địa chỉ này không nhận phương thức đó" "This address does not take that method"
        "Xem tài liệu tại /api." "See /api."
    TookTooLong "took_too_long" REQUEST_TIMEOUT
        "Quá thời gian chờ" "The request took too long"
        "Gửi lại với cùng Idempotency-Key; phần đã tiếp nhận sẽ không bị trùng."
        "Send it again with the same Idempotency-Key; what was taken in is not doubled."
    Conflict "conflict" CONFLICT
        "Tài liệu vừa được thay đổi" "The record has just been changed"
        "Đọc lại tài liệu rồi thực hiện lại." "Read the record again, then try once more."
    Ruled "against_the_rules" CONFLICT
        "Quy tắc không cho phép việc này" "The rules do not let this be done"
        "Xem mã trong code rồi làm theo hướng dẫn." "Look at the code and do what it says."
    Held "hold" CONFLICT
        "Không đặt hoặc không gỡ được lệnh tạm dừng hủy" "The hold is not placed or not released"
        "Xem mã trong code rồi làm theo hướng dẫn." "Look at the code and do what it says."
    Secrecy "secrecy" CONFLICT
        "Không xử lý được dấu độ mật" "Nothing is done about the secrecy mark"
        "Xem mã trong code rồi làm theo hướng dẫn." "Look at the code and do what it says."
    TooLarge "too_large" PAYLOAD_TOO_LARGE
        "Nội dung gửi lên quá lớn" "The body is too large"
        "Chia nhỏ gói tin, hoặc đề nghị quản trị hệ thống tăng server.body_bytes_max."
        "Split the package, or ask the administrator to raise server.body_bytes_max."
    WrongType "wrong_type" UNSUPPORTED_MEDIA_TYPE
        "Kiểu nội dung không được nhận" "The content type is not taken"
        "Dùng kiểu nội dung nêu trong tài liệu tại /api." "Use the content type that /api names."
    NoSuchRange "no_such_range" RANGE_NOT_SATISFIABLE
        "Tệp không có đoạn được yêu cầu" "The component has no such range"
        "Yêu cầu một đoạn nằm trong độ dài của tệp." "Ask for a range within the length of the component."
    Refused "refused" UNPROCESSABLE_ENTITY
        "Gói tin có lỗi" "The package has findings"
        "Sửa các lỗi nêu trong findings rồi nộp lại; chưa có gì được tiếp nhận."
        "Mend what findings tell and hand it over again; nothing of it was kept."
    Flawed "flawed" UNPROCESSABLE_ENTITY
        "Còn thiếu sót phải sửa trước" "There are flaws to be mended first"
        "Sửa các thiếu sót nêu trong findings rồi làm lại; chưa có gì thay đổi."
        "Mend what findings tell and try again; nothing was changed."
    TooManyFound "too_many_found" UNPROCESSABLE_ENTITY
        "Phép tìm trúng quá nhiều tài liệu" "The search finds too many records"
        "Thu hẹp điều kiện, hoặc tạm dừng hủy cả hồ sơ hay cả phông." "Narrow it, or hold the whole file or fonds."
    Busy "busy" TOO_MANY_REQUESTS
        "Hệ thống đang bận" "Too many are at the door"
        "Chờ theo Retry-After rồi gửi lại." "Wait as Retry-After says, then send it again."
    HeadersTooLarge "headers_too_large" REQUEST_HEADER_FIELDS_TOO_LARGE
        "Tiêu đề của yêu cầu quá dài" "The headers of the request are too large"
        "Rút gọn tiêu đề rồi gửi lại." "Shorten the headers and send it again."
    Away "away" SERVICE_UNAVAILABLE
        "Kho đang được mở lại" "The archive is being opened again"
        "Chờ theo Retry-After rồi gửi lại; phần đã tiếp nhận không bị mất."
        "Wait as Retry-After says, then send it again; nothing that was taken in is lost."
    Full "full" INSUFFICIENT_STORAGE
        "Hết chỗ lưu trữ" "The storage is full"
        "Quản trị hệ thống cần giải phóng ổ đĩa; sau đó gửi lại với cùng Idempotency-Key."
        "The administrator must make room; then send it again with the same Idempotency-Key."
    Failed "failed" INTERNAL_SERVER_ERROR
        "Lỗi bên trong hệ thống" "Something failed inside"
        "Gửi lại; nếu vẫn lỗi, báo mã yêu cầu (request) cho quản trị hệ thống."
        "Try again; if it fails again, tell the administrator the request's number."
    Damaged "damaged" INTERNAL_SERVER_ERROR
        "Nội dung lưu trữ bị hỏng hoặc bị mất" "What was kept is damaged or lost"
        "Báo quản trị hệ thống chạy `vankho verify archive` và khôi phục từ bản nhân hoặc bản sao lưu."
        "Tell the administrator to run `vankho verify archive` and bring it back from a replica or a backup."
}

/// A problem, before it is said in words.
#[derive(Clone, Debug)]
pub struct Trouble {
    pub kind: Kind,
    pub findings: Vec<Finding>,
    pub flaws: Vec<Wrong>,
    /// What a rule says itself, in the place of what the kind says.
    pub rule: Option<Rule>,
    pub retry_seconds: Option<u64>,
    /// Derived files have changed under us: the archive is to be opened anew.
    pub anew: bool,
}

/// A rule's own refusal: a code that never changes its meaning, and what to do, in both languages.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Rule {
    pub code: &'static str,
    pub vi: &'static str,
    pub en: &'static str,
}

/// One thing wrong in what people work on: in a file, in a schedule.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Wrong {
    pub rule: Rule,
    pub severity: Severity,
    pub field: Option<String>,
    pub detail: Option<String>,
}

/// RFC 9457 problem details.
#[derive(Serialize, ToSchema)]
pub struct Problem {
    /// Where this kind of problem is described.
    #[serde(rename = "type")]
    kind: String,
    /// What is wrong, in the language of the request.
    title: String,
    #[schema(minimum = 400, maximum = 599)]
    status: u16,
    /// What to do next.
    detail: String,
    /// A code that never changes its meaning.
    code: String,
    /// The number of the request, as in X-Request-Id and in the log.
    #[serde(skip_serializing_if = "Option::is_none")]
    request: Option<String>,
    /// What is wrong with a package, a file, a schedule.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    findings: Vec<FindingOut>,
}

/// One thing wrong in what was handed over.
#[derive(Serialize, ToSchema)]
pub struct FindingOut {
    /// A code that never changes its meaning.
    code: String,
    /// `error` stops the package, `warning` travels with it.
    pub severity: String,
    /// The field, or the component's name.
    pub field: Option<String>,
    detail: Option<String>,
    /// What is wrong and what to do, in the language of the request.
    pub text: String,
}

impl FindingOut {
    pub fn of(finding: &Finding, language: Language) -> FindingOut {
        FindingOut {
            code: finding.code.as_str().into(),
            severity: if finding.severity == Severity::Error { "error" } else { "warning" }.into(),
            field: finding.field.clone(),
            detail: finding.detail.clone(),
            text: language.say(finding.code.vi(), finding.code.en()).into(),
        }
    }

    pub fn of_wrong(wrong: &Wrong, language: Language) -> FindingOut {
        FindingOut {
            code: wrong.rule.code.into(),
            severity: if wrong.severity == Severity::Error { "error" } else { "warning" }.into(),
            field: wrong.field.clone(),
            detail: wrong.detail.clone(),
            text: wrong.rule.say(language).into(),
        }
    }
}

impl Rule {
    fn say(&self, language: Language) -> &'static str {
        language.say(self.vi, self.en)
    }
}

pub fn trouble(kind: Kind) -> Trouble {
    let retry_seconds = match kind {
        Kind::Busy => Some(1),
        Kind::Away => Some(2),
        Kind::Full => Some(60),
        _ => None,
    };
    Trouble { kind, findings: Vec::new(), flaws: Vec::new(), rule: None, retry_seconds, anew: false }
}

impl From<Kind> for Trouble {
    fn from(kind: Kind) -> Trouble {
        trouble(kind)
    }
}

impl From<ArchiveError> for Trouble {
    fn from(error: ArchiveError) -> Trouble {
        let anew = matches!(&error, ArchiveError::Catalog(error) if error.is_of_lost_files());
        let kind = match &error {
            _ if is_full(&error) => Kind::Full,
            // Storage that cannot be reached comes back; who sends the same key again loses nothing.
            ArchiveError::Stopped(_) | ArchiveError::Store(_) | ArchiveError::Ledger(_) => Kind::Away,
            _ if anew => Kind::Away,
            ArchiveError::Catalog(error) if error.is_of_a_lock() => Kind::Away,
            ArchiveError::Conflict(_) => Kind::Conflict,
            ArchiveError::Damaged(_) => Kind::Damaged,
            _ => Kind::Failed,
        };
        tracing::error!(%error, code = kind.code(), "a request failed");
        Trouble { anew, ..trouble(kind) }
    }
}

/// Does the disk that this came from have no room?
fn is_full(error: &(dyn std::error::Error + 'static)) -> bool {
    std::iter::successors(Some(error), |error| error.source()).any(|cause| {
        let full = [std::io::ErrorKind::StorageFull, std::io::ErrorKind::QuotaExceeded];
        let cause = cause.downcast_ref::<std::io::Error>();
        // An error that is wrapped in another of its kind is not its source.
        let wrapped = cause.and_then(std::io::Error::get_ref).is_some_and(|wrapped| is_full(wrapped));
        wrapped || cause.is_some_and(|cause| full.contains(&cause.kind()))
    })
}

impl IntoResponse for Trouble {
    fn into_response(self) -> Response {
        let mut response = self.kind.status().into_response();
        response.extensions_mut().insert(self);
        response
    }
}

/// A problem for a status that the framework gave by itself.
fn of_status(status: StatusCode) -> Trouble {
    let known = Kind::ALL.iter().filter(|kind| !matches!(kind, Kind::NoKey | Kind::NotAQuestion));
    let kind = known.copied().find(|kind| kind.status() == status);
    trouble(kind.unwrap_or(if status.is_server_error() { Kind::Failed } else { Kind::Malformed }))
}

/// What the framework refuses a body for, from its status.
pub fn of_refusal(status: StatusCode) -> Trouble {
    of_status(status)
}

/// The name of the header that carries a request's number.
pub const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Puts every refusal into words.
pub async fn speak(request: Request, next: Next) -> Response {
    let language = Language::of(request.headers());
    let number = request.headers().get(REQUEST_ID).and_then(|value| value.to_str().ok()).map(str::to_owned);
    let for_people = for_people(&request);
    let response = next.run(request).await;
    let status = response.status();
    if response.extensions().get::<Said>().is_some() {
        return response;
    }
    if !(status.is_client_error() || status.is_server_error()) {
        return response;
    }
    let (mut parts, _) = response.into_parts();
    let trouble = parts.extensions.remove::<Trouble>().unwrap_or_else(|| of_status(status));
    let mut told = match for_people {
        true => problem::page(&trouble, language),
        false => told(&trouble, language, number).into_response(),
    };
    // Allow, Content-Range and the like stay; what described the old body goes.
    for name in [header::CONTENT_TYPE, header::CONTENT_LENGTH] {
        parts.headers.remove(name);
    }
    keep(&parts.headers, told.headers_mut());
    if let Some(seconds) = trouble.retry_seconds {
        told.headers_mut().insert(header::RETRY_AFTER, seconds.into());
    }
    if trouble.kind == Kind::Unknown {
        told.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"vankho\""));
    }
    told.headers_mut().insert(header::CONTENT_LANGUAGE, HeaderValue::from_static(language.as_str()));
    *told.status_mut() = trouble.kind.status();
    told
}

fn keep(from: &HeaderMap, to: &mut HeaderMap) {
    for (name, value) in from {
        to.append(name, value.clone());
    }
}

/// Is this a person with a browser, outside of the API and the log?
fn for_people(request: &Request) -> bool {
    let path = request.uri().path();
    let program = ["/api/", "/log/", "/metrics", "/healthz"].iter().any(|start| path.starts_with(start));
    let html = request.headers().get(header::ACCEPT).and_then(|value| value.to_str().ok());
    !program && html.is_some_and(|accept| accept.contains("text/html"))
}

/// What is wrong, in the words of the rule where it has its own.
pub fn next(trouble: &Trouble, language: Language) -> &'static str {
    trouble.rule.map_or(trouble.kind.next(language), |rule| rule.say(language))
}

fn told(trouble: &Trouble, language: Language, request: Option<String>) -> impl IntoResponse + use<> {
    let findings = trouble.findings.iter().map(|finding| FindingOut::of(finding, language));
    let flaws = trouble.flaws.iter().map(|wrong| FindingOut::of_wrong(wrong, language));
    let problem = Problem {
        kind: format!("/api#{}", trouble.kind.code()),
        title: trouble.kind.title(language).into(),
        status: trouble.kind.status().as_u16(),
        detail: next(trouble, language).into(),
        code: trouble.rule.map_or(trouble.kind.code(), |rule| rule.code).into(),
        request,
        findings: findings.chain(flaws).collect(),
    };
    ([(header::CONTENT_TYPE, "application/problem+json")], Json(problem).into_response().into_body())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_is_told_once_and_in_both_languages() {
        let mut codes: Vec<&str> = Kind::ALL.iter().map(|kind| kind.code()).collect();
        codes.sort_unstable();
        codes.dedup();
        assert_eq!(codes.len(), Kind::ALL.len());
        for kind in Kind::ALL {
            assert_ne!(kind.title(Language::Vi), kind.title(Language::En), "{kind:?}");
            assert_ne!(kind.next(Language::Vi), kind.next(Language::En), "{kind:?}");
        }
        assert_eq!(of_status(StatusCode::METHOD_NOT_ALLOWED).kind, Kind::WrongMethod);
        assert_eq!(of_status(StatusCode::IM_A_TEAPOT).kind, Kind::Malformed);
    }

    #[test]
    fn a_full_disk_is_told_as_one_however_deep_it_lies() {
        let full = std::io::Error::from(std::io::ErrorKind::StorageFull);
        assert!(is_full(&std::io::Error::other(full)));
        assert_eq!(Trouble::from(ArchiveError::Stopped("x".into())).kind, Kind::Away);
    }
}
