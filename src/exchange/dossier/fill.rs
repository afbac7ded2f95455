//! The eight papers of a case, filled in from what the case says.
//!
//! # Why
//! *A case knows identifiers, a paper names.* Who calls looks up the names of people and what the units were; what nobody
//! told is left as dots, for people to write in, and never guessed.

use crate::exchange::dossier::{
    Person, Row, council, decision, list, minutes,
    paper::{self, Foot, Head, Issuer, Signer},
};
use crate::record::{
    date::PartialDate,
    disposition::{
        case::{Case, Ground, Listed, Opinion, Outcome, Paper, Unit, Votes},
        days,
    },
    id::ActorId,
};
use std::collections::BTreeMap;

/// What is written in by hand.
const DOTS: &str = "…………";

/// Everything that the papers of a case are made from.
#[derive(Clone, Debug)]
pub struct Told<'a> {
    pub case: &'a Case,
    pub issuer: Issuer,
    /// Tên phông.
    pub fonds: String,
    /// The day on which it is printed: that of a paper which has none yet.
    pub today: PartialDate,
    /// Names and titles of the people of the case.
    pub people: BTreeMap<ActorId, (String, String)>,
    /// What each unit is, or was.
    pub rows: BTreeMap<Unit, Row>,
    /// The schedules by which periods were told, a line each.
    pub schedules: Vec<String>,
    pub certificates: Vec<minutes::Annexed>,
    /// What the certificates do not cover, a line each.
    pub limits: Vec<String>,
    /// Days within which the decision is executed.
    pub execution_days_max: u16,
}

/// The papers in their order: the name of each, and its page.
pub fn papers(told: &Told) -> Vec<(&'static str, String)> {
    vec![
        ("1-danh-muc", told.list()),
        ("2-thuyet-minh", told.explanation()),
        ("3-quyet-dinh-hoi-dong", told.council()),
        ("4-bien-ban-hop", told.meeting()),
        ("5-van-ban-tham-dinh", told.appraisal()),
        ("6-quyet-dinh-huy", told.decision()),
        ("7-bien-ban-ban-giao", told.handover()),
        ("8-bien-ban-huy", told.destruction()),
    ]
}

