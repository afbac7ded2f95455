//! The page of a disposal council: where a case stands, its list, and the forms of whose turn it is.
//!
//! # Why
//! *Which form is shown is a courtesy, not the rule*: the rules of the case judge every act again, and say in their own words
//! why not. So this page may show a form too many, and never lets anything through.

use crate::archive::{Archive, ArchiveError};
use crate::disposition::cases as flow;
use crate::http::{
    error::{Kind, Trouble},
    identity::Held,
    web::{
        Visit, cases, due, html, show,
        told::{self, Seeing, Told},
    },
};
use crate::record::{
    actor::{Act, Actor, Role},
    disposition::{
        case::{Case, Ground, Listed, Outcome, Paper, Stage, Unit},
        days,
    },
    id::{ActorId, CaseId},
};
use askama::Template;
use axum::{extract::Path, response::Response};
use std::collections::HashMap;

/// Orders that are read at once, and certificates that are shown.
const ENDS_PAGE: u32 = 1000;
const CERTIFICATES_SHOWN: usize = 1000;

/// The papers, as the API names them.
const PAPERS: [(&str, &str, &str); 8] = [
    ("1-danh-muc", "Danh mục tài liệu hết giá trị", "List"),
    ("2-thuyet-minh", "Bản thuyết minh", "Explanation"),
    ("3-quyet-dinh-hoi-dong", "Quyết định thành lập Hội đồng", "Decision on the council"),
    ("4-bien-ban-hop", "Biên bản họp Hội đồng", "Minutes of the council"),
    ("5-van-ban-tham-dinh", "Văn bản thẩm định", "Appraisal"),
    ("6-quyet-dinh-huy", "Quyết định hủy", "Decision to destroy"),
    ("7-bien-ban-ban-giao", "Biên bản bàn giao", "Minutes of handing over"),
    ("8-bien-ban-huy", "Biên bản hủy", "Minutes of destruction"),
];

/// Somebody with an account.
pub struct Person {
    pub id: ActorId,
    pub name: String,
    pub role: Role,
}

impl Person {
    /// The name, and what they are here.
    pub fn shown(&self, visit: &Visit) -> String {
        let english = self.role.as_str().replace('_', " ");
        format!("{} ({})", self.name, visit.say(self.role.vi(), &english))
    }
}

/// Who may be of a council or ask for a hold.
pub async fn people(archive: &Archive) -> Result<Vec<Person>, Trouble> {
    let accounts = archive.desk.accounts().await.map_err(ArchiveError::from)?;
    let open = accounts.into_iter().filter(|one| !one.disabled && one.actor.role != Role::Administrator);
    Ok(open.map(|one| Person { id: one.actor.id, name: one.actor.name, role: one.actor.role }).collect())
}

/// The names of all accounts, those that are disabled too: who acted is told.
pub async fn names(archive: &Archive) -> Result<HashMap<ActorId, String>, Trouble> {
    let accounts = archive.desk.accounts().await.map_err(ArchiveError::from)?;
    Ok(accounts.into_iter().map(|one| (one.actor.id, one.actor.name)).collect())
}

