//! What the forms of a case send, as acts.
//!
//! # Why
//! *One form for many units*: what is checked in the list gets the same opinion, one act each. What one unit is refused for
//! is told with its name; what was done for the others stays done, and is not done again.

use crate::archive::ArchiveError;
use crate::disposition::{self, DispositionError, Who, cases, execution};
use crate::http::{
    error::{Kind, Trouble},
    identity::{self, Held},
    state::{Door, Open},
    web::{
        Visit, case, led_to,
        told::{self, FlawShown, Told},
    },
};
use crate::record::{
    actor::{Act as May, Actor},
    date::PartialDate,
    disposition::{
        act::Act,
        case::{Appraisal, Council, Ground, Outcome, Paper, Unit, Votes},
    },
    id::{ActorId, CaseId},
};
use axum::{
    extract::{ConnectInfo, Path, RawForm, State},
    response::Response,
};
use std::{net::SocketAddr, str::FromStr, sync::Arc};
use zeroize::Zeroizing;

/// Units in one request.
const UNITS_MAX: usize = 1_000;

/// A form, as it came.
struct Sent(Vec<(String, Zeroizing<String>)>);

impl Sent {
    fn read(body: &[u8]) -> Sent {
        let pairs = form_urlencoded::parse(body);
        Sent(pairs.map(|(name, value)| (name.into_owned(), Zeroizing::new(value.into_owned()))).collect())
    }

    fn all(&self, name: &str) -> impl Iterator<Item = &str> {
        self.0.iter().filter(move |(found, _)| found == name).map(|(_, value)| value.trim())
    }

    fn one(&self, name: &str) -> &str {
        self.all(name).next().unwrap_or_default()
    }

    fn text(&self, name: &str) -> String {
        self.one(name).to_owned()
    }

    fn parsed<T: FromStr>(&self, name: &str) -> Option<T> {
        self.one(name).parse().ok()
    }

    fn units(&self) -> Option<Vec<Unit>> {
        // A duplicate is typed, by the identifier of the record alone.
        let typed = self.all("record").map(|record| record.parse().ok().map(Unit::Record));
        self.all("unit").map(unit).chain(typed).collect()
    }

    /// A paper: its number and its day. A day that cannot be read is none.
    fn paper(&self) -> Option<Paper> {
        let number = Some(self.text("number")).filter(|number| !number.is_empty());
        Some(Paper { number, day: PartialDate::read(self.one("day")).ok()?, record: None })
    }

    fn outcome(&self) -> Option<Outcome> {
        match self.one("outcome") {
            "destroy" => Some(Outcome::Destroy),
            "keep_longer" => {
                let until = Some(self.one("until")).filter(|until| !until.is_empty());
                Some(Outcome::KeepLonger { until: until.map(PartialDate::read).transpose().ok()? })
            }
            "transfer" => Some(Outcome::Transfer { to: self.text("to") }).filter(|_| !self.one("to").is_empty()),
            "reclassify" => {
                let class = Some(self.text("class")).filter(|class| !class.is_empty())?;
                Some(Outcome::Reclassify { schedule: self.parsed("schedule")?, class })
            }
            _ => None,
        }
    }

    fn votes(&self) -> Option<Votes> {
        let count = |name| if self.one(name).is_empty() { Some(0) } else { self.parsed(name) };
        Some(Votes { agree: count("agree")?, against: count("against")?, abstained: count("abstained")? })
    }

    fn council(&self) -> Option<Council> {
        let chair: ActorId = self.parsed("chair")?;
        let members = self.all("member").map(str::parse).collect::<Result<Vec<ActorId>, _>>().ok()?;
        // The chair is checked among the members by many a hand.
        let members = members.into_iter().filter(|member| *member != chair).collect();
        Some(Council { paper: self.paper()?, chair, members })
    }
}

/// A unit as a check box names it: `file:<id>`, `record:<id>`.
fn unit(key: &str) -> Option<Unit> {
    match key.split_once(':')? {
        ("file", id) => id.parse().ok().map(Unit::File),
        ("record", id) => id.parse().ok().map(Unit::Record),
        _ => None,
    }
}

