//! What stands in the way of destruction.
//!
//! # Why
//! One list for every door: it names all of what is in the way, so that a person can act on it, and it is empty only
//! where nothing is. There is no setting that leaves one of these out.

use crate::record::{
    id::HoldId,
    retention::{
        clock::{Awaited, Due},
        day::Day,
        schedule::Schedule,
    },
};
use serde::{Deserialize, Serialize};

/// Why something is to be destroyed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Reason<'a> {
    /// Its period is over, by these versions of schedules: that of every class that was counted.
    Expired { due: Due, schedules: &'a [&'a Schedule] },
    /// A person found it to be a duplicate (trùng lặp) of something that is kept.
    Duplicate,
}

/// One thing in the way.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Obstacle {
    /// A hold stands: it wins over everything.
    Held(HoldId),
    /// No class says how long it lives.
    NoClass,
    /// A version of a schedule that no head has approved by that day, or one that is not complete.
    NotApproved,
    /// Its period is not over.
    NotDue,
}

impl Obstacle {
    pub fn vi(&self) -> &'static str {
        match self {
            Obstacle::Held(_) => "đang tạm dừng hủy",
            Obstacle::NoClass => "chưa xác định thời hạn lưu trữ",
            Obstacle::NotApproved => "bảng thời hạn lưu trữ chưa được phê duyệt",
            Obstacle::NotDue => "chưa hết thời hạn lưu trữ",
        }
    }

    pub fn en(&self) -> &'static str {
        match self {
            Obstacle::Held(_) => "a hold stands",
            Obstacle::NoClass => "no class says how long it lives",
            Obstacle::NotApproved => "the schedule is not approved",
            Obstacle::NotDue => "its period is not over",
        }
    }
}

/// Everything that stands in the way on a day; nothing only where it may be proposed for destruction.
pub fn obstacles(reason: Reason, holds: &[HoldId], today: Day) -> Vec<Obstacle> {
    let mut obstacles: Vec<Obstacle> = holds.iter().map(|hold| Obstacle::Held(*hold)).collect();
    let Reason::Expired { due, schedules } = reason else { return obstacles };
    if due == Due::Waiting(Awaited::Class) || schedules.is_empty() {
        obstacles.push(Obstacle::NoClass);
    }
    if schedules.iter().any(|schedule| !schedule.is_approved_on(today)) {
        obstacles.push(Obstacle::NotApproved);
    }
    if !due.is_due(today) {
        obstacles.push(Obstacle::NotDue);
    }
    obstacles
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::retention::schedule::tests::example;

    /// No destruction without an approved version of a schedule, before its day, or under a hold.
    #[test]
    fn what_is_in_the_way() {
        let today: Day = "2031-01-01".parse().unwrap();
        let (approved, hold) = (example(), HoldId::new(0, [3; 10]));
        assert!(approved.is_approved_on(today));
        let draft = Schedule { approved: None, ..example() };
        let incomplete = Schedule { incomplete: true, ..example() };
        let on = |text: &str| text.parse::<Due>().unwrap();
        use Obstacle::{Held, NoClass, NotApproved, NotDue};
        for (due, schedules, holds, expected) in [
            ("on:2031-01-01", &[&approved][..], &[][..], &[][..]),
            ("on:2031-01-02", &[&approved], &[], &[NotDue]),
            ("never", &[&approved], &[], &[NotDue]),
            ("waiting:work_ended", &[&approved], &[], &[NotDue]),
            ("waiting:class", &[], &[], &[NoClass, NotDue]),
            ("on:2020-01-01", &[], &[], &[NoClass]),
            ("on:2020-01-01", &[&draft], &[], &[NotApproved]),
            ("on:2020-01-01", &[&approved, &draft], &[], &[NotApproved]),
            ("on:2020-01-01", &[&incomplete], &[], &[NotApproved]),
            ("on:2020-01-01", &[&approved], &[hold], &[Held(hold)]),
            ("on:2099-01-01", &[&draft], &[hold, hold], &[Held(hold), Held(hold), NotApproved, NotDue]),
        ] {
            assert_eq!(obstacles(Reason::Expired { due: on(due), schedules }, holds, today), expected, "{due}");
        }
        let before: Day = "2020-01-01".parse().unwrap();
        let early = Reason::Expired { due: on("on:2019-01-01"), schedules: &[&approved] };
        assert_eq!(obstacles(early, &[], before), [NotApproved], "approved later");
        assert_eq!(obstacles(Reason::Duplicate, &[], today), []);
        assert_eq!(obstacles(Reason::Duplicate, &[hold], today), [Held(hold)]);
    }
}
