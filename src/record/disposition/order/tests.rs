//! Every interleaving of what people and machines may do to a case, judged by a second reading of the rules that shares
//! nothing with the first: it scans the facts from the beginning, each time.

use crate::record::{
    digest::Digest,
    disposition::{
        act::Lies,
        case::Unit,
        order::{End, Fact, Record, Standing, Why},
        refusal::Refusal,
        rules::Rules,
    },
    entry::Instant,
    hold::On,
    id::{ActorId, CaseId, FileId, HoldId, RecordId, ScheduleId},
};
use std::collections::BTreeSet;

const DEPTH: usize = 7;

fn actor(n: u8) -> ActorId {
    ActorId::new(0, [n; 10])
}
const CHAIR: u8 = 1;
const MEMBER: u8 = 2;
const HEAD: u8 = 3;
const CLERK: u8 = 4;
const COURT: u8 = 5;

fn record(n: u8) -> RecordId {
    RecordId::new(0, [n; 10])
}
fn file(n: u8) -> FileId {
    FileId::new(0, [n; 10])
}
fn case(n: u8) -> CaseId {
    CaseId::new(0, [n; 10])
}
fn version(n: u8) -> Digest {
    Digest::of(&[n])
}
fn expired(due: u32) -> Why {
    Why::Expired { due, schedule: ScheduleId::new(0, [1; 10]), version: version(1) }
}
fn approved(n: u8) -> (Fact, u8) {
    (Fact::ScheduleApproved { schedule: ScheduleId::new(0, [1; 10]), version: version(n) }, HEAD)
}
fn hold(n: u8, on: On) -> (Fact, u8) {
    (Fact::HoldPlaced { hold: HoldId::new(0, [n; 10]), on, asked_by: actor(COURT) }, CLERK)
}
fn release(n: u8, by: u8) -> (Fact, u8) {
    (Fact::HoldReleased { hold: HoldId::new(0, [n; 10]) }, by)
}
fn order(n: u8, of: Option<u8>) -> (Fact, u8) {
    (Fact::DestructionOrdered { record: record(n), case: of.map(case) }, CLERK)
}
fn destroyed(n: u8) -> (Fact, u8) {
    (Fact::Destroyed { record: record(n) }, CLERK)
}
fn changed(unit: Unit) -> (Fact, u8) {
    (Fact::Changed { unit }, CLERK)
}
fn decide(of: u8, unit: Unit, by: u8) -> (Fact, u8) {
    (Fact::Decided { case: case(of), unit, destroy: true }, by)
}

/// A case that is open with a council over one unit.
fn opened(of: u8, unit: Unit, why: Why) -> Vec<(Fact, u8)> {
    vec![
        (Fact::CaseOpened { case: case(of), needs_appraisal: false }, CLERK),
        (Fact::Listed { case: case(of), unit, why }, CLERK),
        (Fact::CouncilSet { case: case(of), people: vec![actor(CHAIR), actor(MEMBER)] }, HEAD),
    ]
}

fn reviewed(of: u8, unit: Unit) -> Vec<(Fact, u8)> {
    vec![
        (Fact::Reviewed { case: case(of) }, MEMBER),
        (Fact::Proposed { case: case(of), unit, destroy: true }, CHAIR),
        decide(of, unit, HEAD),
    ]
}

type Told = (Fact, ActorId, Instant);

/// What somebody may do next.
#[derive(Clone, Debug)]
enum Step {
    Commit(Fact, u8),
    /// Takes the bytes of a record away, if the program thinks that it may.
    Empty(u8),
    /// The process ends and begins again: it knows what the ledger says and no more, and resumes.
    Restart,
    Year,
}

/// A rule: by what the facts so far come to, and by the facts themselves, which a wrong rule may read wrongly.
type Admit = dyn Fn(&Standing, &[Told], &Fact, ActorId, Instant) -> Result<(), Refusal>;

/// The program under test: the rules, and what it may empty and resumes.
struct Program {
    admit: Box<Admit>,
    empty: fn(&Standing, RecordId) -> bool,
    resume: fn(&Standing) -> Vec<RecordId>,
}

fn fold(told: &[Told]) -> Standing {
    let mut standing = Standing::default();
    told.iter().for_each(|(fact, by, at)| standing.apply(fact, *by, *at));
    standing
}

