//! The rules by which a fact may be the next one.

use crate::record::{
    disposition::{
        case::Unit,
        days::day_of,
        order::{Case, End, Fact, Listed, Record, Standing, Why, files_of},
        refusal::Refusal,
        rules::Rules,
        withdrawal,
    },
    entry::Instant,
    hold::On,
    id::{ActorId, CaseId, FileId, HoldId, RecordId},
};

impl Standing {
    /// May this fact be committed next, by this actor and at this time?
    pub fn admit(&self, fact: &Fact, by: ActorId, at: Instant, rules: &Rules) -> Result<(), Refusal> {
        match fact {
            Fact::Accessioned { .. } | Fact::ScheduleApproved { .. } | Fact::CaseOpened { .. } => Ok(()),
            // From the order on nothing is kept, described or moved of a record, nor healed.
            Fact::Filed { record, .. } | Fact::Unfiled { record, .. } => self.here(*record).map(|_| ()),
            Fact::Changed { unit: Unit::Record(record) } => self.here(*record).map(|_| ()),
            Fact::Changed { unit: Unit::File(_) } => Ok(()),
            Fact::HoldPlaced { on, .. } => self.may_hold(*on),
            Fact::HoldReleased { hold } => self.may_release(*hold, by),
            Fact::Listed { case, unit, why } => self.may_list(*case, *unit, why),
            Fact::CouncilSet { case, .. } => self.case(*case).map(|_| ()),
            Fact::Reviewed { case } => self.of_the_council(*case, by).map(|_| ()),
            Fact::Proposed { case, unit, .. } => self.may_propose(*case, *unit, by),
            Fact::Appraised { case } => self.may_appraise(*case),
            Fact::Decided { case, unit, destroy } => self.may_decide(*case, *unit, *destroy, by),
            Fact::Withdrawn { record, asked_by } => self.may_withdraw(*record, *asked_by, by, (at, rules)),
            Fact::DestructionOrdered { record, case } => self.may_order(*record, *case, at),
            Fact::Destroyed { record } => self.may_end(*record, End::Ordered),
            Fact::ExpulsionOrdered { record, confirmed_by } => {
                // No hold stops it: what may not be here at all is no disposition.
                self.here(*record)?;
                if *confirmed_by == by { Err(Refusal::SamePerson) } else { Ok(()) }
            }
            Fact::Expelled { record } => self.may_end(*record, End::ExpulsionOrdered),
            Fact::Transferred { record } => {
                self.here(*record)?;
                self.free(*record)
            }
        }
    }

    /// The record, as long as nothing has ended it.
    fn here(&self, record: RecordId) -> Result<&Record, Refusal> {
        let known = self.records.get(&record).ok_or(Refusal::NotKnown)?;
        match known.end {
            End::None => Ok(known),
            End::Ordered | End::ExpulsionOrdered => Err(Refusal::AlreadyOrdered),
            End::Destroyed | End::Expelled | End::Transferred => Err(Refusal::AlreadyGone),
        }
    }

    fn free(&self, record: RecordId) -> Result<(), Refusal> {
        if self.holds_on(record).is_empty() { Ok(()) } else { Err(Refusal::OnHold) }
    }

    /// "A hold committed before `DestructionOrdered` wins, one after it is refused as too late." On a file or a fonds it
    /// covers what is left, and is too late only where all of it is ordered.
    fn may_hold(&self, on: On) -> Result<(), Refusal> {
        match on {
            On::Record(record) => match self.here(record) {
                Err(Refusal::AlreadyOrdered | Refusal::AlreadyGone) => Err(Refusal::TooLate),
                known => known.map(|_| ()),
            },
            place => {
                let open = |record: &&Record| record.stays.iter().any(|one| one.place == place && one.until.is_none());
                let mut inside = self.records.values().filter(open).peekable();
                let something = inside.peek().is_some();
                if something && inside.all(|record| record.end != End::None) { Err(Refusal::TooLate) } else { Ok(()) }
            }
        }
    }

    fn may_release(&self, hold: HoldId, by: ActorId) -> Result<(), Refusal> {
        let placed = self.holds.iter().find(|placed| placed.hold == hold).ok_or(Refusal::NotKnown)?;
        match placed.released {
            Some(_) => Err(Refusal::NotThisStage),
            None if placed.asked_by == by => Err(Refusal::SamePerson),
            None => Ok(()),
        }
    }

