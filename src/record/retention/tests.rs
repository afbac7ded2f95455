//! The clock under a million random cases: whatever is known, told or held, nothing is due too early.
//!
//! `VANKHO_SEED` moves the cases; a failure names its own.

use crate::record::{
    date::PartialDate,
    entry::Instant,
    id::HoldId,
    retention::{
        change::{Change, Row},
        clock::{Awaited, Due, Reading, count, longest},
        day::Day,
        forecast::Forecast,
        gate::{Reason, obstacles},
        period::Period,
        schedule::tests::example,
        trigger::{Evidence, Fact, Trigger, When},
    },
};

const CASES: u64 = 1_000_000;

/// Random numbers that follow from a seed (xorshift).
struct Chance(u64);

impl Chance {
    fn of_case(seed: u64, case: u64) -> Chance {
        let mut chance = Chance((seed ^ case.wrapping_mul(0x9e37_79b9_7f4a_7c15)) | 1);
        for _ in 0..3 {
            chance.below(2);
        }
        chance
    }

    fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) % limit
    }

    fn pick<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.below(of.len() as u64) as usize]
    }

    fn trigger(&mut self) -> Trigger {
        let event = |code: &str| Trigger::Event(code.parse().unwrap());
        match self.below(8) {
            0 => Trigger::DocumentIssued,
            1 => Trigger::DocumentCeased,
            2 => Trigger::ConstructionEnded,
            3 => Trigger::EquipmentEnded,
            4 => event("contract_ended"),
            5 => event("handed_over"),
            _ => Trigger::WorkEnded,
        }
    }

    fn period(&mut self) -> Period {
        match self.below(12) {
            0 => Period::Permanent,
            1 => Period::WhileInForce,
            2 => Period::LifeOfWork,
            3 => Period::LifeOfEquipment,
            4 => Period::YearsAfter { years: self.years(), event: "contract_ended".parse().unwrap() },
            _ => Period::Years(self.years()),
        }
    }

    fn years(&mut self) -> u16 {
        1 + self.below(80) as u16
    }

    /// Mostly of our time, often at the ends of months and years and on leap days, sometimes at the ends of the calendar.
    fn day(&mut self) -> PartialDate {
        let year = match self.below(50) {
            0 => self.pick(&[1, 2, 9900, 9998, 9999]),
            _ => 1945 + self.below(120) as i16,
        };
        let (month, day) = match self.below(6) {
            0 => (12, 31),
            1 => (1, 1),
            2 => (2, 28 + i8::from(Day::new(year, 2, 29).is_some())),
            _ => (1 + self.below(12) as i8, 1 + self.below(28) as i8),
        };
        PartialDate { year, month: Some(month), day: Some(day) }
    }

    fn when(&mut self) -> When {
        let date = self.day();
        match self.below(4) {
            0 => When::Date(PartialDate { month: None, day: None, ..date }),
            1 => When::Date(PartialDate { day: None, ..date }),
            2 => When::Moment(Instant::from_micros((self.below(4_000_000_000) as i64 - 800_000_000) * 1_000_000)),
            _ => When::Date(date),
        }
    }

    fn fact(&mut self, trigger: Trigger) -> Fact {
        Fact { trigger, when: self.when(), evidence: Evidence::Entry(7), known: Instant::from_micros(0) }
    }

    fn due(&mut self) -> Due {
        match self.below(10) {
            0 => Due::Never,
            1 => Due::Waiting(Awaited::Class),
            2 => Due::Waiting(Awaited::Release),
            3 => Due::Waiting(Awaited::Fact(self.trigger())),
            _ => Due::On(Day::last_of(self.day())),
        }
    }
}