fn right(standing: &Standing, _: &[Told], fact: &Fact, by: ActorId, at: Instant) -> Result<(), Refusal> {
    standing.admit(fact, by, at, &Rules::default())
}

fn over(told: &[Told], fact: &Fact, by: ActorId, at: Instant) -> Result<(), Refusal> {
    right(&fold(told), told, fact, by, at)
}

fn program() -> Program {
    Program { admit: Box::new(right), empty: |standing, record| pending(standing).contains(&record), resume: pending }
}

/// Orders that have had no end yet: what a restart resumes, each once.
fn pending(standing: &Standing) -> Vec<RecordId> {
    let open = |one: &Record| matches!(one.end, End::Ordered | End::ExpulsionOrdered);
    standing.records.iter().filter(|(_, one)| open(one)).map(|(id, _)| *id).collect()
}

/// The second reading. What is in the facts before `fact` decides; nothing is remembered.
fn rightly(told: &[Told], fact: &Fact, by: ActorId, at: Instant) -> bool {
    let ended = |record: RecordId| told.iter().any(|(fact, ..)| ends(fact) == Some(record));
    match fact {
        Fact::HoldPlaced { on, .. } => {
            let known = told.iter().filter_map(|(fact, ..)| match fact {
                Fact::Accessioned { record } => Some(*record),
                _ => None,
            });
            let inside: Vec<_> = known.filter(|one| *on == On::Record(*one) || is_in(told, *one, *on)).collect();
            inside.is_empty() || inside.into_iter().any(|one| !ended(one))
        }
        Fact::HoldReleased { hold } => {
            let asked = told.iter().any(
                |(fact, ..)| matches!(fact, Fact::HoldPlaced { hold: h, asked_by, .. } if h == hold && *asked_by != by),
            );
            asked && !told.iter().any(|(fact, ..)| fact == &Fact::HoldReleased { hold: *hold })
        }
        Fact::Destroyed { record } => {
            let ordered = |fact: &Fact| matches!(fact, Fact::DestructionOrdered { record: r, .. } if r == record);
            told.iter().any(|(fact, ..)| ordered(fact)) && !told.iter().any(|(one, ..)| one == fact)
        }
        Fact::Changed { unit: Unit::Record(record) } => !ended(*record),
        Fact::Withdrawn { record, asked_by } => {
            let came = told.iter().find(|(fact, ..)| fact == &Fact::Accessioned { record: *record });
            let in_time = came.is_some_and(|(.., then)| at.micros() - then.micros() <= 30 * 86_400_000_000);
            in_time && *asked_by != by && !ended(*record) && !is_held(told, *record)
        }
        Fact::DestructionOrdered { record, case: None } => {
            let withdrawn = |fact: &Fact| matches!(fact, Fact::Withdrawn { record: r, .. } if r == record);
            told.iter().any(|(fact, ..)| withdrawn(fact)) && !ended(*record) && !is_held(told, *record)
        }
        Fact::DestructionOrdered { record, case: Some(of) } => {
            !ended(*record) && !is_held(told, *record) && is_lost(told, *record, *of, at)
        }
        Fact::Decided { case: of, .. } => !took_part(told, *of).contains(&by),
        _ => true,
    }
}

fn ends(fact: &Fact) -> Option<RecordId> {
    match fact {
        Fact::DestructionOrdered { record, .. }
        | Fact::Destroyed { record }
        | Fact::ExpulsionOrdered { record, .. }
        | Fact::Expelled { record }
        | Fact::Transferred { record } => Some(*record),
        _ => None,
    }
}

fn is_in(told: &[Told], one: RecordId, place: On) -> bool {
    let last = told.iter().rev().find_map(|(fact, ..)| match fact {
        Fact::Filed { record, place: p } if *record == one && *p == place => Some(true),
        Fact::Unfiled { record, place: p } if *record == one && *p == place => Some(false),
        _ => None,
    });
    last == Some(true)
}