impl Told<'_> {
    fn code(&self) -> String {
        self.case.case.to_string()
    }

    fn head(&self, of: Option<&Paper>) -> Head {
        let number = of.and_then(|paper| paper.number.clone());
        Head { issuer: self.issuer.clone(), number, day: of.map_or(self.today, |paper| paper.day) }
    }

    fn person(&self, actor: ActorId, part: &str) -> Person {
        let known = self.people.get(&actor).cloned();
        let (name, title) = known.unwrap_or_else(|| (actor.to_string(), DOTS.into()));
        Person { name, title, part: part.into() }
    }

    /// The council, the chair first.
    fn people(&self) -> Vec<Person> {
        let people = self.case.council.iter().flat_map(|council| council.people());
        let part = |n| if n == 0 { "Chủ tịch Hội đồng" } else { "Thành viên Hội đồng" };
        people.enumerate().map(|(n, actor)| self.person(actor, part(n))).collect()
    }

    fn row(&self, listed: &Listed) -> Row {
        self.rows.get(&listed.unit).cloned().unwrap_or_else(|| Row {
            code: unit_code(listed.unit),
            title: DOTS.into(),
            years: String::new(),
            period: String::new(),
            ground: ground(&listed.ground),
            records: 0,
            pages: 0,
            bytes: 0,
            note: String::new(),
        })
    }

    fn rows(&self, which: impl Fn(&Listed) -> bool) -> Vec<Row> {
        self.case.listed.iter().filter(|listed| which(listed)).map(|listed| self.row(listed)).collect()
    }

    fn foot(&self, signers: &[(&str, &str, Option<ActorId>)]) -> Foot {
        let signer = |(power, title, actor): &(&str, &str, Option<ActorId>)| Signer {
            power: (*power).into(),
            title: (*title).into(),
            name: actor.map(|actor| self.person(actor, "").name).unwrap_or_default(),
        };
        Foot { recipients: Vec::new(), signers: signers.iter().map(signer).collect() }
    }

    fn chair(&self) -> Option<ActorId> {
        self.case.council.as_ref().map(|council| council.chair)
    }

    fn head_of_agency(&self) -> Option<ActorId> {
        self.case.decision.as_ref().map(|decision| decision.by)
    }

    fn decided_by(&self) -> String {
        let paper = self.case.decision.as_ref().map(|decision| &decision.paper);
        format!("Quyết định {}", named(paper))
    }

    fn list(&self) -> String {
        let foot = self.foot(&[("", "Người lập danh mục", None), ("", "Người đứng đầu", None)]);
        let rows = self.rows(|_| true);
        list::print_list(&list::List {
            head: self.head(None),
            fonds: self.fonds.clone(),
            case: self.code(),
            rows,
            foot,
        })
    }

    fn explanation(&self) -> String {
        let expired = |listed: &&Listed| matches!(listed.ground, Ground::Expired { .. });
        let count = self.case.listed.iter().filter(expired).count();
        let others = self.case.listed.len() - count;
        let grounds = [("hết thời hạn lưu trữ", count), ("trùng lặp", others)];
        let grounds = grounds.into_iter().filter(|(_, units)| *units > 0);
        let rows = self.rows(|_| true);
        let years: Vec<&str> = rows.iter().map(|row| row.years.as_str()).filter(|years| !years.is_empty()).collect();
        let span = years.iter().min().zip(years.iter().max());
        list::print_explanation(&list::Explanation {
            head: self.head(None),
            fonds: self.fonds.clone(),
            case: self.code(),
            origin: DOTS.into(),
            years: span.map_or(
                DOTS.into(),
                |(first, last)| if first == last { (*first).into() } else { format!("{first}; {last}") },
            ),
            grounds: grounds.map(|(ground, units)| (ground.to_owned(), units as u64)).collect(),
            contents: vec![DOTS.into()],
            schedules: self.schedules.clone(),
            rows,
            foot: self.foot(&[("", "Người lập", None), ("", "Người đứng đầu", None)]),
        })
    }

    fn council(&self) -> String {
        council::print_decision(&council::CouncilDecision {
            head: self.head(self.case.council.as_ref().map(|council| &council.paper)),
            authority: format!("Người đứng đầu {}", self.issuer.agency),
            basis: vec![DOTS.into()],
            case: self.code(),
            council: self.people(),
            foot: self.foot(&[("", "Người đứng đầu", None)]),
        })
    }

    fn meeting(&self) -> String {
        let said = |opinion: &Opinion| council::Said {
            name: self.person(opinion.by, "").name,
            outcome: outcome(&opinion.outcome),
            reason: opinion.reason.clone(),
        };
        let reviewed = self.case.listed.iter().map(|listed| {
            let proposal = listed.proposal.as_ref();
            let votes = |of: fn(&Votes) -> u16| proposal.map_or(0, |proposal| u64::from(of(&proposal.votes)));
            council::Reviewed {
                row: self.row(listed),
                opinions: listed.opinions.iter().map(said).collect(),
                outcome: proposal.map_or(DOTS.into(), |proposal| outcome(&proposal.outcome)),
                reason: proposal.map(|proposal| proposal.reason.clone()).unwrap_or_default(),
                agree: votes(|votes| votes.agree),
                against: votes(|votes| votes.against),
                abstained: votes(|votes| votes.abstained),
            }
        });
        let day = self.case.minutes.as_ref().map_or(DOTS.into(), |paper| paper::short_day(&paper.day));
        council::print_meeting(&council::Meeting {
            head: self.head(self.case.minutes.as_ref()),
            case: self.code(),
            began: format!("{DOTS} giờ {DOTS}, ngày {day}"),
            ended: format!("{DOTS} giờ {DOTS}"),
            place: DOTS.into(),
            present: self.people(),
            absent: Vec::new(),
            set_up_by: format!("Quyết định {}", named(self.case.council.as_ref().map(|council| &council.paper))),
            reviewed: reviewed.collect(),
            foot: self.foot(&[("", "Thư ký", None), ("TM. HỘI ĐỒNG", "Chủ tịch", self.chair())]),
        })
    }

    fn appraisal(&self) -> String {
        let appraisal = self.case.appraisal.as_ref();
        let mut head = self.head(appraisal.map(|appraisal| &appraisal.paper));
        head.issuer.parent = None;
        head.issuer.agency = appraisal.map_or(DOTS.into(), |appraisal| appraisal.authority.clone());
        decision::print_appraisal(&decision::Appraisal {
            head,
            to: self.issuer.agency.clone(),
            request: format!("Công văn số {DOTS} ngày {DOTS}"),
            case: self.code(),
            agreed: self.rows(proposed),
            not_agreed: Vec::new(),
            foot: self.foot(&[("", "Người đứng đầu", None)]),
        })
    }

    fn decision(&self) -> String {
        let until = self.case.execution_until(self.execution_days_max).map(days::shown);
        let goes = |listed: &Listed| match self.case.decision {
            Some(_) => listed.is_to_be_destroyed(),
            None => proposed(listed),
        };
        decision::print_decision(&decision::DestructionDecision {
            head: self.head(self.case.decision.as_ref().map(|decision| &decision.paper)),
            authority: format!("Người đứng đầu {}", self.issuer.agency),
            basis: vec![DOTS.into()],
            case: self.code(),
            rows: self.rows(goes),
            spared: self.rows(|listed| proposed(listed) && !goes(listed)),
            executed_by: DOTS.into(),
            until: until.unwrap_or_else(|| DOTS.into()),
            foot: self.foot(&[("", "Người đứng đầu", self.head_of_agency())]),
        })
    }

    fn handover(&self) -> String {
        let side = |part: &str| Person { name: DOTS.into(), title: DOTS.into(), part: part.into() };
        minutes::print_handover(&minutes::Handover {
            head: self.head(self.case.handover.as_ref()),
            decision: self.decided_by(),
            case: self.code(),
            place: DOTS.into(),
            giver: side("đại diện bên giao"),
            taker: side("đại diện bên nhận"),
            rows: self.rows(Listed::is_to_be_destroyed),
            copies: 2,
            foot: self.foot(&[("", "Bên giao", None), ("", "Bên nhận", None)]),
        })
    }

    fn destruction(&self) -> String {
        minutes::print_destruction(&minutes::Destruction {
            head: self.head(self.case.destruction.as_ref()),
            decision: self.decided_by(),
            case: self.code(),
            began: DOTS.into(),
            ended: DOTS.into(),
            place: DOTS.into(),
            people: self.people(),
            method: "hủy tại mọi nơi lưu của kho, kiểm tra lại từng nơi lưu, theo chứng nhận kỹ thuật kèm theo.".into(),
            rows: self.rows(Listed::is_to_be_destroyed),
            certificates: self.certificates.clone(),
            limits: self.limits.clone(),
            foot: self.foot(&[("", "Người thực hiện", None), ("", "Người đứng đầu", None)]),
        })
    }
}