    fn case(&self, case: CaseId) -> Result<&Case, Refusal> {
        self.cases.get(&case).ok_or(Refusal::NotListed)
    }

    fn of_the_council(&self, case: CaseId, by: ActorId) -> Result<&Case, Refusal> {
        let case = self.case(case)?;
        match case.people.contains(&by) {
            _ if case.people.is_empty() => Err(Refusal::NoCouncil),
            true => Ok(case),
            false => Err(Refusal::NotOfTheCouncil),
        }
    }

    fn listed(&self, case: CaseId, unit: Unit) -> Result<(&Case, &Listed), Refusal> {
        let case = self.case(case)?;
        Ok((case, case.units.get(&unit).ok_or(Refusal::NotListed)?))
    }

    /// Whether it is due is asked when it is ordered; here, that it is a unit, and on no other list.
    fn may_list(&self, case: CaseId, unit: Unit, why: &Why) -> Result<(), Refusal> {
        self.case(case)?;
        if self.cases.iter().any(|(id, other)| *id != case && other.considers(unit)) {
            return Err(Refusal::AlreadyListed);
        }
        match (unit, why) {
            (Unit::File(_), Why::Duplicate { .. }) => Err(Refusal::NotADuplicate),
            (Unit::File(_), Why::Expired { .. }) if self.members(unit).is_empty() => Err(Refusal::NotKnown),
            (Unit::File(_), Why::Expired { .. }) => Ok(()),
            (Unit::Record(record), Why::Expired { .. }) => loose(self.here(record)?),
            (Unit::Record(record), Why::Duplicate { kept, .. }) => {
                self.here(record)?;
                if record == *kept { Err(Refusal::NotADuplicate) } else { self.kept(*kept) }
            }
        }
    }

    /// "The one kept must not itself be in any case as destroyed": else two records, each a duplicate of the other, both go.
    fn kept(&self, kept: RecordId) -> Result<(), Refusal> {
        if self.stays(kept) { Ok(()) } else { Err(Refusal::KeptIsGoing) }
    }

    /// Is a record here, and not up for destruction?
    pub(super) fn stays(&self, kept: RecordId) -> bool {
        let Ok(known) = self.here(kept) else { return false };
        let as_file = |case: &Case| files_of(known).any(|file| self.is_decided(case, Unit::File(file)));
        !known.withdrawn && !self.cases.values().any(|case| case.considers(Unit::Record(kept)) || as_file(case))
    }

    fn is_decided(&self, case: &Case, unit: Unit) -> bool {
        case.units.get(&unit).and_then(|listed| listed.decided).is_some_and(|(destroy, _)| destroy)
    }

    fn may_propose(&self, case: CaseId, unit: Unit, by: ActorId) -> Result<(), Refusal> {
        let (known, _) = self.listed(case, unit)?;
        self.of_the_council(case, by)?;
        if known.met { Ok(()) } else { Err(Refusal::NotReviewed) }
    }

    fn may_appraise(&self, case: CaseId) -> Result<(), Refusal> {
        let case = self.case(case)?;
        let all = !case.units.is_empty() && case.units.values().all(|listed| listed.proposed.is_some());
        if all { Ok(()) } else { Err(Refusal::NotProposed) }
    }

    /// "The competent head decides, never one who reviewed." To keep what the council would destroy needs no more.
    fn may_decide(&self, case: CaseId, unit: Unit, destroy: bool, by: ActorId) -> Result<(), Refusal> {
        let (case, listed) = self.listed(case, unit)?;
        match listed.proposed {
            _ if case.reviewers.contains(&by) => Err(Refusal::Reviewer),
            None => Err(Refusal::NotProposed),
            Some(false) if destroy => Err(Refusal::NotProposed),
            Some(true) if destroy && case.needs_appraisal && !case.appraised => Err(Refusal::NoAppraisal),
            Some(_) => Ok(()),
        }
    }

    fn may_withdraw(
        &self,
        record: RecordId,
        asked_by: ActorId,
        by: ActorId,
        (at, rules): (Instant, &Rules),
    ) -> Result<(), Refusal> {
        let known = self.here(record)?;
        match asked_by == by {
            true => Err(Refusal::SamePerson),
            false if withdrawal::in_time(known.accessioned, rules.withdrawal_days_max, at) => self.free(record),
            false => Err(Refusal::WithdrawalTooLate),
        }
    }