/// Was a hold placed on it, or on where it then or later lay, and is not released?
fn is_held(told: &[Told], one: RecordId) -> bool {
    told.iter().enumerate().any(|(n, (fact, ..))| {
        let Fact::HoldPlaced { hold, on, .. } = fact else { return false };
        let lay = (n..=told.len()).any(|until| is_in(&told[..until], one, *on));
        let released = told[n..].iter().any(|(fact, ..)| fact == &Fact::HoldReleased { hold: *hold });
        !released && (*on == On::Record(one) || lay)
    })
}

fn took_part(told: &[Told], of: CaseId) -> Vec<ActorId> {
    let of_council = |(fact, by, _): &Told| match fact {
        Fact::CouncilSet { case, people } if *case == of => people.clone(),
        Fact::Reviewed { case } | Fact::Proposed { case, .. } if *case == of => vec![*by],
        Fact::Listed { case, why: Why::Duplicate { found_by, .. }, .. } if *case == of => vec![*found_by],
        _ => vec![],
    };
    told.iter().flat_map(of_council).collect()
}

/// Was it decided to be destroyed, by the last that was said of it?
fn is_decided(told: &[Told], unit: Unit) -> bool {
    let last = told.iter().rev().find_map(|(fact, ..)| match fact {
        Fact::Decided { unit: u, destroy, .. } if *u == unit => Some(*destroy),
        Fact::Listed { unit: u, .. } | Fact::Proposed { unit: u, .. } if *u == unit => Some(false),
        _ => None,
    });
    last == Some(true)
}

/// Listed, reviewed, proposed and decided in that order, by somebody else, unchanged since, and with a ground that holds.
fn is_lost(told: &[Told], one: RecordId, of: CaseId, at: Instant) -> bool {
    let files = [1, 2].map(file).into_iter().filter(|f| is_in(told, one, On::File(*f))).map(Unit::File);
    let units: Vec<Unit> = std::iter::once(Unit::Record(one)).chain(files.clone()).collect();
    let listed = told.iter().enumerate().rev().find_map(|(n, (fact, ..))| match fact {
        Fact::Listed { case, unit, why } if *case == of && units.contains(unit) => Some((n, *unit, *why)),
        _ => None,
    });
    let Some((from, unit, why)) = listed else { return false };
    let mut said = 0;
    for (fact, by, _) in &told[from..] {
        said = match fact {
            Fact::Listed { case, .. } | Fact::CouncilSet { case, .. } if *case == of => 1,
            Fact::Reviewed { case } if *case == of && said == 1 => 2,
            Fact::Proposed { case, unit: u, destroy: true } if *case == of && *u == unit && said > 1 => 3,
            Fact::Decided { case, unit: u, destroy: true } if *case == of && *u == unit && said == 3 => {
                if took_part(told, of).contains(by) { 3 } else { 4 }
            }
            Fact::Changed { unit: u } if *u == unit || *u == Unit::Record(one) => return false,
            Fact::Filed { place, .. } | Fact::Unfiled { place, .. } => match (place, unit) {
                (On::File(f), Unit::File(mine)) if *f == mine => return false,
                _ => said,
            },
            _ => said,
        };
    }
    // Another file that needs it keeps it.
    if matches!(unit, Unit::File(_)) && files.clone().any(|f| f != unit && !is_decided(told, f)) {
        return false;
    }
    // A hold on anything that is left of a file is one on the file.
    let left = (1..=4).map(record).filter(|other| !told.iter().any(|(fact, ..)| ends(fact) == Some(*other)));
    let mut left = left.filter(|other| matches!(unit, Unit::File(f) if is_in(told, *other, On::File(f))));
    said == 4 && !left.any(|other| is_held(told, other)) && has_ground(told, one, why, at)
}

fn has_ground(told: &[Told], one: RecordId, why: Why, at: Instant) -> bool {
    let newest = told.iter().rev().find_map(|(fact, ..)| match fact {
        Fact::ScheduleApproved { version, .. } => Some(*version),
        _ => None,
    });
    match why {
        Why::Expired { due, version, .. } => {
            let today: u32 = at.day().replace('-', "").parse().unwrap();
            newest == Some(version) && due <= today
        }
        Why::Duplicate { kept, .. } => {
            let listed = |fact: &Fact| matches!(fact, Fact::Listed { unit, .. } if *unit == Unit::Record(kept));
            let gone = |fact: &Fact| ends(fact) == Some(kept);
            let files = [1, 2].map(file).into_iter().filter(|f| is_in(told, kept, On::File(*f)));
            let going = files.map(Unit::File).any(|f| is_decided(told, f));
            kept != one && !going && !told.iter().any(|(fact, ..)| listed(fact) || gone(fact))
        }
    }
}

