//! What the ledger says of records that are to end: every entry is read again, from the first on, and what it names is
//! read and hashed. [`crate::record::disposition::order`] judges by it, at the moment of the commit.
//!
//! # Why
//! *The catalog is not asked.* It is a table that somebody can write to; commits are signed, each is checked against the
//! tree that it makes, and descriptions are named by their digests. Whether a hold lies on a record, who decided, and
//! when it is due is counted here once more from these alone. What the catalog names, the records of a file, can only be
//! too few, and too few are not destroyed.
//!
//! *Read once, then on.* A fold remembers how far it has read; at the commit it reads what others committed meanwhile.
//!
//! *A case says what it says in its description*, which an entry names: what was done to it is read from the acts that its
//! trace has more than the one before, and who did it from the entry.

use crate::archive::{
    Archive, ArchiveError, apply,
    facts::{Place, due, lies, of_act, on},
};
use crate::ledger::log::Ledger;
use crate::record::{
    described::Described,
    digest::Digest,
    disposition::{
        case::{Case, Ground, Unit as CaseUnit},
        order::{Fact, Standing},
        refusal::Refusal,
        rules::Rules,
    },
    entry::{Entry, Event, Instant},
    hold::On,
    id::{ActorId, CaseId, FileId, RecordId, ScheduleId},
    retention::{
        assign::{facts_inside, facts_of, facts_of_record},
        clock::{self, Due, Reading},
        day::Day,
        schedule::Schedule,
        trigger::Fact as Start,
    },
    secrecy::Secrecy,
    term::ClassRef,
    unit::Unit,
};
use crate::store::Store;
use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::Arc,
};
use tokio::sync::Mutex;

/// What is asked about.
#[derive(Clone, Debug, Default)]
pub struct Interest {
    pub case: Option<CaseId>,
    pub records: BTreeSet<RecordId>,
    pub files: BTreeSet<FileId>,
}

/// A fold over the ledger.
#[derive(Debug)]
pub struct Fold {
    interest: Interest,
    ledger: Arc<Ledger>,
    store: Store,
    rules: Rules,
    reading: Reading,
    read: Mutex<Read>,
}

/// What has been read so far.
#[derive(Debug, Default)]
struct Read {
    to: u64,
    /// Entries that matter, in their order.
    lines: Vec<(u64, Entry)>,
    /// Every description of every file and fonds.
    places: HashMap<Unit, Vec<Digest>>,
    told: HashMap<(Unit, Digest), Option<Described>>,
    /// Records on which a hold lies or lay, beside those that are asked about.
    held: BTreeSet<RecordId>,
}

/// How records stand, at one size of the ledger: what proposals of one batch are judged by, one after the other.
#[derive(Debug)]
pub struct Trial {
    standing: Standing,
    rules: Rules,
    /// When units of the case are due, by their descriptions and the approved schedules; what is absent is not.
    dues: BTreeMap<CaseUnit, Due>,
    files: BTreeMap<RecordId, BTreeSet<FileId>>,
    confirmed: BTreeMap<RecordId, ActorId>,
    expired: BTreeSet<CaseUnit>,
}

impl Fold {
    /// A fold that has read nothing yet.
    pub fn new(archive: &Archive, interest: Interest) -> Fold {
        let (ledger, store) = (archive.ledger.clone(), archive.store.clone());
        let (rules, reading) = (archive.config.disposition, archive.config.retention.reading);
        Fold { interest, ledger, store, rules, reading, read: Mutex::default() }
    }

    /// Reads on to the end of what is committed, and says how everything stands there.
    pub async fn trial(&self) -> Result<Trial, ArchiveError> {
        let mut read = self.read.lock().await;
        loop {
            self.read_on(&mut read).await?;
            // Records on which a hold lies may be in a file that is asked about, whatever the catalog says of it. What was
            // said of them before they were held is read from the beginning.
            let held = read.lines.iter().filter_map(|(_, entry)| match entry.event {
                Event::HoldPlaced { unit: Unit::Record(record), .. } => Some(record),
                _ => None,
            });
            let mut held: BTreeSet<RecordId> = held.collect();
            held.retain(|record| !self.interest.records.contains(record));
            if held == read.held {
                break;
            }
            *read = Read { held, ..Read::default() };
        }
        Standings { fold: self, read: &mut read }.build().await
    }

