//! What starts the clock of a file and of a record: read from their descriptions.

use crate::record::{
    entry::Instant,
    file,
    metadata::Metadata,
    retention::trigger::{Evidence, Fact, Trigger, When},
};

/// The facts of a file that start clocks, as its description tells them since a moment.
pub fn facts_of_file(about: &file::About, known: Instant) -> Vec<Fact> {
    let field = |name: &str, trigger, date| Fact {
        trigger,
        when: When::Date(date),
        evidence: Evidence::Field(name.into()),
        known,
    };
    let ended = about.ended.map(|date| field("ended", Trigger::WorkEnded, date));
    let closed = about.closed.map(|date| field("closed", Trigger::WorkEnded, date));
    let told = about.facts.iter().map(|one| field("facts", one.trigger, one.when));
    ended.or(closed).into_iter().chain(told).collect()
}

/// The same of a record.
pub fn facts_of_record(metadata: &Metadata, known: Instant) -> Vec<Fact> {
    let field = |name: &str, trigger, date| Fact {
        trigger,
        when: When::Date(date),
        evidence: Evidence::Field(name.into()),
        known,
    };
    let issued = metadata.issued.map(|date| field("issued", Trigger::DocumentIssued, date));
    let told = metadata.facts.iter().map(|one| field("facts", one.trigger, one.when));
    issued.into_iter().chain(told).collect()
}