/// Where one is in the tree of interleavings.
#[derive(Clone)]
struct World {
    standing: Standing,
    told: Vec<Told>,
    now: Instant,
    /// Whose bytes are gone.
    empty: BTreeSet<RecordId>,
    done: u32,
    /// The steps that led here, by their places in the list.
    path: Vec<usize>,
}

fn begin(prefix: &[(Fact, u8)]) -> World {
    let now: Instant = "2026-11-23T03:00:00.000000Z".parse().unwrap();
    let told: Vec<Told> = prefix.iter().map(|(fact, by)| (fact.clone(), actor(*by), now)).collect();
    World { standing: fold(&told), told, now, empty: BTreeSet::new(), done: 0, path: Vec::new() }
}

impl World {
    fn commit(&mut self, fact: Fact, by: ActorId) {
        self.standing.apply(&fact, by, self.now);
        self.told.push((fact, by, self.now));
    }

    fn wrong(&self, why: impl Into<String>) -> Wrong {
        Wrong { why: why.into(), path: self.path.clone() }
    }

    fn count(&self, is: impl Fn(&Fact) -> bool) -> usize {
        self.told.iter().filter(|(fact, ..)| is(fact)).count()
    }

    fn orders(&self, one: RecordId) -> usize {
        self.count(|fact| matches!(fact, Fact::DestructionOrdered { record, .. } if *record == one))
    }
}

/// What went wrong, and on which way.
#[derive(Debug)]
struct Wrong {
    why: String,
    path: Vec<usize>,
}

/// What remains to be done is done, as a process that begins does it: then every order has had its end, once, and the bytes
/// of nothing else are gone.
fn ends_well(program: &Program, world: &World) -> Result<(), Wrong> {
    if let Some(one) = world.empty.iter().find(|one| world.orders(**one) == 0) {
        return Err(world.wrong(format!("{one} is empty without an order")));
    }
    let mut world = world.clone();
    for one in (program.resume)(&world.standing) {
        world.empty.insert(one);
        let fact = Fact::Destroyed { record: one };
        if !rightly(&world.told, &fact, actor(CLERK), world.now) {
            return Err(world.wrong(format!("{one} is resumed without cause")));
        }
        world.commit(fact, actor(CLERK));
    }
    for one in (1..=4).map(record) {
        let (orders, ends) = (world.orders(one), world.count(|fact| fact == &Fact::Destroyed { record: one }));
        let empty = world.empty.contains(&one);
        if orders != ends || orders > 1 || empty != (orders == 1) {
            return Err(world.wrong(format!("{orders} orders, {ends} ends, empty {empty}")));
        }
    }
    Ok(())
}

/// The world after a step; nothing where the program does not take it.
fn step(program: &Program, world: &World, step: &Step) -> Result<Option<World>, Wrong> {
    let mut next = world.clone();
    match step {
        Step::Commit(fact, by) => {
            let (by, at) = (actor(*by), world.now);
            let admitted = (program.admit)(&world.standing, &world.told, fact, by, at);
            let may = rightly(&world.told, fact, by, at);
            // Of what destroys and what stops it, nothing is refused that may be.
            let exact = matches!(
                fact,
                Fact::DestructionOrdered { .. }
                    | Fact::HoldPlaced { .. }
                    | Fact::HoldReleased { .. }
                    | Fact::Destroyed { .. }
            );
            match admitted {
                Ok(()) if !may => return Err(world.wrong(format!("admitted: {fact:?}"))),
                Err(refusal) if may && exact => return Err(world.wrong(format!("refused as {refusal:?}: {fact:?}"))),
                Err(_) => return Ok(None),
                Ok(()) => next.commit(fact.clone(), by),
            }
            // Who commits a certificate has emptied the place before.
            if let Fact::Destroyed { record } = fact {
                next.empty.insert(*record);
            }
        }
        Step::Empty(n) if !(program.empty)(&world.standing, record(*n)) => return Ok(None),
        Step::Empty(n) => {
            next.empty.insert(record(*n));
        }
        Step::Restart => {
            next.standing = fold(&world.told);
            if next.standing != world.standing {
                return Err(world.wrong("a process that begins knows something else"));
            }
            for one in (program.resume)(&world.standing) {
                next.empty.insert(one);
                next.commit(Fact::Destroyed { record: one }, actor(CLERK));
            }
        }
        Step::Year => next.now = Instant::from_micros(world.now.micros() + 366 * 86_400_000_000),
    }
    Ok(Some(next))
}

