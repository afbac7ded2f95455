//! What was decided is carried out: ordered, destroyed at every place, certified, and told to the case.
//!
//! ```text
//! order: judge ─► one order a record (the point of no return) ─► the case says so
//! resume: what a stop left unordered ─► destroy, certify ─► the case is told of the certificates
//! ```
//!
//! # Why
//! *The orders stand before the case says so.* If we stop between, the ledger has the truth and [`resume`] has the case say
//! it; the other way round a case would call destroyed what nobody had ordered. What is ordered was judged at its commit,
//! from the ledger; so the case is not asked again whether it may, only told.
//!
//! *What the case calls ordered is ordered as a whole.* A record that comes into the file afterwards was decided on by
//! nobody: it stays, keeps no case open, and is listed anew. One that comes while only a part is ordered stops the rest.
//!
//! *One that cannot be finished keeps no other waiting*: a place that is away leaves its order pending, as a debt that is
//! counted and told.

use crate::archive::{
    Archive, ArchiveError,
    destroy::{Destroyed, Papers},
};
use crate::catalog::ends::Ended;
use crate::disposition::{
    DispositionError, Done, Who,
    cases::{self, follow, is_going, judged, unit_of},
    due,
};
use crate::record::{
    actor::Role,
    digest::Digest,
    disposition::{
        act::{Act, Facts, Lies, UnitFacts},
        after::after,
        basis::Basis,
        case::{Case, Stage, Unit},
        certificate::{Certificate, NotCertified, Review},
        refusal::Refusal,
        stub::Stub,
        withdrawal,
    },
    document::Document,
    entry::Entry,
    id::{ActorId, CaseId, FileId, RecordId},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    sync::Arc,
};

/// Orders that are read at once.
const PAGE: u32 = 1000;

/// What a round came to.
#[derive(Debug, Default)]
pub struct Resumed {
    /// Records that were certified.
    pub certified: u64,
    /// Units of cases that are destroyed.
    pub units: u64,
    /// What is still to be done, and why it is not.
    pub pending: Vec<Pending>,
}

/// Something that waits.
#[derive(Debug)]
pub struct Pending {
    pub of: Waits,
    pub why: Why,
}

/// What waits.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Waits {
    /// An order without a certificate.
    Order(RecordId),
    /// A unit that is not ordered as a whole, or of which the case was not told.
    Unit(CaseId, Unit),
    /// A case that could not be looked at.
    Case(CaseId),
}

/// By identifiers alone, for lists and logs.
impl fmt::Display for Waits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Waits::Order(record) => record.fmt(f),
            Waits::Unit(case, unit) => write!(f, "{case}/{}", unit_of(*unit)),
            Waits::Case(case) => case.fmt(f),
        }
    }
}

/// Why.
#[derive(Debug)]
pub enum Why {
    /// A place was not emptied, or something was found again.
    NotCertified(NotCertified),
    /// The rules do not let the rest be ordered: a hold came.
    Refused(Refusal),
    /// It could not be done now; the next round tries again.
    Failed(DispositionError),
}

/// A case in which something was ordered that it was not told of yet, by unit.
struct Unfinished {
    case: Arc<Case>,
    ordered: BTreeMap<Unit, Vec<Ended>>,
    /// Is it known of each of its orders by which unit that went?
    whole: bool,
}

/// Orders that a unit is destroyed as it was decided.
///
/// If we stop here, none, some or all of its records are ordered, and [`resume`] goes on from there.
pub async fn order(archive: &Archive, who: &Who, id: CaseId, unit: Unit) -> Result<Done, DispositionError> {
    let (case, _) = cases::case(archive, id).await?.ok_or(Refusal::NotKnown)?;
    judged(archive, &case, who, &Act::Order { unit }).await?;
    let records = going(archive, unit).await?;
    if records.is_empty() {
        return Err(Refusal::NothingInside.into());
    }
    archive.order_destruction(who.actor, id, &with_basis(&case, unit, records)?).await?;
    say_ordered(archive, who, id, unit).await
}