    async fn read_on(&self, read: &mut Read) -> Result<(), ArchiveError> {
        let mut replay = self.ledger.replay_from(read.to).await?;
        while let Some(commit) = replay.next().await? {
            for (seq, bytes) in (commit.base..).zip(&commit.entries) {
                let entry = Entry::from_bytes(bytes).map_err(|fault| damaged(seq, &fault.to_string()))?;
                self.take(read, seq, entry);
            }
            read.to = commit.size;
        }
        Ok(())
    }

    /// Remembers an entry that matters.
    fn take(&self, read: &mut Read, seq: u64, entry: Entry) {
        let matters = match (&entry.event, entry.event.unit()) {
            (Event::HoldPlaced { .. } | Event::HoldReleased { .. }, _) => true,
            (Event::Approved { .. }, Some(Unit::Schedule(_))) => true,
            (_, Some(Unit::Case(_))) => entry.event.names().is_some(),
            (_, Some(Unit::Record(record))) => self.interest.records.contains(&record) || read.held.contains(&record),
            (_, Some(unit @ (Unit::File(_) | Unit::Fonds(_)))) => {
                if let Some((unit, digest)) = entry.event.names() {
                    read.places.entry(unit).or_default().push(digest);
                }
                matches!(unit, Unit::File(file) if self.interest.files.contains(&file))
            }
            _ => false,
        };
        if matters {
            read.lines.push((seq, entry));
        }
    }
}

fn damaged(seq: u64, fault: &str) -> ArchiveError {
    ArchiveError::Damaged(format!("entry {seq}: {fault}"))
}

/// Makes facts of lines.
struct Standings<'a> {
    fold: &'a Fold,
    read: &'a mut Read,
}