/// Walks all interleavings, each step at most once, and says what went wrong first. `seen` counts the worlds.
fn walk(program: &Program, world: &World, steps: &[Step], seen: &mut u64) -> Result<(), Wrong> {
    *seen += 1;
    ends_well(program, world)?;
    if world.path.len() == DEPTH {
        return Ok(());
    }
    for (n, one) in steps.iter().enumerate().filter(|(n, _)| world.done & (1 << n) == 0) {
        // A refusal changes nothing: what comes after it comes without it too.
        let Some(mut next) = step(program, world, one)? else { continue };
        next.done |= 1 << n;
        next.path.push(n);
        walk(program, &next, steps, seen)?;
    }
    Ok(())
}

fn commits(facts: Vec<(Fact, u8)>) -> Vec<Step> {
    facts.into_iter().map(|(fact, by)| Step::Commit(fact, by)).collect()
}

/// A file that is due, from the day on which its council was set up.
fn a_file() -> (World, Vec<Step>) {
    let unit = Unit::File(file(1));
    let prefix = [
        vec![
            (Fact::Accessioned { record: record(1) }, CLERK),
            (Fact::Filed { record: record(1), place: On::File(file(1)) }, CLERK),
            approved(1),
        ],
        opened(1, unit, expired(20260101)),
    ]
    .concat();
    let facts = [
        reviewed(1, unit),
        vec![
            decide(1, unit, MEMBER),
            hold(1, On::File(file(1))),
            release(1, HEAD),
            release(1, COURT),
            changed(Unit::Record(record(1))),
            changed(unit),
            order(1, Some(1)),
            order(1, Some(1)),
            destroyed(1),
        ],
    ]
    .concat();
    (begin(&prefix), [commits(facts), vec![Step::Empty(1), Step::Restart]].concat())
}

/// The same file, decided already: it is held, changes, is listed anew and goes the whole way again.
fn a_decided_file() -> (World, Vec<Step>) {
    let unit = Unit::File(file(1));
    let listed = opened(1, unit, expired(20260101));
    let prefix = [
        vec![
            (Fact::Accessioned { record: record(1) }, CLERK),
            (Fact::Filed { record: record(1), place: On::File(file(1)) }, CLERK),
            approved(1),
        ],
        listed.clone(),
        reviewed(1, unit),
    ]
    .concat();
    let facts = [
        vec![hold(1, On::Record(record(1))), release(1, HEAD), changed(Unit::Record(record(1))), listed[1].clone()],
        reviewed(1, unit),
        vec![order(1, Some(1)), destroyed(1)],
    ]
    .concat();
    (begin(&prefix), [commits(facts), vec![Step::Restart]].concat())
}

/// Two records of one file that was decided; one of them lies in another file as well.
fn two_records() -> (World, Vec<Step>) {
    let unit = Unit::File(file(1));
    let filed = |n, f| (Fact::Filed { record: record(n), place: On::File(file(f)) }, CLERK);
    let came = |n| (Fact::Accessioned { record: record(n) }, CLERK);
    let listed = opened(1, unit, expired(20260101));
    let prefix = [
        vec![came(1), came(2), came(3), filed(1, 1), filed(2, 1), filed(2, 2), approved(1)],
        listed.clone(),
        reviewed(1, unit),
    ]
    .concat();
    let facts = vec![
        order(1, Some(1)),
        order(2, Some(1)),
        (Fact::Unfiled { record: record(2), place: On::File(file(2)) }, CLERK),
        hold(1, On::Record(record(2))),
        hold(2, On::File(file(1))),
        release(2, HEAD),
        filed(3, 1),
        listed[1].clone(),
        destroyed(1),
    ];
    (begin(&prefix), [commits(facts), vec![Step::Restart]].concat())
}