#[derive(Template)]
#[template(path = "case.html")]
struct Page {
    visit: Visit,
    told: Option<Told>,
    id: String,
    agency: String,
    to_historical: bool,
    steps: Vec<Step>,
    awaited: String,
    /// How many days are left to carry the decision out.
    reminder: Option<i64>,
    until: Option<String>,
    units: Vec<Row>,
    may: Turn,
    chair: Option<String>,
    members: Vec<String>,
    papers_given: Vec<(&'static str, String)>,
    people: Vec<(String, String)>,
    schedules: Vec<(String, String)>,
    papers: Vec<(&'static str, &'static str)>,
    certificates: Vec<Certified>,
    trace: Vec<Line>,
}

struct Step {
    name: String,
    state: &'static str,
}

struct Row {
    /// `file:<id>`, as the check box sends it.
    key: String,
    link: String,
    code: String,
    title: Option<String>,
    ground: String,
    due: String,
    opinions: Vec<(String, String, String)>,
    proposal: Option<(String, String, String)>,
    decided: Option<String>,
    status: String,
    tone: &'static str,
    held: bool,
}

struct Certified {
    record: String,
    order: u64,
    entry: Option<u64>,
}

struct Line {
    at: String,
    by: String,
    act: String,
    unit: Option<String>,
    reason: Option<String>,
}

/// Whose turn it is for what.
#[derive(Default)]
struct Turn {
    list: bool,
    council: bool,
    opine: bool,
    end: bool,
    propose: bool,
    reconsider: bool,
    appraise: bool,
    decide: bool,
    reviewer: bool,
    send_back: bool,
    hand_over: bool,
    order: bool,
    spare: bool,
    close: bool,
}

impl Turn {
    fn of(case: &Case, actor: &Actor, handover_first: bool) -> Turn {
        let stage = case.stage;
        let clerk = matches!(actor.role, Role::Archivist | Role::RecordsClerk);
        let head = actor.role == Role::Head;
        let chair = case.council.as_ref().is_some_and(|council| council.chair == actor.id);
        let member = case.council.as_ref().is_some_and(|council| council.people().any(|one| one == actor.id));
        let open_list = stage <= Stage::Council;
        let judged = stage == Stage::Appraised || (stage == Stage::Proposed && !case.needs_appraisal());
        let unordered = case.listed.iter().any(|one| one.is_to_be_destroyed() && one.ordered.is_none());
        let decided = stage == Stage::Decided;
        Turn {
            list: clerk && open_list,
            council: (clerk || head) && open_list && !case.listed.is_empty(),
            opine: member && stage == Stage::Council,
            end: member && stage == Stage::Council,
            propose: chair && matches!(stage, Stage::Reviewed | Stage::Proposed),
            reconsider: member && matches!(stage, Stage::Reviewed | Stage::Proposed | Stage::Appraised),
            appraise: clerk && stage == Stage::Proposed && case.needs_appraisal(),
            reviewer: case.reviewers.contains(&actor.id),
            decide: head && judged,
            send_back: head && matches!(stage, Stage::Proposed | Stage::Appraised),
            hand_over: clerk && decided && case.handover.is_none() && unordered,
            order: clerk && decided && unordered && (case.handover.is_some() || !handover_first),
            spare: head && decided && unordered,
            close: clerk && decided && !case.listed.iter().any(Listed::is_unfinished),
        }
    }