fn seed() -> u64 {
    std::env::var("VANKHO_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(1)
}

/// A day in Vietnam by arithmetic of its own: days since 1970, then the year by trial.
fn day_of(micros: i64) -> (i64, u32) {
    let leap = |year: i64| year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let length = |year: i64| 365 + i64::from(leap(year));
    let (mut days, mut year) = ((micros + 7 * 3_600_000_000).div_euclid(86_400_000_000), 1970);
    while days < 0 {
        year -= 1;
        days += length(year);
    }
    while days >= length(year) {
        days -= length(year);
        year += 1;
    }
    (year, days as u32 + 1)
}

/// One case: a class, what is known of it, and each rule of the clock.
fn clock_holds(chance: &mut Chance) {
    let (period, trigger) = (chance.period(), chance.trigger());
    let told = period.counted(trigger).map_or(trigger, |(trigger, _)| trigger);
    let mut facts = Vec::with_capacity(4);
    for _ in 0..chance.below(3) {
        let trigger = if chance.below(4) == 0 { chance.trigger() } else { told };
        facts.push(chance.fact(trigger));
    }
    let safe = Reading::JanuaryFirst;
    let due = count(period, trigger, &facts, safe).due;
    let ends = facts.iter().filter(|fact| fact.trigger == told).map(|fact| fact.when.last_day());
    // Missing dates never make anything due.
    match (period.counted(trigger), ends.max()) {
        (None, _) => assert_eq!(due, Due::Never),
        (Some(_), None) => assert_eq!(due, Due::Waiting(Awaited::Fact(told))),
        // So many whole years after the year in which it ended: counted here in another way.
        (Some((_, years)), Some(end)) => {
            let year = i64::from(end.year()) + i64::from(years) + 1;
            let expected = Day::new(i16::try_from(year).unwrap_or(i16::MAX), 1, 1).unwrap_or(Day::LAST);
            assert_eq!(due, Due::On(expected));
            assert!(end == Day::LAST || expected > end, "never on the day itself");
            let (fewer, more) = (Period::Years(years.max(1)), Period::Years(years.max(1) + 1));
            for reading in Reading::ALL {
                // The safe reading is never earlier than another; more years are never earlier.
                let other = count(period, trigger, &facts, reading).due;
                assert!(other <= due, "{reading:?}: {other} > {due}");
                let [fewer, more] = [fewer, more].map(|period| count(period, told, &facts, reading).due);
                assert!(fewer < more || more == Due::On(Day::LAST), "{reading:?}: {fewer} {more}");
            }
        }
    }
    // What lengthens, and what is known besides: never earlier.
    let more = chance.fact(told);
    if facts.iter().any(|fact| fact.trigger == told) {
        facts.push(more);
        assert!(count(period, trigger, &facts, safe).due >= due);
    }
    let other = chance.due();
    assert!(longest([due, other]) >= due && longest([other, due]) >= other);
    assert!(due.held() >= due && !due.held().is_due(Day::LAST));
}

/// A date that is known less exactly is never due earlier.
fn less_is_never_earlier(chance: &mut Chance) {
    let (exact, years, reading) = (chance.day(), chance.years(), chance.pick(&Reading::ALL));
    let month = PartialDate { day: None, ..exact };
    let year = PartialDate { month: None, ..month };
    let [exact, month, year] = [exact, month, year].map(|date| reading.over(Day::last_of(date), years));
    assert!(exact <= month && month <= year, "{reading:?} {exact} {month} {year}");
}

/// The longest of what there is, whatever the order and however often it is told.
fn longest_is_a_maximum(chance: &mut Chance) {
    let [a, b, c] = [chance.due(), chance.due(), chance.due()];
    let all = longest([a, b, c]);
    assert_eq!(longest([c, b, a]), all);
    assert_eq!(longest([longest([a, b]), c]), longest([a, longest([b, c])]));
    assert_eq!((longest([a, a]), longest([a])), (a, a));
    assert_eq!(all.to_string().parse(), Ok(all));
}

#[test]
fn a_million_clocks() {
    let seed = seed();
    for case in 0..CASES {
        let mut chance = Chance::of_case(seed, case);
        let run = std::panic::AssertUnwindSafe(|| {
            clock_holds(&mut chance);
            less_is_never_earlier(&mut chance);
            longest_is_a_maximum(&mut chance);
        });
        assert!(std::panic::catch_unwind(run).is_ok(), "again: VANKHO_SEED={seed}, case {case}");
    }
}

/// Moments are of the day that it is in Vietnam.
#[test]
fn moments_and_days() {
    let seed = seed();
    for case in 0..CASES / 10 {
        let mut chance = Chance::of_case(seed, case);
        let micros = (chance.below(4_000_000_000) as i64 - 800_000_000) * 1_000_000 + chance.below(1_000_000) as i64;
        let day = Day::in_vietnam(Instant::from_micros(micros));
        let (year, ordinal) = day_of(micros);
        let mut expected = Day::january_first(year as i32);
        (1..ordinal).for_each(|_| expected = expected.next());
        assert_eq!(day, expected, "{micros}");
    }
}

/// Nothing may be proposed for destruction that is not due, is held, or is ruled by what nobody approved.
#[test]
fn the_gate_is_open_only_where_everything_is_said() {
    let (seed, approved) = (seed(), example());
    let mut draft = example();
    draft.approved = None;
    let mut open = 0;
    for case in 0..CASES / 10 {
        let mut chance = Chance::of_case(seed, case);
        let due = chance.due();
        let today = Day::last_of(chance.day());
        let schedules = match chance.below(4) {
            0 => vec![],
            1 => vec![&approved, &draft],
            _ => vec![&approved],
        };
        let holds = vec![HoldId::new(0, [1; 10]); chance.below(2) as usize];
        let told = obstacles(Reason::Expired { due, schedules: &schedules }, &holds, today);
        let one_approved = schedules.len() == 1 && today >= "2025-09-01".parse().unwrap();
        let may = matches!(due, Due::On(day) if day <= today) && one_approved && holds.is_empty();
        assert_eq!(told.is_empty(), may, "case {case}: {due} {today} {told:?}");
        open += u32::from(may);
    }
    assert!(open > 1000, "{open}");
}

/// A million records through a simulation and a forecast: each is counted once.
#[test]
fn a_million_rows() {
    let classes: Vec<String> = (0..150).map(|n| format!("{}.{:02}", n / 10 + 1, n % 10)).collect();
    let agencies: Vec<String> = (0..40).map(|n| format!("Sở {n}")).collect();
    let today = "2030-01-01".parse().unwrap();
    let (mut change, mut forecast, mut chance) = (Change::new(today), Forecast::new(today), Chance::of_case(seed(), 0));
    for _ in 0..CASES {
        let (class, agency) = (&classes[chance.below(150) as usize], &agencies[chance.below(40) as usize]);
        let end = 1990 + chance.below(40) as i32;
        let [before, after] = [5, 20].map(|years| Due::On(Day::january_first(end + years + 1)));
        change.add(Row { class_before: class, class_after: class, before, after, records: 1, bytes: 1000 });
        forecast.add(after, (class, agency), 1, 1000);
    }
    let totals = change.totals();
    assert_eq!((totals.seen.records, totals.moved.records, totals.later.bytes), (CASES, CASES, CASES * 1000));
    assert_eq!(change.moves().iter().map(|group| group.records).sum::<u64>() + totals.rest.records, CASES);
    let falling = forecast.falling();
    let counted: u64 = falling.iter().map(|group| group.records).sum();
    assert_eq!(counted + forecast.rest.records, CASES);
    assert!(forecast.overdue.records > 0 && falling.is_sorted_by_key(|group| group.year));
}