/// Two loose records, each said to be a duplicate of the other.
fn duplicates() -> (World, Vec<Step>) {
    let why = |kept| Why::Duplicate { kept: record(kept), found_by: actor(CLERK) };
    let (one, two) = (Unit::Record(record(1)), Unit::Record(record(2)));
    let prefix = [
        vec![(Fact::Accessioned { record: record(1) }, CLERK), (Fact::Accessioned { record: record(2) }, CLERK)],
        opened(1, one, why(2)),
        reviewed(1, one),
        vec![(Fact::CaseOpened { case: case(2), needs_appraisal: false }, CLERK)],
    ]
    .concat();
    let facts = [
        vec![(Fact::Listed { case: case(2), unit: two, why: why(1) }, CLERK)],
        vec![(Fact::CouncilSet { case: case(2), people: vec![actor(CHAIR), actor(MEMBER)] }, HEAD)],
        reviewed(2, two),
        vec![decide(2, two, CLERK), order(1, Some(1)), order(2, Some(2)), destroyed(1), hold(1, On::Record(record(1)))],
    ]
    .concat();
    (begin(&prefix), commits(facts))
}

/// A loose record that is due in a year, by a version of the schedule that nobody has approved yet.
fn not_due() -> (World, Vec<Step>) {
    let unit = Unit::Record(record(1));
    let prefix =
        [vec![(Fact::Accessioned { record: record(1) }, CLERK)], opened(1, unit, expired(20270601)), reviewed(1, unit)]
            .concat();
    let facts = vec![
        approved(1),
        approved(2),
        order(1, Some(1)),
        order(1, Some(1)),
        destroyed(1),
        destroyed(1),
        hold(1, On::Record(record(1))),
        release(1, HEAD),
        changed(unit),
    ];
    (begin(&prefix), [commits(facts), vec![Step::Year, Step::Empty(1)]].concat())
}

/// A wrong deposit.
fn withdrawn() -> (World, Vec<Step>) {
    let withdrawn = |by| (Fact::Withdrawn { record: record(1), asked_by: actor(CLERK) }, by);
    let facts = vec![
        withdrawn(CLERK),
        withdrawn(HEAD),
        order(1, None),
        order(1, Some(1)),
        hold(1, On::Record(record(1))),
        release(1, HEAD),
        destroyed(1),
        changed(Unit::Record(record(1))),
    ];
    let prefix = [(Fact::Accessioned { record: record(1) }, CLERK)];
    (begin(&prefix), [commits(facts), vec![Step::Year, Step::Empty(1), Step::Restart]].concat())
}

/// All worlds under one program: how many were seen, or what went wrong first.
fn check(program: &Program) -> Result<u64, String> {
    let mut seen = 0;
    for (world, steps) in [duplicates(), withdrawn(), two_records(), not_due(), a_decided_file(), a_file()] {
        let told = |wrong: Wrong| {
            let path: Vec<String> = wrong.path.iter().map(|n| format!("{:?}", steps[*n])).collect();
            format!("{}\nafter\n{}", wrong.why, path.join("\n"))
        };
        walk(program, &world, &steps, &mut seen).map_err(told)?;
    }
    Ok(seen)
}

/// The issue, bar 3: in every interleaving a hold before the order stops it, one after it is too late, and an order is
/// resumed exactly once. Bar 5: nothing is destroyed that is neither due nor a duplicate, on hold, or decided by a reviewer.
#[test]
fn every_interleaving_ends_well() {
    let seen = check(&program()).unwrap_or_else(|why| panic!("{why}"));
    assert!(seen > 50_000, "{seen} worlds");
}

/// A rule that forgives one refusal is caught: the checker can turn red for every rule that guards destruction.
#[test]
fn every_forgiven_refusal_is_caught() {
    for forgiven in [
        Refusal::OnHold,
        Refusal::TooLate,
        Refusal::NotDecided,
        Refusal::Reviewer,
        Refusal::NotDue,
        Refusal::NoSchedule,
        Refusal::ChangedSince,
        Refusal::KeptIsGoing,
        Refusal::LivesElsewhere,
        Refusal::AlreadyOrdered,
        Refusal::AlreadyGone,
        Refusal::NotOrdered,
        Refusal::NotListed,
        Refusal::SamePerson,
        Refusal::WithdrawalTooLate,
    ] {
        let admit: Box<Admit> =
            Box::new(move |standing, told, fact, by, at| match right(standing, told, fact, by, at) {
                Err(refusal) if refusal == forgiven => Ok(()),
                answer => answer,
            });
        let wrong = Program { admit, ..program() };
        assert!(check(&wrong).is_err(), "nobody sees that {forgiven:?} is forgiven");
    }
}