    /// Are units checked for something?
    fn checks(&self) -> bool {
        self.list || self.opine || self.propose || self.decide || self.order || self.spare
    }
}

/// The page.
pub async fn page(Held(open): Held, visit: Visit, Path(id): Path<String>) -> Result<Response, Trouble> {
    shown(&open.archive, visit, told::id(&id)?, None).await
}

/// The page, with what the act before came to.
pub async fn shown(archive: &Archive, visit: Visit, id: CaseId, told: Option<Told>) -> Result<Response, Trouble> {
    let actor = told::must(&visit, Act::Dispose)?;
    let read = flow::case(archive, id).await.map_err(|error| told::unread(error, &visit))?;
    let (case, _) = read.ok_or(Kind::NotFound)?;
    let rules = &archive.config.disposition;
    let names = names(archive).await?;
    let name = |id: &ActorId| names.get(id).cloned().unwrap_or_else(|| id.to_string());
    let seeing = Seeing::of(archive, &visit).await?;
    let mut units = Vec::with_capacity(case.listed.len());
    for listed in &case.listed {
        units.push(row(archive, &visit, &seeing, listed, &names).await?);
    }
    let may = Turn::of(&case, actor, rules.handover_first);
    let council = case.council.as_ref();
    let schedules = archive.catalog.schedules().await.map_err(ArchiveError::from)?;
    let people = people(archive).await?.into_iter().filter(|one| one.role != Role::Auditor);
    let page = Page {
        told,
        id: id.to_string(),
        agency: case.agency.clone(),
        to_historical: case.to_historical,
        steps: steps(&case, &visit),
        awaited: cases::awaited(case.stage, &visit).into(),
        reminder: case.execution_reminder(days::day_of(archive.clock.now()), rules),
        until: case.execution_until(rules.execution_days_max).map(days::shown),
        units,
        chair: council.map(|council| name(&council.chair)),
        members: council.iter().flat_map(|council| council.members.iter().map(name)).collect(),
        papers_given: papers_given(&case, &visit),
        people: people.map(|one| (one.id.to_string(), one.shown(&visit))).collect(),
        schedules: schedules.into_iter().map(|one| (one.schedule.to_string(), one.title)).collect(),
        papers: PAPERS.map(|(key, vi, en)| (key, if visit.language.as_str() == "vi" { vi } else { en })).into(),
        certificates: if case.stage >= Stage::Decided { certificates(archive, id).await? } else { Vec::new() },
        trace: case
            .trace
            .iter()
            .rev()
            .map(|one| Line {
                at: show::time(one.at),
                by: name(&one.by),
                act: act_name(&one.act, &visit).into(),
                unit: one.unit.map(|unit| flow::unit_of(unit).to_string()),
                reason: one.reason.clone(),
            })
            .collect(),
        may,
        visit,
    };
    html(&page)
}

fn steps(case: &Case, visit: &Visit) -> Vec<Step> {
    let all = [
        Stage::Listed,
        Stage::Council,
        Stage::Reviewed,
        Stage::Proposed,
        Stage::Appraised,
        Stage::Decided,
        Stage::Closed,
    ];
    let all = all.into_iter().filter(|stage| *stage != Stage::Appraised || case.needs_appraisal());
    all.map(|stage| Step {
        name: cases::stage(stage, visit).into(),
        state: match stage.cmp(&case.stage) {
            std::cmp::Ordering::Less => "done",
            std::cmp::Ordering::Equal => "now",
            std::cmp::Ordering::Greater => "later",
        },
    })
    .collect()
}

async fn row(
    archive: &Archive,
    visit: &Visit,
    seeing: &Seeing,
    listed: &Listed,
    names: &HashMap<ActorId, String>,
) -> Result<Row, Trouble> {
    let whole = flow::unit_of(listed.unit);
    let known = archive.catalog.due_of(whole).await.map_err(ArchiveError::from)?;
    let (kind, part) = match listed.unit {
        Unit::File(_) => ("file", "files"),
        Unit::Record(_) => ("record", "records"),
    };
    let (held, code) = known.as_ref().map_or((false, None), |known| (known.held, known.code.clone()));
    let (ground, due) = match &listed.ground {
        Ground::Expired { due, class, .. } => (
            format!("{} {class}", visit.say("hết thời hạn lưu trữ, mục", "its period ended, class")),
            show::day(&due.to_string()),
        ),
        Ground::Duplicate { kept, .. } => {
            (format!("{} {kept}", visit.say("trùng với", "a duplicate of")), String::new())
        }
    };
    let name = |id: &ActorId| names.get(id).cloned().unwrap_or_else(|| id.to_string());
    let opinions = listed.opinions.iter();
    let opinions = opinions.map(|one| (name(&one.by), outcome(&one.outcome, visit), one.reason.clone()));
    let (vi, en) = listed.status();
    Ok(Row {
        key: format!("{kind}:{whole}"),
        link: format!("/{part}/{whole}"),
        code: code.unwrap_or_else(|| whole.to_string()),
        title: known.filter(|known| due::sees(seeing, known)).map(|known| known.title),
        ground,
        due,
        opinions: opinions.collect(),
        proposal: listed.proposal.as_ref().map(|one| {
            let votes = &one.votes;
            let votes = format!("{}/{}/{}", votes.agree, votes.against, votes.abstained);
            (outcome(&one.outcome, visit), one.reason.clone(), votes)
        }),
        decided: listed.decided.as_ref().map(|decided| outcome(decided, visit)),
        status: visit.say(vi, en).into(),
        tone: match (&listed.decided, listed.ordered) {
            (_, Some(_)) | (Some(Outcome::Destroy), None) => "ended",
            (Some(_), None) => "in-force",
            (None, None) => "partly",
        },
        held,
    })
}

/// What is to become of a unit, in words.
fn outcome(outcome: &Outcome, visit: &Visit) -> String {
    let more = match outcome {
        Outcome::KeepLonger { until: Some(until) } => {
            format!(" {} {}", visit.say("đến", "until"), show::day(&until.to_string()))
        }
        Outcome::Reclassify { class, .. } => format!(": {class}"),
        Outcome::Transfer { to } => format!(": {to}"),
        Outcome::KeepLonger { until: None } | Outcome::Destroy => String::new(),
    };
    format!("{}{more}", visit.say(outcome.vi(), outcome.en()))
}

fn papers_given(case: &Case, visit: &Visit) -> Vec<(&'static str, String)> {
    let vi = visit.language.as_str() == "vi";
    let say = |vi_text, en_text| if vi { vi_text } else { en_text };
    let told = |paper: &Paper| {
        let day = show::day(&paper.day.to_string());
        paper.number.as_ref().map_or(day.clone(), |number| format!("{number}, {day}"))
    };
    let appraisal = case.appraisal.as_ref().map(|one| format!("{}: {}", one.authority, told(&one.paper)));
    let given = [
        (say("Quyết định thành lập Hội đồng", "Council set up by"), case.council.as_ref().map(|one| told(&one.paper))),
        (say("Biên bản họp", "Minutes of the council"), case.minutes.as_ref().map(told)),
        (say("Thẩm định", "Appraisal"), appraisal),
        (say("Quyết định hủy", "Decision"), case.decision.as_ref().map(|one| told(&one.paper))),
        (say("Biên bản bàn giao", "Minutes of handing over"), case.handover.as_ref().map(told)),
        (say("Biên bản hủy", "Minutes of destruction"), case.destruction.as_ref().map(told)),
    ];
    given.into_iter().filter_map(|(name, paper)| Some((name, paper?))).collect()
}

/// What was ordered under a case, and what is certified of it.
async fn certificates(archive: &Archive, id: CaseId) -> Result<Vec<Certified>, Trouble> {
    let (mut found, mut from) = (Vec::new(), 0);
    while found.len() < CERTIFICATES_SHOWN {
        let page = archive.catalog.ends(from, ENDS_PAGE).await.map_err(ArchiveError::from)?;
        let Some(last) = page.last() else { break };
        from = last.seq + 1;
        let of_case = page.iter().filter(|ended| ended.case == Some(id));
        found.extend(of_case.map(|ended| Certified {
            record: ended.record.to_string(),
            order: ended.seq,
            entry: ended.certified.filter(|_| ended.certificate.is_some()),
        }));
    }
    found.truncate(CERTIFICATES_SHOWN);
    Ok(found)
}

fn act_name<'a>(act: &'a str, visit: &'a Visit) -> &'a str {
    match act {
        "list" => visit.say("Đưa vào danh mục", "Listed"),
        "take_off" => visit.say("Rút khỏi danh mục", "Taken off the list"),
        "set_up_council" => visit.say("Lập Hội đồng", "Council set up"),
        "opine" => visit.say("Nêu ý kiến", "Opinion given"),
        "end_review" => visit.say("Kết thúc họp", "Review ended"),
        "propose" => visit.say("Kiến nghị", "Proposed"),
        "reconsider" => visit.say("Xem xét lại", "Taken up again"),
        "appraise" => visit.say("Thẩm định", "Appraised"),
        "decide" => visit.say("Quyết định", "Decided"),
        "send_back" => visit.say("Trả lại Hội đồng", "Sent back"),
        "hand_over" => visit.say("Bàn giao", "Handed over"),
        "spare" => visit.say("Để lại", "Spared"),
        "order" => visit.say("Ra lệnh hủy", "Destruction ordered"),
        "destroyed" => visit.say("Đã hủy", "Destroyed"),
        "close" => visit.say("Kết thúc hồ sơ", "Closed"),
        other => other,
    }
}