/// A round: units that are ordered in part are finished, open orders are carried out, cases are told of certificates.
///
/// If we stop here, what is done is in the ledger, and the next round begins where this one was.
pub async fn resume(archive: &Archive) -> Result<Resumed, DispositionError> {
    let mut resumed = Resumed::default();
    for Unfinished { case, ordered, .. } in unfinished(archive, &mut resumed).await? {
        for (unit, ends) in &ordered {
            let finished = finish_order(archive, &case, *unit, ends).await;
            resumed.pends(Waits::Unit(case.case, *unit), finished);
        }
    }
    for ended in archive.catalog.orders_open().await? {
        match carry_out(archive, &ended).await {
            Ok(Destroyed::Certified { .. }) => resumed.certified += 1,
            Ok(Destroyed::Pending { why }) => resumed.wait(Waits::Order(ended.record), Why::NotCertified(why)),
            Err(error) => resumed.pends(Waits::Order(ended.record), Err(error)),
        }
    }
    // What could not be looked at is told above, once. A unit of which a part is not known is not called destroyed.
    let known = unfinished(archive, &mut Resumed::default()).await?;
    for Unfinished { case, ordered, .. } in known.into_iter().filter(|one| one.whole) {
        for (unit, ends) in &ordered {
            match tell(archive, &case, *unit, ends).await {
                Ok(told) => resumed.units += u64::from(told),
                Err(error) => resumed.pends(Waits::Unit(case.case, *unit), Err(error)),
            }
        }
    }
    Ok(resumed)
}

/// The certificate of a record that was destroyed or expelled.
pub async fn certificate(archive: &Archive, record: RecordId) -> Result<Option<Certificate>, DispositionError> {
    let digest = archive.catalog.ended(record).await?.and_then(|ended| ended.certificate);
    let Some(digest) = digest else { return Ok(None) };
    let bytes = archive.kept_stub(record, digest).await?;
    Ok(bytes.map(|bytes| Certificate::from_bytes(&bytes)).transpose()?)
}

/// What is left of a record that was ordered to end.
pub async fn stub(archive: &Archive, record: RecordId) -> Result<Option<Stub>, DispositionError> {
    match archive.catalog.ended(record).await? {
        Some(ended) => stub_of(archive, &ended).await,
        None => Ok(None),
    }
}

/// Confirms that a deposit was a mistake, and orders it out: the second person's act.
///
/// If we stop here, it is ordered or it is not; an order is carried out by [`resume`].
pub async fn withdraw(archive: &Archive, who: &Who, asked: &withdrawal::Asked) -> Result<Done, DispositionError> {
    let record = asked.record;
    if archive.catalog.ended(record).await?.is_some() {
        return Err(Refusal::AlreadyOrdered.into());
    }
    let known = archive.catalog.record(record).await?.ok_or(Refusal::NotKnown)?;
    let holds: Vec<_> = archive.catalog.holds_on(record.into()).await?.iter().map(|one| one.hold).collect();
    withdrawal::confirm(asked, known.at, &holds, who, &archive.config.disposition, due::now(archive))?;
    let (mistake, reason) = (asked.mistake, asked.reason.trim().to_owned());
    let basis = Basis::Withdrawal { mistake, reason, asked_by: asked.by, confirmed_by: who.actor };
    let entry = archive.order_withdrawal(who.actor, record, asked.by, basis).await?;
    Ok(Done { unit: record.into(), entry })
}

impl Resumed {
    fn wait(&mut self, of: Waits, why: Why) {
        self.pending.push(Pending { of, why });
    }

    fn pends(&mut self, of: Waits, done: Result<(), DispositionError>) {
        match done {
            Ok(()) => {}
            Err(DispositionError::Refused(refusal)) => self.wait(of, Why::Refused(refusal)),
            Err(error) => self.wait(of, Why::Failed(error)),
        }
    }
}

/// The records of a unit that are here and go with it. What also lies in another file that stays is passed over.
async fn going(archive: &Archive, unit: Unit) -> Result<Vec<RecordId>, DispositionError> {
    let file = match unit {
        Unit::Record(record) => return Ok(archive.catalog.record(record).await?.map(|_| record).into_iter().collect()),
        Unit::File(file) => file,
    };
    let mut going = Vec::new();
    for record in archive.catalog.members(file).await? {
        if !lives_elsewhere(archive, record, file).await? {
            going.push(record);
        }
    }
    Ok(going)
}