    /// May destruction be ordered? Nothing that is on hold, not decided, decided by its reviewer, not due and no duplicate,
    /// or without an approved version of a schedule.
    fn may_order(&self, record: RecordId, case: Option<CaseId>, at: Instant) -> Result<(), Refusal> {
        let known = self.here(record)?;
        self.free(record)?;
        let Some(case) = case else {
            return if known.withdrawn { Ok(()) } else { Err(Refusal::NotListed) };
        };
        let (unit, case, listed) = self.unit_of(record, known, case)?;
        if let Unit::File(file) = unit {
            self.lives_nowhere_else(known, file)?;
            // The unit is the file: a hold on one of its records stops the others too.
            self.members(unit).into_iter().try_for_each(|other| self.free(other))?;
        }
        match listed.decided {
            Some((true, head)) if case.reviewers.contains(&head) => return Err(Refusal::Reviewer),
            Some((true, _)) if case.needs_appraisal && !case.appraised => return Err(Refusal::NoAppraisal),
            Some((true, _)) => {}
            Some((false, _)) | None => return Err(Refusal::NotDecided),
        }
        // A case that was written past its rules has none of these.
        match listed.proposed {
            _ if case.people.is_empty() => return Err(Refusal::NoCouncil),
            _ if !case.met => return Err(Refusal::NotReviewed),
            Some(true) => {}
            Some(false) | None => return Err(Refusal::NotProposed),
        }
        if self.changed_since(unit, listed.seq) {
            return Err(Refusal::ChangedSince);
        }
        match (unit, listed.why) {
            (Unit::File(_), Why::Duplicate { .. }) => Err(Refusal::NotADuplicate),
            (Unit::Record(_), Why::Duplicate { kept, .. }) if kept == record => Err(Refusal::NotADuplicate),
            (Unit::Record(_), Why::Duplicate { kept, .. }) => self.kept(kept),
            (_, Why::Expired { schedule, version, .. }) if self.approved.get(&schedule) != Some(&version) => {
                Err(Refusal::NoSchedule)
            }
            (_, Why::Expired { due, .. }) if due > day_of(at) => Err(Refusal::NotDue),
            (Unit::File(_), Why::Expired { .. }) => Ok(()),
            (Unit::Record(_), Why::Expired { .. }) => loose(known),
        }
    }

    /// The unit of a case by which a record goes: itself, or a file in which it lies.
    fn unit_of(&self, record: RecordId, known: &Record, case: CaseId) -> Result<(Unit, &Case, &Listed), Refusal> {
        let case = self.case(case)?;
        let files = files_of(known).map(Unit::File);
        let mut units = std::iter::once(Unit::Record(record)).chain(files);
        units.find_map(|unit| Some((unit, case, case.units.get(&unit)?))).ok_or(Refusal::NotListed)
    }

    /// Nothing goes with a file that another file still needs (Luật Lưu trữ 33/2024/QH15 art. 16).
    fn lives_nowhere_else(&self, known: &Record, file: FileId) -> Result<(), Refusal> {
        let decided = |other: FileId| self.cases.values().any(|case| self.is_decided(case, Unit::File(other)));
        match files_of(known).any(|other| other != file && !decided(other)) {
            true => Err(Refusal::LivesElsewhere),
            false => Ok(()),
        }
    }

    /// Did anything of a unit change after an entry?
    pub(super) fn changed_since(&self, unit: Unit, seq: u64) -> bool {
        let of_file = match unit {
            Unit::File(file) => self.files.get(&file).is_some_and(|file| file.changed > seq),
            Unit::Record(_) => false,
        };
        of_file || self.members(unit).iter().any(|id| self.records.get(id).is_some_and(|record| record.changed > seq))
    }

    /// Exactly once: only what was ordered ends, and what has ended does not end again.
    fn may_end(&self, record: RecordId, ordered: End) -> Result<(), Refusal> {
        let known = self.records.get(&record).ok_or(Refusal::NotKnown)?;
        match known.end {
            end if end == ordered => Ok(()),
            End::Destroyed | End::Expelled | End::Transferred => Err(Refusal::AlreadyGone),
            End::None | End::Ordered | End::ExpulsionOrdered => Err(Refusal::NotOrdered),
        }
    }
}

/// A single record goes by its period only where it is loose (TT 05/2025/TT-BNV art. 17.2).
fn loose(known: &Record) -> Result<(), Refusal> {
    if files_of(known).next().is_some() { Err(Refusal::PartOfAFile) } else { Ok(()) }
}