impl Standings<'_> {
    async fn build(mut self) -> Result<Trial, ArchiveError> {
        let lines = std::mem::take(&mut self.read.lines);
        let built = self.fold_lines(&lines).await;
        self.read.lines = lines;
        built
    }

    async fn fold_lines(&mut self, lines: &[(u64, Entry)]) -> Result<Trial, ArchiveError> {
        let places = self.places(lines).await?;
        let mut newest: HashMap<CaseId, u64> = HashMap::new();
        for (seq, entry) in lines {
            if let Some(Unit::Case(case)) = entry.event.unit() {
                newest.insert(case, *seq);
            }
        }
        let (mut standing, mut stays) = (Standing::default(), BTreeMap::<RecordId, BTreeSet<On>>::new());
        let mut cases: HashMap<CaseId, Arc<Case>> = HashMap::new();
        for (seq, entry) in lines {
            let mut facts = Vec::new();
            match (&entry.event, entry.event.unit()) {
                (Event::HoldPlaced { unit, hold, asked_by }, _) => {
                    facts.extend(on(*unit).map(|on| Fact::HoldPlaced { hold: *hold, on, asked_by: *asked_by }));
                }
                (Event::HoldReleased { unit: Unit::Hold(hold), .. }, _) => {
                    facts.push(Fact::HoldReleased { hold: *hold })
                }
                (Event::Approved { unit: Unit::Schedule(schedule), description, .. }, _) => {
                    facts.push(Fact::ScheduleApproved { schedule: *schedule, version: *description });
                }
                (_, Some(Unit::Case(case))) if self.fold.interest.case == Some(case) || newest[&case] == *seq => {
                    facts = self.of_case(*seq, entry, case, &mut cases).await?;
                }
                (_, Some(Unit::File(file))) => facts.extend(self.of_file(*seq, entry, file, &standing).await?),
                (_, Some(Unit::Record(record))) => facts = self.of_record(entry, record, &places, &mut stays).await?,
                _ => {}
            }
            facts.iter().for_each(|fact| standing.apply(fact, entry.by, entry.at));
        }
        let (expired, dues) = self.dues(lines, &places, &cases).await?;
        let mut trial = Trial {
            standing,
            rules: self.fold.rules,
            dues,
            files: BTreeMap::new(),
            confirmed: BTreeMap::new(),
            expired,
        };
        for record in &self.fold.interest.records {
            let here = stays.get(record).into_iter().flatten();
            let files = here.filter_map(|on| if let On::File(file) = on { Some(*file) } else { None });
            trial.files.insert(*record, files.collect());
            if let Some(Described::Record(told)) = self.newest(lines, (*record).into()).await?
                && let Some(Secrecy::Confirmed { by, .. }) = &told.secrecy
            {
                trial.confirmed.insert(*record, *by);
            }
        }
        Ok(trial)
    }

    /// A description that an entry names, hashed as it is read. That it cannot be read is an error where nothing has
    /// ended: what is not known must not make anything destroyable.
    async fn told(&mut self, unit: Unit, digest: Digest) -> Result<Option<Described>, ArchiveError> {
        if let Some(told) = self.read.told.get(&(unit, digest)) {
            return Ok(told.clone());
        }
        let told = apply::described(&self.fold.store, unit, digest).await?;
        self.read.told.insert((unit, digest), told.clone());
        Ok(told)
    }

    async fn newest(&mut self, lines: &[(u64, Entry)], unit: Unit) -> Result<Option<Described>, ArchiveError> {
        let named = lines.iter().rev().find_map(|(_, entry)| entry.event.names().filter(|(of, _)| *of == unit));
        match named {
            Some((unit, digest)) => self.told(unit, digest).await,
            None => Ok(None),
        }
    }

    /// The files and fonds that matter: those that are asked about, and those that a hold lies on.
    async fn places(&mut self, lines: &[(u64, Entry)]) -> Result<BTreeMap<Unit, Place>, ArchiveError> {
        let held = lines.iter().filter_map(|(_, entry)| match entry.event {
            Event::HoldPlaced { unit: unit @ (Unit::File(_) | Unit::Fonds(_)), .. } => Some(unit),
            _ => None,
        });
        let asked = self.fold.interest.files.iter().map(|file| Unit::File(*file));
        let units: BTreeSet<Unit> = held.chain(asked).collect();
        let mut places = BTreeMap::new();
        for unit in units {
            let mut place = Place::default();
            for digest in self.read.places.get(&unit).cloned().unwrap_or_default() {
                match self.told(unit, digest).await? {
                    Some(Described::File(file)) => {
                        place.ever.extend(file.about.code.clone());
                        place.file = Some(file);
                    }
                    Some(Described::Fonds(fonds)) => drop(place.ever.insert(fonds.about.code.clone())),
                    _ => {
                        return Err(ArchiveError::Damaged(format!("a description of {} {unit}", unit.kind().as_str())));
                    }
                }
            }
            places.insert(unit, place);
        }
        Ok(places)
    }

    /// What an entry about a record says: where it lies, and that it changed.
    async fn of_record(
        &mut self,
        entry: &Entry,
        record: RecordId,
        places: &BTreeMap<Unit, Place>,
        stays: &mut BTreeMap<RecordId, BTreeSet<On>>,
    ) -> Result<Vec<Fact>, ArchiveError> {
        let mut facts = Vec::new();
        if matches!(entry.event, Event::Accessioned { .. }) {
            facts.push(Fact::Accessioned { record });
        }
        // Of what has ended nothing is left, and nothing hangs on where it lay.
        if let Some((unit, digest)) = entry.event.names()
            && let Some(Described::Record(told)) = self.told(unit, digest).await?
        {
            let (file, fonds) = (told.metadata.file.as_deref(), told.metadata.fonds.as_deref());
            let now = lies((file, fonds), &self.fold.interest.files, places);
            let before = stays.insert(record, now.clone()).unwrap_or_default();
            facts.extend(before.difference(&now).map(|place| Fact::Unfiled { record, place: *place }));
            facts.extend(now.difference(&before).map(|place| Fact::Filed { record, place: *place }));
            if !matches!(entry.event, Event::Accessioned { .. } | Event::Characterized { .. }) {
                facts.push(Fact::Changed { unit: CaseUnit::Record(record) });
            }
        }
        match &entry.event {
            Event::DestructionOrdered { asked_by: Some(asked_by), .. } => {
                facts.push(Fact::Withdrawn { record, asked_by: *asked_by });
                facts.push(Fact::DestructionOrdered { record, case: None });
            }
            Event::DestructionOrdered { case, .. } => facts.push(Fact::DestructionOrdered { record, case: *case }),
            Event::ExpulsionOrdered { confirmed_by, .. } => {
                facts.push(Fact::ExpulsionOrdered { record, confirmed_by: *confirmed_by });
            }
            Event::Destroyed { .. } => facts.push(Fact::Destroyed { record }),
            Event::Expelled { .. } => facts.push(Fact::Expelled { record }),
            _ => {}
        }
        Ok(facts)
    }

    /// What an entry about a file says: that it changed, and to which records of others it refers.
    async fn of_file(
        &mut self,
        seq: u64,
        entry: &Entry,
        file: FileId,
        standing: &Standing,
    ) -> Result<Vec<Fact>, ArchiveError> {
        let Some((unit, digest)) = entry.event.names() else { return Ok(Vec::new()) };
        let Some(Described::File(told)) = self.told(unit, digest).await? else {
            return Err(damaged(seq, "the description of a file cannot be read"));
        };
        let place = On::File(file);
        let mut facts = vec![Fact::Changed { unit: CaseUnit::File(file) }];
        let shared: BTreeSet<RecordId> = told.about.shared.iter().map(|shared| shared.record).collect();
        for record in &self.fold.interest.records {
            let in_it = standing.refers(*record, place);
            match shared.contains(record) {
                true if !in_it => facts.push(Fact::Filed { record: *record, place }),
                false if in_it && told.about.code.is_none() => facts.push(Fact::Unfiled { record: *record, place }),
                _ => {}
            }
        }
        Ok(facts)
    }

    /// What an entry about a case says. Of the cases that are not asked about only how they stand in the end matters: what
    /// they have on their lists.
    async fn of_case(
        &mut self,
        seq: u64,
        entry: &Entry,
        id: CaseId,
        cases: &mut HashMap<CaseId, Arc<Case>>,
    ) -> Result<Vec<Fact>, ArchiveError> {
        let Some((unit, digest)) = entry.event.names() else { return Ok(Vec::new()) };
        let Some(Described::Case(told)) = self.told(unit, digest).await? else {
            return Err(damaged(seq, "the description of a case cannot be read"));
        };
        let before = cases.insert(id, told.clone());
        let mut facts = Vec::new();
        if before.is_none() {
            facts.push(Fact::CaseOpened { case: id, needs_appraisal: told.needs_appraisal() });
        }
        let known = before.map_or(0, |before| before.trace.len());
        let Some(acts) = told.trace.get(known..) else { return Err(damaged(seq, "a case has a shorter trace")) };
        for act in acts {
            facts.extend(of_act(&told, &act.act, act.unit));
        }
        Ok(facts)
    }

    /// When the expired units of the case are due: counted here from descriptions and approved schedules alone.
    async fn dues(
        &mut self,
        lines: &[(u64, Entry)],
        places: &BTreeMap<Unit, Place>,
        cases: &HashMap<CaseId, Arc<Case>>,
    ) -> Result<(BTreeSet<CaseUnit>, BTreeMap<CaseUnit, Due>), ArchiveError> {
        let mut schedules: HashMap<ScheduleId, Vec<Arc<Schedule>>> = HashMap::new();
        for (_, entry) in lines.iter().rev() {
            if let Event::Approved { unit, description, .. } = entry.event
                && let Some(Described::Schedule(told)) = self.told(unit, description).await?
                && !told.incomplete
            {
                schedules.entry(told.schedule).or_default().push(told);
            }
        }
        let case = self.fold.interest.case.and_then(|case| cases.get(&case).cloned());
        let (mut expired, mut dues) = (BTreeSet::new(), BTreeMap::new());
        let listed = case.iter().flat_map(|case| &case.listed);
        let listed = listed.filter(|listed| matches!(listed.ground, Ground::Expired { .. }));
        let today = Day::in_vietnam(lines.last().map_or(Instant::from_micros(0), |(_, entry)| entry.at));
        let count = |class: Option<&ClassRef>, facts: &[Start]| due(&schedules, class, facts, self.fold.reading, today);
        let mut own = BTreeMap::new();
        for listed in listed {
            expired.insert(listed.unit);
            match listed.unit {
                CaseUnit::File(id) => {
                    let file = places.get(&Unit::File(id)).and_then(|place| place.file.as_ref());
                    let file = file.filter(|file| !file.state.is_open());
                    let counted = file
                        .and_then(|file| count(file.about.class.as_ref(), &facts_of(file, Instant::from_micros(0))));
                    own.extend(counted.map(|due| (listed.unit, (due, file.and_then(|file| file.about.code.clone())))));
                }
                CaseUnit::Record(_) => {}
            }
        }
        for record in self.fold.interest.records.clone() {
            let Some(Described::Record(told)) = self.newest(lines, record.into()).await? else { continue };
            let within = places.values().filter_map(|place| place.file.as_ref());
            let within = within.filter(|file| file.about.code.is_some() && file.about.code == told.metadata.file);
            let of_files: Vec<Start> = within.flat_map(|file| facts_of(file, Instant::from_micros(0))).collect();
            let facts = facts_inside(facts_of_record(&told.metadata, Instant::from_micros(0)), &of_files);
            let counted = due(&schedules, told.metadata.class.as_ref(), &facts, self.fold.reading, today);
            let unit = CaseUnit::Record(record);
            if expired.contains(&unit) {
                dues.extend(counted.map(|due| (unit, due)));
            }
            // It lengthens the life of the file that it lies in; of a class that nobody approved it waits for ever.
            if told.metadata.class.is_some() {
                let waits = Due::Waiting(clock::Awaited::Class);
                for (due, code) in own.values_mut() {
                    if code.is_some() && *code == told.metadata.file {
                        *due = (*due).max(counted.unwrap_or(waits));
                    }
                }
            }
        }
        dues.extend(own.into_iter().map(|(unit, (due, _))| (unit, due)));
        Ok((expired, dues))
    }
}