/// Does what a form of the page of a case asks for.
pub async fn act(
    State(door): State<Arc<Door>>,
    Held(open): Held,
    ConnectInfo(from): ConnectInfo<SocketAddr>,
    visit: Visit,
    Path(id): Path<String>,
    RawForm(body): RawForm,
) -> Result<Response, Trouble> {
    let (actor, id) = (told::must(&visit, May::Dispose)?.clone(), told::id::<CaseId>(&id)?);
    let sent = Sent::read(&body);
    let mut who = told::party(&actor);
    if sent.one("act") == "decide" {
        let given = sent.0.iter().find(|(name, _)| name == "password").map(|(_, value)| value.clone());
        let given = given.unwrap_or_default();
        who.authenticated = identity::confirmed(&door, &open, &actor, given, from.ip()).await?;
        if who.authenticated.is_none() {
            let told = Told::bad(visit.say(
                "Mật khẩu không đúng; nhập lại mật khẩu của chính tài khoản này. Chưa có gì được quyết định.",
                "The password is wrong; give that of this very account. Nothing was decided.",
            ));
            return case::shown(&open.archive, visit, id, Some(told)).await;
        }
    }
    let told = match of_many(sent.one("act")) {
        true => many(&open, &visit, (&who, &actor), id, &sent).await?,
        false => single(&open, &visit, &who, id, &sent).await?,
    };
    match told {
        None => Ok(led_to(&format!("/cases/{id}"))),
        told => case::shown(&open.archive, visit, id, told).await,
    }
}

fn of_many(act: &str) -> bool {
    ["list", "take_off", "opine", "propose", "spare", "order"].contains(&act)
}

fn unread(visit: &Visit) -> Told {
    Told::bad(visit.say(
        "Còn ô chưa nhập hoặc nhập chưa đúng; ngày viết 30/6/2026. Chưa có gì thay đổi.",
        "A field is missing or cannot be read; write days as 30/6/2026. Nothing was changed.",
    ))
}

/// An act on the case itself.
async fn single(open: &Open, visit: &Visit, who: &Who, id: CaseId, sent: &Sent) -> Result<Option<Told>, Trouble> {
    let Some(act) = whole(sent) else { return Ok(Some(unread(visit))) };
    match cases::act(&open.archive, who, id, act).await {
        Ok(_) => Ok(None),
        Err(error) => told::disposed(error, visit).map(Some),
    }
}

fn whole(sent: &Sent) -> Option<Act> {
    let reason = sent.text("reason");
    Some(match sent.one("act") {
        "set_up_council" => Act::SetUpCouncil { council: sent.council()? },
        "end_review" => Act::EndReview { minutes: sent.paper()? },
        "reconsider" => Act::Reconsider { reason },
        "appraise" => {
            let (authority, agreed) = (sent.text("authority"), sent.one("agreed") == "yes");
            Act::Appraise { appraisal: Appraisal { paper: sent.paper()?, authority, agreed }, reason }
        }
        "decide" => Act::Decide { paper: sent.paper()?, spared: sent.units()?, reason },
        "send_back" => Act::SendBack { reason },
        "hand_over" => Act::HandOver { minutes: sent.paper()? },
        "close" => Act::Close { minutes: sent.paper()? },
        _ => return None,
    })
}

