//! What is wrong in a register of agencies?

use crate::record::{
    agencies::{Agencies, Agency, AgencyCode, custody::Share, lineage::walk, span},
    day,
    flaw::{Code, Flaw},
};
use std::collections::BTreeSet;

impl Agencies {
    /// Every flaw, by the agency's code.
    pub fn check(&self) -> Vec<Flaw> {
        let mut flaws = Vec::new();
        for agency in &self.register.agencies {
            flaws.extend(self.check_row(agency));
        }
        for code in self.rows.keys() {
            flaws.extend(self.check_names(code));
            flaws.extend(self.check_end(code));
        }
        for assigned in &self.register.custody {
            let named = [&assigned.creator, &assigned.custodian];
            let unknown = named.into_iter().filter(|code| !self.rows.contains_key(*code));
            flaws.extend(unknown.map(|code| Flaw::new(Code::UnknownAgency, &assigned.creator).with_detail(code)));
            if assigned.until.is_some_and(|until| until.span().1 < assigned.from.span().0) {
                flaws.push(Flaw::new(Code::EndsBeforeItBegins, &assigned.creator));
            }
            if assigned.source.trim().is_empty() {
                flaws.push(Flaw::new(Code::SourceMissing, &assigned.creator));
            }
        }
        flaws
    }

    fn check_row(&self, agency: &Agency) -> Vec<Flaw> {
        let flaw = |code| Flaw::new(code, &agency.code);
        let mut flaws = Vec::new();
        if agency.name.trim().is_empty() {
            flaws.push(flaw(Code::NameMissing));
        }
        let (first, last) = agency.span();
        if last < first {
            flaws.push(flaw(Code::EndsBeforeItBegins));
        }
        match self.level(&agency.level) {
            None => flaws.push(flaw(Code::UnknownLevel).with_detail(&agency.level)),
            // NQ 203/2025/QH15: no district after 30/6/2025.
            Some(level) => {
                let (from, until) = span(level.from, level.until);
                if first < from || last > until {
                    flaws.push(flaw(Code::PastItsLevel).with_detail(&level.vi));
                }
            }
        }
        let named = agency.predecessors.iter().chain(&agency.successors).chain(&agency.parent);
        let unknown = named.filter(|code| !self.rows.contains_key(*code));
        flaws.extend(unknown.map(|code| flaw(Code::UnknownAgency).with_detail(code)));
        let told = agency.source.as_ref().is_some_and(|source| !source.trim().is_empty());
        if !told && (agency.from.is_some() || agency.until.is_some()) {
            flaws.push(flaw(Code::SourceMissing));
        }
        flaws
    }

    /// One code has one name a day, from its first day to its last.
    fn check_names(&self, code: &AgencyCode) -> Vec<Flaw> {
        let spans: Vec<(u32, u32)> = self.rows(code).map(Agency::span).collect();
        let pairs = spans.iter().zip(spans.iter().skip(1));
        let flaw = |((_, ended), (began, _)): (&(u32, u32), &(u32, u32))| {
            let code_of = match (began <= ended, *began == day::plus_days(*ended, 1)) {
                (true, _) => Some(Code::OverlappingNames),
                (false, true) => None,
                (false, false) => Some(Code::GapInNames),
            };
            code_of.map(|found| Flaw::new(found, code).with_detail(began))
        };
        pairs.filter_map(flaw).collect()
    }