/// Does another file need a record, which is not to be destroyed itself (Luật Lưu trữ 33/2024/QH15 art. 16)?
async fn lives_elsewhere(archive: &Archive, record: RecordId, file: FileId) -> Result<bool, DispositionError> {
    for other in archive.catalog.sharing(record).await? {
        if other != file && !is_going(archive, other).await? {
            return Ok(true);
        }
    }
    Ok(false)
}

fn with_basis(case: &Case, unit: Unit, records: Vec<RecordId>) -> Result<Vec<(RecordId, Basis)>, Refusal> {
    let listed = case.find(unit).ok_or(Refusal::NotListed)?;
    let decision = case.decision.as_ref().ok_or(Refusal::NotDecided)?;
    let basis = Basis::Disposition {
        case: case.case,
        unit,
        ground: listed.ground.clone(),
        decision: decision.paper.clone(),
        decided_by: decision.by,
    };
    Ok(records.into_iter().map(|record| (record, basis.clone())).collect())
}

/// Has the case say that a unit is ordered.
///
/// If we stop here, the orders stand and the case says it later.
async fn say_ordered(archive: &Archive, who: &Who, id: CaseId, unit: Unit) -> Result<Done, DispositionError> {
    let act = Act::Order { unit };
    let (case, replaces) = cases::case(archive, id).await?.ok_or(Refusal::NotKnown)?;
    let facts = Facts { rules: &archive.config.disposition, units: BTreeMap::from([(unit, was_judged())]) };
    let next = after(&case, &act, who, &facts, due::now(archive))?;
    follow(archive, who, (next, replaces), &act).await
}

/// What is known of a unit whose order is in the ledger: it was judged there, by what held then.
fn was_judged() -> UnitFacts {
    UnitFacts {
        lies: Lies::File,
        holds: Vec::new(),
        due: Some(0),
        schedule_approved: true,
        changed: false,
        listed_elsewhere: false,
        gone: false,
        kept_stays: true,
    }
}

/// The decided cases in which something was ordered that has no certificate in the case.
async fn unfinished(archive: &Archive, resumed: &mut Resumed) -> Result<Vec<Unfinished>, DispositionError> {
    let mut open = BTreeMap::new();
    for known in archive.catalog.cases().await? {
        if known.stage != Stage::Decided {
            continue;
        }
        let case = match cases::case(archive, known.case).await {
            Ok(Some((case, _))) => case,
            Ok(None) => continue,
            // The others go on.
            Err(error) => {
                resumed.pends(Waits::Case(known.case), Err(error));
                continue;
            }
        };
        let told: BTreeSet<Digest> = case.listed.iter().flat_map(|listed| listed.certificates.clone()).collect();
        open.insert(known.case, (Unfinished { case, ordered: BTreeMap::new(), whole: true }, told));
    }
    let mut from = 0;
    while !open.is_empty() {
        let page = archive.catalog.ends(from, PAGE).await?;
        let Some(last) = page.last() else { break };
        from = last.seq + 1;
        for ended in page {
            let Some((of, told)) = ended.case.and_then(|case| open.get_mut(&case)) else { continue };
            if ended.certificate.is_some_and(|certificate| told.contains(&certificate)) {
                continue;
            }
            match unit_by_which(archive, &of.case, &ended).await {
                Ok(unit) => of.ordered.entry(unit).or_default().push(ended),
                Err(error) => {
                    of.whole = false;
                    resumed.pends(Waits::Order(ended.record), Err(error));
                }
            }
        }
    }
    Ok(open.into_values().map(|(of, _)| of).filter(|of| !of.ordered.is_empty()).collect())
}

/// The unit by which a record went: itself where it is listed, else as its stub says.
async fn unit_by_which(archive: &Archive, case: &Case, ended: &Ended) -> Result<Unit, DispositionError> {
    let itself = Unit::Record(ended.record);
    if case.find(itself).is_some() {
        return Ok(itself);
    }
    match stub_of(archive, ended).await?.map(|stub| stub.basis) {
        Some(Basis::Disposition { unit, .. }) => Ok(unit),
        _ => Err(gone(ended).into()),
    }
}