/// And other programs that are wrong in other ways.
#[test]
fn other_bugs_are_caught() {
    type Rule = fn(&Standing, &[Told], &Fact, ActorId, Instant) -> Result<(), Refusal>;
    let rules: [(&str, Rule); 4] = [
        ("judged by what the ledger said before the last entry", |_, told, fact, by, at| {
            over(&told[..told.len() - 1], fact, by, at)
        }),
        ("a hold is forgotten when its record is described anew", |_, told, fact, by, at| {
            let since = told.iter().rposition(|(fact, ..)| matches!(fact, Fact::Changed { .. })).unwrap_or(0);
            let kept = told.iter().enumerate();
            let kept = kept.filter(|(n, (fact, ..))| *n > since || !matches!(fact, Fact::HoldPlaced { .. }));
            over(&kept.map(|(_, one)| one.clone()).collect::<Vec<_>>(), fact, by, at)
        }),
        ("a hold that was released still stops", |_, told, fact, by, at| {
            let kept = told.iter().filter(|(one, ..)| {
                !matches!((one, fact), (Fact::HoldReleased { .. }, Fact::DestructionOrdered { .. }))
            });
            over(&kept.cloned().collect::<Vec<_>>(), fact, by, at)
        }),
        ("only who wrote the proposal is a reviewer", |standing, told, fact, by, at| match fact {
            Fact::Decided { .. } if by != actor(CHAIR) => Ok(()),
            _ => right(standing, told, fact, by, at),
        }),
    ];
    for (why, admit) in rules {
        let wrong = Program { admit: Box::new(admit), ..program() };
        assert!(check(&wrong).is_err(), "nobody sees a program in which {why}");
    }
    let eager = Program { empty: |_, _| true, ..program() };
    assert!(check(&eager).is_err(), "bytes go before the order");
    let forgetful = Program { resume: |_| Vec::new(), ..program() };
    assert!(check(&forgetful).is_err(), "an order is not resumed");
    let twice = Program {
        resume: |standing| {
            let ordered = |(id, one): (&RecordId, &Record)| (one.end != End::None).then_some(*id);
            standing.records.iter().filter_map(ordered).collect()
        },
        ..program()
    };
    assert!(check(&twice).is_err(), "an order is resumed again after its certificate");
}

/// What the case is told of its units is what the ledger says.
#[test]
fn facts_of_a_unit_follow_from_the_ledger() {
    let (world, _) = a_file();
    let unit = Unit::File(file(1));
    let mut standing = fold(&world.told);
    let why = expired(20260101);
    let facts = |standing: &Standing| standing.unit_facts(case(1), unit, &why, Some(20260101));
    let first = facts(&standing);
    let plain =
        (first.lies, first.holds.len(), first.schedule_approved, first.changed, first.gone, first.listed_elsewhere);
    assert_eq!(plain, (Lies::File, 0, true, false, false, false));
    let mut told = |(fact, by): (Fact, u8)| {
        standing.apply(&fact, actor(by), world.now);
        facts(&standing)
    };
    assert_eq!(told(hold(1, On::Record(record(1)))).holds, [HoldId::new(0, [1; 10])]);
    assert!(told(changed(Unit::Record(record(1)))).changed);
    assert!(!told(approved(2)).schedule_approved);
    let of = |n| {
        standing.unit_facts(
            case(2),
            Unit::Record(record(n)),
            &Why::Duplicate { kept: record(1), found_by: actor(1) },
            None,
        )
    };
    assert_eq!((of(1).lies, of(1).gone), (Lies::InFile, false));
}