fn proposed(listed: &Listed) -> bool {
    listed.proposal.as_ref().is_some_and(|proposal| proposal.outcome == Outcome::Destroy)
}

fn unit_code(unit: Unit) -> String {
    match unit {
        Unit::File(file) => file.to_string(),
        Unit::Record(record) => record.to_string(),
    }
}

/// Why it is listed: `hết thời hạn lưu trữ ngày 01/01/2026, mục 12`.
pub fn ground(ground: &Ground) -> String {
    match ground {
        Ground::Expired { due, class, .. } => {
            format!("hết thời hạn lưu trữ ngày {}, mục {class}", paper::short_day(due))
        }
        Ground::Duplicate { kept, .. } => format!("trùng với {kept}"),
    }
}

fn outcome(outcome: &Outcome) -> String {
    let more = match outcome {
        Outcome::KeepLonger { until: Some(day) } => format!(" đến {}", paper::short_day(day)),
        Outcome::Reclassify { class, .. } => format!(": mục {class}"),
        Outcome::Transfer { to } => format!(": {to}"),
        Outcome::KeepLonger { until: None } | Outcome::Destroy => String::new(),
    };
    format!("{}{more}", outcome.vi())
}

/// `số 48/QĐ-SNV ngày 23/11/2026`.
fn named(paper: Option<&Paper>) -> String {
    match paper {
        None => format!("số {DOTS} ngày {DOTS}"),
        Some(paper) => {
            let number = paper.number.as_deref().unwrap_or(DOTS);
            format!("số {number} ngày {}", paper::short_day(&paper.day))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::{
        digest::Digest,
        disposition::case::{Council, Proposal},
        document::Salt,
        id::{CaseId, FileId, ScheduleId},
    };

    fn actor(n: u8) -> ActorId {
        ActorId::new(0, [n; 10])
    }

    fn a_case() -> Case {
        let (due, schedule) = ("2026-01-01".parse().unwrap(), ScheduleId::new(0, [3; 10]));
        let paper =
            |number: &str| Paper { number: Some(number.into()), day: "2026-11-20".parse().unwrap(), record: None };
        let votes = Votes { agree: 3, against: 0, abstained: 0 };
        let opinion = Opinion { by: actor(1), outcome: Outcome::Destroy, reason: "<b>Hết giá trị</b>".into() };
        let listed = Listed {
            unit: Unit::File(FileId::new(0, [1; 10])),
            ground: Ground::Expired { due, schedule, version: Digest::of(b"v"), class: "12".into() },
            opinions: vec![opinion],
            proposal: Some(Proposal { outcome: Outcome::Destroy, reason: "Hết giá trị".into(), votes }),
            decided: None,
            ordered: None,
            certificates: vec![],
        };
        let council = Council { paper: paper("31/QĐ-SNV"), chair: actor(1), members: vec![actor(2), actor(3)] };
        let new = Case::new(CaseId::new(0, [4; 10]), "Sở Nội vụ", false, Salt::new([1; 32]));
        Case { listed: vec![listed], council: Some(council), minutes: Some(paper("1/BB")), ..new }
    }

    #[test]
    fn a_case_fills_eight_papers_and_guesses_nothing() {
        let case = a_case();
        let told = Told {
            case: &case,
            issuer: Issuer { parent: None, agency: "Sở Nội vụ".into(), place: "Hà Nội".into() },
            fonds: "Phông Sở Nội vụ".into(),
            today: "2026-11-27".parse().unwrap(),
            people: BTreeMap::from([(actor(1), ("Nguyễn Văn An".to_owned(), "Trưởng phòng".to_owned()))]),
            rows: BTreeMap::new(),
            schedules: vec![],
            certificates: vec![],
            limits: vec![],
            execution_days_max: 15,
        };
        let papers = papers(&told);
        let names: Vec<&str> = papers.iter().map(|(name, _)| *name).collect();
        assert_eq!((papers.len(), names[0], names[7]), (8, "1-danh-muc", "8-bien-ban-huy"));
        for (name, page) in &papers {
            assert!(page.starts_with("<!DOCTYPE html>") && page.contains(&case.case.to_string()), "{name}");
            assert!(!page.contains("<b>Hết"), "{name}: what people wrote is text");
        }
        let [_, _, council, meeting, _, decision, ..] = &papers[..] else { panic!("{names:?}") };
        assert!(
            council.1.contains("31/QĐ-SNV") && council.1.contains("Nguyễn Văn An, Trưởng phòng: Chủ tịch Hội đồng")
        );
        assert!(meeting.1.contains("ngày 20/11/2026") && meeting.1.contains("hủy"));
        assert!(decision.1.contains("hết thời hạn lưu trữ ngày 01/01/2026, mục 12"), "what is proposed, as a draft");
        assert!(decision.1.contains(DOTS), "no day that nobody decided");
    }
}