/// Orders what a stop left unordered, in the name of who gave the first order; a hold that came meanwhile keeps it here.
async fn finish_order(archive: &Archive, case: &Case, unit: Unit, ends: &[Ended]) -> Result<(), DispositionError> {
    let Some(first) = ends.first() else { return Ok(()) };
    if case.find(unit).is_none_or(|listed| listed.ordered.is_some()) {
        return Ok(());
    }
    let who = in_the_name_of(ordered_by(archive, first.seq).await?);
    let rest = going(archive, unit).await?;
    if !rest.is_empty() {
        if !archive.catalog.holds_on(unit_of(unit)).await?.is_empty() {
            return Err(Refusal::OnHold.into());
        }
        archive.order_destruction(who.actor, case.case, &with_basis(case, unit, rest)?).await?;
    }
    say_ordered(archive, &who, case.case, unit).await?;
    Ok(())
}

/// Carries an order out, with what its certificate tells.
async fn carry_out(archive: &Archive, ended: &Ended) -> Result<Destroyed, DispositionError> {
    let stub = stub_of(archive, ended).await?.ok_or_else(|| gone(ended))?;
    let case = match &stub.basis {
        Basis::Disposition { case, .. } => cases::case(archive, *case).await?.map(|(case, _)| case),
        Basis::Withdrawal { .. } | Basis::Expulsion { .. } => None,
    };
    Ok(archive.destroy(ended, papers(case.as_deref(), stub.basis)).await?)
}

/// The papers of a certificate, from the case as it stands.
fn papers(case: Option<&Case>, basis: Basis) -> Papers {
    let listed = match &basis {
        Basis::Disposition { unit, .. } => case.and_then(|case| case.find(*unit)),
        _ => None,
    };
    let review = case.zip(listed).and_then(|(case, listed)| {
        let (council, minutes) = (case.council.clone()?, case.minutes.clone()?);
        let proposal = listed.proposal.as_ref()?;
        Some(Review { council, minutes, reason: proposal.reason.clone(), votes: proposal.votes })
    });
    let (appraisal, decision) = (case.and_then(|case| case.appraisal.clone()), case.and_then(|c| c.decision.clone()));
    Papers { review, appraisal, decision, basis }
}

/// Tells a case of the certificates of a unit, once all of its records have one; answers whether it did.
async fn tell(archive: &Archive, case: &Case, unit: Unit, ends: &[Ended]) -> Result<bool, DispositionError> {
    let ordered = case.find(unit).is_some_and(|listed| listed.ordered.is_some());
    let certificates: Option<Vec<Digest>> = ends.iter().map(|ended| ended.certificate).collect();
    let (Some(certificates), Some(first), true) = (certificates, ends.first(), ordered) else { return Ok(false) };
    let who = in_the_name_of(ordered_by(archive, first.seq).await?);
    let act = Act::Destroyed { unit, certificates };
    // Another unit of the same case may have been told of just now.
    let (case, replaces) = cases::case(archive, case.case).await?.ok_or(Refusal::NotKnown)?;
    let facts = Facts { rules: &archive.config.disposition, units: BTreeMap::new() };
    let next = after(&case, &act, &who, &facts, due::now(archive))?;
    follow(archive, &who, (next, replaces), &act).await?;
    Ok(true)
}

/// What the program does for who gave an order: it is theirs, and they may have another role by now.
fn in_the_name_of(actor: ActorId) -> Who {
    Who { actor, role: Role::Archivist, authenticated: None }
}

async fn ordered_by(archive: &Archive, seq: u64) -> Result<ActorId, DispositionError> {
    let bytes = archive.ledger.entry(seq).await.map_err(ArchiveError::from)?;
    let entry = Entry::from_bytes(&bytes).map_err(|fault| ArchiveError::Damaged(fault.to_string()))?;
    Ok(entry.by)
}

async fn stub_of(archive: &Archive, ended: &Ended) -> Result<Option<Stub>, DispositionError> {
    let bytes = archive.kept_stub(ended.record, ended.stub).await?;
    Ok(bytes.map(|bytes| Stub::from_bytes(&bytes)).transpose()?)
}

