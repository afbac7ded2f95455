//! What the rules of arrangement and disposition refuse, as problems.
//!
//! # Why
//! *A rule says why in its own words*, with a code of its own: the door adds what kind of problem that is and nothing else.

use crate::archive::ArchiveError;
use crate::arrangement::ArrangementError;
use crate::disposition::DispositionError;
use crate::http::{
    error::{FindingOut, Kind, Rule, Trouble, Wrong, trouble},
    language::Language,
};
use crate::record::{arranging, disposition::refusal, flaw, hold::HoldRefusal, retention, secrecy::SecrecyRefusal};

impl From<ArrangementError> for Trouble {
    fn from(error: ArrangementError) -> Trouble {
        match error {
            ArrangementError::Archive(error) => error.into(),
            ArrangementError::Catalog(error) => ArchiveError::from(error).into(),
            ArrangementError::Refused(refusal) => arranging(refusal),
            ArrangementError::Flawed(flaws) => {
                Trouble { flaws: flaws.iter().map(wrong).collect(), ..trouble(Kind::Flawed) }
            }
            // What people send is read before: this is ours.
            ArrangementError::Document(error) => inside(&error),
        }
    }
}

impl From<DispositionError> for Trouble {
    fn from(error: DispositionError) -> Trouble {
        match error {
            DispositionError::Archive(error) => error.into(),
            DispositionError::Catalog(error) => ArchiveError::from(error).into(),
            DispositionError::Refused(refusal) => of(Kind::Ruled, refusal),
            DispositionError::Held(refusal) => of(Kind::Held, refusal),
            DispositionError::Secrecy(refusal) => of(Kind::Secrecy, refusal),
            DispositionError::Arranging(refusal) => arranging(refusal),
            DispositionError::Flawed(flaws) => flawed(&flaws),
            DispositionError::Document(error) => inside(&error),
        }
    }
}

/// A schedule with flaws.
pub fn flawed(flaws: &[retention::flaw::Flaw]) -> Trouble {
    Trouble { flaws: flaws.iter().map(wrong_rule).collect(), ..trouble(Kind::Flawed) }
}

/// What is to be looked at in what was arranged.
pub fn told(flaws: &[flaw::Flaw], language: Language) -> Vec<FindingOut> {
    flaws.iter().map(|flaw| FindingOut::of_wrong(&wrong(flaw), language)).collect()
}

/// The same of a schedule.
pub fn told_rules(flaws: &[retention::flaw::Flaw], language: Language) -> Vec<FindingOut> {
    flaws.iter().map(|flaw| FindingOut::of_wrong(&wrong_rule(flaw), language)).collect()
}

fn wrong(flaw: &flaw::Flaw) -> Wrong {
    let rule = Rule { code: flaw.code.as_str(), vi: flaw.vi, en: flaw.en };
    Wrong { rule, severity: flaw.severity, field: Some(flaw.place.clone()), detail: flaw.detail.clone() }
}

fn wrong_rule(flaw: &retention::flaw::Flaw) -> Wrong {
    let rule = Rule { code: flaw.code.as_str(), vi: flaw.code.vi(), en: flaw.code.en() };
    let row = flaw.row.map(|row| format!("row {row}"));
    let class = flaw.class.as_ref().map(|class| format!("class {class}"));
    let place: Vec<String> = row.into_iter().chain(class).collect();
    let field = Some(place.join(", ")).filter(|place| !place.is_empty());
    Wrong { rule, severity: flaw.severity, field, detail: flaw.detail.clone() }
}

/// What is not there is not found, as everywhere at the door.
fn arranging(refusal: arranging::Refusal) -> Trouble {
    match refusal {
        arranging::Refusal::NotThere => Kind::NotFound.into(),
        other => of(Kind::Ruled, other),
    }
}

fn inside(error: &dyn std::error::Error) -> Trouble {
    tracing::error!(%error, "what was to be kept is no document");
    Kind::Failed.into()
}

/// What every list of refusals has.
trait Refuses: Copy {
    fn rule(&self) -> Rule;
}

macro_rules! refuse {
    ($($name:ty),*) => {
        $(impl Refuses for $name {
            fn rule(&self) -> Rule {
                Rule { code: self.as_str(), vi: self.vi(), en: self.en() }
            }
        })*
    };
}
refuse!(arranging::Refusal, refusal::Refusal, HoldRefusal, SecrecyRefusal);

fn of(kind: Kind, refusal: impl Refuses) -> Trouble {
    Trouble { rule: Some(refusal.rule()), ..trouble(kind) }
}