/// An act for each unit that is checked, in one description of the case; orders are given one by one.
async fn many(
    open: &Arc<Open>,
    visit: &Visit,
    (who, actor): (&Who, &Actor),
    id: CaseId,
    sent: &Sent,
) -> Result<Option<Told>, Trouble> {
    let Some(units) = sent.units().filter(|units| units.len() <= UNITS_MAX) else { return Ok(Some(unread(visit))) };
    if units.is_empty() {
        let text = visit.say("Chưa đánh dấu đơn vị nào trong danh mục.", "Nothing was checked in the list.");
        return Ok(Some(Told::bad(text)));
    }
    let came = match sent.one("act") {
        "order" => ordered(open, who, id, units).await?,
        named => {
            let (mut acts, mut came) = (Vec::new(), Vec::new());
            for unit in units {
                let act = match named {
                    "list" => list(open, unit, sent, actor).await,
                    _ => match of_unit(unit, sent) {
                        Some(act) => Ok(act),
                        None => return Ok(Some(unread(visit))),
                    },
                };
                match act {
                    Ok(act) => acts.push((unit, act)),
                    Err(error) => came.push((unit, Err(error))),
                }
            }
            let (of, acts): (Vec<Unit>, Vec<Act>) = acts.into_iter().unzip();
            if !of.is_empty() {
                match cases::each(&open.archive, who, id, acts).await {
                    Ok(each) => came.extend(of.into_iter().zip(each)),
                    Err(error) => return told::disposed(error, visit).map(Some),
                }
            }
            came
        }
    };
    let (mut done, mut flaws) = (0_usize, Vec::new());
    for (unit, came) in came {
        match came {
            Ok(_) => done += 1,
            Err(error) => {
                let text = told::disposed(error, visit)?.text;
                flaws.push(FlawShown { severity: "error", place: code(open, unit).await?, text });
            }
        }
    }
    if flaws.is_empty() {
        return Ok(None);
    }
    let (good, bad) = (visit.say("đơn vị đã làm xong", "units are done"), visit.say("chưa làm được", "are not"));
    let text = format!("{done} {good}; {} {bad}:", flaws.len());
    Ok(Some(Told { good: false, text, flaws }))
}

/// What came of each unit.
type Came = Vec<(Unit, Result<disposition::Done, DispositionError>)>;

/// If we stop here, what is ordered stays ordered, and the rest is checked again.
async fn ordered(open: &Arc<Open>, who: &Who, id: CaseId, units: Vec<Unit>) -> Result<Came, Trouble> {
    let mut came = Vec::new();
    for unit in units {
        // A task of its own: who leaves the page does not leave half of a unit ordered until the next round.
        let (open, who) = (open.clone(), *who);
        let ordered = async move { execution::order(&open.archive, &who, id, unit).await };
        came.push((unit, tokio::spawn(ordered).await.map_err(|_| Trouble::from(Kind::Failed))?));
    }
    Ok(came)
}

async fn list(open: &Open, unit: Unit, sent: &Sent, actor: &Actor) -> Result<Act, DispositionError> {
    let ground = match sent.parsed("kept") {
        Some(kept) => Ground::Duplicate { kept, found_by: actor.id },
        None => cases::ground(&open.archive, unit).await?,
    };
    Ok(Act::List { unit, ground })
}

fn of_unit(unit: Unit, sent: &Sent) -> Option<Act> {
    let reason = sent.text("reason");
    Some(match sent.one("act") {
        "take_off" => Act::TakeOff { unit, reason },
        "opine" => Act::Opine { unit, outcome: sent.outcome()?, reason },
        "propose" => Act::Propose { unit, outcome: sent.outcome()?, reason, votes: sent.votes()? },
        "spare" => Act::Spare { unit, reason },
        _ => return None,
    })
}

/// By what a unit is told in a list of refusals: no title.
async fn code(open: &Open, unit: Unit) -> Result<String, Trouble> {
    let whole = cases::unit_of(unit);
    let known = open.archive.catalog.due_of(whole).await.map_err(ArchiveError::from)?;
    Ok(known.and_then(|known| known.code).unwrap_or_else(|| whole.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_is_read_or_it_is_not() {
        let sent = Sent::read("outcome=keep_longer&until=1%2F1%2F2030&number=+&day=30/6/2026&agree=3".as_bytes());
        assert!(matches!(sent.outcome(), Some(Outcome::KeepLonger { until: Some(_) })));
        assert_eq!(sent.votes(), Some(Votes { agree: 3, against: 0, abstained: 0 }));
        assert!(sent.paper().is_some_and(|paper| paper.number.is_none() && paper.is_dated()));
        for wrong in ["outcome=keep_longer&until=soon", "outcome=transfer&to=+", "outcome=reclassify&class=1", ""] {
            assert!(Sent::read(wrong.as_bytes()).outcome().is_none(), "{wrong}");
        }
        assert!(Sent::read(b"agree=-1").votes().is_none() && Sent::read(b"day=x").paper().is_none());
        assert!(unit("fonds:x").is_none() && Sent::read(b"unit=file:x").units().is_none());
    }
}
