//! Who came before, and who goes on? So that a search by today's name finds what predecessors issued.
//!
//! Relations may form any graph: a district becomes three communes, two communes become one. What stands in a loop by
//! mistake is walked once ([`crate::record::agencies::check`] tells of it).

use crate::record::{
    access::agency_key,
    agencies::{Agencies, AgencyCode},
    date::PartialDate,
};
use std::collections::{BTreeMap, BTreeSet};

/// A name, of whom, and when it was borne.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Named<'a> {
    pub code: &'a AgencyCode,
    pub name: &'a str,
    pub from: Option<PartialDate>,
    pub until: Option<PartialDate>,
}

impl Agencies {
    /// Who goes on with the work of an agency at a date: through those that ended in between, to those that live.
    pub fn successors_of(&self, code: &AgencyCode, on: PartialDate) -> Vec<AgencyCode> {
        let later = walk(&self.after, code);
        later.into_iter().filter(|later| *later != code && self.at(later, on).is_some()).cloned().collect()
    }

    /// Everybody whose work an agency went on with, directly or not.
    pub fn predecessors_of(&self, code: &AgencyCode) -> Vec<AgencyCode> {
        walk(&self.before, code).into_iter().filter(|earlier| *earlier != code).cloned().collect()
    }

    /// Every name that an agency and those before it have borne, each with its time.
    pub fn all_names<'a>(&'a self, code: &'a AgencyCode) -> Vec<Named<'a>> {
        let rows = walk(&self.before, code).into_iter().flat_map(|earlier| self.rows(earlier));
        rows.map(|row| Named { code: &row.code, name: &row.name, from: row.from, until: row.until }).collect()
    }

    /// The same for a name as somebody typed it, whoever bears or bore it; nothing where nobody did.
    pub fn names_behind<'a>(&'a self, name: &str) -> Vec<Named<'a>> {
        let key = agency_key(name);
        let bearers = self.register.agencies.iter().filter(|agency| agency_key(&agency.name) == key);
        let mut found: Vec<Named<'a>> = Vec::new();
        for named in bearers.flat_map(|agency| self.all_names(&agency.code)) {
            if !found.contains(&named) {
                found.push(named);
            }
        }
        found
    }
}

/// What can be reached, oneself included, each once.
pub fn walk<'a>(
    edges: &'a BTreeMap<AgencyCode, BTreeSet<AgencyCode>>,
    from: &'a AgencyCode,
) -> BTreeSet<&'a AgencyCode> {
    let (mut seen, mut left) = (BTreeSet::from([from]), vec![from]);
    while let Some(next) = left.pop() {
        left.extend(edges.get(next).into_iter().flatten().filter(|further| seen.insert(*further)));
    }
    seen
}

#[cfg(test)]
mod tests {
    use crate::record::agencies::{
        Agencies, AgencyCode,
        tests::{changed, code, date, sample},
    };

    fn names(agencies: &Agencies, name: &str) -> Vec<String> {
        agencies.names_behind(name).into_iter().map(|named| named.name.to_owned()).collect()
    }

    #[test]
    fn who_goes_on() {
        let agencies = sample();
        for (agency, on, after) in [
            ("UBND-DM", "2026", vec!["UBND-SM"]),
            ("UBND-BC", "2025-07-01", vec!["UBND-SM"]),
            ("UBND-BC", "2025-06-30", vec![]),
            ("UBND-SM", "2026", vec![]),
            ("PNV-DM", "2026", vec![]),
            ("NOBODY", "2026", vec![]),
        ] {
            let after: Vec<AgencyCode> = after.into_iter().map(code).collect();
            assert_eq!(agencies.successors_of(&code(agency), date(on)), after, "{agency} {on}");
        }
        let before: Vec<AgencyCode> = ["UBND-BC", "UBND-DM", "UBND-MT"].map(code).into();
        assert_eq!(agencies.predecessors_of(&code("UBND-SM")), before);
    }

    #[test]
    fn todays_name_finds_what_those_before_issued_and_when() {
        let agencies = sample();
        let found = names(&agencies, "ủy ban nhân dân XÃ Sông Mơ");
        for name in [
            "Ủy ban nhân dân xã Sông Mơ",
            "Ủy ban nhân dân huyện Đồng Mơ",
            "Ủy ban nhân dân xã Bến Cũ",
            "Ủy ban nhân dân xã Mơ Thượng",
        ] {
            assert!(found.iter().any(|found| found == name), "{name}: {found:?}");
        }
        assert_eq!(found.len(), 4);
        let (commune, district) = (code("UBND-SM"), code("UBND-DM"));
        let district = agencies.all_names(&commune).into_iter().find(|named| *named.code == district);
        assert_eq!(district.unwrap().until, Some(date("2025-06-30")));
        assert_eq!(names(&agencies, "Ủy ban nhân dân huyện Đồng Mơ"), ["Ủy ban nhân dân huyện Đồng Mơ"]);
        assert_eq!(names(&agencies, "Ủy ban nhân dân xã"), [] as [&str; 0]);
    }

    /// A relation told at one end only is told; a loop ends.
    #[test]
    fn through_several_generations_and_loops() {
        let one_end = changed("UBND-SM", |agency| agency.predecessors.clear());
        assert_eq!(one_end.predecessors_of(&code("UBND-SM")).len(), 3);
        let longer = changed("UBND-LH", |agency| agency.predecessors.push(code("UBND-SM")));
        assert_eq!(longer.predecessors_of(&code("UBND-LH")).len(), 4);
        assert_eq!(longer.successors_of(&code("UBND-BC"), date("2026")), ["UBND-LH", "UBND-SM"].map(code));
        let looped = changed("UBND-BC", |agency| agency.predecessors.push(code("UBND-SM")));
        assert_eq!(looped.all_names(&code("UBND-SM")).len(), 4);
        assert_eq!(looped.successors_of(&code("UBND-SM"), date("2026")), vec![]);
    }
}