impl Trial {
    /// May this order be the next entry? What is admitted counts for what is asked after it.
    pub fn admit(&mut self, event: &Event, by: ActorId, at: Instant) -> Result<(), Refusal> {
        let facts = match event {
            Event::DestructionOrdered { record, case: Some(case), .. } => {
                self.is_due(*record, at)?;
                vec![Fact::DestructionOrdered { record: *record, case: Some(*case) }]
            }
            Event::DestructionOrdered { record, asked_by: Some(asked_by), .. } => vec![
                Fact::Withdrawn { record: *record, asked_by: *asked_by },
                Fact::DestructionOrdered { record: *record, case: None },
            ],
            Event::ExpulsionOrdered { record, confirmed_by, .. } => {
                match self.confirmed.get(record) {
                    Some(confirmed) if confirmed == confirmed_by => {}
                    _ => return Err(Refusal::NotDecided),
                }
                vec![Fact::ExpulsionOrdered { record: *record, confirmed_by: *confirmed_by }]
            }
            _ => return Err(Refusal::NotDecided),
        };
        for fact in facts {
            self.standing.admit(&fact, by, at, &self.rules)?;
            self.standing.apply(&fact, by, at);
        }
        Ok(())
    }

    /// What goes because its period is over must be due by its own description, whatever the list says.
    fn is_due(&self, record: RecordId, at: Instant) -> Result<(), Refusal> {
        let own = CaseUnit::Record(record);
        let files = self.files.get(&record).into_iter().flatten().map(|file| CaseUnit::File(*file));
        let today = Day::in_vietnam(at);
        // Of a duplicate, and of what is on no list, the standing judges.
        let unit = std::iter::once(own).chain(files).find(|unit| self.expired.contains(unit));
        match unit.map(|unit| self.dues.get(&unit)) {
            None => Ok(()),
            Some(Some(due)) if due.is_due(today) => Ok(()),
            Some(_) => Err(Refusal::NotDue),
        }
    }
}