/// State secrets and transfers: two people and no hold for the one, no hold for the other; and from any order on nothing
/// of the record is kept, described, moved or healed.
#[test]
fn what_else_ends_a_record() {
    let one = record(1);
    let came = (Fact::Accessioned { record: one }, CLERK);
    let expel = |by| (Fact::ExpulsionOrdered { record: one, confirmed_by: actor(CHAIR) }, by);
    let (expelled, transferred) = ((Fact::Expelled { record: one }, CLERK), (Fact::Transferred { record: one }, CLERK));
    let held = hold(1, On::Record(one));
    let moved = (Fact::Filed { record: one, place: On::File(file(1)) }, CLERK);
    let described = changed(Unit::Record(one));
    for (told, next, expected) in [
        (vec![], expel(HEAD), Err(Refusal::NotKnown)),
        (vec![came.clone()], expel(HEAD), Ok(())),
        (vec![came.clone()], expel(CHAIR), Err(Refusal::SamePerson)),
        (vec![came.clone(), held.clone()], expel(HEAD), Ok(())),
        (vec![came.clone()], expelled.clone(), Err(Refusal::NotOrdered)),
        (vec![came.clone(), expel(HEAD)], expelled.clone(), Ok(())),
        (vec![came.clone(), expel(HEAD)], destroyed(1), Err(Refusal::NotOrdered)),
        (vec![came.clone(), expel(HEAD)], described.clone(), Err(Refusal::AlreadyOrdered)),
        (vec![came.clone(), expel(HEAD)], moved.clone(), Err(Refusal::AlreadyOrdered)),
        (vec![came.clone(), expel(HEAD)], held.clone(), Err(Refusal::TooLate)),
        (vec![came.clone(), expel(HEAD)], transferred.clone(), Err(Refusal::AlreadyOrdered)),
        (vec![came.clone(), expel(HEAD), expelled.clone()], expelled, Err(Refusal::AlreadyGone)),
        (vec![came.clone()], transferred.clone(), Ok(())),
        (vec![came.clone(), held], transferred.clone(), Err(Refusal::OnHold)),
        (vec![came.clone(), transferred.clone()], described, Err(Refusal::AlreadyGone)),
        (vec![came.clone(), transferred], order(1, None), Err(Refusal::AlreadyGone)),
        // An archive that founded nothing can destroy nothing.
        (vec![came], order(1, None), Err(Refusal::NotListed)),
    ] {
        let world = begin(&told);
        let (fact, by) = next;
        let found = right(&world.standing, &world.told, &fact, actor(by), world.now);
        assert_eq!(found, expected, "{fact:?} after {told:?}");
    }
}

/// TT 06/2025 art. 16.3.b, in the ledger too: where an appraisal is needed, nothing is decided or ordered without it, and a
/// proposal that changes asks for it again.
#[test]
fn an_appraisal_is_asked_of_the_ledger() {
    let unit = Unit::Record(record(1));
    let mut begun = vec![(Fact::Accessioned { record: record(1) }, CLERK), approved(1)];
    begun.extend(opened(1, unit, expired(20260101)));
    begun[2] = (Fact::CaseOpened { case: case(1), needs_appraisal: true }, CLERK);
    let [met, proposed, decided] = reviewed(1, unit).try_into().unwrap();
    let appraised = (Fact::Appraised { case: case(1) }, CLERK);
    let kept = (Fact::Decided { case: case(1), unit, destroy: false }, HEAD);
    for (more, next, expected) in [
        (vec![met.clone()], appraised.clone(), Err(Refusal::NotProposed)),
        (vec![met.clone(), proposed.clone()], decided.clone(), Err(Refusal::NoAppraisal)),
        (vec![met.clone(), proposed.clone()], kept, Ok(())),
        (vec![met.clone(), proposed.clone(), appraised.clone()], decided.clone(), Ok(())),
        (
            vec![met.clone(), proposed.clone(), appraised.clone(), proposed.clone()],
            decided.clone(),
            Err(Refusal::NoAppraisal),
        ),
        (vec![met, proposed, appraised, decided], order(1, Some(1)), Ok(())),
    ] {
        let world = begin(&[begun.clone(), more.clone()].concat());
        let (fact, by) = next;
        let found = right(&world.standing, &world.told, &fact, actor(by), world.now);
        assert_eq!(found, expected, "{fact:?} after {more:?}");
    }
}