/// A stub is never destroyed: where it is gone, something is wrong.
fn gone(ended: &Ended) -> ArchiveError {
    ArchiveError::Damaged(format!("the stub that entry {} names", ended.seq))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::{
        disposition::{
            case::{Council, Decision, Ground, Listed, Outcome, Paper, Proposal, Votes},
            rules::Rules,
            withdrawal::Mistake,
        },
        document::Salt,
        entry::Instant,
        id::ScheduleId,
    };

    fn actor(n: u8) -> ActorId {
        ActorId::new(0, [n; 10])
    }

    fn unit() -> Unit {
        Unit::File(FileId::new(0, [1; 10]))
    }

    fn decided() -> Case {
        let (due, schedule) = ("2026-01-01".parse().unwrap(), ScheduleId::new(0, [3; 10]));
        let paper = || Paper { number: Some("50/QĐ-SNV".into()), day: "2026-11-20".parse().unwrap(), record: None };
        let votes = Votes { agree: 3, against: 0, abstained: 0 };
        let listed = Listed {
            unit: unit(),
            ground: Ground::Expired { due, schedule, version: Digest::of(b"v"), class: "12".into() },
            opinions: vec![],
            proposal: Some(Proposal { outcome: Outcome::Destroy, reason: "Hết giá trị".into(), votes }),
            decided: Some(Outcome::Destroy),
            ordered: None,
            certificates: vec![],
        };
        let at: Instant = "2026-11-23T03:00:00.000000Z".parse().unwrap();
        Case {
            stage: Stage::Decided,
            listed: vec![listed],
            council: Some(Council { paper: paper(), chair: actor(1), members: vec![actor(2), actor(3)] }),
            minutes: Some(paper()),
            decision: Some(Decision { paper: paper(), by: actor(9), at, authenticated: at }),
            handover: Some(paper()),
            ..Case::new(CaseId::new(0, [4; 10]), "Sở Nội vụ", false, Salt::new([1; 32]))
        }
    }

    /// After the order nothing is asked again: its files may hold nothing any more, and have no due date left.
    #[test]
    fn a_case_is_told_what_the_ledger_judged() {
        let (rules, who) = (Rules::default(), in_the_name_of(actor(5)));
        let facts = Facts { rules: &rules, units: BTreeMap::from([(unit(), was_judged())]) };
        let at = "2026-11-27T03:00:00.000000Z".parse().unwrap();
        let ordered = after(&decided(), &Act::Order { unit: unit() }, &who, &facts, at).unwrap();
        assert_eq!(ordered.find(unit()).unwrap().ordered, Some(at));
        let destroyed = Act::Destroyed { unit: unit(), certificates: vec![Digest::of(b"c")] };
        let told = after(&ordered, &destroyed, &who, &facts, at).unwrap();
        assert!(!told.find(unit()).unwrap().is_unfinished());
    }

    #[test]
    fn a_basis_names_case_unit_ground_and_decision() {
        let record = RecordId::new(0, [7; 10]);
        let ordered = with_basis(&decided(), unit(), vec![record]).unwrap();
        let [(of, Basis::Disposition { case, unit: by, decided_by, decision, .. })] = &ordered[..] else {
            panic!("{ordered:?}")
        };
        assert_eq!((*of, *case, *by, *decided_by), (record, decided().case, unit(), actor(9)));
        assert_eq!(decision.number.as_deref(), Some("50/QĐ-SNV"));
        let other = Unit::Record(record);
        assert_eq!(with_basis(&decided(), other, vec![record]), Err(Refusal::NotListed));
        let open = Case { decision: None, ..decided() };
        assert_eq!(with_basis(&open, unit(), vec![record]), Err(Refusal::NotDecided));
    }

    #[test]
    fn a_certificate_is_told_by_the_papers_of_the_case() {
        let case = decided();
        let basis = with_basis(&case, unit(), vec![RecordId::new(0, [7; 10])]).unwrap().remove(0).1;
        let told = papers(Some(&case), basis);
        let review = told.review.unwrap();
        assert_eq!((review.reason.as_str(), review.votes.agree, review.council.chair), ("Hết giá trị", 3, actor(1)));
        assert_eq!((told.decision, told.appraisal), (case.decision.clone(), None));
        let (asked_by, confirmed_by) = (actor(1), actor(2));
        let basis = Basis::Withdrawal { mistake: Mistake::Twice, reason: "Hai lần".into(), asked_by, confirmed_by };
        let told = papers(None, basis);
        assert!(told.review.is_none() && told.decision.is_none(), "no case reviews a wrong deposit");
    }
}