    /// What has a successor has a last day, a successor that lives on the next, and somebody for its records.
    fn check_end(&self, code: &AgencyCode) -> Vec<Flaw> {
        let flaw = |found| Flaw::new(found, code);
        let mut flaws = Vec::new();
        let none = BTreeSet::new();
        let (after, before) = (self.after.get(code).unwrap_or(&none), self.before.get(code).unwrap_or(&none));
        let earlier: BTreeSet<&AgencyCode> = before.iter().flat_map(|old| walk(&self.before, old)).collect();
        let parent = |code| self.rows(code).next_back().and_then(|agency| agency.parent.as_ref());
        let above: Vec<&AgencyCode> = parent(code).map(|above| self.superiors(above)).unwrap_or_default();
        if earlier.contains(code) || above.contains(&code) {
            flaws.push(flaw(Code::OwnAncestor));
        }
        let Some(last) = self.last_day(code) else {
            flaws.extend((!after.is_empty()).then(|| flaw(Code::NoLastDay)));
            return flaws;
        };
        let Some(next) = day::date(day::plus_days(last, 1)) else { return flaws };
        let known = after.iter().filter(|later| self.rows.contains_key(*later));
        let gone = known.filter(|later| self.at(later, next).is_none());
        flaws.extend(gone.map(|later| flaw(Code::SuccessorGone).with_detail(later)));
        if self.custodian_at(code, next, Share::Permanent).is_none() {
            flaws.push(flaw(Code::NoCustodian));
        }
        flaws
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::agencies::tests::{changed, code, date, sample};

    #[test]
    fn the_sample_register_is_sound() {
        assert_eq!(sample().check(), vec![]);
    }

    #[test]
    fn what_is_wrong_is_found() {
        type Change = fn(&mut Agency);
        let cases: [(&str, Change, Code); 14] = [
            ("UBND-SM", |a| a.name = " ".into(), Code::NameMissing),
            ("UBND-SM", |a| a.level = "region".into(), Code::UnknownLevel),
            ("UBND-SM", |a| a.level = "district".into(), Code::PastItsLevel),
            ("PNV-DM", |a| a.until = Some(date("2025-07-01")), Code::PastItsLevel),
            ("PNV-DM", |a| a.until = None, Code::PastItsLevel),
            ("UBND-SM", |a| a.until = Some(date("2025-06-01")), Code::EndsBeforeItBegins),
            ("UBND-DM", |a| a.successors.push(code("UBND-XX")), Code::UnknownAgency),
            ("UBND-SM", |a| a.predecessors.push(code("UBND-XX")), Code::UnknownAgency),
            ("UBND-SM", |a| a.parent = Some(code("UBND-XX")), Code::UnknownAgency),
            ("UBND-BC", |a| a.until = None, Code::NoLastDay),
            ("UBND-SM", |a| a.from = Some(date("2025-08-01")), Code::SuccessorGone),
            ("UBND-BC", |a| a.predecessors.push(code("UBND-SM")), Code::OwnAncestor),
            ("UBND-LH", |a| a.parent = Some(code("SNV-LH")), Code::OwnAncestor),
            ("UBND-SM", |a| a.source = None, Code::SourceMissing),
        ];
        for (which, change, expected) in cases {
            let found = changed(which, change).check();
            assert!(found.iter().any(|flaw| flaw.code == expected), "{which} {expected:?}: {found:?}");
        }
        let bare = changed("LTLS-LH", |agency| agency.historical_archive = false).check();
        assert!(bare.iter().all(|flaw| flaw.code == Code::NoCustodian) && bare.len() == 4, "{bare:?}");
    }

    #[test]
    fn one_code_has_one_name_a_day() {
        for (ended, began, expected) in [
            ("2025-02-28", "2025-03-01", None),
            ("2025-03-01", "2025-03-01", Some(Code::OverlappingNames)),
            ("2025-02-27", "2025-03-01", Some(Code::GapInNames)),
        ] {
            let mut register = sample().register().clone();
            let old = register.agencies.iter_mut().find(|agency| agency.code == code("SNV-LH")).unwrap();
            let source = Some("Quyết định 1/QĐ-UBND".to_owned());
            let new = Agency { from: Some(date(began)), source: source.clone(), ..old.clone() };
            (old.until, old.source) = (Some(date(ended)), source);
            register.agencies.push(new);
            let found: Vec<Code> = Agencies::new(register).check().into_iter().map(|flaw| flaw.code).collect();
            assert_eq!(found, Vec::from_iter(expected), "{ended} {began}");
        }
    }

    #[test]
    fn assignments_name_who_is_there() {
        let mut register = sample().register().clone();
        let wrong = crate::record::agencies::custody::Assignment {
            creator: code("UBND-XX"),
            custodian: code("UBND-SM"),
            share: None,
            from: date("2026"),
            until: Some(date("2025")),
            source: String::new(),
        };
        register.custody.push(wrong);
        let found: Vec<Code> = Agencies::new(register).check().into_iter().map(|flaw| flaw.code).collect();
        assert_eq!(found, [Code::UnknownAgency, Code::EndsBeforeItBegins, Code::SourceMissing]);
    }
}
